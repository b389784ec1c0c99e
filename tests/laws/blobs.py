"""Made-up metadata of image sets, and its form as GetImageSetMetadata gives it: gzipped JSON.

Source: HealthImaging developer guide, "metadata normalization" (levels, keys, null, DICOMVRs).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from tests.laws.stored import Summary

CLASSES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7")
SYNTAXES = ("1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.91", None)
SERIES_DAYS = ("20200101", "20200102", "20200102 ", "2020.01.02", "20200230", None, "")
SERIES_TIMES = ("0930", "101530.5 ", "10:15:30", "140000", "noon", None)
DESCRIPTIONS = ("T1 AXIAL", "T1 AXIAL ", " t2 sagittal ", "Scout", "Überblick", None, "")
MAKERS = ("ACME", "ACME ", "Acme Imaging", None)
STATIONS = ("CT1", "CT1 ", "MR2", "")
PHYSICIANS = ("WELBY^MARCUS", "WELBY^MARCUS^^DR ", "Müller^Jörg", "^^", None)
STEPS = ("S1", "S1 ", "S2", " S3", None, "")
PROCEDURES = ("R1", "R2", "R2 ", None)
TYPES: tuple[list[str] | None, ...] = (
    ["ORIGINAL", "PRIMARY", "AXIAL"],
    ["DERIVED ", "PRIMARY"],
    ["ORIGINAL", "", "AXIAL"],
    ["ORIGINAL"],
    [],
    None,
)
THICKNESSES = ("2.5", "2.50", "+2.5E0", "1.25 ", "3", None, "")
DATETIMES = (
    "20200101101530.500000",
    "20200101101530+0100",
    "20200101111530.5-0500 ",
    "2020010110",
    "20200102",
    "2020",
    "noon",
    None,
)
ZONES = ("+0100", "-0500", None, "")
NUMBERS = ("1 ", "2", "2 ", "007", "+3", "10", None, "")
FRAMES = ("1 ", "12", None)
SIZES = (512, 640, None)
DEPTHS = (8, 16, None)
_ABSENT = object()

_OF_SUMMARY = {
    "patient": {
        "PatientName": "DICOMPatientName",
        "PatientID": "DICOMPatientId",
        "PatientBirthDate": "DICOMPatientBirthDate",
        "PatientSex": "DICOMPatientSex",
    },
    "study": {
        "StudyInstanceUID": "DICOMStudyInstanceUID",
        "StudyDate": "DICOMStudyDate",
        "StudyTime": "DICOMStudyTime",
        "AccessionNumber": "DICOMAccessionNumber",
        "StudyID": "DICOMStudyId",
        "StudyDescription": "DICOMStudyDescription",
    },
    "series": {
        "SeriesInstanceUID": "DICOMSeriesInstanceUID",
        "Modality": "DICOMSeriesModality",
        "SeriesNumber": "DICOMSeriesNumber",
    },
}


def metadata_of(chance: Random, tags: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of an image set whose summary has `tags`.

    Image sets of one series may have instances of the same SOPInstanceUID, with other values.
    """
    levels = {
        level: _some(chance, {k: _mirrored(tags.get(name)) for k, name in names.items()})
        for level, names in _OF_SUMMARY.items()
    }
    levels["study"] |= _some(chance, {"ReferringPhysicianName": chance.choice(PHYSICIANS)})
    levels["series"] |= _some(chance, _series(chance))
    uid = tags["DICOMSeriesInstanceUID"]
    numbers = sorted(chance.sample(range(1, 9), chance.randint(1, 6)))
    instances = [_instance(chance, f"{uid}.{n}") for n in numbers]
    chance.shuffle(instances)
    return {**levels, "instances": instances}


def described(summary: Summary, seed: int) -> dict[str, Any]:
    """A summary with metadata."""
    return {**summary, "metadata": metadata_of(Random(seed), summary["DICOMTags"])}


def _mirrored(value: Any) -> Any:
    """A summary's value as metadata has it, where numbers are texts too."""
    return f"{value} " if isinstance(value, int) else value


