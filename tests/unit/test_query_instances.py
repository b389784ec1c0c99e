"""Keys and includefield on instances: any attribute, paths into sequences, private attributes."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import QueryError
from gateway.qido.attributes import Attribute, Resource, attribute_named
from gateway.qido.conditions import (
    AllOf,
    Condition,
    Criterion,
    Empty,
    Exact,
    Fuzzy,
    Range,
    Sequence,
    Wildcard,
)
from gateway.qido.keys import MAX_ITEM_KEYS, MAX_PATH_LENGTH
from gateway.qido.query import Dialect
from tests.unit.parsing import ALL_SERIES, FIRST, HOUR_US, REFUSED, STUDIES, no, outcome, parsed
from tests.unit.tables import named

ALL, IN_STUDY, IN_SERIES = (
    Resource.ALL_INSTANCES,
    Resource.STUDY_INSTANCES,
    Resource.SERIES_INSTANCES,
)
IGNORED = "is not supported for matching here. It has been ignored."
NO_CREATOR = "needs a key on its private creator. It has been ignored."
DAY_US = 86_400_000_000


def attribute(name: str) -> Attribute:
    """The attribute of that name, which there is."""
    found = attribute_named(name)
    assert found is not None, name
    return found


def on(name: str, condition: Condition, time: str | None = None) -> Criterion:
    """A criterion."""
    return Criterion(attribute(name), condition, attribute(time) if time else None)


def in_item(name: str, *criteria: Criterion) -> Criterion:
    """A criterion on one item of a sequence."""
    return on(name, Sequence(criteria))


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "criterion"),
    named({
        "by keyword": ("InstanceNumber", "7", on("InstanceNumber", Exact((7,)))),
        "by tag": ("00200013", "7", on("InstanceNumber", Exact((7,)))),
        "not in the table": ("ImageType", "AXIAL", on("ImageType", Exact(("AXIAL",)))),
        "not in the table, by tag": ("0018115e", "1", on("0018115E", Exact((1,)))),
        "of the series": ("SeriesDescription", "A*", on("SeriesDescription", Wildcard(("A*",)))),
        "of the study": ("PatientID", "P1", on("PatientID", Exact(("P1",)))),
        "of the study, in metadata alone": ("PatientAge", "050Y",
            on("PatientAge", Exact(("050Y",)))),
        "of a repeating group": ("60020010", "512", on("60020010", Exact((512,)))),
        "derived of the study": ("ModalitiesInStudy", "CT",
            on("ModalitiesInStudy", Exact(("CT",)))),
        "a choice of VRs": ("SmallestImagePixelValue", "-1",
            on("SmallestImagePixelValue", Exact((-1,)))),
    }),
)  # fmt: skip
@pytest.mark.parametrize("resource", [ALL, IN_STUDY, IN_SERIES], ids=lambda r: r.value)
def test_any_attribute_is_a_criterion(
    resource: Resource, name: str, value: str, criterion: Criterion
) -> None:
    """At instances each attribute of PS3.6 can be asked for, of whatever level."""
    query = parsed(f"{name}={value}", resource)
    assert ((criterion,), ()) == (query.criteria, query.warnings)
    assert [criterion.attribute] == list(query.also_return)


@pytest.mark.parametrize(
    ("name", "value"),
    named({
        "no attribute": ("Foo", "1"),
        "bytes": ("PixelData", "AA=="),
        "bytes of either VR": ("RedPaletteColorLookupTableData", "AA=="),
        "made by the gateway": ("RetrieveURL", "x"),
        "how text is encoded": ("SpecificCharacterSet", "ISO_IR 192"),
        "how times are meant": ("TimezoneOffsetFromUTC", "+0100"),
        "in answers alone": ("InstanceAvailability", "ONLINE"),
        "an AE in answers alone": ("RetrieveAETitle", "A"),
        "the file meta information": ("TransferSyntaxUID", "1.2"),
        "a group length": ("00080000", "1"),
        "a command": ("MessageID", "1"),
        "a delimiter": ("FFFEE000", "1"),
    }),
)  # fmt: skip
def test_what_no_key_can_ask(name: str, value: str) -> None:
    """What can't be matched is ignored with a Warning, or refused when strict."""
    query = parsed(f"{name}={value}", ALL)
    assert ((), (f"The {name} parameter {IGNORED}",)) == (query.criteria, query.warnings)
    with pytest.raises(QueryError) as caught:
        parsed(f"{name}={value}", ALL, dialect=Dialect(strict=True))
    assert name == caught.value.parameter


