"""Where a study or series lies: the image sets of it that are shown, found by a search.

What a search for series lists is what can be retrieved. A series is looked for by itself, a second
one of the same study with its whole study. What was found is kept for a short time, and equal
questions under way at once are one search.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial

from gateway.errors import NotFoundError, ResultTooLargeError, UpstreamUnavailableError
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.flight import Flight
from gateway.healthimaging.metadata import MetadataStore
from gateway.healthimaging.retrieving import RetrieveLimits
from gateway.healthimaging.rungs import Rungs
from gateway.healthimaging.upstream import RequestUpstream
from gateway.healthimaging.walks import Walks
from gateway.search.grouping import is_primary, study_uid_of, winner_first
from gateway.search.imageset import ImageSet
from gateway.search.metadata import Fault, Metadata
from gateway.search.plan import Equal, Plan, SearchOptions, Sort, completion
from gateway.search.study import Found, found_series
from gateway.search.upstream import Names
from gateway.wado.upstream import Place

NOT_SHOWN = "There is no such study or series in the data store, or none that is shown."
UNREAD = "Metadata that the answer needs could not be read."
GONE = "It has gone from the data store."
MOST_KEPT = 10_000
"""Places that are kept; those go first that were not asked for the longest time."""

SURE_S = 5.0
"""For how long a place that was found is not doubted."""

_SERIES = "DICOMSeriesInstanceUID"


@dataclass(frozen=True, slots=True)
class Located:
    """A place, and the image sets there, of which one is its own; the winner first."""

    place: Place
    image_sets: tuple[ImageSet, ...]


_Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class Locating:
    """Finds places in one data store.

    With `joins_primary` the primary image sets of a series are one place, as they are for the
    upstream's DICOMweb.
    """

    walks: Walks
    store: MetadataStore
    options: SearchOptions
    limits: RetrieveLimits
    clock: Callable[[], float]
    joins_primary: bool
    _rungs: Rungs = field(init=False)
    _kept: OrderedDict[_Key, tuple[float, tuple[Located, ...]]] = field(default_factory=OrderedDict)
    _number: int = 0
    _flights: dict[_Key, Flight[tuple[Located, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rungs = Rungs(self.clock)

    async def places(
        self, study_uid: str, series_uid: str = "", *, recent: bool = False
    ) -> Sequence[Place]:
        """The places of a study, or of one of its series, by SeriesNumber and SeriesInstanceUID.

        `recent` ones are searched for, whatever is kept.

        Raises: NotFoundError, UpstreamError, ResultTooLargeError.
        """
        found = await self._located(study_uid, series_uid, recent=recent)
        return [one.place for one in found]

    async def image_sets(self, place: Place) -> tuple[ImageSet, ...]:
        """The image sets at a place.

        Raises: NotFoundError, UpstreamError, ResultTooLargeError.
        """
        found = await self._located(place.study_uid, place.series_uid)
        sets = next((one.image_sets for one in found if one.place == place), ())
        if not sets:  # another one meanwhile
            raise NotFoundError(GONE)
        return sets

    async def instances(self, place: Place) -> Sequence[str]:
        """The SOPInstanceUIDs at a place, by InstanceNumber and UID.

        Raises: NotFoundError, UpstreamError, ResultTooLargeError.
        """
        by_uid: dict[str, tuple[bool, int, str]] = {}
        for image_set in await self.image_sets(place):
            found = await self.metadata(image_set, frozenset())
            if not found.whole:
                raise UpstreamUnavailableError(UNREAD)
            for instance in found.instances:
                by_uid.setdefault(instance.sop_instance_uid, instance.place)
        return sorted(by_uid, key=by_uid.__getitem__)

    async def metadata(self, image_set: ImageSet, names: Names) -> Metadata:
        """The whole metadata of an image set; of each instance at least `names`.

        Raises: NotFoundError where it is gone; UpstreamError, ResultTooLargeError.
        """
        upstream = self._request()
        with closing(upstream):
            found = await upstream.metadata(image_set, names)
        if Fault.GONE in found.faults:
            raise NotFoundError(GONE)
        return found

    def forget(self, place: Place) -> None:
        """Look for the places of its series anew the next time: something was not there.

        Not where they were found just now: then it may be at another of them, or nowhere.
        """
        surely = self.clock() - SURE_S
        for key in ((place.study_uid, ""), (place.study_uid, place.series_uid)):
            if key in self._kept and self._kept[key][0] <= surely:
                self._drop(key)

    async def _located(
        self, study_uid: str, series_uid: str, *, recent: bool = False
    ) -> tuple[Located, ...]:
        found = () if recent else self._at_hand(study_uid, series_uid)
        key = (study_uid, series_uid)
        if not found and series_uid and key not in self._flights and self._knows_more_than(key):
            # Of a study that is being opened they will all be asked for: one search is enough
            with suppress(ResultTooLargeError):
                study = await self._joined((study_uid, ""))
                if not (found := _of_series(study, series_uid)):
                    raise NotFoundError(NOT_SHOWN)
        if not found and not (found := await self._joined(key)):
            raise NotFoundError(NOT_SHOWN)
        return found

    def _knows_more_than(self, key: _Key) -> bool:
        """Whether any other part of a study is kept or looked for."""
        return any(one[0] == key[0] and one != key for one in (*self._flights, *self._kept))

    async def _joined(self, key: _Key) -> tuple[Located, ...]:
        """What a search finds: the one that is under way, else a new one."""
        flight = self._flights.get(key)
        if flight is None:
            flight = Flight(self._search(key), partial(self._landed, key))
            self._flights[key] = flight
        return await flight.join()

    def _landed(self, key: _Key) -> None:
        del self._flights[key]

    def _at_hand(self, study_uid: str, series_uid: str) -> tuple[Located, ...]:
        """What is kept of a series, by itself or with its study."""
        oldest = self.clock() - self.limits.keep_s
        for key in dict.fromkeys([(study_uid, series_uid), (study_uid, "")]):
            since, found = self._kept.get(key, (0.0, ()))
            if found and since <= oldest:
                self._drop(key)
            elif found:
                self._kept.move_to_end(key)
                if own := tuple(one for one in found if series_uid in ("", one.place.series_uid)):
                    return own
        return ()

    async def _search(self, key: _Key) -> tuple[Located, ...]:
        study_uid, series_uid = key
        plan = completion(study_uid)
        if series_uid:
            plan = Plan((Equal(_SERIES, series_uid),), Sort.DEFAULT)
        since, upstream = self.clock(), self._request()
        met: dict[str, ImageSet] = {}
        with closing(upstream):
            async for page in await upstream.open(plan):
                for one in page.image_sets:
                    is_of_it = study_uid_of(one) == study_uid
                    known = met.get(one.image_set_id)
                    if is_of_it and (known is None or known.version <= one.version):
                        met[one.image_set_id] = one
        sets = winner_first(met.values(), trust_unmarked=self.options.trust_unmarked)
        series = found_series(sets, self.options)
        found = tuple(at for one in series for at in self._located_in(one))
        found = _of_series(found, series_uid)
        self._keep(key, since, found)
        return found

    def _located_in(self, series: Found) -> list[Located]:
        """The places of one series."""
        uid = str(series.values["SeriesInstanceUID"][0])
        trusted = self.options.trust_unmarked
        primary: list[tuple[ImageSet, str]] = []
        others: list[tuple[ImageSet, str]] = []
        for one in series.image_sets:
            # Without what else its summary says: it may be kept
            slim = ImageSet(one.image_set_id, {_SERIES: uid}, one.version)
            is_sure = is_primary(one, trust_unmarked=trusted)
            (primary if is_sure else others).append((slim, study_uid_of(one)))
        groups = [(primary, True)] if self.joins_primary else [([one], True) for one in primary]
        groups += [([one], False) for one in others]
        found = []
        for group, is_sure in groups:
            if group:
                first, study_uid = group[0]
                place = Place(study_uid, uid, first.image_set_id, first.version, is_sure)
                found.append(Located(place, tuple(one for one, _ in group)))
        return found

    def _request(self) -> RequestUpstream:
        budget = Budget(self.limits.max_calls, self.limits.max_s, self.clock)
        return RequestUpstream(self.walks, self._rungs, budget, self.store)

    def _keep(self, key: _Key, since: float, found: tuple[Located, ...]) -> None:
        self._drop(key)
        if not found or self.limits.keep_s <= 0:
            return
        self._kept[key] = (since, found)
        self._number += len(found)
        while self._number > MOST_KEPT:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: _Key) -> None:
        if (known := self._kept.pop(key, None)) is not None:
            self._number -= len(known[1])


def _of_series(found: tuple[Located, ...], series_uid: str) -> tuple[Located, ...]:
    """Those of one series, or all where it is not named."""
    if not series_uid:
        return found
    return tuple(one for one in found if one.place.series_uid == series_uid)
