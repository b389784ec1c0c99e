"""A result, and the one place where a stored value becomes the values that are matched and sent.

Source: PS3.5 §6.2 (padding and value delimiter by VR).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.qido.attributes import Attribute, Level
from gateway.qido.times import is_readable_date, parse_stored_time

Values = Mapping[str, "tuple[str | int, ...]"]
"""Keyword to its values, in order; an attribute without a value is not in it."""

_BOTH_ENDS = frozenset(("AE", "CS", "LO", "SH", "IS", "DS"))
_INTEGER = re.compile(r"[+-]?[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Result:
    """One object of an answer. What is matched and what is encoded are these same values."""

    level: Level
    values: Values = field(repr=False)


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
    parted = stored.split("\\") if attribute.delimited else [stored]
    values = tuple(_typed(attribute.vr, trim(attribute.vr, part)) for part in parted)
    return () if all(value == "" for value in values) else values


def _typed(vr: str, text: str) -> str | int:
    if vr == "IS" and _INTEGER.fullmatch(text):
        return int(text)
    if vr == "DA" and not is_readable_date(text):
        return ""
    if vr == "TM" and parse_stored_time(text) is None:
        return ""
    if vr == "PN" and not text.strip("^= "):
        return ""
    return text
