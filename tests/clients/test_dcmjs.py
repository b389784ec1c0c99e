"""npm's dicomweb-client, which is OHIF's transport: each search, with OHIF's own parameters.

All questions are asked in one process of Node.js, since its start takes the most of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.clients.calling import dcmjs
from tests.clients.reading import (
    described_series,
    ohif_series,
    ohif_study,
    read_instance,
    shown_description,
    shown_instance,
    shown_series,
    shown_study,
)
from tests.clients.viewed import (
    INSTANCES,
    JOSE,
    MARY,
    MICHAEL,
    SERIES,
    STUDIES,
    TARO,
    UNDATED,
    Instance,
    Series,
    Study,
    instance_uids,
    instances_of,
    instances_where,
    series_of,
    series_uids,
    studies_of,
    study_uids,
)
from tests.e2e.running import Running

Answers = Mapping[str, Mapping[str, Any]]
Parameters = Mapping[str, Any]

# What mapParams of OHIF's DicomWebDataSource makes, in its order and with its types
OHIF: Parameters = {
    "limit": 101,
    "offset": 0,
    "fuzzymatching": False,
    "includefield": "00081030,00080060,00080090,00100030",
}
TWO_STUDIES = f"{MARY.uid}\\{TARO.uid}"

STUDY_SEARCHES: dict[str, tuple[Parameters | None, Sequence[Study]]] = {
    "no parameters": (None, STUDIES),
    "empty parameters": ({}, STUDIES),
    "list": (OHIF, STUDIES[:101]),
    "second list": ({**OHIF, "offset": 100}, STUDIES[100:201]),
    "name": ({"PatientName": "*jones*", **OHIF}, (MICHAEL, MARY)),
    "name as it is shown": ({"PatientName": "*JONES, M*", **OHIF}, (MICHAEL, MARY)),
    "name with accents": ({"PatientName": "*García*", **OHIF}, (JOSE,)),
    "name in ideographs": ({"PatientName": "*太郎*", **OHIF}, (TARO,)),
    "MRN": ({"00100020": "*MRN 003*", **OHIF}, (JOSE,)),
    "accession": ({"AccessionNumber": "*ACC+*", **OHIF}, (JOSE,)),
    "description": ({"StudyDescription": "*& pelvis, 50 %*", **OHIF}, (JOSE,)),
    "one modality": ({"ModalitiesInStudy": ["PT"], **OHIF}, (MICHAEL,)),
    "two modalities": ({"ModalitiesInStudy": ["PT", "MR"], **OHIF}, (MICHAEL, MARY, TARO)),
    "dates": ({**OHIF, "StudyDate": "20261117-20261118"}, (MARY, JOSE)),
    "fuzzymatching": ({"00100020": "MRN002", **OHIF, "fuzzymatching": True}, (MARY,)),
    "opened": ({**OHIF, "StudyInstanceUID": MARY.uid}, (MARY,)),
    "two opened": ({**OHIF, "StudyInstanceUID": TWO_STUDIES}, (MARY, TARO)),
    "priors": ({"00100020": "MRN004", **OHIF}, (TARO,)),
    "no match": ({"PatientName": "*nobody*", **OHIF}, ()),
}
OF_MARY: Parameters = {"studyInstanceUID": MARY.uid}
ROW: Parameters = {"includefield": "0008103E,00080021"}
ROW_OPENED = "of a study, as a row is opened"
SERIES_SEARCHES: dict[str, tuple[Parameters, Sequence[tuple[str, str]]]] = {
    "of a study": (OF_MARY, series_uids([MARY])),
    ROW_OPENED: ({**OF_MARY, "queryParams": ROW}, series_uids([MARY])),
    "of an undated study": ({"studyInstanceUID": UNDATED.uid}, series_uids([UNDATED])),
    "of a study, filtered": (
        {**OF_MARY, "queryParams": {"Modality": "MR", "limit": 1, "offset": 1}},
        series_uids([MARY])[1:2],
    ),
    "of a study that is not there": ({"studyInstanceUID": "1.2.826.99"}, []),
    "of all": ({}, series_uids(STUDIES)),
    "of all, filtered": (
        {"queryParams": {"PatientName": "*jones*", "Modality": ["CT", "SR"]}},
        [(MICHAEL.uid, MICHAEL.series[0].uid), (MARY.uid, MARY.series[2].uid)],
    ),
}
_MR = MARY.series[0]
INSTANCE_SEARCHES: dict[str, tuple[Parameters, Sequence[tuple[Study, Series, Instance]]]] = {
    "of a series, as OHIF makes thumbnails": (
        {
            **OF_MARY,
            "seriesInstanceUID": _MR.uid,
            "queryParams": {"limit": 1, "includefield": "00080018"},
        },
        instances_where(lambda _, series, __: series is _MR)[:1],
    ),
    "of a series": (
        {**OF_MARY, "seriesInstanceUID": _MR.uid},
        instances_where(lambda _, series, __: series is _MR),
    ),
    "of a series, filtered": (
        {**OF_MARY, "seriesInstanceUID": _MR.uid, "queryParams": {"InstanceNumber": 7}},
        instances_where(lambda _, series, one: series is _MR and one.number == 7),
    ),
    "of a study": (OF_MARY, instances_where(lambda study, _, __: study is MARY)),
    "of a study, filtered": (
        {**OF_MARY, "queryParams": {"Modality": ["MR", "CT"], "limit": 5, "offset": 18}},
        instances_where(lambda study, series, _: study is MARY and series.modality == "MR")[18:23],
    ),
    "of a study without numbers": (
        {"studyInstanceUID": TARO.uid},
        instances_where(lambda study, _, __: study is TARO),
    ),
    "of a study that is not there": ({"studyInstanceUID": "1.2.826.99"}, ()),
    "of all, filtered": (
        {"queryParams": {"PatientName": "*garcía*", "InstanceNumber": 200}},
        instances_where(lambda study, _, one: study is JOSE and one.number == 200),
    ),
    "of all, one page": ({"queryParams": {"limit": 7, "offset": 177}}, INSTANCES[177:184]),
}
REFUSED: dict[str, tuple[str, Parameters, int, str]] = {
    "limit": ("searchForStudies", {"queryParams": {"limit": "x"}}, 400, "limit: "),
    "date": ("searchForStudies", {"queryParams": {"StudyDate": "2026"}}, 400, "StudyDate: "),
    "path": ("searchForSeries", {"studyInstanceUID": "x"}, 400, "StudyInstanceUID: "),
    "path of instances": (
        "searchForInstances",
        {**OF_MARY, "seriesInstanceUID": "x"},
        400,
        "SeriesInstanceUID: ",
    ),
    "number of an instance": (
        "searchForInstances",
        {**OF_MARY, "queryParams": {"InstanceNumber": "first"}},
        400,
        "InstanceNumber: ",
    ),
}
PAGES: dict[str, tuple[str, int, Parameters]] = {
    "studies by 50": ("searchForStudies", 50, {}),
    "studies, all at once": ("searchForStudies", len(STUDIES), {}),
    "series by 33": ("searchForSeries", 33, {}),
    "instances of a study by 37": ("searchForInstances", 37, {"studyInstanceUID": MICHAEL.uid}),
}


@pytest.fixture(scope="module")
def answers(gateway: Running) -> Answers:
    """What the client got for each question, by `METHOD: NAME`."""
    studies = {
        f"studies: {name}": {
            "method": "searchForStudies",
            "options": {"queryParams": parameters} if parameters is not None else {},
        }
        for name, (parameters, _) in STUDY_SEARCHES.items()
    }
    series = {
        f"series: {name}": {"method": "searchForSeries", "options": options}
        for name, (options, _) in SERIES_SEARCHES.items()
    }
    instances = {
        f"instances: {name}": {"method": "searchForInstances", "options": options}
        for name, (options, _) in INSTANCE_SEARCHES.items()
    }
    refused = {
        f"refused: {name}": {"method": method, "options": options}
        for name, (method, options, _, _) in REFUSED.items()
    }
    pages = {
        f"pages: {name}": {"method": method, "options": options, "pages": size}
        for name, (method, size, options) in PAGES.items()
    }
    got: Answers = dcmjs(gateway.url, {**studies, **series, **instances, **refused, **pages})
    return got


@pytest.mark.parametrize(
    ("name", "found"),
    [(name, found) for name, (_, found) in STUDY_SEARCHES.items()],
    ids=STUDY_SEARCHES,
)
def test_search_for_studies(answers: Answers, name: str, found: Sequence[Study]) -> None:
    """The promise holds these studies in this order, with what OHIF's list reads of each."""
    results = answers[f"studies: {name}"]["results"]
    assert [shown_study(study) for study in found] == [ohif_study(one) for one in results]


