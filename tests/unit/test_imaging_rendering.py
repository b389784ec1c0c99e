"""Frames are shown as the standard says: windows, inversion, palettes, the viewport, the files."""

from __future__ import annotations

import io
import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

from gateway.errors import NotAcceptableError, QueryError
from gateway.imaging.description import FrameDescription, Palette, Table, Window, describe
from gateway.imaging.rendering import MAX_SIDE, Look, Viewport, render, shown, windowed
from tests.unit.pixelfiles import NAMES, dataset, decoded, metadata

GREY = FrameDescription(1, 4, 1, 16, 16, True, "MONOCHROME2")


def _reference(value: float, window: Window) -> float:
    """PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2 as they are written, from 0 to 1."""
    c, w = window.center, window.width
    if window.function == "SIGMOID":
        return 1 / (1 + math.exp(-4 * (value - c) / w))
    if window.function == "LINEAR_EXACT":
        return 0 if value <= c - w / 2 else 1 if value > c + w / 2 else (value - c) / w + 0.5
    if value <= c - 0.5 - (w - 1) / 2:
        return 0
    if value > c - 0.5 + (w - 1) / 2:
        return 1
    return (value - (c - 0.5)) / (w - 1) + 0.5


WINDOWS = [
    Window(center, width, function)
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID")
    for center, width in ((40, 400), (0, 1), (0.5, 2), (-600, 1600), (2048, 4096), (7, 1.5))
]


@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w.function} {w.center} {w.width}")
def test_a_window_is_the_standards(window: Window) -> None:
    """Each value of a window against the formula."""
    values = np.arange(-3000, 5000, 0.5) if window.width > 100 else np.arange(-20, 20, 0.125)
    expected = [_reference(value, window) for value in values]
    np.testing.assert_allclose(expected, windowed(values, window), atol=1e-12)


@pytest.mark.parametrize("kind", ["<i2", ">i2", "<u2", "u1", "i1", "<i4", "<u4", "<f4"])
def test_every_kind_of_sample_is_windowed_alike(kind: str) -> None:
    """The tables for 8 and 16 bits give what the formula gives, in any byte order."""
    window = Window(50, 61)
    samples = np.array([[0, 20, 49, 50, 51, 80, 100, 127]]).astype(kind)
    described = replace(GREY, is_float="f" in kind, slope=2.0, intercept=-30.0)
    expected = [[round(_reference(float(s) * 2 - 30, window) * 255) for s in samples[0]]]
    np.testing.assert_array_equal(expected, shown(samples, described, window))


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm", "examples_overlay.dcm"])
def test_an_instance_is_shown_as_pydicom_shows_it(name: str) -> None:
    """By the instance's own rescaling and first window, else from its least to its greatest."""
    one, array = dataset(name), decoded(name)[0]
    described = describe(metadata(name))
    values: NDArray[Any] = apply_modality_lut(array, one)
    if described.window is None:
        expected = (values - values.min()) / (values.max() - values.min())
    else:
        values = apply_voi_lut(values, one)
        half = 2 ** (one.BitsStored - 1) if one.PixelRepresentation else 0
        ends = np.array([-half, 2**one.BitsStored - 1 - half]) * described.slope
        ends += described.intercept  # what pydicom spreads a window over
        expected = (values - ends[0]) / (ends[1] - ends[0])
    difference = shown(array, described).astype(int) - np.rint(expected * 255).astype(int)
    assert np.abs(difference).max() <= 1


GREYS = {
    "the whole range": ({}, [0, 1, 2, 4], [0, 64, 128, 255]),
    "one value alone is black": ({}, [7, 7, 7, 7], [0, 0, 0, 0]),
    "inverse": ({"is_inverse": True}, [0, 1, 2, 4], [255, 191, 128, 0]),
    "without its padding": ({"padding": (-9, -8)}, [-9, 0, 2, 4], [0, 0, 128, 255]),
    "all padding": ({"padding": (5, 5)}, [5, 5, 5, 5], [0, 0, 0, 0]),
    "its own window": ({"window": Window(2, 2, "LINEAR_EXACT")}, [0, 1, 2, 4], [0, 0, 128, 255]),
    "a falling slope": ({"slope": -1.0}, [0, 1, 2, 4], [255, 191, 128, 0]),
    "a VOI LUT": (
        {"voi_table": Table(3, 1, 8, bytes((10, 20, 30)))},
        [0, 1, 2, 4],
        [10, 10, 20, 30],
    ),
    "a VOI LUT of 16 bits": (
        {"voi_table": Table(2, 1, 16, b"\x00\x00\xff\xff")},
        [0, 1, 2, 4],
        [0, 0, 255, 255],
    ),
    "a window before a VOI LUT": (
        {"window": Window(2, 4, "LINEAR_EXACT"), "voi_table": Table(2, 1, 8, b"\0\0")},
        [0, 1, 2, 4],
        [0, 64, 128, 255],
    ),
    "a modality LUT": (
        {"modality_table": Table(3, 0, 16, b"\x64\x00\xc8\x00\x2c\x01"), "slope": 9.0},
        [0, 1, 2, 4],
        [0, 128, 255, 255],
    ),
}


