"""A study and its series, made of the study's image sets: which are shown, which wins, counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.qido.attributes import ATTRIBUTES, Level, Origin
from gateway.qido.result import Result, Value, Values, reader
from gateway.search.imageset import ImageSet
from gateway.search.plan import SECOND_US, SearchOptions

_STUDY = tuple(a for a in ATTRIBUTES if a.level is Level.STUDY and a.origin is Origin.SUMMARY)
_SERIES = tuple(a for a in ATTRIBUTES if a.level is Level.SERIES and a.origin is Origin.SUMMARY)
_read_study, _read_series, _read_both = reader(_STUDY), reader(_SERIES), reader(_STUDY + _SERIES)
_Values = dict[str, tuple[Value, ...]]
_LAST = 2**31  # after every SeriesNumber that a summary can hold


@dataclass(frozen=True, slots=True)
class Found:
    """A study or series as summaries tell it.

    `image_sets` are those of it that are shown, `study_winner` the one that speaks for its study.
    """

    result: Result
    image_sets: tuple[ImageSet, ...]
    study_winner: ImageSet

    @property
    def values(self) -> Values:
        """Its values."""
        return self.result.values


def found_study(image_sets: Sequence[ImageSet], options: SearchOptions) -> Found | None:
    """The study of `image_sets` (the winner first), None where none of them is shown.

    Its attributes come whole from the first that is shown, never from several.
    """
    visible = shown(image_sets, options)
    if not visible:
        return None
    values = _study_values(visible, options)
    values.update(_arrival(visible))
    return Found(Result(Level.STUDY, values), visible, visible[0])


def found_series(image_sets: Sequence[ImageSet], options: SearchOptions) -> list[Found]:
    """The series of one study's `image_sets` (the winner first), by number and UID.

    Each holds its study's values too. An image set without SeriesInstanceUID is no series.
    """
    visible = shown(image_sets, options)
    if not visible:
        return []
    study = _study_values(visible, options)
    by_series = _by_series(visible)
    by_series.pop("", None)
    found = [
        Found(
            Result(Level.SERIES, {**study, **_series_values(sets, options)}),
            tuple(sets),
            visible[0],
        )
        for sets in by_series.values()
    ]
    return sorted(found, key=_series_place)


def shown(image_sets: Sequence[ImageSet], options: SearchOptions) -> tuple[ImageSet, ...]:
    """Those of a study's `image_sets` that the operator shows, in their order."""
    if options.image_sets == "all":
        return tuple(image_sets)
    primary = tuple([s for s in image_sets if s.is_primary is not False])
    if options.image_sets == "primary":
        return primary
    known = {_series_uid(s) for s in primary}
    filling: dict[str, ImageSet] = {}
    for image_set in image_sets:
        if image_set.is_primary is False and _series_uid(image_set) not in known:
            filling.setdefault(_series_uid(image_set), image_set)
    return (*primary, *filling.values())


def summary_values(image_set: ImageSet) -> Values:
    """What one image set says by itself of its study and series."""
    return _read_both(image_set.tags)


def _study_values(visible: Sequence[ImageSet], options: SearchOptions) -> _Values:
    values = _read_study(visible[0].tags)
    texts = {str(s.tags.get("DICOMSeriesModality", "")) for s in visible}
    modalities = {part.strip(" \0") for text in texts for part in text.split("\\")} - {""}
    if modalities:
        values["ModalitiesInStudy"] = tuple(sorted(modalities))
    by_series = _by_series(visible)
    values["NumberOfStudyRelatedSeries"] = (len(by_series) - ("" in by_series),)
    instances = _instances_of_study(visible, by_series, options)
    if instances is not None:
        values["NumberOfStudyRelatedInstances"] = (instances,)
    return values


def _series_values(sets: Sequence[ImageSet], options: SearchOptions) -> _Values:
    values = _read_series(sets[0].tags)
    if not _counts_are_the_studys(sets, options):
        instances = _own_instances(sets)
        if instances is not None:
            values["NumberOfSeriesRelatedInstances"] = (instances,)
    return values | _arrival(sets)


def _arrival(sets: Sequence[ImageSet]) -> _Values:
    """The latest change and the earliest creation of `sets`, in microseconds; 0 is not known."""
    values: _Values = {}
    if (changed := max([s.updated_at for s in sets])) > 0:
        values["updatedAt"] = (round(changed * SECOND_US),)
    if created := [s.created_at for s in sets if s.created_at > 0]:
        values["createdAt"] = (round(min(created) * SECOND_US),)
    return values


def _series_place(series: Found) -> tuple[int, str]:
    number = series.values.get("SeriesNumber", (_LAST,))[0]
    uid = str(series.values["SeriesInstanceUID"][0])
    return (number if isinstance(number, int) else _LAST, uid)


def _by_series(visible: Iterable[ImageSet]) -> dict[str, list[ImageSet]]:
    by_series: dict[str, list[ImageSet]] = defaultdict(list)
    for image_set in visible:
        uid = image_set.tags.get("DICOMSeriesInstanceUID", "")
        by_series[str(uid).strip(" \0")].append(image_set)
    return by_series


def _series_uid(image_set: ImageSet) -> str:
    return str(image_set.tags.get("DICOMSeriesInstanceUID", "")).strip(" \0")


# --- counts ---------------------------------------------------------------------------------------
# Whether DICOMNumberOfStudyRelated… are an image set's own numbers or its study's is not
# documented. A set that reports more than one series can only speak of its study.


def _counts_are_the_studys(sets: Iterable[ImageSet], options: SearchOptions) -> bool:
    if options.counts != "auto":
        return options.counts == "study"
    return max(_numbers(sets, "DICOMNumberOfStudyRelatedSeries", missing=1)) > 1


def _instances_of_study(
    visible: Sequence[ImageSet], by_series: Mapping[str, Sequence[ImageSet]], options: SearchOptions
) -> int | None:
    if _counts_are_the_studys(visible, options):
        largest = max(_numbers(visible, "DICOMNumberOfStudyRelatedInstances", missing=-1))
        return None if largest < 0 else largest
    if len(by_series) == len(visible):  # nearly always; the same for less
        return _own_instances(visible, is_split=False)
    own = [_own_instances(sets) for sets in by_series.values()]
    return None if None in own else sum(filter(None, own))


def _own_instances(sets: Sequence[ImageSet], *, is_split: bool = True) -> int | None:
    """All of `sets` together; in a split series equal numbers are taken for the same instances."""
    numbers = _numbers(sets, "DICOMNumberOfStudyRelatedInstances", missing=-1)
    return None if -1 in numbers else sum(set(numbers) if is_split else numbers)


def _numbers(sets: Iterable[ImageSet], name: str, *, missing: int) -> list[int]:
    return [n if isinstance(n := s.tags.get(name, missing), int) else missing for s in sets]
