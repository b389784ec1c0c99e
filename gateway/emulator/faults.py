"""What goes wrong on purpose: latency, throttling, and any answer that a test asks for."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from gateway.emulator.errors import WireError

Broken = Literal["cut", "not-json", "same-token", "unavailable"]
"""The connection ends without an answer; a body that is no JSON; the token that was sent again; a
503 that is not AWS's."""


@dataclass(slots=True)
class Faults:
    """Load limits, faults that are due, and the count of what was served.

    `rate` calls of SearchImageSets a second, `burst` at once; no limit where `rate` is None.
    """

    latency_ms: float = 0.0
    rate: float | None = None
    burst: int = 1
    clock: Callable[[], float] = time.monotonic
    calls: Counter[str] = field(default_factory=Counter)
    _due: deque[WireError | Broken] = field(default_factory=deque)
    _tokens: float | None = None
    _filled_at: float = 0.0

    def schedule(self, fault: WireError | Broken, times: int = 1) -> None:
        """Let the next SearchImageSets calls end so."""
        self._due.extend([fault] * times)

    def next_fault(self) -> WireError | Broken | None:
        """What the call that has just come in ends with, if not well."""
        if self._due:
            return self._due.popleft()
        if self.rate is not None and not self._take(self.rate):
            return WireError("ThrottlingException", 429, "Rate exceeded")
        return None

    def _take(self, rate: float) -> bool:
        now = self.clock()
        tokens = self.burst if self._tokens is None else self._tokens
        tokens = min(self.burst, tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        taken = tokens >= 1
        self._tokens = tokens - 1 if taken else tokens
        return taken
