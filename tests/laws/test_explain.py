"""The law of the explanation: a search costs as many calls as was said before it was made."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.errors import ResultTooLargeError, StudyWindowError
from gateway.qido.query import Dialect, Query, parse_query
from gateway.search.explain import Explanation, explain
from gateway.search.plan import SearchOptions
from gateway.server.searches import Limits, RunningSearch
from tests.laws.archive import questions
from tests.laws.blobs import Blobs
from tests.laws.dataset import detailed_questions, image_sets
from tests.laws.harness import RESOURCES, Gateway, StoreCalls, query_of, store_of
from tests.laws.oracle import Question

EXAMPLES = 400
FEW_CALLS = Limits(max_calls=2)
POSITIONS = (
    Variants(),
    Variants(unfiltered="rejected"),
    Variants(undated="first"),
    Variants(pairs="single"),
    Variants(sort_with_filter="rejected"),
    Variants(pages="short"),
    Variants(padding="kept", case="insensitive", undated="smallest"),
    Variants(
        unfiltered="rejected",
        pairs="single",
        sort_with_filter="rejected",
        undated="first",
        pages="short",
    ),
)
OPTIONS = (
    SearchOptions(),
    SearchOptions(),
    SearchOptions(equal_padding="both", study_window="day"),
    SearchOptions(image_sets="fill"),
    SearchOptions(image_sets="all", equal_padding="both"),
    SearchOptions(trust_unmarked=False),
)
SUMMARIES = image_sets()
METADATA = Blobs(SUMMARIES)
DIALECT = Dialect(study_attributes=frozenset({"ReferringPhysicianName"}))
STUDY_UIDS = sorted({s["DICOMTags"]["DICOMStudyInstanceUID"] for s in SUMMARIES})
SERIES_UIDS = sorted({s["DICOMTags"]["DICOMSeriesInstanceUID"] for s in SUMMARIES})


@dataclass
class Lab:
    """Stores at several positions, each behind gateways that remember what they have learned."""

    stores: list[Store] = field(default_factory=list)
    gateways: dict[tuple[int, int, bool], Gateway] = field(default_factory=dict)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One store a position, and a gateway for each of the options and budgets."""
    made = Lab([store_of(SUMMARIES, variants) for variants in POSITIONS])
    for position, option, few in product(range(len(POSITIONS)), range(len(OPTIONS)), (0, 1)):
        limits = FEW_CALLS if few else Limits()
        calls = StoreCalls(made.stores[position], metadata=METADATA)
        cache_bytes = 0 if option % 2 else 10**8
        gateway = Gateway(calls, OPTIONS[option], limits, DIALECT, cache_bytes)
        made.gateways[position, option, bool(few)] = gateway
    yield made
    for store in made.stores:
        store.close()


@st.composite
def searches(draw: st.DrawFn) -> Query:
    """A query: a question about the archive, or one for many UIDs, with offset and limit."""
    fixed = st.sampled_from((Question(), *detailed_questions()))
    question = draw(st.one_of(_questions(), _by_uids(), st.just(Question()), fixed))
    parameters = []
    limit = draw(st.sampled_from((None, 0, 1, 1, 2, 3, 20, 60, 101)))
    offset = draw(st.sampled_from((0, 0, 0, 1, 55)))
    parameters += [("offset", str(offset))] if offset else []
    parameters += [] if limit is None else [("limit", str(limit))]
    return query_of(question, parameters, DIALECT)


def _questions() -> Any:
    return questions(SUMMARIES, at_most=2, study_attributes=("ReferringPhysicianName",))


@st.composite
def _by_uids(draw: st.DrawFn) -> Question:
    keyword, uids = draw(
        st.sampled_from((("StudyInstanceUID", STUDY_UIDS), ("SeriesInstanceUID", SERIES_UIDS)))
    )
    named = draw(st.lists(st.sampled_from(uids), min_size=1, max_size=8, unique=True))
    criterion: Any = (keyword, "uids", tuple(named))
    by_study = keyword == "StudyInstanceUID"
    resources = ("series", "series", "instances", *(("studies",) * 3 * by_study))
    return Question(draw(st.sampled_from(resources)), (criterion,))


