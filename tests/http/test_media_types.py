"""Media types of search results, through the ASGI application."""

from __future__ import annotations

import asyncio
import csv
import email
import email.policy
import io
import json
from itertools import pairwise
from typing import Any

import pydicom
import pytest

from gateway.errors import QueryError, UpstreamUnavailableError
from gateway.qido.attributes import Level, Resource
from gateway.qido.query import Query
from gateway.qido.result import Result
from gateway.server.routes import ServerOptions
from gateway.server.searches import Limits, RunningSearch, retrieve_url
from tests.building import service_over
from tests.http.driver import Answer, ask
from tests.http.test_compression import PART, WHOLE
from tests.http.upstream import ListedCalls, app_over, image_set
from tests.unit.nativemodel import dataset_of, faults

STUDIES = "/dicom-web/studies"
JSON, XML = "application/dicom+json", 'multipart/related; type="application/dicom+xml"'
LINES, CSV = "application/x-ndjson", "text/csv"
ODD = [
    image_set(
        1, DICOMPatientName="Yamada^Tarou=山田^太郎=やまだ^たろう", DICOMStudyDescription="A\\\\B"
    ),
    image_set(2, DICOMPatientName="=山田^太郎", DICOMPatientId="=1+1", DICOMAccessionNumber="'"),
    image_set(3, DICOMPatientName="DOE^^^DR", DICOMPatientId="-5", DICOMSeriesNumber=-5),
    image_set(
        4, DICOMPatientId='a,"b"\\c', DICOMStudyDescription="--result\t<&>", DICOMStudyId="@"
    ),
    image_set(5, DICOMPatientName="", DICOMStudyTime="", DICOMPatientBirthDate="unknown"),
]
MANY = [
    image_set(n, date=f"2020{12 - n // 200:02}01", DICOMStudyDescription="HEAD " * 50)
    for n in range(1, 2001)
]
QUERIES = [
    "/studies",
    "/series",
    "/series?includefield=BodyPartExamined,00080090",
    "/studies/1.2.4/series",
    "/studies?PatientID=NONE",
    "/studies?includefield=StudyDescription&limit=2",
]
LAST = {"complete": True, "count": 0, "remaining": 0, "warnings": []}


async def asked(query: str, accept: str, sets: Any = ODD, **how: Any) -> Answer:
    """The answer of the gateway over `sets` in a media type."""
    return await ask(app_over(ListedCalls(sets)), f"/dicom-web{query}",
                     headers={"accept": accept}, **how)  # fmt: skip


def parts_of(answer: Answer) -> list[bytes]:
    """The parts of a multipart answer, by Python's own reader."""
    head = f"Content-Type: {answer.one('content-type')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.body, policy=email.policy.HTTP)
    assert (True, []) == (message.is_multipart(), message.defects)
    parts: list[Any] = list(message.iter_parts())
    assert all("application/dicom+xml" == part.get_content_type() for part in parts)
    return [part.get_payload(decode=True) for part in parts]


def rows_of(answer: Answer) -> list[dict[str, str]]:
    """The rows of a CSV answer by their keywords, each cell without its leading apostrophe."""
    rows = csv.DictReader(io.StringIO(answer.body.decode(), newline=""))
    return [{name: cell.removeprefix("'") for name, cell in row.items()} for row in rows]


def cell_of(one: dict[str, Any]) -> str:
    """What the cell of a DICOM JSON attribute holds."""
    values = one.get("Value", [])
    if one["vr"] == "PN":
        groups = ("Alphabetic", "Ideographic", "Phonetic")
        values = ["=".join(name.get(group, "") for group in groups).rstrip("=") for name in values]
    return "\\".join("" if value is None else str(value) for value in values)


# --- the same answer in each ----------------------------------------------------------------------


