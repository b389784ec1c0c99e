"""Rows for UIDs, integers, dates and times: UI, IS, DA, TM (PS3.4 §C.2.2.2.1 to .3 and .5)."""

from __future__ import annotations

from tests.matching.rows import Key, Row, joined, on_each, rows

UID: dict[str, Key] = {
    "the same": ("1.2.3", "1.2.3", True),
    "padded with NULL": ("1.2.3\0", "1.2.3", True),
    "padded with a space": ("1.2.3 ", "1.2.3", True),
    "a leading zero as stored": ("1.02", "1.02", True),
    "65 characters": ("1." + "2" * 63, "1." + "2" * 63, True),
    "the beginning": ("1.2.3", "1.2", False),
    "more than it": ("1.2.3", "1.2.30", False),
    "a leading zero is another": ("1.2", "1.02", False),
    "a dot is no wild card": ("1.2.3", "1.203", False),
    "stored empty": ("", "1.2", False),
    "not stored": (None, "1.2", False),
    "one component": ("1", "1", True),
    "padding within the key": ("1.2.3", "1.2.3 ", True),
    "NULL in the key": ("1.2.3", "1.2.3\0", True),
    "more components": ("1.2.3", "1.2.3.0", False),
}

UID_LIST: dict[str, Key] = {
    "the first of a list": ("1.2.3", "1.2.3,1.2.4", True),
    "the last of a list": ("1.2.4", "1.2.3,1.2.4", True),
    "by a backslash": ("1.2.4", "1.2.3\\1.2.4", True),
    "by two": ("1.2.4", "1.2.3\\\\1.2.4", True),
    "none of a list": ("1.2.5", "1.2.3,1.2.4", False),
    "the middle of a list": ("1.2.4", "1.2.3,1.2.4,1.2.5", True),
    "the same twice": ("1.2.3", "1.2.3,1.2.3", True),
    "spaces in a list": ("1.2.4", "1.2.3, 1.2.4", True),
    "a comma at its end": ("1.2.3", "1.2.3,", True),
    "a comma at its beginning": ("1.2.3", ",1.2.3", True),
    "padded in the store": ("1.2.3\0", "1.2.4,1.2.3", True),
    "the beginning of one": ("1.2.3", "1.2.33,1.2.34", False),
    "more than one of them": ("1.2.33", "1.2.3,1.2", False),
    "two of them together": ("1.2.3.1.2.4", "1.2.3,1.2.4", False),
    "a list, not stored": (None, "1.2.3,1.2.4", False),
    "a list, stored empty": ("", "1.2.3,1.2.4", False),
}

INTEGER: dict[str, Key] = {
    "a number": (7, "7", True),
    "a text": ("7", "7", True),
    "padded": (" 7 ", "7", True),
    "leading zeros in the key": (7, "007", True),
    "leading zeros in the store": ("07", "7", True),
    "a plus": ("+7", "7", True),
    "negative": (-7, "-7", True),
    "zero": (0, "0", True),
    "minus zero": (0, "-0", True),
    "another": (7, "8", False),
    "its sign": (7, "-7", False),
    "its beginning": (70, "7", False),
    "its end": (17, "7", False),
    "a fraction in the store": ("7.0", "7", False),
    "no number in the store": ("seven", "7", False),
    "stored empty": ("", "0", False),
    "not stored is not 0": (None, "0", False),
}

DATE: dict[str, Key] = {
    "the day": ("20200131", "20200131", True),
    "padded": ("20200131 ", "20200131", True),
    "the day before": ("20200131", "20200130", False),
    "the day after": ("20200131", "20200201", False),
    "another year": ("20210131", "20200131", False),
    "a legacy date": ("2020.01.31", "20200131", False),
    "a date and time": ("20200131120000", "20200131", False),
    "a leap day": ("20200229", "20200229", True),
    "the first day there is": ("00010101", "00010101", True),
    "the last day there is": ("99991231", "99991231", True),
    "a NULL behind": ("20200131\0", "20200131", True),
    "another month": ("20200131", "20200331", False),
}

