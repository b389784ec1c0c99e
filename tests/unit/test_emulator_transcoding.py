"""Pixels in other transfer syntaxes: HTJ2K bit for bit, decoded as pydicom does, or refused."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from openjpeg.utils import decode
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from gateway.emulator.htj2k import CONTENT_TYPES, ImageFrames
from gateway.emulator.layout import read_layout
from gateway.emulator.transcoding import (
    ELE,
    RPCL,
    NotTranscodableError,
    becomes_htj2k,
    can_encode,
    file_as,
    frame_as,
)

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
ROWS, COLUMNS = 33, 47


def image(path: Path, kind: str, *, samples: int = 1, planar: int = 0, **values: Any) -> Any:
    """Write a file with two frames of noise; the pixels."""
    random = np.random.default_rng(1)
    shape = (2, ROWS, COLUMNS, samples) if samples > 1 else (2, ROWS, COLUMNS)
    bounds = np.iinfo(kind)
    pixels = random.integers(bounds.min, bounds.max, shape, dtype=kind, endpoint=True)
    syntax = UID(values.pop("syntax", ExplicitVRLittleEndian))
    is_little = syntax != ExplicitVRBigEndian
    file = FileDataset(
        "", {}, preamble=bytes(128), file_meta=FileMetaDataset(), is_little_endian=is_little
    )
    file.file_meta.TransferSyntaxUID = syntax
    file.SOPClassUID, file.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    file.Rows, file.Columns, file.NumberOfFrames = ROWS, COLUMNS, 2
    file.SamplesPerPixel, file.PlanarConfiguration = samples, planar
    file.BitsAllocated = file.BitsStored = 8 * pixels.itemsize
    file.HighBit = file.BitsStored - 1
    file.PixelRepresentation = int(kind.startswith("i"))
    file.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
    for keyword, value in values.items():
        setattr(file, keyword, value)
    stored = pixels.transpose(0, 3, 1, 2) if planar else pixels
    file.PixelData = (stored if is_little else stored.byteswap()).tobytes()
    file["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    implicit = syntax == ImplicitVRLittleEndian
    pydicom.dcmwrite(path, file, implicit_vr=implicit, little_endian=is_little)
    return pixels


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param("u1", {}, id="8 bits"),
        pytest.param("i1", {}, id="8 bits with sign"),
        pytest.param("u2", {}, id="16 bits"),
        pytest.param("i2", {}, id="16 bits with sign"),
        pytest.param("i2", {"syntax": ImplicitVRLittleEndian}, id="implicit VR"),
        pytest.param("i2", {"syntax": ExplicitVRBigEndian}, id="big endian"),
        pytest.param("u1", {"syntax": ExplicitVRBigEndian}, id="big endian, bytes"),
        pytest.param("u1", {"samples": 3}, id="colour"),
        pytest.param("u1", {"samples": 3, "planar": 1}, id="colour by plane"),
        pytest.param("u2", {"samples": 3}, id="colour of 16 bits"),
        pytest.param("u1", {"PhotometricInterpretation": "PALETTE COLOR"}, id="a palette"),
    ],
)
def test_htj2k(tmp_path: Path, kind: str, values: dict[str, Any]) -> None:
    """A frame decodes to the pixels, by another library, and its progression is RPCL."""
    pixels = image(tmp_path / "x.dcm", kind, **values)
    layout = read_layout(tmp_path / "x.dcm")
    for index in range(2):
        encoded = frame_as(str(tmp_path / "x.dcm"), layout, index, RPCL)
        assert 2 == encoded[encoded.index(b"\xff\x52") + 5]
        decoded = decode(encoded)
        assert (pixels.dtype, pixels[index].shape) == (decoded.dtype, decoded.shape)
        assert pixels[index].tobytes() == decoded.tobytes()


@pytest.mark.parametrize(
    "name",
    ["MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm",
     "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle_16bit.dcm"],
)  # fmt: skip
def test_htj2k_of_a_lossless_syntax(name: str) -> None:
    """What was compressed without loss is what it was."""
    file = pydicom.dcmread(BUNDLED / name)
    encoded = frame_as(str(BUNDLED / name), read_layout(BUNDLED / name), 0, RPCL)
    assert file.pixel_array.tobytes() == decode(encoded).tobytes()


@pytest.mark.parametrize(
    ("syntax", "bits", "samples", "photometric", "expected"),
    [
        pytest.param(ELE, 16, 1, "MONOCHROME2", True, id="native"),
        pytest.param(RLELossless, 8, 3, "RGB", True, id="lossless"),
        pytest.param(JPEGBaseline8Bit, 8, 3, "RGB", False, id="lossy"),
        pytest.param(ELE, 1, 1, "MONOCHROME2", False, id="a binary segmentation"),
        pytest.param(ELE, 32, 1, "MONOCHROME2", False, id="32 bits"),
        pytest.param(ELE, 8, 3, "YBR_FULL_422", False, id="pixels that share their colour"),
        pytest.param(ELE, 8, 3, "MONOCHROME2", False, id="samples that do not fit"),
        pytest.param(RPCL, 16, 1, "MONOCHROME2", False, id="it is HTJ2K"),
        pytest.param("1.2.840.10008.1.2.4.102", 8, 3, "YBR_PARTIAL_420", False, id="a video"),
    ],
)
def test_what_becomes_htj2k(
    syntax: str,
    bits: int,
    samples: int,
    photometric: str,
    expected: bool,
) -> None:
    """As HealthImaging has it, as far as it can be had without loss."""
    assert expected is becomes_htj2k(syntax, bits, samples, photometric)


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "image_dfl.dcm",
     "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_jpeg_gdcm.dcm", "MR_small_implicit.dcm"],
)  # fmt: skip
def test_decoded_frames(name: str) -> None:
    """The pixels that pydicom finds, little endian."""
    layout = read_layout(BUNDLED / name)
    pixels = pydicom.dcmread(BUNDLED / name).pixel_array.reshape(layout.number, -1)
    for index in range(layout.number):
        found = frame_as(str(BUNDLED / name), layout, index, ELE)
        assert pixels[index].astype(pixels.dtype.newbyteorder("<")).tobytes() == found


@pytest.mark.parametrize(
    "name", ["MR_small_implicit.dcm", "MR_small_RLE.dcm", "image_dfl.dcm", "reportsi.dcm"]
)
@pytest.mark.parametrize("syntax", [ELE, RPCL])
def test_files(name: str, syntax: str) -> None:
    """A whole file, readable, with the same identity and pixels."""
    file, layout = pydicom.dcmread(BUNDLED / name), read_layout(BUNDLED / name)
    if syntax == RPCL and not layout.number:
        with pytest.raises(NotTranscodableError):
            file_as(str(BUNDLED / name), layout, syntax)
        return
    found = pydicom.dcmread(io.BytesIO(file_as(str(BUNDLED / name), layout, syntax)))
    assert (syntax, file.SOPInstanceUID, file.PatientName) == (
        found.file_meta.TransferSyntaxUID,
        found.SOPInstanceUID,
        found.PatientName,
    )
    if layout.number:
        assert file.pixel_array.tobytes() == found.pixel_array.tobytes()


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        pytest.param("CT_small.dcm", JPEGBaseline8Bit, id="a syntax that nobody writes"),
        pytest.param("SC_rgb_jpeg_dcmtk.dcm", RPCL, id="a lossy frame without loss"),
        pytest.param("SC_rgb_small_odd_big_endian.dcm", ELE, id="bytes in words"),
        pytest.param("JPGExtended.dcm", ELE, id="what no decoder reads"),
        pytest.param("rtdose_1frame.dcm", RPCL, id="32 bits"),
    ],
)
def test_refused_frames(name: str, syntax: str) -> None:
    """What cannot be had."""
    with warnings.catch_warnings(), pytest.raises(NotTranscodableError):
        warnings.simplefilter("ignore")
        frame_as(str(BUNDLED / name), read_layout(BUNDLED / name), 0, syntax)


@pytest.mark.parametrize(
    ("name", "syntax"),
    [("CT_small.dcm", "1.2.3"), ("MR_small_bigendian.dcm", ELE), ("SC_rgb_jpeg_dcmtk.dcm", RPCL),
     ("JPGExtended.dcm", ELE)],
)  # fmt: skip
def test_refused_files(name: str, syntax: str) -> None:
    """What cannot be had, of a whole file."""
    with pytest.raises(NotTranscodableError):
        file_as(str(BUNDLED / name), read_layout(BUNDLED / name), syntax)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTJ2K cannot be had; what needs no encoder can."""
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert not can_encode()
    path, layout = str(BUNDLED / "CT_small.dcm"), read_layout(BUNDLED / "CT_small.dcm")
    with pytest.raises(NotTranscodableError):
        frame_as(path, layout, 0, RPCL)
    assert pydicom.dcmread(path).PixelData == frame_as(path, layout, 0, ELE)


def test_content_types() -> None:
    """As documented of GetImageFrame; bytes where nothing is."""
    stored = ImageFrames("stored")
    _, kind = stored.frame(BUNDLED / "CT_small.dcm", 0)
    assert "application/octet-stream" == kind
    _, kind = stored.frame(BUNDLED / "SC_rgb_jpeg_dcmtk.dcm", 0)
    assert "image/jpeg" == kind
    encoded, kind = ImageFrames("htj2k").frame(BUNDLED / "CT_small.dcm", 0)
    assert ("image/jph", b"\xff\x4f") == (kind, encoded[:2])
    assert {"video/mpeg", "video/mp4", "video/H256"} < set(CONTENT_TYPES.values())
