"""Going on: what a search leaves for the next one, and what one that begins anew has to meet."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import StudyWindowError, WalkLostError
from gateway.qido.attributes import Level
from gateway.qido.result import Result
from gateway.search import streaming
from gateway.search.given import Given
from gateway.search.grouping import StudyWindow
from gateway.search.imageset import ImageSet
from gateway.search.trail import Checkpoint, Trail
from tests.laws.harness import Gateway, StoreCalls, store_of
from tests.laws.oracle import Question
from tests.laws.test_shared_laws import ALIVE
from tests.laws.test_sharing import _set


def _trail(*results: int) -> Trail:
    """A trail with checkpoints behind so many results, each a study; the place is the number."""
    points = [
        Checkpoint(place=n, results=n, released=n, hidden=n // 2, clock=0, last=None)
        for n in results
    ]
    studies = [(f"1.{n}", False) for n in range(9)]
    return Trail(studies, [f"{n}" for n in range(4)], points)


@pytest.mark.parametrize(
    ("position", "unfit", "expected"),
    [
        pytest.param(0, (), (), id="the beginning"),
        pytest.param(1, (), (), id="before the first"),
        pytest.param(2, (), (2,), id="at the first"),
        pytest.param(4, (), (2,), id="before the second"),
        pytest.param(5, (), (2, 5), id="at the second"),
        pytest.param(99, (), (2, 5, 8), id="behind all"),
        pytest.param(99, (8,), (2, 5), id="the last does not lead on"),
        pytest.param(99, (5, 8), (2,), id="nor does the one before"),
        pytest.param(99, (2, 5, 8), (), id="none does"),
    ],
)
def test_a_trail_until(position: int, unfit: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """It ends at the last checkpoint that may be gone on from, with what was known there."""
    until = _trail(2, 5, 8).until(position, lambda place: place not in unfit)
    last = expected[-1] if expected else 0
    assert expected == tuple(one.results for one in until.checkpoints)
    assert (last, last // 2, last) == (len(until.released), len(until.hidden), until.length)


def test_a_trail_is_its_reader_s_own() -> None:
    """What a search adds to its copy, another one does not see."""
    trail = _trail(2)
    copy = trail.until(2, lambda _: True)
    copy.released.append(("1.77", True))
    copy.checkpoints.clear()
    assert (9, 1) == (len(trail.released), len(trail.checkpoints))
    assert trail.weight > copy.weight


# --- the study window -----------------------------------------------------------------------------


def _met(study: str, hour: int, number: int = 1, *, primary: bool = True) -> ImageSet:
    tags = {
        "DICOMStudyInstanceUID": study,
        "DICOMStudyDate": "20240105",
        "DICOMStudyTime": f"{hour:02}",
    }
    return ImageSet(f"{study}{number}", tags, is_primary=primary)


def _left_at(clock_hour: int) -> StudyWindow:
    """A window that goes on behind A of 12 o'clock, the walk having been read down to an hour."""
    before = StudyWindow(whole_days=False)
    for one in (_met("A", 12), _met("B", clock_hour)):
        before.add(one)
    released = before.state_of(before.release())
    mark = before.mark()
    assert mark is not None
    window = StudyWindow(whole_days=False)
    window.go_on(released, mark[2], mark[1])
    return window


@pytest.mark.parametrize(
    ("image_set", "expected"),
    [
        pytest.param(_met("A", 12), "B", id="what was answered is read again"),
        pytest.param(_met("A", 11, 2), "B", id="so is a part of it that was read"),
        pytest.param(_met("N", 14), "B", id="a study that came since, in front"),
        pytest.param(_met("Z", 11), "ZB", id="a study that came since, behind"),
        pytest.param(_met("N", 14, primary=False), "NB", id="in front, and not primary: in doubt"),
        pytest.param(_met("A", 9, 2), "disorder", id="a part where the walk had not been"),
    ],
)
def test_pages_are_read_again(image_set: ImageSet, expected: str) -> None:
    """Above the instant that was reached nothing is disorder, below it all is news."""
    window = _left_at(10)
    try:
        window.add(image_set)
        window.add(_met("B", 10))
        found = "".join(group.study_uid for group in window.finish())
    except StudyWindowError:
        found = "disorder"
    assert expected == found


