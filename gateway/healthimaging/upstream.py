"""What one request asks of the upstream: walks, which it may share, and metadata.

All of it is paid by the request's budget; what others have fetched costs nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from gateway.errors import UpstreamValidationError
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.loading import Loader
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.reading import Reading
from gateway.healthimaging.rungs import Rungs
from gateway.healthimaging.walk import Walk
from gateway.healthimaging.walks import Walks
from gateway.search.imageset import ImageSet
from gateway.search.metadata import Metadata
from gateway.search.plan import Plan, ladder
from gateway.search.upstream import Names, Resume


@dataclass(slots=True, eq=False)
class RequestUpstream:
    """Opens the walks of one request, and gives it metadata, within its budget.

    It is closed when the request is over: then nothing is fetched for it any more. `read` are the
    walks that it has opened.
    """

    walks: Walks
    rungs: Rungs
    budget: Budget
    store: MetadataStore
    read: list[Walk] = field(default_factory=list)
    _is_shared: bool = False
    _since: float = -inf
    _loader: Loader = field(init=False)
    _readings: list[Reading] = field(default_factory=list)
    _coming: deque[Plan] = field(default_factory=deque)
    _opening: dict[Plan, asyncio.Task[Reading]] = field(default_factory=dict)
    _awaited: int = 0  # walks that are being opened and are in `_opening` no longer

    def __post_init__(self) -> None:
        self._loader = Loader(self.walks, self.budget)

    async def open(self, one: Plan, resume: Resume | None = None) -> Reading:
        """The walk of `one` or of the nearest rung of its ladder that the upstream takes.

        Raises: UpstreamError, ResultTooLargeError.
        """
        if one in self._coming:
            self._coming.remove(one)
        opening = self._opening.pop(one, None)
        self._awaited += 1
        try:
            self._open_more()
            return await (self._open(one, resume) if opening is None else opening)
        finally:
            self._awaited -= 1

    def expect(self, plans: Iterable[Plan]) -> None:
        """Say that the walks of `plans` will all be opened, in this order."""
        self._coming.extend(plans)
        self._open_more()

    def begin_anew(self) -> None:
        """Open only walks that begin from now on."""
        self.close()
        self.read.clear()
        self._since = self.budget.clock()

    @property
    def age_s(self) -> int | None:
        """How old the oldest of its walks is, None where it shares none with earlier requests."""
        began = min((walk.started_at for walk in self.read), default=inf)
        return int(self.budget.clock() - began) if self._is_shared else None

    def repeat(self, walks: Iterable[Walk]) -> None:
        """Say that what it would give was given before, by `walks`."""
        self.read, self._is_shared = list(walks), True

    def close(self) -> None:
        """Want nothing any more."""
        self._coming.clear()
        for task in self._opening.values():
            task.cancel()
        self._opening.clear()
        for reading in self._readings:
            reading.close()
        self._readings.clear()
        self._loader.close()

    def _open_more(self) -> None:
        while self._coming and len(self._opening) + self._awaited < self._loader.at_once:
            one = self._coming.popleft()
            if one not in self._opening:
                task = self._opening[one] = asyncio.create_task(self._open(one, None))
                task.add_done_callback(_see)

    async def _open(self, one: Plan, resume: Resume | None) -> Reading:
        steps = ladder(one)
        first = self.rungs.first(one)
        for rung in range(first, len(steps)):
            walk, is_shared = self.walks.join(steps[rung], resume, self._since)
            reading = Reading(self._loader, walk, resume, is_own=not is_shared)
            self._readings.append(reading)
            try:
                await reading.begin()
            except UpstreamValidationError:
                if rung == len(steps) - 1:
                    raise
                continue
            finally:
                self.walks.forget_unbegun(walk)
            if rung > first:
                self.rungs.remember(one, rung, steps[rung])
            self.read.append(walk)
            self._is_shared = self._is_shared or is_shared
            return reading
        raise AssertionError("a ladder has a rung")

    async def metadata(self, image_set: ImageSet, names: Names) -> Metadata:
        """The metadata of this version of an image set; of each instance at least `names`.

        What is kept, or being fetched for another request, costs no call. Several may be asked for
        at once.

        Raises: UpstreamError, ResultTooLargeError.
        """
        if (kept := self.store.kept(image_set, names)) is not None:
            return kept
        async with self.budget.waiting():
            return await self.store.get(image_set, names, self.budget)


def _see(task: asyncio.Task[Reading]) -> None:
    if not task.cancelled():
        task.exception()  # perhaps nobody comes to open it
