"""What viewers and tools send to open a study, byte by byte, compared with the files themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.pixels.processing import apply_voi_lut

from tests.clients.pictured import ADDRESS, EXPLICIT, JPEG_2000, RLE, STUDY, File, Pictured
from tests.clients.sent import (
    FRAMES,
    FRAMES_QUOTED,
    JAVA,
    JAVA_DICOM,
    JAVA_JPEG,
    PYTHON,
    PYTHON_DICOM,
    SESSION,
    XHR,
)
from tests.clients.viewed import ORIGIN
from tests.clients.wire import Part, parts_of, replay
from tests.e2e.running import Answer, Running

Asked = Callable[[Pictured], tuple[str, Sequence[File]]]

OCTETS, DICOM = "application/octet-stream", "application/dicom"


def parts(answer: Answer) -> list[Part]:
    """The parts of an answer that must have some."""
    assert 200 == answer.status
    return parts_of(answer.one("content-type"), answer.body)


# --- metadata -------------------------------------------------------------------------------------

METADATA: dict[str, tuple[Asked, str]] = {
    "OHIF, of a series": (lambda p: (p.one("CT").of_series, p.files["CT"]), XHR),
    "OHIF without lazy load, of a study": (lambda p: (ADDRESS, p.all), XHR),
    "OHIF, of an instance": (lambda p: (p.one("OT").address, p.files["OT"]), XHR),
    "Slicer, of a series": (lambda p: (p.one("CT").of_series, p.files["CT"]), PYTHON),
    "dicomweb-client, of a study": (lambda p: (ADDRESS, p.all), PYTHON),
    "dicomtrolley, of a study": (lambda p: (ADDRESS, p.all), SESSION),
    "dicomtrolley, of a document": (lambda p: (p.one("DOC").address, p.files["DOC"]), SESSION),
}


@pytest.mark.parametrize(("asked", "headers"), METADATA.values(), ids=METADATA)
def test_metadata(
    pictured_gateway: Running,
    pictures: Pictured,
    asked: Asked,
    headers: str,
) -> None:
    """Every instance, with all that pydicom reads from its file but the pixels."""
    address, files = asked(pictures)
    answer = replay(pictured_gateway.url, f"{address}/metadata", headers)
    assert (200, "application/dicom+json") == (answer.status, answer.one("content-type"))
    given = {one["00080018"]["Value"][0]: one for one in answer.json}
    assert len(files) == len(answer.json)
    for file in files:
        assert attributes(file) == read_back(given[file.uid])


def attributes(file: File) -> dict[str, Any]:
    """Each attribute of the file as DICOM JSON has it, but group 2, pixels and documents."""
    told = json.loads(file.dataset.to_json())
    return {tag: one for tag, one in told.items() if tag not in ("7FE00010", "00420011")}


def read_back(one: dict[str, Any]) -> dict[str, Any]:
    """The same of what was given, read by pydicom, which knows one way of writing each number."""
    alone = {tag: value for tag, value in one.items() if "BulkDataURI" not in value}
    read: dict[str, Any] = json.loads(pydicom.Dataset.from_json(alone).to_json())
    return read


# --- instances ------------------------------------------------------------------------------------

STORED = "Accept: application/dicom; transfer-syntax=*"
WHOLE: dict[str, tuple[Asked, str]] = {
    # RsQueryResult takes the address of an instance from its RetrieveURL
    "Weasis, an instance": (lambda p: (p.one("MR").address, p.files["MR"]), JAVA_DICOM),
    # SeriesDownloadManager.startBulkSeriesDownload
    "Weasis, a series": (lambda p: (p.one("CT").of_series, p.files["CT"]), JAVA_DICOM),
    "Slicer, a series of Explicit VR": (
        lambda p: (p.one("CT").of_series, p.files["CT"]),
        PYTHON_DICOM,
    ),
    "Slicer, a document": (lambda p: (p.one("DOC").address, p.files["DOC"]), PYTHON_DICOM),
    "dicomweb-client, a study as it is stored": (
        lambda p: (ADDRESS, p.all),
        PYTHON_DICOM.replace('"application/dicom"', '"application/dicom"; transfer-syntax=*'),
    ),
    "OHIF, an instance of Explicit VR": (
        lambda p: (p.one("CT").address, p.files["CT"][:1]),
        'Accept: multipart/related; type="application/dicom"',
    ),
}


@pytest.mark.parametrize(("asked", "headers"), WHOLE.values(), ids=WHOLE)
def test_instances(
    pictured_gateway: Running,
    pictures: Pictured,
    asked: Asked,
    headers: str,
) -> None:
    """Each part is an imported file, to the byte; none is missing and none comes twice."""
    address, files = asked(pictures)
    found = parts(replay(pictured_gateway.url, address, headers))
    assert {DICOM} == {part.media_type for part in found}
    assert sorted(file.body for file in files) == sorted(part.body for part in found)


@pytest.mark.parametrize("modality", ["CT", "MR", "OT", "DOC"])
def test_instance_alone(pictured_gateway: Running, pictures: Pictured, modality: str) -> None:
    """A single part is the imported file, to the byte."""
    file = pictures.one(modality)
    answer = replay(pictured_gateway.url, file.address, STORED)
    assert (200, DICOM) == (answer.status, answer.one("content-type").partition(";")[0])
    assert file.body == answer.body


@pytest.mark.parametrize("headers", [PYTHON_DICOM, SESSION], ids=["Slicer", "dicomtrolley"])
def test_compressed_series_decoded(
    pictured_gateway: Running, pictures: Pictured, headers: str
) -> None:
    """Who names no transfer syntax can read what comes: pydicom sees the same pixels."""
    file = pictures.one("MR")
    (part,) = parts(replay(pictured_gateway.url, file.of_series, headers))
    read = pydicom.dcmread(BytesIO(part.body))
    assert file.uid == read.SOPInstanceUID
    assert np.array_equal(file.dataset.pixel_array, read.pixel_array)


# --- frames ---------------------------------------------------------------------------------------

STORED_FRAMES = {
    "OHIF, stored uncompressed": ("CT", "1", FRAMES, OCTETS, EXPLICIT),
    "OHIF with quotes, stored uncompressed": ("CT", "1", FRAMES_QUOTED, OCTETS, EXPLICIT),
    "OHIF, JPEG 2000": ("MR", "1", FRAMES, "image/jp2", JPEG_2000),
    "OHIF with quotes, JPEG 2000": ("MR", "1", FRAMES_QUOTED, "image/jp2", JPEG_2000),
    "OHIF, the second of two, RLE": ("OT", "2", FRAMES, "image/dicom-rle", RLE),
    "OHIF, several": ("OT", "1,2", FRAMES, "image/dicom-rle", RLE),
    "any, several encoded, out of order": ("OT", "2%2C1", FRAMES, "image/dicom-rle", RLE),
}


@pytest.mark.parametrize(
    ("modality", "numbers", "headers", "media_type", "syntax"),
    STORED_FRAMES.values(),
    ids=STORED_FRAMES,
)
def test_stored_frames(
    pictured_gateway: Running,
    pictures: Pictured,
    modality: str,
    numbers: str,
    headers: str,
    media_type: str,
    syntax: str,
) -> None:
    """Each part is a frame as it is stored, and says what it is: OHIF decodes by its type."""
    file = pictures.one(modality)
    answer = replay(pictured_gateway.url, f"{file.address}/frames/{numbers}", headers)
    expected = [file.frames[int(n) - 1] for n in numbers.replace("%2C", ",").split(",")]
    found = parts(answer)
    assert [(media_type, syntax)] * len(expected) == [(p.media_type, p.syntax) for p in found]
    assert expected == [part.body for part in found]


DECODED_FRAMES = {
    "dcmjs, JPEG 2000": ("MR", "1", 'Accept: multipart/related; type="application/octet-stream"'),
    "dcmjs, RLE": ("OT", "1,2", 'Accept: multipart/related; type="application/octet-stream"'),
    "OHIF with requestTransferSyntaxUID, RLE": (
        "OT",
        "2",
        f"Accept: multipart/related; type=application/octet-stream; transfer-syntax={EXPLICIT}",
    ),
}


@pytest.mark.parametrize(
    ("modality", "numbers", "headers"), DECODED_FRAMES.values(), ids=DECODED_FRAMES
)
def test_decoded_frames(
    pictured_gateway: Running, pictures: Pictured, modality: str, numbers: str, headers: str
) -> None:
    """Each part is a frame as pydicom decodes it."""
    file = pictures.one(modality)
    found = parts(replay(pictured_gateway.url, f"{file.address}/frames/{numbers}", headers))
    expected = [file.decoded[int(n) - 1] for n in numbers.split(",")]
    assert expected == [part.body for part in found]


# --- bulk data ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    # OHIF's viewer of documents asks as a browser does; dicomweb-client by a list
    [XHR.replace("application/dicom+json", "*/*"), PYTHON.replace("dicom+json", "octet-stream")],
    ids=["OHIF", "dicomweb-client"],
)
def test_bulk_data(pictured_gateway: Running, pictures: Pictured, headers: str) -> None:
    """What the metadata's BulkDataURI leads to is the document, to the byte."""
    file = pictures.one("DOC")
    (one,) = replay(pictured_gateway.url, f"{file.address}/metadata", XHR).json
    uri = one["00420011"]["BulkDataURI"]
    assert uri.startswith(f"{pictured_gateway.url}{file.address}/bulkdata/")
    answer = replay(pictured_gateway.url, uri.removeprefix(pictured_gateway.url), headers)
    is_multipart = answer.one("content-type").startswith("multipart/")
    body = parts(answer)[0].body if is_multipart else answer.body
    assert (200, file.dataset.EncapsulatedDocument) == (answer.status, body)


