"""What was made once and may be asked for again, as long as it takes no more than so many bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable


class Kept:
    """Bytes by their keys, the oldest given up first; any thread may use it."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[Hashable, bytes] = {}
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What is kept under a key, or else what `make` makes. It is made without the lock."""
        if (found := self._kept.get(key)) is not None:
            return found
        made = make()
        with self._lock:
            self._size += len(made) - len(self._kept.pop(key, b""))
            self._kept[key] = made
            while self._size > self._most_bytes:
                self._size -= len(self._kept.pop(next(iter(self._kept))))
        return made
