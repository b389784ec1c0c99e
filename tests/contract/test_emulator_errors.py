"""What the emulator's wire refuses, seen as a client sees it: plain HTTP, and boto3."""

from __future__ import annotations

import http.client
import json
from collections.abc import AsyncIterator
from typing import Any

import boto3
import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import ClientError
from starlette.concurrency import run_in_threadpool

from gateway.emulator.faults import Faults
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from tests.contract.serving import running

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
SEARCH = f"/datastore/{DATASTORE_ID}/searchImageSets"
SENTINEL = "DOE^SENTINEL"


class Served:
    """An emulator that is being served."""

    def __init__(self, url: str, faults: Faults) -> None:
        self.url, self.faults = url, faults

    async def ask(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body."""

        def send() -> tuple[int, http.client.HTTPMessage, bytes]:
            connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
            connection.request(method, path, body)
            answer = connection.getresponse()
            received = answer.status, answer.headers, answer.read()
            connection.close()
            return received

        return await run_in_threadpool(send)


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    """One image set."""
    store = Store(None, Variants(), DATASTORE_ID, clock=lambda: 1.7e9)
    store.add_summaries([{"imageSetId": "a" * 32, "DICOMTags": {"DICOMPatientName": SENTINEL}}])
    faults = Faults()
    async with running(create_app(store, faults=faults)) as url:
        yield Served(url, faults)
    store.close()


def _filter(**value: Any) -> bytes:
    return json.dumps({"filters": [{"operator": "EQUAL", "values": [value]}]}).encode()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        pytest.param("POST", f"{SEARCH}?maxResults={'9' * 5000}", b"", 400, "ValidationException",
                     id="a number of 5,000 digits"),
        pytest.param("POST", f"{SEARCH}?maxResults=%D9%A3", b"", 400, "ValidationException",
                     id="another script's digit"),
        pytest.param("POST", f"{SEARCH}?nextToken=", b"", 400, "ValidationException",
                     id="an empty token"),
        pytest.param("POST", SEARCH, _filter(DICOMStudyInstanceUID=SENTINEL), 400,
                     "ValidationException", id="no UID"),
        pytest.param("POST", SEARCH, _filter(DICOMPatientId=SENTINEL * 99), 400,
                     "ValidationException", id="too long"),
        pytest.param("POST", SEARCH, b'{"DOE^SENTINEL": 1}', 400, "ValidationException",
                     id="an unknown key"),
        pytest.param("GET", "/datastore?maxResults=51", None, 400, "ValidationException",
                     id="51 data stores"),
        pytest.param("GET", "/datastore?datastoreStatus=GONE", None, 400, "ValidationException",
                     id="an unknown status"),
        pytest.param("GET", "/datastore?nextToken=x", None, 400, "ValidationException",
                     id="a token of no list"),
        pytest.param("GET", SEARCH, None, 404, "UnknownOperationException", id="another method"),
        pytest.param("GET", "/datastore/", None, 404, "UnknownOperationException", id="a slash"),
        pytest.param("GET", "/", None, 404, "UnknownOperationException", id="the root"),
    ],
)  # fmt: skip
async def test_an_error_is_shaped_as_awss(
    served: Served, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    """Whatever is wrong: a code, a message without the value, and a request id."""
    found, headers, received = await served.ask(method, path, body)
    assert (status, code) == (found, headers["x-amzn-errortype"])
    assert headers["x-amzn-RequestId"]
    assert {"message"} == set(json.loads(received))
    assert b"SENTINEL" not in received


async def test_data_stores_by_status(served: Served) -> None:
    """The one data store is active, and in no other list."""
    lists = [
        json.loads((await served.ask("GET", f"/datastore?datastoreStatus={status}"))[2])
        for status in ("ACTIVE", "DELETED")
    ]
    assert [1, 0] == [len(one["datastoreSummaries"]) for one in lists]


async def test_a_plain_503(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 503 that is not AWS's reaches boto3 as the code 503."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    served.faults.schedule("unavailable")
    retries: Any = {"mode": "standard", "total_max_attempts": 1}
    config = Config(inject_host_prefix=False, retries=retries)

    def call() -> str:
        client = boto3.client(
            "medical-imaging", "us-east-1", endpoint_url=served.url, config=config
        )
        try:
            client.search_image_sets(datastoreId=DATASTORE_ID)
        except ClientError as exc:
            return str(exc.response["Error"]["Code"])
        finally:
            client.close()
        return ""

    assert "503" == await run_in_threadpool(call)


async def test_a_bug_tells_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails inside is an InternalServerException without the reason."""

    def fail(*_: object) -> None:
        raise RuntimeError(SENTINEL)

    monkeypatch.setattr(Store, "search", fail)
    status, headers, received = await served.ask("POST", SEARCH, b"{}")
    assert (500, "InternalServerException") == (status, headers["x-amzn-errortype"])
    assert b"SENTINEL" not in received
