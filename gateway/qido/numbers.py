"""Numbers by VR: what a text or a stored value is when it is compared as a number.

IS and the binary integers are `int`; DS is `Decimal`, because it is written in decimal digits and
so means them; FD is `float`; FL is the `float` that 32 bits hold, so that a key of 0.1 is the 0.1
that was stored in them, whether it is shown as 0.1 or as 0.10000000149011612.

Source: PS3.5 §6.2 (DS, FD, FL, IS, SL, SS, SV, UL, US, UV).
"""

from __future__ import annotations

import re
import struct
from decimal import Decimal
from math import isfinite

from gateway.qido.result import Item, Value

INTEGER_VRS = frozenset(
    ("IS", "SL", "SS", "SV", "UL", "US", "UV", "US or SS", "US or OW", "US or SS or OW")
)
"""VRs of integers; those of pixel values leave a choice that does not change the number."""

NUMBER_VRS = INTEGER_VRS | {"DS", "FD", "FL"}
"""VRs whose values are compared as numbers."""

Number = int | float | Decimal

_IS = re.compile(r"[+-]?[0-9]{1,12}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
# Digits and an exponent that no comparison takes long for
_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]{1,64}(?:\.[0-9]{0,64})?|\.[0-9]{1,64})(?:[Ee][+-]?[0-9]{1,4})?"
)


def number_of(vr: str, value: Value) -> Number | None:
    """What `value`, of one of `NUMBER_VRS`, is as a number; None where it is none.

    Infinity and what is not a number (NaN) are none either.
    """
    match value:
        case Item():
            return None
        case str():
            value = value.strip(" \0")
    if vr in INTEGER_VRS:
        return _integer(vr, value)
    return _decimal(value) if vr == "DS" else _binary(vr, value)


def _integer(vr: str, value: str | float) -> int | None:
    match value:
        case str():
            pattern = _IS if vr == "IS" else _INTEGER
            return int(value) if pattern.fullmatch(value) else None
        case int():
            return value
        case _:
            return int(value) if value.is_integer() else None


def _decimal(value: str | float) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if _DECIMAL.fullmatch(value) else None
    # The shortest digits that give the number are those that it was read from
    return Decimal(repr(value)) if isfinite(value) else None


def _binary(vr: str, value: str | float) -> float | None:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return None
    try:
        number = float(value)
        if not isfinite(number):
            return None
        return struct.unpack("<f", struct.pack("<f", number))[0] if vr == "FL" else number
    except OverflowError:  # an integer that no double holds, or a double that no single holds
        return None
