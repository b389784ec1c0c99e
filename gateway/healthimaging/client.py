"""SearchImageSets and GetImageSetMetadata over aiobotocore, as the gateway's own types and errors.

Source: botocore's service model of medical-imaging, API 2023-07-19 (documented).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import exceptions as botocore

from gateway.errors import UpstreamRejectedError
from gateway.healthimaging.body import Body
from gateway.healthimaging.errors import error_as, error_for, error_of, is_missing
from gateway.search.imageset import ImageSet, Page
from gateway.search.plan import (
    ArrivalBetween,
    CreatedBetween,
    Equal,
    Filter,
    Plan,
    Sort,
    StudyDateBetween,
)

MAX_ATTEMPTS = 3
CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 15.0

_OK = 200
_LIST = "imageSetsMetadataSummaries"
_TAG_TYPES = (str, int, type(None))


def configured_region() -> str | None:
    """The region that AWS's own variables or files name, if any. No call is made."""
    if named := os.environ.get("AWS_REGION"):  # AWS's other SDKs read it, botocore does not
        return named
    try:
        region: str | None = get_session().get_config_variable("region")
    except botocore.BotoCoreError:  # a profile that does not exist: the first search will say so
        return None
    return region


class HealthImagingClient:
    """The two operations, on one data store. Nothing is called before the first search."""

    def __init__(self, datastore_id: str, region: str, *, inject_host_prefix: bool) -> None:
        self._datastore_id = datastore_id
        self._region = region
        self._inject_host_prefix = inject_host_prefix
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._opening = asyncio.Lock()

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page of `one`; `next_token` is "" for the first.

        Raises: UpstreamError.
        """
        return page_of(await self.search(criteria_of(one), page_size, next_token))

    async def search(
        self, criteria: Mapping[str, Any], page_size: int, next_token: str
    ) -> Mapping[str, Any]:
        """SearchImageSets' answer to any criteria; `next_token` is "" for the first page.

        Raises: UpstreamError.
        """
        more = {"nextToken": next_token} if next_token else {}
        call = {"searchCriteria": criteria, "maxResults": page_size, **more}
        try:
            return await self._called("search_image_sets", **call)
        except botocore.ClientError as exc:
            raise error_of(exc.response) from None

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """The metadata of one version of an image set; of the newest where `version` is 0.

        Its bytes are still to be read. It is empty where the image set is gone.

        Raises: UpstreamError.
        """
        more = {"versionId": str(version)} if version else {}
        try:
            answer = await self._called("get_image_set_metadata", imageSetId=image_set_id, **more)
        except botocore.ClientError as exc:
            if is_missing(exc.response):
                return Body(None, attempts=error_of(exc.response).attempts)
            raise error_of(exc.response) from None
        retries = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0)
        return Body(answer["imageSetMetadataBlob"], attempts=1 + retries)

    async def _called(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """An operation's answer.

        Raises: ClientError for an answer that is an error; else UpstreamError.
        """
        try:
            client = await self._opened()
            call = getattr(client, operation)
            answer: Mapping[str, Any] = await call(datastoreId=self._datastore_id, **parameters)
        except botocore.BotoCoreError as exc:
            if isinstance(exc, botocore.NoCredentialsError):
                await self.aclose()  # the next request looks for credentials again
            raise error_for(exc) from None
        return answer

    async def aclose(self) -> None:
        """Close all connections."""
        self._client = None
        await self._stack.aclose()

    async def _opened(self) -> Any:
        async with self._opening:
            if self._client is None:
                config = AioConfig(
                    retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
                    connect_timeout=CONNECT_TIMEOUT_S,
                    read_timeout=READ_TIMEOUT_S,
                    max_pool_connections=50,
                    **({} if self._inject_host_prefix else {"inject_host_prefix": False}),
                )
                client = get_session().create_client(
                    "medical-imaging", region_name=self._region, config=config
                )
                self._client = await self._stack.enter_async_context(client)
                event = "before-parse.medical-imaging.SearchImageSets"
                self._client.meta.events.register(event, check_answer)
            return self._client


def criteria_of(one: Plan) -> dict[str, Any]:
    """`one` as SearchCriteria."""
    criteria: dict[str, Any] = {}
    if one.filters:
        criteria["filters"] = [_filter_of(f) for f in one.filters]
    if one.sort is Sort.STUDY_DATE:
        criteria["sort"] = {"sortField": "DICOMStudyDateAndTime", "sortOrder": "DESC"}
    return criteria


def _filter_of(one: Filter) -> dict[str, Any]:
    match one:
        case Equal(key, value):
            return {"operator": "EQUAL", "values": [{key: value}]}
        case StudyDateBetween(lower, upper):
            bounds = ({"DICOMStudyDate": d, "DICOMStudyTime": t} for d, t in (lower, upper))
            values: list[dict[str, Any]] = [{"DICOMStudyDateAndTime": b} for b in bounds]
        case CreatedBetween(first, last):
            values = [{"createdAt": datetime.fromtimestamp(s, UTC)} for s in (first, last)]
        case ArrivalBetween(key, first, last):
            values = [{key: datetime.fromtimestamp(s, UTC)} for s in (first, last)]
    return {"operator": "BETWEEN", "values": values}


def check_answer(response_dict: Mapping[str, Any], **_: object) -> None:
    """Refuse a 200 that is not SearchImageSets': botocore reads any other body as an empty page.

    Raises: UpstreamRejectedError.
    """
    if response_dict["status_code"] != _OK:
        return
    try:
        body = json.loads(response_dict["body"])
    except ValueError:
        body = None
    if not isinstance(body, dict) or not (_LIST in body or body.keys() <= {"sort", "nextToken"}):
        raise error_as(UpstreamRejectedError)
    summaries = body.get(_LIST) or []
    if not isinstance(summaries, list) or not all(map(_is_summary, summaries)):
        raise error_as(UpstreamRejectedError)


def _is_summary(summary: Any) -> bool:
    if not isinstance(summary, dict) or not isinstance(summary.get("imageSetId"), str):
        return False
    tags = summary.get("DICOMTags")
    return tags is None or (
        isinstance(tags, dict) and all(isinstance(v, _TAG_TYPES) for v in tags.values())
    )


def page_of(answer: Mapping[str, Any]) -> Page:
    """The page of a parsed SearchImageSetsResponse; times may be numbers or datetimes."""
    summaries = answer.get(_LIST) or ()
    attempts = 1 + answer.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    image_sets = tuple(_image_set_of(summary) for summary in summaries)
    return Page(image_sets, answer.get("nextToken") or "", attempts)


def _image_set_of(summary: Mapping[str, Any]) -> ImageSet:
    tags = summary.get("DICOMTags") or {}
    return ImageSet(
        image_set_id=summary["imageSetId"],
        tags={name: _clean(value) for name, value in tags.items() if value not in (None, "")},
        version=summary.get("version") or 0,
        created_at=_seconds(summary.get("createdAt")),
        updated_at=_seconds(summary.get("updatedAt")),
        is_primary=summary.get("isPrimary"),
    )


def _clean(value: Any) -> str | int:
    if isinstance(value, int):
        return value
    text = str(value)
    # A lone surrogate can stand in JSON but in no answer of ours
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _seconds(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value or 0)
