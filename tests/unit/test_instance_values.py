"""From HealthImaging's metadata to an instance's values: each VR and form, and what is wrong."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import orjson
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import datadict

from gateway.qido.attributes import Attribute, Level, attribute_named
from gateway.qido.dicomjson import encode
from gateway.qido.elements import elements_of
from gateway.qido.result import Item, Result
from gateway.search.instance import (
    DEFAULT_SYNTAX,
    MOST_NESTED,
    Read,
    instance_values,
    level_values,
    names_to_fetch,
)
from gateway.search.metadata import Fault, Metadata, PackedInstance
from gateway.search.settling import SETTLERS
from gateway.search.stored import VRS
from tests.unit.tables import named

NONE: frozenset[Fault] = frozenset()
BAD_VALUE = frozenset({Fault.VALUE})
BAD_VR = frozenset({Fault.VR})
SYNTAX = "AvailableTransferSyntaxUID"


def packed(dicom: Any, vrs: Any = None, **more: Any) -> PackedInstance:
    """An instance of these attributes."""
    body = {"DICOM": dicom, "DICOMVRs": {} if vrs is None else vrs, **more}
    return PackedInstance(1, "", json.dumps(body).encode())


def read(dicom: Any, vrs: Any = None, levels: Mapping[str, Any] | None = None, **more: Any) -> Read:
    """What is read of an instance without the syntax that each one has."""
    found = instance_values(Metadata(levels or {}), packed(dicom, vrs), None, **more)
    values = {keyword: value for keyword, value in found.values.items() if keyword != SYNTAX}
    return Read(values, found.vrs, found.faults)


def written(found: Read) -> dict[str, Any]:
    """The DICOM JSON of it."""
    result = Result(Level.INSTANCE, found.values, found.vrs)
    decoded: dict[str, Any] = orjson.loads(encode(elements_of(result, (), everything=True)))
    return decoded


# --- one value by its VR --------------------------------------------------------------------------

UNFIT = None
KEYWORDS = {
    "AE": "RetrieveAETitle", "AS": "PatientAge", "AT": "FrameIncrementPointer",
    "CS": "ImageType", "DA": "ContentDate", "DS": "PixelSpacing", "DT": "AcquisitionDateTime",
    "FD": "ExposureTimeInms", "FL": "RecommendedDisplayFrameRateInFloat",
    "IS": "ReferencedFrameNumber",
    "LO": "ProtocolName", "LT": "PatientComments", "OB": "ICCProfile",
    "OD": "DoubleFloatRealWorldValue", "PN": "OtherPatientNames", "SH": "StationName",
    "SL": "ReferencePixelX0", "SS": "TagAngleSecondAxis", "ST": "InstitutionAddress",
    "TM": "ContentTime", "UC": "LongCodeValue", "UI": "RelatedGeneralSOPClassUID",
    "UL": "ReferencedSamplePositions", "UN": "x", "UR": "URNCodeValue", "US": "Rows",
    "UT": "TextValue",
}  # fmt: skip


@pytest.mark.parametrize(
    ("vr", "stored", "values"),
    named({
        "AE": ("AE", " AE1 ", ("AE1",)), "AS": ("AS", "012Y", ("012Y",)),
        "CS in a list": ("CS", ["ORIGINAL", "PRIMARY "], ("ORIGINAL", "PRIMARY")),
        "a list of one": ("CS", ["ORIGINAL"], ("ORIGINAL",)),
        "an empty one among several": ("CS", ["A ", "", "B"], ("A", "", "B")),
        "a null among several": ("CS", ["A", None], ("A", "")),
        "empty ones alone": ("CS", ["", None, " "], ()), "an empty list": ("CS", [], ()),
        "null": ("CS", None, ()), "an empty text": ("CS", "", ()),
        "a backslash parts": ("CS", "A\\B", ("A", "B")),
        "a backslash parts in a list": ("CS", ["A\\B", "C"], ("A", "B", "C")),
        "a number for a text": ("CS", 1, UNFIT), "an object for a text": ("CS", {"A": 1}, UNFIT),
        "a list for a text": ("CS", [["A"]], UNFIT), "true for a text": ("CS", True, UNFIT),
        "a number among texts": ("CS", ["A", 1], UNFIT),
        "DA": ("DA", "20200131", ("20200131",)), "an old DA": ("DA", "2020.01.31", ("2020.01.31",)),
        "no DA": ("DA", "2020", ()), "no DA among others": ("DA", ["20200131", "x"],
            ("20200131", "")),
        "TM": ("TM", "101500.5 ", ("101500.5",)), "an old TM": ("TM", "10:15", ("10:15",)),
        "no TM": ("TM", "25", ()),
        "DT": ("DT", "20200131101500.5+0100 ", ("20200131101500.5+0100",)),
        "DT of a year": ("DT", "2020", ("2020",)), "DT of a month": ("DT", "202001", ("202001",)),
        "DT of a year and a zone": ("DT", "2020-0500", ("2020-0500",)),
        "DT of an hour": ("DT", "2020013110", ("2020013110",)),
        "no month": ("DT", "202013", ()), "no hour": ("DT", "2020013125", ()),
        "no zone": ("DT", "20200131+1500", ()), "an odd number of digits": ("DT", "20201", ()),
        "a time without a day": ("DT", "202001x", ()), "a word for a DT": ("DT", "noon", ()),
        "a time after a month": ("DT", "2020010.5", ()),
        "a dotted date is no DT": ("DT", "2020.01.31", ()),
        "LO": ("LO", " a b ", ("a b",)),
        "controls go": ("LO", "a\tb\x1b\x00c\x7f\x85\n", ("abc",)),
        "nothing but controls": ("LO", "\x1b", ()),
        "lone surrogates are replaced": ("LO", "a\ud800b", ("a\ufffdb",)),
        "pairs of surrogates are characters": ("LO", "a\U0001f600", ("a\U0001f600",)),
        "LT keeps its layout": ("LT", " a\tb\r\nc\fd\x1b ", (" a\tb\r\nc\fd",)),
        "ST keeps a backslash": ("ST", "a\\b\n", ("a\\b\n",)),
        "UT keeps a backslash": ("UT", "a\\b", ("a\\b",)),
        "UR keeps a backslash": ("UR", "urn:a\\b\n", ("urn:a\\b",)),
        "UC": ("UC", " a\\b ", (" a", "b")), "SH": ("SH", "a ", ("a",)),
        "PN": ("PN", ["Y^T=山^太 ", "DOE^JANE"], ("Y^T=山^太", "DOE^JANE")),
        "PN of delimiters": ("PN", ["^^=^"], ()), "PN as an object": ("PN", {"Alphabetic": "A"},
            UNFIT),
        "UI": ("UI", ["1.2\0", "1.3 "], ("1.2", "1.3")),
        "IS": ("IS", ["1 ", " +02", 3, 4.0], (1, 2, 3, 4)), "IS not one": ("IS", "1A", ("1A",)),
        "IS of a fraction as text": ("IS", "1.5", ("1.5",)), "IS of a fraction": ("IS", 1.5, UNFIT),
        "IS beyond 12 digits": ("IS", 10**12, UNFIT), "IS of controls": ("IS", "\x01", ()),
        "IS in one text": ("IS", "1\\2", (1, 2)), "IS true": ("IS", True, UNFIT),
        "null IS among others": ("IS", [1, None], (1, "")), "null IS": ("IS", None, ()),
        "DS": ("DS", ["0.5 ", "2", "-1.5e2", ".5", "5."], (0.5, 2, -150.0, 0.5, 5.0)),
        "DS numbers": ("DS", [1, 0.25], (1, 0.25)),
        "DS beyond a float": ("DS", "1e400", ("1e400",)),
        "DS beyond an exact integer": ("DS", "9007199254740993", (9007199254740992.0,)),
        "DS of 30 digits": ("DS", "1" + "0" * 29, (1e29,)),
        "DS of too large a number": ("DS", 10**400, UNFIT), "DS NaN": ("DS", "NaN", UNFIT),
        "DS text": ("DS", "abc", UNFIT), "DS true": ("DS", False, UNFIT),
        "a damaged DS among others": ("DS", ["1", "x"], UNFIT),
        "an empty DS among others": ("DS", ["1", "", "2"], (1, "", 2)),
        "FD": ("FD", 1.5, (1.5,)), "FD of an integer": ("FD", 2, (2.0,)),
        "FD of a text": ("FD", "1.5 ", (1.5,)), "FD NaN": ("FD", "NaN", UNFIT),
        "FD NaN as a number": ("FD", float("nan"), UNFIT),
        "FD infinity": ("FD", float("inf"), UNFIT), "FD 1e400": ("FD", "1e400", UNFIT),
        "FL in a list": ("FL", [0.5, 1], (0.5, 1.0)), "FD true": ("FD", True, UNFIT),
        "FD too large": ("FD", 10**400, UNFIT), "FD object": ("FD", {}, UNFIT),
        "US": ("US", 512, (512,)), "US of a text": ("US", "12 ", (12,)),
        "US of a whole float": ("US", 3.0, (3,)), "US of a fraction": ("US", 3.5, UNFIT),
        "US zero": ("US", 0, (0,)), "US most": ("US", 65535, (65535,)),
        "US too large": ("US", 65536, UNFIT), "US below zero": ("US", -1, UNFIT),
        "US abc": ("US", "abc", UNFIT), "US true": ("US", True, UNFIT),
        "US other digits": ("US", "٣", UNFIT), "US of a list": ("US", [[1]], UNFIT),
        "SS least": ("SS", -32768, (-32768,)), "SS too small": ("SS", -32769, UNFIT),
        "SS too large": ("SS", 32768, UNFIT),
        "UL": ("UL", [0, 2**32 - 1], (0, 2**32 - 1)), "UL too large": ("UL", 2**32, UNFIT),
        "SL": ("SL", [-(2**31), 2**31 - 1], (-(2**31), 2**31 - 1)),
        "SL too large": ("SL", 2**31, UNFIT),
        "AT": ("AT", "0028000a", ("0028000A",)), "AT as int": ("AT", 0x00280009, ("00280009",)),
        "AT in a list": ("AT", ["00181063", None], ("00181063", "")),
        "AT of other text": ("AT", "(0028,0009)", UNFIT), "AT too large": ("AT", 2**32, UNFIT),
        "AT below zero": ("AT", -1, UNFIT), "AT true": ("AT", True, UNFIT),
        "OB": ("OB", "AAE=", ("AAE=",)), "OB in a list": ("OB", ["AAE="], ("AAE=",)),
        "OB null": ("OB", None, ()), "OB empty": ("OB", "", ()), "OB empty list": ("OB", [], ()),
        "OB null in a list": ("OB", [None], ()), "OB empty text in a list": ("OB", [""], ()),
        "no base64": ("OB", "AAE", UNFIT), "base64 with a space": ("OB", "AA E=", UNFIT),
        "base64 with an end too many": ("OB", "AAE==", UNFIT), "not ASCII": ("OB", "ÄÄÄÄ", UNFIT),
        "several OB": ("OB", ["AAE=", "AAE="], UNFIT), "a number for OB": ("OB", 1, UNFIT),
        "true for OB": ("OB", [True], UNFIT),
    }),
)  # fmt: skip
def test_a_value(vr: str, stored: Any, values: tuple[Any, ...] | None) -> None:
    """It is typed and trimmed; what does not fit its VR is no value and a fault."""
    keyword = KEYWORDS[vr]
    attribute = attribute_named(keyword)
    assert attribute is not None
    assert vr == attribute.vr
    found = read({"PatientID": "P1", keyword: stored, "Columns": 7})
    expected = {"PatientID": ("P1",), keyword: values or (), "Columns": (7,)}
    assert expected == found.values
    assert [type(v) for v in values or ()] == [type(v) for v in found.values[keyword]]
    assert (BAD_VALUE if values is None else NONE, {}) == (found.faults, found.vrs)


@pytest.mark.parametrize(
    ("vr", "stored", "values"),
    named({
        "SV": ("SV", [-(2**63), 2**63 - 1], (-(2**63), 2**63 - 1)),
        "UV": ("UV", [0, 2**64 - 1], (0, 2**64 - 1)), "UV text": ("UV", str(2**64 - 1),
            (2**64 - 1,)),
        "UV too large": ("UV", str(2**64), UNFIT), "SV too large": ("SV", 2**63, UNFIT),
        "UN": ("UN", "AAE=", ("AAE=",)), "OV": ("OV", "AAE=", ("AAE=",)),
        "OL": ("OL", "AAE=", ("AAE=",)), "OF": ("OF", "AAE=", ("AAE=",)),
        "OD": ("OD", "x", UNFIT), "OW": ("OW", "AAE=", ("AAE=",)),
        "AE": ("AE", "A ", ("A",)), "FL": ("FL", 1, (1.0,)), "AS": ("AS", "001D", ("001D",)),
        "DS": ("DS", "97", (97,)), "IS": ("IS", "97", (97,)), "AT": ("AT", 1, ("00000001",)),
        "SQ": ("SQ", [{"PatientID": "A "}], (Item({"PatientID": ("A",)}),)),
    }),
)  # fmt: skip
def test_a_private_value(vr: str, stored: Any, values: tuple[Any, ...] | None) -> None:
    """A private tag has the VR that DICOMVRs tells."""
    found = read({"00191010": stored}, {"00191010": vr})
    assert {"00191010": values or ()} == found.values
    assert ({"00191010": vr}, UNFIT if found.faults else values) == (found.vrs, values)


def test_one_value_attributes() -> None:
    """A backslash is part of PatientID, AccessionNumber and StudyID, in items too."""
    stored = {"PatientID": "A\\B", "RequestAttributesSequence": [{"AccessionNumber": "1\\2"}]}
    found = read(stored).values
    assert ("A\\B",) == found["PatientID"]
    assert (Item({"AccessionNumber": ("1\\2",)}),) == found["RequestAttributesSequence"]


# --- levels and names -----------------------------------------------------------------------------


def test_levels_are_merged() -> None:
    """What the instance has itself counts, even if it has no value there."""
    levels = {"PatientID": "P1", "StudyID": "S1", "Modality": "CT"}
    found = read({"StudyID": "S2 ", "Modality": None, "Rows": 1}, levels=levels)
    expected = {"PatientID": ("P1",), "StudyID": ("S2",), "Modality": (), "Rows": (1,)}
    assert expected == found.values


def test_names() -> None:
    """Only what is asked for is there, and of that only what is stored."""
    metadata = Metadata({"PatientID": "P1", "Modality": "CT"})
    names = frozenset(("Modality", "Rows", "Columns"))
    found = instance_values(metadata, packed({"Rows": 1, "BitsStored": 8}), names)
    assert {"Modality": ("CT",), "Rows": (1,)} == found.values


def test_faults_of_others_are_not_told() -> None:
    """A value that is not asked for is not read."""
    found = instance_values(Metadata(), packed({"Rows": "x"}), frozenset(("Columns",)))
    assert Read({}) == found


@pytest.mark.parametrize(
    ("names", "creators", "fetched"),
    named({
        "all": (None, {}, None),
        "some": (frozenset({"Rows"}), {}, frozenset({"Rows"}) | SETTLERS),
        "a private block may be anywhere": (frozenset({"Rows"}), {"00190010": "ACME"}, None),
    }),
)  # fmt: skip
def test_names_to_fetch(names: Any, creators: dict[str, str], fetched: Any) -> None:
    """What settles the VR of others is fetched beside them."""
    assert fetched == names_to_fetch(names, creators)


def test_levels_alone() -> None:
    """Of the levels only the attributes that are asked for, with their own VRs."""
    metadata = Metadata(
        {
            "Modality": "CT ",
            "SeriesDescription": None,
            "00191001": "a ",
            "SmallestPixelValueInSeries": -1,
            "SeriesNumber": {},
        },
        {"00191001": "lo", "00191002": "LO"},
    )
    asked = ("SmallestPixelValueInSeries", "SeriesDescription", "SeriesNumber", "Laterality")
    found = level_values(metadata, map(_attribute, asked))
    expected = {"SmallestPixelValueInSeries": (-1,), "SeriesDescription": (), "SeriesNumber": ()}
    assert Read(expected, {"SmallestPixelValueInSeries": "SS"}, BAD_VALUE) == found
    assert Read({}, {}, BAD_VR) == level_values(metadata, [_attribute("00191001")])


def _attribute(name: str) -> Attribute:
    found = attribute_named(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("more", "syntax"),
    named({
        "as stored": ({"StoredTransferSyntaxUID": "1.2.840.10008.1.2.4.50"},
            ("1.2.840.10008.1.2.4.50",)),
        "padded": ({"StoredTransferSyntaxUID": "1.2.840.10008.1.2.1\0"}, ("1.2.840.10008.1.2.1",)),
        "null": ({"StoredTransferSyntaxUID": None}, (DEFAULT_SYNTAX,)),
        "missing": ({}, (DEFAULT_SYNTAX,)),
        "no text": ({"StoredTransferSyntaxUID": 1}, ()),
    }),
)  # fmt: skip
def test_the_transfer_syntax(more: dict[str, Any], syntax: tuple[str, ...]) -> None:
    """AvailableTransferSyntaxUID is that of what is stored, whatever the data set says itself."""
    dicom = {SYNTAX: "1.2.3", "TransferSyntaxUID": "1.2.4"}
    found = instance_values(Metadata(), packed(dicom, **more), None)
    assert ({SYNTAX: syntax}, BAD_VALUE if not syntax else NONE) == (found.values, found.faults)
    assert {} == instance_values(Metadata(), packed(dicom, **more), frozenset()).values


@pytest.mark.parametrize(
    ("dicom", "uid"),
    [({}, ("1.2.3",)), ({"SOPInstanceUID": "1.2.4"}, ("1.2.4",))],
    ids=["from its key", "from its attributes"],
)
def test_the_uid(dicom: dict[str, Any], uid: tuple[str, ...]) -> None:
    """An instance always has its UID."""
    body = json.dumps({"DICOM": dicom}).encode()
    found = instance_values(Metadata(), PackedInstance(None, "1.2.3", body), None)
    assert uid == found.values["SOPInstanceUID"]


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dicom", "vrs", "values", "faults"),
    named({
        "group 2 by keyword": ({"FileMetaInformationVersion": "AAE=",
            "MediaStorageSOPClassUID": "1"}, {}, {}, NONE),
        "group 2 by tag": ({"00020010": "1"}, {}, {}, NONE),
        "a group length": ({"00080000": 4, "00190000": 4}, {"00190000": "UL"}, {}, NONE),
        "group 4": ({"FileSetID": "A"}, {}, {}, NONE),
        "a private group that may not be": ({"00010010": "A"}, {"00010010": "LO"}, {}, NONE),
        "padding": ({"FFFCFFFC": "AAE="}, {}, {}, NONE),
        "pixels": ({"PixelData": "AAE=", "FloatPixelData": 1, "DoubleFloatPixelData": [],
            "7fe00010": ""}, {}, {}, NONE),
        "a tag that has a keyword": ({"00100020": "A"}, {}, {"PatientID": ("A",)}, NONE),
        "both, the tag first": ({"00100020": "A", "PatientID": "B"}, {}, {"PatientID": ("B",)},
            NONE),
        "both, the keyword first": ({"PatientID": "B", "00100020": "A"}, {}, {"PatientID": ("B",)},
            NONE),
        "a small tag": ({"001910aa": "A"}, {"001910AA": "LO"}, {"001910AA": ("A",)}, NONE),
        "a small tag in DICOMVRs": ({"001910AA": "A"}, {"001910aa": "LO"}, {"001910AA": ("A",)},
            NONE),
        "a repeating group": ({"60020010": 8, "60003000": "AAE="},
            {"60020010": "US", "60003000": "OB"}, {"60020010": (8,), "60003000": ("AAE=",)}, NONE),
        "a repeating group without DICOMVRs": ({"60020010": 8}, {}, {"60020010": (8,)}, NONE),
        "a creator without DICOMVRs": ({"00190010": "ACME "}, {}, {"00190010": ("ACME",)}, NONE),
        "a private tag without a VR": ({"00191001": "A"}, {}, {}, BAD_VR),
        "a private tag with no VR of DICOM": ({"00191001": "A"}, {"00191001": "XX"}, {}, BAD_VR),
        "a VR in small letters": ({"00191001": "A"}, {"00191001": "lo"}, {}, BAD_VR),
        "a VR that is no text": ({"00191001": "A"}, {"00191001": ["LO"]}, {}, BAD_VR),
        "two VRs": ({"00191001": "A"}, {"00191001": "OB or OW"}, {}, BAD_VR),
        "no keyword": ({"NoKeyword": "A"}, {"NoKeyword": "LO"}, {}, BAD_VR),
        "an empty key": ({"": "A"}, {}, {}, BAD_VR),
        "a tag of no dictionary": ({"00080007": "A"}, {"00080007": "LO"}, {}, BAD_VR),
        "a keyword in small letters": ({"patientid": "A"}, {}, {}, BAD_VR),
        "digits that are none": ({"0010002٣": "A"}, {}, {}, BAD_VR),
        "an item by itself": ({"Item": "A"}, {}, {}, NONE),
        "PS3.6 counts for a keyword": ({"PatientID": "A"}, {"PatientID": "US"},
            {"PatientID": ("A",)}, NONE),
        "DICOMVRs counts for a tag": ({"00100020": "AAE="}, {"00100020": "UN"},
            {"PatientID": ("AAE=",)}, NONE),
    }),
)  # fmt: skip
def test_keys(
    dicom: dict[str, Any], vrs: dict[str, Any], values: dict[str, Any], faults: frozenset[Fault]
) -> None:
    """A key is a keyword or a tag; what has no VR is left out and told, the rest stands."""
    found = read({**dicom, "Rows": 1}, vrs)
    assert ({**values, "Rows": (1,)}, faults) == (found.values, found.faults)
    assert written(found).keys() >= {_attribute(name).tag for name in values}


def test_a_vr_that_differs_is_told() -> None:
    """The VR of an attribute that is open, or is another than PS3.6's, stands beside the values."""
    vrs = {"00191001": "SH", "60020010": "SS", "60003000": "OB", "00100020": "UN"}
    stored = {"00191001": "A", "60020010": 8, "60003000": "AAE=", "00100020": None, "Rows": 1}
    found = read(stored, vrs).vrs
    assert {**{k: v for k, v in vrs.items() if k != "00100020"}, "PatientID": "UN"} == found


