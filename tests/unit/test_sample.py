"""`qido-gateway sample`: an archive that is whole, right by DICOM, and the same every time."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import typer
from pydicom.config import RAISE, settings
from pydicom.uid import ExplicitVRLittleEndian, RLELossless
from typer.testing import CliRunner

from gateway import sample_command
from gateway.errors import ConfigError
from gateway.sample.documents import pdf
from gateway.sample.people import PATIENTS
from gateway.sample.phantom import axial, coronal, sagittal
from gateway.sample.recipes import RECIPES
from gateway.sample.studies import STUDIES
from gateway.sample.writing import write_archive

MIB = 1 << 20
APP = typer.Typer()
APP.command()(sample_command.sample)


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(APP, arguments, prog_name="sample")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole archive, as the command writes it."""
    folder = tmp_path_factory.mktemp("sample") / "new" / "archive"
    result = _run(str(folder))
    assert (result.exit_code, result.stdout) == (0, "")
    files = sorted(folder.rglob("*.dcm"))
    size_mib = sum(file.stat().st_size for file in files) / MIB
    said = f"wrote 30 studies of 12 patients to {folder}: {len(files)} files, {size_mib:.0f} MiB"
    assert result.stderr.splitlines()[-1] == said
    assert size_mib < 70
    return folder


@pytest.fixture(scope="module")
def datasets(archive: Path) -> list[pydicom.FileDataset]:
    """Each file without its pixels, with every value read and checked."""
    before = settings.reading_validation_mode
    settings.reading_validation_mode = RAISE
    try:
        read = [pydicom.dcmread(f, stop_before_pixels=True) for f in sorted(archive.rglob("*.dcm"))]
        for dataset in read:
            dataset.walk(lambda _dataset, element: element.value)
    finally:
        settings.reading_validation_mode = before
    return read


def of_series(archive: Path, recipe: str) -> list[pydicom.FileDataset]:
    """The instances of the archive's first series of that recipe."""
    folder = min(archive.rglob(f"*-{recipe}"))
    return [pydicom.dcmread(file) for file in sorted(folder.iterdir())]


# --- what there is --------------------------------------------------------------------------------


def test_studies_and_patients(datasets: list[pydicom.FileDataset]) -> None:
    """30 studies of 12 patients over some years, one accession number and UID each."""
    studies = {one.StudyInstanceUID: one for one in datasets}.values()
    assert 30 == len(studies) == len({one.AccessionNumber for one in studies})
    assert 12 == len({one.PatientID for one in studies})
    assert {str(year) for year in range(2017, 2026)} == {one.StudyDate[:4] for one in studies}
    assert all(one.StudyDescription and one.ReferringPhysicianName for one in studies)
    days = Counter((one.PatientID, one.StudyDate) for one in studies)
    assert [2] == [count for count in days.values() if count > 1]
    assert 5 == sum(one.PatientID == "SAMPLE-01" for one in studies)


def test_modalities(datasets: list[pydicom.FileDataset]) -> None:
    """Each modality has its studies."""
    studies = {(one.StudyInstanceUID, one.Modality) for one in datasets}
    expected = {"CT": 12, "MR": 7, "CR": 6, "US": 4, "PT": 2, "SR": 3, "DOC": 3, "OT": 2}
    assert expected == Counter(modality for _, modality in studies)


def test_scripts() -> None:
    """Names in Latin with accents, kanji and kana, hangul, Cyrillic, Greek and Arabic."""
    letters = {letter for patient in PATIENTS for letter in patient.name if letter.isalpha()}
    scripts = {unicodedata.name(letter).split()[0] for letter in letters}
    assert {"LATIN", "CJK", "HIRAGANA", "HANGUL", "CYRILLIC", "GREEK", "ARABIC"} == scripts
    assert {"Ü", "Í", "Ž"} <= letters
    assert [3, 3] == [patient.name.count("=") + 1 for patient in PATIENTS[3:5]]


