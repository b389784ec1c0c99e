"""Answers: the one table from error to status, whole answers, and streams cut on failure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

import orjson
import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import (
    GatewayError,
    NotAcceptableError,
    NotFoundError,
    QueryError,
    ResultTooLargeError,
    StudyWindowError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamValidationError,
    UriTooLongError,
    WalkLostError,
)
from gateway.server.bodies import BODIES
from gateway.server.caching import CacheControl, Conditional, directives, weak_etag
from gateway.server.compression import MIN_COMPRESSED_BYTES, VARY, compressed
from gateway.server.telemetry import place_of, record_of

HELD_BYTES = 256 * 1024
"""How much of an answer waits, so that a failure before its end is still a status."""

STATUS_OF: dict[type[GatewayError], int] = {
    QueryError: 400,
    NotAcceptableError: 406,
    NotFoundError: 404,
    ResultTooLargeError: 413,
    UriTooLongError: 414,
    UpstreamThrottledError: 503,
    UpstreamUnavailableError: 503,
    StudyWindowError: 503,
    WalkLostError: 503,
    UpstreamRejectedError: 502,
    UpstreamValidationError: 502,
    UpstreamTimeoutError: 504,
}
"""Every error that can become an answer. `tests/unit/test_responses.py` checks that none lacks."""

_TITLES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Content Too Large",
    414: "URI Too Long",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """A problem details object (RFC 9457) that holds fixed text only."""
    body = {"type": "about:blank", "title": _TITLES[status], "status": status, "detail": detail}
    return Response(
        orjson.dumps(body),
        status,
        {"cache-control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )


def error_response(exc: Exception) -> Response:
    """The answer to a request that failed with `exc`; one that is not ours is a bug, so 500."""
    status = STATUS_OF.get(type(exc), 500) if isinstance(exc, GatewayError) else 500
    if status == 500:
        return problem(500, "The gateway failed. Its log names the place by the request id.")
    detail = str(exc)
    if isinstance(exc, UpstreamError) and exc.request_id.replace("-", "").isalnum():
        detail += f" Upstream request id: {exc.request_id}."
    retry_after_s = exc.retry_after_s if isinstance(exc, UpstreamThrottledError) else 1
    headers = {"retry-after": str(retry_after_s)} if status == 503 else {}
    return problem(status, detail, headers)


def log_failure(scope: Scope, exc: Exception) -> None:
    """Say in the log what failed; of a bug the type and the place, never its text."""
    facts = record_of(scope).facts
    facts["error"] = type(exc).__name__
    if not isinstance(exc, GatewayError):
        log = structlog.get_logger()
        log.error(
            "bug",
            request_id=record_of(scope).request_id,
            type=type(exc).__name__,
            place=place_of(exc),
        )


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """An answer of search results.

    `chunks` are the parts of its body, which is of the offered `media_type`. `warnings` tells the
    texts that are right at the moment it is asked: when the header leaves. `is_empty` tells then
    whether there is no result, and `total` the number of all results, those outside the window
    too, None where that is not known. `no_match_status` is for bodies that are held: where others
    have no result, they say so. `held_bytes` of these wait.
    """

    chunks: AsyncGenerator[bytes, None]
    media_type: str
    service: str
    warnings: Callable[[], Iterable[str]]
    is_empty: Callable[[], bool]
    total: Callable[[], int | None] = lambda: None
    age_s: Callable[[], int | None] = lambda: None
    no_match_status: int = 200
    cache_control: CacheControl = "no-cache"
    held_bytes: int = HELD_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it: whole with its length where it is short and may wait, else as a stream.

        Raises: what `chunks` raises before the header has left. After that a failure ends the
        answer without its last chunk, so that no client takes it for whole.
        """
        at_most = self.held_bytes if BODIES[self.media_type].held else 0
        async with aclosing(self.chunks) as chunks:
            held = bytearray()
            async for chunk in chunks:
                held += chunk
                if len(held) > at_most:
                    break
            else:
                await self._whole(bytes(held))(scope, receive, send)
                return
            start = bytes(held)

            async def stream(scope: Scope, _: Receive, send: Send) -> None:
                await self._stream(start, chunks, scope, send)

            await compressed(stream)(scope, receive, send)

    @property
    def _content_type(self) -> str:
        return BODIES[self.media_type].content_type

    def _whole(self, body: bytes) -> ASGIApp:
        if self.no_match_status == 204 and self.is_empty():
            response = Response(status_code=204)
            response.raw_headers += self._headers()
            return response
        response = Response(body, media_type=self._content_type)
        response.raw_headers += self._headers()
        answer: ASGIApp = response
        if self.cache_control != "no-store":
            response.headers["etag"] = weak_etag(body, self._content_type)
            answer = Conditional(response)
        return compressed(answer) if len(body) >= MIN_COMPRESSED_BYTES else answer

    async def _stream(
        self, held: bytes, chunks: AsyncGenerator[bytes, None], scope: Scope, send: Send
    ) -> None:
        headers = [(b"content-type", self._content_type.encode()), *self._headers()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":  # its headers are known, and what comes costs calls
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await send({"type": "http.response.body", "body": held, "more_body": True})
        try:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Exception as exc:
            log_failure(scope, exc)
            record_of(scope).facts["cut"] = True
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _headers(self) -> list[tuple[bytes, bytes]]:
        texts = (f"299 {self.service}: {text}" for text in self.warnings())
        total, age_s = self.total(), self.age_s()
        return [
            *([] if age_s is None else [(b"age", str(age_s).encode())]),
            *([] if total is None else [(b"x-total-count", str(total).encode())]),
            (b"cache-control", directives(self.cache_control)),
            (b"vary", VARY.encode()),
            (b"x-accel-buffering", b"no"),  # nginx would write patient data to its disk
            *((b"warning", text.encode("latin-1", "replace")) for text in texts),
        ]
