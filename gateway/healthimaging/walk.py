"""What one request asks of the upstream: walks, page by page, and metadata.

Here also lies the memory of the ladder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import (
    ResultTooLargeError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamValidationError,
)
from gateway.healthimaging.budget import TOO_BROAD, Budget
from gateway.healthimaging.metadata import MetadataCalls, MetadataStore
from gateway.search.imageset import ImageSet, Page
from gateway.search.metadata import Metadata
from gateway.search.plan import Equal, Plan, ladder
from gateway.search.upstream import Names

PAGE_SIZE = 50
"""Image sets a call: the most that SearchImageSets gives (documented)."""

RUNG_MEMORY_S = 3600.0
"""How long the gateway remembers which rung of the ladder an upstream took."""


class Calls(MetadataCalls, Protocol):
    """The calls that a search is made of."""

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page of `one`; `next_token` is "" for the first.

        Raises: UpstreamError.
        """
        ...


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


@dataclass(slots=True)
class RequestUpstream:
    """Opens the walks of one request, and gives it metadata, within its budget."""

    calls: Calls
    rungs: Rungs
    budget: Budget
    store: MetadataStore
    page_size: int = PAGE_SIZE

    async def open(self, one: Plan) -> PageWalk:
        """The walk of `one` or of the nearest rung of its ladder that the upstream takes.

        Raises: UpstreamError, ResultTooLargeError.
        """
        steps = ladder(one)
        first = self.rungs.first(one)
        for rung in range(first, len(steps)):
            try:
                page = await self.fetch(steps[rung], "")
            except UpstreamValidationError:
                if rung == len(steps) - 1:
                    raise
                continue
            if rung > first:
                self.rungs.remember(one, rung, steps[rung])
            return PageWalk(steps[rung], self, page)
        raise AssertionError("a ladder has a rung")

    async def fetch(self, one: Plan, next_token: str) -> Page:
        """One page, counted and timed.

        Raises: UpstreamError, ResultTooLargeError.
        """
        budget = self.budget
        left_s, attempts = budget.start_call(), 1
        try:
            async with self._within(left_s):
                page = await self.calls.search_image_sets(one, self.page_size, next_token)
            attempts = page.attempts
        except UpstreamError as exc:
            attempts = exc.attempts
            raise
        finally:
            budget.end_call(attempts)
        budget.answered += 1
        return page

    async def metadata(self, image_set: ImageSet, names: Names) -> Metadata:
        """The metadata of this version of an image set; of each instance at least `names`.

        What is kept, or being fetched for another request, costs no call. Several may be asked for
        at once.

        Raises: UpstreamError, ResultTooLargeError.
        """
        if (kept := self.store.kept(image_set, names)) is not None:
            return kept
        left_s = self.budget.start_waiting()
        try:
            async with self._within(left_s):
                found = await self.store.get(image_set, names, self.budget)
        finally:
            self.budget.end_waiting()
        self.budget.answered += 1
        return found

    @asynccontextmanager
    async def _within(self, left_s: float) -> AsyncIterator[None]:
        """End what takes longer than the request may."""
        try:
            async with asyncio.timeout(left_s):
                yield
        except TimeoutError as exc:
            if self.budget.answered:
                raise ResultTooLargeError(TOO_BROAD) from exc
            raise UpstreamTimeoutError("HealthImaging did not answer in time.") from exc


class PageWalk:
    """The pages of one plan, read once from the first to the last."""

    def __init__(self, plan: Plan, upstream: RequestUpstream, first: Page) -> None:
        self.plan = plan
        self.ended = not first.next_token
        self._upstream = upstream
        self._first = first

    async def __aiter__(self) -> AsyncIterator[Page]:
        page = self._first
        seen = {hash(page.next_token)}
        yield page
        while not self.ended:
            page = await self._upstream.fetch(self.plan, page.next_token)
            self.ended = not page.next_token
            if not self.ended and hash(page.next_token) in seen:
                raise UpstreamRejectedError("HealthImaging gave the same next token again.")
            seen.add(hash(page.next_token))
            yield page
