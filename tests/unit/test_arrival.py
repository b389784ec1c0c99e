"""The keys of arrival: their grammar, what is pushed down for them, what they are matched by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.errors import QueryError
from gateway.qido.arrival import ARRIVAL, RULE, arrival_criterion
from gateway.qido.attributes import Resource
from gateway.qido.conditions import Range
from gateway.qido.matching import matcher
from gateway.qido.query import parse_query
from gateway.search.imageset import ImageSet
from gateway.search.plan import ArrivalBetween, Equal, Plan, SearchOptions, Sort, plan
from gateway.search.study import found_series, found_study

LAST_S = 253_402_300_799


def _us(iso: str) -> int:
    """Microseconds since 1970 of a moment, in UTC."""
    moment = datetime.fromisoformat(iso).replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000_000 + moment.microsecond


DAY = (_us("2024-03-11"), _us("2024-03-12") - 1)
MS = (_us("2024-03-11T22:00:05") + 74_000, _us("2024-03-11T22:00:05") + 74_999)
HOUR = (_us("2024-03-11T22:00:00"), _us("2024-03-11T23:00:00") - 1)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        pytest.param("2024-03-11", DAY, id="ISO: a day is all of it, in UTC"),
        pytest.param("2024-03-11T15:00:05.074-07:00", MS, id="ISO: a fraction, with an offset"),
        pytest.param("2024-03-11T22:00:05.074Z", MS, id="ISO: Z"),
        pytest.param("2024-03-11T22:00:05.074", MS, id="ISO: no offset is UTC"),
        pytest.param("2024-03-12T03:30:05.074+05:30", MS, id="ISO: an offset ahead"),
        pytest.param("2024-03-12T03:30:05.074 05:30", MS, id="ISO: its + read as a space"),
        pytest.param("2024-03-11T22:00/2024-03-11T22:59", HOUR, id="ISO: an interval of minutes"),
        pytest.param("2024-03-11/..", (DAY[0], None), id="ISO: an open end"),
        pytest.param("../2024-03-11", (None, DAY[1]), id="ISO: an open beginning"),
        pytest.param("20240311", DAY, id="DT: a day"),
        pytest.param("20240311150005.074-0700", MS, id="DT: a fraction, with an offset"),
        pytest.param("20240312033005.074+0530", MS, id="DT: an offset ahead"),
        pytest.param("2024031122", HOUR, id="DT: an hour"),
        pytest.param("2024031115-0700-202403112259", HOUR, id="DT: a range, one offset"),
        pytest.param("202403112200-202403112259", HOUR, id="DT: a range of minutes"),
        pytest.param("20240311-", (DAY[0], None), id="DT: an open end"),
        pytest.param("2024031115-0700-", (HOUR[0], None), id="DT: an open end, with an offset"),
        pytest.param("-20240311", (None, DAY[1]), id="DT: an open beginning"),
        pytest.param("-2024031115-0700", (None, HOUR[1]), id="DT: the same with an offset"),
        pytest.param("20240311-20240311", DAY, id="DT: hyphens part days too"),
        pytest.param(" 20240311 ", DAY, id="spaces around it"),
    ],
)
def test_reads(text: str, bounds: tuple[int | None, int | None]) -> None:
    """A moment covers what its text leaves open; both forms of range are read."""
    criterion = arrival_criterion("updatedAt", text)
    assert criterion is not None
    assert Range(*bounds) == criterion.condition


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("yesterday", id="no moment"),
        pytest.param("2024", id="a year alone"),
        pytest.param("202403", id="a month alone"),
        pytest.param("2024-03", id="ISO: a month alone"),
        pytest.param("2024-02-30", id="ISO: no such day"),
        pytest.param("20240230", id="DT: no such day"),
        pytest.param("2024-03-11T24:00", id="ISO: no such hour"),
        pytest.param("2024-03-11T15", id="ISO: an hour alone"),
        pytest.param("2024-03-11 15:00", id="ISO: a space for the T"),
        pytest.param("2024-03-11T15:00:05,074", id="ISO: a decimal comma"),
        pytest.param("2024-03-11T15:00-0700", id="ISO: a DICOM offset"),
        pytest.param("2024-03-11T15:00+15:00", id="ISO: no such offset"),
        pytest.param("2024031115+0060", id="DT: no such offset"),
        pytest.param("2024031115+00", id="DT: an offset of hours alone"),
        pytest.param("20240311-2024", id="DT: four digits behind a hyphen are an offset"),
        pytest.param("20240311150005.1234567", id="DT: more than microseconds"),
        pytest.param("2024031115.5", id="DT: a fraction of an hour"),
        pytest.param("2024-03-11-2024-03-12", id="ISO moments parted by a hyphen"),
        pytest.param("20240311/20240312", id="DT moments parted by a slash"),
        pytest.param("2024-03-11/20240312", id="two forms in one interval"),
        pytest.param("2024-03-11/", id="ISO: an end left out"),
        pytest.param("/2024-03-11", id="ISO: a beginning left out"),
        pytest.param("../..", id="ISO: no end at all"),
        pytest.param("-", id="DT: no end at all"),
        pytest.param("..", id="dots alone"),
        pytest.param("2024-03-11/2024-03-12/2024-03-13", id="three ends"),
        pytest.param("20240312-20240311", id="DT: ends before it begins"),
        pytest.param("2024-03-12/2024-03-11", id="ISO: ends before it begins"),
        pytest.param("2024-03-11,2024-03-12", id="a list"),
        pytest.param("*", id="a wild card"),
    ],
)
@pytest.mark.parametrize("keyword", sorted(ARRIVAL))
def test_refuses(keyword: str, text: str) -> None:
    """Anything else is refused by its name, without its value."""
    with pytest.raises(QueryError) as caught:
        parse_query(Resource.STUDIES, f"{keyword}={text.replace('+', '%2B')}".encode())
    assert keyword == caught.value.parameter
    assert caught.value.problem in (RULE, "the range ends before it begins")


def test_keys() -> None:
    """An empty key asks nothing, one may say the same twice, and the log has its name only."""
    query = parse_query(Resource.ALL_SERIES, b"createdAt=&updatedAt=20240311&updatedAt=20240311")
    assert ("createdAt", "updatedAt") == query.parameters
    assert ["updatedAt"] == [c.attribute.keyword for c in query.criteria]
    assert () == query.also_return + query.warnings
    with pytest.raises(QueryError, match="repeated"):
        parse_query(Resource.STUDIES, b"updatedAt=20240311&updatedAt=20240312")


def _set(number: int, updated: float, created: float, primary: bool = True) -> ImageSet:
    uids = {"DICOMStudyInstanceUID": "1.2", "DICOMSeriesInstanceUID": f"1.2.{number}"}
    return ImageSet(f"{number:032x}", uids, 1, created, updated, primary)


@pytest.mark.parametrize(
    ("sets", "mode", "updated", "created"),
    [
        pytest.param([_set(1, 20.5, 3), _set(2, 9, 5)], "primary", (20_500_000,), (3_000_000,),
                     id="the latest change, the earliest creation"),
        pytest.param([_set(1, 20, 3), _set(2, 30, 1, primary=False)], "primary",
                     (20_000_000,), (3_000_000,), id="of those that are shown"),
        pytest.param([_set(1, 20, 3), _set(2, 30, 1, primary=False)], "all",
                     (30_000_000,), (1_000_000,), id="of all, where all are"),
        pytest.param([_set(1, 0, 0), _set(2, 9, 5)], "primary", (9_000_000,), (5_000_000,),
                     id="what is not given does not count"),
        pytest.param([_set(1, 0, 0)], "primary", (), (), id="nothing is known"),
    ],
)  # fmt: skip
def test_of_a_study(
    sets: list[ImageSet], mode: Any, updated: tuple[int, ...], created: tuple[int, ...]
) -> None:
    """A study has changed with its last image set and was created with its first."""
    study = found_study(sets, SearchOptions(image_sets=mode))
    assert study is not None
    assert updated == study.values.get("updatedAt", ())
    assert created == study.values.get("createdAt", ())


def test_of_a_series() -> None:
    """A series has its own image sets' times, never its study's; an unknown one never matches."""
    sets = [_set(1, 20, 3), _set(2, 9, 5), _set(3, 0, 0)]
    series = found_series(sets, SearchOptions())
    assert [(20_000_000,), (9_000_000,), None] == [s.values.get("updatedAt") for s in series]
    anything = matcher(parse_query(Resource.ALL_SERIES, b"updatedAt=-20240311").criteria)
    assert [True, True, False] == [anything(s.values) for s in series]


DATES = "StudyDate=20200101-"
UPDATED = "updatedAt=20240311"
DAY_S = ArrivalBetween("updatedAt", DAY[0] // 10**6 - 1, DAY[0] // 10**6 + 86_401)
PATIENT, SERIES = Equal("DICOMPatientId", "P"), Equal("DICOMSeriesInstanceUID", "1.2.1")
ALL = SearchOptions(image_sets="all")
UNTRUSTED = SearchOptions(trust_unmarked=False)


@pytest.mark.parametrize(
    ("text", "options", "filters"),
    [
        pytest.param(UPDATED, None, (DAY_S,), id="a second at both ends"),
        pytest.param("updatedAt=20240311-", None,
                     (ArrivalBetween("updatedAt", DAY_S.lower, LAST_S),), id="an open end"),
        pytest.param("createdAt=-20240311", None,
                     (ArrivalBetween("createdAt", 0, DAY_S.upper),), id="an open beginning"),
        pytest.param("createdAt=00010101-99991231", None,
                     (ArrivalBetween("createdAt", 0, LAST_S),), id="never outside 1970 to 9999"),
        pytest.param(f"createdAt=2023&{UPDATED}".replace("2023", "20230101"), None, (DAY_S,),
                     id="one only: updatedAt"),
        pytest.param(f"{UPDATED}&PatientName=A", None, (DAY_S,), id="beside what is not pushed"),
        pytest.param(f"{UPDATED}&PatientID=P", None, (PATIENT, DAY_S), id="beside an EQUAL"),
        pytest.param(f"{UPDATED}&SeriesInstanceUID=1.2.1", ALL, (SERIES, DAY_S),
                     id="beside a series, whatever is shown"),
        pytest.param(f"{UPDATED}&PatientID=P", ALL, (PATIENT,),
                     id="not where the last image set may have another PatientID"),
        pytest.param(f"{UPDATED}&PatientID=P", UNTRUSTED, (PATIENT,), id="nor an unmarked one"),
        pytest.param(UPDATED, ALL, (DAY_S,), id="alone, whatever is shown"),
        pytest.param(f"{UPDATED}&StudyInstanceUID=1.2", None,
                     (Equal("DICOMStudyInstanceUID", "1.2"),), id="never beside a study"),
    ],
)  # fmt: skip
def test_pushes_down(text: str, options: SearchOptions | None, filters: Any) -> None:
    """What is pushed down is a superset, in the store's own order: all of it is read."""
    found = plan(parse_query(Resource.ALL_SERIES, text.encode()), options or SearchOptions())
    (lane,) = found.lanes
    assert filters == lane.filters
    if DAY_S in filters:
        assert (Plan(filters, Sort.DEFAULT), True) == (lane, found.completes_all)


def test_a_study_date_is_pushed_before_an_arrival() -> None:
    """There is one BETWEEN; that of dates needs no study to be fetched whole."""
    found = plan(parse_query(Resource.STUDIES, f"{UPDATED}&{DATES}".encode()), SearchOptions())
    assert (("BETWEEN DICOMStudyDateAndTime", "STUDY_DATE"), False, True) == (
        found.lanes[0].shape, found.completes_all, found.dated_only,
    )  # fmt: skip


def test_no_value_is_shown() -> None:
    """A filter's repr holds no bound."""
    assert "ArrivalBetween(key='updatedAt')" == repr(DAY_S)
