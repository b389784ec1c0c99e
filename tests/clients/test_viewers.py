"""The requests of viewers and tools, replayed byte by byte, and judged by what each reads.

The queries and header lines are those that they send; of the values only UIDs and words are those
of the archive here. OHIF has a module of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

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
    Study,
    series_of,
    series_uids,
    studies_of,
    study_uids,
)
from tests.clients.wire import replay
from tests.e2e.running import Running

NOBODY: Sequence[Study] = ()
XHR = "Accept: application/dicom+json\nAccept-Encoding: gzip, deflate, br, zstd"

# --- Weasis ---------------------------------------------------------------------------------------

JAVA = """Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2
User-Agent: Java/17.0.9
Connection: keep-alive"""
WEASIS_FIELDS = (
    "&includefield=00080020,00080030,00080050,00080061,00080090,00081030,"
    "00100010,00100020,00100021,00100030,00100040,0020000D,00200010"
)
WEASIS_SERIES = ",0008103E,00080060,00081190,00200011"

WEASIS: dict[str, tuple[str, str, Sequence[Study]]] = {
    "first page": (f"/studies?{WEASIS_FIELDS}&limit=10&offset=0", JAVA, STUDIES[:10]),
    "second page": (f"/studies?{WEASIS_FIELDS}&limit=10&offset=10", JAVA, STUDIES[10:20]),
    "PatientID": (f"/studies?00100020=MRN+003{WEASIS_FIELDS}", JAVA, (JOSE,)),
    "PatientID and its issuer": (
        f"/studies?00100020=MRN002&00100021=HOSPITAL{WEASIS_FIELDS}",
        XHR,
        (MARY,),
    ),
    "StudyInstanceUID": (f"/studies?0020000D={MARY.uid}{WEASIS_FIELDS}", JAVA, (MARY,)),
    "AccessionNumber": (f"/studies?00080050=ACC004{WEASIS_FIELDS}", JAVA, (TARO,)),
    "modalities": (
        f"/studies?{WEASIS_FIELDS}&limit=10&offset=0&00080061=CT%2CXA",
        JAVA,
        (MICHAEL, JOSE, SMITH),
    ),
    "one includefield each": (
        f"/studies?0020000D={MARY.uid}{WEASIS_FIELDS.replace(',', '&includefield=')}",
        JAVA,
        (MARY,),
    ),
}


@pytest.mark.parametrize(("target", "headers", "found"), WEASIS.values(), ids=WEASIS)
def test_weasis_studies(
    gateway: Running, target: str, headers: str, found: Sequence[Study]
) -> None:
    """Its study queries find what they name, with each field that its tree of patients reads."""
    answer = replay(gateway.url, target, headers)
    assert 200 == answer.status
    assert study_uids(found) == studies_of(answer.json)
    for study, one in zip(found, answer.json, strict=True):
        for tag, text in (("00080020", study.date), ("00100020", study.patient_id)):
            assert [text] == one[tag]["Value"]


WEASIS_DOWN: dict[str, tuple[str, Sequence[Study]]] = {
    "a study's series": (
        f"/studies/{MARY.uid}/series?includefield=0008103E,00080060,0020000E,00200011,00081190",
        (MARY,),
    ),
    "series of all studies": (
        f"/series?0020000D={MICHAEL.uid}{WEASIS_FIELDS}{WEASIS_SERIES}",
        (MICHAEL,),
    ),
}


@pytest.mark.parametrize(("target", "studies"), WEASIS_DOWN.values(), ids=WEASIS_DOWN)
def test_weasis_series(gateway: Running, target: str, studies: Sequence[Study]) -> None:
    """Below a study it reads UID, number, modality and the address to retrieve from."""
    answer = replay(gateway.url, target, JAVA)
    assert series_uids(studies) == series_of(answer.json)
    for one in answer.json:
        assert one["00200011"]["Value"] and one["00080060"]["Value"]
        study, series = series_of([one])[0]
        assert [f"{gateway.url}/studies/{study}/series/{series}"] == one["00081190"]["Value"]


def test_weasis_opens_one_series(gateway: Running) -> None:
    """A series that is named brings its study and patient with it."""
    uid = MARY.series[1].uid
    target = f"/series?0020000E={uid}{WEASIS_FIELDS}{WEASIS_SERIES}"
    (one,) = replay(gateway.url, target, JAVA).json
    assert [(MARY.uid, uid)] == series_of([one])
    assert ["MRN002"] == one["00100020"]["Value"]
    assert [{"Alphabetic": MARY.name}] == one["00100010"]["Value"]


# --- 3D Slicer, by python dicomweb-client ---------------------------------------------------------

# It names the host without its port
REQUESTS = """User-Agent: python-requests/2.34.2
Accept-Encoding: gzip, deflate, br
Accept: application/dicom+json, application/json
Connection: keep-alive
Host: 127.0.0.1"""


def test_slicer_lists_studies(gateway: Running) -> None:
    """It pages by the number that came until nothing comes, and has every study once."""
    uids: list[str] = []
    while page := replay(gateway.url, f"/studies?limit=50&offset={len(uids)}", REQUESTS).json:
        uids += studies_of(page)
    assert study_uids(STUDIES) == uids


@pytest.mark.parametrize("study", [MICHAEL, TARO, UNDATED], ids=lambda study: study.uid)
def test_slicer_opens_a_study(gateway: Running, study: Study) -> None:
    """It reads the UID of each series without a guard."""
    answer = replay(gateway.url, f"/studies/{study.uid}/series", REQUESTS)
    uids = [series["0020000E"]["Value"][0] for series in answer.json]
    assert [series.uid for series in study.series] == uids


def test_addresses_for_a_client_that_forgets_the_port(gateway: Running) -> None:
    """Where a request names the host alone, RetrieveURL does too: `public_base_url` sets it."""
    (study,) = replay(gateway.url, f"/studies?StudyInstanceUID={MARY.uid}", REQUESTS).json
    assert [f"http://127.0.0.1/dicom-web/studies/{MARY.uid}"] == study["00081190"]["Value"]


PYTHON: dict[str, tuple[str, Sequence[Study]]] = {
    "star encoded": ("PatientName=%2Ajones%2A", (MICHAEL, MARY)),
    "space is a plus": ("PatientID=MRN+003", (JOSE,)),
    "fields repeated": (
        "StudyInstanceUID=1.2.826.1&includefield=PatientName&includefield=00080060",
        (MARY,),
    ),
    "fuzzymatching false": ("AccessionNumber=ACC002&fuzzymatching=false", (MARY,)),
    "fuzzymatching true": ("AccessionNumber=ACC002&fuzzymatching=true", (MARY,)),
    "behind the end": ("offset=1000", NOBODY),
}


@pytest.mark.parametrize(("query", "found"), PYTHON.values(), ids=PYTHON)
def test_python_encoding(gateway: Running, query: str, found: Sequence[Study]) -> None:
    """Values in the encoding of forms are read as they were meant."""
    answer = replay(gateway.url, f"/studies?{query}", REQUESTS)
    assert (200, study_uids(found)) == (answer.status, studies_of(answer.json))


# --- Google's DICOM adapter -----------------------------------------------------------------------

ADAPTER = "Accept: application/dicom+json\nAccept-Encoding: gzip\nUser-Agent: Apache-HttpClient"

GOOGLE: dict[str, tuple[str, Sequence[Study]]] = {
    "all": ("/studies?limit=5000&", STUDIES),
    "a field each": (
        "/studies?limit=5000&0020000D=1.2.826.1&includefield=00100010&includefield=00081030&",
        (MARY,),
    ),
    "a modality": ("/studies?limit=5000&00080061=MR&includefield=0020000D&", (MARY, TARO)),
    "a name": ("/studies?limit=5000&00100010=JONES%5EMARY&", (MARY,)),
}


@pytest.mark.parametrize(("target", "found"), GOOGLE.values(), ids=GOOGLE)
def test_google_adapter_studies(gateway: Running, target: str, found: Sequence[Study]) -> None:
    """Its queries with a trailing & find what they name."""
    answer = replay(gateway.url, target, ADAPTER)
    assert (200, study_uids(found)) == (answer.status, studies_of(answer.json))


@pytest.mark.parametrize("study", [MICHAEL, ROUTINE[7]], ids=lambda study: study.uid)
def test_google_adapter_series(gateway: Running, study: Study) -> None:
    """The study is a key of its relational search for series."""
    target = f"/series?limit=5000&0020000D={study.uid}&includefield=00080060&"
    answer = replay(gateway.url, target, ADAPTER)
    assert (200, series_uids([study])) == (answer.status, series_of(answer.json))


# --- dicomtrolley ---------------------------------------------------------------------------------

SESSION = """User-Agent: python-requests/2.34.2
Accept-Encoding: gzip, deflate, br
Accept: */*
Connection: keep-alive"""

TROLLEY: dict[str, tuple[str, Sequence[Study]]] = {
    "from a day on": ("StudyDate=20261117-", (MICHAEL, MARY, JOSE)),
    "up to a day": ("StudyDate=-20260101", (SMITH, *ROUTINE)),
    "includefield repeated": (
        "StudyDate=20260101-20260102&includefield=NumberOfStudyRelatedInstances"
        "&includefield=SeriesDescription",
        (SMITH,),
    ),
    "no match": ("AccessionNumber=NONE", NOBODY),
}


@pytest.mark.parametrize(("query", "found"), TROLLEY.values(), ids=TROLLEY)
def test_dicomtrolley(gateway: Running, query: str, found: Sequence[Study]) -> None:
    """Ranges that are open at one end and repeated fields are read."""
    answer = replay(gateway.url, f"/studies?{query}", SESSION)
    assert (200, study_uids(found)) == (answer.status, studies_of(answer.json))


# --- what many clients do -------------------------------------------------------------------------

QUIRKS: dict[str, tuple[str, str, Sequence[Study]]] = {
    "hexadecimal in lower case": ("0020000d=1.2.826.1", XHR, (MARY,)),
    "includefield all beside others": (
        "0020000D=1.2.826.1&includefield=all&includefield=00080060",
        XHR,
        (MARY,),
    ),
    "limit beyond the cap": ("limit=1000000", XHR, STUDIES),
    "empty keys": ("StudyDate=&PatientName=&ModalitiesInStudy=&StudyID=&limit=3", XHR, STUDIES[:3]),
    "no query after ?": ("", XHR, STUDIES),
    "TRUE in capitals": ("PatientID=MRN002&fuzzymatching=TRUE", XHR, (MARY,)),
    "includeField": ("PatientID=MRN002&includeField=00080060", XHR, (MARY,)),
    "unknown attributes": ("PatientID=MRN002&00091001=x&NoSuchKeyword=y", XHR, (MARY,)),
    "Accept */*": ("PatientID=MRN002", "Accept: */*", (MARY,)),
    "Accept application/json": ("PatientID=MRN002", "Accept: application/json", (MARY,)),
    "no Accept": ("PatientID=MRN002", "", (MARY,)),
    "letters outside ASCII, unencoded": ("PatientName=山田*", XHR, (TARO,)),
}


@pytest.mark.parametrize(("query", "headers", "found"), QUIRKS.values(), ids=QUIRKS)
def test_quirk(gateway: Running, query: str, headers: str, found: Sequence[Study]) -> None:
    """Habits that are harmless are accepted."""
    answer = replay(gateway.url, f"/studies?{query}", headers)
    assert (200, study_uids(found)) == (answer.status, studies_of(answer.json))


@pytest.mark.parametrize("kind", ["type=application/dicom+json", 'type="application/dicom+json"'])
def test_type_with_and_without_quotes(gateway: Running, kind: str) -> None:
    """Both forms of a media type's parameter are read."""
    answer = replay(gateway.url, "/studies?limit=1", f"Accept: application/dicom+json; {kind}")
    assert 200 == answer.status


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [19, 100, len(STUDIES) - 1, len(STUDIES)])
@pytest.mark.parametrize(
    ("target", "expected"),
    [("/studies", [(uid,) for uid in study_uids(STUDIES)]), ("/series", series_uids(STUDIES))],
    ids=["studies", "series"],
)
def test_pages(
    gateway: Running, target: str, expected: Sequence[tuple[str, ...]], size: int
) -> None:
    """The pages put together are the whole answer: nothing twice, nothing missing."""
    read = series_of if target == "/series" else lambda page: [(uid,) for uid in studies_of(page)]
    found: list[tuple[str, ...]] = []
    while page := replay(gateway.url, f"{target}?limit={size}&offset={len(found)}", XHR).json:
        assert len(page) <= size
        found += read(page)
    assert expected == found == read(replay(gateway.url, target, XHR).json)


def test_long_list_is_streamed(gateway: Running) -> None:
    """The list of all series is too long to be sent whole, so each client reads a stream too."""
    answer = replay(gateway.url, "/series", XHR)
    assert ["chunked"] == answer.all("transfer-encoding")
    assert len(series_uids(STUDIES)) == len(answer.json)


# --- what is not answered -------------------------------------------------------------------------

_SERIES = f"/studies/{MARY.uid}/series/{MARY.series[0].uid}"
_MULTIPART = "Accept: multipart/related; type="
NOT_THERE = {
    "OHIF: metadata of a series": (f"{_SERIES}/metadata", XHR),
    "OHIF: metadata of a study": (f"/studies/{MARY.uid}/metadata", XHR),
    "OHIF: frames": (
        f"{_SERIES}/instances/{MARY.uid}.1.1/frames/1",
        f"{_MULTIPART}application/octet-stream; transfer-syntax=*",
    ),
    "OHIF: thumbnail": (f"{_SERIES}/thumbnail?viewport=256%2C256", "Accept: image/jpeg"),
    "OHIF: rendered": (
        f"{_SERIES}/rendered?accept=image%2Fjpeg",
        f'{_MULTIPART}"application/octet-stream"',
    ),
    "OHIF: first instance": (f"{_SERIES}/instances?limit=1&includefield=00080018", XHR),
    "Weasis: instances of a series": (
        f"{_SERIES}/instances?includefield=00080018,00200013,00081190",
        "",
    ),
    "Weasis: one instance": ("/instances?00080018=1.2.826.1.1.1", ""),
    "Google's adapter: instances": ("/instances?limit=50000&0020000D=1.2.826.1&", ""),
}


@pytest.mark.parametrize(("target", "headers"), NOT_THERE.values(), ids=NOT_THERE)
def test_not_there(gateway: Running, target: str, headers: str) -> None:
    """What the gateway does not have is 404, also for a page of another origin."""
    answer = replay(gateway.url, target, headers + f"\nOrigin: {ORIGIN}")
    assert (404, ORIGIN) == (answer.status, answer.one("access-control-allow-origin"))
