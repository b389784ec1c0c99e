"""A gateway in front of an emulator in one event loop, and clients that do not behave."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from gateway.emulator.faults import Faults
from gateway.emulator.wire import create_app as emulator_app
from gateway.healthimaging.client import HealthImagingClient
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.metrics import Meters
from gateway.healthimaging.quota import Quota, QuotaLimits
from gateway.healthimaging.walks import WalkLimits, Walks
from gateway.qido.query import Dialect
from gateway.qido.times import format_date
from gateway.search.plan import SearchOptions
from gateway.server.searches import Limits, SearchService
from tests.contract.serving import running
from tests.laws.harness import DATASTORE_ID, app_of, store_of
from tests.walking import DAY

PAGE_SIZE = 10
SEND_BUFFER_BYTES = 16_384
WAIT_S = 20.0
FREE = QuotaLimits(1e6, 10**6)


@dataclass(frozen=True)
class Site:
    """Both servers, and what holds their state."""

    url: str
    walks: Walks
    client: HealthImagingClient
    faults: Faults

    @property
    def calls(self) -> int:
        """How many searches the emulator has had."""
        return self.faults.calls["SearchImageSets"]

    async def is_quiet(self) -> None:
        """Wait until no search is under way: the emulator has none for a while."""
        seen = -1
        while seen != self.calls:
            seen = self.calls
            await asyncio.sleep(3 * self.faults.latency_ms / 1000 + 0.1)


@asynccontextmanager
async def site_of(
    studies: int,
    monkeypatch: pytest.MonkeyPatch,
    latency_ms: float = 0.0,
    limits: WalkLimits = WalkLimits(),  # noqa: B008 - frozen
    quota: QuotaLimits = FREE,
) -> AsyncIterator[Site]:
    """A gateway over so many studies of one image set, ten a day."""
    for name, value in _AWS.items():
        monkeypatch.setenv(name, value)
    store, faults = store_of(map(_summary, range(studies))), Faults(latency_ms)
    async with running(emulator_app(store, faults=faults)) as upstream:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", upstream)
        client = HealthImagingClient(DATASTORE_ID, "us-east-1", inject_host_prefix=False)
        meters, clock = Meters(), asyncio.get_running_loop().time
        walks = Walks(client, Quota(quota), limits, meters, clock, page_size=PAGE_SIZE)
        service = SearchService(
            walks, MetadataStore(client), SearchOptions(), Limits(), Dialect(), meters, clock
        )
        try:
            async with running(app_of(service), SEND_BUFFER_BYTES) as url:
                yield Site(url, walks, client, faults)
        finally:
            service.close()
            await client.aclose()
    store.close()


_AWS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def _summary(number: int) -> dict[str, object]:
    tags = {
        "DICOMStudyInstanceUID": f"1.2.826.{number}",
        "DICOMSeriesInstanceUID": f"1.2.826.{number}.1",
        "DICOMStudyDate": format_date(DAY - number // PAGE_SIZE),
        "DICOMStudyTime": f"{23 - number % PAGE_SIZE:02}0000",
        "DICOMPatientId": f"PAT{number % 7}",
        "DICOMPatientName": "DOE^JANE",
        "DICOMStudyDescription": "CHEST " * 10,
    }
    return {
        "imageSetId": f"{number:032x}",
        "version": 1,
        "isPrimary": True,
        "createdAt": 1.7e9,
        "updatedAt": 1.7e9,
        "DICOMTags": tags,
    }


class Visitor:
    """One connection with one request on it, which is read or not, and left in any way."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    async def ask(self, url: str, target: str, accept: str = "*/*") -> None:
        """Send the request."""
        parts, loop = urlsplit(url), asyncio.get_running_loop()
        await loop.sock_connect(self._socket, (parts.hostname, parts.port))
        request = f"GET /dicom-web/{target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: {accept}"
        await loop.sock_sendall(self._socket, f"{request}\r\nConnection: close\r\n\r\n".encode())

    async def read(self, at_least: int = 10**9) -> bytes:
        """So many bytes of the answer, or what there is of it."""
        got, loop = bytearray(), asyncio.get_running_loop()
        while len(got) < at_least and (more := await loop.sock_recv(self._socket, 4_096)):
            got += more
        return bytes(got)

    def leave(self, *, abruptly: bool = False) -> None:
        """Close the connection; abruptly, the server is told by a reset."""
        if abruptly and self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


async def asked(url: str, target: str, accept: str = "*/*") -> bytes:
    """The whole answer, as it stands on the wire."""
    with Visitor() as visitor:
        await visitor.ask(url, target, accept)
        return await visitor.read()


def body_of(answer: bytes) -> bytes:
    """The body of a whole answer that came in chunks."""
    left, body = answer.partition(b"\r\n\r\n")[2], b""
    while left:
        size, _, left = left.partition(b"\r\n")
        body += left[: int(size, 16)]
        left = left[int(size, 16) + 2 :]
    return body


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


def open_sockets() -> int:
    """How many this process has."""
    number = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            number += str(link.readlink()).startswith("socket:")
    return number
