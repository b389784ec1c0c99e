"""Retrieving imported files from the emulator, by its DICOMweb and from its image sets."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_charset_files, get_testdata_file

from gateway.app import Parts, parts_of, retrieval_of
from gateway.config import Settings
from gateway.emulator.errors import WireError
from gateway.emulator.faults import Faults
from gateway.emulator.importer import import_paths
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from gateway.errors import (
    GatewayError,
    NotAcceptableError,
    NotFoundError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
)
from gateway.healthimaging.dicomweb import DicomWeb
from gateway.healthimaging.framing import AHEAD
from gateway.healthimaging.imagesets import ImageSets
from gateway.imaging.rendering import Look
from gateway.server.pixels import Pixels
from gateway.wado.requests import Target
from gateway.wado.upstream import STORED, Incoming, Place
from tests.contract.serving import running
from tests.contract.visiting import open_sockets, until
from tests.laws.harness import DATASTORE_ID

ELE, RPCL = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.202"
FRAME = "GetImageFrame"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # No test waits: what is tried again is tried at once
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@dataclass
class Site:
    """An emulator that holds one file, and what retrieves it."""

    file: pydicom.FileDataset
    path: Path
    retrieval: DicomWeb | ImageSets
    parts: Parts
    faults: Faults

    @property
    def uid(self) -> str:
        """The SOPInstanceUID."""
        return str(self.file.SOPInstanceUID)

    async def place(self) -> Place:
        """Where the file's series lies."""
        study, series = str(self.file.StudyInstanceUID), str(self.file.SeriesInstanceUID)
        (place,) = await self.retrieval.places(study, series)
        return place


@asynccontextmanager
async def site(
    monkeypatch: pytest.MonkeyPatch, name: str, upstream: str = "image-sets", **given: Any
) -> AsyncIterator[Site]:
    """An emulator of one of pydicom's files."""
    path = Path(str(get_testdata_file(name) or get_charset_files(name)[0]))
    store, faults = Store(None, Variants(), DATASTORE_ID), Faults()
    import_paths(store, [path])
    async with running(create_app(store, faults=faults)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", url)
        table: Any = {"upstream": upstream, **given}
        settings = Settings(datastore_id=DATASTORE_ID, region="us-east-1", retrieve=table)
        parts = parts_of(settings)
        retrieval = retrieval_of(settings, parts)
        assert retrieval is not None
        try:
            yield Site(pydicom.dcmread(path), path, retrieval, parts, faults)
        finally:
            parts.walks.close()
            await retrieval.aclose()
            await parts.client.aclose()
    store.close()


async def body_of(incoming: Incoming) -> bytes:
    """All of it."""
    try:
        return b"".join([chunk async for chunk in incoming.chunks])
    finally:
        await incoming.aclose()


def parts_in(incoming: Incoming, body: bytes) -> list[tuple[str, bytes]]:
    """The Content-Type and the bytes of each part of a multipart body."""
    head = f"Content-Type: {incoming.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    return [
        (part["content-type"], part.get_payload(decode=True) or b"")  # type: ignore[misc] # bytes
        for part in message.iter_parts()
    ]


# --- DICOMweb -------------------------------------------------------------------------------------


