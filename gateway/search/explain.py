"""The explanation of a search: what is pushed down, what is matched here, and what it will cost.

Nothing is called for it. Every criterion is matched here, a pushed one too: a filter only narrows
what is fetched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gateway.qido.arrival import ARRIVAL
from gateway.qido.attributes import Origin, Resource
from gateway.qido.conditions import Condition, Criterion, Empty, Exact, Range, Wildcard
from gateway.qido.query import Query
from gateway.search.cost import Completed, Cost, completed_of, cost_of, sent_keywords, streams
from gateway.search.needs import needs_of
from gateway.search.plan import (
    MAX_TEXT_LENGTH,
    SearchOptions,
    SearchPlan,
    Sort,
    ladder,
    plan,
)
from gateway.search.wording import asked_of, name_of, text_of

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID")


class PushedFor(Enum):
    """Why a criterion is pushed down."""

    STUDY = "one walk for each UID gives the whole study"
    SERIES = "one walk for each UID gives the series, and nothing else of the study is asked"
    PART = "it is the most selective key; every study it finds is then fetched whole"
    TEXT = "it is the most selective key of this search"
    DATES = "SearchImageSets can filter by its range, alone or beside one key"
    ARRIVAL = "an image set of each match lies in it; every study it finds is then fetched whole"


class Widened(Enum):
    """How a filter is wider than its criterion, and why."""

    DAYS = "whole days, since times may differ within a study"
    BOUNDS = "a second more at both ends, since AWS does not say whether bounds are included"
    OPEN = "the first or the last date for an open end, since BETWEEN has two ends"
    SPELLINGS = "both spellings, since the store may keep the space that pads a text"


class MatchedFor(Enum):
    """Why a criterion is matched here and not pushed down."""

    METADATA = "only metadata tells it, which is read for what all other keys leave"
    NOTHING = "nothing is fetched: no StudyInstanceUID is in all of its criteria"
    DERIVED = "it is derived from the image sets of a whole study or series"
    TIME = "a time is never sent, since it may differ within a study"
    NO_FILTER = "SearchImageSets has no such filter"
    EMPTY = "SearchImageSets cannot ask for what has no value"
    WILD_CARD = "SearchImageSets has no wild cards"
    TOO_LONG = f"it is longer than {MAX_TEXT_LENGTH - 1} characters, which is all that is sent"
    WHOLE_STUDY = "the whole study is fetched, since the answer or a criterion needs it"
    BESIDE_UID = "a UID is sent alone, which is most surely legal"
    LESS_SELECTIVE = "only the most selective key is sent"


class Waits(Enum):
    """How long a study that was found waits before it is answered."""

    HOUR = "until the walk is an hour of study time past it"
    DAY = "until the walk is a whole day past it"
    END = "until everything was read"


@dataclass(frozen=True, slots=True)
class Pushed:
    """A criterion that a filter stands for; `filter` is its key and operator, without a value."""

    keyword: str
    asked: str = field(repr=False)
    filter: str
    why: PushedFor
    widened: tuple[Widened, ...] = ()


@dataclass(frozen=True, slots=True)
class Matched:
    """A criterion without a filter."""

    keyword: str
    asked: str = field(repr=False)
    why: MatchedFor


@dataclass(frozen=True, slots=True)
class Lane:
    """One walk: its filters with their values, and its sort."""

    filters: tuple[str, ...] = field(repr=False)
    sort: Sort


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a search will do.

    `ignored` holds sentences; `returned` the keywords that are returned beside the default ones;
    `order` those that results are sorted by, a descending one behind a hyphen;
    `rungs` the shapes that may follow where the upstream calls a walk's invalid, as the log has
    them.
    """

    resource: Resource
    pushed: tuple[Pushed, ...]
    matched: tuple[Matched, ...]
    ignored: tuple[str, ...]
    returned: tuple[str, ...]
    order: tuple[str, ...]
    lanes: tuple[Lane, ...]
    rungs: tuple[str, ...]
    waits: Waits
    completed: Completed
    asked_limit: int | None
    limit: int
    offset: int
    cost: Cost


