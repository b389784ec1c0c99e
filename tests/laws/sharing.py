"""What the machine of shared walks is made of: a store that changes, readers, and a judge.

The judge knows the store at each moment, and asks the oracle. An answer is that of one version, or,
where it is put together of walks that began at different moments, of one version in each part.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import cycle
from math import inf
from typing import Any

from gateway.emulator.store import Store
from gateway.errors import GatewayError, UpstreamValidationError
from gateway.qido.attributes import returned_by_default
from gateway.qido.elements import in_order
from gateway.qido.query import Query
from gateway.search.imageset import Page
from gateway.search.plan import Plan
from gateway.server.bodies import BODIES
from gateway.server.searches import RunningSearch, retrieve_url
from tests.laws.harness import StoreCalls
from tests.laws.oracle import Question, Summary, World, answer

LATENCIES_S = (0.0, 0.02, 0.0, 0.3, 0.001)


@dataclass
class SlowCalls(StoreCalls):
    """Calls that take time, and next tokens that can expire."""

    epoch: int = 0
    _given: dict[str, int] = field(default_factory=dict)
    _latencies_s: Iterable[float] = field(default_factory=lambda: cycle(LATENCIES_S))

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page, before and after a while."""
        await asyncio.sleep(next(iter(self._latencies_s)))
        if next_token and self._given[next_token] < self.epoch:
            raise UpstreamValidationError("The token has expired.")
        page = await super().search_image_sets(one, page_size, next_token)
        self._given[page.next_token] = self.epoch
        await asyncio.sleep(next(iter(self._latencies_s)))
        return page


class Asked:
    """One request, read as its reader has the leave to."""

    def __init__(
        self,
        running: RunningSearch,
        question: Question,
        clock: Callable[[], float],
        loop: asyncio.AbstractEventLoop,
        *,
        is_count: bool = False,
    ) -> None:
        self.running, self.question, self.is_count = running, question, is_count
        self.began_at = self.ended_at = clock()
        self.got: list[str] = []
        self.number = 0
        self.error: GatewayError | None = None
        self.leave = asyncio.Semaphore(0)
        self._clock = clock
        self.task = loop.create_task(self._drive())

    async def _drive(self) -> None:
        await self.leave.acquire()
        self.began_at = self._clock()
        try:
            await (self._count() if self.is_count else self._read())
        except GatewayError as exc:
            self.error = exc
        self.ended_at = self._clock()

    async def _count(self) -> None:
        async with aclosing(self.running.count_json(lambda _: None)) as body:
            (text,) = [chunk async for chunk in body]
        self.number = json.loads(text)["count"]

    async def _read(self) -> None:
        query = self.running.query
        columns = in_order((*returned_by_default(query.resource), *query.also_return))
        encode = BODIES["application/dicom+json"].encoder(columns, query.everything)
        async with aclosing(self.running.results()) as results:
            async for result in results:
                url = retrieve_url(World().base_url, result)
                self.got.append(as_text(json.loads(encode(result, url))))
                await self.leave.acquire()


def as_text(result: Any) -> str:
    """A result, to be compared."""
    return json.dumps(result, sort_keys=True)


Part = Callable[[Summary], Any]
"""What has the same value for all image sets that are of one version."""


