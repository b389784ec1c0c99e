"""The calls to HealthImaging, counted by how they end."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from gateway.healthimaging.body import Body
from gateway.healthimaging.metrics import Meters, Operation, attempts_of, outcome_of
from gateway.healthimaging.walks import Calls
from gateway.search.imageset import Page
from gateway.search.plan import Plan

_Answer = TypeVar("_Answer", Page, Body)


@dataclass(frozen=True, slots=True)
class MeteredCalls:
    """Makes the calls of `calls`, and counts each."""

    calls: Calls
    meters: Meters

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page of `one`; `next_token` is "" for the first.

        Raises: UpstreamError.
        """
        asked = self.calls.search_image_sets(one, page_size, next_token)
        return await self._counted("SearchImageSets", asked)

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """The metadata of one version of an image set; of the newest where `version` is 0.

        Raises: UpstreamError.
        """
        asked = self.calls.image_set_metadata(image_set_id, version)
        return await self._counted("GetImageSetMetadata", asked)

    async def _counted(self, operation: Operation, asked: Awaitable[_Answer]) -> _Answer:
        try:
            answer = await asked
        except BaseException as exc:
            self.meters.call(operation, outcome_of(exc), attempts_of(exc))
            raise
        self.meters.call(operation, "ok", answer.attempts)
        return answer
