"""The emulator's search against a plain loop over the stored summaries, at any switches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.emulator import selecting
from gateway.emulator.errors import WireError
from gateway.emulator.store import Store
from gateway.emulator.variants import CHOICES, Variants

Summary = dict[str, Any]
DATASTORE_ID = "0123456789abcdef0123456789abcdef"
EXAMPLES = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TEXTS = {
    "DICOMPatientId": ("P1", "p1", "P1 ", " P1", "P22", ""),
    "DICOMAccessionNumber": ("A", "a", "A\\B", "Ä", ""),
    "DICOMStudyId": ("1", "1 ", "%", "_"),
    "DICOMStudyInstanceUID": ("1.2.1", "1.2.10", "1.2.2"),
    "DICOMSeriesInstanceUID": ("1.2.1.1", "1.2.1.2", "1.2.10.1"),
}
DAYS = (
    "20200101",
    "20200101",
    "20200102",
    "20191231",
    "20200230",
    "2020.01.01",
    "2020.13.01",
    "x",
    "",
)
TIMES = (
    "10",
    "1015",
    "101500",
    "101500.5",
    "101500.25",
    "10:15:00",
    "000000",
    "2400",
    "noon",
    " ",
    "0915 ",
)
SECONDS = (1.6e9, 1.6e9 + 1, 1.6e9 + 1.5, 1.7e9)

# --- the loop -------------------------------------------------------------------------------------


def day_of(summary: Summary, variants: Variants) -> date | None:
    """The StudyDate, None where it is no usable one."""
    text = str(summary["DICOMTags"].get("DICOMStudyDate", "")).strip(" ")
    if variants.legacy_dates == "included" and re.fullmatch(r"\d{4}\.\d\d\.\d\d", text):
        text = text.replace(".", "")
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def microseconds(text: str) -> int | None:
    """A time of day, None where it is not one."""
    found = re.fullmatch(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(\.\d{1,6})?)?)?", text.strip(" "))
    if found is None:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    fraction = round(float(found[4] or 0) * 1e6)
    if hour > 23 or minute > 59 or second > 60:
        return None
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction


def time_of(summary: Summary, variants: Variants) -> Any:
    """The StudyTime as it is compared."""
    text = str(summary["DICOMTags"].get("DICOMStudyTime", ""))
    return text.strip(" ") if variants.times == "text" else microseconds(text) or 0


def has_time(summary: Summary) -> bool:
    """Whether there is a StudyTime that can be read."""
    return microseconds(str(summary["DICOMTags"].get("DICOMStudyTime", ""))) is not None


def matches(summary: Summary, one: Mapping[str, Any], variants: Variants) -> bool:
    """Whether a filter selects a summary."""
    ((key, _),) = one["values"][0].items()
    values = [value[key] for value in one["values"]]
    if key in TEXTS:
        stored = summary["DICOMTags"].get(key)
        return stored is not None and _text(stored, variants) == _text(values[0], variants)
    own: Any = summary.get(key)
    if key == "DICOMStudyDateAndTime":
        day = day_of(summary, variants)
        if day is None:
            return False
        own = (day, time_of(summary, variants))
        values = [_asked(value, variants) for value in values]
    if one["operator"] == "EQUAL":
        return bool(own == values[0])
    if variants.bounds == "inclusive":
        return bool(values[0] <= own <= values[1])
    return bool(values[0] < own < values[1])


def _text(text: str, variants: Variants) -> str:
    text = text.strip(" ") if variants.padding == "trimmed" else text
    return text.casefold() if variants.case == "insensitive" else text


def _asked(value: Mapping[str, str], variants: Variants) -> tuple[date, Any]:
    text = value.get("DICOMStudyTime", "000000")
    day = date.fromisoformat(value["DICOMStudyDate"])
    return day, text if variants.times == "text" else microseconds(text)


def place(summary: Summary, field: str, descending: bool, variants: Variants) -> Any:
    """Where a summary stands in a sort; what stands at the same place is tied."""
    sign = -1 if descending else 1
    if field != "DICOMStudyDateAndTime":
        return sign * summary[field]
    day = day_of(summary, variants)
    if day is None:
        least = -1 if not descending else 1
        return ({"first": -1, "last": 1, "smallest": least, "largest": -least}[variants.undated],)
    if variants.times == "text":
        characters = [sign * ord(c) for c in time_of(summary, variants)]
        return (0, sign * day.toordinal(), [*characters, -sign * 0x110000 * descending])
    late = has_time(summary) if variants.times == "missing-first" else True
    return (0, sign * day.toordinal(), late, sign * time_of(summary, variants))


# --- what there is to ask -------------------------------------------------------------------------


@st.composite
def archives(draw: st.DrawFn) -> list[Summary]:
    """Summaries of a few studies, with everything that goes wrong in them."""
    return [
        {
            "imageSetId": f"{number:032x}",
            "version": 1,
            "createdAt": draw(st.sampled_from(SECONDS)),
            "updatedAt": draw(st.sampled_from(SECONDS)),
            "DICOMTags": draw(_tags()),
            **draw(st.sampled_from(({}, {"isPrimary": True}, {"isPrimary": False}))),
        }
        for number in range(draw(st.integers(draw(st.sampled_from((0, 6, 15))), 25)))
    ]


@st.composite
def _tags(draw: st.DrawFn) -> dict[str, Any]:
    choices = {**TEXTS, "DICOMStudyDate": DAYS, "DICOMStudyTime": TIMES}
    drawn = {name: draw(st.sampled_from((*values, None))) for name, values in choices.items()}
    return {name: value for name, value in drawn.items() if value is not None}


def _moments() -> st.SearchStrategy[dict[str, str]]:
    times = st.sampled_from(("00", "1015", "101500.000000", "235959.999999"))
    days = st.sampled_from(("00010101", "20191231", "20200101", "20200101", "20200102", "99991231"))
    both = st.fixed_dictionaries({"DICOMStudyDate": days, "DICOMStudyTime": times})
    return st.one_of(both, st.fixed_dictionaries({"DICOMStudyDate": days}))


def _bound(value: Any) -> Any:
    if isinstance(value, dict):
        return value["DICOMStudyDate"], microseconds(value.get("DICOMStudyTime", "00"))
    return value


@st.composite
def between_moments(draw: st.DrawFn) -> dict[str, Any]:
    """A BETWEEN on study date and time."""
    bounds = sorted((draw(_moments()), draw(_moments())), key=_bound)
    return {"operator": "BETWEEN", "values": [{MOMENT[0]: bound} for bound in bounds]}


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    """A filter of any key."""
    key = draw(st.sampled_from((*TEXTS, "createdAt", "updatedAt", MOMENT[0], "isPrimary")))
    if key in TEXTS:
        values = [value for value in TEXTS[key] if value]
        return {"operator": "EQUAL", "values": [{key: draw(st.sampled_from(values))}]}
    if key == "isPrimary":
        return {"operator": "EQUAL", "values": [{key: draw(st.booleans())}]}
    one = _moments() if key in MOMENT else st.sampled_from(SECONDS)
    if draw(st.booleans()):
        return {"operator": "EQUAL", "values": [{key: draw(one)}]}
    bounds = sorted((draw(one), draw(one)), key=_bound)
    return {"operator": "BETWEEN", "values": [{key: bound} for bound in bounds]}


MOMENT = ("DICOMStudyDateAndTime",)
ORDERS = ("ASC", "DESC")
SORTS = [
    {"sortField": field, "sortOrder": order}
    for field in ("updatedAt", "createdAt", *MOMENT)
    for order in ORDERS
]
REFUSING = ("pairs", "unfiltered", "sort_with_filter")
switches = st.builds(
    Variants,
    **{  # a switch that refuses stands at its first choice more often: else little is searched
        name: st.sampled_from((*(choices[:1] * 6 if name in REFUSING else ()), *choices))
        for name, choices in CHOICES.items()
    },
)


@st.composite
def criteria(draw: st.DrawFn) -> dict[str, Any]:
    """Search criteria that the service's model allows; every other one by study date and time."""
    asked: dict[str, Any] = {}
    wanted = draw(st.lists(filters(), max_size=1))
    if draw(st.booleans()):
        asked["sort"] = {"sortField": MOMENT[0], "sortOrder": draw(st.sampled_from(ORDERS))}
        wanted += draw(st.sampled_from(([], [draw(between_moments())])))
    else:
        wanted += draw(st.lists(filters(), max_size=1))
        if draw(st.integers(0, 3)):
            asked["sort"] = draw(st.sampled_from(SORTS))
    return {**asked, "filters": wanted} if wanted else asked