DATES: dict[str, Key] = {
    "both ends the day": ("20200131", "20200131-20200131", True),
    "the lower end": ("20200131", "20200131-20200301", True),
    "the upper end": ("20200131", "20200101-20200131", True),
    "within, over a leap day": ("20200229", "20200228-20200301", True),
    "from the day": ("20200131", "20200131-", True),
    "until the day": ("20200131", "-20200131", True),
    "from long ago": ("20200131", "00010101-", True),
    "a birth date of 1900": ("19000101", "-19000101", True),
    "the range before": ("20200131", "20200101-20200130", False),
    "the range behind": ("20200131", "20200201-20200301", False),
    "from the day after": ("20200131", "20200201-", False),
    "until the day before": ("20200131", "-20200130", False),
    "a legacy date and an open range": ("2020.01.31", "-20301231", False),
    "no such day": ("20200230", "20200201-20200301", False),
    "a word": ("unknown", "-99991231", False),
    "stored empty": ("", "00010101-99991231", False),
    "not stored": (None, "00010101-", False),
}

TIME: dict[str, Key] = {
    "the same": ("101530", "101530", True),
    "its minute": ("101530", "1015", True),
    "its hour": ("101530", "10", True),
    "the last microsecond of the minute": ("101559.999999", "1015", True),
    "the last microsecond of the hour": ("105959.999999", "10", True),
    "zeros behind": ("101530", "101530.000000", True),
    "a tenth": ("101530.59", "101530.5", True),
    "an hour stored": ("10", "100000", True),
    "a legacy time": ("10:15:30", "1015", True),
    "a legacy time to the minute": ("10:15", "101500", True),
    "a leap second": ("235960", "2359", True),
    "padded": ("101530 ", "101530", True),
    "the second after": ("101531", "101530", False),
    "the minute after": ("101600", "1015", False),
    "the hour after": ("110000", "10", False),
    "the tenth after": ("101530.6", "101530.5", False),
    "an hour stored is its beginning": ("10", "1030", False),
    "one digit": ("9", "09", False),
}

TIMES: dict[str, Key] = {
    "an upper end to the end of its hour": ("125959", "10-12", True),
    "an upper end to the end of its minute": ("123059", "10-1230", True),
    "a lower end": ("100000", "10-12", True),
    "from": ("235959", "10-", True),
    "until": ("000000", "-10", True),
    "midnight within": ("000000", "00-01", True),
    "past an upper hour": ("130000", "10-12", False),
    "past an upper minute": ("123100", "10-1230", False),
    "before a lower end": ("095959.999999", "10-12", False),
    "before an open range": ("095959", "10-", False),
    "past an open range": ("110000", "-10", False),
    "hour 24": ("240000", "23-", False),
    "a word": ("noon", "00-23", False),
    "stored empty": ("", "00-23", False),
    "not stored": (None, "00-", False),
}

