"""OHIF's study list in a browser: each filter, judged by the rows and by the raw answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.browser.chromium import Chromium
from tests.browser.ohif import StudyList, keys, query, study_uids
from tests.browser.shown import COLUMNS, Row, row_of
from tests.e2e.bundled import Study
from tests.e2e.running import Running

Archive = Mapping[str, Study]


@pytest.fixture(scope="module")
def opened(browser: Chromium, demo: Running) -> StudyList:
    """The list of the demo's own viewer, loaded once."""
    opened = StudyList(browser, f"{demo.url.removesuffix('/dicom-web')}/ohif")
    opened.open()
    return opened


@pytest.fixture
def studies(opened: StudyList, rows: Sequence[Row]) -> StudyList:
    """The list without filters; loaded anew where a test that failed has left it otherwise."""
    opened.reset()
    try:
        opened.expect(rows)
    except AssertionError:
        opened.open()
        opened.expect(rows)
    return opened


@pytest.fixture(scope="module")
def rows(archive: Archive) -> Sequence[Row]:
    """What it has to show."""
    return [row_of(study) for study in archive.values()]


def test_rows(studies: StudyList, archive: Archive, rows: Sequence[Row]) -> None:
    """Every imported study has its row, each cell with what the files say."""
    assert sorted(rows) == sorted(studies.rows())
    answer = studies.search({})
    assert set(archive) == study_uids(answer)
    assert (200, "application/dicom+json") == (answer.status, answer.headers["content-type"])


def test_newest_first(studies: StudyList, archive: Archive) -> None:
    """OHIF puts the newest study first, and finds that the answer has that order already."""
    by_uid = {uid: row_of(study) for uid, study in archive.items()}
    answered = [one for one in studies.search({}).json if _has_date(one)]
    dates = [by_uid[one["0020000D"]["Value"][0]][2] for one in answered]
    assert dates == [date for date in studies.column("Study Date") if date in dates]


def _has_date(study: Mapping[str, Any]) -> bool:
    # A date in dots is none for the gateway, but one for OHIF
    return "".join(study["00080020"].get("Value", [])).isdigit()


# --- filters --------------------------------------------------------------------------------------

Matches = Callable[[Study], bool]


@dataclass(frozen=True)
class Filter:
    """Texts put into the filters, the matching keys that OHIF makes of them, and what they find."""

    typed: Mapping[str, str]
    asked: Mapping[str, str]
    answered: Matches
    shown: Matches | None = field(default=None)
    """Where the browser hides some of what was answered."""


def name_has(part: str) -> Matches:
    """The name has this part in one of its scripts, in any case; carets part its components."""
    return lambda study: any(part.casefold() in name.casefold() for name in study.name.values())


def has(keyword: str, part: str) -> Matches:
    """The attribute has this part; all text but names is matched as it stands."""
    return lambda study: part in "".join(study.texts[keyword])


def one_of(*modalities: str) -> Matches:
    """The study has a series of one of the modalities."""
    return lambda study: not set(modalities).isdisjoint(study.modalities)


def dated(first: str, last: str) -> Matches:
    """The study's date is a date, and between the two."""
    return lambda study: any(
        first <= date <= last for date in study.texts["StudyDate"] if date.isdigit()
    )


def nothing(_: Study) -> bool:
    """No study."""
    return False


