"""The emulator's store: SearchImageSets as documented, and each switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.emulator.criteria import STUDY_DATE, TEXT_KEYS, read_criteria
from gateway.emulator.errors import WireError
from gateway.emulator.selecting import FEW, page_query, sort_column
from gateway.emulator.store import Store
from gateway.emulator.tokens import Position
from gateway.emulator.variants import CHOICES, Variants

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
UID = "DICOMStudyInstanceUID"


def summary(number: int, **tags: Any) -> dict[str, Any]:
    """An image set whose identifier is its number."""
    return {
        "imageSetId": f"{number:032x}",
        "createdAt": 1000.0 + number,
        "updatedAt": 2000.0 - number,
        "DICOMTags": {UID: f"1.{number}", **tags},
    }


def dated(number: int, date: str, time: str | None = None) -> dict[str, Any]:
    """An image set of a study date and time."""
    times = {} if time is None else {"DICOMStudyTime": time}
    return summary(number, **({"DICOMStudyDate": date} if date else {}), **times)


def found(
    summaries: Sequence[dict[str, Any]],
    criteria: dict[str, Any] | None,
    variants: Variants = Variants(),  # noqa: B008 - frozen
    size: int = 50,
) -> list[int]:
    """The numbers of the image sets that a search gives, over all its pages."""
    store = Store(None, variants, DATASTORE_ID, clock=lambda: 0.0)
    try:
        store.add_summaries(summaries)
        numbers, token = [], None
        while True:
            answer = store.search(criteria, size, token)
            page = answer.get("imageSetsMetadataSummaries", [])
            numbers += [int(one["imageSetId"], 16) for one in page]
            token = answer.get("nextToken")
            if token is None:
                return numbers
    finally:
        store.close()


def equal(key: str, value: Any) -> dict[str, Any]:
    """An EQUAL filter."""
    return {"operator": "EQUAL", "values": [{key: value}]}


def between(key: str, lower: Any, upper: Any) -> dict[str, Any]:
    """A BETWEEN filter."""
    return {"operator": "BETWEEN", "values": [{key: lower}, {key: upper}]}


def moment(date: str, time: str | None = None) -> dict[str, str]:
    """A DICOMStudyDateAndTime."""
    return {"DICOMStudyDate": date} | ({} if time is None else {"DICOMStudyTime": time})


def by_date(order: str = "DESC") -> dict[str, str]:
    """The sort by study date and time."""
    return {"sortField": STUDY_DATE, "sortOrder": order}


JANUARY = between(STUDY_DATE, moment("20200101"), moment("20200131"))
TIMES = [dated(1, "20200101", "0930"), dated(2, "20200101"), dated(3, "20200101", "10:15:30"),
         dated(4, "20200101", "102000"), dated(5, "20200102", "00")]  # fmt: skip
UNDATED = [dated(1, "20200101"), dated(2, ""), dated(3, "2020.01.02"), dated(4, "20200103")]


@pytest.mark.parametrize(
    ("summaries", "criteria", "switch", "numbers"),
    [
        pytest.param(UNDATED[:1], {"filters": [JANUARY]}, {}, [1], id="bounds inclusive"),
        pytest.param(UNDATED[:1], {"filters": [JANUARY]}, {"bounds": "exclusive"}, [],
                     id="bounds exclusive"),
        pytest.param(UNDATED, {"sort": by_date()}, {}, [4, 1, 3, 2], id="undated last, DESC"),
        pytest.param(UNDATED, {"sort": by_date("ASC")}, {}, [1, 4, 2, 3], id="undated last, ASC"),
        pytest.param(UNDATED, {"sort": by_date()}, {"undated": "first"}, [3, 2, 4, 1],
                     id="undated first, DESC"),
        pytest.param(UNDATED, {"sort": by_date("ASC")}, {"undated": "first"}, [2, 3, 1, 4],
                     id="undated first, ASC"),
        pytest.param(UNDATED, {"sort": by_date()}, {"undated": "smallest"}, [4, 1, 3, 2],
                     id="undated smallest, DESC"),
        pytest.param(UNDATED, {"sort": by_date("ASC")}, {"undated": "smallest"}, [2, 3, 1, 4],
                     id="undated smallest, ASC"),
        pytest.param(UNDATED, {"sort": by_date()}, {"undated": "largest"}, [3, 2, 4, 1],
                     id="undated largest, DESC"),
        pytest.param(UNDATED, {"sort": by_date()}, {"legacy_dates": "included"}, [4, 3, 1, 2],
                     id="legacy dates included in the sort"),
        pytest.param(UNDATED, {"filters": [JANUARY]}, {"legacy_dates": "included"}, [1, 3, 4],
                     id="legacy dates included in a range"),
        pytest.param(UNDATED, {"filters": [JANUARY]}, {}, [1, 4], id="legacy dates excluded"),
        pytest.param(TIMES, {"sort": by_date()}, {}, [5, 4, 3, 1, 2], id="times parsed"),
        pytest.param(TIMES, {"sort": by_date()}, {"times": "text"}, [5, 3, 4, 1, 2],
                     id="times as text"),
        pytest.param(TIMES, {"sort": by_date()}, {"times": "missing-first"}, [5, 2, 4, 3, 1],
                     id="a missing time first, DESC"),
        pytest.param(TIMES, {"sort": by_date("ASC")}, {"times": "missing-first"}, [2, 1, 3, 4, 5],
                     id="a missing time first, ASC"),
        pytest.param(
            TIMES,
            {"filters": [between(STUDY_DATE, moment("20200101", "093000"), moment("20200102"))]},
            {},
            [1, 3, 4, 5],
            id="a range within a day, no time is midnight",
        ),
        pytest.param([summary(1, DICOMPatientId="A"), summary(2, DICOMPatientId="a")],
                     {"filters": [equal("DICOMPatientId", "a")]}, {}, [2], id="case sensitive"),
        pytest.param([summary(1, DICOMPatientId="A"), summary(2, DICOMPatientId="a")],
                     {"filters": [equal("DICOMPatientId", "a")]}, {"case": "insensitive"}, [1, 2],
                     id="case insensitive"),
        pytest.param([summary(1, DICOMPatientId="A "), summary(2, DICOMPatientId="A")],
                     {"filters": [equal("DICOMPatientId", "A")]}, {}, [1, 2], id="padding trimmed"),
        pytest.param([summary(1, DICOMPatientId="A "), summary(2, DICOMPatientId="A")],
                     {"filters": [equal("DICOMPatientId", "A ")]}, {"padding": "kept"}, [1],
                     id="padding kept"),
    ],
)  # fmt: skip
def test_each_switch(
    summaries: list[dict[str, Any]], criteria: dict[str, Any], switch: Any, numbers: list[int]
) -> None:
    """Each position of a switch has its own answer."""
    assert numbers == found(summaries, criteria, Variants(**switch))


@pytest.mark.parametrize(
    ("criteria", "switch", "refused"),
    [
        ({}, {}, False),
        ({}, {"unfiltered": "rejected"}, True),
        ({"filters": [JANUARY]}, {"unfiltered": "rejected"}, False),
        ({"filters": [JANUARY], "sort": by_date()}, {}, False),
        ({"filters": [JANUARY], "sort": by_date()}, {"sort_with_filter": "rejected"}, True),
        ({"sort": by_date()}, {"sort_with_filter": "rejected"}, False),
        ({"filters": [JANUARY, equal("DICOMPatientId", "A")]}, {}, False),
        ({"filters": [JANUARY, equal("DICOMPatientId", "A")]}, {"pairs": "documented"}, True),
        (
            {"filters": [between("updatedAt", 0, 1), equal("DICOMSeriesInstanceUID", "1")]},
            {"pairs": "documented"},
            False,
        ),
        (
            {"filters": [between("updatedAt", 0, 1), equal("DICOMSeriesInstanceUID", "1")]},
            {"pairs": "single"},
            True,
        ),
    ],
)
def test_what_a_switch_rejects(criteria: dict[str, Any], switch: Any, refused: bool) -> None:
    """A form that a position does not know is a ValidationException."""
    try:
        found([], criteria, Variants(**switch))
    except WireError as exc:
        assert (True, "ValidationException", 400) == (refused, exc.code, exc.status)
    else:
        assert not refused


@pytest.mark.parametrize(
    "criteria",
    [
        pytest.param([], id="no structure"),
        pytest.param({"filter": []}, id="an unknown key"),
        pytest.param({"filters": []}, id="no filter in the list"),
        pytest.param({"filters": [JANUARY] * 3}, id="three filters"),
        pytest.param({"filters": [1]}, id="a filter that is none"),
        pytest.param({"filters": [{"operator": "LIKE", "values": [{UID: "1"}]}]}, id="operator"),
        pytest.param({"filters": [{"operator": "EQUAL", "values": []}]}, id="no value"),
        pytest.param({"filters": [{"operator": "EQUAL", "values": [{UID: "1"}] * 2}]},
                     id="EQUAL with two"),
        pytest.param({"filters": [between("createdAt", 1, 1)["values"]]}, id="a list as filter"),
        pytest.param({"filters": [{"operator": "BETWEEN", "values": [{"createdAt": 1}]}]},
                     id="BETWEEN with one"),
        pytest.param({"filters": [between(UID, "1", "2")]}, id="BETWEEN of texts"),
        pytest.param({"filters": [between("createdAt", 2, 1)]}, id="bounds in the wrong order"),
        pytest.param(
            {"filters": [{"operator": "BETWEEN", "values": [{"createdAt": 1}, {"updatedAt": 2}]}]},
            id="two keys in one filter"),
        pytest.param({"filters": [{**equal(UID, "1"), "values": [{UID: "1", "isPrimary": True}]}]},
                     id="two keys in one value"),
        pytest.param({"filters": [equal("PatientName", "A")]}, id="an unknown attribute"),
        pytest.param({"filters": [equal("DICOMPatientId", 1)]}, id="a number as text"),
        pytest.param({"filters": [equal("DICOMPatientId", "A" * 513)]}, id="513 characters"),
        pytest.param({"filters": [equal(UID, "1.a")]}, id="a UID with a letter"),
        pytest.param({"filters": [equal(UID, "")]}, id="an empty UID"),
        pytest.param({"filters": [equal("isPrimary", "true")]}, id="a text as truth"),
        pytest.param({"filters": [equal("createdAt", "yesterday")]}, id="no timestamp"),
        pytest.param({"filters": [equal(STUDY_DATE, {})]}, id="no date"),
        pytest.param({"filters": [equal(STUDY_DATE, moment("2020-01-01"))]}, id="an ISO date"),
        pytest.param({"filters": [equal(STUDY_DATE, moment("20200101", "1:00"))]}, id="no time"),
        pytest.param({"sort": {"sortField": "PatientName", "sortOrder": "ASC"}}, id="sort field"),
        pytest.param({"sort": {"sortField": "createdAt", "sortOrder": "UP"}}, id="sort order"),
        pytest.param({"sort": {"sortField": "createdAt"}}, id="half a sort"),
    ],
)  # fmt: skip
def test_refuses_wrong_criteria(criteria: Any) -> None:
    """What the model does not allow is a ValidationException that names the rule."""
    with pytest.raises(WireError) as caught:
        found([], criteria)
    assert ("ValidationException", 400) == (caught.value.code, caught.value.status)


@pytest.mark.parametrize("size", [0, 51, -1])
def test_refuses_a_wrong_page_size(size: int) -> None:
    """A page has 1 to 50 image sets."""
    with pytest.raises(WireError, match="maxResults"):
        found([], {}, size=size)


@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        pytest.param(None, [1, 2, 3], id="default: updatedAt, newest first"),
        pytest.param({"sort": {"sortField": "createdAt", "sortOrder": "DESC"}}, [3, 2, 1],
                     id="createdAt DESC"),
        pytest.param({"sort": {"sortField": "updatedAt", "sortOrder": "ASC"}}, [3, 2, 1],
                     id="updatedAt ASC"),
        pytest.param({"filters": [equal("isPrimary", True)]}, [1], id="primary"),
        pytest.param({"filters": [equal("isPrimary", False)]}, [2], id="not primary"),
        pytest.param({"filters": [equal("createdAt", 1002)]}, [2], id="createdAt"),
        pytest.param({"filters": [equal("createdAt", "1970-01-01T00:16:42Z")]}, [2],
                     id="createdAt, ISO 8601"),
        pytest.param({"filters": [between("updatedAt", 1998, 1999)]}, [1, 2], id="updatedAt"),
        pytest.param({"filters": [equal(STUDY_DATE, moment("20200102"))]}, [2], id="study date"),
        pytest.param({"filters": [equal(UID, "1.3")]}, [3], id="study UID"),
        pytest.param({"filters": [equal(UID, "1.3"), equal("createdAt", 1003)]}, [3], id="a pair"),
        pytest.param({"filters": [equal(UID, "1.3"), equal("createdAt", 1)]}, [], id="both hold"),
    ],
)  # fmt: skip
def test_filters_and_sorts(criteria: Any, numbers: list[int]) -> None:
    """Every key filters, every field sorts."""
    summaries = [
        {**dated(1, "20200101"), "isPrimary": True},
        {**dated(2, "20200102"), "isPrimary": False},
        dated(3, "20200103"),
    ]
    assert numbers == found(summaries, criteria)


# --- against an oracle ----------------------------------------------------------------------------

_DAYS = st.sampled_from(("20200101", "20200102", "20200229", ""))
_ROWS = st.lists(
    st.tuples(_DAYS, st.sampled_from(("10", "1015", "")), st.sampled_from("AB"), st.integers(0, 3)),
    max_size=12,
)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    rows=_ROWS,
    filters=st.sets(st.sampled_from(("patient", "date", "created")), max_size=2),
    field=st.sampled_from(("updatedAt", "createdAt", STUDY_DATE)),
    order=st.sampled_from(("ASC", "DESC")),
    size=st.integers(1, 5),
    switches=st.fixed_dictionaries(
        {name: st.sampled_from(CHOICES[name]) for name in ("ties", "tokens", "pages", "empty_list")}
    ),
)
def test_pages_are_the_whole_once(
    rows: Any, filters: set[str], field: str, order: str, size: int, switches: Any
) -> None:
    """Whatever page, token and ties: each image set that matches comes once, and in order."""
    summaries = []
    for number, (day, time, patient, created) in enumerate(rows):
        tags = {"DICOMPatientId": patient}
        tags |= {"DICOMStudyDate": day} if day else {}
        tags |= {"DICOMStudyTime": time} if time else {}
        one = {**summary(number, **tags), "createdAt": float(created), "updatedAt": -float(created)}
        summaries.append(one)
    possible: dict[str, tuple[Any, Callable[[dict[str, Any]], bool]]] = {
        "patient": (
            equal("DICOMPatientId", "A"),
            lambda s: s["DICOMTags"]["DICOMPatientId"] == "A",
        ),
        "date": (
            between(STUDY_DATE, moment("20200101", "10"), moment("20200102")),
            lambda s: "202001011" <= _moment(s) <= "20200102000000",
        ),
        "created": (between("createdAt", 1, 2), lambda s: 1 <= s["createdAt"] <= 2),
    }
    chosen = [possible[name] for name in sorted(filters)]
    criteria: dict[str, Any] = {"sort": {"sortField": field, "sortOrder": order}}
    if chosen:
        criteria["filters"] = [one for one, _ in chosen]
    numbers = found(summaries, criteria, Variants(**switches), size)
    wanted = [s for s in summaries if all(test(s) for _, test in chosen)]
    assert {int(s["imageSetId"], 16) for s in wanted} == set(numbers)
    assert len(wanted) == len(numbers)
    keys = [_key(summaries[number], field) for number in numbers]
    present = [key for key in keys if key is not None]
    assert sorted(present, reverse=order == "DESC") == present
    assert [None] * (len(keys) - len(present)) == keys[len(present) :]


def _moment(one: dict[str, Any]) -> str:
    tags = one["DICOMTags"]
    return f"{tags.get('DICOMStudyDate', '')}{tags.get('DICOMStudyTime', ''):0<6}"


def _key(one: dict[str, Any], field: str) -> Any:
    if field != STUDY_DATE:
        return one[field]
    return _moment(one) if "DICOMStudyDate" in one["DICOMTags"] else None


# --- tokens ---------------------------------------------------------------------------------------


def _two_pages(tokens: Any) -> tuple[Store, dict[str, Any], str]:
    store = Store(None, Variants(tokens=tokens), DATASTORE_ID, clock=lambda: 0.0)
    store.add_summaries(dated(n, f"202001{n:02}") for n in range(1, 6))
    criteria = {"sort": by_date()}
    return store, criteria, store.search(criteria, 2, None)["nextToken"]


@pytest.mark.parametrize("tokens", CHOICES["tokens"])
def test_a_token_may_be_used_again(tokens: str) -> None:
    """The same token gives the same page."""
    store, criteria, token = _two_pages(tokens)
    assert store.search(criteria, 2, token) == store.search(criteria, 2, token)
    store.close()


@pytest.mark.parametrize("wrong", ["abc", "AAAA", "e30=", ""])
def test_a_wrong_token_is_refused(wrong: str) -> None:
    """A token that was not given is a ValidationException."""
    store, criteria, _ = _two_pages("keyset")
    with pytest.raises(WireError, match="nextToken"):
        store.search(criteria, 2, wrong)
    store.close()


def test_a_token_is_bound() -> None:
    """A token of other criteria or of another data store is refused."""
    store, criteria, token = _two_pages("keyset")
    other = Store(None, Variants(), "f" * 32)
    with pytest.raises(WireError, match="other search criteria"):
        store.search({"sort": by_date("ASC")}, 2, token)
    with pytest.raises(WireError, match="other search criteria"):
        other.search(criteria, 2, token)
    store.close()
    other.close()


@pytest.mark.parametrize(
    ("tokens", "numbers"), [("snapshot", [3, 2]), ("keyset", [3, 2]), ("offset", [4, 3])]
)
def test_what_a_token_means(tokens: str, numbers: list[int]) -> None:
    """An image set that arrives before a page shifts the pages of an offset only."""
    store, criteria, token = _two_pages(tokens)
    store.add_summaries([dated(9, "20200109")])
    page = store.search(criteria, 2, token)["imageSetsMetadataSummaries"]
    assert numbers == [int(one["imageSetId"], 16) for one in page]
    store.close()


@pytest.mark.parametrize(("tokens", "seen"), [("snapshot", False), ("keyset", True)])
def test_what_comes_later(tokens: str, seen: bool) -> None:
    """An image set that arrives behind the page is seen by its key, and not in a snapshot."""
    store, criteria, token = _two_pages(tokens)
    store.add_summaries([dated(9, "20190109")])
    page = store.search(criteria, 50, token)["imageSetsMetadataSummaries"]
    assert seen == (9 in [int(one["imageSetId"], 16) for one in page])
    store.close()


# --- counts, versions, files ----------------------------------------------------------------------


def test_counts_of_a_study() -> None:
    """With counts of the study each image set tells its primary image sets' sums."""
    store = Store(None, Variants(counts="study"), DATASTORE_ID)
    number = "DICOMNumberOfStudyRelatedInstances"
    store.add_summaries(
        {
            **summary(n, **{UID: "1.9", "DICOMSeriesInstanceUID": f"1.9.{n}", number: 10}),
            "isPrimary": n < 3,
        }
        for n in range(1, 4)
    )
    page = store.search({}, 50, None)["imageSetsMetadataSummaries"]
    told = {(one["DICOMTags"]["DICOMNumberOfStudyRelatedSeries"], one["DICOMTags"][number])
            for one in page}  # fmt: skip
    store.close()
    assert {(2, 20)} == told


