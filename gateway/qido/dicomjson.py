"""DICOM JSON: one result as the bytes of an object of PS3.18 Annex F."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from gateway.qido.attributes import BINARY_VRS
from gateway.qido.elements import Element, item_elements
from gateway.qido.result import Item, Value

_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def encode(elements: Iterable[Element]) -> bytes:
    """The UTF-8 JSON object of `elements`, which are in the order of tags.

    One without a value is present without Value.
    """
    return orjson.dumps(_object(elements))


def encode_items(items: Iterable[Item]) -> bytes:
    """The UTF-8 JSON array of `items`, as it is the Value of a sequence."""
    return orjson.dumps([_object(item_elements(item)) for item in items])


def name_groups(name: str) -> dict[str, str]:
    """The component groups of a name that hold anything, by what Annex F calls them.

    Groups past the third have no name; what they hold stays with the third.
    """
    parts = name.split("=", 2)
    named = {group: part.strip(" ") for group, part in zip(_GROUPS, parts, strict=False)}
    return {group: part for group, part in named.items() if part.strip("^ ")}


def _object(elements: Iterable[Element]) -> dict[str, dict[str, Any]]:
    return {element.tag: {"vr": element.vr, **_valued(element)} for element in elements}


def _valued(element: Element) -> dict[str, Any]:
    if element.vr in BINARY_VRS:
        return {"InlineBinary": element.values[0]} if element.values else {}
    values = [_value(element.vr, value) for value in element.values]
    if element.vr == "PN":  # a null among names ends OHIF's list
        values = [value for value in values if value is not None]
    return {"Value": values} if any(value is not None for value in values) else {}


def _value(vr: str, value: Value) -> Any:
    match value:
        case Item():
            return _object(item_elements(value))
        case "":
            return None
        case str() if vr == "PN":
            return name_groups(value) or None
        case _:
            return value
