"""DICOM JSON: one result as the bytes of an object of PS3.18 Annex F."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from gateway.qido.attributes import ATTRIBUTES, Attribute
from gateway.qido.result import Result

# OHIF's whole study list dies of this one when it is present without Value
_LEFT_OUT_WHEN_EMPTY = frozenset(("ModalitiesInStudy", "RetrieveURL"))
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def in_order(attributes: Iterable[Attribute]) -> tuple[Attribute, ...]:
    """`attributes`, each once, in the order of tags that Annex F asks for."""
    wanted = {attribute.keyword for attribute in attributes}
    return tuple(attribute for attribute in ATTRIBUTES if attribute.keyword in wanted)


def encode(result: Result, attributes: Sequence[Attribute], retrieve_url: str = "") -> bytes:
    """The UTF-8 JSON object of `result` with `attributes`, which are in the order of tags.

    An attribute without a value is present without Value. `retrieve_url` is absolute, or "" for
    none.
    """
    encoded: dict[str, dict[str, Any]] = {}
    for attribute in attributes:
        stored = result.values.get(attribute.keyword, ())
        if attribute.keyword == "RetrieveURL" and retrieve_url:
            stored = (retrieve_url,)
        values = [_value(attribute.vr, value) for value in stored]
        if attribute.vr == "PN":  # a null among names ends OHIF's list too
            values = [value for value in values if value is not None]
        if any(value is not None for value in values):
            encoded[attribute.tag] = {"vr": attribute.vr, "Value": values}
        elif attribute.keyword not in _LEFT_OUT_WHEN_EMPTY:
            encoded[attribute.tag] = {"vr": attribute.vr}
    return orjson.dumps(encoded)


def _value(vr: str, value: str | int) -> str | int | dict[str, str] | None:
    if value == "":
        return None
    if vr != "PN":
        return value
    # Groups past the third have no name in Annex F; what they hold stays with the third
    parts = str(value).split("=", 2)
    named = {name: part.strip(" ") for name, part in zip(_GROUPS, parts, strict=False)}
    return {name: part for name, part in named.items() if part.strip("^ ")} or None
