"""What the gateway counts of itself, for Prometheus. No label holds what a request asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.errors import (
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamValidationError,
)

Operation = Literal[
    "SearchImageSets",
    "GetImageSetMetadata",
    "GetImageFrame",
    "GetDICOMSeriesMetadata",
    "GetDICOMInstanceMetadata",
    "GetDICOMInstance",
    "GetDICOMInstanceFrames",
    "GetDICOMBulkdata",
]
Outcome = Literal[
    "ok", "throttled", "rejected", "invalid", "unavailable", "timeout", "abandoned", "bug"
]
"""How a call ended; "abandoned" if the request's time ran out, or its client left, before."""
Source = Literal["fetched", "reused"]

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
SOURCES: tuple[Source, ...] = ("fetched", "reused")
METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"))
OTHER = "?"

# From the nearest to the farthest: an error is what the first of its kinds says
_OUTCOME_OF: Mapping[type[BaseException], Outcome] = {
    UpstreamThrottledError: "throttled",
    UpstreamValidationError: "invalid",
    UpstreamRejectedError: "rejected",
    UpstreamUnavailableError: "unavailable",
    UpstreamTimeoutError: "timeout",
}
OUTCOMES: tuple[Outcome, ...] = ("ok", *_OUTCOME_OF.values(), "abandoned", "bug")

_PREFIX = "qido_gateway"
_DURATION_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
_WAIT_S = (0, 0.04, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)
_CALLS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 400, 1000)


def outcome_of(error: BaseException | None) -> Outcome:
    """How a call ended that raised `error`, or gave an answer."""
    if error is None:
        return "ok"
    kinds = (outcome for kind, outcome in _OUTCOME_OF.items() if isinstance(error, kind))
    other: Outcome = "bug" if isinstance(error, Exception) else "abandoned"
    return next(kinds, other)


class Meters:
    """The counters of one application, in a registry of its own.

    What is counted is told by methods; what stands at any moment, by what `watch_…` is given, which
    is asked when somebody reads the metrics.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._counter(
            "requests", "Requests by the template of their route", "route", "method", "status"
        )
        self._duration = self._histogram(
            "request_duration_seconds",
            "From arrival to the end of the answer",
            _DURATION_S,
            "route",
        )
        self._search_calls = self._histogram(
            "search_calls", "Calls to HealthImaging a search has cost, retries included", _CALLS
        )
        calls = self._counter(
            "upstream_calls",
            "Calls to HealthImaging, each with its retries",
            "operation",
            "outcome",
        )
        retries = self._counter("upstream_retries", "Calls that were made again", "operation")
        pages = self._counter("pages", "Pages that searches have read", "source")
        self._windows = self._counter("date_windows", "Parallel date windows that were begun")
        self._late = self._counter(
            "late_parts", "Searches that failed because a part of a study came too late"
        )
        self._lost = self._counter("lost_walks", "Walks that were lost and begun anew")
        self._malformed = self._counter(
            "malformed_instances", "Instances left out of metadata because they were malformed"
        )
        self._waited = self._histogram(
            "quota_wait_seconds", "How long a call has waited for its turn", _WAIT_S
        )
        self._waiting = self._gauge("quota_waiting_calls", "Calls that wait for their turn")
        self._walks = self._gauge("walks", "Walks that are open or kept")
        self._walk_bytes = self._gauge("walk_bytes", "Memory that the pages of walks take, about")
        self._metadata_bytes = self._gauge("metadata_bytes", "Memory of kept metadata, about")
        # Looked up once: a rate needs a beginning, and each page counts
        self._calls_of = {(op, end): calls.labels(op, end) for op in OPERATIONS for end in OUTCOMES}
        self._retries_of = {operation: retries.labels(operation) for operation in OPERATIONS}
        self._pages_of = {source: pages.labels(source) for source in SOURCES}

    def request(self, route: str, method: str, status: int, duration_s: float) -> None:
        """A request is over; `route` is a template, `status` 0 if nothing was sent."""
        known = method if method in METHODS else OTHER
        self._requests.labels(route, known, str(status)).inc()
        self._duration.labels(route).observe(duration_s)

    def searched(self, calls: int) -> None:
        """A search is over, and has cost so many calls."""
        self._search_calls.observe(calls)

    def call(self, operation: Operation, outcome: Outcome, attempts: int = 1) -> None:
        """A call to HealthImaging is over, after so many attempts."""
        self._calls_of[operation, outcome].inc()
        self._retries_of[operation].inc(attempts - 1)

    def page(self, source: Source) -> None:
        """A search has read a page: fetched for it, or there already."""
        self._pages_of[source].inc()

    def date_window(self) -> None:
        """A parallel date window has begun."""
        self._windows.inc()

    def late_part(self) -> None:
        """A search has failed by StudyWindowError."""
        self._late.inc()

    def lost_walk(self) -> None:
        """A walk was lost, and begins anew."""
        self._lost.inc()

    def malformed_instance(self) -> None:
        """An instance was left out of retrieved metadata."""
        self._malformed.inc()

    def waited(self, wait_s: float) -> None:
        """A call has had its turn after so many seconds."""
        self._waited.observe(wait_s)

    def watch_queue(self, length: Callable[[], float]) -> None:
        """Let `length` tell how many calls wait for their turn."""
        self._waiting.set_function(length)

    def watch_walks(self, number: Callable[[], float], held_bytes: Callable[[], float]) -> None:
        """Let `number` tell how many walks there are, and `held_bytes` what their pages take."""
        self._walks.set_function(number)
        self._walk_bytes.set_function(held_bytes)

    def watch_metadata(self, held_bytes: Callable[[], float]) -> None:
        """Let `held_bytes` tell what the metadata that is kept takes."""
        self._metadata_bytes.set_function(held_bytes)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", told, labels, registry=self.registry)

    def _gauge(self, name: str, told: str) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", told, registry=self.registry)

    def _histogram(
        self, name: str, told: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", told, labels, registry=self.registry, buckets=buckets)


def attempts_of(error: BaseException) -> int:
    """How many calls it took to learn of `error`."""
    return error.attempts if isinstance(error, UpstreamError) else 1
