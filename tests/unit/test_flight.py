"""Work that several wait for: done once, and given up with the last of them."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass, field

import pytest

from gateway.healthimaging.flight import Flight


@dataclass
class Work:
    """What a flight does: it ends when it is told to; `runs` and `ends` count."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    runs: int = 0
    ends: int = 0
    was_cancelled: bool = False

    async def run(self) -> str:
        """Wait, then give or raise."""
        self.runs += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if self.error is not None:
            raise self.error
        return "done"

    def end(self) -> None:
        """Count the end."""
        self.ends += 1

    def flight(self) -> Flight[str]:
        """It, under way."""
        return Flight(self.run(), self.end)


async def turns() -> None:
    """Let everything go on that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def joined(flight: Flight[str], number: int) -> list[asyncio.Task[str]]:
    """So many who wait for it."""
    tasks = [asyncio.create_task(flight.join()) for _ in range(number)]
    await turns()
    return tasks


async def test_all_get_what_one_did() -> None:
    """Any number of waiters, one run, one end."""
    work = Work()
    tasks = await joined(work.flight(), 20)
    assert (1, 0) == (work.runs, work.ends)
    work.go_on.set()
    assert ["done"] * 20 == await asyncio.gather(*tasks)
    assert (1, 1) == (work.runs, work.ends)


async def test_whoever_leaves_leaves_alone() -> None:
    """A waiter who is cancelled takes nothing from those who stay."""
    work = Work()
    first, *others = await joined(work.flight(), 3)
    first.cancel()
    await turns()
    assert first.cancelled() and not work.was_cancelled and work.ends == 0
    work.go_on.set()
    assert ["done"] * 2 == await asyncio.gather(*others)


async def test_the_last_one_ends_it() -> None:
    """When nobody is left the work is given up, and told so at once and once."""
    work = Work()
    tasks = await joined(work.flight(), 3)
    for task in tasks:
        assert not work.ends
        task.cancel()
        await turns()
    assert work.was_cancelled and work.ends == 1


async def test_it_may_be_given_up_before_it_begins() -> None:
    """A hold that is released in the same turn leaves no work that never ran."""
    work = Work()
    flight = work.flight()
    flight.hold()
    flight.release()
    assert 1 == work.ends
    await turns()
    gc.collect()  # a coroutine that was never awaited would warn, and a warning fails
    assert (0, 1) == (work.runs, work.ends)


async def test_a_hold_keeps_it() -> None:
    """A hold wants the work as a waiter does."""
    work = Work()
    flight = work.flight()
    flight.hold()
    (task,) = await joined(flight, 1)
    task.cancel()
    await turns()
    assert not work.was_cancelled
    work.go_on.set()
    await turns()
    assert "done" == await flight.join()
    flight.release()
    assert 1 == work.ends


@pytest.mark.parametrize("waiters", [0, 1, 3])
async def test_a_failure(waiters: int) -> None:
    """Each waiter gets the error; where nobody waits it is no complaint of the loop's."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    work = Work(error=LookupError("x"))
    flight = work.flight()
    flight.hold()
    tasks = await joined(flight, waiters + 1)
    tasks[0].cancel()  # one of them leaves before
    await turns()
    work.go_on.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [work.error] * waiters == ended[1:]
    flight.release()
    del flight, tasks, ended
    gc.collect()
    await turns()
    assert not complaints and work.ends == 1