# --- more than one VR -----------------------------------------------------------------------------

SIGNED, UNSIGNED = {"PixelRepresentation": 1}, {"PixelRepresentation": 0}
SMALLEST, LUT_DATA = "SmallestImagePixelValue", "LUTData"


@pytest.mark.parametrize(
    ("dicom", "keyword", "vr", "values"),
    named({
        "signed": ({**SIGNED, SMALLEST: 5}, SMALLEST, "SS", (5,)),
        "unsigned": ({**UNSIGNED, SMALLEST: 5}, SMALLEST, "US", (5,)),
        "not told": ({SMALLEST: 5}, SMALLEST, "US", (5,)),
        "null": ({"PixelRepresentation": None, SMALLEST: None}, SMALLEST, "US", ()),
        "told as text": ({"PixelRepresentation": "1 ", SMALLEST: "5 "}, SMALLEST, "SS", (5,)),
        "told badly": ({"PixelRepresentation": {}, SMALLEST: 5}, SMALLEST, "US", (5,)),
        "below zero, whatever is told": ({**UNSIGNED, SMALLEST: -5}, SMALLEST, "SS", (-5,)),
        "too large, whatever is told": ({**SIGNED, SMALLEST: 40000}, SMALLEST, "US", (40000,)),
        "neither": ({**SIGNED, SMALLEST: 70000}, SMALLEST, "SS", ()),
        "a LUT descriptor": ({**SIGNED, "LUTDescriptor": [256, -1024, 16]}, "LUTDescriptor", "SS",
            (256, -1024, 16)),
        "a LUT descriptor beyond SS": ({**SIGNED, "LUTDescriptor": [40000, 0, 16]},
            "LUTDescriptor", "US", (40000, 0, 16)),
        "a LUT as numbers": ({"LUTDescriptor": [2, 0, 16], LUT_DATA: [1, 2]}, LUT_DATA, "US",
            (1, 2)),
        "a LUT as bytes": ({"LUTDescriptor": [2, 0, 16], LUT_DATA: "AAE="}, LUT_DATA, "OW",
            ("AAE=",)),
        "a LUT as bytes in a list": ({LUT_DATA: ["AAE="]}, LUT_DATA, "OW", ("AAE=",)),
        "no LUT": ({LUT_DATA: None}, LUT_DATA, "OW", ()),
        "no LUT of one entry": ({"LUTDescriptor": [1, 0, 16], LUT_DATA: []}, LUT_DATA, "US", ()),
        "a LUT that is neither": ({LUT_DATA: "A"}, LUT_DATA, "US", ()),
        "a LUT below zero": ({**SIGNED, LUT_DATA: [-1]}, LUT_DATA, "US", ()),
        "a gray LUT as bytes": ({"GrayLookupTableData": "AAE="}, "GrayLookupTableData", "OW",
            ("AAE=",)),
        "a gray LUT, signed": ({**SIGNED, "GrayLookupTableData": [-1, 2]}, "GrayLookupTableData",
            "SS", (-1, 2)),
        "no gray LUT": ({"LUTDescriptor": [1, 0, 16], "GrayLookupTableData": None},
            "GrayLookupTableData", "OW", ()),
        "a waveform of 8 bits": ({"WaveformBitsAllocated": 8, "WaveformData": "AAE="},
            "WaveformData", "OB", ("AAE=",)),
        "a waveform of 16 bits": ({"WaveformBitsAllocated": 16, "WaveformData": "AAE=",
            "WaveformSampleInterpretation": "SB"}, "WaveformData", "OW", ("AAE=",)),
        "a waveform of bytes": ({"WaveformSampleInterpretation": "UB ", "WaveformData": "AAE="},
            "WaveformData", "OB", ("AAE=",)),
        "a waveform of words": ({"WaveformSampleInterpretation": "SS", "WaveformData": "AAE="},
            "WaveformData", "OW", ("AAE=",)),
        "a waveform of nothing told": ({"WaveformData": None}, "WaveformData", "OW", ()),
        "numbers for a waveform": ({"WaveformData": [1, 2]}, "WaveformData", "OW", ()),
    }),
)  # fmt: skip
def test_an_open_vr(dicom: dict[str, Any], keyword: str, vr: str, values: tuple[Any, ...]) -> None:
    """One VR is settled by the data set around it, and by what the values can be."""
    found = read(dicom)
    assert (vr, values) == (found.vrs[keyword], found.values[keyword])
    assert vr == written(found)[_attribute(keyword).tag]["vr"]


