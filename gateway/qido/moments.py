"""Moments: DT by meaning, as the interval of microseconds since 1970 that its precision covers.

    dt    = YYYY[MM[DD[hh[mm[ss[.f]]]]]][(+|-)hhmm]
    range = [dt] "-" [dt]                             one end at least is a moment

Four digits after a hyphen that are a time difference there can be (0000 to 1459, minutes below 60)
are an offset; any other hyphen parts a range. So `2020-2021` is two years and `2020-0500` one, as
it stands five hours behind UTC: only years before 1460 can't be the end of a range.

Without an offset a moment is in UTC, a stored one too: a data set's TimezoneOffsetFromUTC is not
looked at. One that is cut short covers all of its year, month, day, hour, minute, second or
fraction: as a lower bound it is where that begins, as an upper one where it ends.

Source: PS3.5 §6.2 (DT), PS3.4 §C.2.2.2.5 (range matching).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.qido.times import DAY_US, parse_date, parse_time

EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()

Interval = tuple[int, int]
Bounds = tuple[int | None, int | None]

_MAX_OFFSET_HOURS, _MAX_OFFSET_MINUTES = 14, 59
_OFFSET = r"[+-](?:0[0-9]|1[0-4])[0-5][0-9]"
_DIGITS = r"[0-9]{4}(?:[0-9]{10}\.[0-9]{1,6}|(?:[0-9]{2}){0,5})"
_DT = re.compile(rf"({_DIGITS})({_OFFSET})?")
_RANGE = re.compile(rf"({_DIGITS}(?:{_OFFSET})?)?-({_DIGITS}(?:{_OFFSET})?)?")


def parse_moment(text: str) -> Interval | None:
    """The first and last microsecond since 1970 that a DT covers, None where it is none."""
    if (parts := _DT.fullmatch(text)) is None:
        return None
    return moment_of(parts[1][:8], parts[1][8:], parts[2] or "")


def moment_of(date: str, time: str, offset: str) -> Interval | None:
    """The same of its parts: `YYYY[MM[DD]]`, `[hh[mm[ss[.f]]]]`, `[(+|-)hhmm]`."""
    days, times = _days(date), parse_time(time) if time else (0, DAY_US - 1)
    hours, minutes = int(offset[1:3] or 0), int(offset[3:] or 0)
    if days is None or times is None or hours > _MAX_OFFSET_HOURS or minutes > _MAX_OFFSET_MINUTES:
        return None
    behind_us = (hours * 60 + minutes) * 60_000_000 * (-1 if offset[:1] == "-" else 1)
    first, last = ((day - EPOCH_DAY) * DAY_US - behind_us for day in days)
    return first + times[0], last + times[1]


def _days(date: str) -> Interval | None:
    """The first and last day number of a year, month or day."""
    if (first := parse_date(date + "0101"[len(date) - 4 :])) is None:
        return None
    year, month = date[:4], date[4:6] or "12"
    last = date if len(date) > 6 else f"{year}{month}{monthrange(int(year), int(month))[1]}"
    last_day = parse_date(last)
    return None if last_day is None else (first, last_day)


def split_range(text: str) -> tuple[str, str] | None:
    """The two ends of a range, "" for an open one; None where `text` is no range."""
    parts = _RANGE.fullmatch(text)
    return None if parts is None else (parts[1] or "", parts[2] or "")


def bounds_of(first: str, last: str, parse: Callable[[str], Interval | None]) -> Bounds | None:
    """The bounds of a range of two ends; None where one can't be read, or both are open."""
    lower, upper = parse(first) if first else None, parse(last) if last else None
    if bool(first) != bool(lower) or bool(last) != bool(upper) or not (lower or upper):
        return None
    return lower and lower[0], upper and upper[1]


def parse_moments(text: str) -> Bounds | None:
    """The bounds of a key: of a moment what it covers, of a range its ends. None if neither."""
    if (moment := parse_moment(text)) is not None:
        return moment
    ends = split_range(text)
    return None if ends is None else bounds_of(*ends, parse_moment)