@pytest.mark.parametrize(
    ("name", "found"),
    [(name, found) for name, (_, found) in SERIES_SEARCHES.items()],
    ids=SERIES_SEARCHES,
)
def test_search_for_series(answers: Answers, name: str, found: Sequence[tuple[str, str]]) -> None:
    """The promise holds these series in their order, with what OHIF reads of each."""
    expected = [
        shown_series(study, series) for study, series in SERIES if (study.uid, series.uid) in found
    ]
    assert expected == [ohif_series(one) for one in answers[f"series: {name}"]["results"]]


def test_row_of_series(answers: Answers) -> None:
    """A row that is opened shows each series' description and day."""
    results = answers[f"series: {ROW_OPENED}"]["results"]
    expected = [shown_description(series) for series in MARY.series]
    assert expected == [described_series(one) for one in results]


@pytest.mark.parametrize(
    ("name", "found"),
    [(name, found) for name, (_, found) in INSTANCE_SEARCHES.items()],
    ids=INSTANCE_SEARCHES,
)
def test_search_for_instances(
    answers: Answers, name: str, found: Sequence[tuple[Study, Series, Instance]]
) -> None:
    """The promise holds these instances in their order, with number, class and size of each."""
    results = answers[f"instances: {name}"]["results"]
    assert [shown_instance(*one) for one in found] == [read_instance(one) for one in results]


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [(name, status, detail) for name, (_, _, status, detail) in REFUSED.items()],
    ids=REFUSED,
)
def test_refused(answers: Answers, name: str, status: int, detail: str) -> None:
    """The error holds the status, which OHIF's httpErrorHandler is told, and the problem."""
    error = answers[f"refused: {name}"]["error"]
    assert status == error["status"]
    assert error["body"]["detail"].startswith(detail)


@pytest.mark.parametrize("name", PAGES)
def test_pages(answers: Answers, name: str) -> None:
    """The pages put together are the whole answer: nothing twice, nothing missing."""
    results = answers[f"pages: {name}"]["results"]
    if name.startswith("series"):
        assert series_uids(STUDIES) == series_of(results)
    elif name.startswith("instances"):
        expected = instance_uids(instances_where(lambda study, _, __: study is MICHAEL))
        assert expected == instances_of(results)
    else:
        assert study_uids(STUDIES) == studies_of(results)