@pytest.mark.parametrize("query", QUERIES)
async def test_xml(query: str) -> None:
    """Each part keeps to the model and is the data set of the JSON object in its place."""
    as_json, as_xml = await asked(query, JSON), await asked(query, XML)
    assert (200, f"{XML}; boundary=result") == (as_xml.status, as_xml.one("content-type"))
    assert as_xml.body.endswith(b"--result--\r\n")
    parts = parts_of(as_xml) if as_json.json else []
    assert [[]] * len(as_json.json) == [faults(part) for part in parts]
    for one, part in zip(as_json.json, parts, strict=True):
        assert pydicom.Dataset.from_json(one) == dataset_of(part)


@pytest.mark.parametrize("query", QUERIES)
async def test_lines(query: str) -> None:
    """Each line is the JSON object in its place; the last says how many there are."""
    as_json, as_lines = await asked(query, JSON), await asked(query, LINES)
    assert (200, LINES, True) == (as_lines.status, as_lines.one("content-type"), as_lines.complete)
    *results, last = [json.loads(line) for line in as_lines.body.splitlines()]
    assert as_json.json == results
    assert as_lines.body.endswith(b"}\n")
    more = 3 if "limit" in query else 0
    warnings = [f"There are {more} additional results that can be requested"] if more else []
    assert {
        "complete": True,
        "count": len(results),
        "remaining": more,
        "warnings": warnings,
    } == last


@pytest.mark.parametrize("query", QUERIES)
async def test_table(query: str) -> None:
    """Each row has the values of the JSON object in its place, in the order of tags."""
    as_json, as_csv = await asked(query, JSON), await asked(query, CSV)
    assert (200, "text/csv; charset=utf-8; header=present") == (
        as_csv.status,
        as_csv.one("content-type"),
    )
    rows = rows_of(as_csv)
    assert len(as_json.json) == len(rows)
    for one, row in zip(as_json.json, rows, strict=True):
        by_keyword = {pydicom.datadict.keyword_for_tag(tag): cell_of(v) for tag, v in one.items()}
        assert by_keyword == {k: v for k, v in row.items() if v or k in by_keyword}
    columns = as_csv.body.partition(b"\r\n")[0].decode().split(",")
    tags = [pydicom.datadict.tag_for_keyword(column) or 0 for column in columns]
    assert sorted(tags) == tags


@pytest.mark.parametrize("accept", [JSON, XML, LINES, CSV])
async def test_by_parameter(accept: str) -> None:
    """The query parameter names a media type raw or percent-encoded, with quotes or without."""
    expected = await asked("/studies", accept)
    encoded = "".join(f"%{byte:02X}" for byte in accept.encode())
    for text in (accept, accept.replace(" ", ""), accept.replace('"', ""), encoded):
        answer = await ask(app_over(ListedCalls(ODD)), f"{STUDIES}?accept={text}")
        assert (expected.one("content-type"), expected.body) == (
            answer.one("content-type"),
            answer.body,
        )


@pytest.mark.parametrize(
    "accept", ["image/png", 'multipart/related; type="application/dicom"', "text/html"]
)
async def test_refused(accept: str) -> None:
    """406 names what is supported, and costs no call."""
    calls = ListedCalls(ODD)
    answer = await ask(app_over(calls), STUDIES, headers={"accept": accept})
    assert (406, 0) == (answer.status, calls.served)
    assert all(name in answer.json["detail"] for name in (JSON, XML, LINES, CSV))


@pytest.mark.parametrize("accept", [XML, LINES, CSV])
async def test_a_count_is_json(accept: str) -> None:
    """A count has no other media type."""
    assert 406 == (await asked("/studies/count", accept)).status


async def test_capabilities_name_them() -> None:
    """What the service can do names each media type."""
    answer = await ask(app_over(ListedCalls([])), "/dicom-web")
    for resource in answer.json["resources"]:
        assert [JSON, "application/json", XML, LINES, CSV] == resource["mediaTypes"]


# --- whole answers, streams, and cuts -------------------------------------------------------------


