"""The studies, series and instances of the data sets, read as plainly as can be.

Nothing of the gateway's is used. A series has its study's attributes too, an instance those of
both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.multival import MultiValue

Record = Mapping[str, tuple[Any, ...]]
"""A study, series, instance or item: keyword to values. An attribute without a value is ()."""

STUDY = (
    *("StudyDate", "StudyTime", "AccessionNumber", "StudyDescription", "PatientName"),
    *("PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID"),
    "ReferringPhysicianName",
)
SERIES = (
    *("Modality", "BodyPartExamined", "SeriesInstanceUID", "SeriesNumber"),
    *("SeriesDescription", "SeriesDate", "SeriesTime", "StationName", "ProtocolName"),
    *("OperatorsName", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
    "RequestAttributesSequence",
)
INSTANCE = (
    *("SOPInstanceUID", "SOPClassUID", "InstanceNumber", "ImageType", "SliceThickness", "Rows"),
    *("Columns", "NumberOfFrames", "ImageComments", "ContentDate", "ContentTime"),
    *("AcquisitionNumber", "AcquisitionDate", "AcquisitionTime"),
)


def studies_of(datasets: Iterable[pydicom.Dataset]) -> list[dict[str, tuple[Any, ...]]]:
    """Every study of the files."""
    return [
        {
            **{keyword: values(instances[0], keyword) for keyword in STUDY},
            "ModalitiesInStudy": tuple(sorted({str(one.Modality) for one in instances})),
            "NumberOfStudyRelatedSeries": (len({one.SeriesInstanceUID for one in instances}),),
            "NumberOfStudyRelatedInstances": (len(instances),),
        }
        for instances in _grouped(datasets, "StudyInstanceUID")
    ]


def series_of(datasets: Sequence[pydicom.Dataset]) -> list[dict[str, tuple[Any, ...]]]:
    """Every series of the files, with what its study has."""
    studies = {study["StudyInstanceUID"]: study for study in studies_of(datasets)}
    return [
        {
            **studies[values(instances[0], "StudyInstanceUID")],
            **{keyword: values(instances[0], keyword) for keyword in SERIES},
            "NumberOfSeriesRelatedInstances": (len(instances),),
        }
        for instances in _grouped(datasets, "SeriesInstanceUID")
    ]


def instances_of(datasets: Sequence[pydicom.Dataset]) -> list[dict[str, tuple[Any, ...]]]:
    """Every instance of the files, with what its study and series have."""
    series = {one["SeriesInstanceUID"]: one for one in series_of(datasets)}
    return [
        {
            **series[values(dataset, "SeriesInstanceUID")],
            **{keyword: values(dataset, keyword) for keyword in INSTANCE},
        }
        for dataset in datasets
    ]


def _grouped(datasets: Iterable[pydicom.Dataset], keyword: str) -> list[list[pydicom.Dataset]]:
    groups: dict[str, list[pydicom.Dataset]] = {}
    for dataset in datasets:
        groups.setdefault(dataset[keyword].value, []).append(dataset)
    return list(groups.values())


def values(dataset: pydicom.Dataset, keyword: str) -> tuple[Any, ...]:
    """The values of an attribute without padding; of a sequence its items, all they have."""
    stored = dataset.get(keyword)
    if stored is None or stored == "":
        return ()
    match dictionary_VR(keyword):
        case "SQ":
            return tuple(_item(item) for item in stored)
        case "IS" | "US":
            return (int(stored),)
        case "DS":
            return (float(stored),)
    many = stored if isinstance(stored, MultiValue) else [stored]
    return tuple(text for text in (str(value).strip() for value in many) if text)


def _item(item: pydicom.Dataset) -> dict[str, tuple[Any, ...]]:
    """The attributes of an item that have a value."""
    there = {element.keyword: values(item, element.keyword) for element in item}
    return {keyword: texts for keyword, texts in there.items() if texts}
