"""From a stored text to DICOM JSON (PS3.5 §6.2, PS3.18 Annex F)."""

from __future__ import annotations

import json
from typing import Any

import pydicom
import pytest

from gateway.qido.attributes import ATTRIBUTES, BY_KEYWORD, Level, Resource, returned_by_default
from gateway.qido.dicomjson import encode
from gateway.qido.elements import LEFT_OUT_WHEN_EMPTY, elements_of, in_order
from gateway.qido.result import Result, stored_values
from tests.unit.tables import named

TEXTS = ("AccessionNumber", "PatientID", "StudyID", "StudyDescription", "PatientSex", "Modality")
ONE_VALUE = ("AccessionNumber", "PatientID", "StudyID")


@pytest.mark.parametrize(
    ("stored", "values"),
    named({
        "as it is": ("AB", ("AB",)),
        "a space behind": ("AB ", ("AB",)),
        "a space before": (" AB", ("AB",)),
        "NULL behind": ("AB\0", ("AB",)),
        "both": ("AB \0", ("AB",)),
        "a space within stays": ("A B", ("A B",)),
        "an ideographic space is no pad": ("AB\u3000", ("AB\u3000",)),
        "zero length": ("", ()),
        "spaces": ("  ", ()),
        "NULL": ("\0", ()),
        "nothing": (None, ()),
    }),
)  # fmt: skip
@pytest.mark.parametrize("keyword", TEXTS)
def test_padding_of_text(keyword: str, stored: str | None, values: tuple[str, ...]) -> None:
    """AE CS LO SH lose the spaces at both ends; what is left of nothing is no value."""
    assert values == stored_values(BY_KEYWORD[keyword], stored)


@pytest.mark.parametrize(
    ("stored", "several"),
    named({
        "two": ("A\\B", ("A", "B")), "padded": ("A \\ B", ("A", "B")),
        "an empty one within": ("A\\\\B", ("A", "", "B")), "at the end": ("A\\", ("A", "")),
        "at the beginning": ("\\A", ("", "A")), "blank within": ("A\\ \\B", ("A", "", "B")),
        "none but empty ones": ("\\\\", ()),
    }),
)  # fmt: skip
@pytest.mark.parametrize("keyword", TEXTS)
def test_the_backslash(keyword: str, stored: str, several: tuple[str, ...]) -> None:
    """It parts values; not in PatientID, AccessionNumber and StudyID, which have one."""
    expected = (stored,) if keyword in ONE_VALUE else several
    assert expected == stored_values(BY_KEYWORD[keyword], stored)


@pytest.mark.parametrize(
    ("keyword", "stored", "values"),
    named({
        "a name keeps a space before": ("PatientName", " DOE^JANE ", (" DOE^JANE",)),
        "names": ("PatientName", "DOE^JANE\\ROE^ANN", ("DOE^JANE", "ROE^ANN")),
        "a UID": ("StudyInstanceUID", "1.2\0", ("1.2",)),
        "an integer": ("SeriesNumber", 3, (3,)), "zero": ("SeriesNumber", 0, (0,)),
        "below zero": ("SeriesNumber", -1, (-1,)), "an integer as text": ("SeriesNumber", " 03 ",
            (3,)),
        "with its sign": ("SeriesNumber", "+3", (3,)),
        "no integer stays a text": ("SeriesNumber", "3a", ("3a",)),
        "other digits stay a text": ("SeriesNumber", "٣", ("٣",)),
        "IS of zero length": ("SeriesNumber", "", ()),
        "a date": ("StudyDate", "20200229", ("20200229",)),
        "a padded date": ("StudyDate", "20200229 ", ("20200229",)),
        "a legacy date, as it is stored": ("StudyDate", "2020.02.29", ("2020.02.29",)),
        "no such legacy date": ("StudyDate", "2019.02.29", ()),
        "no such date": ("StudyDate", "20190229", ()),
        "a date with a dash": ("StudyDate", "2020-02-29", ()),
        "a date that is half dotted": ("StudyDate", "2020.0229", ()),
        "a word for a date": ("PatientBirthDate", "unknown", ()),
        "a time": ("StudyTime", "235959.999999", ("235959.999999",)),
        "an hour": ("StudyTime", "09", ("09",)),
        "a leap second": ("StudyTime", "235960", ("235960",)),
        "no such time": ("StudyTime", "2400", ()),
        "a word for a time": ("StudyTime", "noon", ()),
        "one digit": ("StudyTime", "9", ()),
    }),
)  # fmt: skip
def test_values_by_vr(keyword: str, stored: Any, values: tuple[Any, ...]) -> None:
    """What can be read keeps its form; a date or time that is none is no value."""
    assert values == stored_values(BY_KEYWORD[keyword], stored)