@pytest.mark.parametrize(
    ("told", "vr"),
    named({"one of the two": ("SS", "SS"), "another": ("UL", "US"), "no VR": ("XX", "US")}),
)
def test_an_open_vr_that_is_told(told: str, vr: str) -> None:
    """DICOMVRs settles it, if PS3.6 has that VR for it."""
    assert {SMALLEST: vr} == read({SMALLEST: 5}, {SMALLEST: told}).vrs


@pytest.mark.parametrize(
    ("outer", "inner", "vr"),
    named({
        "that of the item": (UNSIGNED, SIGNED, "SS"),
        "outwards": (SIGNED, {}, "SS"),
        "an item that tells nothing": (SIGNED, {"PixelRepresentation": None}, "SS"),
        "none": ({}, {}, "US"),
    }),
)  # fmt: skip
def test_the_nearest_settles(outer: dict[str, Any], inner: dict[str, Any], vr: str) -> None:
    """PixelRepresentation is looked for in the item, then outwards, and though not asked for."""
    sequence = [{"ModalityLUTSequence": [{**inner, SMALLEST: 5}]}]
    instance = packed({**outer, "SharedFunctionalGroupsSequence": sequence})
    names = frozenset(("SharedFunctionalGroupsSequence",))
    found = instance_values(Metadata(), instance, names)
    (item,) = found.values["SharedFunctionalGroupsSequence"]
    assert isinstance(item, Item)
    (item,) = item.values["ModalityLUTSequence"]
    assert isinstance(item, Item)
    assert names == set(found.values)
    assert {SMALLEST: vr} == item.vrs


