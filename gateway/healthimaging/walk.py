"""The walk: one plan's pages, the one expensive thing. Here also lies the memory of the ladder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
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
from gateway.search.imageset import Page
from gateway.search.plan import Equal, Plan, ladder

PAGE_SIZE = 50
"""Image sets a call: the most that SearchImageSets gives (documented)."""

RUNG_MEMORY_S = 3600.0
"""How long the gateway remembers which rung of the ladder an upstream took."""


class Calls(Protocol):
    """The one call that a walk is made of."""

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
    """Opens the walks of one request within its budget."""

    calls: Calls
    rungs: Rungs
    budget: Budget
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
        left_s = budget.start_call()
        started_at, attempts = budget.clock(), 1
        try:
            async with asyncio.timeout(left_s):
                page = await self.calls.search_image_sets(one, self.page_size, next_token)
            attempts = page.attempts
        except TimeoutError as exc:
            if budget.answered:
                raise ResultTooLargeError(TOO_BROAD) from exc
            raise UpstreamTimeoutError("HealthImaging did not answer in time.") from exc
        except UpstreamError as exc:
            attempts = exc.attempts
            raise
        finally:
            budget.end_call(started_at, attempts)
        budget.answered += 1
        return page


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
