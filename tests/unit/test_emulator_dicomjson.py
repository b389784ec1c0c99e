"""DICOM JSON of the emulator: the file's values, and the version's in their place."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from gateway.emulator.dicomjson import MOST_DOCUMENT, bulk_values, metadata
from gateway.emulator.keeping import Kept
from gateway.emulator.normalising import MOST_BINARY, normalise
from tests.unit.test_emulator_layout import part10_files

BUNDLED = Path(pydicom.__file__).parent / "data"
CT = BUNDLED / "test_files" / "CT_small.dcm"
BASE = "http://x/bulkdata/"


def of_file(path: Path, **changed: Any) -> dict[str, Any]:
    """The JSON of a file in an image set that has other values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = normalise(pydicom.dcmread(path))
        body = {**made.instance, "DICOM": {**made.instance["DICOM"], **changed}}
        found: dict[str, Any] = json.loads(metadata(made.levels, body, str(path), BASE))
    return found


def of_store(vrs: Mapping[str, str] | None = None, **values: Any) -> dict[str, Any]:
    """The JSON of what only the store knows."""
    found: dict[str, Any] = json.loads(
        metadata({}, {"DICOM": values, "DICOMVRs": vrs or {}}, "", BASE)
    )
    return found


@pytest.mark.parametrize(
    "path",
    [*part10_files(BUNDLED / "charset_files"), *part10_files(BUNDLED / "test_files")],
    ids=lambda path: path.name,
)
def test_files_of_pydicom(path: Path) -> None:
    """Each element is as pydicom has it; none is added but what stands behind the pixels."""
    found = of_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = pydicom.dcmread(path, stop_before_pixels=True)
        for element in file:
            key = f"{element.tag:08X}"
            unreadable = (path.name, element.keyword) == ("badVR.dcm", "NumberOfFrames")
            if (
                element.tag.element
                and not unreadable
                and element.VR not in ("SQ", "OB or OW", "US or SS")
            ):
                expected = json.loads(json.dumps(element.to_json_dict(None, 0)))
                expected |= (
                    {"Value": [x or None for x in expected["Value"]]}
                    if ("" in expected.get("Value", ()))
                    else {}
                )
                assert (key, expected) == (key, found[key])
    assert sorted(found) == list(found)
    assert not [key for key in found if key.endswith("0000") or key.startswith("0002")]
    assert "7FE00010" not in found


@pytest.mark.parametrize(
    ("keyword", "value", "tag", "expected"),
    [
        pytest.param("InstanceNumber", "7 ", "00200013", {"vr": "IS", "Value": [7]}, id="IS"),
        pytest.param("InstanceNumber", "x", "00200013", {"vr": "IS", "Value": ["x"]},
                     id="an IS that is none"),
        pytest.param("SliceThickness", "1.50", "00180050", {"vr": "DS", "Value": [1.5]}, id="DS"),
        pytest.param("ImageType", ["A", None, "B "], "00080008",
                     {"vr": "CS", "Value": ["A", None, "B"]}, id="several"),
        pytest.param("ImageComments", " x ", "00204000", {"vr": "LT", "Value": [" x"]},
                     id="text keeps its leading spaces"),
        pytest.param("SOPClassUID", "1.2\0", "00080016", {"vr": "UI", "Value": ["1.2"]}, id="UI"),
        pytest.param("PatientName", "A^B=C=D", "00100010",
                     {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Ideographic": "C",
                                             "Phonetic": "D"}]}, id="PN"),
        pytest.param("PatientName", "=C", "00100010",
                     {"vr": "PN", "Value": [{"Ideographic": "C"}]}, id="PN of one group"),
        pytest.param("Rows", 7, "00280010", {"vr": "US", "Value": [7]}, id="US"),
        pytest.param("SmallestImagePixelValue", 7, "00280106", {"vr": "US", "Value": [7]},
                     id="US or SS"),
        pytest.param("StudyDescription", None, "00081030", {"vr": "LO"}, id="null"),
        pytest.param("ReferencedImageSequence", [{"ReferencedSOPInstanceUID": "1.2"}], "00081140",
                     {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}]},
                     id="a sequence"),
        pytest.param("ICCProfile", "AAE=", "00282000", {"vr": "OB", "InlineBinary": "AAE="},
                     id="bytes"),
        pytest.param("00091001", "x", "00091001", {"vr": "LO", "Value": ["x"]}, id="private"),
    ],
)  # fmt: skip
def test_values_of_the_store(keyword: str, value: Any, tag: str, expected: Any) -> None:
    """Alone, and in the place of the file's."""
    vrs = {"00091001": "LO"}
    assert {tag: expected} == of_store(vrs, **{keyword: value})
    made = normalise(pydicom.dcmread(CT))
    body = {"DICOM": {**made.instance["DICOM"], keyword: value},
            "DICOMVRs": {**made.instance["DICOMVRs"], **vrs}}  # fmt: skip
    levels = {
        level: {k: v for k, v in values.items() if k != keyword}
        for level, values in made.levels.items()
    }
    found = json.loads(metadata(levels, body, str(CT), BASE))
    before = of_file(CT)
    assert expected == found[tag]
    assert {k: v for k, v in before.items() if k != tag} == {
        k: v for k, v in found.items() if k != tag
    }


