"""includefield, matching behaviours, the path's study, and what no query may do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import QueryError
from gateway.qido.attributes import Level, Resource
from gateway.qido.conditions import AllOf, Empty, Exact, Fuzzy, Wildcard
from gateway.qido.query import Dialect, parse_query
from tests.unit.parsing import (
    ALL_SERIES,
    KEYS,
    REFUSED,
    STUDIES,
    STUDY_SERIES,
    no,
    outcome,
    parsed,
)
from tests.unit.tables import named

# --- includefield ---------------------------------------------------------------------------------

UNKNOWN = ("The includefield parameter names an attribute that is not known. It has been ignored.",)


@pytest.mark.parametrize(
    ("resource", "text", "also", "warnings"),
    named({
        "by keyword": (STUDIES, "includefield=StudyID", ["StudyID"], ()),
        "by tag, lower case": (STUDIES, "includefield=0020000d", ["StudyInstanceUID"], ()),
        "a list": (STUDIES, "includefield=StudyID,PatientSex", ["StudyID", "PatientSex"], ()),
        "a list with %2C": (STUDIES, "includefield=StudyID%2CPatientSex",
            ["StudyID", "PatientSex"], ()),
        "a list with spaces": (STUDIES, "includefield=StudyID,+PatientSex+",
            ["StudyID", "PatientSex"], ()),
        "repeated": (STUDIES, "includefield=StudyID&includefield=PatientSex",
            ["StudyID", "PatientSex"], ()),
        "repeated, and a list": (STUDIES, "includefield=StudyID,PatientID&includefield=PatientSex",
            ["StudyID", "PatientID", "PatientSex"], ()),
        "the same twice": (STUDIES, "includefield=StudyID&includefield=00200010", ["StudyID"], ()),
        "OHIF's list of studies": (STUDIES,
            "includefield=00081030%2C00080060%2C00080090%2C00100030",
            ["StudyDescription", "ReferringPhysicianName", "PatientBirthDate"], ()),
        "OHIF's list of series": (STUDY_SERIES, "includefield=0008103E%2C00080021",
            ["SeriesDescription", "SeriesDate"], ()),
        "empty": (STUDIES, "includefield=", [], ()),
        "without =": (STUDIES, "includefield", [], ()),
        "commas alone": (STUDIES, "includefield=,,", [], ()),
        "below the level": (STUDIES, "includefield=SeriesInstanceUID,Modality", [], ()),
        "of the instance": (ALL_SERIES, "includefield=SOPInstanceUID", [], ()),
        "above the level": (STUDY_SERIES, "includefield=PatientName,BodyPartExamined",
            ["PatientName", "BodyPartExamined"], ()),
        "a sequence": (STUDY_SERIES, "includefield=RequestAttributesSequence",
            ["RequestAttributesSequence"], ()),
        "a sequence's item": (STUDY_SERIES, "includefield=RequestAttributesSequence.00401001",
            ["RequestAttributesSequence"], ()),
        "the other spelling": (STUDIES, "includeField=StudyID", ["StudyID"], ()),
        "not in the dictionary": (STUDIES, "includefield=Foo,StudyID", ["StudyID"], UNKNOWN),
        "a private tag": (STUDIES, "includefield=00231002", [], UNKNOWN),
        "in lower case": (STUDIES, "includefield=studyid", [], UNKNOWN),
        "ALL in capitals is no all": (STUDIES, "includefield=ALL", [], UNKNOWN),
        "two that are not known, said once": (STUDIES, "includefield=Foo,Bar", [], UNKNOWN),
    }),
)  # fmt: skip
def test_includefield_forms(
    resource: Resource, text: str, also: list[str], warnings: tuple[str, ...]
) -> None:
    """includefield adds what the resource has; what is not known has a Warning without its name."""
    query = parsed(text, resource)
    assert (also, warnings) == ([a.keyword for a in query.also_return], query.warnings)


@pytest.mark.parametrize(
    "text",
    ["includefield=all", "includefield=all,StudyID", "includefield=StudyID&includefield=all",
     "includefield=Modality&includefield=all&includefield=all"],
)  # fmt: skip
@pytest.mark.parametrize("resource", Resource, ids=lambda resource: resource.value)
def test_all(resource: Resource, text: str) -> None:
    """`all` is every attribute of the table at or above the level, alone or beside others.

    Of an instance it is all that it has, which no table tells.
    """
    query = parsed(text, resource)
    if resource.level is Level.INSTANCE:
        named = {name for name in ("StudyID", "Modality") if name in text}
        assert (named, True) == ({a.keyword for a in query.also_return}, query.everything)
        return
    study = {k for k, (_, level, _) in KEYS.items() if level == "study"}
    study |= {"ReferringPhysicianName", "RetrieveURL"}
    series = study | set(KEYS) | set(OF_SERIES.split())
    expected = {Level.STUDY: study, Level.SERIES: series}[resource.level]
    assert (expected, True) == ({a.keyword for a in query.also_return}, query.everything)


OF_SERIES = """NumberOfSeriesRelatedInstances SeriesDate SeriesTime SeriesDescription Manufacturer
InstitutionName StationName PerformingPhysicianName OperatorsName ManufacturerModelName ProtocolName
Laterality PerformedProcedureStepStartDate PerformedProcedureStepStartTime
PerformedProcedureStepDescription RequestAttributesSequence"""


def test_all_of_what_is_fetched() -> None:
    """What the operator has fetched of studies is returned, and is a criterion."""
    dialect = Dialect(study_attributes=frozenset({"ReferringPhysicianName", "PatientAge"}))
    assert "PatientAge" in {
        a.keyword for a in parsed("includefield=all", dialect=dialect).also_return
    }
    query = parsed("PatientAge=050Y&ReferringPhysicianName=A&PatientSize=1", dialect=dialect)
    assert (2, 1) == (len(query.criteria), len(query.warnings))
    assert ["PatientAge", "ReferringPhysicianName"] == [a.keyword for a in query.also_return]


# --- matching behaviours --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fuzzymatching", "emptyvaluematching", "multiplevaluematching"])
@pytest.mark.parametrize(
    ("value", "said"),
    named({
        "true": ("true", True), "false": ("false", False), "TRUE": ("TRUE", True),
        "False": ("False", False), "twice": ("true&{}=True", True),
        "empty": ("", REFUSED), "yes": ("yes", REFUSED), "1": ("1", REFUSED), "0": ("0", REFUSED),
        "truee": ("truee", REFUSED), "with a space": ("true+", REFUSED),
        "a list": ("true,false", REFUSED), "both": ("true&{}=false", REFUSED),
    }),
)  # fmt: skip
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_behaviours(name: str, value: str, said: Any, strict: bool) -> None:
    """true or false, with no Warning of what is supported, strict parameters or not (§8.3.4)."""
    text = f"{name}={value.format(name)}"
    try:
        warnings = parsed(text, dialect=Dialect(strict=strict)).warnings
    except QueryError as exc:
        assert (name, REFUSED) == (exc.parameter, said)
    else:
        assert ((), True) == (warnings, said is not REFUSED)


@pytest.mark.parametrize(
    ("text", "expected"),
    named({
        "fuzzy, a name": ("PatientName=JANE&fuzzymatching=true", Fuzzy("JANE")),
        "fuzzy, its wild cards": ("fuzzymatching=true&PatientName=J*", Fuzzy("J*")),
        "fuzzy, a star is universal": ("fuzzymatching=true&PatientName=*", None),
        "fuzzy, zero length": ("fuzzymatching=true&PatientName=", None),
        "fuzzy, false": ("fuzzymatching=false&PatientName=JANE", Exact(("JANE",))),
        "fuzzy, other text": ("fuzzymatching=true&PatientID=JANE", Exact(("JANE",))),
        "empty, a name": ("emptyvaluematching=true&PatientName=%22%22", Empty()),
        "empty, a fuzzy name": ("emptyvaluematching=true&fuzzymatching=true&PatientName=%22%22",
            Empty()),
        "empty, as typed": ('emptyvaluematching=TRUE&PatientID=""', Empty()),
        "empty, a date": ("StudyDate=%22%22&emptyvaluematching=true", Empty()),
        "empty, a date beside a range of times": (
            "StudyDate=%22%22&StudyTime=10-12&emptyvaluematching=true", Empty()),
        "empty, a number": ("emptyvaluematching=true&SeriesNumber=%22%22", Empty()),
        "empty, a UID": ("emptyvaluematching=true&SeriesInstanceUID=%22%22", Empty()),
        "empty, several values too": (
            "emptyvaluematching=true&multiplevaluematching=true&Modality=%22%22", Empty()),
        "empty, zero length is universal": ("emptyvaluematching=true&PatientID=", None),
        "empty, false": ("emptyvaluematching=false&PatientID=%22%22", Exact(('""',))),
        "empty, a fuzzy name without it": ("fuzzymatching=true&PatientName=%22%22", Fuzzy('""')),
        "empty, a date without it": ("StudyDate=%22%22", no("StudyDate")),
        "multiple, two": ("multiplevaluematching=true&StudyDescription=A%5CB",
            AllOf((Exact(("A",)), Exact(("B",))))),
        "multiple, fuzzy": ("multiplevaluematching=true&fuzzymatching=true&PatientName=A%5CB",
            AllOf((Fuzzy("A"), Fuzzy("B")))),
        "multiple, lists": ("multiplevaluematching=true&Modality=CT,MR%5CPT",
            AllOf((Exact(("CT", "MR")), Exact(("PT",))))),
        "multiple, one": ("multiplevaluematching=true&StudyDescription=A", Exact(("A",))),
        "multiple, one list": ("multiplevaluematching=true&Modality=CT,MR", Exact(("CT", "MR"))),
        "multiple, one with a wild card": ("multiplevaluematching=true&StudyDescription=A*",
            Wildcard(("A*",))),
        "multiple, one value left": ("multiplevaluematching=true&Modality=%5CCT", Exact(("CT",))),
        "multiple, none left": ("multiplevaluematching=true&Modality=,%5C", None),
        "multiple, two with a wild card": ("multiplevaluematching=true&Modality=CT%5CM*",
            no("Modality")),
        "multiple, of one value": ("multiplevaluematching=true&PatientID=A%5CB",
            Exact(("A\\B",))),
        "multiple, UIDs are a list": ("multiplevaluematching=true&SeriesInstanceUID=1.2%5C1.3",
            Exact(("1.2", "1.3"))),
        "multiple, a date": ("multiplevaluematching=true&StudyDate=20200101%5C20200102",
            no("StudyDate")),
        "multiple, false": ("multiplevaluematching=false&StudyDescription=A%5CB",
            Exact(("A\\B",))),
    }),
)  # fmt: skip
def test_conditions_of_behaviours(text: str, expected: Any) -> None:
    """A behaviour changes what a key asks, for the VRs that it is for."""
    keyword = next(k for k in KEYS if f"{k}=" in text)
    assert expected == outcome(text, keyword)


# --- the path -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    named({
        "the path alone": ("1.2", "", [("1.2",)]),
        "the same in a key": ("1.2", "StudyInstanceUID=1.2", [("1.2",), ("1.2",)]),
        "another in a key": ("1.2", "StudyInstanceUID=1.3", [("1.2",), ("1.3",)]),
        "a list in a key": ("1.2", "0020000D=1.2%5C1.3", [("1.2",), ("1.2", "1.3")]),
        "zero length in a key": ("1.2", "StudyInstanceUID=", [("1.2",)]),
        "no UID in a key": ("1.2", "StudyInstanceUID=x", REFUSED),
        "letters in the path": ("abc", "", REFUSED),
        "a list in the path": ("1.2,1.3", "", REFUSED),
        "backslashes in the path": ("1.2\\1.3", "", REFUSED),
        "a wild card in the path": ("*", "", REFUSED),
        "nothing in the path": ("", "", REFUSED),
        "a space in the path": (" ", "", REFUSED),
        "513 characters in the path": ("1" * 513, "", REFUSED),
    }),
)  # fmt: skip
def test_path_and_key(path: str, text: str, expected: Any) -> None:
    """The path's UID is one UID, and holds together with a key of the same name."""
    try:
        criteria = parsed(text, STUDY_SERIES, study_uid=path).criteria
    except QueryError as exc:
        assert ("StudyInstanceUID", REFUSED) == (exc.parameter, expected)
    else:
        assert [Exact(values) for values in expected] == [c.condition for c in criteria]


