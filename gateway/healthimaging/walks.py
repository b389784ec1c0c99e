"""The walks of a process: which one a request may join, what is fetched for them, what is kept.

The youngest walk of a plan may be joined while its first page is young: `ttl_s` for a search that
begins, `continue_s` for one that goes on behind results that its client has already. After that, or
when another one has begun, it is forgotten. Pages are kept until their bytes are more than
`cache_bytes` over all walks; then those go that were not read for the longest time. Next tokens and
trails stay. Pages that requests have fetched ahead take as much again at the most.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from gateway.errors import UpstreamError, UpstreamValidationError, WalkLostError
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.flight import Flight
from gateway.healthimaging.metadata import MIB, MetadataCalls
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.quota import Quota
from gateway.healthimaging.walk import Step, Walk
from gateway.search.imageset import Page
from gateway.search.plan import Plan
from gateway.search.upstream import Resume

PAGE_SIZE = 50
"""Image sets a call: the most that SearchImageSets gives (documented)."""


class Calls(MetadataCalls, Protocol):
    """The calls that a search is made of."""

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page of `one`; `next_token` is "" for the first.

        Raises: UpstreamError.
        """
        ...


@dataclass(frozen=True, slots=True)
class WalkLimits:
    """How long walks are shared, in seconds, how much of them is kept, and how many calls a
    request makes at once.
    """

    ttl_s: float = 5.0
    continue_s: float = 60.0
    cache_bytes: int = 16 * MIB
    scan_concurrency: int = 8

    def young_s(self, *, continues: bool) -> float:
        """How old a walk may be for a search that begins, or one that `continues`."""
        return max(self.continue_s, self.ttl_s) if continues else self.ttl_s


