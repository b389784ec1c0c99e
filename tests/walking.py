"""An upstream of image sets in memory that filters and sorts, and walks over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gateway.healthimaging.body import Body
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.loading import Loader
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.quota import Quota, QuotaLimits
from gateway.healthimaging.reading import Reading
from gateway.healthimaging.walk import Walk
from gateway.healthimaging.walks import Calls, WalkLimits, Walks
from gateway.qido.times import format_date, parse_date
from gateway.search.grouping import instant_of
from gateway.search.imageset import ImageSet, Page
from gateway.search.plan import Equal, Plan, Sort, StudyDateBetween
from tests.http.upstream import image_set

SIZE = 4
"""Image sets a page."""


def day(text: str) -> int:
    """The day number of a `YYYYMMDD`."""
    number = parse_date(text)
    assert number is not None
    return number


def days_of(first: str, last: str) -> tuple[int, int]:
    """Both day numbers."""
    return day(first), day(last)


DAY = day("20240229")
"""The newest day of `archive`."""


def archive(days: int, a_day: int = SIZE) -> list[ImageSet]:
    """So many image sets on each of so many days, the newest first; a study each."""
    return [
        image_set(1 + day * a_day + n, date=format_date(DAY - day), DICOMStudyTime=f"{23 - n:02}00")
        for day in range(days)
        for n in range(a_day)
    ]


def between(first_day: int, last_day: int, *also: Equal) -> Plan:
    """The plan of a range of StudyDates, with its margins of a second."""
    lower = (format_date(first_day - 1), "235959")
    return Plan((*also, StudyDateBetween(lower, (format_date(last_day + 1), "000000.999999"))))


@dataclass
class SortedCalls:
    """Gives what a plan's filters select, newest first, each page `latency_s` of the loop late.

    `fault` is told plan and token before a call, and can raise; `attempts` is what each page took.
    """

    image_sets: Sequence[ImageSet]
    latency_s: float = 0.0
    fault: Callable[[Plan, str], None] = lambda one, token: None
    attempts: int = 1
    bytes_a_page: int = 0
    asked: list[tuple[Plan, str]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    _selected: dict[tuple[int, Plan], list[ImageSet]] = field(default_factory=dict)

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """The page that begins at the number that the token is."""
        self.asked.append((one, next_token))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            self.fault(one, next_token)
        finally:
            self.under_way -= 1
        found = self.selected(one)
        first = int(next_token or 0)
        after = first + page_size
        token = str(after) if after < len(found) else ""
        return Page(tuple(found[first:after]), token, self.attempts, self.bytes_a_page)

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """That it is gone."""
        return Body(None)

    def selected(self, one: Plan) -> list[ImageSet]:
        """The image sets of all pages of `one`."""
        known = (id(self.image_sets), one)
        if known in self._selected:
            return self._selected[known]
        found = [each for each in self.image_sets if all(_is_in(each, f) for f in one.filters)]
        if one.sort is Sort.STUDY_DATE:
            found.sort(key=_moment, reverse=True)
        self._selected[known] = found
        return found


def _is_in(one: ImageSet, each: object) -> bool:
    if isinstance(each, Equal):
        return one.tags.get(each.key) == each.value
    if isinstance(each, StudyDateBetween):
        return _moment_of(*each.lower) <= _moment(one) <= _moment_of(*each.upper)
    return True


def _moment(one: ImageSet) -> tuple[int, int]:
    day, time_us = instant_of(one)
    return (-1 if day is None else day, -1 if time_us is None else time_us)


def _moment_of(date: str, time: str) -> tuple[int, int]:
    return _moment(image_set(0, date=date, DICOMStudyTime=time))


def budget_of(max_calls: int = 10_000, max_s: float = 1e6) -> Budget:
    """A budget by the running loop's clock."""
    return Budget(max_calls, max_s, asyncio.get_running_loop().time)


def walks_of(
    calls: Calls,
    limits: WalkLimits = WalkLimits(),  # noqa: B008 - frozen
    quota: Quota | None = None,
    page_size: int = SIZE,
) -> Walks:
    """Walks that are shared, by the running loop's clock; they never wait without a `quota`."""
    free = quota or Quota(QuotaLimits(1e6, 10**6))
    clock = asyncio.get_running_loop().time
    return Walks(calls, free, limits, Meters(), clock, page_size=page_size)


def with_instant(one: ImageSet, date: str, time: str) -> ImageSet:
    """`one` at another date and time, none where they are ""."""
    tags = {k: v for k, v in one.tags.items() if k not in ("DICOMStudyDate", "DICOMStudyTime")}
    tags |= {"DICOMStudyDate": date} if date else {}
    tags |= {"DICOMStudyTime": time} if time else {}
    return replace(one, tags=tags)


async def read(walks: Walks, walk: Walk, budget: Budget | None = None) -> list[Page]:
    """Every page, for one request that ends then."""
    loader = Loader(walks, budget or budget_of())
    try:
        return [page async for page in Reading(loader, walk, None, is_own=False)]
    finally:
        loader.close()


async def begun(walks: Walks, one: Plan = Plan()) -> Walk:  # noqa: B008 - frozen
    """A walk whose first page was fetched now."""
    walk, _ = walks.join(one, None, asyncio.get_running_loop().time())
    loader = Loader(walks, budget_of())
    await loader.read(walk.first)
    loader.close()
    return walk
