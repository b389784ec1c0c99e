"""Arrival: when image sets came and changed, which no DICOM attribute tells.

`updatedAt` and `createdAt` are keys of this gateway alone. They are matched and sorted by, and are
in no answer, for they have no tag. One grammar:

    value    = moment | interval | range
    interval = (iso | "..") "/" (iso | "..")      ISO 8601; one end at least is a moment
    range    = [dt] "-" [dt]                      DICOM; one end at least is a moment
    moment   = iso | dt
    iso      = YYYY-MM-DD["T"hh:mm[:ss[.f]]["Z" | (+|-)hh:mm]]
    dt       = YYYYMMDD[hh[mm[ss[.f]]]][(+|-)hhmm]

A DT has its day at least, so that four digits after a hyphen are always an offset. Without an
offset a moment is in UTC. One that is cut short covers all of its day, hour, minute, second or
fraction: as a lower bound it is where that begins, as an upper one where it ends.

Source: PS3.5 §6.2 (DT), PS3.4 §C.2.2.2.5 (range matching), ISO 8601-1 and -2 (intervals).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from gateway.errors import QueryError
from gateway.qido.attributes import Attribute, Level, Origin
from gateway.qido.conditions import Criterion, Range
from gateway.qido.times import DAY_US, parse_date, parse_time

ARRIVAL: Mapping[str, Attribute] = MappingProxyType(
    # Of a series at the resources of series, of a study at those of studies: never its study's
    {k: Attribute(k, "", "DT", Level.SERIES, Origin.DERIVED) for k in ("updatedAt", "createdAt")}
)
"""The keys of arrival. A value is microseconds since 1970."""

RULE = (
    "must be one moment or a range of two: 2024-03-11T15:00:05.074-07:00 with FROM/TO, ../TO or "
    "FROM/.., or 20240311150005.074-0700 with FROM-TO, -TO or FROM-"
)
EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()

_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_DT_TEXT = r"[0-9]{8}(?:(?:[0-9]{2}){1,3}|[0-9]{6}\.[0-9]{1,6})?(?:[+-][0-9]{4})?"
_DT = re.compile(r"([0-9]{8})([0-9.]*)([+-][0-9]{4})?")
_DT_RANGE = re.compile(rf"({_DT_TEXT})?-({_DT_TEXT})?")
_OPEN = ".."
_MAX_OFFSET_HOURS, _MAX_OFFSET_MINUTES = 14, 59

_Interval = tuple[int, int]


def arrival_criterion(keyword: str, value: str) -> Criterion | None:
    """The criterion of one arrival key, None where its value is empty.

    Raises: QueryError.
    """
    # An offset's + has been read as a space, which stands nowhere in the grammar
    text = value.strip(" ").replace(" ", "+")
    if not text:
        return None
    lower, upper = _bounds(keyword, text)
    if lower is not None and upper is not None and lower > upper:
        raise QueryError(keyword, "the range ends before it begins")
    return Criterion(ARRIVAL[keyword], Range(lower, upper))


def _bounds(keyword: str, text: str) -> tuple[int | None, int | None]:
    if "/" in text:
        first, _, last = text.partition("/")
        if not (first and last):
            raise QueryError(keyword, RULE)
        first, last = ("" if end == _OPEN else end for end in (first, last))
        return _ends(keyword, first, last, _iso_interval)
    if (moment := _iso_interval(text) or _dt_interval(text)) is not None:
        return moment
    if (ends := _DT_RANGE.fullmatch(text)) is None:
        raise QueryError(keyword, RULE)
    return _ends(keyword, ends[1] or "", ends[2] or "", _dt_interval)


def _ends(
    keyword: str, first: str, last: str, parse: Callable[[str], _Interval | None]
) -> tuple[int | None, int | None]:
    lower, upper = parse(first), parse(last)
    if bool(first) != bool(lower) or bool(last) != bool(upper) or not (lower or upper):
        raise QueryError(keyword, RULE)
    return lower and lower[0], upper and upper[1]


def _iso_interval(text: str) -> _Interval | None:
    if (parts := _ISO.fullmatch(text)) is None:
        return None
    year, month, day, hour, minute, second, zone = (part or "" for part in parts.groups())
    offset = "" if zone == "Z" else zone.replace(":", "")
    return _interval(year + month + day, hour + minute + second, offset)


def _dt_interval(text: str) -> _Interval | None:
    if (parts := _DT.fullmatch(text)) is None:
        return None
    return _interval(parts[1], parts[2], parts[3] or "")


def _interval(date: str, time: str, offset: str) -> _Interval | None:
    """The first and last microsecond since 1970 that a moment covers, None where it is none."""
    day, times = parse_date(date), parse_time(time) if time else (0, DAY_US - 1)
    hours, minutes = int(offset[1:3] or 0), int(offset[3:] or 0)
    if day is None or times is None or hours > _MAX_OFFSET_HOURS or minutes > _MAX_OFFSET_MINUTES:
        return None
    behind_us = (hours * 60 + minutes) * 60_000_000 * (-1 if offset[:1] == "-" else 1)
    began_us = (day - EPOCH_DAY) * DAY_US - behind_us
    return began_us + times[0], began_us + times[1]
