"""The DICOM files with pixels that come with pydicom, as the gateway meets them."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.encaps import generate_frames

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"

NAMES = (
    "693_J2KI.dcm",
    "CT_small.dcm",
    "ExplVR_BigEnd.dcm",
    "GDCMJ2K_TextGBR.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm",
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_padded.dcm",
    "SC_jpeg_no_color_transform.dcm",
    "SC_jpeg_no_color_transform_2.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
    "SC_rgb_dcmtk_+eb+cy+s2.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_jls_lossy_sample.dcm",
    "SC_rgb_jpeg_app14_dcmd.dcm",
    "SC_rgb_jpeg_dcmd.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_jpeg_lossy_gdcm.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
    "SC_rgb_small_odd.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_jpeg2k.dcm",
    "examples_overlay.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "examples_ybr_color.dcm",
    "image_dfl.dcm",
    "liver_1frame.dcm",
    "liver_expb_1frame.dcm",
    "rtdose.dcm",
    "rtdose_expb.dcm",
    "rtdose_rle.dcm",
)
"""Each transfer syntax, depth and colour that pydicom's own plugins decode."""


@cache
def dataset(name: str) -> pydicom.FileDataset:
    """The file of that name."""
    return pydicom.dcmread(FOLDER / name)


def syntax_of(one: pydicom.FileDataset) -> str:
    """Its transfer syntax."""
    return str(one.file_meta.TransferSyntaxUID)


@cache
def metadata(name: str) -> dict[str, Any]:
    """The instance as DICOM JSON, its pixels left out as /metadata leaves them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the files break is known
        found: dict[str, Any] = dataset(name).to_json_dict()
    if "7FE00010" in found:
        found["7FE00010"] = {"vr": found["7FE00010"]["vr"], "BulkDataURI": "x/bulkdata/7FE00010"}
    return found


def stored_frames(one: pydicom.FileDataset) -> list[bytes]:
    """Each frame as it is stored; that of a file of one with what pads it."""
    number = int(one.get("NumberOfFrames") or 1)
    if one.file_meta.TransferSyntaxUID.is_encapsulated:
        return list(generate_frames(one.PixelData, number_of_frames=number))
    if number == 1:
        return [one.PixelData]
    size = len(one.PixelData) // number
    return [one.PixelData[start : start + size] for start in range(0, size * number, size)]


@cache
def decoded(name: str) -> NDArray[Any]:
    """All frames by pydicom, which is told the whole data set; frames by rows by columns."""
    one = dataset(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = one.pixel_array
    return array if int(one.get("NumberOfFrames") or 1) > 1 else np.asarray([array])
