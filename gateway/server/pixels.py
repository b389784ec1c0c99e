"""Rendered frames: what is fetched for one, and the few threads in which they are made."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import orjson

from gateway.errors import (
    NotAcceptableError,
    NotFoundError,
    QueryError,
    RequestError,
    ResultTooLargeError,
    UpstreamUnavailableError,
)
from gateway.imaging.decoding import (
    EXPLICIT_LITTLE_ENDIAN,
    array_of,
    explicit_little_endian,
    order_is_unknown,
)
from gateway.imaging.description import (
    FrameDescription,
    describe,
    frames_of,
    has_pixels,
    layout_of,
    tables_elsewhere,
)
from gateway.imaging.rendering import Look, render
from gateway.server.kept import KeptImages
from gateway.server.places import NOT_GIVEN, all_instances, at_first
from gateway.server.streams import only_part
from gateway.wado.media import SYNTAXES_OF, media_type_of
from gateway.wado.requests import Target, bulk_path_in
from gateway.wado.upstream import STORED, Incoming, Place, Retrieval

MAX_METADATA_BYTES = 64 * 1024 * 1024
MAX_TABLE_BYTES = 256 * 1024
"""Twice what the largest lookup table has."""
MAX_SERIES_TRIED = 16
"""Series of a study that are asked for an image that stands for it."""

NO_PIXELS = "There are no pixels, so that nothing can be rendered."
_LONG_BYTES = 256 * 1024  # JSON of this size is read in a few milliseconds
_ODD_BYTES = 64 * 1024  # what a small frame's headers may add to it
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """An instance: where it lies, and its metadata."""

    place: Place
    sop_instance_uid: str = field(repr=False)
    metadata: dict[str, Any] = field(repr=False)


class Pixels:
    """Renders the frames of what a `Retrieval` holds.

    `threads` frames are decoded at once, and four times as many held for it. A frame whose client
    leaves before its turn is not decoded.
    """

    def __init__(self, retrieval: Retrieval, threads: int = 2) -> None:
        self._retrieval = retrieval
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pixels")
        self._held = asyncio.Semaphore(4 * threads)
        self._kept = KeptImages()

    async def instance(self, target: Target) -> Found:
        """The instance that a target names.

        Raises: NotFoundError, UpstreamError.
        """
        uid = target.sop_instance_uid
        return await at_first(self._retrieval, target, lambda place: self._at(place, uid))

    async def representative(self, target: Target) -> Found:
        """The instance that stands for a target.

        Of a series the middle one, of a study that of its first series that has an image there.

        Raises: NotFoundError, UpstreamError, NotAcceptableError where there is no image.
        """
        if target.sop_instance_uid:
            return await self.instance(target)
        fault: RequestError = NotAcceptableError(NO_PIXELS)
        for place in await self._places_tried(target):
            try:
                if (found := await self._middle(place)) is not None:
                    return found
            except NotFoundError as exc:  # gone since it was found, unlike others perhaps
                fault = exc
        raise fault

    async def thumbnail(self, target: Target, look: Look) -> bytes:
        """The image of the frame that stands for a study or series; it is kept.

        Raises: as `representative` and `rendered`.
        """
        fault: RequestError = NotAcceptableError(NO_PIXELS)
        for place in await self._places_tried(target):
            image = self._kept.get(place, look)
            if image is None:
                try:
                    found = await self._middle(place)
                    image = b"" if found is None else await self.rendered(found, 1, look)
                # Another series may stand for the study
                except (NotAcceptableError, NotFoundError) as exc:
                    fault = exc
                    continue
                self._kept.put(place, look, image)
            if image:
                return image
        raise fault

    async def images(self, target: Target) -> AsyncGenerator[Found, None]:
        """All instances of a target that have pixels, in order.

        Raises: NotFoundError, UpstreamError.
        """
        if target.sop_instance_uid:
            yield await self.instance(target)
            return
        async with aclosing(all_instances(self._retrieval, target)) as listed:
            async for place, uid in listed:
                try:
                    found = await self._at(place, uid)
                except NotFoundError as exc:  # to leave it out would only look whole
                    raise UpstreamUnavailableError(NOT_GIVEN) from exc
                if has_pixels(found.metadata):
                    yield found

    async def rendered(self, found: Found, number: int, look: Look) -> bytes:
        """The image file of a frame, counted from 1.

        Raises: NotFoundError, NotAcceptableError, QueryError, UpstreamError.
        """
        frames_of(found.metadata)
        await self._complete(found)
        description = describe(found.metadata, number)
        async with self._held:
            frame, syntax = await self._frame(found, number, description)
            if order_is_unknown(syntax, description):
                wanted = EXPLICIT_LITTLE_ENDIAN
                frame, syntax = await self._frame(found, number, description, wanted)

            def make() -> bytes:
                return render(array_of(frame, syntax, description), description, look)

            return await self._in_thread(make)

    async def decoded(self, found: Found, number: int) -> bytes:
        """A frame, counted from 1, as Explicit VR Little Endian has it.

        Raises: NotFoundError, NotAcceptableError, UpstreamError.
        """
        description = layout_of(found.metadata, number)
        async with self._held:
            frame, syntax = await self._frame(found, number, description)
            return await self._in_thread(
                partial(explicit_little_endian, frame, syntax, description)
            )

    async def _places_tried(self, target: Target) -> Sequence[Place]:
        places = await self._retrieval.places(target.study_uid, target.series_uid)
        return places[:MAX_SERIES_TRIED]

    async def _middle(self, place: Place) -> Found | None:
        """The middle instance at a place, None where it has no pixels."""
        uids = await self._retrieval.instances(place)
        found = await self._at(place, uids[len(uids) // 2]) if uids else None
        return found if found is not None and has_pixels(found.metadata) else None

    async def _at(self, place: Place, uid: str) -> Found:
        body = await whole(await self._retrieval.metadata(place, uid), MAX_METADATA_BYTES)
        if len(body) <= _LONG_BYTES:
            return Found(place, uid, _instance_in(body))
        return Found(place, uid, await self._in_thread(partial(_instance_in, body)))

    async def _complete(self, found: Found) -> None:
        """Put the lookup tables into the metadata that only tell where theirs are."""
        for element in tables_elsewhere(found.metadata):
            try:
                path = bulk_path_in(element["BulkDataURI"])
            except QueryError:
                continue  # it can't be used, and is missed where the table is
            incoming = await self._retrieval.bulk_data(found.place, found.sop_instance_uid, path)
            table = await whole(incoming, MAX_TABLE_BYTES)
            element["InlineBinary"] = base64.b64encode(table).decode("ascii")

    async def _frame(
        self,
        found: Found,
        number: int,
        description: FrameDescription,
        wanted: str = STORED,
    ) -> tuple[bytes, str]:
        incoming = await self._retrieval.frames(
            found.place, found.sop_instance_uid, [number], wanted
        )
        async with aclosing(incoming):
            part = await only_part(incoming)
            # A frame that compressing made larger is still not much larger
            frame = await whole(part, 2 * description.frame_bytes + _ODD_BYTES)
        return frame, _syntax_of(part.content_type, found.metadata)

    async def _in_thread(self, make: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, make)


async def whole(incoming: Incoming, most: int) -> bytes:
    """A body of at most so many bytes.

    Raises: UpstreamError, ResultTooLargeError.
    """
    body = bytearray()
    async with aclosing(incoming):
        async for chunk in incoming.chunks:
            body += chunk
            if len(body) > most:
                raise ResultTooLargeError("The instance is too large to be decoded here.")
    return bytes(body)


def _syntax_of(content_type: str, metadata: dict[str, Any]) -> str:
    """The transfer syntax of a part: as it says, else as the metadata do, else by its type."""
    media_type, syntax = media_type_of(content_type)
    of_type = SYNTAXES_OF.get(media_type, SYNTAXES_OF["application/octet-stream"])
    if syntax and syntax != STORED:
        return syntax
    for tag in ("00083002", "00020010"):
        element = metadata.get(tag)
        told = element.get("Value") if isinstance(element, dict) else None
        if isinstance(told, list) and told and told[0] in of_type:
            return str(told[0])
    return of_type[0]


def _instance_in(body: bytes) -> dict[str, Any]:
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:  # what orjson refuses, such as NaN or a lone surrogate, is still read
            read = json.loads(body.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as exc:
            raise UpstreamUnavailableError("HealthImaging's metadata can't be read.") from exc
    one = read[0] if isinstance(read, list) and read else read
    if not isinstance(one, dict):
        raise UpstreamUnavailableError("HealthImaging's metadata can't be read.")
    return one
