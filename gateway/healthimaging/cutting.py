"""Where a closed range of StudyDates is cut, so that several windows of days are read at once.

Pure arithmetic on day numbers. Windows are cut at midnights, from the newest day on, and sized by
how dense the image sets have been so far: an even share of what is left for each that is read at
the same time, so that they get smaller and none is waited for long; but not much less than the
first share, for the last page of each is half empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.qido.times import DAY_US
from gateway.search.grouping import instant_of
from gateway.search.imageset import ImageSet
from gateway.search.plan import Plan, Sort, closed_days

MIN_PAGES, MAX_PAGES = 3, 32
"""Pages of a window, about. What is read before it is needed has to be held."""

_LEAST_SHARE = 0.6  # of the first one
_MIN_SPAN_DAYS = 1 / 24


@dataclass(slots=True)
class Cut:
    """The days `oldest_day` to `newest_day` of a walk that are in no window yet.

    `sets_a_day` is how dense they are likely to be, `at_once` how many windows are read at the same
    time, and `least_pages` what makes a window worth its last page.
    """

    oldest_day: int
    newest_day: int
    sets_a_day: float
    page_size: int
    at_once: int = 1
    least_pages: float = 0.0

    @property
    def is_done(self) -> bool:
        """Whether every day is in a window."""
        return self.newest_day < self.oldest_day

    @property
    def pages(self) -> float:
        """The pages that are left, about."""
        return self.expected(self.newest_day - self.oldest_day + 1)

    def expected(self, days: int) -> float:
        """The pages that so many days are likely to have."""
        return self.sets_a_day * days / self.page_size

    def take(self, pages: float) -> tuple[int, int] | None:
        """The first and last day of the next window; None where every day is in one.

        It has about `pages` pages at most.
        """
        if self.is_done:
            return None
        share = max(self.pages / self.at_once, self.least_pages)
        share = min(max(share, MIN_PAGES), MAX_PAGES, pages)
        days = int(share * self.page_size / self.sets_a_day)
        last_day = self.newest_day
        first_day = max(self.oldest_day, last_day - max(1, days) + 1)
        self.newest_day = first_day - 1
        return first_day, last_day

    def learn(self, image_sets: int, days: int) -> None:
        """Take in how many there were in the latest window."""
        self.sets_a_day = max(image_sets, 1) / days


def cut_of(
    one: Plan,
    head: Sequence[ImageSet],
    page_size: int,
    pages: float,
    at_once: int,
) -> Cut | None:
    """How to cut the walk of `one`, whose first page is `head`; None where it can't be.

    Only a closed range of StudyDates is cut, and only where about more than `at_once` pages are to
    be read: `pages`, or what is in the range. The first window, which is being read, keeps a share.
    """
    days = closed_days(one) if one.sort is Sort.STUDY_DATE else None
    instants = [at for at in map(instant_of, head) if at[0] is not None]
    if days is None or not instants:
        return None
    oldest_met = min(day or 0 for day, _ in instants)
    cut = Cut(days[0], oldest_met - 1, _density(instants), page_size, at_once)
    if cut.is_done or min(cut.pages, pages) <= at_once:
        return None
    cut.least_pages = cut.pages / at_once * _LEAST_SHARE
    cut.take(pages)  # stays with the first window
    return None if cut.is_done else cut


def _density(instants: Sequence[tuple[int | None, int | None]]) -> float:
    """Image sets a day, by the time that these lie in."""
    at = [((day or 0) * DAY_US + (time_us or 0)) / DAY_US for day, time_us in instants]
    return len(at) / max(max(at) - min(at), _MIN_SPAN_DAYS)
