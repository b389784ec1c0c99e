"""The emulator's DICOMweb over HTTP: what is refused, and what goes wrong on purpose."""

from __future__ import annotations

import http.client
import json

import pytest

from gateway.emulator.errors import WireError
from gateway.emulator.store import Store
from gateway.emulator.transcoding import RPCL
from tests.contract.signed import (
    CT,
    DATASTORE_ID,
    JPEG,
    OCTETS,
    PART10,
    REPORT,
    RLE,
    STORED,
    Retrieves,
    path_of,
    retrieving,
    series_path,
)

# --- what is refused ------------------------------------------------------------------------------

ONE, S = path_of(CT), series_path(CT)
NOWHERE = "1.2.999"


@pytest.mark.parametrize(
    ("path", "accept", "status", "error"),
    [
        pytest.param(f"studies/{NOWHERE}/series/{CT.SeriesInstanceUID}/metadata", None, 404,
                     "ResourceNotFoundException", id="a series of another study"),
        pytest.param(f"studies/{CT.StudyInstanceUID}/series/{NOWHERE}/metadata", None, 404,
                     "ResourceNotFoundException", id="no such series"),
        pytest.param(f"{S}/instances/{NOWHERE}", PART10, 404, "ResourceNotFoundException",
                     id="no such instance"),
        pytest.param(f"{S}/instances/{NOWHERE}/metadata", None, 404, "ResourceNotFoundException",
                     id="metadata of no such instance"),
        pytest.param(f"{ONE}/frames/2", STORED, 404, "ResourceNotFoundException",
                     id="a frame past the last"),
        pytest.param(f"{path_of(REPORT)}/frames/1", STORED, 404, "ResourceNotFoundException",
                     id="a frame of what has no pixels"),
        pytest.param(f"{ONE}/bulkdata/{'0' * 32}", OCTETS, 404, "ResourceNotFoundException",
                     id="no such bulk data"),
        pytest.param(f"{S}/metadata?imageSetId={'f' * 32}", None, 404,
                     "ResourceNotFoundException", id="no such image set"),
        pytest.param(f"{S}/metadata?imageSetId=x", None, 400, "ValidationException",
                     id="imageSetId is none"),
        pytest.param(f"{S}/instances/abc", PART10, 400, "ValidationException", id="no UID"),
        pytest.param(f"studies/1..2/series/{CT.SeriesInstanceUID}/metadata", None, 400,
                     "ValidationException", id="a UID with an empty part"),
        pytest.param(f"studies/{'1' * 65}/series/1/metadata", None, 400, "ValidationException",
                     id="a UID of 65 characters"),
        *(pytest.param(f"{ONE}/frames/{text}", STORED, 400, "ValidationException",
                       id=f"frames {text}") for text in ("0", "01", "1,", "x", "1,1", "-1", "1.0")),
        pytest.param(f"{S}/metadata", "application/dicom", 406, "NotAcceptableException",
                     id="metadata as Part 10"),
        pytest.param(ONE, "application/dicom+json", 406, "NotAcceptableException",
                     id="an instance as JSON"),
        pytest.param(ONE, 'multipart/related; type="application/dicom"', 406,
                     "NotAcceptableException", id="an instance as a part"),
        pytest.param(ONE, "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50", 406,
                     "NotAcceptableException", id="an instance in another syntax"),
        pytest.param(f"{ONE}/frames/1", "image/png", 406, "NotAcceptableException",
                     id="a frame as PNG"),
        pytest.param(f"{ONE}/frames/1",
                     f"multipart/related; type={OCTETS}; transfer-syntax=1.2.840.10008.1.2.4.90",
                     406, "NotAcceptableException", id="a frame in another syntax"),
        pytest.param(f"{path_of(JPEG)}/frames/1", f"{STORED[:-1]}{RPCL}", 406,
                     "NotAcceptableException", id="a lossy frame as lossless"),
        pytest.param(f"{path_of(RLE)}/frames/1", f"{STORED[:-1]}{RPCL}", 406,
                     "NotAcceptableException", id="a frame as HTJ2K that is not stored so"),
        pytest.param(f"{path_of(RLE)}/frames/1,2", OCTETS, 406, "NotAcceptableException",
                     id="two frames as one part"),
        pytest.param(f"{ONE}/bulkdata/{'0' * 32}", "image/png", 406, "NotAcceptableException",
                     id="bulk data as PNG"),
        pytest.param(f"studies/{CT.StudyInstanceUID}/metadata", None, 404,
                     "UnknownOperationException", id="metadata of a study"),
        pytest.param(f"studies/{CT.StudyInstanceUID}", PART10, 404, "UnknownOperationException",
                     id="a study"),
        pytest.param(S, PART10, 404, "UnknownOperationException", id="a series"),
        pytest.param(f"{ONE}/rendered", None, 404, "UnknownOperationException", id="rendered"),
        pytest.param(f"{ONE}/frames", STORED, 404, "UnknownOperationException", id="no frame list"),
    ],
)  # fmt: skip
async def test_refused(
    served: Retrieves, path: str, accept: str | None, status: int, error: str
) -> None:
    """AWS's shape of an error, and no value of the request in it."""
    answer = await served.get(path, accept)
    assert (status, error) == (answer.status, answer.error)
    assert {"message"} == set(json.loads(answer.body))
    assert b"1.3" not in answer.body


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
async def test_other_methods(served: Retrieves, method: str) -> None:
    """Only GET is an operation."""
    answer = await served.get(f"{S}/metadata", method=method)
    assert (404, "UnknownOperationException") == (answer.status, answer.error)


