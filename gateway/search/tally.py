"""The tally: what one search has met, which its Warnings and its line in the log are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.search.metadata import Fault


@dataclass(slots=True)
class Tally:
    """What a search has met so far.

    `total` is the number of all its results, those outside the window too, once that is known
    without another call. `hidden` holds image sets left out because they are not primary, `faults`
    those whose metadata has one, `partial` those of which instances may be missing for it.
    """

    pages: int = 0
    image_sets: int = 0
    results: int = 0
    total: int | None = None
    unusable: int = 0
    hidden: dict[str, None] = field(default_factory=dict)
    rungs: list[str] = field(default_factory=list)
    faults: dict[Fault, set[str]] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)

    def begin_anew(self) -> None:
        """Forget what was met, but not what was given."""
        self.pages = self.image_sets = self.unusable = 0
        self.total = None
        for met in (self.hidden, self.rungs, self.faults, self.partial):
            met.clear()
