"""What one instance's metadata says of its pixels: their layout, and how they are to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.errors import NotAcceptableError, NotFoundError
from gateway.imaging.attributes import (
    Instance,
    fault,
    item,
    items,
    numbers,
    octets,
    text,
    values,
    whole,
)

MAX_SAMPLES = 64 * 1024 * 1024
"""How many samples a frame may have that is decoded here."""

_PALETTE = ("Red", "Green", "Blue")
_PALETTE_DESCRIPTORS = ("00281101", "00281102", "00281103")
_PALETTE_DATA = ("00281201", "00281202", "00281203")
_PALETTE_SEGMENTS = ("00281221", "00281222", "00281223")
_LUT_DATA = "00283006"
_MODALITY_LUTS, _VOI_LUTS = "00283000", "00283010"
# Others, such as HSV or YBR_PARTIAL_422, would be shown as if they were RGB
_COLOURS = frozenset(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"))
_GREYS = frozenset(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"))
_BITS_ALLOCATED = frozenset((1, 8, 16, 32, 64))
_SHARED, _PER_FRAME = "52009229", "52009230"
_FRAME_VOI, _FRAME_RESCALE = "00289132", "00289145"


@dataclass(frozen=True, slots=True)
class Window:
    """A window on modality values. `function` is LINEAR, LINEAR_EXACT or SIGMOID.

    Source: PS3.3 §C.11.2.1.2, §C.11.2.1.3.
    """

    center: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table: as many entries as `data` has, for the stored values from `first` on.

    `bits` is the depth of an entry; entries are of one byte where `is_bytes`, else of two.
    """

    entries: int
    first: int
    bits: int
    data: bytes = field(repr=False)

    @property
    def is_bytes(self) -> bool:
        """Whether an entry takes one byte."""
        return self.bits <= 8 and len(self.data) < 2 * self.entries


@dataclass(frozen=True, slots=True)
class Palette:
    """The three tables of a palette, or what they are made of where they are segmented."""

    tables: tuple[Table, Table, Table]
    is_segmented: bool = False


