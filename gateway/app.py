"""The composition root: the only place where the parts are put together."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Mapping

from starlette.applications import Starlette

from gateway.config import Settings
from gateway.healthimaging.client import HealthImagingClient
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.metered import MeteredCalls
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.quota import Quota
from gateway.healthimaging.source import configured_endpoint
from gateway.healthimaging.walks import Walks
from gateway.qido.query import Dialect
from gateway.server.routes import ServerOptions, create_app
from gateway.server.searches import Limits, SearchService

_COLLECT_AFTER = 10_000
"""Objects that are made, and not freed, before Python looks for cycles among them."""


def build(settings: Settings, environment: Mapping[str, str] = os.environ) -> Starlette:
    """The application of `settings`. It calls nothing before its first search."""
    service, client = service_of(settings, environment)
    options = ServerOptions(
        public_base_url=settings.public_base_url,
        cors_origins=settings.cors_origins,
        no_match_status=settings.no_match_status,
        cache_control=settings.cache_control,
        forwarding=settings.forwarding,
    )

    async def close() -> None:
        service.close()
        await client.aclose()

    app = create_app(service, options, close)
    # What stands now stays. A full collection that walked it, while metadata is read, would hold
    # every request for some 50 ms (bench/stall.py)
    gc.collect()
    gc.freeze()
    # Else every few pages are a reason to look, for nothing: image sets and results have no
    # cycles. It was a tenth of the work
    gc.set_threshold(_COLLECT_AFTER)
    return app


def client_of(
    settings: Settings,
    environment: Mapping[str, str] = os.environ,
    on_throttled: Callable[[], None] = lambda: None,
) -> HealthImagingClient:
    """The client of the settings' data store. It calls nothing before its first search.

    `on_throttled` is told of each call that AWS has throttled.
    """
    return HealthImagingClient(
        settings.datastore_id,
        settings.region,
        # botocore would put "runtime-" before any endpoint's host; only AWS's own has such a name
        inject_host_prefix=not configured_endpoint(environment),
        pool_size=max(settings.quota_burst, settings.metadata.burst),
        on_throttled=on_throttled,
    )


def service_of(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> tuple[SearchService, HealthImagingClient]:
    """The searches of `settings`, and the client that makes their calls."""
    limits = Limits(
        default_limit=settings.default_limit,
        max_results=settings.max_results,
        max_calls=settings.scan_budget_calls,
        max_s=settings.scan_budget_s,
    )
    dialect = Dialect(
        strict=settings.strict_parameters,
        study_attributes=frozenset(settings.metadata.study_attributes),
    )
    meters = Meters()
    quota = Quota(settings.quota_limits, meters.waited)
    client = client_of(settings, environment, quota.throttled)
    calls = MeteredCalls(client, meters)
    service = SearchService(
        Walks(calls, quota, settings.walk_limits, meters, time.monotonic, client.source),
        MetadataStore(calls, settings.metadata_limits),
        settings.search_options,
        limits,
        dialect,
        meters,
    )
    return service, client
