"""An instance's metadata as XML: its DICOM JSON as a document of the Native DICOM Model.

Source: PS3.18 Annex F (DICOM JSON), PS3.19 A.1 (the model).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.errors import UpstreamUnavailableError
from gateway.qido import dicomxml
from gateway.qido.attributes import creator_tag
from gateway.qido.dicomjson import NAME_GROUPS, name_groups

MAX_DEPTH = 100
"""Sequences within one another that are written; what is nested deeper is no real instance."""


def native_model(text: str) -> bytes:
    """The document of an instance, whose sound DICOM JSON is `text`; numbers are as written.

    Raises: UpstreamUnavailableError where it is nested too deep.
    """
    try:
        found = json.loads(text, parse_float=str, parse_int=str)
    except RecursionError:
        raise _too_deep() from None
    return dicomxml.document(_attributes(found, MAX_DEPTH))


def _too_deep() -> UpstreamUnavailableError:
    return UpstreamUnavailableError("HealthImaging's metadata is nested too deep.")


def _attributes(data_set: Mapping[str, Any], depth: int) -> str:
    """The attributes of a data set, with at most `depth` sequences within one another."""
    by_tag = {tag.upper(): attribute for tag, attribute in data_set.items()}
    written = [
        dicomxml.attribute(
            tag, attribute["vr"], _content(attribute, depth), creator=_creator(tag, by_tag)
        )
        for tag, attribute in sorted(by_tag.items())
    ]
    return "".join(written)


def _creator(tag: str, by_tag: Mapping[str, Any]) -> str:
    """The private creator of an element, "" where it is none or its creator is not known."""
    creator = by_tag.get(creator_tag(tag) or "", {})
    stored = creator.get("Value") if creator.get("vr") == "LO" else None
    return str(stored[0] or "") if stored else ""


def _content(attribute: Mapping[str, Any], depth: int) -> str:
    if uri := attribute.get("BulkDataURI"):
        return f'<BulkData uri="{dicomxml.text(uri)}"/>'
    if octets := attribute.get("InlineBinary"):
        return dicomxml.inline_binary(octets)
    vr, stored = attribute["vr"], attribute.get("Value", ())
    if vr == "SQ":
        if depth == 0:
            raise _too_deep()
        return dicomxml.values(vr, [_attributes(item, depth - 1) for item in stored])
    return dicomxml.values(vr, [_value(vr, value) for value in stored])


def _value(vr: str, value: Any) -> str:
    if value is None:
        return ""
    if vr == "PN":
        groups = value if isinstance(value, dict) else name_groups(value)
        return dicomxml.person_name(
            {name: groups[name] for name in NAME_GROUPS if groups.get(name)}
        )
    return dicomxml.text(value)
