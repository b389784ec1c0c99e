"""The metadata of image sets: fetched once, kept within a bound, and shared between requests.

A version of an image set never changes (documented), so what is kept is never stale.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Protocol

import orjson
from aiolimiter import AsyncLimiter

from gateway.errors import UpstreamError
from gateway.healthimaging.blob import read_blob
from gateway.healthimaging.body import Body
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.flight import Flight
from gateway.qido.attributes import ATTRIBUTES, Level, Resource, returned_by_default
from gateway.search.imageset import ImageSet
from gateway.search.metadata import Fault, Metadata
from gateway.search.upstream import Names

MIB = 1024 * 1024
LARGE_BYTES = 4 * MIB
"""Blobs of more bytes than these, as they are sent, are read one at a time."""

_SMALL_AT_ONCE = 2  # each thread that reads makes the event loop wait for the interpreter
_ENTRY_BYTES = 1_000
_INSTANCE_BYTES = 250  # of Python's own, beside its body
_SPREAD = 4  # what a level's JSON takes as objects
_SHARE = 4  # an entry takes the fourth part of the bound at most
# A broken answer may be the network's fault
_NOT_KEPT = frozenset((Fault.NOT_GZIP, Fault.NOT_JSON))

DEFAULT_NAMES = frozenset(
    a.keyword
    for a in (
        *(a for r in Resource if r.level is Level.INSTANCE for a in returned_by_default(r)),
        *(a for a in ATTRIBUTES if a.level is Level.SERIES),
    )
)
"""What is kept of instances whoever asks, so that the next request is likely to find it."""


class MetadataCalls(Protocol):
    """The call that gives an image set's metadata."""

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """The metadata of one version of an image set; of the newest where `version` is 0.

        Raises: UpstreamError.
        """
        ...


@dataclass(frozen=True, slots=True)
class MetadataLimits:
    """How much is kept (0: nothing) and read at most, in bytes, and how often AWS is called."""

    cache_bytes: int = 64 * MIB
    max_bytes: int = 256 * MIB
    calls_per_s: float = 50.0
    burst: int = 100


@dataclass(frozen=True, slots=True)
class _Entry:
    names: Names
    metadata: Metadata
    weight: int


_Key = tuple[str, int]


class MetadataStore:
    """Gives metadata of one data store: what is kept, else fetched."""

    def __init__(
        self,
        calls: MetadataCalls,
        limits: MetadataLimits = MetadataLimits(),
    ) -> None:
        self._calls, self._limits = calls, limits
        self._rate = AsyncLimiter(limits.burst, limits.burst / limits.calls_per_s)
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._flights: dict[tuple[_Key, Names], Flight[Metadata]] = {}
        self._large = asyncio.Semaphore(1)
        self._small = asyncio.Semaphore(_SMALL_AT_ONCE)
        self.weight = 0

    def kept(self, image_set: ImageSet, names: Names) -> Metadata | None:
        """The metadata of this version, if it is kept with all of `names`."""
        key = _key_of(image_set)
        entry = self._entries.get(key)
        if entry is None or not _covers(entry.names, names):
            return None
        self._entries.move_to_end(key)
        return entry.metadata

    async def get(self, image_set: ImageSet, names: Names, budget: Budget) -> Metadata:
        """The metadata of this version of an image set; of each instance at least `names`.

        A call that this makes is counted in `budget`; one that is under way already is shared.

        Raises: UpstreamError; ResultTooLargeError where the budget has no call left.
        """
        if (found := self.kept(image_set, names)) is not None:
            return found
        wanted = self._wanted(image_set, names)
        key = (_key_of(image_set), wanted)
        flight = self._flights.get(key)
        if flight is None:
            budget.count_call()
            work = self._fetch(image_set, wanted, budget)
            flight = Flight(work, partial(self._landed, key))
            self._flights[key] = flight
        return await flight.join()

    def _landed(self, key: tuple[_Key, Names]) -> None:
        del self._flights[key]

    def _wanted(self, image_set: ImageSet, names: Names) -> Names:
        """`names`, what is kept in any case, and what was asked for before."""
        if names is None:
            return None
        entry = self._entries.get(_key_of(image_set))
        before = entry.names if entry and entry.names is not None else frozenset()
        return names | DEFAULT_NAMES | before

    async def _fetch(self, image_set: ImageSet, names: Names, budget: Budget) -> Metadata:
        await self._rate.acquire()
        try:
            body = await self._calls.image_set_metadata(image_set.image_set_id, image_set.version)
        except UpstreamError as exc:
            budget.count_retries(exc.attempts - 1)
            raise
        budget.count_retries(body.attempts - 1)
        try:
            if body.is_gone:
                return Metadata(whole=False, faults=(Fault.GONE,))
            series_uid = str(image_set.tags.get("DICOMSeriesInstanceUID", ""))
            entry = await self._read(body, names, series_uid)
        finally:
            body.close()
        self._keep(_key_of(image_set), entry)
        return entry.metadata

    async def _read(self, body: Body, names: Names, series_uid: str) -> _Entry:
        """The blob, which is read in a thread as soon as it is there."""
        chunks: list[bytes] = []
        size, is_large = 0, (body.size or 0) > LARGE_BYTES
        async with AsyncExitStack() as stack:
            if is_large:
                await stack.enter_async_context(self._large)
            async with aclosing(body.chunks()) as arriving:
                async for chunk in arriving:
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > self._limits.max_bytes:
                        break
                    if size > LARGE_BYTES and not is_large:
                        is_large = True
                        await stack.enter_async_context(self._large)
            if not is_large:
                await stack.enter_async_context(self._small)
            stopped = threading.Event()
            try:
                return await asyncio.to_thread(
                    _entry_of, chunks, names, series_uid, self._limits.max_bytes, stopped
                )
            finally:
                stopped.set()  # where nobody waits any more, the thread need not go on

    def _keep(self, key: _Key, entry: _Entry) -> None:
        bound = self._limits.cache_bytes
        if key[1] == 0 or entry.weight > bound // _SHARE or _NOT_KEPT & set(entry.metadata.faults):
            return
        if before := self._entries.pop(key, None):
            self.weight -= before.weight
        self._entries[key] = entry
        self.weight += entry.weight
        while self.weight > bound:
            _, oldest = self._entries.popitem(last=False)
            self.weight -= oldest.weight


def _key_of(image_set: ImageSet) -> _Key:
    return image_set.image_set_id, image_set.version


def _covers(kept: Names, names: Names) -> bool:
    return kept is None or (names is not None and names <= kept)


def _entry_of(
    chunks: Sequence[bytes], names: Names, series_uid: str, max_bytes: int, stopped: threading.Event
) -> _Entry:
    until_stopped = takewhile(lambda _: not stopped.is_set(), chunks)
    metadata = read_blob(until_stopped, names, series_uid, max_bytes)
    return _Entry(names, metadata, _weight_of(metadata))


def _weight_of(metadata: Metadata) -> int:
    """The bytes of memory that `metadata` takes, about."""
    parts = (metadata.levels, metadata.vrs)  # each by itself: together they are nested deeper
    levels = sum(len(orjson.dumps(dict(part))) for part in parts) * _SPREAD
    instances = sum(
        _INSTANCE_BYTES + len(one.body) + len(one.sop_instance_uid) for one in metadata.instances
    )
    return _ENTRY_BYTES + levels + instances