@pytest.mark.parametrize(("more", "stored", "expected"), GREYS.values(), ids=GREYS)
def test_greys(more: dict[str, Any], stored: list[int], expected: list[int]) -> None:
    """What stored values look like."""
    for kind in (np.int16, np.int32):
        actual = shown(np.array([stored], kind), replace(GREY, **more))
        assert [expected] == actual.tolist()


def test_a_large_image_is_windowed_in_pieces() -> None:
    """The pieces are put together in order, and share one range."""
    array = np.arange(3_000_000, dtype=np.int32).reshape(3000, 1000)
    described = replace(GREY, rows=3000, columns=1000, bits_allocated=32, bits_stored=32)
    expected = np.rint(array / (array.size - 1) * 255)
    assert np.abs(shown(array, described) - expected).max() <= 1


def test_floats_that_are_no_numbers_are_black() -> None:
    """NaN and the infinities neither move the range nor fail."""
    array = np.array([[np.nan, 0.0, 1.0, np.inf, -np.inf]], np.float32)
    described = replace(GREY, is_float=True, bits_allocated=32)
    assert [[0, 0, 255, 255, 0]] == shown(array, described).tolist()
    assert [[0]] == shown(np.array([[np.nan]], np.float32), described).tolist()


def test_the_requests_window_is_before_the_instances() -> None:
    """The instance's own window gives way."""
    described = replace(GREY, window=Window(2, 4, "LINEAR_EXACT"))
    actual = shown(np.array([[0, 4]], np.int16), described, Window(4, 8, "LINEAR_EXACT"))
    assert [[0, 128]] == actual.tolist()


COLOURS = {
    "8 bits": (np.uint8, 8, [0, 128, 255], [0, 128, 255]),
    "16 bits": (np.uint16, 16, [0, 32_768, 65_535], [0, 128, 255]),
    "12 of 16 bits": (np.uint16, 12, [0, 2048, 4095], [0, 128, 255]),
    "32 bits": (np.uint32, 32, [0, 2**31, 2**32 - 1], [0, 128, 255]),
    "4 of 8 bits": (np.uint8, 4, [0, 8, 15], [0, 136, 255]),
}


@pytest.mark.parametrize(("kind", "bits", "stored", "expected"), COLOURS.values(), ids=COLOURS)
def test_colours_of_any_depth(
    kind: type, bits: int, stored: list[int], expected: list[int]
) -> None:
    """Colours keep their share of the range; no window changes them."""
    described = FrameDescription(1, 1, 3, 32, bits, False, "RGB")
    actual = shown(np.array([[stored]], kind), described, Window(0, 1))
    assert [[expected]] == actual.tolist()


def test_a_palette_is_applied() -> None:
    """The same colours as pydicom's."""
    name = "examples_palette.dcm"
    expected = apply_color_lut(decoded(name)[0], dataset(name)) >> 8
    np.testing.assert_array_equal(expected, shown(decoded(name)[0], describe(metadata(name))))


@pytest.mark.parametrize(
    ("kind", "first"), [("u1", 10), ("<u2", 10), ("<i2", -2)], ids=["8", "16", "signed"]
)
def test_a_palette_begins_at_its_first_value(kind: str, first: int) -> None:
    """Values below the first one have its colour, those behind the last one the last colour."""
    table = Table(3, first, 8, b"\x05\x06\x07")
    described = FrameDescription(
        1, 5, 1, 8, 8, first < 0, "PALETTE COLOR", palette=Palette((table, table, table))
    )
    stored = np.array([[first - 1, first, first + 1, first + 2, first + 3]]).astype(kind)
    assert [[[grey] * 3 for grey in (5, 5, 6, 7, 7)]] == shown(stored, described).tolist()


