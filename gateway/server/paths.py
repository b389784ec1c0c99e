"""Where the service stands, and a request before it is routed: a plain path, HEAD bodyless."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import UriTooLongError

ROOT = "/dicom-web"
"""The path of the DICOMweb service."""

MAX_URI_LENGTH = 8_192
"""Bytes of path and query."""

HOST = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
"""A host and perhaps a port, as they stand in a URL."""
_SLASHES = re.compile(r"/{2,}")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


def service_url(scope: Scope, public_base_url: str | None) -> str:
    """The service's absolute URL, by which a client reaches it, without a slash at its end.

    `public_base_url` if the operator has given one, else by what the request says of itself.
    """
    if public_base_url:
        return public_base_url
    host = Headers(scope=scope).get("host", "")
    if not HOST.fullmatch(host):
        name, port = scope.get("server") or ("localhost", None)
        name = f"[{name}]" if ":" in name else name
        host = f"{name}:{port}" if port else name
    return f"{scope.get('scheme', 'http')}://{host}{scope.get('root_path', '')}{ROOT}"


def check_uri_length(scope: Scope) -> None:
    """See that a request's path and query are no longer than is read.

    Raises: UriTooLongError.
    """
    if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > MAX_URI_LENGTH:
        raise UriTooLongError(f"A URI may have {MAX_URI_LENGTH} bytes.")


def own_path(scope: Scope) -> str:
    """The request's path as the routes know it, without what a proxy has put before it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


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
