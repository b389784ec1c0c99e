"""The requests of OHIF, replayed byte by byte, and judged by what its screens read.

The queries and header lines are those that OHIF 3.13.2 sends from Chromium; of the values only UIDs
and words are those of the archive here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.clients.reading import (
    described_series,
    ohif_series,
    ohif_study,
    shown_description,
    shown_series,
    shown_study,
)
from tests.clients.viewed import (
    JOSE,
    MARY,
    MICHAEL,
    ORIGIN,
    ROUTINE,
    SMITH,
    STUDIES,
    TARO,
    UNDATED,
    Series,
    Study,
    instances_of,
    studies_of,
    study_uids,
)
from tests.clients.wire import replay
from tests.e2e.running import Running

NOBODY: Sequence[Study] = ()

XHR = "Accept: application/dicom+json\nAccept-Encoding: gzip, deflate, br, zstd"
FIELDS = "includefield=00081030%2C00080060%2C00080090%2C00100030"
LIST = f"limit=101&offset=0&fuzzymatching=false&{FIELDS}"

OHIF_LIST: dict[str, tuple[str, Sequence[Study]]] = {
    "load": (LIST, STUDIES[:101]),
    "patient name": (f"PatientName=*jon*&{LIST}", (MICHAEL, MARY, SMITH)),
    "patient name in capitals": (f"PatientName=*JONES*&{LIST}", (MICHAEL, MARY)),
    "patient name with a caret": (f"PatientName=*jones%5Em*&{LIST}", (MICHAEL, MARY)),
    "patient name as it is shown": (f"PatientName=*JONES%2C%20M*&{LIST}", (MICHAEL, MARY)),
    "patient name without its accents": (f"PatientName=*garcia*&{LIST}", (JOSE,)),
    "patient name with accents": (f"PatientName=*garc%C3%ADa*&{LIST}", (JOSE,)),
    "patient name in ideographs": (f"PatientName=*%E5%B1%B1%E7%94%B0*&{LIST}", (TARO,)),
    "wild card typed": (f"PatientName=*jones**&{LIST}", (MICHAEL, MARY)),
    "MRN": (f"00100020=*MRN002*&{LIST}", (MICHAEL, MARY)),
    "MRN, wild card typed": (f"00100020=*MRN*2*&{LIST}", (MICHAEL, MARY)),
    "MRN with a space": (f"00100020=*MRN%20003*&{LIST}", (JOSE,)),
    "accession": (f"AccessionNumber=*ACC00*&{LIST}", (MICHAEL, MARY, TARO, SMITH)),
    "accession with a plus": (f"AccessionNumber=*ACC%2B*&{LIST}", (JOSE,)),
    "description": (f"StudyDescription=*MR Br*&{LIST}".replace(" ", "%20"), (MARY,)),
    "description with signs": (f"StudyDescription=*%26%20pelvis%2C%2050%20%25*&{LIST}", (JOSE,)),
    "one modality": (f"ModalitiesInStudy=MR&{LIST}", (MARY, TARO)),
    "two modalities": (f"ModalitiesInStudy=MR%2CPT&{LIST}", (MICHAEL, MARY, TARO)),
    "both dates": (f"{LIST}&StudyDate=20261118-20261119", (MICHAEL, MARY)),
    "start date only": (f"{LIST}&StudyDate=20261117-20261121", (MICHAEL, MARY, JOSE)),
    "end date only": (f"{LIST}&StudyDate=19700102-20261116", (TARO, SMITH, *ROUTINE[:99])),
    "all filters": (
        "PatientName=*o*&00100020=*MRN*&AccessionNumber=*ACC*&StudyDescription=*chest*"
        f"&ModalitiesInStudy=CT%2CMR&{LIST}&StudyDate=20200101-20261231",
        (MICHAEL,),
    ),
    "queryLimit 25": (LIST.replace("101", "25"), STUDIES[:25]),
    "supportsFuzzyMatching": (
        f"PatientName=*jones*&{LIST}".replace("false", "true"),
        (MICHAEL, MARY),
    ),
    "supportsWildcard false": (f"PatientName=SMITH%5EJON&{LIST}", (SMITH,)),
    "legacy, page 5 of 25": (LIST.replace("offset=0", "offset=100"), STUDIES[100:201]),
    "open a study": (f"{LIST}&StudyInstanceUID={MARY.uid}", (MARY,)),
    "open two studies": (
        f"{LIST}&StudyInstanceUID={MARY.uid}%5C{TARO.uid}",
        (MARY, TARO),
    ),
    "open two studies, doubled backslash": (
        f"{LIST}&StudyInstanceUID={MARY.uid}%5C%5C{TARO.uid}",
        (MARY, TARO),
    ),
    "priors": (f"00100020={MARY.patient_id}&{LIST}", (MARY,)),
    "no match": (f"PatientName=*nobody*&{LIST}", NOBODY),
    "a study that is not there": (f"{LIST}&StudyInstanceUID=1.2.826.99", NOBODY),
}


@pytest.mark.parametrize(("query", "found"), OHIF_LIST.values(), ids=OHIF_LIST)
def test_ohif_study_list(gateway: Running, query: str, found: Sequence[Study]) -> None:
    """The list shows these studies in this order, each cell with what it reads."""
    answer = replay(gateway.url, f"/studies?{query}", XHR)
    assert (200, "application/dicom+json") == (answer.status, answer.one("content-type"))
    assert [shown_study(study) for study in found] == [ohif_study(one) for one in answer.json]


def test_ohif_asks_again(gateway: Running) -> None:
    """A sort click, a reset and the opening of a study repeat a question: same answer."""
    first, second = (replay(gateway.url, f"/studies?{LIST}", XHR) for _ in range(2))
    assert first.body == second.body


OHIF_SERIES = {
    "click a row": ("?includefield=0008103E%2C00080021", ()),
    "open a study": ("?includefield=00080021,00080031,0008103E,00200011", ("00080031",)),
}


@pytest.mark.parametrize(("query", "more"), OHIF_SERIES.values(), ids=OHIF_SERIES)
@pytest.mark.parametrize("study", [MICHAEL, MARY, TARO, UNDATED], ids=lambda s: s.uid)
def test_ohif_series(gateway: Running, query: str, more: Sequence[str], study: Study) -> None:
    """The series under a row have number, modality, instances, description and date."""
    answer = replay(gateway.url, f"/studies/{study.uid}/series{query}", XHR)
    assert (200, "application/dicom+json") == (answer.status, answer.one("content-type"))
    expected = [shown_series(study, s) | shown_description(s) for s in study.series]
    assert expected == [ohif_series(one) | described_series(one) for one in answer.json]
    times = [one.get(tag, {}).get("Value", [""]) for tag in more for one in answer.json]
    assert [[series.time if series.date else ""] for _ in more for series in study.series] == times


FIRST_INSTANCES = {
    "of a series by number": MARY.series[0],
    "whose UIDs run against the numbers": JOSE.series[0],
    "without numbers": TARO.series[0],
    "of a report": MARY.series[2],
}


@pytest.mark.parametrize("series", FIRST_INSTANCES.values(), ids=FIRST_INSTANCES)
def test_ohif_first_instance(gateway: Running, series: Series) -> None:
    """Where a series has no thumbnail, its first instance is asked for, and only that one."""
    study_uid = series.uid.rpartition(".")[0]
    target = f"/studies/{study_uid}/series/{series.uid}/instances?limit=1&includefield=00080018"
    answer = replay(gateway.url, target, XHR)
    assert (200, "application/dicom+json") == (answer.status, answer.one("content-type"))
    assert [(study_uid, series.uid, series.held[0].uid)] == instances_of(answer.json)


REFUSED = {
    "400": ("/studies?limit=x", XHR, 400),
    "404": ("/patients", XHR, 404),
    "406": ("/studies", "Accept: text/html", 406),
    "414": ("/studies?PatientName=" + "*" * 9000, XHR, 414),
}


@pytest.mark.parametrize(("target", "headers", "status"), REFUSED.values(), ids=REFUSED)
def test_ohif_sees_errors(gateway: Running, target: str, headers: str, status: int) -> None:
    """An error is a status, never 200 with a body that is no list: that is an empty archive."""
    answer = replay(gateway.url, target, headers)
    assert (status, "application/problem+json") == (answer.status, answer.one("content-type"))


def test_ohif_pages_of_the_legacy_list(gateway: Running) -> None:
    """Its windows overlap by one row, so the same row must stand at the seam."""
    first = replay(gateway.url, f"/studies?{LIST}", XHR).json
    second = replay(gateway.url, "/studies?" + LIST.replace("offset=0", "offset=100"), XHR).json
    assert first[100] == second[0]
    assert study_uids(STUDIES[:201]) == studies_of(first[:100] + second)
    assert 101 == len(first)


# --- browsers of another origin -------------------------------------------------------------------

_PREFLIGHT = """Accept: */*
Access-Control-Request-Method: GET
Access-Control-Request-Headers: {}
Origin: {}
Sec-Fetch-Mode: cors
Sec-Fetch-Site: cross-site
Sec-Fetch-Dest: empty
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9"""

PREFLIGHTS = {
    "a token": (f"/studies?{LIST}", "authorization"),
    "a token, another filter": (f"/studies?PatientName=*jon*&{LIST}", "authorization"),
    "a token, a study's series": (f"/studies/{MARY.uid}/series", "authorization"),
    "quotes in Accept": (f"/studies?{LIST}", "accept"),
    "both": ("/series?limit=1", "accept,authorization"),
    "a resource that is not there": (f"/studies/{MARY.uid}/metadata", "authorization"),
}


@pytest.mark.parametrize(("target", "asked"), PREFLIGHTS.values(), ids=PREFLIGHTS)
def test_preflight(gateway: Running, target: str, asked: str) -> None:
    """The browser's question is answered without a token, for the origin that is configured."""
    answer = replay(gateway.url, target, _PREFLIGHT.format(asked, ORIGIN), "OPTIONS")
    assert (200, ORIGIN) == (answer.status, answer.one("access-control-allow-origin"))
    assert "GET" in answer.one("access-control-allow-methods").split(", ")
    allowed = answer.one("access-control-allow-headers").lower().replace(" ", "").split(",")
    assert set(asked.split(",")) <= set(allowed)
    assert int(answer.one("access-control-max-age")) > 0


def test_preflight_of_a_stranger(gateway: Running) -> None:
    """An origin that is not configured is not allowed."""
    headers = _PREFLIGHT.format("authorization", "https://elsewhere.example.org")
    answer = replay(gateway.url, f"/studies?{LIST}", headers, "OPTIONS")
    assert (400, []) == (answer.status, answer.all("access-control-allow-origin"))


CROSS_ORIGIN = {
    "an answer": (f"/studies?{LIST}", XHR, 200),
    "an answer with a token": (f"/studies?{LIST}", f"{XHR}\nAuthorization: Bearer t", 200),
    **{f"{name} error": refused for name, refused in REFUSED.items()},
}


@pytest.mark.parametrize(("target", "headers", "status"), CROSS_ORIGIN.values(), ids=CROSS_ORIGIN)
def test_cross_origin(gateway: Running, target: str, headers: str, status: int) -> None:
    """Answers and errors can be read by the page of a configured origin."""
    answer = replay(gateway.url, target, f"{headers}\nOrigin: {ORIGIN}")
    assert (status, ORIGIN) == (answer.status, answer.one("access-control-allow-origin"))
    assert "Warning" in answer.one("access-control-expose-headers").split(", ")
