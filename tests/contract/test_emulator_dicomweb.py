"""The emulator's DICOMweb over HTTP: what is given, what is refused, what goes wrong on purpose."""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
import pytest_asyncio

from gateway.emulator.changing import Changes
from gateway.emulator.errors import WireError
from gateway.emulator.imagesets import ImageSets
from gateway.emulator.transcoding import ELE, RPCL
from tests.contract.retrieving import (
    BUNDLED,
    DATASTORE_ID,
    PART10,
    STORED,
    Answer,
    Retrieves,
    path_of,
    retrieving,
    series_path,
    write,
)

OCTETS = "application/octet-stream"
CT = pydicom.dcmread(BUNDLED / "CT_small.dcm")
RLE = pydicom.dcmread(BUNDLED / "SC_rgb_rle_2frame.dcm")
JPEG = pydicom.dcmread(BUNDLED / "SC_rgb_jpeg_dcmtk.dcm")
REPORT = pydicom.dcmread(BUNDLED / "reportsi.dcm")
FILES = {
    "CT_small.dcm": CT,
    "SC_rgb_rle_2frame.dcm": RLE,
    "SC_rgb_jpeg_dcmtk.dcm": JPEG,
    "reportsi.dcm": REPORT,
    "image_dfl.dcm": pydicom.dcmread(BUNDLED / "image_dfl.dcm"),
    "MR_small_bigendian.dcm": pydicom.dcmread(BUNDLED / "MR_small_bigendian.dcm"),
}
OTHER_UID, DOCUMENT_UID = "1.2.826.0.1.1", "1.2.826.0.1.2"
DOCUMENT = b"%PDF-1.7  " + bytes(range(256)) * 8
LARGE = bytes(range(256)) * 4096
SEEDED = {
    "imageSetId": "a" * 32,
    "isPrimary": True,
    "DICOMTags": {
        "DICOMStudyInstanceUID": "1.2.3",
        "DICOMSeriesInstanceUID": "1.2.3.4",
        "DICOMPatientName": "DOE^JANE",
        "DICOMSeriesNumber": 7,
        "DICOMNumberOfStudyRelatedInstances": 2,
    },
}


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Retrieves]:
    """Files of pydicom's, one that is not primary, one with values that stand outside."""
    other = write(tmp_path, "other.dcm", PatientID="other", SOPInstanceUID=OTHER_UID)
    file = pydicom.dcmread(BUNDLED / "reportsi.dcm")
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = DOCUMENT_UID
    file.EncapsulatedDocument = DOCUMENT
    file.private_block(0x0045, "EXAMPLE", create=True).add_new(0x26, "UN", LARGE)
    document = tmp_path / "z.dcm"
    file.save_as(document)
    paths = [BUNDLED / name for name in FILES]
    async with retrieving([*paths, other, document], [SEEDED]) as found:
        yield found


def non_primary(served: Retrieves) -> str:
    """The identifier of the image set that is not primary."""
    answer = served.store.search({}, None, None)
    (found,) = (x for x in answer["imageSetsMetadataSummaries"] if x.get("isPrimary") is False)
    return str(found["imageSetId"])


# --- instances ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
async def test_an_instance_is_its_file(served: Retrieves, name: str) -> None:
    """In its own transfer syntax it has the file's bytes."""
    answer = await served.get(path_of(FILES[name]), PART10)
    syntax = FILES[name].file_meta.TransferSyntaxUID
    assert (200, f"application/dicom; transfer-syntax={syntax}") == _told(answer)
    assert (BUNDLED / name).read_bytes() == answer.body
    assert str(len(answer.body)) == answer.headers["content-length"]


@pytest.mark.parametrize("accept", ["application/dicom", None, "*/*", f"{PART10[:-1]}{ELE}"])
@pytest.mark.parametrize("name", ["CT_small.dcm", "SC_rgb_rle_2frame.dcm", "image_dfl.dcm"])
async def test_an_instance_is_decoded(served: Retrieves, name: str, accept: str | None) -> None:
    """Where no transfer syntax is asked for, it is Explicit VR Little Endian."""
    answer = await served.get(path_of(FILES[name]), accept)
    assert (200, f"application/dicom; transfer-syntax={ELE}") == _told(answer)
    file = pydicom.dcmread(io.BytesIO(answer.body))
    assert (ELE, FILES[name].SOPInstanceUID) == (
        file.file_meta.TransferSyntaxUID,
        file.SOPInstanceUID,
    )
    assert FILES[name].pixel_array.tobytes() == file.pixel_array.tobytes()


async def test_an_instance_as_htj2k(served: Retrieves) -> None:
    """Lossless pixels can be had as HealthImaging stores them."""
    answer = await served.get(path_of(RLE), f"application/dicom; transfer-syntax={RPCL}")
    file = pydicom.dcmread(io.BytesIO(answer.body))
    assert RPCL == file.file_meta.TransferSyntaxUID
    assert RLE.pixel_array.tobytes() == file.pixel_array.tobytes()


