"""Pixels as HealthImaging stores them: GetImageFrame's, and what the metadata says of them.

A frame is encoded when it is asked for: an import takes no longer. Source: HealthImaging API
reference, "GetImageFrame" (documented: the content types).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from gateway.emulator.keeping import Kept
from gateway.emulator.layout import Layout, Layouts, stored_frame
from gateway.emulator.transcoding import RPCL, becomes_htj2k, frame_as, is_htj2k

FramesAs = Literal["stored", "htj2k"]
"""How pixels are stored: as they stand in the file; as HTJ2K lossless where HealthImaging has them
so."""

MOST_KEPT_BYTES = 64 << 20
"""Bytes of encoded frames that are kept."""

_ROOT = "1.2.840.10008.1.2.4"
_VIDEO = {"mpeg": (100, 101), "mp4": (102, 103, 104, 105, 106), "H256": (107, 108)}
CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        f"{_ROOT}.50": "image/jpeg",
        f"{_ROOT}.91": "image/j2c",
        f"{_ROOT}.202": "image/jph",
        f"{_ROOT}.203": "image/jphc",
    }
    | {
        f"{_ROOT}.{number}{end}": f"video/{kind}"
        for kind, numbers in _VIDEO.items()
        for number in numbers
        for end in (("", ".1") if number < 107 else ("",))
    }
)
"""Transfer syntax to GetImageFrame's content type; any other one's is application/octet-stream."""


def stored_syntax(layout: Layout, frames_as: FramesAs) -> str:
    """The transfer syntax in which the pixels of a file are stored."""
    return RPCL if frames_as == "htj2k" and is_htj2k(layout) else str(layout.syntax)


class ImageFrames:
    """The frames of the imported files; any thread may use it."""

    def __init__(self, frames_as: FramesAs) -> None:
        self._frames_as = frames_as
        self._layouts = Layouts()
        self._encoded = Kept(MOST_KEPT_BYTES)

    def described(self, document: dict[str, Any]) -> dict[str, Any]:
        """The metadata with the transfer syntax in which GetImageFrame gives each frame.

        How many bytes an encoded frame has is not known before it is asked for, and left out.
        """
        if self._frames_as == "stored":
            return document
        for series in document["Study"]["Series"].values():
            for uid, body in series["Instances"].items():
                if body.get("ImageFrames") and _is_encoded(body):
                    frames = [
                        {k: v for k, v in frame.items() if k != "FrameSizeInBytes"}
                        for frame in body["ImageFrames"]
                    ]
                    series["Instances"][uid] = {
                        **body,
                        "StoredTransferSyntaxUID": RPCL,
                        "ImageFrames": frames,
                    }
        return document

    def frame(self, path: Path, number: int) -> tuple[bytes, str]:
        """One frame and its content type; `number` counts from 0.

        Raises: OSError, NotTranscodableError, or what pydicom raises for a file that has changed.
        """
        name = str(path)
        layout = self._layouts.of(name)
        syntax = stored_syntax(layout, self._frames_as)
        kind = CONTENT_TYPES.get(syntax, "application/octet-stream")
        if syntax == layout.syntax:
            return stored_frame(name, layout, number), kind
        key = (name, path.stat().st_mtime_ns, number)
        return self._encoded.get(key, lambda: frame_as(name, layout, number, syntax)), kind


def _is_encoded(body: Mapping[str, Any]) -> bool:
    values = body["DICOM"]
    numbers = [values.get(name) or 0 for name in ("BitsAllocated", "SamplesPerPixel")]
    bits, samples = (one if isinstance(one, int) else 0 for one in numbers)
    photometric = str(values.get("PhotometricInterpretation") or "").strip()
    return becomes_htj2k(str(body.get("StoredTransferSyntaxUID")), bits, samples, photometric)