async def test_other_data_stores(served: Retrieves) -> None:
    """One that is not there is not found, one that cannot be is invalid."""
    for name, status in (("f" * 32, 404), ("x", 400)):
        url = f"{served.url}/datastore/{name}/{S}/metadata"
        assert status == (await served.send(url, served.signed(url))).status


async def test_a_request_without_a_signature(served: Retrieves) -> None:
    """It is refused."""
    answer = await served.send(f"{served.url}/datastore/{DATASTORE_ID}/{S}/metadata", {})
    assert (403, "MissingAuthenticationTokenException") == (answer.status, answer.error)


async def test_access_keys(files: Store) -> None:
    """Where the keys are known, another one is refused."""
    async with retrieving(files, access_keys=["known"]) as served:
        url = f"{served.url}/datastore/{DATASTORE_ID}/{S}/metadata"
        found = [await served.send(url, served.signed(url, key)) for key in ("known", "other")]
        assert [(200, ""), (403, "AccessDeniedException")] == [(x.status, x.error) for x in found]


# --- load and faults ------------------------------------------------------------------------------


async def test_calls_are_counted(served: Retrieves) -> None:
    """Under AWS's names."""
    for path in (ONE, f"{ONE}/metadata", f"{S}/metadata", f"{ONE}/frames/1", f"{ONE}/bulkdata/x"):
        await served.get(path)
    assert {
        "GetDICOMInstance": 1,
        "GetDICOMInstanceMetadata": 1,
        "GetDICOMSeriesMetadata": 1,
        "GetDICOMInstanceFrames": 1,
        "GetDICOMBulkdata": 1,
    } == dict(served.faults.calls)


async def test_limits(served: Retrieves) -> None:
    """Each operation has its own, where there are any."""
    frames = served.faults.of("GetDICOMInstanceFrames")
    frames.rate, frames.burst = 0.001, 1
    found = [await served.get(f"{ONE}/frames/1", STORED) for _ in range(2)]
    assert [(200, ""), (429, "ThrottlingException")] == [(x.status, x.error) for x in found]
    assert 200 == (await served.get(ONE, PART10)).status


@pytest.mark.parametrize(
    ("operation", "path", "accept"),
    [("GetDICOMInstanceFrames", f"{ONE}/frames/1", STORED),
     ("GetDICOMInstanceFrames", f"{path_of(RLE)}/frames/1,2", STORED),
     ("GetDICOMInstance", ONE, PART10),
     ("GetDICOMSeriesMetadata", f"{S}/metadata", None)],
)  # fmt: skip
async def test_faults(served: Retrieves, operation: str, path: str, accept: str | None) -> None:
    """A status, another's status, other bytes, a body that ends or stops in its middle."""
    faults = served.faults.of(operation)
    whole = await served.get(path, accept)
    faults.schedule(WireError("InternalServerException", 500, "x"))
    assert "InternalServerException" == (await served.get(path, accept)).error
    faults.schedule("unavailable")
    assert (503, "") == ((one := await served.get(path, accept)).status, one.error)
    faults.schedule(b"[{")
    assert (200, b"[{") == ((one := await served.get(path, accept)).status, one.body)
    faults.schedule("cut")
    with pytest.raises(http.client.IncompleteRead) as cut:
        await served.get(path, accept)
    assert 0 < len(cut.value.partial) < len(whole.body)
    faults.schedule("stalled")
    with pytest.raises(TimeoutError):
        await served.get(path, accept, wait=0.3)
    again = await served.get(path, accept)
    assert (200, len(whole.body)) == (again.status, len(again.body))


async def test_latency(served: Retrieves) -> None:
    """An operation's own is waited, and the one for all."""
    for faults in (served.faults.of("GetDICOMInstance"), served.faults):
        faults.latency_ms = 1_000
        with pytest.raises(TimeoutError):
            await served.get(ONE, PART10, wait=0.3)
        faults.latency_ms = 0
    assert 200 == (await served.get(ONE, PART10)).status
