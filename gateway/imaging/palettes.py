"""Colours: palettes looked up, and samples of any depth brought to eight bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import NotAcceptableError
from gateway.imaging.description import Palette

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Bytes = NDArray[np.uint8]

_PALETTE = "The instance's palette can't be applied."


def eight_bits(array: Array, bits: int) -> Bytes:
    """Whole numbers of so many bits as 0 to 255, by their share of the range."""
    import numpy as np

    if bits > 8:
        array = np.right_shift(array, bits - 8)
    elif bits < 8:
        array = array.astype(np.uint16) * 255 // (2**bits - 1)
    narrow: Bytes = np.ascontiguousarray(array.astype(np.uint8, copy=False))
    return narrow


def coloured(array: Array, palette: Palette) -> Bytes:
    """Palette values as RGB of 0 to 255. Source: PS3.3 §C.7.6.3.1.5, §C.7.6.3.1.6.

    Raises: NotAcceptableError where the palette can't be applied.
    """
    import numpy as np

    colours = _expanded(palette) if palette.is_segmented else _tabled(palette)
    places = np.clip(array.astype(np.int32) - palette.tables[0].first, 0, len(colours) - 1)
    found: Bytes = colours[places]
    return found


def _tabled(palette: Palette) -> Bytes:
    """The colours of a palette, entries by three."""
    import numpy as np

    if len({table.entries for table in palette.tables}) > 1:
        raise NotAcceptableError(_PALETTE)
    columns = []
    for table in palette.tables:
        kind = np.dtype("u1") if table.is_bytes else np.dtype("<u2")
        entries: Array = np.frombuffer(table.data, kind, table.entries)
        columns.append(entries)
    stacked = np.stack(columns, axis=-1)
    # Some write entries of 8 bits into the upper half of words
    bits = palette.tables[0].bits
    return eight_bits(stacked, bits if stacked.max() < 2**bits else 16)


def _expanded(palette: Palette) -> Bytes:
    """The colours of a segmented palette, entries by three. Source: PS3.3 §C.7.9.2."""
    import numpy as np
    from pydicom.dataset import Dataset
    from pydicom.pixels.processing import apply_color_lut

    described = Dataset()
    described.set_original_encoding(False, True)
    described.PhotometricInterpretation = "PALETTE COLOR"
    for colour, table in zip(("Red", "Green", "Blue"), palette.tables, strict=True):
        name = f"{colour}PaletteColorLookupTable"
        # 65,536 is written as 0; the first value counts when a pixel is looked up
        setattr(described, f"{name}Descriptor", [table.entries % 65_536, 0, table.bits])
        setattr(described, f"Segmented{name}Data", table.data)
    try:
        entries = np.arange(palette.tables[0].entries, dtype=np.int64)
        found = apply_color_lut(entries, described)
    except Exception as exc:  # whatever a damaged table makes of it
        raise NotAcceptableError(_PALETTE) from exc
    return eight_bits(found, found.dtype.itemsize * 8)
