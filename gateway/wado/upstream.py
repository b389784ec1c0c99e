"""What retrieving asks of the upstream: where a series lies, its metadata, instances and frames."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

STORED = "*"
"""In the place of a transfer syntax: whichever it is stored in."""


@dataclass(frozen=True, slots=True)
class Place:
    """An image set that is shown, and the series that it holds or is a part of.

    `is_primary` says that the upstream's DICOMweb finds it without being told its image set.
    """

    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    image_set_id: str
    version: int
    is_primary: bool


@dataclass(slots=True)
class Incoming:
    """A body on its way: `length` in bytes, None where the upstream does not say.

    Its chunks raise UpstreamError where it breaks off. Whoever has it closes it, read or not.
    """

    content_type: str
    chunks: AsyncGenerator[bytes, None] = field(repr=False)
    length: int | None = None

    async def aclose(self) -> None:
        """Want no more of it."""
        await self.chunks.aclose()


class Retrieval(Protocol):
    """The ways to what one data store holds. Nothing is gathered: bodies are read as they come.

    Each method raises UpstreamError, and NotFoundError where there is nothing of that name, or it
    is not shown.
    """

    async def places(
        self, study_uid: str, series_uid: str = "", *, recent: bool = False
    ) -> Sequence[Place]:
        """The places of a study, or of one of its series, by SeriesNumber and SeriesInstanceUID.

        Never empty. What was found is kept for a short time; `recent` ones are no older than what a
        search would tell now.
        """
        ...

    async def instances(self, place: Place) -> Sequence[str]:
        """The SOPInstanceUIDs at a place, by InstanceNumber and UID."""
        ...

    async def metadata(self, place: Place, sop_instance_uid: str = "") -> Incoming:
        """The metadata of all instances at a place, or of one: a DICOM JSON array."""
        ...

    async def instance(self, place: Place, sop_instance_uid: str, syntax: str) -> Incoming:
        """An instance as a Part 10 file (application/dicom), in a transfer syntax or as STORED.

        Raises: NotAcceptableError where the upstream can't give it in that transfer syntax.
        """
        ...

    async def frames(
        self, place: Place, sop_instance_uid: str, numbers: Sequence[int], syntax: str
    ) -> Incoming:
        """Frames of an instance, counted from 1, one a part of a multipart/related body.

        The Content-Type of a part names its transfer syntax where the upstream tells.

        Raises: NotAcceptableError where the upstream can't give them in that transfer syntax.
        """
        ...

    async def bulk_data(self, place: Place, sop_instance_uid: str, path: str) -> Incoming:
        """What a BulkDataURI in the metadata of an instance leads to, by the path behind it."""
        ...
