"""The oracle's matching: whether values are what a criterion asks for.

A criterion is a small tuple that says by itself what matches.
"""

from __future__ import annotations

import math
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from tests.laws.stored import ALL, Values, date_of, instant_of, seconds_of

Criterion = tuple[Any, ...]
"""(keyword, kind, operands…); kinds: is, wild, uids, any-of, days, times, both, instants, arrived,
items (its operand is a list of criteria for one item), and those that ask for a behaviour: fuzzy,
empty, all-of (each operand is a list of alternatives).
"""

TIME_OF = {
    "StudyDate": "StudyTime",
    "SeriesDate": "SeriesTime",
    "AcquisitionDate": "AcquisitionTime",
    "PerformedProcedureStepStartDate": "PerformedProcedureStepStartTime",
}
"""Which time belongs to a date."""


def matches(values: Values, criterion: Criterion) -> bool:
    """Whether `values` have what the criterion asks."""
    keyword, kind, *operands = criterion
    stored = values.get(keyword, [])
    if kind == "arrived":
        first, last = operands[0] or 0, operands[1] or math.inf
        return any(first <= value < last + 1 for value in stored)
    if kind in ("is", "uids", "any-of"):
        return _is_one_of(keyword, stored, [operands[0]] if kind == "is" else list(operands[0]))
    if kind == "wild":
        return _is_like(keyword, stored, operands[0])
    if kind == "days":
        return any((d := date_of(v)) and _within(d.strftime("%Y%m%d"), *operands) for v in stored)
    if kind == "times":
        first, last = operands
        seconds = [s for v in stored if (s := seconds_of(v)) is not None]
        return any(_time(first, 0) <= s <= _time(last, 86400) for s in seconds)
    if kind == "instants":
        return any(_within_instants(value, *operands) for value in stored)
    if kind == "items":
        return any(all(matches(item, one) for one in operands[0]) for item in stored)
    if kind == "fuzzy":
        return any(_fuzzy(operands[0], group) for v in stored for group in v.split("="))
    if kind == "empty":
        return not stored
    if kind == "all-of":
        return all(any(one in stored for one in alternatives) for alternatives in operands)
    if kind == "both":
        return _within_both(keyword, values, *operands)
    raise AssertionError(kind)


def _is_one_of(keyword: str, stored: list[Any], wanted: list[Any]) -> bool:
    vr = ALL[keyword][1]
    if vr == "PN":
        return any(plain(g) == plain(wanted[0]) for v in stored for g in v.split("="))
    if vr in ("IS", "DS", "US"):
        return any(value == float(wanted[0]) for value in stored if value != "")
    return any(value in wanted for value in stored)


def _is_like(keyword: str, stored: list[Any], pattern: str) -> bool:
    if not pattern.strip("*"):
        return True  # universal matching, of a missing value too (PS3.4 §C.2.2.2.3)
    if ALL[keyword][1] == "PN":
        return any(wild(plain(pattern), plain(g)) for v in stored for g in v.split("="))
    return any(wild(pattern, value) for value in stored if value)


def wild(pattern: str, text: str) -> bool:
    """Whether `text` is what `pattern` says, where * is anything and ? is one character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return wild(pattern[1:], text) or (bool(text) and wild(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and wild(pattern[1:], text[1:])


def plain(name: str) -> str:
    """A name as people compare it: no case, no accents."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return bare.upper().strip(" ").rstrip("^")


def _fuzzy(key: str, group: str) -> bool:
    """Whether it is what the key says, or has for each word of the key one that begins with it."""
    if wild(plain(key), plain(group)):
        return True
    wanted, words = _words(key), _words(group)
    return bool(wanted) and all(any(wild(f"{w}*", word) for word in words) for w in wanted)


def _words(name: str) -> list[str]:
    return plain(name).replace("^", " ").replace(",", " ").split()


def _within(day: str, first: str | None, last: str | None) -> bool:
    return (not first or first <= day) and (not last or day <= last)


def _within_instants(text: str, first: str | None, last: str | None) -> bool:
    """Whether any part of a moment lies in the range."""
    lower, upper = first and instant_of(first), last and instant_of(last, last=True)
    assert not isinstance(lower, str)
    assert not isinstance(upper, str)
    begins, ends = instant_of(text), instant_of(text, last=True)
    if begins is None or ends is None:
        return False
    return (not lower or lower <= ends) and (not upper or begins <= upper)


def _time(text: str | None, otherwise: float) -> float:
    """Where the time of a key begins, or, for an upper bound, its last microsecond."""
    if text is None:
        return otherwise
    begins = seconds_of(text)
    assert begins is not None
    if not otherwise:
        return begins
    return begins + {2: 3600, 4: 60, 6: 1}[len(text)] - 1e-6


def _within_both(
    keyword: str, values: Values, first: tuple[str, str] | None, last: tuple[str, str] | None
) -> bool:
    days, times = values.get(keyword), values.get(TIME_OF[keyword])
    day = date_of(days[0]) if days else None
    if day is None:
        return False
    seconds = seconds_of(times[0]) if times else None
    begins = day + timedelta(seconds=seconds or 0)
    ends = begins if seconds is not None else day + timedelta(days=1) - timedelta(microseconds=1)
    after = first is None or ends >= _moment(first, 0)
    return after and (last is None or begins <= _moment(last, 86400))


def _moment(bound: tuple[str, str], otherwise: float) -> datetime:
    day = date_of(bound[0])
    assert day is not None
    return day + timedelta(seconds=_time(bound[1], otherwise))