# --- sequences ------------------------------------------------------------------------------------

REQUEST = "RequestAttributesSequence"


@pytest.mark.parametrize(
    ("stored", "items", "faults"),
    named({
        "null": (None, (), NONE), "an empty list": ([], (), NONE),
        "an empty item": ([{}], (Item({}),), NONE), "a null item": ([None], (Item({}),), NONE),
        "an item": ([{"StudyID": "A ", "Rows": 1}], (Item({"StudyID": ("A",), "Rows": (1,)}),),
            NONE),
        "an item without a list": ({"StudyID": "A"}, (Item({"StudyID": ("A",)}),), NONE),
        "items": ([{"StudyID": "A"}, {}], (Item({"StudyID": ("A",)}), Item({})), NONE),
        "nested": ([{REQUEST: [{"StudyID": "A"}]}],
            (Item({REQUEST: (Item({"StudyID": ("A",)}),)}),), NONE),
        "private": ([{"00191001": "A"}], (Item({"00191001": ("A",)}, {"00191001": "SH"}),), NONE),
        "an empty attribute": ([{"StudyID": None}], (Item({"StudyID": ()}),), NONE),
        "pixels of an icon": ([{"PixelData": "AAE="}], (Item({}),), NONE),
        "a bad value": ([{"Rows": "x", "StudyID": "A"}], (Item({"Rows": (), "StudyID": ("A",)}),),
            BAD_VALUE),
        "a bad key": ([{"rows": 1, "StudyID": "A"}], (Item({"StudyID": ("A",)}),), BAD_VR),
        "a text": ("A", (), BAD_VALUE), "texts": ([{}, "A"], (), BAD_VALUE),
        "lists": ([[{}]], (), BAD_VALUE), "true": (True, (), BAD_VALUE),
    }),
)  # fmt: skip
def test_sequences(stored: Any, items: tuple[Item, ...], faults: frozenset[Fault]) -> None:
    """Items are read as data sets are."""
    found = read({REQUEST: stored, "Rows": 1}, {"00191001": "SH"})
    assert ({REQUEST: items, "Rows": (1,)}, faults) == (found.values, found.faults)


