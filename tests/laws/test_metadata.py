"""The laws of metadata: what it costs to read it, and that one damaged blob harms no other."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.search.describing import AT_ONCE
from gateway.search.plan import SearchOptions
from gateway.server.paths import ROOT
from tests.building import service_over
from tests.http.driver import ask
from tests.laws.archive import arbitrary, regular
from tests.laws.blobs import Blobs, document_of, packed
from tests.laws.damage import damaged
from tests.laws.dataset import image_sets
from tests.laws.harness import (
    MANY_CALLS,
    RESOURCES,
    Gateway,
    StoreCalls,
    app_of,
    dialect_of,
    parameters_of,
    store_of,
)
from tests.laws.oracle import Question, Summary, World, answer
from tests.laws.test_laws import EXAMPLES, FEWER

PHYSICIAN = "ReferringPhysicianName"
COUNT = "NumberOfSeriesRelatedInstances"
Window = tuple[int, int]


async def _described(world: World, question: Question, window: Window) -> list[str]:
    """The image sets whose metadata a window of an answer costs, which is checked as well."""
    store = store_of(world.summaries)
    calls = StoreCalls(store, metadata=Blobs(world.summaries))
    gateway = Gateway(calls, dialect=dialect_of(world))
    offset, limit = window
    body, running = await gateway.ask(question, [("offset", str(offset)), ("limit", str(limit))])
    store.close()
    found = answer(world, question)[offset : offset + limit]
    assert [_uid(one) for one in found] == [_uid(one) for one in json.loads(body)]
    assert running.upstream.budget.calls == calls.calls
    return calls.described


def _uid(result: dict[str, Any]) -> str:
    tags = ("00080018", "0020000E", "0020000D")
    return str(next(result[tag] for tag in tags if tag in result)["Value"][0])


def _series_of(world: World) -> list[str]:
    """The image sets of a regular world, in the order of their series."""
    by_uid = {s["DICOMTags"]["DICOMSeriesInstanceUID"]: s["imageSetId"] for s in world.summaries}
    return [by_uid[_uid(one)] for one in answer(world, Question("series"))]


def _winners_of(world: World) -> list[str]:
    """The image sets that speak for the studies of a regular world, in the order of these."""
    winners: dict[str, Summary] = {}
    for summary in sorted(world.summaries, key=lambda s: s["updatedAt"]):
        winners[summary["DICOMTags"]["DICOMStudyInstanceUID"]] = summary
    return [winners[_uid(one)]["imageSetId"] for one in answer(world, Question())]


# --- frugality ------------------------------------------------------------------------------------

WINDOWS = st.tuples(st.integers(0, 4), st.integers(1, 5))
UNTOLD = (
    Question(),
    Question("series"),
    Question("series", (("Modality", "any-of", ("CT",)),), orderby=("-PatientName",)),
    Question(criteria=(("PatientName", "wild", "d*"),), includefield=("StudyDescription",)),
)


@FEWER
@given(regular(), st.sampled_from(UNTOLD), WINDOWS)
async def test_summaries_are_enough(
    summaries: list[Summary], question: Question, window: Window
) -> None:
    """Where nothing names what only metadata tells, none is read."""
    world = World(summaries, study_attributes=(PHYSICIAN,))
    assert [] == await _described(world, question, window)


@FEWER
@given(regular(), st.sampled_from(("SeriesDescription", PHYSICIAN, COUNT)), WINDOWS)
async def test_only_what_is_shown_is_read(
    summaries: list[Summary], keyword: str, window: Window
) -> None:
    """What only adds to results costs one call an image set, none outside the window."""
    world = World(summaries, study_attributes=(PHYSICIAN,))
    of_studies = keyword == PHYSICIAN
    question = Question("studies" if of_studies else "series", includefield=(keyword,))
    offset, limit = window
    shown = (_winners_of if of_studies else _series_of)(world)[offset : offset + limit]
    if keyword == COUNT:  # most summaries tell it
        told = {
            s["imageSetId"]: "DICOMNumberOfStudyRelatedInstances" in s["DICOMTags"]
            for s in summaries
        }
        shown = [one for one in shown if not told[one]]
    assert sorted(shown) == sorted(await _described(world, question, window))


@FEWER
@given(regular(), st.booleans(), WINDOWS)
async def test_instances_are_read_until_there_are_enough(
    summaries: list[Summary], everything: bool, window: Window
) -> None:
    """Instances cost the image sets up to the window's last, and few that were under way."""
    world = World(summaries)
    question = Question("instances", includefield=("all",) if everything else ())
    in_order = _series_of(world)
    counts = {s["imageSetId"]: len(s["metadata"]["instances"]) for s in summaries}
    needed, met = 0, 0
    while needed < len(in_order) and met < sum(window):
        met += counts[in_order[needed]]
        needed += 1
    described = await _described(world, question, window)
    assert len(set(described)) == len(described)
    assert set(in_order[:needed]) <= set(described)
    assert set(described) <= set(in_order[: needed + (1 if everything else AT_ONCE - 1)])