FILTERS: Mapping[str, Filter] = {
    "name, small letters": Filter({"Patient": "doe"}, {"PatientName": "*doe*"}, name_has("Doe")),
    "name, capitals": Filter({"Patient": "DOE"}, {"PatientName": "*DOE*"}, name_has("Doe")),
    "name as it is shown": Filter(
        {"Patient": "DOE, PET"}, {"PatientName": "*DOE, PET*"}, name_has("Doe^Pet")
    ),
    "name with a caret": Filter(
        {"Patient": "doe^p"}, {"PatientName": "*doe^p*"}, name_has("Doe^P"), nothing
    ),
    "name without its accents": Filter(
        {"Patient": "garcia"}, {"PatientName": "*garcia*"}, name_has("García"), nothing
    ),
    "name in ideographs": Filter(
        {"Patient": "山田"}, {"PatientName": "*山田*"}, name_has("山田"), nothing
    ),
    "name in Cyrillic": Filter(
        {"Patient": "иванова, м"}, {"PatientName": "*иванова, м*"}, name_has("Иванова^М")
    ),
    "name in Hangul": Filter({"Patient": "김희"}, {"PatientName": "*김희*"}, name_has("김희")),
    "name in Arabic": Filter({"Patient": "قباني"}, {"PatientName": "*قباني*"}, name_has("قباني")),
    "name that nobody has": Filter({"Patient": "zzz"}, {"PatientName": "*zzz*"}, nothing),
    "MRN": Filter({"MRN": "8890"}, {"00100020": "*8890*"}, has("PatientID", "8890")),
    "MRN, in another case": Filter({"MRN": "scs"}, {"00100020": "*scs*"}, nothing),
    "accession": Filter(
        {"Accession": "0805"}, {"AccessionNumber": "*0805*"}, has("AccessionNumber", "0805")
    ),
    "description": Filter(
        {"Description": "Brain"}, {"StudyDescription": "*Brain*"}, has("StudyDescription", "Brain")
    ),
    "description with signs": Filter(
        {"Description": "T, HEAD/B"},
        {"StudyDescription": "*T, HEAD/B*"},
        has("StudyDescription", "T, HEAD/B"),
    ),
    "one modality": Filter({"Modalities": "MR"}, {"ModalitiesInStudy": "MR"}, one_of("MR")),
    "two modalities": Filter(
        {"Modalities": "CT,PT"}, {"ModalitiesInStudy": "CT,PT"}, one_of("CT", "PT")
    ),
    "both dates": Filter(
        {"Start": "2003-05-05", "End": "2004-08-26"},
        {"StudyDate": "20030505-20040826"},
        dated("20030505", "20040826"),
    ),
    "end date only": Filter(
        {"End": "1999-12-31"}, {"StudyDate": "19700102-19991231"}, dated("19700102", "19991231")
    ),
    "three filters": Filter(
        {"Patient": "doe", "MRN": "98", "Modalities": "MR"},
        {"PatientName": "*doe*", "00100020": "*98*", "ModalitiesInStudy": "MR"},
        lambda study: name_has("Doe")(study) and one_of("MR")(study),
    ),
}


@pytest.mark.parametrize("one", FILTERS.values(), ids=FILTERS)
def test_filter(studies: StudyList, archive: Archive, one: Filter) -> None:
    """The answer has just the studies that match, and so has the screen."""
    before = len(studies.searches())
    studies.fill(one.typed)
    answer = studies.search(one.asked, before)
    assert found(archive, one.answered) == study_uids(answer)
    studies.expect(rows_where(archive, one.shown or one.answered))


def found(archive: Archive, matches: Matches) -> set[str]:
    """The UIDs of the studies that match."""
    return {uid for uid, study in archive.items() if matches(study)}


def rows_where(archive: Archive, matches: Matches) -> list[Row]:
    """The rows of the studies that match."""
    return [row_of(study) for study in archive.values() if matches(study)]


def test_bookmark(studies: StudyList, archive: Archive) -> None:
    """An address with filters in it asks for them."""
    studies.open("?modalities=CT,MR")
    answer = studies.search({"ModalitiesInStudy": "CT,MR"})
    assert found(archive, one_of("CT", "MR")) == study_uids(answer)
    studies.expect(rows_where(archive, one_of("CT", "MR")))


def test_start_date_only(studies: StudyList, archive: Archive) -> None:
    """OHIF takes today for the end."""
    before = len(studies.searches())
    days = {_today()}
    studies.fill({"Start": "2011-06-17"})
    answer = studies.next_search(before)
    days.add(_today())
    assert keys(answer) in [{"StudyDate": f"20110617-{day}"} for day in days]
    assert found(archive, dated("20110617", "99991231")) == study_uids(answer)
    studies.expect(rows_where(archive, dated("20110617", "99991231")))