# --- DICOM JSON -----------------------------------------------------------------------------------


def encoded(stored: dict[str, Any], *keywords: str, url: str = "") -> dict[str, Any]:
    """The object of stored texts, by tag."""
    values = {k: v for k, raw in stored.items() if (v := stored_values(BY_KEYWORD[k], raw))}
    attributes = in_order(BY_KEYWORD[k] for k in keywords)
    elements = elements_of(Result(Level.SERIES, values), attributes, url)
    decoded: dict[str, Any] = json.loads(encode(elements))
    return decoded


A, I, P = "Alphabetic", "Ideographic", "Phonetic"  # noqa: E741 - the three groups


@pytest.mark.parametrize(
    ("stored", "value"),
    named({
        "alphabetic": ("DOE^JANE", [{A: "DOE^JANE"}]),
        "two groups": ("Yamada^Tarou=山田^太郎", [{A: "Yamada^Tarou", I: "山田^太郎"}]),
        "three groups": ("Y^T=山^太=や^た", [{A: "Y^T", I: "山^太", P: "や^た"}]),
        "ideographic alone": ("=山田^太郎", [{I: "山田^太郎"}]),
        "phonetic alone": ("==やまだ", [{P: "やまだ"}]),
        "an empty group within": ("Y==や", [{A: "Y", P: "や"}]),
        "an empty group behind": ("Y=山=", [{A: "Y", I: "山"}]),
        "a group of carets": ("Y=^^=や", [{A: "Y", P: "や"}]),
        "a blank group": ("Y= =や", [{A: "Y", P: "や"}]),
        "more than five components": ("A^B^C^D^E^F", [{A: "A^B^C^D^E^F"}]),
        "empty components within": ("DOE^^^DR", [{A: "DOE^^^DR"}]),
        "a comma": ("DOE, JANE", [{A: "DOE, JANE"}]),
        "padded": ("DOE^JANE ", [{A: "DOE^JANE"}]),
        "two names": ("DOE\\ROE", [{A: "DOE"}, {A: "ROE"}]),
        "an empty name beside one": ("\\DOE", [{A: "DOE"}]),
        "a name of carets beside one": ("^^\\DOE", [{A: "DOE"}]),
        "carets alone": ("^^^^", None),
        "equals signs alone": ("==", None),
        "zero length": ("", None),
        "not stored": (None, None),
    }),
)  # fmt: skip
def test_names_in_json(stored: str | None, value: Any) -> None:
    """A name is an object of the groups it has; no empty group, no null, no empty Value."""
    expected = {"vr": "PN"} if value is None else {"vr": "PN", "Value": value}
    assert {"00100010": expected} == encoded({"PatientName": stored}, "PatientName")


@pytest.mark.parametrize(
    ("keyword", "stored", "expected"),
    named({
        "text": ("PatientID", "P1 ", {"vr": "LO", "Value": ["P1"]}),
        "empty": ("PatientID", "", {"vr": "LO"}),
        "blank": ("AccessionNumber", "  ", {"vr": "SH"}),
        "several": ("StudyDescription", "A\\B", {"vr": "LO", "Value": ["A", "B"]}),
        "empty among several": ("StudyDescription", "A\\\\B", {"vr": "LO",
            "Value": ["A", None, "B"]}),
        "several empty": ("StudyDescription", "\\", {"vr": "LO"}),
        "IS": ("SeriesNumber", 7, {"vr": "IS", "Value": [7]}),
        "IS, zero": ("SeriesNumber", 0, {"vr": "IS", "Value": [0]}),
        "IS as text": ("SeriesNumber", "07", {"vr": "IS", "Value": [7]}),
        "a date is no ISO": ("StudyDate", "20200131", {"vr": "DA", "Value": ["20200131"]}),
        "a time is no ISO": ("StudyTime", "101500.5", {"vr": "TM", "Value": ["101500.5"]}),
        "a date that is none": ("StudyDate", "unknown", {"vr": "DA"}),
        "a UID": ("StudyInstanceUID", "1.2\0", {"vr": "UI", "Value": ["1.2"]}),
        "Referring is not known": ("ReferringPhysicianName", None, {"vr": "PN"}),
        "quotation marks": ("PatientID", '"\\', {"vr": "LO", "Value": ['"\\']}),
        "longer than the VR": ("PatientID", "A" * 100, {"vr": "LO", "Value": ["A" * 100]}),
        "other scripts": ("StudyDescription", "頭部", {"vr": "LO", "Value": ["頭部"]}),
    }),
)  # fmt: skip
def test_attributes_in_json(keyword: str, stored: Any, expected: Any) -> None:
    """vr always; Value where there is one, never empty; nothing is padded or cut."""
    assert {BY_KEYWORD[keyword].tag: expected} == encoded({keyword: stored}, keyword)


