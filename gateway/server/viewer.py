"""OHIF's built files, unmodified on the disk, served below `/ohif` with a configuration of ours.

A build holds absolute paths of its own files. Those that begin at the root of the origin, as in the
package of npm, are answered with the viewer's own path before them; a build that was made for
`/ohif/` says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType

import anyio.to_thread
from anyio import AsyncFile, open_file
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.server.appconfig import INDEX, app_config_js
from gateway.server.caching import Conditional
from gateway.server.compression import compressed
from gateway.server.endpoint import run
from gateway.server.paths import ROOT, prefix_of
from gateway.server.responses import problem

VIEWER = "/ohif"
CHUNK_BYTES = 256 * 1024

_HTML, _SCRIPT = "text/html", "text/javascript"
_TYPES = MappingProxyType(
    {
        ".css": "text/css",
        ".html": _HTML,
        ".ico": "image/x-icon",
        ".jpg": "image/jpeg",
        ".js": _SCRIPT,
        ".json": "application/json",
        ".jsonc": "application/json",
        ".map": "application/json",
        ".mjs": _SCRIPT,
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".txt": "text/plain",
        ".wasm": "application/wasm",
        ".webapp": "application/manifest+json",
        ".woff2": "font/woff2",
        ".xml": "application/xml",
    }
)  # a table of our own: that of the machine differs from one to the next
_PACKED = frozenset((".ico", ".jpg", ".png", ".woff2"))

# What stands before an absolute path of the viewer's own, by the file's type; the group is the
# part that becomes the viewer's path
_ROOTS = MappingProxyType(
    {
        ".css": re.compile(rb"url\((/(?:ohif/)?)"),
        ".html": re.compile(rb'="(/(?:ohif/)?)'),
        ".js": re.compile(
            rb"(?:__webpack_require__\.p = |browserImportFunction\()[\"'](/(?:ohif/)?)"
        ),
        ".json": re.compile(rb'"(/(?:ohif/)?)assets/'),
    }
)
# Its name changes with what it holds
_HASHED = re.compile(r"(?:.*\.)?[0-9a-f]{16}\.[a-z0-9]+")
_SERVICE_WORKERS = frozenset(("init-service-worker.js", "sw.js"))


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the build, as it was when it was looked at; `roots` are the spans to replace."""

    path: Path
    size: int
    changed_ns: int
    roots: Sequence[tuple[int, int]] = ()

    def length(self, base: bytes) -> int:
        """The bytes of the answer whose roots are `base`."""
        return self.size + sum(len(base) - (end - start) for start, end in self.roots)

    def etag(self, base: bytes) -> str:
        """The weak ETag of that answer."""
        what = f"{self.size} {self.changed_ns} {len(self.roots)} ".encode()
        return f'W/"{blake2b(what + base, digest_size=12).hexdigest()}"'

    def pieces(self) -> Iterator[tuple[int, int]]:
        """The spans of the file between its roots, in order."""
        begin = 0
        for start, end in self.roots:
            yield begin, start
            begin = end
        yield begin, self.size


class Viewer:
    """The endpoint of everything below `/ohif`. Without a folder there is nothing there."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder.resolve() if folder else None
        self._known: dict[Path, _File] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, with a script of ours, or with the page that a route leads to."""
        route = VIEWER + ("/{path}" if scope["path_params"].get("path") else "")
        await run(self._answer, route, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = str(scope["path_params"].get("path", ""))
        prefix = prefix_of(scope)
        base = f"{prefix}{VIEWER}/".encode()
        if self._folder is None:
            await problem(404, "There is no such resource.")(scope, receive, send)
        elif name == "app-config.js":
            text = app_config_js(prefix + ROOT, prefix + VIEWER)
            await _script(text)(scope, receive, send)
        elif name in _SERVICE_WORKERS:
            # The package's would load one from another origin, and keep what is out of date
            await _script("")(scope, receive, send)
        elif (file := await anyio.to_thread.run_sync(self._find, name)) is not None:
            await _send_file(file, base, scope, receive, send)
        else:
            await problem(404, "There is no such file.")(scope, receive, send)

    def _find(self, name: str) -> _File | None:
        """The file of that name; the index for a name that is no file's; else None."""
        assert self._folder is not None  # noqa: S101 - it was asked before
        for one in (name, INDEX) if "." not in name.rpartition("/")[2] else (name,):
            try:
                path = (self._folder / one).resolve()
                if path.is_relative_to(self._folder) and path.is_file():
                    return self._looked_at(path)
            except (OSError, ValueError, RuntimeError):  # too long a name, a NUL in it, a loop
                continue
        return None

    def _looked_at(self, path: Path) -> _File:
        stat = path.stat()
        known = self._known.get(path)
        if known is None or (known.size, known.changed_ns) != (stat.st_size, stat.st_mtime_ns):
            pattern = _ROOTS.get(path.suffix)
            spans = [m.span(1) for m in pattern.finditer(path.read_bytes())] if pattern else []
            known = _File(path, stat.st_size, stat.st_mtime_ns, tuple(spans))
            self._known[path] = known
        return known


def _script(text: str) -> Response:
    headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
    return Response(text, 200, headers, _SCRIPT)


async def _send_file(file: _File, base: bytes, scope: Scope, receive: Receive, send: Send) -> None:
    response = _FileAnswer(file, base)
    response.headers["etag"] = file.etag(base)
    answer = Conditional(response)
    shrinks = file.path.suffix not in _PACKED
    await (compressed(answer) if shrinks else answer)(scope, receive, send)


class _FileAnswer(Response):
    """A file in pieces, with its roots replaced; never the whole of it in memory."""

    def __init__(self, file: _File, base: bytes) -> None:
        self._file, self._base = file, base
        # One whose roots are replaced is asked for again: another gateway may replace more
        keeps = _HASHED.fullmatch(file.path.name) and not file.roots
        headers = {
            "content-length": str(file.length(base)),
            "cache-control": "public, max-age=31536000, immutable" if keeps else "no-cache",
            "x-content-type-options": "nosniff",
        }
        media_type = _TYPES.get(file.path.suffix, "application/octet-stream")
        self.body = b""
        self.status_code, self.media_type, self.background = 200, media_type, None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.

        Raises: OSError.
        """
        async with await open_file(self._file.path, "rb") as file:
            headers = list(self.raw_headers)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            between = b""
            for start, end in self._file.pieces():
                if between:
                    await send(_part(between))
                await file.seek(start)
                await _send_span(file, end - start, send)
                between = self._base
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_span(file: AsyncFile[bytes], left: int, send: Send) -> None:
    while left and (chunk := await file.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)
        await send(_part(chunk))


def _part(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}
