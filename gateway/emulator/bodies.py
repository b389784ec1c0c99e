"""Bodies of DICOMweb: frames as parts, and files in chunks, so that memory stays bounded."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from gateway.emulator.accepting import MEDIA_TYPES, MULTIPART, OCTETS
from gateway.emulator.dicomjson import Bulk
from gateway.emulator.layout import Layout, stored_frame
from gateway.emulator.transcoding import frame_as

CHUNK_BYTES = 1 << 20
"""How much of a file is read at once; a frame that is no longer is read without a thread."""


async def read_frame(path: str, layout: Layout, index: int, syntax: str) -> bytes:
    """One frame in a transfer syntax; what only has to be read is read at once."""
    if syntax == layout.syntax and layout.parts and layout.size(index) <= CHUNK_BYTES:
        return stored_frame(path, layout, index)
    return await run_in_threadpool(frame_as, path, layout, index, syntax)


def parts_answer(
    path: str, layout: Layout, numbers: Sequence[int], syntax: str, first: bytes
) -> Response:
    """Frames as multipart/related; `first` is the first of them."""
    kind, boundary = MEDIA_TYPES.get(syntax, OCTETS), uuid.uuid4().hex
    whole = f'{MULTIPART}; type="{kind}"; boundary={boundary}'
    head = f"--{boundary}\r\nContent-Type: {kind}; transfer-syntax={syntax}\r\n\r\n".encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    if len(numbers) == 1:
        return Response(b"".join((head, first, tail)), media_type=whole)

    async def pieces() -> AsyncIterator[bytes]:
        yield head + first
        for number in numbers[1:]:
            frame = await read_frame(path, layout, number - 1, syntax)
            yield b"".join((b"\r\n", head, frame))
        yield tail

    return StreamingResponse(pieces(), media_type=whole)


def file_answer(path: str, start: int, length: int, media_type: str) -> Response:
    """So many bytes of a file from a place in it, a chunk at a time."""

    async def pieces() -> AsyncIterator[bytes]:
        file = await run_in_threadpool(os.open, path, os.O_RDONLY)
        try:
            at, end = start, start + length
            while at < end:
                piece = await run_in_threadpool(os.pread, file, min(CHUNK_BYTES, end - at), at)
                if not piece:
                    raise OSError("the file has become shorter")
                at += len(piece)
                yield piece
        finally:
            os.close(file)

    headers = {"content-length": str(length)}
    return StreamingResponse(pieces(), headers=headers, media_type=media_type)


def bulk_answer(path: str, bulk: Bulk) -> Response:
    """A value that stands outside the metadata."""
    if bulk.value is not None:
        return Response(bulk.value, media_type=OCTETS)
    return file_answer(path, bulk.start, bulk.length, OCTETS)


def whole_file_answer(path: str, media_type: str) -> Response:
    """A file as it is.

    Raises: OSError.
    """
    return file_answer(path, 0, Path(path).stat().st_size, media_type)
