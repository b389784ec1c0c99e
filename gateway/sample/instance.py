"""An instance before it is a file, and the attributes that all of a study or a series have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.sample.chance import uid
from gateway.sample.people import Patient
from gateway.sample.studies import Study

Values = Mapping[str, Any]
"""Keyword to value; a sequence is a tuple of these, an empty value is an attribute without one."""

MAKER = "qido-gateway"


@dataclass(frozen=True, slots=True)
class Instance:
    """The attributes that only this instance has; `compressed` ones are stored as RLE Lossless."""

    values: Values
    compressed: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where instances are made: the archive's seed, the patient, the study and the series."""

    seed: int
    patient: Patient
    study: Study
    number: int
    recipe: str

    def uid(self, *names: object) -> str:
        """A UID within the series."""
        return uid(self.seed, self.study.name, self.number, *names)

    @property
    def study_uid(self) -> str:
        """The StudyInstanceUID."""
        return uid(self.seed, self.study.name)

    @property
    def frame_of_reference_uid(self) -> str:
        """The study's: its series lie upon each other."""
        return uid(self.seed, self.study.name, "frame of reference")


def code(value: str, scheme: str, meaning: str) -> tuple[Values]:
    """A code sequence of one item."""
    return ({"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning},)


def study_values(place: Place) -> Values:
    """The modules Patient, General Study and Patient Study."""
    patient, study = place.patient, place.study
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientName": patient.name,
        "PatientID": patient.id,
        "PatientBirthDate": patient.born,
        "PatientSex": patient.sex,
        "PatientAge": f"{_age(patient.born, study.date):03}Y",
        "PatientWeight": patient.weight_kg,
        "PatientComments": "Invented: nobody of this name was ever examined",
        "StudyInstanceUID": place.study_uid,
        "StudyID": study.accession[1:7],
        "StudyDate": study.date,
        "StudyTime": study.time,
        "AccessionNumber": study.accession,
        "StudyDescription": study.description,
        "ReferringPhysicianName": study.referring,
    }


def series_values(place: Place, modality: str, description: str, body_part: str) -> Values:
    """The modules General Series and General Equipment."""
    return {
        "Modality": modality,
        "SeriesInstanceUID": place.uid(),
        "SeriesNumber": place.number,
        "SeriesDate": place.study.date,
        "SeriesTime": later(place.study.time, 60 * place.number),
        "SeriesDescription": description,
        **({"BodyPartExamined": body_part} if body_part else {}),
        "Manufacturer": MAKER,
        "ManufacturerModelName": "sample archive",
        "InstitutionName": "Hospital of Nowhere",
        "StationName": f"SAMPLE{modality}",
        "DeviceSerialNumber": "1",
        "SoftwareVersions": "1",
    }


def moment(place: Place, seconds: int) -> Values:
    """When an instance was acquired: so long after its series began."""
    time = later(place.study.time, 60 * place.number + seconds)
    date = place.study.date
    return {
        "AcquisitionDate": date,
        "AcquisitionTime": time,
        "ContentDate": date,
        "ContentTime": time,
    }


def later(time: str, seconds: int) -> str:
    """`HHMMSS` so many seconds later; no study of the archive goes past midnight."""
    total = int(time[:2]) * 3600 + int(time[2:4]) * 60 + int(time[4:]) + seconds
    return f"{total // 3600:02}{total // 60 % 60:02}{total % 60:02}"


def _age(born: str, date: str) -> int:
    return int(date[:4]) - int(born[:4]) - (date[4:] < born[4:])
