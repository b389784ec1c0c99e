"""What a search leaves on a walk for those that go on from there: no image set, no result.

A search for the results 101 to 200 is the search for 1 to 100, gone on with. What it has to know of
those is how many they were, and which studies were answered, so that none of these comes again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.search.grouping import Place

MAX_RELEASED = 20_000
"""Studies of which a trail knows; it ends there. Their UIDs take some 4 MB."""

_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place from which a search can be gone on with.

    The walk is to be read from `place`, a thing of its own, on: there stands the first image set of
    a study that is not answered yet. The walk had been read down to the instant `clock`. Before
    the checkpoint lie `results` results, and the first `released` studies and `hidden` image sets
    of its trail; the last of the studies stands at `last`.
    """

    place: object
    results: int
    released: int
    hidden: int
    clock: int | None = field(repr=False)
    last: Place | None = field(repr=False)


@dataclass(slots=True)
class Trail:
    """The checkpoints of one search in their order, and what lies between them.

    `released` has the UID of each study that was answered, and whether it was fetched whole;
    `hidden` the image sets that were left out because they are not primary.
    """

    released: list[tuple[str, bool]] = field(default_factory=list, repr=False)
    hidden: list[str] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def until(self, position: float, leads_on: Callable[[object], bool]) -> Trail:
        """A copy to its last checkpoint of at most `position` results whose place `leads_on`."""
        number = bisect_right(self.checkpoints, position, key=lambda one: one.results)
        while number and not leads_on(self.checkpoints[number - 1].place):
            number -= 1
        known = self.checkpoints[:number]
        if not known:
            return Trail()
        last = known[-1]
        return Trail(self.released[: last.released], self.hidden[: last.hidden], known)

    @property
    def length(self) -> int:
        """How many studies lie before its last checkpoint."""
        return self.checkpoints[-1].released if self.checkpoints else 0

    @property
    def weight(self) -> int:
        """The bytes that it takes, about."""
        return _NAME_BYTES * (len(self.released) + len(self.hidden) + len(self.checkpoints))
