"""The composition root: the only place where the parts are put together."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette

from gateway.config import Settings
from gateway.healthimaging.client import HealthImagingClient
from gateway.healthimaging.dicomweb import OPERATIONS, REGIONS, DicomWeb, endpoint_in
from gateway.healthimaging.fetching import Fetching
from gateway.healthimaging.framing import Frames
from gateway.healthimaging.imagesets import ImageSets
from gateway.healthimaging.locating import Locating
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.metered import MeteredCalls
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.pacing import Pace
from gateway.healthimaging.quota import Quota
from gateway.healthimaging.signing import Signer
from gateway.healthimaging.source import configured_endpoint
from gateway.healthimaging.walks import Walks
from gateway.qido.query import Dialect
from gateway.server.routes import ServerOptions, create_app
from gateway.server.searches import Limits, SearchService

_COLLECT_AFTER = 10_000
"""Objects that are made, and not freed, before Python looks for cycles among them."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What searching and retrieving share."""

    client: HealthImagingClient
    meters: Meters
    walks: Walks
    store: MetadataStore


def build(settings: Settings, environment: Mapping[str, str] = os.environ) -> Starlette:
    """The application of `settings`. It calls nothing before its first request."""
    parts = parts_of(settings, environment)
    service = _searches(settings, parts)
    retrieval = retrieval_of(settings, parts, environment)
    options = ServerOptions(
        public_base_url=settings.public_base_url,
        cors_origins=settings.cors_origins,
        no_match_status=settings.no_match_status,
        cache_control=settings.cache_control,
        page=settings.page,
        ohif_dir=settings.ohif_dir,
        forwarding=settings.forwarding,
    )

    async def close() -> None:
        service.close()
        if retrieval is not None:
            await retrieval.aclose()
        await parts.client.aclose()

    app = create_app(service, options, close, retrieval=retrieval)
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
    parts = parts_of(settings, environment)
    return _searches(settings, parts), parts.client


def parts_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> Parts:
    """What searching and retrieving share, by `settings`."""
    meters = Meters()
    quota = Quota(settings.quota_limits, meters.waited)
    client = client_of(settings, environment, quota.throttled)
    calls = MeteredCalls(client, meters)
    walks = Walks(calls, quota, settings.walk_limits, meters, time.monotonic, client.source)
    return Parts(client, meters, walks, MetadataStore(calls, settings.metadata_limits))


def retrieval_of(
    settings: Settings, parts: Parts, environment: Mapping[str, str] = os.environ
) -> DicomWeb | ImageSets | None:
    """What retrieving asks, None where it is off."""
    table, limits = settings.retrieve, settings.retrieve_limits
    configured = table.dicomweb_endpoint or configured_endpoint(environment)
    way = table.upstream
    if way == "auto":
        way = "dicomweb" if configured or settings.region in REGIONS else "image-sets"
    if way == "off":
        return None
    locating = Locating(
        parts.walks,
        parts.store,
        settings.search_options,
        limits,
        time.monotonic,
        joins_primary=way == "dicomweb",
    )
    if way == "image-sets":
        pace = Pace(limits.frames_per_s, limits.frames_burst)
        # Of its own: whoever reads frames slowly holds no search's connection
        frames = Frames(client_of(settings, environment), parts.meters, pace)
        return ImageSets(frames, locating)
    endpoint = configured or endpoint_in(settings.region)
    fetching = Fetching(
        endpoint,
        Signer(settings.region),
        parts.meters,
        {one: Pace(limits.calls_per_s, limits.burst) for one in OPERATIONS},
        pool_size=2 * table.burst,  # slow clients hold theirs for long
    )
    return DicomWeb(endpoint, settings.datastore_id, fetching, locating)


def _searches(settings: Settings, parts: Parts) -> SearchService:
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
    return SearchService(
        parts.walks, parts.store, settings.search_options, limits, dialect, parts.meters
    )
