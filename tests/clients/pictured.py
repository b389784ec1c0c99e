"""A study with pixels and a document, as viewers open it, and what each of its files holds.

The pixels are those of files that come with pydicom, which decodes them too; nothing here uses the
gateway's code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

STUDY = "1.2.826.9.1"
ADDRESS = f"/studies/{STUDY}"
EXPLICIT, RLE, JPEG_2000 = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"

_DATA = Path(pydicom.__file__).parent / "data" / "test_files"
_OF_PYDICOM = {
    "CT": ("CT_small.dcm", 3),
    "MR": ("MR_small_jp2klossless.dcm", 1),
    "OT": ("SC_rgb_rle_2frame.dcm", 1),
}
_DOCUMENT = b"%PDF-1.4 invented " + bytes(range(256)) * 16
"""Long enough not to stand in the metadata."""


@dataclass(frozen=True)
class File:
    """One instance, as it was written."""

    path: Path

    @cached_property
    def dataset(self) -> pydicom.FileDataset:
        """Read by pydicom."""
        return pydicom.dcmread(self.path)

    @property
    def body(self) -> bytes:
        """The whole file."""
        return self.path.read_bytes()

    @property
    def uid(self) -> str:
        """Its SOPInstanceUID."""
        return str(self.dataset.SOPInstanceUID)

    @property
    def series(self) -> str:
        """Its SeriesInstanceUID."""
        return str(self.dataset.SeriesInstanceUID)

    @property
    def syntax(self) -> str:
        """Its transfer syntax."""
        return str(self.dataset.file_meta.TransferSyntaxUID)

    @property
    def of_series(self) -> str:
        """The path of its series under the base URL."""
        return f"{ADDRESS}/series/{self.series}"

    @property
    def address(self) -> str:
        """The path of the instance under the base URL."""
        return f"{self.of_series}/instances/{self.uid}"

    @property
    def frames(self) -> list[bytes]:
        """Each frame as it is stored."""
        number = int(self.dataset.get("NumberOfFrames", 1))
        if self.dataset.file_meta.TransferSyntaxUID.is_encapsulated:
            return list(generate_frames(self.dataset.PixelData, number_of_frames=number))
        assert 1 == number
        return [self.dataset.PixelData]

    @property
    def decoded(self) -> list[bytes]:
        """Each frame as pydicom decodes it, little endian."""
        pixels = self.dataset.pixel_array
        return [one.tobytes() for one in (pixels if "NumberOfFrames" in self.dataset else [pixels])]


@dataclass(frozen=True, slots=True)
class Pictured:
    """The files by the modality of their series, each series in the order of an answer."""

    files: Mapping[str, Sequence[File]]

    @property
    def all(self) -> list[File]:
        """Every file of the study."""
        return [one for series in self.files.values() for one in series]

    def one(self, modality: str) -> File:
        """The first instance of the series of that modality."""
        return self.files[modality][0]


def write_pictures(folder: Path) -> Pictured:
    """Write the study's files to a new folder."""
    folder.mkdir()
    files: dict[str, list[File]] = {}
    for number, (modality, (name, count)) in enumerate(_OF_PYDICOM.items(), 1):
        for instance in range(1, count + 1):
            dataset = pydicom.dcmread(_DATA / name)
            files.setdefault(modality, []).append(_written(folder, dataset, number, instance))
    report = Dataset()
    report.Modality, report.SOPClassUID = "DOC", EncapsulatedPDFStorage
    report.EncapsulatedDocument, report.MIMETypeOfEncapsulatedDocument = (
        _DOCUMENT,
        "application/pdf",
    )
    files["DOC"] = [_written(folder, report, len(files) + 1, 1)]
    return Pictured(files)


def _written(folder: Path, dataset: Dataset, series: int, instance: int) -> File:
    shared: Mapping[str, Any] = {
        "PatientName": "DOE^JANE",
        "PatientID": "PIC001",
        "StudyInstanceUID": STUDY,
        "StudyDate": "20261120",
        "StudyTime": "120000",
        "AccessionNumber": "PIC",
        "StudyID": "1",
        "SeriesInstanceUID": f"{STUDY}.{series}",
        "SeriesNumber": series,
        "SOPInstanceUID": f"{STUDY}.{series}.{instance}",
        "InstanceNumber": instance,
    }
    for keyword, value in shared.items():
        setattr(dataset, keyword, value)
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    path = folder / f"{series}-{instance}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return File(path)
