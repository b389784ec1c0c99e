"""Whether an answer may be kept, and how a client asks if what it kept is still right."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

CacheControl = Literal["no-cache", "no-store"]
"""Kept and asked for again each time, or never kept."""

_DIRECTIVES: dict[CacheControl, bytes] = {
    "no-cache": b"private, no-cache",
    "no-store": b"no-store",
}
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_KEPT_BY_304 = ("age", "etag", "cache-control", "vary", "warning", "x-total-count")


def directives(cache_control: CacheControl) -> bytes:
    """The Cache-Control field of an answer that holds patient data."""
    return _DIRECTIVES[cache_control]


def weak_etag(body: bytes, media_type: str) -> str:
    """The weak ETag of `body` as that media type, the same in every content coding."""
    digest = hashlib.blake2b(media_type.encode(), digest_size=12)
    digest.update(body)
    return f'W/"{digest.hexdigest()}"'


def is_named(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match field names `etag`, compared weakly. Source: RFC 9110 §13.1.2."""
    if if_none_match.strip() == "*":
        return True
    return etag.removeprefix("W/") in _TAG.findall(if_none_match)


class Conditional:
    """A response with an ETag, or 304 where the client says that it has it."""

    def __init__(self, response: Response) -> None:
        self._response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or 304 with the fields that describe it."""
        response = self._response
        etag = response.headers["etag"]
        fields = (v.decode("latin-1") for name, v in scope["headers"] if name == b"if-none-match")
        if any(is_named(field, etag) for field in fields):
            kept = [h for h in response.raw_headers if h[0].decode() in _KEPT_BY_304]
            response = Response(status_code=304)
            response.raw_headers += kept
        await response(scope, receive, send)