WORDS = {
    "8 bits in bytes": (8, "u1", 1),
    "8 bits in the lower half of words": (8, "<u2", 1),
    "8 bits in the upper half of words": (8, "<u2", 256),
    "8 bits in both": (8, "<u2", 257),
    "16 bits": (16, "<u2", 257),
}


@pytest.mark.parametrize(("bits", "kind", "factor"), WORDS.values(), ids=WORDS)
def test_the_entries_of_a_palette(bits: int, kind: str, factor: int) -> None:
    """The same colours, whichever way entries are written; a table of zeros beside others."""
    entries = np.array([0, 80, 160, 255]) * factor
    table = Table(4, 0, bits, entries.astype(kind).tobytes())
    zeros = replace(table, data=bytes(len(table.data)))
    described = FrameDescription(
        1, 4, 1, 8, 8, False, "PALETTE COLOR", palette=Palette((table, zeros, table))
    )
    actual = shown(np.array([[0, 1, 2, 3]], np.uint8), described)
    assert [[[grey, 0, grey] for grey in (0, 80, 160, 255)]] == actual.tolist()


def test_a_segmented_palette_is_applied() -> None:
    """A ramp from 0 to 255 in each colour, as a discrete and a linear segment."""
    segments = np.array([0, 1, 0, 1, 255, 65_280], "<u2").tobytes()
    table = Table(256, 0, 16, segments)
    described = FrameDescription(
        1, 3, 1, 8, 8, False, "PALETTE COLOR", palette=Palette((table, table, table), True)
    )
    actual = shown(np.array([[0, 128, 255]], np.uint8), described)
    assert [[[0] * 3, [128] * 3, [255] * 3]] == actual.tolist()


def test_a_damaged_palette_is_not_acceptable() -> None:
    """A segment of a kind that there is not, and tables of different lengths."""
    segments = Table(256, 0, 16, b"\x09\x00\x01\x00\x00\x00")
    long, short = Table(2, 0, 8, b"\0\1"), Table(1, 0, 8, b"\0")
    for palette in (Palette((segments,) * 3, True), Palette((long, short, long))):
        described = FrameDescription(1, 1, 1, 8, 8, False, "PALETTE COLOR", palette=palette)
        with pytest.raises(NotAcceptableError):
            shown(np.zeros((1, 1), np.uint8), described)


