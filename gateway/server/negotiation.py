"""Which media type and character set an answer has. Source: PS3.18 §8.7.5, RFC 9110 §12.5.1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.errors import NotAcceptableError, QueryError
from gateway.wado.media import ELEMENT, ESCAPED, PIECE, weight

DICOM_JSON = "application/dicom+json"
JSON = "application/json"
DICOM_XML = 'multipart/related; type="application/dicom+xml"'
NDJSON = "application/x-ndjson"
CSV = "text/csv"
OFFERED = (DICOM_JSON, JSON, DICOM_XML, NDJSON, CSV)
"""The media types of search results, the default first."""

_PART = "application/dicom+xml"

_REPAIRED = re.compile(r"(?i)\bdicom (json|xml)\b")
_UTF_8 = frozenset(("utf-8", "utf8", "iso_ir 192", "*"))  # the third is DICOM's own name


@dataclass(frozen=True, slots=True)
class _Element:
    """One element of an Accept list: a name in lower case, and its q of 0 to 1.

    The name of a multipart/related that says of what type it is, is written as `DICOM_XML` is.
    """

    name: str
    quality: float


def choose_media_type(
    accept: str | None, parameter: str | None = None, offered: Sequence[str] = OFFERED
) -> str:
    """The offered media type that the client wants most; of equals the first.

    A multipart/related of a type is wanted by name, with that type or without one, or by
    multipart/*. Who names application/dicom+xml alone wants what it comes in.

    `accept` is the header, None where there is none, which means anything; `parameter` is the
    query parameter, which outranks the header where it names an offered type. It has no wild
    cards (§8.3.3.1).

    Raises: NotAcceptableError.
    """
    if parameter:
        wanted = _best((e for e in _elements(parameter) if "*" not in e.name), offered)
        if wanted is not None:
            return wanted
    chosen = _best(_elements("*/*" if accept is None or not accept.strip() else accept), offered)
    if chosen is None:
        raise NotAcceptableError("Supported media types: " + ", ".join(offered) + ".")
    return chosen


def check_charset(parameter: str | None) -> None:
    """See that the `charset` query parameter, if any, allows UTF-8, which every answer has.

    The Accept-Charset header is not looked at: RFC 9110 §12.5.2 lets a server disregard it.

    Raises: QueryError.
    """
    elements = list(_elements(parameter or ""))
    if elements and not any(e.name in _UTF_8 and e.quality > 0 for e in elements):
        raise QueryError("charset", "must allow utf-8, the only one there is")


def parameter_of(query_string: bytes, name: str) -> str | None:
    """The text of a general parameter, its repetitions as one list; None where it is missing."""
    found = [
        value
        for key, _, value in (pair.partition(b"=") for pair in query_string.split(b"&"))
        if unquote_to_bytes(key) == name.encode()
    ]
    texts = [unquote_to_bytes(v.replace(b"+", b" ")).decode("latin-1") for v in found]
    # An unencoded "+" arrives as a space, and so does the one that a form encodes: it is "dicom+"
    return _REPAIRED.sub(r"dicom+\1", ", ".join(texts)) if found else None


def _best(elements: Iterable[_Element], offered: Sequence[str]) -> str | None:
    named = list(elements)
    qualities = {one: _quality(one, named) for one in offered}
    best = max(offered, key=lambda one: qualities[one])
    return best if qualities[best] > 0 else None


def _quality(offered: str, elements: list[_Element]) -> float:
    """The q of the most specific range that covers `offered`, 0 where none does."""
    without_type, _, _ = offered.partition(";")
    for covering in (offered, without_type, offered.partition("/")[0] + "/*", "*/*"):
        found = [element.quality for element in elements if element.name == covering]
        if found:
            return max(found)
    return 0.0


def _elements(text: str) -> Iterable[_Element]:
    for part in ELEMENT.findall(text):
        name, *parameters = [piece.strip() for piece in PIECE.findall(part)] or [""]
        if name:
            yield _Element(_range(name.lower(), parameters), weight(_parameter("q", parameters)))


def _range(name: str, parameters: Iterable[str]) -> str:
    if name == _PART:
        return DICOM_XML
    if name != "multipart/related" or (of := _parameter("type", parameters)) is None:
        return name
    unquoted = ESCAPED.sub(r"\1", of.removeprefix('"').removesuffix('"'))
    return f'{name}; type="{unquoted.strip().lower()}"'


def _parameter(name: str, parameters: Iterable[str]) -> str | None:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == name:
            return value.strip()
    return None
