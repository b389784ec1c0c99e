"""The image sets that the documents' examples search, and what each search must find.

The searches are the examples for AWS's command line, for JavaScript and for Python (boto3). Those
for Java and C++ are left out: they ask nothing that these do not, and would need two more tool
chains. All patients are invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

DATASTORE_ID = "12345678901234567890123456789012"
PATIENT, PATIENT_JS = "SUBJECT08701", "1234567"
SERIES = "1.2.840.99999999.84710745.943275268089"
SERIES_JS = "1.1.123.123456.1.12.1.1234567890.1234.12345678.123"

Criteria = Mapping[str, Any]

_CREATED = (
    "1985-04-12T23:20:50.519Z",  # too early
    "1985-04-12T23:20:50.52Z",  # the lower bound itself
    "2022-04-12T23:20:50Z",
    "2022-04-12T23:20:50.520Z",  # the upper bound itself
    "2022-04-12T23:20:50.521Z",  # too late
    "2099-01-01T00:00:00Z",  # later than any test runs
)
_UPDATED = (
    "2024-03-11T22:20:00.250Z",
    "2024-03-11T22:00:05.073Z",  # too early
    "2024-03-11T23:00:05Z",
    "2024-03-11T23:00:05.074Z",  # the upper bound itself
    "2024-03-11T22:00:05.074Z",  # the lower bound itself
    "2024-03-11T23:00:05.075Z",  # too late
    "2024-03-11T22:59:59.999Z",
    "2024-03-11T15:30:00Z",  # within, but for the zone
)
_UPDATED_JS = (
    "2019-05-05T05:05:05Z",
    "1985-04-12T23:20:50.519Z",  # too early
    "2023-09-19T16:59:40.551Z",
    "1985-04-12T23:20:50.520Z",  # the lower bound itself
    "2099-01-02T00:00:00Z",  # later than any test runs
)
_STUDY_DATES: Sequence[Mapping[str, str]] = (
    {"DICOMStudyDate": "19891231", "DICOMStudyTime": "235959"},  # too early
    {"DICOMStudyDate": "19900101", "DICOMStudyTime": "000000"},  # the lower bound itself
    {"DICOMStudyDate": "20230101", "DICOMStudyTime": "000000"},  # the upper bound itself
    {"DICOMStudyDate": "20230101", "DICOMStudyTime": "000001"},  # too late
    {"DICOMStudyDate": "20230901", "DICOMStudyTime": "000000"},  # JavaScript's upper bound
    {"DICOMStudyDate": "20230901", "DICOMStudyTime": "000001"},  # too late for it
    {},
)
_PATIENTS = ("SUBJECT0870", "SUBJECT087010", "subject08701", "12345678", "123456")


def _rows() -> list[dict[str, Any]]:
    """What the image sets differ in: tags, or times where the name begins in lower case."""
    of_patients = [
        {
            "DICOMPatientId": patient,
            "DICOMStudyDate": f"{1985 + n % 45}0615",
            "createdAt": f"{1980 + n % 45}-08-10T01:02:03.456Z",
        }
        for patient, number in ((PATIENT, 130), (PATIENT_JS, 110))
        for n in range(number)
    ]
    return [
        *of_patients,
        *({"DICOMPatientId": patient} for patient in _PATIENTS),
        *({"DICOMStudyDate": None, "DICOMStudyTime": None, **tags} for tags in _STUDY_DATES),
        *({"createdAt": created} for created in _CREATED),
        *({"DICOMSeriesInstanceUID": SERIES, "updatedAt": at} for at in _UPDATED),
        *({"DICOMSeriesInstanceUID": SERIES_JS, "updatedAt": at} for at in _UPDATED_JS),
        # Another series within the time of the example
        {"DICOMSeriesInstanceUID": f"{SERIES}.1", "updatedAt": "2024-03-11T22:30:00Z"},
        {"DICOMSeriesInstanceUID": SERIES[:-1], "updatedAt": "2024-03-11T22:31:00Z"},
    ]


def _seed(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    tags = {
        "DICOMPatientId": f"OTHER{number}",
        "DICOMPatientName": "DOE^JANE",
        "DICOMPatientBirthDate": "19201120",
        "DICOMPatientSex": "F",
        "DICOMStudyInstanceUID": f"1.2.826.{number}",
        "DICOMStudyId": "2011201407",
        "DICOMStudyDescription": "UNKNOWN",
        "DICOMStudyDate": "19800101",
        "DICOMStudyTime": "140728",
        "DICOMSeriesInstanceUID": f"1.2.826.{number}.1",
        "DICOMNumberOfStudyRelatedSeries": 1,
        "DICOMNumberOfStudyRelatedInstances": 1,
        **{name: value for name, value in row.items() if name.startswith("DICOM")},
    }
    return {
        "imageSetId": f"{number:032}",
        "version": 1 + number % 3,
        "createdAt": row.get("createdAt", "2023-05-05T00:00:00Z"),
        # All differ, in an order that is not the one of the file
        "updatedAt": row.get("updatedAt", 1_600_000_000 + number * 7919 % 1009 * 60 + 0.125),
        "DICOMTags": {name: value for name, value in tags.items() if value is not None},
    }


SEEDS: Sequence[Mapping[str, Any]] = tuple(_seed(n, row) for n, row in enumerate(_rows()))
"""The lines of the emulator's seed."""

