"""The law of sequence matching: what a short loop says over items and keys put together freely."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.qido.attributes import Resource
from gateway.qido.matching import matcher
from gateway.qido.query import parse_query
from gateway.qido.result import Item, Value

LEAVES = ("CodeValue", "CodingSchemeDesignator")
SEQUENCES = ("RequestAttributesSequence", "PerformedProtocolCodeSequence")
LEVELS = 2
EXAMPLES, MIN_SHARE, MIN_NAIVE = 500, 0.1, 0.01

Stored = dict[str, Any]
"""Leaves to their text, sequences to lists of the same."""
Asked = dict[tuple[str, ...], str]

_leaves = st.dictionaries(st.sampled_from(LEAVES), st.sampled_from("AB"))


def _items(levels: int) -> st.SearchStrategy[Stored]:
    if levels == 0:
        return _leaves
    inner = st.lists(_items(levels - 1), max_size=3)
    sequences = st.dictionaries(st.sampled_from(SEQUENCES), inner)
    return st.builds(lambda leaves, found: {**leaves, **found}, _leaves, sequences)


_paths = st.tuples(
    st.lists(st.sampled_from(SEQUENCES), max_size=LEVELS), st.sampled_from(LEAVES)
).map(lambda parts: (*parts[0], parts[1]))
_anything = st.dictionaries(_paths, st.sampled_from("AB"), min_size=1, max_size=4)


@st.composite
def _items_and_keys(draw: st.DrawFn) -> tuple[Stored, Asked]:
    """An item, and keys: any, or values that items of one of its sequences have, each its own."""
    item = draw(_items(LEVELS))
    held: dict[tuple[str, ...], list[str]] = {
        (sequence, leaf): sorted({one[leaf] for one in inner if leaf in one})
        for sequence, inner in item.items()
        if isinstance(inner, list)
        for leaf in LEAVES
    }
    asked = [_anything]
    if of_items := {path: st.sampled_from(texts) for path, texts in held.items() if texts}:
        asked.append(st.fixed_dictionaries(of_items))
    return item, draw(st.one_of(asked))


def holds(item: Stored, asked: Asked) -> bool:
    """Whether an item has what is asked, all of a sequence's keys within one of its items."""
    for path, text in asked.items():
        if len(path) == 1 and item.get(path[0]) != text:
            return False
    for sequence in {path[0] for path in asked if len(path) > 1}:
        inner = {p[1:]: text for p, text in asked.items() if p[0] == sequence and len(p) > 1}
        if not any(holds(one, inner) for one in item.get(sequence, [])):
            return False
    return True


def _values(item: Stored) -> dict[str, tuple[Value, ...]]:
    return {
        keyword: (found,) if isinstance(found, str) else tuple(Item(_values(one)) for one in found)
        for keyword, found in item.items()
    }


def _one_by_one(item: Stored, asked: Asked) -> bool:
    """The naive reading: each key may hold in another item."""
    return all(holds(item, {path: text}) for path, text in asked.items())


def test_sequences_match_as_a_loop_says() -> None:
    """Both ends are met often, and so is what matching each key alone would get wrong."""
    kinds: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @given(_items_and_keys())
    def law(drawn: tuple[Stored, Asked]) -> None:
        item, asked = drawn
        text = "&".join(f"{'.'.join(path)}={value}" for path, value in asked.items())
        query = parse_query(Resource.ALL_INSTANCES, text.encode())
        expected = holds(item, asked)
        kinds[str(expected)] += 1
        kinds["naive"] += expected != _one_by_one(item, asked)
        assert expected == matcher(query.criteria)(_values(item))

    law()
    assert kinds["True"] > MIN_SHARE * EXAMPLES, kinds
    assert kinds["naive"] > MIN_NAIVE * EXAMPLES, kinds
