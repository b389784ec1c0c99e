"""The requests of viewers and tools, replayed byte by byte, and judged by what each reads.

The queries and header lines are those that they send; of the values only UIDs and words are those
of the archive here. OHIF has a module of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.clients.reading import read_attributes
from tests.clients.sent import ADAPTER, JAVA, PYTHON, SESSION, WEASIS_SERIES, XHR
from tests.clients.viewed import (
    JOSE,
    MARY,
    MICHAEL,
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

# All of these but IssuerOfPatientID are known
WEASIS = (
    "&includefield=00080020,00080030,00080050,00080061,00080090,00081030,"
    "00100010,00100020,00100021,00100030,00100040,0020000D,00200010"
)
PATIENT = {"00080020", "00080030", "00080050", "00100010", "00100020", "00100030", "00100040"}


# --- studies --------------------------------------------------------------------------------------

STUDIES_OF: dict[str, tuple[str, str, Sequence[Study]]] = {
    "Weasis, first page": (f"?{WEASIS}&limit=10&offset=0", JAVA, STUDIES[:10]),
    "Weasis, second page": (f"?{WEASIS}&limit=10&offset=10", JAVA, STUDIES[10:20]),
    "Weasis, PatientID": (f"?00100020=MRN+003{WEASIS}", JAVA, (JOSE,)),
    "Weasis, PatientID and issuer": (f"?00100020=MRN002&00100021=CLINIC{WEASIS}", XHR, (MARY,)),
    "Weasis, StudyInstanceUID": (f"?0020000D={MARY.uid}{WEASIS}", JAVA, (MARY,)),
    "Weasis, AccessionNumber": (f"?00080050=ACC004{WEASIS}", JAVA, (TARO,)),
    "Weasis, modalities": (
        f"?{WEASIS}&limit=10&offset=0&00080061=CT%2CXA",
        JAVA,
        (MICHAEL, JOSE, SMITH),
    ),
    "Weasis, one includefield each": (
        f"?0020000D={MARY.uid}{WEASIS.replace(',', '&includefield=')}",
        JAVA,
        (MARY,),
    ),
    "dicomweb-client, star encoded": ("?PatientName=%2Ajones%2A", PYTHON, (MICHAEL, MARY)),
    "dicomweb-client, space is a plus": ("?PatientID=MRN+003", PYTHON, (JOSE,)),
    "dicomweb-client, fields repeated": (
        "?StudyInstanceUID=1.2.826.1&includefield=PatientName&includefield=00080060",
        PYTHON,
        (MARY,),
    ),
    "dicomweb-client, fuzzymatching": (
        "?AccessionNumber=ACC002&fuzzymatching=true",
        PYTHON,
        (MARY,),
    ),
    "dicomweb-client, no fuzzymatching": (
        "?AccessionNumber=ACC002&fuzzymatching=false",
        PYTHON,
        (MARY,),
    ),
    "dicomweb-client, behind the end": ("?offset=1000", PYTHON, NOBODY),
    "Google's adapter, all": ("?limit=5000&", ADAPTER, STUDIES),
    "Google's adapter, a field each": (
        "?limit=5000&0020000D=1.2.826.1&includefield=00100010&includefield=00081030&",
        ADAPTER,
        (MARY,),
    ),
    "Google's adapter, a modality": (
        "?limit=5000&00080061=MR&includefield=0020000D&",
        ADAPTER,
        (MARY, TARO),
    ),
    "Google's adapter, a name": ("?limit=5000&00100010=JONES%5EMARY&", ADAPTER, (MARY,)),
    "dicomtrolley, from a day on": ("?StudyDate=20261117-", SESSION, (MICHAEL, MARY, JOSE)),
    "dicomtrolley, up to a day": ("?StudyDate=-20260101", SESSION, (SMITH, *ROUTINE)),
    "dicomtrolley, fields repeated": (
        "?StudyDate=20260101-20260102&includefield=PatientSex&includefield=SeriesDescription",
        SESSION,
        (SMITH,),
    ),
    "dicomtrolley, no match": ("?AccessionNumber=NONE", SESSION, NOBODY),
    "any, hexadecimal in lower case": ("?0020000d=1.2.826.1", XHR, (MARY,)),
    "any, includefield all beside others": (
        "?0020000D=1.2.826.1&includefield=all&includefield=00080060",
        XHR,
        (MARY,),
    ),
    "any, limit beyond the cap": ("?limit=1000000", XHR, STUDIES),
    "any, empty keys": ("?StudyDate=&PatientName=&StudyID=&limit=3", XHR, STUDIES[:3]),
    "any, an empty query": ("?", XHR, STUDIES),
    "any, TRUE in capitals": ("?PatientID=MRN002&fuzzymatching=TRUE", XHR, (MARY,)),
    "any, includeField": ("?PatientID=MRN002&includeField=00080060", XHR, (MARY,)),
    "any, unknown attributes": ("?PatientID=MRN002&00091001=x&NoSuchKey=y", XHR, (MARY,)),
    "any, Accept */*": ("?PatientID=MRN002", "Accept: */*", (MARY,)),
    "any, Accept application/json": ("?PatientID=MRN002", "Accept: application/json", (MARY,)),
    "any, no Accept": ("?PatientID=MRN002", "", (MARY,)),
    "any, type without quotes": (
        "?PatientID=MRN002",
        "Accept: application/dicom+json; type=application/dicom+json",
        (MARY,),
    ),
    "any, type in quotes": (
        "?PatientID=MRN002",
        'Accept: application/dicom+json; type="application/dicom+json"',
        (MARY,),
    ),
    "any, letters unencoded": ("?PatientName=山田*", XHR, (TARO,)),
}


@pytest.mark.parametrize(("query", "headers", "found"), STUDIES_OF.values(), ids=STUDIES_OF)
def test_studies(gateway: Running, query: str, headers: str, found: Sequence[Study]) -> None:
    """The studies that are meant, in their order, with what a patient's list is built of."""
    answer = replay(gateway.url, f"/studies{query}", headers)
    assert (200, study_uids(found)) == (answer.status, studies_of(answer.json))
    read_attributes(answer.json, PATIENT)


