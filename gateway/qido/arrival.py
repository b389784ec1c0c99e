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
from collections.abc import Mapping
from types import MappingProxyType

from gateway.errors import QueryError
from gateway.qido.attributes import Attribute, Level, Origin
from gateway.qido.conditions import Criterion, Range
from gateway.qido.moments import (
    Bounds,
    Interval,
    bounds_of,
    moment_of,
    parse_moment,
    split_range,
)

ARRIVAL: Mapping[str, Attribute] = MappingProxyType(
    # Of a series at the resources of series, of a study at those of studies: never its study's
    {k: Attribute(k, "", "DT", Level.SERIES, Origin.DERIVED) for k in ("updatedAt", "createdAt")}
)
"""The keys of arrival. A value is microseconds since 1970."""

RULE = (
    "must be one moment or a range of two: 2024-03-11T15:00:05.074-07:00 with FROM/TO, ../TO or "
    "FROM/.., or 20240311150005.074-0700 with FROM-TO, -TO or FROM-"
)

_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_DAY = re.compile(r"[0-9]{8}")
_OPEN = ".."


def arrival_criterion(keyword: str, value: str) -> Criterion | None:
    """The criterion of one arrival key, None where its value is empty.

    Raises: QueryError.
    """
    # An offset's + has been read as a space, which stands nowhere in the grammar
    text = value.strip(" ").replace(" ", "+")
    if not text:
        return None
    if (bounds := _bounds(text)) is None:
        raise QueryError(keyword, RULE)
    lower, upper = bounds
    if lower is not None and upper is not None and lower > upper:
        raise QueryError(keyword, "the range ends before it begins")
    return Criterion(ARRIVAL[keyword], Range(lower, upper))


def _bounds(text: str) -> Bounds | None:
    if "/" in text:
        first, _, last = text.partition("/")
        if not (first and last):
            return None
        first, last = ("" if end == _OPEN else end for end in (first, last))
        return bounds_of(first, last, _iso_interval)
    if (moment := _iso_interval(text) or _dt_interval(text)) is not None:
        return moment
    ends = split_range(text)
    return None if ends is None else bounds_of(*ends, _dt_interval)


def _iso_interval(text: str) -> Interval | None:
    if (parts := _ISO.fullmatch(text)) is None:
        return None
    year, month, day, hour, minute, second, zone = (part or "" for part in parts.groups())
    offset = "" if zone == "Z" else zone.replace(":", "")
    return moment_of(year + month + day, hour + minute + second, offset)


def _dt_interval(text: str) -> Interval | None:
    """A DT that names its day: what is shorter could be the digits of another number."""
    return parse_moment(text) if _DAY.match(text) else None