@pytest.mark.parametrize(
    "text",
    ["PixelData=", "SpecificCharacterSet=*", "InstanceAvailability=", "RetrieveURL=*"],
)
def test_what_no_key_can_ask_is_still_returned(text: str) -> None:
    """A universal key asks for its attribute, matchable or not."""
    query = parsed(text, ALL)
    assert ((), ()) == (query.criteria, query.warnings)
    assert [text.partition("=")[0]] == [a.keyword for a in query.also_return]


# --- the path of the URI --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "text", "expected"),
    named({
        "the path alone": ("1.2.3", "", [("1.2",), ("1.2.3",)]),
        "another in a key": ("1.2.3", "SeriesInstanceUID=1.4", [("1.2",), ("1.2.3",), ("1.4",)]),
        "a list in a key": ("1.2.3", "0020000E=1.4,1.5",
            [("1.2",), ("1.2.3",), ("1.4", "1.5")]),
        "letters": ("abc", "", REFUSED),
        "a list": ("1.2,1.3", "", REFUSED),
        "a list by backslashes": ("1.2\\1.3", "", REFUSED),
        "a star": ("*", "", REFUSED),
        "nothing": ("", "", REFUSED),
        "513 characters": ("1" * 513, "", REFUSED),
    }),
)  # fmt: skip
def test_the_paths_series(series: str, text: str, expected: Any) -> None:
    """The SeriesInstanceUID of the path is one UID, and holds together with a key of its name."""
    try:
        query = parsed(text, IN_SERIES, study_uid="1.2", series_uid=series)
    except QueryError as exc:
        assert ("SeriesInstanceUID", REFUSED) == (exc.parameter, expected)
    else:
        assert [Exact(values) for values in expected] == [c.condition for c in query.criteria]
        assert ["StudyInstanceUID", "SeriesInstanceUID"] == [
            c.attribute.keyword for c in query.criteria[:2]
        ]


# --- sequences ------------------------------------------------------------------------------------

STEP, REQUESTED = (
    on("ScheduledProcedureStepID", Exact(("A",))),
    on("RequestedProcedureID", Exact(("B",))),
)
CODE = "PerformedProtocolCodeSequence"