@FEWER
@given(regular(), WINDOWS)
async def test_criteria_are_decided_until_there_are_enough(
    summaries: list[Summary], window: Window
) -> None:
    """What only metadata decides costs what was tried, and few that were under way."""
    world = World(summaries)
    question = Question("series", (("SeriesDescription", "wild", "*A*"),))
    in_order = _series_of(world)
    found = [_uid(one) for one in answer(world, question)]
    uids = [_uid(one) for one in answer(world, Question("series"))]
    enough = len(found) >= sum(window)
    needed = uids.index(found[sum(window) - 1]) + 1 if enough else len(uids)
    described = await _described(world, question, window)
    assert len(set(described)) == len(described)
    assert set(in_order[:needed]) <= set(described)
    assert set(described) <= set(in_order[: needed + AT_ONCE - 1])


# --- damage ---------------------------------------------------------------------------------------

HARMED = (
    Question("instances"),
    Question("instances", includefield=("all",)),
    Question("series", includefield=("SeriesDescription", "RequestAttributesSequence")),
    Question("series", includefield=(COUNT,)),
    Question(includefield=(PHYSICIAN,)),
)


@pytest.fixture(scope="module")
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("_quiet")
@settings(EXAMPLES, max_examples=200)
@given(arbitrary(studies=2), st.sampled_from(HARMED), st.data())
async def test_one_damaged_blob_harms_no_other(
    summaries: list[Summary], question: Question, data: st.DataObject
) -> None:
    """The status is 200, the results of all other image sets are as ever, and loss is told."""
    world = World(summaries, "all", trust_unmarked=False, study_attributes=(PHYSICIAN,))
    victim = data.draw(st.sampled_from(summaries), label="victim")
    blobs = Blobs(summaries)
    blobs[victim["imageSetId"]], is_evident = data.draw(damaged(victim), label="blob")
    status, warned, found = await _answered(world, question, blobs)
    assert 200 == status
    whole = {_uid(one): one for one in _plain(answer(world, question))}
    own = _own_uids(victim, question)
    others = {uid: _without_count(one) for uid, one in whole.items() if uid not in own}
    kept = {uid: _without_count(one) for uid, one in found.items() if uid in others}
    assert others.keys() == kept.keys()
    assert {} == {
        uid: _changed_tags(one, kept[uid]) for uid, one in others.items() if one != kept[uid]
    }
    assert _also_elsewhere(victim, summaries, own) <= found.keys()
    if is_evident and not warned:
        assert whole.keys() == found.keys()


async def _answered(
    world: World, question: Question, blobs: Blobs
) -> tuple[int, bool, dict[str, dict[str, Any]]]:
    """The status, whether metadata's Warnings are there, and the results by their UIDs."""
    store = store_of(world.summaries)
    options = SearchOptions(
        image_sets="all", trust_unmarked=False, study_window="day", equal_padding="both"
    )
    calls = StoreCalls(store, metadata=blobs)
    app = app_of(service_over(calls, options, MANY_CALLS, dialect=dialect_of(world)))
    path = RESOURCES[question.resource].value
    answered = await ask(app, f"{ROOT}{path}?{urlencode(parameters_of(question))}")
    store.close()
    warned = any("The metadata of" in text for _, text in answered.headers)
    results = _plain(answered.json)
    return answered.status, warned, {_uid(one): one for one in results}