@pytest.mark.parametrize(
    ("depth", "faults"), [(MOST_NESTED, NONE), (MOST_NESTED + 1, BAD_VALUE), (300, BAD_VALUE)]
)
def test_depth(depth: int, faults: frozenset[Fault]) -> None:
    """Sequences are read to a depth that no real one has; below it there is a fault."""
    stored: Any = [{}]
    for _ in range(depth - 1):
        stored = [{REQUEST: stored}]
    found = read({REQUEST: stored, "Rows": 1})
    assert ((1,), faults) == (found.values["Rows"], found.faults)
    deepest = orjson.dumps(written(found)).count(_attribute(REQUEST).tag.encode())
    assert min(depth, MOST_NESTED + 1) == deepest


# --- private blocks -------------------------------------------------------------------------------

BLOCKS = {
    "00190010": "ACME", "00191001": "a1", "00191002": "a2",
    "00190011": "OTHER", "00191101": "o1",
    "00190001": "odd", "00210010": "ACME", "00211001": "far",
}  # fmt: skip
PRIVATE_VRS = dict.fromkeys(BLOCKS, "LO")


@pytest.mark.parametrize(
    ("creators", "moved"),
    named({
        "as stored": ({"00190010": "ACME"}, {}),
        "padded": ({"00190010": " ACME "}, {}),
        "changed places": (
            {"00190011": "ACME"},
            {"00190010": None, "00191001": None, "00191002": None,
             "00190011": "ACME", "00191101": "a1", "00191102": "a2",
             "00190012": "OTHER", "00191201": "o1"},
        ),
        "a small tag": (
            {"002100aa": "ACME"},
            {"00210010": None, "00211001": None, "002100AA": "ACME", "0021AA01": "far"},
        ),
        "a creator that is not there makes room": (
            {"00190010": "NONE"},
            {"00190010": None, "00191001": None, "00191002": None,
             "00190012": "ACME", "00191201": "a1", "00191202": "a2"},
        ),
        "the creator's text is exact": (
            {"00210010": "acme"},
            {"00210010": None, "00211001": None, "00210011": "ACME", "00211101": "far"},
        ),
        "two, crossed": (
            {"00190010": "OTHER", "00190011": "ACME"},
            {"00190010": "OTHER", "00191001": "o1", "00191002": None,
             "00190011": "ACME", "00191101": "a1", "00191102": "a2"},
        ),
        "one creator by two numbers": (
            {"00210010": "ACME", "00210020": "ACME"},
            {"00210020": "ACME", "00212001": "far"},
        ),
    }),
)  # fmt: skip
def test_private_blocks(creators: dict[str, str], moved: dict[str, str | None]) -> None:
    """A block is called as the request calls its creator's; others make room, and none is lost."""
    expected = {tag: (text,) for tag, text in (BLOCKS | moved).items() if text is not None}
    found = read(BLOCKS, PRIVATE_VRS, creators=creators)
    assert (expected, NONE) == (found.values, found.faults)


