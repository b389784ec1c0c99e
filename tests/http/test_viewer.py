"""OHIF's files as they are served: their paths, types, and nothing that lies beside them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.server.routes import ServerOptions
from gateway.server.viewer import CHUNK_BYTES
from tests.http.driver import Answer, ask
from tests.http.upstream import ListedCalls, app_over

INDEX = (
    '<html><script>window.PUBLIC_URL="/"</script><link href="/app.css">'
    '<script src="/app.bundle.0f6159c501addfe9.js"></script><a href="https://ohif.org/">'
)
HASHED = "5130ccb17e3f3f5b.wasm"
FILES: dict[str, bytes] = {
    "index.html": INDEX.encode(),
    "app.css": b"@font-face{src:url(/a.woff2)} b{background:url(data:x)}",
    "app.bundle.0f6159c501addfe9.js": b"x" * CHUNK_BYTES + b'__webpack_require__.p = "/";\n//',
    "100.bundle.cb02411ce321d4e4.js": b"import(1)",
    "own.js": b"browserImportFunction('/dicom/a.js'); s = \"/\"; o.p = '/'",
    "manifest.json": b'{"src": "/assets/a.png", "start_url": "./"}',
    HASHED: b"\0asm",
    "assets/a.png": b"png",
    "module.mjs": b"",
    "strange.xyz": b"?",
    "app-config.js": b"theirs",
    "sw.js": b"theirs",
    "init-service-worker.js": b"theirs",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built viewer, with what is not to be served beside it."""
    for name, content in FILES.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "dist/linked.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "dist/loop.js").symlink_to(tmp_path / "dist/loop.js")
    (tmp_path / "dist-of-another").mkdir()
    (tmp_path / "dist-of-another/a.txt").write_bytes(b"secret")
    return tmp_path / "dist"


def app(folder: Path | None) -> Starlette:
    """An application with the viewer."""
    return app_over(ListedCalls([]), ServerOptions(ohif_dir=folder))


