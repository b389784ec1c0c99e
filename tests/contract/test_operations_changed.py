"""Image sets that are copied, merged, renamed, deleted, imported again; and what a folder keeps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pydicom
import pytest
import pytest_asyncio

from gateway.emulator.account import Account
from gateway.emulator.errors import WireError
from gateway.emulator.jobs import Jobs, Roots
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from tests.contract.aws import BUCKET, DATASTORE_ID, ROLE, SETTLE_S, Aws, served

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
IN_STORE = {"datastoreId": DATASTORE_ID}
STUDY, SERIES, ONE, TWO = "1.2", "1.2.3", "1.2.3.1", "1.2.3.2"
SEX = {"Patient": {"DICOM": {"PatientSex": "F"}}}


def written(path: Path, **values: Any) -> None:
    """The MR image with other values, and pixels that tell its SOPInstanceUID."""
    given = pydicom.dcmread(BUNDLED / "MR_small.dcm")
    given.StudyInstanceUID, given.SeriesInstanceUID = STUDY, SERIES
    for keyword, value in values.items():
        setattr(given, keyword, value)
    uid = given.SOPInstanceUID.encode()
    given.PixelData = uid + bytes(len(given.PixelData) - len(uid))
    path.parent.mkdir(exist_ok=True)
    given.save_as(path)


@pytest_asyncio.fixture
async def aws(tmp_path: Path) -> AsyncIterator[Aws]:
    """An account with one data store: one series with two instances; the changes are done."""
    for uid in (ONE, TWO):
        written(tmp_path / "in" / f"{uid}.dcm", SOPInstanceUID=uid)
    async with served(tmp_path) as one:
        await one.imported("in/")
        one.now += SETTLE_S
        yield one


async def only(aws: Aws) -> str:
    """The only image set."""
    (found,) = await aws.image_sets()
    return str(found["imageSetId"])


async def copy(aws: Aws, source: str, *, into: str = "", uids: Any = None, **given: Any) -> str:
    """Copy the latest version of an image set; the destination, once it is done."""
    information: dict[str, Any] = {"sourceImageSet": {"latestVersionId": await latest(aws, source)}}
    if uids is not None:
        chosen: Any = {"Study": {"Series": {SERIES: {"Instances": {uid: {} for uid in uids}}}}}
        information["sourceImageSet"]["DICOMCopies"] = {"copiableAttributes": json.dumps(chosen)}
    if into:
        version = await latest(aws, into)
        information["destinationImageSet"] = {"imageSetId": into, "latestVersionId": version}
    answer = await aws.call(
        "CopyImageSet",
        **IN_STORE,
        sourceImageSetId=source,
        copyImageSetInformation=information,
        **given,
    )
    aws.now += SETTLE_S
    return str(answer["destinationImageSetProperties"]["imageSetId"])


async def refused_copy(aws: Aws, source: str, **given: Any) -> str:
    """The type of the exception in which a copy ends."""
    try:
        await copy(aws, source, **given)
    except aws.client.exceptions.ClientError as exc:
        return type(exc).__name__
    return "nothing"


async def latest(aws: Aws, image_set_id: str) -> str:
    """The latest version."""
    answer = await aws.call("GetImageSet", **IN_STORE, imageSetId=image_set_id)
    return str(answer["versionId"])


async def update(aws: Aws, image_set_id: str, change: Any, **given: Any) -> None:
    """Update the latest version, until it is done."""
    version = await latest(aws, image_set_id)
    await aws.update(image_set_id, version, updatableAttributes=change, **given)
    aws.now += SETTLE_S


async def instances(aws: Aws, image_set_id: str, **given: Any) -> dict[str, Any]:
    """The instances of the only series."""
    document = await aws.metadata(image_set_id, **given)
    (series,) = document["Study"]["Series"].values()
    found: dict[str, Any] = series["Instances"]
    return found


async def pixels(aws: Aws, image_set_id: str, uid: str) -> str:
    """What the pixels of an instance tell."""
    (frame,) = (await instances(aws, image_set_id))[uid]["ImageFrames"]
    answer = await aws.call(
        "GetImageFrame",
        **IN_STORE,
        imageSetId=image_set_id,
        imageFrameInformation={"imageFrameId": frame["ID"]},
    )
    return bytes(answer["imageFrameBlob"]).rstrip(b"\0").decode()


# --- copies ---------------------------------------------------------------------------------------


async def test_instances_are_merged(aws: Aws) -> None:
    """Copied into another image set they are a new version of it, with their pixels."""
    source = await only(aws)
    into = await copy(aws, source, uids=[ONE])
    assert [ONE] == list(await instances(aws, into))
    assert into == await copy(aws, source, into=into, uids=[TWO])
    assert "2" == await latest(aws, into)
    assert {ONE, TWO} == set(await instances(aws, into))
    assert [ONE, TWO] == [await pixels(aws, into, uid) for uid in (ONE, TWO)]
    assert [ONE] == list(await instances(aws, into, versionId="1"))
    assert "1" == await latest(aws, source)


async def test_what_is_not_merged(aws: Aws) -> None:
    """Instances that are there already, and those that are not in the source, even by force."""
    source = await only(aws)
    into = await copy(aws, source, uids=[ONE])
    for uids in (None, [ONE], [TWO, "1.9"], []):
        for force in (False, True):
            found = await refused_copy(aws, source, into=into, force=force, uids=uids)
            assert "ValidationException" == found
    assert "ValidationException" == await refused_copy(aws, source, into=source)
    assert "1" == await latest(aws, into)


async def test_contradictory_metadata(aws: Aws) -> None:
    """Are merged by force only; the destination's stand, and the version tells of it."""
    source = await only(aws)
    into = await copy(aws, source, uids=[ONE])
    await update(aws, into, SEX)
    assert "ValidationException" == await refused_copy(aws, source, into=into, uids=[TWO])
    await copy(aws, source, into=into, uids=[TWO], force=True)
    document = await aws.metadata(into)
    assert "F" == document["Patient"]["DICOM"]["PatientSex"]
    properties = await aws.call("GetImageSet", **IN_STORE, imageSetId=into)
    assert {"forced": True} == properties["overrides"]


