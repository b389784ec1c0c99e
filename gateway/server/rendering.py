"""The endpoints of rendered images and thumbnails. Source: PS3.18 §10.4.1.1.3, §10.4.1.1.4."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import NotAcceptableError
from gateway.imaging.description import Window, check_frames, frames_of
from gateway.imaging.rendering import ImageType, Look, Viewport
from gateway.server.caching import Conditional, directives, weak_etag
from gateway.server.endpoint import run
from gateway.server.negotiation import check_charset, choose_media_type, parameter_of
from gateway.server.paths import ROOT, check_uri_length, service_url
from gateway.server.pixels import NO_PIXELS, Pixels
from gateway.server.retrieving import RetrieveOptions
from gateway.server.streams import StreamedAnswer, multipart_type, new_boundary
from gateway.wado.multipart import beginning, ending
from gateway.wado.rendered import Rendering, parse_rendering
from gateway.wado.requests import Target, frame_numbers, target_of

JPEG: ImageType = "image/jpeg"
PNG: ImageType = "image/png"
IMAGES: Sequence[ImageType] = (JPEG, PNG)
"""The media types of one image, the default first."""
IMAGES_IN_PARTS = tuple(f'multipart/related; type="{one}"' for one in IMAGES)
KINDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {"rendered": (*IMAGES, *IMAGES_IN_PARTS), "thumbnail": IMAGES}
)
"""What stands behind the path of a target, each with its media types, the default first."""
THUMBNAIL_SIDE = 128
"""Pixels of a thumbnail's longer side, where the request names none."""
THUMBNAIL_AGE_S = 600
"""How long a client may show a thumbnail without asking again."""
QUALITY = {"rendered": 90, "thumbnail": 80}

_STUDY = "/studies/{study}"
_SERIES = _STUDY + "/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"
TARGETS = (_STUDY, _SERIES, _INSTANCE, _INSTANCE + "/frames/{frames}")
"""What can be rendered, each by the path of its resource."""


def rendered_routes(pixels: Pixels, options: RetrieveOptions) -> list[Route]:
    """The routes of rendered images and thumbnails."""
    return [
        Route(f"{ROOT}{path}/{kind}", endpoint(path, pixels, options), methods=["GET"])
        for kind, endpoint in (("rendered", RenderedEndpoint), ("thumbnail", ThumbnailEndpoint))
        for path in TARGETS
    ]


def look_of(
    wanted: Rendering, media_type: ImageType, quality: int, viewport: Viewport | None = None
) -> Look:
    """A look as a request wants it; `quality` and `viewport` where it wants none of its own."""
    window = wanted.window
    if (view := wanted.viewport) is not None:
        viewport = Viewport(
            view.width,
            view.height,
            view.x,
            view.y,
            view.region_width,
            view.region_height,
            view.is_relative,
        )
    return Look(
        media_type,
        wanted.quality or quality,
        None if window is None else Window(window.center, window.width, window.function),
        viewport,
    )


def warnings_of(service: str, wanted: Rendering, *more: str) -> list[bytes]:
    """The Warning fields of an answer: which parameters have no effect, and `more` texts."""
    texts = (*(f"The parameter {name} has no effect." for name in wanted.ignored), *more)
    return [f"299 {service}: {text}".encode("latin-1", "replace") for text in texts]


def image_answer(
    image: bytes, media_type: str, cache_control: bytes, warnings: Sequence[bytes]
) -> ASGIApp:
    """One image with its ETag, where it may be kept; 304 for who has it."""
    response = Response(image, media_type=media_type)
    response.raw_headers += [
        (b"cache-control", cache_control),
        (b"vary", b"Accept"),
        (b"x-accel-buffering", b"no"),  # nginx would write patient data to its disk
        *((b"warning", text) for text in warnings),
    ]
    if cache_control == directives("no-store"):
        return response
    response.headers["etag"] = weak_etag(image, media_type)
    return Conditional(response)


class RenderedEndpoint:
    """Rendered images: one as it is, or all of a target as the parts of a body."""

    kind = "rendered"
    viewport: Viewport | None = None

    def __init__(self, path: str, pixels: Pixels, options: RetrieveOptions) -> None:
        self._route = f"{ROOT}{path}/{self.kind}"
        self._pixels, self._options = pixels, options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what is fetched is given up when the client leaves."""
        await run(self._answer, self._route, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_uri_length(scope)
        query_string: bytes = scope["query_string"]
        accept = ", ".join(Headers(scope=scope).getlist("accept")) or None
        chosen = choose_media_type(accept, parameter_of(query_string, "accept"), KINDS[self.kind])
        check_charset(parameter_of(query_string, "charset"))
        wanted = parse_rendering(query_string)
        params = scope["path_params"]
        target = target_of(params)
        numbers = frame_numbers(params["frames"]) if "frames" in params else ()
        media_type = PNG if PNG in chosen else JPEG
        look = look_of(wanted, media_type, QUALITY[self.kind], self.viewport)
        warnings = warnings_of(service_url(scope, self._options.public_base_url), wanted)
        if chosen in IMAGES_IN_PARTS:
            boundary = new_boundary()
            parts = self._parts(target, numbers, look, boundary)
            content_type = multipart_type(media_type, boundary)
            control = self._options.cache_control
            answer = StreamedAnswer(content_type, parts, None, control, warnings)
            await answer(scope, receive, send)
            return
        # Of several frames only the first fits into one image
        image = await self._image(target, numbers or (1,), look)
        whole = image_answer(image, media_type, self._cache_control(), warnings)
        await whole(scope, receive, send)

    async def _image(self, target: Target, numbers: Sequence[int], look: Look) -> bytes:
        found = await self._pixels.representative(target)
        check_frames(found.metadata, numbers)
        return await self._pixels.rendered(found, numbers[0], look)

    def _cache_control(self) -> bytes:
        return directives(self._options.cache_control)

    async def _parts(
        self, target: Target, numbers: Sequence[int], look: Look, boundary: str
    ) -> AsyncGenerator[bytes, None]:
        first = True
        async with aclosing(self._pixels.images(target)) as images:
            async for found in images:
                check_frames(found.metadata, numbers)  # what fails later is a cut
                for number in numbers or range(1, frames_of(found.metadata) + 1):
                    image = await self._pixels.rendered(found, number, look)
                    yield beginning(boundary, look.media_type, first=first) + image
                    first = False
        if first:
            raise NotAcceptableError(NO_PIXELS)
        yield ending(boundary)


class ThumbnailEndpoint(RenderedEndpoint):
    """Thumbnails: one small image."""

    kind = "thumbnail"
    viewport = Viewport(THUMBNAIL_SIDE, THUMBNAIL_SIDE)

    async def _image(self, target: Target, numbers: Sequence[int], look: Look) -> bytes:
        if target.sop_instance_uid:
            return await super()._image(target, numbers, look)
        return await self._pixels.thumbnail(target, look)

    def _cache_control(self) -> bytes:
        if self._options.cache_control == "no-store":
            return directives("no-store")
        return b"private, max-age=%d" % THUMBNAIL_AGE_S
