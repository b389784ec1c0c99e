"""Windows of days: which plans may have them, what each asks for, and what it owns of a page."""

from __future__ import annotations

import pytest

from gateway.errors import StudyWindowError
from gateway.healthimaging.cutting import Cut
from gateway.healthimaging.walk import Walk
from gateway.search.imageset import Page
from gateway.search.plan import (
    FIRST_DATE,
    LAST_DATE,
    ArrivalBetween,
    CreatedBetween,
    Equal,
    Plan,
    StudyDateBetween,
    all_dated,
    closed_days,
    narrowed,
)
from tests.http.upstream import image_set
from tests.unit.tables import named
from tests.walking import between, day, days_of, with_instant

EQUAL = Equal("DICOMPatientId", "A")


def margins(first: str, last: str) -> StudyDateBetween:
    """From the last second of `first` to the first of `last`."""
    return StudyDateBetween((first, "235959"), (last, "000000.999999"))


@pytest.mark.parametrize(
    ("one", "expected"),
    named({
        "a year": (Plan((margins("20191231", "20210101"),)), days_of("20200101", "20201231")),
        "beside a text": (
            Plan((EQUAL, margins("20240228", "20240301"))), days_of("20240229", "20240229")),
        "no range": (Plan((EQUAL,)), None),
        "nothing": (Plan(), None),
        "times of arrival": (Plan((ArrivalBetween("createdAt", 0, 9),)), None),
        "all by their creation": (Plan((CreatedBetween(),)), None),
        "an open beginning": (
            Plan((StudyDateBetween((FIRST_DATE, "000000"), ("20200201", "000000.999999")),)), None),
        "an open end": (
            Plan((StudyDateBetween(("20191231", "235959"), (LAST_DATE, "235959.999999")),)), None),
        "all that have a date": (all_dated(Plan()), None),
        "from the calendar's second day, like open": (
            Plan((margins("00010101", "20200201"),)), None),
        "from its third": (
            Plan((margins("00010102", "00010201"),)), days_of("00010103", "00010131")),
        "to the day before its last, like open": (Plan((margins("20191231", "99991231"),)), None),
        "to the one before": (
            Plan((margins("99991130", "99991230"),)), days_of("99991201", "99991229")),
        "no dates": (Plan((StudyDateBetween(("x", "0"), ("y", "0")),)), None),
    }),
)  # fmt: skip
def test_closed_days(one: Plan, expected: tuple[int, int] | None) -> None:
    """The days that were asked, without the margins; an end on the calendar's edge is open."""
    assert expected == closed_days(one)


@pytest.mark.parametrize(
    ("first", "last", "lower", "upper"),
    named({
        "a day": ("20240301", "20240301", ("20240229", "235959"), ("20240302", "000000.999999")),
        "a year's end": (
            "20231231", "20240101", ("20231230", "235959"), ("20240102", "000000.999999")),
        "a leap day": (
            "20240229", "20240229", ("20240228", "235959"), ("20240301", "000000.999999")),
        "no leap day": (
            "21000228", "21000228", ("21000227", "235959"), ("21000301", "000000.999999")),
        "the first day": (
            "00010101", "00010101", ("00010101", "000000"), ("00010102", "000000.999999")),
        "the last day": (
            "99991231", "99991231", ("99991230", "235959"), ("99991231", "235959.999999")),
    }),
)  # fmt: skip
def test_narrowed(first: str, last: str, lower: tuple[str, str], upper: tuple[str, str]) -> None:
    """Only the range is another; it has a second beyond both ends where the calendar has one."""
    wide = Plan((EQUAL, margins("20000101", "20300101")))
    expected = Plan((EQUAL, StudyDateBetween(lower, upper)))
    assert expected == narrowed(wide, day(first), day(last))


# --- what a window owns ---------------------------------------------------------------------------

NEWER, OLDER = "20240229", "20240228"
CUT_AT = day(NEWER)
"""The first window ends with this day; the next one begins with the day before."""


def walk_cut() -> Walk:
    """A walk of three windows: to `NEWER`, of `OLDER` alone, and what is older."""
    walk = Walk(between(day("20240201"), day("20240301")), 0.0)
    walk.loads = 1
    walk.cut_at(Cut(day("20240201"), CUT_AT - 1, 50.0, 50))
    assert walk.next_window(1.0) is not None
    while walk.next_window() is not None:
        pass
    return walk


@pytest.mark.parametrize(
    ("stored", "windows"),
    named({
        "above the cut": ((NEWER, "000000"), "first"),
        "a day above it": (("20240301", "120000"), "first"),
        "the margin above the range": (("20240302", "000000.5"), "first"),
        "the last second below it": ((OLDER, "235959"), "second"),
        "its last microsecond": ((OLDER, "235959.999999"), "second"),
        "the first of that day": ((OLDER, "000000"), "second"),
        "without a time": ((OLDER, ""), "second"),
        "a time that is none": ((OLDER, "25XX"), "second"),
        "the second before that day": (("20240227", "235959"), "later"),
        "the oldest day": (("20240201", "000000"), "later"),
        "the margin below the range": (("20240131", "235959.5"), "later"),
        "no date": (("", "1200"), ""),
        "a date that is none": (("2024-02-28", ""), ""),
    }),
)  # fmt: skip
def test_what_a_window_owns(stored: tuple[str, str], windows: str) -> None:
    """Each image set with a date is one window's; margins of the whole range go with its ends."""
    walk = walk_cut()
    one = with_instant(image_set(1), *stored)
    owners = [w for w in walk.windows if w.own(Page((one,), "t")).image_sets]
    names = {0: "first", 1: "second"}
    assert [windows] * bool(windows) == [names.get(walk.windows.index(w), "later") for w in owners]


def test_where_the_first_window_ends() -> None:
    """Its plan goes on beyond the cut: the first older day is its end, and its token is dropped."""
    first = walk_cut().windows[0]
    newer, older = (with_instant(image_set(1), one, "12") for one in (NEWER, OLDER))
    assert "t" == first.own(Page((newer,), "t")).next_token
    assert Page((newer,), "") == first.own(Page((newer, older), "t"))
    assert Page((), "") == first.own(Page((older,), "t"))
    with pytest.raises(StudyWindowError):
        first.own(Page((older, newer), "t"))


def test_what_was_not_cut_owns_all() -> None:
    """A walk of one window gives its pages as they came."""
    page = Page((with_instant(image_set(1), "", ""), image_set(2)), "t")
    assert page is Walk(Plan(), 0.0).windows[0].own(page)
