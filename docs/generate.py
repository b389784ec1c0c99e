"""Writes the generated parts of the documents: `python docs/generate.py`, in `.venv`.

What stands between `<!-- generated: NAME -->` and `<!-- end -->` comes from the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from gateway.qido.attributes import (
    ATTRIBUTES,
    Attribute,
    Level,
    Origin,
    Resource,
    answerable,
    returned_by_default,
)
from gateway.qido.conditions import matching_of
from gateway.server.rendering import KINDS, TARGETS
from gateway.server.retrieving import MEDIA_TYPES, Retrieve
from gateway.wado.media import SYNTAXES_OF

DOCUMENT = Path(__file__).resolve().parent / "conformance.md"
SOURCES: Mapping[Origin, str] = {
    Origin.SUMMARY: "known",
    Origin.DERIVED: "derived",
    Origin.METADATA: "metadata",
    Origin.GATEWAY: "made",
}
FETCHABLE = frozenset(
    a.keyword for a in ATTRIBUTES if a.origin is Origin.METADATA and a.level is Level.STUDY
)
_BLOCK = re.compile(r"(<!-- generated: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str) -> str:
    """A document with its generated parts as the code has them."""
    return _BLOCK.sub(lambda block: f"{block[1]}{_PARTS[block[2]]()}{block[3]}", text)


def attributes() -> str:
    """Every attribute: where its value comes from, how it is matched, where it is returned."""
    heads = ("Attribute", "Tag", "VR", "Source", "Matching", *(f"`{r.value}`" for r in Resource))
    return table((heads, *map(_attribute, ATTRIBUTES)))


def retrieves() -> str:
    """Every resource that is retrieved, with its media types."""
    rows = [(f"`{one.value}`", _media_types(one)) for one in Retrieve]
    for kind, offered in KINDS.items():
        rows += [(f"`{one}/{kind}`", ", ".join(f"`{name}`" for name in offered)) for one in TARGETS]
    return table((("Retrieve", "Media types, the default first"), *rows))


def syntaxes() -> str:
    """The media types of frames, each with its transfer syntaxes."""
    rows = [
        (
            f"`{name}`",
            ", ".join(f"{uid} (default)" if not at else uid for at, uid in enumerate(all_of)),
        )
        for name, all_of in SYNTAXES_OF.items()
    ]
    return table((("Frames of type", "Transfer syntaxes"), *rows))


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown, its first row the heading."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---" * (lines[0].count(" | ") + 1) + "|")
    return "".join(f"{line}\n" for line in lines)


def _media_types(resource: Retrieve) -> str:
    if resource is not Retrieve.FRAMES:
        return ", ".join(f"`{name}`" for name in MEDIA_TYPES[resource])
    return "the types below, each as the `type` of `multipart/related`, or one frame by itself"


def _attribute(attribute: Attribute) -> tuple[str, ...]:
    kinds = ", ".join(kind.value for kind in matching_of(attribute)) or "-"
    returned = (_returned(attribute, resource) for resource in Resource)
    source = SOURCES[attribute.origin]
    if attribute.keyword in FETCHABLE:
        source += " *"
    return (attribute.keyword, attribute.tag, attribute.vr, source, kinds, *returned)


def _returned(attribute: Attribute, resource: Resource) -> str:
    if attribute in returned_by_default(resource):
        return "default"
    return "asked" if attribute in answerable(resource, FETCHABLE) else "-"


_PARTS = {"attributes": attributes, "retrieves": retrieves, "syntaxes": syntaxes}


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8")), "utf-8")
