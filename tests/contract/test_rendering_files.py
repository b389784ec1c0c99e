"""Imported files rendered through each upstream: the pixels are those that pydicom decodes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from gateway.imaging.description import describe
from gateway.imaging.rendering import Look, shown
from gateway.server.pixels import Pixels
from gateway.wado.requests import Target
from tests.contract.test_retrieving_files import site
from tests.unit.pixelfiles import decoded, metadata

FILES = (
    "CT_small.dcm",
    "JPEG2000.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_jpeg2k.dcm",
    "examples_palette.dcm",
    "liver_1frame.dcm",
    "rtdose.dcm",
)
"""A file of each depth and colour that the emulator makes something else of, or leaves."""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("upstream", ["dicomweb", "image-sets"])
async def test_a_file_is_rendered(
    monkeypatch: pytest.MonkeyPatch, upstream: str, name: str
) -> None:
    """Its last frame, bit for bit, whatever the upstream has made of pixels and metadata."""
    frames = len(decoded(name))
    expected = shown(decoded(name)[-1], describe(metadata(name), frames))
    async with site(monkeypatch, name, upstream) as found:
        pixels, file = Pixels(found.retrieval), found.file
        target = Target(str(file.StudyInstanceUID), str(file.SeriesInstanceUID), found.uid)
        image = await pixels.rendered(await pixels.instance(target), frames, Look("image/png"))
    with Image.open(io.BytesIO(image)) as read:
        np.testing.assert_array_equal(expected, np.asarray(read))
