"""What shared walks must not do: each row is the smallest case of a fault that was one."""

from __future__ import annotations

import asyncio
import json
import math
from contextlib import nullcontext
from datetime import date
from itertools import repeat
from typing import Any

import pytest

from gateway.emulator.store import Store
from gateway.errors import UpstreamValidationError, WalkLostError
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.loading import Loader
from gateway.healthimaging.walks import WalkLimits
from gateway.search.imageset import Page
from gateway.search.plan import Plan, SearchOptions, Sort
from tests.building import standing, walks_over
from tests.laws.harness import Gateway, StoreCalls, query_of, store_of
from tests.laws.oracle import Question
from tests.laws.sharing import SlowCalls

DAYS = {"A": "20240110 1200", "B": "20240109 1200", "C": "20240109 1130", "D": "20240105 1200"}


def _set(study: str, when: str, number: int = 0) -> dict[str, Any]:
    day, time = when.split()
    tags = {"DICOMStudyInstanceUID": study, "DICOMStudyDate": day, "DICOMStudyTime": time}
    own = {"imageSetId": f"{study}{number}", "updatedAt": 1.0, "isPrimary": True}
    return {**own, "DICOMTags": tags}


def _store() -> Store:
    return store_of(_set(study, when) for study, when in DAYS.items())


async def _asked(gateway: Gateway, offset: int, limit: int) -> str:
    body, _ = await gateway.ask(Question(), [("offset", str(offset)), ("limit", str(limit))])
    return "".join(one["0020000D"]["Value"][0] for one in json.loads(body))


async def test_a_page_that_is_being_read_stays() -> None:
    """A page that a request has come to is not dropped before it is given, though others land."""
    store = _store()
    walks = walks_over(StoreCalls(store, 2), WalkLimits(cache_bytes=10_000), page_size=2)
    walk, _ = walks.join(Plan(), None, 0.0)
    loader = Loader(walks, Budget(9, 9.0, standing))
    page = await loader.read(walk.first)
    loader.close()
    other, _ = walks.join(Plan((), Sort.DEFAULT), None, 0.0)
    another = Loader(walks, Budget(9, 9.0, standing))
    await another.read(other.first)
    walks.limits = WalkLimits(cache_bytes=0)
    reading = asyncio.create_task(loader.read(walk.first))
    await asyncio.sleep(0)  # it gives others their turn, before it gives the page
    another.close()
    assert page is await reading
    loader.close()
    assert (None, 0) == (walk.first.page, walks.weight)
    walks.close()
    store.close()


async def test_what_came_in_front_of_a_checkpoint_is_no_disorder() -> None:
    """A dropped first page is fetched again with a study in front: the answer is that of now."""
    store = _store()
    limits = WalkLimits(cache_bytes=0, scan_concurrency=1)
    gateway = Gateway(StoreCalls(store, 2), walk_limits=limits)
    assert "AB" == await _asked(gateway, 0, 2)
    store.add_summaries([_set("N", "20240120 1200")])
    assert "AB" == await _asked(gateway, 1, 2)
    assert "NABCD" == await _asked(Gateway(gateway.calls), 0, 9)
    gateway.service.close()
    store.close()


async def test_who_goes_on_repeats_nothing() -> None:
    """A search that goes on reads a page again of which a part was answered before, for no call."""
    store = _store()
    calls = StoreCalls(store, 2)
    gateway = Gateway(calls, walk_limits=WalkLimits(scan_concurrency=1), page_size=2)
    assert "AB" == await _asked(gateway, 0, 2)
    assert "BC" == await _asked(gateway, 1, 2)
    assert "CD" == await _asked(gateway, 2, 2)
    gateway.service.close()
    store.close()
    assert 2 == calls.served


async def test_no_page_is_fetched_ahead_for_what_waits() -> None:
    """Studies that are known and wait for the walk to pass them are enough for the last results."""
    store = _store()
    calls = StoreCalls(store, 2)
    gateway = Gateway(calls, walk_limits=WalkLimits(scan_concurrency=1), page_size=2)
    assert "A" == await _asked(gateway, 0, 1)
    gateway.service.close()
    store.close()
    assert 1 == calls.served


