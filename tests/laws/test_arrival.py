"""Orders, counts and arrival: their laws, what is asked of HealthImaging, and who is naive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.emulator.variants import Variants
from gateway.errors import StudyWindowError
from gateway.healthimaging.body import Body
from gateway.healthimaging.client import criteria_of
from gateway.search.imageset import Page
from gateway.search.plan import Plan, SearchOptions
from tests.laws import naive
from tests.laws.blobs import Blobs
from tests.laws.harness import Gateway, StoreCalls, dialect_of, store_of
from tests.laws.oracle import Question, World, answer
from tests.laws.test_laws import FEWER, questions_about, worlds

T0 = 1_710_194_400  # 2024-03-11T15:00:00-07:00
SERIES = "1.2.840.99999999.84710745"


def _set(study: int, series: int, updated: float, **more: Any) -> dict[str, Any]:
    tags = {
        "DICOMStudyInstanceUID": f"1.2.{study}",
        "DICOMSeriesInstanceUID": f"1.2.{study}.{series}",
        "DICOMStudyDate": f"202001{study:02}",
        "DICOMSeriesModality": "CT",
        "DICOMPatientId": "PAT1",
        "DICOMNumberOfStudyRelatedInstances": 1,
        **more,
    }
    own = {"imageSetId": f"{study * 100 + series:032x}", "createdAt": T0 - 10.0}
    return {**own, "updatedAt": float(updated), "DICOMTags": tags, "isPrimary": True}


class Heard:
    """A store that keeps what was asked of it."""

    def __init__(self, calls: StoreCalls) -> None:
        self.calls = calls
        self.criteria: list[Mapping[str, Any]] = []

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """One page of the store's."""
        self.criteria.append(criteria_of(one))
        return await self.calls.search_image_sets(one, page_size, next_token)

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """The store's metadata."""
        return await self.calls.image_set_metadata(image_set_id, version)


def _uids(body: bytes, tag: str = "0020000D") -> list[str]:
    return [one[tag]["Value"][0] for one in json.loads(body)]


# --- laws -----------------------------------------------------------------------------------------


@FEWER
@given(worlds(), st.data(), st.sampled_from(("full", "short")))
async def test_counts(world: tuple[World, SearchOptions], data: st.DataObject, pages: Any) -> None:
    """A count is the number of results that the oracle's whole answer has."""
    stored, options = world
    question = data.draw(questions_about(stored))
    store = store_of(stored.summaries, Variants(padding="kept", pages=pages))
    calls = StoreCalls(store, 3, Blobs(stored.summaries))
    gateway = Gateway(calls, options, dialect=dialect_of(stored))
    _, running = await gateway.ask(question)
    again = gateway.service.start(running.query)
    body = b"".join([chunk async for chunk in again.count_json(lambda _: None)])
    store.close()
    assert {"count": len(answer(stored, question))} == json.loads(body)


# --- what is asked of HealthImaging ---------------------------------------------------------------


async def test_a_series_by_its_change_is_the_documented_search() -> None:
    """SearchImageSets' own example is one request: a series, changed in a range, by its change.

    Its study is fetched whole before it is answered.
    """
    sets = [
        _set(1, 1, T0 + 5.074, DICOMSeriesInstanceUID=SERIES),
        _set(1, 2, T0 + 9_000),
        _set(2, 1, T0 + 100),
    ]
    store = store_of(sets, Variants(pairs="documented"))
    heard = Heard(StoreCalls(store))
    window = [("updatedAt", "2024-03-11T15:00:05.074-07:00/2024-03-11T16:00:05.074-07:00")]
    by_uid: Any = ("SeriesInstanceUID", "uids", (SERIES,))
    question = Question("series", (by_uid,), orderby=("updatedAt",))
    body, running = await Gateway(heard).ask(question, window)
    store.close()
    assert [SERIES] == _uids(body, "0020000E")
    first, whole = heard.criteria
    equal, between = first["filters"]
    assert "sort" not in first
    assert {"operator": "EQUAL", "values": [{"DICOMSeriesInstanceUID": SERIES}]} == equal
    assert "BETWEEN" == between["operator"]
    bounds = [value["updatedAt"].timestamp() for value in between["values"]]
    assert [T0 + 4, T0 + 3_607] == bounds
    (study,) = whole["filters"]
    assert {"operator": "EQUAL", "values": [{"DICOMStudyInstanceUID": "1.2.1"}]} == study
    assert ("SeriesInstanceUID", "orderby", "updatedAt") == running.query.parameters


