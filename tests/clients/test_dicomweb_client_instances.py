"""dicomweb-client of PyPI: its searches for instances, and for what metadata tells of series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom.dataset import Dataset

from tests.clients.reading import read_instance, shown_instance
from tests.clients.viewed import (
    INSTANCES,
    JOSE,
    KINDS,
    MARY,
    MICHAEL,
    SERIES,
    Instance,
    Series,
    Study,
    instances_where,
    series_of,
)

Arguments = Mapping[str, Any]
Held = tuple[Study, Series, Instance]


# --- details of series ----------------------------------------------------------------------------

MARY_AND_JOSE = [series.uid for study in (MARY, JOSE) for series in study.series]
DETAIL_SEARCHES: dict[str, tuple[Arguments, Sequence[str]]] = {
    "single value": (
        {"SeriesDescription": "T1 sag", "StudyDate": "20261118"},
        (MARY.series[0].uid,),
    ),
    "wild card": (
        {"SeriesDescription": "*A?*", "PatientID": "MRN0021"},
        (MICHAEL.series[1].uid,),
    ),
    "letters that are not ASCII": (
        {"SeriesDescription": "*Größe <1>", "PatientID": "MRN002"},
        (MARY.series[1].uid,),
    ),
    "another case": ({"SeriesDescription": "t1 sag", "StudyDate": "20261118"}, ()),
    "day": ({"SeriesDate": "20261117-20261118", "StudyDate": "20261101-"}, MARY_AND_JOSE),
    "day and time": (
        {"SeriesDate": "20261118-20261118", "SeriesTime": "130000-140000", "PatientID": "MRN002"},
        [series.uid for series in MARY.series[1:]],
    ),
    "scheduled step": (
        {"RequestAttributesSequence.ScheduledProcedureStepID": "ACC002/3", "PatientID": "MRN002"},
        (MARY.series[2].uid,),
    ),
    "scheduled step of another": (
        {"RequestAttributesSequence.ScheduledProcedureStepID": "ACC004/1", "PatientID": "MRN002"},
        (),
    ),
}


@pytest.mark.parametrize(("filters", "found"), DETAIL_SEARCHES.values(), ids=DETAIL_SEARCHES)
def test_series_by_details(
    client: DICOMwebClient, filters: Arguments, found: Sequence[str]
) -> None:
    """Filters on what only metadata tells of a series find just the series that have it."""
    answered = client.search_for_series(search_filters=dict(filters))
    assert list(found) == [uid for _, uid in series_of(answered)]


def test_details_are_returned(client: DICOMwebClient) -> None:
    """Description, day, time and scheduled step of each series are those that were stored."""
    fields = ["SeriesDescription", "00080021", "SeriesTime", "RequestAttributesSequence"]
    filters = {"PatientID": "MRN*"}
    answered = [
        Dataset.from_json(one)
        for one in client.search_for_series(fields=fields, search_filters=filters)
    ]
    stored = [series for study, series in SERIES if study.patient_id.startswith("MRN")]
    assert [(s.description, s.date, s.time, s.step) for s in stored] == [
        (
            one.SeriesDescription or "",
            one.SeriesDate,
            one.SeriesTime,
            one.RequestAttributesSequence[0].ScheduledProcedureStepID,
        )
        for one in answered
    ]


# --- search_for_instances -------------------------------------------------------------------------

_MR = MARY.series[1]
OF_SERIES: Arguments = {"study_instance_uid": MARY.uid, "series_instance_uid": _MR.uid}
OF_MR = instances_where(lambda _, series, __: series is _MR)
OF_JONES = instances_where(lambda study, _, __: "JONES" in study.name.upper())
INSTANCE_SEARCHES: dict[str, tuple[Arguments, Sequence[Held]]] = {
    "of a series": (OF_SERIES, OF_MR),
    "of a series, limit": ({**OF_SERIES, "limit": 4}, OF_MR[:4]),
    "of a series, limit 0": ({**OF_SERIES, "limit": 0}, ()),
    "of a series, offset": ({**OF_SERIES, "offset": 25}, OF_MR[25:]),
    "of a series, limit and offset": ({**OF_SERIES, "limit": 3, "offset": 8}, OF_MR[8:11]),
    "of a series, behind the end": ({**OF_SERIES, "offset": 30}, ()),
    "of a series, fields": ({**OF_SERIES, "fields": ["Rows", "SeriesDescription"]}, OF_MR),
    "of a series, fields, all": ({**OF_SERIES, "fields": ["all"]}, OF_MR),
    "of a series, fuzzymatching": ({**OF_SERIES, "fuzzymatching": True}, OF_MR),
    "of a series, a number": (
        {**OF_SERIES, "search_filters": {"InstanceNumber": 7}},
        instances_where(lambda _, series, one: series is _MR and one.number == 7),
    ),
    "of a series, a class that it lacks": (
        {**OF_SERIES, "search_filters": {"SOPClassUID": KINDS["CT"].sop_class}},
        (),
    ),
    "of a series, of a number with zeros": (
        {**OF_SERIES, "search_filters": {"InstanceNumber": "007"}},
        instances_where(lambda _, series, one: series is _MR and one.number == 7),
    ),
    "of a series, get_remaining": ({**OF_SERIES, "limit": 7, "get_remaining": True}, OF_MR),
    "of a series of another study": (
        {"study_instance_uid": JOSE.uid, "series_instance_uid": _MR.uid},
        (),
    ),
    "of a study": (
        {"study_instance_uid": MARY.uid},
        instances_where(lambda study, _, __: study is MARY),
    ),
    "of a study, a series' filter": (
        {"study_instance_uid": MARY.uid, "search_filters": {"Modality": "SR"}},
        instances_where(lambda study, series, _: study is MARY and series.modality == "SR"),
    ),
    "of a study, a series' detail": (
        {"study_instance_uid": MARY.uid, "search_filters": {"SeriesDescription": "T? *"}},
        instances_where(lambda study, series, _: study is MARY and series.modality == "MR"),
    ),
    "of a study, SeriesInstanceUID": (
        {"study_instance_uid": MARY.uid, "search_filters": {"SeriesInstanceUID": _MR.uid}},
        OF_MR,
    ),
    "of a study, another patient's filter": (
        {"study_instance_uid": MARY.uid, "search_filters": {"PatientID": "MRN004"}},
        (),
    ),
    "of a study, get_remaining": (
        {"study_instance_uid": JOSE.uid, "limit": 64, "get_remaining": True},
        instances_where(lambda study, _, __: study is JOSE),
    ),
    "of a study that is not there": ({"study_instance_uid": "1.2.826.99"}, ()),
    "of all, limit and offset": ({"limit": 6, "offset": 97}, INSTANCES[97:103]),
    "of all, limit and offset, over studies": ({"limit": 6, "offset": 177}, INSTANCES[177:183]),
    "of all, SOPInstanceUID": (
        {"search_filters": {"SOPInstanceUID": _MR.held[3].uid}},
        instances_where(lambda _, __, one: one.uid == _MR.held[3].uid),
    ),
    "of all, UIDs": (
        {"search_filters": {"SOPInstanceUID": f"{_MR.held[8].uid},{JOSE.series[0].held[0].uid}"}},
        instances_where(
            lambda _, __, one: one.uid in (_MR.held[8].uid, JOSE.series[0].held[0].uid)
        ),
    ),
    "of all, a name": ({"search_filters": {"PatientName": "*jones*"}}, OF_JONES),
    "of all, a name, fuzzy": (
        {"fuzzymatching": True, "search_filters": {"PatientName": "mar jon"}},
        instances_where(lambda study, _, __: study is MARY),
    ),
    "of all, a study's and an instance's filter": (
        {"search_filters": {"StudyDate": "20261101-", "Rows": 128}},
        instances_where(lambda study, _, one: study.date >= "20261101" and one.kind.rows == 128),
    ),
    "of all, filters of each level": (
        {"search_filters": {"PatientID": "MRN*", "Modality": "CT", "InstanceNumber": 100}},
        instances_where(
            lambda study, series, one: (
                study.patient_id.startswith("MRN") and (series.modality, one.number) == ("CT", 100)
            )
        ),
    ),
    "of all, number of frames": (
        {"search_filters": {"StudyDate": "20260101", "NumberOfFrames": 12}},
        instances_where(lambda study, _, one: study.date == "20260101" and one.kind.frames == 12),
    ),
    "of all, scheduled step": (
        {
            "search_filters": {
                "StudyDate": "20261101-",
                "RequestAttributesSequence.ScheduledProcedureStepID": "ACC002/2",
            }
        },
        OF_MR,
    ),
    "of all, get_remaining": (
        {"limit": 100, "get_remaining": True, "search_filters": {"StudyDate": "20261101-"}},
        instances_where(lambda study, _, __: study.date >= "20261101"),
    ),
    "of all, no match": ({"search_filters": {"SOPInstanceUID": "1.2.826.99"}}, ()),
}


@pytest.mark.parametrize(("arguments", "found"), INSTANCE_SEARCHES.values(), ids=INSTANCE_SEARCHES)
def test_search_for_instances(
    client: DICOMwebClient, arguments: Arguments, found: Sequence[Held]
) -> None:
    """It returns these instances in the order of studies, series and numbers, each as stored."""
    answered = client.search_for_instances(**arguments)
    assert [shown_instance(*one) for one in found] == [read_instance(one) for one in answered]


def test_instance_fields_are_returned(client: DICOMwebClient) -> None:
    """What `fields` names of each level is in each result, by keyword and by tag."""
    fields = ["PatientID", "0008103E", "RequestAttributesSequence"]
    answered = [
        Dataset.from_json(one)
        for one in client.search_for_instances(MARY.uid, fields=fields, limit=51)
    ]
    stored = instances_where(lambda study, _, __: study is MARY)
    assert [(study.patient_id, series.description, series.step) for study, series, _ in stored] == [
        (
            one.PatientID,
            one.SeriesDescription,
            one.RequestAttributesSequence[0].ScheduledProcedureStepID,
        )
        for one in answered
    ]


def test_every_instance_is_a_dataset(client: DICOMwebClient) -> None:
    """pydicom reads all that is known of each instance, and finds it as it was stored."""
    answered = [
        Dataset.from_json(one)
        for one in client.search_for_instances(
            fields=["all"], search_filters={"StudyDate": "20260101-"}
        )
    ]
    stored = instances_where(lambda study, _, __: study.date >= "20260101")
    assert [(study.name, one.uid, one.number) for study, _, one in stored] == [
        (str(one.PatientName), one.SOPInstanceUID, one.InstanceNumber) for one in answered
    ]
