"""The store of metadata: what it keeps, what it shares, and what a request pays for it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from gateway.errors import (
    ResultTooLargeError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
)
from gateway.healthimaging import metadata as metadata_module
from gateway.healthimaging.body import Body
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.metadata import DEFAULT_NAMES, MetadataLimits, MetadataStore
from gateway.healthimaging.upstream import RequestUpstream
from gateway.search.imageset import ImageSet, Page
from gateway.search.metadata import Fault, Metadata
from gateway.search.plan import Plan
from gateway.search.upstream import Names
from tests.building import upstream_over

ROWS = frozenset({"Rows"})
SLICE = frozenset({"SliceThickness"})


@dataclass
class Stream:
    """A body as aiobotocore gives it, in chunks; held until it is let go."""

    content: bytes
    headers: dict[str, str]
    let_go: asyncio.Event
    closed: bool = False

    @property
    def raw_stream(self) -> Stream:
        """What has the headers."""
        return self

    async def read(self, size: int) -> bytes:
        """The next bytes."""
        await self.let_go.wait()
        chunk, self.content = self.content[:size], self.content[size:]
        return chunk

    def close(self) -> None:
        """Nobody reads on."""
        self.closed = True


@dataclass
class Calls:
    """Gives every image set the same metadata; `error` is raised instead, if there is one."""

    content: bytes = b""
    announces: bool = True
    error: UpstreamThrottledError | None = None
    attempts: int = 1
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[str, int]] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.let_go.set()
        self.content = self.content or document()

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """Its metadata."""
        self.asked.append((image_set_id, version))
        if self.error:
            await self.let_go.wait()
            raise self.error
        headers = {"Content-Length": str(len(self.content))} if self.announces else {}
        self.streams.append(Stream(self.content, headers, self.let_go))
        return Body(self.streams[-1], self.attempts)

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """An empty page."""
        return Page(())


def document(instances: int = 1, **dicom: Any) -> bytes:
    """A blob of so many instances."""
    found = {
        f"1.2.{n}": {"DICOM": {"Rows": 1, "SliceThickness": "1", "Foo": "x", **dicom}}
        for n in range(instances)
    }
    series = {"1": {"DICOM": {}, "Instances": found}}
    document = {"Patient": {"DICOM": {}}, "Study": {"DICOM": {}, "Series": series}}
    return json.dumps(document).encode()


def image_set(number: int = 1, version: int = 1) -> ImageSet:
    """An image set of this number."""
    return ImageSet(str(number), {}, version)


def budget(max_calls: int = 99) -> Budget:
    """A request's budget, on a clock that stands."""
    return Budget(max_calls, 30, lambda: 0.0)


async def test_an_entry_serves_what_it_has() -> None:
    """Names within those that were extracted cost no call; further ones cost one."""
    calls = Calls()
    store = MetadataStore(calls)
    steps: tuple[tuple[Names, int], ...] = (
        (ROWS, 1),
        (DEFAULT_NAMES, 1),
        (frozenset(), 1),
        (SLICE, 2),
        (ROWS | SLICE, 2),
        (frozenset({"Foo"}), 3),
        (SLICE, 3),  # what was asked for before is not forgotten
        (None, 4),
        (None, 4),
        (ROWS | frozenset({"Bar"}), 4),
    )
    for names, asked in steps:
        found = await store.get(image_set(), names, budget())
        assert asked == len(calls.asked)
        kept = orjson.loads(found.instances[0].body)["DICOM"]
        assert (names or set()) - DEFAULT_NAMES - {"Bar"} <= kept.keys()
    assert store.kept(image_set(2), ROWS) is None


@pytest.mark.parametrize(
    ("content", "version", "limits", "is_kept"),
    [
        pytest.param(b"", 1, MetadataLimits(), True, id="whole"),
        pytest.param(b"", 0, MetadataLimits(), False, id="a version that is not known"),
        pytest.param(b"", 1, MetadataLimits(cache_bytes=0), False, id="nothing is kept"),
        pytest.param(b"", 1, MetadataLimits(cache_bytes=4 * 1_000), False, id="a large entry"),
        pytest.param(b'{"Patient": {}}', 1, MetadataLimits(), True, id="incomplete"),
        pytest.param(b"", 1, MetadataLimits(max_bytes=20), True, id="too large to read"),
        pytest.param(b"<html>", 1, MetadataLimits(), False, id="not gzip"),
        pytest.param(b'{"Patient": ', 1, MetadataLimits(), False, id="not JSON"),
    ],
)
async def test_what_is_kept(
    content: bytes, version: int, limits: MetadataLimits, is_kept: bool
) -> None:
    """What would be the same again is kept, unless it takes too much."""
    calls = Calls(content)
    store = MetadataStore(calls, limits)
    for _ in range(2):
        await store.get(image_set(version=version), ROWS, budget())
    assert (1 if is_kept else 2) == len(calls.asked)
    assert is_kept == (store.weight > 0)


