"""Image frames: what the metadata says of them, and their bytes in the file."""

from __future__ import annotations

import warnings
import zlib
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)

from gateway.emulator.frames import described_frames, frame_id, read_frame

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
SOP_UID = UID("1.2.3")


def image(syntax: UID = ExplicitVRLittleEndian, **values: Any) -> FileDataset:
    """Two rows and three columns of bytes."""
    given = FileDataset("x.dcm", {}, file_meta=FileMetaDataset())
    given.file_meta.TransferSyntaxUID = syntax
    given.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    given.file_meta.MediaStorageSOPInstanceUID = SOP_UID
    given.SOPClassUID, given.SOPInstanceUID = SecondaryCaptureImageStorage, SOP_UID
    own = {"Rows": 2, "Columns": 3, "SamplesPerPixel": 1, "BitsAllocated": 8, **values}
    for keyword, value in own.items():
        setattr(given, keyword, value)
    if "PixelData" in given:
        given["PixelData"].VR = "OB"
    return given


SIX, TWELVE = bytes(range(6)), bytes(range(12))


@pytest.mark.parametrize(
    ("given", "frames"),
    [
        pytest.param(image(PixelData=SIX), [SIX], id="one frame"),
        pytest.param(image(PixelData=SIX, NumberOfFrames=None), [SIX], id="no number of frames"),
        pytest.param(image(PixelData=TWELVE, NumberOfFrames=2), [TWELVE[:6], TWELVE[6:]],
                     id="two frames"),
        pytest.param(image(PixelData=TWELVE, BitsAllocated=16), [TWELVE], id="16 bits"),
        pytest.param(image(PixelData=bytes(18), SamplesPerPixel=3), [bytes(18)], id="colour"),
        pytest.param(image(PixelData=TWELVE, Columns=4, Rows=1, SamplesPerPixel=3),
                     [TWELVE], id="a row of colour"),
        pytest.param(
            image(PixelData=TWELVE + SIX[:4], Columns=2, SamplesPerPixel=3, NumberOfFrames=2,
                  PhotometricInterpretation="YBR_FULL_422"),
            [TWELVE[:8], TWELVE[8:] + SIX[:4]], id="pixels that share their colour",
        ),
        pytest.param(image(PixelData=b"\x3f\0", BitsAllocated=1), [b"\x3f"], id="one bit"),
        pytest.param(image(PixelData=b"\xff\x0f", BitsAllocated=1, NumberOfFrames=2),
                     [b"\xff\x0f"], id="frames that share a byte are one"),
        pytest.param(image(PixelData=SIX + b"\0\0", Columns=3), [SIX], id="padding is no pixel"),
        pytest.param(image(JPEGBaseline8Bit, PixelData=encapsulate([b"ab"])), [b"ab"],
                     id="encapsulated"),
        pytest.param(image(JPEGBaseline8Bit, PixelData=encapsulate([b"ab", b"cdef"]),
                           NumberOfFrames=2), [b"ab", b"cdef"], id="two encapsulated"),
        pytest.param(image(), [], id="no pixels"),
        pytest.param(image(PixelData=b""), [], id="empty pixels"),
    ],
)  # fmt: skip
def test_frames(tmp_path: Path, given: FileDataset, frames: list[bytes]) -> None:
    """Each frame with its size, and read back from the file by its number."""
    path = tmp_path / "x.dcm"
    described = described_frames(given)
    given.save_as(path, enforce_file_format=True)
    assert frames == [read_frame(path, number) for number in range(len(described))]
    assert [len(frame) for frame in frames] == [one["FrameSizeInBytes"] for one in described]
    assert [frame_id(SOP_UID, n) for n in range(len(frames))] == [one["ID"] for one in described]
    with pytest.raises(IndexError):
        read_frame(path, len(frames))


def test_checksum() -> None:
    """CRC-32 of the pixels with width and height, where they are not compressed."""
    expected = [{"Width": 3, "Height": 2, "Checksum": zlib.crc32(SIX)}]
    for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        (plain,) = described_frames(image(syntax, PixelData=SIX))
        assert expected == plain["PixelDataChecksumFromBaseToFullResolution"]
    (jpeg,) = described_frames(image(JPEGBaseline8Bit, PixelData=encapsulate([SIX])))
    assert {"ID", "FrameSizeInBytes"} == set(jpeg)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(image(PixelData=SIX[:4]), id="too short"),
        pytest.param(image(PixelData=TWELVE, NumberOfFrames=3), id="too short for three frames"),
        pytest.param(image(PixelData=SIX, Rows=None), id="no rows"),
        pytest.param(image(PixelData=SIX, Rows=0), id="no row"),
        pytest.param(image(JPEGBaseline8Bit, PixelData=b"abcdefgh"), id="not encapsulated"),
    ],
)
def test_pixels_that_contradict_their_description(given: FileDataset) -> None:
    """They are no frames."""
    with pytest.raises((ValueError, TypeError)):
        described_frames(given)


def test_identifiers() -> None:
    """Of 32 characters of 0-9a-f, another one for each frame, the same each time."""
    found = [frame_id(uid, number) for uid in ("1.2", "1.20") for number in (0, 1)]
    assert 4 == len(set(found))
    assert found[0] == frame_id("1.2", 0)
    assert all(32 == len(one) and set(one) <= set("0123456789abcdef") for one in found)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("CT_small.dcm", 1),
        ("ExplVR_BigEnd.dcm", 1),
        ("liver_1frame.dcm", 1),
        ("SC_rgb_rle_2frame.dcm", 2),
        ("image_dfl.dcm", 1),
        ("rtdose.dcm", 15),
        ("SC_ybr_full_422_uncompressed.dcm", 1),
        ("SC_rgb_jpeg_dcmtk.dcm", 1),
        ("reportsi.dcm", 0),
    ],
)
def test_files_of_pydicom(name: str, number: int) -> None:
    """As many frames as the file says, each of the size that is told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        described = described_frames(pydicom.dcmread(BUNDLED / name))
        assert number == len(described)
        for place in {0, number - 1} if number else ():
            read = read_frame(BUNDLED / name, place)
            assert described[place]["FrameSizeInBytes"] == len(read)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """Is an OSError."""
    with pytest.raises(OSError, match="No such file"):
        read_frame(tmp_path / "x.dcm", 0)