@pytest.mark.parametrize(
    ("text", "criteria"),
    named({
        "keywords": ("RequestAttributesSequence.ScheduledProcedureStepID=A",
            [in_item("RequestAttributesSequence", STEP)]),
        "tags": ("00400275.00400009=A", [in_item("RequestAttributesSequence", STEP)]),
        "both, two keys of one item": (
            "00400275.00400009=A&RequestAttributesSequence.RequestedProcedureID=B",
            [in_item("RequestAttributesSequence", STEP, REQUESTED)]),
        "the same twice, by keyword and tag": (
            "00400275.00400009=A&RequestAttributesSequence.ScheduledProcedureStepID=A",
            [in_item("RequestAttributesSequence", STEP)]),
        "two sequences": (f"00400275.00400009=A&{CODE}.CodeValue=C", [
            in_item("RequestAttributesSequence", STEP),
            in_item(CODE, on("CodeValue", Exact(("C",))))]),
        "nested": (f"00400275.{CODE}.CodeValue=C&00400275.00400009=A", [
            in_item("RequestAttributesSequence", STEP,
                in_item(CODE, on("CodeValue", Exact(("C",)))))]),
        "an attribute beside it": ("00400275.00400009=A&PatientID=P", [
            on("PatientID", Exact(("P",))), in_item("RequestAttributesSequence", STEP)]),
        "one of the same name beside it": (
            "OtherPatientIDsSequence.PatientID=A&PatientID=B", [
            on("PatientID", Exact(("B",))),
            in_item("OtherPatientIDsSequence", on("PatientID", Exact(("A",))))]),
        "a name, fuzzy": ("fuzzymatching=true&ReferencedStudySequence.PatientName=J", [
            in_item("ReferencedStudySequence", on("PatientName", Fuzzy("J")))]),
        "no value": ('emptyvaluematching=true&00400275.00400009=""', [
            in_item("RequestAttributesSequence", on("ScheduledProcedureStepID", Empty()))]),
        "several values": (f"multiplevaluematching=true&{CODE}.CodeMeaning=A%5CB", [
            in_item(CODE, on("CodeMeaning", AllOf((Exact(("A",)), Exact(("B",))))))]),
        "a list of UIDs": ("ReferencedImageSequence.ReferencedSOPInstanceUID=1.2,1.3", [
            in_item("ReferencedImageSequence",
                on("ReferencedSOPInstanceUID", Exact(("1.2", "1.3"))))]),
        "a date with its time": (
            "ReferencedStudySequence.StudyDate=20200101-&ReferencedStudySequence.StudyTime=10-", [
            in_item("ReferencedStudySequence",
                on("StudyDate", Range(FIRST * DAY_US + 10 * HOUR_US, None), "StudyTime"))]),
        "a date and another's time": ("ReferencedStudySequence.StudyDate=20200101-&StudyTime=10-", [
            on("StudyTime", Range(10 * HOUR_US, None)),
            in_item("ReferencedStudySequence", on("StudyDate", Range(FIRST, None)))]),
        "universal: zero length": ("RequestAttributesSequence.ScheduledProcedureStepID=", []),
        "universal: a star": ("RequestAttributesSequence.ScheduledProcedureStepID=*", []),
        "universal: the sequence": ("RequestAttributesSequence=", []),
        "universal, and one that is not": (
            "00400275=&00400275.00401001=&00400275.00400009=A",
            [in_item("RequestAttributesSequence", STEP)]),
    }),
)  # fmt: skip
def test_sequences(text: str, criteria: list[Criterion]) -> None:
    """All item keys of one sequence make one criterion, since one item has to have them all."""
    query = parsed(text, ALL)
    assert (criteria, ()) == (list(query.criteria), query.warnings)
    roots = {c.attribute.keyword for c in criteria}
    assert roots <= {a.keyword for a in query.also_return}
    assert all(a.level.depth < 2 or a.vr in ("SQ", "CS") for a in query.also_return)


@pytest.mark.parametrize(
    ("text", "parameter"),
    named({
        "a value for the sequence": ("RequestAttributesSequence=A", "RequestAttributesSequence"),
        "a star for the sequence": ("00400275=*", "RequestAttributesSequence"),
        "quotation marks for it": ('emptyvaluematching=true&00400275=""',
            "RequestAttributesSequence"),
        "a value for an inner one": (f"00400275.{CODE}=A", f"RequestAttributesSequence.{CODE}"),
        "items of what has none": ("PatientID.StudyID=A", "PatientID.StudyID"),
        "the same, universal": ("PatientID.StudyID=", "PatientID.StudyID"),
        "inner items of what has none": ("00400275.PatientID.StudyID=A",
            "RequestAttributesSequence.PatientID.StudyID"),
        "another value": ("00400275.00400009=A&00400275.ScheduledProcedureStepID=B",
            "RequestAttributesSequence.ScheduledProcedureStepID"),
        "zero length and a value": ("00400275.00400009=&00400275.00400009=B",
            "RequestAttributesSequence.ScheduledProcedureStepID"),
        "no UID": ("ReferencedImageSequence.ReferencedSOPInstanceUID=x",
            "ReferencedImageSequence.ReferencedSOPInstanceUID"),
        "a range backwards": ("ReferencedStudySequence.StudyDate=20200102-20200101", "StudyDate"),
    }),
)  # fmt: skip
def test_paths_that_are_refused(text: str, parameter: str) -> None:
    """All but the last name are of sequences, the last is not; each is asked once."""
    with pytest.raises(QueryError) as caught:
        parsed(text, ALL)
    assert parameter == caught.value.parameter