@pytest.mark.parametrize("accept", [XML, CSV])
async def test_kept(accept: str) -> None:
    """The same request has the same bytes and ETag, which is that of no other media type."""
    first, again, as_json = [await asked("/studies", one) for one in (accept, accept, JSON)]
    etag = first.one("etag")
    assert (first.body, etag) == (again.body, again.one("etag"))
    assert etag != as_json.one("etag")
    assert str(len(first.body)) == first.one("content-length")
    app, headers = app_over(ListedCalls(ODD)), {"accept": accept, "if-none-match": etag}
    assert 304 == (await ask(app, STUDIES, headers=headers)).status


async def test_lines_are_not_kept() -> None:
    """NDJSON has neither ETag nor length, however short it is."""
    answer = await asked("/studies", LINES)
    assert ([], []) == (answer.all("etag"), answer.all("content-length"))
    assert 6 == len(answer.parts)  # a part a result, and the last line


@pytest.mark.parametrize(
    ("accept", "status", "body"),
    [
        pytest.param(XML, 204, b"", id="XML"),
        pytest.param(CSV, 204, b"", id="CSV"),
        pytest.param(LINES, 200, json.dumps(LAST, separators=(",", ":")).encode() + b"\n",
                     id="NDJSON: its last line is a body"),
    ],
)  # fmt: skip
async def test_no_match_status(accept: str, status: int, body: bytes) -> None:
    """With no_match_status 204 an answer without results is 204 where it has nothing to say."""
    app = app_over(ListedCalls([]), ServerOptions(no_match_status=204))
    answer = await ask(app, STUDIES, headers={"accept": accept})
    assert (status, body, True) == (answer.status, answer.body, answer.complete)


@pytest.mark.parametrize("accept", [XML, LINES, CSV])
async def test_no_results(accept: str) -> None:
    """An answer without results is the beginning and the end of its form."""
    answer = await asked("/studies?PatientID=NONE", accept)
    assert (200, True) == (answer.status, answer.complete)
    match accept:
        case "text/csv":
            assert (1, True) == (answer.body.count(b"\r\n"), answer.body.endswith(b"\r\n"))
        case "application/x-ndjson":
            assert LAST == answer.json
        case _:
            assert b"--result--\r\n" == answer.body


@pytest.mark.parametrize("accept", [XML, CSV, LINES])
@pytest.mark.parametrize("coding", ["identity", *WHOLE])
async def test_streams(accept: str, coding: str) -> None:
    """A long answer streams, and is whole within its coding."""
    headers = {"accept": accept, "accept-encoding": coding}
    answer = await ask(app_over(ListedCalls(MANY)), f"{STUDIES}?limit=5000", headers=headers)
    assert ([], True) == (answer.all("content-length"), answer.complete)
    assert [coding] * (coding != "identity") == answer.all("content-encoding")
    body = answer.body if coding == "identity" else WHOLE[coding](answer.body)
    match accept:
        case "text/csv":
            assert 2001 == body.count(b"\r\n")
        case "application/x-ndjson":
            assert {**LAST, "count": 2000} == json.loads(body.splitlines()[-1])
        case _:
            assert 2000 == body.count(b"--result\r\n")
            assert body.endswith(b"\r\n--result--\r\n")


def failing(at: int) -> ListedCalls:
    """An upstream whose call of that number fails."""

    def fault(number: int) -> None:
        if number == at:
            raise UpstreamUnavailableError("x")

    return ListedCalls(MANY, fault)


ENDS = {XML: b"--result--\r\n", LINES: b'"warnings":[]}\n', CSV: b"1.2.2000\r\n"}


@pytest.mark.parametrize("coding", WHOLE)
@pytest.mark.parametrize("accept", ENDS)
async def test_cut(accept: str, coding: str) -> None:
    """A failure after the first byte ends neither the body, nor its coding, nor the message."""
    headers = {"accept": accept, "accept-encoding": coding}
    answer = await ask(app_over(failing(39)), f"{STUDIES}?limit=5000", headers=headers)
    assert (200, False) == (answer.status, answer.complete)
    read = PART[coding](answer.body)
    assert len(read) > 100_000 and not read.endswith((ENDS[accept], b"ENDED"))
    assert b"complete" not in read


