"""A data store of instances in memory, one fault away from whatever a test needs."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette

from gateway.errors import NotAcceptableError, NotFoundError
from gateway.server.routes import ServerOptions, create_app
from gateway.wado.media import EXPLICIT_LITTLE_ENDIAN, MEDIA_TYPE_OF
from gateway.wado.upstream import STORED, Incoming, Place
from tests.building import service_over
from tests.http.upstream import ListedCalls

STUDY = "1.2.1"
CT, SC = "1.2.1.1", "1.2.1.2"
JPEG2000 = "1.2.840.10008.1.2.4.90"
RLE = "1.2.840.10008.1.2.5"
BASE = "/dicom-web"
BOUNDARY = "upstream's own"
BULK = b"\0\1\2\3"


def instance(uid: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """The DICOM JSON of an instance."""
    return {
        "00080018": {"vr": "UI", "Value": [uid]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "DOE^JANE"}]},
        "00200013": {"vr": "IS", "Value": [number]},
        "00420011": {"vr": "OB", "BulkDataURI": f"https://up.test/instances/{uid}/bulkdata/42/11"},
        **more,
    }


def place(series_uid: str, image_set_id: str, *, study_uid: str = STUDY) -> Place:
    """A place of a series."""
    return Place(study_uid, series_uid, image_set_id, 1, True)


@dataclass
class Stored:
    """One instance: its file, its frames and the transfer syntax of both."""

    uid: str
    syntax: str = EXPLICIT_LITTLE_ENDIAN
    frames: Sequence[bytes] = (b"frame 1", b"frame 2", b"frame 3")
    metadata: Any = None

    @property
    def file(self) -> bytes:
        """What stands for a Part 10 file."""
        return b"DICM " + self.uid.encode() * 3


@dataclass
class ListedRetrieval:
    """Gives what is listed by place; bodies come in chunks of `chunk` bytes.

    `fault` is asked with the number of each chunk before it is given. `opened` and `closed` count
    bodies, `asked` holds each method's name and transfer syntax.
    """

    stored: dict[Place, list[Stored]]
    chunk: int = 7
    fault: Callable[[int], None] = lambda number: None
    part_type: Callable[[str], str] = lambda s: f"{MEDIA_TYPE_OF[s]}; transfer-syntax={s}"
    decodes: bool = False
    tells_length: bool = True
    bulk_type: str = "application/octet-stream"
    served: int = 0
    opened: int = 0
    closed: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def places(
        self, study_uid: str, series_uid: str = "", *, recent: bool = False
    ) -> Sequence[Place]:
        """The places that are listed."""
        found = [
            p for p in self.stored if p.study_uid == study_uid and series_uid in ("", p.series_uid)
        ]
        if not found:
            raise NotFoundError("There is no such study or series.")
        return found

    async def instances(self, place: Place) -> Sequence[str]:
        """The instances that are listed; a place that has none is gone."""
        if not self.stored[place]:
            raise NotFoundError("no")
        return [one.uid for one in self.stored[place]]

    async def metadata(self, place: Place, sop_instance_uid: str = "") -> Incoming:
        """The listed JSON, text as it stands."""
        found = [one for one in self.stored[place] if sop_instance_uid in ("", one.uid)]
        if not found:
            raise NotFoundError("no")
        texts = [
            one.metadata if isinstance(one.metadata, str) else json.dumps(one.metadata)
            for one in found
        ]
        return self._incoming("application/dicom+json", f"[{','.join(texts)}]".encode())

    async def instance(self, place: Place, sop_instance_uid: str, syntax: str) -> Incoming:
        """The file."""
        one = self._one("instance", place, sop_instance_uid, syntax)
        return self._incoming("application/dicom", one.file)

    async def frames(
        self, place: Place, sop_instance_uid: str, numbers: Sequence[int], syntax: str
    ) -> Incoming:
        """The frames, a part each."""
        one = self._one("frames", place, sop_instance_uid, syntax)
        if max(numbers) > len(one.frames):
            raise NotFoundError("There is no such frame.")
        given = one.syntax if syntax == STORED else syntax
        head = f"--{BOUNDARY}\r\nContent-Type: {self.part_type(given)}\r\n\r\n".encode()
        parts = b"".join(head + one.frames[n - 1] + b"\r\n" for n in numbers)
        kind = f'multipart/related; type="application/octet-stream"; boundary="{BOUNDARY}"'
        return self._incoming(kind, parts + f"--{BOUNDARY}--".encode())

    async def bulk_data(self, place: Place, sop_instance_uid: str, path: str) -> Incoming:
        """The same four bytes."""
        self._one("bulk_data", place, sop_instance_uid, STORED)
        if path != "42/11":
            raise NotFoundError("no")
        return self._incoming(self.bulk_type, BULK)

    def _one(self, asked: str, place: Place, uid: str, syntax: str) -> Stored:
        self.asked.append((asked, syntax))
        for one in self.stored[place]:
            if one.uid == uid:
                if syntax not in (STORED, one.syntax) and not self.decodes:
                    raise NotAcceptableError("no")
                return one
        raise NotFoundError("no")

    def _incoming(self, content_type: str, body: bytes) -> Incoming:
        self.opened += 1
        return Counted(
            content_type, self._chunks(body), len(body) if self.tells_length else None, self
        )

    async def _chunks(self, body: bytes) -> AsyncGenerator[bytes, None]:
        for start in range(0, len(body), self.chunk):
            self.served += 1
            self.fault(self.served)
            yield body[start : start + self.chunk]


@dataclass(slots=True)
class Counted(Incoming):
    """A body that tells when it is closed."""

    retrieval: ListedRetrieval | None = None

    async def aclose(self) -> None:
        """Count it, once."""
        await self.chunks.aclose()
        if self.retrieval is not None:
            self.retrieval.closed += 1
            self.retrieval = None


def listed(**more: Any) -> ListedRetrieval:
    """A study of a CT series with two instances, and one of a compressed one."""
    stored = {
        place(CT, "a" * 32): [
            Stored("1.2.1.1.1", metadata=instance("1.2.1.1.1", 1)),
            Stored("1.2.1.1.2", metadata=instance("1.2.1.1.2", 2)),
        ],
        place(SC, "b" * 32): [Stored("1.2.1.2.1", JPEG2000, metadata=instance("1.2.1.2.1"))],
    }
    return ListedRetrieval(stored, **more)


def app_of_retrieval(
    retrieval: ListedRetrieval,
    options: ServerOptions = ServerOptions(),  # noqa: B008 - frozen
) -> Starlette:
    """The application over `retrieval`, with nothing to search."""

    async def nothing() -> None:
        return None

    return create_app(service_over(ListedCalls([])), options, nothing, retrieval)
