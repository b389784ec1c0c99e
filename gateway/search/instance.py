"""From HealthImaging's metadata to the values of an instance that are matched and sent.

Source: HealthImaging developer guide, "metadata normalization" (keys, levels, DICOMVRs,
StoredTransferSyntaxUID); PS3.5 §7.5 (items), §7.8 (private elements).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson
from pydicom.datadict import tag_for_keyword

from gateway.qido.attributes import Attribute, attribute_named
from gateway.qido.result import Item, Value, Values, trim
from gateway.search.blocks import renumbered
from gateway.search.metadata import Fault, Metadata, PackedInstance
from gateway.search.settling import SETTLERS, Surroundings, settled
from gateway.search.stored import values_of
from gateway.search.upstream import Names

DEFAULT_SYNTAX = "1.2.840.10008.1.2.4.202"
"""The transfer syntax of an instance that names none: HTJ2K lossless, RPCL (documented)."""

MOST_NESTED = 32
"""Sequences within each other that are read; real ones are a few deep."""

# Pixels are no metadata; texts are decoded, so that what they were encoded in says nothing of them
_NOT_READ = frozenset(
    ("PixelData", "FloatPixelData", "DoubleFloatPixelData", "SpecificCharacterSet")
)
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_FIRST_GROUP, _LAST_GROUP = 0x0008, 0xFFFC  # the groups of data sets, without padding
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Read:
    """What could be read of an instance or of its levels: see `Result`, and what was wrong."""

    values: Values = field(repr=False)
    vrs: Mapping[str, str] = field(default_factory=lambda: _NONE)
    faults: frozenset[Fault] = frozenset()


def names_to_fetch(names: Names, creators: Mapping[str, str] = _NONE) -> Names:
    """What of an instance must be fetched, so that `names` of it can be read.

    A private block may have any number in an instance, hence all of it where `creators` are asked.
    """
    return None if names is None or creators else names | SETTLERS


def instance_values(
    metadata: Metadata,
    instance: PackedInstance,
    names: Names,
    creators: Mapping[str, str] = _NONE,
) -> Read:
    """The values of one instance, those of the levels above it included; only `names`.

    `creators` are the private creators that the request gives, tag of the element to text. Their
    blocks have the request's numbers, with their creators, whatever the instance's are; where it
    lacks a creator, the tags of that block are missing. Without `names` it has the other private
    blocks too, moved where they were in the way. In items private blocks stand as stored.
    """
    reader = _Reader()
    body = reader.parsed(instance.body)
    own = reader.named(reader.mapping(body.get("DICOM")))
    if instance.sop_instance_uid:
        own.setdefault("SOPInstanceUID", _Stored("SOPInstanceUID", instance.sop_instance_uid))
    syntax = body.get("StoredTransferSyntaxUID")
    own["AvailableTransferSyntaxUID"] = _Stored("", DEFAULT_SYNTAX if syntax is None else syntax)
    stored = {**reader.named(metadata.levels), **own}
    creators = {_upper(tag): trim("LO", text) for tag, text in creators.items()}
    told = body.get("DICOMVRs")
    vrs = {**metadata.vrs, **({} if told is None else reader.mapping(told))}
    around = Surroundings((_plain(stored),), {_upper(key): vr for key, vr in vrs.items()})
    if creators:
        stored = _moved(stored, creators)
    wanted = None if names is None else names | creators.keys()
    return reader.read({k: v for k, v in stored.items() if wanted is None or k in wanted}, around)


def level_values(metadata: Metadata, attributes: Iterable[Attribute]) -> Read:
    """The values of `attributes`, as the levels above the instances have them."""
    reader = _Reader()
    stored = reader.named(metadata.levels)
    around = Surroundings((_plain(stored),), {_upper(k): vr for k, vr in metadata.vrs.items()})
    wanted = [a.keyword for a in attributes]
    return reader.read({k: stored[k] for k in wanted if k in stored}, around)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A stored value, and the key that it has in DICOMVRs."""

    key: str
    value: Any = field(repr=False)


