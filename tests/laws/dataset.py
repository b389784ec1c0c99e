"""One fixed archive of 300 image sets, and fixed questions for every switch's position."""

from __future__ import annotations

import random
from typing import Any

from tests.laws.archive import (
    ACCESSIONS,
    DAYS,
    DESCRIPTIONS,
    NAMES,
    PATIENTS,
    STUDY_IDS,
    TIMES,
)
from tests.laws.blobs import metadata_of
from tests.laws.oracle import Criterion, Question, Summary

SIZE = 300


def image_sets() -> list[Summary]:
    """The archive: regular studies, undated and legacy ones, odd times, pads, conflicts, splits."""
    chance = random.Random(20200101)
    days = (*DAYS, *DAYS, *DAYS, "", "2020.01.02", "20200230")
    times = (*TIMES, *TIMES, "", "10:15:30", "noon")
    sets: list[dict[str, Any]] = []
    number = 0
    while len(sets) < SIZE:
        study = _study(chance, number, days, times)
        for series in range(min(chance.choice((1, 1, 2, 3, 5)), SIZE - len(sets))):
            tags = {**study, **_series(chance, number, series)}
            parts = 2 if chance.random() < 0.05 and len(sets) + 1 < SIZE else 1
            for part in range(parts):  # a series that was split: parts of different sizes
                own = {"DICOMNumberOfStudyRelatedInstances": 10 * (part + 1) + series}
                sets.append({"DICOMTags": {**tags, **own}, "isPrimary": True})
        if chance.random() < 0.1 and len(sets) < SIZE:
            other = _study(chance, number, days, times)
            conflicting = {**other, **_series(chance, number, 9)}
            sets.append({"DICOMTags": conflicting, "isPrimary": False})
        number += 1
    chance.shuffle(sets)
    return [
        {
            "imageSetId": f"{i:032x}",
            "version": 1,
            "createdAt": 1.6e9 + i,
            "updatedAt": 1.7e9 + i,
            **s,
            "metadata": metadata_of(random.Random(i), s["DICOMTags"]),
        }
        for i, s in enumerate(sets)
    ]


def _study(
    chance: random.Random, number: int, days: tuple[str, ...], times: tuple[str, ...]
) -> dict[str, Any]:
    tags = {
        "DICOMStudyInstanceUID": f"1.2.{number}",
        "DICOMStudyDate": chance.choice(days),
        "DICOMStudyTime": chance.choice(times),
        "DICOMPatientName": chance.choice(NAMES),
        "DICOMPatientId": chance.choice(PATIENTS),
        "DICOMAccessionNumber": chance.choice(ACCESSIONS),
        "DICOMStudyId": chance.choice(STUDY_IDS),
        "DICOMStudyDescription": chance.choice(DESCRIPTIONS),
    }
    texts = ("DICOMPatientId", "DICOMAccessionNumber", "DICOMStudyId", "DICOMStudyDescription")
    for name in texts:
        if len(tags[name]) % 2 and chance.random() < 0.5:
            tags[name] += " "
    return {name: value for name, value in tags.items() if value}


def _series(chance: random.Random, study: int, series: int) -> dict[str, Any]:
    return {
        "DICOMSeriesInstanceUID": f"1.2.{study}.{series}",
        "DICOMSeriesModality": chance.choice(("CT", "MR", "US")),
        "DICOMSeriesNumber": chance.choice((1, 2, 3, 10)),
        "DICOMNumberOfStudyRelatedSeries": 1,
        "DICOMNumberOfStudyRelatedInstances": 10 + series,
    }


