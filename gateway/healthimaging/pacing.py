"""The account's calls a second of one operation: each call waits for its turn, but not for long."""

from __future__ import annotations

import math

from aiolimiter import AsyncLimiter

from gateway.errors import UpstreamThrottledError
from gateway.healthimaging.errors import error_as

MOST_WAIT_S = 30.0
"""A call that would wait longer for its turn is refused at once."""


class Pace:
    """Turns for calls: `burst` at once after a pause, then `calls_per_s`."""

    def __init__(self, calls_per_s: float, burst: int) -> None:
        self._calls_per_s = calls_per_s
        self._bucket = AsyncLimiter(burst, burst / calls_per_s)
        self._waiting = 0

    async def turn(self) -> None:
        """Wait for the turn of one call.

        Raises: UpstreamThrottledError with the seconds after which it may work.
        """
        late_s = self._waiting / self._calls_per_s - MOST_WAIT_S
        if late_s > 0:
            error = error_as(UpstreamThrottledError)
            error.retry_after_s = max(1, math.ceil(late_s))
            raise error
        self._waiting += 1
        try:
            await self._bucket.acquire()
        finally:
            self._waiting -= 1
