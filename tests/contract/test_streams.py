"""Answers of a real server over loopback HTTP: streams begin at once, and a cut one is seen."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from starlette.types import ASGIApp

from gateway.errors import UpstreamUnavailableError
from gateway.search.imageset import Page
from gateway.search.plan import Plan
from tests.contract.serving import running
from tests.http.upstream import ListedCalls, app_over, image_set

STUDIES = [image_set(n, date=f"2020{12 - n // 200:02}01") for n in range(1, 2001)]
LAST_CHUNK = b"0\r\n\r\n"


@dataclass
class HeldCalls(ListedCalls):
    """Serves a few pages at once, the others when it is let go; then, if told so, it fails."""

    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """The next page."""
        if self.served > 30:
            await self.let_go.wait()
            if self.fails:
                raise UpstreamUnavailableError("x")
        return await super().search_image_sets(one, page_size, next_token)


@asynccontextmanager
async def asked(app: ASGIApp, coding: str) -> AsyncIterator[asyncio.StreamReader]:
    """The connection on which a long answer comes, after its header."""
    async with running(app) as url:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        request = f"GET /dicom-web/studies?limit=5000 HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        writer.write(f"{request}Accept-Encoding: {coding}\r\nConnection: close\r\n\r\n".encode())
        header = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert header.startswith(b"http/1.1 200") and b"transfer-encoding: chunked" in header
        try:
            yield reader
        finally:
            writer.close()


@pytest.mark.parametrize("coding", ["identity", "gzip", "br", "zstd"])
@pytest.mark.parametrize("fails", [False, True], ids=["whole", "cut"])
async def test_a_stream(coding: str, fails: bool) -> None:
    """The first bytes come while the search goes on; only a whole answer has the last chunk."""
    calls = HeldCalls(STUDIES, fails=fails)
    async with asked(app_over(calls), coding) as reader:
        first = await reader.readexactly(2_000)  # comes, though the upstream is held
        assert not calls.let_go.is_set()
        calls.let_go.set()
        rest = await reader.read()
    assert fails != (first + rest).endswith(LAST_CHUNK)
    assert not fails or not rest.rstrip().endswith(b"]")


async def test_the_first_bytes_can_be_read() -> None:
    """A compressed stream is flushed: what has come can be read before the rest does."""
    calls = HeldCalls(STUDIES)
    async with asked(app_over(calls), "gzip") as reader:
        body = b""
        while len(body) < 2_000:
            size = int(await reader.readline(), 16)
            body += (await reader.readexactly(size + 2))[:-2]
        read = zlib.decompressobj(31).decompress(body)
        calls.let_go.set()
        await reader.read()
    assert read.startswith(b"[{") and len(read) > 256 * 1024
