"""The plan of a search: which SearchImageSets calls fetch every image set that it may need.

A filter only narrows what is fetched, never what is answered: each is a superset of the criterion
it stands for under every reading of what AWS leaves undocumented.

Source: HealthImaging SearchImageSets, shapes SearchCriteria and SearchFilter (documented); which
pairs of filters and sorts are legal is not documented, hence the ladder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from typing import Literal, assert_never

from gateway.qido.arrival import ARRIVAL
from gateway.qido.attributes import BY_KEYWORD, Attribute, Level, Origin, Resource
from gateway.qido.conditions import Criterion, Exact, Range
from gateway.qido.query import Query
from gateway.qido.times import DAY_US, format_date, parse_date

MAX_TEXT_LENGTH = 512
"""Characters of DICOMPatientId, DICOMAccessionNumber, DICOMStudyId and the UIDs (botocore)."""

FIRST_DATE, LAST_DATE = "00010101", "99991231"
_FIRST_S, _LAST_S = 0, 253_402_300_799  # of the years 1970 and 9999
SECOND_US = 1_000_000
# Rising cost: a series is one image set or two, a study a page, a patient perhaps several
_TEXT_KEYS = ("AccessionNumber", "PatientID", "StudyID")


@dataclass(frozen=True, slots=True)
class Equal:
    """EQUAL on a text key; `key` is SearchByAttributeValue's name."""

    key: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StudyDateBetween:
    """BETWEEN on DICOMStudyDateAndTime; each bound is (`YYYYMMDD`, `HHMMSS.FFFFFF`)."""

    lower: tuple[str, str] = field(repr=False)
    upper: tuple[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CreatedBetween:
    """BETWEEN on createdAt, wide enough for every image set: a scan for stores that want a filter.

    Bounds are seconds since 1970.
    """

    lower: int = _FIRST_S
    upper: int = _LAST_S


@dataclass(frozen=True, slots=True)
class ArrivalBetween:
    """BETWEEN on createdAt or updatedAt, as it was asked. Bounds are seconds since 1970."""

    key: str
    lower: int = field(repr=False)
    upper: int = field(repr=False)


Filter = Equal | StudyDateBetween | CreatedBetween | ArrivalBetween


class Sort(Enum):
    """The order that a walk asks for."""

    STUDY_DATE = "by DICOMStudyDateAndTime, newest first"
    DEFAULT = "the upstream's own"


@dataclass(frozen=True, slots=True)
class Plan:
    """One walk: at most two filters, and a sort."""

    filters: tuple[Filter, ...] = ()
    sort: Sort = Sort.STUDY_DATE

    @property
    def shape(self) -> tuple[str, ...]:
        """Keys, operators and sort, without a value: what the upstream finds legal or not."""
        return (*(_shape_of(f) for f in self.filters), self.sort.name)


def _shape_of(one: Filter) -> str:
    match one:
        case Equal(key):
            return f"EQUAL {key}"
        case StudyDateBetween():
            return "BETWEEN DICOMStudyDateAndTime"
        case CreatedBetween():
            return "BETWEEN createdAt"
        case ArrivalBetween(key):
            return f"BETWEEN {key}"
        case _:
            assert_never(one)


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What an operator decides about searches; `docs/operations.md` says when to change which."""

    image_sets: Literal["primary", "fill", "all"] = "primary"
    study_window: Literal["hour", "day"] = "hour"
    counts: Literal["auto", "image-set", "study"] = "auto"
    equal_padding: Literal["trimmed", "both"] = "trimmed"
    trust_unmarked: bool = True


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """All walks of a search; more than one are read to their ends and put together.

    `dated_only` says that no undated study can match. `sufficient` says that a walk gives every
    image set that the answer to a study can need, `completes_all` that none may be answered
    before its study was fetched whole; then the walks have no order that an answer could use.
    """

    lanes: tuple[Plan, ...]
    dated_only: bool = False
    sufficient: bool = False
    completes_all: bool = False


def plan(query: Query, options: SearchOptions) -> SearchPlan:
    """The plan of `query`: the fewest image sets that are sure to hold its whole answer."""
    study_uids = _exact(query, "StudyInstanceUID")
    series_uids = _exact(query, "SeriesInstanceUID")
    if study_uids is not None and series_uids is not None and not needs_whole_studies(query):
        lanes = _point("SeriesInstanceUID", series_uids if study_uids else ())
        return SearchPlan(lanes, sufficient=True)
    if study_uids is not None:
        return SearchPlan(_point("StudyInstanceUID", study_uids), sufficient=True)
    arrival = _arrival_filter(query)
    if series_uids is not None:
        lanes = _point("SeriesInstanceUID", series_uids, arrival)
        return SearchPlan(lanes, completes_all=True)
    between = _date_filter(query)
    texts = _text_filters(query, options)
    # The last image set of a study may have another PatientID, but where only primary ones count
    beside_text = options.image_sets == "primary" and options.trust_unmarked
    if between is None and arrival and (texts == _NO_TEXT or beside_text):
        lanes = tuple(Plan((*text, *arrival), Sort.DEFAULT) for text in texts)
        return SearchPlan(lanes, completes_all=True)
    dates = () if between is None else (between,)
    lanes = tuple(Plan((*text, *dates)) for text in texts)
    return SearchPlan(lanes, dated_only=bool(dates))


_NO_TEXT: tuple[tuple[Equal, ...], ...] = ((),)  # one lane, without an EQUAL


def completion(study_uid: str) -> Plan:
    """The walk that gives every image set of one study."""
    return Plan((Equal("DICOMStudyInstanceUID", study_uid),), Sort.DEFAULT)


def all_dated(one: Plan) -> Plan:
    """`one`, without a date filter so far, narrowed to the image sets that have a StudyDate."""
    every_date = StudyDateBetween((FIRST_DATE, "000000"), (LAST_DATE, "235959.999999"))
    return replace(one, filters=(*(f for f in one.filters if isinstance(f, Equal)), every_date))


def closed_days(one: Plan) -> tuple[int, int] | None:
    """The first and last day number of a range of StudyDates that was asked with both ends.

    None where `one` has none. A day on the calendar's own edge counts as an open end.
    """
    for each in one.filters:
        if isinstance(each, StudyDateBetween):
            first, last = parse_date(each.lower[0]), parse_date(each.upper[0])
            if first is None or last is None or FIRST_DATE == each.lower[0]:
                return None
            return None if each.upper[0] == LAST_DATE else (first + 1, last - 1)
    return None


def narrowed(one: Plan, first_day: int, last_day: int) -> Plan:
    """`one` for these days of its range only, and a second at both ends."""
    between = StudyDateBetween(_day_before(first_day), _day_after(last_day))
    filters = tuple(between if isinstance(f, StudyDateBetween) else f for f in one.filters)
    return replace(one, filters=filters)


def ladder(one: Plan) -> tuple[Plan, ...]:
    """`one` and what to try instead, in order, where the upstream calls it invalid.

    A pair becomes its EQUAL, then its BETWEEN, then no filter; where even that is refused, all
    image sets by their creation. Each is first tried in the plan's sort, then in the upstream's.
    """
    equal = tuple(f for f in one.filters if isinstance(f, Equal))
    between = tuple(f for f in one.filters if not isinstance(f, Equal))
    steps: list[tuple[Filter, ...]] = [equal, between] if equal and between else [one.filters]
    if () not in steps:
        steps.append(())
    rungs = [one] if equal and between else []
    for filters in (*steps, (CreatedBetween(),)):
        rungs += [Plan(filters, one.sort), Plan(filters, Sort.DEFAULT)]
    return tuple(dict.fromkeys(rungs))


def needs_whole_studies(query: Query) -> bool:
    """Whether answer or criteria use more of a study than the series that are asked for."""
    if query.everything or query.resource not in _OF_SERIES:
        return True
    used = (*(c.attribute for c in query.criteria), *query.also_return)
    return any(_is_of_study(a, query.level) for a in used)


_OF_SERIES = (Resource.STUDY_SERIES, Resource.SERIES_INSTANCES, Resource.STUDY_INSTANCES)


def _is_of_study(attribute: Attribute, level: Level) -> bool:
    # What is in metadata, an instance has from its own image set, and a series from its study's
    own = attribute.origin is Origin.METADATA and level is Level.INSTANCE
    by_series = attribute.keyword in ("StudyInstanceUID", "RetrieveURL")
    return attribute.level is Level.STUDY and not (own or by_series)


def derived_criteria(query: Query) -> bool:
    """Whether a criterion needs every image set of a study that is shown."""
    return any(c.attribute.origin is Origin.DERIVED for c in query.criteria)


def _point(
    keyword: str, uids: Iterable[str], beside: tuple[ArrivalBetween, ...] = ()
) -> tuple[Plan, ...]:
    key = BY_KEYWORD[keyword].summary
    return tuple(Plan((Equal(key, uid), *beside), Sort.DEFAULT) for uid in uids)


def _text_filters(query: Query, options: SearchOptions) -> tuple[tuple[Equal, ...], ...]:
    """EQUAL on the most selective text key that is asked, each spelling for a lane of its own."""
    for keyword in _TEXT_KEYS:
        values = _exact(query, keyword)
        if values is not None and all(0 < len(value) < MAX_TEXT_LENGTH for value in values):
            key = BY_KEYWORD[keyword].summary
            return tuple((Equal(key, value),) for value in _spellings(values, options))
    return _NO_TEXT


def _exact(query: Query, keyword: str) -> tuple[str, ...] | None:
    """The values that all exact criteria on `keyword` leave, None where there is no such one."""
    left: tuple[str, ...] | None = None
    for criterion in query.criteria:
        match criterion.condition:
            case Exact(values) if criterion.attribute.keyword == keyword:
                texts = tuple(str(value) for value in values)
                left = texts if left is None else tuple(v for v in left if v in texts)
    return left


def _spellings(values: tuple[str, ...], options: SearchOptions) -> tuple[str, ...]:
    """Each value and, where the store may keep DICOM's even length, with its trailing space."""
    if options.equal_padding == "trimmed":
        return values
    odd = {v: len(v) % 2 or len(v.encode()) % 2 for v in values}
    return tuple(s for v in values for s in ((v, f"{v} ") if odd[v] else (v,)))


def _date_filter(query: Query) -> StudyDateBetween | None:
    """BETWEEN over whole days and a second at both ends: times differ within a study."""
    for criterion in query.criteria:
        match criterion:
            case Criterion(Attribute(keyword="StudyDate"), Range(lower, upper), time):
                unit = 1 if time is None else DAY_US
                return StudyDateBetween(
                    _day_before(None if lower is None else lower // unit),
                    _day_after(None if upper is None else upper // unit),
                )
    return None


def _arrival_filter(query: Query) -> tuple[ArrivalBetween, ...]:
    """BETWEEN over one arrival range and a second at both ends, none where none is asked.

    It is a superset at both of its ends. What a study or series is matched by is the time of one
    of its own image sets: the latest updatedAt, or the earliest createdAt. If that time lies in
    the range, then so does that image set, and the walk gives it, whatever the times of the others
    are. The reverse does not hold: an image set in the range may belong to a study whose latest
    one lies behind it. So whatever is found is fetched whole before it is matched.
    """
    for keyword in ARRIVAL:
        for criterion in query.criteria:
            match criterion:
                case Criterion(Attribute(keyword=name), Range(lower, upper)) if name == keyword:
                    first = _FIRST_S if lower is None else lower // SECOND_US - 1
                    last = _LAST_S if upper is None else upper // SECOND_US + 2
                    return (ArrivalBetween(keyword, _in_bounds(first), _in_bounds(last)),)
    return ()


def _in_bounds(seconds: int) -> int:
    return min(max(seconds, _FIRST_S), _LAST_S)


def _day_before(day: int | None) -> tuple[str, str]:
    return (FIRST_DATE, "000000") if day is None or day == 1 else (format_date(day - 1), "235959")


def _day_after(day: int | None) -> tuple[str, str]:
    if day is None or day == date.max.toordinal():
        return (LAST_DATE, "235959.999999")
    return (format_date(day + 1), "000000.999999")
