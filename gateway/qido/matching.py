"""Matching: whether a result has the values that a query asks for.

Source: PS3.4 §C.2.2.2. Person names are compared without regard to case and accents, as
C.2.2.2.1 allows; all other text as it stands; numbers by their value, whatever their digits; dates
and times by what they mean. How fuzzy matching (C.2.2.2.1.1) is done is the server's choice: here
each word of the key begins a word of the name, and what matches without it still does. A private
attribute, whose VR only data tell, is compared as text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from gateway.qido import conditions
from gateway.qido.conditions import AllOf, Criterion, Empty, Exact, Fuzzy, Range, Wildcard
from gateway.qido.moments import parse_moment
from gateway.qido.numbers import NUMBER_VRS, number_of
from gateway.qido.result import Item, Value, Values
from gateway.qido.times import DAY_US, parse_date, parse_stored_time

Matcher = Callable[[Values], bool]
"""Tells whether values match."""

_TextTest = Callable[[str], bool]
_Interval = tuple[int, int] | None


def matcher(criteria: Sequence[Criterion]) -> Matcher:
    """A matcher of all `criteria` together.

    An attribute without a value fails its criterion, unless that asks for just this.
    """
    tests = tuple(_test(criterion) for criterion in criteria)
    if not tests:
        return lambda _: True
    return lambda values: all(test(values) for test in tests)


def _test(criterion: Criterion) -> Matcher:
    attribute, keyword = criterion.attribute, criterion.attribute.keyword
    match criterion.condition:
        case Range() as condition:
            return _range_test(criterion, condition)
        case Exact(values) if attribute.vr in NUMBER_VRS:
            numbers = frozenset(values)
            return lambda stored: any(
                number_of(attribute.vr, value) in numbers for value in stored.get(keyword, ())
            )
        case Exact() | Wildcard() | Fuzzy() as condition:
            return _any_value(keyword, _text_test(attribute.vr, condition))
        case Empty():
            return lambda stored: not stored.get(keyword)
        case AllOf(each):
            tests = tuple(_test(replace(criterion, condition=one)) for one in each)
            return lambda stored: all(test(stored) for test in tests)
        case conditions.Sequence(criteria):
            accepts = matcher(criteria)
            return lambda stored: any(
                isinstance(value, Item) and accepts(value.values)
                for value in stored.get(keyword, ())
            )
        case _:
            assert_never(criterion.condition)


def _any_value(keyword: str, accepts: _TextTest) -> Matcher:
    return lambda stored: any(
        accepts(str(value))
        for value in stored.get(keyword, ())
        if value != "" and not isinstance(value, Item)
    )


# --- text -----------------------------------------------------------------------------------------


def fold(text: str, lower: Callable[[str], str] = str.casefold) -> str:
    """`text` without case and without Latin, Greek and Cyrillic accents."""
    letters = unicodedata.normalize("NFD", lower(text))
    plain = "".join(c for c in letters if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", plain)


def lower_letters(text: str) -> str:
    """`text` in lower case, one letter a letter: ß stays, which is ss in `casefold`."""
    return "".join(c.lower() if len(c.casefold()) > 1 else c.casefold() for c in text)


def pattern_of(key: str, *, name: bool = False) -> re.Pattern[str]:
    """The pattern of a key in which * stands for any characters and ? for just one.

    In a name, ", " also stands for ^: OHIF shows `DOE, JANE` and asks for what it shows.
    """
    first, *others = (_piece(piece, name=name) for piece in re.split(r"\*+", key))
    if not others:
        return re.compile(first, re.DOTALL)
    # What lies between two stars is taken where it comes first and never tried again: without
    # that a key of many stars could keep the process busy for hours
    *between, last = others
    middle = "".join(f"(?>.*?{piece})" for piece in between)
    return re.compile(f"{first}{middle}.*{last}", re.DOTALL)


def _piece(text: str, *, name: bool) -> str:
    escaped = ".".join(re.escape(part) for part in text.split("?"))
    return escaped.replace(r",\ ", r"(?:,\ |\^)") if name else escaped


def _text_test(vr: str, condition: Exact | Wildcard | Fuzzy) -> _TextTest:
    match condition:
        case Fuzzy(key):
            return _name_test(key, _fuzzy_group_test)
        case Exact(keys) | Wildcard(keys) if vr == "PN":
            names = tuple(_name_test(str(key), _group_test) for key in keys)
            return lambda text: any(name(text) for name in names)
        case Exact(texts):
            wanted = frozenset(texts)
            return (lambda text: text.upper() in wanted) if vr == "AT" else wanted.__contains__
        case Wildcard(keys):
            patterns = tuple(map(pattern_of, keys))
            return lambda text: any(pattern.fullmatch(text) for pattern in patterns)
        case _:
            assert_never(condition)


def _name_test(key: str, group_test: Callable[[str], _TextTest]) -> _TextTest:
    """A key with = is compared group by group, one without it with each component group."""
    parts = key.split("=")
    wanted = tuple(map(group_test, parts))
    if len(wanted) == 1:
        return lambda text: any(map(wanted[0], text.split("=")))
    # A group that the key leaves empty may hold anything
    asked = tuple((i, accepts) for i, accepts in enumerate(wanted) if parts[i].strip("*^ "))

    def by_group(text: str) -> bool:
        groups = [*text.split("="), *("" for _ in parts)]
        return all(accepts(groups[i]) for i, accepts in asked)

    return by_group


def _group_test(key: str) -> _TextTest:
    """Whether a component group is what the key says, with ß as ss or as the one letter it is."""
    bare = _bare(key)
    folded = pattern_of(fold(bare), name=True)
    letters = pattern_of(fold(bare, lower_letters), name=True)

    def accepts(group: str) -> bool:
        text = _bare(group)
        if folded.fullmatch(fold(text)):
            return True
        return not text.isascii() and bool(letters.fullmatch(fold(text, lower_letters)))

    return accepts


def _fuzzy_group_test(key: str) -> _TextTest:
    """As `_group_test`, or whether each word of the key begins some word of the group."""
    literal = _group_test(key)
    beginnings = tuple(pattern_of(f"{word}*") for word in _words(key))

    def accepts(group: str) -> bool:
        if literal(group):
            return True
        words = _words(group)
        return bool(beginnings) and all(any(map(b.fullmatch, words)) for b in beginnings)

    return accepts


def _words(group: str) -> list[str]:
    """The words of a component group, folded; spaces of any script, ^ and commas part them."""
    return [word for word in re.split(r"[\s^,]+", fold(group)) if word]


def _bare(group: str) -> str:
    # Empty components at the end are the same as none (PS3.5 §6.2.1)
    return group.strip(" ").rstrip("^ ")


# --- dates and times ------------------------------------------------------------------------------


def _day(value: Value) -> _Interval:
    day = parse_date(str(value))
    return None if day is None else (day, day)


def _time(value: Value) -> _Interval:
    time_us = parse_stored_time(str(value))
    return None if time_us is None else (time_us, time_us)


def _moment(value: Value) -> _Interval:
    # An arrival is a number of microseconds already
    return (value, value) if isinstance(value, int) else parse_moment(str(value))


_INTERVAL_OF: Mapping[str, Callable[[Value], _Interval]] = {"DA": _day, "TM": _time, "DT": _moment}


def _range_test(criterion: Criterion, condition: Range) -> Matcher:
    """Whether some value lies in the range: a time by its beginning, a moment by any part of it.

    So a DT of a day alone matches as a date without a time does: where the day overlaps the range.
    """
    attribute = criterion.attribute
    if criterion.time is not None:
        return _date_and_time_test(attribute.keyword, criterion.time.keyword, condition)
    interval_of = _INTERVAL_OF[attribute.vr]
    return lambda stored: any(
        _overlaps(interval_of(value), condition) for value in stored.get(attribute.keyword, ())
    )


def _date_and_time_test(date_keyword: str, time_keyword: str, condition: Range) -> Matcher:
    def accepts(stored: Values) -> bool:
        day = parse_date(_first(stored, date_keyword))
        if day is None:
            return False
        time_us = parse_stored_time(_first(stored, time_keyword))
        first = day * DAY_US + (time_us or 0)
        # A date without a time is the whole day, and matches where the day overlaps the range
        return _overlaps((first, first if time_us is not None else first + DAY_US - 1), condition)

    return accepts


def _first(stored: Values, keyword: str) -> str:
    values = stored.get(keyword)
    return str(values[0]) if values else ""


def _overlaps(interval: _Interval, condition: Range) -> bool:
    if interval is None:
        return False
    (first, last), lower, upper = interval, condition.lower, condition.upper
    return (lower is None or last >= lower) and (upper is None or first <= upper)
