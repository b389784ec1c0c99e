"""From a DICOM data set to HealthImaging's metadata: patient, study, series and instance apart.

Keys are keywords, or eight hexadecimal digits where there is none; what the dictionary says of an
attribute is left out. Source: HealthImaging developer guide, "metadata normalization" (documented:
the levels, keywords, private tags with their VR); lists, nulls and padding as in a published blob
(observed); which attribute belongs to which level beyond the IODs' modules is assumed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VM, keyword_for_tag, repeater_has_tag
from pydicom.dataelem import DataElement
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.multival import MultiValue


def _keywords(text: str) -> frozenset[str]:
    return frozenset(text.split())


LEVEL_KEYWORDS: Mapping[str, frozenset[str]] = {
    # PS3.3 C.7.1.1 Patient, C.7.1.3 Clinical Trial Subject
    "Patient": _keywords(
        """PatientName PatientID IssuerOfPatientID TypeOfPatientID PatientBirthDate PatientBirthTime
        PatientSex QualityControlSubject OtherPatientIDs OtherPatientIDsSequence OtherPatientNames
        EthnicGroup PatientComments ReferencedPatientSequence PatientSpeciesDescription
        PatientSpeciesCodeSequence PatientBreedDescription PatientBreedCodeSequence
        BreedRegistrationSequence ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization
        PatientIdentityRemoved DeidentificationMethod DeidentificationMethodCodeSequence
        ClinicalTrialSponsorName ClinicalTrialProtocolID ClinicalTrialProtocolName
        ClinicalTrialSiteID ClinicalTrialSiteName ClinicalTrialSubjectID
        ClinicalTrialSubjectReadingID IssuerOfPatientIDQualifiersSequence"""
    ),
    # PS3.3 C.7.2.1 General Study, C.7.2.2 Patient Study, C.7.2.3 Clinical Trial Study
    "Study": _keywords(
        """StudyInstanceUID StudyDate StudyTime ReferringPhysicianName
        ReferringPhysicianIdentificationSequence ConsultingPhysicianName StudyID AccessionNumber
        IssuerOfAccessionNumberSequence StudyDescription PhysiciansOfRecord
        PhysiciansOfRecordIdentificationSequence NameOfPhysiciansReadingStudy
        PhysiciansReadingStudyIdentificationSequence RequestingServiceCodeSequence
        ReferencedStudySequence ProcedureCodeSequence ReasonForPerformedProcedureCodeSequence
        AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence PatientAge PatientSize
        PatientWeight PatientBodyMassIndex MedicalAlerts Allergies SmokingStatus PregnancyStatus
        LastMenstrualDate PatientState Occupation AdditionalPatientHistory AdmissionID
        ServiceEpisodeID ServiceEpisodeDescription PatientSexNeutered ClinicalTrialTimePointID
        ClinicalTrialTimePointDescription"""
    ),
    # PS3.3 C.7.3.1 General Series, C.7.3.2 Clinical Trial Series, C.7.5.1 General Equipment
    "Series": _keywords(
        """Modality SeriesInstanceUID SeriesNumber Laterality SeriesDate SeriesTime
        PerformingPhysicianName PerformingPhysicianIdentificationSequence ProtocolName
        SeriesDescription SeriesDescriptionCodeSequence OperatorsName OperatorIdentificationSequence
        ReferencedPerformedProcedureStepSequence RelatedSeriesSequence BodyPartExamined
        PatientPosition SmallestPixelValueInSeries LargestPixelValueInSeries
        RequestAttributesSequence PerformedProcedureStepID PerformedProcedureStepStartDate
        PerformedProcedureStepStartTime PerformedProcedureStepEndDate PerformedProcedureStepEndTime
        PerformedProcedureStepDescription PerformedProtocolCodeSequence
        CommentsOnThePerformedProcedureStep ClinicalTrialCoordinatingCenterName
        ClinicalTrialSeriesID ClinicalTrialSeriesDescription Manufacturer
        InstitutionName InstitutionAddress StationName InstitutionalDepartmentName
        ManufacturerModelName ManufacturerDeviceClassUID DeviceSerialNumber SoftwareVersions
        GantryID SpatialResolution DateOfLastCalibration TimeOfLastCalibration"""
    ),
}
"""Levels above the instance to the keywords that stand there, once for all instances."""

MOST_BINARY = 1_000_000
"""Bytes of a value that stand in the metadata; a longer one is left out (documented)."""

_BINARY = ("OB", "OW", "OF", "OD", "OL", "OV", "UN")
_PADDED = _keywords("AE AS CS DA DS DT IS LO LT PN SH ST TM UC UR UT")
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_HEX_TAG = re.compile(r"[0-9A-F]{8}")


@dataclass(frozen=True, slots=True)
class Normalised:
    """One instance's metadata: the levels above it by name, and its own part."""

    levels: Mapping[str, Mapping[str, Any]]
    instance: Mapping[str, Any]


