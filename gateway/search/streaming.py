"""A sorted walk on its way: studies as they become sure, what is read ahead, the trail it leaves.

The rules of the order are `StudyWindow`'s; here is what makes a long answer cheap.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf

from gateway.qido.attributes import Level
from gateway.search.grouping import Group, StudyWindow
from gateway.search.imageset import ImageSet, Page
from gateway.search.tally import Tally
from gateway.search.trail import MAX_RELEASED, Checkpoint, Trail
from gateway.search.upstream import Walk
from gateway.search.window import ResultWindow


@dataclass(slots=True)
class Stream:
    """The studies of one sorted walk, in the order of the answer.

    `usable` gives the image sets of a page that count. `shows_all` says that a study has no series
    but those that the walk gives, none that comes with a study that is fetched whole. `is_last`
    says that nothing follows the walk: then what its last page leaves is left in the window, as one
    batch whose number is known.
    """

    walk: Walk
    window: StudyWindow
    results: ResultWindow
    level: Level
    tally: Tally
    usable: Callable[[Page], list[ImageSet]]
    shows_all: bool
    is_last: bool
    _trail: Trail = field(init=False)
    _places: dict[int, object] = field(default_factory=dict)
    _pages: int = 0
    _image_sets: int = 0
    _noted: int = 0
    _is_full: bool = False

    def __post_init__(self) -> None:
        self._trail = self.walk.trail
        if self._trail.checkpoints:
            start = self._trail.checkpoints[-1]
            self.results.position = start.results
            self.window.go_on(self._trail.released, start.last, start.clock)
            self.tally.hidden.update(dict.fromkeys(self._trail.hidden))
            self._noted = len(self.tally.hidden)

    async def groups(self, head: Sequence[ImageSet] = ()) -> AsyncGenerator[list[Group], None]:
        """Groups that are sure, `head` being what was read of the walk before.

        Each batch is to be done with when the next one is asked for.
        """
        if head:
            self._take_in(head)
            if not self._is_over:
                groups = self._release()
                yield groups
                self._mark(groups)
        async for page in self.walk:
            self._take_in(self.usable(page))
            if not self._is_over:
                groups = self._release()
                yield groups
                self._mark(groups)

    @property
    def _is_over(self) -> bool:
        return self.walk.ended and self.is_last

    def _take_in(self, image_sets: Sequence[ImageSet]) -> None:
        self.window.page += 1
        self._places[self.window.page] = self.walk.place
        self._pages += 1
        self._image_sets += len(image_sets)
        for image_set in image_sets:
            self.window.add(image_set)

    def _release(self) -> list[Group]:
        groups = self.window.release()
        self._expect(groups)
        return groups

    def _expect(self, groups: Sequence[Group]) -> None:
        """Tell the walk how many pages more it takes, as far as that is sure.

        Each study that is known may be a result, and each series an image set; more results than
        these need more pages. How many instances there are is in no page, and neither is how many
        series come with studies that are fetched whole.
        """
        if self.results.end == inf:
            self.walk.expect(inf)
            return
        if self.level is Level.STUDY:
            known = len(groups) + self.window.open_studies
            a_page = self.window.studies / self._pages
        elif self.level is Level.SERIES and self.shows_all:
            known = sum(len(group.members) for group in groups) + self.window.open_sets
            a_page = self._image_sets / self._pages
        else:
            return
        self.walk.expect((self.results.left - known) / max(a_page, 1.0))

    def _mark(self, groups: Sequence[Group]) -> None:
        """Set a checkpoint behind `groups`, which are done with."""
        trail = self._trail
        self._is_full = self._is_full or len(trail.released) + len(groups) > MAX_RELEASED
        if not groups or self._is_full:
            return
        trail.released += self.window.state_of(groups)
        mark = self.window.mark()
        if mark is None:
            return
        page, clock, last = mark
        for known in [one for one in self._places if one < page]:
            del self._places[known]
        trail.hidden += islice(self.tally.hidden, self._noted, None)
        self._noted = len(self.tally.hidden)
        trail.checkpoints.append(
            Checkpoint(
                place=self._places[page],
                results=self.results.position,
                released=len(trail.released),
                hidden=len(trail.hidden),
                clock=clock,
                last=last,
            )
        )
        self.walk.leave(trail)
