"""DICOM JSON of an instance: the imported file's, with what the image set's version says instead.

Made by pydicom and the store alone, so that it is a second opinion on the gateway's own.
Source: PS3.18 Annex F; HealthImaging developer guide, "getting DICOM bulkdata" (documented: binary
values over 1 MB have a BulkDataURI, which ends in a hash). Assumed: that pixels and group 2 are
left out, that an encapsulated document of more than 1 KiB has a BulkDataURI as well.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from gateway.emulator.normalising import MOST_BINARY, normalise
from gateway.emulator.summary import Levels

MOST_DOCUMENT = 1024
"""Bytes of an encapsulated document that stand in the metadata."""

_DOCUMENT = 0x00420011
_LEFT_OUT = (0x7FE00008, 0x7FE00009, 0x7FE00010, 0xFFFCFFFC)
"""Pixels, and the padding at the end of a data set."""
_BINARY = ("OB", "OW", "OF", "OD", "OL", "OV", "UN", "OB or OW")
_ONE_VR = {"OB or OW": "OW", "US or SS": "US", "US or OW": "US", "US or SS or OW": "US"}
_KEEP_LEADING = ("ST", "LT", "UT", "UC")
_NUMBERS = ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD")
_COMPONENTS = ("Alphabetic", "Ideographic", "Phonetic")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bulk:
    """A value that stands outside the metadata: in the file at `start`, or `value` itself."""

    vr: str
    start: int = 0
    length: int = 0
    value: bytes | None = None


def metadata(levels: Levels, body: Mapping[str, Any], path: str, bulk_base: str) -> bytes:
    """The DICOM JSON of one instance; from the store alone where its file cannot be read.

    `bulk_base` is the URL to which the hash of a value is added.
    """
    stored = {k: v for values in (*levels.values(), body["DICOM"]) for k, v in values.items()}
    vrs = body.get("DICOMVRs", {})
    if path:
        try:
            return orjson.dumps(_of_file(path, stored, vrs, bulk_base), default=str)
        except Exception:  # noqa: S110 - the file is gone, or another one: the store knows enough
            pass
    return orjson.dumps(_of_store(stored, vrs))


def bulk_values(path: str) -> Iterator[tuple[str, Bulk]]:
    """The hash and the value of everything that stands outside a file's metadata.

    Raises: OSError, or what pydicom raises for a file that is no longer what it was.
    """
    found: list[tuple[str, Bulk]] = []
    dataset = _read(path)
    for where, bulk in _taken_out(dataset):
        found.append((_hash(where), bulk))
    normalise(dataset)

    def note(where: str, element: DataElement) -> str:
        found.append((_hash(where), Bulk(element.VR, value=bytes(element.value))))
        return ""

    _json(dataset, "", note)
    yield from found


def _of_file(path: str, stored: Json, vrs: Mapping[str, str], bulk_base: str) -> Json:
    dataset = _read(path)
    outside = _taken_out(dataset)
    normalised = normalise(dataset)
    above = {k: v for values in normalised.levels.values() for k, v in values.items()}
    read = {**above, **normalised.instance["DICOM"]}
    result = _json(dataset, "", lambda where, _: bulk_base + _hash(where))
    for key in read.keys() - stored.keys():
        result.pop(_tag(key), None)
    kept = {where for where, _ in outside}
    changed = {
        k: v
        for k, v in stored.items()
        if k not in read or read[k] != v or _tag(k) not in result.keys() | kept
    }
    result |= _of_store(changed, {**normalised.instance["DICOMVRs"], **vrs}, result)
    for where, bulk in outside:
        result[where] = {"vr": bulk.vr, "BulkDataURI": bulk_base + _hash(where)}
    return dict(sorted(result.items()))


def _read(path: str) -> pydicom.FileDataset:
    syntax = read_file_meta_info(path).get("TransferSyntaxUID")
    # What is deflated has no place in the file, so it cannot be left for later
    later = None if syntax == DeflatedExplicitVRLittleEndian else MOST_BINARY
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are given as they are
        return pydicom.dcmread(path, stop_before_pixels=True, defer_size=later)


def _taken_out(dataset: pydicom.FileDataset) -> list[tuple[str, Bulk]]:
    """Take the large values out of a data set, without reading them."""
    found: list[tuple[str, Bulk]] = []
    if dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        return found
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        if not isinstance(raw, RawDataElement):
            continue
        most = _most(int(tag))
        vr = raw.VR or ("UN" if tag.is_private else _dictionary_vr(int(tag)))
        if vr in _BINARY and most < raw.length < 0xFFFFFFFF:
            known = _ONE_VR.get(vr, vr)
            found.append((f"{tag:08X}", Bulk(known, raw.value_tell, raw.length)))
            del dataset[tag]
    return found


def _most(tag: int) -> int:
    """The bytes of a value that stand in the metadata."""
    return MOST_DOCUMENT if tag == _DOCUMENT else MOST_BINARY


def _json(dataset: pydicom.Dataset, above: str, uri: Callable[[str, DataElement], str]) -> Json:
    """The elements of a data set, those that can be read; `above` is the place of an item."""
    found: Json = {}
    for tag in sorted(dataset.keys()):
        if tag.element == 0 or tag.group == 2 or tag in _LEFT_OUT:
            continue
        key = f"{tag:08X}"
        try:
            found[key] = _element(dataset[tag], above + key, uri)
        except Exception:  # noqa: S112 - pydicom raises what it likes at a damaged value
            continue
    return found


def _element(element: DataElement, where: str, uri: Callable[[str, DataElement], str]) -> Json:
    vr = _ONE_VR.get(element.VR, element.VR)
    if vr == "SQ":
        items = [_json(item, f"{where}/{n}/", uri) for n, item in enumerate(element.value)]
        return {"vr": vr, "Value": items} if items else {"vr": vr}
    if vr in _BINARY and len(element.value or b"") > _most(int(element.tag)):
        return {"vr": vr, "BulkDataURI": uri(where, element)}
    found = element.to_json_dict(None, 0)
    found["vr"] = vr
    if "Value" in found:
        found["Value"] = [None if one in ("", None) else one for one in found["Value"]]
    return found


def _of_store(values: Mapping[str, Any], vrs: Mapping[str, str], known: Json | None = None) -> Json:
    """DICOM JSON of keywords or hexadecimal tags with their values; `known` tells of VRs."""
    found = {}
    for key, value in values.items():
        tag = _tag(key)
        if tag and not tag.startswith("0002") and int(tag, 16) not in _LEFT_OUT:
            vr = (
                vrs.get(key) or (known or {}).get(tag, {}).get("vr") or _dictionary_vr(int(tag, 16))
            )
            found[tag] = _of_value(_resolved(vr, value), value, vrs)
    return found


def _of_value(vr: str, value: Any, vrs: Mapping[str, str]) -> Json:
    values = value if isinstance(value, list) else [value]
    if value is None or not values:
        return {"vr": vr}
    if vr in _BINARY:
        return {"vr": vr, "InlineBinary": str(values[0])}
    if vr == "SQ":
        return {"vr": vr, "Value": [_of_store(item, vrs) for item in values]}
    return {"vr": vr, "Value": [_plain(vr, one) for one in values]}


def _plain(vr: str, value: Any) -> Any:
    """One value, as JSON has it."""
    if value is None or vr in _NUMBERS:
        return value
    text = str(value).rstrip(" \0")
    text = text if vr in _KEEP_LEADING else text.lstrip(" ")
    if not text:
        return None
    if vr == "PN":
        groups = zip(_COMPONENTS, text.split("="), strict=False)
        return {name: group for name, group in groups if group}
    if vr in ("IS", "DS"):
        try:
            return int(text) if vr == "IS" else float(text)
        except ValueError:
            return text
    return text


def _resolved(vr: str, value: Any) -> str:
    if vr.endswith("or OW") and isinstance(value, str):
        return "OW"
    return _ONE_VR.get(vr, vr)


def _dictionary_vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def _tag(key: str) -> str:
    """Eight hexadecimal digits of a key of the store, "" where it is no attribute's."""
    known = tag_for_keyword(key)
    if known is not None:
        return f"{known:08X}"
    return key if len(key) == 8 and all(c in "0123456789ABCDEF" for c in key) else ""


def _hash(where: str) -> str:
    return hashlib.blake2b(where.encode(), digest_size=16).hexdigest()
