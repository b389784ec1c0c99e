"""WADO-URI: one instance or one of its frames, named by a query. Source: PS3.18 §9."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import NotAcceptableError, QueryError
from gateway.imaging.description import frames_of, has_pixels
from gateway.imaging.rendering import ImageType
from gateway.server.caching import directives
from gateway.server.endpoint import run
from gateway.server.negotiation import choose_media_type
from gateway.server.paths import ROOT, check_uri_length, own_path, service_url
from gateway.server.pixels import Pixels
from gateway.server.places import at_first
from gateway.server.rendering import (
    IMAGES,
    JPEG,
    PNG,
    QUALITY,
    image_answer,
    look_of,
    warnings_of,
)
from gateway.server.retrieving import RetrieveOptions
from gateway.server.streams import StreamedAnswer
from gateway.wado.media import DICOM, EXPLICIT_LITTLE_ENDIAN
from gateway.wado.requests import Target
from gateway.wado.upstream import STORED, Incoming, Retrieval
from gateway.wado.uri import UriRequest, is_wado_uri, parse_uri

OTHER_PATH = "/wado"
"""Where clients look for WADO-URI that don't look for it at the service's root."""
OFFERED: Sequence[str] = (*IMAGES, DICOM)
"""The media types of WADO-URI, that of an image without any wish first."""

AS_STORED = "The instance comes in the transfer syntax that it is stored in."
"""The Warning of a file that is not in the transfer syntax that was asked for."""


class WadoUri:
    """The endpoint of WADO-URI; requests without `requestType` are `otherwise`'s."""

    def __init__(
        self,
        retrieval: Retrieval,
        pixels: Pixels,
        options: RetrieveOptions,
        otherwise: ASGIApp | None = None,
    ) -> None:
        self._retrieval, self._pixels = retrieval, pixels
        self._options, self._otherwise = options, otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what is fetched is given up when the client leaves."""
        is_asked = scope["method"] != "OPTIONS" and is_wado_uri(scope["query_string"])
        if self._otherwise is not None and not is_asked:
            await self._otherwise(scope, receive, send)
            return
        await run(self._answer, own_path(scope), scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_uri_length(scope)
        wanted = parse_uri(scope["query_string"])
        accept = ", ".join(Headers(scope=scope).getlist("accept")) or None
        # What contentType names outranks a browser's Accept, which an image's element sends
        chosen = choose_media_type(wanted.content_type or accept, offered=OFFERED)
        service = service_url(scope, self._options.public_base_url)
        if chosen == DICOM:
            answer = await self._file(wanted, service)
        else:
            answer = await self._image(wanted, PNG if chosen == PNG else JPEG, service)
        await answer(scope, receive, send)

    async def _image(self, wanted: UriRequest, media_type: ImageType, service: str) -> ASGIApp:
        found = await self._pixels.instance(wanted.target)
        if not wanted.content_type and not has_pixels(found.metadata):
            return await self._file(wanted, service)
        number = wanted.frame_number or 1
        if number > frames_of(found.metadata):
            raise QueryError("frameNumber", "the instance has no such frame")
        look = look_of(wanted.rendering, media_type, QUALITY["rendered"])
        image = await self._pixels.rendered(found, number, look)
        control = directives(self._options.cache_control)
        return image_answer(image, media_type, control, warnings_of(service, wanted.rendering))

    async def _file(self, wanted: UriRequest, service: str) -> ASGIApp:
        asked = wanted.transfer_syntax or EXPLICIT_LITTLE_ENDIAN
        more: tuple[str, ...] = ()
        try:
            incoming = await self._opened(wanted.target, asked)
        except NotAcceptableError:
            if asked == STORED:
                raise
            incoming = await self._opened(wanted.target, STORED)
            more = (AS_STORED,)
        return StreamedAnswer(
            DICOM,
            _chunks(incoming),
            incoming.length,
            self._options.cache_control,
            warnings_of(service, wanted.rendering, *more),
        )

    async def _opened(self, target: Target, syntax: str) -> Incoming:
        retrieval, uid = self._retrieval, target.sop_instance_uid
        return await at_first(
            retrieval, target, lambda place: retrieval.instance(place, uid, syntax)
        )


def wado_uri_routes(
    retrieval: Retrieval, pixels: Pixels, options: RetrieveOptions, capabilities: ASGIApp
) -> list[Route]:
    """The routes of WADO-URI: the root, where `capabilities` answers the rest, and `/wado`."""
    at_root = WadoUri(retrieval, pixels, options, capabilities)
    elsewhere = WadoUri(retrieval, pixels, options)
    return [
        Route(ROOT, at_root, methods=["GET", "OPTIONS"]),
        Route(OTHER_PATH, elsewhere, methods=["GET"]),
    ]


async def _chunks(incoming: Incoming) -> AsyncGenerator[bytes, None]:
    async with aclosing(incoming):
        async for chunk in incoming.chunks:
            yield chunk
