"""What a WADO-URI request asks for, read from its query. Source: PS3.18 §9."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.errors import QueryError
from gateway.wado.rendered import (
    Rendering,
    WantedViewport,
    WantedWindow,
    ignored,
    number,
    parameters,
    quality,
    side,
    whole,
    window,
)
from gateway.wado.requests import Target, target_of

_UIDS = {"study": "studyUID", "series": "seriesUID", "instance": "objectUID"}
_MAX_SYNTAX = 64


@dataclass(frozen=True, slots=True)
class UriRequest:
    """One instance, or a frame of it, as a WADO-URI request wants it.

    `content_type` is the list of media types that it names, "" where it names none;
    `transfer_syntax` is a UID, `*`, or "". `frame_number` counts from 1, None where none is named.
    """

    target: Target = field(repr=False)
    content_type: str = ""
    transfer_syntax: str = ""
    frame_number: int | None = None
    rendering: Rendering = field(default_factory=Rendering)


def is_wado_uri(query_string: bytes) -> bool:
    """Whether a query is one of WADO-URI: it says of which type the request is."""
    return any(pair.partition(b"=")[0] == b"requestType" for pair in query_string.split(b"&"))


def parse_uri(query_string: bytes) -> UriRequest:
    """What the query asks for; parameters that the standard does not name mean nothing.

    Raises: QueryError.
    """
    given = parameters(query_string)
    if given.get("requestType") != "WADO":
        raise QueryError("requestType", "must be WADO")
    if given.get("anonymize", "no") != "no":  # to ignore it would give away whom it protects
        raise QueryError("anonymize", "is not supported")
    frame_number = whole(given["frameNumber"], "frameNumber") if "frameNumber" in given else None
    if frame_number == 0:
        raise QueryError("frameNumber", "frames are counted from 1")
    presented = [n for n in ("presentationUID", "presentationSeriesUID") if n in given]
    return UriRequest(
        target=_target(given),
        content_type=given.get("contentType", ""),
        transfer_syntax=_syntax(given),
        frame_number=frame_number,
        rendering=Rendering(
            window=_window(given),
            viewport=_viewport(given),
            quality=quality(given, "imageQuality"),
            ignored=(*ignored(given), *presented),
        ),
    )


def _target(given: Mapping[str, str]) -> Target:
    uids = {}
    for level, name in _UIDS.items():
        if not given.get(name):
            raise QueryError(name, "must be given")
        uids[level] = given[name]
    try:
        return target_of(uids)
    except QueryError as exc:
        names = {"StudyInstanceUID": "studyUID", "SeriesInstanceUID": "seriesUID"}
        raise QueryError(names.get(exc.parameter, "objectUID"), "must be one UID") from exc


def _syntax(given: Mapping[str, str]) -> str:
    text = given.get("transferSyntax", "").strip()
    is_uid = len(text) <= _MAX_SYNTAX and all(part.isdecimal() for part in text.split("."))
    if text not in ("", "*") and not (is_uid and text.isascii()):
        raise QueryError("transferSyntax", "must be a UID")
    return text


def _window(given: Mapping[str, str]) -> WantedWindow | None:
    named = [name for name in ("windowCenter", "windowWidth") if name in given]
    if not named:
        return None
    if len(named) == 1:
        raise QueryError(named[0], "windowCenter and windowWidth are given together")
    center, width = (number(given[name], name) for name in named)
    return window(center, width, "LINEAR", "windowWidth")


def _viewport(given: Mapping[str, str]) -> WantedViewport | None:
    width = side(given["columns"], "columns") if "columns" in given else None
    height = side(given["rows"], "rows") if "rows" in given else None
    if "region" not in given:
        return WantedViewport(width, height) if width or height else None
    parts = given["region"].split(",")
    if len(parts) != 4:
        raise QueryError("region", "must be xmin,ymin,xmax,ymax")
    left, top, right, bottom = (number(part, "region") for part in parts)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise QueryError("region", "must be xmin,ymin,xmax,ymax, from 0 to 1 and in this order")
    return WantedViewport(width, height, left, top, right - left, bottom - top, is_relative=True)