# --- rendered -------------------------------------------------------------------------------------


def of_uri(file: File) -> str:
    """The UIDs as WADO-URI has them, in the order of Weasis."""
    return f"studyUID={STUDY}&seriesUID={file.series}&objectUID={file.uid}"


RENDERED: dict[str, tuple[Callable[[File], str], str]] = {
    "OHIF, thumbnail of a series": (
        lambda f: f"{f.of_series}/thumbnail?viewport=256%2C256",
        "Accept: image/jpeg",
    ),
    "OHIF, a series rendered": (
        lambda f: f"{f.of_series}/rendered?accept=image%2Fjpeg",
        'Accept: multipart/related; type="application/octet-stream"',
    ),
    # ThumbnailManager of Weasis 4; its size is Thumbnail.MAX_SIZE
    "Weasis, thumbnail of a series": (
        lambda f: f"{f.of_series}/thumbnail?viewport=256%2C256",
        JAVA_JPEG,
    ),
    "Weasis, thumbnail of an instance": (
        lambda f: f"{f.address}/thumbnail?viewport=256%2C256",
        JAVA_JPEG,
    ),
    "Weasis, an instance rendered": (
        lambda f: f"{f.address}/rendered?viewport=256%2C256",
        JAVA_JPEG,
    ),
    "Weasis, thumbnail by WADO-URI": (
        lambda f: (
            f"?requestType=WADO&{of_uri(f)}"
            "&contentType=image/jpeg&imageQuality=75&rows=256&columns=256"
        ),
        JAVA,
    ),
    "a browser, one frame": (lambda f: f"{f.address}/frames/1/rendered", "Accept: image/jpeg"),
    "a browser, the study's thumbnail": (lambda _: f"{ADDRESS}/thumbnail", "Accept: image/*"),
}


