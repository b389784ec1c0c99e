"""Stored values, dates and times, and DICOM JSON: PS3.5 §6.2 and PS3.18 Annex F."""

from __future__ import annotations

import json
from typing import Any

import pydicom
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.qido.attributes import (
    ATTRIBUTES,
    BY_KEYWORD,
    Level,
    Origin,
    Resource,
    answerable,
    attribute_named,
    returned_by_default,
)
from gateway.qido.dicomjson import encode, encoder
from gateway.qido.elements import elements_of, in_order
from gateway.qido.result import Result, stored_values, trim
from gateway.qido.times import (
    format_date,
    is_readable_date,
    parse_date,
    parse_stored_time,
    parse_time,
)


@pytest.mark.parametrize(
    ("vr", "text", "trimmed"),
    [
        ("LO", " A B ", "A B"), ("SH", " A\0", "A"), ("CS", " CT ", "CT"), ("PN", " A ", " A"),
        ("UI", "1.2\0", "1.2"), ("DA", "20200101 ", "20200101"), ("TM", "10 ", "10"),
        ("IS", " 1 ", "1"), ("UR", " http://x ", " http://x"), ("LO", "   ", ""),
    ],
)  # fmt: skip
def test_trim(vr: str, text: str, trimmed: str) -> None:
    """Padding goes; leading spaces stay where they are significant."""
    assert trimmed == trim(vr, text)


@pytest.mark.parametrize(
    ("keyword", "stored", "values"),
    [
        ("PatientID", None, ()), ("PatientID", "", ()), ("PatientID", "  ", ()),
        ("PatientID", "A ", ("A",)), ("PatientID", "A\\B", ("A\\B",)),
        ("AccessionNumber", "A\\B", ("A\\B",)), ("StudyID", "\\", ("\\",)),
        ("StudyDescription", "A\\ B ", ("A", "B")), ("StudyDescription", "A\\\\B", ("A", "", "B")),
        ("StudyDescription", "\\", ()), ("Modality", "CT\\PT", ("CT", "PT")),
        ("SeriesNumber", 3, (3,)), ("SeriesNumber", " 3 ", (3,)), ("SeriesNumber", "x", ("x",)),
        ("SeriesNumber", 0, (0,)), ("StudyDate", "20200101", ("20200101",)),
        ("StudyDate", "2020.01.01", ("2020.01.01",)), ("StudyDate", "2020.13.01", ()),
        ("StudyDate", "20200230", ()), ("StudyDate", "unknown", ()),
        ("StudyTime", "10:15:30.5", ("10:15:30.5",)), ("StudyTime", "1015", ("1015",)),
        ("StudyTime", "noon", ()), ("PatientName", "A\\B", ("A", "B")),
    ],
)  # fmt: skip
def test_stored_values(keyword: str, stored: Any, values: tuple[Any, ...]) -> None:
    """A stored text is parted and typed by its VR; a date that is none counts as empty."""
    assert values == stored_values(BY_KEYWORD[keyword], stored)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("00010101", 1), ("20200229", 737484), ("99991231", 3652059), ("20190229", None),
        ("2020010", None), ("202001011", None), ("2020-1-1", None), ("2020W011", None), ("", None),
        ("２０２００１０１", None),
    ],
)  # fmt: skip
def test_parse_date(text: str, day: int | None) -> None:
    """A date is eight ASCII digits of a day that there is."""
    assert day == parse_date(text)
    if day:
        assert (text, True) == (format_date(day), is_readable_date(text))


S = 1_000_000


