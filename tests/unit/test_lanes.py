"""One request's way through a walk, and the windows of days that are read ahead for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from math import inf

import pytest

from gateway.errors import UpstreamRejectedError, UpstreamUnavailableError
from gateway.healthimaging.loading import Loader
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.quota import Quota, QuotaLimits
from gateway.healthimaging.reading import Reading
from gateway.healthimaging.rungs import Rungs
from gateway.healthimaging.upstream import RequestUpstream
from gateway.healthimaging.walks import WalkLimits, Walks
from gateway.search.imageset import ImageSet, Page
from gateway.search.plan import Equal, Plan
from tests.building import standing
from tests.http.upstream import image_set
from tests.virtualtime import in_virtual_time
from tests.walking import DAY, SIZE, SortedCalls, archive, between, walks_of, with_instant
from tests.walking import budget_of as budget

DAYS = 200
RANGE = between(DAY - DAYS + 1, DAY)
AT_ONCE = 8
LIMITS = WalkLimits(ttl_s=1e6, continue_s=1e6, scan_concurrency=AT_ONCE, cache_bytes=10**9)
AHEAD = 40
"""Pages that may be held ahead in `test_a_slow_reader`: a page without a size counts 1,000."""


@dataclass
class Asked:
    """One request's reading, and what it has given."""

    walks: Walks
    loader: Loader
    reading: Reading
    given: list[ImageSet] = field(default_factory=list)

    async def read(self, pages: float = inf, expected: float = inf) -> list[ImageSet]:
        """The image sets of so many pages more; `expected` are said to come after each."""
        while pages > 0:
            page = await anext(self.reading, None)
            if page is None:
                break
            self.given += page.image_sets
            self.reading.expect(expected)
            pages -= 1
        return self.given


@asynccontextmanager
async def asking(walks: Walks, one: Plan = RANGE, max_calls: int = 10_000) -> AsyncIterator[Asked]:
    """A request for `one`, of so many calls."""
    walk, shared = walks.join(one, None, 0.0)
    loader = Loader(walks, budget(max_calls))
    reading = Reading(loader, walk, None, is_own=not shared)
    try:
        yield Asked(walks, loader, reading)
    finally:
        reading.close()
        loader.close()


def date_windows(walks: Walks) -> float:
    """How many have been counted."""
    return walks.meters.registry.get_sample_value("qido_gateway_date_windows_total") or 0.0


