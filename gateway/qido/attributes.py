"""The one table of attributes: keyword, tag, VR, level, HealthImaging's names, what is known.

Source: PS3.18 Tables 10.6.1-5 and 10.6.3-3 to -5 (levels, which are returned); HealthImaging
SearchImageSets, shapes DICOMTags and SearchByAttributeValue (names; documented).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from pydicom.datadict import (
    dictionary_keyword,
    dictionary_VR,
    tag_for_keyword,
)

BINARY_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "OB or OW", "UN"))
"""VRs of values that are bytes: they are not matched."""


_ODD = frozenset("13579BDF")


class Level(Enum):
    """A level of the information model; patient attributes stand at the study level."""

    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"

    @property
    def depth(self) -> int:
        """0 for the study, 1 for the series, 2 for the instance."""
        return _DEPTHS[self]


_DEPTHS: Mapping[Level, int] = MappingProxyType({one: at for at, one in enumerate(Level)})


class Resource(Enum):
    """A search resource. Its value is the route, as logs and documents name it."""

    STUDIES = "/studies"
    STUDY_SERIES = "/studies/{study}/series"
    ALL_SERIES = "/series"
    SERIES_INSTANCES = "/studies/{study}/series/{series}/instances"
    STUDY_INSTANCES = "/studies/{study}/instances"
    ALL_INSTANCES = "/instances"

    @property
    def level(self) -> Level:
        """The level of its results."""
        if self is Resource.STUDIES:
            return Level.STUDY
        return Level.INSTANCE if self.value.endswith("/instances") else Level.SERIES


class Origin(Enum):
    """Where an attribute's value comes from."""

    SUMMARY = "summary"  # an image set's DICOMTags
    DERIVED = "derived"  # computed over the image sets of a study or series
    METADATA = "metadata"  # an image set's metadata, which takes a call of its own
    GATEWAY = "gateway"  # made for the answer; it can't be matched


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute that the gateway can answer.

    `keyword` is its tag where PS3.6 gives it none of its own: private and repeating groups. `vr`
    may leave a choice ("US or SS") or, of a private one, be "": only an instance settles it.
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
        """Whether a key on it can be a criterion where its value is known."""
        return self.origin is not Origin.GATEWAY and self.vr not in BINARY_VRS

    @property
    def is_private(self) -> bool:
        """Whether its group is odd."""
        return self.tag[3] in _ODD


def _attribute(keyword: str, level: Level, origin: Origin, **more: Any) -> Attribute:
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword  # noqa: S101 - the table below is ours
    vr = dictionary_VR(tag)
    return Attribute(keyword, f"{tag:08X}", vr, level, origin, **more)


# Of a patient or study, in the metadata alone: PS3.4 Tables C.6-1 and C.6-2
_STUDY_METADATA = """IssuerOfPatientID PatientBirthTime OtherPatientIDs OtherPatientNames PatientAge
PatientSize PatientWeight EthnicGroup Occupation AdditionalPatientHistory PatientComments
NameOfPhysiciansReadingStudy AdmittingDiagnosesDescription ProcedureCodeSequence
ReferencedStudySequence"""
# Of a series: PS3.18 Table 10.6.3-4, and what viewers show beside
_SERIES_METADATA = """SeriesDate SeriesTime SeriesDescription Manufacturer InstitutionName
StationName PerformingPhysicianName OperatorsName ManufacturerModelName ProtocolName Laterality
PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepDescription
RequestAttributesSequence"""
# Of an instance: PS3.18 Table 10.6.3-5
_INSTANCE_METADATA = """SOPClassUID SOPInstanceUID TimezoneOffsetFromUTC AvailableTransferSyntaxUID
InstanceNumber NumberOfFrames Rows Columns BitsAllocated"""


def _table() -> tuple[Attribute, ...]:
    study, series, instance = Level.STUDY, Level.SERIES, Level.INSTANCE
    summary, derived, metadata = Origin.SUMMARY, Origin.DERIVED, Origin.METADATA
    single = {"pushable": True, "delimited": False}
    rows = (
        _attribute("StudyDate", study, summary, summary="DICOMStudyDate"),
        _attribute("StudyTime", study, summary, summary="DICOMStudyTime"),
        _attribute("AccessionNumber", study, summary, summary="DICOMAccessionNumber", **single),
        _attribute("ModalitiesInStudy", study, derived),
        _attribute("ReferringPhysicianName", study, metadata),
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
        *(_attribute(k, study, metadata, by_default=False) for k in _STUDY_METADATA.split()),
        *(_attribute(k, series, metadata, by_default=False) for k in _SERIES_METADATA.split()),
        *(_attribute(k, instance, metadata) for k in _INSTANCE_METADATA.split()),
    )
    return tuple(sorted(rows, key=lambda attribute: attribute.tag))


ATTRIBUTES: tuple[Attribute, ...] = _table()
"""The attributes that an answer has by default, or at more than one level, in the order of tags.

An instance can have any other attribute of PS3.6 as well, and private ones.
"""

