"""The gateway's client against the emulator, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from gateway.emulator.errors import WireError
from gateway.emulator.faults import Broken, Faults
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from gateway.errors import (
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
    UpstreamValidationError,
)
from gateway.healthimaging import client as client_module
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.client import HealthImagingClient
from gateway.search.plan import Plan, Sort
from tests.building import upstream_over
from tests.contract.serving import running

DATASTORE_ID = "0123456789abcdef0123456789abcdef"


@dataclass
class Upstream:
    """An emulator that is being served, and a client of it."""

    client: HealthImagingClient
    faults: Faults


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # No test waits: what is tried again is tried at once
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@asynccontextmanager
async def upstream(
    monkeypatch: pytest.MonkeyPatch, number: int = 3, datastore_id: str = DATASTORE_ID
) -> AsyncIterator[Upstream]:
    """An emulator of so many image sets."""
    store = Store(None, Variants(), DATASTORE_ID)
    tags = (
        {"DICOMStudyInstanceUID": f"1.2.{n}", "DICOMStudyDate": "20200101"} for n in range(number)
    )
    store.add_summaries({"imageSetId": f"{n:032x}", "DICOMTags": t} for n, t in enumerate(tags))
    faults = Faults()
    async with running(create_app(store, faults=faults)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", url)
        client = HealthImagingClient(datastore_id, "us-east-1", inject_host_prefix=False)
        try:
            yield Upstream(client, faults)
        finally:
            await client.aclose()
            store.close()


async def test_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages come as the gateway's own types, each with the token of the next."""
    async with upstream(monkeypatch) as up:
        first = await up.client.search_image_sets(Plan(), 2, "")
        second = await up.client.search_image_sets(Plan(), 2, first.next_token)
    assert (2, 1, "") == (len(first.image_sets), len(second.image_sets), second.next_token)
    assert {f"{n:032x}" for n in range(3)} == {
        one.image_set_id for one in (*first.image_sets, *second.image_sets)
    }


@pytest.mark.parametrize(
    ("fault", "times", "kind", "calls"),
    [
        pytest.param(WireError("ThrottlingException", 429, "x"), 3, UpstreamThrottledError, 3,
                     id="throttled to the end"),
        pytest.param(WireError("InternalServerException", 500, "x"), 3, UpstreamUnavailableError, 3,
                     id="failing to the end"),
        pytest.param(WireError("ValidationException", 400, "x"), 1, UpstreamValidationError, 1,
                     id="invalid is not tried again"),
        pytest.param(WireError("AccessDeniedException", 403, "x"), 1, UpstreamRejectedError, 1,
                     id="denied"),
        pytest.param(WireError("ConflictException", 409, "x"), 1, UpstreamRejectedError, 1,
                     id="conflict"),
        pytest.param(WireError("ResourceNotFoundException", 404, "x"), 1, UpstreamRejectedError, 1,
                     id="no such data store"),
        pytest.param(WireError("ExpiredTokenException", 403, "x"), 1, UpstreamRejectedError, 1,
                     id="expired credentials"),
        pytest.param("cut", 3, UpstreamUnavailableError, 3, id="cut to the end"),
        pytest.param("not-json", 1, UpstreamRejectedError, 1, id="an answer of something else"),
    ],
)  # fmt: skip
async def test_a_fault_is_one_of_our_errors(
    monkeypatch: pytest.MonkeyPatch,
    fault: WireError | Broken,
    times: int,
    kind: type[UpstreamError],
    calls: int,
) -> None:
    """What is worth it is tried again, three times at most; what is left is one of our errors."""
    async with upstream(monkeypatch) as up:
        up.faults.schedule(fault, times)
        with pytest.raises(UpstreamError) as caught:
            await up.client.search_image_sets(Plan(), 50, "")
    assert (kind, calls) == (type(caught.value), up.faults.calls["SearchImageSets"])
    assert calls == caught.value.attempts or fault in ("cut", "not-json")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(WireError("ThrottlingException", 429, "x"), id="throttled"),
        pytest.param(WireError("InternalServerException", 500, "x"), id="failing"),
        pytest.param("cut", id="cut"),
    ],
)
async def test_what_passes_is_tried_again_and_counted(
    monkeypatch: pytest.MonkeyPatch, fault: WireError | Broken
) -> None:
    """A passing fault does not reach the client, but its call is counted."""
    async with upstream(monkeypatch) as up:
        up.faults.schedule(fault)
        page = await up.client.search_image_sets(Plan(), 50, "")
    assert (3, 2) == (len(page.image_sets), page.attempts)


async def test_a_repeated_next_token_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that comes again ends the walk with an error: it would never end."""
    async with upstream(monkeypatch, 10) as up:
        budget = Budget(100, 30, lambda: 0.0)
        walk = await upstream_over(up.client, budget, page_size=2).open(Plan())
        up.faults.schedule("same-token")
        with pytest.raises(UpstreamRejectedError, match="same next token"):
            _ = [page async for page in walk]


async def test_an_unknown_data_store_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A data store that is not there is the operator's fault."""
    async with upstream(monkeypatch, datastore_id="f" * 32) as up:
        with pytest.raises(UpstreamRejectedError):
            await up.client.search_image_sets(Plan((), Sort.DEFAULT), 50, "")


async def test_missing_credentials_are_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials a search is rejected; once there are some the next one works."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with upstream(monkeypatch) as up:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        with pytest.raises(UpstreamRejectedError):
            await up.client.search_image_sets(Plan(), 50, "")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        assert 3 == len((await up.client.search_image_sets(Plan(), 50, "")).image_sets)


async def test_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upstream that can't be reached is unavailable."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", "http://127.0.0.1:9")
    client = HealthImagingClient(DATASTORE_ID, "us-east-1", inject_host_prefix=False)
    try:
        with pytest.raises(UpstreamUnavailableError):
            await client.search_image_sets(Plan(), 50, "")
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        pytest.param({"AWS_REGION": "eu-west-1"}, "eu-west-1", id="AWS_REGION"),
        pytest.param({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2", id="AWS_DEFAULT_REGION"),
        pytest.param({}, None, id="none"),
        pytest.param({"AWS_PROFILE": "nobody"}, None, id="a profile that is not there"),
    ],
)
def test_the_configured_region(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str | None
) -> None:
    """The region is what AWS's own variables name."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert region == client_module.configured_region()
