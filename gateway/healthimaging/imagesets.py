"""Retrieving where HealthImaging has no DICOMweb: from the metadata of image sets, and frames.

Source: botocore's service model of medical-imaging, API 2023-07-19 (documented).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from gateway.errors import (
    NotAcceptableError,
    NotFoundError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.healthimaging.blob import FRAMES
from gateway.healthimaging.body import Body
from gateway.healthimaging.errors import error_as
from gateway.healthimaging.fetching import NOT_GIVEN, NOT_THERE
from gateway.healthimaging.locating import UNREAD, Locating
from gateway.healthimaging.metrics import Meters, attempts_of, outcome_of
from gateway.healthimaging.pacing import Pace
from gateway.qido.attributes import Level
from gateway.qido.dicomjson import encode
from gateway.qido.elements import elements_of
from gateway.qido.result import Result
from gateway.search.imageset import ImageSet
from gateway.search.instance import DEFAULT_SYNTAX, instance_values
from gateway.search.metadata import Metadata, PackedInstance
from gateway.search.upstream import Names
from gateway.wado.composing import (
    EXPLICIT_LITTLE_ENDIAN,
    FRAGMENTS_BEGIN,
    FRAGMENTS_END,
    NATIVE,
    Composed,
    NotComposableError,
    composed,
    fragment_head,
    pixels_head,
)
from gateway.wado.media import MEDIA_TYPE_OF
from gateway.wado.upstream import STORED, Incoming, Place

AHEAD = 4
"""Frames of one request that are asked for before those in front of them have been read."""

_OCTETS = "application/octet-stream"
_CHUNK_BYTES = 64 * 1024
_MOST_BYTES = 0xFFFFFFFE  # what the length of an element can say
_UNFIT = frozenset(
    # Deflated as a whole, or in another byte order: they would have to be made anew
    ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
)


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


@dataclass(frozen=True, slots=True)
class _Stored:
    """One instance: its frames' IDs and their transfer syntax; `json` where it was asked for."""

    frames: tuple[str, ...]
    syntax: str
    json: bytes = field(default=b"", repr=False)


