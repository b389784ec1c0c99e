"""Which media type an answer has. Source: PS3.18 §8.7.5, RFC 9110 §12.5.1."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import NotAcceptableError

DICOM_JSON = "application/dicom+json"
JSON = "application/json"
OFFERED = (DICOM_JSON, JSON)
"""The media types of search results, the default first."""


def choose_media_type(
    accept: str | None, parameter: str | None = None, offered: Sequence[str] = OFFERED
) -> str:
    """The offered media type that the client wants most.

    `accept` is the header, None where there is none, which means anything; `parameter` is the
    query parameter, which outranks the header where it names an offered type.

    Raises: NotAcceptableError.
    """
    if parameter:
        # An unencoded "+" arrives as a space
        wanted = _best(parameter.replace("dicom json", "dicom+json"), offered)
        if wanted is not None:
            return wanted
    chosen = _best("*/*" if accept is None or not accept.strip() else accept, offered)
    if chosen is None:
        raise NotAcceptableError("Supported media types: " + ", ".join(offered) + ".")
    return chosen


def _best(accept: str, offered: Sequence[str]) -> str | None:
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    qualities = {one: _quality(one, ranges) for one in offered}
    best = max(offered, key=lambda one: qualities[one])
    return best if qualities[best] > 0 else None


def _quality(offered: str, ranges: list[tuple[str, float]]) -> float:
    """The q of the most specific range that covers `offered`, 0 where none does."""
    for covering in (offered, "application/*", "*/*"):
        found = [quality for name, quality in ranges if name == covering]
        if found:
            return max(found)
    return 0.0


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return name.lower(), min(max(float(value), 0.0), 1.0)
            except ValueError:
                return name.lower(), 0.0
    return name.lower(), 1.0
