"""An invented archive as a viewer's user meets it, and what a client must find in it.

It has more studies than a list shows at once, names in several scripts, and studies that lack
what viewers like to read. Nothing here uses the gateway's code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STUDY_UID, SERIES_UID, INSTANCE_UID = "0020000D", "0020000E", "00080018"
ORIGIN = "https://viewer.example.org"
"""The origin whose pages may read the gateway's answers."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the instances of a modality are; 0 is none."""

    sop_class: str
    rows: int = 0
    columns: int = 0
    bits: int = 0
    frames: int = 0


_CLASSES = "1.2.840.10008.5.1.4.1.1."
KINDS: Mapping[str, Kind] = {
    "CT": Kind(f"{_CLASSES}2", 512, 512, 16),
    "PT": Kind(f"{_CLASSES}128", 128, 128, 16),
    "MR": Kind(f"{_CLASSES}4", 256, 192, 16),
    "SR": Kind(f"{_CLASSES}88.22"),
    "XA": Kind(f"{_CLASSES}12.1", 512, 512, 8, 12),
    "US": Kind(f"{_CLASSES}3.1", 480, 640, 8, 20),
    "": Kind(f"{_CLASSES}7", 64, 64, 8),
}


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance; a `number` of None is none."""

    uid: str
    number: int | None
    kind: Kind


@dataclass(frozen=True, slots=True)
class Series:
    """A series with its one image set; a `number` of None is none, an empty text too."""

    uid: str
    modality: str
    number: int | None
    instances: int
    description: str = ""
    date: str = ""
    time: str = ""
    step: str = ""

    @property
    def held(self) -> tuple[Instance, ...]:
        """Its instances in the order of an answer: by number, then by UID.

        The UIDs of a CT run against its numbers. Where the series has no number, they have none.
        """
        held = []
        for n in range(1, self.instances + 1):
            number = self.instances + 1 - n if self.modality == "CT" else n
            one = None if self.number is None else number
            held.append(Instance(f"{self.uid}.{n}", one, KINDS[self.modality]))
        return tuple(sorted(held, key=lambda i: (i.number or 0, i.uid)))


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


def _study(
    uid: str, texts: Sequence[str], at: str, *series: tuple[str, int | None, int, str]
) -> Study:
    """`texts` are name, PatientID, AccessionNumber, description; `at` is DATE TIME.

    Each series has modality, number, number of instances and description. It is of the day of its
    study, and a scheduled step of its order.
    """
    name, patient_id, accession, description = texts
    date, _, time = at.partition(" ")
    parts = tuple(
        Series(f"{uid}.{i}", *one, date, f"{11 + i}0000", f"{accession}/{i}" if accession else "")
        for i, one in enumerate(series, 1)
    )
    return Study(uid, name, patient_id, accession, description, date, time, parts)


MICHAEL = _study(
    "1.2.826.2",
    ("Jones^Michael^J", "MRN0021", "ACC0021", "CT chest multi-phase"),
    "20261119 091500.123",
    ("CT", 1, 100, "Thorax 1.0"),
    ("PT", 2, 80, "Whole body, AC"),
)
MARY = _study(
    "1.2.826.1",
    ("JONES^MARY", "MRN002", "ACC002", "MR Brain w/o contrast"),
    "20261118 101500",
    ("MR", 1, 20, "T1 sag"),
    ("MR", 2, 30, "T2 FLAIR Größe <1>"),
    ("SR", 10, 1, "Report"),
)
JOSE = _study(
    "1.2.826.3",
    ("GARCÍA^JOSÉ", "MRN 003", "ACC+003", "CT abdomen & pelvis, 50 %"),
    "20261117 1015",
    ("CT", 1, 200, "Abdomen, portal venous"),
)
TARO = _study(
    "1.2.826.4",
    ("YAMADA^TAROU=山田^太郎=やまだ^たろう", "MRN004", "ACC004", "MR knee"),
    "20261116 080000",
    ("MR", None, 7, ""),
)
SMITH = _study(
    "1.2.826.5",
    ("SMITH^JON", "MRN005", "ACC005", "XA heart"),
    "20260101 120000",
    ("XA", 1, 3, "LCA"),
)
ROUTINE = tuple(
    _study(
        f"1.2.826.7.{n}",
        ("DOE^JANE", f"PAT{n:03}", f"ORD{n:03}", "Routine"),
        f"2020{12 - n // 28:02}{28 - n % 28:02} {23 - n % 24:02}3000",
        ("US", 1, 2, "Liver"),
        ("US", 2, 1, "Kidneys"),
    )
    for n in range(220)
)
UNDATED = _study("1.2.826.8", ("", "", "", ""), " 101500", ("", None, 1, ""))

STUDIES: tuple[Study, ...] = (MICHAEL, MARY, JOSE, TARO, SMITH, *ROUTINE, UNDATED)
"""Every study in the order of an answer: newest first, those without a date last."""

SERIES: tuple[tuple[Study, Series], ...] = tuple((a, s) for a in STUDIES for s in a.series)
"""Every series with its study, in the order of an answer; none here has its number out of order."""


INSTANCES: tuple[tuple[Study, Series, Instance], ...] = tuple(
    (study, series, instance) for study, series in SERIES for instance in series.held
)
"""Every instance with its study and series, in the order of an answer."""


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


def instances_where(
    condition: Callable[[Study, Series, Instance], bool],
) -> tuple[tuple[Study, Series, Instance], ...]:
    """Those of all instances, in their order."""
    return tuple(one for one in INSTANCES if condition(*one))


def instance_uids(
    instances: Iterable[tuple[Study, Series, Instance]],
) -> list[tuple[str, str, str]]:
    """Their UIDs, each after its study's and series', in their order."""
    return [(study.uid, series.uid, one.uid) for study, series, one in instances]


def instances_of(answer: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Study's, series' and instance's UID of each object of DICOM JSON."""
    return [
        (one[STUDY_UID]["Value"][0], one[SERIES_UID]["Value"][0], one[INSTANCE_UID]["Value"][0])
        for one in answer
    ]
