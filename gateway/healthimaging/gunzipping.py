"""What comes in gzip, inflated as it comes; what breaks off is never taken for whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE_BYTES = 64 * 1024
_GZIP_WBITS = 31


class Gunzip:
    """Inflates the chunks that are fed to it, of one gzip member or several."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(_GZIP_WBITS)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What `chunk` gives; all of it has to be asked for before the next one is fed.

        Raises: zlib.error.
        """
        rest = chunk
        while rest:
            if self._engine.eof:
                if not rest.strip(b"\0"):
                    return  # a file's padding
                self._engine = zlib.decompressobj(_GZIP_WBITS)
            if piece := self._engine.decompress(rest, PIECE_BYTES):
                yield piece
            rest = self._engine.unused_data or self._engine.unconsumed_tail

    def end(self) -> Iterator[bytes]:
        """What is left when there are no more chunks.

        Raises: zlib.error; EOFError where the body is not over.
        """
        while piece := self._engine.decompress(b"", PIECE_BYTES):
            yield piece
        if not self._engine.eof:
            raise EOFError
