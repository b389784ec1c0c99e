"""GetImageSetMetadata through the gateway's client, against the emulator, over real HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pydicom
import pytest
from pydicom.data import get_testdata_file

from gateway.emulator.errors import WireError
from gateway.emulator.faults import BrokenBody, Faults
from gateway.emulator.importer import import_paths
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from gateway.errors import (
    ResultTooLargeError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.healthimaging import client as client_module
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.client import HealthImagingClient
from gateway.healthimaging.metadata import MetadataLimits, MetadataStore
from gateway.healthimaging.upstream import RequestUpstream
from gateway.search.imageset import ImageSet
from gateway.search.metadata import Fault
from gateway.search.plan import Plan
from tests.building import upstream_over
from tests.contract.serving import running

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
FILE = Path(str(get_testdata_file("CT_small.dcm")))
OPERATION = "GetImageSetMetadata"
NAMES = frozenset({"Rows"})


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # No test waits: what is tried again is tried at once
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@dataclass
class Served:
    """An emulator that is being served, a request's upstream of it, and its one image set."""

    faults: Faults
    upstream: RequestUpstream
    image_set: ImageSet


@asynccontextmanager
async def served(
    monkeypatch: pytest.MonkeyPatch,
    limits: MetadataLimits = MetadataLimits(),  # noqa: B008 - frozen
    max_calls: int = 99,
) -> AsyncIterator[Served]:
    """An emulator of one CT image."""
    store, faults = Store(None, Variants(), DATASTORE_ID), Faults()
    import_paths(store, [FILE])
    async with running(create_app(store, faults=faults)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", url)
        client = HealthImagingClient(DATASTORE_ID, "us-east-1", inject_host_prefix=False)
        try:
            (one,) = (await client.search_image_sets(Plan(), 2, "")).image_sets
            budget = Budget(max_calls, 30, lambda: 0.0)
            kept = MetadataStore(client, limits)
            upstream = upstream_over(client, budget, kept)
            yield Served(faults, upstream, one)
        finally:
            await client.aclose()
            store.close()


async def test_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file says of its levels and of itself; asked again, it costs no call."""
    file = pydicom.dcmread(FILE)
    async with served(monkeypatch) as up:
        for _ in range(2):
            found = await up.upstream.metadata(up.image_set, NAMES)
    (one,) = found.instances
    assert (str(file.SOPInstanceUID), True, ()) == (one.sop_instance_uid, found.whole, found.faults)
    assert (file.PatientID, file.Rows) == (
        found.levels["PatientID"],
        orjson.loads(one.body)["DICOM"]["Rows"],
    )
    assert (1, 1) == (up.faults.calls[OPERATION], up.upstream.budget.calls)


@pytest.mark.parametrize(
    ("version", "known"),
    [(1, True), (0, True), (7, False)],
    ids=["its version", "its newest", "no such version"],
)
async def test_version(monkeypatch: pytest.MonkeyPatch, version: int, known: bool) -> None:
    """The version that was found is asked for; where none is known, the newest."""
    async with served(monkeypatch) as up:
        image_set = ImageSet(up.image_set.image_set_id, up.image_set.tags, version)
        found = await up.upstream.metadata(image_set, NAMES)
    assert (known, () if known else (Fault.GONE,)) == (found.whole, found.faults)


async def test_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image set that went since the search is a fault, and is asked for again."""
    async with served(monkeypatch) as up:
        gone = ImageSet("f" * 32, {}, 1)
        for calls in (1, 2):
            found = await up.upstream.metadata(gone, NAMES)
            assert ((Fault.GONE,), False, ()) == (found.faults, found.whole, found.instances)
            assert calls == up.upstream.budget.calls


TEXT = json.dumps({"Patient": {}, "Study": {"DICOM": {}, "Series": {}}}).encode()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(b"<html>", Fault.NOT_GZIP, id="not gzip"),
        pytest.param(gzip.compress(b"<html>"), Fault.NOT_JSON, id="not JSON"),
        pytest.param(gzip.compress(TEXT)[:-20], Fault.NOT_JSON, id="cut gzip"),
        pytest.param(gzip.compress(TEXT), Fault.INCOMPLETE, id="no series"),
        pytest.param(TEXT, Fault.INCOMPLETE, id="inflated on the way"),
        pytest.param(b"", Fault.NOT_GZIP, id="nothing"),
        pytest.param(TEXT + b" " * 2**20, Fault.TOO_LARGE, id="more than is read"),
    ],
)
async def test_a_body_of_something_else(
    monkeypatch: pytest.MonkeyPatch, body: bytes, fault: Fault
) -> None:
    """It is not whole, says why, and the next call is not disturbed by it."""
    async with served(monkeypatch, MetadataLimits(cache_bytes=0, max_bytes=2**20)) as up:
        up.faults.metadata.schedule(body)
        found = await up.upstream.metadata(up.image_set, NAMES)
        assert (False, fault) == (found.whole, found.faults[-1] if fault is Fault.INCOMPLETE
                                  else found.faults[0])  # fmt: skip
        assert (await up.upstream.metadata(up.image_set, NAMES)).whole


