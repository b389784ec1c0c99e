"""The one table of attributes: keyword, tag, VR, level, HealthImaging's names, what is known.

Source: PS3.18 Tables 10.6.1-5 and 10.6.3-3 to -5 (levels, which are returned); HealthImaging
SearchImageSets, shapes DICOMTags and SearchByAttributeValue (names; documented).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from pydicom.datadict import dictionary_keyword, dictionary_VR, tag_for_keyword


class Level(Enum):
    """A level of the information model; patient attributes stand at the study level."""

    STUDY = "study"
    SERIES = "series"


class Resource(Enum):
    """A search resource. Its value is the route, as logs and documents name it."""

    STUDIES = "/studies"
    STUDY_SERIES = "/studies/{study}/series"
    ALL_SERIES = "/series"

    @property
    def level(self) -> Level:
        """The level of its results."""
        return Level.STUDY if self is Resource.STUDIES else Level.SERIES


class Origin(Enum):
    """Where an attribute's value comes from."""

    SUMMARY = "summary"  # an image set's DICOMTags
    DERIVED = "derived"  # computed over the image sets of a study or series
    GATEWAY = "gateway"  # made for the answer; it can't be matched
    UNKNOWN = "unknown"  # required by the standard, not in a summary: present without Value


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute that the gateway can answer.

    `summary` is its name in DICOMTags, "" where it is not in there. `pushable` says that
    SearchImageSets can filter by that name. `delimited` says that a backslash parts its values:
    PatientID, AccessionNumber and StudyID hold one value, whatever is in it.
    """

    keyword: str
    tag: str
    vr: str
    level: Level
    origin: Origin
    summary: str = ""
    pushable: bool = False
    delimited: bool = True
    by_default: bool = True

    @property
    def matchable(self) -> bool:
        """Whether its value is known when a search is matched."""
        return self.origin in (Origin.SUMMARY, Origin.DERIVED)


def _attribute(keyword: str, level: Level, origin: Origin, **more: Any) -> Attribute:
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword  # noqa: S101 - the table below is ours
    vr = dictionary_VR(tag)
    return Attribute(keyword, f"{tag:08X}", vr, level, origin, **more)


def _table() -> tuple[Attribute, ...]:
    study, series = Level.STUDY, Level.SERIES
    summary, derived = Origin.SUMMARY, Origin.DERIVED
    single = {"pushable": True, "delimited": False}
    rows = (
        _attribute("StudyDate", study, summary, summary="DICOMStudyDate"),
        _attribute("StudyTime", study, summary, summary="DICOMStudyTime"),
        _attribute("AccessionNumber", study, summary, summary="DICOMAccessionNumber", **single),
        _attribute("ModalitiesInStudy", study, derived),
        _attribute("ReferringPhysicianName", study, Origin.UNKNOWN),
        _attribute("StudyDescription", study, summary, summary="DICOMStudyDescription"),
        _attribute("RetrieveURL", study, Origin.GATEWAY),
        _attribute("PatientName", study, summary, summary="DICOMPatientName"),
        _attribute("PatientID", study, summary, summary="DICOMPatientId", **single),
        _attribute("PatientBirthDate", study, summary, summary="DICOMPatientBirthDate"),
        _attribute("PatientSex", study, summary, summary="DICOMPatientSex"),
        _attribute(
            "StudyInstanceUID", study, summary, summary="DICOMStudyInstanceUID", pushable=True
        ),
        _attribute("StudyID", study, summary, summary="DICOMStudyId", **single),
        _attribute("NumberOfStudyRelatedSeries", study, derived),
        _attribute("NumberOfStudyRelatedInstances", study, derived),
        _attribute("Modality", series, summary, summary="DICOMSeriesModality"),
        _attribute(
            "BodyPartExamined", series, summary, summary="DICOMSeriesBodyPart", by_default=False
        ),
        _attribute(
            "SeriesInstanceUID", series, summary, summary="DICOMSeriesInstanceUID", pushable=True
        ),
        _attribute("SeriesNumber", series, summary, summary="DICOMSeriesNumber"),
        _attribute("NumberOfSeriesRelatedInstances", series, derived),
    )
    return tuple(sorted(rows, key=lambda attribute: attribute.tag))


ATTRIBUTES: tuple[Attribute, ...] = _table()
"""Every attribute that can stand in an answer, in the order of tags."""

BY_KEYWORD: Mapping[str, Attribute] = MappingProxyType({a.keyword: a for a in ATTRIBUTES})
"""The same by keyword."""

_BY_TAG: Mapping[str, Attribute] = MappingProxyType({a.tag: a for a in ATTRIBUTES})
_TAG_LENGTH = 8


def keyword_of(name: str) -> str | None:
    """The keyword that `name`, a keyword or eight hexadecimal digits, stands for in PS3.6.

    None where the data dictionary does not know it, as for a private tag.
    """
    if len(name) == _TAG_LENGTH and all(c in "0123456789abcdefABCDEF" for c in name):
        if known := _BY_TAG.get(name.upper()):
            return known.keyword
        try:
            return dictionary_keyword(int(name, 16)) or None
        except KeyError:
            return None
    if name and tag_for_keyword(name) is not None:  # "" stands for retired ones
        return name
    return None


def vr_of(keyword: str) -> str:
    """The VR that PS3.6 gives a keyword that it knows."""
    known = BY_KEYWORD.get(keyword)
    return dictionary_VR(keyword) if known is None else known.vr


def returned_by_default(resource: Resource) -> tuple[Attribute, ...]:
    """The attributes of an answer that asks for none, in the order of tags.

    Source: PS3.18 §10.6.3.3: All Series adds the study's attributes. The StudyInstanceUID of a
    study's series is returned as well, because clients read it from there.
    """
    if resource is Resource.STUDIES:
        return tuple(a for a in ATTRIBUTES if a.level is Level.STUDY and a.by_default)
    if resource is Resource.ALL_SERIES:
        return tuple(a for a in ATTRIBUTES if a.by_default)
    also = ("StudyInstanceUID", "RetrieveURL")
    return tuple(
        a for a in ATTRIBUTES if (a.level is Level.SERIES and a.by_default) or a.keyword in also
    )


def answerable(resource: Resource) -> tuple[Attribute, ...]:
    """Every attribute that `resource` can return: its own level's and those above it."""
    if resource is Resource.STUDIES:
        return tuple(a for a in ATTRIBUTES if a.level is Level.STUDY)
    return ATTRIBUTES
