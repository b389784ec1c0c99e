"""Opening what a target names: place after place, form after form."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from gateway.errors import NotAcceptableError, NotFoundError, UpstreamUnavailableError
from gateway.imaging.description import check_frames
from gateway.server.pixels import Pixels
from gateway.server.places import NOT_GIVEN, all_instances, at_first, of_each
from gateway.server.streams import (
    MadeOf,
    Opened,
    as_parts,
    looked_into,
    multipart_type,
    new_boundary,
    opened_ahead,
)
from gateway.wado.media import (
    ANY,
    BULK_OFFERED,
    DICOM,
    EXPLICIT_LITTLE_ENDIAN,
    FRAMES_OFFERED,
    INSTANCES_OFFERED,
    OCTETS,
    Form,
    covers,
    media_type_of,
    not_acceptable,
)
from gateway.wado.requests import Target
from gateway.wado.upstream import STORED, Incoming, Place, Retrieval


class Opening:
    """Opens bodies of one data store. Whoever is given one closes it.

    Each method raises NotFoundError, NotAcceptableError and UpstreamError.
    """

    def __init__(self, retrieval: Retrieval, pixels: Pixels) -> None:
        self._retrieval, self._pixels = retrieval, pixels

    async def instance(self, target: Target, forms: Sequence[Form]) -> tuple[Form, Incoming]:
        """An instance in the first of `forms` in which it can be had."""
        retrieval, uid = self._retrieval, target.sop_instance_uid

        async def file(syntax: str) -> Incoming:
            return await at_first(retrieval, target, lambda p: retrieval.instance(p, uid, syntax))

        return await _in_a_form(file, forms)

    def instances(self, target: Target, forms: Sequence[Form]) -> AsyncGenerator[Opened, None]:
        """All instances of a study or series, one after the other, the next one opened ahead."""
        return opened_ahead(self._instances(target, forms))

    def metadata(self, target: Target) -> AsyncGenerator[Opened, None]:
        """The metadata of a study, a series or an instance, place after place."""
        return opened_ahead(self._metadata(target))

    async def frames(
        self, target: Target, numbers: Sequence[int], forms: Sequence[Form]
    ) -> tuple[Form, Incoming]:
        """Frames in the first of `forms` in which they can be had."""
        refused: set[str] = set()
        stored_type = ""
        for form in forms:
            known = stored_type if form.syntax == STORED else ""
            if form.syntax in refused or (known and not covers(form.media_range, known)):
                continue
            try:
                found = await self._frames(target, numbers, form.syntax)
            except NotAcceptableError:
                refused.add(form.syntax)
                continue
            if form.media_range == ANY:
                return form, found
            stored_type, found = await _typed(found)
            if covers(form.media_range, stored_type):
                return form, found
            await found.aclose()
        raise not_acceptable(FRAMES_OFFERED)

    async def bulk_data(
        self, target: Target, path: str, forms: Sequence[Form]
    ) -> tuple[Form, Incoming]:
        """Bulk data of an instance in the first of `forms` that takes its type."""
        retrieval, uid = self._retrieval, target.sop_instance_uid
        found = await at_first(
            retrieval, target, lambda place: retrieval.bulk_data(place, uid, path)
        )
        media_type, found = await _typed(found)
        for form in forms:
            if covers(form.media_range, media_type):
                return form, found
        await found.aclose()
        raise not_acceptable(BULK_OFFERED)

    async def _frames(self, target: Target, numbers: Sequence[int], syntax: str) -> Incoming:
        retrieval, uid = self._retrieval, target.sop_instance_uid
        try:
            return await at_first(
                retrieval, target, lambda place: retrieval.frames(place, uid, numbers, syntax)
            )
        except NotAcceptableError:
            if syntax != EXPLICIT_LITTLE_ENDIAN:
                raise
        return await self._decoded(target, numbers)

    async def _decoded(self, target: Target, numbers: Sequence[int]) -> Incoming:
        """Frames that the upstream does not decode, decoded here, one at a time."""
        found = await self._pixels.instance(target)
        check_frames(found.metadata, numbers)  # what fails later is a cut
        first = await self._pixels.decoded(found, numbers[0])  # else it can't be had so
        content_type = f"{OCTETS}; transfer-syntax={EXPLICIT_LITTLE_ENDIAN}"

        async def frame(number: int) -> AsyncGenerator[bytes, None]:
            yield first if number == numbers[0] else await self._pixels.decoded(found, number)

        async def frames() -> AsyncGenerator[Incoming, None]:
            for number in numbers:
                yield Incoming(content_type, frame(number))

        if len(numbers) == 1:
            return Incoming(content_type, frame(numbers[0]), len(first))
        boundary = new_boundary()
        return Incoming(multipart_type(OCTETS, boundary), as_parts(frames(), boundary))

    async def _instances(
        self, target: Target, forms: Sequence[Form]
    ) -> AsyncGenerator[Opened, None]:
        found = False
        async with aclosing(all_instances(self._retrieval, target)) as listed:
            async for place, uid in listed:
                found = True
                yield Opened(place, await self._listed(place, uid, forms))
        if not found:
            raise NotFoundError("There are no such instances.")

    async def _listed(self, place: Place, uid: str, forms: Sequence[Form]) -> Incoming:
        retrieval = self._retrieval
        try:
            _, incoming = await _in_a_form(lambda s: retrieval.instance(place, uid, s), forms)
        except NotFoundError as exc:  # to leave it out would only look whole
            raise UpstreamUnavailableError(NOT_GIVEN) from exc
        return incoming

    async def _metadata(self, target: Target) -> AsyncGenerator[Opened, None]:
        retrieval, uid, found = self._retrieval, target.sop_instance_uid, False
        if uid:
            yield await at_first(retrieval, target, lambda place: self._told(place, uid))
            return
        async with aclosing(of_each(retrieval, target, self._told)) as each:
            async for _, opened in each:
                found = True
                yield opened
        if not found:
            raise NotFoundError("There are no such instances.")

    async def _told(self, place: Place, uid: str = "") -> Opened:
        return Opened(place, await self._retrieval.metadata(place, uid))


async def _in_a_form(
    opened: Callable[[str], Awaitable[Incoming]], forms: Sequence[Form]
) -> tuple[Form, Incoming]:
    """A file in the first of `forms` in which it can be had; `opened` takes a transfer syntax."""
    refused: set[str] = set()
    for form in forms:
        if form.syntax in refused:
            continue
        try:
            found = await opened(form.syntax)
        except NotAcceptableError:
            refused.add(form.syntax)
        else:
            kind = _dicom_type(found, form.syntax)
            return form, MadeOf(kind, found.chunks, found.length, found)
    raise not_acceptable(INSTANCES_OFFERED)


async def _typed(incoming: Incoming) -> tuple[str, Incoming]:
    """The media type of what comes, and all of it."""
    try:
        content_type, whole = await looked_into(incoming)
    except BaseException:
        await incoming.aclose()
        raise
    return media_type_of(content_type)[0], whole


def _dicom_type(incoming: Incoming, syntax: str) -> str:
    """The Content-Type of a Part 10 file, with its transfer syntax where that is known."""
    _, named = media_type_of(incoming.content_type)
    known = named or ("" if syntax == STORED else syntax)
    return f"{DICOM}; transfer-syntax={known}" if known else DICOM
