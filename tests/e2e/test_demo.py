"""The demo, asked by clients as users have them, over real DICOM files."""

from __future__ import annotations

import gzip
from typing import Any
from urllib.parse import quote

import pytest
from dicomweb_client.api import DICOMwebClient

from tests.e2e.bundled import Study, bundled_studies
from tests.e2e.running import Running, ask

TAGS = {
    "StudyDate": "00080020",
    "StudyTime": "00080030",
    "AccessionNumber": "00080050",
    "StudyDescription": "00081030",
    "PatientID": "00100020",
    "PatientBirthDate": "00100030",
    "PatientSex": "00100040",
    "StudyID": "00200010",
}
STUDY_UID, SERIES_UID = "0020000D", "0020000E"


@pytest.fixture(scope="module")
def client(demo: Running) -> DICOMwebClient:
    """The client that many Python programs use."""
    return DICOMwebClient(url=demo.url)


@pytest.fixture(scope="module")
def studies(client: DICOMwebClient) -> dict[str, dict[str, Any]]:
    """Every study of the demo, by its UID."""
    found = client.search_for_studies()
    by_uid = {study[STUDY_UID]["Value"][0]: study for study in found}
    assert len(by_uid) == len(found)
    return by_uid


# --- every bundled study --------------------------------------------------------------------------


def test_every_study_is_there(studies: dict[str, dict[str, Any]]) -> None:
    """The demo has each study of the bundled files, and no other."""
    assert set(bundled_studies()) == set(studies)


@pytest.mark.parametrize("uid", sorted(bundled_studies()), ids=lambda uid: uid[-12:])
def test_study_is_as_pydicom_reads_it(studies: dict[str, dict[str, Any]], uid: str) -> None:
    """Names in all groups, texts, dates, modalities and counts are those of the files."""
    answered = studies[uid]
    assert _expected(bundled_studies()[uid]) == {
        "name": answered["00100010"].get("Value", [{}])[0],
        "texts": {keyword: answered[tag].get("Value", []) for keyword, tag in TAGS.items()},
        "modalities": answered.get("00080061", {"Value": []})["Value"],
        "series": answered["00201206"]["Value"],
        "instances": answered["00201208"]["Value"],
    }


def _expected(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "texts": study.texts,
        "modalities": study.modalities,
        "series": [len(study.series)],
        "instances": [study.number_of_instances],
    }


def test_newest_study_first(studies: dict[str, dict[str, Any]]) -> None:
    """Studies come by StudyDate, newest first, those without one at the end."""
    dates = [study["00080020"].get("Value", [""])[0] for study in studies.values()]
    real = [date if date.isdigit() else "" for date in dates]
    assert sorted(real, reverse=True) == real


@pytest.mark.parametrize(
    "uid",
    sorted(uid for uid, study in bundled_studies().items() if len(study.series) > 1),
    ids=lambda uid: uid[-12:],
)
def test_series_are_as_pydicom_reads_them(client: DICOMwebClient, uid: str) -> None:
    """A study's series come by SeriesNumber, with modality and number of instances."""
    series = bundled_studies()[uid].series.values()
    ordered = sorted(series, key=lambda s: (s.number is None, s.number, s.uid))
    expected = [(s.uid, s.number, s.modality, len(s.instances)) for s in ordered]
    assert expected == [
        tuple(found[tag]["Value"][0] for tag in (SERIES_UID, "00200011", "00080060", "00201209"))
        for found in client.search_for_series(uid)
    ]


# --- names in many scripts ------------------------------------------------------------------------

NAMES = {
    "山田*": "山田",
    "Διον*": "Διον",
    "yamada*": "Yamada",
    "*nobody*": "",
    "Люк*": "Люк",
    "*jerome*": "Jérôme",
    "DOE, PETER": "Doe^Peter",
    "김희*": "김희",
}


@pytest.mark.parametrize(("key", "part"), NAMES.items())
def test_name_finds_its_studies(client: DICOMwebClient, key: str, part: str) -> None:
    """A wild card in any script finds the studies that have the name in any group."""
    found = client.search_for_studies(search_filters={"PatientName": key})
    expected = {
        uid
        for uid, study in bundled_studies().items()
        if part and any(part in group for group in study.name.values())
    }
    assert expected == {study[STUDY_UID]["Value"][0] for study in found}
    assert bool(part) == bool(found)


# --- clients' ways --------------------------------------------------------------------------------


def test_get_remaining(client: DICOMwebClient, studies: dict[str, dict[str, Any]]) -> None:
    """dicomweb-client's own paging ends, and gives every study once."""
    found = client.search_for_studies(limit=5, get_remaining=True)
    assert list(studies) == [study[STUDY_UID]["Value"][0] for study in found]


