"""The walks of a process: which may be joined, what is kept, and what goes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from math import inf
from types import FrameType
from typing import Any

import pytest

from gateway.healthimaging.loading import Loader
from gateway.healthimaging.quota import Quota, QuotaLimits
from gateway.healthimaging.walk import MAX_TRAILS, Walk
from gateway.healthimaging.walks import WalkLimits
from gateway.search.plan import Equal, Plan
from gateway.search.trail import Checkpoint, Trail
from gateway.search.upstream import Resume
from tests.unit.tables import named
from tests.virtualtime import in_virtual_time
from tests.walking import (
    DAY,
    SIZE,
    SortedCalls,
    archive,
    begun,
    between,
    budget_of,
    read,
    walks_of,
)

ALL = Plan()
LIMITS = WalkLimits(ttl_s=5, continue_s=60)
FRESH = Resume("key", 0, continues=False)
KEY_FURTHER = Resume("key", 100, continues=True)


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


@in_virtual_time
async def test_the_youngest_is_joined() -> None:
    """A search that goes on joins what the latest that began reads, or its pages would not meet."""
    walks = walks_of(SortedCalls(archive(1)), LIMITS)
    older = await begun(walks)
    await asyncio.sleep(LIMITS.ttl_s)
    younger = await begun(walks)
    joined, shared = walks.join(ALL, Resume("key", 100, continues=True), -inf)
    assert shared and joined is younger
    assert (True, 1) == (older.is_forgotten, walks.alive)
    walks.close()


def trail_of(results: int) -> Trail:
    """A trail that leads behind so many results."""
    place = Checkpoint(
        place=None, results=results, released=results, hidden=0, clock=None, last=None
    )
    return Trail([(f"1.2.{n}", False) for n in range(results)], [], [place])


def test_a_walk_knows_the_latest_searches() -> None:
    """Of each search it keeps the trail that leads furthest, and of so many searches only."""
    walk = Walk(ALL, 0.0)
    resumes = [Resume(f"key {n}", 0, continues=False) for n in range(MAX_TRAILS + 1)]
    for resume in resumes[:MAX_TRAILS]:
        for results in (1, 3, 2):
            walk.leave(resume, trail_of(results))
    assert [3] * MAX_TRAILS == [walk.trail_of(one).length for one in resumes[:MAX_TRAILS]]
    walk.leave(resumes[-1], trail_of(1))
    assert [0, 3, 3, 3, 1] == [walk.trail_of(one).length for one in resumes]


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
    for number in range(3):
        plan = between(DAY - number - 1, DAY)
        await read(walks, await begun(walks, plan))
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
