"""Accept headers of retrieves: what may be answered, and in which transfer syntax.

Source: HealthImaging developer guide, "retrieving DICOM data" (documented: the media types of its
examples, transfer-syntax=*, Explicit VR Little Endian without one, NotAcceptableException 406);
PS3.18 §8.7.3 (the media type of each transfer syntax). Assumed: ranges with *, quality values, more
than one range, a missing header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from gateway.emulator.errors import WireError
from gateway.emulator.transcoding import ELE

OCTETS = "application/octet-stream"
DICOM = "application/dicom"
JSON = "application/dicom+json"
MULTIPART = "multipart/related"

_ROOT = "1.2.840.10008.1.2"
_BY_KIND = {
    "image/jpeg": ".4.50 .4.51 .4.57 .4.70",
    "image/dicom-rle": ".5",
    "image/jls": ".4.80 .4.81",
    "image/jp2": ".4.90 .4.91",
    "image/jpx": ".4.92 .4.93",
    "image/jphc": ".4.201 .4.202 .4.203",
    "image/jxl": ".4.110 .4.111 .4.112",
    "video/mpeg": ".4.100 .4.100.1 .4.101 .4.101.1",
    "video/mp4": ".4.102 .4.102.1 .4.103 .4.103.1 .4.104 .4.104.1 .4.105 .4.105.1 .4.106 .4.106.1",
    "video/H265": ".4.107 .4.108",
}
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {f"{_ROOT}{end}": kind for kind, ends in _BY_KIND.items() for end in ends.split()}
)
"""Transfer syntax to the media type of its frames, application/octet-stream where it has none."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One range of an Accept header. `syntax` is a UID or "*"; `inner` the type of the parts."""

    media_type: str
    inner: str = ""
    syntax: str = ELE
    quality: float = 1.0


@lru_cache(64)  # a client sends the same one with each request
def accepted(header: str | None) -> tuple[Accepted, ...]:
    """The ranges of an Accept header, the preferred ones first; */* where there is none."""
    ranges = [_range(text) for text in _split(header or "*/*", ",") if text.strip()]
    return tuple(sorted((one for one in ranges if one.quality > 0), key=lambda one: -one.quality))


def for_metadata(header: str | None) -> None:
    """Refuse a header that does not allow DICOM JSON.

    Raises: WireError, a NotAcceptableException.
    """
    if not any(_matches(one.media_type, JSON, "application/json") for one in accepted(header)):
        raise not_acceptable("the metadata can be had as application/dicom+json")


def for_instance(header: str | None) -> list[str]:
    """The transfer syntaxes in which an instance is wanted, "*" for its own.

    Raises: WireError, a NotAcceptableException.
    """
    found = [one.syntax for one in accepted(header) if _matches(one.media_type, DICOM)]
    if not found:
        raise not_acceptable("an instance can be had as application/dicom")
    return found


def for_frames(header: str | None, number: int) -> list[Accepted]:
    """The ranges that suit frames, `number` of them: multipart/related, or a single part for one.

    Raises: WireError, a NotAcceptableException.
    """
    found = [
        one
        for one in accepted(header)
        if _matches(one.media_type, MULTIPART) or (number == 1 and _matches(one.media_type, OCTETS))
    ]
    if not found:
        raise not_acceptable("frames can be had as multipart/related; type=" + OCTETS)
    return found


def for_bulk_data(header: str | None) -> None:
    """Refuse a header that does not allow bytes.

    Raises: WireError, a NotAcceptableException.
    """
    if not any(_matches(one.media_type, OCTETS) for one in accepted(header)):
        raise not_acceptable("bulk data can be had as " + OCTETS)


def suits(wanted: Accepted, media_type: str) -> bool:
    """Whether frames of a media type may be parts of an answer to a range."""
    return wanted.inner in ("", OCTETS) or _matches(wanted.inner, media_type)


def not_acceptable(message: str) -> WireError:
    """A NotAcceptableException."""
    return WireError("NotAcceptableException", 406, message)


def _matches(given: str, *offered: str) -> bool:
    kind = given.partition("/")[0]
    return (
        given == "*/*"
        or given in offered
        or given in {f"{one.partition('/')[0]}/*" for one in offered if one.startswith(f"{kind}/")}
    )


def _range(text: str) -> Accepted:
    media_type, *rest = (part.strip() for part in _split(text, ";"))
    given = {}
    for part in rest:
        name, _, value = part.partition("=")
        given[name.strip().lower()] = value.strip().strip('"')
    return Accepted(
        media_type.lower(),
        given.get("type", "").lower(),
        given.get("transfer-syntax", ELE),
        _quality(given.get("q", "1")),
    )


def _quality(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 0.0


def _split(text: str, separator: str) -> Iterator[str]:
    """The parts of a text between separators that are not quoted."""
    inside, start = False, 0
    for at, letter in enumerate(text):
        if letter == '"':
            inside = not inside
        elif letter == separator and not inside:
            yield text[start:at]
            start = at + 1
    yield text[start:]
