"""From a DICOM data set to HealthImaging's metadata: each rule, and all of pydicom's own files."""

from __future__ import annotations

import base64
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pydicom
import pytest
from pydicom.datadict import keyword_for_tag, repeater_has_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from gateway.emulator.normalising import LEVEL_KEYWORDS, is_private, normalise

DATA = Path(pydicom.__file__).parent / "data"
NOT_READ = {"no_meta.dcm", "ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm", "rtstruct.dcm"}
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
MOST = 1_000_000


def dataset(**values: Any) -> FileDataset:
    """A data set in explicit little endian."""
    found = FileDataset("x.dcm", {}, file_meta=FileMetaDataset())
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in values.items():
        setattr(found, keyword, value)
    return found


def added(*elements: tuple[int, str, Any]) -> FileDataset:
    """A data set of elements by tag and VR."""
    found = dataset()
    for tag, vr, value in elements:
        found.add_new(tag, vr, value)
    return found


def values_of(given: FileDataset) -> dict[str, Any]:
    """All values of the metadata, whatever their level."""
    found = normalise(given)
    merged: dict[str, Any] = dict(found.instance["DICOM"])
    for values in found.levels.values():
        merged |= values
    return merged


def nested(**values: Any) -> Dataset:
    """An item of a sequence."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


# --- levels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "value", "level"),
    [
        pytest.param("PatientName", "DOE^JANE", "Patient", id="patient"),
        pytest.param("PatientIdentityRemoved", "NO", "Patient", id="de-identification"),
        pytest.param("StudyInstanceUID", "1.2", "Study", id="study"),
        pytest.param("PatientWeight", "70", "Study", id="patient at the time of the study"),
        pytest.param("Modality", "CT", "Series", id="series"),
        pytest.param("DeviceSerialNumber", "12", "Series", id="equipment"),
        pytest.param("SOPInstanceUID", "1.2", "Instance", id="instance"),
        pytest.param("Rows", 7, "Instance", id="image"),
    ],
)
def test_levels(keyword: str, value: Any, level: str) -> None:
    """An attribute stands at one level, and at no other."""
    found = normalise(dataset(**{keyword: value}))
    levels = {**found.levels, "Instance": found.instance["DICOM"]}
    assert [level] == [name for name, values in levels.items() if keyword in values]


def test_levels_are_apart() -> None:
    """No keyword belongs to two levels; every one is a keyword of DICOM."""
    counted = Counter(keyword for keywords in LEVEL_KEYWORDS.values() for keyword in keywords)
    assert [] == [keyword for keyword, number in counted.items() if number > 1]
    assert [] == [
        keyword for keyword in counted if pydicom.datadict.tag_for_keyword(keyword) is None
    ]


def test_what_stands_beside_the_values() -> None:
    """The transfer syntax of the file, with the file's meta elements among the instance's."""
    instance = normalise(dataset(Rows=1)).instance
    assert ExplicitVRLittleEndian == instance["StoredTransferSyntaxUID"]
    assert ExplicitVRLittleEndian == instance["DICOM"]["TransferSyntaxUID"]
    without = dataset(Rows=1)
    del without.file_meta.TransferSyntaxUID
    assert {"DICOM": {"Rows": 1}, "DICOMVRs": {}} == normalise(without).instance


# --- values ---------------------------------------------------------------------------------------

UNNAMED = {"00091001": "LO"}


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        pytest.param(dataset(PatientID=""), "PatientID", None, id="empty"),
        pytest.param(dataset(PatientID=None), "PatientID", None, id="none"),
        pytest.param(dataset(PatientName=""), "PatientName", None, id="an empty name"),
        pytest.param(dataset(ImageType=[]), "ImageType", None, id="an empty list"),
        pytest.param(dataset(RequestAttributesSequence=[]), "RequestAttributesSequence", None,
                     id="an empty sequence"),
        pytest.param(dataset(StudyDate="20200101"), "StudyDate", "20200101", id="even"),
        pytest.param(dataset(PatientID="ODD"), "PatientID", "ODD ", id="odd is padded"),
        pytest.param(dataset(PatientID="ÄÖÜ"), "PatientID", "ÄÖÜ", id="outside ASCII is not"),
        pytest.param(dataset(StudyInstanceUID="1.2"), "StudyInstanceUID", "1.2", id="a UID is not"),
        pytest.param(dataset(RetrieveURL="http://x/1"), "RetrieveURL", "http://x/1", id="a URL"),
        pytest.param(dataset(RetrieveURL="http://x/"), "RetrieveURL", "http://x/ ", id="odd URL"),
        pytest.param(dataset(PatientName="DOE^JANE"), "PatientName", "DOE^JANE", id="a name"),
        pytest.param(dataset(PatientName="Hong=洪=홍"), "PatientName", "Hong=洪=홍",
                     id="a name in three groups"),
        pytest.param(dataset(ImageType=["DERIVED"]), "ImageType", ["DERIVED "],
                     id="one value where the dictionary has several"),
        pytest.param(dataset(ImageType=["A", "B"]), "ImageType", ["A", "B "], id="two values"),
        pytest.param(dataset(ImageType=["AB", "B"]), "ImageType", ["AB", "B"],
                     id="padded together"),
        pytest.param(dataset(OtherPatientNames="DOE^MARY"), "OtherPatientNames", ["DOE^MARY"],
                     id="one name where there may be several"),
        pytest.param(dataset(PatientID=["A", "B"]), "PatientID", ["A", "B "],
                     id="more values than allowed"),
        pytest.param(dataset(SeriesNumber="12"), "SeriesNumber", "12", id="IS is text"),
        pytest.param(dataset(SliceThickness="2.50"), "SliceThickness", "2.50", id="DS is text"),
        pytest.param(dataset(PixelSpacing=["0.5", "0.25"]), "PixelSpacing", ["0.5", "0.25"],
                     id="several DS"),
        pytest.param(dataset(Rows=512), "Rows", 512, id="US is a number"),
        pytest.param(dataset(Rows=0), "Rows", 0, id="zero is not empty"),
        pytest.param(dataset(ExposureTimeInms=1.5), "ExposureTimeInms", 1.5, id="FD is a number"),
        pytest.param(dataset(ReferencePixelX0=[3]), "ReferencePixelX0", 3, id="SL is a number"),
        pytest.param(dataset(FrameIncrementPointer=0x00181063), "FrameIncrementPointer",
                     ["00181063"], id="a tag"),
        pytest.param(dataset(FrameIncrementPointer=[0x00181063, 0x00181065]),
                     "FrameIncrementPointer", ["00181063", "00181065"], id="several tags"),
        pytest.param(dataset(ICCProfile=b"\x00\x01"), "ICCProfile", "AAE=", id="binary"),
        pytest.param(dataset(ICCProfile=b""), "ICCProfile", None, id="empty binary"),
        pytest.param(added((0x00091001, "UN", b"ab")), "00091001", "YWI=", id="unknown VR"),
        pytest.param(added((0x00091001, "LO", "a")), "00091001", "a ", id="private"),
        pytest.param(added((0x00091001, "LO", ["a", "b"])), "00091001", ["a", "b "],
                     id="several private values"),
        pytest.param(added((0x60020010, "US", 8)), "60020010", 8, id="a repeating group"),
        pytest.param(added((0x00080007, "LO", "ab")), "00080007", "ab", id="not in the dictionary"),
        pytest.param(
            dataset(RequestAttributesSequence=[
                nested(AccessionNumber="A1", RequestedProcedureCodeSequence=[nested(CodeValue="7")])
            ]),
            "RequestAttributesSequence",
            [{"AccessionNumber": "A1", "RequestedProcedureCodeSequence": [{"CodeValue": "7 "}]}],
            id="nested sequences",
        ),
        pytest.param(dataset(RequestAttributesSequence=[nested()]), "RequestAttributesSequence",
                     [{}], id="an empty item"),
        pytest.param(dataset(PixelRepresentation=1, SmallestImagePixelValue=-5),
                     "SmallestImagePixelValue", -5, id="signed by PixelRepresentation"),
    ],
)  # fmt: skip
def test_values(given: FileDataset, key: str, value: Any) -> None:
    """What an attribute of the data set looks like in the metadata."""
    found = values_of(given)[key]
    assert (value, type(value)) == (found, type(found))


@pytest.mark.parametrize(
    ("given", "vrs"),
    [
        pytest.param(dataset(PatientID="A"), {}, id="the dictionary knows"),
        pytest.param(added((0x00091001, "LO", "a")), {"00091001": "LO"}, id="private"),
        pytest.param(added((0x60020010, "US", 8)), {"60020010": "US"}, id="a repeating group"),
        pytest.param(added((0x00080007, "LO", "a")), {"00080007": "LO"}, id="in no dictionary"),
        pytest.param(added((0x00091002, "SQ", [added((0x00091001, "UN", b"a"))])),
                     {"00091002": "SQ", "00091001": "UN"}, id="private within private"),
        pytest.param(dataset(RequestAttributesSequence=[added((0x00091001, "SH", "a"))]),
                     {"00091001": "SH"}, id="private within a sequence"),
    ],
)  # fmt: skip
def test_vrs(given: FileDataset, vrs: dict[str, str]) -> None:
    """DICOMVRs has the VRs that no dictionary tells, nested ones too."""
    assert vrs == normalise(given).instance["DICOMVRs"]


@pytest.mark.parametrize(
    ("given", "left_out"),
    [
        pytest.param(added((0x00080000, "UL", 4)), "00080000", id="a group length"),
        pytest.param(added((0x00090000, "UL", 4)), "00090000", id="a private group length"),
        pytest.param(added((0x7FE00010, "OW", b"\0\0")), "PixelData", id="pixels"),
        pytest.param(added((0x7FE00008, "OF", b"\0" * 4)), "FloatPixelData", id="float pixels"),
        pytest.param(added((0x00282000, "OB", b"\0" * (MOST + 1))), "ICCProfile", id="over 1 MB"),
        pytest.param(added((0x00091001, "UN", b"\0" * (MOST + 1))), "00091001", id="private, 1 MB"),
    ],
)  # fmt: skip
def test_what_is_left_out(given: FileDataset, left_out: str) -> None:
    """Pixels, group lengths and large values are not in the metadata, nor are their VRs."""
    found = normalise(given)
    assert left_out not in values_of(given)
    assert left_out not in found.instance["DICOMVRs"]


def test_just_a_megabyte() -> None:
    """A value of 1 MB is in the metadata."""
    found = values_of(added((0x00282000, "OB", b"\0" * MOST)))["ICCProfile"]
    assert MOST == len(base64.b64decode(found))


def test_a_damaged_value() -> None:
    """A value that cannot be read is left out, in a sequence as well; the rest stands."""
    given = dataset(PatientID="P1", RequestAttributesSequence=[nested(AccessionNumber="A1")])
    item = given.RequestAttributesSequence[0]
    for where, group in ((given, 0x00280010), (item, 0x00280011)):
        tag = Tag(group)
        raw = RawDataElement(tag, "US", 3, b"\x01\x02\x03", 0, False, True)
        where._dict[tag] = raw
    found = values_of(given)
    assert ("P1", [{"AccessionNumber": "A1"}]) == (
        found["PatientID"],
        found["RequestAttributesSequence"],
    )
    assert "Rows" not in found


@pytest.mark.parametrize(
    ("little", "value"), [pytest.param(True, 1, id="little"), pytest.param(False, 256, id="big")]
)
def test_bytes_of_an_ambiguous_vr(little: bool, value: int) -> None:
    """Two bytes whose VR is not told are a number in the byte order of the file."""
    given = dataset(PixelRepresentation=0)
    given.set_original_encoding(is_implicit_vr=False, is_little_endian=little)
    given.add_new(0x00280106, "US or SS", b"\x01\x00")
    assert value == values_of(given)["SmallestImagePixelValue"]


def test_an_ambiguous_vr_that_stays_so() -> None:
    """Bytes that are no number are left as they are; the rest stands."""
    given = added((0x00100020, "LO", "P1"), (0x00280106, "US or SS", b"\x01"))
    found = values_of(given)
    assert ("P1", "AQ==") == (found["PatientID"].strip(), found["SmallestImagePixelValue"])


@pytest.mark.parametrize(
    ("key", "private"),
    [
        ("00091001", True),
        ("60020010", False),
        ("PatientID", False),
        ("0009100", False),
        ("0009100g", False),
    ],
)
def test_private_keys(key: str, private: bool) -> None:
    """A private tag is eight hexadecimal digits of an odd group."""
    assert private is is_private(key)


# --- the files that come with pydicom -------------------------------------------------------------


def files() -> Iterator[Path]:
    """The files of pydicom that are DICOM Part 10."""
    for folder in ("test_files", "charset_files"):
        for file in sorted((DATA / folder).rglob("*.dcm")):
            if file.name not in NOT_READ:
                yield file


def expected_keys(given: Dataset) -> set[str]:
    """The keys of whatever can be read and is neither pixels nor large."""
    found = set()
    for tag in given.keys():  # noqa: SIM118 - the items would read the values
        try:
            element = given[tag]
        except Exception:
            continue
        keyword = keyword_for_tag(tag)
        binary = element.VR in ("OB", "OW", "OF", "OD", "OL", "OV", "UN", "OB or OW")
        large = binary and len(element.value or b"") > MOST
        if tag.element == 0 or keyword in PIXELS or large:
            continue
        named = keyword and not tag.is_private and not repeater_has_tag(tag)
        found.add(keyword if named else f"{tag:08X}")
    return found


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.name)
def test_a_file_of_pydicom(path: Path) -> None:
    """All that can be read is at one level, and is JSON."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = pydicom.dcmread(path)
        found = normalise(given)
        expected = Counter(expected_keys(given) | expected_keys(given.file_meta))
    levels = [found.instance["DICOM"], *found.levels.values()]
    assert expected == Counter(key for level in levels for key in level)
    document = orjson.loads(orjson.dumps([found.levels, found.instance]))
    assert set(found.instance["DICOM"]) == set(document[1]["DICOM"])
    assert set(found.instance["DICOMVRs"]) >= {k for k in expected if is_private(k)}
