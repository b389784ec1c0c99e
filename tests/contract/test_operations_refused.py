"""What the operations refuse, as boto3 users meet it: nothing here is a fault on purpose."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
import pytest_asyncio
from botocore import exceptions
from starlette.concurrency import run_in_threadpool

from gateway.emulator.faults import Faults
from tests.contract.aws import BUCKET, DATASTORE_ID, MODEL, ROLE, SETTLE_S, Aws, served

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
IN_STORE = {"datastoreId": DATASTORE_ID}
NONE = "f" * 32
ARN = f"arn:aws:medical-imaging:us-east-1:123456789012:datastore/{DATASTORE_ID}"
CHANGE = {"DICOMUpdates": {"updatableAttributes": b'{"Patient": {"DICOM": {"PatientSex": "F"}}}'}}
FRAME = {"imageFrameInformation": {"imageFrameId": NONE}}


@pytest_asyncio.fixture
async def aws(tmp_path: Path) -> AsyncIterator[Aws]:
    """An account with one data store, a CT and an MR image imported; the changes are done."""
    (tmp_path / "in").mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm"):
        shutil.copy(BUNDLED / name, tmp_path / "in" / name)
    async with served(tmp_path) as one:
        await one.imported("in/")
        one.now += SETTLE_S
        yield one


async def named(aws: Aws) -> dict[str, str]:
    """The image sets by the patients' identifiers."""
    return {one["DICOMTags"]["DICOMPatientId"]: one["imageSetId"] for one in await aws.image_sets()}


def updating(image_set_id: str, version: str, **updates: Any) -> dict[str, Any]:
    """The parameters of an update."""
    return {
        **IN_STORE,
        "imageSetId": image_set_id,
        "latestVersionId": version,
        "updateImageSetMetadataUpdates": updates or CHANGE,
    }


def copying(source: str, version: str, into: str = "", into_version: str = "1") -> dict[str, Any]:
    """The parameters of a copy."""
    information: dict[str, Any] = {"sourceImageSet": {"latestVersionId": version}}
    if into:
        information["destinationImageSet"] = {"imageSetId": into, "latestVersionId": into_version}
    return {**IN_STORE, "sourceImageSetId": source, "copyImageSetInformation": information}


# --- conflicts ------------------------------------------------------------------------------------


async def test_another_version_than_the_latest(aws: Aws) -> None:
    """Is a conflict, of what is updated and of both ends of a copy; nothing is changed."""
    ids = await named(aws)
    ct, mr = ids["1CT1"], ids["4MR1"]
    conflict = "ConflictException"
    assert conflict == await aws.refused("UpdateImageSetMetadata", **updating(ct, "2"))
    assert conflict == await aws.refused("UpdateImageSetMetadata", **updating(ct, "01"))
    assert conflict == await aws.refused("CopyImageSet", **copying(ct, "2"))
    assert conflict == await aws.refused("CopyImageSet", **copying(ct, "1", mr, "2"), force=True)
    for one in await aws.image_sets():
        assert 1 == one["version"]


@pytest.mark.parametrize(
    "operation",
    ["UpdateImageSetMetadata", "CopyImageSet", "DeleteImageSet", "copy into", "whole study"],
)
async def test_a_locked_image_set(aws: Aws, operation: str) -> None:
    """Is not changed until its change is done."""
    ids = await named(aws)
    ct, mr = ids["1CT1"], ids["4MR1"]
    copied = await aws.call("CopyImageSet", **copying(ct, "1"))
    aws.now += SETTLE_S
    locked = copied["destinationImageSetProperties"]["imageSetId"]
    await aws.call("UpdateImageSetMetadata", **updating(locked, "1"))
    name, given = {
        "UpdateImageSetMetadata": (operation, updating(locked, "2")),
        "CopyImageSet": (operation, copying(locked, "2")),
        "DeleteImageSet": (operation, {**IN_STORE, "imageSetId": locked}),
        "copy into": ("CopyImageSet", {**copying(mr, "1", locked, "2"), "force": True}),
        "whole study": (
            "UpdateImageSetMetadata",
            {**updating(ct, "1"), "includeStudyImageSets": True},
        ),
    }[operation]
    assert "ConflictException" == await aws.refused(name, **given)
    aws.now += SETTLE_S
    await aws.call(name, **given)


# --- what is not there ----------------------------------------------------------------------------

