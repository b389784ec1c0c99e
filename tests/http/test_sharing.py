"""Requests that share what they fetch: how much it costs, and how old their answers are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import pytest
from starlette.applications import Starlette

from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.quota import Quota, QuotaLimits
from gateway.healthimaging.walks import PAGE_SIZE, WalkLimits, Walks
from gateway.qido.query import Dialect
from gateway.qido.times import format_date
from gateway.search.plan import SearchOptions
from gateway.server.searches import Limits, SearchService
from tests.http.driver import Answer, ask
from tests.laws.harness import app_of
from tests.unit.tables import named
from tests.virtualtime import in_virtual_time
from tests.walking import DAY, SortedCalls, archive, walks_of

STUDIES = "/dicom-web/studies"
SERIES = "/dicom-web/series"
PAGES = 20
STORED = archive(100, PAGES * PAGE_SIZE // 100)
"""A thousand studies, ten a day."""

RANGE = f"StudyDate={format_date(DAY - 99)}-{format_date(DAY)}"
SHORT = f"StudyDate={format_date(DAY - 19)}-{format_date(DAY)}"
OWN = ("PatientName=DOE*", "ModalitiesInStudy=CT", "StudyTime=1-")
NDJSON = {"accept": "application/x-ndjson"}


@dataclass
class Site:
    """A gateway in virtual time; `latency_s` is what each call takes."""

    latency_s: float = 0.1
    limits: WalkLimits = WalkLimits()  # noqa: RUF009 - frozen
    quota: QuotaLimits = QuotaLimits(1e6, 10**6)  # noqa: RUF009 - frozen
    max_s: float = 30.0

    def __post_init__(self) -> None:
        self.calls = SortedCalls(STORED, self.latency_s)
        self.walks: Walks = walks_of(self.calls, self.limits, Quota(self.quota), PAGE_SIZE)
        clock = asyncio.get_running_loop().time
        self.service = SearchService(
            self.walks,
            MetadataStore(self.calls),
            SearchOptions(),
            Limits(max_s=self.max_s),
            Dialect(),
            self.walks.meters,
            clock,
        )
        self.app: Starlette = app_of(self.service)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.service.close()

    @property
    def cost(self) -> int:
        """The calls so far."""
        return len(self.calls.asked)

    async def ask(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One answer."""
        return await ask(self.app, target, headers=headers)

    async def all(self, targets: Sequence[str]) -> list[Answer]:
        """The answers to requests that are made at once."""
        return await asyncio.gather(*map(self.ask, targets))


async def cost_alone(target: str) -> tuple[bytes, int]:
    """The body of an answer, and what it costs, where nothing is shared."""
    alone = WalkLimits(ttl_s=0, continue_s=0, cache_bytes=0, scan_concurrency=1)
    with Site(limits=alone) as site:
        return (await site.ask(target)).body, site.cost


# --- age ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "headers"),
    named({
        "the same answer": (f"{STUDIES}?limit=20", f"{STUDIES}?limit=20", {}),
        "another limit": (f"{STUDIES}?limit=20", f"{STUDIES}?limit=21", {}),
        "another resource": (f"{STUDIES}?limit=20", f"{SERIES}?limit=20", {}),
        "a count": (f"{STUDIES}?{RANGE}", f"{STUDIES}/count?{RANGE}", {}),
        "after a count": (f"{STUDIES}/count", f"{SERIES}/count", {}),
        "a stream": (f"{STUDIES}?limit=20", STUDIES, NDJSON),
        "CSV": (f"{STUDIES}?limit=20", f"{STUDIES}?limit=9", {"accept": "text/csv"}),
        "a key of ours": (f"{STUDIES}?limit=20", f"{STUDIES}?PatientName=DOE*&limit=9", {}),
        "no result": (f"{STUDIES}?PatientID=NOBODY", f"{SERIES}?PatientID=NOBODY", {}),
        "what comes after": (f"{STUDIES}?limit=20", f"{STUDIES}?limit=20&offset=20", {}),
    }),
)  # fmt: skip
@in_virtual_time
async def test_the_age_of_a_shared_answer(
    first: str, second: str, headers: Mapping[str, str]
) -> None:
    """What was fetched for another request says how many whole seconds ago that was begun."""
    with Site(latency_s=0.01) as site:
        began = asyncio.get_running_loop().time()
        alone = await site.ask(first)
        await asyncio.sleep(began + 3.9 - asyncio.get_running_loop().time())
        shared = await site.ask(second, headers)
    assert (200, []) == (alone.status, alone.all("age"))
    assert (200, "3") == (shared.status, shared.one("age"))


