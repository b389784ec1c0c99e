"""DICOM XML: documents of the Native DICOM Model, and one of them for a result.

No line break stands in a document, nor two hyphens in a row: within a multipart body no value can
be taken for a boundary.

Source: PS3.19 A.1 (model and schema); PS3.18 Annex F.2.2 and F.3 (what it shares with JSON).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
    return document(_attributes(elements))


def document(attributes: str) -> bytes:
    """The UTF-8 document that holds `attributes`, each as `attribute` makes it."""
    return f"{_BEGIN}{attributes}{_END}".encode()


def attribute(tag: str, vr: str, content: str, keyword: str = "", creator: str = "") -> str:
    """One attribute; `content` is what stands in it, and `creator` the private creator of one."""
    named = keyword or keyword_for_tag(int(tag, 16))
    told = f' keyword="{named}"' if named else ""
    if creator:
        # Table A.1.5-2: "the block used in the DICOM encoding shall not be sent (i.e., a Private
        # Data Element has the form gggg00ee)", for its creator is. One whose creator is not known,
        # and a creator itself, would be nothing without the block
        tag = f"{tag[:4]}00{tag[6:]}"
        told += f' privateCreator="{text(creator)}"'
    begin = f'<DicomAttribute tag="{tag}" vr="{vr}"{told}'
    return f"{begin}>{content}</DicomAttribute>" if content else f"{begin}/>"


def values(vr: str, inner: Sequence[str]) -> str:
    """The values of an attribute of that VR, of which `inner` are the contents."""
    if vr != "SQ" and not any(inner):
        return ""
    name = {"SQ": "Item", "PN": "PersonName"}.get(vr, "Value")
    # Table A.1.5-2: an empty value among others is <Value number="2"></Value>; numbers rise by 1
    return "".join(
        [f'<{name} number="{number}">{one}</{name}>' for number, one in enumerate(inner, 1)]
    )


def person_name(groups: Mapping[str, str]) -> str:
    """The content of a name whose component groups are these."""
    return "".join(f"<{group}>{_components(name)}</{group}>" for group, name in groups.items())


def inline_binary(base64: str) -> str:
    """The content of an attribute whose bytes stand in it."""
    return f"<InlineBinary>{text(base64)}</InlineBinary>"


def text(plain: str) -> str:
    """The same as it stands in a document."""
    return escape(_NO_CHARACTER.sub("\ufffd", plain), _REFERENCES)


def _attributes(elements: Iterable[Element]) -> str:
    written = [
        attribute(one.tag, one.vr, _content(one) if one.values else "", one.keyword, one.creator)
        for one in elements
    ]
    return "".join(written)


def _content(element: Element) -> str:
    vr, stored = element.vr, element.values
    if vr in BINARY_VRS:
        return inline_binary(str(stored[0]))
    return values(vr, [_inner(vr, value) for value in stored])


def _inner(vr: str, value: Value) -> str:
    match value:
        case Item():
            return _attributes(item_elements(value))
        case str() if vr == "PN":
            return person_name(name_groups(value))
        case _:
            return text(str(value))


def _components(group: str) -> str:
    # What is past the fifth component stays with it
    parts = zip(_COMPONENTS, group.split("^", 4), strict=False)
    return "".join(f"<{name}>{text(part)}</{name}>" for name, part in parts if part)
