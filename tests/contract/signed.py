"""An emulator with a small archive, and signed retrieves of it over plain HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydicom.uid import UID
from starlette.concurrency import run_in_threadpool

from gateway.emulator.faults import Faults
from gateway.emulator.importer import import_paths
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from tests.contract.serving import running

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
OCTETS = "application/octet-stream"
STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
PART10 = "application/dicom; transfer-syntax=*"

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
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


@dataclass(frozen=True)
class Answer:
    """An answer that was read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes = field(repr=False)

    @property
    def error(self) -> str:
        """AWS's name of the error, "" of an answer that is none."""
        return self.headers.get("x-amzn-errortype", "")

    @property
    def parts(self) -> list[tuple[str, bytes]]:
        """Content type and bytes of each part."""
        assert self.headers.get_content_type() == "multipart/related"
        boundary = str(self.headers.get_param("boundary")).encode()
        *parts, end = self.body.removeprefix(b"--" + boundary).split(b"\r\n--" + boundary)
        assert b"--\r\n" == end
        heads = [part.partition(b"\r\n\r\n") for part in parts]
        return [
            (head.decode().removeprefix("\r\nContent-Type: "), frame) for head, _, frame in heads
        ]


class Retrieves:
    """HealthImaging's DICOMweb as one sees it who signs by himself."""

    def __init__(self, url: str, store: Store, faults: Faults) -> None:
        self.url, self.store, self.faults = url, store, faults

    async def get(
        self, path: str, accept: str | None = None, *, method: str = "GET", wait: float = 30.0
    ) -> Answer:
        """The answer to a signed request of a path below the data store."""
        url = f"{self.url}/datastore/{DATASTORE_ID}/{path}"
        signed = self.signed(url, **({} if accept is None else {"Accept": accept}))
        return await self.send(url, signed, method, wait)

    async def send(
        self, url: str, headers: dict[str, str], method: str = "GET", wait: float = 30.0
    ) -> Answer:
        """The answer to a request with these headers alone; `wait` seconds for each piece."""

        def ask() -> Answer:
            connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=wait)
            try:
                connection.putrequest(method, url.removeprefix(self.url))
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                answer = connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            finally:
                connection.close()

        return await run_in_threadpool(ask)

    def signed(self, url: str, key: str = "test", **headers: str) -> dict[str, str]:
        """The headers of a signed GET."""
        request = AWSRequest("GET", url, headers=headers)
        SigV4Auth(Credentials(key, "secret"), "medical-imaging", "us-east-1").add_auth(request)
        return dict(request.headers)

    async def metadata(self, path: str) -> list[dict[str, Any]]:
        """The metadata of a series or an instance."""
        answer = await self.get(f"{path}/metadata", "application/dicom+json")
        assert (200, "application/dicom+json") == (answer.status, answer.headers["content-type"])
        found: list[dict[str, Any]] = json.loads(answer.body)
        return found


def series_path(file: pydicom.Dataset) -> str:
    """The path of a file's series."""
    return f"studies/{file.StudyInstanceUID}/series/{file.SeriesInstanceUID}"


def path_of(file: pydicom.Dataset) -> str:
    """The path of a file's instance."""
    return f"{series_path(file)}/instances/{file.SOPInstanceUID}"


def imported(*paths: Path) -> Store:
    """A store with the files."""
    store = Store(None, Variants(), DATASTORE_ID)
    assert () == import_paths(store, paths).skipped
    return store


def archive(folder: Path) -> Store:
    """A store with FILES, one that is not primary, one with values that stand outside, SEEDED."""
    other = write(folder, "other.dcm", PatientID="other", SOPInstanceUID=OTHER_UID)
    file = pydicom.dcmread(BUNDLED / "reportsi.dcm")
    file.SOPInstanceUID = UID(DOCUMENT_UID)
    file.file_meta.MediaStorageSOPInstanceUID = UID(DOCUMENT_UID)
    file.EncapsulatedDocument = DOCUMENT
    file.private_block(0x0045, "EXAMPLE", create=True).add_new(0x26, "UN", LARGE)
    document = folder / "z.dcm"
    file.save_as(document)
    store = imported(*(BUNDLED / name for name in FILES), other, document)
    store.add_summaries([SEEDED])
    return store


@asynccontextmanager
async def retrieving(store: Store, **given: Any) -> AsyncIterator[Retrieves]:
    """A server of the store; what is given besides goes to the application."""
    faults = Faults()
    async with running(create_app(store, faults=faults, **given)) as url:
        yield Retrieves(url, store, faults)


def non_primary(store: Store) -> str:
    """The identifier of the image set that is not primary."""
    answer = store.search({}, None, None)
    (found,) = (x for x in answer["imageSetsMetadataSummaries"] if x.get("isPrimary") is False)
    return str(found["imageSetId"])


def told(answer: Answer) -> tuple[int, str]:
    """Status and content type."""
    return answer.status, answer.headers["content-type"]


def write(folder: Path, name: str, source: str = "CT_small.dcm", **values: Any) -> Path:
    """A file of pydicom's with other values."""
    file = pydicom.dcmread(BUNDLED / source)
    for keyword, value in values.items():
        setattr(file, keyword, value)
    file.file_meta.MediaStorageSOPInstanceUID = UID(str(file.SOPInstanceUID))
    path = folder / name
    file.save_as(path)
    return path
