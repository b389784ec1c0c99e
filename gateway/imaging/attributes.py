"""Reading single values out of an instance's DICOM JSON object, as pixels need them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from gateway.errors import NotAcceptableError

Instance = Mapping[str, Any]
"""An instance, or an item of a sequence in it, by eight hexadecimal digits."""


def fault(keyword: str) -> NotAcceptableError:
    """The error of an attribute whose value can't be used; it names it without its value."""
    return NotAcceptableError(f"The instance's {keyword} can't be used to read its pixels.")


def values(instance: Instance, tag: str) -> Sequence[Any]:
    """The values of an attribute; empty where it is missing, empty or no attribute at all."""
    element = instance.get(tag)
    found = element.get("Value") if isinstance(element, Mapping) else None
    return found if isinstance(found, list) else ()


def items(instance: Instance, tag: str) -> Sequence[Instance]:
    """The items of a sequence, without those that are none."""
    return [item for item in values(instance, tag) if isinstance(item, Mapping)]


def item(instance: Instance, tag: str) -> Instance:
    """The first item of a sequence, an empty one where there is none."""
    found = items(instance, tag)
    return found[0] if found else {}


def text(instance: Instance, tag: str) -> str:
    """The first value as a text in capitals without its padding, empty where there is none."""
    found = values(instance, tag)
    return found[0].strip().upper() if found and isinstance(found[0], str) else ""


def numbers(instance: Instance, tag: str, keyword: str) -> tuple[float, ...]:
    """All values as finite numbers; DS and IS may be texts.

    Raises: NotAcceptableError.
    """
    return tuple(_number(value, keyword) for value in values(instance, tag))


def whole(instance: Instance, tag: str, keyword: str, default: int | None = None) -> int:
    """The first value as a whole number, `default` where there is none.

    Raises: NotAcceptableError.
    """
    found = numbers(instance, tag, keyword)
    if not found and default is not None:
        return default
    if not found or found[0] != int(found[0]):
        raise fault(keyword)
    return int(found[0])


def octets(instance: Instance, tag: str, keyword: str) -> bytes:
    """The bytes of an attribute that holds them here; empty where it is missing.

    Raises: NotAcceptableError where they are not here, or are no base64.
    """
    element = instance.get(tag)
    if not isinstance(element, Mapping):
        return b""
    if isinstance(element.get("Value"), list):  # LUTData may be US
        words = [int(_number(value, keyword)) for value in element["Value"]]
        if words and not -32_768 <= min(words) <= max(words) <= 65_535:
            raise fault(keyword)
        return b"".join((word % 65_536).to_bytes(2, "little") for word in words)
    try:
        return base64.b64decode(element.get("InlineBinary", ""), validate=True)
    except (TypeError, ValueError, binascii.Error, OverflowError) as exc:
        raise fault(keyword) from exc


def _number(value: object, keyword: str) -> float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError) as exc:
            raise fault(keyword) from exc
        if isfinite(number) and abs(number) < 2**53:
            return number
    raise fault(keyword)