_Named = dict[str, _Stored]
"""Stored values by the attribute's keyword (or tag)."""


class _Reader:
    """Reads data sets, and gathers what is wrong with them."""

    def __init__(self) -> None:
        self._faults: set[Fault] = set()

    def parsed(self, body: bytes) -> Mapping[str, Any]:
        """The object that a body holds."""
        try:
            found = orjson.loads(body)
        except ValueError:  # a lone surrogate or NaN, which Python's parser takes, or no JSON
            try:
                found = json.loads(body)
            except (ValueError, RecursionError):
                self._faults.add(Fault.NOT_JSON)
                return {"DICOM": {}}
        return self.mapping(found)

    def mapping(self, found: Any) -> Mapping[str, Any]:
        """`found` if it is an object; else an empty one, and the metadata is incomplete."""
        if isinstance(found, Mapping):
            return found
        self._faults.add(Fault.INCOMPLETE)
        return {}

    def named(self, stored: Mapping[str, Any]) -> _Named:
        """Without what is no attribute of a data set, or has its values elsewhere.

        Of a tag and a keyword for the same attribute the keyword counts.
        """
        found: _Named = {}
        for key, value in stored.items():
            attribute = attribute_named(key)
            if attribute is None:
                if not _is_left_out(key):
                    self._faults.add(Fault.VR)
            elif attribute.keyword not in _NOT_READ and (
                key == attribute.keyword or attribute.keyword not in found
            ):
                found[attribute.keyword] = _Stored(_upper(key), value)
        return found

    def read(self, stored: _Named, around: Surroundings) -> Read:
        """The values of one data set and its items."""
        values: dict[str, tuple[Value, ...]] = {}
        vrs: dict[str, str] = {}
        for keyword, one in stored.items():
            attribute = attribute_named(keyword)
            assert attribute is not None  # noqa: S101 - named by one
            vr = settled(attribute, one.key, one.value, around)
            if not vr:
                self._faults.add(Fault.VR)
                continue
            values[keyword] = self._values(attribute, vr, one.value, around)
            if vr != attribute.vr:
                vrs[keyword] = vr
        return Read(values, vrs, frozenset(self._faults))

    def _values(
        self, attribute: Attribute, vr: str, stored: Any, around: Surroundings
    ) -> tuple[Value, ...]:
        found: tuple[Value, ...] | None = (
            self._items(stored, around)
            if vr == "SQ"
            else values_of(vr, stored, delimited=attribute.delimited)
        )
        if found is None:
            self._faults.add(Fault.VALUE)
        return found or ()

    def _items(self, stored: Any, around: Surroundings) -> tuple[Item, ...] | None:
        """The items of a sequence; one alone may stand without a list."""
        if stored is None:
            return ()
        items = [{} if i is None else i for i in (stored if isinstance(stored, list) else [stored])]
        too_deep = len(around.data_sets) > MOST_NESTED
        if too_deep or not all(isinstance(item, Mapping) for item in items):
            return None
        return tuple(self._item(item, around) for item in items)

    def _item(self, stored: Mapping[str, Any], around: Surroundings) -> Item:
        named = self.named(stored)
        found = self.read(named, around.inner(_plain(named)))
        return Item(found.values, found.vrs)


def _moved(stored: _Named, creators: Mapping[str, str]) -> _Named:
    present = {
        keyword: trim("LO", one.value)
        for keyword, one in stored.items()
        if isinstance(one.value, str)
    }
    return {name: stored[source] for name, source in renumbered(stored, present, creators)}


def _plain(stored: _Named) -> dict[str, Any]:
    return {keyword: one.value for keyword, one in stored.items()}


def _upper(key: str) -> str:
    return key.upper() if _TAG.fullmatch(key) else key


def _is_left_out(key: str) -> bool:
    """Whether it is a group length, a command, padding, or of the file meta information."""
    number = int(key, 16) if _TAG.fullmatch(key) else tag_for_keyword(key) if key else None
    if number is None:
        return False
    group = number >> 16
    return group < _FIRST_GROUP or group >= _LAST_GROUP or number & 0xFFFF == 0
