"""The Native DICOM Model (PS3.19 A.1.5, A.1.6), read without the gateway's code.

`faults` says what is against the model, `dataset_of` reads a document into a pydicom Dataset.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, empty_value_for_VR

NAME = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"
BYTES = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
FLOATS = frozenset(("FL", "FD"))
INTEGERS = frozenset(("SL", "SS", "SV", "UL", "US", "UV", "IS"))
TEXTS = frozenset(
    (
        *("AE", "AS", "CS", "DA", "DS", "DT", "LO", "LT", "SH"),
        *("ST", "TM", "UC", "UI", "UR", "UT"),
    )
)
VRS = BYTES | FLOATS | INTEGERS | TEXTS | {"AT", "PN", "SQ"}
TAG = re.compile(r"[0-9A-F]{8}")
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")


def document(text: bytes) -> ElementTree.Element:
    """The root of a document; what is not well-formed raises."""
    return ElementTree.fromstring(text)


def faults(text: bytes) -> list[str]:
    """Every breach of the model in the document `text`, in words; empty where there is none."""
    root = document(text)
    found = [] if root.tag == f"{NAME}NativeDicomModel" else ["the root"]
    found += [] if root.attrib == {SPACE: "preserve"} else ["xml:space"]
    return [*found, *_data_set_faults(root)]


def _data_set_faults(parent: ElementTree.Element) -> Iterator[str]:
    if (parent.text or "").strip():
        yield "text where attributes stand"
    if any(child.tag != f"{NAME}DicomAttribute" for child in parent):
        yield "something that is no DicomAttribute"
    named = [(child.get("tag"), child.get("privateCreator")) for child in parent]
    if len(set(named)) < len(named):
        yield "a tag twice"
    for child in parent:
        yield from _attribute_faults(child)


def _attribute_faults(one: ElementTree.Element) -> Iterator[str]:
    tag, vr = one.get("tag", ""), one.get("vr", "")
    if not set(one.attrib) <= {"tag", "vr", "keyword", "privateCreator"}:
        yield "an unknown XML attribute"
    if not TAG.fullmatch(tag):
        yield "the form of a tag"
        return
    if vr not in VRS:
        yield "a VR"
    if tag.endswith("0000") and "privateCreator" not in one.attrib:  # else it lacks its block
        yield "a group length"
    yield from _name_faults(one, tag)
    yield from _content_faults(one, vr)


def _name_faults(one: ElementTree.Element, tag: str) -> Iterator[str]:
    private = int(tag[3], 16) % 2 == 1
    if private and "keyword" in one.attrib:
        yield "a keyword of a private attribute"
    elif not private and one.get("keyword", "") != keyword_for_tag(int(tag, 16)):
        yield "another keyword than the dictionary's"
    if "privateCreator" in one.attrib and (not private or tag[4:6] != "00"):
        yield "privateCreator of what is not private, or with its block"


def _content_faults(one: ElementTree.Element, vr: str) -> Iterator[str]:
    kinds = {child.tag.removeprefix(NAME) for child in one}
    if kinds == {"BulkData"}:
        if len(one) > 1 or set(one[0].attrib) != {"uri"} or len(one[0]) or one[0].text:
            yield "BulkData that is more than a uri"
        return
    allowed = {"SQ": "Item", "PN": "PersonName"}.get(vr, "InlineBinary" if vr in BYTES else "Value")
    if kinds - {allowed}:
        yield "a child of another kind than the VR's"
    if (one.text or "").strip() or any((child.tail or "").strip() for child in one):
        yield "text between children"
    if allowed == "InlineBinary":
        if len(one) > 1 or any(child.attrib for child in one):
            yield "more than one InlineBinary, or a numbered one"
        if not all(BASE64.fullmatch(child.text or "") for child in one):
            yield "InlineBinary that is no base64"
        return
    if [child.attrib for child in one] != [{"number": str(n)} for n in range(1, len(one) + 1)]:
        yield "numbers that do not rise from 1 by 1"
    for child in one:
        match allowed:
            case "Item":
                yield from _data_set_faults(child)
            case "PersonName":
                yield from _name_group_faults(child)
            case _ if len(child):
                yield "an element in a Value"


def _name_group_faults(name: ElementTree.Element) -> Iterator[str]:
    groups = [group.tag.removeprefix(NAME) for group in name]
    if groups != [group for group in GROUPS if group in groups]:
        yield "groups out of order, twice or unknown"
    for group in name:
        parts = [part.tag.removeprefix(NAME) for part in group]
        if parts != [part for part in COMPONENTS if part in parts]:
            yield "components out of order, twice or unknown"
        if (group.text or "").strip() or any(len(part) or part.attrib for part in group):
            yield "a component that is not plain text"


def dataset_of(text: bytes) -> Dataset:
    """The data set that the document `text` stands for; the value of bulk data is its URI."""
    return _dataset(document(text))


def _dataset(parent: ElementTree.Element) -> Dataset:
    dataset = Dataset()
    # Private creators stand under their own tags, and tell the block of what they have reserved
    blocks = {
        (one.get("tag", "")[:4], one[0].text): one.get("tag", "")[6:]
        for one in parent
        if one.get("keyword") is None and one.get("privateCreator") is None and len(one)
    }
    for one in parent:
        tag, vr = one.get("tag", ""), one.get("vr", "")
        if creator := one.get("privateCreator"):
            tag = tag[:4] + blocks[tag[:4], creator] + tag[6:]
        values = [_value(child, vr) for child in one]
        value: Any = (
            values if vr == "SQ" or len(values) > 1 else (values or [empty_value_for_VR(vr)])[0]
        )
        dataset.add(DataElement(int(tag, 16), vr, value))
    return dataset


def _value(child: ElementTree.Element, vr: str) -> Any:
    text = child.text or ""
    if uri := child.get("uri"):
        return bulk_value(vr, uri)
    if vr == "SQ":
        return _dataset(child)
    if vr == "PN":
        groups = {group.tag.removeprefix(NAME): _joined(group) for group in child}
        return "=".join(groups.get(group, "") for group in GROUPS).rstrip("=")
    if vr in BYTES:
        return base64.b64decode(text)
    if vr == "AT":
        return int(text, 16)
    if vr in INTEGERS and text.removeprefix("-").isdigit():
        return int(text)
    return float(text) if vr in FLOATS else text


def bulk_value(vr: str, uri: str) -> Any:
    """The value that stands for bulk data of that VR: its URI."""
    return uri.encode() if vr in BYTES else uri


def _joined(group: ElementTree.Element) -> str:
    parts = {part.tag.removeprefix(NAME): part.text or "" for part in group}
    return "^".join(parts.get(component, "") for component in COMPONENTS).rstrip("^")