def test_slicers_loop(client: DICOMwebClient, studies: dict[str, dict[str, Any]]) -> None:
    """3D Slicer pages until nothing comes, then reads each series' UID without a guard."""
    offset, uids = 0, []
    while page := client.search_for_studies(offset=offset, limit=16):
        uids += [study[STUDY_UID]["Value"][0] for study in page]
        offset += len(page)
    assert list(studies) == uids
    for uid in uids:
        series = [s[SERIES_UID]["Value"][0] for s in client.search_for_series(uid)]
        assert set(bundled_studies()[uid].series) == set(series)


def test_series_of_all_studies(client: DICOMwebClient) -> None:
    """The relational search has each series once, by the order of the studies."""
    found = client.search_for_series()
    uids = [(s[STUDY_UID]["Value"][0], s[SERIES_UID]["Value"][0]) for s in found]
    expected = {
        (uid, series) for uid, study in bundled_studies().items() for series in study.series
    }
    assert len(expected) == len(uids)
    assert expected == set(uids)
    study_uids = [study_uid for study_uid, _ in uids]
    assert list(dict.fromkeys(study_uids)) == [
        uid for i, uid in enumerate(study_uids) if i == 0 or study_uids[i - 1] != uid
    ]


OHIF = {"Accept": "application/dicom+json"}
LIST = (
    "limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060%2C00080090%2C00100030"
)
QUESTIONS = {
    "list": ("", 42),
    "name": ("PatientName=*doe*&", 6),
    "name with a caret": ("PatientName=*doe%5Epeter*&", 4),
    "MRN, by tag": ("00100020=*77654*&", 2),
    "accession": ("AccessionNumber=*NOSUCH*&", 0),
    "description": ("StudyDescription=*e*&", None),
    "modality": ("ModalitiesInStudy=MR&", None),
    "two modalities": ("ModalitiesInStudy=CT%2CMR&", None),
    "both dates": ("StudyDate=20030101-20031231&", None),
    "end date only": ("StudyDate=19700102-20011231&", None),
    "doubled wild cards": ("PatientName=*doe**&", 6),
}


@pytest.mark.parametrize(("key", "number"), QUESTIONS.values(), ids=QUESTIONS)
def test_ohif_study_list(demo: Running, key: str, number: int | None) -> None:
    """OHIF's questions are answered without an error, with what its list reads."""
    answer = ask(f"{demo.url}/studies?{key}{LIST}", OHIF)
    assert 200 == answer.status
    assert "application/dicom+json" == answer.one("content-type")
    for study in answer.json:
        assert study[STUDY_UID]["Value"][0]
        assert {"00080020", "00080030", "00080050", "00081030", "00201208"} <= study.keys()
        assert "00080060" not in study  # OHIF would merge it with the modalities
        assert study.get("00080061", {"Value": ["none"]})["Value"]  # an empty one kills the list
        assert None not in study["00100010"].get("Value", [])
    if number is not None:
        assert number == len(answer.json)
    else:
        assert answer.json


def test_ohif_dates_and_modalities(demo: Running) -> None:
    """The filters of OHIF's list let through what the files say, and nothing else."""
    dated = ask(f"{demo.url}/studies?{LIST}&StudyDate=20030101-20031231", OHIF).json
    either = ask(f"{demo.url}/studies?ModalitiesInStudy=CT%2CMR&{LIST}", OHIF).json
    studies = bundled_studies().values()
    of_2003 = {s.uid for s in studies if any(d.startswith("2003") for d in s.texts["StudyDate"])}
    scans = {s.uid for s in studies if {"CT", "MR"} & set(s.modalities)}
    assert of_2003 == {study[STUDY_UID]["Value"][0] for study in dated}
    assert scans == {study[STUDY_UID]["Value"][0] for study in either}


def test_ohif_opens_a_study(demo: Running) -> None:
    """What OHIF asks when a row is clicked and opened: series twice, the study, its priors."""
    uid = next(uid for uid, study in bundled_studies().items() if len(study.series) == 3)
    series = f"{demo.url}/studies/{uid}/series?includefield="
    clicked = ask(series + "0008103E%2C00080021", OHIF)
    opened = ask(series + "00080021,00080031,0008103E,00200011", OHIF)
    study = ask(f"{demo.url}/studies?{LIST}&StudyInstanceUID={uid}", OHIF)
    patient = study.json[0]["00100020"]["Value"][0]
    priors = ask(f"{demo.url}/studies?00100020={quote(patient)}&{LIST}", OHIF)
    assert [200] * 4 == [a.status for a in (clicked, opened, study, priors)]
    assert 3 == len(clicked.json) == len(opened.json)
    for one in clicked.json:
        assert uid == one[STUDY_UID]["Value"][0]
        for tag in (SERIES_UID, "00080060", "00200011", "00201209"):
            assert one[tag]["Value"][0] is not None
    assert uid in [prior[STUDY_UID]["Value"][0] for prior in priors.json]


def test_weasis(demo: Running) -> None:
    """Weasis' habit of an empty first parameter, with several modalities."""
    target = f"{demo.url}/studies?&includefield=00081030&limit=10&offset=0&00080061=CT,MR"
    assert 10 == len(ask(target).json)


