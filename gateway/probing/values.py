"""Values of image sets as experiments choose and describe them: as patterns, never as they are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.probing.lab import ImageSet

TEXT_KEYS = ("DICOMPatientId", "DICOMAccessionNumber", "DICOMStudyId")
MOST_PATTERNS = 4

_TIME = re.compile(r"([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9](\.[0-9]{1,6})?")
_LEGACY = re.compile(r"([0-9]{4})\.([0-9]{2})\.([0-9]{2})")


def text(image_set: ImageSet, name: str) -> str:
    """A text of the summary as it stands there, "" without one."""
    value = (image_set.get("DICOMTags") or {}).get(name)
    return "" if value is None else str(value)


def trimmed(image_set: ImageSet, name: str) -> str:
    """A text of the summary without the spaces around it."""
    return text(image_set, name).strip(" ")


def pattern(value: str) -> str:
    """The shape of a text: 9 for a digit, A and a for letters of ASCII, x for any other letter."""
    return "".join(map(_shape, value))


def _shape(character: str) -> str:
    if character.isdigit():
        return "9"
    if not character.isalpha():
        return character if character.isascii() else "x"
    if not character.isascii():
        return "x"
    return "A" if character.isupper() else "a"


def patterns(values: Iterable[str]) -> str:
    """The most frequent patterns with their shares."""
    counted = Counter(pattern(value) if value else "none" for value in values)
    total = counted.total() or 1
    shown = [f"{shape} {n / total:.0%}" for shape, n in counted.most_common(MOST_PATTERNS)]
    return ", ".join(shown)


def studies(image_sets: Iterable[ImageSet]) -> Mapping[str, list[ImageSet]]:
    """StudyInstanceUID to the image sets of it."""
    found: dict[str, list[ImageSet]] = defaultdict(list)
    for image_set in image_sets:
        if uid := trimmed(image_set, "DICOMStudyInstanceUID"):
            found[uid].append(image_set)
    return found


def date_of(image_set: ImageSet) -> datetime | None:
    """The study date where it is a date as YYYYMMDD, far from the ends of the calendar."""
    stored = trimmed(image_set, "DICOMStudyDate")
    if not re.fullmatch(r"(1[89]|2[0-9])[0-9]{6}", stored):
        return None
    try:
        return datetime.strptime(stored, "%Y%m%d")
    except ValueError:
        return None


def legacy_date_of(image_set: ImageSet) -> datetime | None:
    """The study date where it is one in the form YYYY.MM.DD."""
    parts = _LEGACY.fullmatch(trimmed(image_set, "DICOMStudyDate"))
    if parts is None:
        return None
    try:
        return datetime(*map(int, parts.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None


def is_undated(image_set: ImageSet) -> bool:
    """Whether there is no study date at all."""
    return not trimmed(image_set, "DICOMStudyDate")


def moment_of(image_set: ImageSet) -> datetime | None:
    """Study date and time to the second, where the time is HHMMSS with or without a fraction."""
    day, time = date_of(image_set), trimmed(image_set, "DICOMStudyTime")
    if day is None or not _TIME.fullmatch(time):
        return None
    return day + timedelta(hours=int(time[:2]), minutes=int(time[2:4]), seconds=int(time[4:6]))


def bound(moment: datetime) -> tuple[str, str]:
    """Date and time of a bound."""
    return moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")


def stored_bound(image_set: ImageSet) -> tuple[str, str]:
    """The bound that is spelled as the image set's own date and time."""
    return trimmed(image_set, "DICOMStudyDate"), trimmed(image_set, "DICOMStudyTime")


def rarest(image_sets: Iterable[ImageSet], key: Any) -> Iterator[ImageSet]:
    """Those that have a key, the ones first that share it with the fewest."""
    keyed = [(key(one), one) for one in image_sets]
    counted = Counter(value for value, _ in keyed if value)
    usable = [(counted[value], one) for value, one in keyed if value]
    yield from (one for _, one in sorted(usable, key=lambda pair: pair[0]))