BOTH: dict[str, tuple[str | None, str | None, str, str, bool]] = {
    "at the beginning": ("20200101", "220000", "20200101-20200103", "22-06", True),
    "at the end": ("20200103", "065959.999999", "20200101-20200103", "22-06", True),
    "a day within, at any time": ("20200102", "120000", "20200101-20200103", "22-06", True),
    "no time, on the first day": ("20200101", None, "20200101-20200103", "22-06", True),
    "no time, on the last day": ("20200103", None, "20200101-20200103", "22-06", True),
    "no time, within": ("20200102", "", "20200101-20200103", "22-06", True),
    "an unreadable time is none": ("20200101", "evening", "20200101-20200103", "22-06", True),
    "from": ("20200101", "220000", "20200101-", "22-", True),
    "from, a later day at an earlier time": ("20200102", "010000", "20200101-", "22-", True),
    "from, no time": ("20200101", None, "20200101-", "22-", True),
    "until": ("20200103", "065959", "-20200103", "-06", True),
    "until, an earlier day at a later time": ("20200102", "235959", "-20200103", "-06", True),
    "until, no time": ("20200103", None, "-20200103", "-06", True),
    "just before": ("20200101", "215959.999999", "20200101-20200103", "22-06", False),
    "just after": ("20200103", "070000", "20200101-20200103", "22-06", False),
    "no time, the day before": ("20191231", None, "20200101-20200103", "22-06", False),
    "no time, the day after": ("20200104", None, "20200101-20200103", "22-06", False),
    "from, just before": ("20200101", "215959", "20200101-", "22-", False),
    "until, just after": ("20200103", "070000", "-20200103", "-06", False),
    "no date": (None, "230000", "20200101-20200103", "22-06", False),
    "a legacy date": ("2020.01.02", "120000", "20200101-20200103", "22-06", False),
    "neither": (None, None, "20200101-", "22-", False),
    "other forms: both hold": ("20200102", "050000", "20200101-", "-06", True),
    "other forms: the time fails": ("20200102", "120000", "20200101-", "-06", False),
    "other forms: the date fails": ("20191231", "050000", "20200101-", "-06", False),
    "other forms: no time": ("20200102", None, "20200101-", "-06", False),
    "a single date and a range": ("20200101", "110000", "20200101", "10-12", True),
    "a single date and a range, out of it": ("20200101", "130000", "20200101", "10-12", False),
    "a single date, no time": ("20200101", None, "20200101", "10-12", False),
    "a range and a single time": ("20200102", "101500", "20200101-20200103", "10", True),
    "a range and another time": ("20200102", "120000", "20200101-20200103", "10", False),
}

_STORED_UIDS = ("1.2.3", "1.2.3\0", "1.2.3 ")
TABLES: dict[str, tuple[Row, ...]] = {
    "C.2.2.2.1 single value, UI": rows(("SeriesInstanceUID",), UID),
    "C.2.2.2.2 UID list, UI": rows(("SeriesInstanceUID",), UID_LIST),
    "C.2.2.2.3 universal, UI": rows(
        ("SeriesInstanceUID",),
        {
            **dict(on_each(_STORED_UIDS, ("", " ", "  ", "\0", " \0"), expected=True)),
            **dict(on_each(_STORED_UIDS, ("1", "1.2", "0"), expected=False)),
        },
    ),
    "C.2.2.2.1 single value, IS": rows(("SeriesNumber",), INTEGER),
    "C.2.2.2.3 universal, IS": rows(
        ("SeriesNumber",),
        {
            **dict(on_each((7, "7", None, "", "  "), ("", " ", "  "), expected=True)),
            **dict(on_each((None, "", "  "), ("0", "-0", "1"), expected=False)),
        },
    ),
    "C.2.2.2.1 single value, DA": rows(("StudyDate", "PatientBirthDate"), DATE),
    "C.2.2.2.5 range, DA": rows(("StudyDate", "PatientBirthDate"), DATES),
    "C.2.2.2.3 universal, DA": rows(
        ("StudyDate", "PatientBirthDate"),
        {
            **dict(
                on_each(("20200131", None, "", "unknown", "2020.01.31"), ("", " "), expected=True)
            ),
            **dict(
                on_each((None, "", "unknown"), ("00010101-99991231", "00010101-"), expected=False)
            ),
        },
    ),
    "C.2.2.2.1 single value, TM": rows(("StudyTime",), TIME),
    "C.2.2.2.5 range, TM": rows(("StudyTime",), TIMES),
    "C.2.2.2.3 universal, TM": rows(
        ("StudyTime",),
        {
            **dict(on_each(("101530", None, "", "noon", "  "), ("", " "), expected=True)),
            **dict(on_each((None, "", "noon"), ("00-23", "00-", "-23"), expected=False)),
        },
    ),
    "C.2.2.2.5.3 combined date and time": joined(BOTH),
}
