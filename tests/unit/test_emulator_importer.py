"""The emulator's import of DICOM files, and its seeding from summaries."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from gateway.emulator.errors import ImportPathError, SeedError
from gateway.emulator.frames import read_frame
from gateway.emulator.imagesets import ImageSets
from gateway.emulator.importer import import_files, import_paths
from gateway.emulator.seeding import seed_file
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
BUNDLED = Path(pydicom.__file__).parent / "data"


def write(folder: Path, name: str, **attributes: Any) -> Path:
    """A small DICOM file."""
    given = {
        "StudyInstanceUID": "1.2.1",
        "SeriesInstanceUID": "1.2.1.1",
        "SOPInstanceUID": "1.2.1.1.1",
        "PatientID": "PAT1",
        "PatientName": "DOE^JANE",
        "StudyDate": "20200101",
        "Modality": "CT",
        **attributes,
    }
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.2")
    meta.MediaStorageSOPInstanceUID = UID(given["SOPInstanceUID"] or "1.2")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(folder / name), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in given.items():
        if value is not None:
            setattr(dataset, keyword, value)
    folder.mkdir(parents=True, exist_ok=True)
    dataset.save_as(folder / name, enforce_file_format=True)
    return folder / name


def stored(store: Store) -> list[dict[str, Any]]:
    """Every summary, the oldest first."""
    criteria = {"sort": {"sortField": "createdAt", "sortOrder": "ASC"}}
    found: list[dict[str, Any]] = store.search(criteria, 50, None)["imageSetsMetadataSummaries"]
    return found


@pytest.fixture
def store() -> Any:
    """An empty store."""
    one = Store(None, Variants(), DATASTORE_ID)
    yield one
    one.close()


def _shape(one: dict[str, Any]) -> tuple[Any, ...]:
    tags = one["DICOMTags"]
    return (
        tags["DICOMSeriesInstanceUID"],
        tags["DICOMNumberOfStudyRelatedInstances"],
        one["isPrimary"],
        one["version"],
    )


@pytest.mark.parametrize(
    ("imports", "shapes"),
    [
        pytest.param([[{}]], [("1.2.1.1", 1, True, 1)], id="one instance"),
        pytest.param([[{}, {"SOPInstanceUID": "1.9"}]], [("1.2.1.1", 2, True, 1)], id="a series"),
        pytest.param([[{}], [{"SOPInstanceUID": "1.9"}]], [("1.2.1.1", 2, True, 2)],
                     id="a later instance joins its image set"),
        pytest.param([[{}], [{}]], [("1.2.1.1", 1, True, 2)], id="an instance replaces itself"),
        pytest.param(
            [[{}, {"SeriesInstanceUID": "1.8", "SOPInstanceUID": "1.9"}]],
            [("1.2.1.1", 1, True, 1), ("1.8", 1, True, 1)],
            id="two series"),
        pytest.param(
            [[{}], [{"SOPInstanceUID": "1.9", "PatientID": "PAT2"}]],
            [("1.2.1.1", 1, True, 1), ("1.2.1.1", 1, False, 1)],
            id="a conflict is an image set of its own"),
        pytest.param(
            [[{}, {"SOPInstanceUID": "1.8", "StudyDate": "20200102"},
              {"SOPInstanceUID": "1.9", "StudyDate": "20200102"}]],
            [("1.2.1.1", 1, True, 1), ("1.2.1.1", 2, False, 1)],
            id="one conflict, one image set"),
        pytest.param(
            [[{}], [{"SOPInstanceUID": "1.9", "PatientName": "ROE^JANE"}]],
            [("1.2.1.1", 2, True, 2)],
            id="another name is no conflict"),
        pytest.param(
            [[{}, {"StudyInstanceUID": "1.7", "PatientID": "PAT2", "SOPInstanceUID": "1.9"}]],
            [("1.2.1.1", 1, True, 1), ("1.2.1.1", 1, True, 1)],
            id="one series UID in two studies"),
    ],
)  # fmt: skip
def test_image_sets(
    tmp_path: Path, store: Store, imports: list[list[dict[str, str]]], shapes: list[Any]
) -> None:
    """One image set a series; what conflicts with the study is not primary."""
    for number, files in enumerate(imports):
        folder = tmp_path / str(number)
        for position, attributes in enumerate(files):
            write(folder, f"{position}.dcm", **attributes)
        import_paths(store, [folder])
    assert sorted(shapes, key=str) == sorted(map(_shape, stored(store)), key=str)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"hello", "is not a DICOM Part 10 file", id="no DICOM"),
        pytest.param(b"", "is not a DICOM Part 10 file", id="empty"),
        pytest.param({"StudyInstanceUID": None}, "has no StudyInstanceUID", id="no study"),
        pytest.param({"SeriesInstanceUID": None}, "has no SeriesInstanceUID", id="no series"),
        pytest.param({"SOPInstanceUID": None}, "has no SOPInstanceUID", id="no instance"),
    ],
)
def test_what_cannot_be_imported_is_named(
    tmp_path: Path, store: Store, content: Any, reason: str
) -> None:
    """A file that is not DICOM or lacks a UID is skipped with the reason; the rest is imported."""
    if isinstance(content, bytes):
        (tmp_path / "bad").write_bytes(content)
    else:
        write(tmp_path, "bad", **{"SOPInstanceUID": "1.9", **content})
    write(tmp_path, "good")
    report = import_paths(store, [tmp_path])
    assert ((tmp_path / "bad", reason),) == report.skipped
    assert (1, 1) == (report.instances, report.image_sets)


def test_a_damaged_file_is_skipped(tmp_path: Path, store: Store) -> None:
    """A file that breaks off inside its data set is skipped, never a crash."""
    whole = write(tmp_path, "whole").read_bytes()
    for length in range(140, len(whole), 7):
        (tmp_path / f"cut{length}").write_bytes(whole[:length])
    report = import_paths(store, [tmp_path])
    assert report.instances >= 1
    assert len(report.skipped) > 5


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_an_unreadable_path_is_a_sentence(tmp_path: Path, store: Store, name: str) -> None:
    """A path that is not there, or an empty folder, is an error that names it."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportPathError, match=name):
        import_paths(store, [tmp_path / name])