@pytest.mark.parametrize("depth", [120, 126, 127, 150, 400])
async def test_deep_nesting(depth: int) -> None:
    """However deep the attributes of a series are nested, the metadata is answered or damaged."""
    deep = '{"RequestAttributesSequence": [' * depth + "{}" + "]}" * depth
    series = f'{{"1": {{"DICOM": {deep}, "Instances": {{"1.1": {{"DICOM": {{}}}}}}}}}}'
    content = f'{{"Patient": {{"DICOM": {{}}}}, "Study": {{"DICOM": {{}}, "Series": {series}}}}}'
    found = await MetadataStore(Calls(content.encode())).get(image_set(), ROWS, budget())
    assert (depth < 127, depth < 127) == (found.whole, not found.faults)


@pytest.mark.parametrize(("max_bytes", "to_its_end"), [(10**6, True), (10**5, False)])
async def test_no_more_is_received_than_is_read(max_bytes: int, to_its_end: bool) -> None:
    """What is too large is let go where that is seen, announced or not."""
    calls = Calls(document(5_000), announces=False)
    store = MetadataStore(calls, MetadataLimits(max_bytes=max_bytes))
    found = await store.get(image_set(), ROWS, budget())
    (stream,) = calls.streams
    assert (to_its_end, True) == (not stream.content, stream.closed)
    assert (() if to_its_end else (Fault.TOO_LARGE,)) == found.faults


async def test_what_is_gone_is_not_kept() -> None:
    """It has no body."""
    calls = Calls()
    calls.image_set_metadata = gone  # type: ignore[method-assign] # an answer of its own
    store = MetadataStore(calls)
    found = await store.get(image_set(), ROWS, budget())
    assert (Metadata(whole=False, faults=(Fault.GONE,)), 0) == (found, store.weight)
    assert store.kept(image_set(), ROWS) is None


async def gone(image_set_id: str, version: int) -> Body:
    """That it is gone."""
    return Body(None)