def test_what_is_missing_is_made_up(tmp_path: Path) -> None:
    """An identifier, a version and times are made up; isPrimary stays missing."""
    store = Store(tmp_path / "s.sqlite", Variants(), DATASTORE_ID, clock=lambda: 7.0)
    store.add_summaries([{"DICOMTags": {UID: "1.2"}}])
    (one,) = store.search({}, 50, None)["imageSetsMetadataSummaries"]
    store.close()
    assert (1, 7.0, 7.0) == (one["version"], one["createdAt"], one["updatedAt"])
    assert (32, False) == (len(one["imageSetId"]), "isPrimary" in one)


def test_a_file_serves_other_switches(tmp_path: Path) -> None:
    """A store in a file can be opened again at other positions of the switches."""
    path = tmp_path / "s.sqlite"
    first = Store(path, Variants(), DATASTORE_ID)
    first.add_summaries([summary(1, DICOMPatientId="A ")])
    first.close()
    second = Store(path, Variants(padding="kept", case="insensitive"), DATASTORE_ID)
    answer = second.search({"filters": [equal("DICOMPatientId", "a ")]}, 50, None)
    assert 1 == second.count()
    second.close()
    assert 1 == len(answer["imageSetsMetadataSummaries"])


# --- what a page costs ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> Any:
    """More image sets than may be sorted for a page."""
    store = Store(None, Variants(), DATASTORE_ID, clock=lambda: 0.0)
    tags = dict.fromkeys(TEXT_KEYS, "1.1")
    store.add_summaries(
        {**dated(n, f"{2000 + n % 20}0101"), "isPrimary": True, "DICOMTags": {**tags,
         "DICOMStudyDate": f"{2000 + n % 20}0101"}}
        for n in range(FEW + 500)
    )  # fmt: skip
    store.add_summaries([summary(9999, DICOMPatientId="RARE")])
    yield store
    store.close()