@pytest.mark.parametrize("keyword", sorted(LEFT_OUT_WHEN_EMPTY))
def test_what_is_left_out_when_empty(keyword: str) -> None:
    """A viewer's list dies of an empty ModalitiesInStudy; no address is no attribute."""
    assert {} == encoded({}, keyword)


@pytest.mark.parametrize("keyword", sorted(set(BY_KEYWORD) - LEFT_OUT_WHEN_EMPTY))
def test_what_is_present_without_a_value(keyword: str) -> None:
    """Every other attribute that is returned is there, its vr alone."""
    assert {BY_KEYWORD[keyword].tag: {"vr": BY_KEYWORD[keyword].vr}} == encoded({}, keyword)


FULL = {
    "StudyDate": "20200131", "StudyTime": "101500", "AccessionNumber": "A1", "Modality": "CT",
    "ModalitiesInStudy": "CT\\MR", "StudyDescription": "HEAD\\NECK",
    "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう", "PatientID": "P1",
    "PatientBirthDate": "19700101", "PatientSex": "F", "BodyPartExamined": "HEAD",
    "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "StudyID": "S1", "SeriesNumber": 1,
    "NumberOfStudyRelatedSeries": 2, "NumberOfStudyRelatedInstances": 0,
    "NumberOfSeriesRelatedInstances": 5,
}  # fmt: skip


@pytest.mark.parametrize("resource", Resource, ids=lambda resource: resource.value)
@pytest.mark.parametrize("stored", [FULL, {}, {"StudyInstanceUID": "1.2"}], ids=["full", "empty",
                         "a UID alone"])  # fmt: skip
def test_objects_are_annex_fs(resource: Resource, stored: dict[str, Any]) -> None:
    """Names ascend in upper case, vr comes first, and pydicom reads every object back."""
    attributes = returned_by_default(resource)
    decoded = encoded(stored, *(a.keyword for a in attributes), url="http://a.test/studies/1.2")
    assert sorted(decoded) == list(decoded)
    assert all(tag == tag.upper() and len(tag) == 8 for tag in decoded)
    assert all(next(iter(one)) == "vr" and one.get("Value") != [] for one in decoded.values())
    dataset = pydicom.Dataset.from_json(decoded)
    assert list(decoded) == [f"{element.tag:08X}" for element in dataset]
    for element in dataset:
        known = BY_KEYWORD[element.keyword]
        assert (known.vr, "Value" in decoded[known.tag]) == (element.VR, not element.is_empty)


@pytest.mark.parametrize(
    "stored",
    [
        {"PatientName": "\\DOE^JANE"}, {"PatientName": "^^"}, {"StudyDescription": "A\\\\B"},
        {"PatientName": "=山田^太郎"}, {"PatientID": "A\\B"}, {"PatientID": '"\t'},
        {"StudyTime": "235960"}, {"StudyDate": "20200230"}, {"SeriesNumber": "-07"},
        {"SeriesNumber": 2**31 - 1}, {"StudyDate": "99991231", "StudyTime": "23"},
    ],
    ids=" ".join,
)  # fmt: skip
def test_odd_values_load(stored: dict[str, Any]) -> None:
    """What stores hold at the edge of the rules loads as well."""
    decoded = encoded(stored, *(a.keyword for a in ATTRIBUTES))
    assert len(decoded) == len(pydicom.Dataset.from_json(decoded))


def test_each_attribute_once() -> None:
    """Attributes that are asked twice, in any order, stand once in the order of tags."""
    wanted = ("PatientID", "StudyDate", "PatientID", "StudyDate", "Modality")
    found = in_order(BY_KEYWORD[keyword] for keyword in wanted)
    assert ["StudyDate", "Modality", "PatientID"] == [a.keyword for a in found]


def test_the_body_is_utf8() -> None:
    """Letters outside ASCII stand as UTF-8, without a byte order mark."""
    result = Result(Level.STUDY, {"PatientID": ("山\x1f",)})
    body = encode(elements_of(result, (BY_KEYWORD["PatientID"],)))
    assert '{"00100020":{"vr":"LO","Value":["山\\u001f"]}}'.encode() == body
