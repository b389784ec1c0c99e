"""Chance that is the same every time: identifiers and noise out of the seed and a name."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NAMESPACE = uuid.UUID("5a6d706c-6527-4173-8861-726368697665")
_DICE = 3
_SPREAD = 128
"""The standard deviation of the sum of three bytes."""


def uid(seed: int, *names: object) -> str:
    """A UID of the form that PS3.5 B.2 makes of a UUID."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, _joined(seed, *names)).int}"


def dice(seed: int, *names: object) -> np.random.RandomState:
    """A stream of numbers; NumPy has promised not to change this kind."""
    import numpy as np

    digest = hashlib.blake2b(_joined(seed, *names).encode(), digest_size=4).digest()
    return np.random.RandomState(int.from_bytes(digest, "big"))


def noise(
    stream: np.random.RandomState, shape: tuple[int, ...], deviation: int
) -> NDArray[np.int32]:
    """Whole numbers around 0, nearly normal.

    Out of whole numbers only: logarithms differ in their last bit from machine to machine.
    """
    import numpy as np

    total = np.zeros(shape, np.int32)
    for _ in range(_DICE):
        total += stream.randint(0, 256, shape, np.uint8)
    return (total - _DICE * 255 // 2) * deviation // _SPREAD


def _joined(*parts: object) -> str:
    return "/".join(str(part) for part in parts)
