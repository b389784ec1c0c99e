"""Requests that schemathesis makes of the OpenAPI document: no bug, and no answer outside of it.

`QIDO_EXAMPLES` is how many are made of the searches, by default 2,000.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import schemathesis
import structlog
import yaml
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from gateway.emulator.archive import summaries
from gateway.emulator.imagesets import ImageSets
from gateway.emulator.store import Store
from gateway.server.documents import document
from gateway.server.searches import Limits
from gateway.wado.upstream import Place
from tests.http.retrieval import ListedRetrieval, Stored, listed
from tests.http.upstream import app_over
from tests.laws.blobs import packed
from tests.laws.harness import StoreCalls, store_of

EXAMPLES = int(os.environ.get("QIDO_EXAMPLES", "2000"))
MODES = {"legal": GenerationMode.POSITIVE, "illegal": GenerationMode.NEGATIVE}
SHARES = {
    ("get", "legal"): 0.05,
    ("get", "illegal"): 0.02,
    ("head", "legal"): 0.007,
    ("head", "illegal"): 0.006,
}
"""Of the examples, for each of the six searches and their counts."""
RETRIEVES_SHARE = 0.1
"""Of these shares, for what is retrieved: there are many, and less is to be read of each."""
# An empty key and an unknown parameter are legal, which no schema can say; nor can one say that a
# range does not end before it begins
UNDECIDABLE: list[Any] = [negative_data_rejection, positive_data_acceptance]
PATHS: dict[str, Any] = yaml.safe_load(document())["paths"]
SEARCHES = [
    (path, method, mode)
    for path in (path for path, item in PATHS.items() if "parameters" in item)
    for method, mode in SHARES
]
OTHERS = [
    (path, method, "legal")
    for path, item in PATHS.items()
    for method in item
    if method != "parameters" and (path, method, "legal") not in SEARCHES
]


class MadeUp(dict[str, bytes]):
    """The metadata that the emulator makes up for what it is seeded with, by image set."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._image_sets = ImageSets(store)

    def __missing__(self, image_set_id: str) -> bytes:
        with self._image_sets.store.reading() as sql:
            version = self._image_sets.version(sql, image_set_id)
            instances = self._image_sets.instances(sql, version)
        self[image_set_id] = packed(self._image_sets.document(version, instances))
        return self[image_set_id]


class Anything(ListedRetrieval):
    """A data store that has whatever is asked for: the same series and instance by any name."""

    async def places(
        self, study_uid: str, series_uid: str = "", *, recent: bool = False
    ) -> Sequence[Place]:
        """The place of the series."""
        return list(self.stored)[:1]

    def _one(self, asked: str, place: Place, uid: str, syntax: str) -> Stored:
        return super()._one(asked, place, self.stored[place][0].uid, syntax)


@pytest.fixture(scope="module")
def operations() -> Iterator[Any]:
    """The operations of a gateway over an emulator's made-up archive, by path and method."""
    store = store_of(summaries(60))
    calls = StoreCalls(store, metadata=MadeUp(store))
    app = app_over(
        calls, limits=Limits(default_limit=4, max_results=8), retrieval=Anything(listed().stored)
    )
    yield schemathesis.openapi.from_asgi("/openapi.yaml", app)
    store.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(("path", "method", "mode"), [*SEARCHES, *OTHERS])
def test_generated_requests(operations: Any, path: str, method: str, mode: str) -> None:
    """Each answer has a status, a media type, fields and a body that the document describes."""
    number = round(EXAMPLES * SHARES[method, mode]) if (path, method, mode) in SEARCHES else 1
    if "retrieves" in PATHS[path]["get"]["tags"]:
        number = max(2, round(number * RETRIEVES_SHARE))
    statuses: Counter[int] = Counter()

    @given(operations[path][method].as_strategy(generation_mode=MODES[mode]))
    @settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def run(case: schemathesis.Case[Any]) -> None:
        response = case.call()
        statuses[response.status_code] += 1
        case.validate_response(response, excluded_checks=UNDECIDABLE)

    run()
    assert statuses.total() >= number
    assert 500 not in statuses
    if mode == "legal":  # most are answered, so that answers are looked at and not refusals alone
        assert 3 * statuses[400] < 2 * statuses.total()
