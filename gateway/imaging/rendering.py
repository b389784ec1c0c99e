"""Frames as a viewer would show them: windowed, coloured, cut, scaled, as JPEG or PNG.

The order is that of PS3.4 §N.2: modality, VOI, presentation; then the viewport.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gateway.errors import NotAcceptableError, QueryError
from gateway.imaging.description import FrameDescription, Palette, Table, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Array = NDArray[np.generic]
    Floats = NDArray[np.float64]
    Bytes = NDArray[np.uint8]

ImageType = Literal["image/jpeg", "image/png"]

_GOOD_ENOUGH_TO_SUBSAMPLE = 90


@dataclass(frozen=True, slots=True)
class Viewport:
    """The size to fit into, in pixels, and the source region, in pixels of the frame.

    A `width` or `height` of None is whatever keeps the shape. A region of negative size is
    mirrored; its size is None where it reaches to the image's edge. Source: PS3.18 §8.3.5.1.4.
    """

    width: int | None = None
    height: int | None = None
    x: float = 0.0
    y: float = 0.0
    region_width: float | None = None
    region_height: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """How a frame is to be rendered: what a request says, else what the instance does."""

    media_type: ImageType = "image/jpeg"
    quality: int = 90
    window: Window | None = None
    viewport: Viewport | None = None


def render(array: Array, description: FrameDescription, look: Look) -> bytes:
    """The image file of a decoded frame.

    Raises: QueryError where the source region is not within the image, NotAcceptableError where
    the frame's values can't be shown or the extra `pixels` is not installed.
    """
    try:
        from PIL import Image
    except ImportError as exc:
        raise NotAcceptableError("Rendering needs the gateway's extra `pixels`.") from exc
    image = Image.fromarray(shown(array, description, look.window))
    if look.viewport is not None:
        image = _fitted(image, look.viewport)
    return _encoded(image, look)


def shown(array: Array, description: FrameDescription, window: Window | None = None) -> Bytes:
    """A decoded frame as grey values or RGB of 0 to 255. A window is for grey values alone."""
    if description.palette is not None:
        return _coloured(array, description.palette)
    if not description.is_monochrome:
        return _eight_bits(array, description.bits_stored)
    return _grey(array, description, window)


def _grey(array: Array, description: FrameDescription, window: Window | None) -> Bytes:
    import numpy as np

    least, most = _range(array, description)
    if array.dtype.kind in "iub" and array.dtype.itemsize <= 2:
        # Each of the values that there can be, once: an image has far more pixels
        unsigned = np.uint8 if array.dtype.itemsize == 1 else np.uint16
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        stored = np.arange(np.iinfo(unsigned).max + 1).astype(unsigned).view(native.dtype)
        table = _presented(stored.astype(np.float64), description, window, least, most)
        return table[native.view(unsigned)]
    return _presented(array.astype(np.float64), description, window, least, most)


def _range(array: Array, description: FrameDescription) -> tuple[float, float]:
    """The least and the greatest stored value, of pixels that are none only where all are."""
    import numpy as np

    seen: Any = array
    if description.is_float:
        seen = array[np.isfinite(array)]  # type: ignore[call-overload]  # its samples are floats
    elif description.padding is not None:
        low, high = description.padding
        seen = array[(array < low) | (array > high)]
    seen = seen if seen.size else np.zeros(1) if description.is_float else array
    return float(seen.min()), float(seen.max())


def _presented(
    stored: Floats, description: FrameDescription, window: Window | None, least: float, most: float
) -> Bytes:
    import numpy as np

    window = window or description.window
    if window is None and description.voi_table is not None:
        grey = _looked_up(np.rint(_modality(stored, description)), description.voi_table)
    else:
        if window is None:
            ends = _modality(np.array([least, most]), description)
            low, high = float(ends.min()), float(ends.max())
            # A flat image is black, as one that has a darkest value shows it
            window = Window((low + high) / 2, max(high - low, 1e-9), "LINEAR_EXACT")
            if low == high:
                window = Window(low + 0.5, 1.0, "LINEAR_EXACT")
        grey = windowed(_modality(stored, description), window)
    if description.is_inverse:
        grey = 1.0 - grey
    return np.rint(np.nan_to_num(grey) * 255).astype(np.uint8)


def _modality(stored: Floats, description: FrameDescription) -> Floats:
    if (table := description.modality_table) is not None:
        return _looked_up(stored, table, as_values=True)
    return stored * description.slope + description.intercept


def windowed(values: Floats, window: Window) -> Floats:
    """Values of a window, from 0 to 1. Source: PS3.3 §C.11.2.1.2, §C.11.2.1.3."""
    import numpy as np

    center, width = window.center, window.width
    if window.function == "SIGMOID":
        steps = np.clip(-4 * (values - center) / width, -700, 700)  # beyond it the exponential ends
        return 1 / (1 + np.exp(steps))
    if window.function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0, 1)
    if width <= 1:
        return (values > center - 0.5).astype(np.float64)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def _looked_up(values: Floats, table: Table, *, as_values: bool = False) -> Floats:
    import numpy as np

    kind = np.dtype("u1") if table.is_bytes else np.dtype("<u2")
    entries = np.frombuffer(table.data, kind, table.entries).astype(np.float64)
    places = np.clip(np.nan_to_num(values) - table.first, 0, table.entries - 1).astype(np.intp)
    found = entries[places]
    return found if as_values else np.clip(found / (2**table.bits - 1), 0, 1)


def _coloured(array: Array, palette: Palette) -> Bytes:
    import numpy as np
    from pydicom.dataset import Dataset
    from pydicom.pixels.processing import apply_color_lut

    described = Dataset()
    described.PhotometricInterpretation = "PALETTE COLOR"
    for colour, table in zip(("Red", "Green", "Blue"), palette.tables, strict=True):
        name = f"{colour}PaletteColorLookupTable"
        # 65,536 is written as 0; a first value below 0 has no other form here
        setattr(described, f"{name}Descriptor", [table.entries % 65_536, table.first, table.bits])
        setattr(
            described, ("Segmented" if palette.is_segmented else "") + f"{name}Data", table.data
        )
    try:
        coloured = apply_color_lut(np.ascontiguousarray(array), described)
    except Exception as exc:  # whatever a damaged table makes of it
        raise NotAcceptableError("The instance's palette can't be applied.") from exc
    return _eight_bits(coloured, coloured.dtype.itemsize * 8)


def _eight_bits(array: Array, bits: int) -> Bytes:
    import numpy as np

    if bits > 8:
        array = np.right_shift(array, bits - 8)  # type: ignore[call-overload]  # whole numbers
    elif bits < 8:
        return (array.astype(np.uint16) * 255 // (2**bits - 1)).astype(np.uint8)
    return np.ascontiguousarray(array.astype(np.uint8, copy=False))


def _fitted(image: Image.Image, viewport: Viewport) -> Image.Image:
    """The source region, as large as it fits. Source: PS3.18 §8.3.5.1.4."""
    from PIL.Image import Resampling, Transpose

    width = image.width - viewport.x if viewport.region_width is None else viewport.region_width
    height = image.height - viewport.y if viewport.region_height is None else viewport.region_height
    right, bottom = viewport.x + abs(width), viewport.y + abs(height)
    is_within = viewport.x >= 0 and viewport.y >= 0
    if not (is_within and right <= image.width and bottom <= image.height and width and height):
        raise QueryError("viewport", "its source region must lie within the image")
    scale = min(
        (viewport.width or float("inf")) / abs(width),
        (viewport.height or float("inf")) / abs(height),
    )
    scale = 1.0 if scale == float("inf") else scale
    size = (max(round(abs(width) * scale), 1), max(round(abs(height) * scale), 1))
    box = (viewport.x, viewport.y, right, bottom)
    if size != image.size or box != (0, 0, *image.size):
        image = image.resize(size, Resampling.BILINEAR, box)
    if width < 0:
        image = image.transpose(Transpose.FLIP_LEFT_RIGHT)
    return image.transpose(Transpose.FLIP_TOP_BOTTOM) if height < 0 else image


def _encoded(image: Image.Image, look: Look) -> bytes:
    file = io.BytesIO()
    if look.media_type == "image/png":
        image.save(file, "PNG", compress_level=4)
    else:
        subsampling = 0 if look.quality >= _GOOD_ENOUGH_TO_SUBSAMPLE else 2
        image.save(file, "JPEG", quality=look.quality, subsampling=subsampling)
    return file.getvalue()
