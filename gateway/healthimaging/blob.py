"""What a blob of GetImageSetMetadata holds, read in short steps in a worker thread.

Source: HealthImaging developer guide, "metadata normalization" (documented).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.healthimaging.inflating import BlobText
from gateway.healthimaging.windows import (
    FIRST_WINDOW,
    MOST_WINDOW,
    BrokenTextError,
    Packed,
    TextReader,
    mended,
    packed,
    well_formed,
)
from gateway.qido.attributes import attribute_named, creator_tag
from gateway.search.metadata import Fault, Metadata, PackedInstance
from gateway.search.upstream import Names

ALWAYS = frozenset(
    ("SOPInstanceUID", "InstanceNumber", "PixelRepresentation", "WaveformBitsAllocated")
)
"""What is kept of every instance: it orders and names it, and settles VRs that leave a choice."""

_INTEGER = re.compile(r"[ \0]*([+-]?[0-9]{1,12})[ \0]*")
_PADDING = " \0"
_SYNTAX = "StoredTransferSyntaxUID"

FRAMES = "ImageFrames"
"""A name that is asked for like an attribute's: then the IDs of an instance's frames are kept."""


def read_blob(
    chunks: Iterable[bytes],
    names: Names,
    series_uid: str,
    max_bytes: int,
    *,
    first_window: int = FIRST_WINDOW,
    most_window: int = MOST_WINDOW,
) -> Metadata:
    """The metadata in `chunks`; never raises, whatever they hold.

    Of each instance `names` are kept, beside `ALWAYS`. `series_uid` is the summary's, "" where it
    has none. More than `max_bytes` are not read.
    """
    text = BlobText(chunks, max_bytes)
    reader = _Document(
        TextReader(iter(text), first_window, most_window), spelled(names), series_uid
    )
    try:
        reader.read()
    except (BrokenTextError, RecursionError):
        started = reader.started or text.gzipped
        reader.faults.add(text.fault or (Fault.NOT_JSON if started else Fault.NOT_GZIP))
    else:
        reader.ended = True
        if text.fault:
            reader.faults.add(text.fault)
    return reader.metadata()


def spelled(names: Names) -> Names:
    """`names` as a blob may spell them: keywords newer than PS3.6 2022b stand by their tags.

    With each private tag comes the one of its creator.
    """
    if names is None:
        return None
    found = set(names | ALWAYS)
    for name in names:
        if attribute := attribute_named(name):
            found |= {attribute.keyword, attribute.tag, creator_tag(attribute.tag)}
    return frozenset(found)


@dataclass(slots=True)
class _Series:
    """One series of the document, as far as it has been read."""

    key: str
    dicom: dict[str, Any] = field(default_factory=dict)
    vrs: dict[str, str] = field(default_factory=dict)
    instances: list[PackedInstance] = field(default_factory=list)
    whole: bool = False

    def is_of(self, series_uid: str) -> bool:
        """Whether `series_uid`, which is not empty, is its key or its SeriesInstanceUID."""
        own = (self.key.strip(_PADDING), _text_of(self.dicom, "SeriesInstanceUID"))
        return bool(series_uid) and series_uid in own


class _Document:
    """Walks the document's skeleton, and keeps what it meets even if it breaks off."""

    def __init__(self, text: TextReader, names: Names, series_uid: str) -> None:
        self.started = self.ended = False
        self.faults: set[Fault] = set()
        self._text, self._names, self._series_uid = text, names, series_uid.strip(_PADDING)
        self._levels: dict[str, Any] = {}
        self._vrs: dict[str, str] = {}
        self._series: list[_Series] = []
        self._met = 0

    def read(self) -> None:
        """Read it to its end.

        Raises: BrokenTextError.
        """
        text = self._text
        self.started = text.peek() == "{"
        parts = {"Patient": self._read_patient, "Study": self._read_study}
        self._read_parts(parts, self._vrs)
        self.started = True
        if text.peek():
            raise BrokenTextError

    def metadata(self) -> Metadata:
        """What has been read."""
        chosen = self._chosen()
        if chosen is None:
            chosen = _Series("")
            if self.ended:
                self.faults.add(Fault.INCOMPLETE)
        broken = self.faults & {Fault.NOT_GZIP, Fault.NOT_JSON, Fault.TOO_LARGE}
        each = {one.sop_instance_uid: one for one in reversed(chosen.instances)}  # the first counts
        return Metadata(
            levels={**self._levels, **chosen.dicom},
            vrs={**self._vrs, **chosen.vrs},
            instances=tuple(sorted(each.values(), key=lambda one: one.place)),
            whole=chosen.whole and not broken,
            faults=tuple(fault for fault in Fault if fault in self.faults),
        )

    def _chosen(self) -> _Series | None:
        for one in self._series:
            if one.is_of(self._series_uid):
                return one
        # Where the document breaks off, the right one may be behind the break
        if (self.ended or not self._series_uid) and self._met == 1:
            return self._series[0]
        return None

    def _read_parts(self, parts: Mapping[str, Callable[[], None]], vrs: dict[str, str]) -> None:
        """The object ahead: each of `parts` by its reader, and VRs; all parts should be there."""
        missing = set(parts)
        for key in self._members():
            if key in parts:
                missing.discard(key)
                parts[key]()
            elif key == "DICOMVRs":
                vrs.update(_vrs_in(_plain(self._text.value())))
            else:
                self._text.skip()
        if missing:
            self.faults.add(Fault.INCOMPLETE)

    def _members(self) -> Iterator[str]:
        """The keys of the object ahead; none where it is no object."""
        if self._text.peek() == "{":
            yield from self._text.members()
        else:
            self._text.skip()
            self.faults.add(Fault.INCOMPLETE)

    def _read_patient(self) -> None:
        self._read_parts({"DICOM": lambda: self._read_dicom(self._levels)}, self._vrs)

    def _read_study(self) -> None:
        parts = {"DICOM": lambda: self._read_dicom(self._levels), "Series": self._read_all_series}
        self._read_parts(parts, self._vrs)

    def _read_all_series(self) -> None:
        for key in self._members():
            # One that is not the summary's is of use only if it stays the only one
            self._series = [one for one in self._series if one.is_of(self._series_uid)]
            self._met += 1
            one = _Series(key)
            self._series.append(one)
            parts = {
                "DICOM": lambda one=one: self._read_dicom(one.dicom),
                "Instances": lambda one=one: self._read_instances(one),
            }
            self._read_parts(parts, one.vrs)

    def _read_dicom(self, into: dict[str, Any]) -> None:
        found = _plain(self._text.value())
        if isinstance(found, dict):
            packed(found)  # what is nested too deep to be written cannot be weighed or answered
            into.update(mended(found))
        else:
            self.faults.add(Fault.INCOMPLETE)

    def _read_instances(self, series: _Series) -> None:
        is_object = self._text.peek() == "{"
        for key in self._members():
            one = self._packed_instance(key, self._instance())
            if one.sop_instance_uid:
                series.instances.append(one)
            else:
                self.faults.add(Fault.INCOMPLETE)
                is_object = False  # one instance less
        series.whole = is_object

    def _instance(self) -> dict[str, Any]:
        """The instance ahead; of a large one only what is wanted."""
        text = self._text
        if text.peek() != "{":
            text.skip()
            return {}
        if (found := text.small_object()) is not None:
            return found
        parts: dict[str, Any] = {}
        for key in text.members():
            if key == "DICOM" and text.peek() == "{":
                parts[key] = {}
                for name in text.members():
                    if self._wants(name):
                        parts[key][name] = text.value()
                    else:
                        text.skip()
            elif key in ("DICOM", "DICOMVRs", _SYNTAX) or (key == FRAMES and self._wants(key)):
                parts[key] = _plain(text.value())
            else:
                text.skip()
        return parts

    def _packed_instance(self, key: str, stored: Mapping[str, Any]) -> PackedInstance:
        dicom = stored.get("DICOM")
        if not isinstance(dicom, dict):
            self.faults.add(Fault.INCOMPLETE)
            dicom = {}
        kept = {name: value for name, value in dicom.items() if self._wants(name)}
        uid = _text_of(kept, "SOPInstanceUID")
        if not uid:
            uid = kept["SOPInstanceUID"] = key.strip(_PADDING)
        # The VRs of what stands in a sequence are perhaps among them
        nested = any(isinstance(value, _CONTAINERS) for value in kept.values())
        vrs = _vrs_in(stored.get("DICOMVRs"))
        rest: dict[str, Any] = {"DICOMVRs": {n: vr for n, vr in vrs.items() if nested or n in kept}}
        if isinstance(syntax := stored.get(_SYNTAX), str):
            rest[_SYNTAX] = syntax
        if self._wants(FRAMES) and (frames := _frame_ids(stored.get(FRAMES))):
            rest[FRAMES] = frames
        return PackedInstance(_number_in(kept.get("InstanceNumber")), uid, _body_of(kept, rest))

    def _wants(self, name: str) -> bool:
        return self._names is None or name in self._names


