"""The VR of an attribute where PS3.6 leaves a choice, or where there is no PS3.6 to ask.

Source: PS3.5 §6.2 and Annex A; PS3.3 §C.7.6.3.1 (PixelRepresentation), §C.11.1.1 (LUTs), §C.10.9.1
(waveforms); HealthImaging developer guide, "metadata normalization" (DICOMVRs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.qido.attributes import Attribute
from gateway.qido.result import is_base64
from gateway.search.stored import VRS, values_of

SETTLERS = frozenset(("PixelRepresentation", "LUTDescriptor"))
"""The attributes of an instance that settle the VR of others, in its sequences too."""

_BYTE = 8
_BYTE_SAMPLES = ("SB", "UB", "MB", "AB")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an attribute stands in: its data set first, then outwards; keyword to stored value.

    `vrs` is DICOMVRs by upper-case tag or keyword, for all of them.
    """

    data_sets: tuple[Mapping[str, Any], ...] = field(repr=False)
    vrs: Mapping[str, Any]

    def inner(self, data_set: Mapping[str, Any]) -> Surroundings:
        """Those of the attributes of an item in here."""
        return Surroundings((data_set, *self.data_sets), self.vrs)

    def first(self, keyword: str, vr: str) -> object:
        """The first value of the nearest attribute that has one, None if none has."""
        for data_set in self.data_sets:
            if values := values_of(vr, data_set.get(keyword)):
                return values[0]
        return None


def settled(attribute: Attribute, key: str, stored: Any, around: Surroundings) -> str:
    """The one VR of what is stored under `key`, "" where nothing tells it.

    A tag has its VR in DICOMVRs; what PS3.6 settles for a keyword stays so.
    """
    told = around.vrs.get(key)
    told = told if isinstance(told, str) and told in VRS else ""
    choices = attribute.vr.split(" or ")
    if told and (key != attribute.keyword or told in choices or attribute.keyword == attribute.tag):
        return told
    if len(choices) == 1:
        return attribute.vr if attribute.vr in VRS else ""
    if "OW" not in choices:
        return _us_or_ss(stored, around)
    if "OB" in choices:
        return "OB" if _has_bytes(around) else "OW"
    return _of_table(attribute, choices, stored, around)


def _us_or_ss(stored: Any, around: Surroundings) -> str:
    """By PixelRepresentation; the other one where only that can hold the values."""
    signed = around.first("PixelRepresentation", "US") not in (None, 0)
    usual, other = ("SS", "US") if signed else ("US", "SS")
    unfit = values_of(usual, stored) is None and values_of(other, stored) is not None
    return other if unfit else usual


def _has_bytes(around: Surroundings) -> bool:
    bits = around.first("WaveformBitsAllocated", "US")
    if bits is None:
        return around.first("WaveformSampleInterpretation", "CS") in _BYTE_SAMPLES
    return bits == _BYTE


def _of_table(attribute: Attribute, choices: list[str], stored: Any, around: Surroundings) -> str:
    """Of the data of a lookup table: numbers or bytes, as they are stored."""
    one = stored[0] if isinstance(stored, list) and len(stored) == 1 else stored
    if values_of("OW", stored) == ():
        of_one = attribute.keyword == "LUTData" and around.first("LUTDescriptor", "US") == 1
        return "US" if of_one else "OW"
    if is_base64(one):
        return "OW"
    return _us_or_ss(stored, around) if "SS" in choices else "US"
