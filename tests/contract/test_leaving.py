"""Clients that leave, and clients that do not read: over real HTTP, in one event loop."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest

from gateway.healthimaging.quota import QuotaLimits
from gateway.healthimaging.walks import WalkLimits
from gateway.qido.times import format_date
from tests.contract.visiting import (
    FREE,
    PAGE_SIZE,
    Site,
    Visitor,
    asked,
    body_of,
    open_sockets,
    site_of,
    until,
)
from tests.walking import DAY

STUDIES = 2_000
PAGES = STUDIES // PAGE_SIZE
PAGE_BYTES = 20_000
"""Less than what a page of them takes in memory."""
RANGE = f"StudyDate={format_date(DAY - PAGES + 1)}-{format_date(DAY)}"
NDJSON = "application/x-ndjson"
LAST_CHUNK = b"0\r\n\r\n"
ALONE = WalkLimits(ttl_s=0, continue_s=0, scan_concurrency=1)


@pytest.mark.parametrize("abruptly", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("read", [0, 1, 300_000], ids=["no answer", "header", "middle"])
async def test_who_leaves_ends_its_walk(
    abruptly: bool, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not more than the page that is under way is fetched for a client that has left."""
    async with site_of(1_000, monkeypatch, latency_ms=5, limits=ALONE) as site:
        with Visitor() as visitor:
            await visitor.ask(site.url, "studies?limit=1000")
            await until(lambda: site.calls >= 3)
            await visitor.read(read)
            calls = site.calls
            visitor.leave(abruptly=abruptly)
        await site.is_quiet()
        assert calls < 95
        assert site.calls <= calls + 2  # one is fetched ahead


async def test_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a walk that several read, each who stays gets the whole answer, and each page is fetched
    once.
    """
    limits = WalkLimits(scan_concurrency=1)
    async with site_of(300, monkeypatch, latency_ms=5, limits=limits) as site:
        visitors = [Visitor() for _ in range(4)]
        for visitor in visitors:
            await visitor.ask(site.url, "studies?limit=1000")
        staying = asyncio.create_task(asked(site.url, "studies?limit=1000", NDJSON))
        for number, visitor in enumerate(visitors):
            await until(lambda at=number: site.calls > 3 * at)  # type: ignore[misc] # mypy#12557
            visitor.leave(abruptly=number % 2 == 0)
        answer = await staying
        calls = site.calls
        again = await asked(site.url, "studies?limit=1000", NDJSON)
    assert (30, 30) == (calls, site.calls)
    assert 300 == answer.count(b'"0020000D"') and answer.endswith(LAST_CHUNK)
    assert body_of(answer) == body_of(again)


@pytest.mark.parametrize(
    ("target", "at_most"),
    [
        pytest.param("studies?limit=2000", 40, id="a plain walk"),
        pytest.param(f"studies?limit=2000&{RANGE}", 40 + 40 + 8, id="windows of days"),
    ],
)
async def test_who_does_not_read(
    target: str, at_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that does not read has a bounded number of pages fetched, then the others too."""
    limits = WalkLimits(cache_bytes=40 * PAGE_BYTES)
    async with site_of(STUDIES, monkeypatch, limits=limits) as site:
        with Visitor() as visitor:
            await visitor.ask(site.url, target, NDJSON)
            await until(lambda: site.calls > 10)
            await site.is_quiet()
            calls = site.calls
            rest = await visitor.read()
        assert 10 < calls <= at_most < PAGES * 2 / 3
        assert STUDIES == rest.count(b'"0020000D"') and rest.endswith(LAST_CHUNK)
        assert site.calls <= PAGES + 20  # a window's last page is not full


TARGETS = (
    ("studies?limit=2000", "*/*"),
    ("studies?limit=1900", NDJSON),
    (f"studies?limit=2000&{RANGE}", "*/*"),
    (f"series?limit=2000&{RANGE}", NDJSON),
    ("studies?limit=5&offset=1500", "*/*"),
    ("studies/count", "*/*"),
    (f"series/count?{RANGE}", "*/*"),
    ("studies?PatientID=PAT1,PAT2,PAT3,PAT4", "*/*"),
    ("studies?StudyInstanceUID=" + ",".join(f"1.2.826.{n}" for n in range(20)), "*/*"),
    ("studies?orderby=PatientName", "*/*"),
)


@pytest.mark.parametrize(
    ("quota", "is_scarce"),
    [
        pytest.param(QuotaLimits(20.0, 2), True, id="many wait for their turn"),
        pytest.param(FREE, False, id="several calls at once"),
    ],
)
async def test_five_hundred_leave(
    quota: QuotaLimits, is_scarce: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever and however clients leave, nothing is left of them: no task, socket, page, turn."""
    chosen = random.Random(1)
    limits = WalkLimits(ttl_s=0.05, continue_s=0.1, cache_bytes=300_000)
    async with site_of(STUDIES, monkeypatch, latency_ms=1, quota=quota, limits=limits) as site:
        tasks, sockets = asyncio.all_tasks(), open_sockets()
        await asked(site.url, "studies?limit=1")
        waited = 0

        async def come_and_go() -> None:
            nonlocal waited
            for _ in range(25):
                with Visitor() as visitor:
                    await visitor.ask(site.url, *chosen.choice(TARGETS))
                    with suppress(TimeoutError):
                        async with asyncio.timeout(chosen.random() / 4):
                            await visitor.read(chosen.choice((1, 1_000, 100_000, 10**9)))
                    waited = max(waited, site.walks.quota.waiting)
                    visitor.leave(abruptly=chosen.random() < 0.5)

        await asyncio.gather(*(come_and_go() for _ in range(20)))
        await _quiet(site, tasks)
        await site.client.aclose()  # its pool is no leak
        assert is_scarce == (waited > 0)  # how many wait at once is a matter of the machine
        await until(lambda: open_sockets() == sockets)
        site.walks.close()
        assert (0, 0, 0) == (site.walks.weight, site.walks.held_bytes, site.walks.alive)
        assert (0, False) == (site.walks.quota.waiting, site.walks.quota.is_busy(None))


async def _quiet(site: Site, tasks: set[asyncio.Task[object]]) -> None:
    try:
        await until(lambda: asyncio.all_tasks() == tasks)
    except TimeoutError:
        left = [repr(task.get_coro()) for task in asyncio.all_tasks() - tasks]
        raise AssertionError(f"tasks are left: {left}") from None
