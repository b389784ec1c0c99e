"""The law of variants: no undocumented choice of the upstream changes an answer.

The positions of all switches are a three-wise covering array. For each switch there is a planner
that is naive about it, and that is caught.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import combinations
from typing import Any, Literal

import pytest

from gateway.emulator.store import Store, WireError
from gateway.emulator.variants import CHOICES, Variants
from gateway.healthimaging.walks import WalkLimits
from gateway.search.plan import SearchOptions
from tests.building import NOT_SHARED
from tests.laws import naive
from tests.laws.blobs import Blobs
from tests.laws.covering import all_choices, covering_array
from tests.laws.dataset import SIZE, detailed_questions, image_sets, questions
from tests.laws.harness import Gateway, StoreCalls, dialect_of, query_of, store_of
from tests.laws.oracle import Question, World, answer


def _positions(strength: int) -> list[Variants]:
    return [Variants(**row) for row in covering_array(CHOICES, strength)]


POSITIONS = _positions(3)


def options_for(variants: Variants) -> SearchOptions:
    """The settings that a position calls for."""
    padding: Literal["trimmed", "both"] = "both" if variants.padding == "kept" else "trimmed"
    return SearchOptions(equal_padding=padding)


IMAGE_SETS = image_sets()
METADATA = Blobs(IMAGE_SETS)
WINDOWS = ((0, 1), (1, 2), (3, 50), (60, 7))
"""Offsets and limits; each question has another one at the next position, or is counted."""


def _world(counts: str) -> World:
    return World(
        IMAGE_SETS,
        counts_are_the_studys=counts == "study",
        study_attributes=("ReferringPhysicianName",),
    )


@cache
def _expected(counts: str, *, detailed: bool) -> tuple[list[dict[str, Any]], ...]:
    asked = detailed_questions() if detailed else questions()
    return tuple(_plain(answer(_world(counts), question)) for question in asked)


def _plain(answered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An answer in which 3 and 3.0 are the same number."""
    found: list[dict[str, Any]] = json.loads(json.dumps(answered), parse_int=float)
    return found


SHARING = (NOT_SHARED, WalkLimits(), WalkLimits(cache_bytes=0))
"""How walks are shared, by turns."""


@contextmanager
def _gateway(variants: Variants) -> Iterator[Gateway]:
    store = store_of(IMAGE_SETS, variants)
    calls = StoreCalls(store, metadata=METADATA)
    limits = SHARING[POSITIONS.index(variants) % len(SHARING)]
    dialect = dialect_of(_world(variants.counts))
    yield (gateway := Gateway(calls, options_for(variants), dialect=dialect, walk_limits=limits))
    gateway.service.close()
    store.close()


def test_the_array_covers() -> None:
    """There are 300 image sets, 98 questions, and enough positions for every three switches."""
    assert (SIZE, 74, 24) == (len(IMAGE_SETS), len(questions()), len(detailed_questions()))
    seen = {
        choice
        for one in POSITIONS
        for choice in combinations(sorted((name, getattr(one, name)) for name in CHOICES), 3)
    }
    assert all_choices(CHOICES, 3) == seen


@pytest.mark.parametrize("number", range(len(POSITIONS)))
async def test_no_choice_of_the_upstream_changes_an_answer(number: int) -> None:
    """At every position of the switches each question has the oracle's answer."""
    variants = POSITIONS[number]
    with _gateway(variants) as gateway:
        for asked, expected in zip(
            questions(), _expected(variants.counts, detailed=False), strict=True
        ):
            assert expected == await _answer(gateway, asked), (variants, asked)


@pytest.mark.parametrize("number", range(len(POSITIONS)))
async def test_nor_what_metadata_tells(number: int) -> None:
    """It is so for questions that take metadata, for a window of their answers and for counts."""
    variants = POSITIONS[number]
    with _gateway(variants) as gateway:
        for place, (asked, expected) in enumerate(
            zip(detailed_questions(), _expected(variants.counts, detailed=True), strict=True)
        ):
            assert expected == await _answer(gateway, asked), (variants, asked)
            turn = (number + place) % (2 * len(WINDOWS))
            if turn < len(WINDOWS):
                offset, limit = WINDOWS[turn]
                window = [("offset", str(offset)), ("limit", str(limit))]
                part = await _answer(gateway, asked, window)
                assert expected[offset : offset + limit] == part, (variants, asked, window)
            elif turn == len(WINDOWS):
                again = gateway.service.start(query_of(asked, (), gateway.dialect))
                body = b"".join([chunk async for chunk in again.count_json(lambda _: None)])
                assert {"count": len(expected)} == json.loads(body), (variants, asked)


