"""npm's dicomweb-client, which is OHIF's transport: each search, with OHIF's own parameters.

All questions are asked in one process of Node.js, since its start takes the most of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.clients.calling import dcmjs
from tests.clients.reading import ohif_series, ohif_study, shown_series, shown_study
from tests.clients.viewed import (
    JOSE,
    MARY,
    MICHAEL,
    SERIES,
    STUDIES,
    TARO,
    UNDATED,
    Study,
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
SERIES_SEARCHES: dict[str, tuple[Parameters, Sequence[tuple[str, str]]]] = {
    "of a study": (OF_MARY, series_uids([MARY])),
    "of a study, as a row is opened": ({**OF_MARY, "queryParams": ROW}, series_uids([MARY])),
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
INSTANCE_SEARCHES: dict[str, Parameters] = {
    "of a series, as OHIF makes thumbnails": {
        **OF_MARY,
        "seriesInstanceUID": MARY.series[0].uid,
        "queryParams": {"limit": 1, "includefield": "00080018"},
    },
    "of a study": OF_MARY,
    "of all": {},
}
REFUSED: dict[str, tuple[str, Parameters, int, str]] = {
    "limit": ("searchForStudies", {"queryParams": {"limit": "x"}}, 400, "limit: "),
    "date": ("searchForStudies", {"queryParams": {"StudyDate": "2026"}}, 400, "StudyDate: "),
    "path": ("searchForSeries", {"studyInstanceUID": "x"}, 400, "StudyInstanceUID: "),
}
PAGES: dict[str, int] = {
    "studies by 50": 50,
    "studies, all at once": len(STUDIES),
    "series by 33": 33,
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
        for name, options in INSTANCE_SEARCHES.items()
    }
    refused = {
        f"refused: {name}": {"method": method, "options": options}
        for name, (method, options, _, _) in REFUSED.items()
    }
    pages = {
        f"pages: {name}": {
            "method": "searchForSeries" if name.startswith("series") else "searchForStudies",
            "pages": size,
        }
        for name, size in PAGES.items()
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


@pytest.mark.parametrize("name", INSTANCE_SEARCHES)
def test_search_for_instances(answers: Answers, name: str) -> None:
    """There are no instance resources: the promise is rejected with the status."""
    error = answers[f"instances: {name}"]["error"]
    assert ("request failed", 404) == (error["message"], error["status"])


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
    else:
        assert study_uids(STUDIES) == studies_of(results)