def _quarters(width: int = 40, height: int = 20) -> NDArray[np.uint8]:
    """An image whose quarters have the grey values 0, 80, 160 and 240, row by row."""
    image = np.zeros((height, width), np.uint8)
    image[: height // 2, width // 2 :] = 80
    image[height // 2 :, : width // 2] = 160
    image[height // 2 :, width // 2 :] = 240
    return image


GREY_8 = FrameDescription(
    20, 40, 1, 8, 8, False, "MONOCHROME2", window=Window(127.5, 255, "LINEAR_EXACT")
)
VIEWPORTS = {
    "none": (None, (40, 20), (0, 80, 160, 240)),
    "smaller": (Viewport(20, 20), (20, 10), (0, 80, 160, 240)),
    "larger": (Viewport(128, 128), (128, 64), (0, 80, 160, 240)),
    "the height decides": (Viewport(400, 10), (20, 10), (0, 80, 160, 240)),
    "width alone": (Viewport(80, None), (80, 40), (0, 80, 160, 240)),
    "height alone": (Viewport(None, 10), (20, 10), (0, 80, 160, 240)),
    "a region": (Viewport(40, 40, 20, 0, 20, 20), (40, 40), (80, 80, 240, 240)),
    "a region to the edge": (Viewport(40, 40, 20, 10), (40, 20), (240, 240, 240, 240)),
    "in its own size": (Viewport(None, None, 0, 10, 40, 10), (40, 10), (160, 240, 160, 240)),
    "from right to left": (Viewport(40, 20, 0, 0, -40, 20), (40, 20), (80, 0, 240, 160)),
    "upside down": (Viewport(40, 20, 0, 0, 40, -20), (40, 20), (160, 240, 0, 80)),
    "both": (Viewport(40, 20, 0, 0, -40, -20), (40, 20), (240, 160, 80, 0)),
    "a fraction": (
        Viewport(None, None, 0.5, 0.0, 0.5, 1.0, is_relative=True),
        (20, 20),
        (80, 80, 240, 240),
    ),
    "fractions that add up to a hair more": (
        Viewport(None, None, 0.7, 0.0, 0.3000000001, 1.0, is_relative=True),
        (12, 20),
        (80, 80, 240, 240),
    ),
    "no pixel is lost": (Viewport(1, 1), (1, 1), None),
}  # fmt: skip


@pytest.mark.parametrize(("viewport", "size", "corners"), VIEWPORTS.values(), ids=VIEWPORTS)
def test_the_viewport(
    viewport: Viewport | None, size: tuple[int, int], corners: tuple[int, ...] | None
) -> None:
    """The image keeps its shape, is as large as it fits, and shows the region it is to show."""
    file = render(_quarters(), GREY_8, Look("image/png", viewport=viewport))
    with Image.open(io.BytesIO(file)) as image:
        assert size == image.size
        if corners:
            left, top = size[0] // 8, size[1] // 8  # the edges are smooth
            right, bottom = size[0] - 1 - left, size[1] - 1 - top
            places = ((left, top), (right, top), (left, bottom), (right, bottom))
            assert corners == tuple(image.getpixel(place) for place in places)


@pytest.mark.parametrize(
    "viewport",
    [
        Viewport(10, 10, 40, 0),
        Viewport(10, 10, 0, 0, 41, 20),
        Viewport(10, 10, 0, 0, -41, 20),
        Viewport(10, 10, 30, 0, 20, 20),
        Viewport(10, 10, 0, 15, 10, 10),
        Viewport(10, 10, -1, 0, 10, 10),
    ],
)
def test_a_region_beyond_the_image_is_refused(viewport: Viewport) -> None:
    """It is the client's fault, and names the parameter."""
    with pytest.raises(QueryError, match=r"^viewport: "):
        render(_quarters(), GREY_8, Look(viewport=viewport))


def test_a_side_that_follows_is_bounded() -> None:
    """A narrow image that is to be made wide does not become as high as memory."""
    described = replace(GREY_8, rows=2000, columns=2)
    file = render(_quarters(2, 2000), described, Look("image/png", viewport=Viewport(8192, None)))
    with Image.open(io.BytesIO(file)) as image:
        assert MAX_SIDE == image.height


def test_the_quality_of_a_jpeg() -> None:
    """A lower quality is a smaller file, and both are JPEG."""
    noise = np.random.default_rng(3).integers(0, 256, (64, 64)).astype(np.uint8)
    described = replace(GREY_8, rows=64, columns=64)
    files = [render(noise, described, Look(quality=quality)) for quality in (5, 50, 100)]
    assert files == sorted(files, key=len)
    for file in files:
        with Image.open(io.BytesIO(file)) as image:
            assert ("JPEG", "L", (64, 64)) == (image.format, image.mode, image.size)


def test_a_png_holds_every_value() -> None:
    """What is shown is what the file has, in grey and in colour."""
    for name in ("CT_small.dcm", "SC_rgb_small_odd.dcm"):
        described = describe(metadata(name))
        with Image.open(io.BytesIO(render(decoded(name)[0], described, Look("image/png")))) as file:
            np.testing.assert_array_equal(shown(decoded(name)[0], described), np.asarray(file))


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_shown(name: str) -> None:
    """Each file gives an image that is not of one value alone."""
    described = describe(metadata(name))
    file = render(decoded(name)[0], described, Look(viewport=Viewport(128, 128)))
    with Image.open(io.BytesIO(file)) as image:
        assert 128 == max(image.size)
        assert len(set(image.convert("L").tobytes())) > 1


def test_an_image_too_large_for_a_jpeg_is_not_acceptable() -> None:
    """The format has 16 bits for a side; PNG has more."""
    wide = np.zeros((1, 65_600), np.uint8)
    described = replace(GREY_8, rows=1, columns=65_600)
    with pytest.raises(NotAcceptableError):
        render(wide, described, Look())
    assert render(wide, described, Look("image/png")).startswith(b"\x89PNG")


def test_without_the_extra_it_is_not_acceptable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what is to be installed."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(NotAcceptableError, match="extra `pixels`"):
        render(_quarters(), GREY_8, Look())
