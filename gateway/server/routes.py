"""The routes, and the endpoint behind each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, compile_path
from starlette.types import Receive, Scope, Send

from gateway.healthimaging.metrics import Meters
from gateway.qido.attributes import Resource
from gateway.qido.query import Query, parse_query
from gateway.server.caching import CacheControl
from gateway.server.capabilities import METHODS, Capabilities
from gateway.server.compression import allow_compression
from gateway.server.documents import DocsPage, openapi
from gateway.server.endpoint import run
from gateway.server.forwarded import DIRECT, ForwardedRequests, Forwarding
from gateway.server.negotiation import (
    JSON,
    OFFERED,
    check_charset,
    choose_media_type,
    parameter_of,
)
from gateway.server.page import Page
from gateway.server.paths import (
    ROOT,
    PlainRequests,
    check_uri_length,
    own_path,
    plain_path,
    service_url,
)
from gateway.server.pixels import Pixels
from gateway.server.rendering import rendered_routes
from gateway.server.responses import SearchAnswer, problem
from gateway.server.retrieving import RetrieveOptions, retrieve_routes
from gateway.server.searches import SearchService
from gateway.server.telemetry import Metrics, RequestLog, record_of
from gateway.server.viewer import VIEWER, Viewer
from gateway.server.wado_uri import wado_uri_routes
from gateway.wado.upstream import Retrieval

COUNT = "/count"
"""What stands behind the path of a search whose results are only counted."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What an operator decides about the server."""

    public_base_url: str | None = None
    cors_origins: Sequence[str] = ()
    no_match_status: int = 200
    cache_control: CacheControl = "no-cache"
    page: bool = True
    ohif_dir: Path | None = None
    forwarding: Forwarding = DIRECT


def create_app(
    service: SearchService,
    options: ServerOptions,
    on_close: Callable[[], Awaitable[None]],
    retrieval: Retrieval | None = None,
) -> Starlette:
    """The ASGI application that answers from `service`; `on_close` is awaited at its end.

    Without `retrieval` there is nothing to retrieve.
    """
    allow_compression()

    class Lifespan:
        async def __aenter__(self) -> None:
            return None

        async def __aexit__(self, *_: object) -> None:
            await on_close()

    app = Starlette(
        routes=_routes(service, options, retrieval),
        middleware=_middleware(service, options),
        exception_handlers={HTTPException: _http_problem},
        lifespan=lambda _: Lifespan(),
    )
    app.router.redirect_slashes = False
    return app


def _routes(
    service: SearchService, options: ServerOptions, retrieval: Retrieval | None
) -> list[Route]:
    searches = [
        Route(ROOT + resource.value, SearchEndpoint(resource, service, options), methods=["GET"])
        for resource in Resource
    ]
    counts = [
        Route(
            ROOT + resource.value + COUNT,
            CountEndpoint(resource, service, options),
            methods=["GET"],
        )
        for resource in Resource
    ]
    capabilities = Capabilities(service.dialect, retrieves=retrieval is not None)
    viewer = Viewer(options.ohif_dir)
    page = Page(service, is_on=options.page, has_viewer=options.ohif_dir is not None)
    return [
        *searches,
        *counts,
        *(
            [Route(ROOT, capabilities, methods=["GET", "OPTIONS"])]
            if retrieval is None
            else _retrieves(retrieval, service.meters, options, capabilities)
        ),
        Route("/healthz", _healthy),
        Route("/readyz", _healthy),
        Route("/metrics", Metrics(service.meters), methods=["GET"]),
        Route("/openapi.yaml", openapi),
        Route("/docs", DocsPage(), methods=["GET"]),
        Route("/", page, methods=["GET"]),
        Route(VIEWER, viewer, methods=["GET"]),
        Route(VIEWER + "/{path:path}", viewer, methods=["GET"]),
    ]


def _retrieves(
    retrieval: Retrieval, meters: Meters, options: ServerOptions, capabilities: Capabilities
) -> list[Route]:
    pixels = Pixels(retrieval)
    given = RetrieveOptions(options.public_base_url, options.cache_control)
    return [
        *wado_uri_routes(retrieval, pixels, given, capabilities),
        *rendered_routes(pixels, given),
        *retrieve_routes(retrieval, meters, given, pixels),
    ]


