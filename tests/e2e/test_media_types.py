"""Media types of answers, with the tools that users read them by."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from tests.e2e.running import Answer, Running, credentials, running
from tests.unit.nativemodel import dataset_of, faults

JSON, XML = "application/dicom+json", 'multipart/related; type="application/dicom+xml"'
LINES, CSV = "application/x-ndjson", "text/csv"
TYPES = (JSON, "application/json", XML, LINES, CSV)
CURL_CUT = 18  # curl's exit status for a body without its end

_STUDY = "/studies/1.3.6.1.4.1.5962.1.1.0.0.0.1194734704.16302.0.1"
_SCOUT = f"{_STUDY}/series/1.3.6.1.4.1.5962.1.1.0.0.0.1194734704.16302.0.2"
SEARCHES = {
    "studies": "/studies",
    "studies, names in many scripts": "/studies?PatientName=*%3D*&includefield=PatientSex",
    "studies, none": "/studies?PatientID=NOSUCH",
    "series": "/series",
    "series, with details": f"{_STUDY}/series?includefield=SeriesDescription,SeriesDate,00080031",
    "series, with sequences": "/series?Modality=CT,MR&includefield=RequestAttributesSequence",
    "instances": "/instances?limit=40",
    "instances of a study": f"{_STUDY}/instances?includefield=ImageType,00200032,WindowCenter",
    "instances of a series": f"{_SCOUT}/instances",
    "instances, with sequences": "/instances?Modality=SR&includefield=ContentSequence",
    "instances, with bytes": "/instances?Modality=OT&includefield=00281201,00281101&limit=30",
}
WHOLE = {
    "everything of instances": "/instances?includefield=all&StudyDate=20030101-",
    "everything of a series": f"{_SCOUT}/instances?includefield=all",
}


def curl(url: str, folder: Path, *arguments: str) -> Answer:
    """The answer to `curl ARGUMENTS URL`; curl itself must succeed."""
    headers, body = folder / "headers", folder / "body"
    body.unlink(missing_ok=True)
    command = ["curl", "-sS", "-g", "-D", str(headers), "-o", str(body), *arguments, url]
    subprocess.run(command, check=True, timeout=60)
    status, *lines = headers.read_text("latin-1").strip().splitlines()
    fields = [line.partition(":") for line in lines]
    return Answer(
        int(status.split()[1]),
        [(name.lower(), value.strip()) for name, _, value in fields],
        # With --head curl writes the header there too, and what comes behind it
        body.read_bytes().removeprefix(headers.read_bytes()) if body.exists() else b"",
    )


def asked(demo: Running, folder: Path, target: str, accept: str, *arguments: str) -> Answer:
    """The answer in the media type `accept`, which it must have."""
    answer = curl(demo.url + target, folder, "-H", f"Accept: {accept}", *arguments)
    assert 200 == answer.status
    assert accept.partition(";")[0] == answer.one("content-type").partition(";")[0]
    return answer


def parts_of(answer: Answer) -> list[bytes]:
    """The parts of a multipart answer, by Python's own reader; without a part there is nothing."""
    head = f"Content-Type: {answer.one('content-type')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.body, policy=email.policy.HTTP)
    if not message.is_multipart():
        return []
    parts: list[Any] = list(message.iter_parts())
    assert {"application/dicom+xml"} == {part.get_content_type() for part in parts}
    return [part.get_payload(decode=True) for part in parts]


def short_names(found: dict[str, Any]) -> dict[str, Any]:
    """A name without the delimiters of empty components, of which XML has none (PS3.5 §6.2.1.1)."""
    if found.keys() & {"Alphabetic", "Ideographic", "Phonetic"}:
        return {group: text.rstrip("^") for group, text in found.items()}
    return found


def cell_of(attribute: dict[str, Any]) -> str:
    """What the cell of a DICOM JSON attribute holds, before a spreadsheet is thought of."""
    values = attribute.get("Value", [])
    if attribute["vr"] == "SQ":
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")) if values else ""
    if attribute["vr"] == "PN":
        groups = ("Alphabetic", "Ideographic", "Phonetic")
        values = ["=".join(name.get(group, "") for group in groups).rstrip("=") for name in values]
    joined = "\\".join("" if value is None else str(value) for value in values)
    return str(attribute.get("InlineBinary", joined))


def shown(attribute: dict[str, Any], cell: str) -> str:
    """The cell without the apostrophe that keeps spreadsheets from taking it for a formula."""
    is_number = attribute["vr"] in ("DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV")
    return cell if is_number else cell.removeprefix("'")


# --- the same answer in each ----------------------------------------------------------------------


@pytest.mark.parametrize("target", [*SEARCHES.values(), *WHOLE.values()], ids=[*SEARCHES, *WHOLE])
def test_xml(demo: Running, tmp_path: Path, target: str) -> None:
    """Each part is a document of the Native DICOM Model with the values of the JSON object."""
    results = json.loads(asked(demo, tmp_path, target, JSON).body, object_hook=short_names)
    parts = parts_of(asked(demo, tmp_path, target, XML))
    assert [[]] * len(results) == [faults(part) for part in parts]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are odd in the files too
        assert [Dataset.from_json(one) for one in results] == [dataset_of(part) for part in parts]


@pytest.mark.parametrize("target", [*SEARCHES.values(), *WHOLE.values()], ids=[*SEARCHES, *WHOLE])
def test_lines(demo: Running, tmp_path: Path, target: str) -> None:
    """Each line but the last is the JSON object in its place; the last one counts them."""
    results = asked(demo, tmp_path, target, JSON).json
    *lines, last = asked(demo, tmp_path, target, LINES).body.decode().splitlines()
    assert results == [json.loads(line) for line in lines]
    assert (True, len(results)) == (json.loads(last)["complete"], json.loads(last)["count"])