# --- frames ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FILES if name != "reportsi.dcm"])
async def test_frames_as_stored(served: Retrieves, name: str) -> None:
    """The bytes that stand in the file, with their transfer syntax."""
    file = FILES[name]
    number = int(file.get("NumberOfFrames") or 1)
    answer = await served.get(f"{path_of(file)}/frames/{number}", STORED)
    ((kind, frame),) = answer.parts
    syntax = file.file_meta.TransferSyntaxUID
    assert f"transfer-syntax={syntax}" == kind.partition("; ")[2]
    if syntax.is_encapsulated:
        frames = list(pydicom.encaps.generate_frames(file.PixelData, number_of_frames=number))
        assert frames[-1] == frame
    else:
        assert file.PixelData == frame


@pytest.mark.parametrize(
    ("syntax", "kind"),
    [("*", "image/dicom-rle; transfer-syntax=1.2.840.10008.1.2.5"),
     (ELE, f"application/octet-stream; transfer-syntax={ELE}"),
     (RPCL, f"image/jphc; transfer-syntax={RPCL}")],
)  # fmt: skip
async def test_frames_come_in_the_order_asked_for(
    served: Retrieves, syntax: str, kind: str
) -> None:
    """A part each, whose header names what it is."""
    accept = f"multipart/related; type={OCTETS}; transfer-syntax={syntax}"
    both = await served.get(f"{path_of(RLE)}/frames/2,1", accept)
    singles = [await served.get(f"{path_of(RLE)}/frames/{n}", accept) for n in (2, 1)]
    assert [(kind, one.parts[0][1]) for one in singles] == both.parts
    assert kind.partition(";")[0] == both.headers.get_param("type")
    if syntax == ELE:
        frames = RLE.pixel_array
        assert [frames[1].tobytes(), frames[0].tobytes()] == [frame for _, frame in both.parts]


@pytest.mark.parametrize("accept", [OCTETS, f"{OCTETS}; transfer-syntax=*"])
async def test_a_single_part(served: Retrieves, accept: str) -> None:
    """One frame can be had without parts."""
    answer = await served.get(f"{path_of(CT)}/frames/1", accept)
    assert (200, f"application/octet-stream; transfer-syntax={ELE}") == _told(answer)
    assert CT.PixelData == answer.body


async def test_a_lossy_frame_is_decoded_as_rgb(served: Retrieves) -> None:
    """The pixels of JPEG as pydicom has them."""
    answer = await served.get(f"{path_of(JPEG)}/frames/1")
    ((kind, frame),) = answer.parts
    assert f"application/octet-stream; transfer-syntax={ELE}" == kind
    assert JPEG.Rows * JPEG.Columns * 3 == len(frame)


# --- metadata -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
async def test_metadata_of_an_instance(served: Retrieves, name: str) -> None:
    """One object, which pydicom reads as what is in the file, but for pixels and group 2."""
    (found,) = await served.metadata(path_of(FILES[name]))
    file = pydicom.dcmread(BUNDLED / name, stop_before_pixels=True)
    read = pydicom.Dataset.from_json(found)
    for tag in [tag for tag in file.keys() if tag.element == 0]:  # noqa: SIM118 - not a dict
        del file[tag]
    assert list(file.keys()) == list(read.keys())
    for one in file:
        if one.VR in ("CS", "DA", "IS", "LO", "PN", "SH", "UI", "US"):
            assert (one.tag, one.value or None) == (one.tag, read[one.tag].value or None)


async def test_metadata_of_a_series(served: Retrieves) -> None:
    """An array of its instances, of the primary image sets alone."""
    found = await served.metadata(series_path(REPORT))
    uids = [one["00080018"]["Value"][0] for one in found]
    assert {DOCUMENT_UID, REPORT.SOPInstanceUID} == set(uids)
    found = await served.metadata(series_path(CT))
    assert [CT.SOPInstanceUID] == [one["00080018"]["Value"][0] for one in found]


async def test_metadata_of_more_than_a_batch(tmp_path: Path) -> None:
    """It is one array."""
    for number in range(70):
        write(tmp_path, f"{number}.dcm", SOPInstanceUID=f"1.2.{number}", InstanceNumber=number)
    async with retrieving([tmp_path]) as served:
        found = await served.metadata(series_path(CT))
        assert set(range(70)) == {one["00200013"]["Value"][0] for one in found}


