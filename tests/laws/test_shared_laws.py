"""The laws again, for requests that share walks: whatever is kept, joined, cut or gone on with."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.emulator.variants import Variants
from gateway.healthimaging.reading import Reading
from gateway.healthimaging.walks import WalkLimits
from gateway.search.plan import SearchOptions
from tests.building import NOT_SHARED
from tests.laws.blobs import Blobs
from tests.laws.harness import Gateway, StoreCalls, dialect_of, store_of
from tests.laws.oracle import Question, World, answer
from tests.laws.test_laws import EXAMPLES, FEWER, _shapes, questions_about, worlds

KEPT = Variants(padding="kept")
ALIVE = WalkLimits(ttl_s=3600, continue_s=3600, cache_bytes=10**8, scan_concurrency=1)
LIMITS = st.sampled_from(
    (
        NOT_SHARED,
        WalkLimits(),
        ALIVE,
        replace(ALIVE, cache_bytes=0),
        replace(ALIVE, cache_bytes=0, scan_concurrency=8),
        replace(ALIVE, cache_bytes=3_000, scan_concurrency=2),
        replace(ALIVE, scan_concurrency=2),
        replace(ALIVE, scan_concurrency=8),
        WalkLimits(ttl_s=0, continue_s=0, scan_concurrency=2),
    )
)
RANGE: Any = ("StudyDate", "days", "20191231", "20210615")


@st.composite
def questions_of_days(draw: st.DrawFn, world: World) -> Question:
    """Questions of which a good share has a closed range over all days, so that walks are cut."""
    question: Question = draw(questions_about(world))
    asks = draw(st.sampled_from(("as drawn", "of days too", "of days alone", "of days alone")))
    if asks == "as drawn" or "both" in {c[1] for c in question.criteria}:
        return question
    if asks == "of days alone":
        return Question("series" if question.of_instances else "studies", (RANGE,))
    others = [c for c in question.criteria if c[0] not in ("StudyDate", "StudyTime")]
    return replace(question, criteria=(RANGE, *others))


@contextmanager
def _gateway(
    world: World,
    options: SearchOptions,
    limits: WalkLimits,
    page_size: int,
    variants: Variants = KEPT,
) -> Iterator[Gateway]:
    store = store_of(world.summaries, variants)
    calls = StoreCalls(store, page_size, Blobs(world.summaries))
    yield (
        gateway := Gateway(
            calls,
            options,
            dialect=dialect_of(world),
            walk_limits=limits,
            page_size=page_size,
        )
    )
    gateway.service.close()
    store.close()


async def _ask(gateway: Gateway, question: Question, **window: int) -> list[dict[str, Any]]:
    body, _ = await gateway.ask(question, [(name, str(n)) for name, n in window.items()])
    answered: list[dict[str, Any]] = json.loads(body)
    return answered


def _met(gateway: Gateway, name: str, **labels: str) -> float:
    value = gateway.service.meters.registry.get_sample_value(f"qido_gateway_{name}_total", labels)
    return value or 0.0


# --- 1 plan neutrality, 2 page splits -------------------------------------------------------------


@EXAMPLES
@given(
    worlds(),
    st.data(),
    LIMITS,
    st.integers(1, 3),
    st.sampled_from(("full", "short")),
    st.sampled_from(("first", "last")),
)
async def test_sharing_is_neutral(
    world: tuple[World, SearchOptions],
    data: st.DataObject,
    limits: WalkLimits,
    page_size: int,
    pages: Any,
    undated: Any,
) -> None:
    """Who comes first and who comes after get the answer of a direct loop over the stored data."""
    stored, options = world
    question = data.draw(questions_of_days(stored))
    variants = Variants(padding="kept", pages=pages, undated=undated)
    expected = _shapes(answer(stored, question))
    with _gateway(stored, options, limits, page_size, variants) as gateway:
        for limit in (10_000, 9_999):  # of two equal ones the whole answer would be given again
            assert expected == _shapes(await _ask(gateway, question, limit=limit))


# --- 3 windows ------------------------------------------------------------------------------------


@FEWER
@given(worlds(), st.data(), LIMITS, st.integers(1, 3), st.integers(1, 4))
async def test_shared_windows(
    world: tuple[World, SearchOptions],
    data: st.DataObject,
    limits: WalkLimits,
    page_size: int,
    limit: int,
) -> None:
    """The windows put together are the whole, each gone on with where the one before was left."""
    stored, options = world
    question = data.draw(questions_of_days(stored))
    joined: list[Any] = []
    with _gateway(stored, options, limits, page_size) as gateway:
        while part := await _ask(gateway, question, limit=limit, offset=len(joined)):
            joined += part
    assert _shapes(answer(stored, question)) == _shapes(joined)


@FEWER
@given(worlds(), st.data(), LIMITS, st.integers(1, 3), st.lists(st.integers(0, 12), max_size=5))
async def test_any_window_after_any_other(
    world: tuple[World, SearchOptions],
    data: st.DataObject,
    limits: WalkLimits,
    page_size: int,
    offsets: list[int],
) -> None:
    """In whatever order windows and counts are asked for, each is that of the whole answer."""
    stored, options = world
    question = data.draw(questions_of_days(stored))
    whole = answer(stored, question)
    with _gateway(stored, options, limits, page_size) as gateway:
        for number, offset in enumerate(offsets):
            part = await _ask(gateway, question, limit=2 + number, offset=offset)
            assert _shapes(whole[offset : offset + 2 + number]) == _shapes(part)
            running = gateway.service.start((await gateway.ask(question))[1].query)
            body = b"".join([chunk async for chunk in running.count_json(lambda _: None)])
            assert {"count": len(whole)} == json.loads(body)


# --- 4 frugality ----------------------------------------------------------------------------------


@EXAMPLES
@given(worlds(), st.data(), st.integers(1, 3), st.integers(0, 3), st.integers(1, 6))
async def test_what_is_fetched_ahead_is_needed(
    world: tuple[World, SearchOptions],
    data: st.DataObject,
    page_size: int,
    offset: int,
    limit: int,
) -> None:
    """With one call at once, a search costs what it costs where nothing is fetched ahead."""
    stored, options = world
    question = data.draw(questions_of_days(stored))
    served = []
    for fetches_ahead in (True, False):
        with (
            pytest.MonkeyPatch.context() as patch,
            _gateway(stored, options, ALIVE, page_size) as gateway,
        ):
            if not fetches_ahead:
                patch.setattr(Reading, "expect", lambda *_: None)
            await _ask(gateway, question, limit=limit, offset=offset)
            assert isinstance(gateway.calls, StoreCalls)
            served.append(gateway.calls.served)
    assert served[1] == served[0]


# --- the generators -------------------------------------------------------------------------------


def test_walks_are_really_shared() -> None:
    """A fair share of what is drawn cuts a walk, reads pages of others, and drops some."""
    met: Counter[str] = Counter()

    @EXAMPLES
    @given(worlds(), st.data(), LIMITS, st.integers(1, 3))
    def ask(
        world: tuple[World, SearchOptions], data: st.DataObject, limits: WalkLimits, page_size: int
    ) -> None:
        asyncio.run(two_windows(world, data, limits, page_size))

    async def two_windows(
        world: tuple[World, SearchOptions], data: st.DataObject, limits: WalkLimits, page_size: int
    ) -> None:
        stored, options = world
        question = data.draw(questions_of_days(stored))
        with _gateway(stored, options, limits, page_size) as gateway:
            await _ask(gateway, question, limit=data.draw(st.sampled_from((3, 10_000))))
            first = _met(gateway, "pages", source="fetched")
            await _ask(gateway, question, limit=9, offset=3)
            met["cut"] += _met(gateway, "date_windows") > 0
            met["shared"] += _met(gateway, "pages", source="reused") > 0
            met["dropped"] += limits.ttl_s > 0 and _met(gateway, "pages", source="fetched") > first
        met["all"] += 1

    ask()
    assert met["all"] >= 120
    least = {"shared": 0.3, "dropped": 0.2, "cut": 0.05}
    assert all(met[kind] >= share * met["all"] for kind, share in least.items()), met
