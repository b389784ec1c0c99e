"""Retrieving where HealthImaging has no DICOMweb: from the metadata of image sets, and frames.

Source: botocore's service model of medical-imaging, API 2023-07-19 (documented).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import orjson

from gateway.errors import (
    NotAcceptableError,
    NotFoundError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.healthimaging.blob import FRAMES
from gateway.healthimaging.errors import error_as
from gateway.healthimaging.fetching import NOT_GIVEN, NOT_THERE
from gateway.healthimaging.framing import Frames, encapsulated, native, parts
from gateway.healthimaging.locating import UNREAD, Locating
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
    NATIVE,
    Composed,
    NotComposableError,
    composed,
)
from gateway.wado.media import MEDIA_TYPE_OF, OCTETS
from gateway.wado.upstream import STORED, Incoming, Place

_CHUNK_BYTES = 64 * 1024
_UNFIT = frozenset(
    # Deflated as a whole, or in another byte order: they would have to be made anew
    ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
)


@dataclass(frozen=True, slots=True)
class _Stored:
    """One instance: its frames' IDs and their transfer syntax; `json` where it was asked for."""

    frames: tuple[str, ...]
    syntax: str
    json: bytes = field(default=b"", repr=False)


class ImageSets:
    """What one data store holds, as its image sets tell it; `locating` joins no places."""

    def __init__(self, frames: Frames, locating: Locating) -> None:
        self._frames, self._locating = frames, locating

    async def places(
        self, study_uid: str, series_uid: str = "", *, recent: bool = False
    ) -> Sequence[Place]:
        """The places of a study, or of one of its series, by SeriesNumber and SeriesInstanceUID.

        Raises: NotFoundError, UpstreamError, ResultTooLargeError.
        """
        return await self._locating.places(study_uid, series_uid, recent=recent)

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
            instances = (self._instance_of(found, place, sop_instance_uid),)
        return await _incoming("application/dicom+json", _array(found, instances))

    async def instance(self, place: Place, sop_instance_uid: str, syntax: str) -> Incoming:
        """An instance as a Part 10 file, composed of its metadata and frames.

        Raises: NotFoundError, NotAcceptableError, UpstreamError, ResultTooLargeError.
        """
        found = await self._read(place, None)
        one = self._instance_of(found, place, sop_instance_uid)
        stored = _stored_of(one, await asyncio.to_thread(_json_of, found, one))
        if not stored.frames and stored.syntax not in NATIVE:
            stored = _Stored((), EXPLICIT_LITTLE_ENDIAN, stored.json)
        if syntax not in (STORED, stored.syntax) or stored.syntax in _UNFIT:
            raise NotAcceptableError(NOT_GIVEN)
        try:
            file = await asyncio.to_thread(composed, stored.json, stored.syntax)
        except NotComposableError:
            raise error_as(UpstreamRejectedError) from None
        content_type = f"application/dicom; transfer-syntax={stored.syntax}"
        if not stored.frames:
            return await _incoming(content_type, _plain(file))
        bodies = self._frames.bodies(place.image_set_id, stored.frames)
        if stored.syntax in NATIVE:
            chunks = native(bodies, len(stored.frames), file, stored.json, stored.syntax)
        else:
            chunks = encapsulated(bodies, file, stored.json, stored.syntax)
        return await self._begun(place, content_type, chunks)

    async def frames(
        self, place: Place, sop_instance_uid: str, numbers: Sequence[int], syntax: str
    ) -> Incoming:
        """Frames of an instance, counted from 1, one a part of a multipart/related body.

        Raises: NotFoundError, NotAcceptableError, UpstreamError, ResultTooLargeError.
        """
        found = await self._read(place, frozenset((FRAMES,)))
        stored = _stored_of(self._instance_of(found, place, sop_instance_uid))
        if not all(1 <= number <= len(stored.frames) for number in numbers):
            raise NotFoundError(NOT_THERE)
        if syntax not in (STORED, stored.syntax):
            raise NotAcceptableError(NOT_GIVEN)
        boundary = secrets.token_hex(16)
        media_type = MEDIA_TYPE_OF.get(stored.syntax, OCTETS)
        part = f"Content-Type: {media_type}; transfer-syntax={stored.syntax}"
        ids = [stored.frames[number - 1] for number in numbers]
        chunks = parts(self._frames.bodies(place.image_set_id, ids), part, boundary)
        content_type = f'multipart/related; type="{media_type}"; boundary={boundary}'
        return await self._begun(place, content_type, chunks)

    async def bulk_data(self, place: Place, sop_instance_uid: str, path: str) -> Incoming:
        """Nothing: the metadata of image sets has no BulkDataURI.

        Raises: NotFoundError.
        """
        raise NotFoundError(NOT_THERE)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._frames.aclose()

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

    async def _begun(
        self, place: Place, content_type: str, chunks: AsyncGenerator[bytes, None]
    ) -> Incoming:
        try:
            return await _incoming(content_type, chunks)
        except NotFoundError:
            self._locating.forget(place)
            raise

    def _instance_of(
        self, metadata: Metadata, place: Place, sop_instance_uid: str
    ) -> PackedInstance:
        for one in metadata.instances:
            if one.sop_instance_uid == sop_instance_uid:
                return one
        self._locating.forget(place)  # a newer version may have it
        raise NotFoundError(NOT_THERE)


async def _incoming(content_type: str, chunks: AsyncGenerator[bytes, None]) -> Incoming:
    """What `chunks` give; begun, so that it is closed also where nobody reads it."""
    await anext(chunks)
    return Incoming(content_type, chunks)


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


def _stored_of(instance: PackedInstance, json: bytes = b"") -> _Stored:
    body = orjson.loads(instance.body)
    syntax = body.get("StoredTransferSyntaxUID") or DEFAULT_SYNTAX
    return _Stored(tuple(body.get(FRAMES, ())), str(syntax), json)
