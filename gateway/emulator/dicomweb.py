"""HealthImaging's own DICOMweb retrieve (WADO-RS) over the imported files.

Source: HealthImaging developer guide, "retrieving DICOM data from HealthImaging". Documented: the
paths and names of the five operations; Signature Version 4; imageSetId, without which only primary
image sets are seen; transfer-syntax=*, Explicit VR Little Endian without one, 406
NotAcceptableException; frames as multipart/related with application/octet-stream, numbers without
duplicates; BulkDataURI for binary values over 1 MB.

Assumed: 404 for a frame that is not there, 400 for what is no UID or frame list; one array for the
metadata of an instance too; a frame's own media type in its part's header; the order of instances.
Other than AWS: a file is what was imported, also after an update of the metadata.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.emulator.accepting import (
    DICOM,
    JSON,
    MEDIA_TYPES,
    MULTIPART,
    OCTETS,
    for_bulk_data,
    for_frames,
    for_instance,
    for_metadata,
    not_acceptable,
    suits,
)
from gateway.emulator.account import Account
from gateway.emulator.answers import broken, error_answer, request_id
from gateway.emulator.bodies import bulk_answer, parts_answer, read_frame, whole_file_answer
from gateway.emulator.dicomjson import bulk_values, metadata
from gateway.emulator.errors import WireError, invalid
from gateway.emulator.faults import Faults
from gateway.emulator.htj2k import FramesAs, stored_syntax
from gateway.emulator.keeping import Kept
from gateway.emulator.layout import Layout, Layouts
from gateway.emulator.locating import Locating, Target
from gateway.emulator.signing import check_access_key, check_signature
from gateway.emulator.transcoding import ELE, NotTranscodableError, file_as
from gateway.emulator.versions import Instance, Version, not_found

BATCH = 32
"""Instances whose metadata is made at once."""
MOST_KEPT_BYTES = 64 << 20
"""Bytes of metadata that are kept."""

_SERIES = r"/datastore/(?P<datastore>[^/]+)/studies/(?P<study>[^/]+)/series/(?P<series>[^/]+)"
_INSTANCE = _SERIES + r"/instances/(?P<instance>[^/]+)"
OPERATIONS: Mapping[str, re.Pattern[str]] = {
    "GetDICOMInstanceFrames": re.compile(_INSTANCE + r"/frames/(?P<rest>[^/]+)"),
    "GetDICOMInstance": re.compile(_INSTANCE),
    "GetDICOMInstanceMetadata": re.compile(_INSTANCE + "/metadata"),
    "GetDICOMSeriesMetadata": re.compile(_SERIES + "/metadata"),
    "GetDICOMBulkdata": re.compile(_INSTANCE + r"/bulkdata/(?P<rest>.+)"),
}
"""AWS's name of each operation to its path."""

