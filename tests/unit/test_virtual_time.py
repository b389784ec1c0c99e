"""The loop that the tests of waiting run on."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests import virtualtime
from tests.virtualtime import in_virtual_time, run


@in_virtual_time
async def test_timers_take_no_time() -> None:
    """Years pass at once, and timers fire in their order, never early."""
    loop, began_s, woken = asyncio.get_running_loop(), time.monotonic(), []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    await asyncio.gather(*(sleep(one) for one in (1e8, 0.1, 3.0)))
    assert [0.1, 3.0, 1e8] == woken
    assert 0 <= loop.time() - 1e8 < 1e-6
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await asyncio.sleep(11)
    assert time.monotonic() - began_s < 10


@in_virtual_time
async def test_threads_are_waited_for() -> None:
    """A thread's answer is taken in, and its time is none."""
    assert 3 == await asyncio.to_thread(lambda: 3)
    assert 0 == asyncio.get_running_loop().time()


def test_what_waits_for_ever_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that nothing can wake fails instead of standing still."""
    monkeypatch.setattr(virtualtime, "STUCK_S", 0.01)

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="could wake"):
        run(wait())