async def get(folder: Path, name: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A file of the viewer."""
    return await ask(app(folder), f"/ohif/{name}", headers=headers)


# --- paths of its own -----------------------------------------------------------------------------

ROOTS = {
    "index.html": INDEX.replace('="/', '="/ohif/').encode(),
    "app.css": b"@font-face{src:url(/ohif/a.woff2)} b{background:url(data:x)}",
    "app.bundle.0f6159c501addfe9.js": b"x" * CHUNK_BYTES + b'__webpack_require__.p = "/ohif/";\n//',
    "own.js": b"browserImportFunction('/ohif/dicom/a.js'); s = \"/\"; o.p = '/'",
    "manifest.json": b'{"src": "/ohif/assets/a.png", "start_url": "./"}',
    "assets/a.png": b"png",
    HASHED: b"\0asm",
}


@pytest.mark.parametrize(("name", "expected"), ROOTS.items(), ids=ROOTS)
async def test_roots(folder: Path, name: str, expected: bytes) -> None:
    """What begins at the root leads below /ohif, with a length that is right; all else stays."""
    answer = await get(folder, name)
    assert expected == answer.body
    assert str(len(expected)) == answer.one("content-length")


@pytest.mark.parametrize("name", ROOTS)
async def test_roots_of_a_build_for_ohif(folder: Path, name: str) -> None:
    """A build that was made for /ohif/ is served as it is."""
    (folder / name).write_bytes(ROOTS[name])
    assert ROOTS[name] == (await get(folder, name)).body


async def below(folder: Path, name: str, root_path: str) -> Answer:
    """A file of a viewer whose proxy has cut a prefix off."""
    inner = app(folder)

    async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "root_path": root_path}, receive, send)

    return await ask(proxied, f"/ohif/{name}")


async def test_behind_a_prefix(folder: Path) -> None:
    """Behind a proxy's prefix every path has it: the viewer's own, its router, the searches."""
    assert INDEX.replace('="/', '="/pacs/ohif/').encode() == (await below(folder, "", "/pacs")).body
    config = _config(await below(folder, "app-config.js", "/pacs/"))
    source = config["dataSources"][0]["configuration"]
    assert ("/pacs/ohif", "/pacs/dicom-web") == (config["routerBasename"], source["qidoRoot"])


@pytest.mark.parametrize("root_path", ['/"><script>', "/a b", "pacs", "/a'", "//evil.example"])
async def test_a_prefix_that_is_none(folder: Path, root_path: str) -> None:
    """What could mean something else in a page or a script counts as no prefix."""
    assert ROOTS["index.html"] == (await below(folder, "", root_path)).body
    assert "/ohif" == _config(await below(folder, "app-config.js", root_path))["routerBasename"]


# --- our own scripts, routes ----------------------------------------------------------------------


def _config(answer: Answer) -> Any:
    return json.loads(answer.body.removeprefix(b"window.config = ").removesuffix(b";\n"))


async def test_configuration(folder: Path) -> None:
    """The configuration is ours: the gateway of the same origin, by a path."""
    answer = await get(folder, "app-config.js")
    source = _config(answer)["dataSources"][0]["configuration"]
    assert ["/dicom-web"] * 3 == [source[f"{name}Root"] for name in ("qido", "wado", "wadoUri")]
    assert "no-cache" == answer.one("cache-control")


@pytest.mark.parametrize("name", ["sw.js", "init-service-worker.js"])
async def test_service_workers(folder: Path, name: str) -> None:
    """There is no service worker."""
    answer = await get(folder, name)
    assert (200, b"") == (answer.status, answer.body)
    assert answer.one("content-type").startswith("text/javascript")


@pytest.mark.parametrize(
    "route", ["", "/", "/viewer?StudyInstanceUIDs=1.2", "/viewer/dicomweb", "/notfoundstudy", "//"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_routes(folder: Path, route: str, method: str) -> None:
    """Each route of the viewer is its page."""
    answer = await ask(app(folder), f"/ohif{route}", method=method)
    assert 200 == answer.status
    assert "text/html; charset=utf-8" == answer.one("content-type")
    assert (ROOTS["index.html"] if method == "GET" else b"") == answer.body


# --- types, caching -------------------------------------------------------------------------------

TYPES = {
    "app.css": "text/css; charset=utf-8",
    "own.js": "text/javascript; charset=utf-8",
    "module.mjs": "text/javascript; charset=utf-8",
    "manifest.json": "application/json",
    HASHED: "application/wasm",
    "assets/a.png": "image/png",
    "strange.xyz": "application/octet-stream",
}


@pytest.mark.parametrize(("name", "expected"), TYPES.items(), ids=TYPES)
async def test_types(folder: Path, name: str, expected: str) -> None:
    """Each file has its media type, and no browser guesses another."""
    answer = await get(folder, name)
    assert [expected] == answer.all("content-type")
    assert "nosniff" == answer.one("x-content-type-options")


KEPT = "public, max-age=31536000, immutable"
CACHED = {
    HASHED: KEPT,
    "100.bundle.cb02411ce321d4e4.js": KEPT,
    "app.bundle.0f6159c501addfe9.js": "no-cache",  # what is replaced in it may change
    "app.css": "no-cache",
    "index.html": "no-cache",
    "assets/a.png": "no-cache",
}


@pytest.mark.parametrize(("name", "expected"), CACHED.items(), ids=CACHED)
async def test_caching(folder: Path, name: str, expected: str) -> None:
    """What has its hash in its name is kept; all else is asked for again, and is 304."""
    answer = await get(folder, name)
    assert expected == answer.one("cache-control")
    again = await get(folder, name, {"if-none-match": answer.one("etag")})
    assert (304, b"") == (again.status, again.body)
    (folder / name).write_bytes(b"new")
    changed = await get(folder, name, {"if-none-match": answer.one("etag")})
    assert (200, b"new") == (changed.status, changed.body)


async def test_compressed(folder: Path) -> None:
    """Text is compressed where that is accepted, and is the same."""
    name = "app.bundle.0f6159c501addfe9.js"
    answer = await get(folder, name, {"accept-encoding": "gzip"})
    assert "gzip" == answer.one("content-encoding")
    assert ROOTS[name] == gzip.decompress(answer.body)


# --- what is not served ---------------------------------------------------------------------------

OUTSIDE = (
    *("../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "assets/../../secret.txt"),
    *("linked.txt", "../dist-of-another/a.txt", "/etc/hostname.txt", "nothing.js", "a%00.js"),
    *("assets/nothing.png", "..%5csecret.txt", "x" * 5000 + ".js", "index.html/a.js"),
    "loop.js",
)


@pytest.mark.parametrize("name", OUTSIDE, ids=lambda name: name[:30])
async def test_nothing_from_outside(folder: Path, name: str) -> None:
    """Files that are not there, or not below the folder, are 404."""
    target = f"/ohif/{name}".encode()
    answer = await ask(unquoting(app(folder)), target)
    assert 404 == answer.status
    assert b"secret" not in answer.body


def unquoting(inner: ASGIApp) -> ASGIApp:
    """The application behind a server that decodes paths."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "path": unquote(scope["path"])}, receive, send)

    return served


@pytest.mark.parametrize("name", ["..", "assets", "assets/..", "../..", "../dist-of-another"])
async def test_folders(folder: Path, name: str) -> None:
    """A folder is never listed: it is the page, or nothing."""
    answer = await get(folder, name)
    assert answer.status == 404 or ROOTS["index.html"] == answer.body


@pytest.mark.parametrize("target", ["/ohif", "/ohif/", "/ohif/index.html", "/ohif/app-config.js"])
async def test_no_viewer(target: str) -> None:
    """Without a folder there is no viewer."""
    answer = await ask(app(None), target)
    assert (404, "application/problem+json") == (answer.status, answer.one("content-type"))
