"""What a query should find, worked out from the data sets as plainly as can be.

Nothing of the gateway's is used. Where the standard leaves a choice it is the gateway's declared
one (docs/conformance.md): names without case and accents, the day of a date without a time.
Source: PS3.4 §C.2.2.2, PS3.18 §8.3.4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.multival import MultiValue

Record = Mapping[str, tuple[Any, ...]]
"""A study or series: keyword to values. An attribute without a value is ()."""

STUDY = (
    *("StudyDate", "StudyTime", "AccessionNumber", "StudyDescription", "PatientName"),
    *("PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID"),
)
SERIES = ("Modality", "BodyPartExamined", "SeriesInstanceUID", "SeriesNumber")
_LISTS = ("ModalitiesInStudy", "Modality")  # a comma list of these means any of them
_NO_KEYS = ("includefield", "limit", "offset")


def studies_of(datasets: Iterable[pydicom.Dataset]) -> list[dict[str, tuple[Any, ...]]]:
    """Every study of the files."""
    return [
        {
            **{keyword: values(instances[0], keyword) for keyword in STUDY},
            "ModalitiesInStudy": tuple(sorted({str(one.Modality) for one in instances})),
            "NumberOfStudyRelatedSeries": (len({one.SeriesInstanceUID for one in instances}),),
            "NumberOfStudyRelatedInstances": (len(instances),),
        }
        for instances in _grouped(datasets, "StudyInstanceUID")
    ]


def series_of(datasets: Sequence[pydicom.Dataset]) -> list[dict[str, tuple[Any, ...]]]:
    """Every series of the files, with what its study has."""
    studies = {study["StudyInstanceUID"]: study for study in studies_of(datasets)}
    return [
        {
            **studies[values(instances[0], "StudyInstanceUID")],
            **{keyword: values(instances[0], keyword) for keyword in SERIES},
            "NumberOfSeriesRelatedInstances": (len(instances),),
        }
        for instances in _grouped(datasets, "SeriesInstanceUID")
    ]


def _grouped(datasets: Iterable[pydicom.Dataset], keyword: str) -> list[list[pydicom.Dataset]]:
    groups: dict[str, list[pydicom.Dataset]] = {}
    for dataset in datasets:
        groups.setdefault(dataset[keyword].value, []).append(dataset)
    return list(groups.values())


def values(dataset: pydicom.Dataset, keyword: str) -> tuple[Any, ...]:
    """The values of an attribute without padding."""
    stored = dataset.get(keyword)
    if stored is None or stored == "":
        return ()
    if dictionary_VR(keyword) == "IS":
        return (int(stored),)
    many = stored if isinstance(stored, MultiValue) else [stored]
    return tuple(text for text in (str(value).strip() for value in many) if text)


def matches(record: Record, parameters: Mapping[str, str]) -> bool:
    """Whether the study or series is what the parameters ask for."""
    keys = {_keyword(name): key for name, key in parameters.items() if name not in _NO_KEYS}
    if both := _date_and_time(keys):
        earliest, latest = _span(record)
        lower, upper = both
        del keys["StudyDate"], keys["StudyTime"]
        if not earliest or (lower and latest < lower) or (upper and earliest > upper):
            return False
    return all(_matches(record, keyword, key) for keyword, key in keys.items())


def _keyword(name: str) -> str:
    return name if tag_for_keyword(name) else keyword_for_tag(int(name, 16))


def _matches(record: Record, keyword: str, key: str) -> bool:
    vr = dictionary_VR(keyword)
    if key == "" or (key.strip("*") == "" and vr in ("CS", "LO", "PN", "SH")):
        return True
    parts = key.split(",") if keyword in _LISTS or vr == "UI" else [key]
    return any(_value_matches(vr, str(value), part) for value in record[keyword] for part in parts)


def _value_matches(vr: str, value: str, key: str) -> bool:
    match vr:
        case "UI":
            return value == key
        case "IS":
            return int(value) == int(key)
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


def _date_and_time(keys: Mapping[str, str]) -> tuple[str, str] | None:
    """The bounds of a date range and a time range of the same form, which are one range."""
    dates, times = (_bounds(keys.get(k, "")) for k in ("StudyDate", "StudyTime"))
    if not all("-" in keys.get(k, "") for k in ("StudyDate", "StudyTime")):
        return None
    if list(map(bool, dates)) != list(map(bool, times)):
        return None
    lower = dates[0] + _first(times[0]) if dates[0] else ""
    return lower, dates[1] + _last(times[1]) if dates[1] else ""


def _span(record: Record) -> tuple[str, str]:
    """The first and last moment that a study may be of, "" where its date is none."""
    date = "".join(record["StudyDate"])
    if not date.isdigit():
        return "", ""
    first = [_first(time) for time in record["StudyTime"]]
    return date + "".join(first or ["0" * 12]), date + "".join(first or ["235959999999"])