@pytest.mark.parametrize(
    ("text", "interval", "stored"),
    [
        ("00", (0, 3600 * S - 1), 0), ("0001", (60 * S, 120 * S - 1), 60 * S),
        ("000001", (S, 2 * S - 1), S), ("000001.5", (1_500_000, 1_599_999), 1_500_000),
        ("000001.123456", (1_123_456, 1_123_456), 1_123_456),
        ("235960", (86399 * S, 86400 * S - 1), 86399 * S), ("24", None, None), ("0060", None, None),
        ("000061", None, None), ("0", None, None), ("00.5", None, None), ("", None, None),
        ("00:01", None, 60 * S), ("00:00:01.5", None, 1_500_000), ("0:1", None, None),
        ("000001.", None, None), ("000001.1234567", None, None),
    ],
)  # fmt: skip
def test_parse_time(text: str, interval: Any, stored: int | None) -> None:
    """A key covers an interval; a stored time is its beginning, colons or not."""
    assert (interval, stored) == (parse_time(text), parse_stored_time(text))


def _encoded(values: dict[str, Any], *keywords: str, url: str = "") -> dict[str, Any]:
    result = Result(Level.STUDY, values)
    attributes = in_order(BY_KEYWORD[keyword] for keyword in keywords)
    encoded = encode(elements_of(result, attributes, url))
    assert encoded == encoder(attributes)(result, url)
    decoded: dict[str, Any] = json.loads(encoded)
    return decoded