_DATASTORE_ID = re.compile(r"[0-9a-z]{32}")
_FRAME_LIST = re.compile(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*")


class DicomWeb:
    """The five operations by their paths."""

    def __init__(
        self,
        account: Account,
        faults: Faults,
        access_keys: Collection[str],
        frames_as: FramesAs,
    ) -> None:
        self._account, self._faults, self._access_keys = account, faults, access_keys
        self._frames_as = frames_as
        self._locating: dict[str, Locating] = {}
        self._layouts = Layouts()
        self._metadata = Kept(MOST_KEPT_BYTES)
        self._table = {
            "GetDICOMInstanceFrames": self._frames,
            "GetDICOMInstance": self._instance,
            "GetDICOMInstanceMetadata": self._instances_metadata,
            "GetDICOMSeriesMetadata": self._instances_metadata,
            "GetDICOMBulkdata": self._bulk_data,
        }

    async def serve(self, request: Request) -> Response:
        """Whichever operation a request is for."""
        for name, path in OPERATIONS.items():
            found = path.fullmatch(request.scope["path"])
            if found and request.method == "GET":
                self._faults.calls[name] += 1
                return await self._answer(name, request, found.groupdict())
        message = "there is no operation of DICOMweb with this method and path"
        return error_answer(WireError("UnknownOperationException", 404, message))

    async def _answer(self, name: str, request: Request, path: Mapping[str, str]) -> Response:
        try:
            check_access_key(request.headers, self._access_keys)
            check_signature(request.headers)
            fault = await self._faults.fault_of(name, self._faults.latency_ms)
            target = Target(
                path["study"],
                path["series"],
                path.get("instance", ""),
                request.query_params.get("imageSetId"),
            )
            target.check()
            locating = self._in_store(path["datastore"])
            answer = await self._table[name](request, locating, target, path.get("rest", ""))
        except WireError as exc:
            return error_answer(exc)
        except Exception:  # the file is gone, or a bug's text, which may hold patient data
            return error_answer(WireError("InternalServerException", 500, "the emulator failed"))
        answer.headers.update(request_id())
        return broken(answer, fault)

    def _in_store(self, datastore_id: str) -> Locating:
        if not _DATASTORE_ID.fullmatch(datastore_id):
            raise invalid("the data store must be 32 of 0-9a-z")
        store = self._account.store(datastore_id)
        return self._locating.setdefault(datastore_id, Locating(store))

    # --- instances --------------------------------------------------------------------------------

    async def _found(self, locating: Locating, target: Target) -> tuple[str, Layout]:
        """The file of an instance and its layout; of what was asked for before without a thread."""
        path = locating.known_file(target)
        layout = self._layouts.known(path) if path else None
        if path and layout is not None:
            return path, layout
        path = await run_in_threadpool(locating.file, target)
        if not path:
            raise not_found("of this instance only the metadata is known")
        return path, await run_in_threadpool(self._layouts.of, path)

    async def _instance(
        self, request: Request, locating: Locating, target: Target, _: str
    ) -> Response:
        wanted = for_instance(request.headers.get("accept"))
        path, layout = await self._found(locating, target)
        stored = stored_syntax(layout, self._frames_as)
        for asked in wanted:
            syntax = stored if asked == "*" else asked
            if syntax not in (stored, ELE):
                continue
            try:
                return await _instance_as(path, layout, syntax)
            except NotTranscodableError:
                if asked == "*":  # AWS keeps what it could not transcode
                    return await _instance_as(path, layout, layout.syntax)
        raise not_acceptable("the instance cannot be had in this transfer syntax")

    # --- frames -----------------------------------------------------------------------------------

    async def _frames(
        self, request: Request, locating: Locating, target: Target, text: str
    ) -> Response:
        numbers = _frame_numbers(text)
        wanted = for_frames(request.headers.get("accept"), len(numbers))
        path, layout = await self._found(locating, target)
        if max(numbers) > layout.number:
            raise not_found("the instance does not have so many frames")
        stored = stored_syntax(layout, self._frames_as)
        for one in wanted:
            syntax = stored if one.syntax == "*" else one.syntax
            kind = MEDIA_TYPES.get(syntax, OCTETS)
            if syntax not in (stored, ELE) or not suits(one, kind):
                continue
            try:
                first = await read_frame(path, layout, numbers[0] - 1, syntax)
            except NotTranscodableError:
                continue
            if one.media_type not in (MULTIPART, "*/*"):
                return Response(first, media_type=f"{OCTETS}; transfer-syntax={syntax}")
            return parts_answer(path, layout, numbers, syntax, first)
        raise not_acceptable("the frames cannot be had in this transfer syntax")

    # --- metadata ---------------------------------------------------------------------------------

    async def _instances_metadata(
        self, request: Request, locating: Locating, target: Target, _: str
    ) -> Response:
        for_metadata(request.headers.get("accept"))
        found = await run_in_threadpool(locating.instances, target)
        base = str(request.url.replace(path="", query=""))
        series = f"{base}{request.scope['path'].partition('/series/')[0]}/series/{target.series}"
        first = await run_in_threadpool(self._batch, series, found[:BATCH])
        if len(found) <= BATCH:
            return Response(b"[" + first + b"]", media_type=JSON)

        async def pieces() -> AsyncIterator[bytes]:
            yield b"[" + first
            for start in range(BATCH, len(found), BATCH):
                batch = found[start : start + BATCH]
                yield b"," + await run_in_threadpool(self._batch, series, batch)
            yield b"]"

        return StreamingResponse(pieces(), media_type=JSON)

    def _batch(self, series: str, found: Sequence[tuple[Version, str, Instance]]) -> bytes:
        return b",".join(self._one(series, *one) for one in found)

    def _one(self, series: str, version: Version, uid: str, instance: Instance) -> bytes:
        # A version of an image set never changes
        key = (series, version.image_set_id, version.number, uid)
        bulk_base = f"{series}/instances/{uid}/bulkdata/"
        return self._metadata.get(
            key, lambda: metadata(version.levels, instance.body, instance.path, bulk_base)
        )

    async def _bulk_data(
        self, request: Request, locating: Locating, target: Target, name: str
    ) -> Response:
        for_bulk_data(request.headers.get("accept"))
        path, _ = await self._found(locating, target)
        bulk = await run_in_threadpool(lambda: dict(bulk_values(path)).get(name))
        if bulk is None:
            raise not_found("there is no such bulk data in the instance")
        return bulk_answer(path, bulk)


async def _instance_as(path: str, layout: Layout, syntax: str) -> Response:
    """A whole file in a transfer syntax.

    Raises: NotTranscodableError; OSError.
    """
    kind = f"{DICOM}; transfer-syntax={syntax}"
    if syntax == layout.syntax:
        return whole_file_answer(path, kind)
    content = await run_in_threadpool(file_as, path, layout, syntax)
    return Response(content, media_type=kind)


def _frame_numbers(text: str) -> list[int]:
    if not _FRAME_LIST.fullmatch(text):
        raise invalid("frames must be numbers from 1, with commas between them")
    numbers = [int(one) for one in text.split(",")]
    if len(set(numbers)) < len(numbers):
        raise invalid("frames must be given once each")
    return numbers
