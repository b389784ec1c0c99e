"""Experiments on how values are compared: bounds, times, old dates, case, padding."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import islice

from gateway.probing.lab import UNKNOWN, Finding, ImageSet, Lab, dates_between, equal
from gateway.probing.sampling import Sample
from gateway.probing.values import (
    TEXT_KEYS,
    bound,
    legacy_date_of,
    moment_of,
    pattern,
    rarest,
    stored_bound,
    text,
    trimmed,
)

TRIES = 3
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
INCLUSIVE, EXCLUSIVE, LOWER, UPPER = (
    "inclusive",
    "exclusive",
    "lower bound only",
    "upper bound only",
)
_BOUNDS: Mapping[tuple[bool | None, bool | None], str] = {
    (True, True): INCLUSIVE,
    (False, False): EXCLUSIVE,
    (True, False): LOWER,
    (False, True): UPPER,
}


async def bounds(lab: Lab, sample: Sample) -> Finding:
    """Whether the bounds of BETWEEN match."""
    for one in islice(rarest(sample.all, moment_of), TRIES):
        at, before, after = stored_bound(one), *_around(one)
        if not await lab.finds(one["imageSetId"], dates_between(before, after)):
            continue
        lower = await lab.finds(one["imageSetId"], dates_between(at, after))
        upper = await lab.finds(one["imageSetId"], dates_between(before, at))
        if (position := _BOUNDS.get((lower, upper))) is not None:
            sample.bounds = position
            told = f"a study of {pattern(' '.join(at))} with its own time as a bound"
            return Finding("bounds", position, told)
    return Finding("bounds", UNKNOWN, "no study with a date and a time of HHMMSS could be used")


async def time_spelling(lab: Lab, sample: Sample) -> Finding:
    """Whether times are compared by meaning or as texts: one moment, spelled in two ways.

    It needs to know what `bounds` has found.
    """
    name = "time_spelling"
    for one in islice(rarest(sample.all, _respellable), TRIES):
        (date, time), before, after = stored_bound(one), *_around(one)
        whole, _, fraction = time.partition(".")
        longer = (date, f"{whole}.{fraction.ljust(6, '0')}")
        told = f"a study of {pattern(time)} against {pattern(longer[1])}"
        if sample.bounds in (INCLUSIVE, LOWER):
            found = await lab.finds(one["imageSetId"], dates_between(longer, after))
            positions = {True: "parsed", False: "text"}
        elif sample.bounds == EXCLUSIVE:
            found = await lab.finds(one["imageSetId"], dates_between(before, longer))
            positions = {True: "text", False: "parsed"}
        else:
            break
        if found is not None:
            return Finding(name, positions[found], told)
    return Finding(name, UNKNOWN, "the bounds are not known, or no study has a time to respell")


async def legacy_dates(lab: Lab, sample: Sample) -> Finding:
    """Whether a date as YYYY.MM.DD is found as the date that it means."""
    for one in islice(rarest(sample.all, legacy_date_of), TRIES):
        day = legacy_date_of(one)
        if day is not None:
            around = dates_between(bound(day - SECOND), bound(day + DAY + SECOND))
            found = await lab.finds(one["imageSetId"], around, pages=6)
            if found is not None:
                position = "included" if found else "excluded"
                return Finding("legacy_dates", position, "a study of 9999.99.99 around its date")
    return Finding("legacy_dates", UNKNOWN, "no date in the form YYYY.MM.DD was met")


async def case(lab: Lab, sample: Sample) -> Finding:
    """Whether EQUAL on a text sees case."""
    for key in TEXT_KEYS:
        for one in islice(rarest(sample.all, lambda s, k=key: _cased(s, k)), TRIES):
            value = text(one, key)
            if await lab.finds(one["imageSetId"], equal(key, value)):
                found = await lab.finds(one["imageSetId"], equal(key, value.swapcase()))
                if found is not None:
                    told = f"{key} of {pattern(value)} asked as {pattern(value.swapcase())}"
                    return Finding("case", "insensitive" if found else "sensitive", told)
    return Finding("case", UNKNOWN, "no text with letters could be found by EQUAL")


async def padding(lab: Lab, sample: Sample) -> Finding:
    """Whether EQUAL on a text sees the space that pads it."""
    padded = sum(text(s, k) != trimmed(s, k) for s in sample.all for k in TEXT_KEYS)
    told = f"{padded} texts with spaces around them were met"
    for key in TEXT_KEYS:
        for one in islice(rarest(sample.all, lambda s, k=key: trimmed(s, k)), TRIES):
            value = text(one, key)
            other = f"{value} " if value == value.strip(" ") else value.strip(" ")
            if await lab.finds(one["imageSetId"], equal(key, value)):
                found = await lab.finds(one["imageSetId"], equal(key, other))
                if found is not None:
                    told = f"{told}; {key} of {pattern(value)}; asked with other spaces"
                    return Finding("padding", "trimmed" if found else "kept", told)
    return Finding("padding", UNKNOWN, f"{told}; no text could be found by EQUAL")


def _around(one: ImageSet) -> tuple[tuple[str, str], tuple[str, str]]:
    moment = moment_of(one)
    if moment is None:
        raise AssertionError
    return bound(moment - SECOND), bound(moment + 2 * SECOND)


def _respellable(one: ImageSet) -> str:
    """The moment as it is stored, if a longer spelling of it is left."""
    date, time = stored_bound(one)
    longest = len("HHMMSS.FFFFFF")
    return date + time if moment_of(one) is not None and len(time) < longest else ""


def _cased(one: ImageSet, key: str) -> str:
    value = text(one, key)
    return value if value.isascii() and value != value.swapcase() else ""
