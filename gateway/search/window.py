"""Which results of a search are given."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(slots=True)
class ResultWindow:
    """The results from `offset` to before `end`; `position` is the next one's.

    `inf` as an end gives all that there are, as an offset none.
    """

    offset: float
    end: float
    position: int = 0

    @property
    def wanted(self) -> float:
        """How many results are still to be given."""
        return inf if self.end == inf else self.end - max(self.position, self.offset)

    @property
    def left(self) -> float:
        """How many results are still to be found, those before the window too."""
        return self.end - self.position
