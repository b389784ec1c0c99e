"""The keys by which an image set is found and sorted, as the switches have it.

A key of the sort by study date and time is a text: a digit for undated or dated, the date, the
time. It has two forms, because some positions stand in the same place in either direction.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.emulator.criteria import TEXT_KEYS
from gateway.emulator.variants import Variants

DATED = "1"
_TIME = re.compile(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?)?")
_COLONS = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?")
_LEGACY = re.compile(r"([0-9]{4})\.([0-9]{2})\.([0-9]{2})")
# Where undated ones stand: least or greatest, in an ascending and in a descending sort
_UNDATED = {"first": ("0", "2"), "last": ("2", "0"), "smallest": ("0", "0"), "largest": ("2", "2")}


def text_key(value: str, variants: Variants) -> str:
    """A text as EQUAL compares it."""
    trimmed = value.strip(" ") if variants.padding == "trimmed" else value
    return trimmed.casefold() if variants.case == "insensitive" else trimmed


def moment_key(date: str, time: str | None, variants: Variants) -> str | None:
    """A date and time as BETWEEN compares them, None where there is no usable date."""
    day = _day(date.strip(" "), variants)
    if day is None:
        return None
    if variants.times == "text":
        return day + (time or "").strip(" ")
    return day + (_time(time) or "0" * 12)


def columns(summary: Mapping[str, Any], variants: Variants) -> tuple[Any, ...]:
    """text keys…, moment, ascending key, descending key, tie of one summary."""
    tags = summary.get("DICOMTags") or {}
    texts = tuple(
        None if tags.get(name) is None else text_key(str(tags[name]), variants)
        for name in TEXT_KEYS
    )
    date, time = str(tags.get("DICOMStudyDate") or ""), tags.get("DICOMStudyTime")
    moment = moment_key(date, time, variants)
    rising, falling = _sort_keys(moment, time, variants)
    image_set_id = str(summary["imageSetId"])
    if variants.ties == "grouped":
        tie = f"{texts[TEXT_KEYS.index('DICOMStudyInstanceUID')]}/{image_set_id}"
    else:
        tie = hashlib.blake2b(image_set_id.encode(), digest_size=12).hexdigest()
    return (*texts, moment, rising, falling, tie)


def padded(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Texts of even length, as DICOM stores them; UIDs are padded otherwise."""
    return {
        name: f"{value} "
        if isinstance(value, str) and len(value.encode()) % 2 and not name.endswith("UID")
        else value
        for name, value in tags.items()
    }


def unpadded(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Texts without the spaces around them."""
    return {k: v.strip(" ") if isinstance(v, str) else v for k, v in tags.items()}


def _sort_keys(moment: str | None, time: str | None, variants: Variants) -> tuple[str, str]:
    if moment is None:
        return _UNDATED[variants.undated]
    if variants.times != "missing-first":
        return DATED + moment, DATED + moment
    day, clock = moment[:8], moment[8:]
    missing = _time(time) is None
    return (
        f"{DATED}{day}{'0' if missing else '1'}{clock}",
        f"{DATED}{day}{'2' if missing else '1'}{clock}",
    )


def _day(text: str, variants: Variants) -> str | None:
    if variants.legacy_dates == "included" and (legacy := _LEGACY.fullmatch(text)):
        text = "".join(legacy.groups())
    if len(text) != 8 or not text.isascii() or not text.isdecimal():
        return None
    try:
        datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return None
    return text


def _time(text: str | None) -> str | None:
    """HHMMSSFFFFFF of a stored time, None where it is missing or not one."""
    text = (text or "").strip(" ")
    parts = _TIME.fullmatch(text) or _COLONS.fullmatch(text)
    if parts is None:
        return None
    hour, minute, second, fraction = (part or "" for part in parts.groups())
    if int(hour) > 23 or int(minute or 0) > 59 or int(second or 0) > 60:
        return None
    return f"{hour}{minute or '00'}{second or '00'}{fraction.ljust(6, '0')}"
