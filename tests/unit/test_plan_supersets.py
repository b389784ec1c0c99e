"""What a plan asks for: never less than its criterion under any reading of the upstream."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from gateway.qido.attributes import Resource
from gateway.qido.query import parse_query
from gateway.search.plan import (
    CreatedBetween,
    Equal,
    Plan,
    SearchOptions,
    SearchPlan,
    Sort,
    StudyDateBetween,
    completion,
    ladder,
    plan,
)
from tests.unit.tables import named

STUDIES, STUDY_SERIES, ALL_SERIES = Resource.STUDIES, Resource.STUDY_SERIES, Resource.ALL_SERIES
PATIENT, ACCESSION, STUDY_ID = "DICOMPatientId", "DICOMAccessionNumber", "DICOMStudyId"
STUDY, SERIES = "DICOMStudyInstanceUID", "DICOMSeriesInstanceUID"
BEGIN, END = ("00010101", "000000"), ("99991231", "235959.999999")


def planned(text: str, resource: Resource = STUDIES, **options: Any) -> SearchPlan:
    """The plan of a query string."""
    uid = "1.2" if resource is STUDY_SERIES else None
    return plan(parse_query(resource, text.encode(), study_uid=uid), SearchOptions(**options))


def between(first: str, last: str) -> StudyDateBetween:
    """From the last second of the day `first` to the end of the first second of the day `last`."""
    return StudyDateBetween((first, "235959"), (last, "000000.999999"))


@pytest.mark.parametrize(
    ("text", "expected"),
    named({
        "a day": ("StudyDate=20200115", between("20200114", "20200116")),
        "the end of a month": ("StudyDate=20200430", between("20200429", "20200501")),
        "the beginning of a month": ("StudyDate=20200501", between("20200430", "20200502")),
        "the beginning of a year": ("StudyDate=20200101", between("20191231", "20200102")),
        "the end of a year": ("StudyDate=20191231", between("20191230", "20200101")),
        "a leap day": ("StudyDate=20200229", between("20200228", "20200301")),
        "before a leap day": ("StudyDate=20200228", between("20200227", "20200229")),
        "behind a leap day": ("StudyDate=20200301", between("20200229", "20200302")),
        "no leap day in 2100": ("StudyDate=21000228", between("21000227", "21000301")),
        "a leap day in 2000": ("StudyDate=20000228-20000301", between("20000227", "20000302")),
        "a range": ("StudyDate=20200101-20200131", between("20191231", "20200201")),
        "a year of three digits": ("StudyDate=09991231", between("09991230", "10000101")),
        "from": ("StudyDate=20200101-", StudyDateBetween(("20191231", "235959"), END)),
        "until": ("StudyDate=-20200131", StudyDateBetween(BEGIN, ("20200201", "000000.999999"))),
        "the first day": ("StudyDate=00010101", StudyDateBetween(BEGIN,
            ("00010102", "000000.999999"))),
        "the second day": ("StudyDate=00010102", between("00010101", "00010103")),
        "the last day": ("StudyDate=99991231", StudyDateBetween(("99991230", "235959"), END)),
        "the day before the last": ("StudyDate=99991230", between("99991229", "99991231")),
        "all days": ("StudyDate=00010101-99991231", StudyDateBetween(BEGIN, END)),
        "with times, both closed": ("StudyDate=20200101-20200131&StudyTime=10-12",
            between("20191231", "20200201")),
        "with times, over midnight": ("StudyDate=20200101-20200102&StudyTime=22-06",
            between("20191231", "20200103")),
        "with times to the end of the day": ("StudyDate=20200101-20200102&StudyTime=00-235959.9",
            between("20191231", "20200103")),
        "with times, both from": ("StudyDate=20200101-&StudyTime=10-",
            StudyDateBetween(("20191231", "235959"), END)),
        "with times, both until": ("StudyDate=-20200131&StudyTime=-10",
            StudyDateBetween(BEGIN, ("20200201", "000000.999999"))),
        "with times of another form": ("StudyDate=20200101-&StudyTime=-10",
            StudyDateBetween(("20191231", "235959"), END)),
        "with a time": ("StudyDate=20200101&StudyTime=10", between("20191231", "20200102")),
        "the first day, with times": ("StudyDate=00010101-00010101&StudyTime=00-01",
            StudyDateBetween(BEGIN, ("00010102", "000000.999999"))),
        "the last day, with times": ("StudyDate=99991231-99991231&StudyTime=22-23",
            StudyDateBetween(("99991230", "235959"), END)),
    }),
)  # fmt: skip
def test_study_dates_are_widened(text: str, expected: StudyDateBetween) -> None:
    """Whole days and a second at both ends; open ends are the first and the last date."""
    assert SearchPlan((Plan((expected,)),), dated_only=True) == planned(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "StudyTime=10", "StudyTime=10-12", "PatientBirthDate=19700101", "StudyDate=",
        "PatientName=DOE%5EJANE", "PatientName=DOE*", "StudyDescription=HEAD", "PatientSex=F",
        "ModalitiesInStudy=CT", "NumberOfStudyRelatedSeries=1", "NumberOfStudyRelatedInstances=1",
        "PatientID=", "PatientID=*", "PatientID=P*", "PatientID=P?", "PatientID=++",
        "AccessionNumber=*A*", "StudyID=1?", "StudyInstanceUID=", "PatientID=" + "A" * 513,
        "AccessionNumber=" + "A" * 1024, "Foo=1", "SeriesInstanceUID=1.2", "limit=1&offset=2",
        "includefield=all", "fuzzymatching=true&PatientName=DOE",
        "StudyDate=%22%22&emptyvaluematching=true", "PatientID=%22%22&emptyvaluematching=true",
        "AccessionNumber=%22%22&emptyvaluematching=true", "emptyvaluematching=true&StudyID=%22%22",
        "StudyInstanceUID=%22%22&emptyvaluematching=true",
        "StudyDate=%22%22&StudyTime=10-12&emptyvaluematching=true",
        "ModalitiesInStudy=CT%5CPT&multiplevaluematching=true",
        "StudyDescription=A%5CB&multiplevaluematching=true",
    ],
)  # fmt: skip
def test_what_is_never_pushed(text: str) -> None:
    """Names, wild cards, what is derived, too long, empty or ignored leave the walk as wide."""
    assert SearchPlan((Plan(),)) == planned(text)


@pytest.mark.parametrize(
    ("text", "filters", "dated_only"),
    named({
        "the undated of a patient": ("PatientID=P1&StudyDate=%22%22", (Equal(PATIENT, "P1"),),
            False),
        "no accession number, of a patient": ("PatientID=P1&AccessionNumber=%22%22",
            (Equal(PATIENT, "P1"),), False),
        "no patient, on a day": ("PatientID=%22%22&StudyDate=20200115",
            (between("20200114", "20200116"),), True),
        "no time, in a range of days": ("StudyTime=%22%22&StudyDate=20200115-20200116",
            (between("20200114", "20200117"),), True),
    }),
)  # fmt: skip
def test_a_key_for_no_value_is_not_pushed(text: str, filters: Any, dated_only: bool) -> None:
    """No filter finds what has no value, and a search for the undated reads all of them."""
    found = planned(f"{text}&emptyvaluematching=true")
    assert SearchPlan((Plan(filters),), dated_only=dated_only) == found


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (ALL_SERIES, "Modality=CT"), (ALL_SERIES, "SeriesNumber=1"),
        (ALL_SERIES, "BodyPartExamined=HEAD"), (ALL_SERIES, "Modality=CT&SeriesNumber=1"),
    ],
)  # fmt: skip
def test_no_key_of_the_series_narrows_a_scan(resource: Resource, text: str) -> None:
    """What would find only some image sets of a study is left to matching."""
    assert SearchPlan((Plan(),)) == planned(text, resource)


EQUALS = {
    "PatientID": ("PatientID=P1", Equal(PATIENT, "P1")),
    "AccessionNumber": ("AccessionNumber=A1", Equal(ACCESSION, "A1")),
    "StudyID": ("StudyID=S1", Equal(STUDY_ID, "S1")),
    "AccessionNumber before PatientID": ("PatientID=P1&AccessionNumber=A1", Equal(ACCESSION, "A1")),
    "PatientID before StudyID": ("StudyID=S1&PatientID=P1", Equal(PATIENT, "P1")),
    "one with a wild card gives way": ("AccessionNumber=A*&PatientID=P1", Equal(PATIENT, "P1")),
    "one too long gives way": (f"AccessionNumber={'A' * 600}&StudyID=S1", Equal(STUDY_ID, "S1")),
    "trimmed": ("PatientID=+P1+", Equal(PATIENT, "P1")),
    "a backslash is no delimiter": ("PatientID=A%5CB", Equal(PATIENT, "A\\B")),
    "a comma is no list": ("PatientID=A,B", Equal(PATIENT, "A,B")),
    "other letters": ("PatientID=%E5%B1%B1", Equal(PATIENT, "山")),
    "511 characters": ("PatientID=" + "A" * 511, Equal(PATIENT, "A" * 511)),
}


@pytest.mark.parametrize(("text", "equal"), named(EQUALS))
def test_one_equal_and_one_range(text: str, equal: Equal) -> None:
    """EQUAL on the most selective text key, with a date range or without, sorted by date."""
    assert SearchPlan((Plan((equal,)),)) == planned(text)
    pair = Plan((equal, between("20191231", "20200102")))
    assert SearchPlan((pair,), dated_only=True) == planned(f"{text}&StudyDate=20200101")


@pytest.mark.parametrize(
    ("value", "spelled"),
    named({
        "one letter": ("A", ["A", "A "]), "even": ("AB", ["AB"]), "odd": ("ABC", ["ABC", "ABC "]),
        "odd in bytes alone": ("Ü2", ["Ü2", "Ü2 "]), "odd in letters alone": ("Ü", ["Ü", "Ü "]),
        "even in both": ("ÜÜ", ["ÜÜ"]), "three bytes": ("山", ["山", "山 "]),
        "511 characters": ("A" * 511, ["A" * 511, "A" * 511 + " "]),
        "a pad in the key": ("ABC ", ["ABC", "ABC "]),
    }),
)  # fmt: skip
@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber", "StudyID"])
def test_padding(keyword: str, value: str, spelled: list[str]) -> None:
    """Where stores may keep pads a text of odd length is asked with one as well, and not longer."""
    text = f"{keyword}={quote(value)}"
    lanes = planned(text, equal_padding="both").lanes
    assert spelled == [f.value for one in lanes for f in one.filters if isinstance(f, Equal)]
    assert all(len(s) <= 512 for s in spelled)
    assert 1 == len(planned(text).lanes)


def points(key: str, *uids: str) -> tuple[Plan, ...]:
    """A lane for each UID, alone and without a sort."""
    return tuple(Plan((Equal(key, uid),), Sort.DEFAULT) for uid in uids)


@pytest.mark.parametrize(
    ("resource", "text", "lanes", "completes_all"),
    named({
        "a study": (STUDIES, "StudyInstanceUID=1.2", points(STUDY, "1.2"), False),
        "a list": (STUDIES, "StudyInstanceUID=1.2,1.3", points(STUDY, "1.2", "1.3"), False),
        "a list by backslashes": (STUDIES, "StudyInstanceUID=1.2%5C%5C1.3",
            points(STUDY, "1.2", "1.3"), False),
        "no padding of UIDs": (STUDIES, "StudyInstanceUID=1.2.3", points(STUDY, "1.2.3"), False),
        "with keys beside it": (STUDIES, "StudyInstanceUID=1.2&PatientID=A&StudyDate=20200101",
            points(STUDY, "1.2"), False),
        "the path's": (STUDY_SERIES, "", points(STUDY, "1.2"), False),
        "the path's, and the same key": (STUDY_SERIES, "StudyInstanceUID=1.2", points(STUDY, "1.2"),
            False),
        "the path's, in a list": (STUDY_SERIES, "StudyInstanceUID=1.3,1.2", points(STUDY, "1.2"),
            False),
        "the path's, and another": (STUDY_SERIES, "StudyInstanceUID=1.3", (), False),
        "a series of the path's": (STUDY_SERIES, "SeriesInstanceUID=1.5", points(SERIES, "1.5"),
            False),
        "series of the path's": (STUDY_SERIES, "SeriesInstanceUID=1.5,1.6",
            points(SERIES, "1.5", "1.6"), False),
        "a series of the path's, and its modality": (STUDY_SERIES,
            "SeriesInstanceUID=1.5&Modality=CT", points(SERIES, "1.5"), False),
        "a series of the path's, and its study's date": (STUDY_SERIES,
            "SeriesInstanceUID=1.5&StudyDate=20200101", points(STUDY, "1.2"), False),
        "a series of the path's, and the study's counts": (STUDY_SERIES,
            "SeriesInstanceUID=1.5&includefield=NumberOfStudyRelatedSeries", points(STUDY, "1.2"),
            False),
        "a series of the path's, and the study's modalities": (STUDY_SERIES,
            "SeriesInstanceUID=1.5&ModalitiesInStudy=CT", points(STUDY, "1.2"), False),
        "a series of the path's, and all": (STUDY_SERIES, "SeriesInstanceUID=1.5&includefield=all",
            points(STUDY, "1.2"), False),
        "a series of another study": (STUDY_SERIES, "SeriesInstanceUID=1.5&StudyInstanceUID=1.3",
            (), False),
        "a series of any study": (ALL_SERIES, "SeriesInstanceUID=1.5", points(SERIES, "1.5"), True),
        "series of any study": (ALL_SERIES, "SeriesInstanceUID=1.5,1.6",
            points(SERIES, "1.5", "1.6"), True),
        "a series and a patient": (ALL_SERIES, "SeriesInstanceUID=1.5&PatientID=A",
            points(SERIES, "1.5"), True),
        "a series and its study": (ALL_SERIES, "SeriesInstanceUID=1.5&StudyInstanceUID=1.2",
            points(STUDY, "1.2"), False),
    }),
)  # fmt: skip
def test_point_lookups(
    resource: Resource, text: str, lanes: tuple[Plan, ...], completes_all: bool
) -> None:
    """UIDs are asked alone; a series' own find a part of its study, which is then completed."""
    for padding in ("trimmed", "both"):
        found = planned(text, resource, equal_padding=padding)
        assert lanes == found.lanes
        assert (completes_all, not completes_all) == (found.completes_all, found.sufficient)


