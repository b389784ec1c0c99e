"""In which form a client wants what it retrieves: media types and transfer syntaxes.

Source: PS3.18 §8.7.3 (media types of DICOM resources, of bulk data and frames, their transfer
syntaxes), §8.7.5 (how one is chosen); RFC 9110 §12.5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.errors import NotAcceptableError
from gateway.wado.upstream import STORED

DICOM = "application/dicom"
OCTETS = "application/octet-stream"
MULTIPART = "multipart/related"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
ANY = "*/*"

_DICOM = "1.2.840.10008.1.2"
_SYNTAXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (OCTETS, (".1", "", ".2")),
    ("image/dicom-rle", (".5",)),
    ("image/jpeg", (".4.70", ".4.50", ".4.51", ".4.57")),
    ("image/jls", (".4.80", ".4.81")),
    ("image/jp2", (".4.90", ".4.91")),
    ("image/jpx", (".4.92", ".4.93")),
    ("image/jphc", (".4.201", ".4.202", ".4.203")),
    ("image/jxl", (".4.110", ".4.111", ".4.112")),
    ("video/mpeg2", (".4.100", ".4.101", ".4.100.1", ".4.101.1")),
    (
        "video/mp4",
        (
            *(".4.102", ".4.103", ".4.104", ".4.105", ".4.106", ".4.107", ".4.108"),
            *(".4.102.1", ".4.103.1", ".4.104.1", ".4.105.1", ".4.106.1"),
        ),
    ),
)

SYNTAXES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {media_type: tuple(_DICOM + end for end in ends) for media_type, ends in _SYNTAXES}
)
"""The transfer syntaxes whose frames have a media type, its default first."""

MEDIA_TYPE_OF: Mapping[str, str] = MappingProxyType(
    {syntax: media_type for media_type, all_of in SYNTAXES_OF.items() for syntax in all_of}
)
"""The media type of a frame in a transfer syntax."""

INSTANCES_OFFERED = f'{MULTIPART}; type="{DICOM}", {DICOM} (one instance)'
FRAMES_OFFERED = (
    f'{MULTIPART}; type="{OCTETS}", {MULTIPART}; type="image/*" or "video/*" as they are stored, '
    "and each of these types by itself (one frame)"
)
BULK_OFFERED = f'{MULTIPART}; type="{OCTETS}", {OCTETS}'

# What clients and older servers say
_OTHER_NAMES = MappingProxyType(
    {
        "image/x-dicom-rle": "image/dicom-rle",
        "image/x-jls": "image/jls",
        "image/jhc": "image/jphc",
        "image/": "image/*",
        "video/": "video/*",
    }
)
_MAX_ALTERNATIVES = 32  # no client has so many; each may cost a call
# Commas and semicolons within quotes part nothing: type="application/dicom+json"
ELEMENT = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')
"""An element of an Accept list."""
PIECE = re.compile(r'(?:[^;"]|"(?:\\.|[^"\\])*"?)+')
"""A name or parameter of an element."""
ESCAPED = re.compile(r"\\(.)")
"""A character of a quoted text that stands for itself."""

_WEIGHT = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")  # Java sends "q=.2"
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_RANGE = re.compile(r"[a-z0-9.+-]+/(?:[a-z0-9.+-]+|\*)|\*/\*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One form that a client accepts.

    `media_range` is of what is wanted itself, `is_multipart` whether it comes as the parts of a
    multipart body. `syntax` is a transfer syntax, STORED, or "" where the client names none.
    """

    media_range: str
    syntax: str
    is_multipart: bool


@dataclass(frozen=True, slots=True)
class Form:
    """One form to try: a transfer syntax, or STORED, and what the media type must then be."""

    syntax: str
    is_multipart: bool
    media_range: str = ANY


def wanted(accept: str | None) -> tuple[Wanted, ...]:
    """What the client accepts, what it wants most first; of equals in the order given.

    `accept` is the header or the query parameter, None where there is none, which means anything.
    """
    found = _elements(ANY if accept is None or not accept.strip() else accept)
    ranked = sorted(found, key=lambda one: -one[0])
    kept = dict.fromkeys(one for quality, one in ranked if quality > 0)
    return tuple(kept)[:_MAX_ALTERNATIVES]


def instance_forms(alternatives: Iterable[Wanted], *, single: bool) -> tuple[Form, ...]:
    """The forms in which Part 10 files are accepted; `single` says that only one is asked for.

    Without a transfer syntax a named type means Explicit VR Little Endian (PS3.18 §8.7.3.5.2); who
    takes any type takes what is stored. Of several files those that can't be had in the default
    come as they are stored.

    Raises: NotAcceptableError.
    """
    forms = []
    for one in alternatives:
        if not covers(one.media_range, DICOM) or not (one.is_multipart or single):
            continue
        default = STORED if one.media_range.endswith("*") else EXPLICIT_LITTLE_ENDIAN
        forms.append(Form(one.syntax or default, one.is_multipart))
        if not one.syntax and not single:
            forms.append(Form(STORED, one.is_multipart))
    return _some(forms, INSTANCES_OFFERED)