@pytest.mark.parametrize("a_day", [1, 3, SIZE, 10])
@in_virtual_time
async def test_windows_are_read_at_once(a_day: int) -> None:
    """All image sets in the walk's own order, by several calls at once and not many more in all."""
    calls = SortedCalls(archive(DAYS, a_day), latency_s=1)
    expected = calls.selected(RANGE)
    pages = -(-len(expected) // SIZE)
    walks = walks_of(calls, LIMITS)
    async with asking(walks) as one:
        assert expected == await one.read()
        windows = {plan for plan, _ in calls.asked if plan != RANGE}
        assert AT_ONCE / 2 < calls.most_under_way <= AT_ONCE
        assert len(calls.asked) <= pages + len(windows) + 1
        assert len(windows) == date_windows(walks)
        assert asyncio.get_running_loop().time() < pages / 3
    walks.close()


@pytest.mark.parametrize(
    ("one", "limits", "expected"),
    [
        pytest.param(RANGE, replace(LIMITS, scan_concurrency=1), inf, id="by one call at a time"),
        pytest.param(RANGE, LIMITS, AT_ONCE, id="for few pages"),
        pytest.param(Plan(), LIMITS, inf, id="without a range"),
        pytest.param(Plan((Equal("DICOMPatientName", "DOE^JANE"),)), LIMITS, inf, id="for a text"),
    ],
)
@in_virtual_time
async def test_what_is_one_walk(one: Plan, limits: WalkLimits, expected: float) -> None:
    """Without a reason to cut it is one walk, a page ahead, and no call more than it has pages."""
    calls = SortedCalls(archive(40), latency_s=1)
    walks = walks_of(calls, limits)
    async with asking(walks, one) as asked:
        assert calls.selected(one) == await asked.read(expected=expected)
    assert ({one}, 40, 1) == ({p for p, _ in calls.asked}, len(calls.asked), calls.most_under_way)
    assert 0 == date_windows(walks)
    walks.close()


@in_virtual_time
async def test_one_at_a_time_while_others_wait() -> None:
    """Where another request waits for its turn, this one makes one call after the other."""
    calls = SortedCalls(archive(DAYS), latency_s=2)
    walks = walks_of(calls, LIMITS, Quota(QuotaLimits(calls_per_s=1, burst=1)))

    async def others() -> None:
        while True:
            await walks.quota.turn(rival)

    rival = object()
    tasks = [asyncio.create_task(others()) for _ in range(3)]
    await asyncio.sleep(3)
    async with asking(walks) as one:
        await one.read(pages=20)
        assert 1 == calls.most_under_way
    for task in tasks:
        task.cancel()
    walks.close()


@pytest.mark.parametrize("one", [RANGE, Plan()], ids=["windows", "one walk"])
@in_virtual_time
async def test_a_slow_reader(one: Plan) -> None:
    """For a reader who waits, a bounded number of pages is fetched; and all come in order."""
    calls = SortedCalls(archive(DAYS), latency_s=1)
    walks = walks_of(calls, replace(LIMITS, cache_bytes=AHEAD * 1_000))
    async with asking(walks, one) as asked:
        for pages in (1, 1, 30):
            await asked.read(pages=pages)
            await asyncio.sleep(1_000)
            assert 0 == calls.under_way
            assert asked.loader.held <= (AHEAD + AT_ONCE if one is RANGE else 2)
        assert calls.selected(one) == await asked.read()
    walks.close()


@pytest.mark.parametrize("times", [1, 10**9], ids=["once", "always"])
@in_virtual_time
async def test_a_window_that_fails(times: int) -> None:
    """A window's failure is nothing before its page is read; then it is tried once more."""
    failing: list[Plan] = []
    failed = 0

    def fail(one: Plan, _: str) -> None:
        nonlocal failed
        if one != RANGE and not failing:
            failing.append(one)
        if one in failing and failed < times:
            failed += 1
            raise UpstreamUnavailableError("x")

    calls = SortedCalls(archive(DAYS), latency_s=1, fault=fail)
    expected = calls.selected(RANGE)
    walks = walks_of(calls, LIMITS)
    async with asking(walks) as one:
        await one.read(pages=1)
        await asyncio.sleep(100)
        assert failing and failed == 1
        if times == 1:
            assert expected == await one.read()
        else:
            with pytest.raises(UpstreamUnavailableError):
                await one.read()
            assert one.given == expected[: len(one.given)] and len(one.given) > SIZE
            assert failed == 2
    walks.close()


@pytest.mark.parametrize("pages", [1, 2, 40])
@in_virtual_time
async def test_nothing_is_left(pages: int) -> None:
    """Whoever leaves ends every call of his own, and pins nothing."""
    before = asyncio.all_tasks()
    calls = SortedCalls(archive(DAYS), latency_s=1)
    walks = walks_of(calls, LIMITS)
    async with asking(walks) as one:
        await one.read(pages=pages)
        await asyncio.sleep(0.5)
        assert calls.under_way
    for _ in range(5):
        await asyncio.sleep(0)
    asked = len(calls.asked)
    assert (0, 0, before) == (calls.under_way, one.loader.held, asyncio.all_tasks())
    await asyncio.sleep(10)
    assert asked == len(calls.asked)
    walks.close()
    assert 0 == walks.weight


@in_virtual_time
async def test_walks_that_are_opened_ahead() -> None:
    """Of several plans the first pages are fetched at once; they end with whoever wants them."""
    before = asyncio.all_tasks()
    calls = SortedCalls(archive(20), latency_s=1)
    walks = walks_of(calls, LIMITS)
    one = RequestUpstream(walks, Rungs(standing), budget(), MetadataStore(calls))
    plans = [Plan((Equal("DICOMPatientId", f"PAT{n}"),)) for n in range(1, 21)]
    one.expect(plans)
    for plan in plans[:2]:
        await one.open(plan)
    await asyncio.sleep(0.5)
    assert AT_ONCE == calls.most_under_way and calls.under_way
    one.close()
    for _ in range(5):
        await asyncio.sleep(0)
    assert 0 == calls.under_way and before == asyncio.all_tasks()
    walks.close()
    assert 0 == walks.weight


@in_virtual_time
async def test_one_leaves_and_another_stays() -> None:
    """Who shares a walk that was cut for another has it all, in order, when that one leaves."""
    calls = SortedCalls(archive(DAYS), latency_s=1)
    walks = walks_of(calls, LIMITS)
    async with asking(walks) as second:
        async with asking(walks) as first:
            await asyncio.gather(first.read(pages=10), second.read(pages=3))
        assert calls.selected(RANGE) == await second.read()
    async with asking(walks) as third:
        asked = len(calls.asked)
        assert second.given == await third.read()
        assert asked == len(calls.asked)
    walks.close()


@in_virtual_time
async def test_ties_at_midnight() -> None:
    """What lies at a cut, in the margins, or has no time comes once, as from one walk."""
    moments = ("235959.999999", "235959", "120000", "000000.5", "000000", "")
    image_sets = [
        with_instant(image_set(1 + n), str(one.tags["DICOMStudyDate"]), moments[n % 6])
        for n, one in enumerate(archive(DAYS, 6))
    ]
    calls = SortedCalls(image_sets, latency_s=1)
    walks = walks_of(calls, LIMITS)
    async with asking(walks) as one:
        given = await one.read()
    assert len({plan for plan, _ in calls.asked}) > 5
    assert calls.selected(RANGE) == given
    walks.close()


@in_virtual_time
async def test_a_token_that_comes_again() -> None:
    """An upstream that gives a token twice is refused, and not asked for ever."""

    class Looping(SortedCalls):
        async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
            await super().search_image_sets(one, page_size, next_token)
            return Page((), "4")

    calls = Looping(())
    walks = walks_of(calls, LIMITS)
    async with asking(walks, Plan()) as one:
        with pytest.raises(UpstreamRejectedError):
            await one.read(expected=0)
    assert 2 == len(calls.asked)
    walks.close()


@in_virtual_time
async def test_the_end_is_known() -> None:
    """A reading has ended with the page behind which nothing is."""
    walks = walks_of(SortedCalls(archive(3)), LIMITS)
    async with asking(walks, Plan()) as one:
        ended = []
        for _ in range(3):
            await one.read(pages=1)
            ended.append(one.reading.ended)
    assert [False, False, True] == ended
    walks.close()


@pytest.mark.parametrize(("max_calls", "is_cut"), [(DAYS, False), (100 * DAYS, True)])
@in_virtual_time
async def test_a_budget_without_room_for_windows(max_calls: int, is_cut: bool) -> None:
    """A search is never too broad for its budget only because it was read in windows."""
    walks = walks_of(SortedCalls(archive(DAYS)), LIMITS)
    async with asking(walks, max_calls=max_calls) as asked:
        assert DAYS * SIZE == len(await asked.read())
        assert is_cut == (asked.reading._walk.cut is not None)
    walks.close()


@in_virtual_time
async def test_nobody_is_cut_off() -> None:
    """A walk of which another request has read more than its first page is not cut any more."""
    walks = walks_of(SortedCalls(archive(DAYS)), LIMITS)
    async with asking(walks) as own, asking(walks) as other:
        await own.read(1, expected=0)
        await other.read(3, expected=0.5)
        own.reading.expect(inf)
        assert own.reading._walk.cut is None
        assert DAYS * SIZE == len(await own.read()) == len(await other.read())
    walks.close()
