"""Study windows: when a study is sure, in which order studies leave, and what is disorder."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import ResultTooLargeError, StudyWindowError
from gateway.search.grouping import (
    MAX_WINDOW,
    Group,
    StudyWindow,
    instant_of,
    place_of,
    study_uid_of,
    winner_first,
)
from gateway.search.imageset import ImageSet
from tests.unit.tables import named

DISORDER = "disorder"
_MARKS = {"-": False, "?": None}


def part(text: str, name: str = "", **more: Any) -> ImageSet:
    """An image set of `STUDY DATE TIME`; a - behind the study is not primary, a ? unmarked."""
    study, _, when = text.partition(" ")
    day, _, time = when.partition(" ")
    uid = study.rstrip("-?")
    tags = {"DICOMStudyInstanceUID": uid, "DICOMStudyDate": day, "DICOMStudyTime": time}
    kept = {key: value for key, value in tags.items() if value}
    return ImageSet(name or text, kept, is_primary=_MARKS.get(study[-1], True), **more)


def leaving(walk: list[str], *, whole_days: bool, trust_unmarked: bool = True) -> str:
    """The studies as they leave: those before the nth | after n image sets, then the rest."""
    window = StudyWindow(whole_days=whole_days, trust_unmarked=trust_unmarked)
    out = [""]
    try:
        for number, text in enumerate(walk):
            window.add(part(text, updated_at=100.0 - number))  # the first of a study wins
            out.append("".join(group.study_uid for group in window.release()))
        out.append("".join(group.study_uid for group in window.finish()))
    except StudyWindowError:
        return DISORDER
    return "|".join(out[1:])


@pytest.mark.parametrize(
    ("walk", "by_hour", "by_day"),
    named({
        "nothing": ([], "", ""),
        "one study": (["A 20200102 1200"], "|A", "|A"),
        "just an hour": (["A 20200102 1200", "B 20200102 1100"], "|A|B", "||AB"),
        "a second less": (["A 20200102 1200", "B 20200102 110001"], "||AB", "||AB"),
        "a microsecond less": (["A 20200102 1200", "B 20200102 110000.000001"], "||AB", "||AB"),
        "just an hour, over midnight": (["A 20200102 0030", "B 20200101 2330"], "|A|B", "|A|B"),
        "less, over midnight": (["A 20200102 0030", "B 20200101 2331"], "||AB", "|A|B"),
        "over the end of a year": (["A 20200101 0000", "B 20191231 2300"], "|A|B", "|A|B"),
        "over a leap day": (["A 20200301 0000", "B 20200229 2300"], "|A|B", "|A|B"),
        "the day before by a microsecond": (["A 20200102 0000", "B 20200101 235959.999999"],
            "||AB", "|A|B"),
        "three within an hour": (["A 20200102 1200", "B 20200102 1159", "C 20200102 1130"],
            "|||ABC", "|||ABC"),
        "two pass at once": (["A 20200102 1200", "B 20200102 1130", "C 20200102 1000"],
            "||AB|C", "|||ABC"),
        "ties by UID": (["B 20200102 1200", "A 20200102 1200", "C 20200101 1200"],
            "||AB|C", "||AB|C"),
        "precision is no order": (["B 20200102 12", "A 20200102 120000.0", "C 20200101 12"],
            "||AB|C", "||AB|C"),
        "a later part keeps it open": (["A 20200102 1200", "A 20200102 1115", "C 20200102 1100"],
            "|||AC", "|||AC"),
        "and lets it go": (["A 20200102 1200", "A 20200102 1115", "C 20200102 1015"],
            "||A|C", "|||AC"),
        "what stands behind an open one waits": (
            ["A 20200102 1200", "B 20200102 1158", "A 20200102 1105", "C 20200102 1030"],
            "||||ABC", "||||ABC"),
        "a missing time is last of its day": (["A 20200102", "B 20200102 2300", "C 20200101 12"],
            "||BA|C", "||BA|C"),
        "a missing time does not move the clock within its day": (
            ["A 20200102 1200", "B 20200102", "C 20200102 1130"], "|||ACB", "|||ACB"),
        "but to the end of its day": (["A 20200102 0100", "B 20200101"], "|A|B", "|A|B"),
        "and no further": (["A 20200102 0030", "B 20200101"], "||AB", "|A|B"),
        "an odd time is a missing one": (["A 20200102 evening", "B 20200102 10", "C 20200101 10"],
            "||BA|C", "||BA|C"),
        "hour 24 is a missing one": (["A 20200102 2400", "B 20200102 10", "C 20200101 10"],
            "||BA|C", "||BA|C"),
        "a legacy time has its meaning": (["A 20200102 12:30", "B 20200102 1130"], "|A|B", "||AB"),
        "undated first": (["U ", "A 20200102 12", "B 20200101 12"], "||A|BU", "||A|BU"),
        "undated within": (["A 20200102 12", "U ", "B 20200101 12"], "||A|BU", "||A|BU"),
        "undated by time, then UID": (["V ", "U ", "W  0900", "X  1000"], "||||XWUV", "||||XWUV"),
        "a legacy date is undated": (["L 2020.01.03 12", "A 20200102 12"], "||AL", "||AL"),
        "no such day is undated": (["L 20200230 12", "A 20200102 12"], "||AL", "||AL"),
        "an undated part of an open study": (["A 20200102 12", "A "], "||A", "||A"),
        "a time that rises within the window": (["A 20200102 1130", "B 20200102 1200"],
            "||BA", "||BA"),
        "the same image set twice": (["A 20200102 12", "A 20200102 12"], "||A", "||A"),
    }),
)  # fmt: skip
def test_order_of_leaving(walk: list[str], by_hour: str, by_day: str) -> None:
    """A study leaves once the walk is a window past it: newest first, undated at the end."""
    found = leaving(walk, whole_days=False), leaving(walk, whole_days=True)
    assert (by_hour, by_day) == found


@pytest.mark.parametrize(
    ("walk", "by_hour", "by_day"),
    named({
        "a part of a study that left": (["A 20200102 12", "B 20200102 11", "A 20200102 10"],
            DISORDER, "|||AB"),
        "a part of it a day later": (["A 20200102 12", "B 20200101 12", "A 20200101 10"],
            DISORDER, DISORDER),
        "a part of it, undated": (["A 20200102 12", "B 20200101 12", "A "], DISORDER, DISORDER),
        "a part of it, unmarked": (["A 20200102 12", "B 20200101 12", "A? 20200101 10"],
            DISORDER, DISORDER),
        "a day that rises": (["A 20200102 12", "B 20200101 12", "C 20200103 12"],
            DISORDER, DISORDER),
        "a time that rises over what left": (["A 20200102 12", "B 20200102 11", "C 20200102 1230"],
            DISORDER, "|||CAB"),
        "a smaller UID at the instant of what left": (
            ["B 20200102 12", "C 20200102 11", "A 20200102 12"], DISORDER, "|||ABC"),
        "a greater UID at that instant": (["A 20200102 12", "B 20200102 11", "C 20200102 12"],
            "|A|C|B", "|||ACB"),
        "a time that rises, behind what left": (
            ["A 20200102 12", "B 20200102 11", "C 20200102 1130"], "|A||CB", "|||ACB"),
        "a part that is not primary": (["A 20200102 12", "B 20200102 11", "A- 20200102 10"],
            "|A|B|", "|||AB"),
        "a part that is not primary, undated": (["A 20200102 12", "B 20200101 12", "A- "],
            "|A||B", "|A||B"),
        "a study that is not primary": (["A 20200102 12", "B 20200101 12", "C- 20200102 13"],
            "|A|C|B", "|A|C|B"),
        "a part that is not primary, of an open study": (
            ["A 20200102 12", "A- 20200102 11", "B 20200101 10"], "||A|B", "||A|B"),
    }),
)  # fmt: skip
def test_what_is_disorder(walk: list[str], by_hour: str, by_day: str) -> None:
    """What a primary image set would have changed in an answer that left is an error."""
    found = leaving(walk, whole_days=False), leaving(walk, whole_days=True)
    assert (by_hour, by_day) == found


@pytest.mark.parametrize(
    ("walk", "trusted", "not_trusted"),
    named({
        "a late part": (["A 20200102 12", "B 20200101 12", "A? 20200101 10"], DISORDER, "|A||B"),
        "a late study": (["A 20200102 12", "B 20200101 12", "C? 20200102 13"], DISORDER, "|A|C|B"),
        "a late undated part": (["A 20200102 12", "B 20200101 12", "A? "], DISORDER, "|A||B"),
        "a late primary part": (["A 20200102 12", "B 20200101 12", "A 20200101 10"],
            DISORDER, DISORDER),
    }),
)  # fmt: skip
def test_trust_in_unmarked_image_sets(walk: list[str], trusted: str, not_trusted: str) -> None:
    """An unmarked image set counts as primary where that is trusted, and only there."""
    found = [leaving(walk, whole_days=True, trust_unmarked=trust) for trust in (True, False)]
    assert [trusted, not_trusted] == found


# --- groups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sets", "order"),
    named({
        "the newest": ([("a", True, 1, 0), ("b", True, 2, 0)], "ba"),
        "primary before newer ones": ([("a", False, 9, 9), ("b", True, 1, 0)], "ba"),
        "primary before newer ones, unmarked": ([("a", False, 9, 9), ("b", None, 1, 0)], "ba"),
        "unmarked is primary": ([("a", True, 1, 0), ("b", None, 2, 0)], "ba"),
        "none primary: the newest": ([("a", False, 1, 0), ("b", False, 2, 0)], "ba"),
        "a tie: the later version": ([("a", True, 1, 1), ("b", True, 1, 2)], "ba"),
        "newest before the later version": ([("a", True, 1, 9), ("b", True, 2, 1)], "ba"),
        "a tie of both: by identifier": ([("b", True, 1, 1), ("a", True, 1, 1)], "ab"),
        "fractions of a second": ([("a", True, 1.25, 0), ("b", True, 1.5, 0)], "ba"),
    }),
)  # fmt: skip
def test_winner(sets: list[tuple[str, Any, float, int]], order: str) -> None:
    """Primary before others, then the newest; in whatever order they came. It places its study."""
    tags = {
        name: {"DICOMStudyDate": "20200101", "DICOMStudyTime": time}
        for name, time in (("a", "09"), ("b", "10"))
    }
    image_sets = [
        ImageSet(name, tags[name], version, 0.0, float(updated), primary)
        for name, primary, updated, version in sets
    ]
    for given in (image_sets, image_sets[::-1]):
        assert order == "".join(s.image_set_id for s in winner_first(given))
        group = Group(given[0])
        for met in (given[1], given[1]):
            group.add(met)
            assert order == "".join(s.image_set_id for s in group.image_sets)
            assert group.place == place_of(group.image_sets[0])


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    named(
        {
            "a later version": ((1, "A 20200102 12"), (2, "A 20200102 09"), 2),
            "an earlier version": ((2, "A 20200102 12"), (1, "A 20200102 09"), 2),
            "the same version": ((1, "A 20200102 12"), (1, "A 20200102 12"), 1),
        }
    ),
)
def test_states_of_one_image_set(first: Any, second: Any, kept: int) -> None:
    """An image set that is met twice counts once, in its later version, and places its study."""
    one, two = (part(text, "a", version=version) for version, text in (first, second))
    group = Group(one)
    group.add(two)
    (left,) = group.image_sets
    assert (kept, group.place) == (left.version, Group(left).place)


@pytest.mark.parametrize(
    ("date", "time", "instant"),
    named(
        {
            "both": ("20200101", "000001", (737_425, 1_000_000)),
            "padded with a space": ("20200101 ", "0000 ", (737_425, 0)),
            "padded with NULL": ("20200101\0", "0000\0", (737_425, 0)),
            "no time": ("20200101", "", (737_425, None)),
            "no date": ("", "0000", (None, 0)),
            "neither": ("", "", (None, None)),
            "a legacy date": ("2020.01.01", "00:00", (None, 0)),
            "no such day": ("20210229", "0000", (None, 0)),
            "no such time": ("20200101", "2460", (737_425, None)),
            "a date and time in one": ("20200101120000", "", (None, None)),
            "a leading space": (" 20200101", "", (None, None)),
        }
    ),
)
def test_instants(date: str, time: str, instant: Any) -> None:
    """StudyDate is YYYYMMDD and StudyTime a time, or each counts as none."""
    tags = {"DICOMStudyDate": date, "DICOMStudyTime": time}
    assert instant == instant_of(ImageSet("a", tags))


@pytest.mark.parametrize(
    ("tags", "uid"),
    named(
        {
            "as it is": ({"DICOMStudyInstanceUID": "1.2"}, "1.2"),
            "padded with NULL": ({"DICOMStudyInstanceUID": "1.2\0"}, "1.2"),
            "padded with a space": ({"DICOMStudyInstanceUID": "1.2 "}, "1.2"),
            "blank": ({"DICOMStudyInstanceUID": " "}, ""),
            "none": ({}, ""),
        }
    ),
)
def test_study_uids(tags: dict[str, str | int], uid: str) -> None:
    """Padding is no part of a StudyInstanceUID."""
    assert uid == study_uid_of(ImageSet("a", tags))


# --- studies that are fetched whole ---------------------------------------------------------------


def _one_left() -> tuple[StudyWindow, Group]:
    """A window that A has left and in which B waits, at 11 o'clock."""
    window = StudyWindow(whole_days=False)
    for text in ("A 20200102 12", "B 20200102 11"):
        window.add(part(text))
    (group,) = window.release()
    return window, group