def _own_uids(victim: Summary, question: Question) -> set[str]:
    """The results that the victim's metadata says anything of."""
    if question.of_instances:
        return {one["DICOM"]["SOPInstanceUID"] for one in victim["metadata"]["instances"]}
    name = "DICOMSeriesInstanceUID" if question.resource == "series" else "DICOMStudyInstanceUID"
    return {victim["DICOMTags"][name]}


def _also_elsewhere(victim: Summary, summaries: list[Summary], own: set[str]) -> set[str]:
    """Which of the victim's instances another image set has too."""
    sets = (s["metadata"]["instances"] for s in summaries if s is not victim)
    return own & {one["DICOM"]["SOPInstanceUID"] for instances in sets for one in instances}


def _plain(answered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(json.dumps(answered), parse_int=float)
    for one in found:
        one.pop("00081190")  # its address holds the base URL
    return found


def _changed_tags(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    tags = sorted(one.keys() | other.keys())
    return {t: (one.get(t), other.get(t)) for t in tags if one.get(t) != other.get(t)}


def _without_count(result: dict[str, Any]) -> dict[str, Any]:
    return {tag: value for tag, value in result.items() if tag != "00201209"}


LOST = "Instances of 1 image sets may be missing."
LACKS = "lacks a part that every image set has"
ONE = image_sets()[0]
DOCUMENT = document_of(ONE)


def _changed(suffix: str = "", **dicom: Any) -> bytes:
    """The document with other values in its one instance, whose UID has a suffix."""
    instance = {**ONE["metadata"]["instances"][0]}
    uid = instance["DICOM"]["SOPInstanceUID"] + suffix
    instance["DICOM"] = {**instance["DICOM"], "SOPInstanceUID": uid, **dicom}
    return packed(document_of({**ONE, "metadata": {**ONE["metadata"], "instances": [instance]}}))


@pytest.mark.parametrize(
    ("blob", "texts"),
    [
        pytest.param(packed(DOCUMENT), [], id="nothing"),
        pytest.param(b"", ["is not gzip", LOST], id="no bytes"),
        pytest.param(b"<html></html>", ["is not gzip", LOST], id="an HTML page"),
        pytest.param(packed(DOCUMENT)[:-9], ["is not JSON", LOST], id="cut"),
        pytest.param(packed("DOE^JANE"), [LACKS, LOST], id="a text"),
        pytest.param(packed({}), [LACKS, LOST], id="an empty object"),
        pytest.param(_changed(Rows="x"), ["has a value that does not fit its VR"], id="Rows=x"),
    ],
)
async def test_what_is_wrong_is_said(blob: bytes, texts: list[str]) -> None:
    """Warnings tell what is wrong with how many image sets, and whether instances may be lost."""
    store = store_of([ONE])
    calls = StoreCalls(store, metadata={ONE["imageSetId"]: blob})
    _, running = await Gateway(calls).ask(Question("instances"))
    store.close()
    told = [text if text == LOST else f"The metadata of 1 image sets {text}." for text in texts]
    assert told == list(running.warnings())


async def test_each_damaged_part_is_counted() -> None:
    """Of a series in two parts each that has a value that does not fit is counted."""
    parts = [
        {**ONE, "imageSetId": f"{number:032x}", "updatedAt": float(number)} for number in (1, 2)
    ]
    blobs = {one["imageSetId"]: _changed(f".{one['imageSetId'][-1]}", Rows="x") for one in parts}
    store = store_of(parts)
    body, running = await Gateway(StoreCalls(store, metadata=blobs)).ask(Question("instances"))
    store.close()
    assert 2 == len(json.loads(body))
    told = ["The metadata of 2 image sets has a value that does not fit its VR."]
    assert told == list(running.warnings())
