"""Frames are decoded as pydicom decodes their files, and laid out as the metadata describe."""

from __future__ import annotations

import io
import sys
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels.processing import convert_color_space

from gateway.errors import NotAcceptableError
from gateway.imaging.decoding import (
    BIG_ENDIAN,
    EXPLICIT_LITTLE_ENDIAN,
    array_of,
    explicit_little_endian,
)
from gateway.imaging.description import FrameDescription, describe
from tests.unit.pixelfiles import NAMES, dataset, decoded, metadata, stored_frames, syntax_of

HTJ2K = "1.2.840.10008.1.2.4.201"
GREY = FrameDescription(4, 6, 1, 16, 12, False, "MONOCHROME2")
COLOUR = FrameDescription(4, 6, 3, 8, 8, False, "RGB")


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_is_what_pydicom_makes_of_its_file(name: str) -> None:
    """The metadata and the bytes of one frame are enough for the same samples."""
    one = dataset(name)
    expected = decoded(name)
    frames = stored_frames(one)
    assert len(frames) == len(expected)
    for number in {1, len(frames)}:
        described = describe(metadata(name), number)
        actual = array_of(frames[number - 1], syntax_of(one), described)
        np.testing.assert_array_equal(expected[number - 1], actual)


@pytest.mark.parametrize("name", NAMES)
def test_explicit_little_endian_reads_back_as_described(name: str) -> None:
    """What is given without compression is what the metadata describe, read by pydicom again."""
    one = dataset(name)
    described = describe(metadata(name))
    octets = explicit_little_endian(stored_frames(one)[0], syntax_of(one), described)
    assert len(octets) == described.frame_bytes
    plain = array_of(octets, EXPLICIT_LITTLE_ENDIAN, _as_octets(described))
    tolerance = 3 if described.photometric == "YBR_FULL_422" and _is_lossy(one) else 0
    expected: NDArray[Any] = decoded(name)[0]
    assert np.abs(expected.astype(np.int64) - plain.astype(np.int64)).mean() <= tolerance


def _as_octets(described: FrameDescription) -> FrameDescription:
    if described.photometric in ("YBR_RCT", "YBR_ICT"):
        return replace(described, photometric="RGB")
    return described


def _is_lossy(one: pydicom.FileDataset) -> bool:
    return syntax_of(one).startswith("1.2.840.10008.1.2.4.5")


def test_the_planes_are_apart_where_they_are_described_so() -> None:
    """PlanarConfiguration 1 holds for octets that come out of a codestream without planes."""
    name = "SC_rgb_gdcm_KY.dcm"
    described = replace(describe(metadata(name)), planar=1)
    octets = explicit_little_endian(
        stored_frames(dataset(name))[0], syntax_of(dataset(name)), described
    )
    planes = np.frombuffer(octets, np.uint8).reshape(3, described.rows, described.columns)
    np.testing.assert_array_equal(decoded(name)[0].transpose(2, 0, 1), planes)


@pytest.mark.parametrize(
    ("bits", "signed"), [(8, False), (12, False), (12, True), (16, False), (16, True)]
)
def test_htj2k_of_every_depth(bits: int, signed: bool) -> None:
    """HTJ2K, which HealthImaging stores, comes out bit for bit."""
    least = -(2 ** (bits - 1)) if signed else 0
    kind = np.dtype(("i" if signed else "u") + ("1" if bits == 8 else "2"))
    samples = np.random.default_rng(7).integers(least, least + 2**bits, (20, 31)).astype(kind)
    described = FrameDescription(
        20, 31, 1, kind.itemsize * 8, bits, signed, "MONOCHROME2", pixel_vr="OB"
    )
    frame = _htj2k(samples)
    np.testing.assert_array_equal(samples, array_of(frame, HTJ2K, described))
    assert samples.tobytes() == explicit_little_endian(frame, HTJ2K, described)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_RCT", "YBR_FULL", "YBR_FULL_422"])