# --- over HTTP ------------------------------------------------------------------------------------


def test_cors_on_answers_and_errors(demo: Running) -> None:
    """A page of another origin can read answers, and errors too."""
    headers = {"Origin": "https://viewer.example.org"}
    for target, status in (("/studies?limit=1", 200), ("/studies?limit=x", 400), ("/nothing", 404)):
        answer = ask(demo.url + target, headers)
        assert status == answer.status
        assert "*" == answer.one("access-control-allow-origin")
        exposed = answer.one("access-control-expose-headers").lower()
        assert "warning" in exposed


def test_preflight(demo: Running) -> None:
    """A browser's question before its request is answered, for the headers that viewers send."""
    headers = {
        "Origin": "https://viewer.example.org",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization, accept",
    }
    answer = ask(f"{demo.url}/studies?PatientName=DOE*", headers, "OPTIONS")
    assert 200 == answer.status
    assert "*" == answer.one("access-control-allow-origin")
    assert "GET" in answer.one("access-control-allow-methods")
    assert "authorization" in answer.one("access-control-allow-headers").lower()


def test_request_id(demo: Running) -> None:
    """A client's request id comes back; one that could not stand in a log is replaced."""
    assert "viewer-7" == ask(f"{demo.url}/studies", {"X-Request-ID": "viewer-7"}).one(
        "x-request-id"
    )
    new = ask(f"{demo.url}/studies?limit=x", {"X-Request-ID": "DOE^JANE 1"}).one("x-request-id")
    assert new.isalnum()


def test_head(demo: Running) -> None:
    """HEAD is GET without the body."""
    got, headed = ask(f"{demo.url}/studies"), ask(f"{demo.url}/studies", method="HEAD")
    assert b"" == headed.body
    assert got.one("content-length") == headed.one("content-length")
    assert got.one("etag") == headed.one("etag")


@pytest.mark.parametrize("length", [9_000, 70_000, 300_000])
def test_uri_too_long(demo: Running, length: int) -> None:
    """A URI that is too long is 414, also one that the parser of URIs can't read."""
    assert 414 == ask(f"{demo.url}/studies?" + "a" * length).status


def test_forms_of_a_request(demo: Running) -> None:
    """Slashes too many, and OPTIONS, are answered as they are meant."""
    assert ask(f"{demo.url}//studies/").body == ask(f"{demo.url}/studies").body
    assert "GET, HEAD, OPTIONS" == ask(f"{demo.url}/studies", method="OPTIONS").one("allow")
    assert 3 <= len(ask(f"{demo.url}/", method="OPTIONS").json["resources"])


def test_compressed(demo: Running) -> None:
    """A client that accepts gzip gets the same answer within it."""
    answer = ask(f"{demo.url}/studies", {"Accept-Encoding": "gzip"})
    assert "gzip" == answer.one("content-encoding")
    assert ask(f"{demo.url}/studies").body == gzip.decompress(answer.body)


def test_documents(demo: Running) -> None:
    """The OpenAPI document and its page stand beside the base URL."""
    base = demo.url.removesuffix("/dicom-web")
    assert ask(f"{base}/openapi.yaml").body.startswith(b"openapi: 3.1")
    assert b"<h2>/dicom-web/studies</h2>" in ask(f"{base}/docs").body


def test_health(demo: Running) -> None:
    """The process says that it lives and is ready."""
    base = demo.url.removesuffix("/dicom-web")
    assert [200, 200] == [ask(f"{base}/{name}").status for name in ("healthz", "readyz")]


def test_log_holds_no_patient_data(demo: Running) -> None:
    """Whatever is asked, the demo's stderr has no name, date, UID or path of it."""
    uid = "1.2.826.0.1.3680043.8.498.98765"
    targets = (
        "/studies?PatientName=SENTINEL%5EJANE*&00100020=SENTINEL1&StudyDate=19310317",
        "/studies?SENTINEL3=1&includefield=SENTINEL4",
        "/studies?limit=SENTINEL5",
        f"/studies/{uid}/series",
        f"/studies/{uid}/series?StudyInstanceUID=SENTINEL6",
        "/studies/SENTINEL7/series",
        "/SENTINEL8",
        "/studies?" + "PatientName=SENTINEL9&" * 500,
    )
    answers = [
        ask(demo.url + t, {"X-Request-ID": f"silent-{n}", "Accept": "SENTINEL10/x, */*"})
        for n, t in enumerate(targets)
    ]
    assert [200, 200, 400, 200, 400, 400, 404, 414] == [answer.status for answer in answers]
    for number in range(len(targets)):
        demo.request(f"silent-{number}")
    spoken = demo.errors + "".join(a.body.decode() for a in answers if a.status != 200)
    studies = bundled_studies()
    names = {name for study in studies.values() for name in study.name.values()}
    for word in ("SENTINEL", "JANE", "19310317", uid, *studies, *names):
        assert word not in spoken
