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
from gateway.qido.dicomjson import name_groups

_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def native_model(text: str) -> bytes:
    """The document of an instance, whose sound DICOM JSON is `text`; numbers are as written.

    Raises: UpstreamUnavailableError where it is nested too deep.
    """
    try:
        found = json.loads(text, parse_float=str, parse_int=str)
        return dicomxml.document(_attributes(found))
    except RecursionError:
        raise UpstreamUnavailableError("HealthImaging's metadata is nested too deep.") from None


def _attributes(data_set: Mapping[str, Any]) -> str:
    by_tag = {tag.upper(): attribute for tag, attribute in data_set.items()}
    return "".join(
        dicomxml.attribute(tag, attribute["vr"], _content(attribute), creator=_creator(tag, by_tag))
        for tag, attribute in sorted(by_tag.items())
    )


def _creator(tag: str, by_tag: Mapping[str, Any]) -> str:
    """The private creator of an element, "" where it is none or its creator is not known."""
    creator = by_tag.get(creator_tag(tag) or "", {})
    stored = creator.get("Value") if creator.get("vr") == "LO" else None
    return str(stored[0] or "") if stored else ""


def _content(attribute: Mapping[str, Any]) -> str:
    if uri := attribute.get("BulkDataURI"):
        return f'<BulkData uri="{dicomxml.text(uri)}"/>'
    if octets := attribute.get("InlineBinary"):
        return dicomxml.inline_binary(octets)
    vr = attribute["vr"]
    return dicomxml.values(vr, [_inner(vr, value) for value in attribute.get("Value", ())])


def _inner(vr: str, value: Any) -> str:
    if vr == "SQ":
        return _attributes(value)
    if vr == "PN" and value is not None:
        groups = value if isinstance(value, dict) else name_groups(value)
        return dicomxml.person_name({name: groups[name] for name in _GROUPS if groups.get(name)})
    return "" if value is None else dicomxml.text(value)
