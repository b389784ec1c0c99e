"""What a search asks of the upstream: walks of pages, opened within one request's budget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from gateway.search.imageset import Page
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


class Upstream(Protocol):
    """What opens walks for one request, within that request's budget."""

    async def open(self, one: Plan) -> Walk:
        """The walk of `one` or of the nearest rung below it that the upstream takes."""
        ...