async def _answer(
    gateway: Gateway, asked: Question, more: Sequence[tuple[str, str]] = ()
) -> list[dict[str, Any]]:
    body, _ = await gateway.ask(asked, more)
    return _plain(json.loads(body))


# --- each switch bites ----------------------------------------------------------------------------


def _one(number: int, day: str, time: str = "1015", patient: str = "PAT1", series: int = 1) -> Any:
    tags = {
        "DICOMStudyInstanceUID": f"1.2.{number}",
        "DICOMSeriesInstanceUID": f"1.2.{number}.{series}",
        "DICOMStudyDate": day,
        "DICOMStudyTime": time,
        "DICOMPatientId": patient,
        "DICOMNumberOfStudyRelatedSeries": 1,
        "DICOMNumberOfStudyRelatedInstances": 1,
    }
    own = number * 10 + series
    return {
        "imageSetId": f"{own:032x}",
        "updatedAt": 1.7e9 + own,
        "createdAt": 1.6e9 + own,
        "DICOMTags": {name: value for name, value in tags.items() if value},
    }


_TIED = [_one(n, "20200101", series=s) for s in (1, 2) for n in range(6)]
_PATIENTS = [_one(1, "20200102"), _one(2, "20200101"), _one(3, "20190101", patient="PAT3")]

NAIVE = [
    ("bounds", "exclusive", naive.exact_bounds,
     [_one(1, "20200101", "000000"), _one(2, "20200101")]),
    ("undated", "first", naive.in_the_upstreams_order, [_one(1, ""), _one(2, "20200101")]),
    ("undated", "largest", naive.in_the_upstreams_order, [_one(1, ""), _one(2, "20200101")]),
    ("times", "text", naive.in_the_upstreams_order,
     [_one(1, "20200101", "10:15:30"), _one(2, "20200101", "105900")]),
    ("times", "missing-first", naive.in_the_upstreams_order,
     [_one(1, "20200101", ""), _one(2, "20200101", "09")]),
    ("legacy_dates", "included", naive.whatever_the_range_gives,
     [_one(1, "2020.01.01"), _one(2, "20200102")]),
    ("ties", "shuffled", naive.neighbours_are_one_study, _TIED),
    ("pairs", "documented", naive.any_pair, _PATIENTS),
    ("pairs", "single", naive.any_pair, _PATIENTS),
    ("unfiltered", "rejected", naive.no_filter, _PATIENTS),
    ("sort_with_filter", "rejected", naive.a_sort_with_a_filter, _PATIENTS),
    ("counts", "study", naive.in_the_upstreams_order,
     [_one(1, "20200102"), _one(1, "20200102", series=2), _one(2, "20200101")]),
    ("case", "insensitive", naive.whatever_equal_gives,
     [_one(1, "20200102"), _one(2, "20200101", patient="pat1")]),
    ("padding", "kept", naive.whatever_equal_gives,
     [_one(1, "20200102"), _one(2, "20200101", patient="PAT1 ")]),
    ("pages", "short", naive.until_a_page_is_short,
     [_one(n, f"202001{20 - n}") for n in range(10)]),
    ("empty_list", "absent", naive.a_list_is_always_there, _PATIENTS),
    ("tokens", "offset", naive.each_row_is_new, [_one(n, f"202001{20 - n}") for n in range(6)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("switch", "position", "planner", "summaries"),
    [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in NAIVE],
)
def test_each_switch_bites(
    switch: str, position: str, planner: Callable[[Store], list[naive.Study]], summaries: Any
) -> None:
    """A planner that takes the first position for granted is right there and wrong at the other."""

    def found(variants: Variants) -> object:
        store = store_of(summaries, variants)
        try:
            return planner(store)
        except (WireError, KeyError) as exc:
            return type(exc)
        finally:
            store.close()

    granted = found(Variants())
    assert isinstance(granted, list)
    other: dict[str, Any] = {switch: position}
    assert granted != found(Variants(**other))


def test_every_switch_has_a_naive_planner() -> None:
    """No switch is without a planner that it catches."""
    assert set(CHOICES) == {switch for switch, *_ in NAIVE}
