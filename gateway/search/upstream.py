"""What a search asks of the upstream: walks of pages, opened within one request's budget."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.search.imageset import ImageSet, Page
from gateway.search.metadata import Metadata
from gateway.search.plan import Plan
from gateway.search.trail import Trail


class Walk(Protocol):
    """The pages of one plan, each once, in the upstream's order, from where they were left."""

    @property
    def plan(self) -> Plan:
        """The rung of the ladder that the upstream took: perhaps wider than what was planned."""
        ...

    @property
    def ended(self) -> bool:
        """Whether every page was given."""
        ...

    @property
    def trail(self) -> Trail:
        """What is known of a search that came this way; the pages begin at its last checkpoint."""
        ...

    @property
    def place(self) -> object:
        """The place of the page that was given last, for a checkpoint."""
        ...

    def leave(self, trail: Trail) -> None:
        """Leave `trail` for the next search with the same key."""
        ...

    def expect(self, pages: float) -> None:
        """Say that about so many more pages will be read; the next one surely, if any."""
        ...

    def __aiter__(self) -> AsyncIterator[Page]: ...


@dataclass(frozen=True, slots=True)
class Resume:
    """What a search would go on with: results from `position` on, of all searches with `key`.

    None as a key is like no other. `continues` says that the client has the results before these
    already, so that pages of the same age are better than fresh ones.
    """

    key: Hashable | None
    position: float
    continues: bool


Names = frozenset[str] | None
"""The keywords (or tags) of an instance that are wanted; None for all that it has."""


class Upstream(Protocol):
    """What opens walks and fetches metadata for one request, within that request's budget."""

    async def open(self, one: Plan, resume: Resume | None = None) -> Walk:
        """The walk of `one` or of the nearest rung below it that the upstream takes."""
        ...

    def expect(self, plans: Iterable[Plan]) -> None:
        """Say that the walks of `plans` will all be opened, in this order."""
        ...

    def begin_anew(self) -> None:
        """Open only walks that begin from now on."""
        ...

    async def metadata(self, image_set: ImageSet, names: Names) -> Metadata:
        """The metadata of this version of an image set; of each instance at least `names`."""
        ...