_TEXT: tuple[Criterion, ...] = (
    ("PatientID", "is", "PAT1"),
    ("PatientID", "is", "pat1"),
    ("PatientID", "is", "A\\B"),
    ("PatientID", "is", "P%_1"),
    ("PatientID", "is", "NONE"),
    ("PatientID", "wild", "PAT?"),
    ("AccessionNumber", "is", "ACC1"),
    ("AccessionNumber", "wild", "ACC*"),
    ("AccessionNumber", "wild", "ACC?"),
    ("StudyID", "is", "1"),
    ("StudyID", "is", "S2"),
    ("PatientName", "is", "DOE^JANE"),
    ("PatientName", "wild", "*muller*"),
    ("PatientName", "wild", "山田*"),
    ("PatientName", "wild", "διον*"),
    ("StudyDescription", "is", "CT CHEST"),
    ("StudyDescription", "wild", "*100%*"),
    ("StudyDescription", "is", "LEFT"),
    ("StudyInstanceUID", "uids", ("1.2.7",)),
    ("StudyInstanceUID", "uids", ("1.2.3", "1.2.5", "1.2.9999")),
    ("NumberOfStudyRelatedSeries", "is", 3),
    ("ModalitiesInStudy", "any-of", ("US",)),
    ("ModalitiesInStudy", "any-of", ("CT", "MR")),
)
_DATES: tuple[Criterion, ...] = (
    ("StudyDate", "days", "20200101", "20200101"),
    ("StudyDate", "days", "20200101", "20200229"),
    ("StudyDate", "days", None, "20200102"),
    ("StudyDate", "days", "20200301", None),
    ("StudyDate", "days", "20200229", "20200229"),
    ("StudyDate", "days", "20220101", "20221231"),
    ("StudyTime", "times", "09", "1015"),
    ("StudyDate", "both", ("20200101", "0930"), ("20200228", "1015")),
    ("StudyDate", "both", ("20200229", "10"), None),
    ("StudyDate", "both", None, ("20200102", "09")),
)


_BEHAVIOURS: tuple[Criterion, ...] = (
    ("PatientName", "fuzzy", "jan do"),
    ("PatientName", "fuzzy", "jorg mull"),
    ("PatientName", "fuzzy", "maria, de la"),
    ("StudyDate", "empty"),
    ("AccessionNumber", "empty"),
    ("StudyDescription", "all-of", ("LEFT",), ("KNEE",)),
    ("ModalitiesInStudy", "all-of", ("CT",), ("MR", "US")),
)


def questions() -> list[Question]:
    """Seventy-four questions about what summaries tell."""
    asked = [Question(), Question("series")]
    asked += [Question(criteria=(one,)) for one in (*_TEXT, *_DATES, *_BEHAVIOURS)]
    pairs = [(_TEXT[i], _DATES[j]) for i, j in ((0, 0), (0, 1), (1, 1), (2, 2), (6, 1), (9, 3))]
    asked += [Question(criteria=pair) for pair in pairs]
    asked += [Question(criteria=(_TEXT[i], _DATES[7])) for i in (0, 7, 11)]
    asked += [Question("study-series", (), f"1.2.{n}") for n in (0, 1, 7, 9999)]
    asked += [
        Question("study-series", (("Modality", "any-of", ("CT",)),), "1.2.7"),
        Question("study-series", (("SeriesInstanceUID", "uids", ("1.2.7.0",)),), "1.2.7"),
        Question("study-series", (_TEXT[0],), "1.2.7"),
        Question("series", (("Modality", "any-of", ("MR",)), _DATES[1])),
        Question("series", (("SeriesInstanceUID", "uids", ("1.2.7.0", "1.2.8.0")),)),
        Question("series", (("SeriesInstanceUID", "uids", ("1.2.7.0",)), _TEXT[21])),
        Question("series", (("SeriesNumber", "is", 10), _TEXT[0])),
        Question("series", (_DATES[7],)),
        Question("series", (_TEXT[13],)),
        Question("series", (_TEXT[22], _DATES[4])),
    ]
    asked += [Question(criteria=(_TEXT[i], _TEXT[11], _DATES[3])) for i in (5, 7)]
    asked += [Question(criteria=(_BEHAVIOURS[4], _BEHAVIOURS[6], _DATES[3]))]
    recent: Criterion = ("updatedAt", "arrived", 1_700_000_250, None)
    early: Criterion = ("createdAt", "arrived", 1_600_000_010, 1_600_000_040)
    asked += [
        Question(criteria=(recent,), orderby=("-updatedAt",)),
        Question(criteria=(recent, _TEXT[0])),
        Question(criteria=(early, _DATES[1]), orderby=("PatientName", "-StudyTime")),
        Question("series", (early,), orderby=("Modality", "createdAt")),
        Question("series", (("SeriesInstanceUID", "uids", ("1.2.7.0", "1.2.8.0")), recent)),
        Question(orderby=("StudyTime",)),
    ]
    return asked


