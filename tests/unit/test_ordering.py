"""`orderby`: how it is read, and how results stand by it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gateway.errors import QueryError
from gateway.qido.attributes import Level, Resource
from gateway.qido.ordering import MAX_ORDER_KEYS, ordered
from gateway.qido.query import parse_query
from gateway.qido.result import Result


def _keys(text: str, resource: Resource = Resource.ALL_SERIES) -> list[tuple[str, bool]]:
    query = parse_query(resource, text.encode())
    return [(key.attribute.keyword, key.descending) for key in query.order]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param("orderby=StudyDate", [("StudyDate", False)], id="ascending"),
        pytest.param("orderby=-StudyDate", [("StudyDate", True)], id="descending"),
        pytest.param("orderby=StudyDate,-PatientName",
                     [("StudyDate", False), ("PatientName", True)], id="a list"),
        pytest.param("orderby=StudyDate&orderby=-PatientName",
                     [("StudyDate", False), ("PatientName", True)], id="repeated"),
        pytest.param("orderby=-0020000E", [("SeriesInstanceUID", True)], id="a tag"),
        pytest.param("orderby=NumberOfSeriesRelatedInstances",
                     [("NumberOfSeriesRelatedInstances", False)], id="where its value is known"),
        pytest.param("orderby=-updatedAt,createdAt", [("updatedAt", True), ("createdAt", False)],
                     id="by arrival"),
        pytest.param("orderby=", [], id="nothing"),
        pytest.param("orderby=%20StudyDate%20,", [("StudyDate", False)], id="spaces, a comma more"),
    ],
)  # fmt: skip
def test_reads(text: str, keys: list[tuple[str, bool]]) -> None:
    """Keywords and tags, by commas or repeated; a hyphen is for descending."""
    assert keys == _keys(text)


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        pytest.param("Nothing", Resource.ALL_SERIES, id="an unknown attribute"),
        pytest.param("00091001", Resource.ALL_SERIES, id="a private one"),
        pytest.param("SOPInstanceUID", Resource.ALL_SERIES, id="one that is not answered"),
        pytest.param("SeriesNumber", Resource.STUDIES, id="one of a level below"),
        pytest.param("ReferringPhysicianName", Resource.STUDIES, id="one that is not known"),
        pytest.param("RetrieveURL", Resource.STUDIES, id="one that is made"),
        pytest.param("StudyDate,-StudyDate", Resource.STUDIES, id="one named twice"),
        pytest.param("00080020,StudyDate", Resource.STUDIES, id="twice, once by its tag"),
        pytest.param("--StudyDate", Resource.STUDIES, id="two hyphens"),
        pytest.param("+StudyDate", Resource.STUDIES, id="no other sign"),
        pytest.param("studydate", Resource.STUDIES, id="names are case-sensitive"),
    ],
)
def test_refuses(text: str, resource: Resource) -> None:
    """What results can't be sorted by is refused, never ignored."""
    with pytest.raises(QueryError) as caught:
        parse_query(resource, f"orderby={text.replace('+', '%2B')}".encode())
    assert "orderby" == caught.value.parameter
    assert text not in str(caught.value)


def test_at_most_eight() -> None:
    """There is a bound."""
    names = ["StudyDate", "StudyTime", "PatientName", "PatientID", "PatientSex", "StudyID",
             "AccessionNumber", "StudyDescription", "Modality"]  # fmt: skip
    assert MAX_ORDER_KEYS == len(_keys("orderby=" + ",".join(names[:8])))
    with pytest.raises(QueryError, match="8"):
        _keys("orderby=" + ",".join(names))


def test_nothing_is_returned_for_it() -> None:
    """An attribute that sorts is not added to the answer; the log has the parameter's name."""
    query = parse_query(Resource.STUDY_SERIES, b"orderby=PatientName", study_uid="1.2")
    assert ((), ("orderby",)) == (query.also_return, query.parameters)


@pytest.mark.parametrize(
    ("keyword", "values", "places"),
    [
        pytest.param("StudyDate", ["20200301", "20191231", "20200101"], "120", id="dates"),
        pytest.param("StudyDate", ["2019.12.31", "20200101"], "10", id="a legacy date is missing"),
        pytest.param("StudyTime", ["1015", "09:30", "101400.5"], "120", id="times by meaning"),
        pytest.param("SeriesNumber", [10, 9, 2], "210", id="integers"),
        pytest.param("SeriesNumber", ["x", 2], "10", id="no integer is missing"),
        pytest.param("NumberOfStudyRelatedSeries", [10, 9], "10", id="derived numbers"),
        pytest.param(
            "PatientName",
            ["Zoe", "adam", "Émile", "EMIL"],
            "1320",
            id="names without case and accents",
        ),
        pytest.param("PatientName", ["DOE^JANE^^", "doe^jane"], "01", id="no empty components"),
        pytest.param("PatientID", ["b", "C", "a"], "120", id="other text as it stands"),
        pytest.param("updatedAt", [3, 1, 2], "120", id="arrival"),
        pytest.param("PatientID", ["", "b", "a"], "210", id="an empty text is missing"),
    ],
)
def test_sorts(keyword: str, values: list[Any], places: str) -> None:
    """Ascending by meaning, what is missing at the end."""
    assert places == _sorted(keyword, [(value,) for value in values])


