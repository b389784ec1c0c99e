"""The memory of the ladder: which plan an upstream took where a better one was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.search.plan import Equal, Plan

RUNG_MEMORY_S = 3600.0
"""How long the gateway remembers which rung of the ladder an upstream took."""


@dataclass(slots=True)
class Rungs:
    """Which rung of its ladder each shape of plan stands on, for an hour."""

    clock: Callable[[], float]
    _known: dict[tuple[str, ...], tuple[int, float]] = field(default_factory=dict)

    def first(self, one: Plan) -> int:
        """The rung to begin with: the top one, or what was found within the last hour."""
        rung, until = self._known.get(one.shape, (0, 0.0))
        return rung if self.clock() < until else 0

    def remember(self, one: Plan, rung: int, taken: Plan) -> None:
        """`taken` was accepted where the rungs above it were not.

        Not remembered where it lost the EQUAL filter: then the value is at fault, not the shape.
        """
        if any(isinstance(f, Equal) for f in taken.filters) or not any(
            isinstance(f, Equal) for f in one.filters
        ):
            self._known[one.shape] = (rung, self.clock() + RUNG_MEMORY_S)