_WIDE = (
    equal("isPrimary", True),
    *(equal(key, "1.1") for key in TEXT_KEYS),
    between("createdAt", 0, 9e9),
    between("updatedAt", -9e9, 9e9),
    between(STUDY_DATE, moment("19000101"), moment("21000101")),
)


@pytest.mark.parametrize("field", ["updatedAt", "createdAt", STUDY_DATE])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("filters", [(), *((one,) for one in _WIDE), (_WIDE[1], _WIDE[-1])])
@pytest.mark.parametrize("later", [False, True])
def test_a_page_of_many_walks_the_sorts_index(
    large: Store, field: str, order: str, filters: Any, later: bool
) -> None:
    """Where a filter finds many the page is read along the sort's index, and nothing is sorted."""
    criteria: dict[str, Any] = {"sort": {"sortField": field, "sortOrder": order}}
    criteria |= {"filters": list(filters)} if filters else {}
    plan = _explain(large, criteria, Position("1", "1") if later else Position())
    column = sort_column(read_criteria(criteria, Variants()))
    assert f"INDEX by_{column}" in plan
    assert "TEMP B-TREE" not in plan


def test_a_page_of_few_uses_the_filters_index(large: Store) -> None:
    """Where a filter finds few its index is used, and only those are sorted."""
    plan = _explain(large, {"filters": [equal("DICOMPatientId", "RARE")]}, Position())
    assert "SEARCH image_sets USING INDEX by_key_0 (key_0=?)" in plan