def test_no_walk_has_more_filters_than_two_and_values_than_one() -> None:
    """SearchImageSets takes two filters at most, of different keys."""
    text = "PatientID=P&AccessionNumber=A&StudyID=S&StudyDate=20200101-&StudyTime=10-&PatientSex=F"
    (one,) = planned(text).lanes
    assert (
        "EQUAL DICOMAccessionNumber",
        "BETWEEN DICOMStudyDateAndTime",
        "STUDY_DATE",
    ) == one.shape


# --- the ladder -----------------------------------------------------------------------------------

RANGE = between("20191231", "20200102")
P = Equal(PATIENT, "P1")
D = Sort.DEFAULT
EVERYTHING = [Plan((CreatedBetween(),)), Plan((CreatedBetween(),), D)]


@pytest.mark.parametrize(
    ("top", "below"),
    named({
        "a pair": (Plan((P, RANGE)), [Plan((P,)), Plan((P,), D), Plan((RANGE,)), Plan((RANGE,), D),
            Plan(), Plan((), D), *EVERYTHING]),
        "EQUAL": (Plan((P,)), [Plan((P,), D), Plan(), Plan((), D), *EVERYTHING]),
        "BETWEEN": (Plan((RANGE,)), [Plan((RANGE,), D), Plan(), Plan((), D), *EVERYTHING]),
        "no filter": (Plan(), [Plan((), D), *EVERYTHING]),
        "a point": (completion("1.2"), [Plan((), D), EVERYTHING[1]]),
        "no filter and no sort": (Plan((), D), [EVERYTHING[1]]),
    }),
)  # fmt: skip
def test_rungs(top: Plan, below: list[Plan]) -> None:
    """A pair becomes EQUAL, BETWEEN, none; each in the sort, then in the default sort; once."""
    assert [top, *below] == list(ladder(top))


@pytest.mark.parametrize(
    ("top", "shape"),
    named({
        "a pair": (Plan((P, RANGE)),
            ("EQUAL DICOMPatientId", "BETWEEN DICOMStudyDateAndTime", "STUDY_DATE")),
        "another patient": (Plan((Equal(PATIENT, "P2"),)), ("EQUAL DICOMPatientId", "STUDY_DATE")),
        "a study": (completion("1.2"), ("EQUAL DICOMStudyInstanceUID", "DEFAULT")),
        "no filter": (Plan(), ("STUDY_DATE",)),
        "all by creation": (EVERYTHING[1], ("BETWEEN createdAt", "DEFAULT")),
    }),
)  # fmt: skip
def test_shapes(top: Plan, shape: tuple[str, ...]) -> None:
    """A shape is keys, operators and sort."""
    assert shape == top.shape


def test_values_do_not_show() -> None:
    """Neither a shape nor a repr of a plan holds a value."""
    text = "PatientID=SENTINEL&StudyDate=19870605-19870604".replace("0604", "0606")
    found = planned(text)
    shown = f"{found!r} {[one.shape for one in found.lanes]} {ladder(found.lanes[0])!r}"
    assert not any(value in shown for value in ("SENTINEL", "198706"))