@pytest.mark.parametrize(
    ("asked", "creators"),
    named({
        "its first": ({"00190010": "ACME"}, ("ACME", "ACME")),
        "its second": ({"00190011": "ACME"}, ("ACME", "ACME")),
        "a third": ({"00190012": "ACME"}, (None, "ACME", "ACME")),
    }),
)  # fmt: skip
def test_a_creator_of_two_blocks(asked: dict[str, str], creators: tuple[str | None, ...]) -> None:
    """The block that has the number already is the one; else the first."""
    stored = {"00190010": "ACME", "00190011": "ACME"}
    expected = {f"0019001{n}": (text,) for n, text in enumerate(creators) if text}
    assert expected == read(stored, creators=asked).values


def test_room_is_not_made_where_another_is_asked_for() -> None:
    """A block that makes room takes a number that nobody uses or asks for."""
    asked = {"00190010": "NONE", "00190011": "NEITHER"}
    found = read({"00190010": "ACME"}, creators=asked).values
    assert {"00190012": ("ACME",)} == found


@pytest.mark.parametrize("tag", ["00190001", "00191010", "00180010", "0019000F"])
def test_what_reserves_no_block(tag: str) -> None:
    """A creator that has no creator's tag moves nothing."""
    stored = {**BLOCKS, "PatientID": "P"}
    expected = {key: (text,) for key, text in stored.items()}
    assert expected == read(stored, PRIVATE_VRS, creators={tag: "ACME"}).values