@pytest.mark.parametrize(
    ("winner", "later"),
    named(
        {
            "it was met": ("A 20200102 12", False),
            "another whose place is past": ("A 20200102 1201", False),
            "another that the walk has passed": ("A 20200102 1130", True),
            "where the walk stands": ("A 20200102 11", True),
            "another whose place is to come": ("A 20200102 1030", True),
            "on an earlier day": ("A 20200101 2359", True),
            "on a later day": ("A 20200103 0001", False),
            "of the day, without a time": ("A 20200102", True),
            "of the day before, without a time": ("A 20200101", True),
            "undated": ("A ", True),
        }
    ),
)
def test_a_winner_that_is_yet_to_come(winner: str, later: bool) -> None:
    """A study is taken up again where its winner stands, whether the walk comes there or not."""
    window, group = _one_left()
    assert later == window.comes_later(group, [part(winner), *group.image_sets])
    assert ({"A", "B"} if later else {"B"}) == {g.study_uid for g in window.finish()}


def test_nothing_comes_after_the_end() -> None:
    """Once the walk has ended a winner that was not met is taken as it is."""
    window, group = _one_left()
    window.finish()
    assert not window.comes_later(group, [part("A 20200101 12")])


@pytest.mark.parametrize(
    "late", ["A 20200102 10", "A? 20200102 10", "A- 20200102 10", "A ", "A 20200101"]
)
def test_a_study_that_was_fetched_whole(late: str) -> None:
    """A late part of a settled study changes nothing, whatever it is."""
    window, _ = _one_left()
    window.settle("A")
    window.add(part(late))
    left = [*window.release(), *window.finish()]
    assert ["B"] == [group.study_uid for group in left]


# --- the bound ------------------------------------------------------------------------------------


def _fill(window: StudyWindow, number: int, date: str = "20200102") -> None:
    for index in range(number):
        tags = {"DICOMStudyInstanceUID": str(index), "DICOMStudyDate": date}
        window.add(ImageSet(f"{date}{index}", tags, is_primary=True))


@pytest.mark.parametrize("date", ["20200102", "", "2020.01.02"])
@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)], ids=["the last", "one more"])
def test_bound(date: str, more: int, fits: bool) -> None:
    """50,000 image sets may wait, dated or not; one more says how to narrow the search."""
    window = StudyWindow(whole_days=True)
    _fill(window, 50_000, date)
    assert MAX_WINDOW == 50_000
    if fits:
        _fill(window, more, date)
    else:
        with pytest.raises(ResultTooLargeError, match="StudyDate"):
            window.add(part(f"2 {date}"))


def test_the_bound_counts_an_image_set_once() -> None:
    """An image set that the walk meets again takes no more room in the window."""
    window = StudyWindow(whole_days=True)
    _fill(window, 30_000)
    _fill(window, 30_000)
    assert 30_000 == len(window.finish())
