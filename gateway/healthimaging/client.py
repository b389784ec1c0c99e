"""HealthImaging's operations on image sets over aiobotocore, as the gateway's own types and errors.

Source: botocore's service model of medical-imaging, API 2023-07-19 (documented).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import exceptions as botocore

from gateway.errors import UpstreamRejectedError, UpstreamThrottledError
from gateway.healthimaging.body import Body
from gateway.healthimaging.errors import BODY_ERRORS, error_as, error_for, error_of, is_missing
from gateway.healthimaging.parsing import OK, ParserFactory, searched
from gateway.healthimaging.source import Source, configured_endpoint
from gateway.search.imageset import Page
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
USER_AGENT = "qido-gateway"
"""botocore adds its own name. Without one of ours it puts together a long one for every call."""


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
    """The operations on one data store. Nothing is called before the first search.

    At most `pool_size` calls are under way at once; others wait for a connection. `on_throttled` is
    told of each attempt at SearchImageSets that was throttled, also where another one followed.
    """

    def __init__(
        self,
        datastore_id: str,
        region: str,
        *,
        inject_host_prefix: bool,
        pool_size: int = 50,
        on_throttled: Callable[[], None] = lambda: None,
    ) -> None:
        self.source = Source(configured_endpoint(), region, "", datastore_id)
        self._inject_host_prefix = inject_host_prefix
        self._pool_size = pool_size
        self._on_throttled = on_throttled
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._opening = asyncio.Lock()

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page of `one`; `next_token` is "" for the first.

        Raises: UpstreamError.
        """
        _, page = await self._searched(criteria_of(one), page_size, next_token)
        return page

    async def search(
        self, criteria: Mapping[str, Any], page_size: int, next_token: str
    ) -> Mapping[str, Any]:
        """SearchImageSets' answer to any criteria, as plain JSON; `next_token` is "" for the first.

        Raises: UpstreamError.
        """
        document, page = await self._searched(criteria, page_size, next_token)
        return {**document, "ResponseMetadata": {"RetryAttempts": page.attempts - 1}}

    async def _searched(
        self, criteria: Mapping[str, Any], page_size: int, next_token: str
    ) -> tuple[Mapping[str, Any], Page]:
        more = {"nextToken": next_token} if next_token else {}
        call = {"searchCriteria": criteria, "maxResults": page_size, **more}
        try:
            return searched(await self._called("search_image_sets", **call))
        except botocore.ClientError as exc:
            raise error_of(exc.response) from None

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """The metadata of one version of an image set; of the newest where `version` is 0.

        Its bytes are still to be read. It is empty where the image set is gone.

        Raises: UpstreamError.
        """
        more = {"versionId": str(version)} if version else {}
        return await self._body(
            "get_image_set_metadata",
            "imageSetMetadataBlob",
            imageSetId=image_set_id,
            **more,
        )

    async def image_frame(self, image_set_id: str, frame_id: str) -> Body:
        """One frame in its stored transfer syntax, still to be read; empty where it is not there.

        Raises: UpstreamError.
        """
        information = {"imageFrameId": frame_id}
        return await self._body(
            "get_image_frame",
            "imageFrameBlob",
            imageSetId=image_set_id,
            imageFrameInformation=information,
        )

    async def _body(self, operation: str, member: str, **parameters: Any) -> Body:
        try:
            answer = await self._called(operation, **parameters)
        except botocore.ClientError as exc:
            if is_missing(exc.response):
                return Body(None, attempts=error_of(exc.response).attempts)
            raise error_of(exc.response) from None
        retries = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0)
        return Body(answer[member], attempts=1 + retries)

    async def _called(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """An operation's answer.

        Raises: ClientError for an answer that is an error; else UpstreamError.
        """
        try:
            call = getattr(self._client or await self._opened(), operation)
            answer: Mapping[str, Any] = await call(
                datastoreId=self.source.datastore_id, **parameters
            )
        except BODY_ERRORS as exc:
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
                    max_pool_connections=self._pool_size,
                    user_agent=USER_AGENT,
                    parameter_validation=False,  # of what is sent, our own types have decided
                    **({} if self._inject_host_prefix else {"inject_host_prefix": False}),
                )
                session = get_session()
                session.register_component("response_parser_factory", ParserFactory())
                opening = session.create_client(
                    "medical-imaging", region_name=self.source.region, config=config
                )
                try:
                    client = await self._stack.enter_async_context(opening)
                except ValueError:  # what AWS's variable names is no URL
                    raise error_as(UpstreamRejectedError) from None
                event = "needs-retry.medical-imaging.SearchImageSets"
                client.meta.events.register(event, self._on_attempt)
                self._client = client
            return self._client

    def _on_attempt(self, response: tuple[Any, Mapping[str, Any]] | None, **_: object) -> None:
        # Called after each attempt, without a response where none came. To return anything would
        # be to decide whether there is another
        if response is None or response[0].status_code == OK:
            return
        if isinstance(error_of(response[1]), UpstreamThrottledError):
            self._on_throttled()


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