@pytest.mark.parametrize("accept", ENDS)
async def test_a_failure_before_the_first_byte_is_a_status(accept: str) -> None:
    """While nothing was sent a failure is a status in every media type."""
    answer = await ask(app_over(failing(1)), STUDIES, headers={"accept": accept})
    assert (503, "application/problem+json") == (answer.status, answer.one("content-type"))


async def test_lines_do_not_wait() -> None:
    """The first result of NDJSON leaves before a later page is fetched; others wait for it."""
    calls = failing(6)
    lines = await ask(app_over(calls), STUDIES, headers={"accept": LINES}, leave_after_parts=1)
    assert (200, False) == (lines.status, lines.complete)
    assert (True, True) == (lines.body.startswith(b"{"), calls.served < 6)
    assert 503 == (await ask(app_over(failing(6)), STUDIES, headers={"accept": CSV})).status


@pytest.mark.parametrize("accept", ENDS)
@pytest.mark.parametrize("query", ["/studies", "/studies?limit=5000", "/studies?PatientID=NONE"])
async def test_head(accept: str, query: str) -> None:
    """HEAD has the status and fields of GET, and no body."""
    get = await asked(query, accept, MANY)
    head = await asked(query, accept, MANY, method="HEAD")
    plain = [[f for f in one.headers if f[0] != "x-request-id"] for one in (get, head)]
    assert (get.status, b"", True, plain[0]) == (head.status, head.body, head.complete, plain[1])


# --- the search behind ----------------------------------------------------------------------------


def started(query: Query, calls: ListedCalls) -> RunningSearch:
    """A search of `query`."""
    limits = Limits(default_limit=5000)
    return service_over(calls, limits=limits).start(query)


async def test_a_table_has_fixed_columns() -> None:
    """At the instance level, includefield=all and CSV do not go together: no call is made."""
    calls, facts = ListedCalls(ODD), dict[str, object]()
    running = started(Query(Resource.ALL_INSTANCES, everything=True), calls)
    with pytest.raises(QueryError) as refused:
        await anext(running.body(CSV, "http://a.test", facts.update))
    assert ("includefield", 0) == (refused.value.parameter, calls.served)
    assert 0 == facts["calls"]


@pytest.mark.parametrize("resource", [Resource.STUDIES, Resource.ALL_SERIES])
async def test_above_the_instances_columns_are_fixed(resource: Resource) -> None:
    """A study and a series have the attributes of the table and no others."""
    running = started(Query(resource, everything=True), ListedCalls(ODD))
    body = b"".join([one async for one in running.body(CSV, "http://a.test", lambda _: None)])
    assert 1 + len(ODD) == body.count(b"\r\n")


@pytest.mark.parametrize("media_type", [JSON, XML, LINES, CSV])
async def test_others_get_their_turn(media_type: str) -> None:
    """A long answer lets other tasks run at each chunk, though it waits for nothing else."""
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count_turns())
    running, between = started(Query(Resource.STUDIES), ListedCalls(MANY)), []
    async for chunk in running.body(media_type, "http://a.test", lambda _: None):
        assert len(chunk) < 24 * 1024
        between.append(turns)
    counting.cancel()
    assert len(between) > 20
    assert all(one < other for one, other in pairwise(between))


@pytest.mark.parametrize(
    ("level", "path"),
    [
        (Level.STUDY, "/studies/1"),
        (Level.SERIES, "/studies/1/series/2"),
        (Level.INSTANCE, "/studies/1/series/2/instances/3"),
    ],
)
def test_retrieve_url(level: Level, path: str) -> None:
    """The address of a result names what stands above it."""
    uids = {"StudyInstanceUID": ("1",), "SeriesInstanceUID": ("2",), "SOPInstanceUID": ("3",)}
    assert f"http://a.test{path}" == retrieve_url("http://a.test", Result(level, uids))