def _explain(store: Store, criteria: dict[str, Any], position: Position) -> str:
    read = read_criteria(criteria, Variants())
    sql, values = page_query(read, position, 51, Variants(), store._count)
    rows = store._sql.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    return " / ".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("tokens", "field", "filters"),
    [
        pytest.param("snapshot", STUDY_DATE, [_WIDE[-1]], id="a range by its own sort"),
        pytest.param("keyset", "updatedAt", None, id="everything by the default sort"),
    ],
)
def test_a_late_page_costs_what_the_first_does(tokens: Any, field: str, filters: Any) -> None:
    """Page 16,000 costs at most twice the steps of SQLite's machine that page 1 costs."""
    store = Store(None, Variants(tokens=tokens), DATASTORE_ID, clock=lambda: 0.0)
    store.add_summaries(dated(n, f"{1950 + n % 60}0101", f"{n % 24:02}") for n in range(16_050))
    sort = {"sortField": field, "sortOrder": "DESC"}
    criteria = {"sort": sort, "filters": filters} if filters else {"sort": sort}
    token, costs = None, []
    for page in range(1, 16_001):
        if page in (1, 16_000):
            steps: list[None] = []
            costs.append(steps)
            store._sql.set_progress_handler(partial(steps.append, None), 1)
        token = store.search(criteria, 1, token)["nextToken"]
        store._sql.set_progress_handler(None, 1)
    store.close()
    first, last = map(len, costs)
    assert 0 < last <= 2 * first
