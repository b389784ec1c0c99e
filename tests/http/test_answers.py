"""The same question again: the same answer, without a call, and only to the same question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.errors import StudyWindowError, UpstreamUnavailableError
from gateway.healthimaging.walks import WalkLimits
from gateway.qido.attributes import Resource
from gateway.qido.query import parse_query
from gateway.search.imageset import Page
from gateway.search.plan import Plan
from gateway.server.searches import Limits
from tests.building import service_over
from tests.http.driver import Answer, ask
from tests.http.upstream import ListedCalls, image_set
from tests.laws.harness import app_of

STUDIES = "/dicom-web/studies"
SETS = [image_set(n, DICOMStudyTime=f"{23 - n // 4:02}0000") for n in range(1, 60)]


def as_sent(answer: Answer) -> list[object]:
    """All of an answer but its request's id and what only a shared one has."""
    own = ("x-request-id", "age")
    fields = [field for field in answer.headers if field[0] not in own]
    return [answer.status, answer.body, fields]


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        pytest.param(STUDIES, {}, id="all"),
        pytest.param(f"{STUDIES}?PatientID=PAT7", {}, id="one"),
        pytest.param(f"{STUDIES}?PatientID=nobody", {}, id="none"),
        pytest.param(f"{STUDIES}?limit=3&offset=50&foo=1", {}, id="a window, with Warnings"),
        pytest.param(f"{STUDIES}?orderby=PatientID", {}, id="in another order"),
        pytest.param(STUDIES, {"accept": "text/csv"}, id="CSV"),
    ],
)
async def test_the_same_answer(target: str, headers: Mapping[str, str]) -> None:
    """What is given again is the same to the last byte, costs no call, and says its age."""
    calls = ListedCalls(SETS)
    app = app_of(service_over(calls, walk_limits=WalkLimits()))
    first = await ask(app, target, headers=headers)
    made = calls.served
    second = await ask(app, target, headers=headers)
    assert as_sent(first) == as_sent(second)
    assert (made, [], ["0"]) == (calls.served, first.all("age"), second.all("age"))


async def test_the_same_stream() -> None:
    """Of a stream that is given again, the header knows the end."""
    app = app_of(service_over(ListedCalls(SETS), walk_limits=WalkLimits()))
    first, second = [
        await ask(app, STUDIES, headers={"accept": "application/x-ndjson"}) for _ in range(2)
    ]
    assert first.body == second.body
    assert ([], ["59"]) == (first.all("x-total-count"), second.all("x-total-count"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("", {}), ("?limit=3", {}), id="limit"),
        pytest.param(("?limit=3", {}), ("?limit=3&offset=1", {}), id="offset"),
        pytest.param(("", {}), ("?PatientID=PAT7", {}), id="a key"),
        pytest.param(("?PatientID=PAT7", {}), ("?PatientID=PAT8", {}), id="its value"),
        pytest.param(("", {}), ("?includefield=00081080", {}), id="includefield"),
        pytest.param(("", {}), ("?orderby=PatientID", {}), id="orderby"),
        pytest.param(("", {}), ("?foo=1", {}), id="a Warning"),
        pytest.param(("", {}), ("", {"accept": "text/csv"}), id="media type"),
        pytest.param(("", {}), ("", {"host": "other.test"}), id="the host in URLs"),
    ],
)
async def test_another_question(
    one: tuple[str, Mapping[str, str]], other: tuple[str, Mapping[str, str]]
) -> None:
    """Whatever makes the answer another one, makes it anew."""
    shared = app_of(service_over(ListedCalls(SETS), walk_limits=WalkLimits()))
    await ask(shared, STUDIES + one[0], headers=one[1])
    answered = await ask(shared, STUDIES + other[0], headers=other[1])
    alone = app_of(service_over(ListedCalls(SETS), walk_limits=WalkLimits()))
    assert as_sent(await ask(alone, STUDIES + other[0], headers=other[1])) == as_sent(answered)


async def test_a_private_creator_tells_questions_apart() -> None:
    """The same private tags of two creators are two questions."""
    texts = (b"00091001=A&00090010=ACME", b"00091001=A&00090010=OTHER")
    first, second = (
        service_over(ListedCalls(SETS)).start(parse_query(Resource.ALL_INSTANCES, text)).identity
        for text in texts
    )
    assert first != second


async def test_a_failed_answer_is_made_anew() -> None:
    """A failure is not kept."""

    def fail(number: int) -> None:
        if number == 1:
            raise UpstreamUnavailableError("no")

    app = app_of(service_over(ListedCalls(SETS, fail), walk_limits=WalkLimits()))
    assert [503, 200] == [(await ask(app, STUDIES)).status for _ in range(2)]


async def test_what_was_learned_of_the_store_makes_it_anew() -> None:
    """Once the process holds whole days, no answer of before is given."""
    part = image_set(1, DICOMStudyTime="0800", DICOMSeriesInstanceUID="1.2.1.2")
    part = replace(part, image_set_id="f" * 32)
    sets = [image_set(1), *(image_set(n, DICOMStudyTime="0900") for n in range(2, 60)), part]
    service = service_over(ListedCalls(sets), limits=Limits(), walk_limits=WalkLimits())
    app = app_of(service)
    first = await ask(app, f"{STUDIES}?limit=1")
    assert 1 == len(first.json)
    with pytest.raises(StudyWindowError):
        _ = [one async for one in service.start(parse_query(Resource.STUDIES, b"")).results()]
    again = await ask(app, f"{STUDIES}?limit=1")
    assert [2] == [one["00201206"]["Value"][0] for one in again.json]


async def test_a_walk_that_went_round_is_not_joined() -> None:
    """After a next token that came again the next search asks the upstream, whatever it has now."""

    class Round(ListedCalls):
        is_round = True

        async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
            page = await super().search_image_sets(one, page_size, next_token)
            return replace(page, next_token="1") if self.is_round else page

    calls = Round(SETS)
    app = app_of(service_over(calls, walk_limits=WalkLimits()))
    first = await ask(app, STUDIES)
    calls.is_round = False
    second = await ask(app, STUDIES)
    assert (502, 200, 59) == (first.status, second.status, len(second.json))
