"""The emulator over real HTTP, against botocore's own model of the service."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiobotocore.session
import boto3
import pytest
import pytest_asyncio
from aiobotocore.config import AioConfig
from botocore import exceptions
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from starlette.concurrency import run_in_threadpool

from gateway.emulator.errors import WireError
from gateway.emulator.faults import Faults
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from tests.contract.serving import running

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
MODEL = ServiceModel(Loader().load_service_model("medical-imaging", "service-2"))
SEARCH = {"filters": [{"operator": "EQUAL", "values": [{"DICOMPatientId": "PAT1"}]}]}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


class Served:
    """An emulator that is being served."""

    def __init__(self, url: str, faults: Faults) -> None:
        self.url, self.faults = url, faults

    async def boto3(self, use: Callable[[Any], Any]) -> Any:
        """What `use` makes of a boto3 client."""
        retries: Any = {"mode": "standard", "total_max_attempts": 1}
        config = Config(inject_host_prefix=False, retries=retries)

        def run() -> Any:
            client = boto3.client(
                "medical-imaging", "us-east-1", endpoint_url=self.url, config=config
            )
            with_client = use(client)
            client.close()
            return with_client

        return await run_in_threadpool(run)


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    """Three image sets of two patients."""
    store = Store(None, Variants(), DATASTORE_ID, clock=lambda: 1.7e9)
    store.add_summaries(
        {
            "imageSetId": f"{n:032x}",
            "isPrimary": True,
            "DICOMTags": {
                "DICOMPatientId": f"PAT{n // 3}",
                "DICOMPatientName": "DOE^JANE",
                "DICOMStudyInstanceUID": f"1.2.{n}",
                "DICOMSeriesNumber": n,
            },
        }
        for n in range(1, 4)
    )
    faults = Faults()
    async with running(create_app(store, faults=faults)) as url:
        yield Served(url, faults)
    store.close()


def _check(operation: str, answer: dict[str, Any]) -> None:
    """The answer has what the model asks for, and nothing else."""
    shape = MODEL.operation_model(operation).output_shape
    answer = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    assert answer


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        pytest.param(
            "SearchImageSets",
            lambda c: c.search_image_sets(datastoreId=DATASTORE_ID, searchCriteria=SEARCH),
            id="SearchImageSets",
        ),
        pytest.param(
            "GetDatastore", lambda c: c.get_datastore(datastoreId=DATASTORE_ID), id="GetDatastore"
        ),
        pytest.param("ListDatastores", lambda c: c.list_datastores(), id="ListDatastores"),
        pytest.param(
            "GetImageSet",
            lambda c: c.get_image_set(datastoreId=DATASTORE_ID, imageSetId=f"{1:032x}"),
            id="GetImageSet",
        ),
    ],
)
async def test_answers_have_the_models_shape(
    served: Served, operation: str, call: Callable[[Any], Any]
) -> None:
    """Each operation's answer is valid by botocore's own model, and is counted."""
    _check(operation, await served.boto3(call))
    assert 1 == served.faults.calls[operation]


async def test_the_paginator_reads_every_page(served: Served) -> None:
    """boto3's paginator follows the tokens, which need percent-encoding, to the end."""

    def pages(client: Any) -> list[int]:
        paginator = client.get_paginator("search_image_sets")
        found = paginator.paginate(
            datastoreId=DATASTORE_ID, searchCriteria={}, PaginationConfig={"PageSize": 1}
        )
        return [len(page["imageSetsMetadataSummaries"]) for page in found]

    assert [1, 1, 1] == await served.boto3(pages)


