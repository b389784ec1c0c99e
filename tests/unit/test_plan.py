"""The plan: what is pushed down, and the ladder below it."""

from __future__ import annotations

from typing import Any

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
    all_dated,
    completion,
    derived_criteria,
    ladder,
    needs_whole_studies,
    plan,
)

STUDIES, STUDY_SERIES, ALL_SERIES = Resource.STUDIES, Resource.STUDY_SERIES, Resource.ALL_SERIES
STUDY_INSTANCES = Resource.STUDY_INSTANCES
BOTH = SearchOptions(equal_padding="both")
PATIENT, STUDY, SERIES = "DICOMPatientId", "DICOMStudyInstanceUID", "DICOMSeriesInstanceUID"


def _plan(
    text: str, resource: Resource = STUDIES, options: SearchOptions | None = None
) -> SearchPlan:
    uid = "1.2" if resource is STUDY_SERIES else None
    return plan(parse_query(resource, text.encode(), study_uid=uid), options or SearchOptions())


def between(first: str, last: str) -> StudyDateBetween:
    """A range of whole days from the second before `first` to the second after `last`."""
    return StudyDateBetween((first, "235959"), (last, "000000.999999"))


JANUARY = between("20191231", "20200201")


@pytest.mark.parametrize(
    ("text", "filters", "dated_only"),
    [
        pytest.param("", (), False, id="nothing to push"),
        pytest.param("PatientName=DOE*", (), False, id="a name is never pushed"),
        pytest.param("ModalitiesInStudy=CT", (), False, id="nor what is derived"),
        pytest.param("StudyDate=20200101-20200131", (JANUARY,), True, id="days and a second"),
        pytest.param("StudyDate=20200301", (between("20200229", "20200302"),), True,
                     id="over the end of February"),
        pytest.param("StudyDate=20200101-", (StudyDateBetween(("20191231", "235959"),
                     ("99991231", "235959.999999")),), True, id="an open end"),
        pytest.param("StudyDate=-20200131", (StudyDateBetween(("00010101", "000000"),
                     ("20200201", "000000.999999")),), True, id="an open beginning"),
        pytest.param("StudyDate=00010101-99991231", (StudyDateBetween(("00010101", "000000"),
                     ("99991231", "235959.999999")),), True, id="all days there are"),
        pytest.param("StudyDate=20200101-20200131&StudyTime=10-11", (JANUARY,), True,
                     id="no time is pushed with its date"),
        pytest.param("StudyTime=10-11", (), False, id="nor without"),
        pytest.param("PatientBirthDate=20200101", (), False, id="nor another date"),
        pytest.param("PatientID=PAT1", (Equal(PATIENT, "PAT1"),), False, id="EQUAL"),
        pytest.param("PatientID=%20PAT1%20", (Equal(PATIENT, "PAT1"),), False, id="trimmed"),
        pytest.param("PatientID=A%5CB", (Equal(PATIENT, "A\\B"),), False, id="with a backslash"),
        pytest.param("PatientID=PAT*", (), False, id="no wild card"),
        pytest.param("PatientID=", (), False, id="no zero length"),
        pytest.param("PatientID=" + "A" * 511, (Equal(PATIENT, "A" * 511),), False, id="511"),
        pytest.param("PatientID=" + "A" * 512, (), False, id="no room for a pad"),
        pytest.param("StudyID=1&PatientID=PAT1&AccessionNumber=A",
                     (Equal("DICOMAccessionNumber", "A"),), False, id="accession number first"),
        pytest.param("StudyID=1&PatientID=PAT1", (Equal(PATIENT, "PAT1"),), False, id="patient"),
        pytest.param("StudyID=1", (Equal("DICOMStudyId", "1"),), False, id="then StudyID"),
        pytest.param("PatientID=PAT1&StudyDate=20200101-20200131",
                     (Equal(PATIENT, "PAT1"), JANUARY), True, id="a pair"),
    ],
)  # fmt: skip
def test_one_walk_by_date(text: str, filters: Any, dated_only: bool) -> None:
    """A filter narrows the walk where it is a superset of its criterion, and only there."""
    assert SearchPlan((Plan(filters),), dated_only=dated_only) == _plan(text)


def _points(key: str, *uids: str) -> tuple[Plan, ...]:
    return tuple(Plan((Equal(key, uid),), Sort.DEFAULT) for uid in uids)


