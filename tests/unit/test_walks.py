"""The walks of a process: which may be joined, what is fetched once, what is kept and what goes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from math import inf
from types import FrameType
from typing import Any

import pytest

from gateway.errors import (
    ResultTooLargeError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
    UpstreamValidationError,
    WalkLostError,
)
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.loading import Loader
from gateway.healthimaging.quota import Quota, QuotaLimits
from gateway.healthimaging.reading import Reading
from gateway.healthimaging.walk import Walk
from gateway.healthimaging.walks import WalkLimits, Walks
from gateway.search.imageset import Page
from gateway.search.plan import Equal, Plan
from gateway.search.trail import Checkpoint, Trail
from gateway.search.upstream import Resume
from tests.unit.tables import named
from tests.virtualtime import in_virtual_time
from tests.walking import SIZE, SortedCalls, archive, budget_of, walks_of

ALL = Plan()
LIMITS = WalkLimits(ttl_s=5, continue_s=60)
FRESH = Resume("key", 0, continues=False)
KEY_FURTHER = Resume("key", 100, continues=True)


async def read(walks: Walks, walk: Walk, budget: Budget | None = None) -> list[Page]:
    """Every page, for one request that ends then."""
    loader = Loader(walks, budget or budget_of())
    try:
        return [page async for page in Reading(loader, walk, None, is_own=False)]
    finally:
        loader.close()


async def begun(walks: Walks, one: Plan = ALL) -> Walk:
    """A walk whose first page was fetched now."""
    walk, _ = walks.join(one, None, asyncio.get_running_loop().time())
    loader = Loader(walks, budget_of())
    await loader.read(walk.first)
    loader.close()
    return walk


# --- joining --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resume", "age_s", "since_s", "is_shared"),
    named({
        "as old as the first page may be": (None, 4.9, -inf, True),
        "a moment older": (None, 5.0, -inf, False),
        "one that begins is no other": (FRESH, 5.0, -inf, False),
        "one that goes on takes older ones": (KEY_FURTHER, 59.9, -inf, True),
        "but not for ever": (KEY_FURTHER, 60.0, -inf, False),
        "begun since": (None, 4.0, 0.0, True),
        "begun before": (None, 4.0, 0.5, False),
        "begun before one that goes on": (KEY_FURTHER, 4.0, 0.5, False),
    }),
)  # fmt: skip
@in_virtual_time
async def test_what_may_be_joined(
    resume: Resume | None, age_s: float, since_s: float, is_shared: bool
) -> None:
    """A young walk, an older one to go on, and none that began before it may have."""
    walks = walks_of(SortedCalls(archive(1)), LIMITS)
    walk = await begun(walks)
    await asyncio.sleep(age_s - (0.01 if is_shared else 0))
    joined, shared = walks.join(ALL, resume, since_s)
    assert (is_shared, is_shared) == (shared, joined is walk)
    walks.close()


@in_virtual_time
async def test_another_plan_is_another_walk() -> None:
    """Only the same plan is joined."""
    walks = walks_of(SortedCalls(archive(1)), LIMITS)
    await begun(walks)
    _, shared = walks.join(Plan((Equal("DICOMPatientId", "A"),)), None, -inf)
    assert (False, 2) == (shared, walks.alive)
    walks.close()


def trail_of(results: int) -> Trail:
    """A trail that leads behind so many results."""
    place = Checkpoint(
        place=None, results=results, released=results, hidden=0, clock=None, last=None
    )
    return Trail([(f"1.2.{n}", False) for n in range(results)], [], [place])


@pytest.mark.parametrize(
    ("trails", "position", "expected"),
    named({
        "the youngest of equals": ((0, 0, 0), 100, 2),
        "the furthest": ((10, 90, 50), 100, 1),
        "not behind the position": ((10, 90, 50), 60, 2),
        "the youngest where none leads": ((80, 90, 70), 60, 2),
        "the youngest of the furthest": ((50, 50, 10), 60, 1),
    }),
)  # fmt: skip
@in_virtual_time
async def test_which_is_joined(trails: tuple[int, ...], position: int, expected: int) -> None:
    """Of several the one on which this search is known furthest, of these the youngest."""
    walks = walks_of(SortedCalls(archive(1)), LIMITS)
    known = []
    for results in trails:
        await asyncio.sleep(1)
        known.append(await begun(walks))
        if results:
            known[-1].leave(Resume("key", 0, continues=False), trail_of(results))
    joined, shared = walks.join(ALL, Resume("key", position, continues=True), -inf)
    assert shared and expected == known.index(joined)
    walks.close()


@in_virtual_time
async def test_one_that_waits_for_its_turn_is_young() -> None:
    """A walk whose first call is still to be made is no older than a new one, however long that
    takes: who joins it costs nothing.
    """
    calls = SortedCalls(archive(1))
    quota = Quota(QuotaLimits(calls_per_s=0.1, burst=1))
    walks = walks_of(calls, LIMITS, quota)
    await quota.turn(object())
    walk, _ = walks.join(ALL, None, -inf)
    first = asyncio.create_task(read(walks, walk))
    await asyncio.sleep(8)
    assert not calls.asked
    joined, shared = walks.join(ALL, None, asyncio.get_running_loop().time())
    assert shared and joined is walk
    await first
    assert 1 == len(calls.asked) and 9 < walk.started_at < 11
    walks.close()


@in_virtual_time
async def test_what_is_too_old_is_forgotten() -> None:
    """Without any request, a timer forgets each walk when nobody may join it any more."""
    walks = walks_of(SortedCalls(archive(2)), LIMITS)
    for _ in range(3):
        await read(walks, await begun(walks))
        await asyncio.sleep(10)
    assert (3, 6) == (walks.alive, walks.weight / 1_000)
    alive = []
    for _ in range(7):
        alive.append(walks.alive)
        await asyncio.sleep(6.1)
    assert [3, 3, 3, 3, 3, 2, 2] == alive
    await asyncio.sleep(20)
    assert (0, 0, 0) == (walks.alive, walks.weight, walks.held_bytes)


def lines_of(work: Callable[[], object]) -> int:
    """How many lines of code `work` runs through."""
    lines = 0

    def count(_: FrameType, event: str, __: object) -> Callable[..., Any]:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


@in_virtual_time
async def test_the_work_of_sharing_does_not_grow() -> None:
    """However many walks are alive and kept, to join and to forget one is the same work."""
    walks = walks_of(SortedCalls(archive(1)), LIMITS)
    work = []
    for number in range(0, 500, 100):
        walk = await begun(walks, Plan((Equal("DICOMPatientId", f"{number}"),)))
        one = Plan((Equal("DICOMPatientId", f"NEW{number}"),))
        joining = lines_of(partial(walks.join, one, None, 0.0))
        work.append((joining, lines_of(partial(walks.forget, walk))))
        for other in range(number, number + 100):
            await begun(walks, Plan((Equal("DICOMPatientId", f"PAT{other}"),)))
    assert 500 < walks.alive and [work[1]] * 4 == work[1:]
    walks.close()


@in_virtual_time
async def test_nothing_is_shared_without_time() -> None:
    """With no time to share for, every request has its own walk, and nothing is kept."""
    calls = SortedCalls(archive(2))
    walks = walks_of(calls, WalkLimits(ttl_s=0, continue_s=0))
    for _ in range(2):
        walk, shared = walks.join(ALL, None, -inf)
        assert not shared
        await read(walks, walk)
    assert (4, 0, 0) == (len(calls.asked), walks.weight, walks.alive)


# --- fetching -------------------------------------------------------------------------------------


@in_virtual_time
async def test_one_call_for_all() -> None:
    """Any number of readers cost each page once; the budget of whoever came first pays."""
    calls = SortedCalls(archive(5), latency_s=1, attempts=2)
    walks = walks_of(calls, LIMITS)
    budgets = [budget_of() for _ in range(20)]
    walk, _ = walks.join(ALL, None, -inf)
    answers = await asyncio.gather(*(read(walks, walk, budget) for budget in budgets))
    assert [answers[0]] * 20 == answers and 5 == len(calls.asked)
    assert [10] + [0] * 19 == sorted((b.calls for b in budgets), reverse=True)
    walks.close()


@in_virtual_time
async def test_retries_are_charged() -> None:
    """What a call has needed beside itself is counted to the quota, so the next one waits."""
    calls = SortedCalls(archive(1), attempts=3)
    walks = walks_of(calls, LIMITS, Quota(QuotaLimits(calls_per_s=1, burst=3)))
    budget = budget_of()
    walk, _ = walks.join(ALL, None, -inf)
    await read(walks, walk, budget)
    before = asyncio.get_running_loop().time()
    await walks.quota.turn(object())
    assert 3 == budget.calls
    assert 0.9 < asyncio.get_running_loop().time() - before < 1.1
    walks.close()


@in_virtual_time
async def test_a_first_call_that_fails_is_not_remembered() -> None:
    """All who wait for it get its error, and the next one makes a call of its own."""

    def fail(_: Plan, __: str) -> None:
        if len(calls.asked) == 1:
            error = UpstreamUnavailableError("x")
            error.attempts = 3
            raise error

    calls = SortedCalls(archive(1), latency_s=1, fault=fail)
    walks = walks_of(calls, LIMITS)
    walk, _ = walks.join(ALL, None, -inf)
    budgets = [budget_of(), budget_of()]
    ended = await asyncio.gather(
        *(read(walks, walk, budget) for budget in budgets), return_exceptions=True
    )
    assert [UpstreamUnavailableError] * 2 == list(map(type, ended))
    assert ([3, 0], 0) == ([budget.calls for budget in budgets], walks.alive)
    another, shared = walks.join(ALL, None, -inf)
    assert not shared and 1 == len(await read(walks, another))
    walks.close()


@pytest.mark.parametrize("is_next", [False, True], ids=["first call", "next token"])
@in_virtual_time
async def test_what_is_refused(is_next: bool) -> None:
    """A next token that is refused is a lost walk; a first call is only refused. Both are
    forgotten.
    """

    def refuse(_: Plan, token: str) -> None:
        if bool(token) is is_next:
            raise UpstreamValidationError("x")

    walks = walks_of(SortedCalls(archive(2), fault=refuse), LIMITS)
    walk, _ = walks.join(ALL, None, -inf)
    with pytest.raises(WalkLostError if is_next else UpstreamValidationError):
        await read(walks, walk)
    assert (0, 0) == (walks.alive, walks.weight)
    assert walk.is_forgotten


@pytest.mark.parametrize("reason", ["calls", "time", "place"])
@in_virtual_time
async def test_what_may_not_be_called(reason: str) -> None:
    """A budget without calls, and a quota without a turn in time or a place, make no call."""
    limits = QuotaLimits(0.1, 1, max_waiting=0 if reason == "place" else 9)
    quota = Quota(limits)
    calls = SortedCalls(archive(1))
    walks = walks_of(calls, LIMITS, quota)
    if reason != "calls":
        await quota.turn(object())
    walk, _ = walks.join(ALL, None, -inf)
    budget = budget_of(max_calls=0 if reason == "calls" else 9, max_s=30 if reason != "time" else 3)
    with pytest.raises(ResultTooLargeError if reason == "calls" else UpstreamThrottledError):
        await walks.flight(walk.first, budget, budget.left_s).join()
    walks.forget_unbegun(walk)
    assert (0, 0, 0) == (len(calls.asked), budget.calls, walks.alive)


@pytest.mark.parametrize(
    ("quota", "max_s", "made"),
    named({
        "as many as may wait": (QuotaLimits(1.0, 1, max_waiting=3), 1e6, 4),
        "and a burst": (QuotaLimits(1.0, 10, max_waiting=3), 1e6, 13),
        "as many as have a turn in time": (QuotaLimits(1.0, 1), 5.0, 5),
        "a free quota": (QuotaLimits(100.0, 50, max_waiting=1), 5.0, 20),
    }),
)  # fmt: skip
@in_virtual_time
async def test_calls_that_come_at_once(quota: QuotaLimits, max_s: float, made: int) -> None:
    """Of calls in one turn of the loop, those count that come before, though none waits yet."""
    walks = walks_of(SortedCalls(archive(1)), LIMITS, Quota(quota))
    plans = [Plan((Equal("DICOMPatientId", f"PAT{n}"),)) for n in range(20)]
    joined = [walks.join(one, None, -inf)[0] for one in plans]
    ended = await asyncio.gather(
        *(read(walks, one, budget_of(max_s=max_s)) for one in joined), return_exceptions=True
    )
    refused = [one for one in ended if isinstance(one, UpstreamThrottledError)]
    assert made == len(ended) - len(refused)
    assert all(one.retry_after_s >= 1 for one in refused)
    assert all(isinstance(one, list | UpstreamThrottledError) for one in ended)
    walks.close()


@in_virtual_time
async def test_forgetting_the_unbegun() -> None:
    """A walk is forgotten that has no page and no call under way; any other stays."""
    walks = walks_of(SortedCalls(archive(1), latency_s=1), LIMITS)
    walk, _ = walks.join(ALL, None, -inf)
    reading = asyncio.create_task(read(walks, walk))
    await asyncio.sleep(0.5)
    walks.forget_unbegun(walk)
    assert 1 == walks.alive
    await reading
    walks.forget_unbegun(walk)
    assert 1 == walks.alive
    another, _ = walks.join(Plan((Equal("DICOMPatientId", "A"),)), None, -inf)
    walks.forget_unbegun(another)
    assert (1, True, False) == (walks.alive, another.is_forgotten, walk.is_forgotten)
    walks.close()


@in_virtual_time
async def test_giving_up_the_first_call_forgets_the_walk() -> None:
    """Whoever was alone leaves nothing to join."""
    calls = SortedCalls(archive(1), latency_s=1)
    walks = walks_of(calls, LIMITS)
    walk, _ = walks.join(ALL, None, -inf)
    reading = asyncio.create_task(read(walks, walk))
    await asyncio.sleep(0.5)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert 0 == walks.alive and walk.first.flight is None
    await asyncio.sleep(0)
    assert 0 == calls.under_way


# --- keeping --------------------------------------------------------------------------------------

PAGE_BYTES = 1_000 + 4 * 1_000


def kept(pages: int) -> WalkLimits:
    """Limits under which so many pages are kept."""
    return WalkLimits(ttl_s=5, continue_s=60, cache_bytes=pages * PAGE_BYTES)


@in_virtual_time
async def test_what_was_not_read_for_longest_goes() -> None:
    """Over the limit those pages go that were read the longest time ago, of whichever walk."""
    calls = SortedCalls(archive(1), bytes_a_page=1_000)
    walks = walks_of(calls, kept(3))
    plans = [Plan((Equal("DICOMPatientId", f"PAT{n}"),)) for n in range(1, 5)]
    first, second, third = [await begun(walks, one) for one in plans[:3]]
    await read(walks, first)
    assert 3 * PAGE_BYTES == walks.weight
    fourth = await begun(walks, plans[3])
    assert 3 * PAGE_BYTES == walks.weight
    held = [walk.first.page is not None for walk in (first, second, third, fourth)]
    assert [True, False, True, True] == held
    walks.close()
    assert (0, 0) == (walks.weight, walks.alive)


@in_virtual_time
async def test_what_is_pinned_stays() -> None:
    """What a request has fetched and not done with stays over any limit, and goes after it."""
    walks = walks_of(SortedCalls(archive(3), bytes_a_page=1_000), kept(1))
    walk, _ = walks.join(ALL, None, -inf)
    loader, step = Loader(walks, budget_of()), walk.first
    steps = [step]
    while (after := walk.after(step, await loader.read(step))) is not None:
        step = after
        steps.append(step)
    assert (3, 3 * PAGE_BYTES) == (len(steps), walks.weight)
    for step in steps[:2]:
        loader.let_go(step)
    assert [True, False, False] == [one.page is None for one in steps]
    loader.close()
    assert [True, True, False] == [one.page is None for one in steps]
    walks.close()
    assert 0 == walks.weight


@in_virtual_time
async def test_what_is_forgotten_goes_with_its_readers() -> None:
    """A forgotten walk keeps what is being read, and no longer."""
    walks = walks_of(SortedCalls(archive(2), bytes_a_page=1_000), LIMITS)
    walk = await begun(walks)
    loader = Loader(walks, budget_of())
    await loader.read(walk.first)
    walks.forget(walk)
    assert (PAGE_BYTES, 0) == (walks.weight, walks.alive)
    assert walk.first.page is not None
    loader.close()
    assert 0 == walks.weight and walk.first.page is None


@in_virtual_time
async def test_what_was_dropped_is_fetched_by_its_token() -> None:
    """A page that went is fetched again by its token; what follows is what it then says."""
    image_sets = archive(6)
    calls = SortedCalls(image_sets, bytes_a_page=1_000)
    walks = walks_of(calls, kept(1))
    walk, _ = walks.join(ALL, None, -inf)
    before = await read(walks, walk)
    assert 6 == len(before)
    calls.asked.clear()
    assert before == await read(walks, walk)
    assert ["", "4", "8", "12", "16"] == [token for _, token in calls.asked][:5]
    calls.image_sets = image_sets[: 4 * SIZE]  # the store has become smaller
    assert 4 == len(await read(walks, walk))
    walks.close()
