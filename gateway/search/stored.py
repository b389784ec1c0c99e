"""One stored JSON value of an image set's metadata, read by its VR.

Source: PS3.5 §6.2 (VRs, their ranges and forms); HealthImaging developer guide, "metadata
normalization", and a published blob (numbers as numbers or as padded text, binary in base64).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gateway.qido.attributes import BINARY_VRS
from gateway.qido.result import Value, is_base64, text_values, trim

_TEXT = frozenset(
    ("AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
)
_BINARY = BINARY_VRS - {"OB or OW"}

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_EXACT = 2**53  # a float holds every integer up to it

_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
_CONTROLS_BUT_LAYOUT = dict.fromkeys(n for n in _CONTROLS if chr(n) not in "\t\n\f\r")
_KEEPS_LAYOUT = frozenset(("LT", "ST", "UT"))


def values_of(vr: str, stored: Any, *, delimited: bool = True) -> tuple[Value, ...] | None:
    """The values of an attribute of `vr`, not SQ, as a result has them; None if they do not fit it.

    `stored` is any JSON value: null is no value, a list holds several. One that does not fit
    makes the whole attribute unfit: beside it the others would stand in wrong places. A date or
    time that can't be read is "", as in a summary. `delimited` as in `Attribute`.
    """
    parts = stored if isinstance(stored, list) else [stored]
    if vr in _BINARY:
        return _binary(parts)
    if vr in _TEXT:
        texts = ["" if part is None else part for part in parts]
        if not all(isinstance(text, str) for text in texts):
            return None
        return text_values(vr, (_clean(vr, text) for text in texts), delimited=delimited)
    return _numbers(vr, parts)


def _binary(parts: list[Any]) -> tuple[str, ...] | None:
    match parts:
        case [] | [None] | [""]:
            return ()
        case [str(text)] if is_base64(text):
            return (text,)
        case _:
            return None


def _clean(vr: str, text: str) -> str:
    """Without what no answer can have: controls but for those of a layout, lone surrogates."""
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_CONTROLS_BUT_LAYOUT if vr in _KEEPS_LAYOUT else _CONTROLS)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _numbers(vr: str, parts: list[Any]) -> tuple[Value, ...] | None:
    read = _READERS[vr]
    values: list[Value] = []
    for part in parts:
        for one in part.split("\\") if isinstance(part, str) else [part]:
            given = trim("DS", one) if isinstance(one, str) else one
            value = "" if given is None or given == "" else read(given)
            if value is None:
                return None
            values.append(value)
    return () if all(value == "" for value in values) else tuple(values)


def _integer(given: Any) -> int | None:
    match given:
        case bool():
            return None
        case int():
            return given
        case float() if given.is_integer():
            return int(given)
        case str() if _INTEGER.fullmatch(given):
            return int(given)
        case _:
            return None


def _within(low: int, high: int) -> Callable[[Any], int | None]:
    def read(given: Any) -> int | None:
        number = _integer(given)
        return number if number is not None and low <= number <= high else None

    return read


def _float(given: Any) -> float | None:
    match given:
        case bool():
            return None
        case int() | float():
            number = given
        case str() if _DECIMAL.fullmatch(given):
            number = float(given)
        case _:
            return None
    try:
        number = float(number)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _decimal_string(given: Any) -> str | int | float | None:
    """A number; the text of one that no float can hold (PS3.18 §F.2.3: number or string)."""
    number = _float(given)
    if number is None:
        return given if isinstance(given, str) and _DECIMAL.fullmatch(given) else None
    whole = _integer(given) if not isinstance(given, float) else None
    return whole if whole is not None and abs(whole) <= _EXACT else number


def _integer_string(given: Any) -> str | int | None:
    """An integer; any other text stays as it is, as in a summary."""
    if not isinstance(given, str):
        return _within(-(10**12) + 1, 10**12 - 1)(given)
    (value,) = text_values("IS", [given])
    return value if isinstance(value, int) else _clean("IS", value)


def _tag(given: Any) -> str | None:
    if isinstance(given, str):
        return given.upper() if _TAG.fullmatch(given) else None
    number = _within(0, 0xFFFF_FFFF)(given)
    return None if number is None else f"{number:08X}"


_READERS: Mapping[str, Callable[[Any], Value | None]] = MappingProxyType(
    {
        "AT": _tag,
        "DS": _decimal_string,
        "FD": _float,
        "FL": _float,
        "IS": _integer_string,
        "SL": _within(-(2**31), 2**31 - 1),
        "SS": _within(-(2**15), 2**15 - 1),
        "SV": _within(-(2**63), 2**63 - 1),
        "UL": _within(0, 2**32 - 1),
        "US": _within(0, 2**16 - 1),
        "UV": _within(0, 2**64 - 1),
    }
)

VRS = _TEXT | _BINARY | _READERS.keys() | {"SQ"}
"""Every VR of PS3.5 §6.2."""