def _some(chance: Random, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values`, those that are null left out now and then."""
    return {k: v for k, v in values.items() if v is not None or chance.random() < 0.5}


def _series(chance: Random) -> dict[str, Any]:
    pick = chance.choice
    return {
        "SeriesDate": pick(SERIES_DAYS),
        "SeriesTime": pick(SERIES_TIMES),
        "Manufacturer": pick(MAKERS),
        "StationName": pick(STATIONS),
        "SeriesDescription": pick(DESCRIPTIONS),
        "PerformedProcedureStepStartDate": pick(SERIES_DAYS),
        "PerformedProcedureStepStartTime": pick(SERIES_TIMES),
        "RequestAttributesSequence": _items(
            chance,
            ScheduledProcedureStepID=STEPS,
            RequestedProcedureID=PROCEDURES,
        ),
    }


def _items(chance: Random, **values: tuple[Any, ...]) -> list[Any] | None:
    number = chance.choice((None, 0, 1, 1, 2, 3))
    if number is None:
        return None
    return [_some(chance, {k: chance.choice(v) for k, v in values.items()}) for _ in range(number)]


def _instance(chance: Random, uid: str) -> dict[str, Any]:
    pick = chance.choice
    series = uid.rpartition(".")[0]
    dicom = {
        "TransferSyntaxUID": "1.2.840.10008.1.2.4.51",  # of the file meta information
        "ImageType": pick(TYPES),
        "SOPClassUID": pick(CLASSES),
        "SOPInstanceUID": uid,
        "AcquisitionDate": pick(SERIES_DAYS),
        "AcquisitionDateTime": pick(DATETIMES),
        "AcquisitionTime": pick(SERIES_TIMES),
        "TimezoneOffsetFromUTC": pick(ZONES),
        "ReferencedImageSequence": _items(
            chance,
            ReferencedSOPClassUID=CLASSES,
            ReferencedSOPInstanceUID=(f"{series}.1", f"{series}.2"),
        ),
        "SliceThickness": pick(THICKNESSES),
        "InstanceNumber": pick(NUMBERS),
        "NumberOfFrames": pick(FRAMES),
        "Rows": pick(SIZES),
        "Columns": pick(SIZES),
        "BitsAllocated": pick(DEPTHS),
    }
    syntax = pick((*SYNTAXES, _ABSENT))
    stored = {} if syntax is _ABSENT else {"StoredTransferSyntaxUID": syntax}
    return {"DICOM": _some(chance, dicom), **stored}


# --- as HealthImaging gives it --------------------------------------------------------------------


def document_of(summary: Summary) -> dict[str, Any]:
    """The document of an image set."""
    metadata = summary["metadata"]
    instances = {
        one["DICOM"]["SOPInstanceUID"]: {"DICOMVRs": {}, "ImageFrames": [], **one}
        for one in metadata["instances"]
    }
    series = {"DICOM": metadata["series"], "Instances": instances}
    uid = summary["DICOMTags"]["DICOMSeriesInstanceUID"]
    return {
        "SchemaVersion": "1.1",
        "DatastoreID": "0" * 32,
        "ImageSetID": summary["imageSetId"],
        "Patient": {"DICOM": metadata["patient"]},
        "Study": {"DICOM": metadata["study"], "Series": {uid: series}},
    }


def packed(document: object) -> bytes:
    """Any JSON value as a blob."""
    return gzip.compress(json.dumps(document, ensure_ascii=False).encode(), 1, mtime=0)


class Blobs(dict[str, bytes]):
    """The blobs of image sets by their ids, each made when it is first asked for."""

    def __init__(self, summaries: Iterable[Summary] = ()) -> None:
        super().__init__()
        self._summaries = {one["imageSetId"]: one for one in summaries}

    def __missing__(self, image_set_id: str) -> bytes:
        self[image_set_id] = packed(document_of(self._summaries[image_set_id]))
        return self[image_set_id]
