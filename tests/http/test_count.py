"""Counts and orders through the ASGI application."""

from __future__ import annotations

import pytest

from gateway.errors import ResultTooLargeError, UpstreamUnavailableError
from gateway.qido.attributes import Resource
from gateway.qido.query import parse_query
from gateway.search.pipeline import search
from gateway.search.plan import SearchOptions
from gateway.search.tally import Tally
from gateway.server.routes import ServerOptions
from gateway.server.searches import Limits
from tests.building import service_over
from tests.http.driver import ask
from tests.http.upstream import ListedCalls, app_over, image_set

STUDIES, SERIES = "/dicom-web/studies", "/dicom-web/series"
SETS = [
    image_set(1, date="20200103", DICOMPatientName="Zoe"),
    image_set(2, date="20200102", DICOMPatientName="adam"),
    image_set(3, date="20200101", DICOMPatientName="Émile"),
]


@pytest.mark.parametrize(
    ("target", "number"),
    [
        pytest.param(f"{STUDIES}/count", 3, id="all studies"),
        pytest.param(f"{STUDIES}/count?PatientID=PAT2", 1, id="with a key"),
        pytest.param(f"{STUDIES}/count?PatientID=NONE", 0, id="none"),
        pytest.param(f"{STUDIES}/count?limit=1&offset=2&orderby=PatientName&includefield=all", 3,
                     id="whatever the window, the order and the fields"),
        pytest.param(f"{STUDIES}/count?limit=0", 3, id="a limit of 0 too"),
        pytest.param(f"{SERIES}/count?Modality=CT", 3, id="all series"),
        pytest.param(f"{STUDIES}/1.2.2/series/count", 1, id="a study's series"),
    ],
)  # fmt: skip
async def test_counts(target: str, number: int) -> None:
    """A count is one number in JSON, as dcm4chee gives it."""
    answer = await ask(app_over(ListedCalls(SETS)), target)
    assert (200, True, {"count": number}) == (answer.status, answer.complete, answer.json)
    assert "application/json" == answer.one("content-type")


@pytest.mark.parametrize("asked", ["includefield=all", "includefield=PatientName", "orderby=-Rows"])
async def test_a_count_fetches_nothing_for_what_is_shown(asked: str) -> None:
    """Fields and order change neither the number nor what it costs."""
    target = f"{STUDIES}/1.2.2/series/1.2.2.1/instances/count"
    plain, more = ListedCalls(SETS), ListedCalls(SETS)
    await ask(app_over(plain), target)
    await ask(app_over(more), f"{target}?{asked}")
    assert plain.plans == more.plans


async def test_a_count_of_nothing_is_a_number() -> None:
    """no_match_status is for searches: a count of 0 has a body."""
    app = app_over(ListedCalls([]), ServerOptions(no_match_status=204))
    answer = await ask(app, f"{STUDIES}/count")
    assert (200, {"count": 0}) == (answer.status, answer.json)


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        pytest.param(f"{STUDIES}/count?StudyDate=x", {}, 400, id="a wrong value"),
        pytest.param(f"{STUDIES}/count?limit=x", {}, 400, id="also of what is ignored"),
        pytest.param(f"{STUDIES}?orderby=Nothing", {}, 400, id="an order by what is not known"),
        pytest.param(f"{STUDIES}?updatedAt=DOE", {}, 400, id="no moment"),
        pytest.param(f"{STUDIES}/count", {"accept": "application/dicom+json"}, 406,
                     id="a count is no DICOM JSON"),
        pytest.param(f"{STUDIES}/count", {"accept": "application/*"}, 200, id="any JSON"),
        pytest.param(f"{STUDIES}/1.a/series/count", {}, 400, id="a path that holds no UID"),
    ],
)  # fmt: skip
async def test_statuses(target: str, headers: dict[str, str], status: int) -> None:
    """What a count or an order refuses has its status, and no value in its body."""
    answer = await ask(app_over(ListedCalls(SETS)), target, headers=headers)
    assert status == answer.status
    assert b"DOE" not in answer.body


async def test_head_of_a_count() -> None:
    """HEAD is answered as GET; the server leaves the body out."""
    answer = await ask(app_over(ListedCalls(SETS)), f"{STUDIES}/count", method="HEAD")
    assert (200, "application/json") == (answer.status, answer.one("content-type"))


@pytest.mark.parametrize("target", [f"{STUDIES}/count", f"{STUDIES}?orderby=PatientName&limit=1"])
async def test_the_budget_holds(target: str) -> None:
    """A count, or an order, that costs more calls than a request may is 413 with the way out."""
    calls = ListedCalls([image_set(n) for n in range(500)])
    answer = await ask(app_over(calls, limits=Limits(max_calls=3)), target)
    assert (413, 3) == (answer.status, calls.served)
    assert "StudyDate" in answer.json["detail"]


