"""Part 10 files composed of DICOM JSON, around pixels that come as a stream.

Source: PS3.10 §7.1 (file meta information), PS3.5 §7.8 and §A.4 (pixels in fragments), PS3.18
Annex F.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.tag import Tag
from pydicom.uid import UID

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
NATIVE = frozenset((EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN))
"""The transfer syntaxes without fragments that are written."""

FRAGMENTS_BEGIN = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
"""An offset table that is empty."""
FRAGMENTS_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)

_PIXELS = 0x7FE00010
_UTF_8 = "ISO_IR 192"
_ASCII = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"))
"""The VRs whose texts SpecificCharacterSet does not concern."""
_NO_LENGTH = 0xFFFFFFFF
# What is of the stored file or of its pixels' place in it, and not of this one
_LEFT_OUT = frozenset(("00083002", "7FE00001", "7FE00002", "7FE00003", "7FE00010"))
_AS_TEXT = frozenset(("DS", "IS"))
_EXPONENT_ZEROS = re.compile(r"e(?:\+|(-))0*")  # with them a DS may pass its 16 bytes
_INTERLEAVED = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))


class NotComposableError(Exception):
    """What the instance holds can't be written. Without a text: that could hold patient data."""


@dataclass(frozen=True, slots=True)
class Composed:
    """What of a file stands before its pixels and behind them."""

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)


def composed(dicom_json: bytes, syntax: str) -> Composed:
    """The file of an instance, one object of DICOM JSON, in a transfer syntax, without its pixels.

    Texts are UTF-8. A value that its VR does not allow stands as it is.

    Raises: NotComposableError.
    """
    stored: dict[str, Any] = orjson.loads(dicom_json)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are given as they are
            before, after = Dataset(), Dataset()
            for tag, element in stored.items():
                if tag not in _LEFT_OUT:
                    into = before if int(tag, 16) < _PIXELS else after
                    into[int(tag, 16)] = _element(tag, element)
            before.SpecificCharacterSet = _UTF_8
            if syntax in _INTERLEAVED and "PlanarConfiguration" in before:
                before.PlanarConfiguration = 0  # as these always are
            return Composed(_written(before, syntax), _appended(after, syntax))
    except Exception:
        raise NotComposableError from None


def pixels_head(dicom_json: bytes, syntax: str, length: int | None) -> bytes:
    """The beginning of PixelData: of `length` bytes, or in fragments where that is None."""
    if syntax == IMPLICIT_LITTLE_ENDIAN and length is not None:
        return struct.pack("<HHL", 0x7FE0, 0x0010, length)
    bits = orjson.loads(dicom_json).get("00280100", {}).get("Value", [8])[0]
    vr = b"OB" if length is None or bits <= 8 else b"OW"
    length = _NO_LENGTH if length is None else length
    return struct.pack("<HH2sHL", 0x7FE0, 0x0010, vr, 0, length)


def fragment_head(length: int) -> bytes:
    """The beginning of one fragment of so many bytes, an even number."""
    return struct.pack("<HHL", 0xFFFE, 0xE000, length)


def _element(tag: str, element: Mapping[str, Any]) -> DataElement | RawDataElement:
    vr = element["vr"]
    if vr == "SQ":
        return DataElement(int(tag, 16), vr, [_item(one) for one in element.get("Value", ())])
    if "Value" not in element:
        key = "InlineBinary" if "InlineBinary" in element else None
        return DataElement.from_json(Dataset, tag, vr, element.get("InlineBinary"), key)
    value = element["Value"]
    # pydicom would write None for an empty DS or IS among others, and find letters that are not in
    # ASCII when it writes
    if vr not in _AS_TEXT and (vr not in _ASCII or str(value).isascii()):
        with suppress(Exception):
            return DataElement.from_json(Dataset, tag, vr, value, "Value")
    texts = ("" if one is None else _EXPONENT_ZEROS.sub("e\\1", str(one)) for one in value)
    data = "\\".join(texts).encode()
    data += b" " * (len(data) % 2)
    return RawDataElement(Tag(int(tag, 16)), vr, len(data), data, 0, False, True)


def _item(item: Mapping[str, Any]) -> Dataset:
    made = Dataset()
    for tag, element in item.items():
        made[int(tag, 16)] = _element(tag, element)
    return made


def _written(dataset: Dataset, syntax: str) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(str(dataset.get("SOPClassUID", "")))
    meta.MediaStorageSOPInstanceUID = UID(str(dataset.SOPInstanceUID))
    meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta = meta
    written = io.BytesIO()
    dcmwrite(
        written,
        dataset,
        implicit_vr=syntax == IMPLICIT_LITTLE_ENDIAN,
        little_endian=True,
        enforce_file_format=True,
    )
    return written.getvalue()


def _appended(dataset: Dataset, syntax: str) -> bytes:
    written = io.BytesIO()
    into = DicomIO(written)
    into.is_implicit_VR, into.is_little_endian = syntax == IMPLICIT_LITTLE_ENDIAN, True
    write_dataset(into, dataset, parent_encoding=_UTF_8)
    return written.getvalue()
