"""The walk: one plan's pages, fetched once each and read by any number of requests.

    Walk     what is shared: it begins at a moment, and is as old as its first page
    Window   the days of a walk, or a part of them, that one plan's next tokens go through
    Step     the place of one page in a window: how it is asked for, and what it held

A walk is one window, unless it was cut (`gateway.healthimaging.cutting`): then its windows follow
one another, newest first, as if they were one. A step that was dropped for its bytes is fetched
again by its token, and what comes after it then follows from what it holds now.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from gateway.errors import StudyWindowError
from gateway.healthimaging.cutting import MAX_PAGES, Cut
from gateway.healthimaging.flight import Flight
from gateway.search.grouping import instant_of
from gateway.search.imageset import ImageSet, Page
from gateway.search.plan import Plan, narrowed
from gateway.search.trail import Trail
from gateway.search.upstream import Resume

MAX_TRAILS = 4
"""Searches of which a walk knows how far they came; another one reads its pages once more."""

_OVERHEAD_BYTES = 1_000
_SPREAD = 4
"""What a page takes in memory, as often as its body has bytes: 2.3 where that was measured, more
with names outside Latin-1, and what the allocator leaves."""


class Step:
    """The place of one page in a walk.

    `page` is what it holds, None until it is fetched and after it was dropped; `flight` the call
    that is under way for it. `pins` counts the requests that have it fetched and not read yet: it
    is not dropped before.
    """

    __slots__ = ("flight", "following", "page", "pins", "token", "window")

    def __init__(self, window: Window, token: str = "") -> None:
        self.window = window
        self.token = token
        self.page: Page | None = None
        self.following: Step | None = None
        self.flight: Flight[Page] | None = None
        self.pins = 0

    @property
    def weight(self) -> int:
        """The bytes that what it holds takes, about."""
        return _OVERHEAD_BYTES + (self.page.size * _SPREAD if self.page else 0)

    def drop(self) -> None:
        """Hold nothing any more."""
        self.page = self.following = None


class Window:
    """The part of a walk that one plan gives: of the days `first_day` to `last_day`, if it is cut.

    Day numbers are those of `gateway.qido.times`; None is no bound. `days` is how many it has, 0
    where it was not cut off; `met` counts the image sets that its pages have had.
    """

    __slots__ = ("days", "first", "first_day", "last_day", "met", "plan", "walk")

    def __init__(
        self,
        walk: Walk,
        plan: Plan,
        first_day: int | None = None,
        last_day: int | None = None,
        days: int = 0,
    ) -> None:
        self.walk, self.plan, self.days = walk, plan, days
        self.first_day, self.last_day = first_day, last_day
        self.first = Step(self)
        self.met = 0

    def own(self, page: Page) -> Page:
        """What of `page` is this window's; its end where older days are another window's.

        Its plan reaches a second over both cuts. The first window's plan goes on beyond the cut,
        which was made after it began; then the first image set of an older day is its end.

        Raises: StudyWindowError where a date rises at that end.
        """
        first, last = self.first_day, self.last_day
        if first is None and last is None:
            return page
        owned: list[ImageSet] = []
        is_past = False
        for image_set in page.image_sets:
            day = instant_of(image_set)[0]
            if day is None or (last is not None and day > last):
                continue  # what has no date is in no range, however the upstream came to give it
            if first is not None and day < first:
                is_past = True
            elif is_past and last is None:
                raise StudyWindowError("A date rose within a walk.")
            else:
                owned.append(image_set)
        is_end = is_past and last is None
        return replace(page, image_sets=tuple(owned), next_token="" if is_end else page.next_token)


class Walk:
    """One plan's pages, shared by its readers.

    `started_at` is when its first page was asked for, by the clock of those who hold it; before it
    `is_asked`, as long as that waits for its turn, when the walk was made. `trails`
    has what searches left on it for those that go on from there; `loads` counts the pages that
    were fetched, `held` has the places of those that it has now; a walk that `is_forgotten` keeps
    none that has been read.
    """

    def __init__(self, plan: Plan, started_at: float) -> None:
        self.plan = plan
        self.started_at = started_at
        self.is_asked = False
        self.windows = [Window(self, plan)]
        self.cut: Cut | None = None
        self.trails: dict[Hashable, Trail] = {}
        self.held: set[Step] = set()
        self.loads = 0
        self.is_forgotten = False

    @property
    def first(self) -> Step:
        """The place of its first page."""
        return self.windows[0].first

    def trail_of(self, resume: Resume | None) -> Trail:
        """What searches like this one have left."""
        return (self.trails.get(resume.key) if resume else None) or Trail()

    def leave(self, resume: Resume | None, trail: Trail) -> None:
        """Leave `trail` for searches like this one, if it leads further than what they have."""
        if resume is not None and resume.key is not None:
            known = self.trails.get(resume.key)
            if known is None or known.length < trail.length:
                self.trails[resume.key] = trail
            if len(self.trails) > MAX_TRAILS:
                del self.trails[next(iter(self.trails))]

    def cut_at(self, cut: Cut) -> None:
        """End the first window where `cut` begins, which holds all that is older."""
        assert self.loads == 1  # noqa: S101 - no reader may be beyond the first page
        self.windows[0].first_day = cut.newest_day + 1
        self.cut = cut

    def next_window(self, pages: float = MAX_PAGES) -> Window | None:
        """One more window, of about `pages` pages at most; None where all days are in one."""
        days = self.cut.take(pages) if self.cut is not None else None
        if self.cut is None or days is None:
            return None
        first_day, last_day = days
        plan = narrowed(self.plan, first_day, last_day)
        # The last one keeps what its plan has beyond the range, as the whole walk would
        oldest = None if self.cut.is_done else first_day
        window = Window(self, plan, oldest, last_day, days=last_day - first_day + 1)
        self.windows.append(window)
        return window

    def pages_of(self, window: Window) -> float:
        """The pages that it is likely to have."""
        return self.cut.expected(window.days) if self.cut is not None else 0.0

    def learn(self, step: Step, page: Page) -> None:
        """Take in how many image sets a window had: `page`, which was at `step`, may be its last.

        However it is read: windows must grow over days on which there is nothing.
        """
        window = step.window
        window.met = len(page.image_sets) + (window.met if step.token else 0)
        if self.cut is not None and window.days and not page.next_token:
            self.cut.learn(window.met, window.days)

    def window_after(self, window: Window) -> Window | None:
        """The window that follows, None at the end."""
        place = self.windows.index(window) + 1
        return self.windows[place] if place < len(self.windows) else self.next_window()

    def is_end(self, step: Step, page: Page) -> bool:
        """Whether nothing follows `page`, which was at `step`."""
        if page.next_token or step.window is not self.windows[-1]:
            return False
        return self.cut is None or self.cut.is_done

    def after(self, step: Step, page: Page) -> Step | None:
        """The place of what follows `page`, which was at `step`."""
        if step.page is page and step.following is not None:
            return step.following
        if page.next_token:
            following: Step | None = Step(step.window, page.next_token)
        else:
            window = self.window_after(step.window)
            following = None if window is None else window.first
        if step.page is page:
            step.following = following
        return following
