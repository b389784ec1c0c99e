"""Text read a window at a time: the same values wherever it is cut, and no long step."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from gateway.healthimaging.windows import BrokenTextError, Packed, TextReader

MEMBERS = '{"a": 123, "b": -1.5e+3, "c": [1, 22], "d": "x\\u00e9", "e": true, "f": {}, "g": 10}'


@pytest.mark.parametrize("cut", range(len(MEMBERS)))
def test_cuts(cut: int) -> None:
    """A value ends where it does, and not where a piece of text ends."""
    reader = TextReader(iter([MEMBERS[:cut], MEMBERS[cut:]]), first=1)
    found = {key: reader.value() for key in reader.members()}
    assert json.loads(MEMBERS) == found
    assert "" == reader.peek()


@pytest.mark.parametrize(
    ("value", "is_large"),
    [
        pytest.param([1, 2, 3], False, id="a short list"),
        pytest.param(list(range(40)), True, id="a long list"),
        pytest.param({str(n): [n, "x" * n] for n in range(40)}, True, id="an object"),
        pytest.param("x" * 50, True, id="a text"),
        pytest.param([["x" * 50]], True, id="a text in lists"),
    ],
)
def test_what_is_large(value: Any, is_large: bool) -> None:
    """What does not fit into a window is never parsed at once: it is read in parts, or skipped."""
    text = json.dumps([value, "next"])
    for skipped in (False, True):
        reader = TextReader(iter([text[:30], text[30:]]), first=8, most=16)
        elements = reader._elements()
        next(elements)
        if skipped:
            reader.skip()
        else:
            found = reader.value()
            assert is_large == isinstance(found, Packed)
            assert value == (orjson.loads(found.json) if isinstance(found, Packed) else found)
        next(elements)
        assert "next" == reader.value()


@pytest.mark.parametrize("text", ["1" * 50, "nul", "", "[1", '{"a" 1}', '{"a": 1', '"x'])
def test_what_is_no_json(text: str) -> None:
    """It is said, and a number without an end too."""
    with pytest.raises(BrokenTextError):
        TextReader(iter([text]), first=8, most=16).value()
