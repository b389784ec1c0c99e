"""The form of a request before it is routed: its path made plain, HEAD without a body."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SLASHES = re.compile(r"/{2,}")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


def plain_path(path: str) -> str:
    """`path` without doubled and trailing slashes, "/" where nothing is left."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


class PlainRequests:
    """Middleware: routes see plain paths, and an answer to HEAD keeps its headers alone.

    Clients join a base URL and a path with a slash too many. A redirect would be an answer too,
    but a browser's preflight may not be redirected, and not every client follows one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request in its plain form."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        plain = {**scope, "path": plain_path(scope["path"])}
        await self._app(plain, receive, send_head if scope["method"] == "HEAD" else send)


def prefix_of(scope: Scope) -> str:
    """The path that a proxy in front has cut off, such as `/pacs`; "" where there is none.

    It is for paths in what is answered, so that what could mean something else there counts as
    none.
    """
    prefix = str(scope.get("root_path", "")).rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) else ""
