"""What an instance's metadata say of its pixels is read, and what can't be used is named."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

import pytest

from gateway.errors import NotAcceptableError, NotFoundError
from gateway.imaging.description import (
    Table,
    Window,
    describe,
    frames_of,
    has_pixels,
    tables_elsewhere,
)
from tests.unit.pixelfiles import metadata


def _of(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}


def _image(**more: Any) -> dict[str, Any]:
    """A grey image of 12 bits; more attributes by their tags behind a T, None leaves one out."""
    image = {
        "00280002": _of("US", 1),
        "00280004": _of("CS", "MONOCHROME2"),
        "00280010": _of("US", 4),
        "00280011": _of("US", 6),
        "00280100": _of("US", 16),
        "00280101": _of("US", 12),
        "00280103": _of("US", 0),
        **{tag.removeprefix("T"): element for tag, element in more.items()},
    }
    return {tag: element for tag, element in image.items() if element is not None}


def _octets(data: bytes) -> dict[str, Any]:
    return {"vr": "OW", "InlineBinary": base64.b64encode(data).decode()}


def _lut(entries: int, first: int, bits: int, data: bytes) -> dict[str, Any]:
    return _of("SQ", {"00283002": _of("US", entries, first, bits), "00283006": _octets(data)})


def test_the_layout() -> None:
    """Each attribute of the layout is where it is looked for."""
    described = describe(_image())
    assert (4, 6, 1, 16, 12) == (
        described.rows,
        described.columns,
        described.samples,
        described.bits_allocated,
        described.bits_stored,
    )
    assert (False, "MONOCHROME2", 0, 1) == (
        described.is_signed,
        described.photometric,
        described.planar,
        described.frames,
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, False, id="zero"),
        pytest.param({"T00280103": _of("US", 1)}, True, id="one"),
        pytest.param({"T00280103": None}, False, id="missing"),
    ],
)
def test_the_sign(more: dict[str, Any], expected: bool) -> None:
    """Values are signed where PixelRepresentation is 1: an air of -1000 is no 64,536."""
    assert expected == describe(_image(**more)).is_signed


SHOWN = {
    "nothing": ({}, None, 1.0, 0.0),
    "a window": (
        {"T00281050": _of("DS", 40), "T00281051": _of("DS", 400)},
        Window(40, 400),
        1.0,
        0.0,
    ),
    "texts for numbers": (
        {"T00281050": _of("DS", "40 "), "T00281051": _of("DS", "4e2")},
        Window(40, 400),
        1.0,
        0.0,
    ),
    "the first of several windows": (
        {"T00281050": _of("DS", 450, 200), "T00281051": _of("DS", 790, 443)},
        Window(450, 790),
        1.0,
        0.0,
    ),
    "a function": (
        {
            "T00281050": _of("DS", 0.5),
            "T00281051": _of("DS", 0.25),
            "T00281056": _of("CS", "SIGMOID"),
        },
        Window(0.5, 0.25, "SIGMOID"),
        1.0,
        0.0,
    ),
    "a function of a vendor": (
        {"T00281050": _of("DS", 5), "T00281051": _of("DS", 2), "T00281056": _of("CS", "OURS")},
        Window(5, 2),
        1.0,
        0.0,
    ),
    "a width that is none": (
        {"T00281050": _of("DS", 40), "T00281051": _of("DS", 0)},
        None,
        1.0,
        0.0,
    ),
    "a center without a width": ({"T00281050": _of("DS", 40)}, None, 1.0, 0.0),
    "rescaled": (
        {"T00281053": _of("DS", "2"), "T00281052": _of("DS", -1024)},
        None,
        2.0,
        -1024.0,
    ),
}


@pytest.mark.parametrize(("more", "window", "slope", "intercept"), SHOWN.values(), ids=SHOWN)
def test_how_it_is_shown(
    more: dict[str, Any], window: Window | None, slope: float, intercept: float
) -> None:
    """Window and rescaling of an image of one frame."""
    described = describe(_image(**more))
    assert (window, slope, intercept) == (
        described.window,
        described.slope,
        described.intercept,
    )


def _groups(center: float, slope: float) -> dict[str, Any]:
    return {
        "00289132": _of("SQ", {"00281050": _of("DS", center), "00281051": _of("DS", 10)}),
        "00289145": _of("SQ", {"00281053": _of("DS", slope), "00281052": _of("DS", 1)}),
    }


ENHANCED = {
    "per frame": ({"T52009230": _of("SQ", _groups(1, 2), _groups(3, 4))}, 2, 3, 4),
    "shared": ({"T52009229": _of("SQ", _groups(5, 6))}, 2, 5, 6),
    "per frame before shared": (
        {"T52009229": _of("SQ", _groups(5, 6)), "T52009230": _of("SQ", {}, _groups(3, 4))},
        2,
        3,
        4,
    ),
    "shared where the frame has none": (
        {"T52009229": _of("SQ", _groups(5, 6)), "T52009230": _of("SQ", {}, _groups(3, 4))},
        1,
        5,
        6,
    ),
    "fewer groups than frames": (
        {"T52009229": _of("SQ", _groups(5, 6)), "T52009230": _of("SQ", _groups(3, 4))},
        2,
        5,
        6,
    ),
}


@pytest.mark.parametrize(("more", "number", "center", "slope"), ENHANCED.values(), ids=ENHANCED)
def test_functional_groups(more: dict[str, Any], number: int, center: float, slope: float) -> None:
    """An enhanced image has its window and its rescaling for each frame, or for all."""
    described = describe(_image(T00280008=_of("IS", 2), **more), number)
    assert (Window(center, 10), slope, 1.0) == (
        described.window,
        described.slope,
        described.intercept,
    )


INVERSE = {
    "MONOCHROME1": ({"T00280004": _of("CS", "MONOCHROME1")}, True),
    "an inverse presentation": ({"T20500020": _of("CS", "INVERSE")}, True),
    "both, which say the same": (
        {"T00280004": _of("CS", "MONOCHROME1"), "T20500020": _of("CS", "INVERSE")},
        True,
    ),
    "neither": ({"T20500020": _of("CS", "IDENTITY")}, False),
}


@pytest.mark.parametrize(("more", "expected"), INVERSE.values(), ids=INVERSE)
def test_what_is_inverse(more: dict[str, Any], expected: bool) -> None:
    """The least value is white by the photometric interpretation or by the presentation."""
    assert expected == describe(_image(**more)).is_inverse


def test_lookup_tables() -> None:
    """A VOI LUT and a modality LUT, the number of entries written as 0 where it is 65,536."""
    described = describe(
        _image(T00283010=_lut(2, 5, 8, b"\0\xff"), T00283000=_lut(0, 0, 16, bytes(131_072)))
    )
    assert Table(2, 5, 8, b"\0\xff") == described.voi_table
    assert described.modality_table is not None
    assert 65_536 == described.modality_table.entries


def test_a_table_elsewhere_is_named() -> None:
    """The bytes of a table that only its BulkDataURI tells are asked for, and no others."""
    image = _image(T00283010=_lut(2, 5, 8, b"\0\xff"))
    image["7FE00010"] = {"vr": "OW", "BulkDataURI": "pixels"}
    assert [] == list(tables_elsewhere(image))
    element = image["00283010"]["Value"][0]["00283006"]
    del element["InlineBinary"]
    element["BulkDataURI"] = "table"
    (found,) = tables_elsewhere(image)
    assert element is found


def test_a_palette() -> None:
    """The three tables of a palette."""
    described = describe(metadata("examples_palette.dcm"))
    assert described.palette is not None
    assert [(256, 0, 16)] * 3 == [(t.entries, t.first, t.bits) for t in described.palette.tables]


PADDING = {
    "a value": ({"T00280103": _of("US", 1), "T00280120": _of("SS", -2000)}, (-2000, -2000)),
    "a range": ({"T00280120": _of("US", 10), "T00280121": _of("US", 5)}, (5, 10)),
    "of signed pixels, written as if they were not": (
        {"T00280103": _of("US", 1), "T00280120": _of("US", 63536)},
        (-2000, -2000),
    ),
    "of unsigned pixels, written as if they were signed": (
        {"T00280103": _of("US", 0), "T00280120": _of("SS", -1)},
        (65535, 65535),
    ),
    "none": ({}, None),
}


@pytest.mark.parametrize(("more", "expected"), PADDING.values(), ids=PADDING)
def test_padding(more: dict[str, Any], expected: tuple[int, int] | None) -> None:
    """The stored values that stand for no pixel."""
    assert expected == describe(_image(**more)).padding


FAULTS = {
    "no rows in it": {"T00280010": _of("US", 0)},
    "rows that are no number": {"T00280010": _of("US", "four")},
    "rows that are true": {"T00280010": _of("US", True)},
    "rows that are an object": {"T00280010": _of("US", {})},
    "rows and a half": {"T00280010": _of("US", 4.5)},
    "rows without an end": {"T00280010": _of("US", "inf")},
    "rows beyond any number": {"T00280010": _of("US", 10**400)},
    "no columns": {"T00280011": None},
    "more samples than are decoded": {
        "T00280010": _of("US", 65_535),
        "T00280011": _of("US", 65_535),
    },
    "two samples": {"T00280002": _of("US", 2)},
    "three samples of one colour": {"T00280002": _of("US", 3)},
    "one sample of three colours": {"T00280004": _of("CS", "RGB")},
    "colours that are not known here": {
        "T00280002": _of("US", 3),
        "T00280004": _of("CS", "HSV"),
    },
    "colours that are no longer in the standard": {
        "T00280002": _of("US", 3),
        "T00280004": _of("CS", "YBR_PARTIAL_422"),
    },
    "7 bits allocated": {"T00280100": _of("US", 7)},
    "64 bits that are no float": {"T00280100": _of("US", 64), "T00280101": _of("US", 64)},
    "more bits stored than allocated": {"T00280101": _of("US", 17)},
    "no bits stored": {"T00280101": _of("US", 0)},
    "NumberOfFrames that is none": {"T00280008": _of("IS", "1A")},
    "a window that is no number": {"T00281050": _of("DS", "a"), "T00281051": _of("DS", 1)},
    "a palette without its tables": {"T00280004": _of("CS", "PALETTE COLOR")},
    "a LUT without its data": {"T00283010": _of("SQ", {"00283002": _of("US", 2, 0, 8)})},
    "a LUT without its descriptor": {"T00283010": _of("SQ", {"00283006": _octets(b"\0\1")})},
    "a LUT that is too short": {"T00283010": _lut(9, 0, 16, b"\0\1")},
    "a LUT of words beyond 16 bits": {
        "T00283010": _of("SQ", {"00283002": _of("US", 1, 0, 16), "00283006": _of("US", 65_536)})
    },
    "a LUT of 3 bits": {"T00283010": _lut(2, 0, 3, b"\0\1")},
    "a LUT of damaged base64": {
        "T00283010": _of("SQ", {"00283002": _of("US", 2, 0, 8), "00283006": {"InlineBinary": "?"}})
    },
    "a LUT of no base64": {
        "T00283010": _of("SQ", {"00283002": _of("US", 2, 0, 8), "00283006": {"InlineBinary": 7}})
    },
}


@pytest.mark.parametrize("more", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_not_acceptable(more: dict[str, Any]) -> None:
    """What can't be used is named by its keyword, without its value."""
    with pytest.raises(NotAcceptableError, match=r"^The instance's [A-Za-z ]+ can't be used"):
        describe(_image(**more))


