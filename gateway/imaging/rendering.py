"""Frames as a viewer would show them: windowed, coloured, cut, scaled, as JPEG or PNG.

The order is that of PS3.4 §N.2: modality, VOI, presentation; then the viewport.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gateway.errors import NotAcceptableError, QueryError
from gateway.imaging.description import FrameDescription, Table, Window
from gateway.imaging.palettes import coloured, eight_bits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Array = NDArray[Any]
    Floats = NDArray[np.float64]
    Bytes = NDArray[np.uint8]

ImageType = Literal["image/jpeg", "image/png"]

MAX_SIDE = 8_192
"""Pixels of a side that follows from the other one."""

_FINE = 90  # a quality from which on the colours keep their resolution
_MAX_JPEG_SIDE = 65_500
_PIECE = 1_000_000  # samples that are windowed at once


@dataclass(frozen=True, slots=True)
class Viewport:
    """The size to fit into, in pixels, and the source region, in pixels of the frame.

    A `width` or `height` of None is whatever keeps the shape. A region of negative size is
    mirrored; its size is None where it reaches to the image's edge. It is in fractions of the
    frame where `is_relative`. Source: PS3.18 §8.3.5.1.4, §9.5.1.2.5.
    """

    width: int | None = None
    height: int | None = None
    x: float = 0.0
    y: float = 0.0
    region_width: float | None = None
    region_height: float | None = None
    is_relative: bool = False


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
        return coloured(array, description.palette)
    if not description.is_monochrome:
        return eight_bits(array, description.bits_stored)
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
        grey: Bytes = table[native.view(unsigned)]
        return grey
    # Some rows at a time: as floats they take eight times the memory and more
    pieces = np.array_split(array, max(array.size // _PIECE, 1))
    return np.concatenate(
        [_presented(p.astype(np.float64), description, window, least, most) for p in pieces]
    )


def _range(array: Array, description: FrameDescription) -> tuple[float, float]:
    """The least and the greatest stored value, of pixels that are none only where all are."""
    import numpy as np

    seen: Any = array
    if description.is_float:
        seen = array[np.isfinite(array)]
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


def _fitted(image: Image.Image, viewport: Viewport) -> Image.Image:
    """The source region, as large as it fits. Source: PS3.18 §8.3.5.1.4."""
    from PIL.Image import Resampling, Transpose

    left, top, width, height = _region(image.size, viewport)
    box = (left, top, left + abs(width), top + abs(height))
    scale = 1.0
    if viewport.width or viewport.height:
        scale = min(
            (viewport.width or MAX_SIDE) / abs(width), (viewport.height or MAX_SIDE) / abs(height)
        )
    size = (max(round(abs(width) * scale), 1), max(round(abs(height) * scale), 1))
    if size != image.size or box != (0, 0, *image.size):
        image = image.resize(size, Resampling.BILINEAR, box)
    if width < 0:
        image = image.transpose(Transpose.FLIP_LEFT_RIGHT)
    return image.transpose(Transpose.FLIP_TOP_BOTTOM) if height < 0 else image


def _region(size: tuple[int, int], viewport: Viewport) -> tuple[float, float, float, float]:
    """Left, top, width and height of the source region, in pixels of the frame."""
    across, down = size if viewport.is_relative else (1, 1)
    left, top = viewport.x * across, viewport.y * down
    given = (viewport.region_width, viewport.region_height)
    width = size[0] - left if given[0] is None else given[0] * across
    height = size[1] - top if given[1] is None else given[1] * down
    right, bottom = left + abs(width), top + abs(height)
    # Fractions of a frame may add up to a hair more than the whole
    is_within = left >= 0 and top >= 0 and right <= size[0] + 1e-6 and bottom <= size[1] + 1e-6
    if not (is_within and width and height):
        raise QueryError("viewport", "its source region must lie within the image")
    width = width if right <= size[0] else (size[0] - left) * (1 if width > 0 else -1)
    height = height if bottom <= size[1] else (size[1] - top) * (1 if height > 0 else -1)
    return left, top, width, height


def _encoded(image: Image.Image, look: Look) -> bytes:
    file = io.BytesIO()
    if look.media_type == "image/png":
        image.save(file, "PNG", compress_level=4)
    else:
        if max(image.size) > _MAX_JPEG_SIDE:
            raise NotAcceptableError("The image is too large for a JPEG; image/png has no limit.")
        subsampling = 0 if look.quality >= _FINE else 2
        image.save(file, "JPEG", quality=look.quality, subsampling=subsampling)
    return file.getvalue()