def test_a_value_that_is_not_of_its_vr() -> None:
    """It is given as the text that it is."""
    found = of_file(BUNDLED / "test_files" / "badVR.dcm")
    assert {"vr": "IS", "Value": ["1A"]} == found["00280008"]


def test_keys_that_are_no_attribute() -> None:
    """They are left out, as is group 2."""
    assert {} == of_store(Nonsense=1, TransferSyntaxUID="1.2", DataSetTrailingPadding="AAE=")


def _private(path: Path, size: int, syntax: str = "", *, nested: bool = False) -> Path:
    file = pydicom.dcmread(CT)
    holder: Dataset = Dataset() if nested else file
    holder.private_block(0x0045, "EXAMPLE", create=True).add_new(0x26, "UN", bytes(size))
    if nested:
        file.ReferencedImageSequence = [holder]
    if syntax:
        file.file_meta.TransferSyntaxUID = UID(syntax)
    file.save_as(path)
    return path


@pytest.mark.parametrize(
    ("options", "where"),
    [
        pytest.param({}, ("00451026",), id="in the file"),
        pytest.param({"nested": True}, ("00081140", "Value", 0, "00451026"), id="in an item"),
        pytest.param({"syntax": DeflatedExplicitVRLittleEndian}, ("00451026",), id="deflated"),
    ],
)
def test_large_values(tmp_path: Path, options: dict[str, Any], where: tuple[Any, ...]) -> None:
    """From 1 MB on they stand outside, under a hash that is the same each time."""
    most = MOST_BINARY
    for size, expected in ((most, "InlineBinary"), (most + 2, "BulkDataURI")):
        path = _private(tmp_path / "x.dcm", size, **options)
        found: Any = of_file(path)
        for step in where:
            found = found[step]
        assert ("UN", {"vr", expected}) == (found["vr"], set(found))
        outside = dict(bulk_values(str(path)))
        if expected == "BulkDataURI":
            ((name, bulk),) = outside.items()
            assert BASE + name == found["BulkDataURI"]
            assert size == (bulk.length if bulk.value is None else len(bulk.value))
        else:
            assert {} == outside


def test_encapsulated_documents(tmp_path: Path) -> None:
    """A document stands outside though it is small; a tiny one does not."""
    for size, expected in ((MOST_DOCUMENT, "InlineBinary"), (MOST_DOCUMENT + 2, "BulkDataURI")):
        file = pydicom.dcmread(CT)
        file.EncapsulatedDocument = bytes(size)
        file.save_as(tmp_path / "x.dcm")
        assert {"vr", expected} == set(of_file(tmp_path / "x.dcm")["00420011"])


def test_a_file_that_is_gone() -> None:
    """What the store knows is given."""
    body = {"DICOM": {"Rows": 1}, "DICOMVRs": {}}
    found = json.loads(metadata({"Patient": {"PatientID": "X"}}, body, "/nowhere/x.dcm", BASE))
    assert {
        "00100020": {"vr": "LO", "Value": ["X"]},
        "00280010": {"vr": "US", "Value": [1]},
    } == found


def test_kept() -> None:
    """The oldest go first, and what is kept is not made again."""
    kept, made = Kept(4), []

    def make(name: str) -> bytes:
        def once() -> bytes:
            made.append(name)
            return name.encode()

        return kept.get(name, once)

    for name in ("aa", "bb", "aa", "cc", "bb", "aa", "ddddd", "aa"):
        assert name.encode() == make(name)
    assert ["aa", "bb", "cc", "aa", "ddddd", "aa"] == made
