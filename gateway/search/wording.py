"""Criteria and filters in words, for the one who asked: the words hold what is searched for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import assert_never

from gateway.qido.conditions import AllOf, Criterion, Empty, Exact, Fuzzy, Range, Sequence, Wildcard
from gateway.qido.moments import EPOCH_DAY
from gateway.qido.times import DAY_US, format_date
from gateway.search.plan import (
    SECOND_US,
    ArrivalBetween,
    CreatedBetween,
    Equal,
    Filter,
    StudyDateBetween,
)

_AT_MOST = 5  # values of one criterion that are shown


def name_of(criterion: Criterion) -> str:
    """The keyword of its attribute, and of the time that is joined with it."""
    also = "" if criterion.time is None else f" and {criterion.time.keyword}"
    return criterion.attribute.keyword + also


def text_of(one: Filter) -> str:
    """A filter of a plan, with its values."""
    match one:
        case Equal(key, value):
            return f"{key} EQUAL {value}"
        case StudyDateBetween(lower, upper):
            return f"DICOMStudyDateAndTime BETWEEN {' '.join(lower)} AND {' '.join(upper)}"
        case CreatedBetween():
            return "createdAt BETWEEN 1970 AND 9999"
        case ArrivalBetween(key, lower, upper):
            first, last = (_moment(bound * SECOND_US) for bound in (lower, upper))
            return f"{key} BETWEEN {first} AND {last}"
        case _:
            assert_never(one)


def asked_of(criterion: Criterion) -> str:
    """What `criterion` asks, as it was understood."""
    match criterion.condition:
        case Exact(values) | Wildcard(values):
            return _listed(map(str, values))
        case Range(lower, upper):
            return _range_of(lower, upper, criterion)
        case Fuzzy(key):
            return f"{key}, or its words in any order, each as a beginning"
        case Empty():
            return "no value"
        case AllOf(conditions):
            each = (asked_of(replace(criterion, condition=one)) for one in conditions)
            return "; and ".join(each)
        case Sequence(criteria):
            keys = ", ".join(f"{name_of(one)} {asked_of(one)}" for one in criteria)
            return f"an item with {keys}"
        case _:
            assert_never(criterion.condition)


def _range_of(lower: int | None, upper: int | None, criterion: Criterion) -> str:
    first = None if lower is None else _bound(lower, criterion)
    last = None if upper is None else _bound(upper, criterion)
    if first is None or last is None:
        return f"until {last}" if first is None else f"from {first}"
    return first if first == last else f"{first} to {last}"


def _listed(values: Iterable[str]) -> str:
    shown = list(values)
    more = len(shown) - _AT_MOST
    return ", ".join(shown[:_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _bound(value: int, criterion: Criterion) -> str:
    if criterion.time is not None:
        day, time_us = divmod(value, DAY_US)
        return f"{format_date(day)} {_time(time_us)}"
    match criterion.attribute.vr:
        case "DA":
            return format_date(value)
        case "DT":
            return _moment(value)
        case _:
            return _time(value)


def _moment(since_1970_us: int) -> str:
    days, time_us = divmod(since_1970_us, DAY_US)
    day = days + EPOCH_DAY
    # An offset can move the calendar's first and last hours out of it
    if day < date.min.toordinal():
        return "before the year 1"
    if day > date.max.toordinal():
        return "after the year 9999"
    return f"{format_date(day)} {_time(time_us)}"


def _time(time_us: int) -> str:
    seconds, fraction = divmod(time_us, 1_000_000)
    text = f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"
    return f"{text}.{fraction:06}" if fraction else text
