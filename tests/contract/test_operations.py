"""Each operation of HealthImaging, there and back by boto3."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
import pytest_asyncio

from tests.contract.aws import BUCKET, DATASTORE_ID, MODEL, ROLE, SETTLE_S, Aws, served

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
IN_STORE = {"datastoreId": DATASTORE_ID}
DATASTORE_ARN = f"arn:aws:medical-imaging:us-east-1:123456789012:datastore/{DATASTORE_ID}"
FIRST_NAME = {"Patient": {"DICOM": {"PatientName": "DOE^JANE"}}}


@pytest_asyncio.fixture
async def aws(tmp_path: Path) -> AsyncIterator[Aws]:
    """An account with one data store, a CT and an MR image imported; the changes are done."""
    for name in ("CT_small.dcm", "MR_small.dcm"):
        (tmp_path / "in").mkdir(exist_ok=True)
        shutil.copy(BUNDLED / name, tmp_path / "in" / name)
    async with served(tmp_path) as one:
        await one.imported("in/", clientToken="first")
        one.now += SETTLE_S
        yield one


async def mr(aws: Aws) -> dict[str, str]:
    """The parameters that name the MR image set."""
    return {**IN_STORE, "imageSetId": await aws.one(DICOMPatientId="4MR1")}


def file_of(aws: Aws) -> pydicom.FileDataset:
    """The MR image as pydicom reads it."""
    return pydicom.dcmread(aws.folder / "in" / "MR_small.dcm")


# --- a round trip each ----------------------------------------------------------------------------


async def create_datastore(aws: Aws) -> None:
    """CREATING, then ACTIVE, by its name; the same token gives the same data store."""
    given = {"datastoreName": "second", "clientToken": "t", "tags": {"ward": "north"}}
    made = await aws.call("CreateDatastore", **given)
    assert "CREATING" == made["datastoreStatus"]
    own = {"datastoreId": made["datastoreId"]}
    assert "ConflictException" == await aws.refused("SearchImageSets", **own)
    assert made == await aws.call("CreateDatastore", **given)
    aws.now += SETTLE_S
    properties = (await aws.call("GetDatastore", **own))["datastoreProperties"]
    assert ("second", "ACTIVE") == (properties["datastoreName"], properties["datastoreStatus"])
    tags = await aws.call("ListTagsForResource", resourceArn=properties["datastoreArn"])
    assert {"ward": "north"} == tags["tags"]
    found = await aws.call("SearchImageSets", **own)
    assert [] == found["imageSetsMetadataSummaries"]


async def delete_datastore(aws: Aws) -> None:
    """Refused with image sets in it; DELETING, then DELETED, and no longer searched."""
    assert "ConflictException" == await aws.refused("DeleteDatastore", **IN_STORE)
    for one in await aws.image_sets():
        await aws.call("DeleteImageSet", **IN_STORE, imageSetId=one["imageSetId"])
    assert "DELETING" == (await aws.call("DeleteDatastore", **IN_STORE))["datastoreStatus"]
    aws.now += SETTLE_S
    properties = (await aws.call("GetDatastore", **IN_STORE))["datastoreProperties"]
    assert "DELETED" == properties["datastoreStatus"]
    assert "ConflictException" == await aws.refused("SearchImageSets", **IN_STORE)


async def get_datastore(aws: Aws) -> None:
    """The properties of the data store."""
    properties = (await aws.call("GetDatastore", **IN_STORE))["datastoreProperties"]
    assert ("emulator", "ACTIVE") == (properties["datastoreName"], properties["datastoreStatus"])
    assert DATASTORE_ARN == properties["datastoreArn"]


async def list_datastores(aws: Aws) -> None:
    """All of them, or those of a state, page by page."""
    made = await aws.call("CreateDatastore")
    first = await aws.call("ListDatastores", maxResults=1)
    second = await aws.call("ListDatastores", maxResults=1, nextToken=first["nextToken"])
    both = [one["datastoreId"] for page in (first, second) for one in page["datastoreSummaries"]]
    assert {DATASTORE_ID, made["datastoreId"]} == set(both)
    assert "nextToken" not in second
    active = await aws.call("ListDatastores", datastoreStatus="ACTIVE")
    assert [DATASTORE_ID] == [one["datastoreId"] for one in active["datastoreSummaries"]]


async def start_import_job(aws: Aws) -> None:
    """The same token gives the same job; another one imports the file again."""
    given = {
        **IN_STORE,
        "dataAccessRoleArn": ROLE,
        "inputS3Uri": f"s3://{BUCKET}/in/MR",
        "outputS3Uri": f"s3://{BUCKET}/results/",
        "clientToken": "again",
    }
    job = await aws.call("StartDICOMImportJob", **given)
    assert "SUBMITTED" == job["jobStatus"]
    assert job == await aws.call("StartDICOMImportJob", **given)
    other = {**given, "inputS3Uri": f"s3://{BUCKET}/in/"}
    assert "ConflictException" == await aws.refused("StartDICOMImportJob", **other)
    ended = await aws.ended(job["jobId"])
    assert "COMPLETED" == ended["jobStatus"]
    versions = await aws.call("ListImageSetVersions", **await mr(aws))
    statuses = [one["ImageSetWorkflowStatus"] for one in versions["imageSetPropertiesList"]]
    assert ["IMPORTED", "CREATED"] == statuses


async def get_import_job(aws: Aws) -> None:
    """A job's results stand in the folder that its properties name."""
    (aws.folder / "in" / "note.txt").write_text("hello")
    job = await aws.imported("in/", jobName="nightly")
    bucket, _, key = job["outputS3Uri"].removeprefix("s3://").partition("/")
    folder = aws.folder / key
    manifest = json.loads((folder / "job-output-manifest.json").read_bytes())["jobSummary"]
    assert (BUCKET, "nightly") == (bucket, job["jobName"])
    assert (3, 2, 1, 2) == (
        manifest["numberOfScannedFiles"],
        manifest["numberOfImportedFiles"],
        manifest["numberOfFilesWithCustomerError"],
        manifest["numberOfGeneratedImageSets"],
    )
    found = {one["imageSetId"] for one in await aws.image_sets()}
    assert found == {one["imageSetId"] for one in manifest["imageSetsSummary"]}
    lines = (folder / "SUCCESS" / "success.ndjson").read_text().splitlines()
    assert {"in/CT_small.dcm", "in/MR_small.dcm"} == {json.loads(x)["inputFile"] for x in lines}
    (failure,) = (folder / "FAILURE" / "failure.ndjson").read_text().splitlines()
    assert "in/note.txt" == json.loads(failure)["inputFile"]
    assert "ValidationException" == json.loads(failure)["exception"]["exceptionType"]


