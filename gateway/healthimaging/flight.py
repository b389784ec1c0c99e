"""Work under way that several wait for: done once, and given up when nobody waits any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """One piece of work, and those who want what it ends with.

    `on_end` is called once, when it is over or given up: then nobody may join it any more.
    """

    def __init__(self, work: Coroutine[Any, Any, T], on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._is_over = False
        self._waiting = 0
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._end)

    def hold(self) -> None:
        """Want it without waiting for it yet; `release` ends that."""
        self._waiting += 1

    def release(self) -> None:
        """Want it no more. Whoever leaves, leaves alone: only the last one ends the work."""
        self._waiting -= 1
        if not self._waiting and not self._task.done():
            self._end()
            self._task.cancel()

    async def join(self) -> T:
        """What the work ends with.

        Raises: what the work raises.
        """
        self.hold()
        try:
            return await asyncio.shield(self._task)
        finally:
            self.release()

    def _end(self, _: object = None) -> None:
        if not self._is_over:
            self._is_over = True
            self._on_end()
        if self._task.done() and not self._task.cancelled():
            self._task.exception()  # perhaps nobody is left to see it