def test_private_attributes_of_a_level() -> None:
    """They have their VR beside the levels."""
    metadata = Metadata({"00191001": "1 ", "00191002": "a"}, {"00191001": "IS", "00191002": "IS"})
    found = instance_values(metadata, packed({}, {"00191002": "SH"}), None)
    assert ((1,), ("a",)) == (found.values["00191001"], found.values["00191002"])


def test_private_names() -> None:
    """Only the tags that are asked for, and the creator with them."""
    names = frozenset(("00192002", "Rows"))
    found = instance_values(
        Metadata(), packed({**BLOCKS, "Rows": 1}, PRIVATE_VRS), names, {"00190020": "ACME"}
    )
    expected = {"00190020": ("ACME",), "00192002": ("a2",), "Rows": (1,)}
    assert (expected, {"00192002": "LO"}) == (found.values, found.vrs)


def test_a_creator_that_is_missing() -> None:
    """What stands at the tags that are asked for is another's, and is not given."""
    names = frozenset(("00191001",))
    found = instance_values(Metadata(), packed(BLOCKS, PRIVATE_VRS), names, {"00190010": "NONE"})
    assert Read({}) == found


def test_a_padded_creator() -> None:
    """The space that fills up a creator's text is no part of it."""
    stored = {"00190010": "ACME1 ", "00191001": "a"}
    found = read(stored, PRIVATE_VRS, creators={"00190011": "ACME1"}).values
    assert {"00190011": ("ACME1",), "00191101": ("a",)} == found


def test_the_vr_of_a_moved_block() -> None:
    """It is that of the tag under which the value is stored."""
    vrs = {"00191001": "IS", "00191101": "SH"}
    stored = {"00190010": "ACME", "00191001": "1 ", "00190011": "OTHER", "00191101": "o1"}
    found = read(stored, vrs, creators={"00190011": "ACME"})
    assert ((1,), "IS") == (found.values["00191101"], found.vrs["00191101"])
    assert (("o1",), "SH") == (found.values["00191201"], found.vrs["00191201"])


def test_a_creator_that_is_no_text() -> None:
    """It reserves nothing, and what is asked for makes it go on."""
    found = read({"00190010": 1, "00191001": "a"}, {"00191001": "LO"}, creators={"00190010": "1"})
    assert ({"00190011": (), "00191101": ("a",)}, BAD_VALUE) == (found.values, found.faults)


