"""Whether a record is what a query asks for, worked out as plainly as can be.

Nothing of the gateway's is used. Where the standard leaves a choice it is the gateway's declared
one (docs/conformance.md): names without case and accents, the day of a date without a time.
Source: PS3.4 §C.2.2.2, PS3.18 §8.3.4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from tests.differential.records import Record

_LISTS = ("ModalitiesInStudy", "Modality")  # a comma list of these means any of them
_NO_KEYS = ("includefield", "limit", "offset")
_MOMENTS = ("Study", "Series", "Acquisition", "Content", "PerformedProcedureStepStart")
_WILD = ("CS", "LO", "LT", "PN", "SH")


def matches(record: Record, parameters: Mapping[str, str]) -> bool:
    """Whether the study, series or instance is what the parameters ask for."""
    keys = {_path(name): key for name, key in parameters.items() if name not in _NO_KEYS}
    own = {path[0]: key for path, key in keys.items() if len(path) == 1}
    for moment in _MOMENTS:
        names = f"{moment}Date", f"{moment}Time"
        if bounds := _date_and_time(own, names):
            for name in names:
                del own[name]
            if not _is_within(_span(record, names), bounds):
                return False
    return all(_matches(record, keyword, key) for keyword, key in own.items()) and all(
        _has_item(record, sequence, keys) for sequence, *inner in keys if inner
    )


def _path(name: str) -> tuple[str, ...]:
    """The keywords of an attribute and of the sequences that it is within."""
    parts = name.split(".")
    return tuple(p if tag_for_keyword(p) else keyword_for_tag(int(p, 16)) for p in parts)


def _has_item(record: Record, sequence: str, keys: Mapping[tuple[str, ...], str]) -> bool:
    """Whether one item of the sequence has all that is asked of its items."""
    inner = {path[1]: key for path, key in keys.items() if path[0] == sequence and len(path) == 2}
    return not any(inner.values()) or any(
        all(_matches(item, keyword, key) for keyword, key in inner.items())
        for item in record[sequence]
    )


def _matches(record: Record, keyword: str, key: str) -> bool:
    vr = dictionary_VR(keyword)
    if key == "" or (key.strip("*") == "" and vr in _WILD):
        return True
    parts = key.split(",") if keyword in _LISTS or vr == "UI" else [key]
    found = record.get(keyword, ())  # items have only what has a value
    return any(_value_matches(vr, str(value), part) for value in found for part in parts)


def _value_matches(vr: str, value: str, key: str) -> bool:
    match vr:
        case "UI":
            return value == key
        case "IS" | "US" | "DS":
            return Decimal(value) == Decimal(key)
        case "DA":
            lower, upper = _bounds(key)
            return value.isdigit() and (lower or "0") <= value <= (upper or "9")
        case "TM":
            lower, upper = _bounds(key)
            return _first(lower or "00") <= _first(value) <= _last(upper or "23")
        case "PN":
            return _name_matches(value, key)
        case _:
            return _like(value, key)


def place(record: Record) -> tuple[Any, ...]:
    """Where a record stands among others of its level: lower places come first.

    Studies newest first, those without a date last; series and instances by their numbers.
    """
    date = "".join(record["StudyDate"])
    time = [_first(time) for time in record["StudyTime"]]
    return (
        -int(date) if date.isdigit() else 0,
        -int(time[0]) if time else 1,
        *record["StudyInstanceUID"],
        *(_number(record, "SeriesNumber"), record.get("SeriesInstanceUID", ())),
        *(_number(record, "InstanceNumber"), record.get("SOPInstanceUID", ())),
    )


def _number(record: Record, keyword: str) -> float:
    return float(next(iter(record.get(keyword, ())), "inf"))


# --- text -----------------------------------------------------------------------------------------


def _like(text: str, key: str) -> bool:
    pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in key)
    return re.fullmatch(pattern, text) is not None


def _name_matches(name: str, key: str) -> bool:
    groups = [group.rstrip("^ ") for group in name.split("=")]
    wanted = [group.rstrip("^ ") for group in key.split("=")]
    if len(wanted) == 1:
        return any(_group_matches(group, wanted[0]) for group in groups)
    groups += [""] * len(wanted)
    return all(_group_matches(g, w) for g, w in zip(groups, wanted, strict=False) if w.strip("*"))


def _group_matches(group: str, key: str) -> bool:
    return any(_like(_plain(group, fold), _plain(key, fold)) for fold in (str.casefold, str.lower))


def _plain(text: str, fold: Any) -> str:
    letters = unicodedata.normalize("NFD", fold(text))
    return unicodedata.normalize("NFC", "".join(c for c in letters if not "\u0300" <= c < "\u0370"))


# --- dates and times ------------------------------------------------------------------------------


def _bounds(key: str) -> tuple[str, str]:
    lower, dash, upper = key.partition("-")
    return (lower, upper) if dash else (key, key)


def _first(time: str) -> str:
    """The first microsecond of a time, as HHMMSSFFFFFF; of a stored one also with colons."""
    return time.replace(":", "").replace(".", "").ljust(12, "0")


def _last(time: str) -> str:
    """The last microsecond that a time stands for."""
    digits = time.replace(".", "")
    return digits + "235959999999"[len(digits) :]


def _date_and_time(keys: Mapping[str, str], names: tuple[str, str]) -> tuple[str, str] | None:
    """The bounds of a date range and a time range of the same form, which are one range."""
    if not all("-" in keys.get(name, "") for name in names):
        return None
    dates, times = (_bounds(keys[name]) for name in names)
    if list(map(bool, dates)) != list(map(bool, times)):
        return None
    lower = dates[0] + _first(times[0]) if dates[0] else ""
    return lower, dates[1] + _last(times[1]) if dates[1] else ""


def _span(record: Record, names: tuple[str, str]) -> tuple[str, str]:
    """The first and last moment that a date and time may stand for, "" where there is no date."""
    date, first = "".join(record[names[0]]), [_first(time) for time in record[names[1]]]
    if not date.isdigit():
        return "", ""
    return date + "".join(first or ["0" * 12]), date + "".join(first or ["235959999999"])


def _is_within(span: tuple[str, str], bounds: tuple[str, str]) -> bool:
    earliest, latest = span
    lower, upper = bounds
    return bool(earliest) and not (lower and latest < lower) and not (upper and earliest > upper)
