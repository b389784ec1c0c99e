"""Values of keys by their VR: what is accepted, and beside it what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import QueryError
from gateway.qido.attributes import BY_KEYWORD
from gateway.qido.conditions import Exact, Range, Wildcard
from tests.unit.parsing import DAY_US, FIRST, HOUR_US, REFUSED, no, outcome, parsed
from tests.unit.tables import named


@pytest.mark.parametrize(
    ("value", "uids"),
    named({
        "one": ("1.2.840", ("1.2.840",)),
        "one component": ("1", ("1",)),
        "by a comma": ("1.2,1.3", ("1.2", "1.3")),
        "by %2C": ("1.2%2C1.3", ("1.2", "1.3")),
        "by a backslash": ("1.2%5C1.3", ("1.2", "1.3")),
        "by two backslashes": ("1.2%5C%5C1.3", ("1.2", "1.3")),
        "by backslashes as typed": ("1.2\\\\1.3", ("1.2", "1.3")),
        "by all of them": ("1.2,1.3%5C1.4", ("1.2", "1.3", "1.4")),
        "the same twice": ("1.2,1.2", ("1.2",)),
        "spaces around": ("1.2,+1.3+", ("1.2", "1.3")),
        "padded with NULL": ("1.2%00", ("1.2",)),
        "a trailing comma": ("1.2,", ("1.2",)),
        "a leading zero, as stores have it": ("1.02", ("1.02",)),
        "65 characters, as stores have it": ("1." + "2" * 63, ("1." + "2" * 63,)),
        "zero length": ("", None),
        "a star": ("*", REFUSED),
        "a star behind": ("1.2.*", REFUSED),
        "a question mark": ("1.?", REFUSED),
        "a letter": ("1.2a", REFUSED),
        "a letter in a list": ("1.2,x", REFUSED),
        "a dot at its end": ("1.2.", REFUSED),
        "a dot at its beginning": (".1.2", REFUSED),
        "two dots": ("1..2", REFUSED),
        "a dash": ("1-2", REFUSED),
        "two with a space between": ("1.2+1.3", REFUSED),
        "commas alone": (",,", REFUSED),
        "other digits": ("%D9%A1.2", REFUSED),
        "a line feed at its end": ("1.2%0A", REFUSED),
        "513 characters": ("1" * 513, REFUSED),
    }),
)  # fmt: skip
@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_uid_lists(keyword: str, value: str, uids: Any) -> None:
    """UIDs may be a list by `,` `%2C` `\\` and `\\\\`; each is digits parted by dots."""
    expected = no(keyword) if uids is REFUSED else None if uids is None else Exact(uids)
    assert expected == outcome(f"{keyword}={value}", keyword)


@pytest.mark.parametrize(
    ("value", "expected"),
    named({
        "one": ("CT", Exact(("CT",))),
        "a comma": ("CT,MR", Exact(("CT", "MR"))),
        "%2C": ("CT%2CMR", Exact(("CT", "MR"))),
        "a backslash": ("CT%5CMR", Exact(("CT", "MR"))),
        "spaces around": ("+CT+,+MR", Exact(("CT", "MR"))),
        "a comma behind": ("CT,", Exact(("CT",))),
        "a wild card in one": ("C*,MR", Wildcard(("C*", "MR"))),
        "a star in the list": ("CT,*", None),
        "commas alone": (",", None),
        "zero length": ("", None),
    }),
)  # fmt: skip
@pytest.mark.parametrize("keyword", ["Modality", "ModalitiesInStudy"])
def test_modality_lists(keyword: str, value: str, expected: Any) -> None:
    """A list of modalities means any of them."""
    assert expected == outcome(f"{keyword}={value}", keyword)


@pytest.mark.parametrize(
    "keyword", ["PatientID", "AccessionNumber", "StudyDescription", "PatientSex", "PatientName"]
)
def test_no_other_key_is_a_list(keyword: str) -> None:
    """Outside UIDs and modalities a comma is a part of the one value."""
    assert Exact(("CT,MR",)) == outcome(f"{keyword}=CT,MR", keyword)


@pytest.mark.parametrize(
    ("keyword", "value", "accepted"),
    named({
        "1,024 characters": ("PatientID", "A" * 1024, True),
        "1,025 characters": ("PatientID", "A" * 1025, False),
        "1,024 letters of three bytes": ("PatientID", "%E5%B1%B1" * 1024, True),
        "1,025 spaces": ("PatientID", "+" * 1025, False),
        "a name": ("PatientName", "A" * 1025, False),
        "modalities": ("Modality", "CT," * 342, False),
        "digits": ("SeriesNumber", "1" * 1025, False),
        "a list of 20 UIDs of 60 characters": ("StudyInstanceUID", ",".join(["1." + "2" * 58] * 20),
            True),
        "longer than the VR": ("PatientSex", "A" * 17, True),
    }),
)  # fmt: skip
def test_lengths(keyword: str, value: str, accepted: bool) -> None:
    """A key may be longer than its VR has it, up to 1,024 characters; a UID list longer."""
    assert accepted == (outcome(f"{keyword}={value}", keyword) != no(keyword))


@pytest.mark.parametrize(
    ("value", "expected"),
    named({
        "a digit": ("7", Exact((7,))), "leading zeros": ("007", Exact((7,))),
        "a plus": ("%2B7", Exact((7,))), "a minus": ("-7", Exact((-7,))),
        "spaces around": ("+7+", Exact((7,))), "zero": ("0", Exact((0,))), "minus zero":
        ("-0", Exact((0,))), "zero length": ("", None),
        "a star": ("*", REFUSED), "a wild card": ("7?", REFUSED), "a range": ("1-3", REFUSED),
        "a list": ("1,2", REFUSED), "a fraction": ("7.0", REFUSED), "a word": ("seven", REFUSED),
        "two signs": ("--7", REFUSED), "a sign alone": ("-", REFUSED),
        "other digits": ("%D9%A7", REFUSED), "13 digits": ("1" * 13, REFUSED),
    }),
)  # fmt: skip
@pytest.mark.parametrize("keyword", ["SeriesNumber", "NumberOfStudyRelatedSeries"])
def test_integers(keyword: str, value: str, expected: Any) -> None:
    """IS keys are integers, without wild cards and ranges."""
    wanted = no(keyword) if expected is REFUSED else expected
    assert wanted == outcome(f"{keyword}={value}", keyword)


@pytest.mark.parametrize(
    ("value", "expected"),
    named({
        "a day": ("20200101", Range(FIRST, FIRST)),
        "a leap day": ("20200229", Range(FIRST + 59, FIRST + 59)),
        "both ends": ("20200101-20200131", Range(FIRST, FIRST + 30)),
        "from": ("20200101-", Range(FIRST, None)),
        "until": ("-20200101", Range(None, FIRST)),
        "the same day twice": ("20200101-20200101", Range(FIRST, FIRST)),
        "the first and the last day": ("00010101-99991231", Range(1, 3_652_059)),
        "zero length": ("", None),
        "spaces only": ("++", None),
        "no leap day": ("20190229", REFUSED),
        "no leap day in 1900": ("19000229", REFUSED),
        "31 April": ("20200431", REFUSED),
        "month 13": ("20201301", REFUSED),
        "day 0": ("20200100", REFUSED),
        "year 0": ("00000101", REFUSED),
        "a year": ("2020", REFUSED),
        "a month": ("202001", REFUSED),
        "nine digits": ("202001011", REFUSED),
        "ISO": ("2020-01-01", REFUSED),
        "dots": ("2020.01.01", REFUSED),
        "a date and time": ("20200101120000", REFUSED),
        "a wild card": ("202001*", REFUSED),
        "a lone star": ("*", REFUSED),
        "a lone dash": ("-", REFUSED),
        "three": ("20200101-20200102-20200103", REFUSED),
        "a word after the dash": ("20200101-today", REFUSED),
        "backwards": ("20200102-20200101", REFUSED),
        "a list": ("20200101,20200102", REFUSED),
        "other digits": ("%EF%BC%92020101", REFUSED),
    }),
)  # fmt: skip
@pytest.mark.parametrize("keyword", ["StudyDate", "PatientBirthDate"])
def test_dates(keyword: str, value: str, expected: Any) -> None:
    """DA keys are a day that there is, or a range of two with one end open at most."""
    wanted = no(keyword) if expected is REFUSED else expected
    assert wanted == outcome(f"{keyword}={value}", keyword)


S = 1_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    named({
        "an hour": ("09", Range(9 * HOUR_US, 10 * HOUR_US - 1)),
        "a minute": ("0930", Range(34_200 * S, 34_260 * S - 1)),
        "a second": ("093015", Range(34_215 * S, 34_216 * S - 1)),
        "a tenth": ("093015.5", Range(34_215 * S + 500_000, 34_215 * S + 599_999)),
        "a microsecond": ("093015.000001", Range(34_215 * S + 1, 34_215 * S + 1)),
        "an upper end to the end of its hour": ("-09", Range(None, 10 * HOUR_US - 1)),
        "an upper end to the end of its minute": ("08-0930", Range(8 * HOUR_US, 34_260 * S - 1)),
        "a lower end from the beginning of its hour": ("09-", Range(9 * HOUR_US, None)),
        "the last hour": ("23-23", Range(23 * HOUR_US, 24 * HOUR_US - 1)),
        "a leap second": ("235960", Range(86_399 * S, 86_400 * S - 1)),
        "zero length": ("", None),
        "hour 24": ("24", REFUSED), "minute 60": ("0960", REFUSED),
        "second 61": ("093061", REFUSED),
        "one digit": ("9", REFUSED), "three digits": ("093", REFUSED),
        "five digits": ("09301", REFUSED), "a fraction of a minute": ("0930.5", REFUSED),
        "a dot alone": ("093015.", REFUSED), "seven decimals": ("093015.1234567", REFUSED),
        "colons": ("09:30:15", REFUSED), "a zone": ("0930%2B0100", REFUSED),
        "a wild card": ("09*", REFUSED), "a lone dash": ("-", REFUSED),
        "backwards": ("10-09", REFUSED), "past midnight": ("22-06", REFUSED),
        "a word": ("noon", REFUSED),
    }),
)  # fmt: skip
def test_times(value: str, expected: Any) -> None:
    """TM keys cover what their precision leaves open, an upper end to the end of its precision."""
    wanted = no("StudyTime") if expected is REFUSED else expected
    assert wanted == outcome(f"StudyTime={value}", "StudyTime")


JOINED_FROM = FIRST * DAY_US + 10 * HOUR_US


@pytest.mark.parametrize(
    ("text", "expected"),
    named({
        "both closed": ("StudyDate=20200101-20200102&StudyTime=10-12",
            [(Range(JOINED_FROM, (FIRST + 1) * DAY_US + 13 * HOUR_US - 1), True)]),
        "both from": ("StudyTime=10-&StudyDate=20200101-", [(Range(JOINED_FROM, None), True)]),
        "both until": ("StudyDate=-20200101&StudyTime=-10",
            [(Range(None, JOINED_FROM + HOUR_US - 1), True)]),
        "both closed, over midnight": ("StudyDate=20200101-20200102&StudyTime=22-06",
            [(Range(FIRST * DAY_US + 22 * HOUR_US, (FIRST + 1) * DAY_US + 7 * HOUR_US - 1), True)]),
        "by their tags": ("00080020=20200101-&00080030=10-", [(Range(JOINED_FROM, None), True)]),
        "spaces around": ("StudyDate=+20200101-+&StudyTime=+10-+",
            [(Range(JOINED_FROM, None), True)]),
        "from and until": ("StudyDate=20200101-&StudyTime=-10",
            [(Range(FIRST, None), False), (Range(None, 11 * HOUR_US - 1), False)]),
        "from and closed": ("StudyDate=20200101-&StudyTime=10-12",
            [(Range(FIRST, None), False), (Range(10 * HOUR_US, 13 * HOUR_US - 1), False)]),
        "from, padded with NULL, and closed": ("StudyDate=20200101-%00&StudyTime=10-12",
            [(Range(FIRST, None), False), (Range(10 * HOUR_US, 13 * HOUR_US - 1), False)]),
        "a single date": ("StudyDate=20200101&StudyTime=10-12",
            [(Range(FIRST, FIRST), False), (Range(10 * HOUR_US, 13 * HOUR_US - 1), False)]),
        "a single time": ("StudyDate=20200101-20200102&StudyTime=10",
            [(Range(FIRST, FIRST + 1), False), (Range(10 * HOUR_US, 11 * HOUR_US - 1), False)]),
        "a time of zero length": ("StudyDate=20200101-20200102&StudyTime=",
            [(Range(FIRST, FIRST + 1), False)]),
        "another date": ("PatientBirthDate=20200101-&StudyTime=10-",
            [(Range(FIRST, None), False), (Range(10 * HOUR_US, None), False)]),
        "one day backwards": ("StudyDate=20200101-20200101&StudyTime=12-10", no("StudyDate")),
        "days backwards": ("StudyDate=20200102-20200101&StudyTime=10-12", no("StudyDate")),
        "alone, time backwards": ("StudyDate=20200101&StudyTime=12-10", no("StudyTime")),
    }),
)  # fmt: skip
def test_date_and_time_together(text: str, expected: Any) -> None:
    """Ranges of one form over StudyDate and StudyTime are one range; others stay two."""
    try:
        criteria = parsed(text).criteria
    except QueryError as exc:
        assert expected == no(exc.parameter)
    else:
        assert expected == [(c.condition, c.time is BY_KEYWORD["StudyTime"]) for c in criteria]
