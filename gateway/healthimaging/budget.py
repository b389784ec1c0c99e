"""The budget of one request: how many upstream calls it may cost, and how long they may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.errors import ResultTooLargeError, UpstreamTimeoutError

TOO_BROAD = (
    "The search needs more calls or time than one request may cost. "
    "Add a StudyDate range, or a key such as PatientID or AccessionNumber, or a smaller limit."
)


@dataclass(slots=True, eq=False)
class Budget:
    """What is left of `max_calls` calls and `max_s` seconds spent in calls, retries included.

    Calls may overlap: a second in which several are under way is one second. The time in which a
    client reads its answer is not counted.
    """

    max_calls: int
    max_s: float
    clock: Callable[[], float]
    calls: int = 0
    spent_s: float = 0.0
    answered: int = 0
    _waiting: int = 0
    _since: float = 0.0

    @property
    def left_s(self) -> float:
        """The seconds that are left, 0 or less where there are none."""
        return self.max_s - self.spent_s - (self.clock() - self._since if self._waiting else 0.0)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[float]:
        """Wait for what is done within, at the most for the seconds that are left, which it gives.

        Raises: ResultTooLargeError, UpstreamTimeoutError where nothing has ever been answered.
        """
        left_s = self.start_waiting()
        try:
            async with asyncio.timeout(left_s):
                yield left_s
        except TimeoutError as exc:
            if self.answered:
                raise ResultTooLargeError(TOO_BROAD) from exc
            raise UpstreamTimeoutError("HealthImaging did not answer in time.") from exc
        finally:
            self.end_waiting()
        self.answered += 1

    def count_retries(self, number: int) -> None:
        """Count what a call has needed beside itself."""
        self.calls += number

    def count_call(self) -> None:
        """Count one call.

        Raises: ResultTooLargeError.
        """
        if self.calls >= self.max_calls:
            raise ResultTooLargeError(TOO_BROAD)
        self.calls += 1

    def give_back(self) -> None:
        """Count one call less: it was given up before it was made."""
        self.calls -= 1

    def start_waiting(self) -> float:
        """Begin to wait for what is no call of this request, or not surely; the seconds left.

        Raises: ResultTooLargeError, and then nothing has begun.
        """
        left_s = self.left_s
        if left_s <= 0:
            raise ResultTooLargeError(TOO_BROAD)
        if not self._waiting:
            self._since = self.clock()
        self._waiting += 1
        return left_s

    def end_waiting(self) -> None:
        """The end of one wait; the last of those that overlap adds their time."""
        self._waiting -= 1
        if not self._waiting:
            self.spent_s += self.clock() - self._since