@pytest.mark.parametrize("creator", [None, "", [], {}], ids=["null", "empty", "none", "an object"])
def test_a_creator_without_a_value(creator: Any) -> None:
    """Its elements stand as stored, and are written."""
    found = read({"00190010": creator, "00191001": "a"}, {"00191001": "LO"})
    expected = {"00190010": {"vr": "LO"}, "00191001": {"vr": "LO", "Value": ["a"]}}
    assert expected == written(found)


def test_no_free_block() -> None:
    """Where every number is taken there is no room; what is asked for is given all the same."""
    stored = {f"001900{number:02X}": f"C{number}" for number in range(0x10, 0x100)}
    found = read(stored, creators={"00190010": "C255"})
    expected = {tag: (text,) for tag, text in stored.items() if tag != "001900FF"}
    assert {**expected, "00190010": ("C255",)} == found.values


# --- what is no metadata --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "faults"),
    named({
        "no JSON": (b"{", frozenset({Fault.NOT_JSON})),
        "nothing": (b"", frozenset({Fault.NOT_JSON})),
        "no UTF-8": (b'{"DICOM": {"PatientID": "\xff"}}', frozenset({Fault.NOT_JSON})),
        "a tower": (b"[" * 200_000, frozenset({Fault.NOT_JSON})),
        "no object": (b"[]", frozenset({Fault.INCOMPLETE})),
        "null": (b"null", frozenset({Fault.INCOMPLETE})),
        "no attributes": (b"{}", frozenset({Fault.INCOMPLETE})),
        "attributes that are none": (b'{"DICOM": 1}', frozenset({Fault.INCOMPLETE})),
        "VRs that are none": (b'{"DICOM": {}, "DICOMVRs": 1}', frozenset({Fault.INCOMPLETE})),
        "no VRs": (b'{"DICOM": {}}', NONE), "null VRs": (b'{"DICOM": {}, "DICOMVRs": null}', NONE),
    }),
)  # fmt: skip
def test_bodies(body: bytes, faults: frozenset[Fault]) -> None:
    """What cannot be read is told, and the levels are served."""
    found = instance_values(Metadata({"PatientID": "P"}), PackedInstance(1, "1.2", body), None)
    assert faults == found.faults
    assert (("P",), ("1.2",)) == (found.values["PatientID"], found.values["SOPInstanceUID"])


def test_what_only_some_parsers_take() -> None:
    """NaN and lone surrogates in a body leave the rest of it to be read."""
    body = rb'{"DICOM": {"PatientID": "\ud800", "ExposureTimeInms": NaN, "Rows": 1}}'
    found = instance_values(Metadata(), PackedInstance(1, "", body), None)
    expected = {
        "PatientID": ("\ufffd",),
        "ExposureTimeInms": (),
        "Rows": (1,),
        SYNTAX: (DEFAULT_SYNTAX,),
    }
    assert (expected, BAD_VALUE) == (found.values, found.faults)


def test_no_patient_in_a_repr() -> None:
    """What is read shows no value."""
    assert "DOE" not in repr(read({"PatientName": "DOE^JANE"}))


# --- anything at all ------------------------------------------------------------------------------

ANY_KEYS = st.one_of(
    st.sampled_from(sorted(datadict.keyword_dict)),
    st.sampled_from(
        ("00191001", "00190010", "60020010", "60003000", "0008ffff", "x", "", "00080000")
    ),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(("AAE=", "1 ", "1.5", "1e999", "NaN", "A=B=C=D", "==", "\\", "20200101")),
)  # fmt: skip
ANY_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(ANY_KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


def held(element: Mapping[str, Any]) -> int:
    """How many elements of a JSON data set have an empty Value, at any depth."""
    number = 0
    for one in element.values():
        values = one.get("Value")
        number += values is not None and all(value is None for value in values)
        number += sum(held(value) for value in values or () if one["vr"] == "SQ")
    return number


def loads(element: Mapping[str, Any]) -> dict[str, Any]:
    """Without the texts of an IS or DS that is no number: pydicom refuses them, PS3.18 does not."""
    kept: dict[str, Any] = {}
    for tag, one in element.items():
        values = one.get("Value", [])
        if one["vr"] == "SQ":
            values = [loads(value) for value in values]
        elif one["vr"] in ("IS", "DS"):
            values = [0 if isinstance(value, str) else value for value in values]
        kept[tag] = {**one, "Value": values} if values else one
    return kept


@settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    dicom=st.dictionaries(ANY_KEYS, ANY_VALUES, max_size=4),
    vrs=st.dictionaries(ANY_KEYS, st.one_of(st.sampled_from(sorted(VRS)), SCALARS), max_size=3),
    creators=st.dictionaries(st.sampled_from(("00190010", "001900FF")), st.text(max_size=3)),
)
def test_anything(dicom: dict[str, Any], vrs: dict[str, Any], creators: dict[str, str]) -> None:
    """Whatever stands under whatever key, it is read without an error, and pydicom reads it."""
    body = json.dumps({"DICOM": dicom, "DICOMVRs": vrs}).encode()
    found = instance_values(Metadata(dicom, vrs), PackedInstance(None, "1.2", body), None, creators)
    document = written(found)
    assert 0 == held(document)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = pydicom.Dataset.from_json(loads(document))
    assert set(document) == {f"{tag:08X}" for tag in loaded.keys()}  # noqa: SIM118 - reads no value
