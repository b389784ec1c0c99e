"""dicomweb-client of PyPI: each method that retrieves, over files that an emulator has imported.

What comes is compared with the files themselves, byte for byte.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID, EncapsulatedPDFStorage, ExplicitVRLittleEndian
from requests import HTTPError

from tests.e2e.running import Running, credentials, running

# Each with its transfer syntax: native and encapsulated, one frame and several, grey and colour
BUNDLED = (
    "CT_small.dcm",
    "MR_small.dcm",
    "693_J2KI.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_small_odd.dcm",
    "examples_rgb_color.dcm",
    "examples_ybr_color.dcm",
)
OF_STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription"),
    *("AccessionNumber", "ReferringPhysicianName"),
)
DOCUMENT = bytes(range(256)) * 6_000
"""More than a megabyte: metadata tell only where it is."""
AS_STORED = (("application/dicom", "*"),)
FRAMES_AS_STORED = (("application/octet-stream", "*"),)


@dataclass(frozen=True)
class File:
    """One imported file."""

    path: Path
    dataset: Dataset

    @property
    def uids(self) -> tuple[str, str, str]:
        """Those of its study, its series and itself."""
        found = self.dataset
        return found.StudyInstanceUID, found.SeriesInstanceUID, found.SOPInstanceUID

    @property
    def frames(self) -> list[bytes]:
        """The frames as they are stored."""
        number = int(self.dataset.get("NumberOfFrames", 1))
        pixels = self.dataset.PixelData
        if self.dataset.file_meta.TransferSyntaxUID.is_encapsulated:
            return list(generate_frames(pixels, number_of_frames=number))
        found = self.dataset
        size = found.Rows * found.Columns * found.SamplesPerPixel * found.BitsAllocated // 8
        return [pixels[n * size : (n + 1) * size] for n in range(number)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, File]:
    """The files by name; two more are made: a document, and a second instance of the CT."""
    folder = tmp_path_factory.mktemp("retrieved")
    source = Path(pydicom.__file__).parent / "data" / "test_files"
    for name in BUNDLED:
        shutil.copy(source / name, folder / name)
    second = pydicom.dcmread(source / "CT_small.dcm")
    second.SOPInstanceUID = second.file_meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.9")
    second.InstanceNumber = 99
    second.save_as(folder / "CT_second.dcm")
    _document(second).save_as(folder / "document.dcm", enforce_file_format=True)
    return {path.name: File(path, pydicom.dcmread(path)) for path in sorted(folder.iterdir())}


def _document(image: Dataset) -> Dataset:
    """A document in a series of its own, in the study of `image`."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.8.1")
    made.SeriesInstanceUID, made.Modality, made.SeriesNumber = UID("1.2.826.0.1.8"), "DOC", 99
    # Of another patient or study it would be kept apart
    made.update(image.group_dataset(0x0010))
    for keyword in OF_STUDY:
        if keyword in image:
            made[keyword] = image[keyword]
    made.EncapsulatedDocument = DOCUMENT
    return made


@pytest.fixture(scope="module")
def gateway(folder: Path, files: Mapping[str, File]) -> Iterator[Running]:
    """A gateway before an emulator that has the files."""
    imported = str(files["CT_small.dcm"].path.parent)
    arguments = ("--port", "0", "--import", imported)
    with (
        running(folder, "emulator", *arguments) as upstream,
        running(folder, "serve", "--port", "0", env=credentials(upstream.url)) as process,
    ):
        yield process


@pytest.fixture(scope="module")
def client(gateway: Running) -> DICOMwebClient:
    """The client as a program makes it."""
    return DICOMwebClient(url=gateway.url)


ALL = (*BUNDLED, "CT_second.dcm", "document.dcm")
OF_CT = ("CT_small.dcm", "CT_second.dcm")


def assert_file(file: File, found: Dataset) -> None:
    """It is the file: its attributes, and its pixels to the last byte."""
    assert file.dataset == found
    assert file.dataset.file_meta == found.file_meta
    assert file.dataset.get("PixelData") == found.get("PixelData")


