"""DICOM XML: the Native DICOM Model of PS3.19 A.1, and that it says what DICOM JSON says."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.qido import dicomjson, dicomxml
from gateway.qido.attributes import Attribute, Level, attribute_named
from gateway.qido.elements import Element, elements_of
from gateway.qido.result import Item, Result, Value
from tests.unit.nativemodel import (
    BYTES,
    FLOATS,
    INTEGERS,
    NAME,
    TEXTS,
    VRS,
    dataset_of,
    document,
    faults,
)
from tests.unit.tables import named

BEGIN = (
    '<?xml version="1.0" encoding="UTF-8"?><NativeDicomModel '
    'xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">'
)
END = "</NativeDicomModel>"


def element(name: str, *values: Value, vr: str = "", creator: str = "") -> Element:
    """The element of an attribute."""
    found = _attribute(name)
    keyword = "" if found.keyword == found.tag else found.keyword
    return Element(found.tag, keyword, vr or found.vr, values, creator)


def _attribute(name: str) -> Attribute:
    found = attribute_named(name)
    assert found is not None
    return found


def inside(*elements: Element) -> str:
    """What a document of `elements` holds; the document keeps to the model."""
    text = dicomxml.encode(elements)
    assert [] == faults(text)
    return text.decode().removeprefix(BEGIN).removesuffix(END)


PN = 'tag="00100010" vr="PN" keyword="PatientName"'
SQ = 'tag="00081110" vr="SQ" keyword="ReferencedStudySequence"'
UID = '<DicomAttribute tag="00081155" vr="UI" keyword="ReferencedSOPInstanceUID">'


@pytest.mark.parametrize(
    ("one", "xml"),
    named({
        "a value": (element("PatientID", "A"),
            '<DicomAttribute tag="00100020" vr="LO" keyword="PatientID">'
            '<Value number="1">A</Value></DicomAttribute>'),
        "no value": (element("PatientID"),
            '<DicomAttribute tag="00100020" vr="LO" keyword="PatientID"/>'),
        "an empty value": (element("PatientID", ""),
            '<DicomAttribute tag="00100020" vr="LO" keyword="PatientID"/>'),
        "MPG\\\\XR3, the standard's example": (element("ModalitiesInStudy", "MPG", "", "XR3"),
            '<DicomAttribute tag="00080061" vr="CS" keyword="ModalitiesInStudy">'
            '<Value number="1">MPG</Value><Value number="2"></Value>'
            '<Value number="3">XR3</Value></DicomAttribute>'),
        "a number": (element("Rows", 512), '<DicomAttribute tag="00280010" vr="US" keyword="Rows">'
            '<Value number="1">512</Value></DicomAttribute>'),
        "zero": (element("SeriesNumber", 0),
            '<DicomAttribute tag="00200011" vr="IS" keyword="SeriesNumber">'
            '<Value number="1">0</Value></DicomAttribute>'),
        "names of five components and more": (element("PatientName", "A^B^C^D^E^F"),
            f'<DicomAttribute {PN}><PersonName number="1"><Alphabetic><FamilyName>A</FamilyName>'
            '<GivenName>B</GivenName><MiddleName>C</MiddleName><NamePrefix>D</NamePrefix>'
            '<NameSuffix>E^F</NameSuffix></Alphabetic></PersonName></DicomAttribute>'),
        "three groups, an empty component": (element("PatientName", "Y^^T=山=や"),
            f'<DicomAttribute {PN}><PersonName number="1"><Alphabetic><FamilyName>Y</FamilyName>'
            '<MiddleName>T</MiddleName></Alphabetic><Ideographic><FamilyName>山</FamilyName>'
            '</Ideographic><Phonetic><FamilyName>や</FamilyName></Phonetic></PersonName>'
            '</DicomAttribute>'),
        "an empty group": (element("PatientName", "==や"),
            f'<DicomAttribute {PN}><PersonName number="1"><Phonetic><FamilyName>や</FamilyName>'
            '</Phonetic></PersonName></DicomAttribute>'),
        "an empty name among others": (element("PatientName", "", "^B"),
            f'<DicomAttribute {PN}><PersonName number="1"></PersonName><PersonName number="2">'
            '<Alphabetic><GivenName>B</GivenName></Alphabetic></PersonName></DicomAttribute>'),
        "a name of nothing": (element("PatientName", "^^"), f"<DicomAttribute {PN}/>"),
        "a sequence without items": (element("ReferencedStudySequence"), f"<DicomAttribute {SQ}/>"),
        "an item without attributes": (element("ReferencedStudySequence", Item({})),
            f'<DicomAttribute {SQ}><Item number="1"></Item></DicomAttribute>'),
        "items": (element("ReferencedStudySequence",
                          *(Item({"ReferencedSOPInstanceUID": (uid,)}) for uid in ("1.2", "1.3"))),
            f'<DicomAttribute {SQ}><Item number="1">{UID}<Value number="1">1.2</Value>'
            f'</DicomAttribute></Item><Item number="2">{UID}<Value number="1">1.3</Value>'
            '</DicomAttribute></Item></DicomAttribute>'),
        "bytes": (element("PixelData", "AAE=", vr="OW"),
            '<DicomAttribute tag="7FE00010" vr="OW" keyword="PixelData">'
            '<InlineBinary>AAE=</InlineBinary></DicomAttribute>'),
        "no bytes": (element("PixelData", vr="OB"),
            '<DicomAttribute tag="7FE00010" vr="OB" keyword="PixelData"/>'),
        "a repeating group has its keyword": (element("60020010", 5),
            '<DicomAttribute tag="60020010" vr="US" keyword="OverlayRows">'
            '<Value number="1">5</Value></DicomAttribute>'),
        "private: no block": (element("00191AB0", "x", vr="LO", creator="ACME 1"),
            '<DicomAttribute tag="001900B0" vr="LO" privateCreator="ACME 1">'
            '<Value number="1">x</Value></DicomAttribute>'),
        "private without a known creator: as it is": (element("00191AB0", "AAE=", vr="UN"),
            '<DicomAttribute tag="00191AB0" vr="UN"><InlineBinary>AAE=</InlineBinary>'
            '</DicomAttribute>'),
        "a private creator": (element("0019001A", "ACME 1"),
            '<DicomAttribute tag="0019001A" vr="LO"><Value number="1">ACME 1</Value>'
            '</DicomAttribute>'),
        "a private creator to be escaped": (element("00191AB0", vr="LO", creator='"<\n--'),
            '<DicomAttribute tag="001900B0" vr="LO" privateCreator="&quot;&lt;&#10;-&#45;"/>'),
    }),
)  # fmt: skip
def test_encodes(one: Element, xml: str) -> None:
    """An attribute is written as Table A.1.5-2 has it."""
    assert xml == inside(one)


def test_no_elements() -> None:
    """A document without attributes is one."""
    assert ("", BEGIN + END) == (inside(), dicomxml.encode([]).decode())


# --- texts ----------------------------------------------------------------------------------------


def read_back(text: str) -> str | None:
    """What an XML parser makes of `text` as a value."""
    written = dicomxml.encode([element("PatientComments", "x", text)])
    _assert_no_boundary(written)
    return document(written)[0][1].text or ""


def _assert_no_boundary(written: bytes) -> None:
    assert not any(part in written for part in (b"\r", b"\n", b"--"))


@pytest.mark.parametrize(
    ("text", "read"),
    named({
        "markup": ("<&>\"'", "<&>\"'"),
        "the end of CDATA": ("]]>", "]]>"),
        "a reference is none": ("&#10;&amp;", "&#10;&amp;"),
        "line ends": ("a\r\nb\nc\rd", "a\r\nb\nc\rd"),
        "tabs and spaces": ("\t a  b \t", "\t a  b \t"),
        "spaces alone": ("  ", "  "),
        "a boundary": ("\r\n--result--\r\n", "\r\n--result--\r\n"),
        "hyphens": ("-" * 7, "-" * 7),
        "a soft line end is kept": ("\x85\u2028", "\x85\u2028"),
        "C0 controls": ("a\0b\x08\x0b\x0c\x0e\x1b\x1fc", "a�b������c"),
        "what no XML holds": ("\ufffe\uffff", "��"),
        "half a pair": ("a\ud800b\udfff", "a�b�"),
        "past the basic plane": ("😀", "😀"),
    }),
)  # fmt: skip
def test_texts(text: str, read: str) -> None:
    """A text is read as it was; what XML cannot hold is U+FFFD."""
    assert read == read_back(text)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Z", "C"))))
def test_any_text(text: str) -> None:
    """Whatever a value holds: each character is itself or, where XML has none, U+FFFD."""
    read = read_back(text)
    assert read is not None
    assert len(text) == len(read)
    for given_one, read_one in zip(text, read, strict=True):
        held = given_one in "\t\n\r" or " " <= given_one <= "\ud7ff" or given_one >= "\ue000"
        assert (given_one if held and given_one not in "\ufffe\uffff" else "�") == read_one


@given(st.text(), st.text(), st.text())
def test_any_text_elsewhere(name: str, creator: str, binary: str) -> None:
    """Names, creators and bytes are escaped as values are."""
    written = dicomxml.encode(
        [
            element("PatientName", name, name),
            element("00191AB0", binary, vr="UN", creator=creator),
        ]
    )
    _assert_no_boundary(written)
    assert document(written).tag == f"{NAME}NativeDicomModel"


# --- the same as DICOM JSON -----------------------------------------------------------------------

# Without what XML cannot hold, and without what pydicom itself would part or trim
LETTERS = st.text(st.characters(categories=("L", "N", "S"), exclude_characters="^=\\"), min_size=1)
NAMES = st.lists(
    st.lists(st.one_of(st.just(""), LETTERS), min_size=1, max_size=5).map("^".join), max_size=3
).map("=".join)
BASE64 = st.binary(min_size=2, max_size=8).filter(lambda b: len(b) % 2 == 0)
ENCODED = BASE64.map(lambda b: base64.b64encode(b).decode())
OF_VR: Mapping[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(TEXTS - {"DS", "DA", "TM", "DT"}, LETTERS),
    **dict.fromkeys(("DA",), st.dates().map(lambda day: f"{day:%Y%m%d}".zfill(8))),
    **dict.fromkeys(("TM",), st.times().map(lambda time: f"{time:%H%M%S.%f}")),
    **dict.fromkeys(("DT",), st.datetimes().map(lambda at: f"{at:%Y%m%d%H%M%S}".zfill(14))),
    **dict.fromkeys(("DS",), st.integers(-999, 999).map(lambda n: f"{n}.5")),
    **dict.fromkeys(INTEGERS, st.integers(0, 2**15 - 1)),
    **dict.fromkeys(FLOATS, st.floats(width=32, allow_nan=False, allow_infinity=False)),
    **dict.fromkeys(BYTES, ENCODED),
    "AT": st.integers(0x00080000, 0x7FE00010).map(lambda tag: f"{tag:08X}"),
    "PN": NAMES,
}
NAMES_OF_VR = {
    "AE": "RetrieveAETitle", "AS": "PatientAge", "AT": "FrameIncrementPointer",
    "CS": "ModalitiesInStudy", "DA": "DateOfSecondaryCapture", "DS": "ImagePositionPatient",
    "DT": "FrameAcquisitionDateTime", "FL": "RecommendedDisplayFrameRateInFloat",
    "FD": "RealWorldValueSlope", "IS": "ReferencedFrameNumber", "LO": "OtherPatientIDs",
    "LT": "PatientComments", "OB": "EncapsulatedDocument", "OD": "DoubleFloatPixelData",
    "OF": "FloatPixelData", "OL": "LongPrimitivePointIndexList", "OV": "ExtendedOffsetTable",
    "OW": "RedPaletteColorLookupTableData", "PN": "OtherPatientNames", "SH": "AccessionNumber",
    "SL": "ReferencePixelX0", "SS": "TagAngleSecondAxis", "ST": "DerivationDescription",
    "SV": "00191001", "TM": "TimeOfSecondaryCapture", "UC": "LongCodeValue",
    "UI": "StudyInstanceUID", "UL": "SimpleFrameList", "UN": "00191002",
    "UR": "RetrieveURL", "US": "BitsAllocated", "UT": "TextValue", "UV": "00191003",
}  # fmt: skip
EMPTY_AMONG = frozenset(("AE", "CS", "LO", "SH", "UC", "UI"))
SINGLE = BYTES | {"LT", "ST", "UT", "UR"}


@st.composite
def items(draw: st.DrawFn, depth: int = 1) -> Item:
    """A data set of any VRs, private ones and nested ones among them."""
    values: dict[str, tuple[Value, ...]] = {"00190010": ("ACME",)}
    vrs = {"00191001": "SV", "00191002": "UN", "00191003": "UV", "00191004": "SQ"}
    for vr in draw(st.sets(st.sampled_from(sorted(NAMES_OF_VR)))):
        one = st.one_of(OF_VR[vr], st.just("")) if vr in EMPTY_AMONG else OF_VR[vr]
        many = st.lists(one, max_size=1 if vr in SINGLE else 3)
        values[NAMES_OF_VR[vr]] = tuple(draw(many))
    if depth:
        inner = st.lists(items(depth - 1), max_size=2).map(tuple)
        values["ReferencedStudySequence"] = draw(inner)
        values["00191004"] = draw(inner)
    return Item(values, vrs)


def normal(dataset: pydicom.Dataset) -> pydicom.Dataset:
    """`dataset` without what PS3.5 §6.2.1.1 lets one leave out of a name, and without empty names.

    DICOM JSON has no place for an empty name among others.
    """
    for one in dataset:
        if one.VR == "SQ":
            for item in one.value:
                normal(item)
        elif one.VR == "PN":
            names = one.value if one.VM > 1 else [one.value]
            short = ["=".join(g.rstrip("^") for g in str(n or "").split("=")) for n in names]
            kept = [name.rstrip("=") for name in short if name.strip("=^ ")]
            one.value = kept if len(kept) > 1 else "".join(kept)
    return dataset


def test_every_vr_is_generated() -> None:
    """The table of attributes has one of each VR, by the dictionary's word where it has one."""
    assert VRS - {"SQ"} == set(NAMES_OF_VR)
    assert all(_attribute(name).vr in ("", vr) for vr, name in NAMES_OF_VR.items())


