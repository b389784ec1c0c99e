"""The quota: each call in its turn, fair between requests, slower where AWS throttles."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from gateway.errors import UpstreamThrottledError
from gateway.healthimaging.quota import Quota, QuotaLimits
from tests.virtualtime import in_virtual_time


class Asker:
    """One request."""

    def __init__(self, name: str) -> None:
        self.name = name


A, B, C = Asker("a"), Asker("b"), Asker("c")


class Given:
    """A quota, and the turns that it gave: who had one, and when in milliseconds."""

    def __init__(self, calls_per_s: float = 10.0, burst: int = 1, max_waiting: int = 100) -> None:
        self.waits: list[float] = []
        self.quota = Quota(QuotaLimits(calls_per_s, burst, max_waiting), self.waits.append)
        self.turns: list[tuple[str, int]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def ask(self, *askers: Asker) -> None:
        """Let each of them wait for a turn from now on."""
        self.tasks += [asyncio.create_task(self._turn(one)) for one in askers]

    async def _turn(self, asker: Asker) -> None:
        await self.quota.turn(asker)
        self.turns.append((asker.name, _now_ms()))

    async def all(self) -> list[tuple[str, int]]:
        """The turns, once nobody waits any more."""
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return self.turns

    @property
    def names(self) -> str:
        """Who had a turn, in order."""
        return "".join(name for name, _ in self.turns)


def _now_ms() -> int:
    return round(asyncio.get_running_loop().time() * 1000)


async def turns_of(quota: Quota, calls: int) -> list[int]:
    """When one asker has so many turns, one after the other, in milliseconds."""
    found = []
    for _ in range(calls):
        await quota.turn(A)
        found.append(_now_ms())
    return found


# --- the rate -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls_per_s", "burst", "pause_s", "expected"),
    [
        pytest.param(10, 1, 0, [0, 100, 200, 300, 400], id="no burst"),
        pytest.param(10, 3, 0, [0, 0, 0, 100, 200], id="a burst, then the rate"),
        pytest.param(0.5, 1, 0, [0, 2000, 4000, 6000, 8000], id="less than one a second"),
        pytest.param(10, 3, 0.2, [200, 200, 200, 300, 400], id="a pause does not add to a burst"),
    ],
)
@in_virtual_time
async def test_the_rate(
    calls_per_s: float, burst: int, pause_s: float, expected: list[int]
) -> None:
    """After a burst, no more calls a second than the account may."""
    await asyncio.sleep(pause_s)
    assert expected == await turns_of(Quota(QuotaLimits(calls_per_s, burst)), 5)


@in_virtual_time
async def test_a_burst_comes_back() -> None:
    """What was not used of the rate may be used at once later, up to the burst."""
    quota = Quota(QuotaLimits(10, 3))
    await turns_of(quota, 3)
    await asyncio.sleep(0.25)
    assert [250, 250, 300, 400] == await turns_of(quota, 4)


@in_virtual_time
async def test_without_waiting() -> None:
    """Where nobody waits and there is capacity, a turn is no switch to another task."""
    quota = Quota(QuotaLimits(10, 3))
    for _ in range(3):
        turn = quota.turn(A)
        with pytest.raises(StopIteration):
            turn.send(None)
    assert (1, 0) == (len(asyncio.all_tasks()), quota.waiting)


@in_virtual_time
async def test_nothing_is_left() -> None:
    """Once nobody waits there is no task, whether all had their turn or all have left."""
    before = asyncio.all_tasks()
    given = Given()
    given.ask(A, A, B)
    await given.all()
    assert before == asyncio.all_tasks()
    given.ask(A, B, B)
    await asyncio.sleep(0.01)
    assert (3, 4) == (given.quota.waiting, len(asyncio.all_tasks() - before))
    for task in given.tasks:
        task.cancel()
    await given.all()
    await asyncio.sleep(0)
    assert (before, 0) == (asyncio.all_tasks(), given.quota.waiting)


@in_virtual_time
async def test_what_was_waited_for_is_told() -> None:
    """Each turn tells its seconds, none too."""
    given = Given()
    given.ask(A, B, C)
    await given.all()
    assert [0, 0.1, 0.2] == [round(one, 6) for one in given.waits]


# --- between requests -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        pytest.param([A, A, A, A, B], "aabaa", id="a lookup passes a scan"),
        pytest.param([A, A, A, B, B, C], "aabcab", id="one turn each"),
        pytest.param([A, B, C, C, B, A], "abcabc", id="in the order of arrival"),
    ],
)
@in_virtual_time
async def test_round_robin(waiting: Sequence[Asker], expected: str) -> None:
    """A request that waits lets each other one pass after one turn. The first finds none."""
    given = Given()
    given.ask(*waiting)
    await given.all()
    assert expected == given.names
    assert [100] * (len(waiting) - 1) == [b - a for (_, a), (_, b) in pairwise(given.turns)]


@in_virtual_time
async def test_a_lookup_beside_a_long_scan() -> None:
    """It waits for one turn of each other request, however many calls these have."""
    given = Given(max_waiting=1000)
    given.ask(*[A] * 100, *[B] * 100)
    await asyncio.sleep(1.05)
    given.ask(C)
    await given.all()
    ((_, at_ms),) = [turn for turn in given.turns if turn[0] == "c"]
    assert 1050 <= at_ms <= 1050 + 300
    assert (100, 100) == (given.names.count("a"), given.names.count("b"))


@in_virtual_time
async def test_equal_askers_are_two() -> None:
    """A request is known by its identity, whatever it is equal to, and need not be hashable."""
    quota = Quota(QuotaLimits(10, 1))
    one: list[int] = []
    other: list[int] = []
    await quota.turn(one)
    waiting = asyncio.create_task(quota.turn(one))
    await asyncio.sleep(0)
    assert (False, True) == (quota.is_busy(one), quota.is_busy(other))
    await waiting
    assert (False, False) == (quota.is_busy(one), quota.is_busy(other))


# --- leaving --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "leaving", "expected"),
    [
        pytest.param([A, A, A, B], [1], [("a", 0), ("a", 100), ("b", 200)], id="the next"),
        pytest.param([A, A, B, B], [2, 3], [("a", 0), ("a", 100)], id="a whole request"),
        pytest.param([A, A, B, A], [3], [("a", 0), ("a", 100), ("b", 200)], id="the last"),
        pytest.param([A, A, A, B], [1, 2], [("a", 0), ("b", 100)], id="all of the next request"),
    ],
)
@in_virtual_time
async def test_who_leaves(
    waiting: Sequence[Asker], leaving: Sequence[int], expected: list[tuple[str, int]]
) -> None:
    """A call that is given up costs no turn, and the others move up."""
    given = Given()
    given.ask(*waiting)
    await asyncio.sleep(0.05)
    for number in leaving:
        given.tasks[number].cancel()
    await asyncio.sleep(0)
    assert len(expected) - 1 == given.quota.waiting
    assert expected == await given.all()


@in_virtual_time
async def test_a_turn_that_is_not_used() -> None:
    """Who leaves in the moment of its turn hands it on."""
    given = Given()
    given.ask(A, A, B, C)
    await asyncio.sleep(0.05)
    given.quota._give()
    given.tasks[1].cancel()
    assert [("a", 0), ("b", 50), ("c", 100)] == await given.all()
    given.ask(A, B)
    await asyncio.sleep(0.01)
    given.quota._give()
    given.tasks[-2].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (1, 0) == (len(asyncio.all_tasks()), given.quota.waiting)
    assert "abcb" == given.names


@in_virtual_time
async def test_a_turn_that_nobody_uses() -> None:
    """Where nobody is left to have it, it is gone, and the next call waits for its own."""
    before = asyncio.all_tasks()
    given = Given()
    given.ask(A, A)
    await asyncio.sleep(0.05)
    given.quota._give()
    given.tasks[1].cancel()
    await given.all()
    await asyncio.sleep(0)
    assert (before, 0) == (asyncio.all_tasks(), given.quota.waiting)
    given.ask(B)
    assert [("a", 0), ("b", 100)] == await given.all()


@in_virtual_time
async def test_who_leaves_in_the_moment_of_its_turn() -> None:
    """A turn does not go to somebody who has left already, not even in the same moment."""
    given = Given()
    given.ask(A, A, B, B)
    await asyncio.sleep(0.05)
    given.tasks[1].cancel()
    given.tasks[2].cancel()
    given.quota._give()
    assert [("a", 0), ("b", 50)] == await given.all()
    assert 0 == given.quota.waiting


# --- refusing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "asker", "left_s", "retry_after_s"),
    [
        pytest.param([], A, 0.0, None, id="nobody waits"),
        pytest.param([A], B, 0.1, None, id="the next turn"),
        pytest.param([A], B, 0.05, 1, id="less time than a turn takes"),
        pytest.param([A] * 40, B, 0.2, None, id="a long scan counts as one turn"),
        pytest.param([A] * 41, A, 1.0, 4, id="its own calls count all"),
        pytest.param([A] * 40, A, 5.0, None, id="its own calls in time"),
        pytest.param([A] * 21 + [B] * 20, A, 3.0, 2, id="as many of each other as of its own"),
        pytest.param([A] * 51, B, 30.0, 1, id="no place to wait"),
        pytest.param([A] * 30 + [C] * 21, B, 30.0, 1, id="no place, though it is soon its turn"),
    ],
)
@in_virtual_time
async def test_check(
    waiting: Sequence[Asker], asker: Asker, left_s: float, retry_after_s: int | None
) -> None:
    """A call that would come too late is refused with the time after which it may work."""
    given = Given(max_waiting=50)
    given.ask(*waiting)
    await asyncio.sleep(0)
    if retry_after_s is None:
        given.quota.check(asker, left_s)
        given.tasks = [asyncio.create_task(given.quota.turn(asker))]
        await asyncio.wait_for(given.tasks[0], left_s + 0.001)
    else:
        with pytest.raises(UpstreamThrottledError) as caught:
            given.quota.check(asker, left_s)
        assert retry_after_s == caught.value.retry_after_s
        assert "HealthImaging's calls a second are used up." == str(caught.value)


@in_virtual_time
async def test_check_of_a_burst() -> None:
    """While the bucket has some, a call has no time to wait; what is owed counts."""
    quota = Quota(QuotaLimits(10, 3))
    await turns_of(quota, 2)
    quota.check(A, 0)
    quota.charge(2)
    quota.check(A, 0.31)
    with pytest.raises(UpstreamThrottledError):
        quota.check(A, 0)


# --- what was called without a turn ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("charged", "pause_s", "expected"),
    [
        pytest.param(0, 0, [0, 0, 0, 100], id="nothing"),
        pytest.param(1, 0, [0, 0, 100, 200], id="within the burst"),
        pytest.param(5, 0, [300, 400, 500, 600], id="more than the burst"),
        pytest.param(2, 0.5, [500, 500, 500, 600], id="within the burst, later"),
        pytest.param(5, 0.4, [400, 500, 600, 700], id="more than the burst, soon"),
        pytest.param(5, 0.5, [500, 500, 500, 600], id="more than the burst, later"),
        pytest.param(500, 60, [60_000, 60_000, 60_000, 60_100], id="a minute later"),
    ],
)
@in_virtual_time
async def test_charge(charged: int, pause_s: float, expected: list[int]) -> None:
    """Calls without a turn are made up for by those who come next, but not for ever."""
    quota = Quota(QuotaLimits(10, 3))
    quota.charge(charged)
    await asyncio.sleep(pause_s)
    assert len(expected) == len(found := await turns_of(quota, 4))
    assert expected == found


@in_virtual_time
async def test_charged_again() -> None:
    """What was owed long ago takes nothing off what is owed now."""
    quota = Quota(QuotaLimits(10, 3))
    quota.charge(5)
    await asyncio.sleep(60)
    quota.charge(0)
    quota.charge(4)
    assert [60_200, 60_300] == await turns_of(quota, 2)


# --- slowing down ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls_per_s", "throttled_at_s", "rates"),
    [
        pytest.param(20, [0], [20, 20], id="once"),
        pytest.param(20, [0, 0.1, 0.9], [20, 20], id="many at once are one"),
        pytest.param(20, [0, 5], [20, 20, 20, 20, 20, 20], id="now and then"),
        pytest.param(20, [0, 1], [20, 10, 12, 14, 16, 18, 20, 20], id="again soon"),
        pytest.param(20, [0, 1, 1.1, 1.9], [20, 10, 10, 12, 14], id="again soon, many at once"),
        pytest.param(20, [0, 1.0, 2.0, 3.0], [20, 10, 6, 4, 6], id="each second"),
        pytest.param(100, range(20), [100, 50, 30, 20, 15, 12.5], id="steps between"),
        pytest.param(0.1, range(20), [0.1, 0.05, 0.03, 0.02, 0.015, 0.0125], id="a slow account"),
    ],
)
@in_virtual_time
async def test_slower(
    calls_per_s: float, throttled_at_s: Sequence[float], rates: Sequence[float]
) -> None:
    """Throttled again soon, the rate is halved, once a second; a tenth comes back each second."""
    quota = Quota(QuotaLimits(calls_per_s, 50))
    loop = asyncio.get_running_loop()
    for at_s in throttled_at_s:
        loop.call_at(at_s, quota.throttled)
    found = []
    for second in range(len(rates)):
        await asyncio.sleep(second + 0.85 - loop.time())
        found.append(round(quota._rate(), 6))
    assert list(rates) == found


@in_virtual_time
async def test_never_too_slow() -> None:
    """However often it is throttled, one call a second remains, or a tenth of a small rate."""
    for calls_per_s, slowest in ((25.0, 1.0), (5.0, 0.5), (0.1, 0.01)):
        quota, found = Quota(QuotaLimits(calls_per_s, 50)), []
        for _ in range(100):
            quota.throttled()
            found.append(round(quota._rate(), 6))
            await asyncio.sleep(0.999)
        assert slowest == min(found)


async def throttled_twice(quota: Quota) -> None:
    """Let it go at half its rate, a second later."""
    quota.throttled()
    await asyncio.sleep(1)
    quota.throttled()


@in_virtual_time
async def test_no_burst_after_throttling() -> None:
    """Turns go at the pace that is left, and the bucket that returns begins empty."""
    quota = Quota(QuotaLimits(10, 5))
    await throttled_twice(quota)
    found = [at - 1000 for at in await turns_of(quota, 36)]
    # 5 a second, then 6, … each second
    assert [200, 400, 600, 800, 1000] == found[:5]
    assert [6, 7, 8, 9] == [sum(1 for at in found if s < at / 1000 <= s + 1) for s in (1, 2, 3, 4)]
    assert 5 < found[-1] / 1000 < 5.5
    await asyncio.sleep(60)
    last = await turns_of(quota, 7)
    assert [0, 0, 0, 0, 0, 100, 200] == [at - last[0] for at in last]


@in_virtual_time
async def test_no_burst_while_slow() -> None:
    """A pause saves nothing up until the full rate is back."""
    quota = Quota(QuotaLimits(10, 5))
    await throttled_twice(quota)
    await turns_of(quota, 1)
    await asyncio.sleep(0.6)
    assert [1800, 2000] == await turns_of(quota, 2)


@in_virtual_time
async def test_a_throttled_call_empties_the_bucket() -> None:
    """What AWS's bucket lacks ours lacks too; it fills again at the full rate."""
    quota = Quota(QuotaLimits(10, 5))
    quota.throttled()
    assert [100, 200, 300] == await turns_of(quota, 3)
    await asyncio.sleep(1)
    assert [1300] * 5 + [1400] == await turns_of(quota, 6)


@in_virtual_time
async def test_throttled_while_others_wait() -> None:
    """Those who wait already are slowed down too, and check knows it."""
    given = Given(calls_per_s=20, burst=5)
    given.quota.throttled()
    await asyncio.sleep(0.99)
    given.ask(*[A] * 30)
    await asyncio.sleep(0.01)
    given.quota.throttled()
    given.quota.check(B, 0.2)
    with pytest.raises(UpstreamThrottledError):
        given.quota.check(B, 0.15)
    times = [at - 990 for _, at in await given.all()]
    assert [0, 0, 0, 0, 0, 50, 150, 250, 350] == times[:9]
