"""Matching: PS3.4 §C.2.2.2, a table for each VR and matching type, near misses beside."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from gateway.qido.attributes import BY_KEYWORD, Resource
from gateway.qido.matching import fold, matcher
from gateway.qido.query import parse_query
from gateway.qido.result import stored_values


def matches(stored: dict[str, Any], **keys: str) -> bool:
    """Whether an attribute set, as stored, matches keys as a client writes them."""
    values = {k: v for k, raw in stored.items() if (v := stored_values(BY_KEYWORD[k], raw))}
    text = "&".join(f"{name}={quote(value)}" for name, value in keys.items())
    return matcher(parse_query(Resource.ALL_SERIES, text.encode()).criteria)(values)


def rows(keyword: str, *table: tuple[Any, str, bool]) -> list[Any]:
    """Rows of (stored, key, whether it matches)."""
    names = ("no", "yes")
    return [
        pytest.param(keyword, stored, key, expected, id=f"{keyword} {number} {names[expected]}")
        for number, (stored, key, expected) in enumerate(table, 1)
    ]


@pytest.mark.parametrize(
    ("keyword", "stored", "key", "expected"),
    [
        *rows(
            "PatientID",  # LO, single value and wild card
            ("PAT1", "PAT1", True),
            ("PAT1 ", "PAT1", True),
            (" PAT1", "PAT1", True),
            ("PAT1", " PAT1 ", True),
            ("PAT1", "pat1", False),
            ("PAT1", "PAT", False),
            ("PAT1", "PAT12", False),
            ("PÄT1", "PAT1", False),
            (None, "PAT1", False),
            ("", "PAT1", False),
            ("  ", "PAT1", False),
            ("PAT1", "*", True),
            ("PAT1", "P*1", True),
            ("PAT1", "P**1", True),
            ("PAT1", "P?T1", True),
            ("PAT1", "P?1", False),
            ("PAT1", "????", True),
            ("PAT1", "???", False),
            ("PAT1", "?????", False),
            ("PAT1", "*AT*", True),
            ("PAT1", "*at*", False),
            ("PAT1", "PAT1*", True),
            ("PAT1", "*PAT1?", False),
            ("山田", "??", True),
            ("100%", "100%", True),
            ("1000", "100%", False),
            ("A_B", "A_*", True),
            ("[A]", "[A]*", True),
            ("A", "[A]*", False),
            ("A.C", "A.*", True),
            ("ABC", "A.*", False),
            ("abab", "*ab", True),
            ("abcab", "*b*b", True),
            ("ab", "*b*b", False),
        ),
        *rows(
            "AccessionNumber",  # SH
            ("ACC1", "ACC1", True),
            ("ACC1", "ACC2", False),
            ("ACC1", "ACC?", True),
            ("ACC12", "ACC?", False),
            ("ACC?", "ACC?", True),
            ("A,B", "A,B", True),
            ("A", "A,B", False),
            ("", "ACC*", False),
        ),
        *rows(
            "StudyDescription",  # LO with several values
            ("CT\\HEAD", "HEAD", True),
            ("CT\\HEAD", "CT", True),
            ("CT\\HEAD", "CT*HEAD", False),
            ("CT\\ HEAD ", "HEAD", True),
            ("CT\\\\HEAD", "HEAD", True),
            ("CT HEAD", "*HEAD", True),
            ("CT HEAD", "*head", False),
            ("\\", "HEAD", False),
        ),
        *rows(
            "PatientSex",  # CS
            ("F", "F", True),
            ("F ", "F", True),
            ("F", "f", False),
            ("F", "M", False),
            ("F", "F,M", False),
            ("F", "?", True),
            (None, "F", False),
        ),
        *rows(
            "Modality",  # CS, a list means any of it
            ("CT", "MR", False),
            ("CT", "C*,MR", True),
            ("MR", "C*,US", False),
            ("CT", "ct", False),
        ),
        *rows(
            "PatientName",  # PN
            ("STRAUẞ^ANNA", "strau?^anna", True),
            ("STRAUß^ANNA", "STRAU??^ANNA", True),
            ("STRAUß^ANNA", "STRAU???^ANNA", False),
            ("STRAUß^ANNA", "strauss*", True),
            ("STRAUSS^ANNA", "strauß^anna", True),
            ("ﬁSCHER", "?SCHER", True),
            ("İPEK", "?pek", True),
            ("DOE^JANE", "doe^jane", True),
            ("DOE^JANE", "DOE*", True),
            ("DOE^JANE", "*JANE*", True),
            ("DOE^JANE", "DOE^J?NE", True),
            ("DOE^JANE", "DOE^J?", False),
            ("DOE^JANE^^", "DOE^JANE", True),
            ("DOE^JANE", "DOE^JANE^A", False),
            ("MÜLLER^JÖRG", "muller^jorg", True),
            ("MULLER^JORG", "Müller^Jörg", True),
            ("Διονυσιος", "διον*", True),
            ("Διονύσιος", "διονυσιοσ", True),
            ("Yamada^Tarou=山田^太郎=やまだ^たろう", "やまだ*", True),
            ("Yamada^Tarou=山田^太郎=やまだ^たろう", "yamada*", True),
            ("Yamada^Tarou=山田^太郎=やまだ^たろう", "*太郎*たろう*", False),
            ("Yamada^Tarou=山田^太郎", "=山田^太郎", True),
            ("Yamada^Tarou=山田^太郎", "*=山田*", True),
            ("Yamada^Tarou=山田^太郎", "Yamada^Tarou=山田^太郎=", True),
            ("Yamada^Tarou=山田^太郎", "Yamada^Tarou=太郎", False),
            ("Yamada^Tarou=山田^太郎", "==たろう", False),
            ("Yamada^Tarou", "=山田*", False),
            ("が", "か", False),
            ("JONES^MARY", "*JONES, M*", True),
            ("A\\DOE^JANE", "DOE^JANE", True),
            (None, "DOE*", False),
        ),
        *rows(
            "SeriesNumber",  # IS
            (2, "2", True),
            (2, "02", True),
            (2, "+2", True),
            ("2 ", "2", True),
            (2, "3", False),
            (20, "2", False),
            (-1, "-1", True),
            ("x", "2", False),
            (None, "2", False),
        ),
        *rows(
            "SeriesInstanceUID",  # UI
            ("1.2.3", "1.2.33", False),
            ("1.2.3", "1.1,1.2.3", True),
            ("1.2.3", "1.1\\1.2.3", True),
            ("1.2.3", "1.1,1.2", False),
        ),
        *rows(
            "StudyDate",  # DA
            ("20200101", "20200101", True),
            ("20200101 ", "20200101", True),
            ("20200101", "20200102", False),
            ("20200101", "20200101-20200101", True),
            ("20200101", "20191231-20200102", True),
            ("20200101", "20200102-20200103", False),
            ("20200101", "20191230-20191231", False),
            ("20200101", "20200101-", True),
            ("20200101", "20200102-", False),
            ("20200101", "-20200101", True),
            ("20200101", "-20191231", False),
            ("2020.01.01", "20200101", False),
            ("20200230", "20200101-20201231", False),
            ("unknown", "-20300101", False),
            (None, "-20300101", False),
            ("20240229", "20240229", True),
        ),
        *rows(
            "StudyTime",  # TM
            ("101500", "101500", True),
            ("101500", "1015", True),
            ("101500", "10", True),
            ("105959", "10", True),
            ("10", "1000", True),
            ("10", "1001", False),
            ("101500.5", "101500", True),
            ("101500.5", "101500.50", True),
            ("101500.5", "101500.51", False),
            ("101500", "1000-1100", True),
            ("110059", "1000-1100", True),
            ("110100", "1000-1100", False),
            ("095959.999999", "10-11", False),
            ("101500", "1015-", True),
            ("101500", "-1014", False),
            ("10:15:00", "1015", True),
            ("noon", "12", False),
        ),
    ],
)  # fmt: skip
def test_matches(keyword: str, stored: Any, key: str, expected: bool) -> None:
    """A stored attribute matches a key as its VR has it."""
    assert expected == matches({keyword: stored}, **{keyword: key})


@pytest.mark.parametrize(
    ("day", "time", "days", "times", "expected"),
    [
        pytest.param("20200101", "1000", "20200101-20200103", "10-12", True, id="at its beginning"),
        pytest.param("20200101", "0959", "20200101-20200103", "10-12", False, id="just before"),
        pytest.param("20200102", "2300", "20200101-20200103", "10-12", True, id="a day within"),
        pytest.param("20200103", "125959", "20200101-20200103", "10-12", True, id="at its end"),
        pytest.param("20200103", "1300", "20200101-20200103", "10-12", False, id="just after"),
        pytest.param("20200101", None, "20200101-20200103", "10-12", True, id="no time, first"),
        pytest.param("20200103", None, "20200101-20200103", "10-12", True, id="no time, last"),
        pytest.param("20200104", None, "20200101-20200103", "10-12", False, id="no time, after"),
        pytest.param("20191231", None, "20200101-20200103", "10-12", False, id="no time, before"),
        pytest.param(None, "1000", "20200101-20200103", "10-12", False, id="no date"),
        pytest.param("20200103", "1000", "20200101-", "10-", True, id="from"),
        pytest.param("20200101", "0959", "20200101-", "10-", False, id="from, just before"),
        pytest.param("20200101", "1059", "-20200101", "-10", True, id="until"),
        pytest.param("20200101", "1100", "-20200101", "-10", False, id="until, just after"),
        pytest.param("20200102", "0900", "20200101-", "-10", True, id="other forms, each alone"),
        pytest.param("20200102", "1200", "20200101-", "-10", False, id="other forms, time fails"),
        pytest.param("20200101", None, "20200101", "10-12", False, id="each alone, no time"),
        pytest.param("20200102", "noon", "20200101-20200103", "10-12", True, id="unreadable time"),
    ],
)  # fmt: skip
def test_date_and_time(
    day: str | None, time: str | None, days: str, times: str, expected: bool
) -> None:
    """Ranges over date and time together; a date without a time is its whole day."""
    stored = {"StudyDate": day, "StudyTime": time}
    assert expected == matches(stored, StudyDate=days, StudyTime=times)


def test_all_criteria_hold() -> None:
    """Keys are joined by AND."""
    stored = {"PatientID": "PAT1", "PatientSex": "F"}
    assert matches(stored, PatientID="PAT1", PatientSex="F")
    assert not matches(stored, PatientID="PAT1", PatientSex="M")


@pytest.mark.parametrize(
    ("text", "plain"),
    [("ÄÖÜ", "aou"), ("ß", "ss"), ("Ångström", "angstrom"), ("Ζωή", "ζωη"), ("Й", "и"),
     ("が", "が"), ("각", "각"), ("ΣΑΣ", "σασ")],
)  # fmt: skip
def test_fold(text: str, plain: str) -> None:
    """Case and Latin, Greek and Cyrillic accents go; the marks of other scripts stay."""
    assert plain == fold(text)