async def test_who_lost_a_walk_joins_no_older_one() -> None:
    """When next tokens expire, they do so in every walk: a search begins anew on one of its own."""
    store = _store()
    calls = SlowCalls(store, 1, _latencies_s=repeat(0.0))
    now = [0.0]
    limits = WalkLimits(cache_bytes=0, scan_concurrency=1)
    gateway = Gateway(calls, walk_limits=limits, clock=lambda: now[0], page_size=1)
    assert "ABC" == await _asked(gateway, 0, 3)
    now[0] = 6.0
    assert "ABCD" == await _asked(gateway, 0, 4)
    now[0], calls.epoch = 12.0, 1
    assert "BCD" == await _asked(gateway, 1, 3)
    gateway.service.close()
    store.close()


@pytest.mark.parametrize("expires", [1, 2])
async def test_a_count_begins_anew_once(expires: int) -> None:
    """A count whose walk is lost begins anew; if that one is lost too, it fails."""

    class Expiring(StoreCalls):
        async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
            nonlocal expires
            if next_token and expires:
                expires -= 1
                raise UpstreamValidationError("The token has expired.")
            return await super().search_image_sets(one, page_size, next_token)

    is_lost = expires > 1
    store = _store()
    gateway = Gateway(Expiring(store, 1), page_size=1)
    running = gateway.service.start(query_of(Question()))
    body = running.count_json(lambda _: None)
    if is_lost:
        with pytest.raises(WalkLostError):
            await anext(body)
    else:
        assert {"count": 4} == json.loads(await anext(body))
    await body.aclose()
    gateway.service.close()
    store.close()


@pytest.mark.parametrize("expires", [1, 2])
async def test_a_search_begins_anew_once(expires: int) -> None:
    """A search whose walk is lost goes on behind the results that it has given; once."""

    class Expiring(StoreCalls):
        async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
            nonlocal expires
            if self.served == 3 and expires:
                expires -= 1
                self.served = 0
                raise UpstreamValidationError("The token has expired.")
            return await super().search_image_sets(one, page_size, next_token)

    is_lost = expires > 1
    store = _store()
    running = Gateway(Expiring(store, 1), page_size=1).service.start(query_of(Question()))
    given: list[str] = []
    with pytest.raises(WalkLostError) if is_lost else nullcontext():
        given += [str(one.values["StudyInstanceUID"][0]) async for one in running.results()]
    assert ([] if is_lost else [*"ABCD"], is_lost) == (given, running.tally.results < 4)
    store.close()


JANUARY: Any = ("StudyDate", "days", "20240101", "20240131")


async def test_who_makes_one_call_at_once_cuts_nothing() -> None:
    """With one call at once a range costs its pages, not its days."""
    store = _store()
    calls = StoreCalls(store, 1)
    limits = WalkLimits(scan_concurrency=1)
    gateway = Gateway(calls, walk_limits=limits, page_size=1)
    body, _ = await gateway.ask(Question(criteria=(JANUARY,)))
    gateway.service.close()
    store.close()
    assert (4, 4) == (len(json.loads(body)), calls.served)


SHAPES = {
    "one a day": [*range(400)],
    "nothing behind a busy day": [0] * 12 + [3_649],
    "little behind a busy day": [0] * 12 + [*range(30, 3_600, 150)],
    "a burst now and then": [day for week in range(0, 400, 14) for day in [week] * 14],
    "all at the end": [*range(0, 3_600, 300)] + [3_640] * 60,
}
"""The days before the last one on which there are studies, newest first."""


MORE = 24
"""Calls that windows may cost beside the pages."""


