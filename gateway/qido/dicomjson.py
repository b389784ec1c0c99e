"""DICOM JSON: one result as the bytes of an object of PS3.18 Annex F."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from gateway.qido.attributes import BINARY_VRS, Attribute
from gateway.qido.elements import LEFT_OUT_WHEN_EMPTY, Element, elements_of, item_elements
from gateway.qido.result import Item, Result, Value

NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
"""The component groups of a name, in order."""


def encode(elements: Iterable[Element]) -> bytes:
    """The UTF-8 JSON object of `elements`, which are in the order of tags.

    One without a value is present without Value.
    """
    return orjson.dumps(_object(elements))


def encoder(
    attributes: Sequence[Attribute], *, everything: bool = False
) -> Callable[[Result, str], bytes]:
    """What encodes a result with its URL as `encode` does its elements for `attributes`.

    Where no result has to settle a VR it takes a quarter of the time.
    """
    simple = not everything and all(_is_simple(a.vr) for a in attributes)
    # What stands where there is no value; None for nothing
    shown = [
        (a.keyword, a.tag, a.vr, None if a.keyword in LEFT_OUT_WHEN_EMPTY else {"vr": a.vr})
        for a in attributes
    ]

    def encode_result(result: Result, retrieve_url: str) -> bytes:
        if result.vrs or not simple:
            return encode(elements_of(result, attributes, retrieve_url, everything=everything))
        found: dict[str, dict[str, Any]] = {}
        values = result.values
        if retrieve_url:
            values = {**values, "RetrieveURL": (retrieve_url,)}
        for keyword, tag, vr, empty in shown:
            stored = values.get(keyword)
            if not stored:
                if empty is not None:
                    found[tag] = empty
            elif vr == "PN" or "" in stored:
                found[tag] = _valued(vr, stored)
            else:
                found[tag] = {"vr": vr, "Value": stored}
        return orjson.dumps(found)

    return encode_result


def _is_simple(vr: str) -> bool:
    """Whether it is one VR, the same in every result, whose values are texts or numbers."""
    return vr not in BINARY_VRS and vr not in ("", "SQ") and " " not in vr


def encode_items(items: Iterable[Item]) -> bytes:
    """The UTF-8 JSON array of `items`, as it is the Value of a sequence."""
    return orjson.dumps([_object(item_elements(item)) for item in items])


def name_groups(name: str) -> dict[str, str]:
    """The component groups of a name that hold anything, by what Annex F calls them.

    Groups past the third have no name; what they hold stays with the third.
    """
    if "=" not in name:  # nearly always; the same for less
        return {"Alphabetic": name.strip(" ")} if name.strip("^ ") else {}
    parts = zip(NAME_GROUPS, name.split("=", 2), strict=False)
    return {group: part.strip(" ") for group, part in parts if part.strip("^ ")}


def _object(elements: Iterable[Element]) -> dict[str, dict[str, Any]]:
    return {element.tag: _valued(element.vr, element.values) for element in elements}


def _valued(vr: str, stored: tuple[Value, ...]) -> dict[str, Any]:
    if vr in BINARY_VRS:
        return {"vr": vr, "InlineBinary": stored[0]} if stored else {"vr": vr}
    values = [_value(vr, value) for value in stored]
    if vr == "PN":  # a null among names ends OHIF's list
        values = [value for value in values if value is not None]
    is_there = values.count(None) < len(values)
    return {"vr": vr, "Value": values} if is_there else {"vr": vr}


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