async def list_import_jobs(aws: Aws) -> None:
    """The newest first, or those of a state."""
    second = await aws.imported("in/CT")
    jobs = (await aws.call("ListDICOMImportJobs", **IN_STORE))["jobSummaries"]
    assert (2, second["jobId"]) == (len(jobs), jobs[0]["jobId"])
    failed = await aws.call("ListDICOMImportJobs", **IN_STORE, jobStatus="FAILED")
    assert [] == failed["jobSummaries"]


async def search_image_sets(aws: Aws) -> None:
    """What was imported is found."""
    assert {"1CT1", "4MR1"} == {x["DICOMTags"]["DICOMPatientId"] for x in await aws.image_sets()}


async def get_image_set(aws: Aws) -> None:
    """The properties of the newest version, or of one that is named."""
    which = await mr(aws)
    await aws.update(which["imageSetId"], "1", updatableAttributes=FIRST_NAME)
    newest = await aws.call("GetImageSet", **which)
    assert ("2", "LOCKED", "UPDATING") == _state(newest)
    aws.now += SETTLE_S
    assert ("2", "ACTIVE", "UPDATED") == _state(await aws.call("GetImageSet", **which))
    first = await aws.call("GetImageSet", **which, versionId="1")
    assert ("1", "ACTIVE", "CREATED") == _state(first)
    assert f"{DATASTORE_ARN}/imageset/{which['imageSetId']}" == first["imageSetArn"]
    assert first["isPrimary"] is True