OF_SET = {**IN_STORE, "imageSetId": NONE}
UNKNOWN: dict[str, list[dict[str, Any]]] = {
    "CopyImageSet": [copying(NONE, "1"), copying("{mr}", "1", NONE)],
    "DeleteDatastore": [{"datastoreId": NONE}],
    "DeleteImageSet": [OF_SET],
    "GetDICOMImportJob": [{**IN_STORE, "jobId": NONE}],
    "GetDatastore": [{"datastoreId": NONE}],
    "GetImageFrame": [{**OF_SET, **FRAME}, {**IN_STORE, "imageSetId": "{mr}", **FRAME}],
    "GetImageSet": [OF_SET, {**IN_STORE, "imageSetId": "{mr}", "versionId": "7"}],
    "GetImageSetMetadata": [OF_SET, {**IN_STORE, "imageSetId": "{mr}", "versionId": "7"}],
    "ListDICOMImportJobs": [{"datastoreId": NONE}],
    "ListImageSetVersions": [OF_SET],
    "ListTagsForResource": [
        {"resourceArn": f"{ARN[:-32]}{NONE}"},
        {"resourceArn": f"{ARN}/imageset/{NONE}"},
        {"resourceArn": ARN.replace("us-east-1", "eu-west-1")},
    ],
    "SearchImageSets": [{"datastoreId": NONE}],
    "StartDICOMImportJob": [
        {
            "datastoreId": NONE,
            "dataAccessRoleArn": ROLE,
            "inputS3Uri": f"s3://{BUCKET}/in",
            "outputS3Uri": f"s3://{BUCKET}/out",
        }
    ],
    "TagResource": [{"resourceArn": f"{ARN}/imageset/{NONE}", "tags": {"a": "b"}}],
    "UntagResource": [{"resourceArn": f"{ARN}/imageset/{NONE}", "tagKeys": ["a"]}],
    "UpdateImageSetMetadata": [updating(NONE, "1"), updating("{mr}", "1", revertToVersionId="7")],
}


def test_every_operation_is_in_the_table() -> None:
    """All but those that take no identifier."""
    assert {"CreateDatastore", "ListDatastores"} == set(MODEL.operation_names) - set(UNKNOWN)


@pytest.mark.parametrize("operation", UNKNOWN)
async def test_what_is_not_there(aws: Aws, operation: str) -> None:
    """An identifier that nothing has is a ResourceNotFoundException, in any data store."""
    mr = (await named(aws))["4MR1"]
    for given in UNKNOWN[operation]:
        filled = {k: mr if v == "{mr}" else v for k, v in given.items()}
        assert "ResourceNotFoundException" == await aws.refused(operation, **filled)
        if "datastoreId" in given:
            elsewhere = {**filled, "datastoreId": NONE}
            assert "ResourceNotFoundException" == await aws.refused(operation, **elsewhere)


# --- what has not the form ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        pytest.param("CreateDatastore", {"datastoreName": "x" * 257}, id="a name too long"),
        pytest.param("CreateDatastore", {"datastoreName": "two words"}, id="a name with a space"),
        pytest.param("CreateDatastore", {"tags": {"aws:x": "y"}}, id="a reserved tag"),
        pytest.param("CreateDatastore", {"tags": {"x": "y" * 257}}, id="a tag too long"),
        pytest.param("GetDatastore", {"datastoreId": "X" * 32}, id="an id in capitals"),
        pytest.param("GetImageSet", {**OF_SET, "versionId": "one"}, id="a version in words"),
        pytest.param("GetImageFrame",
                     {**OF_SET, "imageFrameInformation": {"imageFrameId": "x"}}, id="a frame's id"),
        pytest.param("ListDatastores", {"datastoreStatus": "GONE"}, id="no status"),
        pytest.param("ListDatastores", {"maxResults": 51}, id="too many results"),
        pytest.param("ListDatastores", {"nextToken": "LTU="}, id="a token below zero"),
        pytest.param("ListDatastores", {"nextToken": "nonsense"}, id="a token of no list"),
        pytest.param("ListTagsForResource", {"resourceArn": "arn:x"}, id="no ARN"),
        pytest.param("UpdateImageSetMetadata", updating("{mr}", "1", DICOMUpdates={}),
                     id="an update of nothing"),
        pytest.param("UpdateImageSetMetadata",
                     updating("{mr}", "1", DICOMUpdates={"updatableAttributes": b"{"}),
                     id="an update that is no JSON"),
        pytest.param("StartDICOMImportJob",
                     {**UNKNOWN["StartDICOMImportJob"][0], "inputS3Uri": "http://x/"}, id="no S3"),
        pytest.param("StartDICOMImportJob",
                     {**UNKNOWN["StartDICOMImportJob"][0], **IN_STORE,
                      "outputS3Uri": f"s3://{BUCKET}/../"}, id="results outside the bucket"),
        pytest.param("TagResource", {"resourceArn": ARN, "tags": {str(n): "" for n in range(201)}},
                     id="201 tags"),
    ],
)  # fmt: skip
async def test_what_has_not_the_form(aws: Aws, operation: str, given: dict[str, Any]) -> None:
    """What the service's model does not admit is a ValidationException."""
    mr = (await named(aws))["4MR1"]
    filled = {k: mr if v == "{mr}" else v for k, v in given.items()}
    assert "ValidationException" == await aws.refused(operation, **filled)


