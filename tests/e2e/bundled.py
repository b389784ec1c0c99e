"""The studies of the bundled DICOM files, as pydicom itself reads them.

Written without the gateway and the emulator, to compare their answers with.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.valuerep import PersonName

FOLDERS = ("test_files", "charset_files")


@dataclass
class Series:
    """One series."""

    uid: str
    number: int | None
    modality: str
    description: str = ""
    instances: set[str] = field(default_factory=set)


@dataclass
class Study:
    """One study."""

    uid: str
    name: dict[str, str]
    texts: dict[str, list[Any]]
    series: dict[str, Series] = field(default_factory=dict)

    @property
    def modalities(self) -> list[str]:
        """The modalities of its series."""
        return sorted({series.modality for series in self.series.values() if series.modality})

    @property
    def number_of_instances(self) -> int:
        """Distinct SOPInstanceUIDs, an instance that several files hold counted once."""
        return len(set().union(*(series.instances for series in self.series.values())))


@cache
def bundled_studies() -> dict[str, Study]:
    """StudyInstanceUID to study, of pydicom's own files."""
    data = Path(pydicom.__file__).parent / "data"
    return read_studies(tuple(data / name for name in FOLDERS))


@cache
def read_studies(folders: tuple[Path, ...]) -> dict[str, Study]:
    """The same of every file in the folders that pydicom can read and that has its UIDs."""
    studies: dict[str, Study] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of the files are odd on purpose
        for dataset in _datasets(folders):
            uids = [dataset.get(f"{level}InstanceUID") for level in ("Study", "Series", "SOP")]
            if all(uids):
                study_uid, series_uid, instance_uid = (str(uid) for uid in uids)
                study = studies.setdefault(study_uid, _study(study_uid, dataset))
                series = study.series.setdefault(series_uid, _series(series_uid, dataset))
                series.instances.add(instance_uid)
    return studies


def _datasets(folders: tuple[Path, ...]) -> Iterator[pydicom.Dataset]:
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if path.is_file():
            try:
                yield pydicom.dcmread(path, stop_before_pixels=True)
            except (InvalidDicomError, AttributeError, ValueError, KeyError, EOFError):
                continue


def _study(uid: str, dataset: pydicom.Dataset) -> Study:
    keywords = ("PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime")
    more = ("AccessionNumber", "StudyID", "StudyDescription")
    texts = {keyword: _values(dataset, keyword) for keyword in (*keywords, *more)}
    return Study(uid, _name(dataset.get("PatientName")), texts)


def _values(dataset: pydicom.Dataset, keyword: str) -> list[Any]:
    value = dataset.get(keyword)
    return [] if value in (None, "") else [str(value).strip()]


def _name(name: PersonName | None) -> dict[str, str]:
    """The component groups that hold a name."""
    if not name:
        return {}
    groups = {
        "Alphabetic": name.alphabetic,
        "Ideographic": name.ideographic,
        "Phonetic": name.phonetic,
    }
    return {key: group for key, group in groups.items() if group.strip("^ ")}


def _series(uid: str, dataset: pydicom.Dataset) -> Series:
    number = dataset.get("SeriesNumber")
    return Series(
        uid,
        None if number in (None, "") else int(number),
        dataset.get("Modality") or "",
        dataset.get("SeriesDescription") or "",
    )
