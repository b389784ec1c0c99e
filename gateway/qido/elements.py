"""The elements of a result: what an answer shows of it, in the order of tags, for any encoding.

Source: PS3.18 Annex F.2.2 (order, empty attributes); PS3.5 §7.8.1 (private creators).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.qido.attributes import Attribute, attribute_named, creator_tag
from gateway.qido.result import Item, Result, Value, is_base64

# Present only with a value. OHIF's study list dies of the first one without Value; the standard
# has the others absent where they are not known (PS3.18 Table 10.6.3-5)
LEFT_OUT_WHEN_EMPTY = frozenset(
    (
        *("ModalitiesInStudy", "RetrieveURL", "TimezoneOffsetFromUTC"),
        *("AvailableTransferSyntaxUID", "NumberOfFrames", "Rows", "Columns", "BitsAllocated"),
    )
)


@dataclass(frozen=True, slots=True)
class Element:
    """One element: eight upper-case digits, its keyword ("" if none), its one VR, and its values.

    `creator` is the private creator of a private one.
    """

    tag: str
    keyword: str
    vr: str
    values: tuple[Value, ...] = field(repr=False)
    creator: str = ""


def in_order(attributes: Iterable[Attribute]) -> tuple[Attribute, ...]:
    """`attributes`, each once, in the order of tags that Annex F asks for."""
    by_tag = {attribute.tag: attribute for attribute in attributes}
    return tuple(by_tag[tag] for tag in sorted(by_tag))


def elements_of(
    result: Result,
    attributes: Sequence[Attribute],
    retrieve_url: str = "",
    *,
    everything: bool = False,
) -> list[Element]:
    """The elements of `result` for `attributes`, which are in the order of tags.

    One without a value is there without values. `retrieve_url` is absolute, or "" for none. With
    `everything` all that the result holds is there too.
    """
    values = result.values
    if everything:
        own = (attribute_named(keyword) for keyword in values)
        attributes = in_order((*(a for a in own if a is not None), *attributes))
    elements = []
    for attribute in attributes:
        stored = values.get(attribute.keyword, ())
        if attribute.keyword == "RetrieveURL" and retrieve_url:
            stored = (retrieve_url,)
        if stored or attribute.keyword not in LEFT_OUT_WHEN_EMPTY:
            elements.append(_element(attribute, stored, result))
    return elements


def item_elements(item: Item) -> list[Element]:
    """All elements of one item, in the order of tags."""
    attributes = in_order(a for a in map(attribute_named, item.values) if a is not None)
    return [_element(a, item.values[a.keyword], item) for a in attributes]


def _element(attribute: Attribute, stored: tuple[Value, ...], of: Result | Item) -> Element:
    tag, keyword = attribute.tag, attribute.keyword
    vr = of.vrs.get(keyword) or _settled(attribute.vr, stored)
    creator = ""
    if attribute.is_private and (block := creator_tag(tag)):
        creator = str((of.values.get(block) or ("",))[0])
    return Element(tag, "" if keyword == tag else keyword, vr, stored, creator)


def _settled(vr: str, values: tuple[Value, ...]) -> str:
    """One VR for what the result has none for: an answer must have a legal one.

    The first of a choice; else one that holds `values` as they are, for none of them may be lost.
    """
    if vr:
        return vr.partition(" ")[0]
    match values:
        case (Item(), *_):
            return "SQ"
        case (int() | float(), *_):
            return "DS"
        case () | (str(),) if is_base64("".join(map(str, values))):
            return "UN"
        case _:
            return "UC"