_BY_ID = {seed["imageSetId"]: seed for seed in SEEDS}


def expected(criteria: Criteria) -> list[str]:
    """The imageSetIds that the documents promise, in the order that they promise."""
    found = [s for s in SEEDS if all(_matches(s, f) for f in criteria.get("filters", ()))]
    sort = criteria.get("sort", {"sortField": "updatedAt", "sortOrder": "DESC"})
    assert "updatedAt" == sort["sortField"], "the examples have no other"
    found.sort(key=lambda s: seconds(s["updatedAt"]), reverse=sort["sortOrder"] == "DESC")
    return [seed["imageSetId"] for seed in found]


def _matches(seed: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    ((name, _),) = condition["values"][0].items()
    has = _comparable(name, seed if name in seed else seed["DICOMTags"])
    wanted = [_comparable(name, value) for value in condition["values"]]
    if has is None:
        return False
    if condition["operator"] == "EQUAL":
        return bool([has] == wanted)
    lower, upper = wanted
    return bool(lower <= has <= upper)


def _comparable(name: str, holder: Mapping[str, Any]) -> Any:
    """The value of that name as what it is compared by, None where there is none."""
    if name in ("createdAt", "updatedAt"):
        return seconds(holder[name])
    if name == "DICOMStudyDateAndTime":
        both = holder.get(name, holder)
        return both["DICOMStudyDate"] + both["DICOMStudyTime"] if "DICOMStudyDate" in both else None
    return holder.get(name)


def seconds(at: float | str | datetime) -> float:
    """A time of a document, a client or a seed in seconds since 1970, to the thousandth."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    # A time without a zone is local time: so does boto3 take it
    return round(at.timestamp() if isinstance(at, datetime) else at, 3)


def assert_answer(criteria: Criteria, answer: Sequence[Mapping[str, Any]]) -> None:
    """The answer is what was promised: each image set, its order, tags, version and times."""
    ids = expected(criteria)
    assert ids == [one["imageSetId"] for one in answer]
    for one in answer:
        seed = _BY_ID[one["imageSetId"]]
        assert (seed["version"], seed["DICOMTags"]) == (one["version"], one["DICOMTags"])
        for name in ("createdAt", "updatedAt"):
            assert seconds(seed[name]) == seconds(one[name])


def assert_example(criteria: Criteria, answer: Sequence[Mapping[str, Any]]) -> None:
    """It is what was promised, and neither nothing nor all."""
    assert_answer(criteria, answer)
    assert 0 < len(answer) < len(SEEDS)