async def test_by_dicomweb(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was imported comes back: the file to the byte, its frames, its metadata."""
    async with site(monkeypatch, "CT_small.dcm", "dicomweb") as here:
        place, retrieval = await here.place(), here.retrieval
        assert [here.uid] == list(await retrieval.instances(place))
        file = await body_of(await retrieval.instance(place, here.uid, STORED))
        assert here.path.read_bytes() == file
        incoming = await retrieval.frames(place, here.uid, (1,), STORED)
        body = await body_of(incoming)
        assert here.file.PixelData in body and b"transfer-syntax=" in body
        for uid in ("", here.uid):
            (one,) = json.loads(await body_of(await retrieval.metadata(place, uid)))
            assert [here.uid] == one["00080018"]["Value"]


@pytest.mark.parametrize(
    ("numbers", "syntax", "kind"),
    [
        pytest.param((2,), STORED, NotFoundError, id="a frame out of range"),
        pytest.param((1,), "1.2.840.10008.1.2.4.50", NotAcceptableError, id="another syntax"),
    ],
)
async def test_what_dicomweb_has_not(
    monkeypatch: pytest.MonkeyPatch,
    numbers: tuple[int, ...],
    syntax: str,
    kind: type[GatewayError],
) -> None:
    """It is one of our errors, and the server may try something else."""
    async with site(monkeypatch, "CT_small.dcm", "dicomweb") as here:
        place = await here.place()
        with pytest.raises(kind):
            await here.retrieval.frames(place, here.uid, numbers, syntax)
        with pytest.raises(NotFoundError):
            await here.retrieval.instance(place, "1.2.3", STORED)


# --- image sets -----------------------------------------------------------------------------------

FILES = {
    "16 bits": "CT_small.dcm",
    "implicit VR": "MR_small_implicit.dcm",
    "several frames": "rtdose.dcm",
    "colour": "SC_rgb_small_odd.dcm",
    "palette": "examples_palette.dcm",
    "32 bits": "rtdose_1frame.dcm",
    "JPEG": "SC_rgb_jpeg_dcmtk.dcm",
    "JPEG 2000": "JPEG2000.dcm",
    "RLE, of several frames": "SC_rgb_rle_2frame.dcm",
    "without pixels": "reportsi.dcm",
    "text of Japan": "chrH31.dcm",
}
# What a file has of itself, and what names the encoding of its texts and pixels
NOT_COMPARED = {
    *("SpecificCharacterSet", "PixelData", "PlanarConfiguration", "DataSetTrailingPadding"),
    *("PhotometricInterpretation", "AvailableTransferSyntaxUID"),
}


@pytest.mark.parametrize("name", FILES.values(), ids=FILES)
async def test_a_composed_file(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """pydicom reads the same attributes and pixels of it as of the imported file."""
    async with site(monkeypatch, name) as here:
        place = await here.place()
        incoming = await here.retrieval.instance(place, here.uid, STORED)
        body = await body_of(incoming)
        stored = here.file
    found = pydicom.dcmread(io.BytesIO(body))
    assert f"transfer-syntax={found.file_meta.TransferSyntaxUID}" in incoming.content_type
    assert here.uid == str(found.file_meta.MediaStorageSOPInstanceUID)
    if "PixelData" in stored:
        assert np.array_equal(stored.pixel_array, found.pixel_array)
    else:
        assert "PixelData" not in found
    expected, actual = _plain(stored), _plain(found)
    assert expected == {key: actual.get(key) for key in expected}


async def test_what_is_not_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in big endian would have to be made anew; its frames come as they are stored."""
    async with site(monkeypatch, "SC_rgb_small_odd_big_endian.dcm") as here:
        place = await here.place()
        with pytest.raises(NotAcceptableError):
            await here.retrieval.instance(place, here.uid, STORED)
        await body_of(await here.retrieval.frames(place, here.uid, (1,), STORED))


def _plain(dataset: pydicom.Dataset) -> dict[str, str]:
    """Attributes with a value, as texts without the padding and spelling of numbers."""
    stored = json.loads(dataset.to_json(suppress_invalid_tags=True))
    return {
        tag: json.dumps(element.get("Value", element.get("InlineBinary")), sort_keys=True)
        for tag, element in stored.items()
        if (keyword := pydicom.datadict.keyword_for_tag(tag))
        and keyword not in NOT_COMPARED
        and element["vr"] != "SQ"
        and element.get("Value") != [{"Alphabetic": "^^^^"}]  # says nothing, and stands for none
        and element.get("Value", element.get("InlineBinary"))
    }


async def test_frames_of_image_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames come in the order in which they were asked for, each with its type and syntax."""
    async with site(monkeypatch, "rtdose.dcm") as here:
        place = await here.place()
        whole = await here.retrieval.instance(place, here.uid, STORED)
        file = pydicom.dcmread(io.BytesIO(await body_of(whole)))
        numbers = (3, 1, 15, 2, 8, 4)
        incoming = await here.retrieval.frames(place, here.uid, numbers, STORED)
        parts = parts_in(incoming, await body_of(incoming))
        syntax = str(file.file_meta.TransferSyntaxUID)
        expected = (
            list(pydicom.encaps.generate_frames(file.PixelData, number_of_frames=15))
            if syntax == RPCL
            else np.array_split(file.pixel_array, 15)
        )
    assert [bytes(expected[number - 1]) for number in numbers] == [data for _, data in parts]
    assert {syntax} == {kind.rpartition("=")[2].strip('"') for kind, _ in parts}


async def test_metadata_of_image_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata of a series, and of one instance, is an array of all that is known."""
    async with site(monkeypatch, "CT_small.dcm") as here:
        place = await here.place()
        assert [here.uid] == list(await here.retrieval.instances(place))
        for uid in ("", here.uid):
            incoming = await here.retrieval.metadata(place, uid)
            (one,) = json.loads(await body_of(incoming))
            assert "application/dicom+json" == incoming.content_type
            rows, patient = one["00280010"], one["00100020"]
            assert ([here.file.Rows], [here.file.PatientID]) == (rows["Value"], patient["Value"])
            assert "7FE00010" not in one
        with pytest.raises(NotFoundError):
            await here.retrieval.metadata(place, "1.2.3")
        assert 1 == here.faults.calls["GetImageSetMetadata"] - 1  # names, then everything


@pytest.mark.parametrize(
    ("numbers", "syntax", "kind"),
    [
        pytest.param((0,), STORED, NotFoundError, id="a frame before the first"),
        pytest.param((1, 2), STORED, NotFoundError, id="a frame behind the last"),
        pytest.param((1,), "1.2.840.10008.1.2.4.50", NotAcceptableError, id="another syntax"),
    ],
)
async def test_what_image_sets_have_not(
    monkeypatch: pytest.MonkeyPatch,
    numbers: tuple[int, ...],
    syntax: str,
    kind: type[GatewayError],
) -> None:
    """It is one of our errors, before any frame is asked for."""
    async with site(monkeypatch, "CT_small.dcm") as here:
        place = await here.place()
        with pytest.raises(kind):
            await here.retrieval.frames(place, here.uid, numbers, syntax)
        with pytest.raises(NotFoundError):
            await here.retrieval.instance(place, "1.2.3", STORED)
        with pytest.raises(NotAcceptableError):
            await here.retrieval.instance(place, here.uid, "1.2.840.10008.1.2.4.50")
        with pytest.raises(NotFoundError):
            await here.retrieval.bulk_data(place, here.uid, "a")
        assert 0 == here.faults.calls[FRAME]


@pytest.mark.parametrize(
    ("fault", "times", "kind"),
    [
        pytest.param(WireError("ThrottlingException", 429, "x"), 3, UpstreamThrottledError,
                     id="throttled"),
        pytest.param(WireError("AccessDeniedException", 403, "x"), 1, UpstreamRejectedError,
                     id="denied"),
        pytest.param(WireError("ResourceNotFoundException", 404, "x"), 1, NotFoundError,
                     id="gone"),
    ],
)  # fmt: skip
async def test_a_frame_that_fails(
    monkeypatch: pytest.MonkeyPatch, fault: WireError, times: int, kind: type[GatewayError]
) -> None:
    """A first frame that fails is an error before anything is given; the next call is well."""
    async with site(monkeypatch, "CT_small.dcm") as here:
        place = await here.place()
        here.faults.of(FRAME).schedule(fault, times)
        with pytest.raises(kind):
            await here.retrieval.frames(place, here.uid, (1,), STORED)
        await body_of(await here.retrieval.frames(place, here.uid, (1,), STORED))


async def test_a_frame_that_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is cut raises, so that the answer is cut too."""
    async with site(monkeypatch, "CT_small.dcm") as here:
        place = await here.place()
        for asked in ("frames", "instance"):
            here.faults.of(FRAME).schedule("cut")
            incoming = (
                await here.retrieval.frames(place, here.uid, (1,), STORED)
                if asked == "frames"
                else await here.retrieval.instance(place, here.uid, STORED)
            )
            with pytest.raises(UpstreamUnavailableError):
                await body_of(incoming)


async def test_frames_of_several_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has said how long its pixels are: a frame of another size cuts it."""
    async with site(monkeypatch, "rtdose.dcm") as here:
        place = await here.place()
        here.faults.of(FRAME).schedule(bytes(7))
        incoming = await here.retrieval.instance(place, here.uid, STORED)
        with pytest.raises(UpstreamUnavailableError):
            await body_of(incoming)


@pytest.mark.parametrize("asked", ["metadata", "instances", "frames"])
async def test_metadata_that_lacks_its_series(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    """What it has would look whole: it is a failure, and not that there is nothing."""
    async with site(monkeypatch, "CT_small.dcm") as here:
        place = await here.place()
        body = gzip.compress(b'{"Patient": {}, "Study": {"DICOM": {}, "Series": {}}}')
        here.faults.of("GetImageSetMetadata").schedule(body)
        with pytest.raises(UpstreamUnavailableError):
            match asked:
                case "metadata":
                    await body_of(await here.retrieval.metadata(place))
                case "instances":
                    await here.retrieval.instances(place)
                case _:
                    await here.retrieval.frames(place, here.uid, (1,), STORED)


@pytest.mark.parametrize("read", [0, 1, 2, 5])
async def test_who_leaves_frames(monkeypatch: pytest.MonkeyPatch, read: int) -> None:
    """Nothing stays open of frames, also of those asked for ahead, and no more are asked for."""
    async with site(monkeypatch, "rtdose.dcm") as here:
        place = await here.place()
        await body_of(await here.retrieval.frames(place, here.uid, (1,), STORED))
        await here.retrieval.aclose()
        sockets, before = open_sockets(), here.faults.calls[FRAME]
        here.faults.of(FRAME).latency_ms = 5
        incoming = await here.retrieval.frames(place, here.uid, range(1, 16), STORED)
        for _ in range(read):
            await anext(incoming.chunks)
        await incoming.aclose()
        assert here.faults.calls[FRAME] - before <= read + AHEAD
        await here.retrieval.aclose()
        await until(lambda: open_sockets() <= sockets)


async def test_octets_in_big_endian_are_shown_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata do not tell whether they stand swapped: the upstream puts them in order."""
    async with site(monkeypatch, "ExplVR_BigEnd.dcm", "dicomweb") as here:
        pixels, place = Pixels(here.retrieval), await here.place()
        found = await pixels.instance(Target(place.study_uid, place.series_uid, here.uid))
        image = await pixels.rendered(found, 1, Look("image/png"))
        np.testing.assert_array_equal(
            here.file.pixel_array, np.asarray(Image.open(io.BytesIO(image)))
        )
