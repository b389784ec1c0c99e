"""Frames of GetImageFrame, one after the other: as parts of a body, or as the pixels of a file."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from gateway.errors import NotAcceptableError, NotFoundError, UpstreamUnavailableError
from gateway.healthimaging.body import Body
from gateway.healthimaging.errors import error_as
from gateway.healthimaging.fetching import NOT_GIVEN, NOT_THERE
from gateway.healthimaging.metrics import Meters, attempts_of, outcome_of
from gateway.healthimaging.pacing import Pace
from gateway.wado.composing import (
    FRAGMENTS_BEGIN,
    FRAGMENTS_END,
    Composed,
    fragment_head,
    pixels_head,
)

AHEAD = 4
"""Frames of one request that are asked for before those in front of them have been read."""

_MOST_BYTES = 0xFFFFFFFE  # what the length of an element can say
Bodies = AsyncGenerator[Body, None]


class FrameCalls(Protocol):
    """The call that gives a frame."""

    async def image_frame(self, image_set_id: str, frame_id: str) -> Body:
        """One frame in its stored transfer syntax, still to be read; empty where it is not there.

        Raises: UpstreamError.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class Frames:
    """Makes the calls, each in its turn."""

    def __init__(self, calls: FrameCalls, meters: Meters, pace: Pace) -> None:
        self._calls, self._meters, self._pace = calls, meters, pace

    async def bodies(self, image_set_id: str, frame_ids: Sequence[str]) -> Bodies:
        """The frames in order, each to be read before the next; some are asked for ahead.

        Raises: UpstreamError; NotFoundError where one is not there.
        """
        coming: deque[asyncio.Task[Body]] = deque()
        left = iter(frame_ids)
        try:
            while True:
                while len(coming) < AHEAD and (frame_id := next(left, "")):
                    coming.append(asyncio.create_task(self._frame(image_set_id, frame_id)))
                if not coming:
                    return
                body = await coming[0]
                try:
                    yield body
                finally:
                    body.close()
                coming.popleft()
        finally:
            for task in coming:
                task.cancel()
            for found in await asyncio.gather(*coming, return_exceptions=True):
                if isinstance(found, Body):
                    found.close()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._calls.aclose()

    async def _frame(self, image_set_id: str, frame_id: str) -> Body:
        await self._pace.turn()
        try:
            body = await self._calls.image_frame(image_set_id, frame_id)
        except BaseException as exc:
            self._meters.call("GetImageFrame", outcome_of(exc), attempts_of(exc))
            raise
        self._meters.call("GetImageFrame", "ok", body.attempts)
        if body.is_gone:
            raise NotFoundError(NOT_THERE)
        return body


# What these give begins with b"", as soon as the first frame is there: what fails later is a cut


async def parts(bodies: Bodies, head: str, boundary: str) -> AsyncGenerator[bytes, None]:
    """A multipart body of frames, each under `head`, its header."""
    delimiter = f"--{boundary}\r\n{head}\r\n\r\n".encode()
    before = b""
    async with aclosing(bodies):
        async for body in bodies:
            if not before:
                yield b""
            yield before + delimiter
            before = b"\r\n"
            async with aclosing(body.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
    yield f"\r\n--{boundary}--\r\n".encode()


async def encapsulated(
    bodies: Bodies, file: Composed, dicom_json: bytes, syntax: str
) -> AsyncGenerator[bytes, None]:
    """A file with each frame in a fragment."""
    head = file.head + pixels_head(dicom_json, syntax, None) + FRAGMENTS_BEGIN
    async with aclosing(bodies):
        async for body in bodies:
            if head:
                yield b""
                yield head
                head = b""
            size, given = await _sized(body)
            async with aclosing(given):
                yield fragment_head(size + size % 2)
                async for chunk in given:
                    yield chunk
                if size % 2:
                    yield b"\0"
    yield FRAGMENTS_END + file.tail


async def native(
    bodies: Bodies, number: int, file: Composed, dicom_json: bytes, syntax: str
) -> AsyncGenerator[bytes, None]:
    """A file with its `number` frames as they are, all of one size.

    Raises: NotAcceptableError where they are too large for that.
    """
    first = total = 0
    async with aclosing(bodies):
        async for body in bodies:
            size, given = await _sized(body)
            async with aclosing(given):
                if not total:
                    first, total = size, size * number
                    if not 0 < total <= _MOST_BYTES:
                        raise NotAcceptableError(NOT_GIVEN)
                    yield b""
                    yield file.head + pixels_head(dicom_json, syntax, total + total % 2)
                if size != first:  # the length has been said
                    raise error_as(UpstreamUnavailableError)
                async for chunk in given:
                    yield chunk
    if end := b"\0" * (total % 2) + file.tail:
        yield end


async def _sized(body: Body) -> tuple[int, AsyncGenerator[bytes, None]]:
    """How many bytes a body has, and those: gathered where it does not say."""
    if body.size is not None:
        return body.size, body.chunks()
    async with aclosing(body.chunks()) as chunks:
        whole = b"".join([chunk async for chunk in chunks])

    async def given() -> AsyncGenerator[bytes, None]:
        yield whole

    return len(whole), given()