@pytest.mark.parametrize(
    ("key", "uids"),
    [
        pytest.param("../2024-03-11T15:01-07:00", ["1.2.1"], id="changed last until then"),
        pytest.param("2024-03-11T15:00-07:00/2024-03-11T15:01:00-07:00", ["1.2.1"],
                     id="a study that changed again has left the range"),
        pytest.param("2024-03-11T15:30-07:00/..", ["1.2.2"], id="changed since"),
    ],
)  # fmt: skip
async def test_a_study_changes_with_its_last_image_set(key: str, uids: list[str]) -> None:
    """An image set in the range is not enough; who takes the filter for the answer is caught."""
    sets = [_set(1, 1, T0), _set(2, 1, T0), _set(2, 2, T0 + 3_600)]
    store = store_of(sets)
    body, _ = await Gateway(StoreCalls(store)).ask(Question(), [("updatedAt", key)])
    fooled = naive.whatever_changed(store, T0 - 1, T0 + 62)
    store.close()
    assert uids == _uids(body)
    assert ["1.2.1", "1.2.2"] == sorted(uid for uid, _ in fooled)


async def test_the_last_image_set_may_have_another_patient() -> None:
    """Beside an EQUAL nothing is pushed where what came last may not have its value."""
    sets = [
        _set(1, 1, T0),
        {**_set(1, 2, T0 + 3_600, DICOMPatientId="PAT2"), "isPrimary": False},
    ]
    question = Question(
        criteria=(("PatientID", "is", "PAT1"), ("updatedAt", "arrived", T0 + 60, None))
    )
    store = store_of(sets)
    gateway = Gateway(StoreCalls(store), SearchOptions(image_sets="all"))
    body, _ = await gateway.ask(question)
    store.close()
    assert ["1.2.1"] == _uids(body)
    assert answer(World(sets, "all"), question) == json.loads(body)


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "options", "calls"),
    [
        pytest.param([], SearchOptions(), 1 + 6, id="each that is found, once"),
        pytest.param([("limit", "1")], SearchOptions(), 1 + 2, id="no more days than are answered"),
        pytest.param([("limit", "1")], SearchOptions(study_window="day"), 1 + 6,
                     id="all, where days are not trusted"),
        pytest.param([("updatedAt", "19700102")], SearchOptions(), 1, id="none is found"),
    ],
)  # fmt: skip
async def test_arrival_costs(
    window: Sequence[tuple[str, str]], options: SearchOptions, calls: int
) -> None:
    """A search by arrival costs the image sets of its range, and each study that it answers."""
    days = {n: f"2020010{1 + n // 2}" for n in range(6)}
    sets = [_set(n, 1, T0 + n, DICOMStudyDate=day) for n, day in days.items()]
    store = store_of(sets)
    counted = StoreCalls(store)
    asked = [*({"updatedAt": "20240311-"} | dict(window)).items()]
    body, _ = await Gateway(counted, options).ask(Question(), asked)
    store.close()
    assert calls == counted.served
    whole = [one["0020000D"]["Value"][0] for one in answer(World(sets), Question())]
    assert whole[: len(_uids(body))] == _uids(body)


async def test_studies_that_are_found_stand_by_their_winners() -> None:
    """A part that was found may have another time than its study: the study's own one counts."""
    sets = [
        _set(1, 1, T0, DICOMStudyDate="20200101", DICOMStudyTime="0800"),
        _set(1, 2, T0 + 9_000, DICOMStudyDate="20200101", DICOMStudyTime="1200"),
        _set(2, 1, T0, DICOMStudyDate="20200101", DICOMStudyTime="1000"),
    ]
    question = Question("series", (("SeriesInstanceUID", "uids", ("1.2.1.1", "1.2.2.1")),))
    store = store_of(sets)
    body, _ = await Gateway(StoreCalls(store)).ask(question)
    store.close()
    assert ["1.2.1", "1.2.2"] == _uids(body)
    assert answer(World(sets), question) == json.loads(body)


async def test_days_that_disagree_are_told_and_remembered() -> None:
    """Primary image sets of two days are against what is documented: 503, then all is fetched."""
    sets = [_set(1, 1, T0), _set(1, 2, T0 - 9_000, DICOMStudyDate="20190101"),
            _set(2, 1, T0 + 1)]  # fmt: skip
    sets[1]["updatedAt"] = T0 + 9_000.0
    question = Question("series", (("SeriesInstanceUID", "uids", ("1.2.1.1", "1.2.2.1")),))
    store = store_of(sets)
    gateway = Gateway(StoreCalls(store))
    with pytest.raises(StudyWindowError):
        await gateway.ask(question)
    body, _ = await gateway.ask(question)
    store.close()
    assert answer(World(sets), question) == json.loads(body)
    assert ["1.2.2", "1.2.1"] == _uids(body)