class ImageSets:
    """What one data store holds, as its image sets tell it; `locating` joins no places."""

    def __init__(self, calls: FrameCalls, locating: Locating, meters: Meters, pace: Pace) -> None:
        self._calls, self._locating, self._meters, self._pace = calls, locating, meters, pace

    async def places(self, study_uid: str, series_uid: str = "") -> Sequence[Place]:
        """The places of a study, or of one of its series, by SeriesNumber and SeriesInstanceUID.

        Raises: NotFoundError, UpstreamError, ResultTooLargeError.
        """
        return await self._locating.places(study_uid, series_uid)

    async def instances(self, place: Place) -> Sequence[str]:
        """The SOPInstanceUIDs at a place, by InstanceNumber and UID.

        Raises: NotFoundError, UpstreamError, ResultTooLargeError.
        """
        return await self._locating.instances(place)

    async def metadata(self, place: Place, sop_instance_uid: str = "") -> Incoming:
        """The metadata of all instances at a place, or of one: a DICOM JSON array.

        Raises: NotFoundError, UpstreamError, ResultTooLargeError.
        """
        found = await self._read(place, None)
        instances = found.instances
        if sop_instance_uid:
            instances = (_instance_of(found, sop_instance_uid),)
        return await _incoming("application/dicom+json", _array(found, instances))

    async def instance(self, place: Place, sop_instance_uid: str, syntax: str) -> Incoming:
        """An instance as a Part 10 file, composed of its metadata and frames.

        Raises: NotFoundError, NotAcceptableError, UpstreamError, ResultTooLargeError.
        """
        found = await self._read(place, None)
        one = _instance_of(found, sop_instance_uid)
        stored = _stored_of(one, await asyncio.to_thread(_json_of, found, one))
        if not stored.frames and stored.syntax not in NATIVE:
            stored = _Stored((), EXPLICIT_LITTLE_ENDIAN, stored.json)
        if syntax not in (STORED, stored.syntax) or stored.syntax in _UNFIT:
            raise NotAcceptableError(NOT_GIVEN)
        try:
            file = await asyncio.to_thread(composed, stored.json, stored.syntax)
        except NotComposableError:
            raise error_as(UpstreamRejectedError) from None
        if not stored.frames:
            chunks = _plain(file)
        elif stored.syntax in NATIVE:
            chunks = self._native(place, stored, file)
        else:
            chunks = self._encapsulated(place, stored, file)
        return await _incoming(f"application/dicom; transfer-syntax={stored.syntax}", chunks)

    async def frames(
        self, place: Place, sop_instance_uid: str, numbers: Sequence[int], syntax: str
    ) -> Incoming:
        """Frames of an instance, counted from 1, one a part of a multipart/related body.

        Raises: NotFoundError, NotAcceptableError, UpstreamError, ResultTooLargeError.
        """
        found = await self._read(place, frozenset((FRAMES,)))
        stored = _stored_of(_instance_of(found, sop_instance_uid))
        if not all(1 <= number <= len(stored.frames) for number in numbers):
            raise NotFoundError(NOT_THERE)
        if syntax not in (STORED, stored.syntax):
            raise NotAcceptableError(NOT_GIVEN)
        boundary = secrets.token_hex(16)
        media_type = MEDIA_TYPE_OF.get(stored.syntax, _OCTETS)
        part = f"Content-Type: {media_type}; transfer-syntax={stored.syntax}\r\n\r\n"
        ids = [stored.frames[number - 1] for number in numbers]
        return await _incoming(
            f'multipart/related; type="{media_type}"; boundary={boundary}',
            self._parts(place, ids, f"--{boundary}\r\n{part}".encode(), boundary),
        )

    async def bulk_data(self, place: Place, sop_instance_uid: str, path: str) -> Incoming:
        """Nothing: the metadata of image sets has no BulkDataURI.

        Raises: NotFoundError.
        """
        raise NotFoundError(NOT_THERE)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._calls.aclose()

    # --- reading ----------------------------------------------------------------------------------

    async def _read(self, place: Place, names: Names) -> Metadata:
        image_set = ImageSet(
            place.image_set_id, {"DICOMSeriesInstanceUID": place.series_uid}, place.version
        )
        try:
            found = await self._locating.metadata(image_set, names)
        except NotFoundError:
            self._locating.forget(place)
            raise
        if not found.whole:
            raise UpstreamUnavailableError(UNREAD)
        return found

    # --- frames -----------------------------------------------------------------------------------

    async def _parts(
        self, place: Place, ids: Sequence[str], head: bytes, boundary: str
    ) -> AsyncGenerator[bytes, None]:
        before = b""
        async with aclosing(self._bodies(place, ids)) as bodies:
            async for body in bodies:
                if not before:
                    yield b""  # the first frame is there: what follows can only be cut
                yield before + head
                before = b"\r\n"
                async with aclosing(body.chunks()) as chunks:
                    async for chunk in chunks:
                        yield chunk
        yield f"\r\n--{boundary}--\r\n".encode()

    async def _encapsulated(
        self, place: Place, stored: _Stored, file: Composed
    ) -> AsyncGenerator[bytes, None]:
        begun = False
        async with aclosing(self._bodies(place, stored.frames)) as bodies:
            async for body in bodies:
                if not begun:
                    begun = True
                    yield b""
                    head = pixels_head(stored.json, stored.syntax, None)
                    yield file.head + head + FRAGMENTS_BEGIN
                size, chunks = await _sized(body)
                async with aclosing(chunks):
                    yield fragment_head(size + size % 2)
                    async for chunk in chunks:
                        yield chunk
                    if size % 2:
                        yield b"\0"
        yield FRAGMENTS_END + file.tail

    async def _native(
        self, place: Place, stored: _Stored, file: Composed
    ) -> AsyncGenerator[bytes, None]:
        first = total = 0
        async with aclosing(self._bodies(place, stored.frames)) as bodies:
            async for body in bodies:
                size, chunks = await _sized(body)
                async with aclosing(chunks):
                    if not total:
                        first, total = size, size * len(stored.frames)
                        if not 0 < total <= _MOST_BYTES:
                            raise NotAcceptableError(NOT_GIVEN)
                        yield b""
                        head = pixels_head(stored.json, stored.syntax, total + total % 2)
                        yield file.head + head
                    if size != first:  # the length has been said
                        raise error_as(UpstreamUnavailableError)
                    async for chunk in chunks:
                        yield chunk
        yield b"\0" * (total % 2) + file.tail

    async def _bodies(self, place: Place, ids: Sequence[str]) -> AsyncGenerator[Body, None]:
        """The frames in order, each to be read before the next; some are asked for ahead."""
        coming: deque[asyncio.Task[Body]] = deque()
        left = iter(ids)
        try:
            while True:
                while len(coming) < AHEAD and (frame_id := next(left, "")):
                    coming.append(asyncio.create_task(self._frame(place, frame_id)))
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

    async def _frame(self, place: Place, frame_id: str) -> Body:
        await self._pace.turn()
        try:
            body = await self._calls.image_frame(place.image_set_id, frame_id)
        except BaseException as exc:
            self._meters.call("GetImageFrame", outcome_of(exc), attempts_of(exc))
            raise
        self._meters.call("GetImageFrame", "ok", body.attempts)
        if body.is_gone:
            self._locating.forget(place)
            raise NotFoundError(NOT_THERE)
        return body


