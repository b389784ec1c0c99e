"""Search requests through the ASGI application."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import (
    StudyWindowError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.qido.attributes import Resource
from gateway.qido.query import Dialect, parse_query
from gateway.search.plan import SearchOptions
from gateway.server.routes import ServerOptions
from gateway.server.searches import Limits
from tests.building import service_over
from tests.http.driver import ask
from tests.http.upstream import ListedCalls, app_over, image_set

STUDIES = "/dicom-web/studies"
MAYBE = "299 http://gateway.test/dicom-web: There may be additional results that can be requested"


def _uids(answer: list[dict[str, dict[str, list[str]]]]) -> list[str]:
    return [one["0020000D"]["Value"][0] for one in answer]


@pytest.mark.parametrize(
    ("target", "uids"),
    [
        pytest.param(STUDIES, ["1.2.1", "1.2.2"], id="all"),
        pytest.param(f"{STUDIES}?PatientID=PAT2", ["1.2.2"], id="single value"),
        pytest.param(f"{STUDIES}?PatientID=PAT3", [], id="no match is an empty array"),
        pytest.param(f"{STUDIES}?offset=1", ["1.2.2"], id="offset"),
        pytest.param(f"{STUDIES}?offset=2", [], id="offset past the end"),
        pytest.param(f"{STUDIES}?limit=1", ["1.2.1"], id="limit"),
        pytest.param(f"{STUDIES}/1.2.2/series", ["1.2.2"], id="series of a study"),
        pytest.param(f"{STUDIES}/1.2.3/series", [], id="an unknown study has no series"),
        pytest.param("/dicom-web/series?Modality=CT", ["1.2.1", "1.2.2"], id="all series"),
    ],
)
async def test_answers(target: str, uids: list[str]) -> None:
    """A search answers 200 with one array of its results."""
    calls = ListedCalls([image_set(1, date="20200102"), image_set(2)])
    answer = await ask(app_over(calls), target)
    assert (200, True) == (answer.status, answer.complete)
    assert "application/dicom+json" == answer.one("content-type")
    assert uids == _uids(answer.json)
    assert str(len(answer.body)) == answer.one("content-length")


@pytest.mark.parametrize(
    ("target", "method", "headers", "status"),
    [
        pytest.param(f"{STUDIES}?limit=x", "GET", {}, 400, id="a wrong value"),
        pytest.param(f"{STUDIES}/1.a/series", "GET", {}, 400, id="a path that holds no UID"),
        pytest.param(STUDIES, "GET", {"accept": "image/png"}, 406, id="no common media type"),
        pytest.param(f"{STUDIES}?PatientID={'1' * 9000}", "GET", {}, 414, id="a URI too long"),
        pytest.param(STUDIES, "POST", {}, 405, id="another method"),
        pytest.param("/dicom-web/nothing", "GET", {}, 404, id="an unknown path"),
    ],
)
async def test_refuses(target: str, method: str, headers: dict[str, str], status: int) -> None:
    """A request that cannot be answered gets its status and a problem body, and costs no call."""
    calls = ListedCalls([image_set(1)])
    answer = await ask(app_over(calls), target, method=method, headers=headers)
    assert status == answer.status
    assert "application/problem+json" == answer.one("content-type")
    assert status == answer.json["status"]
    assert 0 == calls.served


def _raise(error: Exception, at: int) -> ListedCalls:
    def fault(number: int) -> None:
        if number == at:
            raise error

    return ListedCalls([image_set(n, date="20200101") for n in range(1, 1201)], fault)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(UpstreamThrottledError("x"), 503, id="throttled"),
        pytest.param(UpstreamUnavailableError("x"), 503, id="unavailable"),
        pytest.param(UpstreamRejectedError("x"), 502, id="rejected"),
        pytest.param(UpstreamTimeoutError("x"), 504, id="timeout"),
        pytest.param(ValueError("DOE^JANE"), 500, id="a bug"),
    ],
)
@pytest.mark.parametrize("at", [pytest.param(1, id="first call"), pytest.param(3, id="third call")])
async def test_a_failure_before_the_first_byte_is_a_status(
    error: Exception, status: int, at: int
) -> None:
    """While nothing was sent, a failing upstream is a status, and a retryable one says when."""
    answer = await ask(app_over(_raise(error, at)), STUDIES)
    assert (status, True) == (answer.status, answer.complete)
    assert ["1"] * (status == 503) == answer.all("retry-after")
    assert b"DOE" not in answer.body


async def test_a_failure_after_the_first_byte_cuts_the_answer() -> None:
    """Once bytes have left, a failure ends the connection and never writes the closing bracket."""
    sets = [image_set(n, date=f"2020{12 - n // 200:02}01") for n in range(1, 2001)]

    def fault(number: int) -> None:
        if number == 30:
            raise UpstreamUnavailableError("x")

    answer = await ask(app_over(ListedCalls(sets, fault)), f"{STUDIES}?limit=5000")
    assert (200, False) == (answer.status, answer.complete)
    assert answer.body.startswith(b"[{") and not answer.body.endswith(b"]")
    assert [MAYBE] == answer.all("warning")


@pytest.mark.parametrize(
    ("count", "query", "results", "warnings"),
    [
        pytest.param(1500, "", 1000, [MAYBE], id="no limit, 1,500 studies"),
        pytest.param(1000, "", 1000, [MAYBE], id="just as many: it streams before it knows"),
        pytest.param(3, "", 3, [], id="whole"),
        pytest.param(
            3,
            "?limit=1",
            1,
            [
                "299 http://gateway.test/dicom-web: There are 2 additional results "
                "that can be requested"
            ],
            id="the walk has ended",
        ),
        pytest.param(3, "?limit=1&offset=2", 1, [], id="the last window"),
        pytest.param(3, "?limit=0", 0, [MAYBE], id="nothing was asked for"),
    ],
)
async def test_warns_of_what_is_left(
    count: int, query: str, results: int, warnings: list[str]
) -> None:
    """An answer without a Warning on additional results is whole."""
    days = [f"{2020 - n // 300}0101" for n in range(count)]
    calls = ListedCalls([image_set(n, date=day) for n, day in enumerate(days)])
    answer = await ask(app_over(calls), STUDIES + query)
    assert (200, True, results) == (answer.status, answer.complete, len(answer.json))
    assert warnings == answer.all("warning")


async def test_one_warning_field_for_each_thing_not_done() -> None:
    """Each parameter that is ignored has a Warning of its own that holds no value."""
    target = f"{STUDIES}?Foo=DOE&includefield=DOE&ReferringPhysicianName=DOE"
    answer = await ask(app_over(ListedCalls([image_set(1)])), target)
    assert 3 == len(answer.all("warning"))
    assert not any("DOE" in text for text in answer.all("warning"))


async def test_strict_parameters_refuse_what_would_be_ignored() -> None:
    """With strict_parameters an unknown parameter is 400."""
    answer = await ask(app_over(ListedCalls([]), dialect=Dialect(strict=True)), f"{STUDIES}?Foo=1")
    assert 400 == answer.status


async def test_no_match_status() -> None:
    """With no_match_status 204 an answer without results has no body and no media type."""
    app = app_over(ListedCalls([]), ServerOptions(no_match_status=204))
    answer = await ask(app, STUDIES)
    assert (204, b"", []) == (answer.status, answer.body, answer.all("content-type"))


async def test_budget_is_a_status() -> None:
    """A search that costs more calls than a request may is 413 with the way out."""
    calls = ListedCalls([image_set(n) for n in range(500)])
    answer = await ask(app_over(calls, limits=Limits(max_calls=3)), f"{STUDIES}?PatientName=NO*")
    assert (413, 3) == (answer.status, calls.served)
    assert "StudyDate" in answer.json["detail"]


async def test_disorder_is_a_status_and_remembered() -> None:
    """A part that comes after its study is 503; from then on whole days are held."""
    part = image_set(1, DICOMStudyTime="0800", DICOMSeriesInstanceUID="1.2.1.2")
    sets = [image_set(1), *(image_set(n, DICOMStudyTime="0900") for n in range(2, 60)), part]
    app = app_over(ListedCalls([sets[0], *sets[1:-1], part, image_set(99, date="20191231")]))
    first = await ask(app, STUDIES)
    second = await ask(app, STUDIES)
    assert (503, ["1"], 200) == (first.status, first.all("retry-after"), second.status)
    assert 60 == len(second.json)


async def test_failing_together_is_failing_once() -> None:
    """Searches that meet the same disorder at once take one step down, not one each."""
    part = image_set(1, DICOMStudyTime="0800", DICOMSeriesInstanceUID="1.2.1.2")
    sets = [image_set(1), *(image_set(n, DICOMStudyTime="0900") for n in range(2, 60)), part]
    service = service_over(ListedCalls(sets))
    query = parse_query(Resource.STUDIES, b"")
    for running in [service.start(query) for _ in range(3)]:
        with pytest.raises(StudyWindowError):
            _ = [result async for result in running.results()]
    assert SearchOptions(study_window="day") == service.start(query).options


async def test_unmarked_image_sets_that_disagree_are_fetched_whole() -> None:
    """Unmarked parts of a study on two days are 503 until no unmarked set is trusted any more."""
    parts = [
        replace(image_set(1, date=day, DICOMSeriesInstanceUID=f"1.2.1.{day}"), is_primary=None)
        for day in ("20200103", "20190101")
    ]
    first, second = (replace(p, image_set_id=str(n), updated_at=n) for n, p in enumerate(parts))
    between = [image_set(n, date="20200101") for n in range(2, 90)]
    app = app_over(ListedCalls([first, *between, second]))
    statuses = [(await ask(app, STUDIES)).status for _ in range(2)]
    answer = await ask(app, STUDIES)
    assert [503, 503, 200] == [*statuses, answer.status]
    assert (89, "1.2.1") == (len(answer.json), _uids(answer.json)[-1])
    assert [2] == answer.json[-1]["00201206"]["Value"]


async def test_the_walk_ends_when_the_client_leaves() -> None:
    """After the client has left no more than the page under way is fetched."""
    sets = [image_set(n, date=f"{3000 - n // 10}0101") for n in range(20_000)]
    calls = ListedCalls(sets)
    app = app_over(calls, limits=Limits(default_limit=20_000, max_results=20_000))
    answer = await ask(app, STUDIES, leave_after_parts=2)
    assert (200, False) == (answer.status, answer.complete)
    assert calls.served < 40


@pytest.mark.parametrize(
    ("headers", "base", "url"),
    [
        pytest.param({}, None, "http://gateway.test/dicom-web", id="host"),
        pytest.param({"host": "a.test:81"}, None, "http://a.test:81/dicom-web", id="its port"),
        pytest.param({"host": "[::1]:81"}, None, "http://[::1]:81/dicom-web", id="IPv6"),
        pytest.param({"host": "a/b"}, None, "http://127.0.0.1:8042/dicom-web", id="no host name"),
        pytest.param({}, "https://p.test/x", "https://p.test/x", id="public_base_url wins"),
    ],
)
async def test_retrieve_url(headers: dict[str, str], base: str | None, url: str) -> None:
    """RetrieveURL is absolute and stands under the base URL."""
    app = app_over(ListedCalls([image_set(1)]), ServerOptions(public_base_url=base))
    study = await ask(app, STUDIES, headers=headers)
    series = await ask(app, "/dicom-web/series", headers=headers)
    assert [f"{url}/studies/1.2.1"] == study.json[0]["00081190"]["Value"]
    assert [f"{url}/studies/1.2.1/series/1.2.1.1"] == series.json[0]["00081190"]["Value"]
