"""Retrieving by HealthImaging's own DICOMweb: bodies are passed through as they come.

Source: HealthImaging developer guide, "Retrieving DICOM data" (documented).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from gateway.errors import NotFoundError
from gateway.healthimaging.fetching import NOT_THERE, Fetching, Wanted
from gateway.healthimaging.locating import Locating
from gateway.healthimaging.metrics import Operation
from gateway.wado.upstream import Incoming, Place

REGIONS = frozenset(("us-east-1", "us-west-2", "ap-southeast-2", "eu-west-1", "eu-west-2"))
"""Where it is offered (documented)."""

OPERATIONS: tuple[Operation, ...] = (
    "GetDICOMSeriesMetadata",
    "GetDICOMInstanceMetadata",
    "GetDICOMInstance",
    "GetDICOMInstanceFrames",
    "GetDICOMBulkdata",
)

_JSON = "application/dicom+json"


def endpoint_in(region: str) -> str:
    """AWS's own endpoint in a region."""
    return f"https://dicom-medical-imaging.{region}.amazonaws.com"


class DicomWeb:
    """What one data store holds, as its DICOMweb gives it, below `base`.

    `locating` joins primary places.
    """

    def __init__(
        self, endpoint: str, datastore_id: str, fetching: Fetching, locating: Locating
    ) -> None:
        self.base = f"{endpoint.rstrip('/')}/datastore/{datastore_id}"
        self._fetching, self._locating = fetching, locating

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

        Raises: NotFoundError, UpstreamError.
        """
        if not sop_instance_uid:
            return await self._got("GetDICOMSeriesMetadata", place, "/metadata", _JSON)
        path = f"/instances/{quote(sop_instance_uid, safe='')}/metadata"
        return await self._got("GetDICOMInstanceMetadata", place, path, _JSON)

    async def instance(self, place: Place, sop_instance_uid: str, syntax: str) -> Incoming:
        """An instance as a Part 10 file, in a transfer syntax or as STORED.

        Raises: NotFoundError, NotAcceptableError, UpstreamError.
        """
        path = f"/instances/{quote(sop_instance_uid, safe='')}"
        accept = f"application/dicom; transfer-syntax={syntax}"
        return await self._got("GetDICOMInstance", place, path, accept)

    async def frames(
        self, place: Place, sop_instance_uid: str, numbers: Sequence[int], syntax: str
    ) -> Incoming:
        """Frames of an instance, counted from 1, one a part of a multipart/related body.

        Raises: NotFoundError, NotAcceptableError, UpstreamError.
        """
        listed = ",".join(map(str, numbers))
        path = f"/instances/{quote(sop_instance_uid, safe='')}/frames/{listed}"
        accept = f'multipart/related; type="application/octet-stream"; transfer-syntax={syntax}'
        return await self._got("GetDICOMInstanceFrames", place, path, accept)

    async def bulk_data(self, place: Place, sop_instance_uid: str, path: str) -> Incoming:
        """What a BulkDataURI in the metadata of an instance leads to.

        `path` is what stands behind it, percent-decoded.

        Raises: NotFoundError, UpstreamError.
        """
        # A dot segment would lead out of the instance, with the gateway's permissions
        if not path or {".", "..", ""} & set(path.split("/")):
            raise NotFoundError(NOT_THERE)
        inner = f"/instances/{quote(sop_instance_uid, safe='')}/bulkdata/{quote(path)}"
        return await self._got("GetDICOMBulkdata", place, inner, "application/octet-stream")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._fetching.aclose()

    async def _got(self, operation: Operation, place: Place, path: str, accept: str) -> Incoming:
        series = f"/studies/{quote(place.study_uid)}/series/{quote(place.series_uid)}"
        query = "" if place.is_primary else f"?imageSetId={place.image_set_id}"
        wanted = Wanted(
            operation,
            f"{self.base}{series}{path}{query}",
            accept,
            _TYPE_OF.get(operation, ""),
            refusal_is_absence=operation == "GetDICOMInstanceFrames",
        )
        try:
            return await self._fetching.get(wanted)
        except NotFoundError:
            self._locating.forget(place)
            raise


# Else a page of a proxy, say, would be passed on as an instance
_TYPE_OF = {
    "GetDICOMSeriesMetadata": "application/",
    "GetDICOMInstanceMetadata": "application/",
    "GetDICOMInstance": "application/",
    "GetDICOMInstanceFrames": "multipart/related",
}
