"""An invented archive as a viewer's user meets it, and what a client must find in it.

It has more studies than a list shows at once, names in several scripts, and studies that lack
what viewers like to read. Nothing here uses the gateway's code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STUDY_UID, SERIES_UID = "0020000D", "0020000E"
ORIGIN = "https://viewer.example.org"
"""The origin whose pages may read the gateway's answers."""


@dataclass(frozen=True, slots=True)
class Series:
    """A series with its one image set; a `number` of None is none."""

    uid: str
    modality: str
    number: int | None
    instances: int


@dataclass(frozen=True, slots=True)
class Study:
    """A study; an empty text is none. `name` is as DICOM writes it."""

    uid: str
    name: str
    patient_id: str
    accession: str
    description: str
    date: str
    time: str
    series: tuple[Series, ...]

    @property
    def modalities(self) -> list[str]:
        """Each modality once, sorted."""
        return sorted({one.modality for one in self.series} - {""})

    @property
    def instances(self) -> int:
        """The number of its instances."""
        return sum(one.instances for one in self.series)


def _study(uid: str, texts: Sequence[str], at: str, *series: tuple[str, int | None, int]) -> Study:
    """`texts` are name, PatientID, AccessionNumber, description; `at` is DATE TIME."""
    name, patient_id, accession, description = texts
    date, _, time = at.partition(" ")
    parts = tuple(Series(f"{uid}.{i}", *one) for i, one in enumerate(series, 1))
    return Study(uid, name, patient_id, accession, description, date, time, parts)


MICHAEL = _study(
    "1.2.826.2",
    ("Jones^Michael^J", "MRN0021", "ACC0021", "CT chest multi-phase"),
    "20261119 091500.123",
    ("CT", 1, 100),
    ("PT", 2, 80),
)
MARY = _study(
    "1.2.826.1",
    ("JONES^MARY", "MRN002", "ACC002", "MR Brain w/o contrast"),
    "20261118 101500",
    ("MR", 1, 20),
    ("MR", 2, 30),
    ("SR", 10, 1),
)
JOSE = _study(
    "1.2.826.3",
    ("GARCÍA^JOSÉ", "MRN 003", "ACC+003", "CT abdomen & pelvis, 50 %"),
    "20261117 1015",
    ("CT", 1, 200),
)
TARO = _study(
    "1.2.826.4",
    ("YAMADA^TAROU=山田^太郎=やまだ^たろう", "MRN004", "ACC004", "MR knee"),
    "20261116 080000",
    ("MR", None, 7),
)
SMITH = _study(
    "1.2.826.5", ("SMITH^JON", "MRN005", "ACC005", "XA heart"), "20260101 120000", ("XA", 1, 3)
)
ROUTINE = tuple(
    _study(
        f"1.2.826.7.{n}",
        ("DOE^JANE", f"PAT{n:03}", f"ORD{n:03}", "Routine"),
        f"2020{12 - n // 28:02}{28 - n % 28:02} {23 - n % 24:02}3000",
        ("US", 1, 2),
        ("US", 2, 1),
    )
    for n in range(220)
)
UNDATED = _study("1.2.826.8", ("", "", "", ""), " 101500", ("", None, 1))

STUDIES: tuple[Study, ...] = (MICHAEL, MARY, JOSE, TARO, SMITH, *ROUTINE, UNDATED)
"""Every study in the order of an answer: newest first, those without a date last."""

SERIES: tuple[tuple[Study, Series], ...] = tuple((a, s) for a in STUDIES for s in a.series)
"""Every series with its study, in the order of an answer; none here has its number out of order."""


def summaries() -> Iterable[dict[str, Any]]:
    """The lines of the emulator's seed, one image set a series, out of order."""
    for study, series in sorted(SERIES, key=lambda both: both[1].uid[::-1]):
        tags = {
            "DICOMPatientName": study.name,
            "DICOMPatientId": study.patient_id,
            "DICOMAccessionNumber": study.accession,
            "DICOMStudyDescription": study.description,
            "DICOMStudyDate": study.date,
            "DICOMStudyTime": study.time,
            "DICOMStudyInstanceUID": study.uid,
            "DICOMSeriesInstanceUID": series.uid,
            "DICOMSeriesModality": series.modality,
            "DICOMSeriesNumber": series.number,
            "DICOMNumberOfStudyRelatedSeries": 1,
            "DICOMNumberOfStudyRelatedInstances": series.instances,
        }
        kept = {name: value for name, value in tags.items() if value not in ("", None)}
        yield {"isPrimary": True, "DICOMTags": kept}


def study_uids(studies: Iterable[Study]) -> list[str]:
    """Their UIDs, in their order."""
    return [study.uid for study in studies]


def series_uids(studies: Iterable[Study]) -> list[tuple[str, str]]:
    """The UIDs of their series, each after its study's, in the order of an answer."""
    return [(study.uid, series.uid) for study in studies for series in study.series]


def studies_of(answer: Iterable[Mapping[str, Any]]) -> list[str]:
    """The StudyInstanceUIDs of DICOM JSON, read without a guard, as clients do."""
    return [one[STUDY_UID]["Value"][0] for one in answer]


def series_of(answer: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Study's and series' UID of each object of DICOM JSON."""
    return [(one[STUDY_UID]["Value"][0], one[SERIES_UID]["Value"][0]) for one in answer]
