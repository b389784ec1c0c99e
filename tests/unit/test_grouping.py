"""Grouping: study windows, the winner, what is shown, counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import ResultTooLargeError, StudyWindowError
from gateway.search.grouping import (
    MAX_WINDOW,
    Group,
    StudyWindow,
    instant_of,
    is_primary,
    winner_first,
)
from gateway.search.imageset import ImageSet
from gateway.search.plan import SearchOptions
from gateway.search.study import found_series, found_study, shown

UID, SERIES, DATE, TIME = (
    "DICOMStudyInstanceUID",
    "DICOMSeriesInstanceUID",
    "DICOMStudyDate",
    "DICOMStudyTime",
)
INSTANCES = "DICOMNumberOfStudyRelatedInstances"


def one(
    name: str, study: str = "1", date: str = "20200101", time: str = "1200", **more: Any
) -> ImageSet:
    """An image set that is primary."""
    fields = {key: more.pop(key) for key in ("is_primary", "updated_at", "version") if key in more}
    tags = {UID: study, DATE: date, TIME: time, **more}
    kept = {key: value for key, value in tags.items() if value != ""}
    return replace(ImageSet(name, kept, is_primary=True), **fields)


def released(sets: list[ImageSet], *, whole_days: bool = False) -> list[list[str]]:
    """The studies that are released after each image set, and at the end."""
    window = StudyWindow(whole_days=whole_days)
    out = []
    for image_set in sets:
        window.add(image_set)
        out.append([group.study_uid for group in window.release()])
    out.append([group.study_uid for group in window.finish()])
    return out


A12, B11 = one("a", "A", time="1200"), one("b", "B", time="1100")
B1059, C10 = one("b", "B", time="105959"), one("c", "C", time="1000")


@pytest.mark.parametrize(
    ("sets", "whole_days", "studies"),
    [
        pytest.param([], False, [[]], id="nothing"),
        pytest.param([A12], False, [[], ["A"]], id="one"),
        pytest.param([A12, B11], False, [[], ["A"], ["B"]], id="an hour later"),
        pytest.param([A12, one("b", "B", time="110001")], False, [[], [], ["A", "B"]],
                     id="a second less"),
        pytest.param([A12, B11, C10], True, [[], [], [], ["A", "B", "C"]], id="whole days"),
        pytest.param([A12, one("b", "B", date="20191231", time="2359")], True, [[], ["A"], ["B"]],
                     id="whole days: the day before"),
        pytest.param([one("b", "B"), one("a", "A")], False, [[], [], ["A", "B"]], id="ties by UID"),
        pytest.param([one("a", "A", time=""), A12.__class__("b", {UID: "B", DATE: "20200101",
                     TIME: "2300"}, is_primary=True)], False, [[], [], ["B", "A"]],
                     id="a missing time comes first and stands last"),
        pytest.param([one("b", "B", time="0000"), one("a", "A", time="noon"),
                      one("c", "C", date="20191231", time="2300")], False,
                     [[], [], ["B", "A"], ["C"]], id="an unreadable time is as a missing one"),
        pytest.param([one("u", "U", date=""), A12, B11], False, [[], [], ["A"], ["B", "U"]],
                     id="undated wait for the end"),
        pytest.param([one("l", "L", date="2020.01.02"), A12], False, [[], [], ["A", "L"]],
                     id="a date that is none is undated"),
        pytest.param([A12, one("a2", "A", time="1110"), C10, one("d", "D", time="0900")], False,
                     [[], [], ["A"], ["C"], ["D"]], id="a late part keeps a study open"),
        pytest.param([A12, one("b1", "B", time="1159"), one("a2", "A", time="1101"), B1059], False,
                     [[], [], [], [], ["A", "B"]], id="who stands behind an open study waits"),
        pytest.param([A12, one("u", "A", date="")], False, [[], [], ["A"]],
                     id="an undated part joins its open study"),
        pytest.param([A12, replace(A12, version=2)], False, [[], [], ["A"]], id="the same again"),
    ],
)  # fmt: skip
def test_releases_in_order(
    sets: list[ImageSet], whole_days: bool, studies: list[list[str]]
) -> None:
    """A study is released once the walk is a window past it, in the order of the answer."""
    assert studies == released(sets, whole_days=whole_days)


@pytest.mark.parametrize(
    ("sets", "fails"),
    [
        pytest.param([A12, B11, one("a2", "A", time="1000")], True, id="a late part"),
        pytest.param([A12, B11, one("d", "D", time="1230")], True, id="a study before one"),
        pytest.param([A12, B11, one("d", "D", time="1130")], False, id="within the window"),
        pytest.param([A12, B11, one("d", "D", date="20200102")], True, id="a date that rises"),
        pytest.param([B1059, A12, one("a2", "A")], True, id="a part of what has just left"),
        pytest.param([A12, B11, one("a2", "A", time="1000", is_primary=False)], False,
                     id="a part that is not primary"),
        pytest.param([A12, B11, one("d", "D", time="1230", is_primary=False)], False,
                     id="a study that is not primary"),
        pytest.param([A12, B11, one("a2", "A", date="")], True, id="an undated part at the end"),
    ],
)  # fmt: skip
def test_disorder(sets: list[ImageSet], fails: bool) -> None:
    """What would have changed an answer that has left is an error."""
    try:
        released(sets)
    except StudyWindowError:
        assert fails
    else:
        assert not fails


def test_a_study_before_one_by_its_second_part() -> None:
    """A part that is no disorder, for it is not primary, hides none that is."""
    window = StudyWindow(whole_days=False)
    for image_set in (A12, B11):
        window.add(image_set)
    window.release()
    window.add(one("d", "D", time="1230", is_primary=False))
    with pytest.raises(StudyWindowError):
        window.add(one("d2", "D", time="1230"))


def test_unmarked_parts_that_are_not_trusted_change_no_winner() -> None:
    """Without trust a late unmarked part is no error: its study was fetched whole."""
    window = StudyWindow(whole_days=False, trust_unmarked=False)
    for image_set in (A12, B11):
        window.add(image_set)
    assert ["A"] == [group.study_uid for group in window.release()]
    window.add(one("a2", "A", time="1000", is_primary=None))


def test_settle() -> None:
    """A late part of a study that was fetched whole changes nothing."""
    window = StudyWindow(whole_days=False)
    for image_set in (A12, B11):
        window.add(image_set)
    window.release()
    window.settle("A")
    window.add(one("a2", "A", time="1000"))
    assert ["B"] == [group.study_uid for group in window.finish()]


@pytest.mark.parametrize(
    ("winner", "later"),
    [
        pytest.param(A12, False, id="it was met"),
        pytest.param(one("x", "A", time="1230", updated_at=1.0), False, id="its place is past"),
        pytest.param(one("x", "A", time="1030", updated_at=1.0), True, id="its place is to come"),
        pytest.param(one("x", "A", date="", updated_at=1.0), True, id="it is undated"),
    ],
)
def test_comes_later(winner: ImageSet, later: bool) -> None:
    """A study whose winner the walk has yet to meet is taken up again there."""
    window = StudyWindow(whole_days=False)
    for image_set in (A12, B11):
        window.add(image_set)
    (group,) = window.release()
    assert later == window.comes_later(group, [winner, A12])
    if later:
        window.add(winner)
    assert (["B", "A"] if later else ["B"]) == [g.study_uid for g in window.finish()]
    assert not window.comes_later(group, [winner, A12])


def test_a_window_is_bounded() -> None:
    """More image sets than a window may hold are an error that says how to narrow the search."""
    window = StudyWindow(whole_days=True)
    for number in range(MAX_WINDOW):
        window.add(one(str(number), str(number % 7)))
    with pytest.raises(ResultTooLargeError, match="StudyDate"):
        window.add(one("x"))


def test_a_released_study_makes_room() -> None:
    """The bound counts what waits, not what has passed."""
    window = StudyWindow(whole_days=True)
    for number in range(MAX_WINDOW + 100):
        window.add(one(str(number), str(number), date=f"{9000 - number // 50}0101"))
        window.release()


def test_the_later_state_stays() -> None:
    """Of two states of one image set the later version stays, in whatever order they come."""
    old, new = one("a", version=1, updated_at=9.0), one("a", version=2, updated_at=1.0)
    for first, second in ((old, new), (new, old)):
        group = Group(first)
        group.add(second)
        assert (new,) == group.image_sets


@pytest.mark.parametrize(
    ("sets", "trust", "order"),
    [
        pytest.param([("a", True, 1), ("b", True, 2)], True, "ba", id="the newest"),
        pytest.param([("a", True, 1), ("b", False, 2)], True, "ab", id="primary first"),
        pytest.param([("a", True, 1), ("b", None, 2)], True, "ba", id="unmarked is primary"),
        pytest.param([("a", True, 1), ("b", None, 2)], False, "ab", id="unless it is not trusted"),
        pytest.param([("a", False, 3), ("b", None, 2)], False, "ba", id="but before the others"),
        pytest.param([("b", True, 1), ("a", True, 1)], True, "ab", id="ties by identifier"),
    ],
)
def test_winner(sets: Any, trust: bool, order: str) -> None:
    """The winner is primary before others, then the newest."""
    image_sets = [one(n, is_primary=p, updated_at=float(t)) for n, p, t in sets]
    ordered = winner_first(image_sets, trust_unmarked=trust)
    assert order == "".join(s.image_set_id for s in ordered)
    assert is_primary(ordered[0], trust_unmarked=True) is (ordered[0].is_primary is not False)


@pytest.mark.parametrize(
    ("date", "time", "instant"),
    [
        ("20200101", "00", (737425, 0)),
        ("20200101 ", "0000 ", (737425, 0)),
        ("20200101", "", (737425, None)),
        ("", "00", (None, 0)),
        ("2020.01.01", "24", (None, None)),
    ],
)
def test_instant(date: str, time: str, instant: tuple[int | None, int | None]) -> None:
    """A date or time that is not one counts as none."""
    assert instant == instant_of(one("a", date=date, time=time))


# --- what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "names"), [("primary", "ad"), ("fill", "adc"), ("all", "adbce")])
def test_shown(mode: Any, names: str) -> None:
    """Primary ones; with fill also the newest of a series that has none; or all."""
    sets = [
        one("a", **{SERIES: "1"}, updated_at=5.0),
        one("b", **{SERIES: "1"}, is_primary=False, updated_at=9.0),
        one("c", **{SERIES: "2"}, is_primary=False, updated_at=8.0),
        one("d", **{SERIES: "3"}, is_primary=None, updated_at=2.0),
        one("e", **{SERIES: "2"}, is_primary=False, updated_at=1.0),
    ]
    found = shown(winner_first(sets), SearchOptions(image_sets=mode))
    assert names == "".join(s.image_set_id for s in found)


def test_nothing_shown() -> None:
    """A study of which nothing is shown is no result, and has no series."""
    sets = (one("a", **{SERIES: "1"}, is_primary=False),)
    assert found_study(sets, SearchOptions()) is None
    assert [] == found_series(sets, SearchOptions())


def test_attributes_come_whole_from_the_winner() -> None:
    """What the winner has no value for stays empty, whatever others have."""
    sets = winner_first([
        one("a", updated_at=1.0, DICOMPatientId="P1", DICOMStudyId="S"),
        one("b", updated_at=2.0, DICOMPatientId="P2"),
    ])  # fmt: skip
    result = found_study(sets, SearchOptions())
    assert result is not None
    assert ("P2",) == result.values["PatientID"]
    assert "StudyID" not in result.values


@pytest.mark.parametrize(
    ("stored", "modalities"),
    [
        (["CT", "MR", "CT"], ("CT", "MR")),
        (["MR\\CT", "US "], ("CT", "MR", "US")),
        (["", "CT"], ("CT",)),
        (["", ""], None),
    ],
)
def test_modalities_in_study(stored: list[str], modalities: Any) -> None:
    """Each modality of what is shown once; without one there is no value."""
    sets = [one(str(n), DICOMSeriesModality=m) for n, m in enumerate(stored)]
    sets.append(one("x", is_primary=False, DICOMSeriesModality="OT"))
    result = found_study(sets, SearchOptions())
    assert result is not None
    assert modalities == result.values.get("ModalitiesInStudy")


@pytest.mark.parametrize(
    ("counts", "rows", "series", "instances", "own"),
    [
        pytest.param("auto", [("1", 1, 3), ("2", 1, 4)], 2, 7, [3, 4], id="their own: summed"),
        pytest.param("auto", [("1", 1, 3), ("2", 1, 3)], 2, 6, [3, 3], id="equal ones summed too"),
        pytest.param("auto", [("1", 2, 7), ("2", 2, 7)], 2, 7, [None, None], id="their study's"),
        pytest.param("auto", [("1", 1, 3), ("2", 2, 7)], 2, 7, [3, None], id="one says more"),
        pytest.param("auto", [("1", 1, 3), ("1", 1, 4)], 1, 7, [7], id="a split series"),
        pytest.param("auto", [("1", 1, 3), ("1", 1, 3)], 1, 3, [3], id="equal numbers once"),
        pytest.param("auto", [("1", 1, 3), ("2", 1, None)], 2, None, [3, None], id="one missing"),
        pytest.param("auto", [("1", None, 3)], 1, 3, [3], id="no number of series"),
        pytest.param("image-set", [("1", 2, 3), ("2", 2, 4)], 2, 7, [3, 4], id="own, by setting"),
        pytest.param("study", [("1", 1, 9), ("2", 1, 8)], 2, 9, [None, None], id="study, set"),
        pytest.param("study", [("1", 1, None)], 1, None, [None], id="study, missing"),
        pytest.param("auto", [("", 1, 3), ("1", 1, 4)], 1, 7, [4], id="no series UID is no series"),
    ],
)  # fmt: skip
def test_counts(counts: Any, rows: Any, series: int, instances: Any, own: list[Any]) -> None:
    """Numbers of series and instances, whichever way the upstream means its own."""
    sets = []
    for number, (uid, of_series, count) in enumerate(rows):
        tags = {SERIES: uid, "DICOMNumberOfStudyRelatedSeries": of_series, INSTANCES: count}
        sets.append(one(str(number), **{k: v for k, v in tags.items() if v is not None}))
    options = SearchOptions(counts=counts)
    study = found_study(sets, options)
    assert study is not None
    found = (study.values["NumberOfStudyRelatedSeries"],
             study.values.get("NumberOfStudyRelatedInstances", (None,)))  # fmt: skip
    assert ((series,), (instances,)) == found
    numbers = [r.values.get("NumberOfSeriesRelatedInstances", (None,))[0]
               for r in found_series(sets, options)]  # fmt: skip
    assert own == numbers


def test_series_in_order() -> None:
    """Series by their number, missing ones last, then by UID; each with its study's values."""
    rows = [("9", 2), ("1", 2), ("5", 1), ("3", None), ("2", None)]
    numbered: list[dict[str, Any]] = [
        {SERIES: uid} | ({"DICOMSeriesNumber": n} if n else {}) for uid, n in rows
    ]
    sets = [one(tags[SERIES], **tags) for tags in numbered]
    results = found_series(sets, SearchOptions())
    assert ["5", "1", "9", "2", "3"] == [r.values["SeriesInstanceUID"][0] for r in results]
    assert all(("20200101",) == r.values["StudyDate"] for r in results)