BY_KEYWORD: Mapping[str, Attribute] = MappingProxyType({a.keyword: a for a in ATTRIBUTES})
"""The same by keyword."""

_BY_TAG: Mapping[str, Attribute] = MappingProxyType({a.tag: a for a in ATTRIBUTES})
_TAG = re.compile(r"[0-9A-Fa-f]{8}")


@lru_cache(maxsize=8192)  # asked for each element of each item of a sequence
def attribute_named(name: str) -> Attribute | None:
    """The attribute that `name`, a keyword or eight hexadecimal digits, stands for.

    None where PS3.6 does not have it, and for what is no part of a data set: commands, the file
    meta information, group lengths, delimiters. A private tag has itself for its keyword.
    """
    if known := BY_KEYWORD.get(name):
        return known
    number = int(name, 16) if _TAG.fullmatch(name) else tag_for_keyword(name) if name else None
    if number is None:
        return None
    return _BY_TAG.get(f"{number:08X}") or _of_dictionary(number)


def _of_dictionary(number: int) -> Attribute | None:
    tag, group = f"{number:08X}", number >> 16
    if not _FIRST_GROUP <= group < _LAST_GROUP or number & 0xFFFF == 0:
        return None
    if group % 2:
        return _of_instance(tag, tag, "LO" if _is_creator(number) else "")
    try:
        keyword, vr = dictionary_keyword(number), dictionary_VR(number)
    except KeyError:
        return None
    # The groups of a repeating group share their keyword
    return _of_instance(keyword if tag_for_keyword(keyword) == number else tag, tag, vr)


def creator_tag(tag: str) -> str:
    """The tag of the private creator that reserves the block of a private `tag`, "" if none can.

    Source: PS3.5 §7.8.1.
    """
    block = tag[4:6]
    return f"{tag[:4]}00{block}" if int(tag[3], 16) % 2 and block >= "10" else ""


def _is_creator(number: int) -> bool:
    return _FIRST_BLOCK <= number & 0xFFFF <= _LAST_BLOCK


_FIRST_BLOCK, _LAST_BLOCK = 0x0010, 0x00FF


_FIRST_GROUP, _LAST_GROUP = 0x0008, 0xFFFC  # the groups of data sets, without delimiters


def _of_instance(keyword: str, tag: str, vr: str) -> Attribute:
    return Attribute(keyword, tag, vr, Level.INSTANCE, Origin.METADATA, by_default=False)


def returned_by_default(resource: Resource) -> tuple[Attribute, ...]:
    """The attributes of an answer that asks for none, in the order of tags.

    Source: PS3.18 §10.6.3.3: a resource adds the attributes of the levels that its path does not
    fix. The UIDs of the levels above are returned as well, because clients read them from there.
    """
    levels = _DEFAULT_LEVELS[resource]
    also = _UIDS_ABOVE[resource.level]
    return tuple(a for a in ATTRIBUTES if (a.level in levels and a.by_default) or a.keyword in also)


_DEFAULT_LEVELS: Mapping[Resource, tuple[Level, ...]] = MappingProxyType(
    {
        Resource.STUDIES: (Level.STUDY,),
        Resource.STUDY_SERIES: (Level.SERIES,),
        Resource.ALL_SERIES: (Level.STUDY, Level.SERIES),
        Resource.SERIES_INSTANCES: (Level.INSTANCE,),
        Resource.STUDY_INSTANCES: (Level.SERIES, Level.INSTANCE),
        Resource.ALL_INSTANCES: (Level.STUDY, Level.SERIES, Level.INSTANCE),
    }
)
_UIDS_ABOVE: Mapping[Level, tuple[str, ...]] = MappingProxyType(
    {
        Level.STUDY: (),
        Level.SERIES: ("StudyInstanceUID", "RetrieveURL"),
        Level.INSTANCE: ("StudyInstanceUID", "SeriesInstanceUID", "RetrieveURL"),
    }
)


def is_known(attribute: Attribute, resource: Resource, fetched: Collection[str] = ()) -> bool:
    """Whether the value of `attribute` can be known at `resource`.

    An instance's metadata has every attribute; a series' is fetched for those of its own level.
    `fetched` are the keywords of the study level that the operator has fetched.
    """
    if attribute.origin is not Origin.METADATA or resource.level is Level.INSTANCE:
        return attribute.level.depth <= resource.level.depth
    if attribute.level is Level.STUDY:
        return attribute.keyword in fetched
    return attribute.level is Level.SERIES and resource.level is Level.SERIES


def is_answerable(attribute: Attribute, resource: Resource, fetched: Collection[str] = ()) -> bool:
    """Whether `resource` can return `attribute`: it is of that level or one above.

    It is known there, or an answer has it in any case. `fetched` as in `is_known`.
    """
    if attribute.by_default:
        return attribute.level.depth <= resource.level.depth
    return is_known(attribute, resource, fetched)


def answerable(resource: Resource, fetched: Collection[str] = ()) -> tuple[Attribute, ...]:
    """The attributes of the table that `resource` can return. `fetched` as in `is_known`."""
    return tuple(a for a in ATTRIBUTES if is_answerable(a, resource, fetched))
