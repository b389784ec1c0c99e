"""The lab: searches as an experiment asks them, counted against a budget; nothing is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from gateway.errors import UpstreamThrottledError, UpstreamValidationError

PAGE_SIZE = 50
DATE_KEY = "DICOMStudyDateAndTime"
THROTTLED_TRIES = 5
THROTTLED_WAIT_S = 1.0

ImageSet = Mapping[str, Any]
"""A summary as it comes: times are seconds since 1970, texts as they are stored."""
Filter = Mapping[str, Any]


class Search(Protocol):
    """The one call that experiments are made of."""

    async def search(
        self, criteria: Mapping[str, Any], page_size: int, next_token: str
    ) -> Mapping[str, Any]:
        """SearchImageSets' answer; `next_token` is "" for the first page.

        Raises: UpstreamError.
        """
        ...


class BudgetSpentError(Exception):
    """The calls that the probe may make are used up."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an experiment has found: a position of a choice or "unknown", and why.

    The evidence names patterns and numbers, never a value.
    """

    name: str
    position: str
    evidence: str

    @property
    def is_known(self) -> bool:
        """Whether the data could tell."""
        return self.position != UNKNOWN


UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `valid` is False where the criteria were refused; then there is nothing else."""

    image_sets: Sequence[ImageSet] = field(default=(), repr=False)
    next_token: str = field(default="", repr=False)
    has_list: bool = True
    valid: bool = True


class Lab:
    """Searches within a budget; `pause` waits so many seconds, `clock` counts them."""

    def __init__(
        self,
        search: Search,
        max_calls: int,
        pause: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self.calls = 0
        self.throttled = 0
        self.base: tuple[Filter, ...] = ()
        """What must stand in a search that is for all image sets."""
        self.pages: list[tuple[int, int, bool]] = []
        """Of each page: how many image sets were asked for and came, and whether more follow."""
        self.pause, self.clock = pause, clock
        self.max_calls = max_calls
        self._search = search

    async def ask(
        self,
        *filters: Filter,
        sort: tuple[str, str] | None = None,
        size: int = PAGE_SIZE,
        token: str = "",
    ) -> Reply:
        """One page. `sort` is field and order.

        Raises: BudgetSpentError; UpstreamError for anything but criteria that are refused.
        """
        criteria: dict[str, Any] = {}
        if filters:
            criteria["filters"] = list(filters)
        if sort:
            criteria["sort"] = {"sortField": sort[0], "sortOrder": sort[1]}
        try:
            answer = await self._called(criteria, size, token)
        except UpstreamValidationError:
            return Reply(valid=False)
        name = "imageSetsMetadataSummaries"
        reply = Reply(tuple(answer.get(name) or ()), answer.get("nextToken", ""), name in answer)
        self.pages.append((size, len(reply.image_sets), bool(reply.next_token)))
        return reply

    async def _called(
        self, criteria: Mapping[str, Any], size: int, token: str
    ) -> Mapping[str, Any]:
        for attempt in range(1, THROTTLED_TRIES + 1):
            if self.calls >= self.max_calls:
                raise BudgetSpentError
            self.calls += 1
            try:
                answer = await self._search.search(criteria, size, token)
            except UpstreamThrottledError as exc:
                self.throttled += exc.attempts
                self.calls += exc.attempts - 1
                if attempt == THROTTLED_TRIES:
                    raise
                await self.pause(THROTTLED_WAIT_S)
            else:
                self.calls += answer.get("ResponseMetadata", {}).get("RetryAttempts", 0)
                return answer
        raise AssertionError

    async def walk(
        self,
        *filters: Filter,
        sort: tuple[str, str] | None = None,
        pages: int,
        size: int = PAGE_SIZE,
        token: str = "",
    ) -> tuple[list[ImageSet], bool] | None:
        """The image sets of so many pages and whether that is all; None if it is refused."""
        found: list[ImageSet] = []
        for _ in range(pages):
            reply = await self.ask(*filters, sort=sort, size=size, token=token)
            if not reply.valid:
                return None
            found += reply.image_sets
            token = reply.next_token
            if not token:
                return found, True
        return found, False

    async def finds(self, image_set_id: str, *filters: Filter, pages: int = 4) -> bool | None:
        """Whether a search finds an image set; None if it is refused or too long to tell."""
        token = ""
        for _ in range(pages):
            reply = await self.ask(*filters, token=token)
            if not reply.valid:
                return None
            if any(one["imageSetId"] == image_set_id for one in reply.image_sets):
                return True
            token = reply.next_token
            if not token:
                return False
        return None


def equal(key: str, value: Any) -> Filter:
    """EQUAL."""
    return {"operator": "EQUAL", "values": [{key: value}]}


def between(key: str, lower: Any, upper: Any) -> Filter:
    """BETWEEN."""
    return {"operator": "BETWEEN", "values": [{key: lower}, {key: upper}]}


def dates_between(lower: tuple[str, str], upper: tuple[str, str]) -> Filter:
    """BETWEEN on study date and time, each bound a date and a time."""
    bounds = [{"DICOMStudyDate": date, "DICOMStudyTime": time} for date, time in (lower, upper)]
    return between(DATE_KEY, *bounds)


ALL_CREATED = between(
    "createdAt", datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
)
ALL_UPDATED = between(
    "updatedAt", datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
)
ALL_DATES = dates_between(("00010101", "000000"), ("99991231", "235959.999999"))
"""Ranges that hold everything that has such a time."""