def explain(query: Query, options: SearchOptions, limit: int, max_calls: int) -> Explanation:
    """What a search of `query` will do. Nothing is called.

    `limit` is how many results are given at most, `max_calls` the budget of a request.
    """
    found = plan(query, options)
    sent = sent_keywords(found)
    pushed = (c for c in query.criteria if _is_pushed(c, sent))
    matched = (c for c in query.criteria if not _is_pushed(c, sent))
    waiting = needs_of(query, options).waiting
    return Explanation(
        resource=query.resource,
        pushed=tuple(_pushed(one, found) for one in pushed),
        matched=tuple(
            Matched(
                name_of(c),
                asked_of(c),
                MatchedFor.METADATA if c in waiting else _why_here(c, sent),
            )
            for c in matched
        ),
        ignored=query.warnings,
        returned=tuple(attribute.keyword for attribute in query.also_return),
        order=tuple(f"{'-' * o.descending}{o.attribute.keyword}" for o in query.order),
        lanes=tuple(Lane(tuple(map(text_of, one.filters)), one.sort) for one in found.lanes),
        rungs=tuple(" ".join(rung.shape) for one in found.lanes[:1] for rung in ladder(one)[1:]),
        waits=_waits(query, found, options),
        completed=completed_of(found, options),
        asked_limit=query.limit,
        limit=limit,
        offset=query.offset,
        cost=cost_of(query, options, found, limit, max_calls),
    )


def _is_pushed(criterion: Criterion, sent: tuple[str, ...]) -> bool:
    # Beside the path's UID a key may ask for a study without one
    return criterion.attribute.keyword in sent and not isinstance(criterion.condition, Empty)


def _pushed(criterion: Criterion, found: SearchPlan) -> Pushed:
    match criterion.condition:
        case Range(lower, upper):
            open_end = (Widened.OPEN,) if lower is None or upper is None else ()
            widened: tuple[Widened, ...] = (Widened.BOUNDS, *open_end)
            why, sent = PushedFor.ARRIVAL, f"BETWEEN {criterion.attribute.keyword}"
            if criterion.attribute.keyword not in ARRIVAL:
                why, sent = PushedFor.DATES, "BETWEEN DICOMStudyDateAndTime"
                widened = (Widened.DAYS, *widened)
        case _:
            why = _why_sent(criterion.attribute.keyword, found)
            sent = f"EQUAL {criterion.attribute.summary}"
            both = why is PushedFor.TEXT and len(found.lanes) > 1
            widened = (Widened.SPELLINGS,) if both else ()
    return Pushed(name_of(criterion), asked_of(criterion), sent, why, widened)


def _why_sent(keyword: str, found: SearchPlan) -> PushedFor:
    match keyword:
        case "StudyInstanceUID":
            return PushedFor.STUDY
        case "SeriesInstanceUID":
            return PushedFor.PART if found.completes_all else PushedFor.SERIES
        case _:
            return PushedFor.TEXT


def _why_here(criterion: Criterion, sent: tuple[str, ...]) -> MatchedFor:
    attribute, condition = criterion.attribute, criterion.condition
    uid_sent = any(keyword in _UIDS for keyword in sent)
    rules = (
        (attribute.origin is Origin.DERIVED, MatchedFor.DERIVED),
        (isinstance(condition, Empty), MatchedFor.EMPTY),
        (attribute.keyword == "StudyTime", MatchedFor.TIME),
        (not attribute.pushable and attribute.keyword != "StudyDate", MatchedFor.NO_FILTER),
        (isinstance(condition, Wildcard), MatchedFor.WILD_CARD),
        (attribute.keyword not in _UIDS and _is_too_long(condition), MatchedFor.TOO_LONG),
        (not sent, MatchedFor.NOTHING),
        (attribute.keyword == "SeriesInstanceUID", MatchedFor.WHOLE_STUDY),
        (attribute.keyword not in _UIDS and uid_sent, MatchedFor.BESIDE_UID),
        (True, MatchedFor.LESS_SELECTIVE),
    )
    return next(why for holds, why in rules if holds)


def _is_too_long(condition: Condition) -> bool:
    match condition:
        case Exact(values):
            return any(len(str(value)) >= MAX_TEXT_LENGTH for value in values)
        case _:
            return False


def _waits(query: Query, found: SearchPlan, options: SearchOptions) -> Waits:
    if not streams(query, found):
        return Waits.END
    return Waits.HOUR if options.study_window == "hour" else Waits.DAY
