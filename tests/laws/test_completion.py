"""Studies that a filter shows in part: what the gateway fetches before it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.emulator.variants import Variants
from gateway.search.imageset import Page
from gateway.search.plan import Plan, SearchOptions
from tests.laws.harness import Gateway, StoreCalls, store_of
from tests.laws.oracle import Question, World, answer

DAY1: Any = ("StudyDate", "days", "20200101", "20200101")
DAY2: Any = ("StudyDate", "days", "20200202", "20200202")


def part(number: int, day: str, primary: bool | None, **more: str) -> dict[str, Any]:
    """A series of study 1.2; the higher its number, the newer it is."""
    tags = {
        "DICOMStudyInstanceUID": "1.2",
        "DICOMSeriesInstanceUID": f"1.2.{number}",
        "DICOMSeriesModality": "CT",
        "DICOMStudyDate": day,
        "DICOMPatientId": "PAT1",
        **more,
    }
    marked = {} if primary is None else {"isPrimary": primary}
    own = {"imageSetId": f"{number:032x}", "updatedAt": float(number)}
    return {**own, "DICOMTags": tags, **marked}


CONFLICT = [part(1, "20200101", True), part(2, "20200202", False)]


@pytest.mark.parametrize(
    ("summaries", "mode", "trust", "criterion", "calls"),
    [
        pytest.param(CONFLICT, "primary", True, DAY1, 1, id="primary: the hidden cost nothing"),
        pytest.param(CONFLICT, "primary", True, DAY2, 1, id="primary: nor what is hidden alone"),
        pytest.param(CONFLICT, "all", True, DAY1, 2, id="all: a study that matches is completed"),
        pytest.param(CONFLICT, "all", True, DAY2, 2, id="all: a part alone, to know its winner"),
        pytest.param([CONFLICT[1]], "fill", True, DAY2, 2, id="fill: a study without a primary"),
        pytest.param([part(1, "20200101", None), part(2, "20200202", None)], "primary", False, DAY1,
                     2, id="unmarked, not trusted: completed"),
        pytest.param(
            [part(1, "20200101", True), part(2, "20200101", True, DICOMPatientId="PAT2"),
             part(3, "20200202", True)], "primary", True, DAY1, 2,
            id="primary ones that disagree: completed"),
        pytest.param([part(1, "20200101", True), part(2, "20200101", True)], "primary", True, DAY1,
                     1, id="primary ones that agree"),
    ],
)  # fmt: skip
async def test_completion(
    summaries: list[dict[str, Any]], mode: Any, trust: bool, criterion: Any, calls: int
) -> None:
    """The answer is right whatever the filter has shown, for just the calls that it takes."""
    store = store_of(summaries)
    counted = StoreCalls(store)
    gateway = Gateway(counted, SearchOptions(image_sets=mode, trust_unmarked=trust))
    question = Question(criteria=(criterion,))
    body, running = await gateway.ask(question)
    store.close()
    assert answer(World(summaries, mode, trust), question) == json.loads(body)
    assert (calls, calls) == (counted.served, running.upstream.budget.calls)


async def test_hidden_image_sets_are_told() -> None:
    """A whole answer says how many image sets that would match are not shown."""
    store = store_of([*CONFLICT, part(3, "20200101", False), part(4, "20200101", False)])
    _, running = await Gateway(StoreCalls(store)).ask(Question(criteria=(DAY1,)))
    store.close()
    assert ["2 image sets that are not primary have been left out."] == list(running.warnings())


async def test_what_is_no_part_of_a_study_is_counted() -> None:
    """An image set without StudyInstanceUID is in no answer, and in the log."""
    store = store_of([CONFLICT[0], {"imageSetId": "f" * 32, "updatedAt": 1.0, "DICOMTags": {}}])
    body, running = await Gateway(StoreCalls(store)).ask(Question())
    store.close()
    assert (1, 1) == (len(json.loads(body)), running.facts()["unusable"])


async def test_only_what_is_sent_is_completed() -> None:
    """Where all image sets are shown, studies before the window are counted, not completed."""
    summaries = []
    for number in range(4):
        one = part(number, f"2020010{9 - number}", True)
        one["DICOMTags"]["DICOMStudyInstanceUID"] = f"1.{number}"
        summaries.append(one)
    store = store_of(summaries)
    counted = StoreCalls(store)
    gateway = Gateway(counted, SearchOptions(image_sets="all"))
    body, _ = await gateway.ask(Question(), [("offset", "2"), ("limit", "1")])
    found = [one["0020000D"]["Value"] for one in json.loads(body)]
    store.close()
    assert ([["1.2"]], 2) == (found, counted.served)


@pytest.mark.parametrize("undated", ["first", "last"])
async def test_an_archive_without_dates(undated: Any) -> None:
    """Where no study has a date, all are found, on however many pages they stand."""
    summaries = [part(number, "", True) for number in range(7)]
    for number, one in enumerate(summaries):
        one["DICOMTags"]["DICOMStudyInstanceUID"] = f"1.{number}"
    store = store_of(summaries, Variants(undated=undated))
    body, _ = await Gateway(StoreCalls(store, page_size=2)).ask(Question())
    store.close()
    assert answer(World(summaries), Question()) == json.loads(body)


@pytest.mark.parametrize("legacy", ["included", "excluded"])
@pytest.mark.parametrize("undated", ["first", "last"])
async def test_old_dates_on_top_are_no_sign_of_undated_ones(undated: Any, legacy: Any) -> None:
    """A first page of old-form dates does not say where studies without a date stand."""
    days = ("2099.01.03", "2099.01.02", "2099.01.01", "20200102", "20200101", "", "")
    summaries = [part(number, day, True) for number, day in enumerate(days)]
    for number, one in enumerate(summaries):
        one["DICOMTags"]["DICOMStudyInstanceUID"] = f"1.{number}"
    store = store_of(summaries, Variants(undated=undated, legacy_dates=legacy))
    body, _ = await Gateway(StoreCalls(store, page_size=2)).ask(Question())
    store.close()
    assert answer(World(summaries), Question()) == json.loads(body)


# --- a study that stands further back than it was found -------------------------------------------


def study(number: int, day: str, time: str, primary: bool | None, uid: str) -> dict[str, Any]:
    """A series of any study at a time of the day."""
    return part(number, day, primary, DICOMStudyInstanceUID=uid, DICOMStudyTime=time)


@pytest.mark.parametrize("tokens", ["snapshot", "keyset", "offset"])
async def test_a_winner_that_came_within_the_walk(tokens: Any) -> None:
    """A study is answered where its winner stands, though a walk of what was does not give that."""
    days = ("20200104", "20200103", "20200102", "20200101")
    store = store_of(
        [
            study(1, "20200105", "10", primary=False, uid="1.2"),
            *(study(10 + n, day, "10", primary=True, uid=f"1.3.{n}") for n, day in enumerate(days)),
        ],
        Variants(tokens=tokens),
    )
    calls = Importing(store, 1, news=[study(99, "20200102", "09", primary=True, uid="1.2")])
    body, running = await Gateway(calls, SearchOptions(image_sets="fill"), page_size=1).ask(
        Question()
    )
    store.close()
    uids = [one["0020000D"]["Value"][0] for one in json.loads(body)]
    assert ["1.3.0", "1.3.1", "1.3.2", "1.2", "1.3.3"] == uids
    assert running.total() == 5


@dataclass
class Importing(StoreCalls):
    """Calls of a store that takes `news` in after the first page."""

    news: list[dict[str, Any]] = field(default_factory=list)

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page."""
        page = await super().search_image_sets(one, page_size, next_token)
        self.store.add_summaries(self.news)
        self.news = []
        return page


@pytest.mark.parametrize("page_size", [1, 2, 50])
async def test_a_winner_beside_a_leap_second(page_size: int) -> None:
    """A second 60 is read as 59 and may stand before it: no study changes its place for that."""
    store = store_of(
        [
            study(1, "20200102", "1015", primary=False, uid="1.9"),
            study(2, "20200101", "235959.999999", primary=None, uid="1.9"),
            study(3, "20200102", "0930", primary=True, uid="1.5"),
            study(4, "20200101", "235960", primary=True, uid="1.6"),
        ]
    )
    options = SearchOptions(image_sets="fill", study_window="day", trust_unmarked=False)
    body, _ = await Gateway(StoreCalls(store, page_size), options).ask(Question())
    store.close()
    assert ["1.5", "1.9", "1.6"] == [one["0020000D"]["Value"][0] for one in json.loads(body)]
