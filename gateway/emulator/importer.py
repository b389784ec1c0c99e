"""The importer: DICOM Part 10 files become image sets, one a series.

An instance whose study attributes differ from what the study's primary image sets hold goes to an
image set that is not primary. Source: HealthImaging developer guide, "understanding image sets"
(documented: what must agree; that a later import of a series joins its image set).
"""

from __future__ import annotations

import hashlib
import itertools
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.errors import InvalidDicomError

from gateway.emulator.errors import ImportPathError
from gateway.emulator.frames import described_frames
from gateway.emulator.imagesets import ImageSets
from gateway.emulator.normalising import normalise
from gateway.emulator.store import Store
from gateway.emulator.summary import AGREED, SUMMARY_NAMES, Levels, tags_of, text_of
from gateway.emulator.versions import Instance

_UID = re.compile(r"[0-9.]{1,512}")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a file: the version of an image set that holds its instance."""

    path: Path
    image_set_id: str
    version: int
    is_primary: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of all files: those that were stored, and those skipped with the reason."""

    instances: int
    stored: tuple[Stored, ...]
    skipped: tuple[tuple[Path, str], ...]

    @property
    def image_sets(self) -> int:
        """How many image sets were made or changed."""
        return len({one.image_set_id for one in self.stored})


@dataclass(slots=True)
class _Arriving:
    """The instances of one image set that this import brings."""

    levels: Levels
    primary: bool
    instances: dict[str, Instance] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)


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
    return import_files(ImageSets(store), files, on_progress=on_progress)


def import_files(
    image_sets: ImageSets,
    files: Sequence[Path],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import files, in this order."""
    arriving: dict[str, _Arriving] = {}
    agreed: dict[str, tuple[str, ...]] = {}
    skipped = []
    for number, file in enumerate(files, 1):
        try:
            levels, sop_instance_uid, instance = _read(file)
        except _SkipError as exc:
            skipped.append((file, str(exc)))
        else:
            one = _place(image_sets, levels, agreed, arriving)
            one.instances[sop_instance_uid] = instance
            one.files.append(file)
        if on_progress:
            on_progress(number, len(files))
    stored = [
        Stored(file, image_set_id, version, one.primary)
        for image_set_id, one in arriving.items()
        for version in [_join(image_sets, image_set_id, one)]
        for file in one.files
    ]
    instances = sum(len(one.instances) for one in arriving.values())
    return ImportReport(instances, tuple(stored), tuple(skipped))


def _join(image_sets: ImageSets, image_set_id: str, one: _Arriving) -> int:
    joined = image_sets.join(image_set_id, one.levels, one.instances, is_primary=one.primary)
    return joined.number


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


def _read(path: Path) -> tuple[Levels, str, Instance]:
    """The levels of one file's metadata, its SOPInstanceUID and its instance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are stored as they are
        try:
            dataset = _dataset(path)
            normalised = normalise(dataset)
            _check_readable(dataset)
            body = {**normalised.instance, "ImageFrames": _frames(dataset)}
            instance = Instance.of(body, str(path))
        except InvalidDicomError:
            raise _SkipError("is not a DICOM Part 10 file") from None
        except OSError as exc:
            raise _SkipError(f"cannot be read: {(exc.strerror or 'input error').lower()}") from None
        except Exception as exc:
            raise _SkipError(f"is damaged ({type(exc).__name__})") from None
    levels = normalised.levels
    own_uid = text_of({"Instance": body["DICOM"]}, "SOPInstanceUID")
    for keyword in (*_UIDS, "SOPInstanceUID"):
        _check_uid(keyword, own_uid if keyword not in _UIDS else text_of(levels, keyword))
    try:
        tags_of(levels)
    except ValueError as exc:
        raise _SkipError(str(exc)) from None
    return levels, own_uid, instance


def _dataset(path: Path) -> pydicom.FileDataset:
    try:
        return pydicom.dcmread(path)
    except (InvalidDicomError, OSError):
        raise
    except Exception:  # pixels that break off: what stands before them is good
        return pydicom.dcmread(path, stop_before_pixels=True)


def _check_readable(dataset: pydicom.Dataset) -> None:
    """Meet the damage, if there is any, in what a search needs."""
    for keyword in (*SUMMARY_NAMES, "SOPInstanceUID"):
        dataset.get(keyword)


def _frames(dataset: pydicom.FileDataset) -> list[dict[str, Any]]:
    try:
        return described_frames(dataset)
    except Exception:  # pixels that contradict their description have no frames
        return []


def _check_uid(keyword: str, value: str) -> None:
    if not value:
        raise _SkipError(f"has no {keyword}")
    if not _UID.fullmatch(value):
        raise _SkipError(f"has a {keyword} that is no UID")


def _place(
    image_sets: ImageSets,
    levels: Levels,
    agreed: dict[str, tuple[str, ...]],
    arriving: dict[str, _Arriving],
) -> _Arriving:
    """The image set that an instance with these levels belongs to."""
    study_uid, series_uid = (text_of(levels, keyword) for keyword in _UIDS)
    said = tuple(text_of(levels, keyword) for keyword in AGREED)
    if study_uid not in agreed:
        known = image_sets.store.primary_tags(study_uid)
        agreed[study_uid] = said if known is None else tuple(_told(known))
    primary = said == agreed[study_uid]
    parts = [image_sets.store.datastore_id, study_uid, series_uid, *(() if primary else said)]
    texts = ("\0".join([*parts, *([str(again)] if again else [])]) for again in itertools.count())
    ids = (hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts)
    image_set_id = next(
        one for one in ids if one in arriving or image_sets.takes(one, study_uid, series_uid)
    )
    return arriving.setdefault(image_set_id, _Arriving(levels, primary))


def _told(tags: Any) -> Iterable[str]:
    return (str(tags.get(SUMMARY_NAMES[keyword], "")) for keyword in AGREED)
