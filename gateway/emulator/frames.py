"""Image frames: what the metadata says of them, and their bytes as they are stored in the file.

HealthImaging transcodes frames to HTJ2K; here they stay in their transfer syntax, which the
metadata names as StoredTransferSyntaxUID.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import Any

import pydicom
from pydicom.encaps import generate_frames


def described_frames(dataset: pydicom.FileDataset) -> list[dict[str, Any]]:
    """ImageFrames of an instance's metadata, in order; empty where there are no pixels.

    A checksum, CRC-32 over the pixels, is given where they are not compressed.
    """
    found = []
    for number, frame in enumerate(_frames(dataset)):
        described = {
            "ID": frame_id(str(dataset.SOPInstanceUID), number),
            "FrameSizeInBytes": len(frame),
        }
        if not dataset.file_meta.TransferSyntaxUID.is_compressed:
            whole = {
                "Width": int(dataset.Columns),
                "Height": int(dataset.Rows),
                "Checksum": zlib.crc32(frame),
            }
            described["PixelDataChecksumFromBaseToFullResolution"] = [whole]
        found.append(described)
    return found


def frame_id(sop_instance_uid: str, number: int) -> str:
    """The identifier of an instance's frame; `number` counts from 0."""
    return hashlib.blake2b(f"{sop_instance_uid}\0{number}".encode(), digest_size=16).hexdigest()


def read_frame(path: Path, number: int) -> bytes:
    """The bytes of one frame of a file.

    Raises: OSError, or what pydicom raises for a file that is no longer what it was.
    """
    return _frames(pydicom.dcmread(path))[number]


def _frames(dataset: pydicom.FileDataset) -> list[bytes]:
    pixels = dataset.get("PixelData")
    if not pixels:
        return []
    number = int(dataset.get("NumberOfFrames") or 1)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return list(generate_frames(pixels, number_of_frames=number))
    bits = (
        int(dataset.Rows)
        * int(dataset.Columns)
        * int(dataset.SamplesPerPixel)
        * int(dataset.BitsAllocated)
    )
    if dataset.get("PhotometricInterpretation") == "YBR_FULL_422":  # two share their colour
        bits = bits * 2 // 3
    size = -(-bits // 8)
    if len(pixels) * 8 < bits * number:
        raise ValueError("the pixels break off")
    if bits % 8 and number > 1:  # frames that share a byte
        return [bytes(pixels)]
    return [bytes(pixels[start : start + size]) for start in range(0, size * number, size)]
