"""The laws of the gateway, each over made-up archives against a direct loop.

Every number of examples is a setting of the profile, so that CI is deterministic.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.emulator.variants import Variants
from gateway.errors import QueryError
from gateway.qido.attributes import Resource
from gateway.qido.matching import pattern_of
from gateway.qido.query import Query, parse_query
from gateway.search.plan import SearchOptions
from tests.laws.archive import arbitrary, questions, regular
from tests.laws.blobs import Blobs
from tests.laws.harness import (
    Gateway,
    StoreCalls,
    answer_of,
    dialect_of,
    shared_as,
    store_of,
)
from tests.laws.oracle import Question, Summary, World, answer, wild
from tests.laws.stored import SERIES_DETAILS

DETAILS = {*SERIES_DETAILS, "ReferringPhysicianName", "NumberOfSeriesRelatedInstances"}
EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FEWER = settings(EXAMPLES, max_examples=60)
KEPT = Variants(padding="kept")
DAY = SearchOptions(study_window="day", equal_padding="both")


@st.composite
def worlds(draw: st.DrawFn, studies: int = 8) -> tuple[World, SearchOptions]:
    """An archive of either family, and the options that it calls for."""
    described = draw(st.sampled_from(((), ("ReferringPhysicianName",))))
    if draw(st.booleans()):
        return World(draw(regular(studies)), study_attributes=described), SearchOptions()
    summaries = draw(arbitrary(min(studies, 6)))
    trust = not any("isPrimary" not in s for s in summaries)
    mode: Any = draw(st.sampled_from(("primary", "fill", "all")))
    world = World(summaries, mode, trust, counts_are_sure=True, study_attributes=described)
    return world, replace(DAY, image_sets=mode, trust_unmarked=trust, counts="image-set")


def questions_about(world: World, *, detailed: bool = False) -> Any:
    """Questions about a world that its gateway takes."""
    known = world.study_attributes
    return questions(list(world.summaries), study_attributes=known, detailed=detailed)


def _shapes(answered: Sequence[dict[str, Any]]) -> str:
    """An answer as text, in which 3 and 3.0 are the same number."""
    text = json.dumps(answered, ensure_ascii=False, sort_keys=True)
    return json.dumps(json.loads(text, parse_int=float), ensure_ascii=False, indent=1)


# --- 1 plan neutrality ----------------------------------------------------------------------------


@EXAMPLES
@given(worlds(), st.data())
async def test_plan_neutrality(world: tuple[World, SearchOptions], data: st.DataObject) -> None:
    """Whatever the plan pushes down, the answer is that of a direct loop over the stored data."""
    stored, options = world
    question = data.draw(questions_about(stored))
    answered = await answer_of(stored, question, KEPT, options)
    assert _shapes(answer(stored, question)) == _shapes(answered)


@EXAMPLES
@given(worlds(studies=2), st.data())
async def test_details_are_those_of_metadata(
    world: tuple[World, SearchOptions], data: st.DataObject
) -> None:
    """What only metadata tells is matched, sorted and answered as a direct loop does."""
    stored, options = world
    question = data.draw(questions_about(stored, detailed=True))
    answered = await answer_of(stored, question, KEPT, options)
    assert _shapes(answer(stored, question)) == _shapes(answered)


# --- 2 page splits --------------------------------------------------------------------------------


@FEWER
@given(
    worlds(),
    st.data(),
    st.integers(1, 50),
    st.sampled_from(("full", "short")),
    st.sampled_from(("first", "last")),
)
async def test_page_splits(
    world: tuple[World, SearchOptions],
    data: st.DataObject,
    page_size: int,
    pages: Any,
    undated: Any,
) -> None:
    """However the upstream cuts its pages, empty ones with a token too, the bytes are the same."""
    stored, options = world
    question = data.draw(questions_about(stored))
    whole = await answer_of(stored, question, KEPT, options)
    variants = Variants(padding="kept", pages=pages, empty_list="absent", undated=undated)
    split = await answer_of(stored, question, variants, options, page_size)
    assert whole == split


# --- 3 windows ------------------------------------------------------------------------------------


@FEWER
@given(worlds(), st.data(), st.integers(1, 4))
async def test_windows(world: tuple[World, SearchOptions], data: st.DataObject, limit: int) -> None:
    """The windows of offset and limit put together are the whole answer, nothing twice."""
    stored, options = world
    question = data.draw(questions_about(stored))
    whole = await answer_of(stored, question, KEPT, options)
    store = store_of(stored.summaries, KEPT)
    calls = StoreCalls(store, 3, Blobs(stored.summaries))
    sharing = shared_as(len(stored.summaries), limit)
    gateway = Gateway(calls, options, dialect=dialect_of(stored), walk_limits=sharing)
    joined: list[Any] = []
    while True:
        window = [("limit", str(limit)), ("offset", str(len(joined)))]
        body, running = await gateway.ask(question, window)
        part = json.loads(body)
        joined += part
        more = [text for text in running.warnings() if "additional" in text]
        assert len(part) == limit or not more, "fewer than asked for, so it was the last"
        if not part:
            break
    store.close()
    assert _shapes(answer(stored, question)) == _shapes(whole)
    assert whole == joined


# --- 4 frugality ----------------------------------------------------------------------------------


@FEWER
@given(regular(studies=12), st.integers(1, 5), st.integers(0, 3), st.integers(1, 6))
async def test_frugality(summaries: list[Summary], limit: int, offset: int, size: int) -> None:
    """A worklist costs the pages that reach an hour past its last study, and no more."""
    store = store_of(summaries)
    calls = StoreCalls(store, size)
    gateway = Gateway(calls)
    await gateway.ask(Question(), [("limit", str(limit)), ("offset", str(offset))])
    dated = [s for s in summaries if "DICOMStudyDate" in s["DICOMTags"]]
    studies = answer(World(summaries), Question())
    store.close()
    pages = math.ceil(len(summaries) / size)
    if len(studies) >= offset + limit:
        last = studies[offset + limit - 1]
        needed = _image_sets_until(dated, last)
        pages = min(pages, math.ceil(needed / size)) if needed else pages
    # where undated image sets fill the first page, the dated ones are asked for alone
    assert calls.served <= pages + (len(set(calls.log)) > 1)


def _image_sets_until(dated: list[Summary], last: dict[str, Any]) -> int:
    """How many image sets a walk reads to be an hour past a study; 0 where it needs them all."""
    if "Value" not in last["00080020"]:
        return 0
    edge = _hour(last["00080020"]["Value"][0], last["00080030"].get("Value", ["00"])[0]) - 3600
    instants = [
        _hour(s["DICOMTags"]["DICOMStudyDate"], s["DICOMTags"].get("DICOMStudyTime")) for s in dated
    ]
    later = [i for i in instants if i > edge]
    return len(later) + 1 if len(later) < len(instants) else 0


def _hour(day: str, time: str | None) -> float:
    import datetime

    seconds = 86399.9 if time is None else 0.0  # a missing time moves the walk to its day only
    text = (time or "").replace(".", "")[:6].ljust(6, "0")
    if time is not None:
        seconds = int(text[:2]) * 3600 + int(text[2:4]) * 60 + int(text[4:6])
    return datetime.datetime.strptime(day, "%Y%m%d").timestamp() + seconds


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(("StudyInstanceUID", "uids", ("1.2.3",)), id="StudyInstanceUID"),
        pytest.param(("AccessionNumber", "is", "ACC1"), id="AccessionNumber"),
    ],
)
async def test_a_point_lookup_is_one_call(query: tuple[Any, ...]) -> None:
    """A key that one page holds costs one call."""
    tags = {"DICOMStudyInstanceUID": "1.2.3", "DICOMAccessionNumber": "ACC1"}
    store = store_of([{"imageSetId": f"{1:032x}", "updatedAt": 1.0, "DICOMTags": tags}])
    calls = StoreCalls(store)
    body, _ = await Gateway(calls).ask(Question(criteria=(query,)))
    store.close()
    assert (1, 1) == (len(json.loads(body)), calls.served)


# --- 5 parse totality -----------------------------------------------------------------------------

_NAMES = st.sampled_from(
    (
        "StudyDate",
        "StudyTime",
        "PatientName",
        "00100020",
        "limit",
        "offset",
        "includefield",
        "fuzzymatching",
        "emptyvaluematching",
        "multiplevaluematching",
        "ModalitiesInStudy",
        "StudyInstanceUID",
        "NumberOfStudyRelatedSeries",
        "updatedAt",
        "orderby",
        "x",
    )
)
_VALUES = st.one_of(
    st.text(max_size=12).map(quote),
    st.sampled_from(
        (
            "20200101-",
            "-",
            "*",
            "1-2",
            "0930-10",
            "%FF",
            "CT,MR",
            "1.2\\3",
            "",
            "+",
            "99999999",
            "true",
            '""',
            "-StudyDate",
            "2020-01-02/..",
            "-20200102",
        )
    ),
)


@settings(EXAMPLES, max_examples=2000)
@given(
    st.sampled_from(Resource),
    st.one_of(
        st.binary(max_size=60),
        st.lists(st.tuples(_NAMES, _VALUES).map("=".join), max_size=5)
        .map("&".join)
        .map(str.encode),
    ),
)
def test_parse_totality(resource: Resource, query_string: bytes) -> None:
    """Any query string gives a Query or a QueryError."""
    try:
        assert isinstance(parse_query(resource, query_string), Query)
    except QueryError as exc:
        assert exc.parameter


# --- 6 encoding -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # ACR-NEMA's dates stay as stored
@EXAMPLES
@given(worlds(), st.sampled_from(("studies", "series")))
async def test_encoding(world: tuple[World, SearchOptions], resource: str) -> None:
    """Every result loads in pydicom, in the order of tags, and nothing empty has a Value."""
    stored, options = world
    for result in await answer_of(stored, Question(resource), KEPT, options):
        _assert_encoded(result)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@FEWER
@given(arbitrary(studies=2), st.sampled_from(("series", "instances")), st.booleans())
async def test_encoding_of_details(
    summaries: list[Summary], resource: str, everything: bool
) -> None:
    """So does what is told by metadata, items of sequences too."""
    question = Question(resource, includefield=("all" if everything else "SeriesDescription",))
    stored = World(summaries, "all", trust_unmarked=False)
    options = replace(DAY, image_sets="all", trust_unmarked=False)
    for result in await answer_of(stored, question, KEPT, options):
        _assert_encoded(result)


def _assert_encoded(result: dict[str, Any]) -> None:
    _assert_in_form(result)
    dataset = pydicom.Dataset.from_json(result)
    assert result["0020000D"]["Value"] == [dataset.StudyInstanceUID]
    assert sorted(result) == [f"{element.tag:08X}" for element in dataset]


def _assert_in_form(dataset: dict[str, Any]) -> None:
    assert sorted(dataset) == list(dataset)
    for attribute in dataset.values():
        values = attribute.get("Value", [None])
        assert "Value" not in attribute or any(value is not None for value in values)
        if attribute["vr"] == "SQ":
            for item in attribute.get("Value", []):
                _assert_in_form(item)


# --- 7 wild cards ---------------------------------------------------------------------------------


@settings(EXAMPLES, max_examples=1000)
@given(st.text("ab*?.^\\[é,", max_size=7), st.text("ab*?.^\\[é,", max_size=7))
def test_wild_cards(pattern: str, text: str) -> None:
    """A wild card key matches what a ten-line reference says."""
    assert wild(pattern, text) == bool(pattern_of(pattern).fullmatch(text))


def test_a_key_of_many_stars_is_no_burden() -> None:
    """A key that just fails is refused in a moment, however many stars it has."""
    assert not pattern_of("*a" * 400 + "b").fullmatch("a" * 500)


# --- 9 monotony -----------------------------------------------------------------------------------


@FEWER
@given(worlds(), st.data())
async def test_monotony(world: tuple[World, SearchOptions], data: st.DataObject) -> None:
    """One more criterion never adds a result, unless it is half of a date and time pair."""
    stored, options = world
    question = data.draw(questions_about(stored))
    if not question.criteria:
        return
    fewer = replace(question, criteria=question.criteria[:-1])
    keywords = {c[0] for c in question.criteria}
    if {"StudyDate", "StudyTime"} <= keywords:
        return
    some = await answer_of(stored, question, KEPT, options)
    more = await answer_of(stored, fewer, KEPT, options)
    assert {_identity(one) for one in some} <= {_identity(one) for one in more}


def _identity(result: dict[str, Any]) -> str:
    tags = ("00080018", "0020000E", "0020000D")
    return str(next(result[tag] for tag in tags if tag in result))


# --- the generators -------------------------------------------------------------------------------


def test_the_questions_are_worth_asking() -> None:
    """At least two of five generated questions have an answer that is not empty, of each kind."""
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()

    @settings(EXAMPLES, max_examples=150)
    @given(worlds(), st.data())
    def ask(world: tuple[World, SearchOptions], data: st.DataObject) -> None:
        question = data.draw(questions_about(world[0]))
        told = "by metadata" if question.names(DETAILS) else "by summaries"
        kinds = ["instances" if question.of_instances else told, "all"]
        asked.update(kinds)
        answered.update(kinds if answer(world[0], question) else [])

    ask()
    assert asked["all"] >= 120
    assert all(asked[kind] >= 20 for kind in ("instances", "by metadata", "by summaries"))
    assert all(answered[kind] >= 0.4 * number for kind, number in asked.items()), answered
