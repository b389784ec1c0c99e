"""What a search costs: the bounds of its calls, read off its plan before anything is called.

The numbers are those of `gateway.search.pipeline`, for an answer that is read to its end, without
the retries of calls that failed. They hold whatever the store does where AWS does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from gateway.qido.attributes import BY_KEYWORD, Level
from gateway.qido.query import Query
from gateway.search.needs import needs_of
from gateway.search.plan import (
    ArrivalBetween,
    CreatedBetween,
    Equal,
    Filter,
    Plan,
    SearchOptions,
    SearchPlan,
    Sort,
    closed_days,
    derived_criteria,
    ladder,
)

PAGE_SIZE = 50
"""Image sets a call: the most that SearchImageSets gives (documented)."""

RESULTS: Mapping[Level, str] = MappingProxyType(
    {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}
)
"""What the results of a level are called."""

_KEYWORD_OF = {a.summary: keyword for keyword, a in BY_KEYWORD.items() if a.pushable}
_REFUSED = "with that many it is refused (413), or cut after its first bytes."


class Completed(Enum):
    """Which studies are fetched once more, whole, by their StudyInstanceUID, and why."""

    NONE = "none: the walks give every image set that the answer needs"
    IN_DOUBT = "those without a sure primary image set, or whose primary image sets disagree"
    SHOWN = "each that is shown: the filters may not find all image sets that it shows"
    FOUND = "each that is found: the filters find only a part of it"


@dataclass(frozen=True, slots=True)
class Cost:
    """How many calls an answered search takes, retries aside.

    `least` is what every store costs, an empty one too. `full` is the least where as many results
    are found as offset and limit ask for, in any store; None where that cannot be. `most` is where
    the budget of a request ends it; `full` may lie beyond. `usual` says in sentences what decides
    between them.
    """

    least: int
    most: int
    full: int | None
    usual: tuple[str, ...]


def cost_of(
    query: Query, options: SearchOptions, found: SearchPlan, limit: int, max_calls: int
) -> Cost:
    """The cost of `found`, the plan of `query`.

    `limit` is how many results are given at most, `max_calls` the budget of a request.
    """
    if limit == 0:
        return Cost(0, 0, None, ("Nothing is called: no result is asked for.",))
    if not found.lanes:
        return Cost(0, 0, None, ("Nothing is called: nothing can match.",))
    costs = _Costs(query, options, found, limit)
    full = costs.full()
    usual = [costs.walks(), *costs.more()]
    if len(found.lanes) > max_calls:
        usual.append(f"There are more walks than a request may make calls: {_REFUSED}")
    elif full is not None and full > max_calls:
        usual.append(f"So many results need more calls than a request may make: {_REFUSED}")
    return Cost(min(len(found.lanes), max_calls), max_calls, full, tuple(usual))


def completed_of(found: SearchPlan, options: SearchOptions) -> Completed:
    """Which studies are completed."""
    if found.sufficient:
        return Completed.NONE
    if found.completes_all:
        return Completed.FOUND
    if options.image_sets == "primary" and options.trust_unmarked:
        return Completed.IN_DOUBT
    return Completed.SHOWN


def sent_keywords(found: SearchPlan) -> tuple[str, ...]:
    """The keywords that filters stand for, the one of an EQUAL first; all lanes have the same."""
    filters = found.lanes[0].filters if found.lanes else ()
    return tuple(map(_keyword_of, filters))


def _keyword_of(one: Filter) -> str:
    match one:
        case Equal(key):
            return _KEYWORD_OF[key]
        case ArrivalBetween(key):
            return key
        case _:
            return "StudyDate"


def equal_keyword(found: SearchPlan) -> str:
    """The keyword that every lane has an EQUAL filter on, "" where there is none."""
    filters = found.lanes[0].filters if found.lanes else ()
    return next((_KEYWORD_OF[f.key] for f in filters if isinstance(f, Equal)), "")


def _by_arrival(found: SearchPlan) -> bool:
    return any(isinstance(f, ArrivalBetween) for one in found.lanes for f in one.filters)


def streams(query: Query, found: SearchPlan) -> bool:
    """Whether results are given while the walk goes on, if the upstream takes its sort."""
    return not query.order and _by_date(found)


def _by_date(found: SearchPlan) -> bool:
    return [one.sort for one in found.lanes] == [Sort.STUDY_DATE]


@dataclass(frozen=True, slots=True)
class _Costs:
    """The parts of the cost of a plan that has lanes, for at least one result."""

    query: Query
    options: SearchOptions
    found: SearchPlan
    limit: int

    @property
    def _results(self) -> int:
        return self.query.offset + self.limit

    @property
    def _of_studies(self) -> bool:
        return self.query.level is Level.STUDY

    def full(self) -> int | None:
        """The least number of calls if offset and limit are filled.

        Each study or series needs an image set of its own, so the calls have at least one for every
        `PAGE_SIZE` of them; all instances may be in one. What is read of metadata may have been
        kept. None where there are more results than studies that are asked for.
        """
        lanes = len(self.found.lanes)
        by_study = equal_keyword(self.found) == "StudyInstanceUID"
        if self._of_studies and by_study and self._results > lanes:
            return None
        pages = 1 if self.query.level is Level.INSTANCE else -(-self._results // PAGE_SIZE)
        if self._of_studies:  # the walks have met each study before it is completed
            calls = max(lanes, pages) + self._completions()
        else:  # the series may be those of one study, met in one image set
            calls = max(lanes + self._completions(), pages)
        if lanes > 1:
            return calls
        return min(calls, _refusals(self.found.lanes[0]) + pages)

    def _completions(self) -> int:
        """How many completing calls as many results take at least."""
        match completed_of(self.found, self.options):
            case Completed.NONE | Completed.IN_DOUBT:
                return 0
            case _ if not self._of_studies:
                return 1
            case Completed.SHOWN if not (derived_criteria(self.query) or self.query.order):
                return self.limit  # those before the offset are only counted
            case _:
                return self._results

    def walks(self) -> str:
        """What the walks cost."""
        lanes, keyword = len(self.found.lanes), equal_keyword(self.found)
        named = {"StudyInstanceUID": "study", "SeriesInstanceUID": "series"}.get(keyword)
        if named and lanes == 1:
            return (
                f"1 call where the {named} has at most {PAGE_SIZE} image sets, "
                f"one more for each further {PAGE_SIZE}."
            )
        if named:
            return f"1 call for each {named}, one more for each further {PAGE_SIZE} image sets."
        which = f" with this {keyword}" if keyword else ""
        which += " of these dates" if self.found.dated_only else ""
        which += " that came in this range" if _by_arrival(self.found) else ""
        call = f"1 call for each {PAGE_SIZE} image sets{which}"
        if lanes > 1:
            return f"{call}, at least one for each spelling: all of them are read."
        if not streams(self.query, self.found):
            return f"{call}: all of them are read, since the answer has another order than they."
        results = f"{self._results:,} {RESULTS[self.query.level]}"
        window = {"hour": "an hour", "day": "a day"}[self.options.study_window]
        return f"{call}, until {results} are found, and {window} of study time past the last."

    def more(self) -> Iterator[str]:
        """What may come on top."""
        asked = {c.attribute.keyword for c in self.query.criteria}
        if streams(self.query, self.found) and asked - set(sent_keywords(self.found)):
            yield "The fewer match what is matched here, the more are read."
        days = closed_days(self.found.lanes[0]) if _by_date(self.found) else None
        if days is not None and days[0] < days[1]:
            yield "A long range is read in windows of days at once, half a call more for each."
        if _by_date(self.found) and not self.found.dated_only:
            yield "1 call more where the store puts studies without a date first."
        if which := _COMPLETED_IN_WORDS.get(completed_of(self.found, self.options)):
            yield f"1 call more for each {PAGE_SIZE} image sets of each study {which}."
        if sentence := self._metadata():
            yield sentence
        yield "1 call more for each search whose form the store calls invalid."

    def _metadata(self) -> str:
        """What reading metadata costs, "" where none is read."""
        needs = needs_of(self.query, self.options)
        one = "study" if self._of_studies else "series"
        if not needs.anything:
            return ""
        if not needs.decides:
            which = f"each {one} that is shown"
        elif self.query.order:
            which = f"each {one} that the summaries leave"
        else:
            results = f"{self._results:,} {RESULTS[self.query.level]}"
            which = f"each {one} that the summaries leave, until {results} are found"
        return f"1 call for the metadata of each image set of {which}; what was kept is free."


_COMPLETED_IN_WORDS = {
    Completed.IN_DOUBT: "whose primary image sets are in doubt",
    Completed.SHOWN: "that is shown, unless the whole store was read",
    Completed.FOUND: "that is found",
}


def _refusals(one: Plan) -> int:
    """How many calls are refused at least before a walk of every image set, in no wanted order.

    Such a walk needs no completion. A rung without the EQUAL of its plan is never remembered, so
    that those between it and the last rung with an EQUAL are tried each time.
    """
    rungs = ladder(one)
    everything = next(n for n, rung in enumerate(rungs) if _is_everything(rung))
    equal = [n for n, rung in enumerate(rungs) if any(isinstance(f, Equal) for f in rung.filters)]
    return everything - equal[-1] if equal else 0


def _is_everything(one: Plan) -> bool:
    return one.sort is Sort.DEFAULT and all(isinstance(f, CreatedBetween) for f in one.filters)