_STEP: Criterion = (
    "RequestAttributesSequence",
    "items",
    (("ScheduledProcedureStepID", "is", "S1"), ("RequestedProcedureID", "is", "R2")),
)
_DETAILS: tuple[Criterion, ...] = (
    ("SeriesDescription", "wild", "T1*"),
    ("StationName", "empty"),
    ("SeriesDate", "both", ("20200101", "0930"), ("20200102", "1200")),
    ("NumberOfSeriesRelatedInstances", "is", 3),
    ("ReferringPhysicianName", "wild", "m?ller*"),
)
_OF_INSTANCES: tuple[Criterion, ...] = (
    ("ImageType", "all-of", ("AXIAL",), ("ORIGINAL",)),
    ("AcquisitionDateTime", "instants", "20200101111530+0100", "2020010110"),
    ("SliceThickness", "is", "2.50"),
    ("InstanceNumber", "is", 2),
    ("SOPInstanceUID", "uids", ("1.2.28.1.2", "1.2.28.3.5", "1.2.28.1.8")),
    ("ReferencedImageSequence", "items", (("ReferencedSOPInstanceUID", "uids", ("1.2.28.1.2",)),)),
    ("AcquisitionDate", "days", None, "20200101"),
    ("Rows", "is", 512),
)
SPLIT_STUDY, SPLIT_SERIES = "1.2.28", "1.2.28.1"
"""A study of which two series are parted over image sets that have instances in common."""


def detailed_questions() -> list[Question]:
    """Twenty-four questions about what only metadata tells."""
    study, series = SPLIT_STUDY, SPLIT_SERIES
    asked = [Question("study-series", (one,), study) for one in _DETAILS[:4]]
    asked += [
        Question("study-series", (), study, ("SeriesDescription", "RequestAttributesSequence")),
        Question("study-series", (), study, ("NumberOfSeriesRelatedInstances", "StationName")),
        Question("series", (_STEP, _TEXT[0], _DATES[2])),
        Question("series", (_DETAILS[0], _DATES[4]), orderby=("-SeriesTime", "Modality")),
        Question("series", (_DETAILS[3], _TEXT[6], _DATES[0]), includefield=("StationName",)),
        Question("series", (_DETAILS[4], _DATES[0])),
        Question(criteria=(_DETAILS[4], _TEXT[1])),
        Question(
            criteria=(_DATES[4],),
            includefield=("ReferringPhysicianName",),
            orderby=("ReferringPhysicianName",),
        ),
    ]
    asked += [Question("study-instances", (one,), study) for one in _OF_INSTANCES[3:6]]
    asked += [
        Question("study-instances", (), study, orderby=("-Rows", "SliceThickness")),
        Question("study-instances", (), "1.2.9999"),
        Question("series-instances", (), study, ("all",), series_uid=series),
        Question("series-instances", (_OF_INSTANCES[7],), study, ("ImageType",), (), series),
        Question("instances", (_TEXT[2], _DATES[3])),
        Question("instances", (_OF_INSTANCES[0], _TEXT[6], _DATES[0])),
        Question("instances", (_OF_INSTANCES[1], _DATES[4]), orderby=("-AcquisitionDateTime",)),
        Question("instances", (_OF_INSTANCES[2], _DETAILS[0], _TEXT[7], _DATES[4])),
        Question("instances", (_OF_INSTANCES[6], _TEXT[1], _DATES[3])),
    ]
    return asked