async def test_disorder_in_a_count_is_remembered() -> None:
    """A part that comes after its study is 503; from then on whole days are held."""
    part = image_set(1, DICOMStudyTime="0800", DICOMSeriesInstanceUID="1.2.1.2")
    sets = [image_set(1), *(image_set(n, DICOMStudyTime="0900") for n in range(2, 60)), part]
    app = app_over(ListedCalls([*sets, image_set(99, date="20191231")]))
    first, second = await ask(app, f"{STUDIES}/count"), await ask(app, f"{STUDIES}/count")
    assert (503, 200, {"count": 60}) == (first.status, second.status, second.json)


async def test_a_failing_count_has_no_number() -> None:
    """Whatever was counted before a failure is not told."""

    def fault(number: int) -> None:
        if number == 2:
            raise UpstreamUnavailableError("x")

    calls = ListedCalls([image_set(n) for n in range(100)], fault)
    answer = await ask(app_over(calls), f"{STUDIES}/count")
    assert 503 == answer.status
    assert "count" not in answer.json


@pytest.mark.parametrize(
    ("target", "texts"),
    [
        pytest.param(f"{STUDIES}/count?Foo=1&limit=1", 1, id="a key that is ignored"),
        pytest.param(f"{STUDIES}/count", 0, id="a count is whole"),
    ],
)
async def test_warnings_of_a_count(target: str, texts: int) -> None:
    """A count warns of what was ignored, and never of further results."""
    answer = await ask(app_over(ListedCalls(SETS)), target)
    assert texts == len(answer.all("warning"))
    assert not any("additional" in text for text in answer.all("warning"))


@pytest.mark.parametrize(
    ("query", "total"),
    [
        pytest.param("", ["3"], id="whole"),
        pytest.param("?limit=1", ["3"], id="a window of a walk that has ended"),
        pytest.param("?limit=1&orderby=PatientName", ["3"], id="sorted"),
        pytest.param("?PatientID=NONE", ["0"], id="nothing"),
        pytest.param("?limit=0", [], id="nothing was asked, and nothing is known"),
    ],
)
async def test_total(query: str, total: list[str]) -> None:
    """X-Total-Count is the number of all results, where it is known without another call."""
    answer = await ask(app_over(ListedCalls(SETS)), STUDIES + query)
    assert total == answer.all("x-total-count")


async def test_no_total_of_a_stream() -> None:
    """Where the header leaves before the walk's end there is no total."""
    days = [f"{2020 - n // 300}0101" for n in range(1500)]
    sets = [image_set(n, date=day) for n, day in enumerate(days)]
    answer = await ask(app_over(ListedCalls(sets)), STUDIES)
    assert [] == answer.all("x-total-count")


async def test_browsers_may_read_the_total() -> None:
    """CORS exposes it, and 304 repeats it."""
    app = app_over(ListedCalls(SETS), ServerOptions(cors_origins=("https://viewer.test",)))
    answer = await ask(app, STUDIES, headers={"origin": "https://viewer.test"})
    assert "X-Total-Count" in answer.one("access-control-expose-headers")
    again = await ask(app, STUDIES, headers={"if-none-match": answer.one("etag")})
    assert (304, ["3"]) == (again.status, again.all("x-total-count"))


@pytest.mark.parametrize(
    ("query", "uids"),
    [
        pytest.param("orderby=PatientName", ["1.2.2", "1.2.3", "1.2.1"], id="ascending"),
        pytest.param("orderby=-PatientName", ["1.2.1", "1.2.3", "1.2.2"], id="descending"),
        pytest.param("orderby=-StudyDate", ["1.2.1", "1.2.2", "1.2.3"], id="as it is anyhow"),
        pytest.param("orderby=PatientName&limit=1&offset=1", ["1.2.3"], id="a window of it"),
        pytest.param("orderby=-updatedAt&limit=2", ["1.2.3", "1.2.2"], id="by arrival"),
        pytest.param("updatedAt=1970-01-01T00:00:02Z/..&orderby=updatedAt", ["1.2.2", "1.2.3"],
                     id="by arrival, since then"),
    ],
)  # fmt: skip
async def test_orders(query: str, uids: list[str]) -> None:
    """Results stand as orderby says, in windows too; arrival adds nothing to them."""
    answer = await ask(app_over(ListedCalls(SETS)), f"{STUDIES}?{query}")
    assert uids == [one["0020000D"]["Value"][0] for one in answer.json]
    plain = await ask(app_over(ListedCalls(SETS)), STUDIES)
    assert {tuple(one) for one in plain.json} == {tuple(one) for one in answer.json}


@pytest.mark.parametrize(("held", "fits"), [(3, True), (2, False)])
async def test_no_more_is_held_than_may_be(held: int, fits: bool) -> None:
    """Past its bound a sort is 413 with the way out."""
    service = service_over(ListedCalls(SETS))
    query = parse_query(Resource.STUDIES, b"orderby=PatientName&limit=1")
    upstream = service.start(query).upstream
    found = search(query, SearchOptions(), upstream, 1, Tally(), max_sorted=held)
    if fits:
        assert 1 == len([result async for result in found])
        return
    with pytest.raises(ResultTooLargeError, match="orderby"):
        _ = [result async for result in found]