def test_a_mark_tells_how_far_the_walk_was_ever_read() -> None:
    """A checkpoint that is set while pages are read again does not forget what lay behind."""
    window = _left_at(10)
    first = window.mark()
    window.add(_met("Z", 11))
    second = window.mark()
    assert first is not None
    assert second is not None
    assert first[1] == second[1]


def test_a_mark_stands_at_the_page_of_the_first_open_study() -> None:
    """Whoever goes on reads that study whole, though the walk has come further."""
    window = StudyWindow(whole_days=False)
    for met in (_met("A", 14), _met("B", 12), _met("B", 12, 2)):
        window.page += 1
        window.add(met)
        window.release()
    mark = window.mark()
    assert mark is not None
    assert 2 == mark[0]


def test_no_mark_where_an_open_study_has_a_part_in_front() -> None:
    """Read again there, that part could not be told from one that came too late."""
    window = StudyWindow(whole_days=False)
    for one in (_met("B", 14, 2, primary=False), _met("A", 13), _met("B", 11)):
        window.add(one)
    assert ["A"] == [group.study_uid for group in window.release()]
    assert window.mark() is None


def test_no_mark_where_undated_image_sets_are_held() -> None:
    """They may stand on any page, so that there is no place from which to find them all."""
    window = _left_at(10)
    window.add(ImageSet("u", {"DICOMStudyInstanceUID": "U"}))
    assert window.mark() is None


# --- a stream -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "calls"),
    [pytest.param(9, 2, id="known"), pytest.param(1, 5, id="no room to know them")],
)
async def test_more_studies_than_are_remembered(
    most: int, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trail ends where too many studies would have to be known; the answer is the same."""
    monkeypatch.setattr(streaming, "MAX_RELEASED", most)
    store = store_of(_set(f"1.{n}", f"2024010{9 - n} 1200") for n in range(8))
    counted = StoreCalls(store, 1)
    gateway = Gateway(counted, walk_limits=ALIVE, page_size=1)
    await gateway.ask(Question(), [("limit", "5")])
    for walk in gateway.service._walks._walks.values():
        known = [len(one.checkpoints) for one in walk.trails.values()]
    assert [min(4, most)] == known
    body, _ = await gateway.ask(Question(), [("offset", "4"), ("limit", "1")])
    assert b"1.4" in body
    gateway.service.close()
    store.close()


async def test_what_is_hidden_is_told_of_the_part_before_too() -> None:
    """Who goes on is told of all image sets that were left out, not of those of its own pages."""
    sets = [_set(f"1.{n}", f"2024010{9 - n} 1200", n) for n in range(6)]
    for one in sets[::2]:
        one["isPrimary"] = False
    store = store_of(sets)
    gateway = Gateway(StoreCalls(store, 1), walk_limits=ALIVE, page_size=1)
    await gateway.ask(Question(), [("limit", "2")])
    _, running = await gateway.ask(Question(), [("offset", "2")])
    gateway.service.close()
    store.close()
    assert ["3 image sets that are not primary have been left out."] == list(running.warnings())


# --- beginning anew -------------------------------------------------------------------------------


def _result(number: int) -> Result:
    return Result(Level.STUDY, {"StudyInstanceUID": (f"1.{number}",)})


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        pytest.param("", "", "", id="nothing"),
        pytest.param("", "12", "12", id="nothing was given"),
        pytest.param("12", "12", "", id="the same"),
        pytest.param("12", "123", "3", id="and more"),
        pytest.param("12", "1234", "34", id="and much more"),
        pytest.param("12", "1", None, id="fewer"),
        pytest.param("12", "", None, id="none"),
        pytest.param("12", "13", None, id="another"),
        pytest.param("12", "213", None, id="another order"),
        pytest.param("1", "21", None, id="one in front"),
    ],
)
def test_beginning_anew(before: str, after: str, news: str | None) -> None:
    """What was given has to come first again, and is not given twice; that is tried once."""
    given = Given(Level.STUDY)
    assert all(given.is_news(_result(int(n))) for n in before)
    given.check()
    assert given.begin_anew()
    try:
        found: Any = "".join(n for n in after if given.is_news(_result(int(n))))
        given.check()
    except WalkLostError:
        found = None
    assert news == found
    assert not given.begin_anew()
