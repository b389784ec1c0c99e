"""Bodies that are passed on as they come: in bounded memory, cut where the upstream breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from gateway.errors import UpstreamUnavailableError
from gateway.server.caching import CacheControl, directives
from gateway.server.responses import log_failure
from gateway.server.telemetry import record_of
from gateway.wado.media import MULTIPART, parameter_of
from gateway.wado.multipart import Part, PartEnd, Parts, beginning, ending
from gateway.wado.upstream import Incoming, Place


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An answer whose body passes through; `length` is its bytes where they are known.

    `warnings` are Warning fields.
    """

    content_type: str
    chunks: AsyncGenerator[bytes, None] = field(repr=False)
    length: int | None = None
    cache_control: CacheControl = "no-cache"
    warnings: Sequence[bytes] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, a chunk after the other as the client takes them.

        Raises: what `chunks` raises before the header has left. After that a failure ends the
        answer without its last chunk, so that no client takes it for whole.
        """
        async with aclosing(self.chunks) as chunks:
            first = await anext(chunks, b"")
            await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
            if scope["method"] == "HEAD":  # its headers are known, and what comes costs calls
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            sent = 0
            try:
                await send({"type": "http.response.body", "body": first, "more_body": True})
                sent = len(first)
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    sent += len(chunk)
                if self.length not in (None, sent):
                    raise UpstreamUnavailableError("HealthImaging's answer has another length.")
            except Exception as exc:
                log_failure(scope, exc)
                record_of(scope).facts["cut"] = True
                return
            finally:
                record_of(scope).facts["bytes"] = sent
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _headers(self) -> list[tuple[bytes, bytes]]:
        length = [] if self.length is None else [(b"content-length", str(self.length).encode())]
        return [
            (b"content-type", self.content_type.encode("latin-1")),
            *length,
            (b"cache-control", directives(self.cache_control)),
            (b"vary", b"Accept"),
            (b"x-accel-buffering", b"no"),  # nginx would write patient data to its disk
            # A document within a file may be a page: in a browser it would be one of this origin
            (b"content-security-policy", b"script-src 'none'"),
            (b"x-content-type-options", b"nosniff"),
            *((b"warning", text) for text in self.warnings),
        ]


def new_boundary() -> str:
    """A boundary that stands in no body."""
    return uuid4().hex


def multipart_type(media_type: str, boundary: str) -> str:
    """The Content-Type of a multipart body of one kind of parts."""
    return f'{MULTIPART}; type="{media_type}"; boundary={boundary}'


def is_multipart(incoming: Incoming) -> bool:
    """Whether it comes in parts."""
    return incoming.content_type.lower().startswith("multipart/")


async def as_parts(
    bodies: AsyncGenerator[Incoming, None], boundary: str
) -> AsyncGenerator[bytes, None]:
    """A multipart body, each of `bodies` a part of its own Content-Type."""
    first = True
    async with aclosing(bodies):
        async for incoming in bodies:
            # Goes with the first bytes: until they are here a failure may still be a status
            before = beginning(boundary, incoming.content_type, first=first)
            first = False
            async with aclosing(incoming):
                async for chunk in incoming.chunks:
                    yield before + chunk if before else chunk
                    before = b""
            if before:
                yield before
    yield ending(boundary)


@dataclass(slots=True)
class MadeOf(Incoming):
    """A body made of another, which is closed with it, begun or not."""

    source: Incoming | None = None

    async def aclose(self) -> None:
        """Want no more of either."""
        await self.chunks.aclose()
        if self.source is not None:
            await self.source.aclose()


def wrapped(incoming: Incoming) -> Incoming:
    """The same as the one part of a multipart body."""
    boundary = new_boundary()
    length = incoming.length
    if length is not None:
        length += len(beginning(boundary, incoming.content_type, first=True))
        length += len(ending(boundary))

    async def alone() -> AsyncGenerator[Incoming, None]:
        yield incoming

    media_type = incoming.content_type.partition(";")[0].strip()
    body = as_parts(alone(), boundary)
    return MadeOf(multipart_type(media_type, boundary), body, length, incoming)


async def looked_into(incoming: Incoming) -> tuple[str, Incoming]:
    """The Content-Type of its first part (its own if it has none), and all of it.

    Raises: UpstreamError where there is no part.
    """
    if not is_multipart(incoming):
        return incoming.content_type, incoming
    parts, seen = Parts(parameter_of(incoming.content_type, "boundary")), []
    async for chunk in incoming.chunks:
        seen.append(chunk)
        for event in parts.feed(chunk):
            if isinstance(event, Part):
                whole = _after(seen, incoming)
                kind, length = incoming.content_type, incoming.length
                return event.content_type, MadeOf(kind, whole, length, incoming)
    raise UpstreamUnavailableError("HealthImaging's answer has no part.")


async def only_part(incoming: Incoming) -> Incoming:
    """Its first part by itself; the same where it comes without parts.

    Raises: UpstreamError where there is no part.
    """
    if not is_multipart(incoming):
        return incoming
    content_type, whole = await looked_into(incoming)
    return MadeOf(content_type, _content(whole), source=whole)


async def _after(seen: list[bytes], incoming: Incoming) -> AsyncGenerator[bytes, None]:
    async with aclosing(incoming):
        while seen:
            yield seen.pop(0)
        async for chunk in incoming.chunks:
            yield chunk


async def _content(incoming: Incoming) -> AsyncGenerator[bytes, None]:
    async with aclosing(incoming):
        parts = Parts(parameter_of(incoming.content_type, "boundary"))
        async for chunk in incoming.chunks:
            for event in parts.feed(chunk):
                if isinstance(event, bytes):
                    yield event
                elif isinstance(event, PartEnd):
                    return
        raise UpstreamUnavailableError("HealthImaging's answer ends within a part.")


@dataclass(slots=True)
class Opened:
    """A body, and where it came from."""

    place: Place
    incoming: Incoming

    async def aclose(self) -> None:
        """Want no more of it."""
        await self.incoming.aclose()


async def opened_ahead(bodies: AsyncGenerator[Opened, None]) -> AsyncGenerator[Opened, None]:
    """The same, the next one opened while one is read."""
    following = asyncio.ensure_future(_next(bodies))
    try:
        while (opened := await following) is not None:
            following = asyncio.ensure_future(_next(bodies))
            async with aclosing(opened):
                yield opened
    finally:
        # What is there already is closed at once: nothing may come between, as a client that leaves
        if not following.done():
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        has_result = not following.cancelled() and not following.exception()
        if has_result and (left := following.result()) is not None:
            await left.aclose()
        await bodies.aclose()


async def _next(bodies: AsyncGenerator[Opened, None]) -> Opened | None:
    return await anext(bodies, None)
