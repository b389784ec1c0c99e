"""Pages for one request: what is kept, what is being fetched for others, else its own calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.errors import ResultTooLargeError, UpstreamThrottledError
from gateway.healthimaging.budget import TOO_BROAD, Budget
from gateway.healthimaging.flight import Flight
from gateway.healthimaging.walk import Step
from gateway.healthimaging.walks import Walks
from gateway.search.imageset import Page


@dataclass(slots=True, eq=False)
class Loader:
    """Fetches pages within one request's budget, and holds those that it has not done with."""

    walks: Walks
    budget: Budget
    _held: dict[Step, Flight[Page] | None] = field(default_factory=dict)
    _called: set[Step] = field(default_factory=set)

    @property
    def at_once(self) -> int:
        """How many calls may be under way for this request: one where others wait for theirs."""
        return 1 if self.walks.quota.is_busy(self.budget) else self.walks.limits.scan_concurrency

    @property
    def held(self) -> int:
        """How many pages are fetched, or being fetched, and not let go yet."""
        return len(self._held)

    @property
    def has_room(self) -> bool:
        """Whether more pages may be held than the one that is being read, by all requests."""
        return self.walks.ahead < self.walks.limits.cache_bytes

    async def read(self, step: Step) -> Page:
        """The page at `step`, held until it is let go.

        Raises: UpstreamError, ResultTooLargeError.
        """
        if step not in self._held:
            self.walks.pin(step)
            self._held[step] = None
        if step.page is not None:
            await asyncio.sleep(0)  # a thousand pages may be kept, and others have their turn
            return step.page
        async with self.budget.waiting() as left_s:
            return await self._flight(step, left_s).join()

    def has_called(self, step: Step) -> bool:
        """Whether the page at `step` has cost the request a call."""
        return step in self._called

    def _flight(self, step: Step, left_s: float) -> Flight[Page]:
        is_own = step.flight is None
        try:
            flight = self.walks.flight(step, self.budget, left_s)
        except UpstreamThrottledError as exc:
            # Where nobody else waits, it is the search that is too broad, now and the next time
            if self.budget.answered and not self.walks.quota.is_busy(self.budget):
                raise ResultTooLargeError(TOO_BROAD) from exc
            raise
        if is_own:
            self._called.add(step)
        return flight

    def prefetch(self, step: Step) -> None:
        """Have the page at `step` fetched meanwhile, if the budget and the quota let."""
        if step.page is not None or step in self._held:
            return
        try:
            flight = self._flight(step, self.budget.left_s)
        except (ResultTooLargeError, UpstreamThrottledError):
            return  # whoever comes to that page will meet it
        flight.hold()
        self.walks.pin(step)
        self._held[step] = flight

    def let_go(self, step: Step) -> None:
        """Want the page at `step` no more."""
        if step not in self._held:
            return
        if (flight := self._held.pop(step)) is not None:
            flight.release()
        self._called.discard(step)
        self.walks.unpin(step)

    def close(self) -> None:
        """Want nothing any more."""
        for step in list(self._held):
            self.let_go(step)