def refused(asked: Mapping[str, Any], variants: Variants) -> bool:
    """Whether the switches make the criteria invalid."""
    wanted = asked.get("filters", ())
    by_date = asked.get("sort", {}).get("sortField") in MOMENT
    pair = {(f["operator"], *f["values"][0]) for f in wanted}
    documented = pair == {("EQUAL", "DICOMSeriesInstanceUID"), ("BETWEEN", "updatedAt")}
    return (
        (not wanted and variants.unfiltered == "rejected")
        or (bool(wanted) and by_date and variants.sort_with_filter == "rejected")
        or (len(wanted) == 2 and variants.pairs == "single")
        or (len(wanted) == 2 and variants.pairs == "documented" and not documented)
    )


def walk(store: Store, asked: Mapping[str, Any], size: int) -> list[list[Summary]]:
    """All pages."""
    pages, token = [], None
    while True:
        body = store.search(asked, size, token)
        absent = store.variants.empty_list == "absent"
        page = body.get("imageSetsMetadataSummaries", [])
        assert ("imageSetsMetadataSummaries" in body) == (bool(page) or not absent)
        pages.append(page)
        token = body.get("nextToken")
        if token is None:
            return pages
        assert 1 <= len(token) <= 8192
        assert token.isascii()
        assert len(pages) < 500