async def test_promotion(aws: Aws) -> None:
    """A copy becomes primary where it agrees with the study's primary image sets."""
    source = await only(aws)
    first = await copy(aws, source)
    await update(aws, first, {"Patient": {"DICOM": {"PatientID": "OTHER1"}}})
    given = {**IN_STORE, "imageSetId": await copy(aws, source, promoteToPrimary=True)}
    assert (await aws.call("GetImageSet", **given))["isPrimary"] is True
    assert "ConflictException" == await refused_copy(aws, first, promoteToPrimary=True)
    assert "nothing" == await refused_copy(aws, first)


# --- updates --------------------------------------------------------------------------------------


async def test_a_whole_study(aws: Aws) -> None:
    """The study's other image sets have patient and study of this one, in a new version."""
    written(aws.folder / "more" / "1.dcm", SOPInstanceUID="1.2.4.1", SeriesInstanceUID="1.2.4")
    written(aws.folder / "more" / "2.dcm", SeriesInstanceUID="1.3.4", StudyInstanceUID="1.3")
    await aws.imported("more/")
    here, there, elsewhere = [
        await aws.one(**{f"DICOM{level}InstanceUID": uid})
        for level, uid in (("Series", SERIES), ("Series", "1.2.4"), ("Study", "1.3"))
    ]
    await update(aws, here, SEX, includeStudyImageSets=True)
    assert ["2", "2", "1"] == [await latest(aws, one) for one in (here, there, elsewhere)]
    before, after = [await aws.metadata(there, versionId=one) for one in ("1", "2")]
    assert "F" == after["Patient"]["DICOM"]["PatientSex"]
    assert before["Study"] == after["Study"]


async def test_uids_swapped_by_force(aws: Aws) -> None:
    """The pixels go with their instance, whatever UID it has now."""
    image_set_id = await only(aws)
    swapped = {a: {"DICOM": {"SOPInstanceUID": b}} for a, b in ((ONE, TWO), (TWO, ONE))}
    change = {"Study": {"Series": {SERIES: {"Instances": swapped}}}}
    await update(aws, image_set_id, change, force=True)
    assert [TWO, ONE] == [await pixels(aws, image_set_id, uid) for uid in (ONE, TWO)]


async def test_more_than_a_search_holds(aws: Aws) -> None:
    """An attribute that is too long for a search is a ValidationException."""
    change = {"Study": {"DICOM": {"StudyDescription": "x" * 513}}}
    with pytest.raises(aws.client.exceptions.ValidationException, match="StudyDescription"):
        await update(aws, await only(aws), change)


# --- pixels ---------------------------------------------------------------------------------------


async def test_a_file_that_is_gone(aws: Aws) -> None:
    """Its frames are an InternalServerException; the metadata stands."""
    image_set_id = await only(aws)
    (aws.folder / "in" / f"{ONE}.dcm").unlink()
    (aws.folder / "in" / f"{TWO}.dcm").write_text("another one")
    assert {ONE, TWO} == set(await instances(aws, image_set_id))
    for uid in (ONE, TWO):
        with pytest.raises(aws.client.exceptions.InternalServerException, match="any more"):
            await pixels(aws, image_set_id, uid)


async def test_frames_of_a_deleted_image_set(aws: Aws) -> None:
    """Are no more, while those of its copy are."""
    image_set_id = await only(aws)
    copied = await copy(aws, image_set_id)
    (frame,) = (await instances(aws, image_set_id))[ONE]["ImageFrames"]
    given = {**IN_STORE, "imageFrameInformation": {"imageFrameId": frame["ID"]}}
    await aws.call("DeleteImageSet", **IN_STORE, imageSetId=image_set_id)
    aws.now += SETTLE_S
    found = await aws.refused("GetImageFrame", **given, imageSetId=image_set_id)
    assert "ResourceNotFoundException" == found
    assert ONE == await pixels(aws, copied, ONE)


# --- imported again -------------------------------------------------------------------------------