class Judge:
    """The versions of a store, each from its moment on, and the answers that each has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._versions: list[tuple[float, tuple[Summary, ...]]] = [(-inf, ())]
        self._known: dict[tuple[int, Question], list[tuple[str, str]]] = {}

    def bring(self, summaries: Sequence[Summary], now: float) -> None:
        """Import `summaries`."""
        self._store.add_summaries(summaries)
        self._versions.append((now, (*self._versions[-1][1], *summaries)))

    @property
    def newest(self) -> tuple[Summary, ...]:
        """What is stored now."""
        return self._versions[-1][1]

    def between(self, first_s: float, last_s: float) -> list[int]:
        """The numbers of the versions that there were from one moment to the other."""
        ends = [begin for begin, _ in self._versions[1:]] + [inf]
        return [
            number
            for number, ((begin, _), end) in enumerate(zip(self._versions, ends, strict=True))
            if begin <= last_s and end >= first_s
        ]

    def _answer(self, number: int, question: Question) -> list[tuple[str, str]]:
        """Each result with the UID of its study."""
        if (number, question) not in self._known:
            found = answer(World(self._versions[number][1]), question)
            self._known[number, question] = [
                (one["0020000D"]["Value"][0], as_text(one)) for one in found
            ]
        return self._known[number, question]

    def texts(self, number: int, question: Question) -> list[str]:
        """The whole answer to `question` by one version."""
        return [text for _, text in self._answer(number, question)]

    def reached(
        self,
        question: Question,
        versions: Sequence[int],
        part_of: Callable[[str], Any],
        got: Sequence[Any] = (),
        told: Callable[[str], Any] = str,
        offset: float = inf,
        end: float = inf,
    ) -> set[int]:
        """How many results there may be in all, up to `end`, if `got` are those from `offset` on.

        Each part, which `part_of` tells of a study, is of any of `versions`. Studies are in order.
        `told` gives what of a result is compared.
        """
        places = {uid: place for v in versions for uid, place in self._places(v).items()}
        parts = list(dict.fromkeys(part_of(uid) for uid in sorted(places, key=places.__getitem__)))
        reached = {0}
        for part in parts:
            segments = {
                tuple(told(text) for uid, text in self._answer(v, question) if part_of(uid) == part)
                for v in versions
            }
            reached = {
                int(min(start + len(segment), end))
                for start in reached
                for segment in segments
                if _fits(segment, start, got, offset, end)
            }
        return reached

    def _places(self, number: int) -> dict[str, tuple[int, float, str]]:
        tags = [one["DICOMTags"] for one in self._versions[number][1]]
        return {
            one["DICOMStudyInstanceUID"]: (
                -int(one["DICOMStudyDate"]),
                -int(one["DICOMStudyTime"]),
                one["DICOMStudyInstanceUID"],
            )
            for one in tags
        }


def _fits(
    segment: Sequence[Any], start: int, got: Sequence[Any], offset: float, end: float
) -> bool:
    """Whether the results from number `start` on may be `segment`."""
    for number, one in enumerate(segment, start):
        if offset <= number < end:
            place = int(number - offset)
            if place >= len(got) or got[place] != one:
                return False
    return True


def uids_of(text: str) -> tuple[Any, ...]:
    """What of a result stays the same in every version."""
    result = json.loads(text)
    return tuple(str(result.get(tag)) for tag in ("0020000D", "0020000E"))


def is_possible(judge: Judge, asked: Asked, query: Query, versions: Sequence[int]) -> bool:
    """Whether what was answered has nothing twice, nothing that never was, and is in order.

    And nothing is missing that was there all the time, where all was asked for.
    """
    known = [[uids_of(text) for text in judge.texts(v, asked.question)] for v in versions]
    if asked.is_count:
        return len(known[0]) <= asked.number <= len(known[-1])
    got = [uids_of(text) for text in asked.got]
    is_in_order = [uids for uids in known[-1] if uids in set(got)] == got
    is_whole = query.offset == 0 and asked.running.limit > len(known[-1])
    always = set(known[0]).intersection(*known) if is_whole else set()
    return is_in_order and always <= set(got)


def is_right(
    judge: Judge,
    asked: Asked,
    query: Query,
    versions: Sequence[int],
    part: Any,
    told: Callable[[str], Any] = str,
) -> bool:
    """Whether what was answered is the window of a right answer."""
    if asked.is_count:
        return asked.number in judge.reached(asked.question, versions, part)
    offset, end = query.offset, query.offset + asked.running.limit
    got = [told(text) for text in asked.got]
    reached = judge.reached(asked.question, versions, part, got, told, offset, end)
    return any(len(asked.got) == max(0, number - offset) for number in reached)
