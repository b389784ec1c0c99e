"""Searches as the server runs them: options, limits, budget, and the words of their Warnings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field, replace

import orjson

from gateway.errors import QueryError, StudyWindowError, UpstreamUnavailableError
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.rungs import Rungs
from gateway.healthimaging.upstream import RequestUpstream
from gateway.healthimaging.walks import Walks
from gateway.qido.attributes import Level, returned_by_default
from gateway.qido.elements import in_order
from gateway.qido.query import Dialect, Query
from gateway.qido.result import Result
from gateway.search.metadata import Fault
from gateway.search.pipeline import count, search
from gateway.search.plan import SearchOptions
from gateway.search.tally import Tally
from gateway.server.answers import Answer, Answers, Whole
from gateway.server.bodies import BODIES, CHUNK_BYTES, Body, Ending

_MAYBE_MORE = "There may be additional results that can be requested"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may have and cost."""

    default_limit: int = 1_000
    max_results: int = 10_000
    max_calls: int = 400
    max_s: float = 30.0


class SearchService:
    """Runs searches of one data store, and remembers what it has learned of its order."""

    def __init__(
        self,
        walks: Walks,
        metadata: MetadataStore,
        options: SearchOptions,
        limits: Limits,
        dialect: Dialect,
        meters: Meters,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dialect = dialect
        self.meters = meters
        self._walks, self._metadata = walks, metadata
        self._limits, self._clock = limits, clock
        self._options = options
        self._rungs = Rungs(clock)
        self._answers = answers = Answers(walks.limits, clock)
        meters.watch_queue(lambda: walks.quota.waiting)
        meters.watch_walks(lambda: walks.alive, lambda: walks.held_bytes + answers.weight)
        meters.watch_metadata(lambda: metadata.weight)

    def start(self, query: Query) -> RunningSearch:
        """A search of `query`; nothing is called before its results are asked for."""
        asked = self._limits.default_limit if query.limit is None else query.limit
        budget = Budget(self._limits.max_calls, self._limits.max_s, self._clock)
        return RunningSearch(
            query=query,
            limit=min(asked, self._limits.max_results),
            options=self._options,
            upstream=RequestUpstream(self._walks, self._rungs, budget, self._metadata),
            on_disorder=self._trust_less,
            meters=self.meters,
            answers=self._answers,
        )

    def close(self) -> None:
        """Forget what is shared between searches."""
        self._walks.close()
        self._answers.close()

    def _trust_less(self, failed: SearchOptions) -> None:
        """After a part of a study came too late: hold whole days; after that trust no unmarked set.

        Each is dearer than what it follows, and gives an answer where that gives none. `failed` is
        what the search had: several may fail at once for the same reason.
        """
        if failed.study_window == "hour":
            self._options = replace(self._options, study_window="day")
        else:
            self._options = replace(self._options, trust_unmarked=False)


@dataclass(slots=True)
class RunningSearch:
    """One search: its results once, and at any moment what is known of it."""

    query: Query
    limit: int
    options: SearchOptions
    upstream: RequestUpstream
    on_disorder: Callable[[SearchOptions], None]
    meters: Meters
    answers: Answers
    tally: Tally = field(default_factory=Tally)
    _over: bool = False
    _told: int | None = None  # how many image sets were said to lack instances, once it was said

    @property
    def identity(self) -> Hashable:
        """What tells it from searches that find something else, or say something else of it."""
        query = self.query
        what = (query.resource, query.criteria, tuple(sorted(query.creators.items())))
        how = (query.also_return, query.everything, query.fetched, query.order, query.warnings)
        return (what, how, query.offset, self.limit, self.options)

    async def results(self) -> AsyncGenerator[Result, None]:
        """The results in order.

        Raises: ResultTooLargeError, UpstreamError.
        """
        found = search(self.query, self.options, self.upstream, self.limit, self.tally)
        with closing(self.upstream), self._learning():
            async with aclosing(found):
                async for result in found:
                    yield result
        self._over = True

    async def body(
        self, media_type: str, service: str, on_end: Callable[[dict[str, object]], None]
    ) -> AsyncGenerator[bytes, None]:
        """The body of an answer of an offered media type, in chunks.

        `service` is the base URL; `on_end` is told the facts, also when it ends early.

        Raises: QueryError, ResultTooLargeError, UpstreamError.
        """
        form, query = BODIES[media_type], self.query
        key = (self.identity, media_type, service)
        try:
            if (known := self.answers.get(key, continues=query.offset > 0)) is not None:
                self._repeat(known)
                yield known.body
                return
            attributes = in_order((*returned_by_default(query.resource), *query.also_return))
            encode = form.encoder(attributes, query.everything)
            pending, separator, whole = bytearray(form.beginning(attributes)), b"", Whole()
            if form.has_columns and query.everything and query.level is Level.INSTANCE:
                raise QueryError("includefield", "must name each attribute: CSV has fixed columns")
            async with aclosing(self.results()) as results:
                async for result in results:
                    pending += separator + encode(result, retrieve_url(service, result))
                    separator = form.separator
                    full = self.tally.results % form.chunk_results == 0
                    if full or len(pending) >= CHUNK_BYTES:
                        self._check_told(form)
                        yield whole.add(bytes(pending))
                        pending.clear()
                        # Results can come without any waiting, and others have to be served
                        await asyncio.sleep(0)
            self._check_told(form)
            last = whole.add(bytes(pending) + form.ending(self._ending()))
            if whole.body is not None:
                self.answers.put(key, Answer(whole.body, self.tally, tuple(self.upstream.read)))
            yield last
        finally:
            self._end(on_end)

    def _repeat(self, known: Answer) -> None:
        """Be the search whose answer is given again."""
        self.tally, self._over = known.tally, True
        self.upstream.repeat(known.walks)

    def _check_told(self, form: Body) -> None:
        """See that no instances went missing after the header had said that none does.

        Raises: UpstreamUnavailableError.
        """
        if form.held and self._told is not None and self._told < len(self.tally.partial):
            raise UpstreamUnavailableError("Metadata that the answer needs could not be read.")

    def _ending(self) -> Ending:
        return Ending(self.tally.results, self._remaining(), tuple(self.warnings()))

    async def count_json(
        self, on_end: Callable[[dict[str, object]], None]
    ) -> AsyncGenerator[bytes, None]:
        """The body of a count: the number of all results, whatever offset and limit say."""
        try:
            with closing(self.upstream), self._learning():
                number = await count(self.query, self.options, self.upstream, self.tally)
            self._over = True
            yield orjson.dumps({"count": number})
        finally:
            self._end(on_end)

    async def gathered(self, on_end: Callable[[dict[str, object]], None]) -> list[Result]:
        """All results at once, for what is made of a few of them.

        Raises: ResultTooLargeError, UpstreamError.
        """
        try:
            async with aclosing(self.results()) as results:
                return [result async for result in results]
        finally:
            self._end(on_end)

    def _end(self, on_end: Callable[[dict[str, object]], None]) -> None:
        self.meters.searched(self.upstream.budget.calls)
        on_end(self.facts())

    @contextmanager
    def _learning(self) -> Iterator[None]:
        """Let the next search know what this one meets."""
        try:
            yield
        except StudyWindowError:
            self.meters.late_part()
            self.on_disorder(self.options)
            raise

    def count_warnings(self) -> Iterator[str]:
        """What has to be said of a count: it is whole, but where instances may be missing."""
        yield from self.query.warnings
        yield from self._damaged()
        yield from self._left_out()

    def warnings(self) -> Iterator[str]:
        """What has to be said of the answer now, as sentences.

        Without the one on additional results the answer is whole.
        """
        self._told = len(self.tally.partial)
        yield from self.query.warnings
        yield from self._damaged()
        more = self._remaining()
        if more is None:
            yield _MAYBE_MORE
        elif more > 0:
            yield f"There are {more} additional results that can be requested"
        else:
            yield from self._left_out()

    def _damaged(self) -> Iterator[str]:
        for fault in (f for f in Fault if f in self.tally.faults):
            number = len(self.tally.faults[fault])
            yield f"The metadata of {number} image sets {fault.value}."
        if self.tally.partial:
            yield f"Instances of {len(self.tally.partial)} image sets may be missing."

    def _left_out(self) -> Iterator[str]:
        if self._over and self.tally.hidden:
            number = len(self.tally.hidden)
            yield f"{number} image sets that are not primary have been left out."

    def total(self) -> int | None:
        """The number of all results, those outside the window too, None where it is not known."""
        return None if self.tally.partial else self.tally.total

    def age_s(self) -> int | None:
        """How old the answer is, None where all of it was fetched for this request."""
        return self.upstream.age_s

    def _remaining(self) -> int | None:
        """How many results lie behind the window, None where that is not known."""
        if self.tally.total is None:
            return None
        return max(0, self.tally.total - self.query.offset - self.limit)

    def facts(self) -> dict[str, object]:
        """What the log says of it."""
        tally = self.tally
        return {
            "parameters": list(self.query.parameters),
            "calls": self.upstream.budget.calls,
            "pages": tally.pages,
            "image_sets": tally.image_sets,
            "results": tally.results,
            "hidden": len(tally.hidden),
            "unusable": tally.unusable,
            "faults": {fault.name: len(sets) for fault, sets in tally.faults.items()},
            "rungs": tally.rungs,
            "study_window": self.options.study_window,
        }


def retrieve_url(service: str, result: Result) -> str:
    """The absolute URL under which WADO-RS gives `result`."""
    values = result.values
    study = f"{service}/studies/{values['StudyInstanceUID'][0]}"
    if result.level is Level.STUDY:
        return study
    series = f"{study}/series/{values['SeriesInstanceUID'][0]}"
    if result.level is Level.SERIES:
        return series
    return f"{series}/instances/{values['SOPInstanceUID'][0]}"