# --- counts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "criteria"), [("3", [Exact((3,))]), ("", [])])
def test_numbers_of_instances_of_a_series(value: str, criteria: list[Any]) -> None:
    """It is matched and returned."""
    query = parsed(f"NumberOfSeriesRelatedInstances={value}", ALL_SERIES)
    assert (criteria, ()) == ([c.condition for c in query.criteria], query.warnings)
    assert ["NumberOfSeriesRelatedInstances"] == [a.keyword for a in query.also_return]


# --- silence and totality -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "PatientID={}&PatientID=other", "PatientID={}%FF", "PatientID={}" + "A" * 1024,
        "StudyInstanceUID={}", "StudyDate={}", "StudyDate={}-20200101", "StudyTime={}",
        "SeriesNumber={}", "limit={}", "offset={}", "limit=1&limit={}", "fuzzymatching={}",
        "emptyvaluematching={}", "multiplevaluematching={}", "={}", "{}%FF=1", "{}%20=%FF",
        "StudyInstanceUID=1.2,{}", "PatientBirthDate={}",
    ],
)  # fmt: skip
def test_a_refusal_never_holds_the_value(text: str) -> None:
    """A QueryError names the parameter and the rule, never what was given."""
    with pytest.raises(QueryError) as caught:
        parsed(text.format("SENTINEL^JANE"), ALL_SERIES)
    exc = caught.value
    assert "SENTINEL" not in f"{exc} {exc!r} {exc.args} {exc.parameter} {exc.problem}"