def test_names_are_read(datasets: list[pydicom.FileDataset]) -> None:
    """Each patient's name and what is known of them is the same in all of their files."""
    expected = {(one.id, one.name, one.sex, one.born) for one in PATIENTS}
    found = {
        (one.PatientID, str(one.PatientName), one.PatientSex, one.PatientBirthDate)
        for one in datasets
    }
    assert expected == found


def test_series_follow_their_table() -> None:
    """Each recipe is used, and each series has one."""
    assert set(RECIPES) == {name for study in STUDIES for name in study.series}


# --- DICOM's rules --------------------------------------------------------------------------------

OF_ALL = (
    "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality PatientID PatientName"
    " StudyDate StudyTime AccessionNumber StudyID SeriesNumber InstanceNumber Manufacturer"
    " ContentDate ContentTime"
)
OF_SLICES = (
    "FrameOfReferenceUID ImagePositionPatient ImageOrientationPatient PixelSpacing SliceThickness"
    " ImageType AcquisitionDate AcquisitionTime WindowCenter WindowWidth"
)
NEEDED = {
    "CT": OF_SLICES + " RescaleIntercept RescaleSlope KVP AcquisitionNumber PatientPosition",
    "MR": OF_SLICES + " ScanningSequence SequenceVariant MRAcquisitionType RepetitionTime EchoTime"
    " FlipAngle PatientPosition",
    "PT": OF_SLICES + " RescaleIntercept RescaleSlope Units DecayCorrection CorrectedImage"
    " SeriesType CountsSource NumberOfSlices FrameReferenceTime ImageIndex SeriesDate SeriesTime"
    " PatientWeight RadiopharmaceuticalInformationSequence ActualFrameDuration CollimatorType",
    "CR": "ImageType PatientOrientation BodyPartExamined ViewPosition",
    "US": "ImageType SequenceOfUltrasoundRegions UltrasoundColorDataPresent",
    "OT": "ImageType ConversionType",
    "SR": "CompletionFlag VerificationFlag ContentSequence ConceptNameCodeSequence",
    "DOC": "MIMETypeOfEncapsulatedDocument EncapsulatedDocumentLength DocumentTitle",
}


@pytest.mark.parametrize("modality", NEEDED)
def test_attributes_of_type_1(datasets: list[pydicom.FileDataset], modality: str) -> None:
    """What viewers lean on has a value in each instance. PS3.3, the modules of each IOD."""
    keywords = f"{OF_ALL} {NEEDED[modality]}".split()
    if modality not in ("SR", "DOC"):
        keywords += ["Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation"]
    of_modality = [one for one in datasets if modality == one.Modality]
    assert of_modality
    missing = {word for one in of_modality for word in keywords if one.get(word) in (None, "")}
    assert set() == missing


def test_identifiers(datasets: list[pydicom.FileDataset]) -> None:
    """UIDs are valid and no two instances have the same; the file meta repeats them."""
    assert len(datasets) == len({one.SOPInstanceUID for one in datasets})
    assert {"ISO_IR 192"} == {one.SpecificCharacterSet for one in datasets}
    for one in datasets:
        meta = one.file_meta
        assert (one.SOPClassUID, one.SOPInstanceUID) == (
            meta.MediaStorageSOPClassUID,
            meta.MediaStorageSOPInstanceUID,
        )
        for level in ("Study", "Series", "SOP"):
            assert one[f"{level}InstanceUID"].value.is_valid


def test_series_agree(datasets: list[pydicom.FileDataset]) -> None:
    """A series has one modality, number and study; its instances are numbered from 1."""
    series = defaultdict(list)
    for one in datasets:
        series[one.SeriesInstanceUID].append(one)
    for instances in series.values():
        shared = {(x.StudyInstanceUID, x.Modality, x.SeriesNumber) for x in instances}
        assert 1 == len(shared)
        numbers = sorted(int(x.InstanceNumber) for x in instances)
        assert list(range(1, len(instances) + 1)) == numbers


