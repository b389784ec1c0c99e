"""Multipart bodies: written part by part, and read out of a stream however it is cut in chunks.

Source: RFC 2046 §5.1.1; PS3.18 §8.6.1.2.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.errors import UpstreamUnavailableError

MAX_HEADER_BYTES = 8 * 1024
"""The longest header of a part that is read, and the longest text before the first part."""

_MOST_BOUNDARY = 70
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")
_END_OF_HEADER = b"\r\n\r\n"
_LINE = b"\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A part begins: its header fields, by names in lower case."""

    fields: dict[str, str] = field(repr=False)

    @property
    def content_type(self) -> str:
        """Its Content-Type, that of octets where it has none."""
        return self.fields.get("content-type", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part ends."""


Event = Part | bytes | PartEnd
"""What is met in a multipart body: the beginning of a part, a piece of it, its end."""


def beginning(boundary: str, content_type: str, *, first: bool) -> bytes:
    """What stands before the content of a part."""
    before = "" if first else "\r\n"
    return f"{before}--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode("latin-1")


def ending(boundary: str) -> bytes:
    """What stands after the content of the last part."""
    return f"\r\n--{boundary}--\r\n".encode("latin-1")


class Parts:
    """Reads parts out of a body whose chunks are fed to it; holds no more than a chunk."""

    def __init__(self, boundary: str) -> None:
        if len(boundary) > _MOST_BOUNDARY or not _BOUNDARY.fullmatch(boundary):
            raise _broken()
        self._delimiter = f"\r\n--{boundary}".encode("latin-1")
        # The first delimiter may be the very beginning: as if a line had ended before it
        self._held = bytearray(_LINE)
        self._state = self._preamble
        self.is_complete = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """What is met in `chunk`; all of it has to be asked for before the next one is fed.

        Raises: UpstreamUnavailableError where the body is none of parts.
        """
        if self.is_complete:
            return  # an epilogue means nothing
        self._held += chunk
        while (found := self._state()) is not None:
            yield from found
            if self.is_complete:
                self._held.clear()
                return

    def end(self) -> None:
        """There are no more chunks.

        Raises: UpstreamUnavailableError where the body is not over.
        """
        if not self.is_complete:
            raise _broken()

    # Each state gives what it has met, None where it needs more to go on

    def _preamble(self) -> tuple[Event, ...] | None:
        at = self._held.find(self._delimiter)
        if at < 0:
            if len(self._held) > MAX_HEADER_BYTES:
                raise _broken()
            return None
        del self._held[: at + len(self._delimiter)]
        self._state = self._after_delimiter
        return ()

    def _after_delimiter(self) -> tuple[Event, ...] | None:
        held = self._held
        if held.startswith(b"--"):
            self.is_complete = True
            return ()
        line_end = held.find(_LINE)
        padding = held[: line_end if line_end >= 0 else None]
        if len(padding) > MAX_HEADER_BYTES or padding.strip(b" \t\r-"):
            raise _broken()
        if line_end < 0:
            return None
        if padding.strip(b" \t"):
            raise _broken()
        del held[:line_end]  # its line's end may be the header's too
        self._state = self._header
        return ()

    def _header(self) -> tuple[Event, ...] | None:
        at = self._held.find(_END_OF_HEADER)
        if at < 0 or at > MAX_HEADER_BYTES:
            if len(self._held) > MAX_HEADER_BYTES:
                raise _broken()
            return None
        text = self._held[:at].decode("latin-1")
        del self._held[: at + len(_END_OF_HEADER)]
        self._state = self._content
        return (Part(_fields(text)),)

    def _content(self) -> tuple[Event, ...] | None:
        held, delimiter = self._held, self._delimiter
        at = held.find(delimiter)
        if at >= 0:
            content = bytes(held[:at])
            del held[: at + len(delimiter)]
            self._state = self._after_delimiter
            return (content, PartEnd()) if content else (PartEnd(),)
        # Its end may be the beginning of a delimiter
        safe = len(held) - _overlap(held, delimiter)
        if safe <= 0:
            return None
        content = bytes(held[:safe])
        del held[:safe]
        return (content,)


def _overlap(held: bytearray, delimiter: bytes) -> int:
    """How many bytes at the end of `held` may be the beginning of `delimiter`."""
    at = held.find(b"\r", max(0, len(held) - len(delimiter) + 1))
    while at >= 0:
        if delimiter.startswith(held[at:]):
            return len(held) - at
        at = held.find(b"\r", at + 1)
    return 0


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in text.split("\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise _broken()
        fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _broken() -> UpstreamUnavailableError:
    return UpstreamUnavailableError("HealthImaging's answer can't be read as the parts of a body.")