@pytest.mark.parametrize(
    "text",
    ["Foo={}", "{}%20X=1", "includefield={}", "SeriesDescription={}", "00231002={}", "{}^X"],
)
def test_a_warning_never_holds_the_value(text: str) -> None:
    """A Warning names parameters; neither it nor the query's repr shows what was given."""
    query = parsed(text.format("SENTINEL^JANE") + "&PatientID=SENTINEL&PatientName=SENTINEL*")
    assert len(query.warnings) == 1
    assert "SENTINEL" not in f"{query.warnings} {query!r} {query.parameters}"


_NAMES = (
    *KEYS,
    *(tag for tag, _, _ in KEYS.values()),
    "limit", "offset", "includefield", "fuzzymatching", "emptyvaluematching", "accept", "Foo", "",
    "orderby", "Rows", "SliceThickness", "RecommendedDisplayFrameRateInFloat", "PixelData",
    "AcquisitionDateTime", "FrameIncrementPointer", "PatientAge", "00090010", "00091001",
    "RequestAttributesSequence", "00400275.00400009", "00400275.StudyDate", "PatientID.StudyID",
)  # fmt: skip
_segments = st.builds(
    lambda name, equals, value: name + equals + value,
    st.sampled_from([name.encode() for name in _NAMES]) | st.binary(max_size=6),
    st.sampled_from([b"=", b"", b"=="]),
    st.binary(max_size=12)
    | st.text("0123456789-*?,.\\^= :%+AFZ", max_size=16).map(lambda text: text.encode()),
)