def test_json(datasets: list[pydicom.FileDataset]) -> None:
    """Each instance is DICOM JSON that says the same again."""
    for one in {one.SeriesInstanceUID: one for one in datasets}.values():
        again = pydicom.Dataset.from_json(json.loads(one.to_json()))
        assert (one.PatientName, len(one)) == (again.PatientName, len(again))


# --- pictures -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def volume(archive: Path) -> list[pydicom.FileDataset]:
    """The slices of the big CT series."""
    return of_series(archive, "ct-volume")


def test_geometry(volume: list[pydicom.FileDataset]) -> None:
    """64 parallel slices, 3 mm apart along their normal, in one frame of reference."""
    positions = np.array([one.ImagePositionPatient for one in volume], float)
    assert [[0.0, 0.0, 3.0]] * 63 == np.diff(positions, axis=0).round(6).tolist()
    shared = {
        (tuple(one.ImageOrientationPatient), tuple(one.PixelSpacing), one.SliceThickness)
        for one in volume
    }
    assert {((1, 0, 0, 0, 1, 0), (0.75, 0.75), 3)} == shared
    assert 1 == len({one.FrameOfReferenceUID for one in volume})
    # The middle of the stack is the origin
    assert [-191.625, -191.625, 0.0] == positions.mean(axis=0).tolist()


def test_volume_is_worth_looking_at(volume: list[pydicom.FileDataset]) -> None:
    """Signed 16 bits in Hounsfield units; each slice differs, in each of the three planes."""
    stored = np.stack([one.pixel_array for one in volume])
    assert ((64, 512, 512), "int16") == (stored.shape, str(stored.dtype))
    assert volume[0].PixelPaddingValue == stored.min()
    hu = stored * int(volume[0].RescaleSlope) + int(volume[0].RescaleIntercept)
    x, y, z = 96, -80, 30  # the left lung, as the patient has it: the image's right
    at = round((z + 94.5) / 3), round((y + 191.625) / 0.75), round((x + 191.625) / 0.75)
    assert -900 < hu[at[0] - 2 : at[0] + 3, at[1] : at[1] + 9, at[2] - 9 : at[2]].mean() < -100
    assert all(len(np.unique(one)) > 200 for one in hu)
    for axis in range(3):
        planes = np.moveaxis(stored, axis, 0)[::8]
        inside = [one.tobytes() for one in planes if one.max() > 100]
        assert len(inside) == len(set(inside)) > 6


def test_pt_lies_on_its_ct(archive: Path) -> None:
    """The PT series shares its CT's frame of reference and slice positions."""
    (study,) = (p.parent for p in archive.rglob("*-pt-fdg") if "SAMPLE-01" in p.parts)
    ct, pt = (
        [pydicom.dcmread(file) for file in sorted((study / name).iterdir())]
        for name in ("1-ct-pet", "2-pt-fdg")
    )
    assert 1 == len({one.FrameOfReferenceUID for one in (*ct, *pt)})
    depths = [[float(one.ImagePositionPatient[2]) for one in series] for series in (ct, pt)]
    assert depths[0] == depths[1]
    # Bright in PT is bright in CT: the heart, of which both show the middle
    hot = np.unravel_index(int(pt[16].pixel_array.argmax()), (96, 96))
    hu = ct[16].pixel_array[2 * int(hot[0]), 2 * int(hot[1])] + int(ct[16].RescaleIntercept)
    assert 80 < hu < 250


def test_normals_follow_the_slices(datasets: list[pydicom.FileDataset]) -> None:
    """The step from slice to slice is along the normal of the planes, in every volume."""
    series = defaultdict(list)
    for one in datasets:
        if "ImagePositionPatient" in one:
            series[one.SeriesInstanceUID].append(one)
    for slices in series.values():
        slices.sort(key=lambda one: int(one.InstanceNumber))
        orientation = np.array(slices[0].ImageOrientationPatient, float)
        normal = np.cross(orientation[:3], orientation[3:])
        positions = np.array([one.ImagePositionPatient for one in slices], float)
        steps = np.diff(positions, axis=0)
        thickness = float(slices[0].SliceThickness)
        assert np.allclose(normal * thickness, steps)
        assert np.allclose(positions @ normal, [float(one.SliceLocation) for one in slices])