async def test_the_bound() -> None:
    """The least lately used are dropped so that the weight stays within the bound."""
    calls = Calls(document(8, InstanceNumber="1"))
    store = MetadataStore(calls)
    await store.get(image_set(0), ROWS, budget())
    one = store.weight
    assert len(calls.content) < one
    store = MetadataStore(calls, MetadataLimits(cache_bytes=5 * one + one // 2))
    for number in (0, 1, 2, 3, 4, 0, 5, 6):
        await store.get(image_set(number), ROWS, budget())
        assert store.weight <= 5 * one + one // 2
    kept = [n for n in range(7) if store.kept(image_set(n), ROWS) is not None]
    assert ([0, 3, 4, 5, 6], 5 * one) == (kept, store.weight)
    await store.get(image_set(6), None, budget())  # an entry takes the place of its own
    assert 5 * one <= store.weight < 6 * one
    assert kept == [n for n in range(7) if store.kept(image_set(n), ROWS) is not None]


async def test_a_new_version_is_another() -> None:
    """Versions are kept apart."""
    calls = Calls()
    store = MetadataStore(calls)
    for version in (1, 2, 1, 2):
        await store.get(image_set(version=version), ROWS, budget())
    assert [("1", 1), ("1", 2)] == calls.asked


async def test_equal_requests_share_a_call() -> None:
    """One call is made; the request that began it pays for it and its retries."""
    calls = Calls(attempts=3)
    calls.let_go.clear()
    store = MetadataStore(calls, MetadataLimits(cache_bytes=0))
    budgets = [budget() for _ in range(4)]
    names = (ROWS, ROWS, frozenset({"Columns"}), SLICE)
    tasks = [
        asyncio.create_task(store.get(image_set(), n, b))
        for n, b in zip(names, budgets, strict=True)
    ]
    await asyncio.sleep(0)
    calls.let_go.set()
    found = await asyncio.gather(*tasks)
    assert found[0] is found[1] is found[2]
    assert ([3, 0, 0, 3], 2) == ([b.calls for b in budgets], len(calls.asked))
    assert all(stream.closed for stream in calls.streams)


async def test_who_leaves_leaves_alone() -> None:
    """The others get their answer, whoever began the call."""
    calls = Calls()
    calls.let_go.clear()
    store = MetadataStore(calls)
    tasks = [asyncio.create_task(store.get(image_set(), ROWS, budget())) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[2].cancel()
    await asyncio.sleep(0)
    calls.let_go.set()
    assert (await tasks[1]).whole
    assert [True, False, True] == [task.cancelled() for task in tasks]
    assert 1 == len(calls.asked)


async def test_when_all_have_left() -> None:
    """The call ends, its connection is let go, and the next request makes one of its own."""
    calls = Calls()
    calls.let_go.clear()
    store = MetadataStore(calls)
    tasks = [asyncio.create_task(store.get(image_set(), ROWS, budget())) for _ in range(2)]
    while not calls.streams:  # noqa: ASYNC110 - until the call is made
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _ in range(9):
        await asyncio.sleep(0)
    assert calls.streams[0].closed
    calls.let_go.set()
    assert (await store.get(image_set(), ROWS, budget())).whole
    assert ([True, True], 2) == ([stream.closed for stream in calls.streams], len(calls.asked))


async def test_a_failure_is_everybodys() -> None:
    """All that wait get it; the one that began pays; it is not kept."""
    error = UpstreamThrottledError("no")
    error.attempts = 3
    calls = Calls(error=error)
    calls.let_go.clear()
    store = MetadataStore(calls)
    budgets = [budget(), budget()]
    tasks = [asyncio.create_task(store.get(image_set(), ROWS, b)) for b in budgets]
    await asyncio.sleep(0)
    calls.let_go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [error, error] == found
    assert [3, 0] == [b.calls for b in budgets]
    calls.error = None
    assert (await store.get(image_set(), ROWS, budget())).whole


async def test_without_a_call_left() -> None:
    """A budget without calls makes none, but what is kept or under way costs none."""
    calls = Calls()
    store = MetadataStore(calls)
    with pytest.raises(ResultTooLargeError):
        await store.get(image_set(), ROWS, budget(0))
    assert [] == calls.asked
    calls.let_go.clear()
    first = asyncio.create_task(store.get(image_set(), ROWS, budget(1)))
    second = asyncio.create_task(store.get(image_set(), ROWS, budget(0)))
    await asyncio.sleep(0)
    calls.let_go.set()
    assert await first is await second
    assert (await store.get(image_set(), ROWS, budget(0))).whole


@pytest.mark.parametrize("announces", [True, False])
async def test_large_blobs_one_at_a_time(monkeypatch: pytest.MonkeyPatch, announces: bool) -> None:
    """Past a size the next blob is read on when the one before is done; small ones do not wait."""
    monkeypatch.setattr(metadata_module, "LARGE_BYTES", 100_000)
    calls = Calls(document(5_000), announces=announces)
    store = MetadataStore(calls)
    await store._large.acquire()
    waiting = [asyncio.create_task(store.get(image_set(n), ROWS, budget())) for n in range(2)]
    while len(calls.streams) < 2:  # noqa: ASYNC110 - until the calls are made
        await asyncio.sleep(0)
    calls.content = document()
    assert (await store.get(image_set(3), ROWS, budget())).whole
    assert not any(task.done() for task in waiting)
    left = [len(stream.content) for stream in calls.streams[:2]]
    read = [len(document(5_000)) - one for one in left]
    assert all(size <= 100_000 + 64 * 1024 for size in read)
    store._large.release()
    assert [5_000, 5_000] == [len(one.instances) for one in await asyncio.gather(*waiting)]


def request_upstream(calls: Calls, one: Budget, store: MetadataStore) -> RequestUpstream:
    """A request's upstream."""
    return upstream_over(calls, one, store)


async def test_a_request_in_time() -> None:
    """A call that outlasts the budget ends for this request, as a fault of the upstream or not."""
    calls = Calls()
    calls.let_go.clear()
    store = MetadataStore(calls)
    for answered, kind in ((0, UpstreamTimeoutError), (1, ResultTooLargeError)):
        one = Budget(9, 0.001, lambda: 0.0, answered=answered)
        with pytest.raises(kind):
            await request_upstream(calls, one, store).metadata(image_set(), ROWS)
    calls.let_go.set()
    one = budget()
    up = request_upstream(calls, one, store)
    found = await asyncio.gather(*(up.metadata(image_set(n), ROWS) for n in (1, 2, 1)))
    assert (2, 3, True) == (one.calls, one.answered, all(m.whole for m in found))
    spent = Budget(0, 0, lambda: 0.0)
    assert (await request_upstream(calls, spent, store).metadata(image_set(), ROWS)).whole
    with pytest.raises(ResultTooLargeError):
        await request_upstream(calls, spent, store).metadata(image_set(9), ROWS)


async def test_the_accounts_rate_is_kept() -> None:
    """Past the burst a call waits for its turn, and that is a part of the request's time."""
    calls = Calls()
    store = MetadataStore(calls, MetadataLimits(calls_per_s=0.001, burst=2))
    one = Budget(9, 0.05, lambda: 0.0)
    up = request_upstream(calls, one, store)
    for number in (1, 2):
        await up.metadata(image_set(number), ROWS)
    with pytest.raises(ResultTooLargeError):
        await up.metadata(image_set(3), ROWS)
    assert [("1", 1), ("2", 1)] == calls.asked
