"""dicomweb-client of PyPI, which 3D Slicer and many programs use: each search, each parameter."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom.dataset import Dataset
from requests import HTTPError, Response

from tests.clients.viewed import (
    JOSE,
    MARY,
    MICHAEL,
    ROUTINE,
    SERIES,
    SMITH,
    STUDIES,
    TARO,
    Instance,
    Series,
    Study,
    series_of,
    series_uids,
    studies_of,
    study_uids,
)

Arguments = Mapping[str, Any]
Held = tuple[Study, Series, Instance]


# --- search_for_studies ---------------------------------------------------------------------------

STUDY_SEARCHES: dict[str, tuple[Arguments, Sequence[Study]]] = {
    "nothing": ({}, STUDIES),
    "limit": ({"limit": 3}, STUDIES[:3]),
    "limit 0": ({"limit": 0}, ()),
    "offset": ({"offset": 100}, STUDIES[100:]),
    "limit and offset": ({"limit": 2, "offset": 3}, STUDIES[3:5]),
    "behind the end": ({"offset": 500}, ()),
    "fields, by keyword": ({"limit": 2, "fields": ["StudyDescription", "PatientSex"]}, STUDIES[:2]),
    "fields, by tag": ({"limit": 2, "fields": ["00081030", "0020000E"]}, STUDIES[:2]),
    "fields, all": ({"limit": 2, "fields": ["all"]}, STUDIES[:2]),
    "fuzzymatching false": (
        {"fuzzymatching": False, "search_filters": {"PatientID": "MRN002"}},
        (MARY,),
    ),
    "fuzzymatching true": (
        {"fuzzymatching": True, "search_filters": {"PatientID": "MRN002"}},
        (MARY,),
    ),
    "filter, wild card": ({"search_filters": {"PatientName": "*jones*"}}, (MICHAEL, MARY)),
    "filter, single character": ({"search_filters": {"PatientID": "MRN00?"}}, (MARY, TARO, SMITH)),
    "filter, a space and signs": (
        {"search_filters": {"StudyDescription": "CT abdomen & pelvis, 50 %"}},
        (JOSE,),
    ),
    "filter, a plus": ({"search_filters": {"AccessionNumber": "ACC+003"}}, (JOSE,)),
    "filter, ideographs": ({"search_filters": {"PatientName": "山田*"}}, (TARO,)),
    "filter, by tag": ({"search_filters": {"00100020": "MRN004"}}, (TARO,)),
    "filter, date": ({"search_filters": {"StudyDate": "20261118"}}, (MARY,)),
    "filter, dates": ({"search_filters": {"StudyDate": "20261117-20261118"}}, (MARY, JOSE)),
    "filter, modality": ({"search_filters": {"ModalitiesInStudy": "PT"}}, (MICHAEL,)),
    "filter, a number": ({"search_filters": {"NumberOfStudyRelatedInstances": 51}}, (MARY,)),
    "filter, UIDs": (
        {"search_filters": {"StudyInstanceUID": f"{MARY.uid},{JOSE.uid}"}},
        (MARY, JOSE),
    ),
    "filters together": (
        {"search_filters": {"PatientName": "*jones*", "StudyDate": "20261119", "StudyTime": "09"}},
        (MICHAEL,),
    ),
    "filter, no match": ({"search_filters": {"PatientName": "nobody"}}, ()),
    "get_remaining": ({"get_remaining": True}, STUDIES),
    "get_remaining by pages": ({"get_remaining": True, "limit": 9}, STUDIES),
    "get_remaining from an offset": (
        {"get_remaining": True, "limit": 50, "offset": 7},
        STUDIES[7:],
    ),
    "get_remaining of a filter": (
        {"get_remaining": True, "limit": 50, "search_filters": {"PatientID": "PAT*"}},
        ROUTINE,
    ),
    "additional_params": ({"additional_params": {"limit": 1, "offset": 2}}, STUDIES[2:3]),
}


@pytest.mark.parametrize(("arguments", "found"), STUDY_SEARCHES.values(), ids=STUDY_SEARCHES)
def test_search_for_studies(
    client: DICOMwebClient, arguments: Arguments, found: Sequence[Study]
) -> None:
    """It returns these studies in the order of the list, each once."""
    assert study_uids(found) == studies_of(client.search_for_studies(**arguments))


def test_fields_are_returned(client: DICOMwebClient) -> None:
    """What `fields` names is in each result, by keyword and by tag."""
    for fields in (["PatientSex"], ["00100040"], ["StudyDescription", "PatientSex"]):
        (study,) = client.search_for_studies(limit=1, fields=fields)
        assert {"00100040", "00081030"} <= study.keys()


def test_results_are_datasets(client: DICOMwebClient) -> None:
    """pydicom reads each result, names in all their groups."""
    studies = [Dataset.from_json(one) for one in client.search_for_studies()]
    assert [study.name for study in STUDIES] == [str(one.PatientName) for one in studies]
    assert [study.date for study in STUDIES] == [one.StudyDate or "" for one in studies]


# --- search_for_series ----------------------------------------------------------------------------

OF_MARY: Arguments = {"study_instance_uid": MARY.uid}
SERIES_SEARCHES: dict[str, tuple[Arguments, Sequence[tuple[str, str]]]] = {
    "of a study": (OF_MARY, series_uids([MARY])),
    "of a study, limit": ({**OF_MARY, "limit": 1}, series_uids([MARY])[:1]),
    "of a study, offset": ({**OF_MARY, "offset": 1}, series_uids([MARY])[1:]),
    "of a study, filter": (
        {**OF_MARY, "search_filters": {"Modality": "MR"}},
        series_uids([MARY])[:2],
    ),
    "of a study, a number": (
        {**OF_MARY, "search_filters": {"SeriesNumber": 10}},
        series_uids([MARY])[2:],
    ),
    "of a study, fields": (
        {**OF_MARY, "fields": ["SeriesDescription", "00081030"]},
        series_uids([MARY]),
    ),
    "of a study, fuzzymatching": ({**OF_MARY, "fuzzymatching": False}, series_uids([MARY])),
    "of a study, get_remaining": (
        {**OF_MARY, "limit": 1, "get_remaining": True},
        series_uids([MARY]),
    ),
    "of a study that is not there": ({"study_instance_uid": "1.2.826.99"}, []),
    "of all": ({}, series_uids(STUDIES)),
    "of all, limit and offset": ({"limit": 5, "offset": 2}, series_uids(STUDIES)[2:7]),
    "of all, fields": ({"limit": 5, "fields": ["PatientName"]}, series_uids(STUDIES)[:5]),
    "of all, fuzzymatching": (
        {"fuzzymatching": False, "search_filters": {"PatientName": "GARCIA^JOSE"}},
        series_uids([JOSE]),
    ),
    "of all, a series' filter": (
        {"search_filters": {"Modality": "PT"}},
        series_uids([MICHAEL])[1:],
    ),
    "of all, a study's filter": (
        {"search_filters": {"PatientName": "jones*", "StudyDate": "20261101-"}},
        series_uids([MICHAEL, MARY]),
    ),
    "of all, SeriesInstanceUID": (
        {"search_filters": {"SeriesInstanceUID": MARY.series[2].uid}},
        series_uids([MARY])[2:],
    ),
    "of all, get_remaining": ({"limit": 50, "get_remaining": True}, series_uids(STUDIES)),
}


@pytest.mark.parametrize(("arguments", "found"), SERIES_SEARCHES.values(), ids=SERIES_SEARCHES)
def test_search_for_series(
    client: DICOMwebClient, arguments: Arguments, found: Sequence[tuple[str, str]]
) -> None:
    """It returns these series in the order of their studies and numbers, each once."""
    assert found == series_of(client.search_for_series(**arguments))


def test_every_series_is_a_dataset(client: DICOMwebClient) -> None:
    """pydicom reads what is asked for of each series and of its study."""
    fields = ["PatientID", "BodyPartExamined"]
    answered = [Dataset.from_json(one) for one in client.search_for_series(fields=fields)]
    expected = [(study.patient_id, series.modality, series.instances) for study, series in SERIES]
    assert expected == [
        (one.PatientID or "", one.Modality or "", one.NumberOfSeriesRelatedInstances)
        for one in answered
    ]


# --- what is refused ------------------------------------------------------------------------------


def raised(search: Callable[[], object]) -> Response:
    """The answer that the client raises."""
    with pytest.raises(HTTPError) as error:
        search()
    assert error.value.response is not None
    return error.value.response


REFUSED: dict[str, tuple[Callable[[DICOMwebClient], object], str]] = {
    "a date that is none": (
        lambda client: client.search_for_studies(search_filters={"StudyDate": "2026"}),
        "StudyDate",
    ),
    "a number that is none": (
        lambda client: client.search_for_series(search_filters={"SeriesNumber": "one"}),
        "SeriesNumber",
    ),
    "an instance's number that is none": (
        lambda client: client.search_for_instances(search_filters={"InstanceNumber": "one"}),
        "InstanceNumber",
    ),
    "a UID that is none": (
        lambda client: client.search_for_instances(search_filters={"SOPClassUID": "CT"}),
        "SOPClassUID",
    ),
    "a range that ends before it begins": (
        lambda client: client.search_for_series(search_filters={"SeriesDate": "20261118-20261117"}),
        "SeriesDate",
    ),
}


@pytest.mark.parametrize(("search", "parameter"), REFUSED.values(), ids=REFUSED)
def test_refused(
    client: DICOMwebClient, search: Callable[[DICOMwebClient], object], parameter: str
) -> None:
    """A wrong value is raised at once, not tried again, with the parameter's name in the body."""
    refused = raised(lambda: search(client))
    assert 400 == refused.status_code
    assert refused.json()["detail"].startswith(f"{parameter}: ")


def test_warning_is_logged(client: DICOMwebClient, caplog: pytest.LogCaptureFixture) -> None:
    """The client logs the Warning that more studies lie behind the page."""
    caplog.set_level(logging.WARNING, "dicomweb_client")
    client.search_for_studies(limit=5)
    (said,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert "additional results that can be requested" in said