@pytest.mark.parametrize(
    ("first", "second", "after_s", "status"),
    named({
        "too old to begin with": (STUDIES, f"{STUDIES}?limit=9", 6, 200),
        "too old to go on with": (STUDIES, f"{STUDIES}?offset=9", 61, 200),
        "another plan": (STUDIES, f"{STUDIES}?PatientID=PAT7", 1, 200),
        "no call": (STUDIES, f"{STUDIES}?limit=0", 1, 200),
        "an error": (STUDIES, f"{STUDIES}?limit=x", 1, 400),
        "no such page": (STUDIES, "/dicom-web/nothing", 1, 404),
        "capabilities": (STUDIES, "/dicom-web", 1, 200),
    }),
)  # fmt: skip
@in_virtual_time
async def test_what_has_no_age(first: str, second: str, after_s: float, status: int) -> None:
    """What shares nothing has none."""
    with Site() as site:
        await site.ask(first)
        await asyncio.sleep(after_s)
        answer = await site.ask(second)
    assert (status, []) == (answer.status, answer.all("age"))


@in_virtual_time
async def test_who_comes_while_it_is_fetched_shares() -> None:
    """Of requests at once one is alone; the others share, and their answers are no second old."""
    with Site() as site:
        answers = await site.all([f"{STUDIES}?limit={n}" for n in range(1, 11)])
    assert [[], *[["0"]] * 9] == sorted(answer.all("age") for answer in answers)


@in_virtual_time
async def test_a_shared_answer_is_compared() -> None:
    """A shared answer has the ETag of its body; 304 says its age too."""
    with Site() as site:
        answer = await site.ask(f"{STUDIES}?limit=20")
        other = await site.ask(f"{STUDIES}?limit=21")
        await asyncio.sleep(2)
        etags = [one.one("etag") for one in (answer, other)]
        again = [await site.ask(f"{STUDIES}?limit=20", {"if-none-match": etag}) for etag in etags]
    assert etags[0] != etags[1]
    assert [304, 200] == [one.status for one in again]
    assert [["2"], ["2"]] == [one.all("age") for one in again]
    assert (b"", answer.body) == (again[0].body, again[1].body)


# --- cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "targets",
    [
        pytest.param([f"{STUDIES}?limit=200"] * 50, id="fifty times the same"),
        pytest.param([f"{STUDIES}?{SHORT}"] * 50, id="fifty times a range"),
        pytest.param([f"{STUDIES}/count?{SHORT}"] * 50, id="fifty counts"),
        pytest.param([f"{STUDIES}?limit={n}" for n in range(1, 1_001, 100)], id="limits"),
        pytest.param([f"{STUDIES}?offset={n}" for n in range(0, 900, 100)], id="offsets"),
        pytest.param(
            [f"{STUDIES}?includefield={k}" for k in ("StudyID", "PatientSex", "StudyDescription")],
            id="includefield",
        ),
        pytest.param(
            [
                f"{STUDIES}?{k}"
                for k in ("PatientName=DOE*", "ModalitiesInStudy=CT", "StudyTime=1-")
            ],
            id="keys that are matched here",
        ),
        pytest.param([STUDIES, SERIES, f"{STUDIES}/count", f"{SERIES}/count"], id="resources"),
    ],
)
@in_virtual_time
async def test_at_once(targets: list[str]) -> None:
    """Requests of one plan that are made at once cost what the dearest of them costs alone."""
    with Site(limits=WalkLimits(scan_concurrency=1)) as site:
        answers = await site.all(targets)
    alone = {target: await cost_alone(target) for target in dict.fromkeys(targets)}
    assert [alone[target][0] for target in targets] == [answer.body for answer in answers]
    assert max(cost for _, cost in alone.values()) == site.cost


