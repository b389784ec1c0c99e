"""The budget of one request: how many upstream calls it may cost, and how long they may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import ResultTooLargeError

TOO_BROAD = (
    "The search needs more calls or time than one request may cost. "
    "Add a StudyDate range, or a key such as PatientID or AccessionNumber."
)


@dataclass(slots=True)
class Budget:
    """What is left of `max_calls` calls and `max_s` seconds spent in calls, retries included.

    The time in which a client reads its answer is not counted.
    """

    max_calls: int
    max_s: float
    clock: Callable[[], float]
    calls: int = 0
    spent_s: float = 0.0
    answered: int = 0

    def start_call(self) -> float:
        """Count one call; how many seconds it may take.

        Raises: ResultTooLargeError.
        """
        if self.calls >= self.max_calls or self.spent_s >= self.max_s:
            raise ResultTooLargeError(TOO_BROAD)
        self.calls += 1
        return self.max_s - self.spent_s

    def end_call(self, started_at: float, attempts: int) -> None:
        """Count the time since `started_at`, and the retries that the call has needed."""
        self.spent_s += self.clock() - started_at
        self.calls += attempts - 1