async def _made(running: RunningSearch) -> bool:
    """Make the search; whether its answer was read to its end."""
    try:
        async for _ in running.results():
            pass
    except (ResultTooLargeError, StudyWindowError):
        return False
    return True


def _is_filled(running: RunningSearch) -> bool:
    return 0 < running.limit == running.tally.results


def test_calls_lie_within_what_was_said(lab: Lab) -> None:
    """Least ≤ calls ≤ most, and where the window is full, its own least ≤ calls, everywhere."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        st.integers(0, len(POSITIONS) - 1),
        st.integers(0, len(OPTIONS) - 1),
        st.integers(1, 8),
        searches(),
    )
    def check(position: int, option: int, of_eight: int, query: Query) -> None:
        gateway = lab.gateways[position, option, of_eight == 8]
        runner.run(_check(gateway, query, seen))

    with asyncio.Runner() as runner:  # one loop: gateways share what they fetch
        check()
    asked = seen["asked"]
    assert asked >= 200
    assert seen["ended"] >= 0.8 * asked
    assert seen["not empty"] >= 0.4 * asked
    assert seen["more than one call said"] >= 0.3 * asked
    assert seen["filled, with more than one call said"] >= 0.05 * asked
    # The bounds are no idle ones: a good part of the searches cost just that
    assert seen["as few as said"] >= 0.3 * asked
    assert seen["with metadata"] >= 0.2 * asked
    assert seen["all that is allowed"] >= 0.01 * asked


async def _check(gateway: Gateway, query: Query, seen: Counter[str]) -> None:
    running = gateway.service.start(query)
    budget = running.upstream.budget
    said = explain(query, running.options, running.limit, budget.max_calls)
    assert isinstance(gateway.calls, StoreCalls)
    before, described = gateway.calls.calls, len(gateway.calls.described)
    ended = await _made(running)
    calls = gateway.calls.calls - before
    assert calls == budget.calls
    _assert_kept(said, calls, filled=_is_filled(running))
    cost = said.cost
    filled = _is_filled(running) and cost.full is not None
    seen["asked"] += 1
    seen["ended"] += ended
    seen["with metadata"] += len(gateway.calls.described) > described
    seen["not empty"] += running.tally.results > 0
    seen["more than one call said"] += max(cost.least, cost.full or 0) > 1
    seen["filled, with more than one call said"] += filled and (cost.full or 0) > 1
    seen["as few as said"] += calls == (cost.full if filled else cost.least)
    seen["all that is allowed"] += 0 < cost.most == calls


def _assert_kept(said: Explanation, calls: int, *, filled: bool) -> None:
    cost = said.cost
    assert cost.least <= calls <= cost.most, said
    if filled:  # also where the walk failed behind the last result
        assert cost.full is not None, said
        assert cost.full <= calls, said


@pytest.mark.parametrize(("field_name", "limit"), [("least", "1"), ("full", "60")])
async def test_a_wrong_bound_is_found(lab: Lab, field_name: str, limit: str) -> None:
    """The check bites: one call more than was said is too many for it."""
    gateway = Gateway(StoreCalls(lab.stores[0], metadata=METADATA), OPTIONS[0], Limits(), DIALECT)
    running = gateway.service.start(parse_query(RESOURCES["studies"], f"limit={limit}".encode()))
    said = explain(running.query, running.options, running.limit, 400)
    assert await _made(running)
    calls, filled = running.upstream.budget.calls, _is_filled(running)
    _assert_kept(said, calls, filled=filled)
    wrong: Any = {field_name: calls + 1}
    with pytest.raises(AssertionError):
        _assert_kept(replace(said, cost=replace(said.cost, **wrong)), calls, filled=filled)
