"""Conditions: the shape of what one matching key asks, and how a key's text becomes one.

What is asked for is a patient's data, so no `repr` shows it.

Source: PS3.4 §C.2.2.2 (attribute matching), PS3.18 §8.3.4.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from gateway.errors import QueryError
from gateway.qido.attributes import BY_KEYWORD, Attribute
from gateway.qido.result import trim
from gateway.qido.times import DAY_US, parse_date, parse_time

MAX_VALUE_LENGTH = 1024
"""Characters that one value of a key may have; each UID of a list counts alone."""

_EMPTY_VALUE = '""'  # asks for an attribute without a value (PS3.4 §C.2.2.2.7)

_WILD_VRS = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
_MULTIPLE_VRS = frozenset(("AE", "AS", "AT", "CS", "LO", "PN", "SH", "UC"))
# OHIF and Weasis send a list of modalities, which they mean as "any of"
_LISTS = frozenset(("ModalitiesInStudy", "Modality"))
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_MAX_UID_LENGTH = 512  # stores hold longer ones than DICOM's 64; a study must still open
_INTEGER = re.compile(r"[+-]?[0-9]{1,12}")
_PAIRS = (("StudyDate", "StudyTime"),)


@dataclass(frozen=True, slots=True)
class Exact:
    """Single value or UID list matching: any of `values`."""

    values: tuple[str | int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Wild card matching: any of `patterns`, in which * and ? are wild."""

    patterns: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Range:
    """Range matching, both ends included; None is an open end.

    The unit is that of the attribute: days for DA, microseconds of the day for TM, and for a date
    joined with its time microseconds since day 0; microseconds since 1970 for an arrival. A single
    date or time is the range it covers.
    """

    lower: int | None = field(repr=False)
    upper: int | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Fuzzy matching of a name: by literal or wild card matching of `key`, or by its words."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Empty:
    """Empty Value Matching: the attribute is missing or has no value."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """Multiple Value Matching: each of `conditions` holds for one of the attribute's values."""

    conditions: tuple[Exact | Wildcard | Fuzzy, ...]


Condition = Exact | Wildcard | Range | Fuzzy | Empty | AllOf


@dataclass(frozen=True, slots=True)
class Behaviours:
    """The matching behaviours that a request asks for. Source: PS3.18 §8.3.4.2, .5 and .6."""

    fuzzy: bool = False
    empty: bool = False
    multiple: bool = False


@dataclass(frozen=True, slots=True)
class Criterion:
    """An attribute and its condition. `time` is the TM that a DA is joined with, if any."""

    attribute: Attribute
    condition: Condition
    time: Attribute | None = None


class Matching(Enum):
    """A kind of matching that a key can ask for, beside universal matching."""

    SINGLE = "single value"
    UID_LIST = "UID list"
    WILD_CARD = "wild card"
    RANGE = "range"
    COMBINED = "combined date and time"
    LIST = "list"
    FUZZY = "fuzzy"
    MULTIPLE = "multiple values"
    EMPTY = "empty value"


def matching_of(attribute: Attribute) -> tuple[Matching, ...]:
    """The kinds of matching that a key on `attribute` has, none where it is no criterion."""
    vr, keyword = attribute.vr, attribute.keyword
    rules = (
        (Matching.SINGLE, True),
        (Matching.UID_LIST, vr == "UI"),
        (Matching.WILD_CARD, vr in _WILD_VRS),
        (Matching.RANGE, vr in ("DA", "TM")),
        (Matching.COMBINED, any(keyword in pair for pair in _PAIRS)),
        (Matching.LIST, keyword in _LISTS),
        (Matching.FUZZY, vr == "PN"),
        (Matching.MULTIPLE, vr in _MULTIPLE_VRS and attribute.delimited),
        (Matching.EMPTY, True),
    )
    return tuple(kind for kind, holds in rules if holds and attribute.matchable)


def is_universal(vr: str, value: str) -> bool:
    """Whether a key of that VR matches all, those without a value too (PS3.4 §C.2.2.2.3)."""
    text = trim(vr, value)
    return not text or (vr in _WILD_VRS and not text.strip("*"))


def condition_of(
    attribute: Attribute,
    value: str,
    name: str,
    behaviours: Behaviours = Behaviours(),
) -> Condition | None:
    """The condition of a key's text, None where it is universal matching.

    Raises: QueryError, with `name` as the parameter, where the text breaks the VR's rules.
    """
    if attribute.vr != "UI" and len(value) > MAX_VALUE_LENGTH:
        raise QueryError(name, f"a value may have {MAX_VALUE_LENGTH} characters at most")
    if is_universal(attribute.vr, value):
        return None
    text = trim(attribute.vr, value)
    if behaviours.empty and text == _EMPTY_VALUE:
        return Empty()
    return _valued(attribute, text, name, behaviours)


