"""Conditions: the shape of what one matching key asks, and which kinds of matching a VR has.

What is asked for is a patient's data, so no `repr` shows it.

Source: PS3.4 §C.2.2.2 (attribute matching), PS3.18 §8.3.4.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from gateway.qido.attributes import Attribute

WILD_VRS = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", ""))
"""VRs in which * and ? are wild; "" is that of a private attribute, which only data tell."""

MULTIPLE_VRS = frozenset(("AE", "AS", "AT", "CS", "LO", "PN", "SH", "UC"))
"""VRs of Multiple Value Matching."""

RANGE_VRS = frozenset(("DA", "DT", "TM"))
"""VRs of range matching."""

# OHIF and Weasis send a list of modalities, which they mean as "any of"
LISTS = frozenset(("ModalitiesInStudy", "Modality"))
"""Keywords of attributes whose key may be a list by commas."""

DATES_WITH_TIMES = (
    ("StudyDate", "StudyTime"),
    ("SeriesDate", "SeriesTime"),
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("InstanceCreationDate", "InstanceCreationTime"),
    ("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
)
"""Keywords of dates and their times, whose ranges are matched as one."""

# They say how a request or a data set is to be read, and are never matched
_INTERPRETING = frozenset(("SpecificCharacterSet", "TimezoneOffsetFromUTC"))
# Made by a server for its answers: no data set holds them, so that a key would find nothing
_MADE_FOR_ANSWERS = """AlternateRepresentationSequence InstanceAvailability QueryRetrieveLevel
NumberOfPatientRelatedInstances NumberOfPatientRelatedSeries NumberOfPatientRelatedStudies
QueryRetrieveView RetrieveAETitle RetrieveLocationUID SOPClassesInStudy"""
_NEVER_MATCHED = _INTERPRETING | frozenset(_MADE_FOR_ANSWERS.split())


@dataclass(frozen=True, slots=True)
class Exact:
    """Single value or UID list matching: any of `values`, numbers where the VR has numbers."""

    values: tuple[str | int | float | Decimal, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Wild card matching: any of `patterns`, in which * and ? are wild."""

    patterns: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Range:
    """Range matching, both ends included; None is an open end.

    The unit is that of the attribute: days for DA, microseconds of the day for TM, and for a date
    joined with its time microseconds since day 0; microseconds since 1970 for DT and an arrival. A
    single date or time is the range it covers.
    """

    lower: int | None = field(repr=False)
    upper: int | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Fuzzy matching of a name: by literal or wild card matching of `key`, or by its words."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Empty:
    """Empty Value Matching: the attribute is missing or has no value."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """Multiple Value Matching: each of `conditions` holds for one of the attribute's values."""

    conditions: tuple[Exact | Wildcard | Fuzzy, ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Sequence matching: all of `criteria` hold for one and the same item."""

    criteria: tuple[Criterion, ...]


Condition = Exact | Wildcard | Range | Fuzzy | Empty | AllOf | Sequence


@dataclass(frozen=True, slots=True)
class Behaviours:
    """The matching behaviours that a request asks for. Source: PS3.18 §8.3.4.2, .5 and .6."""

    fuzzy: bool = False
    empty: bool = False
    multiple: bool = False


@dataclass(frozen=True, slots=True)
class Criterion:
    """An attribute and its condition. `time` is the TM that a DA is joined with, if any."""

    attribute: Attribute
    condition: Condition
    time: Attribute | None = None


class Matching(Enum):
    """A kind of matching that a key can ask for, beside universal matching."""

    SINGLE = "single value"
    UID_LIST = "UID list"
    WILD_CARD = "wild card"
    RANGE = "range"
    COMBINED = "combined date and time"
    LIST = "list"
    FUZZY = "fuzzy"
    MULTIPLE = "multiple values"
    EMPTY = "empty value"
    SEQUENCE = "sequence"


def matching_of(attribute: Attribute) -> tuple[Matching, ...]:
    """The kinds of matching that a key on `attribute` has, none where it is no criterion."""
    vr, keyword = attribute.vr, attribute.keyword
    rules = (
        (Matching.SINGLE, vr != "SQ"),
        (Matching.UID_LIST, vr == "UI"),
        (Matching.WILD_CARD, vr in WILD_VRS and not is_creator(attribute)),
        (Matching.RANGE, vr in RANGE_VRS),
        (Matching.COMBINED, any(keyword in pair for pair in DATES_WITH_TIMES)),
        (Matching.LIST, keyword in LISTS),
        (Matching.FUZZY, vr == "PN"),
        (Matching.MULTIPLE, has_several(attribute)),
        (Matching.EMPTY, vr != "SQ"),
        (Matching.SEQUENCE, vr == "SQ"),
    )
    return tuple(kind for kind, holds in rules if holds and is_matchable(attribute))


def is_matchable(attribute: Attribute) -> bool:
    """Whether a key on `attribute` can be a criterion where its value is known."""
    return attribute.matchable and attribute.keyword not in _NEVER_MATCHED


def has_several(attribute: Attribute) -> bool:
    """Whether a key on `attribute` can ask for several values by Multiple Value Matching."""
    return attribute.vr in MULTIPLE_VRS and attribute.delimited and not is_creator(attribute)


def is_creator(attribute: Attribute) -> bool:
    """Whether `attribute` is a private creator: of the private ones, only they have a known VR."""
    return attribute.vr == "LO" and attribute.is_private
