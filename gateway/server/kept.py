"""Small images that were made, kept within a bound of memory."""

from __future__ import annotations

from collections import OrderedDict

from gateway.imaging.rendering import Look
from gateway.wado.upstream import Place

KEPT_BYTES = 16 * 1024 * 1024
"""Of thumbnails that are kept: some five thousand."""

_COST = 512  # what an entry takes beside its image


class KeptImages:
    """The images that stand for places. A version of an image set never changes.

    Those that were not asked for the longest time go first.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._images: OrderedDict[tuple[str, int, Look], bytes] = OrderedDict()

    def get(self, place: Place, look: Look) -> bytes | None:
        """The image, empty where the place has none; None where that is not known."""
        key = (place.image_set_id, place.version, look)
        image = self._images.get(key)
        if image is not None:
            self._images.move_to_end(key)
        return image

    def put(self, place: Place, look: Look, image: bytes) -> None:
        """Keep it."""
        key = (place.image_set_id, place.version, look)
        if (before := self._images.pop(key, None)) is not None:
            self._bytes -= len(before) + _COST
        self._images[key] = image
        self._bytes += len(image) + _COST
        while self._bytes > self._most:
            _, gone = self._images.popitem(last=False)
            self._bytes -= len(gone) + _COST
