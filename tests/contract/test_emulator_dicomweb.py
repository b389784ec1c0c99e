"""The emulator's DICOMweb over HTTP: instances, frames, metadata, bulk data."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.encaps import generate_frames

from gateway.emulator.changing import Changes
from gateway.emulator.htj2k import FramesAs
from gateway.emulator.imagesets import ImageSets
from gateway.emulator.store import Store
from gateway.emulator.transcoding import ELE, RPCL
from tests.contract.signed import (
    BUNDLED,
    CT,
    DATASTORE_ID,
    DOCUMENT,
    DOCUMENT_UID,
    FILES,
    JPEG,
    LARGE,
    OCTETS,
    OTHER_UID,
    PART10,
    REPORT,
    RLE,
    STORED,
    Retrieves,
    imported,
    non_primary,
    path_of,
    retrieving,
    series_path,
    told,
    write,
)

BIG_ENDIAN = "MR_small_bigendian.dcm"

# --- instances ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
async def test_an_instance_is_its_file(served: Retrieves, name: str) -> None:
    """In its own transfer syntax it has the file's bytes."""
    answer = await served.get(path_of(FILES[name]), PART10)
    syntax = FILES[name].file_meta.TransferSyntaxUID
    assert (200, f"application/dicom; transfer-syntax={syntax}") == told(answer)
    assert (BUNDLED / name).read_bytes() == answer.body
    assert str(len(answer.body)) == answer.headers["content-length"]


@pytest.mark.parametrize("accept", ["application/dicom", None, "*/*", f"{PART10[:-1]}{ELE}"])
@pytest.mark.parametrize("name", ["CT_small.dcm", "SC_rgb_rle_2frame.dcm", "image_dfl.dcm"])
async def test_an_instance_is_decoded(served: Retrieves, name: str, accept: str | None) -> None:
    """Where no transfer syntax is asked for, it is Explicit VR Little Endian."""
    answer = await served.get(path_of(FILES[name]), accept)
    assert (200, f"application/dicom; transfer-syntax={ELE}") == told(answer)
    file = pydicom.dcmread(io.BytesIO(answer.body))
    assert (ELE, FILES[name].SOPInstanceUID) == (
        file.file_meta.TransferSyntaxUID,
        file.SOPInstanceUID,
    )
    assert FILES[name].pixel_array.tobytes() == file.pixel_array.tobytes()


@pytest.mark.parametrize("syntax", ["*", RPCL])
async def test_an_instance_as_htj2k(files: Store, syntax: str) -> None:
    """Where pixels are stored as HealthImaging stores them; others are as they came."""
    accept = f"application/dicom; transfer-syntax={syntax}"
    async with retrieving(files, frames_as="htj2k") as served:
        answer = await served.get(path_of(RLE), accept)
        others = [
            ("SC_rgb_jpeg_dcmtk.dcm", await served.get(path_of(JPEG), PART10)),
            (BIG_ENDIAN, await served.get(path_of(FILES[BIG_ENDIAN]), PART10)),
        ]
    assert (200, f"application/dicom; transfer-syntax={RPCL}") == told(answer)
    file = pydicom.dcmread(io.BytesIO(answer.body))
    assert RPCL == file.file_meta.TransferSyntaxUID
    assert RLE.pixel_array.tobytes() == file.pixel_array.tobytes()
    for name, kept in others:
        assert (BUNDLED / name).read_bytes() == kept.body


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
        frames = list(generate_frames(file.PixelData, number_of_frames=number))
        assert frames[-1] == frame
    else:
        assert file.PixelData == frame


@pytest.mark.parametrize(
    ("frames_as", "syntax", "kind"),
    [("stored", "*", "image/dicom-rle; transfer-syntax=1.2.840.10008.1.2.5"),
     ("stored", ELE, f"application/octet-stream; transfer-syntax={ELE}"),
     ("htj2k", ELE, f"application/octet-stream; transfer-syntax={ELE}"),
     ("htj2k", RPCL, f"image/jphc; transfer-syntax={RPCL}"),
     ("htj2k", "*", f"image/jphc; transfer-syntax={RPCL}")],
)  # fmt: skip
async def test_frames_come_in_the_order_asked_for(
    files: Store, frames_as: FramesAs, syntax: str, kind: str
) -> None:
    """A part each, whose header names what it is."""
    accept = f"multipart/related; type={OCTETS}; transfer-syntax={syntax}"
    async with retrieving(files, frames_as=frames_as) as served:
        both = await served.get(f"{path_of(RLE)}/frames/2,1", accept)
        singles = [await served.get(f"{path_of(RLE)}/frames/{n}", accept) for n in (2, 1)]
    assert [(kind, one.parts[0][1]) for one in singles] == both.parts
    assert kind.partition(";")[0] == both.headers.get_param("type")
    if syntax == ELE:
        frames = RLE.pixel_array
        assert [frames[1].tobytes(), frames[0].tobytes()] == [frame for _, frame in both.parts]


