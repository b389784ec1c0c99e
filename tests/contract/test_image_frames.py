"""GetImageFrame by boto3, where pixels are stored as HealthImaging stores them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest
from openjpeg.utils import decode

from gateway.emulator.transcoding import RPCL
from tests.contract.aws import DATASTORE_ID, served
from tests.contract.signed import BUNDLED

IN_STORE = {"datastoreId": DATASTORE_ID}


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small_bigendian.dcm", "SC_rgb_rle_2frame.dcm", "image_dfl.dcm",
     "examples_palette.dcm"],
)  # fmt: skip
async def test_lossless_pixels_are_htj2k(tmp_path: Path, name: str) -> None:
    """Each frame decodes bit for bit, under the syntax that the metadata names."""
    file = pydicom.dcmread(BUNDLED / name)
    instance, frames = await _frames(tmp_path, name)
    assert RPCL == instance["StoredTransferSyntaxUID"]
    number = int(file.get("NumberOfFrames") or 1)
    expected = file.pixel_array.reshape(number, -1)
    assert number == len(frames) == len(instance["ImageFrames"])
    assert not any("FrameSizeInBytes" in one for one in instance["ImageFrames"])
    for (kind, frame), pixels in zip(frames, expected, strict=True):
        assert "image/jph" == kind
        little = pixels.astype(pixels.dtype.newbyteorder("<"))
        assert little.tobytes() == decode(frame).tobytes()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("SC_rgb_jpeg_dcmtk.dcm", "image/jpeg"), ("JPEG2000.dcm", "image/j2c"),
     ("rtdose_1frame.dcm", "application/octet-stream")],
)  # fmt: skip
async def test_others_are_kept(tmp_path: Path, name: str, kind: str) -> None:
    """Lossy pixels, and those of 32 bits, stay as they came."""
    instance, frames = await _frames(tmp_path, name)
    file = pydicom.dcmread(BUNDLED / name, stop_before_pixels=True)
    assert file.file_meta.TransferSyntaxUID == instance["StoredTransferSyntaxUID"]
    ((found, frame),) = frames
    assert (kind, instance["ImageFrames"][0]["FrameSizeInBytes"]) == (found, len(frame))


async def _frames(folder: Path, name: str) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """The only instance of the metadata, and content type and bytes of each frame."""
    (folder / "in").mkdir()
    shutil.copy(BUNDLED / name, folder / "in")
    async with served(folder, frames_as="htj2k") as aws:
        await aws.imported("in/")
        (image_set,) = await aws.image_sets()
        document = await aws.metadata(image_set["imageSetId"])
        (series,) = document["Study"]["Series"].values()
        (instance,) = series["Instances"].values()
        found = []
        for one in instance["ImageFrames"]:
            answer = await aws.call(
                "GetImageFrame",
                **IN_STORE,
                imageSetId=image_set["imageSetId"],
                imageFrameInformation={"imageFrameId": one["ID"]},
            )
            found.append((answer["contentType"], answer["imageFrameBlob"]))
    return instance, found