async def test_imported_again_after_it_was_deleted(aws: Aws) -> None:
    """A deleted image set stays deleted: what is imported is another one, without its instances."""
    gone = await only(aws)
    await aws.call("DeleteImageSet", **IN_STORE, imageSetId=gone)
    aws.now += SETTLE_S
    await aws.imported(f"in/{ONE}")
    again = await only(aws)
    assert gone != again
    assert ([ONE], "1") == (list(await instances(aws, again)), await latest(aws, again))
    await aws.imported(f"in/{TWO}")
    assert again == await only(aws)
    assert {ONE, TWO} == set(await instances(aws, again))
    properties = await aws.call("GetImageSet", **IN_STORE, imageSetId=gone)
    assert "DELETED" == properties["imageSetState"]


async def test_imported_again_after_it_became_another_series(aws: Aws) -> None:
    """Instances join an image set of their series only."""
    renamed = await only(aws)
    change = {"Study": {"Series": {SERIES: {"DICOM": {"SeriesInstanceUID": "1.9"}}}}}
    await update(aws, renamed, change, force=True)
    await aws.imported("in/")
    assert "2" == await latest(aws, renamed)
    found = {one["DICOMTags"]["DICOMSeriesInstanceUID"] for one in await aws.image_sets()}
    assert {"1.9", SERIES} == found


# --- seeded ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 4])
async def test_a_seeded_image_set(tmp_path: Path, number: int) -> None:
    """Is read, listed, updated, reverted, copied and deleted like one that was imported."""
    tags = {
        "DICOMPatientName": "DOE^JANE",
        "DICOMStudyInstanceUID": STUDY,
        "DICOMSeriesInstanceUID": SERIES,
        "DICOMSeriesNumber": 7,
        "DICOMNumberOfStudyRelatedInstances": 2,
    }
    seeded, first = "a" * 32, str(number)
    which = {**IN_STORE, "imageSetId": seeded}
    async with served(tmp_path) as aws:
        aws.store.add_summaries([{"imageSetId": seeded, "version": number, "DICOMTags": tags}])
        before = await aws.metadata(seeded)
        assert "7" == before["Study"]["Series"][SERIES]["DICOM"]["SeriesNumber"]
        assert [ONE, TWO] == list(await instances(aws, seeded))
        properties = await aws.call("GetImageSet", **which)
        assert "isPrimary" not in properties
        status = "CREATED" if number == 1 else "UPDATED"
        assert status == properties["imageSetWorkflowStatus"]
        copied = await copy(aws, seeded, uids=[TWO])
        await update(aws, seeded, SEX)
        listed = await aws.call("ListImageSetVersions", **which)
        versions = [one["versionId"] for one in listed["imageSetPropertiesList"]]
        assert [str(number + 1), first] == versions
        assert (before, "F") == (
            await aws.metadata(seeded, versionId=first),
            (await aws.metadata(seeded))["Patient"]["DICOM"]["PatientSex"],
        )
        await aws.call(
            "UpdateImageSetMetadata",
            **which,
            latestVersionId=str(number + 1),
            updateImageSetMetadataUpdates={"revertToVersionId": first},
        )
        aws.now += SETTLE_S
        assert before == await aws.metadata(seeded)
        await aws.call("DeleteImageSet", **which)
        assert copied == await only(aws)
        assert [TWO] == list(await instances(aws, copied))


# --- what a folder keeps --------------------------------------------------------------------------


def test_an_account_in_a_folder(tmp_path: Path) -> None:
    """Opened again it has its data stores, image sets, tags, jobs and answers."""
    job = {
        "dataAccessRoleArn": ROLE,
        "inputS3Uri": f"s3://{BUCKET}/in/",
        "outputS3Uri": f"s3://{BUCKET}/out/",
    }
    given = {"clientToken": "t", "datastoreName": "second", "tags": {"ward": "north"}}

    def opened() -> tuple[Store, Account]:
        store = Store(tmp_path / "first.sqlite", Variants(), DATASTORE_ID, clock=lambda: 1.7e9)
        return store, Account(store, tmp_path)

    first, account = opened()
    made = account.once("CreateDatastore", given, lambda: account.create(given))["datastoreId"]
    account.store(made).add_summaries([{"imageSetId": "a" * 32}])
    account.tag(account.arn(made, "a" * 32), {"bed": "7"})
    with ThreadPoolExecutor(1) as executor:
        jobs = Jobs(account, Roots({BUCKET: tmp_path}), executor)
        jobs.start({"datastoreId": made, **job})
    kept, (done,) = account.all_properties(), jobs.all(made)
    account.close()
    first.close()
    first, again = opened()
    assert kept == again.all_properties()
    assert [done] == Jobs(again, Roots({}), executor).all(made)
    assert "COMPLETED" == done["jobStatus"]
    assert ({"ward": "north"}, {"bed": "7"}) == (
        again.tags(again.arn(made)),
        again.tags(again.arn(made, "a" * 32)),
    )
    assert made == again.once("CreateDatastore", given, dict)["datastoreId"]
    with pytest.raises(WireError, match="clientToken was used"):
        again.once("CreateDatastore", {**given, "tags": {}}, dict)
    assert 1 == again.store(made).count()
    again.close()
    first.close()
