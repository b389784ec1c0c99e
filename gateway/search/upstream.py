"""What a search asks of the upstream: walks of pages, opened within one request's budget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from gateway.search.imageset import ImageSet, Page
from gateway.search.metadata import Metadata
from gateway.search.plan import Plan


class Walk(Protocol):
    """The pages of one plan, each once, in the upstream's order."""

    @property
    def plan(self) -> Plan:
        """The rung of the ladder that the upstream took: perhaps wider than what was planned."""
        ...

    @property
    def ended(self) -> bool:
        """Whether every page was given."""
        ...

    def __aiter__(self) -> AsyncIterator[Page]: ...


Names = frozenset[str] | None
"""The keywords (or tags) of an instance that are wanted; None for all that it has."""


class Upstream(Protocol):
    """What opens walks and fetches metadata for one request, within that request's budget."""

    async def open(self, one: Plan) -> Walk:
        """The walk of `one` or of the nearest rung below it that the upstream takes."""
        ...

    async def metadata(self, image_set: ImageSet, names: Names) -> Metadata:
        """The metadata of this version of an image set; of each instance at least `names`."""
        ...
