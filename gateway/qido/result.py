"""A result, and the one place where a stored value becomes the values that are matched and sent.

Source: PS3.5 §6.2 (padding and value delimiter by VR).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import methodcaller
from types import MappingProxyType

from gateway.qido.attributes import Attribute, Level
from gateway.qido.moments import parse_moment
from gateway.qido.times import is_readable_date, parse_stored_time

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a sequence; `values` and `vrs` as a result has them."""

    values: Values = field(repr=False)
    vrs: Mapping[str, str] = field(default_factory=lambda: _NONE)


Value = str | int | float | Item
"""One value: text, a number where the VR has numbers, base64 where it has bytes, or an item."""

Values = Mapping[str, tuple[Value, ...]]
"""Keyword (or tag, see `Attribute`) to its values, in order.

An attribute without a value has (), or is not in it: the first is stored so, the second is not.
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One object of an answer. What is matched and what is encoded are these same values.

    `vrs` has the VR of each attribute whose own leaves it open.
    """

    level: Level
    values: Values = field(repr=False)
    vrs: Mapping[str, str] = field(default_factory=lambda: _NONE)


_BOTH_ENDS = frozenset(("AE", "CS", "LO", "SH", "IS", "DS"))
_ONE_TEXT = frozenset(("LT", "ST", "UR", "UT"))  # a backslash is part of the text
_INTEGER = re.compile(r"[+-]?[0-9]{1,12}")


def trim(vr: str, text: str) -> str:
    """`text` without the padding of its VR: leading spaces are significant in names and dates."""
    return text.strip(" \0") if vr in _BOTH_ENDS else text.rstrip(" \0")


def stored_values(attribute: Attribute, stored: str | int | None) -> tuple[str | int, ...]:
    """The values of one stored attribute, trimmed and parted; empty where there is none.

    An empty one among several values stays, as "", because its place has a meaning. A date or time
    that can't be read as one counts as empty, as does a name of delimiters only.
    """
    if stored is None:
        return ()
    if isinstance(stored, int):
        return (stored,)
    if "\\" not in stored:
        value = _READERS.get(attribute.vr, _unpadded)(stored)
        return () if value == "" else (value,)
    return text_values(attribute.vr, [stored], delimited=attribute.delimited)


def reader(
    attributes: Iterable[Attribute],
) -> Callable[[Mapping[str, str | int]], dict[str, tuple[Value, ...]]]:
    """What reads the values of `attributes` in a summary's tags, as `stored_values` does each.

    One without a value is left out.
    """
    table = [(a.keyword, a.summary, _READERS.get(a.vr, _unpadded), a) for a in attributes]

    def read(tags: Mapping[str, str | int]) -> dict[str, tuple[Value, ...]]:
        values: dict[str, tuple[Value, ...]] = {}
        for keyword, summary, read_text, attribute in table:
            stored = tags.get(summary)
            if type(stored) is str and "\\" not in stored:  # nearly always; the same for less
                if (value := read_text(stored)) != "":
                    values[keyword] = (value,)
            elif found := stored_values(attribute, stored):
                values[keyword] = found
        return values

    return read


def text_values(vr: str, texts: Iterable[str], *, delimited: bool = True) -> tuple[str | int, ...]:
    """The values of stored `texts`, each of which may hold several, as `stored_values` has them."""
    if delimited and vr not in _ONE_TEXT:
        texts = [part for text in texts for part in text.split("\\")]
    values = tuple(map(_READERS.get(vr, _unpadded), texts))
    return () if all(value == "" for value in values) else values


_unpadded: Callable[[str], str] = methodcaller("rstrip", " \0")


def _integer(text: str) -> str | int:
    text = text.strip(" \0")
    return int(text) if _INTEGER.fullmatch(text) else text


def _readable(is_readable: Callable[[str], bool]) -> Callable[[str], str]:
    def read(text: str) -> str:
        text = text.rstrip(" \0")
        return text if is_readable(text) else ""

    return read


# How the text of one value is read, by VR: without its padding, and "" where it says nothing
_READERS: Mapping[str, Callable[[str], str | int]] = MappingProxyType(
    {
        **dict.fromkeys(_BOTH_ENDS, methodcaller("strip", " \0")),
        "IS": _integer,
        "DA": _readable(is_readable_date),
        "TM": _readable(lambda text: parse_stored_time(text) is not None),
        "DT": _readable(lambda text: parse_moment(text) is not None),
        "PN": _readable(lambda text: text.strip("^= ") != ""),
    }
)


def is_base64(text: object) -> bool:
    """Whether it is a text in base64, complete and without anything else in it."""
    if not isinstance(text, str):
        return False
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True