# --- Part 10 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_retrieve_instance(client: DICOMwebClient, files: Mapping[str, File], name: str) -> None:
    """An instance as it is stored is the file."""
    found = client.retrieve_instance(*files[name].uids, media_types=AS_STORED)
    assert_file(files[name], found)


@pytest.mark.parametrize("name", ALL)
def test_instance_byte_for_byte(gateway: Running, files: Mapping[str, File], name: str) -> None:
    """By itself it is the file to the last byte, and its length is told."""
    study, series, uid = files[name].uids
    answer = requests.get(
        f"{gateway.url}/studies/{study}/series/{series}/instances/{uid}",
        headers={"Accept": "application/dicom; transfer-syntax=*"},
        timeout=30,
    )
    assert files[name].path.read_bytes() == answer.content
    assert str(len(answer.content)) == answer.headers["Content-Length"]


@pytest.mark.parametrize("name", ["CT_small.dcm", "693_J2KI.dcm", "SC_rgb_jpeg_gdcm.dcm"])
def test_instance_by_default(client: DICOMwebClient, files: Mapping[str, File], name: str) -> None:
    """Without a transfer syntax an instance is Explicit VR Little Endian."""
    found = client.retrieve_instance(*files[name].uids, media_types=("application/dicom",))
    assert ExplicitVRLittleEndian == found.file_meta.TransferSyntaxUID
    assert (files[name].dataset.pixel_array == found.pixel_array).all()


@pytest.mark.parametrize("method", ["retrieve_series", "iter_series"])
def test_series(client: DICOMwebClient, files: Mapping[str, File], method: str) -> None:
    """A series has its instances, in order of their numbers."""
    study, series, _ = files["CT_small.dcm"].uids
    found = list(getattr(client, method)(study, series, media_types=AS_STORED))
    assert len(OF_CT) == len(found)
    for name, one in zip(OF_CT, found, strict=True):
        assert_file(files[name], one)


@pytest.mark.parametrize("method", ["retrieve_study", "iter_study"])
def test_study(client: DICOMwebClient, files: Mapping[str, File], method: str) -> None:
    """A study has the instances of its series."""
    study, _, _ = files["CT_small.dcm"].uids
    found = list(getattr(client, method)(study, media_types=AS_STORED))
    assert 3 == len(found)
    for name, one in zip((*OF_CT, "document.dcm"), found, strict=True):
        assert_file(files[name], one)


# --- metadata -------------------------------------------------------------------------------------


def _uids(found: list[dict[str, Any]]) -> list[str]:
    return [one["00080018"]["Value"][0] for one in found]


@pytest.mark.parametrize("name", BUNDLED)
def test_retrieve_instance_metadata(
    client: DICOMwebClient, files: Mapping[str, File], name: str
) -> None:
    """An instance's metadata has what the file has."""
    file = files[name]
    found = client.retrieve_instance_metadata(*file.uids)
    read = Dataset.from_json(found, lambda *_: b"")
    for keyword in ("SOPClassUID", "PatientID", "PatientName", "Rows", "BitsStored", "StudyDate"):
        assert file.dataset.get(keyword) == read.get(keyword)


def test_retrieve_series_metadata(client: DICOMwebClient, files: Mapping[str, File]) -> None:
    """A series' metadata is that of its instances."""
    study, series, _ = files["CT_small.dcm"].uids
    found = client.retrieve_series_metadata(study, series)
    assert {files[name].uids[2] for name in OF_CT} == set(_uids(found))


def test_retrieve_study_metadata(client: DICOMwebClient, files: Mapping[str, File]) -> None:
    """A study's metadata is that of its series, in their order."""
    study, _, _ = files["CT_small.dcm"].uids
    found = client.retrieve_study_metadata(study)
    *of_ct, of_document = _uids(found)
    assert {files[name].uids[2] for name in OF_CT} == set(of_ct)
    assert files["document.dcm"].uids[2] == of_document


# --- bulk data ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["retrieve_bulkdata", "iter_bulkdata"])
def test_bulkdata(client: DICOMwebClient, files: Mapping[str, File], method: str) -> None:
    """What the metadata only tell the place of is there."""
    found = client.retrieve_instance_metadata(*files["document.dcm"].uids)
    # The client leaves the port out of Host
    path = urlsplit(found["00420011"]["BulkDataURI"]).path
    uri = client.base_url + path.removeprefix("/dicom-web")
    assert [DOCUMENT] == list(getattr(client, method)(uri))
    octets = ("application/octet-stream",)
    assert [DOCUMENT] == list(getattr(client, method)(uri, media_types=octets))