def test_colours_of_a_codestream_outrank_the_metadata(photometric: str) -> None:
    """A codestream with a component transformation gives RGB, whatever was there before it."""
    samples = np.random.default_rng(7).integers(0, 256, (20, 32, 3)).astype(np.uint8)
    described = FrameDescription(20, 32, 3, 8, 8, False, photometric)
    actual = array_of(_htj2k(samples), HTJ2K, described)
    np.testing.assert_array_equal(samples, actual)


def _htj2k(samples: NDArray[Any]) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.htj2k_encode(samples, reversible=True))


def test_an_uncompressed_frame_of_ybr_422_is_rgb_when_decoded() -> None:
    """The two pixels that share a colour have it both."""
    ybr = np.array([[[10, 100, 200], [20, 100, 200]]], np.uint8)
    described = FrameDescription(1, 2, 3, 8, 8, False, "YBR_FULL_422")
    expected = convert_color_space(ybr, "YBR_FULL", "RGB")
    actual = array_of(bytes((10, 20, 100, 200)), EXPLICIT_LITTLE_ENDIAN, described)
    np.testing.assert_array_equal(expected, actual)


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_floats(kind: str) -> None:
    """Float Pixel Data and Double Float Pixel Data."""
    samples = np.linspace(-1, 1, 24).reshape(4, 6).astype(kind)
    bits = samples.dtype.itemsize * 8
    described = FrameDescription(4, 6, 1, bits, bits, False, "MONOCHROME2", is_float=True)
    actual = array_of(samples.tobytes(), EXPLICIT_LITTLE_ENDIAN, described)
    np.testing.assert_array_equal(samples, actual)


def test_a_row_of_odd_length_shares_its_last_colour_with_nobody() -> None:
    """YBR_FULL_422 has pairs; the last pixel of an odd row is one of itself."""
    name = "SC_rgb_small_odd_jpeg.dcm"
    described = replace(describe(metadata(name)), photometric="YBR_FULL_422")
    frame = stored_frames(dataset(name))[0]
    assert 3 * 4 * 2 == len(explicit_little_endian(frame, syntax_of(dataset(name)), described))


def test_jfif_is_ybr_whatever_the_metadata_say() -> None:
    """A JPEG with JFIF's marker is YBR, as every other reader takes it."""
    described = FrameDescription(8, 16, 3, 8, 8, False, "RGB")
    array = array_of(_jpeg(width=16, height=8), "1.2.840.10008.1.2.4.50", described)
    assert np.abs(array.astype(int) - (200, 30, 60)).max() <= 3


JPEG_HEADER = (
    b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x04\x00\x06\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00"
)
GREY_SIDES = GREY.rows.to_bytes(2, "big") + GREY.columns.to_bytes(2, "big")


def _jpeg(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 60)).save(file, "JPEG", quality=95)
    return file.getvalue()


REFUSED = {
    "shorter than described": (b"\0" * 47, EXPLICIT_LITTLE_ENDIAN, GREY),
    "empty": (b"", EXPLICIT_LITTLE_ENDIAN, GREY),
    "no JPEG": (b"\0" * 64, "1.2.840.10008.1.2.4.50", COLOUR),
    "a JPEG that is only a header": (JPEG_HEADER, "1.2.840.10008.1.2.4.50", COLOUR),
    "a JPEG of another size": (
        JPEG_HEADER.replace(b"\x00\x04\x00\x06", b"\xff\xff\xff\xff"),
        "1.2.840.10008.1.2.4.50",
        COLOUR,
    ),
    "a JPEG of more samples": (
        JPEG_HEADER.replace(b"\x00\x04\x00\x06", GREY_SIDES),
        "1.2.840.10008.1.2.4.50",
        GREY,
    ),
    "a JPEG of so many columns as there are rows": (
        _jpeg(width=4, height=6),
        "1.2.840.10008.1.2.4.50",
        COLOUR,
    ),
    "no JPEG 2000": (b"\xff\x4f\xff\x51", "1.2.840.10008.1.2.4.90", GREY),
    "a damaged RLE": (b"\1" * 64, "1.2.840.10008.1.2.5", GREY),
    "a video": (b"\0" * 64, "1.2.840.10008.1.2.4.102", COLOUR),
    "no transfer syntax": (b"\0" * 64, "1.2.3", GREY),
    "no UID": (b"\0" * 64, "", GREY),
}


