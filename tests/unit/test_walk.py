"""The budget of a request, and the ladder's memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.errors import (
    ResultTooLargeError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamValidationError,
)
from gateway.healthimaging.body import Body
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.rungs import RUNG_MEMORY_S, Rungs
from gateway.healthimaging.upstream import RequestUpstream
from gateway.search.imageset import Page
from gateway.search.plan import CreatedBetween, Equal, Plan, Sort, StudyDateBetween
from tests.building import upstream_over

RANGE = StudyDateBetween(("20200101", "0"), ("20200102", "0"))
EQUAL = Equal("DICOMPatientId", "A")
PAIR = Plan((EQUAL, RANGE))


@dataclass
class Picky:
    """Takes only the shapes that it is told; never answers where it `hangs`."""

    takes: tuple[Plan, ...]
    hangs: bool = False
    asked: list[Plan] = field(default_factory=list)

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """An empty page, or a refusal."""
        self.asked.append(one)
        if self.hangs:
            await asyncio.Event().wait()
        if one.shape not in {plan.shape for plan in self.takes}:
            raise UpstreamValidationError("no")
        return Page(())

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """That it is gone."""
        return Body(None)


def upstream(calls: Picky, rungs: Rungs | None = None, max_calls: int = 99) -> RequestUpstream:
    """A request's upstream, with a clock that stands."""
    budget = Budget(max_calls, 30, lambda: 0.0)
    return upstream_over(calls, budget, rungs=rungs)


@pytest.mark.parametrize(
    ("top", "takes", "asked_first", "asked_again"),
    [
        pytest.param(PAIR, PAIR, 1, 1, id="the top rung"),
        pytest.param(PAIR, Plan((EQUAL,)), 2, 1, id="the EQUAL alone is remembered"),
        pytest.param(PAIR, Plan((EQUAL,), Sort.DEFAULT), 3, 1, id="and without a sort"),
        pytest.param(PAIR, Plan((RANGE,)), 4, 4, id="without the EQUAL it is not"),
        pytest.param(Plan((EQUAL,)), Plan(), 3, 3, id="nor a value that alone is refused"),
        pytest.param(Plan((RANGE,)), Plan(), 3, 1, id="a range that is refused"),
        pytest.param(Plan(), Plan((CreatedBetween(),)), 3, 1, id="no filter that is refused"),
    ],
)
async def test_ladder(top: Plan, takes: Plan, asked_first: int, asked_again: int) -> None:
    """The next rung is tried; it is remembered where the shape was at fault, not the value."""
    rungs = Rungs(lambda: 0.0)
    calls = Picky((takes,))
    for asked in (asked_first, asked_again):
        calls.asked.clear()
        walk = await upstream(calls, rungs).open(top)
        assert (takes.shape, asked) == (walk.plan.shape, len(calls.asked))


async def test_a_rung_is_remembered_for_an_hour() -> None:
    """After an hour the top rung is tried again."""
    clock = [0.0]
    rungs = Rungs(lambda: clock[0])
    calls = Picky((Plan((EQUAL,)),))
    for clock[0], asked in ((0.0, 2), (RUNG_MEMORY_S - 1, 3), (RUNG_MEMORY_S, 5)):
        await upstream(calls, rungs).open(PAIR)
        assert asked == len(calls.asked)


async def test_no_rung_is_taken() -> None:
    """Where no rung is taken, the upstream's refusal is the answer."""
    with pytest.raises(UpstreamValidationError):
        await upstream(Picky(())).open(Plan())


async def test_the_ladder_costs_calls() -> None:
    """A refused rung is a call of the budget."""
    with pytest.raises(ResultTooLargeError):
        await upstream(Picky((Plan((EQUAL,)),)), max_calls=1).open(PAIR)


@pytest.mark.parametrize(
    ("answered", "kind"),
    [
        pytest.param(0, UpstreamTimeoutError, id="no answer at all"),
        pytest.param(1, ResultTooLargeError, id="too much to ask"),
    ],
)
async def test_time_is_up(answered: int, kind: type[Exception]) -> None:
    """A call that outlasts the budget is the upstream's fault only if it never answered."""
    up = upstream(Picky((), hangs=True))
    up.budget.max_s, up.budget.answered = 0.001, answered
    with pytest.raises(kind):
        await up.open(Plan())


def test_budget() -> None:
    """Calls, retries and seconds of waiting are counted; past either limit nothing begins."""
    now = 0.0
    budget = Budget(3, 10, lambda: now)
    assert 10 == budget.start_waiting()
    budget.count_call()
    now = 4.0
    assert 6 == budget.left_s
    budget.count_retries(1)
    budget.end_waiting()
    assert (2, 4.0) == (budget.calls, budget.spent_s)
    budget.count_call()
    with pytest.raises(ResultTooLargeError):
        budget.count_call()
    assert 6 == budget.start_waiting()  # what is no call may still be waited for
    now = 10.0
    budget.end_waiting()
    assert (3, 0) == (budget.calls, budget.left_s)
    with pytest.raises(ResultTooLargeError):
        budget.start_waiting()


@pytest.mark.parametrize(
    ("steps", "spent_s", "left_s"),
    [
        pytest.param("+0 -3", 3, 7, id="one call"),
        pytest.param("+0 -1 +5 -7", 3, 7, id="the time between calls is not counted"),
        pytest.param("+0 +0 -4 -4", 4, 6, id="waits at once are counted once"),
        pytest.param("+0 +2 -3 -6", 6, 4, id="calls that overlap"),
        pytest.param("+0 +1 -2 +3 -4 -5 +8 -9", 6, 4, id="a chain, and one apart"),
        pytest.param("+0", 0, 6, id="what is under way counts as well"),
    ],
)
def test_overlapping_calls(steps: str, spent_s: float, left_s: float) -> None:
    """A second in which any number of calls is under way is one second."""
    now = 0.0
    budget = Budget(99, 10, lambda: now)
    for step in steps.split():
        now = float(step[1:])
        if step[0] == "+":
            budget.start_waiting()
        else:
            budget.end_waiting()
    assert spent_s == budget.spent_s
    now = now + 4 if left_s == 6 and spent_s == 0 else now
    assert left_s == budget.start_waiting()


async def test_retries_of_a_failure_are_counted() -> None:
    """What a failing call cost is counted as well."""

    @dataclass
    class Throttled(Picky):
        async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
            error = UpstreamThrottledError("no")
            error.attempts = 3
            raise error

    up = upstream(Throttled(()))
    with pytest.raises(UpstreamThrottledError):
        await up.open(Plan())
    assert 3 == up.budget.calls