@pytest.mark.parametrize("instance", [{}, {"00280010": {"vr": "US"}}, {"00280010": None}])
def test_what_has_no_pixels_is_not_acceptable(instance: dict[str, Any]) -> None:
    """A report, a document, an empty Rows."""
    assert not has_pixels(instance)
    with pytest.raises(NotAcceptableError, match="no pixels"):
        describe(instance)


@pytest.mark.parametrize(("number", "frames"), [(0, 1), (2, 1), (-1, 1), (31, 30)])
def test_a_frame_that_is_not_there_is_not_found(number: int, frames: int) -> None:
    """Frames are counted from 1."""
    with pytest.raises(NotFoundError):
        describe(_image(T00280008=_of("IS", frames)), number)


@pytest.mark.parametrize(
    ("element", "expected"),
    [(None, 1), (_of("IS"), 1), (_of("IS", 0), 1), (_of("IS", "30"), 30)],
)
def test_the_number_of_frames(element: dict[str, Any] | None, expected: int) -> None:
    """Without a number there is one frame."""
    assert expected == frames_of(_image(T00280008=element))


def test_lut_data_as_words() -> None:
    """LUTData of VR US or SS stands there as numbers."""
    lut = {"00283002": _of("US", 3, 0, 16), "00283006": _of("US", 0, 65_535, -1)}
    described = describe(_image(T00283010=_of("SQ", lut)))
    assert Table(3, 0, 16, b"\0\0\xff\xff\xff\xff") == described.voi_table


