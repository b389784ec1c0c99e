"""The body of a metadata answer: instances as the upstream tells them, but those that are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.errors import UpstreamUnavailableError
from gateway.server.bodies import BODIES, Ending, part
from gateway.server.negotiation import DICOM_JSON, DICOM_XML, JSON
from gateway.server.streams import Opened
from gateway.wado.metadata import Instance, InstanceReader, with_own_uris
from gateway.wado.nativemodel import native_model
from gateway.wado.upstream import Place

HELD_METADATA = 4 * 1024 * 1024
"""Bytes of metadata that wait, so that what is left out can still be said in a Warning."""

MAX_NAMED = 20
"""Instances that are named in Warnings; more are counted."""

MALFORMED = "The metadata of instance {name} is malformed. It has been left out."
MORE_MALFORMED = "The metadata of {number} more instances is malformed. They have been left out."

_STEP = 256 * 1024  # bytes that are read before others have their turn


def _plain(texts: Sequence[str]) -> list[bytes]:
    return [text.encode("utf-8", "replace") for text in texts]


def _parts(texts: Sequence[str]) -> list[bytes]:
    return [part(native_model(text)) for text in texts]


_ENCODERS: Mapping[str, Callable[[Sequence[str]], list[bytes]]] = MappingProxyType(
    {DICOM_JSON: _plain, JSON: _plain, DICOM_XML: _parts}
)
METADATA_OFFERED = tuple(_ENCODERS)
"""The media types of metadata, the default first."""


@dataclass(slots=True)
class MetadataBody:
    """All that `opened` gives as one of METADATA_OFFERED, each instance once.

    `service` is the base URL; `on_malformed` is told of each instance that is left out, `on_end`
    the facts.
    """

    opened: AsyncGenerator[Opened, None] = field(repr=False)
    media_type: str
    service: str
    on_malformed: Callable[[], None]
    on_end: Callable[[dict[str, object]], None]
    _given: set[str] = field(default_factory=set, repr=False)
    _left_out: list[str] = field(default_factory=list, repr=False)
    _met: int = 0
    _told: int | None = None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body.

        Raises: NotFoundError, UpstreamError, also where an instance turns out to be malformed after
        the header has said that it is not.
        """
        body = BODIES[self.media_type]
        before = body.beginning(())
        try:
            async with aclosing(self.opened) as all_opened:
                async for opened in all_opened:
                    async for texts in self._texts(opened):
                        if texts:
                            yield before + body.separator.join(await self._encoded(texts))
                            before = body.separator
            last = body.ending(Ending(len(self._given), 0, ()))
            yield last if self._given else before + last
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

    async def _texts(self, opened: Opened) -> AsyncGenerator[list[str], None]:
        """What a place has, the instances of a chunk at a time."""
        reader = InstanceReader()
        async with aclosing(opened):
            async for chunk in opened.incoming.chunks:
                for start in range(0, len(chunk), _STEP):
                    yield self._kept(reader.feed(chunk[start : start + _STEP]), opened.place)
                    await asyncio.sleep(0)  # chunks can come without any waiting
        yield self._kept(reader.end(), opened.place)

    def _kept(self, instances: Iterator[Instance], place: Place) -> list[str]:
        kept = []
        for one in instances:
            self._met += 1
            uid = one.sop_instance_uid
            if uid and uid in self._given:  # several image sets may have it, one of them malformed
                continue
            if not one.is_sound:
                self._leave_out(uid or f"number {self._met}")
            else:
                self._given.add(uid)
                kept.append(with_own_uris(one.text, instance_url(self.service, place, uid)))
        return kept

    async def _encoded(self, texts: Sequence[str]) -> list[bytes]:
        encode = _ENCODERS[self.media_type]
        if encode is _plain:
            return encode(texts)
        return await asyncio.to_thread(encode, texts)  # else it would hold up others

    def _leave_out(self, name: str) -> None:
        self._left_out.append(name)
        self.on_malformed()
        if self._told is not None:
            raise UpstreamUnavailableError("Metadata of an instance turned out to be malformed.")


def instance_url(service: str, place: Place, uid: str) -> str:
    """The absolute URL of an instance."""
    return f"{service}/studies/{place.study_uid}/series/{place.series_uid}/instances/{uid}"