# --- frames ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["retrieve_instance_frames", "iter_instance_frames"])
@pytest.mark.parametrize("media_types", [None, (("*/*", "*"),)], ids=["default", "any"])
@pytest.mark.parametrize("name", BUNDLED)
def test_frames(
    client: DICOMwebClient, files: Mapping[str, File], name: str, method: str, media_types: Any
) -> None:
    """Frames are the stored bytes."""
    file = files[name]
    numbers = range(1, len(file.frames) + 1)
    found = getattr(client, method)(*file.uids, list(numbers), media_types=media_types)
    assert file.frames == list(found)


@pytest.mark.parametrize("name", BUNDLED)
def test_frames_uncompressed(client: DICOMwebClient, files: Mapping[str, File], name: str) -> None:
    """Octets without a transfer syntax are uncompressed pixels."""
    file = files[name]
    found = client.retrieve_instance_frames(
        *file.uids, [1], media_types=("application/octet-stream",)
    )
    dataset = file.dataset
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        depth = dataset.SamplesPerPixel * dataset.BitsAllocated // 8
        assert [dataset.Rows * dataset.Columns * depth] == [len(frame) for frame in found]
    else:
        assert file.frames == found


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("693_J2KI.dcm", "image/jp2"), ("SC_rgb_jpeg_gdcm.dcm", "image/jpeg")],
)
def test_frames_of_a_type(
    client: DICOMwebClient, files: Mapping[str, File], name: str, media_type: str
) -> None:
    """A frame that is stored as the type that is asked for is passed through."""
    file = files[name]
    found = client.retrieve_instance_frames(*file.uids, [1], media_types=(media_type,))
    assert file.frames == found
    with pytest.raises(HTTPError, match="406"):
        client.retrieve_instance_frames(*file.uids, [1], media_types=("image/jls",))


# --- rendered -------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png"])
def test_rendered(client: DICOMwebClient, files: Mapping[str, File], media_type: str) -> None:
    """An instance, a series and a frame are shown as images of the right size."""
    file = files["CT_small.dcm"]
    study, series, uid = file.uids
    found = [
        client.retrieve_instance_rendered(study, series, uid, media_types=(media_type,)),
        client.retrieve_series_rendered(study, series, media_types=(media_type,)),
        client.retrieve_instance_frames_rendered(
            study, series, uid, [1], media_types=(media_type,)
        ),
    ]
    for image in found:
        read = Image.open(BytesIO(image))
        assert (media_type, (128, 128)) == (Image.MIME[str(read.format)], read.size)


# --- what is not there ----------------------------------------------------------------------------

ABSENT: dict[str, Callable[[DICOMwebClient, tuple[str, str, str]], object]] = {
    "study": lambda client, _: client.retrieve_study("9.9"),
    "series": lambda client, uids: client.retrieve_series_metadata(uids[0], "9.9"),
    "series of another study": lambda client, uids: client.retrieve_series_metadata("9.9", uids[1]),
    "instance": lambda client, uids: client.retrieve_instance(*uids[:2], "9.9"),
    "frame": lambda client, uids: client.retrieve_instance_frames(*uids, [2]),
}


@pytest.mark.parametrize("asked", ABSENT.values(), ids=ABSENT)
def test_absent(
    client: DICOMwebClient,
    files: Mapping[str, File],
    asked: Callable[[DICOMwebClient, tuple[str, str, str]], object],
) -> None:
    """What is not there is 404, which the client raises."""
    with pytest.raises(HTTPError, match="404"):
        asked(client, files["CT_small.dcm"].uids)


def test_each_method_is_tested() -> None:
    """No method of the client that retrieves is without a test here."""
    methods = {
        name
        for name, _ in inspect.getmembers(DICOMwebClient, inspect.isfunction)
        if name.startswith(("retrieve_", "iter_"))
    }
    source = Path(__file__).read_text("utf-8")
    assert [] == sorted(name for name in methods if name not in source)