def test_texts_are_stored_decoded(tmp_path: Path, store: Store) -> None:
    """Names keep all their component groups; a number that is none is left out."""
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    write(tmp_path, "a", PatientName=name, StudyDescription="CT", BodyPartExamined="KNEE")
    import_paths(store, [tmp_path], on_progress=lambda done, total: None)
    tags = stored(store)[0]["DICOMTags"]
    assert (name, "KNEE") == (tags["DICOMPatientName"], tags["DICOMSeriesBodyPart"])
    assert "DICOMSeriesNumber" not in tags


def test_kept_padding(tmp_path: Path) -> None:
    """Where padding is kept a text of odd length has DICOM's trailing space."""
    write(tmp_path, "a", PatientID="PAT", AccessionNumber="ACC1")
    store = Store(None, Variants(padding="kept"), DATASTORE_ID)
    import_paths(store, [tmp_path])
    import_paths(store, [write(tmp_path, "b", PatientID="PAT", AccessionNumber="ACC1",
                               SOPInstanceUID="1.9")])  # fmt: skip
    (one,) = stored(store)
    store.close()
    tags = one["DICOMTags"]
    assert ("PAT ", "ACC1") == (tags["DICOMPatientId"], tags["DICOMAccessionNumber"])
    assert (2, "1.2.1") == (one["version"], tags["DICOMStudyInstanceUID"])


def test_every_bundled_file_is_imported_or_named(store: Store) -> None:
    """Of pydicom's own files each is imported, or skipped with a reason."""
    folders = [BUNDLED / "test_files", BUNDLED / "charset_files"]
    files = {f for folder in folders for f in folder.rglob("*") if f.is_file()}
    report = import_paths(store, folders)
    read = store._sql.execute("SELECT DISTINCT path FROM instances").fetchall()
    assert len(read) == report.instances
    assert report.instances > 100
    assert {path for path, _ in report.skipped} < files
    assert all(reason for _, reason in report.skipped)


# --- seeding --------------------------------------------------------------------------------------


def seed(tmp_path: Path, *lines: object) -> Path:
    """A seed file of those lines; text is written as it stands."""
    path = tmp_path / "seed.ndjson"
    path.write_text("\n".join(o if isinstance(o, str) else json.dumps(o) for o in lines))
    return path