def _valued(attribute: Attribute, text: str, name: str, behaviours: Behaviours) -> Condition | None:
    match attribute.vr:
        case "UI":
            return _uids(text, name)
        case "DA":
            return _range(text, name, "must be YYYYMMDD or a range of two, FROM-TO", _day)
        case "TM":
            return _range(text, name, "must be HH[MM[SS[.F]]] or a range of two", parse_time)
        case "IS":
            if not _INTEGER.fullmatch(text):
                raise QueryError(name, "must be an integer")
            return Exact((int(text),))
        case _:
            if behaviours.multiple and attribute.delimited and attribute.vr in _MULTIPLE_VRS:
                return _all_of(attribute, text, name, behaviours)
            return _text(attribute, text, behaviours)


def _text(
    attribute: Attribute, text: str, behaviours: Behaviours
) -> Exact | Wildcard | Fuzzy | None:
    if attribute.vr == "PN" and behaviours.fuzzy:
        return Fuzzy(text)
    parts: tuple[str, ...] = (text,)
    if attribute.keyword in _LISTS:
        parts = tuple(p for p in (trim("CS", p) for p in re.split(r"[,\\]", text)) if p)
        if not parts or any(not part.strip("*") for part in parts):
            return None
    if any("*" in part or "?" in part for part in parts):
        return Wildcard(parts)
    return Exact(parts)


def _all_of(attribute: Attribute, text: str, name: str, behaviours: Behaviours) -> Condition | None:
    """The condition of a key of several values, which a backslash parts; of one, its own.

    A value of zero length matches all and is left out: some clients send two backslashes.
    """
    values = [part for part in (trim(attribute.vr, p) for p in text.split("\\")) if part]
    if len(values) > 1 and any("*" in value or "?" in value for value in values):
        raise QueryError(name, "several values of one key must not hold wild cards")
    conditions = [c for value in values if (c := _text(attribute, value, behaviours)) is not None]
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return AllOf(tuple(conditions))


def _uids(text: str, name: str) -> Exact:
    # Commas are the standard's; OHIF parts them by two backslashes, older clients by one
    uids = tuple(filter(None, (part.strip(" \0") for part in re.split(r"[,\\]", text))))
    if not uids or not all(_UID.fullmatch(u) and len(u) <= _MAX_UID_LENGTH for u in uids):
        raise QueryError(name, "must be a UID or a list of UIDs: digits parted by dots")
    return Exact(tuple(dict.fromkeys(uids)))


def _day(text: str) -> tuple[int, int] | None:
    day = parse_date(text)
    return None if day is None else (day, day)


def _range(
    text: str, name: str, rule: str, parse: Callable[[str], tuple[int, int] | None]
) -> Range:
    first, dash, last = (part.strip(" ") for part in text.partition("-"))
    if not (first or last):
        raise QueryError(name, rule)
    if not dash:
        last = first
    lower, upper = parse(first) if first else None, parse(last) if last else None
    if (first and lower is None) or (last and upper is None):
        raise QueryError(name, rule)
    return Range(lower and lower[0], upper and upper[1])


def join_date_and_time(conditions: Mapping[str, tuple[str, Condition]]) -> tuple[Criterion, ...]:
    """The criteria of all `conditions` (keyword to text and condition).

    A date and a time range of one pair and the same form become one range over both; else each is
    matched alone. Source: PS3.4 §C.2.2.2.5.3, in QIDO-RS always on.

    Raises: QueryError where a range ends before it begins.
    """
    left = dict(conditions)
    criteria: list[Criterion] = []
    for date_keyword, time_keyword in _PAIRS:
        if date_keyword in left and time_keyword in left:
            date_text, days = left[date_keyword]
            time_text, times = left[time_keyword]
            form = _form(date_text)
            if form and form == _form(time_text):
                assert isinstance(days, Range)  # noqa: S101 - a text with a form is a range
                assert isinstance(times, Range)  # noqa: S101 - the same
                joined = Range(_instant(days.lower, times.lower), _instant(days.upper, times.upper))
                date, time = BY_KEYWORD[date_keyword], BY_KEYWORD[time_keyword]
                criteria.append(Criterion(date, joined, time))
                del left[date_keyword], left[time_keyword]
    criteria += [Criterion(BY_KEYWORD[k], condition) for k, (_, condition) in left.items()]
    for criterion in criteria:
        match criterion.condition:
            case Range(int(lower), int(upper)) if lower > upper:
                raise QueryError(criterion.attribute.keyword, "the range ends before it begins")
    return tuple(criteria)


def _form(text: str) -> str:
    """Which ends a range has, "" where the text is no range."""
    first, dash, last = text.strip(" \0").partition("-")
    return f"{bool(first)}{bool(last)}" if dash else ""


def _instant(day: int | None, time_us: int | None) -> int | None:
    return None if day is None or time_us is None else day * DAY_US + time_us