@pytest.mark.parametrize("stack", [axial, sagittal, coronal], ids=lambda one: one.__name__)
def test_stacks_have_right_hands(stack: Any) -> None:
    """The three directions of a stack are units that stand upon each other."""
    one = stack(8, 2, 1.0, 2.0)
    directions = np.array([one.across, one.down, one.normal])
    assert np.allclose(np.eye(3), directions @ directions.T)
    assert np.isclose(1, np.linalg.det(directions))


def test_nodule_grows(archive: Path) -> None:
    """The same patient's nodule is larger in each later study."""
    counts = []
    for name in ("20210322-A210322-01", "20230914-A230914-01"):
        folder = archive / "SAMPLE-01" / name / "1-ct-thorax"
        slices = [pydicom.dcmread(file).pixel_array for file in sorted(folder.iterdir())]
        # Around (-88, -30), in 2 mm pixels from -191
        counts.append(sum(int((one[72:90, 42:62] > 900).sum()) for one in slices[9:13]))
    assert 0 < counts[0] < counts[1]


COLOURS = {
    "us-cine": ((24, 192, 192), "MONOCHROME2", RLELossless),
    "us-doppler": ((192, 192, 3), "RGB", ExplicitVRLittleEndian),
    "sc-map": ((192, 192, 3), "RGB", RLELossless),
    "cr-chest": ((384, 384), "MONOCHROME1", ExplicitVRLittleEndian),
    "mr-sagittal": ((144, 144), "MONOCHROME2", RLELossless),
    "mr-t1": ((144, 144), "MONOCHROME2", ExplicitVRLittleEndian),
}


@pytest.mark.parametrize("recipe", COLOURS)
def test_forms_of_pixels(archive: Path, recipe: str) -> None:
    """Frames, colours, inverted greys and lossless compression, decoded to something to see."""
    one = of_series(archive, recipe)[0]
    syntax = one.file_meta.TransferSyntaxUID
    assert COLOURS[recipe] == (one.pixel_array.shape, one.PhotometricInterpretation, syntax)
    assert len(np.unique(one.pixel_array)) > 100
    if "NumberOfFrames" in one:
        assert len(one.pixel_array) == len({frame.tobytes() for frame in one.pixel_array})


def test_radiograph_is_inverted(archive: Path) -> None:
    """MONOCHROME1: the spine has smaller numbers than the lungs, these smaller than air."""
    pixels = of_series(archive, "cr-chest")[0].pixel_array.astype(int)
    spine, lung, air = (pixels[150:170, c : c + 8].mean() for c in (188, 110, 2))
    assert spine < lung < air


# --- documents ------------------------------------------------------------------------------------


def test_pdf(archive: Path) -> None:
    """The document has the length that is told, and its table leads to its objects."""
    (one,) = of_series(archive, "pdf-letter")
    document = one.EncapsulatedDocument[: one.EncapsulatedDocumentLength]
    assert pdf(()).partition(b"\n")[0] == document.partition(b"\n")[0] == b"%PDF-1.4"
    assert document.endswith(b"%%EOF\n")
    table = int(document.split()[-2])
    assert document[table:].startswith(b"xref\n0 6\n")
    starts = [int(start) for start in re.findall(rb"^(\d{10}) 00000 n $", document, re.MULTILINE)]
    for number, start in enumerate(starts, 1):
        assert document[start:].startswith(b"%d 0 obj\n" % number)
    (length,) = re.findall(rb"/Length (\d+) >>\nstream\n", document)
    stream = document.partition(b"stream\n")[2].partition(b"\nendstream")[0]
    assert int(length) == len(stream)


