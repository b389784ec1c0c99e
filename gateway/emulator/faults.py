"""What goes wrong on purpose: latency, throttling, and any answer that a test asks for."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from gateway.emulator.errors import WireError

Broken = Literal["cut", "not-json", "same-token", "unavailable"]
"""The connection ends without an answer; a body that is no JSON; the token that was sent again; a
503 that is not AWS's."""

BrokenBody = bytes | Literal["cut", "stalled", "unavailable"]
"""Bytes in the place of the body; the connection ends in the middle of it; the second half of it
never comes; a 503 that is not AWS's."""


@dataclass(slots=True)
class _Bucket:
    """A token for each call; they come back at a rate."""

    tokens: float | None = None
    filled_at: float = 0.0

    def refusal(self, rate: float | None, burst: int, now: float) -> WireError | None:
        """Take a token; what the call ends with where there is none."""
        if rate is None:
            return None
        tokens = burst if self.tokens is None else self.tokens
        tokens = min(burst, tokens + (now - self.filled_at) * rate)
        self.filled_at = now
        taken = tokens >= 1
        self.tokens = tokens - 1 if taken else tokens
        return None if taken else WireError("ThrottlingException", 429, "Rate exceeded")


@dataclass(slots=True)
class OperationFaults:
    """Latency, load limits and faults of one operation.

    The service's own limits of GetImageSetMetadata and of each operation of DICOMweb are 50, 100.

    `latency_ms` is waited before each answer; no limit where `rate` is None.
    """

    latency_ms: float = 0.0
    rate: float | None = None
    burst: int = 100
    _due: deque[WireError | BrokenBody] = field(default_factory=deque)
    _bucket: _Bucket = field(default_factory=_Bucket)

    def schedule(self, fault: WireError | BrokenBody, times: int = 1) -> None:
        """Let the next calls end so."""
        self._due.extend([fault] * times)

    def next_fault(self, now: float) -> WireError | BrokenBody | None:
        """What the call that has just come in ends with, if not well; `now` in seconds."""
        return (
            self._due.popleft() if self._due else self._bucket.refusal(self.rate, self.burst, now)
        )


@dataclass(slots=True)
class Faults:
    """Load limits, faults that are due, and the count of what was served.

    `rate` calls of SearchImageSets a second, `burst` at once; no limit where `rate` is None.
    `of` has the limits and faults of any other operation, `metadata` GetImageSetMetadata's.
    `latency_ms` is waited before each answer of DICOMweb as well.
    """

    latency_ms: float = 0.0
    rate: float | None = None
    burst: int = 1
    clock: Callable[[], float] = time.monotonic
    calls: Counter[str] = field(default_factory=Counter)
    _of: dict[str, OperationFaults] = field(default_factory=dict)
    _due: deque[WireError | Broken] = field(default_factory=deque)
    _bucket: _Bucket = field(default_factory=_Bucket)

    def of(self, operation: str) -> OperationFaults:
        """The limits and faults of an operation, by AWS's name of it."""
        return self._of.setdefault(operation, OperationFaults())

    @property
    def metadata(self) -> OperationFaults:
        """The limits and faults of GetImageSetMetadata."""
        return self.of("GetImageSetMetadata")

    async def fault_of(self, operation: str, latency_ms: float = 0.0) -> BrokenBody | None:
        """What is wrong with the body of a call that has just come in, after its latency.

        Raises: WireError, where the call ends so.
        """
        faults = self.of(operation)
        if latency_ms + faults.latency_ms:
            await asyncio.sleep((latency_ms + faults.latency_ms) / 1000)
        fault = faults.next_fault(self.clock())
        if isinstance(fault, WireError):
            raise fault
        return fault

    def schedule(self, fault: WireError | Broken, times: int = 1) -> None:
        """Let the next SearchImageSets calls end so."""
        self._due.extend([fault] * times)

    def next_fault(self) -> WireError | Broken | None:
        """What the call that has just come in ends with, if not well."""
        if self._due:
            return self._due.popleft()
        return self._bucket.refusal(self.rate, self.burst, self.clock())