# --- series ---------------------------------------------------------------------------------------

OF_MARY = f"/studies/{MARY.uid}/series"
SERIES_OF: dict[str, tuple[str, str, Sequence[tuple[str, str]], set[str]]] = {
    "Weasis, of a study": (
        f"{OF_MARY}?includefield=0008103E,00080060,0020000E,00200011,00081190",
        JAVA,
        series_uids([MARY]),
        {"0008103E", "00080060", "0020000E", "00200011", "00081190"},
    ),
    "Weasis, one with its patient": (
        f"/series?0020000E={MARY.series[1].uid}{WEASIS},{WEASIS_SERIES}",
        JAVA,
        series_uids([MARY])[1:2],
        PATIENT | {"0008103E", "00080060", "00081190", "00200011", "0020000D"},
    ),
    "Slicer, of a study": (OF_MARY, PYTHON, series_uids([MARY]), {"0020000E"}),
    "Slicer, of an undated study": (
        f"/studies/{UNDATED.uid}/series",
        PYTHON,
        series_uids([UNDATED]),
        {"0020000E"},
    ),
    "Google's adapter, of a study": (
        f"/series?limit=5000&0020000D={MICHAEL.uid}&includefield=00080060&",
        ADAPTER,
        series_uids([MICHAEL]),
        {"00080060"},
    ),
    "Google's adapter, all": ("/series?limit=5000&", ADAPTER, series_uids(STUDIES), set()),
    "dicomtrolley, relational": (
        "/series?PatientName=jones%2A&includefield=BodyPartExamined",
        SESSION,
        series_uids([MICHAEL, MARY]),
        {"00180015"},
    ),
}


@pytest.mark.parametrize(("target", "headers", "found", "tags"), SERIES_OF.values(), ids=SERIES_OF)
def test_series(
    gateway: Running,
    target: str,
    headers: str,
    found: Sequence[tuple[str, str]],
    tags: set[str],
) -> None:
    """The series that are meant, in their order, with what the client looks for in each."""
    answer = replay(gateway.url, target, headers)
    assert (200, found) == (answer.status, series_of(answer.json))
    read_attributes(answer.json, tags)


@pytest.mark.parametrize(
    ("headers", "base_url"),
    [(JAVA, "{}"), (PYTHON, "http://127.0.0.1/dicom-web")],
    ids=["Weasis", "dicomweb-client, which forgets the port"],
)
def test_retrieve_url(gateway: Running, headers: str, base_url: str) -> None:
    """The address to retrieve from is below the one that the client says it asks."""
    first = replay(gateway.url, OF_MARY, headers).json[0]
    address = f"/studies/{MARY.uid}/series/{MARY.series[0].uid}"
    assert [base_url.format(gateway.url) + address] == first["00081190"]["Value"]


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