async def test_aiobotocore_reads_the_summaries(served: Served) -> None:
    """The asynchronous client reads what was stored, times as datetimes."""
    config = AioConfig(inject_host_prefix=False)
    session = aiobotocore.session.get_session()
    async with session.create_client(
        "medical-imaging", region_name="us-east-1", endpoint_url=served.url, config=config
    ) as client:
        answer = await client.search_image_sets(datastoreId=DATASTORE_ID, searchCriteria=SEARCH)
    (one,) = answer["imageSetsMetadataSummaries"]
    assert ("DOE^JANE", 1) == (one["DICOMTags"]["DICOMPatientName"], one["version"])
    assert 1.7e9 == one["createdAt"].timestamp()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 429),
        ("ConflictException", 409),
        ("AccessDeniedException", 403),
        ("ValidationException", 400),
        ("InternalServerException", 500),
        ("ResourceNotFoundException", 404),
    ],
)
async def test_each_exception_is_its_own_type(served: Served, code: str, status: int) -> None:
    """Each of SearchImageSets' six exceptions reaches a client as its own type."""
    served.faults.schedule(WireError(code, status, "the rule"))

    def call(client: Any) -> tuple[str, int]:
        try:
            client.search_image_sets(datastoreId=DATASTORE_ID, searchCriteria={})
        except exceptions.ClientError as exc:
            return type(exc).__name__, exc.response["ResponseMetadata"]["HTTPStatusCode"]
        return "", 0

    assert (code, status) == await served.boto3(call)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(
            lambda c: c.search_image_sets(datastoreId="f" * 32, searchCriteria={}),
            "ResourceNotFoundException",
            id="another data store",
        ),
        pytest.param(
            lambda c: c.search_image_sets(datastoreId="F" * 32, searchCriteria={}),
            "ValidationException",
            id="an identifier that is none",
        ),
        pytest.param(
            lambda c: c.get_datastore(datastoreId="f" * 32),
            "ResourceNotFoundException",
            id="another data store's properties",
        ),
        pytest.param(
            lambda c: c.get_image_set(datastoreId=DATASTORE_ID, imageSetId="f" * 32),
            "ResourceNotFoundException",
            id="another image set",
        ),
        pytest.param(
            lambda c: c.get_image_set(
                datastoreId=DATASTORE_ID, imageSetId=f"{1:032x}", versionId="9"
            ),
            "ResourceNotFoundException",
            id="another version",
        ),
        pytest.param(
            lambda c: c.search_image_sets(datastoreId=DATASTORE_ID, maxResults=51),
            "ValidationException",
            id="51 results",
        ),
        pytest.param(
            lambda c: c.search_image_sets(datastoreId=DATASTORE_ID, nextToken="abc"),
            "ValidationException",
            id="a token that was not given",
        ),
        pytest.param(
            lambda c: c.delete_datastore(datastoreId=DATASTORE_ID),
            "ConflictException",
            id="deletion of a data store that is not empty",
        ),
    ],
)
async def test_refuses(served: Served, call: Callable[[Any], Any], code: str) -> None:
    """What is wrong is refused with AWS's code."""

    def refused(client: Any) -> str:
        try:
            call(client)
        except exceptions.ClientError as exc:
            return str(exc.response["Error"]["Code"])
        return ""

    assert code == await served.boto3(refused)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        pytest.param("", b"{", "SerializationException", id="no JSON"),
        pytest.param("?maxResults=x", b"{}", "ValidationException", id="no number"),
        pytest.param("?maxResults=0", b"{}", "ValidationException", id="zero"),
        pytest.param("", b"[]", "ValidationException", id="no structure"),
    ],
)
async def test_refuses_what_no_sdk_sends(served: Served, path: str, body: bytes, code: str) -> None:
    """A broken body or number is an AWS-shaped error as well."""
    url = f"{served.url}/datastore/{DATASTORE_ID}/searchImageSets{path}"

    def post() -> tuple[int, str, dict[str, str]]:
        try:
            urllib.request.urlopen(urllib.request.Request(url, body, method="POST"))
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.headers["x-amzn-errortype"], json.load(exc)
        raise AssertionError("was not refused")

    status, kind, answer = await run_in_threadpool(post)
    assert (400, code) == (status, kind)
    assert {"message"} == set(answer)


async def test_throttles(served: Served) -> None:
    """Past its burst and rate a search is throttled; later it is not."""
    now = 0.0
    faults = served.faults
    faults.rate, faults.burst, faults.clock = 2.0, 2, lambda: now

    def codes(client: Any) -> list[str]:
        found = []
        for _ in range(3):
            try:
                client.search_image_sets(datastoreId=DATASTORE_ID, searchCriteria={})
                found.append("")
            except exceptions.ClientError as exc:
                found.append(exc.response["Error"]["Code"])
        return found

    assert ["", "", "ThrottlingException"] == await served.boto3(codes)
    now = 0.5
    assert ["", "ThrottlingException", "ThrottlingException"] == await served.boto3(codes)


async def test_counts_are_told(served: Served) -> None:
    """The number of calls can be asked for."""
    await served.boto3(
        lambda c: c.search_image_sets(datastoreId=DATASTORE_ID, searchCriteria=SEARCH)
    )

    def read() -> Any:
        with urllib.request.urlopen(f"{served.url}/_emulator/calls") as answer:
            return json.load(answer)

    assert {"SearchImageSets": 1} == await run_in_threadpool(read)
