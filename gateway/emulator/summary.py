"""What a search knows of an image set: DICOMTags, from the metadata's levels and back to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.emulator.criteria import LONGEST
from gateway.emulator.normalising import LEVEL_KEYWORDS

SUMMARY_NAMES: Mapping[str, str] = {
    "PatientID": "DICOMPatientId",
    "PatientName": "DICOMPatientName",
    "PatientBirthDate": "DICOMPatientBirthDate",
    "PatientSex": "DICOMPatientSex",
    "StudyInstanceUID": "DICOMStudyInstanceUID",
    "StudyID": "DICOMStudyId",
    "StudyDescription": "DICOMStudyDescription",
    "AccessionNumber": "DICOMAccessionNumber",
    "SeriesInstanceUID": "DICOMSeriesInstanceUID",
    "Modality": "DICOMSeriesModality",
    "BodyPartExamined": "DICOMSeriesBodyPart",
    "StudyDate": "DICOMStudyDate",
    "StudyTime": "DICOMStudyTime",
    "SeriesNumber": "DICOMSeriesNumber",
}
"""Keyword to the name in a summary (documented)."""

AGREED = ("StudyDate", "AccessionNumber", "PatientID", "StudyID")
"""What all primary image sets of a study have in common (documented)."""

Levels = Mapping[str, Mapping[str, Any]]

_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_NUMBER = "DICOMSeriesNumber"


def text_of(levels: Levels, keyword: str) -> str:
    """The text of an attribute without its padding, values parted by backslash, "" without one."""
    for values in levels.values():
        value = values.get(keyword)
        if value is not None:
            many = isinstance(value, list)
            return "\\".join(map(str, value if many else [value])).strip(" \0")
    return ""


def tags_of(levels: Levels) -> dict[str, Any]:
    """DICOMTags of an image set with these levels, without its counts.

    Raises: ValueError, which names the attribute whose text is longer than a search holds.
    """
    tags: dict[str, Any] = {}
    for keyword, name in SUMMARY_NAMES.items():
        text = text_of(levels, keyword)
        if name == _NUMBER:
            tags |= {name: int(text)} if _INTEGER.fullmatch(text) else {}
        elif len(text) > LONGEST[name]:
            raise ValueError(f"has a {keyword} of more than {LONGEST[name]} characters")
        elif text:
            tags[name] = text
    return tags


def levels_of(tags: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The levels of an image set of which only a summary is known."""
    found: dict[str, dict[str, Any]] = {level: {} for level in LEVEL_KEYWORDS}
    for keyword, name in SUMMARY_NAMES.items():
        level = next(level for level, known in LEVEL_KEYWORDS.items() if keyword in known)
        if name in tags:
            found[level][keyword] = str(tags[name])
    return found