@pytest.mark.parametrize(
    ("fault", "times", "kind", "calls"),
    [
        pytest.param(WireError("ThrottlingException", 429, "x"), 3, UpstreamThrottledError, 3,
                     id="throttled to the end"),
        pytest.param(WireError("InternalServerException", 500, "x"), 3, UpstreamUnavailableError, 3,
                     id="failing to the end"),
        pytest.param(WireError("AccessDeniedException", 403, "x"), 1, UpstreamRejectedError, 1,
                     id="denied"),
        pytest.param(WireError("ConflictException", 409, "x"), 1, UpstreamRejectedError, 1,
                     id="conflict"),
        pytest.param("cut", 1, UpstreamUnavailableError, 1, id="cut in the body"),
        pytest.param("stalled", 1, UpstreamTimeoutError, 1, id="stalled in the body"),
    ],
)  # fmt: skip
async def test_a_fault_is_one_of_our_errors(
    monkeypatch: pytest.MonkeyPatch,
    fault: WireError | BrokenBody,
    times: int,
    kind: type[UpstreamError],
    calls: int,
) -> None:
    """What fails is an error of ours and costs what it cost; the next call is well."""
    monkeypatch.setattr(client_module, "READ_TIMEOUT_S", 0.3)
    async with served(monkeypatch) as up:
        up.faults.metadata.schedule(fault, times)
        with pytest.raises(UpstreamError) as caught:
            await up.upstream.metadata(up.image_set, NAMES)
        assert (kind, calls) == (type(caught.value), up.upstream.budget.calls)
        assert up.image_set.image_set_id not in str(caught.value)
        assert (await up.upstream.metadata(up.image_set, NAMES)).whole
    assert calls + 1 == up.faults.calls[OPERATION]


async def test_retries_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that was well at its second attempt costs two; past the budget there is none."""
    async with served(monkeypatch, MetadataLimits(cache_bytes=0), max_calls=2) as up:
        up.faults.metadata.schedule(WireError("ThrottlingException", 429, "x"))
        assert (await up.upstream.metadata(up.image_set, NAMES)).whole
        assert 2 == up.upstream.budget.calls
        with pytest.raises(ResultTooLargeError, match="smaller limit"):
            await up.upstream.metadata(up.image_set, NAMES)


async def test_the_emulators_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator throttles this operation by a rate of its own, and not searches."""
    async with served(monkeypatch, MetadataLimits(cache_bytes=0)) as up:
        up.faults.clock = lambda: 0.0
        up.faults.metadata.rate, up.faults.metadata.burst = 1.0, 2
        up.faults.metadata.latency_ms = 0.001
        for _ in range(2):
            await up.upstream.metadata(up.image_set, NAMES)
        with pytest.raises(UpstreamThrottledError):
            await up.upstream.metadata(up.image_set, NAMES)
        await up.upstream.open(Plan())