@dataclass(frozen=True, slots=True)
class FrameDescription:
    """One frame of an instance. Names are the standard's; see `describe`.

    `is_float` says that its samples are IEEE 754 numbers. `is_inverse` says that the least value
    is shown white. `padding` is the range of stored values that stand for no pixel. `pixel_vr` is
    empty where the metadata do not tell it.
    """

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    is_signed: bool
    photometric: str
    planar: int = 0
    frames: int = 1
    is_float: bool = False
    pixel_vr: str = "OW"
    slope: float = 1.0
    intercept: float = 0.0
    modality_table: Table | None = None
    window: Window | None = None
    voi_table: Table | None = None
    padding: tuple[int, int] | None = None
    is_inverse: bool = False
    palette: Palette | None = None

    @property
    def is_monochrome(self) -> bool:
        """Whether a pixel is one grey value."""
        return self.samples == 1 and self.palette is None

    @property
    def frame_bytes(self) -> int:
        """The length of one frame that is not compressed."""
        bits = self.rows * self.columns * self.samples * self.bits_allocated
        if self.photometric == "YBR_FULL_422":  # two pixels share their colour
            bits = bits * 2 // 3
        return -(-bits // 8)


def has_pixels(instance: Instance) -> bool:
    """Whether an instance is an image: a report or a document has no Rows."""
    return bool(values(instance, "00280010")) and bool(values(instance, "00280100"))


def frames_of(instance: Instance) -> int:
    """The number of frames.

    Raises: NotAcceptableError where there are no pixels, or the number is none.
    """
    if not has_pixels(instance):
        raise NotAcceptableError("The instance has no pixels, so that nothing can be rendered.")
    # Some write an empty or a zero NumberOfFrames into an image of one
    return max(whole(instance, "00280008", "NumberOfFrames", 1), 1)


def check_frames(instance: Instance, wanted: Iterable[int]) -> None:
    """See that an instance has all of the frames that are wanted, by number, counted from 1.

    Raises: NotFoundError, and as `frames_of`.
    """
    frames = frames_of(instance)
    if not all(1 <= number <= frames for number in wanted):
        raise NotFoundError("The instance has no such frame.")


def describe(instance: Instance, number: int = 1) -> FrameDescription:
    """What the metadata of an instance says of its frame `number`, counted from 1.

    Raises: NotFoundError where there is no such frame, NotAcceptableError where there are no
    pixels, or what is said of them can't be used.
    """
    described = layout_of(instance, number)
    voi, rescale = (_of_frame(instance, number, tag) for tag in (_FRAME_VOI, _FRAME_RESCALE))
    slopes = numbers(rescale, "00281053", "RescaleSlope")
    intercepts = numbers(rescale, "00281052", "RescaleIntercept")
    slope, intercept = slopes[0] if slopes else 1.0, intercepts[0] if intercepts else 0.0
    modality = _table(item(instance, _MODALITY_LUTS), "ModalityLUTSequence", described.is_signed)
    # Numbers below zero come of the pixels or of their rescaling, but of no table
    is_signed = modality is None and (described.is_signed or slope < 0 or intercept < 0)
    photometric = described.photometric
    return replace(
        described,
        slope=slope,
        intercept=intercept,
        modality_table=modality,
        window=_window(voi),
        voi_table=_table(item(voi, _VOI_LUTS), "VOILUTSequence", is_signed),
        padding=_padding(instance, described.is_signed),
        is_inverse=photometric == "MONOCHROME1" or text(instance, "20500020") == "INVERSE",
        palette=_palette(instance, described.is_signed) if photometric == "PALETTE COLOR" else None,
    )


def layout_of(instance: Instance, number: int = 1) -> FrameDescription:
    """The same without how the frame is to be shown: what decoding alone has to know.

    Raises: as `describe`.
    """
    check_frames(instance, (number,))
    return FrameDescription(**_layout(instance), frames=frames_of(instance))


def tables_elsewhere(instance: Instance) -> Iterator[dict[str, Any]]:
    """The elements of lookup tables that name a BulkDataURI in place of their bytes.

    Who fetches them sets their InlineBinary before the instance is described.
    """
    luts = [*items(instance, _MODALITY_LUTS)[:1], *items(instance, _VOI_LUTS)[:1]]
    named = [(instance, tag) for tag in (*_PALETTE_DATA, *_PALETTE_SEGMENTS)]
    for holder, tag in (*named, *((lut, _LUT_DATA) for lut in luts)):
        element = holder.get(tag)
        if isinstance(element, dict) and isinstance(element.get("BulkDataURI"), str):
            yield element


def _layout(instance: Instance) -> dict[str, Any]:
    rows, columns = whole(instance, "00280010", "Rows"), whole(instance, "00280011", "Columns")
    samples = whole(instance, "00280002", "SamplesPerPixel", 1)
    allocated = whole(instance, "00280100", "BitsAllocated")
    stored = whole(instance, "00280101", "BitsStored", allocated)
    # Metadata without pixels name neither; floats have no BitsStored and no PixelRepresentation
    is_bare = not values(instance, "00280101") and not values(instance, "00280103")
    is_float = "7FE00008" in instance or "7FE00009" in instance or (allocated >= 32 and is_bare)
    if rows < 1 or columns < 1 or rows * columns * samples > MAX_SAMPLES:
        raise fault("Rows and Columns")
    if samples not in (1, 3):
        raise fault("SamplesPerPixel")
    if allocated not in _BITS_ALLOCATED or (allocated == 64 and not is_float):
        raise fault("BitsAllocated")
    if not 1 <= stored <= allocated:
        raise fault("BitsStored")
    photometric = text(instance, "00280004") or ("RGB" if samples == 3 else "MONOCHROME2")
    if photometric not in (_COLOURS if samples == 3 else _GREYS):
        raise fault("PhotometricInterpretation")
    pixels = instance.get("7FE00010")
    vr = pixels.get("vr") if isinstance(pixels, Mapping) else None
    return {
        "rows": rows,
        "columns": columns,
        "samples": samples,
        "bits_allocated": allocated,
        "bits_stored": stored,
        "is_signed": whole(instance, "00280103", "PixelRepresentation", 0) == 1,
        "photometric": photometric,
        "planar": int(samples > 1 and whole(instance, "00280006", "PlanarConfiguration", 0) == 1),
        "is_float": is_float,
        "pixel_vr": vr if vr in ("OB", "OW") else "",
    }


def _of_frame(instance: Instance, number: int, tag: str) -> Instance:
    """The functional group of a frame, else the one that all share, else the instance itself."""
    per_frame = values(instance, _PER_FRAME)
    own = per_frame[number - 1] if len(per_frame) >= number else None
    for groups in (own, item(instance, _SHARED)):
        if isinstance(groups, Mapping) and (found := item(groups, tag)):
            return found
    return instance


def _window(voi: Instance) -> Window | None:
    centers = numbers(voi, "00281050", "WindowCenter")
    widths = numbers(voi, "00281051", "WindowWidth")
    if not centers or not widths:
        return None
    function = text(voi, "00281056") or "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        function = "LINEAR"
    # A width that the standard forbids is no window: the whole range is shown instead
    is_legal = widths[0] >= 1 if function == "LINEAR" else widths[0] > 0
    return Window(centers[0], widths[0], function) if is_legal else None


def _table(lut: Instance, keyword: str, is_signed: bool) -> Table | None:
    if not lut:
        return None
    table = _described_table(lut, "00283002", octets(lut, _LUT_DATA, keyword), keyword)
    return _from(table, is_signed)


def _from(table: Table, is_signed: bool) -> Table:
    """The table of values that may be below zero: VR US has the 16 bits of such a first one."""
    is_below = is_signed and table.first > 0x7FFF
    return replace(table, first=table.first - 0x10000) if is_below else table


def _palette(instance: Instance, is_signed: bool) -> Palette:
    is_segmented = any(tag in instance for tag in _PALETTE_SEGMENTS)
    made = []
    data_tags = _PALETTE_SEGMENTS if is_segmented else _PALETTE_DATA
    for colour, tag, data_tag in zip(_PALETTE, _PALETTE_DESCRIPTORS, data_tags, strict=True):
        keyword = f"{colour}PaletteColorLookupTableData"
        data = octets(instance, data_tag, keyword)
        table = _described_table(instance, tag, data, keyword, is_segmented=is_segmented)
        made.append(_from(table, is_signed))
    red, green, blue = made
    return Palette((red, green, blue), is_segmented)


def _described_table(
    holder: Instance, tag: str, data: bytes, keyword: str, *, is_segmented: bool = False
) -> Table:
    descriptor = [int(number) for number in numbers(holder, tag, keyword)]
    if len(descriptor) != 3 or not data:
        raise fault(keyword)
    entries, first, bits = descriptor
    table = Table(entries or 65_536, first, bits, data)  # 16 bits have no 65,536
    size = table.entries * (1 if table.is_bytes else 2)
    if not 8 <= bits <= 16 or entries < 0 or (len(data) < size and not is_segmented):
        raise fault(keyword)
    return table


def _padding(instance: Instance, is_signed: bool) -> tuple[int, int] | None:
    if not values(instance, "00280120"):
        return None
    value = whole(instance, "00280120", "PixelPaddingValue")
    limit = whole(instance, "00280121", "PixelPaddingRangeLimit", value)
    # The same 16 bits stand as US or as SS, and not all who write them mind the pixels' sign
    least = -0x8000 if is_signed else 0
    value, limit = ((one - least) % 0x10000 + least for one in (value, limit))
    return min(value, limit), max(value, limit)