@pytest.mark.parametrize(("target", "headers"), RENDERED.values(), ids=RENDERED)
def test_rendered(
    pictured_gateway: Running, pictures: Pictured, target: Callable[[File], str], headers: str
) -> None:
    """An image, as bright as pydicom shows the file."""
    file = pictures.one("CT")
    answer = replay(pictured_gateway.url, target(file), headers)
    assert (200, "image/jpeg") == (answer.status, answer.one("content-type"))
    image = np.asarray(Image.open(BytesIO(answer.body)))
    shown = apply_voi_lut(file.dataset.pixel_array, file.dataset).astype(float)
    grey = (shown - shown.min()) / (shown.max() - shown.min()) * 255
    assert image.shape[0] == image.shape[1]
    assert image.mean() == pytest.approx(grey.mean(), rel=0.05)


# --- WADO-URI -------------------------------------------------------------------------------------

# SeriesDownloadManager.appendWadoQueryParameters; the manifest names the transfer syntax
WADO_URI = {
    "Weasis, as it is stored": ("MR", "&contentType=application%2Fdicom&transferSyntax=*"),
    "Weasis, a transfer syntax that is stored": (
        "MR",
        f"&contentType=application%2Fdicom&transferSyntax={JPEG_2000}",
    ),
    "Weasis, a transfer syntax with a rate": (
        "OT",
        f"&contentType=application%2Fdicom&transferSyntax={RLE}&imageQuality=80",
    ),
    "Weasis, no transfer syntax": ("CT", "&contentType=application%2Fdicom"),
    "dicomtrolley": ("CT", "&contentType=application%2Fdicom"),
    "Cornerstone": (
        "CT",
        f"&contentType=application%2Fdicom&transferSyntax={EXPLICIT}",
    ),
}


