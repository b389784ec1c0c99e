"""Answers that a client may keep: ETag, 304, Cache-Control, Vary."""

from __future__ import annotations

import pytest

from gateway.server.routes import ServerOptions
from tests.http.driver import ask
from tests.http.upstream import ListedCalls, app_over, image_set

STUDIES = "/dicom-web/studies"
FEW, MORE = "?limit=1", ""
STORED = [image_set(n) for n in range(1, 9)]


@pytest.mark.parametrize("query", [FEW, MORE], ids=["short", "compressible"])
@pytest.mark.parametrize("coding", ["identity", "gzip", "br", "zstd", "*"])
@pytest.mark.parametrize(
    ("form", "status"),
    [
        pytest.param("{etag}", 304, id="weak"),
        pytest.param("{strong}", 304, id="strong"),
        pytest.param('"x", {etag}', 304, id="in a list"),
        pytest.param("*", 304, id="any"),
        pytest.param('W/"x"', 200, id="another"),
        pytest.param("x", 200, id="no tag"),
    ],
)
async def test_asked_again(query: str, coding: str, form: str, status: int) -> None:
    """Who names the ETag of any coding gets 304 with the fields that describe the answer."""
    app, target = app_over(ListedCalls(STORED)), STUDIES + query
    etag = (await ask(app, target)).one("etag")
    field = form.format(etag=etag, strong=etag.removeprefix("W/"))
    headers = {"if-none-match": field, "accept-encoding": coding}
    answer = await ask(app, target, headers=headers)
    assert (status, etag) == (answer.status, answer.one("etag"))
    assert "private, no-cache" == answer.one("cache-control")
    assert "Accept, Accept-Encoding" == answer.one("vary")
    if status == 304:
        assert b"" == answer.body
        assert (
            not {"content-type", "content-length", "content-encoding"} & dict(answer.headers).keys()
        )


async def test_a_changed_answer() -> None:
    """Another answer has another ETag, and so has the same as another media type."""
    one = await ask(app_over(ListedCalls(STORED)), STUDIES)
    other = await ask(app_over(ListedCalls(STORED[1:])), STUDIES)
    json = await ask(app_over(ListedCalls(STORED)), STUDIES, headers={"accept": "application/json"})
    assert 3 == len({answer.one("etag") for answer in (one, other, json)})
    assert all(answer.one("etag").startswith('W/"') for answer in (one, other, json))
    assert ("application/json", one.body) == (json.one("content-type"), json.body)


async def test_warnings_are_repeated() -> None:
    """304 says again what has to be said of the answer."""
    app, target = app_over(ListedCalls(STORED)), f"{STUDIES}?limit=1&Foo=1"
    whole = await ask(app, target)
    again = await ask(app, target, headers={"if-none-match": whole.one("etag")})
    assert 2 == len(whole.all("warning"))
    assert (304, whole.all("warning")) == (again.status, again.all("warning"))


@pytest.mark.parametrize("query", [FEW, MORE], ids=["short", "compressible"])
async def test_no_store(query: str) -> None:
    """With cache_control no-store nothing may be kept: no ETag, and never 304."""
    app = app_over(ListedCalls(STORED), ServerOptions(cache_control="no-store"))
    answer = await ask(app, STUDIES + query, headers={"if-none-match": "*"})
    assert (200, "no-store", []) == (
        answer.status,
        answer.one("cache-control"),
        answer.all("etag"),
    )


async def test_errors_are_not_kept() -> None:
    """An error is never stored."""
    answer = await ask(app_over(ListedCalls(STORED)), f"{STUDIES}?limit=x")
    assert (400, "no-store", []) == (
        answer.status,
        answer.one("cache-control"),
        answer.all("etag"),
    )


async def test_a_stream_has_no_etag() -> None:
    """A stream leaves before its end is known: no ETag, so If-None-Match does nothing."""
    days = [image_set(n, date=f"2020{12 - n // 200:02}01") for n in range(1, 1201)]
    target = f"{STUDIES}?limit=5000"
    answer = await ask(app_over(ListedCalls(days)), target, headers={"if-none-match": "*"})
    assert (200, [], []) == (answer.status, answer.all("etag"), answer.all("content-length"))
    assert "private, no-cache" == answer.one("cache-control")