class Walks:
    """The walks over one source: an endpoint, a region, a role and a data store."""

    def __init__(
        self,
        calls: Calls,
        quota: Quota,
        limits: WalkLimits,
        meters: Meters,
        clock: Callable[[], float],
        source: Hashable = "",
        page_size: int = PAGE_SIZE,
    ) -> None:
        self.quota, self.limits, self.meters = quota, limits, meters
        self.page_size = page_size
        self.weight = self._kept = 0
        self._calls, self._clock, self._source = calls, clock, source
        self._walks: dict[Hashable, Walk] = {}
        self._coming: set[Step] = set()  # calls that do not wait for their turn yet, but will
        self._weights: dict[Step, int] = {}
        self._unpinned: OrderedDict[Step, None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    # --- joining ----------------------------------------------------------------------------------

    def join(self, plan: Plan, resume: Resume | None, since: float) -> tuple[Walk, bool]:
        """The walk of `plan` to read, begun at `since` or later, and whether it is shared.

        There is one of a plan at a time: a search that went on along an older one, behind results
        of a younger, would miss what came between them.
        """
        now, known = self._clock(), self._walks.get((self._source, plan))
        if known is not None:
            continues = resume is not None and resume.continues
            oldest = now - self.limits.young_s(continues=continues)
            # What still waits for its turn is as fresh as can be, however long that takes
            if not known.is_asked or (known.started_at > oldest and known.started_at >= since):
                return known, True
            self.forget(known)
        walk = self._walks[self._source, plan] = Walk(plan, now)
        if self._timer is None:  # thousands may be alive, and are not looked through each time
            self._expire()
        return walk, False

    def forget(self, walk: Walk) -> None:
        """Let nobody join `walk` any more. Those who read it go on."""
        if self._walks.get((self._source, walk.plan)) is walk:
            del self._walks[self._source, walk.plan]
        walk.is_forgotten = True
        for step in [one for one in walk.held if not one.pins]:
            self._drop(step)

    def forget_unbegun(self, walk: Walk) -> None:
        """Forget `walk` if it has no first page and none is coming: the call was not made, has
        failed, or was given up.
        """
        if not walk.loads and walk.first.flight is None:
            self.forget(walk)

    @property
    def held_bytes(self) -> int:
        """The bytes that pages and trails take, about."""
        trails = (trail for walk in self._walks.values() for trail in walk.trails.values())
        return self.weight + sum(trail.weight for trail in trails)

    @property
    def ahead(self) -> int:
        """The bytes of pages that requests hold until they have read them."""
        return self.weight - self._kept

    @property
    def alive(self) -> int:
        """How many walks may be joined."""
        return len(self._walks)

    def close(self) -> None:
        """Forget all."""
        for walk in list(self._walks.values()):
            self.forget(walk)
        self._expire()

    def _expire(self) -> None:
        """Forget what is too old for anybody, now and when the next one is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        keep_s = self.limits.young_s(continues=True)
        oldest = self._clock() - keep_s
        alive = list(self._walks.values())
        for walk in alive:
            if walk.started_at <= oldest and walk.first.flight is None:
                self.forget(walk)
        ages = [walk.started_at - oldest for walk in alive if not walk.is_forgotten]
        if ages:
            after_s = max(min(ages), keep_s / 10)
            self._timer = asyncio.get_running_loop().call_later(after_s, self._expire)

    # --- fetching ---------------------------------------------------------------------------------

    def flight(self, step: Step, budget: Budget, left_s: float) -> Flight[Page]:
        """The call for the page at `step`: the one under way, else a new one, which `budget` pays.

        Raises: ResultTooLargeError, UpstreamThrottledError; then there is none.
        """
        if step.flight is None:
            self.quota.check(budget, left_s, len(self._coming))
            budget.count_call()
            self._coming.add(step)
            step.flight = Flight(self._fetch(step, budget), partial(self._landed, step, budget))
        return step.flight

    async def _fetch(self, step: Step, budget: Budget) -> Page:
        walk = step.window.walk
        self._coming.discard(step)
        try:
            await self.quota.turn(budget)
        except asyncio.CancelledError:
            budget.give_back()
            raise
        if not walk.loads:
            walk.started_at, walk.is_asked = self._clock(), True
        attempts = 1
        try:
            page = await self._calls.search_image_sets(step.window.plan, self.page_size, step.token)
            attempts = page.attempts
        except UpstreamError as exc:
            attempts = exc.attempts
            if step.token and isinstance(exc, UpstreamValidationError):
                self.forget(walk)
                self.meters.lost_walk()
                raise WalkLostError("HealthImaging takes a next token no longer.") from exc
            raise
        finally:
            budget.count_retries(attempts - 1)
            self.quota.charge(attempts - 1)
        walk.loads += 1
        step.page = page = step.window.own(page)
        walk.learn(step, page)
        walk.held.add(step)
        self._weights[step] = step.weight
        self.weight += step.weight
        self.settle(step)
        return page

    def _landed(self, step: Step, budget: Budget) -> None:
        step.flight = None
        if step in self._coming:  # given up before it began
            self._coming.discard(step)
            budget.give_back()
        self.forget_unbegun(step.window.walk)

    # --- keeping ----------------------------------------------------------------------------------

    def pin(self, step: Step) -> None:
        """Keep the page at `step`, now or once it is there, until whoever pins it unpins it."""
        step.pins += 1
        self.settle(step)

    def unpin(self, step: Step) -> None:
        """Take back one pin."""
        step.pins -= 1
        self.settle(step)

    def settle(self, step: Step) -> None:
        """Let the page at `step` go when there is too much, but not while a request pins it."""
        if step in self._unpinned:
            del self._unpinned[step]
            self._kept -= self._weights[step]
        if step.page is None or step.pins:
            return
        self._unpinned[step] = None
        self._kept += self._weights[step]
        if step.window.walk.is_forgotten:
            self._drop(step)
        while self._kept > self.limits.cache_bytes:
            self._drop(next(iter(self._unpinned)))

    def _drop(self, step: Step) -> None:
        weight = self._weights.pop(step)
        self.weight -= weight
        self._kept -= weight
        del self._unpinned[step]
        step.window.walk.held.discard(step)
        step.drop()
