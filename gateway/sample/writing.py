"""The sample archive as DICOM files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.sample.chance import uid
from gateway.sample.instance import Instance, Place, Values, series_values, study_values
from gateway.sample.people import PATIENTS
from gateway.sample.recipes import RECIPES
from gateway.sample.studies import STUDIES, Study

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SUFFIX = ".dcm"
_VERSION = "QIDO_GATEWAY"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written; `size` is in bytes."""

    patients: int
    studies: int
    files: int
    size: int


def write_archive(
    folder: Path,
    seed: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
    studies: Sequence[Study] = STUDIES,
) -> Written:
    """Write all files below `folder`. The same seed gives the same bytes; none is overwritten.

    `on_progress` is told how many of how many series are written.

    Raises: OSError; ImportError without NumPy.
    """
    places = tuple(_places(seed, studies))
    files = size = 0
    for done, place in enumerate(places, 1):
        study = f"{place.study.date}-{place.study.accession}"
        inner = folder / place.patient.id / study / f"{place.number}-{place.recipe}"
        inner.mkdir(parents=True)
        for number, instance in enumerate(RECIPES[place.recipe].make(place), 1):
            path = inner / f"{number:04}{SUFFIX}"
            _write(path, place, instance)
            files, size = files + 1, size + path.stat().st_size
        on_progress(done, len(places))
    return Written(len({place.patient for place in places}), len(studies), files, size)


def _places(seed: int, studies: Sequence[Study]) -> Iterator[Place]:
    patients = {patient.id: patient for patient in PATIENTS}
    for study in studies:
        for number, recipe in enumerate(study.series, 1):
            yield Place(seed, patients[study.patient_id], study, number, recipe)


def _write(path: Path, place: Place, instance: Instance) -> None:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

    recipe = RECIPES[place.recipe]
    series = series_values(place, recipe.modality, recipe.description, recipe.body_part)
    dataset = _dataset({**study_values(place), **series, **instance.values})
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid(0, "implementation"))
    meta.ImplementationVersionName = _VERSION
    dataset.file_meta = meta
    if instance.compressed:
        # Its own encoder: another one that is installed might give other bytes
        dataset.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    with path.open("xb") as file:
        dataset.save_as(file, enforce_file_format=True)


def _dataset(values: Values) -> Dataset:
    from pydicom.dataset import Dataset

    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, _value(value))
    return dataset


def _value(value: Any) -> Any:
    """A sequence's items become datasets, several values a list."""
    if not isinstance(value, tuple):
        return value
    return [_dataset(one) if isinstance(one, Mapping) else one for one in value]
