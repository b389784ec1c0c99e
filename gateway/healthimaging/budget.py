"""The budget of one request: how many upstream calls it may cost, and how long they may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import ResultTooLargeError

TOO_BROAD = (
    "The search needs more calls or time than one request may cost. "
    "Add a StudyDate range, or a key such as PatientID or AccessionNumber, or a smaller limit."
)


@dataclass(slots=True)
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

    def start_call(self) -> float:
        """Count one call and begin to wait for it; how many seconds it may take.

        Raises: ResultTooLargeError, and then nothing has begun.
        """
        left_s = self.start_waiting()
        try:
            self.count_call()
        except ResultTooLargeError:
            self.end_waiting()
            raise
        return left_s

    def end_call(self, attempts: int) -> None:
        """The call is over; count the retries that it has needed."""
        self.end_waiting()
        self.count_retries(attempts - 1)

    def count_retries(self, number: int) -> None:
        """Count what a call has needed beside itself."""
        self.calls += number

    def count_call(self) -> None:
        """Count one call for which somebody waits already.

        Raises: ResultTooLargeError.
        """
        if self.calls >= self.max_calls:
            raise ResultTooLargeError(TOO_BROAD)
        self.calls += 1

    def start_waiting(self) -> float:
        """Begin to wait for what is no call of this request, or not surely; the seconds left.

        Raises: ResultTooLargeError, and then nothing has begun.
        """
        now = self.clock()
        spent_s = self.spent_s + (now - self._since if self._waiting else 0.0)
        if spent_s >= self.max_s:
            raise ResultTooLargeError(TOO_BROAD)
        if not self._waiting:
            self._since = now
        self._waiting += 1
        return self.max_s - spent_s

    def end_waiting(self) -> None:
        """The end of one wait; the last of those that overlap adds their time."""
        self._waiting -= 1
        if not self._waiting:
            self.spent_s += self.clock() - self._since
