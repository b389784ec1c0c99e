"""Where a range of StudyDates is cut, so that several windows of days are read at once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.healthimaging.cutting import MAX_PAGES, MIN_PAGES, Cut, cut_of
from gateway.qido.times import format_date
from gateway.search.plan import FIRST_DATE, LAST_DATE, Equal, Plan, Sort, StudyDateBetween
from tests.http.upstream import image_set
from tests.unit.tables import named
from tests.walking import archive, between, day, days_of, with_instant

EQUAL = Equal("DICOMPatientId", "A")


YEAR = days_of("20230301", "20240229")
HEAD = archive(5, 10)
"""The first page of an archive of ten image sets a day."""


def cut(one: Plan, pages: float = 1_000.0, at_once: int = 8) -> Cut | None:
    """How the walk of `one` is cut behind `HEAD`."""
    return cut_of(one, HEAD, 50, pages, at_once)


def test_what_is_left() -> None:
    """The first window keeps what is met and a share; all days behind it are in the cut."""
    found = cut(between(*YEAR))
    assert found is not None
    assert YEAR[0] == found.oldest_day
    share = 366 - 5 - (found.newest_day - found.oldest_day + 1)
    assert 1 <= share <= 366 / 8
    assert 9 < found.sets_a_day < 13


@pytest.mark.parametrize(
    "one",
    named({
        "an open end": (Plan((StudyDateBetween(("20191231", "235959"), (LAST_DATE, "23")),)),),
        "an open beginning": (Plan((StudyDateBetween((FIRST_DATE, "0"), ("20240301", "0")),)),),
        "no range": (Plan((EQUAL,)),),
        "nothing": (Plan(),),
        "the upstream's own order": (Plan(between(*YEAR).filters, Sort.DEFAULT),),
        "a single day": (between(YEAR[1], YEAR[1]),),
        "the days that were met": (between(YEAR[1] - 4, YEAR[1]),),
        "a page or so": (between(YEAR[1] - 9, YEAR[1]),),
    }),
)  # fmt: skip
def test_what_is_not_cut(one: Plan) -> None:
    """Only a closed range by StudyDate, and only days that are not begun."""
    assert cut(one) is None


@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_few_pages_are_not_cut(at_once: int) -> None:
    """Where no more pages are wanted than are read at once there is nothing to win."""
    assert cut(between(*YEAR), pages=at_once, at_once=at_once) is None
    assert cut(between(*YEAR), pages=at_once + 1, at_once=at_once) is not None


def test_no_dates_are_no_measure() -> None:
    """A first page without a date says nothing of how dense they are."""
    head = [with_instant(one, "", "") for one in HEAD]
    assert cut_of(between(*YEAR), head, 50, 1_000.0, 8) is None


def test_all_at_one_moment() -> None:
    """A first page of one moment is no division by nothing."""
    head = [image_set(n, date="20240229", DICOMStudyTime="2359") for n in range(50)]
    found = cut_of(between(*YEAR), head, 50, 1_000.0, 8)
    assert found is not None and found.take(1_000.0) is not None


@pytest.mark.parametrize(
    ("first", "last"),
    named({
        "leap day": ("20240101", "20240401"),
        "no leap day": ("21000101", "21000401"),
        "year's end": ("20231201", "20240201"),
        "the calendar's first days": ("00010103", "00010301"),
        "and its last": ("99991001", "99991229"),
    }),
)  # fmt: skip
def test_midnights(first: str, last: str) -> None:
    """Windows follow one another by days of the calendar, down to the oldest one."""
    left = Cut(day(first), day(last), 50.0, 50)
    dates = []
    while (taken := left.take(3.0)) is not None:
        dates.append((format_date(taken[0]), format_date(taken[1])))
    assert first == dates[-1][0] and last == dates[0][1]
    for newer, older in pairwise(dates):
        assert day(newer[0]) - 1 == day(older[1])
    assert left.is_done and left.take(3.0) is None


@given(
    span=st.integers(1, 4_000),
    sets_a_day=st.floats(1e-3, 1e6),
    at_once=st.integers(1, 20),
    steps=st.lists(st.tuples(st.floats(0.01, 1e4), st.integers(0, 10**6))),
)
def test_days_add_up(
    span: int, sets_a_day: float, at_once: int, steps: list[tuple[float, int]]
) -> None:
    """Whatever is learned, the windows are the range without gap or overlap, each at least a day.

    None has many more pages than a window may have, but where one day has them.
    """
    left = Cut(1_000, 1_000 + span - 1, sets_a_day, 50, at_once)
    expected_last, taken = 1_000 + span - 1, 0
    for pages, learned in [*steps, *[(1e4, 0)] * span]:
        density = left.sets_a_day
        days = left.take(pages)
        if days is None:
            break
        first_day, last_day = days
        number = last_day - first_day + 1
        assert expected_last == last_day and number >= 1
        assert number == 1 or number * density / 50 <= min(MAX_PAGES, pages) + 1e-6
        expected_last, taken = first_day - 1, taken + number
        left.learn(learned, number)
        assert max(learned, 1) / number == left.sets_a_day
    assert span == taken and left.is_done


def test_the_less_is_left_the_smaller() -> None:
    """Windows become smaller at the end, so that none is waited for alone."""
    left = Cut(1, 400, 50.0, 50, at_once=4)
    sizes = []
    while (taken := left.take(400.0)) is not None:
        sizes.append(taken[1] - taken[0] + 1)
    assert MAX_PAGES == sizes[0] and sizes[-1] <= MIN_PAGES < len(sizes)
    assert sizes == sorted(sizes, reverse=True)
