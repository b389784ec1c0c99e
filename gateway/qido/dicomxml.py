"""DICOM XML: one result as a document of the Native DICOM Model.

No line break stands in a document, nor two hyphens in a row: within a multipart body no value can
be taken for a boundary.

Source: PS3.19 A.1 (model and schema); PS3.18 Annex F.2.2 and F.3 (what it shares with JSON).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from pydicom.datadict import keyword_for_tag

from gateway.qido.attributes import BINARY_VRS
from gateway.qido.dicomjson import name_groups
from gateway.qido.elements import Element, item_elements
from gateway.qido.result import Item, Value

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
"""The namespace of every element of a document."""

_BEGIN = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
)
_END = "</NativeDicomModel>"
_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
# XML 1.0 §2.2: no reference stands for these either
_NO_CHARACTER = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# A parser would make spaces or a line feed of these (XML 1.0 §2.11 and §3.3.3)
_REFERENCES = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;", "--": "-&#45;"}


def encode(elements: Iterable[Element]) -> bytes:
    """The UTF-8 document of `elements`, which are in the order of tags.

    One without a value is present without children. A character that XML cannot hold, such as an
    escape or a form feed, is U+FFFD: what stood there is lost, and that something did is not.
    """
    return f"{_BEGIN}{_attributes(elements)}{_END}".encode()


def _attributes(elements: Iterable[Element]) -> str:
    return "".join(map(_attribute, elements))


def _attribute(element: Element) -> str:
    tag, keyword, creator = element.tag, element.keyword, ""
    if element.creator:
        # Table A.1.5-2: "the block used in the DICOM encoding shall not be sent (i.e., a Private
        # Data Element has the form gggg00ee)", for its creator is. One whose creator is not known,
        # and a creator itself, would be nothing without the block
        tag = f"{tag[:4]}00{tag[6:]}"
        creator = f' privateCreator="{_text(element.creator)}"'
    if not keyword:  # repeating groups have one, which they share; private elements have none
        keyword = keyword_for_tag(int(element.tag, 16))
    named = f' keyword="{keyword}"' if keyword else ""
    begin = f'<DicomAttribute tag="{tag}" vr="{element.vr}"{named}{creator}'
    content = _content(element.vr, element.values)
    return f"{begin}>{content}</DicomAttribute>" if content else f"{begin}/>"


def _content(vr: str, values: Sequence[Value]) -> str:
    if vr in BINARY_VRS:
        return f"<InlineBinary>{_text(str(values[0]))}</InlineBinary>" if values else ""
    inner = [_inner(vr, value) for value in values]
    if vr != "SQ" and not any(inner):
        return ""
    name = {"SQ": "Item", "PN": "PersonName"}.get(vr, "Value")
    # Table A.1.5-2: an empty value among others is <Value number="2"></Value>; numbers rise by 1
    numbered = enumerate(inner, 1)
    return "".join(f'<{name} number="{number}">{one}</{name}>' for number, one in numbered)


def _inner(vr: str, value: Value) -> str:
    match value:
        case Item():
            return _attributes(item_elements(value))
        case str() if vr == "PN":
            groups = name_groups(value).items()
            return "".join(f"<{group}>{_name(name)}</{group}>" for group, name in groups)
        case _:
            return _text(str(value))


def _name(group: str) -> str:
    # What is past the fifth component stays with it
    parts = zip(_COMPONENTS, group.split("^", 4), strict=False)
    return "".join(f"<{name}>{_text(part)}</{name}>" for name, part in parts if part)


def _text(text: str) -> str:
    return escape(_NO_CHARACTER.sub("\ufffd", text), _REFERENCES)