GOOD = {"DICOMTags": {"DICOMStudyInstanceUID": "1.2"}}


def test_seeds(tmp_path: Path, store: Store) -> None:
    """Each line is a summary; empty lines are passed over; progress is told."""
    told: list[tuple[int, int]] = []
    given = {**GOOD, "imageSetId": "a" * 32, "createdAt": "2020-01-01T00:00:00Z", "isPrimary": True}
    path = seed(tmp_path, given, "", GOOD)
    number = seed_file(store, path, on_progress=lambda done, total: told.append((done, total)))
    assert (2, 2) == (number, store.count())
    assert (path.stat().st_size, path.stat().st_size) == told[-1]
    assert {1577836800.0} <= {one["createdAt"] for one in stored(store)}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no structure"),
        pytest.param({"DICOMTags": []}, id="tags that are no structure"),
        pytest.param({"patient": "x"}, id="an unknown key"),
        pytest.param({"DICOMTags": {"PatientName": "x"}}, id="an unknown tag"),
        pytest.param({"imageSetId": "A"}, id="identifier"),
        pytest.param({"version": 0}, id="version"),
        pytest.param({"version": True}, id="a truth as version"),
        pytest.param({"isPrimary": 1}, id="isPrimary"),
        pytest.param({"storageTier": "GLACIER"}, id="storage tier"),
        pytest.param({"createdAt": "then"}, id="time"),
        pytest.param({"DICOMTags": {"DICOMPatientId": 1}}, id="a number as text"),
        pytest.param({"DICOMTags": {"DICOMPatientSex": "X" * 17}}, id="a text too long"),
        pytest.param({"DICOMTags": {"DICOMStudyInstanceUID": "1.a"}}, id="UID"),
        pytest.param({"DICOMTags": {"DICOMSeriesNumber": "1"}}, id="a text as number"),
        pytest.param({"DICOMTags": {"DICOMNumberOfStudyRelatedSeries": -1}}, id="less than none"),
    ],
)
def test_a_bad_line_is_named_and_nothing_kept(tmp_path: Path, store: Store, line: object) -> None:
    """The first bad line is named by its number, and no line of the file is kept."""
    with pytest.raises(SeedError, match="line 2: "):
        seed_file(store, seed(tmp_path, GOOD, line, GOOD))
    assert 0 == store.count()


def test_a_missing_seed_file(tmp_path: Path, store: Store) -> None:
    """A file that is not there is a sentence."""
    with pytest.raises(SeedError, match="no such file"):
        seed_file(store, tmp_path / "none")


def test_a_file_that_vanished(store: Store, tmp_path: Path) -> None:
    """A file that cannot be read any more is skipped."""
    report = import_files(ImageSets(store), [tmp_path / "gone"])
    assert ((tmp_path / "gone", "cannot be read: no such file or directory"),) == report.skipped


def test_sequences_too_deep_for_json(store: Store, tmp_path: Path) -> None:
    """A file whose metadata no answer could hold is skipped; the others are imported."""
    item = Dataset()
    for _ in range(150):
        outer = Dataset()
        outer.ContentSequence = [item]
        item = outer
    deep = write(tmp_path, "deep.dcm", ContentSequence=[item])
    report = import_paths(store, [deep, write(tmp_path, "good.dcm")])
    ((path, reason),) = report.skipped
    assert (deep, 1) == (path, report.instances)
    assert reason.startswith("is damaged")


def test_a_name_that_is_no_text(store: Store, tmp_path: Path) -> None:
    """A file whose name is not UTF-8 is imported, and its pixels are found."""
    path = Path(os.fsdecode(bytes(tmp_path) + b"/x\xff.dcm"))
    try:
        shutil.copy(BUNDLED / "test_files" / "CT_small.dcm", path)
    except OSError:
        pytest.skip("the file system takes no such name")
    (one,) = import_paths(store, [path]).stored
    sets = ImageSets(store)
    with store.reading() as sql:
        (instance,) = sets.instances(sql, sets.version(sql, one.image_set_id)).values()
    (frame,) = instance.body["ImageFrames"]
    assert str(path) == instance.path
    assert frame["FrameSizeInBytes"] == len(read_frame(*sets.frame(one.image_set_id, frame["ID"])))
