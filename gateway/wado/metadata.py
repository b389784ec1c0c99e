"""Metadata as it streams: a DICOM JSON array taken apart into its instances, each as it is written.

Nothing is written anew but what has to change, so that what the upstream tells is what the client
reads. No step is long: a call into C holds the event loop until it returns, so that what does not
fit into a window is descended into, value by value.

Source: PS3.18 Annex F.2 (DICOM JSON), §10.4.1.1.4 (metadata resources).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import UpstreamUnavailableError
from gateway.wado.plain import plain_instance
from gateway.wado.sound import is_sound_attribute, uid_in

WINDOW = 256 * 1024
"""Characters that are parsed in one step at most: a few milliseconds."""

MAX_INSTANCE = 64 * 1024 * 1024
"""Characters that one instance may have, and one value of it."""

_SPACE = re.compile(r"[ \t\n\r]*")
_TOKEN = 16  # the longest literal, of which the text may end in the middle
_NUMBER_TAIL = 4
_UID_TAG = "00080018"
# No number is looked at, and Python makes no integer of more than 4,300 digits
_LENIENT = json.JSONDecoder(strict=False, parse_int=float)


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of an array: what is written there, its SOPInstanceUID, "" where it has none.

    Where it is not `is_sound` it is no instance that a client can be given.
    """

    text: str = field(repr=False)
    sop_instance_uid: str = field(repr=False)
    is_sound: bool


class _Large:
    """The value ahead does not fit into a window."""


_LARGE = _Large()
_Reading = Generator[Instance | None, None, Any]  # None asks for more text


