"""How a client wants an image rendered, read from the query of `/rendered` and `/thumbnail`.

Source: PS3.18 §8.3.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from urllib.parse import parse_qsl

from gateway.errors import QueryError

MAX_SIDE = 8_192
"""Pixels that a viewport may be wide or high."""
MAX_VALUE = 1e9
"""The largest number, by its amount, that a window or a region may have."""

FUNCTIONS = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
"""The functions of a window, each as VOILUTFunction has it."""
ANNOTATIONS = ("patient", "technique")
PROFILES = ("no", "yes", "srgb", "adobergb", "rommrgb", "displayp3")

LOOK = ("annotation", "iccprofile", "quality", "viewport", "window")
"""The parameters of `/rendered` and `/thumbnail`."""
ONCE = frozenset(
    (
        *LOOK,
        *("requestType", "studyUID", "seriesUID", "objectUID", "contentType", "transferSyntax"),
        *("frameNumber", "rows", "columns", "region", "windowCenter", "windowWidth"),
        *("imageQuality", "anonymize"),
    )
)
"""Parameters that may stand again only if they say the same."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_WHOLE = re.compile(r"0*[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WantedWindow:
    """A window on modality values, its `function` as VOILUTFunction has it."""

    center: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True)
class WantedViewport:
    """A size to fit into, None where a side follows from the other, and a source region.

    The region is in pixels of the frame, in fractions of it where `is_relative`; a negative size
    mirrors, None reaches to the edge.
    """

    width: int | None
    height: int | None
    x: float = 0.0
    y: float = 0.0
    region_width: float | None = None
    region_height: float | None = None
    is_relative: bool = False


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a query says of how to render. `ignored` names parameters that have no effect here."""

    window: WantedWindow | None = None
    viewport: WantedViewport | None = None
    quality: int | None = None
    ignored: tuple[str, ...] = ()


def parse_rendering(query_string: bytes) -> Rendering:
    """What the query says; parameters that are not of rendering mean nothing here.

    Raises: QueryError.
    """
    given = parameters(query_string)
    return Rendering(
        window=_window(given["window"]) if "window" in given else None,
        viewport=_viewport(given["viewport"]) if "viewport" in given else None,
        quality=quality(given, "quality"),
        ignored=ignored(given),
    )


def parameters(query_string: bytes) -> Mapping[str, str]:
    """The parameters by name, percent-decoded.

    Raises: QueryError where one stands twice and does not say the same.
    """
    found: dict[str, str] = {}
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="replace")
    for name, value in pairs:
        if found.setdefault(name, value) != value and name in ONCE:
            raise QueryError(name, "may be given once")
    return found


def quality(given: Mapping[str, str], name: str) -> int | None:
    """The quality of a JPEG, 1 to 100. Source: PS3.18 §8.3.5.1.2.

    Raises: QueryError.
    """
    if name not in given:
        return None
    number = whole(given[name], name)
    if not 1 <= number <= 100:
        raise QueryError(name, "must be a whole number from 1 to 100")
    return number


def ignored(given: Mapping[str, str]) -> tuple[str, ...]:
    """The names of well-formed parameters that have no effect here.

    Raises: QueryError where one has a value that the standard does not know.
    """
    if (annotation := given.get("annotation")) is not None:
        wanted = [word.strip() for word in annotation.split(",")]
        if not all(word in ANNOTATIONS for word in wanted):
            raise QueryError("annotation", "must be patient, technique or both")
    profile = given.get("iccprofile")
    if profile is not None and profile not in PROFILES:
        raise QueryError("iccprofile", f"must be one of {', '.join(PROFILES)}")
    without_effect = ["annotation"] if annotation is not None else []
    return (*without_effect, *(["iccprofile"] if profile not in (None, "no") else []))


def side(text: str, name: str) -> int:
    """A width or height in pixels.

    Raises: QueryError.
    """
    number = whole(text, name)
    if not 1 <= number <= MAX_SIDE:
        raise QueryError(name, f"a side must have 1 to {MAX_SIDE:,} pixels")
    return number


def whole(text: str, name: str) -> int:
    """A whole number, 0 or more.

    Raises: QueryError.
    """
    if not _WHOLE.fullmatch(text.strip()):
        raise QueryError(name, "must be a whole number")
    return int(text)


def number(text: str, name: str) -> float:
    """A decimal number.

    Raises: QueryError.
    """
    if _NUMBER.fullmatch(text.strip()):
        value = float(text)
        if isfinite(value) and abs(value) <= MAX_VALUE:
            return value
    raise QueryError(name, "must be a decimal number, or a list of them parted by commas")


def window(center: float, width: float, function: str, name: str) -> WantedWindow:
    """A window that the standard allows.

    Source: PS3.3 §C.11.2.1.2 (the width of a linear one is at least 1, of others above 0).

    Raises: QueryError.
    """
    if width < 1 if function == "LINEAR" else width <= 0:
        raise QueryError(name, "a linear width must be 1 or more, that of others above 0")
    return WantedWindow(center, width, function)


def _window(text: str) -> WantedWindow:
    parts = text.split(",")
    if not 2 <= len(parts) <= 3:
        raise QueryError("window", "must be center,width,function")
    # Many send no function, which the grammar asks for: LINEAR is the default of an instance too
    function = FUNCTIONS.get(parts[2].strip().lower() if len(parts) == 3 else "linear")
    if function is None:
        raise QueryError("window", f"its function must be one of {', '.join(FUNCTIONS)}")
    center, width = (number(part, "window") for part in parts[:2])
    return window(center, width, function, "window")


def _viewport(text: str) -> WantedViewport:
    parts = [part.strip() for part in text.split(",")]
    if not 2 <= len(parts) <= 6:
        raise QueryError("viewport", "must be vw,vh or vw,vh,sx,sy,sw,sh")
    width, height = side(parts[0], "viewport"), side(parts[1], "viewport")
    x, y, region_width, region_height = _region([*parts[2:], *[""] * (6 - len(parts))])
    if (x or 0) < 0 or (y or 0) < 0 or region_width == 0 or region_height == 0:
        raise QueryError("viewport", "its source region must lie within the image")
    return WantedViewport(width, height, x or 0.0, y or 0.0, region_width, region_height)


def _region(parts: Sequence[str]) -> list[float | None]:
    """The four numbers of a region, None where one is left out."""
    return [number(part, "viewport") if part else None for part in parts]
