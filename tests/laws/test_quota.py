"""The laws of the quota: the account's rate is kept, turns are fair, and none is lost."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from gateway.healthimaging.quota import Quota, QuotaLimits
from tests.laws.test_laws import EXAMPLES
from tests.virtualtime import in_virtual_time

# No two kinds of event at the same moment, where their order would be nobody's promise
ARRIVES_MS, LEAVES_MS, THROTTLED_MS = 1 / 3, 2 / 3, 1 / 7
# Of rounding, in calls
SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Call:
    """A call of `asker` that waits from `at_ms` on, and leaves after `patience_ms` if it does."""

    asker: int
    at_ms: int
    patience_ms: int | None


@dataclass(slots=True)
class Log:
    """What happened, in order: how often each asker waited, had a turn, left; and each turn."""

    events: list[tuple[str, int]] = field(default_factory=list)
    turns: list[tuple[float, int, int]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


CALLS = st.lists(
    st.builds(
        Call,
        st.integers(0, 4),
        st.integers(0, 40).map(lambda n: n * 50),
        st.none() | st.none() | st.integers(0, 900),
    ),
    max_size=60,
)
RATES = st.sampled_from((0.7, 3.0, 25.0))
BURSTS = st.sampled_from((1, 2, 7))


async def _call(quota: Quota, one: Call, askers: Sequence[object], log: Log) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep((one.at_ms + ARRIVES_MS) / 1000)
    number = len(log.events)  # of its arrival
    log.events.append(("waits", one.asker))
    patience_s = None if one.patience_ms is None else (one.patience_ms + LEAVES_MS) / 1000
    try:
        async with asyncio.timeout(patience_s):
            await quota.turn(askers[one.asker])
    except TimeoutError:
        log.events.append(("leaves", one.asker))
        return
    log.events.append(("turn", one.asker))
    log.turns.append((loop.time(), one.asker, number))


async def _run(
    rate: float, burst: int, calls: Sequence[Call], throttled_ms: Sequence[int] = ()
) -> Log:
    """What happens to these calls, of which all have an end."""
    log, askers = Log(), [object() for _ in range(5)]
    quota, loop = Quota(QuotaLimits(rate, burst), log.waits.append), asyncio.get_running_loop()
    for at_ms in throttled_ms:
        loop.call_at((at_ms + THROTTLED_MS) / 1000, quota.throttled)
    async with asyncio.TaskGroup() as group:
        for one in calls:
            group.create_task(_call(quota, one, askers, log))
    await asyncio.sleep(0)
    assert (0, 1) == (quota.waiting, len(asyncio.all_tasks()))
    return log


@EXAMPLES
@given(RATES, BURSTS, CALLS, st.lists(st.integers(0, 3_000), max_size=5))
@in_virtual_time
async def test_the_rate_is_kept(
    rate: float, burst: int, calls: list[Call], throttled_ms: list[int]
) -> None:
    """In no window of t seconds are more than burst + rate·t turns given, throttled or not."""
    log = await _run(rate, burst, calls, throttled_ms)
    times = [at for at, _, _ in log.turns]
    for first, begins in enumerate(times):
        for number, ends in enumerate(times[first:], 1):
            assert number <= burst + rate * (ends - begins) + SLACK


@EXAMPLES
@given(RATES, BURSTS, CALLS)
@in_virtual_time
async def test_nothing_is_lost(rate: float, burst: int, calls: list[Call]) -> None:
    """Whoever stays has a turn, and while anybody waits the rate is used to the full."""
    log = await _run(rate, burst, calls)
    kinds = Counter(kind for kind, _ in log.events)
    assert kinds["waits"] == kinds["turn"] + kinds["leaves"] == len(calls)
    assert kinds["leaves"] <= sum(one.patience_ms is not None for one in calls)
    times = [at for at, _, _ in log.turns]
    assert [] == [
        number
        for number, wait_s in enumerate(log.waits)
        if wait_s and times[number] - times[number - 1] > (1 + SLACK) / rate
    ]


@EXAMPLES
@given(RATES, BURSTS, CALLS, st.lists(st.integers(0, 3_000), max_size=5))
@in_virtual_time
async def test_turns_are_fair(
    rate: float, burst: int, calls: list[Call], throttled_ms: list[int]
) -> None:
    """The calls of an asker keep their order; while it waits, no other has two turns."""
    log = await _run(rate, burst, calls, throttled_ms)
    for asker in range(5):
        numbers = [number for _, one, number in log.turns if one == asker]
        assert sorted(numbers) == numbers
    waiting: Counter[int] = Counter()
    since: dict[int, Counter[int]] = defaultdict(Counter)
    for kind, asker in log.events:
        if kind == "waits":
            waiting[asker] += 1
            continue
        waiting[asker] -= 1
        if kind == "turn":
            since.pop(asker, None)
            for other in (one for one, number in waiting.items() if number and one != asker):
                since[other][asker] += 1
                assert since[other][asker] == 1
        if not waiting[asker]:
            since.pop(asker, None)
