"""The parts of a gateway put together for tests, over any upstream."""

from __future__ import annotations

from collections.abc import Callable

from gateway.healthimaging.budget import Budget
from gateway.healthimaging.metadata import MetadataLimits, MetadataStore
from gateway.healthimaging.metered import MeteredCalls
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.quota import Quota, QuotaLimits
from gateway.healthimaging.rungs import Rungs
from gateway.healthimaging.upstream import RequestUpstream
from gateway.healthimaging.walks import PAGE_SIZE, Calls, WalkLimits, Walks
from gateway.qido.query import Dialect
from gateway.search.plan import SearchOptions
from gateway.server.searches import Limits, SearchService

Clock = Callable[[], float]

NOT_SHARED = WalkLimits(ttl_s=0, continue_s=0, cache_bytes=0, scan_concurrency=1)
"""Every request has walks of its own, and makes one call after the other."""


def standing() -> float:
    """The time of a clock that stands."""
    return 0.0


def walks_over(
    calls: Calls,
    limits: WalkLimits = NOT_SHARED,
    clock: Clock = standing,
    page_size: int = PAGE_SIZE,
    meters: Meters | None = None,
) -> Walks:
    """Walks that never wait for the quota."""
    quota = Quota(QuotaLimits(1e6, 10**6))
    return Walks(calls, quota, limits, meters or Meters(), clock, page_size=page_size)


def upstream_over(
    calls: Calls,
    budget: Budget,
    store: MetadataStore | None = None,
    rungs: Rungs | None = None,
    page_size: int = PAGE_SIZE,
) -> RequestUpstream:
    """The upstream of one request."""
    walks = walks_over(calls, page_size=page_size)
    return RequestUpstream(walks, rungs or Rungs(standing), budget, store or MetadataStore(calls))


def service_over(
    calls: Calls,
    options: SearchOptions = SearchOptions(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
    dialect: Dialect = Dialect(),  # noqa: B008 - frozen
    cache_bytes: int = 10**8,
    walk_limits: WalkLimits = NOT_SHARED,
    clock: Clock = standing,
    page_size: int = PAGE_SIZE,
) -> SearchService:
    """A service that never waits for its turn to call."""
    meters = Meters()
    counted = MeteredCalls(calls, meters)
    store = MetadataStore(counted, MetadataLimits(cache_bytes, calls_per_s=1e6, burst=10**6))
    walks = walks_over(counted, walk_limits, clock, page_size, meters)
    return SearchService(walks, store, options, limits, dialect, meters, clock)
