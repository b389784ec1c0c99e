"""Dates and times by meaning: DA as a day number, TM as an interval of microseconds of the day.

Source: PS3.5 §6.2 (DA, TM), PS3.4 §C.2.2.2.5 (range matching).
"""

from __future__ import annotations

import re
from datetime import date

DAY_US = 86_400_000_000
"""Microseconds of a day."""

_DATE = re.compile(r"[0-9]{8}")
# ACR-NEMA's forms, still found in stores; they mean the same
_DOTTED_DATE = re.compile(r"[0-9]{4}\.[0-9]{2}\.[0-9]{2}")
_COLON_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?")
_TIME = re.compile(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?)?")
_LAST_SECOND = 59  # PS3.5 lets 60 stand for a leap second; it is read as the second before


def parse_date(text: str) -> int | None:
    """The day number (1 = 0001-01-01) of a `YYYYMMDD`, None where it is not one."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal()
    except ValueError:
        return None


def is_readable_date(text: str) -> bool:
    """Whether a stored text is a date: `YYYYMMDD`, or the `YYYY.MM.DD` of ACR-NEMA."""
    return parse_date(text.replace(".", "") if _DOTTED_DATE.fullmatch(text) else text) is not None


def format_date(day: int) -> str:
    """The `YYYYMMDD` of a day number."""
    return date.fromordinal(day).strftime("%Y%m%d").rjust(8, "0")


def parse_time(text: str) -> tuple[int, int] | None:
    """The first and last microsecond of the day that a `HH[MM[SS[.F…]]]` covers, or None."""
    return _interval(_TIME.fullmatch(text))


def parse_stored_time(text: str) -> int | None:
    """The first microsecond of a stored time, the old form with colons included, or None."""
    interval = _interval(_TIME.fullmatch(text) or _COLON_TIME.fullmatch(text))
    return None if interval is None else interval[0]


def _interval(parts: re.Match[str] | None) -> tuple[int, int] | None:
    if parts is None:
        return None
    hour, minute, second, fraction = parts.groups()
    if int(hour) > 23 or int(minute or 0) > 59 or int(second or 0) > 60:
        return None
    seconds = min(int(second or 0), _LAST_SECOND)
    first = ((int(hour) * 60 + int(minute or 0)) * 60 + seconds) * 1_000_000
    if fraction:
        first += int(fraction.ljust(6, "0"))
        return first, first + 10 ** (6 - len(fraction)) - 1
    span_s = 3600 if minute is None else 60 if second is None else 1
    return first, first + span_s * 1_000_000 - 1
