"""The gateway over an emulator's store in one process: the same walk, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from gateway.emulator.store import Store, WireError
from gateway.emulator.variants import Variants
from gateway.healthimaging.client import criteria_of, error_of, page_of
from gateway.healthimaging.walk import Calls
from gateway.qido.attributes import Resource
from gateway.qido.query import Dialect, parse_query
from gateway.search.imageset import Page
from gateway.search.plan import Plan, SearchOptions
from gateway.server.searches import Limits, RunningSearch, SearchService
from tests.laws.oracle import Question, World, text_of

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
RESOURCES = {
    "studies": Resource.STUDIES,
    "series": Resource.ALL_SERIES,
    "study-series": Resource.STUDY_SERIES,
}
MANY_CALLS = Limits(default_limit=10_000, max_results=10_000, max_calls=100_000, max_s=3600)


def store_of(summaries: Iterable[Mapping[str, Any]], variants: Variants = Variants()) -> Store:  # noqa: B008 - frozen
    """A store in memory that holds `summaries`."""
    store = Store(None, variants, DATASTORE_ID, clock=lambda: 0.0)
    store.add_summaries(summaries)
    return store


@dataclass
class StoreCalls:
    """SearchImageSets asked of a store directly; `served` counts the calls."""

    store: Store
    page_size: int = 50
    served: int = 0
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


@dataclass
class Gateway:
    """A gateway in front of an upstream."""

    calls: Calls
    options: SearchOptions = SearchOptions()  # noqa: RUF009 - frozen
    limits: Limits = MANY_CALLS

    def __post_init__(self) -> None:
        self.service = SearchService(
            self.calls, self.options, self.limits, Dialect(), clock=lambda: 0.0
        )

    async def ask(
        self, question: Question, more: Sequence[tuple[str, str]] = ()
    ) -> tuple[bytes, RunningSearch]:
        """The body of the answer, and the search as it stands at its end."""
        parameters = [pair for criterion in question.criteria for pair in text_of(criterion)]
        parameters += [("includefield", keyword) for keyword in question.includefield]
        if question.orderby:
            parameters.append(("orderby", ",".join(question.orderby)))
        query = parse_query(
            RESOURCES[question.resource],
            urlencode([*parameters, *more]).encode(),
            study_uid=question.study_uid or None,
        )
        running = self.service.start(query)
        chunks = [chunk async for chunk in running.json(World().base_url, lambda _: None)]
        return b"".join(chunks), running


async def answer_of(
    summaries: Sequence[Mapping[str, Any]],
    question: Question,
    variants: Variants = Variants(),  # noqa: B008 - frozen
    options: SearchOptions = SearchOptions(),  # noqa: B008 - frozen
    page_size: int = 50,
) -> list[dict[str, Any]]:
    """The gateway's whole answer to `question` over `summaries`."""
    store = store_of(summaries, variants)
    try:
        body, _ = await Gateway(StoreCalls(store, page_size), options).ask(question)
    finally:
        store.close()
    answer: list[dict[str, Any]] = json.loads(body)
    return answer