_CONTAINERS = (list, dict, Packed)


def _body_of(dicom: Mapping[str, Any], rest: Mapping[str, Any]) -> bytes:
    """`rest` and `dicom`, which may hold large values, as JSON."""
    large = {name: value.json for name, value in dicom.items() if isinstance(value, Packed)}
    if not large:
        return packed({"DICOM": dicom, **rest})
    small = packed({name: value for name, value in dicom.items() if name not in large})
    # Joined and not dumped: a long join lets other threads run
    parts = [b'{"DICOM":', small[:-1]]  # never empty: it has a SOPInstanceUID
    for name, value in large.items():
        parts += (b",", packed(name), b":", value)
    return b"".join((*parts, b"},", packed(rest)[1:]))


def _frame_ids(value: Any) -> list[str]:
    """The IDs of ImageFrames, in their order; none where one of them has none."""
    if not isinstance(value, list):
        return []
    found = [one.get("ID") if isinstance(one, dict) else None for one in value]
    ids = [well_formed(one) for one in found if isinstance(one, str) and one]
    return ids if len(ids) == len(value) else []


def _plain(value: Any) -> Any:
    return orjson.loads(value.json) if isinstance(value, Packed) else value


def _vrs_in(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {well_formed(k): well_formed(vr) for k, vr in value.items() if isinstance(vr, str)}


def _text_of(dicom: Mapping[str, Any], name: str) -> str:
    value = dicom.get(name)
    return well_formed(value).strip(_PADDING) if isinstance(value, str) else ""


def _number_in(value: Any) -> int | None:
    """An InstanceNumber, which stands as padded text, or as a number."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) and (found := _INTEGER.fullmatch(value)):
        return int(found[1])
    return value if isinstance(value, int) and not isinstance(value, bool) else None
