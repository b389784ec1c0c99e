"""The body of a metadata answer: instances as the upstream tells them, but those that are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

from gateway.errors import UpstreamUnavailableError
from gateway.server.streams import Opened
from gateway.server.verdicts import Verdict, Verdicts, new_digest
from gateway.wado.metadata import Instance, InstanceReader, with_own_uris
from gateway.wado.upstream import Incoming, Place

HELD_METADATA = 4 * 1024 * 1024
"""Bytes of metadata that wait, so that what is left out can still be said in a Warning."""

MAX_NAMED = 20
"""Instances that are named in Warnings; more are counted."""

MALFORMED = "The metadata of instance {name} is malformed. It has been left out."
MORE_MALFORMED = "The metadata of {number} more instances is malformed. They have been left out."

_STEP = 256 * 1024  # bytes that are read before others have their turn


@dataclass(slots=True)
class MetadataBody:
    """One DICOM JSON array of all that `opened` gives, each instance once.

    `service` is the base URL; `on_malformed` is told of each instance that is left out, `on_end`
    the facts. `verdicts` are of whole places, None where less than that is asked for.
    """

    opened: AsyncGenerator[Opened, None] = field(repr=False)
    service: str
    on_malformed: Callable[[], None]
    on_end: Callable[[dict[str, object]], None]
    verdicts: Verdicts | None = None
    _given: set[str] = field(default_factory=set, repr=False)
    _left_out: list[str] = field(default_factory=list, repr=False)
    _met: int = 0
    _told: int | None = None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body.

        Raises: NotFoundError, UpstreamError, also where an instance turns out to be malformed after
        the header has said that it is not.
        """
        before = b"["
        try:
            async with aclosing(self.opened) as all_opened:
                async for opened in all_opened:
                    async for instances in self._of_place(opened):
                        if instances:
                            yield before + instances
                            before = b","
            yield b"[]" if before == b"[" else b"]"
        finally:
            self.on_end({"parts": len(self._given), "malformed": len(self._left_out)})

    def warnings(self) -> Iterator[str]:
        """What has to be said of the answer now, as sentences."""
        self._told = len(self._left_out)
        for name in self._left_out[:MAX_NAMED]:
            yield MALFORMED.format(name=name)
        if self._told > MAX_NAMED:
            yield MORE_MALFORMED.format(number=self._told - MAX_NAMED)

    def is_empty(self) -> bool:
        """Whether there is no instance."""
        return not self._given

    async def _of_place(self, opened: Opened) -> AsyncGenerator[bytes, None]:
        """What a place has, the instances of a chunk at a time, parted by commas."""
        async with aclosing(opened):
            seen = b""
            verdict = self.verdicts.get(opened.place) if self.verdicts else None
            if verdict is not None:
                seen = await _first_bytes(opened.incoming)
                if verdict.is_of(seen) and self._given.isdisjoint(verdict.uids):
                    self._given.update(verdict.uids)
                    self._met += len(verdict.uids)
                    yield seen[1:-1]
                    return
            async for instances in self._looked_into(seen, opened):
                yield instances

    async def _looked_into(self, seen: bytes, opened: Opened) -> AsyncGenerator[bytes, None]:
        reader, digest, uids = InstanceReader(), new_digest(), list[str]()
        left_out, is_as_it_was = len(self._left_out), True
        async for chunk in _all_of(seen, opened.incoming):
            digest.update(chunk)
            for start in range(0, len(chunk), _STEP):
                kept, changed = self._kept(
                    reader.feed(chunk[start : start + _STEP]), opened.place, uids
                )
                is_as_it_was = is_as_it_was and not changed
                yield kept
                await asyncio.sleep(0)  # chunks can come without any waiting
        kept, changed = self._kept(reader.end(), opened.place, uids)
        yield kept
        is_as_it_was = is_as_it_was and not changed and len(self._left_out) == left_out
        if self.verdicts and uids and is_as_it_was:
            self.verdicts.put(opened.place, Verdict(digest.digest(), tuple(uids)))

    def _kept(
        self, instances: Iterator[Instance], place: Place, uids: list[str]
    ) -> tuple[bytes, bool]:
        """The instances that are given, and whether that is another text; `uids` gets theirs."""
        kept, changed = [], False
        for one in instances:
            self._met += 1
            uid = one.sop_instance_uid
            if not one.is_sound:
                self._leave_out(uid or f"number {self._met}")
            elif uid in self._given:
                changed = True
            else:
                self._given.add(uid)
                uids.append(uid)
                text = with_own_uris(one.text, instance_url(self.service, place, uid))
                changed = changed or text is not one.text
                kept.append(text)
        return ",".join(kept).encode("utf-8", "replace"), changed

    def _leave_out(self, name: str) -> None:
        self._left_out.append(name)
        self.on_malformed()
        if self._told is not None:
            raise UpstreamUnavailableError("Metadata of an instance turned out to be malformed.")


async def _first_bytes(incoming: Incoming) -> bytes:
    """All of a body, or of a long one what may wait."""
    seen = bytearray()
    async for chunk in incoming.chunks:
        seen += chunk
        if len(seen) > HELD_METADATA:
            break
    return bytes(seen)


async def _all_of(seen: bytes, incoming: Incoming) -> AsyncGenerator[bytes, None]:
    if seen:
        yield seen
    async for chunk in incoming.chunks:
        yield chunk


def instance_url(service: str, place: Place, uid: str) -> str:
    """The absolute URL of an instance."""
    return f"{service}/studies/{place.study_uid}/series/{place.series_uid}/instances/{uid}"
