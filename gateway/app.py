"""The composition root: the only place where the parts are put together."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Mapping

from starlette.applications import Starlette

from gateway.config import Settings
from gateway.healthimaging.client import HealthImagingClient
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.metered import MeteredCalls
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.quota import Quota
from gateway.healthimaging.walks import Walks
from gateway.qido.query import Dialect
from gateway.server.routes import ServerOptions, create_app
from gateway.server.searches import Limits, SearchService


def build(settings: Settings, environment: Mapping[str, str] = os.environ) -> Starlette:
    """The application of `settings`. It calls nothing before its first search."""
    client = client_of(settings, environment)
    options = ServerOptions(
        public_base_url=settings.public_base_url,
        cors_origins=settings.cors_origins,
        no_match_status=settings.no_match_status,
        cache_control=settings.cache_control,
    )
    app = create_app(service_of(settings, client), options, client.aclose)
    # What stands now stays. A full collection that walked it, while metadata is read, would hold
    # every request for some 50 ms (bench/stall.py)
    gc.collect()
    gc.freeze()
    return app


def client_of(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> HealthImagingClient:
    """The client of the settings' data store. It calls nothing before its first search."""
    return HealthImagingClient(
        settings.datastore_id,
        settings.region,
        inject_host_prefix=not _has_own_endpoint(environment),
    )


def service_of(settings: Settings, client: HealthImagingClient) -> SearchService:
    """The searches of `settings`, made by `client`."""
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
    calls = MeteredCalls(client, meters)
    quota = Quota(settings.quota_limits, meters.waited)
    return SearchService(
        Walks(calls, quota, settings.walk_limits, meters, time.monotonic),
        MetadataStore(calls, settings.metadata_limits),
        settings.search_options,
        limits,
        dialect,
        meters,
    )


def _has_own_endpoint(environment: Mapping[str, str]) -> bool:
    # botocore would put "runtime-" before any endpoint's host; only AWS's own has such a name
    names = ("AWS_ENDPOINT_URL_MEDICAL_IMAGING", "AWS_ENDPOINT_URL")
    return any(environment.get(name) for name in names)