ODD: tuple[Any, ...] = (
    None, 7, "x", [], {}, {"vr": "US"}, {"Value": None}, {"Value": "12"}, {"Value": [None]},
    {"Value": [[]]}, {"Value": [{}]}, {"Value": [-1]}, {"Value": [2**63]}, {"Value": ["\0"]},
    {"Value": [1e308]}, {"Value": [float("nan")]}, {"InlineBinary": "AAAA"}, {"InlineBinary": []},
    {"InlineBinary": "é"}, {"Value": [{"00283002": {"Value": [1, 2, 3]}}]}, {"Value": [0, 0, 8]},
    {"Value": [{"00281050": {"Value": ["?"]}}]}, {"Value": ["1\\2"]}, {"BulkDataURI": 5},
)  # fmt: skip
TAGS = (
    *("00280002", "00280004", "00280006", "00280008", "00280010", "00280011", "00280100"),
    *("00280101", "00280103", "00280120", "00280121", "00281050", "00281051", "00281052"),
    *("00281053", "00281056", "00281101", "00281201", "00281221", "00283000", "00283010"),
    *("20500020", "52009229", "52009230", "7FE00008", "7FE00010", "00289132", "00289145"),
)


@pytest.mark.parametrize("base", ["grey", "palette"])
@pytest.mark.parametrize("tag", TAGS)
def test_any_value_is_read_or_refused(base: str, tag: str) -> None:
    """Whatever stands in metadata, it raises what is ours, and nothing else."""
    whole = _image() if base == "grey" else dict(metadata("examples_palette.dcm"))
    for odd in ODD:
        list(tables_elsewhere({**whole, tag: odd}))
        with suppress(NotAcceptableError, NotFoundError):
            describe({**whole, tag: odd})