class InstanceReader:
    """Reads instances out of an array whose chunks are fed to it.

    No more is held than one instance and one chunk.
    """

    def __init__(self, window: int = WINDOW, most: int = MAX_INSTANCE) -> None:
        self._window, self._most = window, most
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._text, self._at = "", 0
        self._kept: list[str] = []  # what has been read of the instance ahead
        self._size = 0
        self._is_json = True
        self._ended = False
        # NaN and the infinities are no JSON, but they are written
        self._decoder = json.JSONDecoder(parse_constant=self._constant, parse_int=float)
        self._reading = self._instances()

    def feed(self, chunk: bytes) -> Iterator[Instance]:
        """The instances that end in `chunk`; all have to be asked for before the next one is fed.

        Raises: UpstreamUnavailableError where this is no array.
        """
        self._text, self._at = self._text[self._at :] + self._decode(chunk), 0
        yield from self._found()

    def end(self) -> Iterator[Instance]:
        """The instances that are left when there are no more chunks.

        Raises: UpstreamUnavailableError where the array is not over.
        """
        self._text, self._at = self._text[self._at :] + self._decode(b"", True), 0
        self._ended = True
        yield from self._found()

    def _found(self) -> Iterator[Instance]:
        try:
            for one in self._reading:
                if one is None:
                    return
                yield one
        except RecursionError:
            raise _broken() from None

    def _constant(self, _: str) -> None:
        self._is_json = False

    def _instances(self) -> _Reading:
        if (yield from self._peek()) == "{":  # one alone
            yield (yield from self._instance())
        else:
            yield from self._array()
        if (yield from self._peek()):
            raise _broken()

    def _array(self) -> _Reading:
        yield from self._take("[")
        if (yield from self._peek()) == "]":
            self._advance(self._at + 1)
            return
        while True:
            yield from self._peek()
            yield (yield from self._instance())
            if (yield from self._take(",]")) == "]":
                return

    def _instance(self) -> Generator[None, None, Instance]:
        end, uid = plain_instance(self._text, self._at, self._at + self._window)
        if end:
            text, self._at = self._text[self._at : end], end
            return Instance(text, uid, True)
        self._kept, self._size, self._is_json = [], 0, True
        found = yield from self._whole()
        if isinstance(found, dict):
            uid = uid_in(found.get(_UID_TAG))
            sound = all(is_sound_attribute(tag, value) for tag, value in found.items())
        else:
            uid, sound = "", False
            if found is _LARGE and self._text[self._at] == "{":
                uid, sound = yield from self._large_instance()
            elif found is _LARGE:
                yield from self._skip_large()
        text, self._kept = "".join(self._kept), []
        return Instance(text, uid, sound and bool(uid) and self._is_json)

    def _large_instance(self) -> Generator[None, None, tuple[str, bool]]:
        """Read an instance attribute by attribute: its SOPInstanceUID, and whether it is sound."""
        uid, sound = "", True
        yield from self._take("{")
        if (yield from self._peek()) == "}":
            self._advance(self._at + 1)
            return uid, sound
        while True:
            tag = yield from self._key()
            yield from self._peek()
            value = yield from self._whole()
            if value is _LARGE:
                is_object = self._text[self._at] == "{"
                yield from self._skip_large()
                sound = sound and is_object
            else:
                sound = sound and is_sound_attribute(tag, value)
                uid = uid_in(value) if tag == _UID_TAG else uid
            if (yield from self._take(",}")) == "}":
                return uid, sound

    def _skip_large(self) -> Generator[None, None, None]:
        """Read over the container ahead, which does not fit into a window."""
        is_object = (yield from self._take("{[")) == "{"
        closing = "}" if is_object else "]"
        if (yield from self._peek()) == closing:
            self._advance(self._at + 1)
            return
        while True:
            if is_object:
                yield from self._key()
            yield from self._peek()
            if (yield from self._whole()) is _LARGE:
                yield from self._skip_large()
            if (yield from self._take("," + closing)) == closing:
                return

    def _key(self) -> Generator[None, None, str]:
        yield from self._peek()
        key = yield from self._whole()
        if not isinstance(key, str):
            raise _broken()
        yield from self._take(":")
        return key

    def _whole(self) -> Generator[None, None, Any]:
        """The value ahead, or _LARGE, and then it is still ahead."""
        while True:
            try:
                found, end = self._parsed()
            except RecursionError:
                return _LARGE
            except json.JSONDecodeError as exc:
                in_string = exc.msg.startswith("Unterminated")
                if self._ended or (not in_string and exc.pos < len(self._text) - _TOKEN):
                    raise _broken() from None
            else:
                # A number may go on in the next chunk: "1" as 1.5 or 1e+5
                tail = _NUMBER_TAIL if isinstance(found, int | float) else 0
                if end + tail < len(self._text) or self._ended:
                    self._advance(end)
                    return found
            left = len(self._text) - self._at
            if left >= self._window and self._text[self._at] in "{[":
                return _LARGE
            if left > self._most:
                raise _broken()
            # Each try reads all of it again
            while len(self._text) - self._at < left + left // 2 + 1 and not self._ended:
                yield None

    def _parsed(self) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, self._at)
        except json.JSONDecodeError as exc:
            if not exc.msg.startswith("Invalid control"):
                raise
        self._is_json = False
        return _LENIENT.raw_decode(self._text, self._at)

    def _take(self, one_of: str) -> Generator[None, None, str]:
        found = yield from self._peek()
        if not found or found not in one_of:
            raise _broken()
        self._advance(self._at + 1)
        return found

    def _peek(self) -> Generator[None, None, str]:
        """The first character of what comes next, "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            if space and space.end() > self._at:
                self._advance(space.end())
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            yield None

    def _advance(self, end: int) -> None:
        self._size += end - self._at
        if self._size > self._most:
            raise _broken()
        self._kept.append(self._text[self._at : end])
        self._at = end


def _broken() -> UpstreamUnavailableError:
    return UpstreamUnavailableError("HealthImaging's metadata can't be read as a JSON array.")


_BULK_DATA = re.compile(r'("BulkDataURI"\s*:\s*)("(?:[^"\\]|\\.)*")')
_PLACE = re.compile(r"(?:^|/)((?:bulkdata/|frames(?:/|$))[^?#]*)")


def with_own_uris(text: str, instance_url: str) -> str:
    """An instance's text with its BulkDataURIs under `instance_url`, by which clients reach it.

    One that names neither bulk data nor frames stays as it is.
    """
    if '"BulkDataURI"' not in text:
        return text

    def own(found: re.Match[str]) -> str:
        uri = json.loads(found[2], strict=False)
        place = _PLACE.search(uri)
        return found[1] + json.dumps(f"{instance_url}/{place[1]}") if place else found[0]

    return _BULK_DATA.sub(own, text)
