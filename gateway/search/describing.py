"""From what summaries find to results: what only metadata tells is fetched, read and matched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.qido.attributes import (
    BY_KEYWORD,
    Attribute,
    Level,
    Origin,
)
from gateway.qido.conditions import Criterion, Exact
from gateway.qido.matching import Matcher, matcher
from gateway.qido.query import Query
from gateway.qido.result import Result, Value
from gateway.search.imageset import ImageSet
from gateway.search.instance import Read, instance_values, level_values, names_to_fetch
from gateway.search.metadata import Metadata, PackedInstance
from gateway.search.needs import COUNT, Needs, needs_of
from gateway.search.plan import SearchOptions
from gateway.search.study import Found
from gateway.search.tally import Tally
from gateway.search.upstream import Names, Upstream

AT_ONCE = 8
"""How many image sets' metadata one search fetches at the same time."""

_NOT_ITS_OWN = frozenset(
    k for k, a in BY_KEYWORD.items() if a.origin in (Origin.SUMMARY, Origin.DERIVED)
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was found, with the metadata that was fetched for it.

    `own` is that of its image sets, in their order, `study` that of its study's winner.
    """

    found: Found
    own: tuple[Metadata, ...] = ()
    study: Metadata | None = None


@dataclass(slots=True)
class Describing:
    """Makes the results of one search, of what was found and what its metadata says."""

    query: Query
    options: SearchOptions
    upstream: Upstream
    tally: Tally
    needs: Needs = field(init=False)
    _matches: Matcher = field(init=False)
    _names: Names = field(init=False)
    _uids: frozenset[str] | None = field(init=False)

    def __post_init__(self) -> None:
        self.needs = needs_of(self.query, self.options)
        self._names = names_to_fetch(self.needs.names, self.query.creators)
        self._matches = matcher(self.query.criteria)
        self._uids = _uids_of(self.query.criteria)

    @property
    def at_once(self) -> int:
        """How many of those found may be fetched at the same time."""
        return 2 if self._names is None else AT_ONCE

    async def fetch(self, found: Found) -> Fetched:
        """`found` with the metadata that its results need; at the most one call an image set.

        Raises: UpstreamError, ResultTooLargeError.
        """
        sets = self._own_sets(found)
        own = [await self._metadata(one) for one in sets]
        study = None
        if self.needs.study:
            winner = found.study_winner
            at_hand = (m for one, m in zip(sets, own, strict=True) if one is winner)
            study = next(at_hand, None) or await self._metadata(winner)
        return Fetched(found, tuple(own), study)

    def _own_sets(self, found: Found) -> Sequence[ImageSet]:
        needs = self.needs
        is_open = needs.count == "where open" and COUNT not in found.values
        if needs.instances or needs.count == "each" or is_open:
            return found.image_sets
        return found.image_sets[:1] if needs.series else ()

    async def _metadata(self, image_set: ImageSet) -> Metadata:
        metadata = await self.upstream.metadata(image_set, self._names)
        for fault in metadata.faults:
            self.tally.faults.setdefault(fault, set()).add(image_set.image_set_id)
        if not metadata.whole:
            self.tally.partial.add(image_set.image_set_id)
        return metadata

    def results(self, fetched: Fetched, unread: float = 0) -> Iterator[Result | None]:
        """The results in order, None for each that does not match after all.

        The first `unread` are only counted: where no criterion waits, they are not read for it.
        """
        made: Iterator[Result | None] = self._described(fetched)
        if self.needs.instances:
            made = self._instances(fetched, 0 if self.needs.waiting else unread)
        for result in made:
            yield result if result is not None and self._matches(result.values) else None

    def _described(self, fetched: Fetched) -> Iterator[Result]:
        """The study or series with what its metadata says."""
        result, needs = fetched.found.result, self.needs
        values, vrs = dict(result.values), dict(result.vrs)
        parts = [
            (needs.study, fetched.found.study_winner, fetched.study),
            (needs.series, fetched.found.image_sets[0], next(iter(fetched.own), None)),
        ]
        for attributes, image_set, metadata in parts:
            if metadata is not None:
                read = level_values(metadata, attributes)
                self._count_faults(read, image_set)
                values |= read.values
                vrs |= read.vrs
        yield Result(result.level, self._counted(values, fetched), vrs)

    def _instances(self, fetched: Fetched, unread: float) -> Iterator[Result | None]:
        series = fetched.found.result
        series_values = self._counted(dict(series.values), fetched)
        in_order = _in_order(tuple(zip(fetched.found.image_sets, fetched.own, strict=True)))
        for place, (image_set, metadata, instance) in enumerate(in_order):
            if place < unread:
                yield Result(Level.INSTANCE, series_values)
                continue
            if self._uids is not None and instance.sop_instance_uid not in self._uids:
                yield None  # reading it takes longer than all else that is done for it
                continue
            read = instance_values(metadata, instance, self.needs.names, self.query.creators)
            self._count_faults(read, image_set)
            # Of what summaries tell, the study's and the series' winners speak, never several
            own = {k: () if k in _NOT_ITS_OWN else v for k, v in read.values.items()}
            vrs = {k: vr for k, vr in read.vrs.items() if k not in _NOT_ITS_OWN}
            uid: tuple[Value, ...] = (instance.sop_instance_uid,)
            values = {**own, **series_values, "SOPInstanceUID": uid}
            yield Result(Level.INSTANCE, values, vrs)

    def _counted(
        self, values: dict[str, tuple[Value, ...]], fetched: Fetched
    ) -> dict[str, tuple[Value, ...]]:
        """`values` with the exact number of the series' instances, where it was counted."""
        every_set = len(fetched.own) == len(fetched.found.image_sets)
        if not every_set or self.options.counts == "image-set":
            return values
        if self.query.level is Level.STUDY or not all(one.whole for one in fetched.own):
            return values
        uids = {i.sop_instance_uid for one in fetched.own for i in one.instances}
        return {**values, COUNT: (len(uids),)}

    def _count_faults(self, read: Read, image_set: ImageSet) -> None:
        for fault in read.faults:
            self.tally.faults.setdefault(fault, set()).add(image_set.image_set_id)


def _uids_of(criteria: Iterable[Criterion]) -> frozenset[str] | None:
    """The SOPInstanceUIDs that `criteria` leave, None for all."""
    for criterion in criteria:
        match criterion:
            case Criterion(Attribute(keyword="SOPInstanceUID"), Exact(values)):
                return frozenset(map(str, values))
    return None


def _in_order(
    own: Sequence[tuple[ImageSet, Metadata]],
) -> Iterable[tuple[ImageSet, Metadata, PackedInstance]]:
    """The instances of one series by number and UID; one that two image sets have, once."""
    if len(own) == 1:
        ((image_set, metadata),) = own
        return ((image_set, metadata, instance) for instance in metadata.instances)
    by_uid: dict[str, tuple[ImageSet, Metadata, PackedInstance]] = {}
    for image_set, metadata in own:
        for instance in metadata.instances:
            by_uid.setdefault(instance.sop_instance_uid, (image_set, metadata, instance))
    return sorted(by_uid.values(), key=lambda found: found[2].place)