async def test_the_syntax_of_the_file_where_pixels_are_stored_in_another(files: Store) -> None:
    """It cannot be had any more."""
    async with retrieving(files, frames_as="htj2k") as served:
        for path, kind in ((f"{path_of(RLE)}/frames/1", STORED), (path_of(RLE), PART10)):
            assert 406 == (await served.get(path, f"{kind[:-1]}1.2.840.10008.1.2.5")).status


@pytest.mark.parametrize("accept", [OCTETS, f"{OCTETS}; transfer-syntax=*"])
async def test_a_single_part(served: Retrieves, accept: str) -> None:
    """One frame can be had without parts."""
    answer = await served.get(f"{path_of(CT)}/frames/1", accept)
    assert (200, f"application/octet-stream; transfer-syntax={ELE}") == told(answer)
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
    for number in range(40):
        write(tmp_path, f"{number}.dcm", SOPInstanceUID=f"1.2.{number}", InstanceNumber=number)
    async with retrieving(imported(tmp_path)) as served:
        found = await served.metadata(series_path(CT))
        assert set(range(40)) == {one["00200013"]["Value"][0] for one in found}


async def test_metadata_after_an_update() -> None:
    """What was changed is changed, what was removed is gone, at every level."""
    store = imported(BUNDLED / "CT_small.dcm")
    async with retrieving(store) as served:
        await _update(served)


async def _update(served: Retrieves) -> None:
    (only,) = served.store.search({}, None, None)["imageSetsMetadataSummaries"]
    before = (await served.metadata(path_of(CT)))[0]
    series = {"DICOM": {"SeriesDescription": "changed"}}
    update: dict[str, Any] = {
        "Patient": {"DICOM": {"PatientName": "ROE^RICHARD"}},
        "Study": {
            "DICOM": {"StudyDescription": "changed"},
            "Series": {str(CT.SeriesInstanceUID): series},
        },
    }
    removal = {"Patient": {"DICOM": {"PatientSex": None}}}
    updates = {
        "DICOMUpdates": {
            "removableAttributes": json.dumps(removal).encode(),
            "updatableAttributes": json.dumps(update).encode(),
        }
    }
    Changes(ImageSets(served.store)).update(only["imageSetId"], "1", updates)
    after = (await served.metadata(path_of(CT)))[0]
    changed = {tag for tag in {*before, *after} if before.get(tag) != after.get(tag)}
    assert {"00100010", "00100040", "00081030", "0008103E"} == changed
    assert [{"Alphabetic": "ROE^RICHARD"}] == after["00100010"]["Value"]
    assert "00100040" not in after


async def test_an_instance_of_many(served: Retrieves) -> None:
    """Its metadata is the same by itself as in its series, and so it is of another image set."""
    for path in (series_path(REPORT), f"{series_path(CT)}"):
        for found in await served.metadata(path):
            uid = found["00080018"]["Value"][0]
            assert [found] == await served.metadata(f"{path}/instances/{uid}")


async def test_metadata_of_a_file_that_is_gone(tmp_path: Path) -> None:
    """The store knows enough; the pixels are an error of the service."""
    path = write(tmp_path, "x.dcm")
    async with retrieving(imported(path)) as served:
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
    assert (200, OCTETS) == told(answer)
    assert value == answer.body


# --- image sets -----------------------------------------------------------------------------------


async def test_image_sets_that_are_not_primary(served: Retrieves) -> None:
    """They are seen only where imageSetId names them, and then they alone."""
    path = f"{series_path(CT)}/instances/{OTHER_UID}"
    other = f"?imageSetId={non_primary(served.store)}"
    for what, accept in (("", PART10), ("/metadata", None), ("/frames/1", STORED)):
        assert 404 == (await served.get(path + what, accept)).status
        assert 200 == (await served.get(path + what + other, accept)).status
        assert 404 == (await served.get(path_of(CT) + what + other, accept)).status
    answer = await served.get(f"{series_path(CT)}/metadata{other}")
    (found,) = json.loads(answer.body)
    assert ["other"] == found["00100020"]["Value"]