@pytest.mark.parametrize(
    "targets",
    [
        pytest.param([f"{STUDIES}?limit={n}01" for n in range(1, 10)], id="limits 101, 201, ..."),
        pytest.param(
            [f"{STUDIES}?limit=100&offset={n}00" for n in range(10)], id="offsets 0, 100, 200, ..."
        ),
        pytest.param(
            [f"{SERIES}?limit=100&offset={n}00" for n in range(10)], id="offsets of series"
        ),
    ],
)
@in_virtual_time
async def test_one_after_the_other(targets: list[str]) -> None:
    """A list that grows, and one that is paged through, is one walk."""
    with Site(latency_s=0.01) as site:
        bodies = [(await site.ask(target)).body for target in targets]
    alone = [await cost_alone(target) for target in targets]
    assert [body for body, _ in alone] == bodies
    assert site.cost <= max(cost for _, cost in alone) + 1  # a page ahead
    assert sum(cost for _, cost in alone) > 3 * site.cost


@in_virtual_time
async def test_a_list_of_uids() -> None:
    """Its searches are made at once, as many as may be, and one for each."""
    uids = ",".join(f"1.2.{n}" for n in range(1, 21))
    with Site(latency_s=1) as site:
        answer = await site.ask(f"{STUDIES}?StudyInstanceUID={uids}")
        took_s = asyncio.get_running_loop().time()
    assert (20, 20, 8) == (len(answer.json), site.cost, site.calls.most_under_way)
    assert took_s < 5


@pytest.mark.parametrize(
    "target", [f"{STUDIES}?StudyInstanceUID=1.2.7", f"{STUDIES}/1.2.7/series", f"{STUDIES}?limit=1"]
)
@in_virtual_time
async def test_a_lookup_is_a_call(target: str) -> None:
    """A study, its series, and the newest study are one call each, and none if asked again."""
    with Site() as site:
        for _ in range(2):
            answer = await site.ask(target)
            assert (1, 1) == (len(answer.json), site.cost)


# --- the quota ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quota", "max_s"),
    named({
        "no place to wait": (QuotaLimits(1.0, 1, max_waiting=3), 300.0),
        "no turn in time": (QuotaLimits(1.0, 1), 5.0),
    }),
)  # fmt: skip
@in_virtual_time
async def test_what_the_quota_refuses(quota: QuotaLimits, max_s: float) -> None:
    """Who cannot have a turn is told so at once and when to try again; then it works."""
    targets = [f"{STUDIES}?PatientID=PAT{n}" for n in range(1, 21)]
    with Site(quota=quota, max_s=max_s) as site:
        asked = {target: asyncio.create_task(site.ask(target)) for target in targets}
        await asyncio.sleep(0.5)
        over = [target for target, task in asked.items() if task.done()]
        refused = [target for target in over if asked[target].result().status == 503]
        assert refused and len(refused) >= len(over) - 1
        answers = [asked[target].result() for target in refused]
        retry_after_s = {int(answer.one("retry-after")) for answer in answers}
        assert min(retry_after_s) >= 1 and max(retry_after_s) <= 20
        assert {"no-store"} == {answer.one("cache-control") for answer in answers}
        await asyncio.sleep(max(retry_after_s))
        assert 200 == (await site.ask(refused[0])).status
        assert {200} == {
            (await task).status for target, task in asked.items() if target not in refused
        }
    assert 0 == site.walks.quota.waiting


@in_virtual_time
async def test_who_shares_is_not_refused() -> None:
    """Where the quota's queue is full, what another request waits for or has is still given."""
    with Site(quota=QuotaLimits(1.0, 1, max_waiting=1)) as site:
        first = f"{STUDIES}?PatientID=PAT1"
        await site.ask(first)
        answers = await site.all([f"{STUDIES}?PatientID=PAT2"] * 10)
        assert {200} == {answer.status for answer in answers}
        assert 200 == (await site.ask(f"{first}&limit=7")).status
    assert 2 == site.cost