@pytest.mark.parametrize("cache_bytes", [0, 3_000, 10**8])
@pytest.mark.parametrize("shape", SHAPES)
async def test_windows_cost_little_more_than_pages(shape: str, cache_bytes: int) -> None:
    """However many days are empty, a few windows more than are read at once cost a call each.

    Where there is no memory to read them ahead, there are none.
    """
    last = date(2024, 12, 31).toordinal()
    days = [f"{date.fromordinal(last - n):%Y%m%d} 1200" for n in SHAPES[shape]]
    store = store_of(_set(f"1.{n}", day, n) for n, day in enumerate(days))
    question = Question(criteria=(("StudyDate", "days", "20150104", "20241231"),))
    served = []
    for at_once in (1, 8):
        calls = StoreCalls(store, 10)
        limits = WalkLimits(cache_bytes=cache_bytes, scan_concurrency=at_once)
        gateway = Gateway(calls, walk_limits=limits, page_size=10)
        body, _ = await gateway.ask(question)
        assert len(days) == len(json.loads(body))
        gateway.service.close()
        served.append(calls.served)
    store.close()
    pages = math.ceil(len(days) / 10)
    more = MORE if cache_bytes else 0
    assert (pages, True) == (served[0], served[1] <= pages + more), served


@pytest.mark.parametrize(
    ("resource", "limit", "calls"),
    [
        pytest.param("series", 4, 3 + 4, id="studies that are fetched whole bring series"),
        pytest.param("studies", 2, 3 + 4, id="but no studies"),
    ],
)
async def test_no_page_is_fetched_ahead_for_what_completion_brings(
    resource: str, limit: int, calls: int
) -> None:
    """A page is fetched ahead only if what is known is sure to be too little."""
    days = ("20240110 1200", "20240110 1150", "20240105 1200", "20240103 1200", "20240101 1200")
    sets = []
    for study, day in enumerate(days):
        for series, patient in enumerate(("PAT1", "PAT2")):
            one = _set(f"1.{study}", day, series)
            one["DICOMTags"] |= {
                "DICOMSeriesInstanceUID": f"1.{study}.{series}",
                "DICOMPatientId": patient,
            }
            sets.append({**one, "isPrimary": series == 0})
    store = store_of(sets)
    counted = StoreCalls(store, 1)
    options = SearchOptions(image_sets="all")
    alone = WalkLimits(scan_concurrency=1)
    gateway = Gateway(counted, options, walk_limits=alone, page_size=1)
    question = Question(resource, (("PatientID", "is", "PAT1"),))
    body, _ = await gateway.ask(question, [("limit", str(limit))])
    gateway.service.close()
    store.close()
    assert (limit, calls) == (len(json.loads(body)), counted.served)


async def test_parts_in_front_of_what_was_answered_are_kept() -> None:
    """A study that is still open, with a part in front of an answered one, is whole in the next
    window.
    """
    studies = [("1.7", "1030"), ("1.2", "1015"), ("1.7", "1000"), ("1.3", "0905"), ("1.4", "0800")]
    sets = [_set(uid, f"20240229 {time}", n) for n, (uid, time) in enumerate(studies)]
    for number, one in enumerate(sets):
        one["DICOMTags"]["DICOMSeriesInstanceUID"] = f"1.9.{number}"
        one["updatedAt"] = float(number)  # the later part is the winner
    store = store_of(sets)
    gateway = Gateway(StoreCalls(store, 2), walk_limits=WalkLimits(), page_size=2)
    await gateway.ask(Question(), [("limit", "2")])
    body, _ = await gateway.ask(Question(), [("offset", "1"), ("limit", "1")])
    (answered,) = json.loads(body)
    assert ("1.7", 2) == (answered["0020000D"]["Value"][0], answered["00201206"]["Value"][0])
    gateway.service.close()
    store.close()


@pytest.mark.parametrize("cache_bytes", [0, 10**7])
async def test_pages_of_a_list_meet(cache_bytes: int) -> None:
    """A list that is read anew after an import goes on as it began: no study is on neither page."""
    now = 0.0
    store = _store()
    limits = WalkLimits(cache_bytes=cache_bytes)
    calls = StoreCalls(store, 2)
    gateway = Gateway(calls, walk_limits=limits, clock=lambda: now, page_size=2)
    before = await _asked(gateway, 0, 2) + await _asked(gateway, 2, 2)
    store.add_summaries([_set("Z", "20300101 1200")])
    now = 10.0
    first = await _asked(gateway, 0, 2)
    now = 11.0
    second = await _asked(gateway, 2, 2)
    assert f"Z{before}"[:4] == first + second
    gateway.service.close()
    store.close()
