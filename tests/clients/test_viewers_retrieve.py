"""What viewers and tools send to open a study, byte by byte, compared with the files themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest

from tests.clients.pictured import ADDRESS, EXPLICIT, JPEG_2000, RLE, File, Pictured
from tests.clients.sent import (
    FRAMES,
    FRAMES_QUOTED,
    JAVA_DICOM,
    PYTHON,
    PYTHON_DICOM,
    SESSION,
    XHR,
)
from tests.clients.viewed import ORIGIN
from tests.clients.wire import parts_of, replay
from tests.e2e.running import Running

Asked = Callable[[Pictured], tuple[str, Sequence[File]]]

OCTETS, DICOM = "application/octet-stream", "application/dicom"


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


NOT_TOLD = {"7FE00010", "00420011", "FFFCFFFC"}
"""Pixels, documents, and the padding behind an instance."""


def attributes(file: File) -> dict[str, Any]:
    """Each attribute of the file as DICOM JSON has it, but what no metadata holds."""
    told = json.loads(file.dataset.to_json())
    return {tag: one for tag, one in told.items() if tag not in NOT_TOLD}


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
    found = parts_of(replay(pictured_gateway.url, address, headers))
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
    (part,) = parts_of(replay(pictured_gateway.url, file.of_series, headers))
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
    found = parts_of(answer)
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
    found = parts_of(replay(pictured_gateway.url, f"{file.address}/frames/{numbers}", headers))
    expected = [file.decoded[int(n) - 1] for n in numbers.split(",")]
    assert expected == [part.body for part in found]


def test_frames_of_another_origin(pictured_gateway: Running, pictures: Pictured) -> None:
    """A page of another origin may read the frames that it asks for."""
    target = f"{pictures.one('CT').address}/frames/1"
    answer = replay(pictured_gateway.url, target, f"{FRAMES}\nOrigin: {ORIGIN}")
    assert (200, ORIGIN) == (answer.status, answer.one("access-control-allow-origin"))