def test_at_most_32_keys_on_items() -> None:
    """There is a bound; keys that any value matches and keys beside items do not count."""
    overlays = [f"60{n:02X}0010" for n in range(0, 32, 2)]
    keys = [f"{sequence}.{tag}=1" for sequence in ("00400275", "00081115") for tag in overlays]
    assert MAX_ITEM_KEYS == len(keys)
    text = "&".join([*keys, "StudyID=A", "00400275.StudyID="])
    assert 3 == len(parsed(text, ALL).criteria)
    with pytest.raises(QueryError) as caught:
        parsed(f"{text}&00400275.StationName=A", ALL)
    assert str(MAX_ITEM_KEYS) in caught.value.problem


@pytest.mark.parametrize(
    ("resource", "name", "shown"),
    named({
        "an unknown part": (ALL, "RequestAttributesSequence.Foo", None),
        "an unknown first part": (ALL, "Foo.PatientID", None),
        "a dot at its end": (ALL, "RequestAttributesSequence.", None),
        "two dots": (ALL, "RequestAttributesSequence..PatientID", None),
        "a private part": (ALL, "RequestAttributesSequence.00091001", None),
        "a private creator in an item": (ALL, "RequestAttributesSequence.00090010", None),
        "a private sequence": (ALL, "00091001.PatientID", None),
        "bytes in an item": (ALL, "IconImageSequence.PixelData", None),
        "nine parts": (ALL, ".".join(["00400275"] * MAX_PATH_LENGTH + ["PatientID"]), ""),
        "a sequence that is not known": (STUDIES, "00400275.00400009",
            "RequestAttributesSequence.ScheduledProcedureStepID"),
        "a sequence of the instance, at series": (ALL_SERIES, "ReferencedImageSequence.PatientID",
            None),
    }),
)  # fmt: skip
def test_paths_that_are_ignored(resource: Resource, name: str, shown: str | None) -> None:
    """What is no path of attributes that are known here is ignored with a Warning."""
    query = parsed(f"{name}=A", resource)
    subject = f"The {shown or name} parameter" if shown != "" else "A parameter"
    assert ((), (f"{subject} {IGNORED}",)) == (query.criteria, query.warnings)


def test_a_path_of_eight() -> None:
    """The longest path that is read."""
    sequences = ["RequestAttributesSequence"] * (MAX_PATH_LENGTH - 1)
    query = parsed(".".join([*sequences, "PatientID"]) + "=A", ALL)
    expected = on("PatientID", Exact(("A",)))
    for keyword in sequences:
        expected = in_item(keyword, expected)
    assert (expected,) == query.criteria


def test_sequences_of_series() -> None:
    """RequestAttributesSequence is known at the resources of series."""
    expected = in_item("RequestAttributesSequence", STEP)
    assert (expected,) == parsed("00400275.00400009=A", ALL_SERIES).criteria


# --- private attributes ---------------------------------------------------------------------------

CREATOR = on("00090010", Exact(("ACME",)))


