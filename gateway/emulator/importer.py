"""The importer: DICOM Part 10 files become image sets, one a series.

An instance whose study attributes differ from what the study's primary image sets hold goes to an
image set that is not primary. Source: HealthImaging developer guide, "understanding image sets"
(documented: what must agree; that a later import of a series joins its image set).
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.errors import InvalidDicomError

from gateway.emulator.criteria import LONGEST
from gateway.emulator.errors import ImportPathError
from gateway.emulator.store import Store

_TAGS: Mapping[str, str] = {
    "PatientID": "DICOMPatientId",
    "PatientName": "DICOMPatientName",
    "PatientBirthDate": "DICOMPatientBirthDate",
    "PatientSex": "DICOMPatientSex",
    "StudyInstanceUID": "DICOMStudyInstanceUID",
    "StudyID": "DICOMStudyId",
    "StudyDescription": "DICOMStudyDescription",
    "AccessionNumber": "DICOMAccessionNumber",
    "SeriesInstanceUID": "DICOMSeriesInstanceUID",
    "Modality": "DICOMSeriesModality",
    "BodyPartExamined": "DICOMSeriesBodyPart",
    "StudyDate": "DICOMStudyDate",
    "StudyTime": "DICOMStudyTime",
}
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_UID = re.compile(r"[0-9.]{1,512}")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_AGREED = ("DICOMStudyDate", "DICOMAccessionNumber", "DICOMPatientId", "DICOMStudyId")
_READ = (*_TAGS, "SeriesNumber", "SOPInstanceUID")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the files: instances stored, image sets made or changed, files skipped."""

    instances: int
    image_sets: int
    skipped: tuple[tuple[Path, str], ...]


@dataclass(slots=True)
class _Arriving:
    """The instances of one image set that this import brings."""

    tags: dict[str, Any]
    primary: bool
    files: dict[str, str] = field(default_factory=dict)


class _SkipError(Exception):
    """A file that cannot be imported; the text is the reason."""


def import_paths(
    store: Store,
    paths: Sequence[Path],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import files, and folders with all below them, in the order of their names.

    `on_progress` is told how many of how many files are read.

    Raises: ImportPathError.
    """
    files = [file for path in paths for file in _files(path)]
    arriving: dict[str, _Arriving] = {}
    agreed: dict[str, tuple[Any, ...]] = {}
    skipped = []
    for number, file in enumerate(files, 1):
        try:
            tags, sop_instance_uid = _read(file)
        except _SkipError as exc:
            skipped.append((file, str(exc)))
        else:
            _place(store, tags, agreed, arriving).files[sop_instance_uid] = str(file)
        if on_progress:
            on_progress(number, len(files))
    for image_set_id, one in arriving.items():
        store.add_instances(image_set_id, one.tags, one.files, is_primary=one.primary)
    instances = sum(len(one.files) for one in arriving.values())
    return ImportReport(instances, len(arriving), tuple(skipped))


def _files(path: Path) -> Iterator[Path]:
    try:
        if path.is_dir():
            next(path.iterdir(), None)  # rglob passes over a folder that may not be read
            found = sorted(file for file in path.rglob("*") if file.is_file())
            if not found:
                raise ImportPathError(f"{path}: the folder is empty")
            yield from found
        else:
            with path.open("rb"):
                yield path
    except OSError as exc:
        raise ImportPathError(f"{path}: {(exc.strerror or 'cannot be read').lower()}") from None


def _read(path: Path) -> tuple[dict[str, Any], str]:
    """What HealthImaging's summary knows of one file, and its SOPInstanceUID."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are stored as they are
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_READ))
            texts = {keyword: _text(dataset, keyword) for keyword in _READ}
        except InvalidDicomError:
            raise _SkipError("is not a DICOM Part 10 file") from None
        except OSError as exc:
            raise _SkipError(f"cannot be read: {(exc.strerror or 'input error').lower()}") from None
        except Exception as exc:
            raise _SkipError(f"is damaged ({type(exc).__name__})") from None
    for keyword in _UIDS:
        if not texts[keyword]:
            raise _SkipError(f"has no {keyword}")
        if not _UID.fullmatch(texts[keyword]):
            raise _SkipError(f"has a {keyword} that is no UID")
    tags: dict[str, Any] = {name: texts[k] for k, name in _TAGS.items() if texts[k]}
    for keyword, name in _TAGS.items():
        if len(texts[keyword]) > LONGEST[name]:
            raise _SkipError(f"has a {keyword} of more than {LONGEST[name]} characters")
    if _INTEGER.fullmatch(texts["SeriesNumber"]):
        tags["DICOMSeriesNumber"] = int(texts["SeriesNumber"])
    return tags, texts["SOPInstanceUID"]


def _text(dataset: pydicom.Dataset, keyword: str) -> str:
    """The decoded text of an attribute, several values parted by backslash, "" without one."""
    value = dataset.get(keyword)
    if value is None:
        return ""
    if isinstance(value, pydicom.multival.MultiValue):
        return "\\".join(str(part) for part in value)
    return str(value).strip(" \0")


def _place(
    store: Store,
    tags: dict[str, Any],
    agreed: dict[str, tuple[Any, ...]],
    arriving: dict[str, _Arriving],
) -> _Arriving:
    """The image set that an instance with `tags` belongs to."""
    study_uid, series_uid = tags["DICOMStudyInstanceUID"], tags["DICOMSeriesInstanceUID"]
    said = tuple(tags.get(name) for name in _AGREED)
    if study_uid not in agreed:
        known = store.primary_tags(study_uid)
        agreed[study_uid] = said if known is None else tuple(known.get(name) for name in _AGREED)
    primary = said == agreed[study_uid]
    parts = [store.datastore_id, study_uid, series_uid, *(() if primary else map(str, said))]
    image_set_id = hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
    return arriving.setdefault(image_set_id, _Arriving(tags, primary))