@pytest.mark.parametrize(("modality", "rest"), WADO_URI.values(), ids=WADO_URI)
@pytest.mark.parametrize("root", ["", "/"], ids=["root", "slash"])
def test_wado_uri(
    pictured_gateway: Running, pictures: Pictured, modality: str, rest: str, root: str
) -> None:
    """The imported file, to the byte."""
    file = pictures.one(modality)
    target = f"{root}?requestType=WADO&{of_uri(file)}{rest}"
    answer = replay(pictured_gateway.url, target, JAVA)
    assert (200, DICOM) == (answer.status, answer.one("content-type").partition(";")[0])
    assert file.body == answer.body


# --- what is not there ----------------------------------------------------------------------------

NOT_THERE: dict[str, tuple[Callable[[File], str], str]] = {
    "OHIF: metadata of another's series": (
        lambda f: f"/studies/1.2.826.99/series/{f.series}/metadata",
        XHR,
    ),
    "OHIF: metadata of a study": (lambda _: "/studies/1.2.826.99/metadata", XHR),
    "OHIF: a frame too far": (lambda f: f"{f.address}/frames/2", FRAMES),
    "OHIF: a frame of an unknown instance": (lambda f: f"{f.address}.9/frames/1", FRAMES),
    "OHIF: thumbnail": (
        lambda f: f"{f.of_series}9/thumbnail?viewport=256%2C256",
        "Accept: image/jpeg",
    ),
    "Slicer: an instance": (lambda f: f"{f.address}.9", PYTHON_DICOM),
    "Slicer: a series": (lambda f: f"{f.of_series}9", PYTHON_DICOM),
    "Weasis: an instance": (lambda f: f"{f.address}.9", JAVA_DICOM),
    "Weasis: by WADO-URI": (
        lambda f: f"?requestType=WADO&{of_uri(f)}.9&contentType=application%2Fdicom",
        JAVA,
    ),
}


@pytest.mark.parametrize(("target", "headers"), NOT_THERE.values(), ids=NOT_THERE)
def test_not_there(
    pictured_gateway: Running, pictures: Pictured, target: Callable[[File], str], headers: str
) -> None:
    """What is not there is 404 with a problem, also for a page of another origin."""
    lines = f"{headers}\nOrigin: {ORIGIN}"
    answer = replay(pictured_gateway.url, target(pictures.one("CT")), lines)
    assert (404, ORIGIN) == (answer.status, answer.one("access-control-allow-origin"))
    assert "application/problem+json" == answer.one("content-type")


def test_frames_of_another_origin(pictured_gateway: Running, pictures: Pictured) -> None:
    """A page of another origin may read the frames that it asks for."""
    target = f"{pictures.one('CT').address}/frames/1"
    answer = replay(pictured_gateway.url, target, f"{FRAMES}\nOrigin: {ORIGIN}")
    assert (200, ORIGIN) == (answer.status, answer.one("access-control-allow-origin"))