@pytest.mark.parametrize(
    ("text", "criteria", "also", "creators", "warnings"),
    named({
        "its creator before it": ("00090010=ACME&00091001=X",
            [CREATOR, on("00091001", Exact(("X",)))], ["00090010", "00091001"],
            {"00090010": "ACME"}, []),
        "its creator behind it": ("00091001=X&00090010=ACME",
            [CREATOR, on("00091001", Exact(("X",)))], ["00090010", "00091001"],
            {"00090010": "ACME"}, []),
        "a wild card": ("00090010=ACME&00091001=X*",
            [CREATOR, on("00091001", Wildcard(("X*",)))], ["00090010", "00091001"],
            {"00090010": "ACME"}, []),
        "universal": ("00090010=ACME&00091001=", [CREATOR], ["00090010", "00091001"],
            {"00090010": "ACME"}, []),
        "in includefield": ("includefield=00091001&00090010=ACME", [CREATOR],
            ["00090010", "00091001"], {"00090010": "ACME"}, []),
        "the creator alone": ("00090010=ACME", [CREATOR], ["00090010"], {"00090010": "ACME"}, []),
        "another block": ("00090010=ACME&000910FF=X&00090011=OTHER&00091101=Y", [
            CREATOR, on("00090011", Exact(("OTHER",))), on("000910FF", Exact(("X",))),
            on("00091101", Exact(("Y",)))], ["00090010", "00090011", "000910FF", "00091101"],
            {"00090010": "ACME", "00090011": "OTHER"}, []),
        "padded": ("00090010=+ACME+", [CREATOR], ["00090010"], {"00090010": "ACME"}, []),
        "a creator with commas": ("00090010=A,B", [on("00090010", Exact(("A,B",)))], ["00090010"],
            {"00090010": "A,B"}, []),
        "no creator": ("00091001=X", [], [], {}, [f"The 00091001 parameter {NO_CREATOR}"]),
        "no creator, universal": ("00091001=", [], [], {},
            [f"The 00091001 parameter {NO_CREATOR}"]),
        "no creator, in includefield": ("includefield=00091001", [], [], {},
            ["The includefield parameter names a private attribute without a key on its private"
             " creator. It has been ignored."]),
        "the creator of another block": ("00090011=ACME&00091001=X",
            [on("00090011", Exact(("ACME",)))], ["00090011"], {"00090011": "ACME"},
            [f"The 00091001 parameter {NO_CREATOR}"]),
        "the creator of another group": ("000B0010=ACME&00091001=X",
            [on("000B0010", Exact(("ACME",)))], ["000B0010"], {"000B0010": "ACME"},
            [f"The 00091001 parameter {NO_CREATOR}"]),
        "a creator of zero length": ("00090010=&00091001=X", [], ["00090010"], {},
            [f"The 00091001 parameter {NO_CREATOR}"]),
        "a star for a creator": ("00090010=*&00091001=X", [], ["00090010"], {},
            [f"The 00091001 parameter {NO_CREATOR}"]),
        "no value for a creator": ('emptyvaluematching=true&00090010=""&00091001=X',
            [on("00090010", Empty())], ["00090010"], {},
            [f"The 00091001 parameter {NO_CREATOR}"]),
        "no block": ("00090010=ACME&00090FFF=X", [CREATOR], ["00090010"], {"00090010": "ACME"},
            [f"The 00090FFF parameter {NO_CREATOR}"]),
        "the creator in includefield": ("includefield=00090010", [], ["00090010"], {}, []),
    }),
)  # fmt: skip
def test_private(
    text: str, criteria: list[Criterion], also: list[str], creators: Any, warnings: list[str]
) -> None:
    """A private attribute needs a key on its creator, wherever it stands (PS3.18 §8.3.4.1)."""
    query = parsed(text, ALL)
    found = sorted(query.criteria, key=lambda criterion: criterion.attribute.tag)
    assert (criteria, also) == (found, sorted(a.tag for a in query.also_return))
    assert (creators, warnings) == (dict(query.creators), list(query.warnings))


@pytest.mark.parametrize(
    "text", ["00090010=AC*", "00090010=AC?E", "00090010=ACME&00090010=B",
             "00090010=A&00091001=X&00091001=Y"]
)  # fmt: skip
def test_private_that_is_refused(text: str) -> None:
    """A creator is one text: with a wild card no block could be found by it."""
    with pytest.raises(QueryError) as caught:
        parsed(text, ALL)
    assert caught.value.parameter.startswith("0009")


@pytest.mark.parametrize("text", ["00091001=X", "includefield=00091001"])
def test_private_without_its_creator_when_strict(text: str) -> None:
    """With strict parameters what would be ignored is refused."""
    with pytest.raises(QueryError):
        parsed(text, ALL, dialect=Dialect(strict=True))


@pytest.mark.parametrize("resource", [STUDIES, ALL_SERIES], ids=lambda r: r.value)
@pytest.mark.parametrize("text", ["00090010=A&00091001=X", "includefield=00091001,00090010"])
def test_private_at_other_levels(resource: Resource, text: str) -> None:
    """Only instances have them."""
    query = parsed(text, resource)
    assert ((), (), {}) == (query.criteria, query.also_return, dict(query.creators))
    assert query.warnings


def test_creators_are_not_shown() -> None:
    """A creator's text is a value, and no repr shows it; nor does the log get private tags."""
    query = parsed("00090010=SENTINEL&00091001=SENTINEL&00400275.00400009=SENTINEL", ALL)
    assert "SENTINEL" not in repr(query)
    assert {"?", "RequestAttributesSequence.ScheduledProcedureStepID"} == set(query.parameters)