@pytest.mark.parametrize(
    ("resource", "text", "expected"),
    [
        pytest.param(STUDIES, "StudyInstanceUID=1.2",
                     SearchPlan(_points(STUDY, "1.2"), sufficient=True), id="a study"),
        pytest.param(STUDIES, "StudyInstanceUID=1.2,1.3",
                     SearchPlan(_points(STUDY, "1.2", "1.3"), sufficient=True), id="a UID list"),
        pytest.param(STUDIES, "StudyInstanceUID=1.2&StudyDate=20200101&PatientID=A",
                     SearchPlan(_points(STUDY, "1.2"), sufficient=True), id="nothing beside it"),
        pytest.param(STUDY_SERIES, "", SearchPlan(_points(STUDY, "1.2"), sufficient=True),
                     id="the path's study"),
        pytest.param(STUDY_SERIES, "StudyInstanceUID=1.3", SearchPlan((), sufficient=True),
                     id="another study than the path's"),
        pytest.param(STUDY_SERIES, "SeriesInstanceUID=1.2.1",
                     SearchPlan(_points(SERIES, "1.2.1"), sufficient=True),
                     id="a series of it, nothing of the study asked"),
        pytest.param(STUDY_SERIES, "SeriesInstanceUID=1.2.1&includefield=PatientName",
                     SearchPlan(_points(STUDY, "1.2"), sufficient=True),
                     id="a series of it, and its study's patient"),
        pytest.param(STUDY_SERIES, "SeriesInstanceUID=1.2.1&StudyInstanceUID=1.3",
                     SearchPlan((), sufficient=True), id="a series of another study"),
        pytest.param(ALL_SERIES, "SeriesInstanceUID=1.2.1",
                     SearchPlan(_points(SERIES, "1.2.1"), completes_all=True),
                     id="a series: its study has to be completed"),
        pytest.param(ALL_SERIES, "SeriesInstanceUID=1.2.1&StudyInstanceUID=1.2",
                     SearchPlan(_points(STUDY, "1.2"), sufficient=True),
                     id="a series of a study: the study"),
        pytest.param(ALL_SERIES, "Modality=CT", SearchPlan((Plan(),)), id="a scan"),
    ],
)  # fmt: skip
def test_point_lookups(resource: Resource, text: str, expected: SearchPlan) -> None:
    """A UID is asked for alone, without a sort; a series never without its study."""
    assert expected == _plan(text, resource)


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("PAT", ["PAT", "PAT "]),
        ("PAT1", ["PAT1"]),
        ("PÄT", ["PÄT", "PÄT "]),
        ("PÄT1", ["PÄT1", "PÄT1 "]),
        ("山田", ["山田"]),
    ],
)
def test_both_spellings(value: str, spelled: list[str]) -> None:
    """Where pads may be kept, a text whose length is odd is asked for with its space as well."""
    lanes = _plan(f"PatientID={value}", options=BOTH).lanes
    assert [Plan((Equal(PATIENT, text),)) for text in spelled] == list(lanes)
    assert 1 == len(_plan(f"PatientID={value}").lanes)


D, S = Sort.DEFAULT, Sort.STUDY_DATE
CREATED = (CreatedBetween(),)
EQUAL = Equal(PATIENT, "A")


@pytest.mark.parametrize(
    ("top", "rungs"),
    [
        pytest.param(Plan(), [Plan(), Plan((), D), Plan(CREATED), Plan(CREATED, D)], id="a scan"),
        pytest.param(
            Plan((JANUARY,)),
            [Plan((JANUARY,)), Plan((JANUARY,), D), Plan(), Plan((), D), Plan(CREATED),
             Plan(CREATED, D)],
            id="a range"),
        pytest.param(
            Plan((EQUAL,), D), [Plan((EQUAL,), D), Plan((), D), Plan(CREATED, D)], id="a point"),
        pytest.param(
            Plan((EQUAL, JANUARY)),
            [Plan((EQUAL, JANUARY)), Plan((EQUAL,)), Plan((EQUAL,), D), Plan((JANUARY,)),
             Plan((JANUARY,), D), Plan(), Plan((), D), Plan(CREATED), Plan(CREATED, D)],
            id="a pair"),
    ],
)  # fmt: skip
def test_ladder(top: Plan, rungs: list[Plan]) -> None:
    """What is tried instead, in order; each rung once."""
    assert rungs == list(ladder(top))


@pytest.mark.parametrize(
    ("one", "shape"),
    [
        (Plan(), ("STUDY_DATE",)),
        (
            Plan((EQUAL, JANUARY), D),
            ("EQUAL DICOMPatientId", "BETWEEN DICOMStudyDateAndTime", "DEFAULT"),
        ),
        (Plan(CREATED), ("BETWEEN createdAt", "STUDY_DATE")),
    ],
)
def test_shape(one: Plan, shape: tuple[str, ...]) -> None:
    """A shape has keys, operators and sort, and no value."""
    assert shape == one.shape


def test_all_dated() -> None:
    """The dated image sets of a plan are those from the first day to the last."""
    every = StudyDateBetween(("00010101", "000000"), ("99991231", "235959.999999"))
    assert Plan((EQUAL, every)) == all_dated(Plan((EQUAL,)))
    assert Plan((every,)) == all_dated(Plan(CREATED))


def test_completion() -> None:
    """A study is completed by its UID alone."""
    assert _points(STUDY, "1.2") == (completion("1.2"),)


@pytest.mark.parametrize(
    ("resource", "text", "whole", "derived"),
    [
        (STUDIES, "", True, False),
        (STUDIES, "NumberOfStudyRelatedSeries=1", True, True),
        (ALL_SERIES, "Modality=CT", True, False),
        (STUDY_SERIES, "Modality=CT", False, False),
        (STUDY_SERIES, "includefield=RetrieveURL", False, False),
        (STUDY_SERIES, "PatientID=A", True, False),
        (STUDY_SERIES, "ModalitiesInStudy=CT", True, True),
        (STUDY_SERIES, "includefield=all", True, False),
        (STUDY_SERIES, "includefield=SeriesDescription", False, False),
        (STUDY_SERIES, "includefield=ReferringPhysicianName", True, False),
        (STUDY_INSTANCES, "includefield=ReferringPhysicianName", False, False),
        (STUDY_INSTANCES, "ReferringPhysicianName=A", False, False),
        (STUDY_INSTANCES, "includefield=PatientName", True, False),
        (STUDY_INSTANCES, "StudyID=A", True, False),
        (STUDY_INSTANCES, "includefield=all", True, False),
        (Resource.ALL_INSTANCES, "", True, False),
    ],
)
def test_what_a_query_needs(resource: Resource, text: str, whole: bool, derived: bool) -> None:
    """Series and instances of one study can do without the rest of it; what is their own too."""
    uid = "1.2" if resource in (STUDY_SERIES, STUDY_INSTANCES) else None
    query = parse_query(resource, text.encode(), study_uid=uid)
    assert (whole, derived) == (needs_whole_studies(query), derived_criteria(query))
