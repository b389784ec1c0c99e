"""JSON read a window of text at a time, so that no step is long and no document stands whole.

It is read in a worker thread. A call into C holds the interpreter, and with it the event loop,
until it returns: so a value is parsed at once only if it fits into a window. A container that does
not is descended into, member by member.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

FIRST_WINDOW = 32 * 1024
"""Characters that a value is first looked for in."""

MOST_WINDOW = 128 * 1024
"""Characters that are parsed in one step at most: some milliseconds."""

_NUMBER_TAIL = 4  # "e+1" and what ends it: until then a number may go on
_SPACE = re.compile(r"[ \t\n\r]*")
_RUN = re.compile(r'[^"\\]{0,65536}')
_ESCAPE = re.compile(r'\\(?:u[0-9A-Fa-f]{4}|["\\/bfnrt])')
_ESCAPE_LENGTH = 6
# NaN and the infinities are no JSON, but they are written; they stand for no value
_DECODER = json.JSONDecoder(parse_constant=lambda _: None, strict=False)
_LEAST_INT, _MOST_INT = -(2**63), 2**64 - 1


class BrokenTextError(Exception):
    """The text is no JSON from here on, or ends here."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A value that was too large to stand as objects, as JSON."""

    json: bytes


class _Large:
    """The value ahead does not fit into a window."""


_LARGE = _Large()


class TextReader:
    """JSON values out of `pieces` of text, one after the other; nothing is read twice.

    Every method raises BrokenTextError where the text is not what it reads.
    """

    def __init__(
        self, pieces: Iterator[str], first: int = FIRST_WINDOW, most: int = MOST_WINDOW
    ) -> None:
        self._pieces, self._first, self._most = pieces, first, most
        self._text, self._at = "", 0
        self._ended = False

    def peek(self) -> str:
        """The first character of what comes next, "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._fill(1)

    def value(self) -> Any:
        """The value ahead: as json.loads gives it, or Packed if it is large."""
        found = self._small()
        if found is not _LARGE:
            return found
        into = bytearray()
        self._pack_large(into)
        return Packed(bytes(into))

    def small_object(self) -> dict[str, Any] | None:
        """The object ahead if it fits into a window; None if not, and then it is still ahead."""
        found = self._small()
        return found if isinstance(found, dict) else None

    def skip(self) -> None:
        """Read over the value ahead."""
        if self._small() is not _LARGE:
            return
        match self._text[self._at]:
            case "{":
                for _ in self.members():
                    self.skip()
            case "[":
                for _ in self._elements():
                    self.skip()
            case _:
                self._long_string()

    def members(self) -> Iterator[str]:
        """The keys of the object ahead; after each one its value has to be read."""
        self._take("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                raise BrokenTextError
            key = self._small()
            key = well_formed(self._long_string() if key is _LARGE else key)
            self._take(":")
            yield key
            if self._take(",}") == "}":
                return

    def _elements(self) -> Iterator[None]:
        """A turn for each value of the array ahead, which then has to be read."""
        self._take("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield
            if self._take(",]") == "]":
                return

    def _pack_large(self, into: bytearray) -> None:
        """Append the value ahead, which does not fit, as JSON."""
        match self._text[self._at]:
            case "{":
                before = b"{"
                for key in self.members():
                    into += before + orjson.dumps(key) + b":"
                    self._pack(into)
                    before = b","
                into += b"}" if before == b"," else b"{}"
            case "[":
                before = b"["
                for _ in self._elements():
                    into += before
                    self._pack(into)
                    before = b","
                into += b"]" if before == b"," else b"[]"
            case _:
                into += orjson.dumps(self._long_string())

    def _pack(self, into: bytearray) -> None:
        found = self._small()
        if found is _LARGE:
            self._pack_large(into)
        else:
            into += packed(found)

    def _small(self) -> Any:
        """The value ahead, or _LARGE, and then it is still ahead."""
        start, size = self.peek(), self._first
        while True:
            self._fill(size)
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise BrokenTextError from None
            except ValueError:
                end = len(self._text)
            else:
                # The text may end in the middle of a number
                if self._ended or self._text[end - 1] in '"]}' or self._left(end) >= _NUMBER_TAIL:
                    self._at = end
                    return found
            if self._ended:
                raise BrokenTextError
            if self._left(self._at) >= self._most:
                if start and start in '"[{':
                    return _LARGE
                raise BrokenTextError
            size = self._left(self._at) * 2

    def _long_string(self) -> str:
        """The string ahead, however long."""
        self._take('"')
        parts = []
        while True:
            self._fill(_ESCAPE_LENGTH)
            if found := _RUN.match(self._text, self._at):
                parts.append(found[0])
                self._at = found.end()
            self._fill(_ESCAPE_LENGTH)
            match self._text[self._at : self._at + 1]:
                case '"':
                    self._at += 1
                    return well_formed("".join(parts))
                case "\\":
                    escape = _ESCAPE.match(self._text, self._at)
                    if escape is None:
                        raise BrokenTextError
                    parts.append(json.loads(f'"{escape[0]}"'))
                    self._at = escape.end()
                case "":
                    raise BrokenTextError

    def _take(self, one_of: str) -> str:
        found = self.peek()
        if not found or found not in one_of:
            raise BrokenTextError
        self._at += 1
        return found

    def _left(self, start: int) -> int:
        return len(self._text) - start

    def _fill(self, size: int) -> None:
        """Have `size` characters ahead, or all that there are."""
        if self._ended or self._left(self._at) >= size:
            return
        parts = [self._text[self._at :]]
        length = len(parts[0])
        while length < size:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                break
            parts.append(piece)
            length += len(piece)
        self._text, self._at = "".join(parts), 0


def packed(value: Any) -> bytes:
    """`value`, as json.loads gave it, as JSON; what no JSON of ours may hold is made good.

    Raises: BrokenTextError for what is nested deeper than can be written.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        pass
    try:
        return orjson.dumps(mended(value))
    except (TypeError, RecursionError):
        raise BrokenTextError from None


def mended(value: Any) -> Any:
    """`value` without lone surrogates and infinities; integers of more than 64 bits as text."""
    match value:
        case str():
            return well_formed(value)
        case int() if not _LEAST_INT <= value <= _MOST_INT:
            return str(value)
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {well_formed(key): mended(one) for key, one in value.items()}
        case list():
            return [mended(one) for one in value]
    return value


def well_formed(text: str) -> str:
    """`text` with its surrogates joined in pairs, and lone ones replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
