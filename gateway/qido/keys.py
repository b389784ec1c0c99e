"""Matching keys put together: the paths of their names, and the criteria that they make.

A name is an attribute, or a path of them parted by dots: all but the last are sequences, whose
items hold what follows. All keys on the items of one sequence are matched within one item, and a
date and its time, asked by ranges of one form, as one.

Source: PS3.18 §8.3.4.1; PS3.4 §C.2.2.2.5.3 and §C.2.2.2.6.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.errors import QueryError
from gateway.qido.attributes import Attribute, attribute_named
from gateway.qido.conditions import DATES_WITH_TIMES, Condition, Criterion, Range, Sequence
from gateway.qido.times import DAY_US

MAX_PATH_LENGTH = 8
"""Attributes that one path may have."""

MAX_ITEM_KEYS = 32
"""Keys on items that one request may have."""

Path = tuple[Attribute, ...]
"""One attribute, or the sequences that lead to it and itself at the end."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key that asks something: its path, its text and what that means."""

    path: Path
    text: str = field(repr=False)
    condition: Condition


def path_named(name: str) -> Path | None:
    """The path that `name` stands for, None where it is too long or has what is no attribute."""
    parts = name.split(".")
    if len(parts) > MAX_PATH_LENGTH:
        return None
    found = tuple(a for part in parts if (a := attribute_named(part)) is not None)
    return found if len(found) == len(parts) else None


def name_of(path: Path) -> str:
    """The one name of a path, however it was written: keywords parted by dots."""
    return ".".join(attribute.keyword for attribute in path)


def leads_through_sequences(path: Path) -> bool:
    """Whether all but the last attribute of a path are sequences."""
    return all(attribute.vr == "SQ" for attribute in path[:-1])


def criteria_of(keys: Iterable[Key]) -> tuple[Criterion, ...]:
    """The criteria of `keys`, which name each path once.

    Raises: QueryError where a range ends before it begins.
    """
    return _criteria([(key.path, key) for key in keys])


def _criteria(keys: list[tuple[Path, Key]]) -> tuple[Criterion, ...]:
    """The same; the paths are what is left of them at this depth."""
    own = {path[0].keyword: (path[0], key) for path, key in keys if len(path) == 1}
    inner: dict[str, list[tuple[Path, Key]]] = {}
    for path, key in keys:
        if len(path) > 1:
            inner.setdefault(path[0].keyword, []).append((path, key))
    criteria = _joined(own)
    criteria += [Criterion(attribute, key.condition) for attribute, key in own.values()]
    for criterion in criteria:
        match criterion.condition:
            case Range(int(lower), int(upper)) if lower > upper:
                raise QueryError(criterion.attribute.keyword, "the range ends before it begins")
    for of_items in inner.values():
        sequence = of_items[0][0][0]
        items = Sequence(_criteria([(path[1:], key) for path, key in of_items]))
        criteria.append(Criterion(sequence, items))
    return tuple(criteria)


def _joined(keys: dict[str, tuple[Attribute, Key]]) -> list[Criterion]:
    """Criteria of dates with their times, whose keys are taken out of `keys`.

    A date and a time range of the same form become one range over both; else each is matched
    alone. Source: PS3.4 §C.2.2.2.5.3, in QIDO-RS always on.
    """
    criteria = []
    for date_keyword, time_keyword in DATES_WITH_TIMES:
        if date_keyword in keys and time_keyword in keys:
            (date, days), (time, times) = keys[date_keyword], keys[time_keyword]
            form = _form(days.text)
            if form and form == _form(times.text):
                joined = _join(days.condition, times.condition)
                criteria.append(Criterion(date, joined, time))
                del keys[date_keyword], keys[time_keyword]
    return criteria


def _form(text: str) -> str:
    """Which ends a range has, "" where the text is no range."""
    first, dash, last = text.strip(" \0").partition("-")
    return f"{bool(first)}{bool(last)}" if dash else ""


def _join(days: Condition, times: Condition) -> Range:
    assert isinstance(days, Range)  # noqa: S101 - a date's text with a hyphen is a range
    assert isinstance(times, Range)  # noqa: S101 - the same of a time's
    return Range(_instant(days.lower, times.lower), _instant(days.upper, times.upper))


def _instant(day: int | None, time_us: int | None) -> int | None:
    return None if day is None or time_us is None else day * DAY_US + time_us
