"""Answers that are given again: to whom, how long, and how many are kept."""

from __future__ import annotations

import asyncio

import pytest

from gateway.healthimaging.walk import Walk
from gateway.healthimaging.walks import WalkLimits
from gateway.search.metadata import Fault
from gateway.search.plan import Plan
from gateway.search.tally import Tally
from gateway.server.answers import MAX_BYTES, Answer, Answers, Whole
from tests.virtualtime import in_virtual_time

OWN_BYTES = 2_000
"""What an answer takes beside its body."""

LIMITS = WalkLimits(ttl_s=5, continue_s=60, cache_bytes=4 * (3 * OWN_BYTES + 100))
"""A fourth of it is for answers."""


def answers(limits: WalkLimits = LIMITS) -> Answers:
    """None yet, by the loop's clock."""
    return Answers(limits, asyncio.get_running_loop().time)


def answer(size: int = 30, *began: float, tally: Tally | None = None) -> Answer:
    """One of so many bytes, and of walks that have begun then."""
    walks = tuple(Walk(Plan(), at) for at in began or (0.0,))
    return Answer(b"x" * size, tally or Tally(), walks)


@pytest.mark.parametrize(
    ("age_s", "continues", "is_given"),
    [
        pytest.param(0, False, True, id="at once"),
        pytest.param(4.9, False, True, id="as young as its walks have to be"),
        pytest.param(5, False, False, id="no older"),
        pytest.param(5, True, True, id="behind results that the client has"),
        pytest.param(59.9, True, True, id="for longer"),
        pytest.param(60, True, False, id="not for ever"),
    ],
)
@in_virtual_time
async def test_how_long_it_is_given(age_s: float, continues: bool, is_given: bool) -> None:
    """An answer is given as long as its oldest walk could be joined."""
    kept, one = answers(), answer()
    kept.put("key", one)
    await asyncio.sleep(age_s)
    assert (one if is_given else None) is kept.get("key", continues=continues)
    assert kept.get("another", continues=continues) is None
    kept.close()


@pytest.mark.parametrize(
    ("one", "limits"),
    [
        pytest.param(answer(2 * OWN_BYTES + 101), LIMITS, id="too long"),
        pytest.param(Answer(b"[]", Tally(), ()), LIMITS, id="asked of nobody"),
        pytest.param(
            answer(tally=Tally(faults={Fault.GONE: {"a"}})), LIMITS, id="perhaps better next time"
        ),
        pytest.param(answer(), WalkLimits(cache_bytes=0), id="nothing is kept"),
        pytest.param(answer(), WalkLimits(ttl_s=0, continue_s=0), id="nothing is shared"),
    ],
)
@in_virtual_time
async def test_what_is_not_given_again(one: Answer, limits: WalkLimits) -> None:
    """What may be better the next time, or takes too much, is made anew."""
    kept = answers(limits)
    kept.put("key", one)
    assert kept.get("key", continues=True) is None
    assert 0 == kept.weight
    kept.close()


@in_virtual_time
async def test_what_its_walks_may_be() -> None:
    """It is as old as its oldest walk, and is given no more once one of them is forgotten."""
    kept, one = answers(), answer(30, 3.0, 0.0)
    kept.put("key", one)
    await asyncio.sleep(4)
    assert kept.get("key", continues=False) is one
    one.walks[0].is_forgotten = True
    assert kept.get("key", continues=True) is None
    kept.close()


@in_virtual_time
async def test_what_goes_first() -> None:
    """Where there is no room, the answer goes that was not given for the longest time."""
    kept = answers()
    for key in "abc":
        kept.put(key, answer())
    kept.get("a", continues=False)
    kept.put("d", answer(size=20))
    assert "acd" == "".join(key for key in "abcd" if kept.get(key, continues=False))
    kept.put("d", answer(size=10))  # made again, it takes the place of the one before
    assert 3 * OWN_BYTES + 70 == kept.weight
    kept.close()
    assert 0 == kept.weight


@in_virtual_time
async def test_it_is_forgotten() -> None:
    """What is too old for anybody is not kept, though nobody asks; then nothing is left to do."""
    kept = answers()
    kept.put("a", answer())
    await asyncio.sleep(30)
    kept.put("b", answer(30, 30.0))
    await asyncio.sleep(36)
    assert OWN_BYTES + 30 == kept.weight
    await asyncio.sleep(30)
    assert (0, None) == (kept.weight, kept._timer)


@pytest.mark.parametrize(
    ("sizes", "is_kept"),
    [([], True), ([1, 2], True), ([MAX_BYTES], True), ([MAX_BYTES, 1], False), ([1] * 9, True)],
)
def test_whole(sizes: list[int], is_kept: bool) -> None:
    """Parts are given back as they came, and put together unless they get too long."""
    whole = Whole()
    parts = [whole.add(b"x" * size) for size in sizes]
    assert sizes == [len(part) for part in parts]
    assert (b"".join(parts) if is_kept else None) == whole.body