def frame_forms(alternatives: Iterable[Wanted], *, single: bool) -> tuple[Form, ...]:
    """The forms in which frames are accepted; `single` says that only one is asked for.

    `application/octet-stream; transfer-syntax=*` takes any frame as it is stored, as viewers mean
    it. An image or video type takes its own only, by default in whichever of its syntaxes is
    stored, else in its first.

    Raises: NotAcceptableError.
    """
    forms: list[Form] = []
    for one in alternatives:
        if one.is_multipart or single:
            forms += _frame_forms(one)
    return _some(forms, FRAMES_OFFERED)


def bulk_forms(alternatives: Iterable[Wanted]) -> tuple[Form, ...]:
    """The forms in which bulk data is accepted: what it is, as one part or by itself.

    Raises: NotAcceptableError.
    """
    known = (OCTETS, *MEDIA_TYPE_OF.values())
    forms = [
        Form(STORED, one.is_multipart, one.media_range)
        for one in alternatives
        if any(covers(one.media_range, name) for name in known)
        or one.media_range.startswith(("application/", "image/", "video/", "text/"))
    ]
    return _some(forms, BULK_OFFERED)


def covers(media_range: str, media_type: str) -> bool:
    """Whether a media type is of a range such as `image/*`."""
    if media_range in (ANY, media_type):
        return True
    return media_range.endswith("/*") and media_type.startswith(media_range[:-1])


def media_type_of(content_type: str) -> tuple[str, str]:
    """The media type of a frame, and its transfer syntax ("" where none is named).

    Where the syntax is named, it tells the type: some servers call all of them octets.
    """
    name, parameters = _pieces(content_type)
    syntax = parameters.get("transfer-syntax", "")
    plain = _OTHER_NAMES.get(name, name)
    return MEDIA_TYPE_OF.get(syntax, plain), syntax


def parameter_of(content_type: str, name: str) -> str:
    """A parameter of a Content-Type, "" where it has none of that name."""
    return _pieces(content_type)[1].get(name, "")


def weight(text: str | None) -> float:
    """The weight that a parameter q gives, 0 to 1; None where an element has none."""
    if text is None:
        return 1.0
    # What is no weight wants nothing: else a typo would ask for the type at full
    return min(float(text), 1.0) if _WEIGHT.fullmatch(text) else 0.0


def not_acceptable(offered: str) -> NotAcceptableError:
    """The error of a request that accepts none of what is offered."""
    return NotAcceptableError(f"Supported media types: {offered}.")


def _frame_forms(one: Wanted) -> Iterator[Form]:
    any_type = one.media_range in (ANY, OCTETS, "application/*")
    if one.syntax and one.syntax != STORED:
        of_type = MEDIA_TYPE_OF.get(one.syntax, OCTETS)
        if any_type or covers(one.media_range, of_type):
            yield Form(one.syntax, one.is_multipart)
    elif any_type:
        named = one.media_range == OCTETS and not one.syntax
        yield Form(EXPLICIT_LITTLE_ENDIAN if named else STORED, one.is_multipart)
    elif any(covers(one.media_range, known) for known in SYNTAXES_OF):
        yield Form(STORED, one.is_multipart, one.media_range)
        if not one.syntax and one.media_range in SYNTAXES_OF:
            yield Form(SYNTAXES_OF[one.media_range][0], one.is_multipart)


def _some(forms: Sequence[Form], offered: str) -> tuple[Form, ...]:
    if not forms:
        raise not_acceptable(offered)
    return tuple(dict.fromkeys(forms))


def _elements(text: str) -> Iterator[tuple[float, Wanted]]:
    for element in ELEMENT.findall(text):
        name, parameters = _pieces(element)
        quality = weight(parameters.get("q"))
        is_multipart = name in ("multipart/related", "multipart/*")
        inner = name
        if is_multipart:
            inner, within = _pieces(parameters.get("type", ANY).lower() or ANY)
            parameters = {**within, **parameters}
        if name == ANY:  # the default of every resource
            is_multipart = True
        media_range = _OTHER_NAMES.get(inner, inner)
        syntax = parameters.get("transfer-syntax", "")
        if _RANGE.fullmatch(media_range) and (
            syntax in ("", STORED) or (len(syntax) <= 64 and _UID.fullmatch(syntax))
        ):
            yield quality, Wanted(media_range, syntax, is_multipart)


def _pieces(text: str) -> tuple[str, dict[str, str]]:
    """The name of a media type in lower case, and its parameters."""
    name, *rest = [piece.strip() for piece in PIECE.findall(text)] or [""]
    parameters: dict[str, str] = {}
    for piece in rest:
        key, _, value = piece.partition("=")
        bare = value.strip()
        if bare.startswith('"'):
            bare = ESCAPED.sub(r"\1", bare.removeprefix('"').removesuffix('"'))
        parameters.setdefault(key.strip().lower(), bare.strip())
    return name.lower(), parameters