# --- access keys ----------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["SearchImageSets", "GetDatastore", "DeleteDatastore"])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param((), "nothing", id="any"),
        pytest.param(("other", "test"), "nothing", id="one of two"),
        pytest.param(("other",), "AccessDeniedException", id="another"),
        pytest.param(("tes", "testing"), "AccessDeniedException", id="nearly"),
    ],
)
async def test_access_keys(
    tmp_path: Path, operation: str, keys: tuple[str, ...], expected: str
) -> None:
    """Where keys are named, a request that is signed with another one is refused."""
    async with served(tmp_path, access_keys=keys) as aws:
        assert expected == await aws.refused(operation, **IN_STORE)


async def test_an_unsigned_request(tmp_path: Path) -> None:
    """Is refused where keys are named."""

    def unsigned(url: str) -> tuple[int, str | None, bytes]:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.request("GET", "/datastore")
        answer = connection.getresponse()
        found = answer.status, answer.headers["x-amzn-errortype"], answer.read()
        connection.close()
        return found

    async with served(tmp_path, access_keys=["test"]) as aws:
        status, code, body = await run_in_threadpool(unsigned, aws.url)
    assert (403, "AccessDeniedException") == (status, code)
    assert {"message"} == set(json.loads(body))


# --- the six exceptions of SearchImageSets --------------------------------------------------------


async def three_filters(aws: Aws) -> dict[str, Any]:
    """More filters than a search may have."""
    one = {"operator": "EQUAL", "values": [{"DICOMPatientId": "P1"}]}
    return {**IN_STORE, "searchCriteria": {"filters": [one] * 3}}


async def another_data_store(aws: Aws) -> dict[str, Any]:
    """One that is not there."""
    return {"datastoreId": NONE}


async def too_fast(aws: Aws) -> dict[str, Any]:
    """One search at once is allowed; this is the second."""
    await aws.call("SearchImageSets", **IN_STORE)
    return IN_STORE


async def as_it_is(aws: Aws) -> dict[str, Any]:
    """A search with nothing wrong."""
    return IN_STORE


async def being_made(aws: Aws) -> dict[str, Any]:
    """A data store that is still CREATING."""
    return {"datastoreId": (await aws.call("CreateDatastore"))["datastoreId"]}


async def its_file_closed(aws: Aws) -> dict[str, Any]:
    """The data store's file is closed under it."""
    aws.store.close()
    return IN_STORE


@pytest.mark.parametrize(
    ("options", "prepared", "expected"),
    [
        pytest.param({}, three_filters, ("ValidationException", 400), id="three filters"),
        pytest.param({}, another_data_store, ("ResourceNotFoundException", 404), id="no store"),
        pytest.param({"faults": Faults(rate=0.001, burst=1)}, too_fast,
                     ("ThrottlingException", 429), id="too fast"),
        pytest.param({"access_keys": ["other"]}, as_it_is, ("AccessDeniedException", 403),
                     id="another key"),
        pytest.param({}, being_made, ("ConflictException", 409), id="a store being made"),
        pytest.param({}, its_file_closed, ("InternalServerException", 500), id="a closed file"),
    ],
)  # fmt: skip
async def test_the_six_exceptions_of_a_search(
    tmp_path: Path,
    options: dict[str, Any],
    prepared: Callable[[Aws], Awaitable[dict[str, Any]]],
    expected: tuple[str, int],
) -> None:
    """Each as boto3's own type, with its status, a message and a request id."""
    async with served(tmp_path, **options) as aws:
        given = await prepared(aws)
        with pytest.raises(exceptions.ClientError) as caught:
            await aws.call("SearchImageSets", **given)
        own = getattr(aws.client.exceptions, expected[0])
    assert own is type(caught.value)
    response = caught.value.response
    assert expected == (
        response["Error"]["Code"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )
    assert response["Error"]["Message"]
    assert response["ResponseMetadata"]["RequestId"]