@pytest.mark.parametrize(
    ("keyword", "values", "expected"),
    [
        pytest.param("PatientID", ("A",), {"vr": "LO", "Value": ["A"]}, id="text"),
        pytest.param("PatientID", (), {"vr": "LO"}, id="empty: no Value"),
        pytest.param("StudyDescription", ("A", "", "B"), {"vr": "LO", "Value": ["A", None, "B"]},
                     id="an empty one among several is null"),
        pytest.param("SeriesNumber", (3,), {"vr": "IS", "Value": [3]}, id="IS is a number"),
        pytest.param("SeriesNumber", (0,), {"vr": "IS", "Value": [0]}, id="zero is a value"),
        pytest.param("SeriesNumber", ("x",), {"vr": "IS", "Value": ["x"]}, id="IS that is none"),
        pytest.param("PatientName", ("DOE^JANE",), {"vr": "PN", "Value":
                     [{"Alphabetic": "DOE^JANE"}]}, id="alphabetic"),
        pytest.param("PatientName", ("Y^T=山^太=や^た",), {"vr": "PN", "Value":
                     [{"Alphabetic": "Y^T", "Ideographic": "山^太", "Phonetic": "や^た"}]},
                     id="all groups"),
        pytest.param("PatientName", ("=山^太",), {"vr": "PN", "Value": [{"Ideographic": "山^太"}]},
                     id="an empty group is left out"),
        pytest.param("PatientName", ("A=B=C=D",), {"vr": "PN", "Value":
                     [{"Alphabetic": "A", "Ideographic": "B", "Phonetic": "C=D"}]},
                     id="what is too much stays with the last"),
        pytest.param("PatientName", ("^^",), {"vr": "PN"}, id="a name of nothing"),
        pytest.param("PatientName", ("A", "", "B"), {"vr": "PN", "Value":
                     [{"Alphabetic": "A"}, {"Alphabetic": "B"}]}, id="no null among names"),
        pytest.param("ReferringPhysicianName", (), {"vr": "PN"}, id="required and not known"),
        pytest.param("ModalitiesInStudy", ("CT", "MR"), {"vr": "CS", "Value": ["CT", "MR"]},
                     id="modalities"),
        pytest.param("ModalitiesInStudy", (), None, id="no modalities: left out"),
        pytest.param("RetrieveURL", (), None, id="no address: left out"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:The number of PN components")  # a fourth group is no name's
def test_encodes(keyword: str, values: Any, expected: Any) -> None:
    """An attribute is encoded as Annex F has it, and loads in pydicom."""
    encoded = _encoded({keyword: values} if values else {}, keyword)
    assert ({BY_KEYWORD[keyword].tag: expected} if expected else {}) == encoded
    if values != ("x",):
        assert pydicom.Dataset.from_json(encoded) is not None


def test_order_and_address() -> None:
    """Attributes stand in the order of tags, vr first; RetrieveURL is what it is told."""
    result = Result(Level.STUDY, {"PatientID": ("A",)})
    attributes = in_order(BY_KEYWORD[k] for k in ("PatientID", "RetrieveURL", "StudyDate"))
    assert (
        b'{"00080020":{"vr":"DA"},"00081190":{"vr":"UR","Value":["http://x/1"]},'
        b'"00100020":{"vr":"LO","Value":["A"]}}'
    ) == encoder(attributes)(result, "http://x/1")


@given(
    st.dictionaries(
        st.sampled_from(("PatientID", "PatientName", "Rows", "IconImageSequence", "PixelData")),
        st.lists(st.sampled_from(("", "A", "^", 1)), max_size=3).map(tuple),
    ),
    st.sets(st.sampled_from(("PatientID", "PatientName", "Rows", "StudyDate", "RetrieveURL"))),
    st.sampled_from(("", "SmallestImagePixelValue", "PixelData", "00191001", "IconImageSequence")),
    st.dictionaries(st.just("PatientID"), st.sampled_from(("LO", "SH"))),
    st.sampled_from(("", "http://x/1")),
    st.booleans(),
)
@example({"PatientID": ("A",)}, {"PatientID"}, "", {"PatientID": "SH"}, "", False)
@example({"PixelData": ("QQ==",)}, set(), "PixelData", {}, "", False)
@example({"PatientID": ("A",)}, set(), "", {}, "", True)
def test_an_encoder_has_no_way_of_its_own(
    values: Any, plain: set[str], other: str, vrs: dict[str, str], url: str, everything: bool
) -> None:
    """Whatever is asked for, it writes what `encode` does."""
    result = Result(Level.INSTANCE, values, vrs)
    named = filter(None, map(attribute_named, (*plain, other)))
    attributes = in_order(named)
    expected = encode(elements_of(result, attributes, url, everything=everything))
    assert expected == encoder(attributes, everything=everything)(result, url)


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("PatientID", "PatientID"), ("00100020", "PatientID"), ("0020000d", "StudyInstanceUID"),
        ("SeriesDescription", "SeriesDescription"), ("0008103E", "SeriesDescription"),
        ("00091001", "00091001"), ("00090010", "00090010"), ("6002000A", None),
        ("60020010", "60020010"), ("PixelData", "PixelData"), ("patientID", None),
        ("0010002", None), ("", None), ("DOE^JANE", None), ("00080000", None), ("00020010", None),
        ("FFFEE000", None),
    ],
)  # fmt: skip
def test_attribute_named(name: str, keyword: str | None) -> None:
    """A keyword or tag of PS3.6 names an attribute, and so does a private tag; no other text."""
    found = attribute_named(name)
    assert keyword == (found.keyword if found else None)


def test_the_table_is_the_dictionarys() -> None:
    """Tags and VRs are those of PS3.6, in order and each once."""
    assert sorted({a.tag for a in ATTRIBUTES}) == [a.tag for a in ATTRIBUTES]
    for attribute in ATTRIBUTES:
        assert attribute.vr == pydicom.datadict.dictionary_VR(attribute.keyword)
        assert attribute.matchable == (attribute.origin is not Origin.GATEWAY)


@pytest.mark.parametrize(
    ("resource", "number", "more", "level"),
    [
        (Resource.STUDIES, 15, 15, Level.STUDY),
        (Resource.STUDY_SERIES, 6, 35, Level.SERIES),
        (Resource.ALL_SERIES, 19, 35, Level.SERIES),
        (Resource.SERIES_INSTANCES, 12, 59, Level.INSTANCE),
        (Resource.STUDY_INSTANCES, 15, 59, Level.INSTANCE),
        (Resource.ALL_INSTANCES, 28, 59, Level.INSTANCE),
    ],
)
def test_what_a_resource_returns(resource: Resource, number: int, more: int, level: Level) -> None:
    """Each resource has its own default and its own whole."""
    default, whole = returned_by_default(resource), answerable(resource)
    assert (number, more, level) == (len(default), len(whole), resource.level)
    assert set(default) <= set(whole)