@given(items())
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # pydicom warns of values too long for a VR
def test_says_what_json_says(item: Item) -> None:
    """Every element keeps to the model, and the data set read back is the one of DICOM JSON."""
    result = Result(Level.INSTANCE, item.values, item.vrs)
    elements = elements_of(result, (), "", everything=True)
    written = dicomxml.encode(elements)
    assert [] == faults(written)
    decoded = json.loads(dicomjson.encode(elements))
    assert normal(pydicom.Dataset.from_json(decoded)) == normal(dataset_of(written))
    assert len(decoded) == len(document(written))


# --- the checker itself ---------------------------------------------------------------------------

GOOD = (
    '<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1">'
    "<Alphabetic><FamilyName>A</FamilyName><GivenName>B</GivenName></Alphabetic></PersonName>"
    '</DicomAttribute><DicomAttribute tag="00190001" vr="OB" privateCreator="ACME">'
    '<InlineBinary>AAE=</InlineBinary></DicomAttribute><DicomAttribute tag="00190002" vr="OB" '
    'privateCreator="ACME"><BulkData uri="u"/></DicomAttribute>'
    '<DicomAttribute tag="00200011" vr="IS" '
    'keyword="SeriesNumber"><Value number="1">1</Value><Value number="2">1</Value></DicomAttribute>'
)


