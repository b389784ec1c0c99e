"""The account's quota of SearchImageSets: each call gets its turn, fair between requests."""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from aiolimiter import AsyncLimiter

from gateway.errors import UpstreamThrottledError
from gateway.healthimaging.errors import error_as

HALVING_S = 1.0
"""Throttled calls within these seconds of each other are one reason to slow down."""

AGAIN_S = 5.0
"""Calls that are throttled again within these seconds say that others use the quota as well."""

_STEP = 0.1  # of the configured rate, regained each second without a throttled call
_SLOWEST_CALLS_PER_S = 1.0


@dataclass(frozen=True, slots=True)
class QuotaLimits:
    """What one process may have of the account's quota, and how many calls may wait for it."""

    calls_per_s: float = 25.0
    burst: int = 50
    max_waiting: int = 1_000


class Quota:
    """Gives each call its turn: never more a second than the account may, fair between requests.

    An asker is any object that stands for one request, told from others by its identity. Askers
    that wait get one turn each, in the order in which they came, and then the next; the calls of
    one asker keep their order. So a long scan lets a lookup pass after one call.

    `on_wait` is told of each turn how many seconds it was waited for.
    """

    def __init__(
        self,
        limits: QuotaLimits = QuotaLimits(),
        on_wait: Callable[[float], None] = lambda _: None,
    ) -> None:
        calls_per_s, burst = limits.calls_per_s, limits.burst
        self._calls_per_s, self._burst, self._max_waiting = calls_per_s, burst, limits.max_waiting
        self._on_wait = on_wait
        self._pace = _Pace(min(_SLOWEST_CALLS_PER_S / calls_per_s, _STEP))
        self._bucket, self._bucket_share = AsyncLimiter(burst, burst / calls_per_s), 1.0
        self._queues: OrderedDict[int, deque[asyncio.Future[None]]] = OrderedDict()
        self._waiting = 0
        self._dispatcher: asyncio.Task[None] | None = None
        self._owed, self._owed_until = 0, 0.0

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return self._waiting

    def is_busy(self, asker: object) -> bool:
        """Whether anybody else than `asker` waits."""
        return len(self._queues) > (id(asker) in self._queues)

    def check(self, asker: object, left_s: float, coming: int = 0) -> None:
        """Refuse a call that could not have its turn within `left_s` seconds.

        Or for which there is no place to wait. The wait is told by what waits now and by the rate
        of now: it is at most the time of one turn shorter. `coming` is how many calls were not
        refused and have not begun to wait yet.

        Raises: UpstreamThrottledError with the seconds after which it may work.
        """
        late_s = self._wait_s(asker, coming) - left_s
        if self._waiting + coming - self._free(coming) >= self._max_waiting:
            late_s = max(late_s, 1 / self._rate())
        if late_s > 0:
            error = error_as(UpstreamThrottledError)
            error.retry_after_s = max(1, math.ceil(late_s))
            raise error

    async def turn(self, asker: object) -> None:
        """Wait for the turn of one call; a cancelled wait gives its place up."""
        if not self._queues and not self._settle() and self._bucket.has_capacity():
            await self._bucket.acquire()  # does not wait
            self._on_wait(0.0)
            return
        loop = asyncio.get_running_loop()
        since = loop.time()
        await self._wait(asker, loop.create_future())
        self._on_wait(loop.time() - since)

    def charge(self, calls: int) -> None:
        """Count calls that were made without a turn: botocore's retries."""
        if calls:
            self._settle()
            self._owed, self._owed_until = self._owed + calls, math.inf
            # What is in the bucket, and what does not fit into it, have run out by then
            full = self._settle() + self._bucket.max_rate
            self._owed_until = _now() + full / self._rate()

    def throttled(self) -> None:
        """AWS has throttled a call: its bucket is empty, and now ours is.

        Where it happens again soon, the rate is halved, at most once a second, without a burst.
        """
        while self._bucket.has_capacity():
            _take(self._bucket, 1)
        self._pace.slow_down(_now())

    def _rate(self) -> float:
        """Calls a second, now."""
        return self._calls_per_s * self._pace.share(_now())

    def _wait_s(self, asker: object, coming: int) -> float:
        own = len(self._queues.get(id(asker), ()))
        others = (len(queue) for key, queue in self._queues.items() if key != id(asker))
        wanted = 1 + coming + self._settle() + own + sum(min(one, own + 1) for one in others)
        if not self._queues and self._bucket.has_capacity(wanted):
            return 0.0
        return wanted / self._rate()

    def _free(self, at_most: int) -> int:
        """How many of so many calls have their turn without waiting."""
        if self._queues:
            return 0
        numbers = range(1, at_most + 1)
        return bisect_left(numbers, True, key=lambda one: not self._bucket.has_capacity(one))

    def _settle(self) -> int:
        """Settle what is owed; how many calls without a turn do not fit into the bucket yet."""
        if self._dispatcher is None:  # else it waits for what the bucket is to give
            self._renew()
        if _now() >= self._owed_until:
            self._owed = 0
        while self._owed and self._bucket.has_capacity():
            _take(self._bucket, 1)
            self._owed -= 1
        return self._owed

    def _renew(self) -> None:
        """Have the bucket of the rate of now. A new one begins without a burst."""
        share = self._pace.share(_now())
        if share != self._bucket_share:
            size = self._burst if share == 1 else 1
            self._bucket = AsyncLimiter(size, size / (self._calls_per_s * share))
            self._bucket_share = share
            _take(self._bucket, size)

    async def _wait(self, asker: object, turn: asyncio.Future[None]) -> None:
        self._queues.setdefault(id(asker), deque()).append(turn)
        self._waiting += 1
        if self._dispatcher is None:
            self._dispatcher = asyncio.create_task(self._dispatch())
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._give()  # it had its turn, and does not use it
            elif turn in self._queues.get(id(asker), ()):
                self._drop(id(asker), turn)
            self._rest()
            raise

    async def _dispatch(self) -> None:
        """Give turns as the bucket allows until nobody waits."""
        while self._queues:
            self._renew()
            is_owed = self._settle() > 0
            await self._bucket.acquire()
            if is_owed:
                self._owed = max(0, self._owed - 1)
            else:
                self._give()
        self._dispatcher = None

    def _give(self) -> None:
        """Give a turn to the asker who is next, if one waits, and put it behind the others."""
        for key, queue in list(self._queues.items()):
            while queue:
                turn = queue[0]
                self._drop(key, turn)
                if not turn.done():
                    turn.set_result(None)
                    if queue:
                        self._queues.move_to_end(key)
                    return

    def _rest(self) -> None:
        """Leave no task behind where nobody waits any more."""
        if not self._queues and self._dispatcher is not None:
            self._dispatcher.cancel()
            self._dispatcher = None

    def _drop(self, key: int, turn: asyncio.Future[None]) -> None:
        queue = self._queues[key]
        queue.remove(turn)
        self._waiting -= 1
        if not queue:
            del self._queues[key]


@dataclass(slots=True)
class _Pace:
    """The share of the configured rate that is used: all of it until a call is throttled."""

    slowest: float
    _share: float = 1.0
    _since: float = 0.0  # the last throttled call
    _met_at: float = -math.inf  # the first of those that are one reason

    def share(self, now: float) -> float:
        """More than 0, at most 1; it grows by steps, of which each lasts a second."""
        if self._share == 1:
            return 1.0
        steps = math.floor(now - self._since)
        return min(1.0, round(self._share + steps * _STEP, 9))

    def slow_down(self, now: float) -> None:
        """A call was throttled."""
        self._share, self._since = self.share(now), now
        met_before_s = now - self._met_at
        if met_before_s >= HALVING_S:
            self._met_at = now
            if met_before_s < AGAIN_S:
                self._share = max(self.slowest, self._share / 2)


def _take(bucket: AsyncLimiter, calls: int) -> None:
    """Take out of a bucket what it has, so without waiting."""
    with suppress(StopIteration):
        bucket.acquire(calls).send(None)


def _now() -> float:
    return asyncio.get_running_loop().time()
