"""One request's way through a walk: page after page, from its beginning or from a checkpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

from gateway.errors import UpstreamRejectedError
from gateway.healthimaging.cutting import cut_of
from gateway.healthimaging.lanes import Lanes
from gateway.healthimaging.loading import Loader
from gateway.healthimaging.walk import Step, Walk
from gateway.search.imageset import Page
from gateway.search.plan import Plan
from gateway.search.trail import Trail
from gateway.search.upstream import Resume

_MARGIN = 1.25
"""By how much there may be more pages in a range than its first page lets expect."""


class Reading(AsyncIterator[Page]):
    """The pages of a walk for one request.

    They begin at the last checkpoint of `trail`, which is what is known of the search `resume`.
    """

    def __init__(self, loader: Loader, walk: Walk, resume: Resume | None, *, is_own: bool) -> None:
        self._loader, self._walk, self._resume = loader, walk, resume
        self._is_own = is_own
        position = resume.position if resume else 0
        self.trail = walk.trail_of(resume).until(position, _leads_on)
        start = self.trail.checkpoints[-1].place if self.trail.checkpoints else walk.first
        self._next: Step | None = cast(Step, start)
        self._step: Step = cast(Step, start)
        self._page: Page | None = None
        self._first: Page | None = None
        self._seen: set[int] = set()
        self._lanes: Lanes | None = None

    @property
    def plan(self) -> Plan:
        """The plan whose pages these are."""
        return self._walk.plan

    @property
    def place(self) -> object:
        """The step of the page that was given last."""
        return self._step

    @property
    def ended(self) -> bool:
        """Whether every page was given, or will be with the one that was fetched at the start."""
        return self._page is not None and self._walk.is_end(self._step, self._page)

    async def begin(self) -> None:
        """Fetch the first page, which is the first that is given.

        Raises: UpstreamError, ResultTooLargeError.
        """
        self._first = await self._go_on()

    async def __anext__(self) -> Page:
        page, self._first = self._first or await self._go_on(), None
        if page is None:
            raise StopAsyncIteration
        return page

    async def _go_on(self) -> Page | None:
        step = self._following()
        if step is None:
            return None
        page = await self._loader.read(step)
        is_own = self._loader.has_called(step)
        self._loader.walks.meters.page("fetched" if is_own else "reused")
        if page.next_token:
            mark = hash((step.window.plan, page.next_token))
            if mark in self._seen:
                self._loader.walks.forget(self._walk)  # the next search begins with a call
                raise UpstreamRejectedError("HealthImaging gave the same next token again.")
            self._seen.add(mark)
        if step is not self._step:
            self._loader.let_go(self._step)
        self._step, self._page, self._next = step, page, None
        return page

    def _following(self) -> Step | None:
        if self._next is None and self._page is not None:
            self._next = self._walk.after(self._step, self._page)
        return self._next

    def expect(self, pages: float) -> None:
        """Have the next page fetched meanwhile, and more where the walk can be cut for them."""
        if pages <= 0 or self._page is None or self.ended:
            return
        at_once = self._loader.at_once
        self._cut(self._page, pages, at_once)
        if self._walk.cut is not None and at_once > 1:
            if self._lanes is None:
                self._lanes = Lanes(self._walk, self._loader)
            self._lanes.expect(pages, self._step.window, at_once - 1)
        if (step := self._following()) is not None:
            self._loader.prefetch(step)

    def _cut(self, page: Page, pages: float, at_once: int) -> None:
        """Cut the walk, where that pays and nobody can be beyond the page that was given."""
        walk = self._walk
        if at_once == 1 or not self._loader.has_room:
            return  # windows that are not read ahead only cost calls
        if self._is_own and walk.cut is None and walk.loads == 1 and self._step is walk.first:
            size = self._loader.walks.page_size
            cut = cut_of(walk.plan, page.image_sets, size, pages, at_once)
            if cut is not None and self._affords(min(cut.pages, pages), at_once):
                walk.cut_at(cut)

    def _affords(self, pages: float, at_once: int) -> bool:
        """Whether the budget has room for these pages in windows, each of them half a page more."""
        budget = self._loader.budget
        return pages * _MARGIN + 2 * at_once < budget.max_calls - budget.calls

    def leave(self, trail: Trail) -> None:
        """Leave `trail` for the next search like this one."""
        self._walk.leave(self._resume, trail)

    def close(self) -> None:
        """Want no page any more."""
        if self._lanes is not None:
            self._lanes.close()


def _leads_on(place: object) -> bool:
    """Whether a search may go on from `place`.

    Not from the first page of a plan that was dropped: fetched again, it is of another moment.
    """
    step = cast(Step, place)
    return bool(step.token) or step.page is not None