def _state(properties: dict[str, Any]) -> tuple[str, ...]:
    names = ("versionId", "imageSetState", "imageSetWorkflowStatus")
    return tuple(properties[name] for name in names)


async def get_metadata(aws: Aws) -> None:
    """Patient, study, series and instance, each with its own attributes, as pydicom reads them."""
    which, file = await mr(aws), file_of(aws)
    document = await aws.metadata(which["imageSetId"])
    assert ("1.1", DATASTORE_ID) == (document["SchemaVersion"], document["DatastoreID"])
    assert str(file.PatientName) == document["Patient"]["DICOM"]["PatientName"].strip()
    assert file.StudyInstanceUID == document["Study"]["DICOM"]["StudyInstanceUID"]
    series = document["Study"]["Series"][file.SeriesInstanceUID]
    assert file.Modality == series["DICOM"]["Modality"]
    instance = series["Instances"][file.SOPInstanceUID]
    assert (file.Rows, file.SOPClassUID) == (
        instance["DICOM"]["Rows"],
        instance["DICOM"]["SOPClassUID"],
    )
    assert file.file_meta.TransferSyntaxUID == instance["StoredTransferSyntaxUID"]


async def get_frame(aws: Aws) -> None:
    """A frame that the metadata names is the file's pixels."""
    which, file = await mr(aws), file_of(aws)
    document = await aws.metadata(which["imageSetId"])
    series = document["Study"]["Series"][file.SeriesInstanceUID]
    (frame,) = series["Instances"][file.SOPInstanceUID]["ImageFrames"]
    answer = await aws.call(
        "GetImageFrame", **which, imageFrameInformation={"imageFrameId": frame["ID"]}
    )
    assert file.PixelData == answer["imageFrameBlob"]
    assert "application/octet-stream" == answer["contentType"]
    assert len(file.PixelData) == frame["FrameSizeInBytes"]


async def list_versions(aws: Aws) -> None:
    """The newest first, page by page; a page's token leads on."""
    which = await mr(aws)
    await aws.update(which["imageSetId"], "1", updatableAttributes=FIRST_NAME)
    first = await aws.call("ListImageSetVersions", **which, maxResults=1)
    second = await aws.call(
        "ListImageSetVersions", **which, maxResults=1, nextToken=first["nextToken"]
    )
    found = [*first["imageSetPropertiesList"], *second["imageSetPropertiesList"]]
    assert ["2", "1"] == [one["versionId"] for one in found]
    assert "nextToken" not in second


async def update_metadata(aws: Aws) -> None:
    """A new version holds the change, the old one does not; a revert is a third."""
    which = await mr(aws)
    image_set_id = which["imageSetId"]
    answer = await aws.update(image_set_id, "1", updatableAttributes=FIRST_NAME)
    assert ("2", "LOCKED", "UPDATING") == (
        answer["latestVersionId"],
        answer["imageSetState"],
        answer["imageSetWorkflowStatus"],
    )
    assert image_set_id == (await _named(aws, "DOE^JANE"))
    old = await aws.metadata(image_set_id, versionId="1")
    new = await aws.metadata(image_set_id)
    assert "DOE^JANE" == new["Patient"]["DICOM"]["PatientName"]
    assert old["Study"] == new["Study"]
    aws.now += SETTLE_S
    await aws.call(
        "UpdateImageSetMetadata",
        **which,
        latestVersionId="2",
        updateImageSetMetadataUpdates={"revertToVersionId": "1"},
    )
    assert old == await aws.metadata(image_set_id)


async def _named(aws: Aws, name: str) -> str:
    (found,) = (x for x in await aws.image_sets() if x["DICOMTags"]["DICOMPatientName"] == name)
    return str(found["imageSetId"])