def _today() -> str:
    return datetime.now(UTC).strftime("%Y%m%d")


# --- more that a user does ------------------------------------------------------------------------


@pytest.mark.parametrize("delay_ms", [600, 5], ids=["slowly", "quickly"])
def test_typing(studies: StudyList, archive: Archive, delay_ms: int) -> None:
    """Each pause asks; every answer is that of its question, and the last one is shown."""
    before = len(studies.searches())
    studies.type("Patient", "doe, p", delay_ms)
    studies.search({"PatientName": "*doe, p*"}, before)
    studies.expect(rows_where(archive, name_has("Doe^P")))
    answers = studies.searches()[before:]
    assert (len(answers) > 3) == (delay_ms == 600)
    for answer in answers:
        typed = keys(answer)["PatientName"].strip("*")
        assert found(archive, name_has(typed.replace(", ", "^"))) == study_uids(answer)


@pytest.mark.parametrize("column", COLUMNS)
def test_sort(studies: StudyList, rows: Sequence[Row], column: str) -> None:
    """A column sorts both ways. For most clicks OHIF asks the same again, and gets the same."""
    first = studies.search({})
    before = len(studies.searches())
    studies.sort(column, "ascending")
    studies.expect(rows)
    ascending = studies.column(column)
    studies.sort(column, "descending")
    studies.expect(rows)
    descending = studies.column(column)
    assert [_collated(text) for text in ascending[::-1]] == [_collated(text) for text in descending]
    assert ascending != descending
    for again in studies.searches()[before:]:
        assert {} == keys(again)
        assert (first.body, first.headers["etag"]) == (again.body, again.headers["etag"])
    studies.sort("Study Date", "ascending")
    studies.sort("Study Date", "descending")


def _collated(text: str) -> str:
    # What OHIF sorts as equal keeps its order both ways: letters in any case, numbers with zeros
    return re.sub(r"0+(?=\d)", "", text).casefold()


def test_pages(studies: StudyList, rows: Sequence[Row]) -> None:
    """Pages are made in the browser, of one answer."""
    shown, before = studies.rows(), len(studies.searches())
    studies.expect_page(f"1-{len(rows)} of {len(rows)}")
    studies.rows_a_page(25)
    studies.expect(shown[:25])
    studies.expect_page(f"1-25 of {len(rows)}")
    studies.next_page()
    studies.expect(shown[25:50])
    assert before == len(studies.searches())
    studies.rows_a_page(100)
    studies.expect(rows)


def test_reset(studies: StudyList, archive: Archive, rows: Sequence[Row]) -> None:
    """The filters are empty again, and the whole list is there."""
    before = len(studies.searches())
    studies.fill({"Patient": "doe", "MRN": "98", "Start": "2003-01-01"})
    studies.expect([row for row in rows_where(archive, name_has("Doe^Peter")) if "2003" in row[2]])
    studies.next_search(before)  # OHIF asks nothing where a reset comes before its question
    before = len(studies.searches())
    studies.reset()
    studies.expect(rows)
    assert set(archive) == study_uids(studies.search({}, before))


def _series_of(study: Study) -> list[Row]:
    return [
        [f"{one.modality} {one.description}".strip(), str(len(one.instances))]
        for one in study.series.values()
    ]


@pytest.mark.parametrize("accession", ["A250912-01", "A221130-01", "A250219-01", "1"])
def test_series_of_a_row(studies: StudyList, archive: Archive, accession: str) -> None:
    """A click on a study shows its series."""
    (study,) = [one for one in archive.values() if [accession] == one.texts["AccessionNumber"]]
    studies.select(row_of(study))
    studies.expect_series(_series_of(study))
    (asked,) = studies.asked(f"/studies/{study.uid}/series")
    assert {"includefield": "0008103E,00080021"} == query(asked)
    assert set(study.series) == {one["0020000E"]["Value"][0] for one in asked.json}
