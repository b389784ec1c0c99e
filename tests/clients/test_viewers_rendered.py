"""What viewers send for images, documents and files by WADO-URI, byte by byte, and what is 404."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.pixels.processing import apply_voi_lut

from tests.clients.pictured import ADDRESS, EXPLICIT, JPEG_2000, RLE, STUDY, File, Pictured
from tests.clients.sent import (
    FRAMES,
    JAVA,
    JAVA_DICOM,
    JAVA_JPEG,
    PYTHON,
    PYTHON_DICOM,
    XHR,
)
from tests.clients.viewed import ORIGIN
from tests.clients.wire import parts_of, replay
from tests.e2e.running import Running

DICOM = "application/dicom"

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
    body = parts_of(answer)[0].body if is_multipart else answer.body
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