def test_the_checker_passes_what_is_right() -> None:
    """A document that keeps to the model has no fault."""
    assert [] == faults(f"{BEGIN}{GOOD}{END}".encode())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (' xml:space="preserve"', ""), ("NativeDicomModel", "DicomModel"),
        ('"00100010"', '"0010001"'), ('"00200011"', '"0020000d"'), ('vr="OB"', 'vr="OX"'),
        (' keyword="PatientName"', ""), ('"PatientName"', '"PatientNames"'),
        ('privateCreator="ACME"', 'keyword="ACME"'), ('"00190001"', '"00191001"'),
        ('vr="IS" ', 'vr="IS" privateCreator="ACME" '), ('vr="IS" ', 'vr="IS" name="x" '),
        ('<Value number="2">', '<Value number="3">'), ('<Value number="1">', "<Value>"),
        ('vr="IS"', 'vr="PN"'), ("AAE=", "AAE"), ("</InlineBinary>", "</InlineBinary>x"),
        ("<InlineBinary>", '<InlineBinary number="1">'), ("FamilyName", "Familyname"),
        ("GivenName", "FamilyName"), ("Alphabetic", "Alphabet"),
        ("<FamilyName>A", "x<FamilyName>A"),
        ("<DicomAttribute tag", "x<DicomAttribute tag"), ('"00200011"', '"00200000"'),
        ("<Value number=\"2\">1", "<Value number=\"2\"><b/>"),
        ('<DicomAttribute tag="00190001"', '<Other/><DicomAttribute tag="00190001"'),
        ('uri="u"', 'uri="u" number="1"'), ('uri="u"', ""), ('<BulkData uri="u"/>', '<BulkData/>'),
        ('<BulkData uri="u"/>', '<BulkData uri="u"/><BulkData uri="v"/>'),
        ('<BulkData uri="u"/>', '<BulkData uri="u">x</BulkData>'),
        (END, GOOD + END),
    ],
)  # fmt: skip
def test_the_checker_bites(right: str, wrong: str) -> None:
    """Each breach of the model is a fault."""
    text = f"{BEGIN}{GOOD}{END}"
    assert right in text
    assert faults(text.replace(right, wrong).encode())
