"""Experiments on the order of a sort: undated image sets, missing times, ties."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby, islice
from math import factorial, prod
from typing import Any

from gateway.probing.lab import DATE_KEY, UNKNOWN, Finding, ImageSet, Lab, dates_between
from gateway.probing.sampling import Sample
from gateway.probing.values import (
    bound,
    date_of,
    is_undated,
    moment_of,
    stored_bound,
    trimmed,
)

FALLING, RISING = (DATE_KEY, "DESC"), (DATE_KEY, "ASC")
TRIES = 3
BY_CHANCE = 0.001
"""The likelihood below which an order is no accident."""


async def undated(_: Lab, sample: Sample) -> Finding:
    """Where image sets without a study date stand in a sort by it."""
    name = "undated"
    walks = [sample.walks.get(FALLING), sample.walks.get(RISING)]
    if not all(walks):
        return Finding(name, UNKNOWN, "no sort by study date is answered")
    if not any(map(is_undated, sample.all)):
        return Finding(name, UNKNOWN, "no image set without a study date was met")
    falling, rising = (_begins_undated(walk or ()) for walk in walks)
    positions = {
        (True, True): "first",
        (True, False): "largest",
        (False, True): "smallest",
        (False, False): "last",
    }
    begins = {True: "begins with them", False: "begins with dated ones"}
    told = f"newest first {begins[falling]}, oldest first {begins[rising]}"
    return Finding(name, positions[falling, rising], told)


def _begins_undated(walk: Sequence[ImageSet]) -> bool:
    for one in walk:
        if is_undated(one):
            return True
        if date_of(one) is not None:
            return False
    return False


async def missing_times(lab: Lab, sample: Sample) -> Finding:
    """Where studies without a time stand among those of their day, newest first."""
    name = "missing_times"
    first, last = _missing_in(sample.walks.get(FALLING, ()))
    days = {date_of(one) for one in sample.all if not trimmed(one, "DICOMStudyTime")}
    for day in islice(sorted((d for d in days if d), reverse=True), TRIES):
        if first or last:
            break
        edges = (day - timedelta(seconds=1), day + timedelta(days=1, seconds=1))
        walked = await lab.walk(dates_between(*map(bound, edges)), sort=FALLING, pages=4)
        if walked is None:
            break
        first, last = _missing_in(walked[0])
    told = f"before later ones of their day {first} times, after them {last} times"
    if bool(first) == bool(last):
        return Finding(name, UNKNOWN, f"a sort that shows them was not seen: {told}")
    return Finding(name, "missing-first" if first else "midnight", told)


def _missing_in(walk: Sequence[ImageSet]) -> tuple[int, int]:
    """How often image sets without a time stand before, and after, one of their day with one."""
    first = last = 0
    for day, group in groupby(walk, date_of):
        if day is not None:
            kinds = [_kind_of_time(one) for one in group]
            timed = [place for place, kind in enumerate(kinds) if kind == "timed"]
            for place, kind in enumerate(kinds):
                if kind == "missing" and timed:
                    first += place < timed[0]
                    last += place > timed[-1]
    return first, last


def _kind_of_time(one: ImageSet) -> str:
    if not trimmed(one, "DICOMStudyTime"):
        return "missing"
    moment, day = moment_of(one), date_of(one)
    return "timed" if moment is not None and moment != day else "other"


async def ties(lab: Lab, sample: Sample) -> Finding:
    """Whether image sets that a sort leaves equal come study by study."""
    chance, split = 1.0, 0
    for runs in (*_runs_of(sample), *[[run] async for run in _asked_runs(lab, sample)]):
        for run in runs:
            chance *= _likelihood(run)
            split += _is_split(run)
    if split:
        return Finding("ties", "shuffled", f"{split} runs of equals mix their studies")
    if chance < BY_CHANCE:
        return Finding("ties", "grouped", "studies stand together in every run of equals")
    return Finding("ties", UNKNOWN, "too few studies with the same sort key were met")


def _runs_of(sample: Sample) -> Iterator[Iterator[list[str]]]:
    for (key, _), walk in sample.walks.items():
        yield _runs(walk, key)


async def _asked_runs(lab: Lab, sample: Sample) -> Any:
    """Runs of moments that several studies share, asked for on purpose."""
    shared: dict[Any, set[str]] = defaultdict(set)
    for one in sample.all:
        if moment_of(one) is not None:
            shared[stored_bound(one)].add(trimmed(one, "DICOMStudyInstanceUID"))
    for at, _ in islice((pair for pair in shared.items() if len(pair[1]) > 1), TRIES):
        moment = next(moment_of(one) for one in sample.all if stored_bound(one) == at)
        if moment is None:
            continue
        edges = (moment - timedelta(seconds=1), moment + timedelta(seconds=2))
        walked = await lab.walk(dates_between(*map(bound, edges)), sort=FALLING, pages=4)
        for run in _runs(walked[0] if walked else (), DATE_KEY):
            yield run


def _runs(walk: Iterable[ImageSet], key: str) -> Iterator[list[str]]:
    """The studies of neighbours with the same sort key, in their order."""

    def sort_key(one: ImageSet) -> Any:
        return stored_bound(one) if key == DATE_KEY else one.get(key)

    for _, group in groupby(walk, sort_key):
        yield [trimmed(one, "DICOMStudyInstanceUID") for one in group]


def _is_split(run: Sequence[str]) -> bool:
    blocks = [study for study, _ in groupby(run)]
    return len(blocks) > len(set(blocks))


def _likelihood(run: Sequence[str]) -> float:
    """How likely no study of the run is split if its order is an accident."""
    sizes = Counter(run).values()
    if len(sizes) < 2 or max(sizes) == 1:
        return 1.0
    return factorial(len(sizes)) * prod(map(factorial, sizes)) / factorial(len(run))
