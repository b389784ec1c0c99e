"""Studies with pixels: a CT series of any size, and one of large files that cost no disk."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

_ROOT = "1.2.826.0.1.3680043.8.498.98"
_SPACING_MM = 0.75
_PIXEL_BYTES = 2


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a study and a patient of its own, as its files tell; instances by number."""

    patient_id: str
    study_uid: str
    series_uid: str
    instances: tuple[str, ...]
    path: Path
    """The folder of its files."""

    @property
    def target(self) -> str:
        """Its path below the service's root."""
        return f"/studies/{self.study_uid}/series/{self.series_uid}"

    @property
    def frames(self) -> tuple[str, ...]:
        """The targets of the first frames."""
        return tuple(f"{self.target}/instances/{uid}/frames/1" for uid in self.instances)

    def pixels(self, at: int) -> bytes:
        """The pixels of an instance."""
        dataset = dcmread(self.path / f"{at:05}.dcm")
        pixels: bytes = dataset.PixelData
        return pixels


def write_series(folder: Path, instances: int, size: int, study: int = 1) -> Series:
    """A CT volume, `size` pixels square, 16 bits a pixel: a ball in a cylinder, with noise.

    The same arguments give the same bytes.
    """
    import numpy  # of an extra that other rows do not need

    series = _named(folder, instances, study)
    chance = numpy.random.default_rng(study)
    y, x = numpy.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    for at in range(instances):
        z = 2 * (at + 0.5) / instances - 1
        body = (x**2 + y**2 < 0.8) * 1000 * x + (x**2 + y**2 + z**2 < 0.2) * 200
        values = body + chance.normal(0, 20, (size, size))
        pixels = numpy.clip(values, -1000, 2000).astype("<i2").tobytes()
        _write(series, at, size, struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OW", 0, len(pixels)))
        with (folder / f"{at:05}.dcm").open("ab") as file:
            file.write(pixels)
    return series


def write_large(folder: Path, instances: int, size: int, study: int = 2) -> Series:
    """The same without a picture: all pixels are 0, and of the files only headers take up room."""
    series = _named(folder, instances, study)
    length = size * size * _PIXEL_BYTES
    for at in range(instances):
        _write(series, at, size, struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OW", 0, length))
        path = folder / f"{at:05}.dcm"
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size + length)
    return series


def _named(folder: Path, instances: int, study: int) -> Series:
    folder.mkdir(parents=True, exist_ok=True)
    study_uid = f"{_ROOT}.{study}"
    uids = tuple(f"{study_uid}.1.{at + 1}" for at in range(instances))
    return Series(f"PAT9{study:06}", study_uid, f"{study_uid}.1", uids, folder)


def _write(series: Series, at: int, size: int, end: bytes) -> None:
    """An instance without its pixels, and `end` behind it."""
    dataset = Dataset()
    dataset.update(_elements(series, at, size))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    path = series.path / f"{at:05}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    with path.open("ab") as file:
        file.write(end)


def _elements(series: Series, at: int, size: int) -> Dataset:
    """What a CT scanner says of a slice."""
    half_mm = size * _SPACING_MM / 2
    given: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": series.instances[at],
        "StudyDate": "20260102",
        "SeriesDate": "20260102",
        "AcquisitionDate": "20260102",
        "ContentDate": "20260102",
        "StudyTime": "101500",
        "SeriesTime": "101600",
        "AcquisitionTime": f"1017{at % 60:02}.250000",
        "ContentTime": f"1018{at % 60:02}.500000",
        "AccessionNumber": "ACC9000001",
        "Modality": "CT",
        "Manufacturer": "Example Works",
        "InstitutionName": "Example Hospital",
        "ReferringPhysicianName": "ROE^RICHARD",
        "StationName": "CT1",
        "StudyDescription": "CT CHEST W CONTRAST",
        "SeriesDescription": "AXIAL 1.0 B30f",
        "ManufacturerModelName": "Example 64",
        "PatientName": "DOE^JANE",
        "PatientID": series.patient_id,
        "PatientBirthDate": "19600101",
        "PatientSex": "F",
        "PatientAge": "066Y",
        "PatientWeight": "70",
        "BodyPartExamined": "CHEST",
        "ScanOptions": "HELICAL",
        "SliceThickness": "1",
        "KVP": "120",
        "DataCollectionDiameter": "500",
        "DeviceSerialNumber": "1000001",
        "SoftwareVersions": "1.0",
        "ProtocolName": "Chest routine",
        "ReconstructionDiameter": "384",
        "DistanceSourceToDetector": "1040",
        "DistanceSourceToPatient": "570",
        "GantryDetectorTilt": "0",
        "TableHeight": "150",
        "RotationDirection": "CW",
        "ExposureTime": "500",
        "XRayTubeCurrent": str(180 + at % 40),
        "Exposure": "90",
        "FilterType": "0",
        "GeneratorPower": "22",
        "FocalSpots": "1.2",
        "ConvolutionKernel": "B30f",
        "PatientPosition": "HFS",
        "StudyInstanceUID": series.study_uid,
        "SeriesInstanceUID": series.series_uid,
        "StudyID": "1",
        "SeriesNumber": 1,
        "AcquisitionNumber": 1,
        "InstanceNumber": at + 1,
        "ImagePositionPatient": [-half_mm, -half_mm, float(at)],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "FrameOfReferenceUID": f"{series.study_uid}.9",
        "PositionReferenceIndicator": "",
        "SliceLocation": str(at),
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": size,
        "Columns": size,
        "PixelSpacing": [_SPACING_MM, _SPACING_MM],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "WindowCenter": "0",
        "WindowWidth": "2000",
        "RescaleIntercept": "0",
        "RescaleSlope": "1",
        "RescaleType": "HU",
    }
    dataset = Dataset()
    for keyword, value in given.items():
        setattr(dataset, keyword, value)
    return dataset
