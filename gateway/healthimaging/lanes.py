"""Reading ahead: several windows of days of one walk at once, for one request.

Nothing here decides an answer. The windows follow one another in the walk, and whoever reads it
fetches each page when he comes to it; lanes only have it fetched by then.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.healthimaging.loading import Loader
from gateway.healthimaging.walk import Step, Walk, Window


@dataclass(slots=True, eq=False)
class _Lane:
    """One window that is read ahead; `step` is its next page, None at its end."""

    window: Window
    expected: float
    step: Step | None
    pages: int = 0
    task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()

    @property
    def left(self) -> float:
        """How many pages it has still to fetch, about."""
        return 0.0 if self.step is None else max(1.0, self.expected - self.pages)


class Lanes:
    """The lanes of one request through one walk that has been cut.

    What `loader` reads it holds until the request has read it too.
    """

    def __init__(self, walk: Walk, loader: Loader) -> None:
        self._walk, self._loader = walk, loader
        self._lanes: list[_Lane] = []
        self._claimed = 0  # windows, the first one aside

    def expect(self, pages: float, at: Window, at_once: int) -> None:
        """Have about `pages` pages fetched behind those of the window `at`, so many at once."""
        reached = self._walk.windows.index(at)
        self._claimed = max(self._claimed, reached)
        self._lanes = [
            lane
            for lane in self._lanes
            if lane.is_running or self._walk.windows.index(lane.window) > reached
        ]
        running = sum(lane.is_running for lane in self._lanes)
        waiting = [lane for lane in self._lanes if lane.step is not None and not lane.is_running]
        while running < at_once and self._loader.has_room:
            lane = waiting.pop(0) if waiting else self._next(pages)
            if lane is None:
                return
            lane.task = asyncio.create_task(self._run(lane))
            running += 1

    def close(self) -> None:
        """End all of them."""
        for lane in self._lanes:
            if lane.task is not None:
                lane.task.cancel()

    def _next(self, pages: float) -> _Lane | None:
        wanted = pages - self._loader.held - sum(lane.left for lane in self._lanes)
        if wanted <= 0:
            return None
        self._claimed += 1
        windows = self._walk.windows
        if self._claimed < len(windows):
            window: Window | None = windows[self._claimed]
        else:
            window = self._walk.next_window(wanted)
        if window is None:
            self._claimed = len(windows) - 1
            return None
        self._loader.walks.meters.date_window()
        lane = _Lane(window, self._walk.pages_of(window), window.first)
        self._lanes.append(lane)
        return lane

    async def _run(self, lane: _Lane) -> None:
        try:
            while lane.step is not None and self._loader.has_room:
                step = lane.step
                page = await self._loader.read(step)
                lane.pages += 1
                lane.step = self._walk.after(step, page) if page.next_token else None
        except GatewayError:  # whoever comes to that page will meet it, if it lasts
            lane.step = None