@settings(max_examples=800, deadline=None, derandomize=True)
@given(
    resource=st.sampled_from(Resource),
    text=st.lists(_segments, max_size=4).map(b"&".join) | st.binary(max_size=40),
    strict=st.booleans(),
)
@example(resource=STUDIES, text=b"limit=" + b"9" * 5000, strict=False)
@example(resource=STUDIES, text=b"SeriesNumber=" + b"9" * 5000, strict=False)
@example(resource=Resource.ALL_INSTANCES, text=b"Rows=" + b"9" * 5000, strict=False)
@example(resource=Resource.ALL_INSTANCES, text=b"SliceThickness=1e9999", strict=False)
@example(resource=Resource.ALL_INSTANCES, text=b"." * 5000 + b"=1", strict=False)
@example(resource=Resource.ALL_INSTANCES, text=b"AcquisitionDateTime=9999-0500", strict=False)
@example(resource=ALL_SERIES, text=b"%", strict=True)
@example(resource=ALL_SERIES, text=b"%00=%00", strict=True)
def test_any_text_is_a_query_or_a_query_error(
    resource: Resource, text: bytes, strict: bool
) -> None:
    """Whatever stands in a URI gives a Query or a QueryError, and nothing else."""
    study_uid = "1.2" if "{study}" in resource.value else None
    series_uid = "1.3" if "{series}" in resource.value else None
    try:
        query = parse_query(
            resource,
            text,
            study_uid=study_uid,
            series_uid=series_uid,
            dialect=Dialect(strict=strict),
        )
    except QueryError as exc:
        assert exc.parameter and exc.problem
    else:
        assert query.resource is resource
