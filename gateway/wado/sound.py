"""Whether an attribute of DICOM JSON has the form that clients read without a look at it.

Roughly: what it holds is not judged, but a shape that is none would break a client for a whole
study.

Source: PS3.18 Annex F.2.2 and F.2.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_MAX_UID_LENGTH = 512
_TEXT, _NUMBER = frozenset((str,)), frozenset((int, float, str))  # numbers may stand as text
TEXT_VRS = frozenset(
    ("AE", "AS", "AT", "CS", "DA", "DT", "LO", "LT", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
)
NUMBER_VRS = frozenset(("DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"))
BYTE_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_KINDS: Mapping[str, frozenset[type]] = MappingProxyType(
    {
        **dict.fromkeys(TEXT_VRS, _TEXT),
        **dict.fromkeys(NUMBER_VRS, _NUMBER),
        **dict.fromkeys(BYTE_VRS, frozenset()),
        "PN": frozenset((dict, str)),
        "SQ": frozenset((dict,)),
    }
)


def is_sound_attribute(tag: str, attribute: Any) -> bool:
    """Whether this is an attribute: its tag, its VR, and values of the kind that the VR has."""
    if type(attribute) is not dict or not _is_tag(tag):
        return False
    vr = attribute.get("vr")
    if type(vr) is not str or vr not in _KINDS:
        return False
    if "Value" not in attribute:
        return len(attribute) == 1 or _has_bytes(attribute)
    values = attribute["Value"]
    return type(values) is list and _are_sound(vr, values)


@lru_cache(maxsize=4_096)  # the same some hundred in every instance
def _is_tag(tag: str) -> bool:
    return _TAG.fullmatch(tag) is not None


def uid_in(attribute: Any) -> str:
    """The one UID that is the value of an attribute, "" where it has none."""
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    uid = values[0] if isinstance(values, list) and len(values) == 1 else None
    if isinstance(uid, str) and len(uid) <= _MAX_UID_LENGTH and _UID.fullmatch(uid.strip(" \0")):
        return uid.strip(" \0")
    return ""


def _are_sound(vr: str, values: list[Any]) -> bool:
    kinds = _KINDS[vr]
    for value in values:
        # An empty one among others is null, but an item, which is empty as {}
        if type(value) not in kinds and (value is not None or vr == "SQ"):
            return False
    if vr == "SQ":
        return all(is_sound_attribute(t, a) for item in values for t, a in item.items())
    return vr != "PN" or all(_is_name(value) for value in values)


def _has_bytes(attribute: dict[str, Any]) -> bool:
    bulk = (attribute.get(name, "") for name in ("InlineBinary", "BulkDataURI"))
    return all(type(value) is str for value in bulk)


def _is_name(value: Any) -> bool:
    return type(value) is not dict or all(type(group) is str for group in value.values())