def normalise(dataset: pydicom.FileDataset) -> Normalised:
    """The metadata of one data set; values that cannot be read are left out."""
    values, vrs = _attributes(_resolved(dataset))
    levels = {
        level: {k: v for k, v in values.items() if k in keywords}
        for level, keywords in LEVEL_KEYWORDS.items()
    }
    above = frozenset[str]().union(*LEVEL_KEYWORDS.values())
    meta, _ = _attributes(dataset.file_meta)
    own = {**meta, **{k: v for k, v in values.items() if k not in above}}
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    instance: dict[str, Any] = {"DICOM": own, "DICOMVRs": vrs}
    if syntax:
        instance["StoredTransferSyntaxUID"] = str(syntax)
    return Normalised(levels, instance)


def is_private(key: str) -> bool:
    """Whether a key of the metadata is a private tag."""
    return bool(_HEX_TAG.fullmatch(key)) and int(key[:4], 16) % 2 == 1


def _resolved(dataset: pydicom.Dataset) -> pydicom.Dataset:
    """With one VR where the dictionary leaves two, as PixelRepresentation and others decide."""
    try:
        _, is_little_endian = dataset.original_encoding
        return correct_ambiguous_vr(dataset, is_little_endian=is_little_endian is not False)
    except Exception:  # a damaged value: the rest can be read all the same
        return dataset


def _attributes(dataset: pydicom.Dataset) -> tuple[dict[str, Any], dict[str, str]]:
    """Key to value, and key to VR for those that the dictionary does not know."""
    values: dict[str, Any] = {}
    vrs: dict[str, str] = {}
    for element in _readable(dataset):
        keyword = keyword_for_tag(element.tag)
        if element.tag.element == 0 or keyword in _PIXELS:
            continue
        # The groups of a repeating group share their keyword
        known = keyword and not element.tag.is_private and not repeater_has_tag(element.tag)
        key = keyword if known else f"{element.tag:08X}"
        if element.VR in _BINARY and len(element.value or b"") > MOST_BINARY:
            continue
        if element.VR == "SQ":
            items = [_attributes(item) for item in element.value]
            values[key] = [item for item, _ in items] or None
            for _, inner in items:
                vrs |= inner
        else:
            values[key] = _value(element, single=not known or dictionary_VM(element.tag) == "1")
        if not known:
            vrs[key] = element.VR
    return values, vrs


def _readable(dataset: pydicom.Dataset) -> Iterator[DataElement]:
    for tag in sorted(dataset.keys()):
        try:
            yield dataset[tag]
        except Exception:  # noqa: S112 - pydicom raises what it likes at a damaged value
            continue


def _value(element: DataElement, *, single: bool) -> Any:
    value = element.value
    if value is None or value == "" or (not isinstance(value, int | float) and len(value) == 0):
        return None
    if element.VR in _BINARY or isinstance(value, bytes):
        return base64.b64encode(bytes(value)).decode()
    many = isinstance(value, MultiValue | list)
    parts = [_plain(element.VR, part) for part in (value if many else [value])]
    if element.VR in _PADDED:
        parts = _padded(parts)
    return parts[0] if single and not many else parts


def _plain(vr: str, part: Any) -> Any:
    if vr == "AT":
        return f"{int(part):08X}"
    return part if isinstance(part, int | float) and vr not in ("IS", "DS") else str(part)


def _padded(parts: Iterable[str]) -> list[str]:
    """Of even length together, as stored; what a text outside ASCII takes is not known."""
    texts = list(parts)
    whole = "\\".join(texts)
    if whole.isascii() and len(whole) % 2:
        texts[-1] += " "
    return texts