def _middleware(service: SearchService, options: ServerOptions) -> list[Middleware]:
    """What each request passes, the outermost first."""
    passed = [Middleware(RequestLog, meters=service.meters), Middleware(PlainRequests)]
    if options.forwarding != DIRECT:
        passed.append(Middleware(ForwardedRequests, forwarding=options.forwarding))
    if options.cors_origins:
        passed.append(
            Middleware(
                CORSMiddleware,
                allow_origins=options.cors_origins,
                allow_methods=METHODS,
                # What is always allowed, in Starlette's letters, and what is not
                allow_headers=[
                    "Accept",
                    "Content-Type",
                    "Authorization",
                    "If-None-Match",
                    "X-Request-ID",
                ],
                expose_headers=[
                    "Age",
                    "Warning",
                    "Content-Location",
                    "ETag",
                    "X-Request-ID",
                    "X-Total-Count",
                ],
                max_age=600,
            )
        )
    return passed


async def _healthy(request: Request) -> Response:
    # Both say only that this process serves: an upstream's outage must not restart it
    record_of(request.scope).facts["route"] = own_path(request.scope)
    return PlainTextResponse("ok\n")


async def _http_problem(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - the only one it is registered for
    if exc.status_code == 404:
        return problem(404, "There is no such resource.")
    read = set((exc.headers or {}).get("Allow", "").split(", "))
    allow = ", ".join(sorted({*read, "OPTIONS"}))
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"allow": allow})
    return problem(405, "This resource is read by GET.", {"allow": allow})


def resource_at(path: str) -> tuple[Resource, dict[str, str]] | None:
    """The resource whose route has `path` (percent-decoded), and the UIDs that are in it.

    These are named as `parse_query` has them. None where no route has the path.
    """
    for resource in Resource:
        pattern, _, _ = compile_path(ROOT + resource.value)
        if found := pattern.match(plain_path(path)):
            return resource, _uids_of(found.groupdict())
    return None


def _uids_of(path_params: Mapping[str, str]) -> dict[str, str]:
    return {f"{level}_uid": uid for level, uid in path_params.items()}


class SearchEndpoint:
    """One search resource."""

    suffix = ""
    offered: Sequence[str] = OFFERED

    def __init__(self, resource: Resource, service: SearchService, options: ServerOptions) -> None:
        self._resource, self._service, self._options = resource, service, options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and end the walk when the client leaves."""
        route = ROOT + self._resource.value + self.suffix
        await run(self._answer, route, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._search(scope)(scope, receive, send)

    def _search(self, scope: Scope) -> SearchAnswer:
        check_uri_length(scope)
        query_string: bytes = scope["query_string"]
        headers = Headers(scope=scope)
        accept = ", ".join(headers.getlist("accept")) or None
        media_type = choose_media_type(accept, parameter_of(query_string, "accept"), self.offered)
        check_charset(parameter_of(query_string, "charset"))
        query = parse_query(
            self._resource,
            query_string,
            **_uids_of(scope["path_params"]),
            dialect=self._service.dialect,
        )
        base_url = service_url(scope, self._options.public_base_url)
        return self._answer_of(query, media_type, base_url, record_of(scope).facts)

    def _answer_of(
        self, query: Query, media_type: str, base_url: str, facts: dict[str, object]
    ) -> SearchAnswer:
        running = self._service.start(query)
        return SearchAnswer(
            chunks=running.body(media_type, base_url, facts.update),
            media_type=media_type,
            service=base_url,
            warnings=running.warnings,
            is_empty=lambda: running.tally.results == 0,
            total=running.total,
            age_s=running.age_s,
            no_match_status=self._options.no_match_status,
            cache_control=self._options.cache_control,
        )


class CountEndpoint(SearchEndpoint):
    """The number of a search's results, as dcm4chee gives it."""

    suffix = COUNT
    offered = (JSON,)

    def _answer_of(
        self, query: Query, media_type: str, base_url: str, facts: dict[str, object]
    ) -> SearchAnswer:
        # Neither window nor order nor what is returned changes a number
        alone = replace(query, limit=None, offset=0, order=(), also_return=(), everything=False)
        running = self._service.start(alone)
        return SearchAnswer(
            chunks=running.count_json(facts.update),
            media_type=media_type,
            service=base_url,
            warnings=running.count_warnings,
            is_empty=lambda: False,
            age_s=running.age_s,
            cache_control=self._options.cache_control,
        )
