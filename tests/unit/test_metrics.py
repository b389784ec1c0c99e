"""What is counted, how each call's end is told, and that an application counts for itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from prometheus_client import generate_latest

from gateway.errors import (
    StudyWindowError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamValidationError,
    WalkLostError,
)
from gateway.healthimaging.body import Body
from gateway.healthimaging.metered import MeteredCalls
from gateway.healthimaging.metrics import OUTCOMES, Meters, outcome_of
from gateway.search.imageset import Page
from gateway.search.plan import Plan, completion


def value(meters: Meters, name: str, **labels: str) -> float | None:
    """What a sample stands at."""
    return meters.registry.get_sample_value(f"qido_gateway_{name}", labels)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (UpstreamThrottledError("no"), "throttled"),
        (UpstreamRejectedError("no"), "rejected"),
        (UpstreamValidationError("no"), "invalid"),
        (UpstreamUnavailableError("no"), "unavailable"),
        (WalkLostError("no"), "unavailable"),
        (StudyWindowError("no"), "unavailable"),
        (UpstreamTimeoutError("no"), "timeout"),
        (asyncio.CancelledError(), "abandoned"),
        (ValueError(), "bug"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_outcomes(error: BaseException | None, outcome: str) -> None:
    """Each end of a call has its outcome, and each outcome stands at 0 from the start."""
    assert outcome == outcome_of(error)
    assert outcome in OUTCOMES
    for operation in ("SearchImageSets", "GetImageSetMetadata"):
        labels = {"operation": operation, "outcome": outcome}
        assert 0 == value(Meters(), "upstream_calls_total", **labels)


@dataclass
class Calls:
    """Answers after so many attempts, or raises `error`."""

    attempts: int = 1
    error: BaseException | None = None

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """An empty page."""
        if self.error:
            raise self.error
        return Page((), attempts=self.attempts)

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """That it is gone."""
        if self.error:
            raise self.error
        return Body(None, self.attempts)


async def test_calls_are_counted() -> None:
    """A call counts once by how it ended, and each further attempt as a retry."""
    meters, throttled = Meters(), UpstreamThrottledError("no")
    throttled.attempts = 3
    for calls in (Calls(), Calls(attempts=2), Calls(error=throttled)):
        metered = MeteredCalls(calls, meters)
        for call in (
            metered.search_image_sets(completion("1.2"), 50, ""),
            metered.image_set_metadata("a", 1),
        ):
            try:
                await call
            except UpstreamError as exc:
                assert exc is calls.error
    for operation in ("SearchImageSets", "GetImageSetMetadata"):
        found = [
            value(meters, "upstream_calls_total", operation=operation, outcome=outcome)
            for outcome in ("ok", "throttled", "abandoned")
        ]
        assert [2, 1, 0] == found
        assert 3 == value(meters, "upstream_retries_total", operation=operation)


async def test_a_call_that_is_given_up() -> None:
    """A call whose request is over is counted as abandoned, and ends as it was ended."""
    meters = Meters()
    metered = MeteredCalls(Calls(error=asyncio.CancelledError()), meters)
    with pytest.raises(asyncio.CancelledError):
        await metered.image_set_metadata("a", 1)
    labels = {"operation": "GetImageSetMetadata", "outcome": "abandoned"}
    assert 1 == value(meters, "upstream_calls_total", **labels)


def used() -> Meters:
    """Meters of which each method was called once."""
    meters = Meters()
    meters.request("/metrics", "GET", 200, 0.3)
    meters.searched(7)
    meters.call("SearchImageSets", "ok")
    meters.page("reused")
    meters.date_window()
    meters.late_part()
    meters.lost_walk()
    meters.waited(0.2)
    meters.watch_queue(lambda: 4)
    meters.watch_walks(lambda: 5, lambda: 6)
    meters.watch_metadata(lambda: 8)
    return meters


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("requests_total", {"route": "/metrics", "method": "GET", "status": "200"}, 1),
        ("request_duration_seconds_sum", {"route": "/metrics"}, 0.3),
        ("request_duration_seconds_bucket", {"route": "/metrics", "le": "0.5"}, 1),
        ("request_duration_seconds_bucket", {"route": "/metrics", "le": "0.25"}, 0),
        ("search_calls_sum", {}, 7),
        ("search_calls_bucket", {"le": "5.0"}, 0),
        ("upstream_calls_total", {"operation": "SearchImageSets", "outcome": "ok"}, 1),
        ("upstream_retries_total", {"operation": "SearchImageSets"}, 0),
        ("pages_total", {"source": "reused"}, 1),
        ("pages_total", {"source": "fetched"}, 0),
        ("date_windows_total", {}, 1),
        ("late_parts_total", {}, 1),
        ("lost_walks_total", {}, 1),
        ("quota_wait_seconds_sum", {}, 0.2),
        ("quota_wait_seconds_bucket", {"le": "0.1"}, 0),
        ("quota_waiting_calls", {}, 4),
        ("walks", {}, 5),
        ("walk_bytes", {}, 6),
        ("metadata_bytes", {}, 8),
    ],
)
def test_each_is_counted(name: str, labels: dict[str, str], expected: float) -> None:
    """What is told stands in the metric of its name."""
    assert expected == value(used(), name, **labels)


@pytest.mark.parametrize(("method", "label"), [("GET", "GET"), ("FOO", "?"), ("get", "?")])
def test_methods(method: str, label: str) -> None:
    """A method that a client has made up is no label."""
    meters = Meters()
    meters.request("?", method, 405, 0)
    assert 1 == value(meters, "requests_total", route="?", method=label, status="405")


def test_applications_count_for_themselves() -> None:
    """Nothing is shared, and nothing counts in the library's own registry."""
    one, other = used(), Meters()
    assert (1, 0) == (value(one, "late_parts_total"), value(other, "late_parts_total"))
    assert b"qido" not in generate_latest()