@pytest.mark.parametrize("target", SEARCHES.values(), ids=SEARCHES)
def test_table(demo: Running, tmp_path: Path, target: str) -> None:
    """Python's csv module reads the values of the JSON object in each row, under their keywords."""
    results = asked(demo, tmp_path, target, JSON).json
    text = asked(demo, tmp_path, target, CSV).body.decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(results) == len(rows)
    for one, row in zip(results, rows, strict=True):
        by_keyword = {keyword_for_tag(tag): attribute for tag, attribute in one.items()}
        assert {name: cell_of(attribute) for name, attribute in by_keyword.items()} == {
            name: shown(attribute, row[name]) for name, attribute in by_keyword.items()
        }
        assert not any(cell for name, cell in row.items() if name not in by_keyword)


@pytest.mark.parametrize("target", WHOLE.values(), ids=WHOLE)
def test_no_table_of_everything(demo: Running, tmp_path: Path, target: str) -> None:
    """All attributes of instances have no fixed columns: the request is refused."""
    answer = curl(demo.url + target, tmp_path, "-H", f"Accept: {CSV}")
    assert (400, "application/problem+json") == (answer.status, answer.one("content-type"))


# --- how it is asked for --------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/studies", f"{_STUDY}/series", f"{_SCOUT}/instances"])
@pytest.mark.parametrize("accept", TYPES)
def test_head(demo: Running, tmp_path: Path, accept: str, target: str) -> None:
    """HEAD has the header of GET, and no body."""
    got = asked(demo, tmp_path, target, accept)
    headed = asked(demo, tmp_path, target, accept, "--head")
    names = ("content-type", "content-length", "etag", "vary", "cache-control")
    assert b"" == headed.body
    assert [got.all(name) for name in names] == [headed.all(name) for name in names]


@pytest.mark.parametrize("accept", TYPES)
def test_accept_parameter(demo: Running, tmp_path: Path, accept: str) -> None:
    """A link in a browser can name the media type, against what the browser accepts."""
    expected = asked(demo, tmp_path, "/studies", accept)
    answer = curl(
        f"{demo.url}/studies", tmp_path, "-G", "--data-urlencode", f"accept={accept}",
        "-H", "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
    )  # fmt: skip
    assert (200, expected.one("content-type")) == (answer.status, answer.one("content-type"))
    assert expected.body == answer.body


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("text/csv;q=0.5, application/x-ndjson;q=0.9", LINES, id="the highest q"),
        pytest.param("text/*", CSV, id="a family"),
        pytest.param("application/dicom+xml", XML, id="XML by itself"),
        pytest.param("*/*, application/json;q=0", JSON, id="one excluded"),
    ],
)
def test_negotiated(demo: Running, tmp_path: Path, accept: str, expected: str) -> None:
    """The Accept header chooses."""
    answer = curl(f"{demo.url}/studies?limit=1", tmp_path, "-H", f"Accept: {accept}")
    assert expected.partition(";")[0] == answer.one("content-type").partition(";")[0]


def test_not_acceptable(demo: Running, tmp_path: Path) -> None:
    """What is not offered is refused with the list of what is."""
    answer = curl(f"{demo.url}/instances?limit=1", tmp_path, "-H", "Accept: application/dicom")
    assert (406, "application/problem+json") == (answer.status, answer.one("content-type"))
    for name in ("application/dicom+json", "application/dicom+xml", LINES, CSV):
        assert name in answer.json["detail"]


@pytest.mark.parametrize("accept", TYPES)
def test_compressed(demo: Running, tmp_path: Path, accept: str) -> None:
    """curl unpacks the same bytes from a compressed answer."""
    plain = asked(demo, tmp_path, "/studies", accept)
    packed = asked(demo, tmp_path, "/studies", accept, "--compressed")
    assert packed.one("content-encoding") in ("gzip", "br", "zstd")
    assert plain.body == packed.body


# --- line by line ---------------------------------------------------------------------------------


def read_lines(url: str, *arguments: str) -> tuple[int, Sequence[str], bool]:
    """curl's exit status, the lines that it wrote, and whether the first came before the end."""
    command = ["curl", "-sSN", "-H", f"Accept: {LINES}", *arguments, url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as reader:
        assert reader.stdout is not None
        first = reader.stdout.readline()
        came_early = reader.poll() is None
        lines = [first, *reader.stdout]
    return reader.returncode, lines, came_early


@pytest.mark.parametrize("arguments", [(), ("--compressed",)], ids=["plain", "compressed"])
def test_lines_arrive_one_by_one(gateway: Running, arguments: Sequence[str]) -> None:
    """The first result is there while the search still runs, in a compressed answer too."""
    status, lines, came_early = read_lines(f"{gateway.url}/studies", *arguments)
    *results, last = map(json.loads, lines)
    assert (0, True) == (status, came_early)
    uids = [one["0020000D"]["Value"][0] for one in results]
    assert 1000 == len(uids) == len(set(uids))
    assert {"complete": True, "count": 1000} == {key: last[key] for key in ("complete", "count")}
    assert "additional results" in last["warnings"][0]


def test_lines_that_are_cut(folder: Path, emulator: Running) -> None:
    """Past the budget the last line is missing, and curl itself knows that the body has no end."""
    env = {**credentials(emulator.url), "QIDO_GATEWAY_SCAN_BUDGET_CALLS": "5"}
    with running(folder, "serve", "--port", "0", env=env) as narrow:
        status, lines, _ = read_lines(f"{narrow.url}/studies")
    assert CURL_CUT == status
    assert lines
    assert not any("complete" in json.loads(line) for line in lines)