def test_report(archive: Path) -> None:
    """A Basic Text SR: a container of sections, each with a text, each concept coded."""
    (one,) = of_series(archive, "sr-report")

    def items(dataset: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
        yield dataset
        for item in dataset.get("ContentSequence", ()):
            yield from items(item)

    kinds = [item.ValueType for item in items(one)]
    assert ["CONTAINER", *["CONTAINER", "TEXT"] * 3] == kinds
    assert all(item.ConceptNameCodeSequence[0].CodeMeaning for item in items(one))
    texts = " ".join(item.TextValue for item in items(one) if "TextValue" in item)
    assert f"{2 * next(s for s in STUDIES if 'sr-report' in s.series).lesion_mm:.0f} mm" in texts


# --- the same every time --------------------------------------------------------------------------

# Each recipe but the one that takes longest
SMALL = tuple(
    {
        name: study for study in STUDIES for name in study.series if "ct-volume" not in study.series
    }.values()
)


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.dcm"))
    }


def test_same_seed_same_bytes(archive: Path, tmp_path: Path) -> None:
    """What is written again is what was written, byte by byte."""
    studies = tuple(dict.fromkeys(SMALL))
    write_archive(tmp_path, 1, studies=studies)
    again, whole = _digests(tmp_path), _digests(archive)
    assert set(RECIPES) - {"ct-volume"} == {name.split("/")[2][2:] for name in again}
    assert {name: whole[name] for name in again} == again


def test_same_seed_same_volume(volume: list[pydicom.FileDataset]) -> None:
    """The big series too."""
    study = next(one for one in STUDIES if "ct-volume" in one.series)
    from gateway.sample.instance import Place

    place = Place(1, PATIENTS[0], study, 1, "ct-volume")
    made = itertools.islice(RECIPES["ct-volume"].make(place), 3)
    assert [one.values["PixelData"] for one in made] == [one.PixelData for one in volume[:3]]


def test_other_seed_other_archive(tmp_path: Path) -> None:
    """Another seed gives other UIDs and pixels to the same people and studies."""
    studies = (next(one for one in STUDIES if one.series == ("us-doppler",)),)
    read = []
    for seed in (1, 2):
        write_archive(tmp_path / str(seed), seed, studies=studies)
        read.append(
            [pydicom.dcmread(file) for file in sorted((tmp_path / str(seed)).rglob("*.dcm"))]
        )
    for one, other in zip(*read, strict=True):
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PixelData"):
            assert one[keyword].value != other[keyword].value
        for keyword in ("PatientID", "PatientName", "StudyDate", "AccessionNumber"):
            assert one[keyword].value == other[keyword].value


# --- the command ----------------------------------------------------------------------------------


def test_folder_is_not_empty(tmp_path: Path) -> None:
    """Nothing is written beside what is there."""
    (tmp_path / "mine.dcm").write_text("of before")
    with pytest.raises(ConfigError) as caught:
        sample_command.sample(tmp_path)
    assert (f"{tmp_path}: the folder is not empty; nothing was written",) == caught.value.problems
    assert [tmp_path / "mine.dcm"] == list(tmp_path.iterdir())
    assert "of before" == (tmp_path / "mine.dcm").read_text()


@pytest.mark.parametrize(
    ("name", "reason"), [("file", "file exists"), ("file/in", "not a directory")]
)
def test_no_folder(tmp_path: Path, name: str, reason: str) -> None:
    """A path that is, or leads through, a file is named with the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError) as caught:
        sample_command.sample(tmp_path / name)
    assert (f"{tmp_path / name}: {reason}",) == caught.value.problems


def test_without_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that is missing is named, before anything is written."""
    monkeypatch.setattr(sample_command, "find_spec", lambda _: None)
    with pytest.raises(ConfigError) as caught:
        sample_command.sample(tmp_path / "new")
    assert ("sample needs NumPy: install qido-gateway[emulator]",) == caught.value.problems
    assert [] == list(tmp_path.iterdir())


def test_refuses_a_wrong_seed(tmp_path: Path) -> None:
    """A seed is a whole number from 0 up."""
    assert 2 == _run(str(tmp_path), "--seed", "-1").exit_code
    assert [] == list(tmp_path.iterdir())
