"""An event loop whose clock jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import functools
import math
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

STUCK_S = 30.0
"""Real seconds without a timer or any input after which a test is called stuck."""

MOST_TURNS = 10_000
"""Turns of the loop in one moment after which it is the next: a clock that stood would let a timer
that is due a rounding error later be set again for ever."""

# A timer that fires a rounding error early would be set again for the same moment, for ever
_TICK_S = 1e-9


class _Jumping(selectors.SelectSelector):
    """Does not wait where there is a timer to jump to."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._stood = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; if nothing is, it is `timeout` seconds later."""
        if timeout is None:
            ready = super().select(STUCK_S)
            assert ready, "nothing is under way that could wake the loop"
            return ready
        ready = super().select(0)
        self._stood = 0 if ready or timeout > 0 else self._stood + 1
        if not ready and (timeout > 0 or self._stood > MOST_TURNS):
            self.now += timeout
            self.now += max(_TICK_S, 2 * math.ulp(self.now))
            self._stood = 0
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop in which all waiting for timers takes no real time. It begins at 0 seconds.

    Its time stands while anything can run. Threads and sockets do not hold it up: a timer that
    is set while one works fires at once.
    """

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the loop was made, as its timers have counted them."""
        return self._jumping.now


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What `coroutine` gives in a virtual time of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """A plain function, so a plain test, that runs `test` in a virtual time of its own."""

    @functools.wraps(test)
    def in_its_own(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(test(*args, **kwargs))

    return in_its_own