def as_answered(summary: Summary, summaries: Sequence[Summary], variants: Variants) -> Summary:
    """A summary as an answer holds it."""
    tags = dict(summary["DICOMTags"])
    if variants.padding == "trimmed":
        tags = {name: value.strip(" ") for name, value in tags.items()}
    study_uid = tags.get("DICOMStudyInstanceUID")
    if variants.counts == "study" and study_uid is not None:
        of_study = [
            s
            for s in summaries
            if s["DICOMTags"].get("DICOMStudyInstanceUID") == study_uid and s.get("isPrimary", True)
        ]
        series = {s["DICOMTags"].get("DICOMSeriesInstanceUID") for s in of_study} - {None}
        tags["DICOMNumberOfStudyRelatedSeries"] = len(series)
        tags["DICOMNumberOfStudyRelatedInstances"] = 0
    return {**summary, "DICOMTags": tags}


@pytest.mark.parametrize("few", [0, selecting.FEW], ids=["along the sort", "by the filter"])
@EXAMPLES
@given(archives(), switches, criteria(), st.integers(1, 50))
def test_search_is_what_a_loop_finds(
    few: int, summaries: list[Summary], variants: Variants, asked: dict[str, Any], size: int
) -> None:
    """Any criteria at any switches and page size give the loop's image sets, in its order.

    Whether a filter finds few image sets or many decides on the index, and on nothing else.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selecting, "FEW", few)
        _check_search(summaries, variants, asked, size)


def _check_search(
    summaries: list[Summary], variants: Variants, asked: dict[str, Any], size: int
) -> None:
    store = Store(None, variants, DATASTORE_ID, clock=lambda: 0.0)
    store.add_summaries(summaries)
    if refused(asked, variants):
        with pytest.raises(WireError) as caught:
            store.search(asked, size, None)
        assert ("ValidationException", 400) == (caught.value.code, caught.value.status)
        return
    pages = walk(store, asked, size)
    found = [summary for page in pages for summary in page]
    expected = [
        s for s in summaries if all(matches(s, f, variants) for f in asked.get("filters", ()))
    ]
    by_id = {s["imageSetId"]: as_answered(s, summaries, variants) for s in expected}
    assert sorted(by_id) == sorted(s["imageSetId"] for s in found)
    assert [by_id[s["imageSetId"]] for s in found] == found
    _check_order(found, summaries, asked, variants)
    _check_pages(pages, size, variants)
    store.close()


def _check_order(
    found: list[Summary], summaries: list[Summary], asked: Mapping[str, Any], variants: Variants
) -> None:
    sort = asked.get("sort", {"sortField": "updatedAt", "sortOrder": "DESC"})
    stored = {s["imageSetId"]: s for s in summaries}
    ordered = [stored[s["imageSetId"]] for s in found]
    places = [place(s, sort["sortField"], sort["sortOrder"] == "DESC", variants) for s in ordered]
    assert sorted(places) == places
    if variants.ties == "grouped":
        for _, tied in groupby(zip(places, ordered, strict=True), key=lambda pair: pair[0]):
            uids = [s["DICOMTags"].get("DICOMStudyInstanceUID") for _, s in tied]
            assert len(set(uids)) == len(list(groupby(uids)))


def _check_pages(pages: list[list[Summary]], size: int, variants: Variants) -> None:
    lengths = [len(page) for page in pages]
    assert max(lengths) <= size
    if variants.pages == "full":
        assert all(length == size for length in lengths[:-1])


def test_the_questions_find_something() -> None:
    """Of the generated searches with a filter at least 40 % have an answer."""
    answered: list[bool] = []

    @settings(EXAMPLES, max_examples=120)
    @given(archives(), switches, criteria())
    def ask(summaries: list[Summary], variants: Variants, asked: dict[str, Any]) -> None:
        if "filters" in asked and not refused(asked, variants) and summaries:
            wanted = asked["filters"]
            found = (all(matches(s, one, variants) for one in wanted) for s in summaries)
            answered.append(any(found))

    ask()
    assert len(answered) > 40
    assert sum(answered) >= 0.4 * len(answered)
