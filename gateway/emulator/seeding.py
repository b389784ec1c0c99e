"""Seeding: image sets from a file, without DICOM files; one summary a line.

Source of the limits: botocore's service model of medical-imaging 2023-07-19, shapes
ImageSetsMetadataSummary and DICOMTags (documented).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from gateway.emulator.criteria import LONGEST, read_time
from gateway.emulator.errors import SeedError, WireError
from gateway.emulator.store import Store

_IMAGE_SET_ID = re.compile(r"[0-9a-z]{32}")
_UID = re.compile(r"[0-9.]+")
_NUMBERS: Mapping[str, tuple[int, int]] = {
    "DICOMNumberOfStudyRelatedSeries": (0, 1_000_000),
    "DICOMNumberOfStudyRelatedInstances": (0, 1_000_000),
    "DICOMSeriesNumber": (-(2**31), 2**31 - 1),
}
_TIERS = ("FREQUENT_ACCESS", "ARCHIVE_INSTANT_ACCESS")
_UIDS = ("DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")
_TIMES = ("createdAt", "updatedAt", "lastAccessedAt")
_KEYS = {"imageSetId", "version", "DICOMTags", "isPrimary", "storageTier", *_TIMES}


def seed_file(
    store: Store, path: Path, *, on_progress: Callable[[int, int], None] | None = None
) -> int:
    """Store the summaries of an NDJSON file, all or none; how many there are.

    What is missing of imageSetId, version and times is made up; isPrimary stays missing.
    `on_progress` is told how many of how many bytes are read.

    Raises: SeedError, which names the first bad line by its number.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as lines:
            return store.add_summaries(_summaries(lines, size, on_progress))
    except OSError as exc:
        raise SeedError(f"{path}: {(exc.strerror or 'cannot be read').lower()}") from None
    except _LineError as exc:
        raise SeedError(f"{path}: line {exc.number}: {exc.rule}") from None


class _LineError(Exception):
    def __init__(self, number: int, rule: str) -> None:
        super().__init__(rule)
        self.number, self.rule = number, rule


def _summaries(
    lines: Any, size: int, on_progress: Callable[[int, int], None] | None
) -> Iterator[dict[str, Any]]:
    read = 0
    for number, line in enumerate(lines, 1):
        read += len(line)
        if line.strip():
            try:
                yield read_summary(line)
            except (WireError, ValueError) as exc:
                rule = exc.message if isinstance(exc, WireError) else str(exc)
                raise _LineError(number, rule) from None
        if on_progress and (number % 1000 == 0 or read == size):
            on_progress(read, size)


def read_summary(line: bytes) -> dict[str, Any]:
    """The summary of one line.

    Raises: ValueError or WireError, whose text names the rule and never a value.
    """
    try:
        summary = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ValueError("is not JSON") from None
    if not isinstance(summary, dict) or not summary.keys() <= _KEYS:
        raise ValueError("must be an element of imageSetsMetadataSummaries")
    image_set_id = summary.get("imageSetId", "0" * 32)
    if not isinstance(image_set_id, str) or not _IMAGE_SET_ID.fullmatch(image_set_id):
        raise ValueError("imageSetId must be 32 of 0-9a-z")
    if type(summary.get("version", 1)) is not int or summary.get("version", 1) < 1:
        raise ValueError("version must be a whole number from 1")
    if not isinstance(summary.get("isPrimary", True), bool):
        raise ValueError("isPrimary must be true or false")
    if "storageTier" in summary and summary["storageTier"] not in _TIERS:
        raise ValueError("storageTier is not one of the two")
    for name in _TIMES:
        if name in summary:
            summary[name] = read_time(summary[name], name)
    _check_tags(summary.get("DICOMTags", {}))
    return summary


def _check_tags(tags: Any) -> None:
    if not isinstance(tags, dict):
        raise ValueError("DICOMTags must be a structure")
    for name, value in tags.items():
        if (longest := LONGEST.get(name)) is not None:
            if not isinstance(value, str) or len(value) > longest:
                raise ValueError(f"{name} must be a text of {longest} characters at most")
            if name in _UIDS and not _UID.fullmatch(value):
                raise ValueError(f"{name} must match [0-9.]+")
        elif (span := _NUMBERS.get(name)) is not None:
            if type(value) is not int or not span[0] <= value <= span[1]:
                raise ValueError(f"{name} must be a whole number from {span[0]} to {span[1]}")
        else:
            raise ValueError("DICOMTags has a name that is not known")