async def _incoming(content_type: str, chunks: AsyncGenerator[bytes, None]) -> Incoming:
    """What `chunks` give; begun, so that it is closed also where nobody reads it."""
    await anext(chunks)
    return Incoming(content_type, chunks)


async def _sized(body: Body) -> tuple[int, AsyncGenerator[bytes, None]]:
    """How many bytes a body has, and those: gathered where it does not say."""
    if body.size is not None:
        return body.size, body.chunks()
    async with aclosing(body.chunks()) as chunks:
        whole = b"".join([chunk async for chunk in chunks])

    async def given() -> AsyncGenerator[bytes, None]:
        yield whole

    return len(whole), given()


async def _plain(file: Composed) -> AsyncGenerator[bytes, None]:
    yield b""
    yield file.head + file.tail


async def _array(
    metadata: Metadata, instances: Sequence[PackedInstance]
) -> AsyncGenerator[bytes, None]:
    yield b""
    pending, before = bytearray(b"["), b""
    for one in instances:
        pending += before + _json_of(metadata, one)
        before = b","
        if len(pending) >= _CHUNK_BYTES:
            yield bytes(pending)
            pending.clear()
        await asyncio.sleep(0)  # each takes about a millisecond, and others have their turn
    yield bytes(pending) + b"]"


def _json_of(metadata: Metadata, instance: PackedInstance) -> bytes:
    """An instance as an object of DICOM JSON, all that is known of it."""
    read = instance_values(metadata, instance, None)
    return encode(elements_of(Result(Level.INSTANCE, read.values, read.vrs), (), everything=True))


def _instance_of(metadata: Metadata, sop_instance_uid: str) -> PackedInstance:
    for one in metadata.instances:
        if one.sop_instance_uid == sop_instance_uid:
            return one
    raise NotFoundError(NOT_THERE)


def _stored_of(instance: PackedInstance, json: bytes = b"") -> _Stored:
    body = orjson.loads(instance.body)
    syntax = body.get("StoredTransferSyntaxUID") or DEFAULT_SYNTAX
    return _Stored(tuple(body.get(FRAMES, ())), str(syntax), json)