FLOATS = {
    "named": ({"T7FE00008": {"vr": "OF", "BulkDataURI": "x"}}, True),
    "without the attributes of whole numbers": ({"T00280101": None, "T00280103": None}, True),
    "without BitsStored": ({"T00280101": None}, False),
    "without PixelRepresentation": ({"T00280103": None}, False),
}


@pytest.mark.parametrize(("more", "expected"), FLOATS.values(), ids=FLOATS)
def test_floats(more: dict[str, Any], expected: bool) -> None:
    """Metadata may leave the pixels out, and with them the name that tells what they are."""
    assert expected == describe(_image(T00280100=_of("US", 32), **more)).is_float


FIRSTS = {
    "of unsigned pixels": ({}, 64_512),
    "of signed pixels": ({"T00280103": _of("US", 1)}, -1024),
    "of values below zero": ({"T00281052": _of("DS", -1024)}, -1024),
    "of values that fall": ({"T00281053": _of("DS", -1)}, -1024),
    "behind a modality LUT": (
        {"T00280103": _of("US", 1), "T00283000": _lut(2, 0, 8, b"\0\1")},
        64_512,
    ),
}


@pytest.mark.parametrize(("more", "expected"), FIRSTS.values(), ids=FIRSTS)
def test_the_first_value_of_a_table(more: dict[str, Any], expected: int) -> None:
    """Where there are values below zero, a first value of VR US may be one."""
    described = describe(_image(T00283010=_lut(2, 64_512, 8, b"\0\xff"), **more))
    assert described.voi_table is not None
    assert expected == described.voi_table.first


def test_a_lookup_table_of_a_frame() -> None:
    """An enhanced image may have a VOI LUT for each frame, in its functional groups."""
    groups = [{"00289132": _of("SQ", {"00283010": _lut(2, n, 8, b"\0\xff")})} for n in (5, 9)]
    described = describe(_image(T00280008=_of("IS", 2), T52009230=_of("SQ", *groups)), 2)
    assert Table(2, 9, 8, b"\0\xff") == described.voi_table


@pytest.mark.parametrize(("signed", "expected"), [(0, 65_534), (1, -2)])
def test_the_first_value_of_a_palette(signed: int, expected: int) -> None:
    """That of signed pixels may be below zero, whatever the VR of its descriptor."""
    tables: dict[str, Any] = {f"T0028110{n}": _of("US", 2, 65_534, 8) for n in (1, 2, 3)}
    tables |= {f"T0028120{n}": _octets(b"\0\xff") for n in (1, 2, 3)}
    more = {"T00280004": _of("CS", "PALETTE COLOR"), "T00280103": _of("US", signed), **tables}
    palette = describe(_image(**more)).palette
    assert palette is not None
    assert [expected] * 3 == [table.first for table in palette.tables]
