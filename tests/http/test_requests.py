"""Requests in every form: paths, methods, preflights, and what the service tells of itself."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from gateway.errors import UpstreamRejectedError, UpstreamThrottledError
from gateway.server.routes import ServerOptions
from tests.http.driver import Answer, ask
from tests.http.upstream import ListedCalls, app_over, image_set

STUDIES = "/dicom-web/studies"
ORIGIN = "https://viewer.example.org"
DAYS = [image_set(n, date=f"2020{12 - n // 200:02}01") for n in range(1, 1201)]


def app(*origins: str) -> Starlette:
    """An application over two studies."""
    calls = ListedCalls([image_set(1, date="20200102"), image_set(2)])
    return app_over(calls, ServerOptions(cors_origins=origins))


def described(answer: Answer) -> list[tuple[str, str]]:
    """The headers without the request's own."""
    return [pair for pair in answer.headers if pair[0] != "x-request-id"]


# --- paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "plain"),
    [
        ("/dicom-web/studies/", STUDIES),
        ("/dicom-web//studies/", STUDIES),
        ("//dicom-web///studies//", STUDIES),
        ("/dicom-web/studies/1.2.2/series/?Modality=CT", f"{STUDIES}/1.2.2/series"),
        ("/dicom-web/studies/1.2.2//series", f"{STUDIES}/1.2.2/series"),
        ("/dicom-web//series?limit=1", "/dicom-web/series?limit=1"),
        ("/dicom-web/", "/dicom-web"),
        ("/healthz/", "/healthz"),
        ("//openapi.yaml", "/openapi.yaml"),
        ("/docs/", "/docs"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_slashes_too_many(target: str, plain: str, method: str) -> None:
    """Doubled and trailing slashes are answered like the plain path, without a redirect."""
    found = await ask(app(), target, method=method)
    expected = await ask(app(), plain, method=method)
    assert (expected.status, expected.body) == (found.status, found.body)
    assert found.status in (200, 204)
    assert described(expected) == described(found)


@pytest.mark.parametrize(
    "target",
    ["/page", "/dicom-web/nothing", "/dicom-web/studies//series", "/dicom-web/studies/1.2.3",
     "/dicom-web/Studies", "/studies", "/docs/x", "/favicon.ico"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
async def test_unknown_paths(target: str, method: str) -> None:
    """What is no resource is 404, whatever the method."""
    answer = await ask(app(), target, method=method)
    assert (404, "application/problem+json") == (answer.status, answer.one("content-type"))


# --- methods --------------------------------------------------------------------------------------

RESOURCES = (STUDIES, f"{STUDIES}/1.2.2/series", "/dicom-web/series")
METRICS = "/metrics"  # each request changes them
OTHERS = ("/dicom-web", "/healthz", "/readyz", METRICS, "/openapi.yaml", "/docs", "/")


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        *((target, {}) for target in (*RESOURCES, *OTHERS) if target != METRICS),
        (f"{STUDIES}?PatientID=NONE", {}),
        (f"{STUDIES}?limit=1", {"accept-encoding": "gzip"}),
        (f"{STUDIES}?limit=x", {}),
        (STUDIES, {"accept": "image/png"}),
        (STUDIES, {"if-none-match": "*"}),
        (STUDIES, {"origin": ORIGIN}),
    ],
)
async def test_head(target: str, headers: dict[str, str]) -> None:
    """HEAD has the status and every header of GET, Content-Length among them, and no body."""
    get = await ask(app(ORIGIN), target, headers=headers)
    head = await ask(app(ORIGIN), target, method="HEAD", headers=headers)
    assert (get.status, b"", True) == (head.status, head.body, head.complete)
    assert described(get) == described(head)
    assert get.body or get.status == 304


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_head_of_a_stream(coding: str) -> None:
    """HEAD of an answer that streams has its headers and ends the walk there."""
    calls = ListedCalls(DAYS)
    target, headers = f"{STUDIES}?limit=5000", {"accept-encoding": coding}
    get = await ask(app_over(ListedCalls(DAYS)), target, headers=headers)
    head = await ask(app_over(calls), target, method="HEAD", headers=headers)
    assert (200, b"", True) == (head.status, head.body, head.complete)
    assert described(get) == described(head)
    assert calls.served < len(DAYS) // 50


@pytest.mark.parametrize("target", [*RESOURCES, *OTHERS])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"])
async def test_other_methods(target: str, method: str) -> None:
    """Another method is 405, and the answer names those that there are."""
    answer = await ask(app(), target, method=method)
    assert (405, "GET, HEAD, OPTIONS") == (answer.status, answer.one("allow"))
    assert (405, "no-store") == (answer.json["status"], answer.one("cache-control"))


@pytest.mark.parametrize("target", [*RESOURCES, *(t for t in OTHERS if t != "/dicom-web")])
async def test_options(target: str) -> None:
    """OPTIONS names the methods and costs no call."""
    answer = await ask(app(), target, method="OPTIONS")
    assert (204, b"", "GET, HEAD, OPTIONS") == (answer.status, answer.body, answer.one("allow"))


@pytest.mark.parametrize("length", [8_192, 8_193])
async def test_uri_too_long(length: int) -> None:
    """A URI may have 8,192 bytes of path and query, as they were sent."""
    target = f"{STUDIES}?" + "&" * (length - len(STUDIES))
    assert (414 if length > 8_192 else 200) == (await ask(app(), target)).status
    slashes = STUDIES.replace("/studies", "/" * (length - len(STUDIES)) + "/studies")
    assert (414 if length > 8_192 else 200) == (await ask(app(), slashes)).status


@pytest.mark.parametrize(
    ("name", "values", "status", "media_type"),
    [
        ("accept", ["image/png", "application/json"], 200, "application/json"),
        ("accept", ["*/*;q=0", "image/png"], 406, "application/problem+json"),
        (
            "accept",
            ["application/json;q=0.1", "application/dicom+json"],
            200,
            "application/dicom+json",
        ),
        ("if-none-match", ['"x"', "*"], 304, None),
        ("accept-encoding", ["zstd;q=0", "identity"], 200, "application/dicom+json"),
    ],
)
async def test_repeated_fields(
    name: str, values: list[str], status: int, media_type: str | None
) -> None:
    """A list that comes in several fields is one list."""
    answer = await ask(app(), STUDIES, headers={name: values})
    assert (status, [media_type] * (status != 304)) == (answer.status, answer.all("content-type"))


# --- CORS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [*RESOURCES, *OTHERS, "/dicom-web/nothing", STUDIES + "//"])
@pytest.mark.parametrize("origins", [(ORIGIN,), ("*",)], ids=["one", "any"])
async def test_preflight(target: str, origins: tuple[str, ...]) -> None:
    """Each path answers a preflight from an allowed origin, also for a token and for ETags."""
    wanted = "authorization, accept, content-type, if-none-match, x-request-id"
    headers = {
        "origin": ORIGIN,
        "access-control-request-method": "GET",
        "access-control-request-headers": wanted,
    }
    answer = await ask(app(*origins), target, method="OPTIONS", headers=headers)
    allowed = answer.one("access-control-allow-origin")
    assert (200, "*" if "*" in origins else ORIGIN) == (answer.status, allowed)
    told = answer.one("access-control-allow-headers").lower().split(", ")
    assert set(wanted.split(", ")) <= set(told)
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("target", "status"),
    [(STUDIES, 200), (f"{STUDIES}?limit=x", 400), ("/dicom-web/nothing", 404), ("/docs", 200)],
)
async def test_cross_origin_answers(target: str, status: int) -> None:
    """Answers and errors are for pages of the origins that are allowed, and for no others."""
    own = await ask(app(ORIGIN), target, headers={"origin": ORIGIN})
    other = await ask(app(ORIGIN), target, headers={"origin": "https://evil.example.org"})
    assert (status, ORIGIN) == (own.status, own.one("access-control-allow-origin"))
    assert (status, []) == (other.status, other.all("access-control-allow-origin"))
    assert all("Origin" in answer.one("vary") for answer in (own, other))
    exposed = own.one("access-control-expose-headers").split(", ")
    names = ["Age", "Content-Location", "ETag", "Warning", "X-Request-ID", "X-Total-Count"]
    assert names == sorted(exposed)


FAILING = {
    "wrong value": (STUDIES + "?limit=x", "GET", None, 400),
    "no such resource": ("/dicom-web/nothing", "GET", None, 404),
    "another method": (STUDIES, "POST", None, 405),
    "too long": (STUDIES + "?" + "a" * 9_000, "GET", None, 414),
    "the upstream has throttled": (STUDIES, "GET", UpstreamThrottledError("x"), 503),
    "the upstream has refused": (STUDIES, "GET", UpstreamRejectedError("x"), 502),
    "a bug": (STUDIES, "GET", KeyError("x"), 500),
}


@pytest.mark.parametrize(("target", "method", "error", "status"), FAILING.values(), ids=FAILING)
async def test_cross_origin_errors(
    target: str, method: str, error: Exception | None, status: int
) -> None:
    """A page learns from every error what it was: without these headers it would learn nothing."""

    def fault(_: int) -> None:
        if error:
            raise error

    calls = ListedCalls([image_set(1)], fault)
    failing = app_over(calls, ServerOptions(cors_origins=(ORIGIN,)))
    headers = {"origin": ORIGIN, "authorization": "Bearer x"}
    answer = await ask(failing, target, method=method, headers=headers)
    assert (status, ORIGIN) == (answer.status, answer.one("access-control-allow-origin"))
    assert "application/problem+json" == answer.one("content-type")


async def test_no_origins() -> None:
    """Without configured origins nothing of CORS is said."""
    answer = await ask(app(), STUDIES, headers={"origin": ORIGIN})
    assert not any(name.startswith("access-control") for name, _ in answer.headers)
    assert "Accept, Accept-Encoding" == answer.one("vary")


# --- what the service tells of itself -------------------------------------------------------------


@pytest.mark.parametrize("target", ["/dicom-web", "/dicom-web/"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_capabilities(target: str, method: str) -> None:
    """The base URL answers what the service can do (PS3.18 §8.9), and no patient's data."""
    answer = await ask(app(), target, method=method)
    assert (200, "application/json") == (answer.status, answer.one("content-type"))
    assert "GET, HEAD, OPTIONS" == answer.one("allow")
    paths = [one["path"] for one in answer.json["resources"]]
    assert ["/studies", "/studies/{study}/series", "/series"] == paths[:3]
    assert len(answer.body) < 32_768
    assert b"DOE" not in answer.body


@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 200), ("*/*", 200), ("application/vnd.sun.wadl+xml", 406)],
)
async def test_capabilities_are_json(accept: str, status: int) -> None:
    """They are JSON; the standard's other form, WADL, is not offered."""
    answer = await ask(app(), "/dicom-web", method="OPTIONS", headers={"accept": accept})
    assert status == answer.status


async def test_the_page_stands_alone() -> None:
    """The page of the documents loads nothing: it has no script, no image and no foreign link."""
    answer = await ask(app(), "/docs")
    text = answer.body.decode()
    assert "text/html; charset=utf-8" == answer.one("content-type")
    assert answer.one("content-security-policy").startswith("default-src 'none';")
    assert not any(word in text for word in ("<script", "src=", "http://", "https://", "@import"))
    for name in ("/dicom-web/studies/{study}/series", "PatientName", "includefield", "413"):
        assert name in text


async def test_the_document_is_served() -> None:
    """The OpenAPI document is served as it is kept."""
    answer = await ask(app(), "/openapi.yaml")
    assert (200, "application/yaml") == (answer.status, answer.one("content-type"))
    assert answer.body.startswith(b"openapi: 3.1")
