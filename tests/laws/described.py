"""Criteria on what only metadata tells, made of an image set's own values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import product
from typing import Any

from hypothesis import strategies as st

from tests.laws.judging import Criterion, matches
from tests.laws.stored import instance_values, instant_of, level_values

_DAYS = ("20191231", "20200101", "20200102", "20200103")
_TIMES = ("0930", "10", "101530", "14", "235959")
_MOMENTS = (
    *("2020", "20200101", "2020010109", "202001011015", "20200101091530"),
    *("20200101101530.5", "20200101111530+0100", "20200101051531-0500", "2020010216"),
)
_BOUNDS_OF = {
    "SeriesDate": ("days", _DAYS),
    "SeriesTime": ("times", _TIMES),
    "PerformedProcedureStepStartDate": ("days", _DAYS),
    "AcquisitionDate": ("days", _DAYS),
    "AcquisitionTime": ("times", _TIMES),
    "AcquisitionDateTime": ("instants", _MOMENTS),
}


def series_order() -> tuple[str, ...]:
    """What series can be sorted by beside what summaries tell."""
    return ("SeriesDescription", "SeriesDate", "SeriesTime", "NumberOfSeriesRelatedInstances")


def instance_order() -> tuple[str, ...]:
    """What instances can be sorted by, beside that."""
    return (
        *("InstanceNumber", "SOPInstanceUID", "AcquisitionDateTime", "SliceThickness"),
        *("Rows", "SOPClassUID", "ReferringPhysicianName"),
    )


def detail(metadata: Mapping[str, Any], depth: int, study_attributes: tuple[str, ...]) -> Any:
    """A criterion that is likely to match an image set; None where nothing can be asked.

    `depth` is 0 for results that are studies, 1 for series, 2 for instances.
    """
    read = {level: level_values({"metadata": metadata}, level) for level in ("study", "series")}
    options: list[Any] = [st.none()] if not depth else []
    if depth == 2 or "ReferringPhysicianName" in study_attributes:
        options += _of(read["study"], ("ReferringPhysicianName",))
    if depth:
        options += _of(read["series"], ("SeriesDescription", "Manufacturer", "StationName"))
        options += _ranges(read["series"], ("SeriesDate", "SeriesTime"))
        options += _ranges(read["series"], ("PerformedProcedureStepStartDate",))
        options += _items(read["series"], "RequestAttributesSequence")
        own = len(metadata["instances"])
        options.append(st.just(("NumberOfSeriesRelatedInstances", "is", own)))
    if depth < 2:
        return st.one_of(options)
    return st.one_of(
        st.one_of(options),
        st.sampled_from(metadata["instances"]).flatmap(_of_instance),
    )


def _of_instance(instance: Mapping[str, Any]) -> Any:
    read = instance_values(instance)
    options = _of(
        read,
        (
            *("SOPClassUID", "SOPInstanceUID", "AvailableTransferSyntaxUID", "InstanceNumber"),
            *("NumberOfFrames", "Rows", "BitsAllocated", "ImageType"),
            "SliceThickness",
        ),
    )
    options += _ranges(read, ("AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime"))
    options += _items(read, "ReferencedImageSequence")
    if len(types := [one for one in read.get("ImageType", []) if one]) > 1:
        options.append(st.just(("ImageType", "all-of", (types[1],), (types[0],))))
    return st.one_of(options)


def _of(read: Mapping[str, list[Any]], keywords: tuple[str, ...]) -> list[Any]:
    """One strategy for each attribute: by its value, or by its having none."""
    found = []
    for keyword in keywords:
        values = [value for value in read.get(keyword, []) if value != ""]
        if not values:
            found.append(st.just((keyword, "empty")))
        else:
            found.append(st.sampled_from(_keys(keyword, values[-1])))
    return found


def _keys(keyword: str, value: Any) -> list[Criterion]:
    if keyword == "ReferringPhysicianName":
        return [(keyword, "wild", f"{value[:4].lower()}*"), (keyword, "is", value.upper())]
    if keyword == "SliceThickness":
        return [(keyword, "is", text) for text in (value, f"{value}0", f"+{value}e0")]
    if isinstance(value, int):
        return [(keyword, "is", value), (keyword, "is", f"0{value}")]
    if keyword.endswith("UID"):
        return [(keyword, "uids", (value,)), (keyword, "uids", (value, "1.2.77"))]
    return [
        (keyword, "is", value),
        (keyword, "wild", f"{value[:2]}*"),
        (keyword, "wild", f"*{value[1:]}"),
        (keyword, "empty"),
    ]


def _ranges(read: Mapping[str, list[Any]], keywords: tuple[str, ...]) -> list[Any]:
    """Ranges of which most hold the value; or that there is none."""
    found: list[Any] = []
    for keyword in keywords:
        kind, bounds = _BOUNDS_OF[keyword]
        ends = product((None, *bounds), (None, *bounds))
        ranges = list(dict.fromkeys(_ordered(keyword, kind, two) for two in ends))
        if kind == "days":
            first, last = (_DAYS[1], "0930"), (_DAYS[2], "1015")
            pairs = ((first, last), (first, None), (None, last))
            ranges += [(keyword, "both", *pair) for pair in pairs]
        holding = [one for one in ranges if matches(read, one)]
        found += [st.sampled_from(holding or ranges)] * 3 + [st.sampled_from(ranges)]
    return found


def _ordered(keyword: str, kind: str, bounds: tuple[str | None, str | None]) -> Criterion:
    """A range that does not end before it begins, with one end at least."""
    first, last = bounds
    if first is None and last is None:
        return (keyword, "empty")
    if kind == "instants" and first and last:
        first, last = sorted((first, last), key=lambda text: instant_of(text) or datetime.min)
    elif first and last:
        first, last = min(first, last), max(first, last)
    return (keyword, kind, first, last)


def _items(read: Mapping[str, list[Any]], keyword: str) -> list[Any]:
    """All keys of one item, or of two, which only one item that has both can satisfy."""
    items = [keys for item in read.get(keyword, []) if (keys := _keys_of(item))]
    if not items:
        return []
    mixed = {key[0]: key for keys in items for key in keys}
    options = [(keyword, "items", tuple(keys)) for keys in (*items, mixed.values())]
    return [st.sampled_from(options)]


def _keys_of(item: Mapping[str, list[Any]]) -> list[Criterion]:
    found: list[Criterion] = []
    for keyword, values in item.items():
        if not values:
            found.append((keyword, "empty"))
        elif keyword.endswith("UID"):
            found.append((keyword, "uids", tuple(values)))
        else:
            found.append((keyword, "is", values[0]))
    return found
