"""The exceptions of SearchImageSets, as each of AWS's clients raises them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gateway.emulator.account import Account
from gateway.emulator.faults import Faults
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from tests.clients.calling import KEY_ID, aws, boto3_client, javascript
from tests.contract.serving import running
from tests.e2e import running as processes

DATASTORE_ID = processes.DATASTORE_ID
STATUSES = {
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
    "ThrottlingException": 429,
    "InternalServerException": 500,
}
EQUAL = {"values": [{"DICOMPatientId": "1"}], "operator": "EQUAL"}


@dataclass(frozen=True)
class Provocation:
    """A search that ends with one of the exceptions, which the emulator raises of itself."""

    url: str
    datastore_id: str
    criteria: Mapping[str, Any]


@asynccontextmanager
async def provoked(name: str) -> AsyncIterator[Provocation]:
    """An emulator, and a search that it answers with that exception."""
    criteria: dict[str, Any] = {"filters": [EQUAL]}
    datastore_id = DATASTORE_ID
    store = Store(None, Variants(), DATASTORE_ID)
    account = Account(store, settle_s=3600.0)
    faults, access_keys = Faults(), [KEY_ID]
    match name:
        case "ValidationException":
            criteria = {"filters": [EQUAL] * 3}
        case "AccessDeniedException":
            access_keys = ["another"]
        case "ResourceNotFoundException":
            datastore_id = "f" * 32
        case "ConflictException":  # a data store that is not made yet
            datastore_id = account.create({})["datastoreId"]
        case "ThrottlingException":
            faults = Faults(rate=0.001, burst=1)
            assert faults.next_fault() is None, "the one search that the rate allows"
        case "InternalServerException":
            store.close()
    app = create_app(store, faults=faults, account=account, access_keys=access_keys)
    try:
        async with running(app) as url:
            yield Provocation(url, datastore_id, criteria)
    finally:
        store.close()


@dataclass(frozen=True)
class Raised:
    """What a client says of an exception; `status` is None where it tells none."""

    name: str
    status: int | None
    message: str


def by_boto3(asked: Provocation, _: Path) -> Raised:
    """It is the client's own class of that name, and has a request's id."""
    client = boto3_client(asked.url)
    with pytest.raises(ClientError) as caught:
        client.search_image_sets(datastoreId=asked.datastore_id, searchCriteria=asked.criteria)
    error, metadata = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    assert type(caught.value) is getattr(client.exceptions, error["Code"])
    assert metadata["RequestId"]
    return Raised(error["Code"], metadata["HTTPStatusCode"], error["Message"])


def by_awscli(asked: Provocation, folder: Path) -> Raised:
    """It is exit status 254 or 255, nothing on stdout and a sentence on stderr."""
    criteria = json.dumps(asked.criteria)
    arguments = ("--datastore-id", asked.datastore_id, "--search-criteria", criteria)
    ended = aws(asked.url, folder, *arguments)
    assert ended.status in (254, 255)
    assert "" == ended.out
    told = re.search(
        r"An error occurred \((\w+)\) when calling the SearchImageSets operation"
        r"(?: \(reached max retries: 0\))?: (.*)",
        ended.errors,
    )
    assert told, ended.errors
    return Raised(told[1], None, told[2].strip())


def by_javascript(asked: Provocation, _: Path) -> Raised:
    """It is the package's own class of that name, and has a request's id."""
    got = javascript(asked.url, "exception", asked.datastore_id, json.dumps(asked.criteria))
    assert got["ownClass"]
    assert got["requestId"]
    return Raised(got["name"], got["status"], got["message"])


CLIENTS = {"boto3": by_boto3, "command line": by_awscli, "JavaScript": by_javascript}


@pytest.mark.parametrize("call", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize(("name", "status"), STATUSES.items(), ids=STATUSES)
async def test_each_client_raises_it(
    tmp_path: Path, name: str, status: int, call: Callable[[Provocation, Path], Raised]
) -> None:
    """It has its name, its HTTP status and its message."""
    async with provoked(name) as asked:
        raised = await asyncio.to_thread(call, asked, tmp_path)
    assert name == raised.name
    assert raised.status in (status, None)
    assert raised.message


@pytest.mark.parametrize(
    ("name", "status", "retries"),
    [
        ("AccessDeniedException", 502, 0),
        ("ResourceNotFoundException", 502, 0),
        ("ConflictException", 502, 0),
        ("ThrottlingException", 503, 1),
        ("InternalServerException", 503, 1),
    ],
)
async def test_the_gateway_maps_it(tmp_path: Path, name: str, status: int, retries: int) -> None:
    """The gateway's client gets a status, with Retry-After where a retry may help.

    A search that is not valid is asked in another way, which the ladder's tests show.
    """
    async with provoked(name) as asked:
        answer = await asyncio.to_thread(_gateway_answer, asked, tmp_path)
    assert (status, retries) == (answer.status, len(answer.all("retry-after")))
    assert "application/problem+json" == answer.one("content-type")


def _gateway_answer(asked: Provocation, folder: Path) -> processes.Answer:
    env = {
        **processes.credentials(asked.url),
        "QIDO_GATEWAY_DATASTORE_ID": asked.datastore_id,
    }
    with processes.running(folder, "serve", "--port", "0", env=env) as gateway:
        return processes.ask(f"{gateway.url}/studies")