@pytest.mark.parametrize(
    ("keyword", "values", "places"),
    [
        pytest.param("SliceThickness", [2.5, "10.", 0.5, 3], "2031", id="DS by its number"),
        pytest.param("SliceThickness", ["x", 1, math.nan], "102", id="no DS is missing"),
        pytest.param("RecommendedDisplayFrameRateInFloat", [0.2, "1e-1"], "10", id="FL"),
        pytest.param("RealWorldValueSlope", [2.5, -1, math.inf], "102", id="FD"),
        pytest.param("Rows", [512, 64, "128"], "120", id="US"),
        pytest.param("SmallestImagePixelValue", [0, -5], "10", id="US or SS"),
        pytest.param("AcquisitionDateTime", ["20200102", "2020", "20200101120000"], "120",
                     id="a moment where it begins"),
        pytest.param("AcquisitionDateTime", ["2020010112", "20200101130000+0500"], "10",
                     id="moments by their offsets"),
        pytest.param("AcquisitionDateTime", ["today", "2020"], "10", id="no moment is missing"),
        pytest.param("SeriesDate", [7, "20200101"], "10", id="no date is missing"),
        pytest.param("FrameIncrementPointer", ["0018106A", "00181063"], "10", id="AT as text"),
        pytest.param("SOPInstanceUID", ["1.2.9", "1.2.10"], "10", id="UI as text"),
        pytest.param("PatientAge", ["050Y", "003D"], "10", id="AS as text"),
        pytest.param("ImageType", ["b", "", "A"], "201", id="CS as text"),
        pytest.param("OperatorsName", ["Zoe", "émile"], "10", id="names folded"),
        pytest.param("InstanceNumber", [10, 9, "x"], "102", id="IS"),
    ],
)  # fmt: skip
def test_sorts_instances(keyword: str, values: list[Any], places: str) -> None:
    """Each VR by what its values mean."""
    stored = [(value,) for value in values]
    assert places == _sorted(keyword, stored, Resource.ALL_INSTANCES)


def test_an_attribute_without_values_is_missing() -> None:
    """One that is stored without a value stands last, as one that is not stored."""
    results = [Result(Level.INSTANCE, {"Rows": values}) for values in ((), (7,), ("",), (3,))]
    query = parse_query(Resource.ALL_INSTANCES, b"orderby=Rows")
    assert [(3,), (7,), (), ("",)] == [r.values["Rows"] for r in ordered(results, query.order)]


@pytest.mark.parametrize(
    "name",
    ["RequestAttributesSequence", "RequestAttributesSequence.ScheduledProcedureStepID", "PixelData",
     "00090010", "00091001", "SpecificCharacterSet", "InstanceAvailability", "RetrieveURL"],
)  # fmt: skip
@pytest.mark.parametrize("resource", [Resource.ALL_INSTANCES, Resource.ALL_SERIES])
def test_nothing_sorts_by_it(name: str, resource: Resource) -> None:
    """Items, bytes, private attributes and what is never matched have no order."""
    with pytest.raises(QueryError) as caught:
        parse_query(resource, f"00090010=A&orderby={name}".encode())
    assert "orderby" == caught.value.parameter


def _sorted(
    named: str, values: list[tuple[Any, ...]], resource: Resource = Resource.ALL_SERIES
) -> str:
    keyword = named.removeprefix("-")
    results = [
        Result(Level.SERIES, {"StudyID": (str(n),), **({keyword: v} if v else {})})
        for n, v in enumerate(values)
    ]
    query = parse_query(resource, f"orderby={named}".encode())
    return "".join(str(one.values["StudyID"][0]) for one in ordered(results, query.order))


@pytest.mark.parametrize(
    ("named", "places"),
    [
        pytest.param("ModalitiesInStudy", "3120", id="ascending"),
        pytest.param("-ModalitiesInStudy", "1230", id="descending"),
    ],
)
def test_missing_values_are_last_and_ties_stay(named: str, places: str) -> None:
    """Missing values stand last in either direction; equal ones keep the answer's own order.

    Of several values the first one counts.
    """
    assert places == _sorted(named, [(), ("MR",), ("MR", "A"), ("CT", "US")])


def test_by_several() -> None:
    """The second key decides where the first one does not."""
    query = parse_query(Resource.STUDIES, b"orderby=PatientID,-StudyDate")
    rows = [("B", "20200101"), ("A", "20200101"), ("A", "20210101"), ("B", "20220101")]
    results = [Result(Level.STUDY, {"PatientID": (p,), "StudyDate": (d,)}) for p, d in rows]
    expected = [rows[2], rows[1], rows[3], rows[0]]
    found = ordered(results, query.order)
    assert expected == [(r.values["PatientID"][0], r.values["StudyDate"][0]) for r in found]
