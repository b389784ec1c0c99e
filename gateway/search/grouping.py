"""Grouping: image sets become studies, as soon as the walk is far enough past them.

A walk comes by StudyDate and StudyTime, newest first. What AWS leaves open about that order (where
a missing time stands, how ties fall) is less than a study window; more than that is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter

from gateway.errors import ResultTooLargeError, StudyWindowError
from gateway.qido.times import DAY_US, parse_date, parse_stored_time
from gateway.search.imageset import ImageSet

MAX_WINDOW = 50_000
"""Image sets that may wait for the end of a study window."""

_HOUR_US = 3_600_000_000

Place = tuple[int, int, str]
"""Where a study stands in an answer, smallest first: by date, then time, then StudyInstanceUID."""


def study_uid_of(image_set: ImageSet) -> str:
    """Its StudyInstanceUID without padding, "" where it has none."""
    return str(image_set.tags.get("DICOMStudyInstanceUID", "")).strip(" \0")


def instant_of(image_set: ImageSet) -> tuple[int | None, int | None]:
    """The day number and the microsecond of the day of its study; None for what is not known.

    A StudyDate that is not `YYYYMMDD` counts as none.
    """
    tags = image_set.tags
    return _instant(tags.get("DICOMStudyDate", ""), tags.get("DICOMStudyTime", ""))


@lru_cache(maxsize=512)  # asked several times for each image set, and those of a study share it
def _instant(date: str | int, time: str | int) -> tuple[int | None, int | None]:
    return parse_date(str(date).rstrip(" \0")), parse_stored_time(str(time).rstrip(" \0"))


def place_of(image_set: ImageSet) -> Place:
    """Where the study stands if this image set is its winner: undated last, no time last."""
    return _place(instant_of(image_set), study_uid_of(image_set))


def _place(instant: tuple[int | None, int | None], study_uid: str) -> Place:
    day, time_us = instant
    return (-(day or 0), 1 if time_us is None else -time_us, study_uid)


def is_primary(image_set: ImageSet, *, trust_unmarked: bool) -> bool:
    """Whether it is surely primary: the upstream says so, or says nothing and that is trusted."""
    return image_set.is_primary in sure_marks(trust_unmarked=trust_unmarked)


def sure_marks(*, trust_unmarked: bool) -> tuple[bool | None, ...]:
    """What `ImageSet.is_primary` says of one that is surely primary."""
    return (True, None) if trust_unmarked else (True,)


def winner_first(
    image_sets: Iterable[ImageSet], *, trust_unmarked: bool = True
) -> tuple[ImageSet, ...]:
    """`image_sets` in order: primary, unmarked where that is not trusted, others; newest first."""
    sure = sure_marks(trust_unmarked=trust_unmarked)
    return tuple(sorted(image_sets, key=lambda s: _rank(s, sure)))


def _rank(image_set: ImageSet, sure: tuple[bool | None, ...]) -> tuple[int, float, int, str]:
    mark = image_set.is_primary
    standing = 0 if mark in sure else 1 if mark is None else 2
    return (standing, -image_set.updated_at, -image_set.version, image_set.image_set_id)


class Group:
    """The image sets of one study that a walk has met, each once, from its page `since` on.

    It stands at the `place` of its winner; the foremost of all that it has had was `foremost`. Who
    knows already where the study stands by an image set gives that place too.
    """

    __slots__ = ("_best", "_ranks", "_sure", "foremost", "members", "place", "since", "study_uid")

    def __init__(
        self, first: ImageSet, place: Place | None = None, *, trust_unmarked: bool = True
    ) -> None:
        self.since = 0
        self.place = self.foremost = place or place_of(first)
        self.study_uid = self.place[-1]
        self.members = {first.image_set_id: first}
        self._sure = sure_marks(trust_unmarked=trust_unmarked)
        self._best = _rank(first, self._sure)
        self._ranks = {first.image_set_id: self._best}

    def add(self, image_set: ImageSet, place: Place | None = None) -> bool:
        """Take it in; of two states of one image set the later one stays.

        Gives whether it was not met before.
        """
        image_set_id = image_set.image_set_id
        known = self.members.get(image_set_id)
        if known is not None and known.version > image_set.version:
            return False
        self.members[image_set_id] = image_set
        if place is not None and place < self.foremost:
            self.foremost = place
        rank = self._ranks[image_set_id] = _rank(image_set, self._sure)
        if known is not None:
            self._best = min(self._ranks.values())
            self.place = place_of(self.members[self._best[-1]])
        elif rank < self._best:
            self._best = rank
            self.place = place or place_of(image_set)
        return known is None

    @property
    def image_sets(self) -> tuple[ImageSet, ...]:
        """Its image sets, the winner first."""
        members = self.members
        if len(members) == 1:
            return tuple(members.values())
        return tuple([members[rank[-1]] for rank in sorted(self._ranks.values())])


_Latest = tuple[tuple[object, ...], Group, Place]


def _as_stored(image_set: ImageSet) -> tuple[object, ...]:
    """What decides of which study it is, and where that stands."""
    get = image_set.tags.get
    return get("DICOMStudyInstanceUID"), get("DICOMStudyDate"), get("DICOMStudyTime")


class StudyWindow:
    """The studies that a sorted walk may still add to, and those that it can't any more.

    `page` is the number of the page that it takes in, `studies` counts those met. One that goes on
    from a checkpoint reads some pages again, which may have been fetched again.
    """

    def __init__(self, *, whole_days: bool, trust_unmarked: bool = True) -> None:
        self.page = 0
        self.studies = 0
        self._whole_days = whole_days
        self._trust_unmarked = trust_unmarked
        self._margin_us = 1 if whole_days else _HOUR_US
        self._open: dict[str, Group] = {}
        self._low: dict[str, int] = {}  # the earliest instant of each open study
        self._highest_low = 0
        self._clock: int | None = None  # the earliest instant that the walk has reached
        self._read_to: int | None = None  # and the one that was reached before a checkpoint
        self._released: dict[str, bool] = {}  # study to whether it was fetched whole
        self._last_place: Place | None = None
        self._latest: _Latest | None = None
        self._undated: list[ImageSet] = []
        self._size = 0

    def add(self, image_set: ImageSet) -> None:
        """Take in the next image set of the walk.

        Raises: StudyWindowError, ResultTooLargeError.
        """
        if (latest := self._latest) is not None and latest[0] == _as_stored(image_set):
            # Nearly always: then nothing but the group learns of it
            if latest[1].add(image_set, latest[2]):
                self._grow()
            return
        self._latest = None
        day, time_us = instant = instant_of(image_set)
        if day is None:
            self._undated.append(image_set)
            self._grow()
            return
        # A missing time may stand at either end of its day: it moves the clock to the day only
        reached = day * DAY_US + (DAY_US - 1 if time_us is None else time_us)
        if self._clock is None or reached < self._clock:
            self._clock = reached
        uid = study_uid_of(image_set)
        low = self._low_of(day, time_us)
        is_reread = self._read_to is not None and low > self._read_to
        if uid in self._released:
            if not is_reread:
                self._check_late(image_set)
            return
        place = _place(instant, uid)
        is_early = self._last_place is not None and place < self._last_place
        if is_early and is_primary(image_set, trust_unmarked=self._trust_unmarked):
            if is_reread:
                return  # it came since, in front of what was answered
            raise StudyWindowError("A study came after studies that stand behind it.")
        if low < self._low.setdefault(uid, low):
            self._low[uid] = low
        self._highest_low = max(self._highest_low, low)
        if (group := self._open.get(uid)) is None:
            group = self._begin(image_set, place)
            self.studies += 1
            self._grow()
        elif group.add(image_set, place):  # one that was met before takes no more room
            self._grow()
        if not is_early:
            self._latest = _as_stored(image_set), group, place

    def release(self) -> list[Group]:
        """The studies that the walk has passed by a window, in the order of their places."""
        if self._clock is None or self._highest_low < self._clock + self._margin_us:
            return []
        self._latest = None
        passed: list[Group] = []
        for group in sorted(self._open.values(), key=attrgetter("place")):
            if self._low[group.study_uid] < self._clock + self._margin_us:
                break  # whatever comes after it in the answer has to wait for it
            passed.append(group)
        for group in passed:
            del self._open[group.study_uid], self._low[group.study_uid]
            self._released[group.study_uid] = False
            self._last_place = group.place
            self._size -= len(group.members)
        self._highest_low = max(self._low.values(), default=0)
        return passed

    def finish(self) -> list[Group]:
        """All studies that are left at the walk's end: the dated ones, then the undated.

        Raises: StudyWindowError.
        """
        for image_set in self._undated:
            uid = study_uid_of(image_set)
            if (group := self._open.get(uid)) is not None:
                group.add(image_set)
            elif uid in self._released:
                self._check_late(image_set)
            else:
                self._open[uid] = Group(image_set, trust_unmarked=self._trust_unmarked)
        left = sorted(self._open.values(), key=attrgetter("place"))
        self._open, self._undated, self._latest = {}, [], None
        self._clock = None  # nothing is to come
        return left

    def go_on(
        self, released: Iterable[tuple[str, bool]], last: Place | None, clock: int | None
    ) -> None:
        """Begin behind these studies, of which some were fetched whole, the last one at `last`.

        Down to the instant `clock` the walk has been read.
        """
        self._released = dict(released)
        self._last_place, self._read_to = last, clock

    def mark(self) -> tuple[int, int | None, Place | None] | None:
        """From which page on a walk is to be read that goes on here; from which instant on what it
        gives is news; behind which place it goes on.

        None where image sets without a date are held, which may stand on any page, or where an open
        study has parts in front of that place: read again, they could not be told from disorder.
        """
        last = self._last_place
        in_front = last is not None and any(g.foremost < last for g in self._open.values())
        if self._undated or in_front:
            return None
        # The first one that is open was met first: groups leave in any order, but come in theirs
        first = next(iter(self._open.values()), None)
        read_to = min((at for at in (self._clock, self._read_to) if at is not None), default=None)
        return (self.page if first is None else first.since), read_to, last

    def state_of(self, groups: Iterable[Group]) -> list[tuple[str, bool]]:
        """Of those of `groups` that stay released, the study and whether it was fetched whole."""
        known = self._released
        return [(g.study_uid, known[g.study_uid]) for g in groups if g.study_uid in known]

    @property
    def open_studies(self) -> int:
        """How many studies wait, at the most."""
        return len(self._open) + len(self._undated)

    @property
    def open_sets(self) -> int:
        """How many image sets wait."""
        return self._size

    def settle(self, study_uid: str) -> None:
        """Say that a released study was fetched whole: a late part of it changes nothing."""
        self._released[study_uid] = True

    def comes_later(self, group: Group, whole: Sequence[ImageSet]) -> bool:
        """Whether a released group stands further back, as its `whole` study shows.

        If so, it is taken up again there with all of these, the winner first. The walk may never
        give them: a next token can stand for what was there when the walk began.
        """
        winner = whole[0]
        if winner.image_set_id in group.members or self._clock is None:
            return False
        if (place := place_of(winner)) <= group.place:
            return False
        self._released.pop(group.study_uid, None)
        self._latest = None
        day, time_us = instant_of(winner)
        if day is None:
            self._undated += whole
        else:
            again = self._begin(winner, place)
            for image_set in whole[1:]:
                again.add(image_set, place)
            low = self._low_of(day, time_us)
            self._low[group.study_uid] = low
            self._highest_low = max(self._highest_low, low)
        for _ in whole:
            self._grow()
        return True

    def _begin(self, image_set: ImageSet, place: Place) -> Group:
        """Open a study with the first image set of it."""
        group = Group(image_set, place, trust_unmarked=self._trust_unmarked)
        group.since = self.page
        self._open[group.study_uid] = group
        return group

    def _low_of(self, day: int, time_us: int | None) -> int:
        """The earliest instant at which an image set may stand."""
        return day * DAY_US + (0 if self._whole_days or time_us is None else time_us)

    def _grow(self) -> None:
        self._size += 1
        if self._size > MAX_WINDOW:
            raise ResultTooLargeError(
                "Too many image sets lie in one study window. Add a StudyDate range or a key."
            )

    def _check_late(self, image_set: ImageSet) -> None:
        # One that is not primary can't be the winner of a study that was released with one
        sure = is_primary(image_set, trust_unmarked=self._trust_unmarked)
        if sure and not self._released[study_uid_of(image_set)]:
            raise StudyWindowError("A part of a study came after the study had been answered.")
