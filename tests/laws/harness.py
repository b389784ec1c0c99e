"""The gateway over an emulator's store in one process: the same walk, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette

from gateway.emulator.store import Store, WireError
from gateway.emulator.variants import Variants
from gateway.healthimaging.body import Body
from gateway.healthimaging.client import criteria_of
from gateway.healthimaging.errors import error_of
from gateway.healthimaging.parsing import page_of
from gateway.healthimaging.walks import PAGE_SIZE, Calls, WalkLimits
from gateway.qido.attributes import Resource
from gateway.qido.query import Dialect, Query, parse_query
from gateway.search.imageset import Page
from gateway.search.plan import Plan, SearchOptions
from gateway.server.routes import ServerOptions, create_app
from gateway.server.searches import Limits, RunningSearch, SearchService
from tests.building import NOT_SHARED, Clock, service_over, standing
from tests.laws.blobs import Blobs
from tests.laws.oracle import Question, World, text_of

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
RESOURCES = {
    "studies": Resource.STUDIES,
    "series": Resource.ALL_SERIES,
    "study-series": Resource.STUDY_SERIES,
    "instances": Resource.ALL_INSTANCES,
    "study-instances": Resource.STUDY_INSTANCES,
    "series-instances": Resource.SERIES_INSTANCES,
}
SHARING = (
    NOT_SHARED,
    WalkLimits(),
    WalkLimits(cache_bytes=0),
    WalkLimits(ttl_s=1e9, continue_s=1e9, cache_bytes=1, scan_concurrency=2),
)
"""Walks and what is kept of them: off, as they are by default, and at their smallest sizes."""

MANY_CALLS = Limits(default_limit=10_000, max_results=10_000, max_calls=100_000, max_s=3600)


def store_of(summaries: Iterable[Mapping[str, Any]], variants: Variants = Variants()) -> Store:  # noqa: B008 - frozen
    """A store in memory that holds `summaries`, without their metadata."""
    store = Store(None, variants, DATASTORE_ID, clock=lambda: 0.0)
    store.add_summaries({k: v for k, v in one.items() if k != "metadata"} for one in summaries)
    return store


@dataclass
class StoreCalls:
    """HealthImaging's calls, asked of a store and of `metadata` (image set ids to blobs) directly.

    `served` counts the searches, `described` holds the image sets whose metadata was fetched.
    """

    store: Store
    page_size: int = 50
    metadata: Mapping[str, bytes] = field(default_factory=Blobs)
    served: int = 0
    described: list[str] = field(default_factory=list)
    log: list[tuple[str, ...]] = field(default_factory=list)

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page, as the client would give it."""
        self.served += 1
        self.log.append(one.shape)
        criteria = json.loads(json.dumps(criteria_of(one), default=lambda time: time.timestamp()))
        try:
            size = min(page_size, self.page_size)
            return page_of(self.store.search(criteria, size, next_token or None))
        except WireError as exc:
            metadata = {"HTTPStatusCode": exc.status}
            raise error_of({"Error": {"Code": exc.code}, "ResponseMetadata": metadata}) from None

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """The blob, as the client would give it."""
        self.described.append(image_set_id)
        return Body(Stream(self.metadata[image_set_id]))

    @property
    def calls(self) -> int:
        """All calls."""
        return self.served + len(self.described)


class Stream:
    """A body as aiobotocore streams it, in two pieces."""

    def __init__(self, blob: bytes) -> None:
        self.raw_stream = SimpleNamespace(headers={})
        self._pieces = [blob[: len(blob) // 2], blob[len(blob) // 2 :]]

    async def read(self, _: int) -> bytes:
        """The next piece, none at the end."""
        left = [piece for piece in self._pieces if piece]
        self._pieces = left[1:]
        return left[0] if left else b""

    def close(self) -> None:
        """There is nothing to close."""


def shared_as(*numbers: int) -> WalkLimits:
    """One position of `SHARING`, the same for the same numbers."""
    return SHARING[sum(numbers) % len(SHARING)]


def app_of(service: SearchService) -> Starlette:
    """The application that serves its searches."""

    async def nothing() -> None:
        return None

    return create_app(service, ServerOptions(), nothing)


@dataclass
class Gateway:
    """A gateway in front of an upstream."""

    calls: Calls
    options: SearchOptions = SearchOptions()  # noqa: RUF009 - frozen
    limits: Limits = MANY_CALLS
    dialect: Dialect = Dialect()  # noqa: RUF009 - frozen
    cache_bytes: int = 10**8
    walk_limits: WalkLimits = NOT_SHARED
    clock: Clock = standing
    page_size: int = PAGE_SIZE

    def __post_init__(self) -> None:
        self.service = service_over(
            self.calls,
            self.options,
            self.limits,
            self.dialect,
            self.cache_bytes,
            self.walk_limits,
            self.clock,
            self.page_size,
        )

    async def ask(
        self, question: Question, more: Sequence[tuple[str, str]] = ()
    ) -> tuple[bytes, RunningSearch]:
        """The body of the answer, and the search as it stands at its end."""
        running = self.service.start(query_of(question, more, self.dialect))
        body = running.body("application/dicom+json", World().base_url, lambda _: None)
        chunks = [chunk async for chunk in body]
        return b"".join(chunks), running


def dialect_of(world: World) -> Dialect:
    """How queries about a world are read."""
    return Dialect(study_attributes=frozenset(world.study_attributes))


def query_of(
    question: Question,
    more: Sequence[tuple[str, str]] = (),
    dialect: Dialect = Dialect(),  # noqa: B008 - frozen
) -> Query:
    """The query of a question, with `more` parameters."""
    return parse_query(
        RESOURCES[question.resource],
        urlencode([*parameters_of(question), *more]).encode(),
        study_uid=question.study_uid or None,
        series_uid=question.series_uid or None,
        dialect=dialect,
    )


def parameters_of(question: Question) -> list[tuple[str, str]]:
    """The parameters that ask a question."""
    parameters = [pair for criterion in question.criteria for pair in text_of(criterion)]
    parameters += [("includefield", keyword) for keyword in question.includefield]
    if question.orderby:
        parameters.append(("orderby", ",".join(question.orderby)))
    return parameters


async def answer_of(
    world: World,
    question: Question,
    variants: Variants = Variants(),  # noqa: B008 - frozen
    options: SearchOptions = SearchOptions(),  # noqa: B008 - frozen
    page_size: int = 50,
) -> list[dict[str, Any]]:
    """The gateway's whole answer to `question` over `world`."""
    store = store_of(world.summaries, variants)
    calls = StoreCalls(store, page_size, Blobs(world.summaries))
    sharing = shared_as(len(world.summaries), len(question.criteria), page_size)
    gateway = Gateway(calls, options, dialect=dialect_of(world), walk_limits=sharing)
    try:
        body, _ = await gateway.ask(question)
    finally:
        gateway.service.close()
        store.close()
    answer: list[dict[str, Any]] = json.loads(body)
    return answer
