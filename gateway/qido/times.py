"""Dates and times by meaning: DA as a day number, TM as an interval of microseconds of the day.

Source: PS3.5 §6.2 (DA, TM), PS3.4 §C.2.2.2.5 (range matching).
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

DAY_US = 86_400_000_000
"""Microseconds of a day."""

# ACR-NEMA's forms, still found in stores; they mean the same
_DOTTED_DATE = re.compile(r"[0-9]{4}\.[0-9]{2}\.[0-9]{2}")
_COLON_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?")
_TIME = re.compile(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?)?")
_US = 1_000_000
_LAST_SECOND = 59  # PS3.5 lets 60 stand for a leap second; it is read as the second before


def parse_date(text: str) -> int | None:
    """The day number (1 = 0001-01-01) of a `YYYYMMDD`, None where it is not one."""
    # Read of each image set that a walk meets: this is the cheapest way
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def is_readable_date(text: str) -> bool:
    """Whether a stored text is a date: `YYYYMMDD`, or the `YYYY.MM.DD` of ACR-NEMA."""
    dotted = "." in text and _DOTTED_DATE.fullmatch(text)
    return parse_date(text.replace(".", "") if dotted else text) is not None


def format_date(day: int) -> str:
    """The `YYYYMMDD` of a day number."""
    return date.fromordinal(day).strftime("%Y%m%d").rjust(8, "0")


def parse_time(text: str) -> tuple[int, int] | None:
    """The first and last microsecond of the day that a `HH[MM[SS[.F…]]]` covers, or None."""
    return _interval(_TIME.fullmatch(text))


@lru_cache(maxsize=512)  # first asked where a study stands, then whether it can be shown
def parse_stored_time(text: str) -> int | None:
    """The first microsecond of a stored time, the old form with colons included, or None."""
    interval = _interval(_TIME.fullmatch(text) or _COLON_TIME.fullmatch(text))
    return None if interval is None else interval[0]


def _interval(parts: re.Match[str] | None) -> tuple[int, int] | None:
    if parts is None:
        return None
    hour, minute, second, fraction = parts.groups()
    hours, minutes, seconds = int(hour), int(minute or 0), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    first = (hours * 3600 + minutes * 60 + (seconds if seconds < 60 else _LAST_SECOND)) * _US
    if fraction:
        first += int(fraction.ljust(6, "0"))
        return first, first + 10 ** (6 - len(fraction)) - 1
    span_s = 1 if second else 60 if minute else 3600
    return first, first + span_s * _US - 1