@pytest.mark.parametrize(("frame", "syntax", "described"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_decoded_is_refused(
    frame: bytes, syntax: str, described: FrameDescription
) -> None:
    """A damaged frame or an unknown transfer syntax is no bug, and its sentence holds no value."""
    with pytest.raises(NotAcceptableError, match=r"^The instance's .* can't be .*\.$"):
        array_of(frame, syntax, described)


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "JPEG2000-embedded-sequence-delimiter.dcm"])
def test_what_no_plugin_decodes_is_refused(name: str) -> None:
    """JPEG of 12 bits has no decoder of a licence that fits; one codestream is broken."""
    one = dataset(name)
    with pytest.raises(NotAcceptableError):
        array_of(stored_frames(one)[0], syntax_of(one), describe(metadata(name)))


def test_any_damage_is_refused_or_decoded() -> None:
    """Frames with bytes cut off or changed never raise what is not ours."""
    random = np.random.default_rng(11)
    for name in ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "SC_rgb_small_odd_jpeg.dcm"):
        one, described = dataset(name), describe(metadata(name))
        whole = stored_frames(one)[0]
        for _ in range(25):
            frame = bytearray(whole[: int(random.integers(0, len(whole) + 1))])
            for at in random.integers(0, max(len(frame), 1), 3):
                frame[at : at + 1] = bytes([int(random.integers(0, 256))])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    array = array_of(bytes(frame), syntax_of(one), described)
                except NotAcceptableError:
                    continue
            assert array.shape[:2] == (described.rows, described.columns)


def test_without_the_extra_it_is_not_acceptable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what is to be installed."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(NotAcceptableError, match="extra `pixels`"):
        array_of(b"\0" * 48, EXPLICIT_LITTLE_ENDIAN, GREY)


DAMAGE = {
    "lossless JPEG of 197 bits": ("SC_rgb_jpeg_gdcm.dcm", 22, 197),
    "lossless JPEG with an odd byte for a marker": ("SC_rgb_jpeg_gdcm.dcm", 37, 155),
    "JPEG with a marker that is none": ("SC_rgb_dcmtk_+eb+cr.dcm", 3, 214),
    "JPEG 2000 of 58 bits": ("JPEG2000.dcm", 42, 185),
}


@pytest.mark.parametrize(("name", "at", "byte"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_byte_does_not_end_the_process(name: str, at: int, byte: int) -> None:
    """Each of these ended it, by a library's abort or by a fault of its memory."""
    frame = bytearray(stored_frames(dataset(name))[0])
    frame[at] = byte
    with pytest.raises(NotAcceptableError):
        array_of(bytes(frame), syntax_of(dataset(name)), describe(metadata(name)))


def test_jpeg_ls_that_breaks_off_is_not_decoded() -> None:
    """The decoder is at such a frame for many seconds, in which nothing else runs."""
    name = "MR_small_jpeg_ls_lossless.dcm"
    (frame,) = stored_frames(dataset(name))
    with pytest.raises(NotAcceptableError):
        array_of(frame[:1497], syntax_of(dataset(name)), describe(metadata(name)))
    whole = array_of(frame + b"\0\0", syntax_of(dataset(name)), describe(metadata(name)))
    np.testing.assert_array_equal(decoded(name)[0], whole)


def test_octets_in_big_endian_need_their_vr() -> None:
    """OW has them swapped and OB does not: a guess would be another picture."""
    frame = bytes(range(72))
    described = replace(COLOUR, bits_stored=8)
    swapped = array_of(frame, BIG_ENDIAN, replace(described, pixel_vr="OW"))
    plain = array_of(frame, BIG_ENDIAN, replace(described, pixel_vr="OB"))
    assert ([1, 0, 3], [0, 1, 2]) == (swapped[0, 0].tolist(), plain[0, 0].tolist())
    with pytest.raises(NotAcceptableError):
        array_of(frame, BIG_ENDIAN, replace(described, pixel_vr=""))
