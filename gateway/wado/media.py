"""Transfer syntaxes and the media types of their frames.

Source: PS3.18 §8.7.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MEDIA_TYPE_OF: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"),
            "application/octet-stream",
        ),
        "1.2.840.10008.1.2.5": "image/dicom-rle",
        **{f"1.2.840.10008.1.2.4.{n}": "image/jpeg" for n in (50, 51, 57, 70)},
        **{f"1.2.840.10008.1.2.4.{n}": "image/jls" for n in (80, 81)},
        **{f"1.2.840.10008.1.2.4.{n}": "image/jp2" for n in (90, 91)},
        **{f"1.2.840.10008.1.2.4.{n}": "image/jphc" for n in (201, 202, 203)},
    }
)
"""The media type of a frame in a transfer syntax."""