# --- includefield ---------------------------------------------------------------------------------

UNKNOWN = ("The includefield parameter names an attribute that is not known. It has been ignored.",)


@pytest.mark.parametrize(
    ("resource", "value", "also", "warnings"),
    named({
        "any attribute": (ALL, "ImageType,00180050", ["ImageType", "SliceThickness"], ()),
        "bytes": (ALL, "PixelData", ["PixelData"], ()),
        "a sequence": (ALL, "ReferencedImageSequence", ["ReferencedImageSequence"], ()),
        "an item's attribute": (ALL, "ReferencedImageSequence.00081155",
            ["ReferencedImageSequence"], ()),
        "an inner sequence": (ALL, f"00400275.{CODE}", ["RequestAttributesSequence"], ()),
        "of an inner item": (ALL, f"00400275.{CODE}.CodeValue", ["RequestAttributesSequence"], ()),
        "of the study": (ALL, "PatientComments", ["PatientComments"], ()),
        "of the instance, at series": (ALL_SERIES, "ImageType,ReferencedImageSequence.00081155",
            [], ()),
        "of the study, not fetched": (ALL_SERIES, "PatientComments", [], ()),
        "an item of what has none": (ALL, "PatientID.StudyID", [], UNKNOWN),
        "an inner item of what has none": (ALL, "00400275.PatientID.StudyID", [], UNKNOWN),
        "an unknown inner part": (ALL, "RequestAttributesSequence.Foo", [], UNKNOWN),
        "an unknown first part": (ALL, "Foo.PatientID", [], UNKNOWN),
        "a private inner part": (ALL, "RequestAttributesSequence.00091001", [], UNKNOWN),
        "nine parts": (ALL, ".".join(["00400275"] * 9), [], UNKNOWN),
        "a group length": (ALL, "00080000", [], UNKNOWN),
        "the file meta information": (ALL, "TransferSyntaxUID", [], UNKNOWN),
    }),
)  # fmt: skip
def test_includefield_of_instances(
    resource: Resource, value: str, also: list[str], warnings: tuple[str, ...]
) -> None:
    """Any attribute can be returned; of a path the whole sequence is."""
    query = parsed(f"includefield={value}", resource)
    assert (also, warnings) == ([a.keyword for a in query.also_return], query.warnings)
    assert not query.everything


# --- dates and times together ---------------------------------------------------------------------

PAIRS = {
    "Study": (ALL, "StudyDate", "StudyTime"),
    "Series": (ALL_SERIES, "SeriesDate", "SeriesTime"),
    "Acquisition": (ALL, "AcquisitionDate", "AcquisitionTime"),
    "Content": (ALL, "ContentDate", "ContentTime"),
    "InstanceCreation": (ALL, "InstanceCreationDate", "InstanceCreationTime"),
    "PerformedProcedureStepStart": (ALL_SERIES, "PerformedProcedureStepStartDate",
        "PerformedProcedureStepStartTime"),
}  # fmt: skip


@pytest.mark.parametrize(("resource", "date", "time"), named(PAIRS))
def test_pairs(resource: Resource, date: str, time: str) -> None:
    """Ranges of one form over a date and its own time are one; others stay two."""
    joined = Range(FIRST * DAY_US + 10 * HOUR_US, None)
    query = parsed(f"{date}=20200101-&{time}=10-", resource)
    assert (on(date, joined, time),) == query.criteria
    query = parsed(f"{date}=20200101-&{time}=-10", resource)
    assert (None, None) == tuple(criterion.time for criterion in query.criteria)
    other = next(pair for pair in PAIRS.values() if pair[1] != date)
    query = parsed(f"{date}=20200101-&{other[2]}=10-", ALL)
    assert (None, None) == tuple(criterion.time for criterion in query.criteria)


def test_a_pair_of_which_one_is_not_known() -> None:
    """Beside a time that is ignored a date stands alone."""
    assert Range(FIRST, None) == outcome(
        "StudyDate=20200101-&ContentTime=10-", "StudyDate", ALL_SERIES
    )
    assert no("SeriesDate") == outcome("SeriesDate=20200102-20200101", "SeriesDate", ALL_SERIES)
