"""The text of a blob out of its bytes, gzipped or not, in pieces and within a bound."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator

from gateway.healthimaging.gunzipping import PIECE_BYTES, Gunzip
from gateway.search.metadata import Fault

GZIP_MAGIC = b"\x1f\x8b"


class BlobText:
    """Pieces of text out of `chunks` of bytes; what is not UTF-8 is replaced.

    `fault` says, once it has ended, why it ended too early. More than `max_bytes`, before or after
    inflating, are not read.
    """

    def __init__(self, chunks: Iterable[bytes], max_bytes: int) -> None:
        self.fault: Fault | None = None
        self.gzipped = False
        self._chunks = iter(chunks)
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        size = 0
        for piece in self._plain():
            size += len(piece)
            if size > self._max_bytes:
                self.fault = Fault.TOO_LARGE
                break
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)

    def _plain(self) -> Iterator[bytes]:
        """The bytes, inflated if they have to be."""
        start = b""
        for chunk in self._chunks:
            start += chunk
            if len(start) >= len(GZIP_MAGIC):
                break
        self.gzipped = start.startswith(GZIP_MAGIC)
        if self.gzipped:
            yield from self._inflated(start)
            return
        yield from _cut(start)
        for chunk in self._chunks:
            yield from _cut(chunk)

    def _inflated(self, start: bytes) -> Iterator[bytes]:
        gunzip, given, any_came = Gunzip(), 0, False
        try:
            for chunk in self._compressed(start):
                given += len(chunk)
                if given > self._max_bytes:
                    self.fault = Fault.TOO_LARGE
                    return
                for piece in gunzip.feed(chunk):
                    any_came = True
                    yield piece
            yield from gunzip.end()
        except EOFError:
            self.fault = Fault.NOT_JSON
        except zlib.error:
            self.fault = Fault.NOT_JSON if any_came else Fault.NOT_GZIP

    def _compressed(self, start: bytes) -> Iterator[bytes]:
        yield from _cut(start)
        for chunk in self._chunks:
            yield from _cut(chunk)


def _cut(chunk: bytes) -> Iterator[bytes]:
    return (chunk[at : at + PIECE_BYTES] for at in range(0, len(chunk), PIECE_BYTES))
