"""Experiments on what may be asked: filters, pairs of them, sorts beside them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.probing.lab import (
    ALL_DATES,
    ALL_UPDATED,
    DATE_KEY,
    UNKNOWN,
    Filter,
    Finding,
    ImageSet,
    Lab,
    equal,
)
from gateway.probing.sampling import Sample
from gateway.probing.values import text, trimmed

SERIES, STUDY, PATIENT = "DICOMSeriesInstanceUID", "DICOMStudyInstanceUID", "DICOMPatientId"
NEWEST_FIRST = (DATE_KEY, "DESC")


async def sort_with_filter(lab: Lab, _: Sample) -> Finding:
    """Whether a sort by study date is legal beside a filter."""
    name = "sort_with_filter"
    if not (await lab.ask(ALL_DATES)).valid:
        return Finding(name, UNKNOWN, "a search by study date is refused even without a sort")
    if (await lab.ask(ALL_DATES, sort=NEWEST_FIRST)).valid:
        return Finding(name, "allowed", "study dates sorted by study date are answered")
    return Finding(name, "rejected", "study dates are answered, but not in their own order")


async def pairs(lab: Lab, sample: Sample) -> Finding:
    """Which two filters are legal together."""
    one = _with(sample, SERIES, STUDY)
    if one is None:
        return Finding("pairs", UNKNOWN, "no image set with series and study was met")
    documented = await lab.ask(equal(SERIES, trimmed(one, SERIES)), ALL_UPDATED)
    dated = await lab.ask(equal(STUDY, trimmed(one, STUDY)), ALL_DATES)
    found = (documented.valid, dated.valid)
    told = "series with updatedAt: {}; study with study date: {}".format(
        *("answered" if valid else "refused" for valid in found)
    )
    positions = {(True, True): "any", (True, False): "documented", (False, False): "single"}
    return Finding("pairs", positions.get(found, UNKNOWN), told)


async def two_equals(lab: Lab, sample: Sample) -> Finding:
    """Whether two EQUAL filters are legal together."""
    one = _with(sample, STUDY, PATIENT)
    if one is None:
        return Finding("two_equals", UNKNOWN, "no image set with study and patient was met")
    filters = (equal(STUDY, trimmed(one, STUDY)), equal(PATIENT, text(one, PATIENT)))
    return await _legal(lab, "two_equals", "study with patient", filters)


async def primary_filter(lab: Lab, sample: Sample) -> Finding:
    """Whether EQUAL on isPrimary is legal, alone and beside a study."""
    one = _with(sample, STUDY)
    primary = equal("isPrimary", True)
    alone = (await lab.ask(primary, size=1)).valid
    if one is None:
        beside = None
    else:
        beside = (await lab.ask(equal(STUDY, trimmed(one, STUDY)), primary, size=1)).valid
    words = {True: "answered", False: "refused", None: "not tried"}
    position = "rejected" if not alone else "allowed" if beside else "alone"
    return Finding(
        "primary_filter", position, f"alone: {words[alone]}; beside a study: {words[beside]}"
    )


async def _legal(lab: Lab, name: str, what: str, filters: Sequence[Filter]) -> Finding:
    valid = (await lab.ask(*filters, size=1)).valid
    return Finding(
        name, "allowed" if valid else "rejected", f"{what}: {'answered' if valid else 'refused'}"
    )


def _with(sample: Sample, *names: str) -> ImageSet | None:
    return next((one for one in sample.all if all(trimmed(one, n) for n in names)), None)
