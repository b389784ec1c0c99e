"""The documents that the service gives of itself: its OpenAPI document, and that as a page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.server.paths import own_path, prefix_of
from gateway.server.telemetry import record_of

YAML = "application/yaml"
# What a proxy's prefix goes into
_SERVER = "\nservers:\n  - url: /\n"
_LINK = 'href="/openapi.yaml"'
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}code,h2{font-family:ui-monospace,monospace}h2{font-size:1.1rem;"
    "margin-top:2.5rem;border-top:1px solid #999;padding-top:1rem;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#111}a{color:#9cf}}"
)
_HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}


def document() -> str:
    """The OpenAPI document, YAML."""
    return (files("gateway.server") / "openapi.yaml").read_text("utf-8")


async def openapi(request: Request) -> Response:
    """Answer with the OpenAPI document."""
    record_of(request.scope).facts["route"] = own_path(request.scope)
    server = _SERVER.replace("/", f"{prefix_of(request.scope)}/")
    return Response(document().replace(_SERVER, server), 200, _HEADERS, YAML)


class DocsPage:
    """The endpoint of the page, which is made when it is first asked for."""

    def __init__(self) -> None:
        self._page = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page; it needs nothing but itself, and may load nothing else."""
        import yaml

        record_of(scope).facts["route"] = own_path(scope)
        if not self._page:
            self._page = page(yaml.safe_load(document()))
        digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )
        headers = {**_HEADERS, "content-security-policy": policy}
        link = _LINK.replace("/", f"{escape(prefix_of(scope))}/")
        text = self._page.replace(_LINK, link)
        await Response(text, 200, headers, "text/html")(scope, receive, send)


def page(openapi: Mapping[str, Any]) -> str:
    """The OpenAPI document as HTML: each resource with its parameters and answers."""
    info = openapi["info"]
    parts = [f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"]
    parts += [f"<p>{escape(info[name])}</p>" for name in ("summary", "description")]
    parts.append(f"<p>The same for programs: <a {_LINK}>openapi.yaml</a></p>")
    for path, item in openapi["paths"].items():
        parts += _path(path, item, openapi)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _path(path: str, item: Mapping[str, Any], openapi: Mapping[str, Any]) -> Iterator[str]:
    methods = [name.upper() for name in item if name != "parameters"]
    yield f"<h2>{escape(path)}</h2><p>{escape(item['get']['summary'])}. {', '.join(methods)}.</p>"
    parameters = [_resolved(one, openapi) for one in item.get("parameters", ())]
    if parameters:
        rows = ((p["name"], p["description"], p.get("example", "")) for p in parameters)
        yield _table(("Parameter", "Meaning", "Example"), rows)
    answers = item["get"]["responses"].items()
    named = ((status, _resolved(one, openapi)) for status, one in answers)
    rows = ((s, one["description"], ", ".join(one.get("content", ()))) for s, one in named)
    yield _table(("Status", "Meaning", "Media types"), rows)


def _resolved(one: Mapping[str, Any], openapi: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference within the document leads to, or what stands there itself."""
    if "$ref" not in one:
        return one
    found: Mapping[str, Any] = openapi
    for name in one["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def _table(heads: Iterable[str], rows: Iterable[tuple[str, Any, Any]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(told)}</td>"
        f"<td><code>{escape(_shown(more))}</code></td></tr>"
        for name, told, more in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _shown(example: object) -> str:
    return ",".join(map(str, example)) if isinstance(example, list) else str(example)
