"""A made-up archive: summaries as SearchImageSets lists them, study by study.

Nobody in it lives: names are placeholders, numbers are arithmetic. The same number of studies and
the same seed give the same summaries on every machine and every Python. So only `random()` of
`random.Random` is used: the one method whose sequence Python promises to keep.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple


class _Kind(NamedTuple):
    """A kind of study: how often of 1000, and what is made of it."""

    weight: int
    modalities: tuple[str, ...]
    series: tuple[int, int]
    instances: tuple[int, int]
    exams: tuple[tuple[str, str], ...]
    report: bool = False
    """Whether the last series may be a structured report, as of the dose."""


_CT = (("CHEST", "CT CHEST"), ("CHEST", "CT THORAX W CONTRAST"), ("HEAD", "CT HEAD W/O CONTRAST"))
_KINDS = (
    _Kind(210, ("CR",), (1, 1), (1, 2), (("CHEST", "XR CHEST PA"), ("HAND", "XR HAND 2 VIEWS"))),
    _Kind(210, ("DX",), (1, 1), (1, 2), (("CHEST", "Thorax p.a. und seitlich"), ("KNEE", "Knee"))),
    _Kind(160, ("US",), (1, 3), (5, 60), (("ABDOMEN", "US ABDOMEN"), ("NECK", "Échographie cou"))),
    _Kind(190, ("CT",), (2, 6), (40, 600), (*_CT, ("ABDOMEN", "CT ABDOMEN/PELVIS")), report=True),
    _Kind(130, ("MR",), (4, 12), (20, 200), (("BRAIN", "MRI BRAIN"), ("LSPINE", "MRI L-SPINE"))),
    _Kind(50, ("MG",), (1, 4), (1, 4), (("BREAST", "MAMMOGRAPHY SCREENING"),)),
    _Kind(20, ("XA",), (1, 8), (1, 90), (("HEART", "CORONARY ANGIOGRAPHY"),), report=True),
    _Kind(15, ("NM",), (1, 2), (1, 10), (("SKELETON", "Bone scan"), ("THYROID", "Thyroid scan"))),
    _Kind(15, ("CT", "PT"), (2, 5), (90, 400), (("WHOLEBODY", "PET-CT WHOLE BODY"),)),
)
_KIND_ENDS = tuple(accumulate(kind.weight for kind in _KINDS))

# Family names, names of women and of men; "=" parts component groups.
_LATIN = (
    "DOE ROE SAMPLE Müller Mustermann Lefèvre Dupont García Ibáñez Krejčí Øverby Åkesson Nowak "
    "Łuczak Çelik Şahin Rossi Jansen O'Example Saint-Exemple Blöndal Kőműves Testa",
    "JANE MARY Erika Zoë Chloé María Noémie Åsa Łucja Ayşe Giulia Marie-Ève Sanne Ágnes",
    "JOHN RICHARD Max Jürgen François José Andrés Søren Łukasz Çağrı Paolo Jean-Noël Bram Ödön",
)
_JAPANESE = (
    "Yamada=山田=やまだ Suzuki=鈴木=すずき Tanaka=田中=たなか Satou=佐藤=さとう",
    "Hanako=花子=はなこ Sakura=桜=さくら Yuuko=優子=ゆうこ",
    "Tarou=太郎=たろう Jirou=次郎=じろう Ichirou=一郎=いちろう",
)
_KOREAN = ("Hong=洪=홍 Kim=金=김 Lee=李=이", "Chunhyang=春香=춘향", "Gildong=吉洞=길동")
_NAMES: tuple[tuple[str, str, str], ...] = (
    _LATIN,
    ("Иваненко Петренко Кузьмич Седых", "Анна Ольга Мария Юлия", "Иван Пётр Андрій Сергей"),
    ("Παραδείγματος Δοκιμής Αθηναίου", "Μαρία Ελένη Άννα", "Γιώργος Νίκος Ιωάννης"),
    _JAPANESE,
    _KOREAN,
    ("قباني مثال تجريبي", "ليلى فاطمة مريم", "نزار أحمد يوسف"),
    ("שרון ישראלי דוגמה", "דבורה רות נועה", "דוד משה יונתן"),
)
_SCRIPT_ENDS = tuple(accumulate((80, 5, 4, 4, 3, 2, 2)))
_FAMILIES, _WOMEN, _MEN = (
    tuple(tuple(one.split("=") for one in names[i].split(" ")) for names in _NAMES)
    for i in range(3)
)
_MORE = ("", "", "", "", "^Q", "^A.", "^^DR", "^^^PHD")
_PATIENT_IDS = ("PAT{:07}", "{:08}", "MRN-{:06}", "S.{:07}")

_YEARS = (6, 9, 11, 15, 16, 22, 27, 26, 33, 39, 42, 51, 55, 64, 52, 73, 81, 88, 96, 104)
_YEAR_ENDS = tuple(accumulate(_YEARS, initial=0))
_NEW_YEARS = tuple(date(2006 + i, 1, 1).toordinal() for i in range(len(_YEARS) + 1))
_WEEKDAY_ENDS = (0.18, 0.37, 0.55, 0.73, 0.90, 0.96)  # and Sunday
_HOURS = (2, 1, 1, 1, 1, 2, 4, 20, 60, 70, 72, 66, 48, 56, 68, 62, 50, 30, 14, 9, 7, 6, 4, 3)
_HOUR_ENDS = tuple(accumulate(_HOURS))
_EPOCH = date(1970, 1, 1).toordinal()

_STUDIES_A_HUNDRED = 186
"""Studies of a hundred patients. Some never come, so those who do have about 2.2 each."""
_SERIES_MOST = 16
_MASK = 2**128 - 1
_ODD = (0x9E3779B97F4A7C15F39CC0605CEDC835, 0xDA942042E4DD58B5D1342543DE82EF95)
_INSTANCES = "DICOMNumberOfStudyRelatedInstances"
_ROOT = "1.2.826.0.1.3680043.8.498"


def summaries(studies: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """The image sets of so many studies, in the order of their import.

    The image sets of a study come one after another. Nothing is remembered of the studies before,
    so memory does not grow with their number.
    """
    archive = _Archive(studies, seed)
    for number in range(studies):
        yield from archive.study(number)


class _Archive:
    def __init__(self, studies: int, seed: int) -> None:
        self._studies = studies
        self._chance = Random(seed).random  # noqa: S311 - made-up data, which must repeat
        self._offset = int(self._chance() * 2**53) << 70 | int(self._chance() * 2**53)
        self._made = 0

    def study(self, number: int) -> Iterator[dict[str, Any]]:
        chance = self._chance
        kind = _KINDS[_pick(_KIND_ENDS, chance())]
        day = _day((number + chance()) / self._studies)
        second = _pick(_HOUR_ENDS, chance()) * 3600 + int(chance() * 3600)
        patient = self._patient_of(number)
        person = self._patient_tags(patient)
        if kind.modalities == ("MG",) and person["DICOMPatientSex"] == "M":
            kind = _KINDS[0]
        part, title = kind.exams[int(chance() * len(kind.exams))]
        person["DICOMStudyDescription"] = title
        tags = {**self._study_tags(number, kind, day, second), **person}
        created = (day - _EPOCH) * 86_400 + second + 300 + int(chance() * 7200)
        # The oldest studies are from before the service told which image sets are primary
        unmarked = number * 10 < self._studies and chance() < 0.1
        mark = {} if unmarked else {"isPrimary": True}
        split = chance() < 0.005
        for own in self._series(number, kind, part, tags["DICOMStudyInstanceUID"]):
            if split:
                split = False
                own[_INSTANCES] = (own[_INSTANCES] + 1) // 2
                yield self._image_set(created, mark, {**tags, **own})
            created += 1 + int(chance() * 40)
            yield self._image_set(created, mark, {**tags, **own})
        if not unmarked and chance() < 0.01:
            other = {**tags, **own, **self._conflict(number, patient)}
            yield self._image_set(created + 3600, {"isPrimary": False}, other)

    def _study_tags(self, number: int, kind: _Kind, day: int, second: int) -> dict[str, Any]:
        chance = self._chance
        text = date.fromordinal(day).isoformat()
        digits = text.replace("-", "")
        time = f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"
        uid = f"2.25.{self._unlike(number * _SERIES_MOST)}"
        if chance() < 0.6:
            uid = f"{_ROOT}.{11 + number % 7}.{digits}{time}.{number + 1}"
        tags = {"DICOMStudyInstanceUID": uid}
        if chance() >= 0.02:
            tags["DICOMStudyDate"] = text.replace("-", ".") if chance() < 0.002 else digits
            if (form := chance()) >= 0.01:
                fraction = f".{int(chance() * 10**6):06}" if form < 0.2 else ""
                tags["DICOMStudyTime"] = time[:4] if form > 0.9 else time + fraction
        if (form := chance()) >= 0.03:
            short = f"{digits[2:4]}{kind.modalities[-1]}{number + 1:07}"
            tags["DICOMAccessionNumber"] = short if form < 0.3 else f"ACC{number + 1:07}"
        tags["DICOMStudyId"] = "1" if chance() < 0.2 else str(number % 99_999 + 1)
        return tags

    def _series(self, number: int, kind: _Kind, part: str, study: str) -> Iterator[dict[str, Any]]:
        chance = self._chance
        most = _skewed(kind.series, chance())
        reported = kind.report and most > 1 and chance() < 0.3
        for i in range(1, most + 1):
            modality = kind.modalities[i % len(kind.modalities) - 1]
            instances = _skewed(kind.instances, chance())
            if reported and i == most:
                modality, instances = "SR", 1
            own = f"2.25.{self._unlike(number * _SERIES_MOST + i)}"
            yield {
                "DICOMSeriesInstanceUID": own if study.startswith("2.25.") else f"{study}.{i}",
                "DICOMSeriesModality": modality,
                "DICOMSeriesBodyPart": part,
                "DICOMSeriesNumber": i,
                "DICOMNumberOfStudyRelatedSeries": 1,
                _INSTANCES: instances,
            }

    def _image_set(self, when: int, mark: dict[str, bool], tags: dict[str, Any]) -> dict[str, Any]:
        self._made += 1
        changed = self._chance()
        later = int(changed * 10 * 30 * 86400) if changed < 0.1 else 0
        return {
            "imageSetId": f"{self._unlike(self._made):032x}",
            "version": 2 if later else 1,
            "createdAt": float(when),
            "updatedAt": float(when + later),
            **mark,
            "DICOMTags": tags,
        }

    def _patient_of(self, number: int) -> int:
        """Patients are numbered as they first come; most who come back do so soon."""
        newest = number * 100 // _STUDIES_A_HUNDRED
        span = min(newest + 1, self._studies // 8 + 1)
        return newest - int(span * self._chance() * self._chance())

    def _patient_tags(self, patient: int) -> dict[str, str]:
        """Always the same for the same patient, by arithmetic on the number."""
        rest, script = divmod(self._unlike(-1 - patient) >> 8, 100)
        rest, sex = divmod(rest, 100)
        script = bisect(_SCRIPT_ENDS, script)
        rest, family = _turn(_FAMILIES[script], rest)
        rest, given = _turn((_MEN if sex < 48 else _WOMEN)[script], rest)
        rest, more = _turn(_MORE if script == 0 else ("",), rest)
        rest, older = divmod(rest, 18_000)
        born = _day(patient * _STUDIES_A_HUNDRED / 100 / self._studies) - older - rest % 17_000
        groups = zip(family, given, strict=True)
        return {
            "DICOMPatientId": self._patient_id(patient),
            "DICOMPatientName": "=".join(f"{one}^{other}" for one, other in groups) + more,
            "DICOMPatientBirthDate": date.fromordinal(born).isoformat().replace("-", ""),
            "DICOMPatientSex": "O" if sex == 99 else "M" if sex < 48 else "F",
        }

    def _patient_id(self, patient: int) -> str:
        return _PATIENT_IDS[self._unlike(-1 - patient) % len(_PATIENT_IDS)].format(patient + 1)

    def _conflict(self, number: int, patient: int) -> dict[str, str]:
        """What a wrongly labelled image set says instead."""
        if self._chance() < 0.5:
            return {"DICOMPatientId": self._patient_id(patient + 1)}
        return {"DICOMAccessionNumber": f"ACC{number + 2:07}X"}

    def _unlike(self, number: int) -> int:
        """Another 128 bits for each number: every step can be undone, so no two are the same."""
        mixed = ((number + self._offset) * _ODD[0]) & _MASK
        mixed = ((mixed ^ mixed >> 67) * _ODD[1]) & _MASK
        return mixed ^ mixed >> 61


def _day(position: float) -> int:
    """The day, as an ordinal, of a position from 0 to 1 in the archive's history."""
    weight = position * _YEAR_ENDS[-1]
    year = min(bisect(_YEAR_ENDS, weight) - 1, len(_YEARS) - 1)
    first, end = _NEW_YEARS[year : year + 2]
    week, part = divmod(first - 1 + (weight - _YEAR_ENDS[year]) / _YEARS[year] * (end - first), 7)
    # Ordinal 1 is a Monday. A week that a year begins within may reach back over its first day
    return max(_NEW_YEARS[0], int(week) * 7 + 1 + bisect(_WEEKDAY_ENDS, part / 7))


def _pick(ends: Sequence[int], chance: float) -> int:
    return bisect(ends, chance * ends[-1])


def _skewed(span: tuple[int, int], chance: float) -> int:
    """A number from the first to the last of a span; small ones are more frequent."""
    return span[0] + int((span[1] - span[0] + 1) * chance * chance)


def _turn(table: Sequence[Any], rest: int) -> tuple[int, Any]:
    """A row of the table, and what is left of the number that chose it."""
    return rest // len(table), table[rest % len(table)]