async def copy_image_set(aws: Aws) -> None:
    """A copy is an image set of its own, not primary, with the same instances and frames."""
    which = await mr(aws)
    answer = await aws.call(
        "CopyImageSet",
        **IN_STORE,
        sourceImageSetId=which["imageSetId"],
        copyImageSetInformation={"sourceImageSet": {"latestVersionId": "1"}},
    )
    source, copied = (
        answer["sourceImageSetProperties"],
        answer["destinationImageSetProperties"],
    )
    assert "COPYING_WITH_READ_ONLY_ACCESS" == source["imageSetWorkflowStatus"]
    assert ("COPYING", "1") == (copied["imageSetWorkflowStatus"], copied["latestVersionId"])
    aws.now += SETTLE_S
    properties = await aws.call("GetImageSet", **IN_STORE, imageSetId=copied["imageSetId"])
    assert ("1", "ACTIVE", "COPIED") == _state(properties)
    assert properties["isPrimary"] is False
    original = await aws.metadata(which["imageSetId"])
    duplicate = await aws.metadata(copied["imageSetId"])
    assert original["Study"] == duplicate["Study"]
    assert ("1", "ACTIVE", "CREATED") == _state(await aws.call("GetImageSet", **which))


async def delete_image_set(aws: Aws) -> None:
    """DELETING, then DELETED; no search finds it, and no metadata is given."""
    which = await mr(aws)
    answer = await aws.call("DeleteImageSet", **which)
    assert ("LOCKED", "DELETING") == (answer["imageSetState"], answer["imageSetWorkflowStatus"])
    assert ["1CT1"] == [x["DICOMTags"]["DICOMPatientId"] for x in await aws.image_sets()]
    aws.now += SETTLE_S
    gone = await aws.call("GetImageSet", **which)
    assert ("1", "DELETED", "DELETED") == _state(gone)
    assert "deletedAt" in gone
    assert "ResourceNotFoundException" == await aws.refused("GetImageSetMetadata", **which)
    assert "ResourceNotFoundException" == await aws.refused("DeleteImageSet", **which)


async def tag(aws: Aws) -> None:
    """Tags are added, to an image set as well, and take the place of those with their keys."""
    arn = f"{DATASTORE_ARN}/imageset/{(await mr(aws))['imageSetId']}"
    for tags in ({"ward": "north", "of": "a/b+c"}, {"ward": "south"}):
        await aws.call("TagResource", resourceArn=arn, tags=tags)
    found = await aws.call("ListTagsForResource", resourceArn=arn)
    assert {"ward": "south", "of": "a/b+c"} == found["tags"]


async def untag(aws: Aws) -> None:
    """Named tags are removed; one that is not there is no error."""
    tags = {"ward": "north", "floor": "2", "bed": "7"}
    await aws.call("TagResource", resourceArn=DATASTORE_ARN, tags=tags)
    await aws.call("UntagResource", resourceArn=DATASTORE_ARN, tagKeys=["ward", "bed", "none"])
    found = await aws.call("ListTagsForResource", resourceArn=DATASTORE_ARN)
    assert {"floor": "2"} == found["tags"]


async def list_tags(aws: Aws) -> None:
    """A resource without tags has none; one that does not exist is not found."""
    found = await aws.call("ListTagsForResource", resourceArn=DATASTORE_ARN)
    assert {} == found["tags"]
    missing = DATASTORE_ARN.replace(DATASTORE_ID, "f" * 32)
    refused = await aws.refused("ListTagsForResource", resourceArn=missing)
    assert "ResourceNotFoundException" == refused


ROUND_TRIPS: dict[str, Callable[[Aws], Awaitable[None]]] = {
    "CopyImageSet": copy_image_set,
    "CreateDatastore": create_datastore,
    "DeleteDatastore": delete_datastore,
    "DeleteImageSet": delete_image_set,
    "GetDICOMImportJob": get_import_job,
    "GetDatastore": get_datastore,
    "GetImageFrame": get_frame,
    "GetImageSet": get_image_set,
    "GetImageSetMetadata": get_metadata,
    "ListDICOMImportJobs": list_import_jobs,
    "ListDatastores": list_datastores,
    "ListImageSetVersions": list_versions,
    "ListTagsForResource": list_tags,
    "SearchImageSets": search_image_sets,
    "StartDICOMImportJob": start_import_job,
    "TagResource": tag,
    "UntagResource": untag,
    "UpdateImageSetMetadata": update_metadata,
}


@pytest.mark.parametrize("operation", MODEL.operation_names)
async def test_round_trip(aws: Aws, operation: str) -> None:
    """Every operation of the service does what is documented of it."""
    await ROUND_TRIPS[operation](aws)
