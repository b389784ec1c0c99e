"""The bench's archive: 20 years of studies, denser in later years, and what a walk of it needs.

Nobody in it lives. The same number of studies gives the same bytes everywhere: only `random()` of
`random.Random` is used, whose sequence Python promises to keep, and sums, products and square
roots, which are exact to the last bit everywhere.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import orjson

PAGE = 50
WINDOW = timedelta(hours=1)
"""How far the walk has to be past a study until it is sure to be whole."""

_EPOCH = datetime(1970, 1, 1)
_FIRST = date(2006, 1, 1)
_DAYS = (date(2026, 1, 1) - _FIRST).days
_SERIES_ENDS = tuple(accumulate((58, 39, 30, 24, 16, 11, 6, 4, 4, 3, 2, 3)))
"""Studies of 200 with 1 to 12 series; their mean is 3.33."""
_UNDATED = 0.02
_EXAMS = (
    ("CR", "CHEST", "XR CHEST PA"),
    ("CT", "ABDOMEN", "CT ABDOMEN/PELVIS W CONTRAST"),
    ("MR", "BRAIN", "MRI BRAIN W/O CONTRAST"),
    ("US", "NECK", "Sonographie der Schilddrüse"),
    ("CT", "HEAD", "CT HEAD W/O CONTRAST"),
    ("DX", "KNEE", "Genou droit, face et profil"),
)
_FAMILIES = (
    "DOE",
    "ROE",
    "SAMPLE",
    "Müller",
    "García",
    "Иваненко",
    "Yamada=山田=やまだ",
    "Example",
)
_GIVEN = ("JANE", "JOHN", "MARY", "Jürgen", "José", "Анна", "Hanako=花子=はなこ", "ALEX")
_ROOT = "1.2.826.0.1.3680043.8.498"


@dataclass(frozen=True, slots=True)
class Study:
    """A study: when it was (None: undated), and the summaries of its image sets."""

    uid: str
    when: datetime | None
    summaries: tuple[dict[str, Any], ...]


def made(studies: int, seed: int = 1) -> Iterator[Study]:
    """So many studies, the oldest first; an undated one stands where it was made."""
    chance = Random(seed).random
    for number in range(studies):
        # The square root makes the last year twice as dense as the one ten years before
        day = int(math.sqrt((number + chance()) / studies) * _DAYS)
        second = int((7 + (chance() + chance()) * 6.5) * 3600)
        when = datetime.combine(_FIRST + timedelta(days=day), datetime.min.time())
        when += timedelta(seconds=second)
        undated = chance() < _UNDATED
        tags = _study_tags(number, studies, chance)
        if not undated:
            tags["DICOMStudyDate"] = when.strftime("%Y%m%d")
            tags["DICOMStudyTime"] = when.strftime("%H%M%S") + f".{int(chance() * 10**6):06}"
        series = 1 + bisect(_SERIES_ENDS, chance() * _SERIES_ENDS[-1])
        exam = _EXAMS[int(chance() * len(_EXAMS))]
        tags["DICOMStudyDescription"] = exam[2]
        created = (when - _EPOCH).total_seconds() + 300
        summaries = tuple(
            {
                "imageSetId": f"{number * 16 + i:032x}",
                "version": 1,
                "createdAt": created + i,
                "updatedAt": created + i,
                "isPrimary": True,
                "DICOMTags": {**tags, **_series_tags(tags, i, exam, chance())},
            }
            for i in range(1, series + 1)
        )
        yield Study(tags["DICOMStudyInstanceUID"], None if undated else when, summaries)


def _study_tags(number: int, studies: int, chance: Any) -> dict[str, Any]:
    patient = int(chance() * studies / 2)
    family = _FAMILIES[patient % len(_FAMILIES)].split("=")
    given = _GIVEN[patient // 8 % len(_GIVEN)].split("=")
    return {
        "DICOMStudyInstanceUID": f"{_ROOT}.{number % 7 + 11}.{10**9 + number * 7919}.{number}",
        "DICOMStudyId": str(number % 99_999 + 1),
        "DICOMAccessionNumber": f"ACC{number + 1:07}",
        "DICOMPatientId": f"PAT{patient:07}",
        "DICOMPatientName": "=".join(map("^".join, zip(family, given, strict=False))),
        "DICOMPatientBirthDate": f"{1930 + patient % 80}{patient % 12 + 1:02}{patient % 28 + 1:02}",
        "DICOMPatientSex": "FMO"[min(patient % 41 // 20, 2)],
    }


def _series_tags(
    study: dict[str, Any], number: int, exam: tuple[str, str, str], chance: float
) -> dict[str, Any]:
    return {
        "DICOMSeriesInstanceUID": f"{study['DICOMStudyInstanceUID']}.{number}",
        "DICOMSeriesModality": exam[0],
        "DICOMSeriesBodyPart": exam[1],
        "DICOMSeriesNumber": number,
        "DICOMNumberOfStudyRelatedSeries": 1,
        "DICOMNumberOfStudyRelatedInstances": 1 + int(chance * chance * 400),
    }


@dataclass(frozen=True, slots=True)
class Archive:
    """What the rows need to know: `dated` are time and image sets of each study, newest first."""

    studies: int
    size: int
    dated: tuple[tuple[datetime, int], ...]
    uids: tuple[str, ...]

    def calls_for(self, results: int) -> int:
        """The pages of one walk until so many studies are sure."""
        if results > len(self.dated):
            return math.ceil(self.size / PAGE)
        edge = self.dated[results - 1][0] - WINDOW
        return math.ceil((sum(n for when, n in self.dated if when > edge) + 1) / PAGE)

    def last_days(self, image_sets: int) -> tuple[date, date, int]:
        """Whole days, a month before the archive's end: the first, the last, their image sets.

        They hold `image_sets` and what the first day has beyond that.
        """
        by_day: Counter[date] = Counter()
        for when, number in self.dated:
            by_day[when.date()] += number
        days = sorted(by_day, reverse=True)[30:] or sorted(by_day, reverse=True)
        found = 0
        for day in days:
            found += by_day[day]
            if found >= image_sets:
                break
        return day, days[0], found


def indexed(studies: int) -> Archive:
    """What is known of the archive of so many studies."""
    dated, uids, size = [], [], 0
    for study in made(studies):
        size += len(study.summaries)
        uids.append(study.uid)
        if study.when:
            dated.append((study.when, len(study.summaries)))
    return Archive(studies, size, tuple(sorted(dated, reverse=True)), tuple(uids))


def write(studies: int, path: Path) -> None:
    """The archive as a seed file."""
    with path.open("wb") as file:
        for study in made(studies):
            for summary in study.summaries:
                file.write(orjson.dumps(summary, option=orjson.OPT_APPEND_NEWLINE))
