"""The calls of shared walks: one for all, who pays, and what is refused, lost or given up."""

from __future__ import annotations

import asyncio
from math import inf

import pytest

from gateway.errors import (
    ResultTooLargeError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
    UpstreamValidationError,
    WalkLostError,
)
from gateway.healthimaging.loading import Loader
from gateway.healthimaging.quota import Quota, QuotaLimits
from gateway.healthimaging.reading import Reading
from gateway.healthimaging.walks import WalkLimits
from gateway.search.plan import Equal, Plan
from tests.unit.tables import named
from tests.virtualtime import in_virtual_time
from tests.walking import SortedCalls, archive, budget_of, read, walks_of

ALL = Plan()
LIMITS = WalkLimits(ttl_s=5, continue_s=60)


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


@pytest.mark.parametrize(
    ("calls_per_s", "after_s", "counted"),
    named({
        "before it began": (100.0, None, 0),
        "before it had its turn": (0.1, 1.0, 0),
        "under way": (100.0, 1.0, 1),
    }),
)  # fmt: skip
@in_virtual_time
async def test_what_a_call_costs_that_is_given_up(
    calls_per_s: float, after_s: float | None, counted: int
) -> None:
    """A budget pays for what was asked of HealthImaging, and for nothing else."""
    calls, budget = SortedCalls(archive(1), latency_s=9), budget_of()
    quota = Quota(QuotaLimits(calls_per_s, burst=1))
    await quota.turn(object())
    walks = walks_of(calls, LIMITS, quota)
    walk, _ = walks.join(ALL, None, -inf)
    flight = walks.flight(walk.first, budget, budget.left_s)
    flight.hold()
    if after_s is not None:
        await asyncio.sleep(after_s)
    flight.release()
    await asyncio.sleep(0)
    assert [counted] * 2 == [len(calls.asked), budget.calls]
    walks.close()


@pytest.mark.parametrize(
    ("answered", "others", "kind"),
    named({
        "too broad, where it is alone": (1, 0, ResultTooLargeError),
        "the quota's fault, where others wait": (1, 1, UpstreamThrottledError),
        "the quota's fault, where it had nothing": (0, 0, UpstreamThrottledError),
    }),
)  # fmt: skip
@in_virtual_time
async def test_a_turn_that_comes_too_late(
    answered: int, others: int, kind: type[Exception]
) -> None:
    """A search that has had its part and still needs more than its time is told to be narrower."""
    quota = Quota(QuotaLimits(calls_per_s=0.1, burst=1))
    walks = walks_of(SortedCalls(archive(2)), LIMITS, quota)
    await quota.turn(object())
    waiting = [asyncio.create_task(quota.turn(object())) for _ in range(others)]
    await asyncio.sleep(0)
    budget = budget_of(max_s=5)
    budget.answered = answered
    walk, _ = walks.join(ALL, None, -inf)
    with pytest.raises(kind):
        await read(walks, walk, budget)
    for task in waiting:
        task.cancel()
    walks.close()


@in_virtual_time
async def test_pages_are_counted_by_who_has_called() -> None:
    """A page that a request has fetched is fetched, also ahead; one that was there is reused."""
    calls = SortedCalls(archive(3))
    walks = walks_of(calls, LIMITS)
    walk, _ = walks.join(ALL, None, -inf)
    for _ in range(2):
        loader = Loader(walks, budget_of())
        reading = Reading(loader, walk, None, is_own=True)
        async for _page in reading:
            reading.expect(inf)
            await asyncio.sleep(1)
        loader.close()
    found = walks.meters.registry.get_sample_value
    sources = ("fetched", "reused")
    assert [3, 3] == [found("qido_gateway_pages_total", {"source": one}) for one in sources]
    walks.close()