async def test_metadata_after_an_update(served: Retrieves) -> None:
    """What was changed is changed, what was removed is gone, at every level."""
    image_set_id = _image_set_of(served, CT)
    before = (await served.metadata(path_of(CT)))[0]
    series = {"DICOM": {"SeriesDescription": "changed"}}
    update: dict[str, Any] = {
        "Patient": {"DICOM": {"PatientName": "ROE^RICHARD"}},
        "Study": {
            "DICOM": {"StudyDescription": "changed"},
            "Series": {str(CT.SeriesInstanceUID): series},
        },
    }
    removal = {"Patient": {"DICOM": {"PatientAge": None, "PatientSex": None}}}
    del removal["Patient"]["DICOM"]["PatientAge"]
    updates = {
        "DICOMUpdates": {
            "removableAttributes": json.dumps(removal).encode(),
            "updatableAttributes": json.dumps(update).encode(),
        }
    }
    Changes(ImageSets(served.store)).update(image_set_id, "1", updates)
    after = (await served.metadata(path_of(CT)))[0]
    changed = {tag for tag in {*before, *after} if before.get(tag) != after.get(tag)}
    assert {"00100010", "00100040", "00081030", "0008103E"} == changed
    assert [{"Alphabetic": "ROE^RICHARD"}] == after["00100010"]["Value"]
    assert "00100040" not in after


async def test_metadata_of_a_file_that_is_gone(tmp_path: Path) -> None:
    """The store knows enough; the pixels are an error of the service."""
    path = write(tmp_path, "x.dcm")
    async with retrieving([path]) as served:
        path.unlink()
        (found,) = await served.metadata(path_of(CT))
        assert {"vr": "US", "Value": [CT.Rows]} == found["00280010"]
        for what, accept in (("", PART10), ("/frames/1", STORED)):
            answer = await served.get(path_of(CT) + what, accept)
            assert (500, "InternalServerException") == (answer.status, answer.error)


async def test_a_seeded_image_set(served: Retrieves) -> None:
    """It answers with what is known of it, and has no file."""
    first, second = await served.metadata("studies/1.2.3/series/1.2.3.4")
    assert {"vr": "PN", "Value": [{"Alphabetic": "DOE^JANE"}]} == first["00100010"]
    assert {"vr": "IS", "Value": [7]} == first["00200011"]
    assert ["1.2.3.4.1", "1.2.3.4.2"] == [x["00080018"]["Value"][0] for x in (first, second)]
    one = "studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.2"
    assert [second] == await served.metadata(one)
    for path, accept in ((one, PART10), (f"{one}/frames/1", STORED), (f"{one}/bulkdata/x", None)):
        assert 404 == (await served.get(path, accept)).status


# --- bulk data ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [pytest.param("00420011", "OB", DOCUMENT, id="a document"),
     pytest.param("00451026", "UN", LARGE, id="more than 1 MB")],
)  # fmt: skip
async def test_bulk_data(served: Retrieves, tag: str, vr: str, value: bytes) -> None:
    """What stands outside the metadata is found under its URL, on the address that was asked."""
    found = await served.metadata(series_path(REPORT))
    (one,) = (x for x in found if x["00080018"]["Value"] == [DOCUMENT_UID])
    assert {"vr": vr, "BulkDataURI": one[tag]["BulkDataURI"]} == one[tag]
    base = f"{served.url}/datastore/{DATASTORE_ID}/"
    assert one[tag]["BulkDataURI"].startswith(f"{base}{series_path(REPORT)}/instances/")
    answer = await served.get(one[tag]["BulkDataURI"].removeprefix(base), OCTETS)
    assert (200, OCTETS) == _told(answer)
    assert value == answer.body


# --- image sets -----------------------------------------------------------------------------------


async def test_image_sets_that_are_not_primary(served: Retrieves) -> None:
    """They are seen only where imageSetId names them, and then they alone."""
    path = f"{series_path(CT)}/instances/{OTHER_UID}"
    other = f"?imageSetId={non_primary(served)}"
    for what, accept in (("", PART10), ("/metadata", None), ("/frames/1", STORED)):
        assert 404 == (await served.get(path + what, accept)).status
        assert 200 == (await served.get(path + what + other, accept)).status
        assert 404 == (await served.get(path_of(CT) + what + other, accept)).status
    answer = await served.get(f"{series_path(CT)}/metadata{other}")
    (found,) = json.loads(answer.body)
    assert ["other"] == found["00100020"]["Value"]


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


async def test_access_keys(tmp_path: Path) -> None:
    """Where the keys are known, another one is refused."""
    async with retrieving([write(tmp_path, "x.dcm")], access_keys=["known"]) as served:
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
        faults.latency_ms = 60_000
        with pytest.raises(TimeoutError):
            await served.get(ONE, PART10, wait=0.3)
        faults.latency_ms = 0
    assert 200 == (await served.get(ONE, PART10)).status


def _told(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.headers["content-type"]


def _image_set_of(served: Retrieves, file: pydicom.Dataset) -> str:
    answer = served.store.search({}, None, None)
    (found,) = (
        x
        for x in answer["imageSetsMetadataSummaries"]
        if x["DICOMTags"]["DICOMSeriesInstanceUID"] == file.SeriesInstanceUID and x["isPrimary"]
    )
    return str(found["imageSetId"])
