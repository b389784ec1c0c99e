"""The query grammar: PS3.18 §8.3.4, table by table."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import QueryError
from gateway.qido.attributes import BY_KEYWORD, Level, Resource, answerable
from gateway.qido.conditions import Criterion, Exact, Range, Wildcard
from gateway.qido.query import Dialect, Query, parse_query
from gateway.qido.times import DAY_US

STUDIES, STUDY_SERIES, ALL_SERIES = Resource.STUDIES, Resource.STUDY_SERIES, Resource.ALL_SERIES
DAY = 737425
"""The day number of 2020-01-01."""

HOUR_US = 3_600_000_000


def _query(text: str, resource: Resource = STUDIES, **more: Any) -> Query:
    return parse_query(resource, text.encode(), **more)


def _criteria(text: str, resource: Resource = STUDIES) -> dict[str, Any]:
    return {c.attribute.keyword: c.condition for c in _query(text, resource).criteria}


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        pytest.param("&&", {}, id="empty segments"),
        pytest.param("00100020=A", {"PatientID": Exact(("A",))}, id="tag"),
        pytest.param("&PatientID=A", {"PatientID": Exact(("A",))}, id="?& as Weasis sends it"),
        pytest.param("PatientID=A&", {"PatientID": Exact(("A",))}, id="a trailing &"),
        pytest.param("PatientID=A+B", {"PatientID": Exact(("A B",))}, id="+ is a space"),
        pytest.param("PatientID=A%2BB", {"PatientID": Exact(("A+B",))}, id="%2B is a plus"),
        pytest.param("PatientID=%20A%20", {"PatientID": Exact(("A",))}, id="LO is trimmed"),
        pytest.param("PatientID=%E5%B1%B1", {"PatientID": Exact(("山",))}, id="UTF-8"),
        pytest.param("PatientID=A=B", {"PatientID": Exact(("A=B",))}, id="= in a value"),
        pytest.param("PatientID=A,B", {"PatientID": Exact(("A,B",))}, id="a comma is no list"),
        pytest.param("PatientID", {}, id="universal: no ="),
        pytest.param("PatientID=**", {}, id="universal: **"),
        pytest.param("PatientID=*A?", {"PatientID": Wildcard(("*A?",))}, id="wild card"),
        pytest.param("StudyInstanceUID=1.2,1.3,1.2", {"StudyInstanceUID": Exact(("1.2", "1.3"))},
                     id="UID list"),
        pytest.param("StudyInstanceUID=" + "1" * 70, {"StudyInstanceUID": Exact(("1" * 70,))},
                     id="a UID longer than DICOM's"),
        pytest.param("NumberOfStudyRelatedSeries=02", {"NumberOfStudyRelatedSeries": Exact((2,))},
                     id="IS is an integer"),
        pytest.param("StudyDate=20200101-20200103", {"StudyDate": Range(DAY, DAY + 2)},
                     id="date range"),
        pytest.param("StudyDate=20200101+-+20200101", {"StudyDate": Range(DAY, DAY)},
                     id="spaces around the dash"),
        pytest.param("StudyTime=10", {"StudyTime": Range(10 * HOUR_US, 11 * HOUR_US - 1)},
                     id="an hour"),
        pytest.param("StudyTime=1000-100000", {"StudyTime":
                     Range(10 * HOUR_US, 10 * HOUR_US + 999_999)}, id="to the end of its second"),
        pytest.param("StudyTime=000000.5-", {"StudyTime": Range(500_000, None)}, id="a fraction"),
    ],
)  # fmt: skip
def test_keys(text: str, criteria: dict[str, Any]) -> None:
    """A matching key becomes the criterion that its VR and form ask for."""
    assert criteria == _criteria(text)


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        pytest.param("=1", "query", id="no name"),
        pytest.param("PatientID=%FF", "PatientID", id="no UTF-8"),
        pytest.param("%FF=1", "a parameter's name", id="a name that is no UTF-8"),
        pytest.param("A%5EB=%FF", "a parameter", id="a strange name"),
        pytest.param("StudyInstanceUID=1.a", "StudyInstanceUID", id="a letter in a UID"),
        pytest.param("StudyInstanceUID=1.2*", "StudyInstanceUID", id="a wild card in a UID"),
        pytest.param("StudyInstanceUID=.1", "StudyInstanceUID", id="a dot first"),
        pytest.param("StudyInstanceUID=,", "StudyInstanceUID", id="a list of nothing"),
        pytest.param("StudyDate=20200230", "StudyDate", id="no such day"),
        pytest.param("StudyDate=2020*", "StudyDate", id="a wild card in a date"),
        pytest.param("StudyDate=20200103-20200101", "StudyDate", id="a range backwards"),
        pytest.param("StudyDate=20200101-20200102-", "StudyDate", id="two dashes"),
        pytest.param("StudyTime=25", "StudyTime", id="no such hour"),
        pytest.param("StudyTime=1060", "StudyTime", id="no such minute"),
        pytest.param("StudyTime=100061", "StudyTime", id="no such second"),
        pytest.param("StudyTime=10:00", "StudyTime", id="a colon in a key"),
        pytest.param("StudyTime=12-10", "StudyTime", id="times backwards"),
        pytest.param("NumberOfStudyRelatedSeries=x", "NumberOfStudyRelatedSeries", id="no integer"),
        pytest.param("limit=1.5", "limit", id="limit with a fraction"),
        pytest.param("limit=%D9%A1", "limit", id="limit in other digits"),
        pytest.param("offset=x", "offset", id="offset"),
    ],
)  # fmt: skip
def test_refuses(text: str, parameter: str) -> None:
    """A wrong value is a QueryError that names the parameter."""
    with pytest.raises(QueryError) as caught:
        _query(text)
    assert parameter == caught.value.parameter


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        pytest.param(
            "StudyDate=20200101-20200102&StudyTime=10-1130",
            [("StudyDate", Range(DAY * DAY_US + 10 * HOUR_US,
              (DAY + 1) * DAY_US + 11 * HOUR_US + 31 * 60_000_000 - 1), "StudyTime")],
            id="both closed"),
        pytest.param(
            "StudyTime=10-&StudyDate=20200101-",
            [("StudyDate", Range(DAY * DAY_US + 10 * HOUR_US, None), "StudyTime")],
            id="both from"),
        pytest.param(
            "StudyDate=-20200101&StudyTime=-10",
            [("StudyDate", Range(None, DAY * DAY_US + 11 * HOUR_US - 1), "StudyTime")],
            id="both until"),
        pytest.param(
            "StudyDate=20200101-20200102&StudyTime=12-10",
            [("StudyDate", Range(DAY * DAY_US + 12 * HOUR_US,
              (DAY + 1) * DAY_US + 11 * HOUR_US - 1), "StudyTime")],
            id="over midnight"),
        pytest.param(
            "StudyDate=20200101-&StudyTime=-10",
            [("StudyDate", Range(DAY, None), None),
             ("StudyTime", Range(None, 11 * HOUR_US - 1), None)],
            id="another form: each alone"),
        pytest.param(
            "StudyDate=20200101&StudyTime=10-11",
            [("StudyDate", Range(DAY, DAY), None),
             ("StudyTime", Range(10 * HOUR_US, 12 * HOUR_US - 1), None)],
            id="a single date: each alone"),
    ],
)  # fmt: skip
def test_date_and_time_pairs(text: str, criteria: Any) -> None:
    """Ranges of one form over a date and its time are one range (PS3.4 §C.2.2.2.5.3)."""
    found = [
        (c.attribute.keyword, c.condition, c.time and c.time.keyword) for c in _query(text).criteria
    ]
    assert criteria == found


@pytest.mark.parametrize(
    ("resource", "text", "also"),
    [
        pytest.param(STUDIES, "includefield=StudyDescription", ["StudyDescription"], id="keyword"),
        pytest.param(STUDIES, "includefield=00081030,00100040",
                     ["StudyDescription", "PatientSex"], id="a comma list"),
        pytest.param(STUDIES, "includefield=00081030%2C00100040",
                     ["StudyDescription", "PatientSex"], id="its comma encoded"),
        pytest.param(STUDIES, "includefield=StudyID&includefield=PatientSex",
                     ["StudyID", "PatientSex"], id="repeated"),
        pytest.param(STUDIES, "includeField=StudyID", ["StudyID"], id="the other spelling"),
        pytest.param(STUDIES, "includefield=", [], id="empty"),
        pytest.param(STUDIES, "includefield=Modality", [], id="below the level"),
        pytest.param(STUDIES, "includefield=SeriesDescription", [], id="not in a summary"),
        pytest.param(STUDIES, "includefield=RequestAttributesSequence.00400009", [], id="a path"),
        pytest.param(STUDIES, "PatientSex=F", ["PatientSex"], id="a key adds its attribute"),
        pytest.param(STUDIES, "PatientSex=", ["PatientSex"], id="an empty key too"),
        pytest.param(STUDIES, "ReferringPhysicianName=", ["ReferringPhysicianName"],
                     id="an empty key that is not known"),
        pytest.param(STUDY_SERIES, "includefield=PatientName", ["PatientName"], id="above it"),
        pytest.param(ALL_SERIES, "includefield=00180015", ["BodyPartExamined"], id="series"),
    ],
)  # fmt: skip
def test_includefield(resource: Resource, text: str, also: list[str]) -> None:
    """includefield and keys add attributes to the answer, as far as the resource has them."""
    query = _query(text, resource)
    assert (also, ()) == ([a.keyword for a in query.also_return], query.warnings)


@pytest.mark.parametrize(
    ("text", "everything"),
    [("includefield=StudyID,all", True), ("includefield=all", True), ("includefield=", False),
     ("includefield=StudyID", False), ("includefield=ALL", False), ("StudyID=all", False)],
)  # fmt: skip
@pytest.mark.parametrize("resource", Resource, ids=lambda resource: resource.value)
def test_includefield_all(resource: Resource, text: str, everything: bool) -> None:
    """`all` asks for all that is known of a study or series, and for all that an instance has."""
    query = _query(text, resource)
    assert everything == query.everything
    is_whole = set(answerable(resource)) <= set(query.also_return)
    assert is_whole == (everything and resource.level is not Level.INSTANCE)


IGNORED = "is not supported for matching here. It has been ignored."


@pytest.mark.parametrize(
    ("resource", "text", "warnings"),
    [
        pytest.param(STUDIES, "fuzzymatching=false&emptyvaluematching=FALSE", [], id="false"),
        pytest.param(STUDIES, "fuzzymatching=TRUE&multiplevaluematching=true", [], id="true"),
        pytest.param(STUDIES, "Foo=1", [f"The Foo parameter {IGNORED}"], id="unknown"),
        pytest.param(STUDIES, "patientid=1", [f"The patientid parameter {IGNORED}"],
                     id="names are case-sensitive"),
        pytest.param(STUDIES, "A%5EB=1", [f"A parameter {IGNORED}"],
                     id="a strange name is not repeated"),
        pytest.param(STUDIES, "Modality=CT", [f"The Modality parameter {IGNORED}"],
                     id="a key below the level"),
        pytest.param(STUDIES, "0008103E=x", [f"The SeriesDescription parameter {IGNORED}"],
                     id="a tag of the dictionary"),
        pytest.param(STUDIES, "00091001=x", [f"The 00091001 parameter {IGNORED}"], id="private"),
        pytest.param(STUDIES, "ReferringPhysicianName=A",
                     [f"The ReferringPhysicianName parameter {IGNORED}"], id="not in a summary"),
        pytest.param(STUDIES, "RetrieveURL=A", [f"The RetrieveURL parameter {IGNORED}"],
                     id="made by the gateway"),
        pytest.param(ALL_SERIES, "PatientAge=050Y", [f"The PatientAge parameter {IGNORED}"],
                     id="of the study, and not fetched"),
        pytest.param(STUDIES, "includefield=Foo", ["The includefield parameter names an attribute"
                     " that is not known. It has been ignored."], id="unknown in includefield"),
        pytest.param(STUDIES, "accept=a&charset=utf-8", [], id="general parameters"),
    ],
)  # fmt: skip
def test_what_is_not_done_is_said(resource: Resource, text: str, warnings: list[str]) -> None:
    """What is asked and not done has a Warning that names the parameter, never the value."""
    query = _query(text, resource)
    assert (warnings, ()) == (list(query.warnings), query.criteria)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("Foo=1", True),
        ("Modality=CT", True),
        ("includefield=Foo", True),
        ("includefield=Modality", False),
        ("fuzzymatching=true", False),
        ("PatientID=1", False),
    ],
)
def test_strict(text: str, refused: bool) -> None:
    """With strict parameters what would be ignored is refused."""
    try:
        _query(text, dialect=Dialect(strict=True))
    except QueryError:
        assert refused
    else:
        assert not refused


@pytest.mark.parametrize(
    ("text", "limit", "offset"),
    [("", None, 0), ("limit=0", 0, 0), ("limit=101&offset=202", 101, 202), ("offset=007", None, 7)],
)
def test_window(text: str, limit: int | None, offset: int) -> None:
    """limit and offset are whole numbers; a missing limit stays open."""
    query = _query(text)
    assert (limit, offset) == (query.limit, query.offset)


@pytest.mark.parametrize(
    ("uid", "text", "criteria"),
    [
        ("1.2", "", [("1.2",)]),
        ("1.2", "StudyInstanceUID=1.2,1.3", [("1.2",), ("1.2", "1.3")]),
        ("1.2", "0020000D=1.9", [("1.2",), ("1.9",)]),
    ],
)
def test_the_paths_study(uid: str, text: str, criteria: Any) -> None:
    """The path's UID and a key of that name hold both."""
    query = _query(text, STUDY_SERIES, study_uid=uid)
    attribute = BY_KEYWORD["StudyInstanceUID"]
    assert [Criterion(attribute, Exact(values)) for values in criteria] == list(query.criteria)


def test_the_log_gets_names_of_the_dictionary_only() -> None:
    """Of the parameters' names those are kept that cannot be a patient's data."""
    query = _query("DOE=1&00100010=A&limit=1&includefield=all&fuzzymatching=true&accept=x")
    names = {"?", "PatientName", "limit", "includefield", "fuzzymatching", "accept"}
    assert (names, Level.STUDY) == (set(query.parameters), query.level)
