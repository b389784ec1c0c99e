"""The explanation: what is pushed down, what is matched here and why, and what it costs."""

from __future__ import annotations

import io

import pytest

from gateway.explain_tree import Happened, show, tree_of, tree_of_run
from gateway.healthimaging import walks
from gateway.qido.attributes import Resource
from gateway.qido.query import parse_query
from gateway.search.cost import PAGE_SIZE, Completed
from gateway.search.explain import Explanation, MatchedFor, PushedFor, Waits, Widened, explain
from gateway.search.plan import CreatedBetween, SearchOptions, Sort
from gateway.search.wording import text_of
from gateway.server.routes import resource_at

STUDIES, STUDY_SERIES, ALL_SERIES = Resource.STUDIES, Resource.STUDY_SERIES, Resource.ALL_SERIES
BOTH = SearchOptions(equal_padding="both")
FILL, ALL = SearchOptions(image_sets="fill"), SearchOptions(image_sets="all")
CAUTIOUS = SearchOptions(trust_unmarked=False)
DAY = SearchOptions(study_window="day")
MAX_CALLS = 400


def explained(
    text: str = "",
    resource: Resource = STUDIES,
    options: SearchOptions | None = None,
    limit: int = 1000,
) -> Explanation:
    """The explanation of a query string; Study's Series are those of 1.2."""
    uid = "1.2" if resource is STUDY_SERIES else None
    query = parse_query(resource, text.encode(), study_uid=uid)
    limit = limit if query.limit is None else min(query.limit, 10_000)
    return explain(query, options or SearchOptions(), limit, MAX_CALLS)


def test_a_page_is_that_of_a_walk() -> None:
    """The cost reckons with the pages that walks ask for."""
    assert walks.PAGE_SIZE == PAGE_SIZE


# --- pushed down ----------------------------------------------------------------------------------

DATES = "BETWEEN DICOMStudyDateAndTime"
STUDY, SERIES = "EQUAL DICOMStudyInstanceUID", "EQUAL DICOMSeriesInstanceUID"
PATIENT, ACCESSION = "EQUAL DICOMPatientId", "EQUAL DICOMAccessionNumber"
WHOLE = (Widened.DAYS, Widened.BOUNDS)
OPEN = (*WHOLE, Widened.OPEN)


@pytest.mark.parametrize(
    ("text", "resource", "options", "expected"),
    [
        pytest.param("", STUDIES, None, [], id="nothing"),
        pytest.param("StudyDate=20200101", STUDIES, None,
                     [("StudyDate", "20200101", DATES, PushedFor.DATES, WHOLE)], id="a day"),
        pytest.param("StudyDate=20200101-20200131", STUDIES, None,
                     [("StudyDate", "20200101 to 20200131", DATES, PushedFor.DATES, WHOLE)],
                     id="days"),
        pytest.param("StudyDate=20200101-", STUDIES, None,
                     [("StudyDate", "from 20200101", DATES, PushedFor.DATES, OPEN)], id="from"),
        pytest.param("StudyDate=-20200101", STUDIES, None,
                     [("StudyDate", "until 20200101", DATES, PushedFor.DATES, OPEN)], id="until"),
        pytest.param("StudyDate=20200101-20200102&StudyTime=0930-10", STUDIES, None,
                     [("StudyDate and StudyTime", "20200101 093000 to 20200102 105959.999999",
                       DATES, PushedFor.DATES, WHOLE)], id="a date with its time"),
        pytest.param("PatientID=PAT1", STUDIES, None,
                     [("PatientID", "PAT1", PATIENT, PushedFor.TEXT, ())], id="a text"),
        pytest.param("PatientID=PAT", STUDIES, BOTH,
                     [("PatientID", "PAT", PATIENT, PushedFor.TEXT, (Widened.SPELLINGS,))],
                     id="both spellings"),
        pytest.param("PatientID=PAT1", STUDIES, BOTH,
                     [("PatientID", "PAT1", PATIENT, PushedFor.TEXT, ())], id="one spelling"),
        pytest.param("PatientID=PAT1&AccessionNumber=A&StudyDate=20200101", STUDIES, None,
                     [("AccessionNumber", "A", ACCESSION, PushedFor.TEXT, ()),
                      ("StudyDate", "20200101", DATES, PushedFor.DATES, WHOLE)], id="a pair"),
        pytest.param("StudyInstanceUID=1.2,1.3", STUDIES, None,
                     [("StudyInstanceUID", "1.2, 1.3", STUDY, PushedFor.STUDY, ())], id="studies"),
        pytest.param("StudyInstanceUID=1.2", STUDY_SERIES, None,
                     [("StudyInstanceUID", "1.2", STUDY, PushedFor.STUDY, ())] * 2,
                     id="in the path and as a key"),
        pytest.param("StudyInstanceUID=1,2,3,4,5,6,7", STUDIES, None,
                     [("StudyInstanceUID", "1, 2, 3, 4, 5 and 2 more", STUDY, PushedFor.STUDY,
                       ())], id="many"),
        pytest.param("SeriesInstanceUID=1.3", STUDY_SERIES, None,
                     [("SeriesInstanceUID", "1.3", SERIES, PushedFor.SERIES, ())],
                     id="a series of its study"),
        pytest.param("SeriesInstanceUID=1.3", ALL_SERIES, None,
                     [("SeriesInstanceUID", "1.3", SERIES, PushedFor.PART, ())], id="a series"),
    ],
)  # fmt: skip
def test_pushed_down(
    text: str, resource: Resource, options: SearchOptions | None, expected: list[object]
) -> None:
    """What filters stand for, what was asked, why, and how they are wider than that."""
    pushed = explained(text, resource, options).pushed
    assert expected == [(p.keyword, p.asked, p.filter, p.why, p.widened) for p in pushed]


# --- matched here ---------------------------------------------------------------------------------

LONG = "A" * 512


@pytest.mark.parametrize(
    ("text", "resource", "expected"),
    [
        pytest.param("PatientName=DOE*", STUDIES,
                     [("PatientName", "DOE*", MatchedFor.NO_FILTER)], id="no filter"),
        pytest.param("PatientBirthDate=19700102", STUDIES,
                     [("PatientBirthDate", "19700102", MatchedFor.NO_FILTER)], id="another date"),
        pytest.param("StudyTime=-10", STUDIES,
                     [("StudyTime", "until 105959.999999", MatchedFor.TIME)], id="a time"),
        pytest.param("StudyTime=101530.5-", STUDIES,
                     [("StudyTime", "from 101530.500000", MatchedFor.TIME)], id="its fraction"),
        pytest.param("ModalitiesInStudy=CT,MR", STUDIES,
                     [("ModalitiesInStudy", "CT, MR", MatchedFor.DERIVED)], id="derived"),
        pytest.param("NumberOfStudyRelatedSeries=2", STUDIES,
                     [("NumberOfStudyRelatedSeries", "2", MatchedFor.DERIVED)], id="a number"),
        pytest.param("PatientID=PAT?", STUDIES,
                     [("PatientID", "PAT?", MatchedFor.WILD_CARD)], id="a wild card"),
        pytest.param("StudyDate=%22%22&StudyID=%22%22&ModalitiesInStudy=%22%22"
                     "&emptyvaluematching=true", STUDIES,
                     [("StudyDate", "no value", MatchedFor.EMPTY),
                      ("StudyID", "no value", MatchedFor.EMPTY),
                      ("ModalitiesInStudy", "no value", MatchedFor.DERIVED)], id="empty values"),
        pytest.param("StudyInstanceUID=%22%22&emptyvaluematching=true", STUDY_SERIES,
                     [("StudyInstanceUID", "no value", MatchedFor.EMPTY)], id="no study"),
        pytest.param("multiplevaluematching=true&ModalitiesInStudy=CT,MR%5CPT", STUDIES,
                     [("ModalitiesInStudy", "CT, MR; and PT", MatchedFor.DERIVED)],
                     id="several values"),
        pytest.param("fuzzymatching=true&PatientName=jane", STUDIES, [("PatientName",
                     "jane, or its words in any order, each as a beginning", MatchedFor.NO_FILTER)],
                     id="fuzzy"),
        pytest.param(f"PatientID={LONG}", STUDIES,
                     [("PatientID", LONG, MatchedFor.TOO_LONG)], id="too long"),
        pytest.param("PatientID=PAT1&AccessionNumber=A&StudyID=1", STUDIES,
                     [("PatientID", "PAT1", MatchedFor.LESS_SELECTIVE),
                      ("StudyID", "1", MatchedFor.LESS_SELECTIVE)], id="less selective"),
        pytest.param("StudyInstanceUID=1.2&StudyDate=20200101&PatientID=PAT1", STUDIES,
                     [("StudyDate", "20200101", MatchedFor.BESIDE_UID),
                      ("PatientID", "PAT1", MatchedFor.BESIDE_UID)], id="beside a UID"),
        pytest.param("SeriesInstanceUID=1.3&PatientID=PAT1", ALL_SERIES,
                     [("PatientID", "PAT1", MatchedFor.BESIDE_UID)], id="beside a series"),
        pytest.param("SeriesInstanceUID=1.3&StudyInstanceUID=1.2", ALL_SERIES,
                     [("SeriesInstanceUID", "1.3", MatchedFor.WHOLE_STUDY)], id="whole study"),
        pytest.param("SeriesInstanceUID=1.3", STUDY_SERIES,
                     [("StudyInstanceUID", "1.2", MatchedFor.LESS_SELECTIVE)],
                     id="the study of a series"),
        pytest.param("StudyInstanceUID=1.4&PatientID=PAT1", STUDY_SERIES,
                     [("StudyInstanceUID", "1.2", MatchedFor.NOTHING),
                      ("StudyInstanceUID", "1.4", MatchedFor.NOTHING),
                      ("PatientID", "PAT1", MatchedFor.NOTHING)], id="nothing in common"),
        pytest.param("SeriesDescription=A*", ALL_SERIES,
                     [("SeriesDescription", "A*", MatchedFor.METADATA)], id="a detail of series"),
        pytest.param("NumberOfSeriesRelatedInstances=3", ALL_SERIES,
                     [("NumberOfSeriesRelatedInstances", "3", MatchedFor.METADATA)],
                     id="a number that summaries do not tell for sure"),
        pytest.param("00400275.00400009=A&00400275.00401001=B?", Resource.ALL_INSTANCES,
                     [("RequestAttributesSequence",
                       "an item with ScheduledProcedureStepID A, RequestedProcedureID B?",
                       MatchedFor.METADATA)], id="a sequence"),
        pytest.param("SliceThickness=2.50&InstanceNumber=07", Resource.ALL_INSTANCES,
                     [("SliceThickness", "2.50", MatchedFor.METADATA),
                      ("InstanceNumber", "7", MatchedFor.METADATA)], id="numbers"),
        pytest.param("AcquisitionDateTime=99991231235959-1400", Resource.ALL_INSTANCES,
                     [("AcquisitionDateTime", "after the year 9999", MatchedFor.METADATA)],
                     id="a moment of the year 10000 in UTC"),
        pytest.param("AcquisitionDateTime=0001%2B1400", Resource.ALL_INSTANCES,
                     [("AcquisitionDateTime", "before the year 1 to 00011231 095959.999999",
                       MatchedFor.METADATA)], id="a year that begins before the year 1 in UTC"),
    ],
)  # fmt: skip
def test_matched_here(text: str, resource: Resource, expected: list[object]) -> None:
    """What has no filter, what was asked, and why."""
    assert expected == [(m.keyword, m.asked, m.why) for m in explained(text, resource).matched]


def test_every_reason_is_given_somewhere() -> None:
    """The tables above hold each reason there is."""
    texts = [
        *("PatientName=A", "StudyTime=10", "ModalitiesInStudy=CT", "PatientID=A*"),
        "StudyDate=%22%22&emptyvaluematching=true",
        *(f"StudyID={LONG}", "PatientID=A&StudyID=B", "StudyInstanceUID=1&PatientID=A"),
    ]
    seen = {m.why for text in texts for m in explained(text).matched}
    seen |= {m.why for m in explained("SeriesInstanceUID=1&StudyInstanceUID=2", ALL_SERIES).matched}
    seen |= {m.why for m in explained("StudyInstanceUID=3", STUDY_SERIES).matched}
    seen |= {m.why for m in explained("SeriesDescription=A", ALL_SERIES).matched}
    assert set(MatchedFor) == seen


def test_ignored_and_returned() -> None:
    """What is not known is told of; what is asked is returned."""
    found = explained("Foo=1&includefield=StudyDescription&ReferringPhysicianName=&PatientSex=")
    assert ("The Foo parameter is not supported for matching here. It has been ignored.",) == (
        found.ignored
    )
    assert ("StudyDescription", "ReferringPhysicianName", "PatientSex") == found.returned


# --- walks ----------------------------------------------------------------------------------------


def test_walks() -> None:
    """A walk has its filters with their values, and its rungs none of them."""
    found = explained("PatientID=PAT1&StudyDate=20200101")
    (lane,) = found.lanes
    dates = "DICOMStudyDateAndTime BETWEEN 20191231 235959 AND 20200102 000000.999999"
    assert ("DICOMPatientId EQUAL PAT1", dates) == lane.filters
    assert Sort.STUDY_DATE is lane.sort
    assert "EQUAL DICOMPatientId STUDY_DATE" == found.rungs[0]
    assert "BETWEEN createdAt DEFAULT" == found.rungs[-1]
    assert not any("PAT1" in rung or "2020" in rung for rung in found.rungs)


def test_a_scan_by_creation_in_words() -> None:
    """The last rung's filter has words too, though no plan begins with it."""
    assert "createdAt BETWEEN 1970 AND 9999" == text_of(CreatedBetween())


def test_nothing_searched_for_is_in_a_repr() -> None:
    """Values are for the tree alone."""
    shown = repr(explained("PatientID=PAT1&PatientName=DOE%5EJANE&StudyDate=20200101"))
    assert not any(value in shown for value in ("PAT1", "JANE", "20200101", "20191231"))


@pytest.mark.parametrize(
    ("text", "resource", "options", "waits", "completed"),
    [
        ("", STUDIES, None, Waits.HOUR, Completed.IN_DOUBT),
        ("", STUDIES, DAY, Waits.DAY, Completed.IN_DOUBT),
        ("", ALL_SERIES, FILL, Waits.HOUR, Completed.SHOWN),
        ("PatientID=PAT", STUDIES, BOTH, Waits.END, Completed.IN_DOUBT),
        ("PatientID=PAT", STUDIES, CAUTIOUS, Waits.HOUR, Completed.SHOWN),
        ("StudyInstanceUID=1.2", STUDIES, ALL, Waits.END, Completed.NONE),
        ("SeriesInstanceUID=1.2", ALL_SERIES, None, Waits.END, Completed.FOUND),
        ("SeriesInstanceUID=1.2", STUDY_SERIES, ALL, Waits.END, Completed.NONE),
        ("orderby=PatientName", STUDIES, None, Waits.END, Completed.IN_DOUBT),
        ("updatedAt=20200101-", STUDIES, None, Waits.END, Completed.FOUND),
        ("updatedAt=20200101-&StudyDate=20200101-", STUDIES, None, Waits.HOUR, Completed.IN_DOUBT),
    ],
)
def test_waits_and_completions(
    text: str, resource: Resource, options: SearchOptions | None, waits: Waits, completed: Completed
) -> None:
    """How long a study waits, and whether it's fetched whole by a search of its own."""
    found = explained(text, resource, options)
    assert (waits, completed) == (found.waits, found.completed)


def test_arrival_is_explained() -> None:
    """A range of arrival is shown with its filter, and why that is wider."""
    found = explained("updatedAt=2024-03-11T15:00:05.5-07:00/..&orderby=-updatedAt,PatientName")
    (pushed,) = found.pushed
    assert ("updatedAt", "from 20240311 220005.500000") == (pushed.keyword, pushed.asked)
    assert ("BETWEEN updatedAt", PushedFor.ARRIVAL) == (pushed.filter, pushed.why)
    assert (Widened.BOUNDS, Widened.OPEN) == pushed.widened
    assert ("updatedAt BETWEEN 20240311 220004 AND 99991231 235959",) == found.lanes[0].filters
    assert ("-updatedAt", "PatientName") == found.order
    beside = explained("updatedAt=20240311&StudyInstanceUID=1.2")
    assert [MatchedFor.DERIVED] == [one.why for one in beside.matched]
    assert "answered by -updatedAt, PatientName; a study waits until everything was read" in _shown(
        found
    )


# --- cost -----------------------------------------------------------------------------------------

UIDS = ",".join(f"1.{n}" for n in range(1, 61))
MANY = ",".join(f"1.{n}" for n in range(1, 402))


@pytest.mark.parametrize(
    ("text", "resource", "options", "least", "full"),
    [
        pytest.param("", STUDIES, None, 1, 20, id="a scan of 1000"),
        pytest.param("limit=50", STUDIES, None, 1, 1, id="one page"),
        pytest.param("limit=51", STUDIES, None, 1, 2, id="two pages"),
        pytest.param("limit=1&offset=50", STUDIES, None, 1, 2, id="an offset"),
        pytest.param("limit=1", ALL_SERIES, None, 1, 1, id="series"),
        pytest.param("PatientID=PAT&limit=1", STUDIES, BOTH, 2, 2, id="two spellings"),
        pytest.param("PatientID=PAT&limit=101", STUDIES, BOTH, 2, 3, id="two spellings, three"),
        pytest.param("StudyInstanceUID=1.2", STUDIES, None, 1, None, id="never 1000 studies"),
        pytest.param("StudyInstanceUID=1.2&limit=1", STUDIES, None, 1, 1, id="a study"),
        pytest.param(f"StudyInstanceUID={UIDS}&limit=60", STUDIES, None, 60, 60, id="60 studies"),
        pytest.param(f"StudyInstanceUID={UIDS}&limit=61", STUDIES, None, 60, None, id="61 of 60"),
        pytest.param("StudyInstanceUID=1.2", ALL_SERIES, None, 1, 20, id="series of a study"),
        pytest.param("", STUDY_SERIES, None, 1, 20, id="a study's series"),
        pytest.param("StudyInstanceUID=1.2", STUDY_SERIES, None, 1, 20, id="said twice"),
        pytest.param("SeriesInstanceUID=1.3,1.4&limit=2", ALL_SERIES, None, 2, 3,
                     id="two series of one study"),
        pytest.param("SeriesInstanceUID=1.3&limit=1", ALL_SERIES, None, 1, 2, id="one series"),
        pytest.param("SeriesInstanceUID=1.3&limit=1", STUDY_SERIES, None, 1, 1, id="alone"),
        # a store may give everything after its first refusals, which needs no completion
        pytest.param("limit=10", STUDIES, FILL, 1, 1, id="fill, a scan"),
        pytest.param("PatientID=P&limit=1", STUDIES, FILL, 1, 2, id="fill, one study"),
        pytest.param("PatientID=P&limit=10", STUDIES, FILL, 1, 3, id="fill, by two refusals"),
        pytest.param("PatientID=P&StudyDate=20200101&limit=10", STUDIES, FILL, 1, 5,
                     id="fill, by four"),
        pytest.param("PatientID=P&limit=10&offset=5", STUDIES,
                     SearchOptions(image_sets="fill", equal_padding="both"), 2, 12,
                     id="fill, those before the offset are only counted"),
        pytest.param("PatientID=P&ModalitiesInStudy=CT&limit=10&offset=5", STUDIES,
                     SearchOptions(image_sets="fill", equal_padding="both"), 2, 17,
                     id="fill, they need to be whole to be counted"),
        pytest.param("PatientID=P&orderby=StudyDate&limit=10&offset=5", STUDIES,
                     SearchOptions(image_sets="fill", equal_padding="both"), 2, 17,
                     id="fill, they need to be whole to be sorted"),
        pytest.param("orderby=PatientName&limit=51", STUDIES, None, 1, 2, id="sorted"),
        pytest.param("updatedAt=20200101-&PatientID=P&limit=10&offset=5", STUDIES, BOTH, 2, 17,
                     id="by arrival, each found is whole"),
        pytest.param("PatientID=P&limit=10&offset=5", ALL_SERIES,
                     SearchOptions(trust_unmarked=False, equal_padding="both"), 2, 3,
                     id="series of perhaps one study"),
    ],
)  # fmt: skip
def test_cost(
    text: str, resource: Resource, options: SearchOptions | None, least: int, full: int | None
) -> None:
    """What every store costs, and what it costs if as many results are found as are asked for."""
    cost = explained(text, resource, options).cost
    assert (least, MAX_CALLS, full) == (cost.least, cost.most, cost.full)


@pytest.mark.parametrize(
    ("text", "resource"), [("limit=0", STUDIES), ("StudyInstanceUID=1.4", STUDY_SERIES)]
)
def test_nothing_is_called(text: str, resource: Resource) -> None:
    """A search that calls nothing says so."""
    cost = explained(text, resource).cost
    assert (0, 0, None) == (cost.least, cost.most, cost.full)
    assert cost.usual[0].startswith("Nothing is called")


@pytest.mark.parametrize(
    ("text", "resource", "options", "words"),
    [
        ("StudyInstanceUID=1.2", STUDIES, None, "where the study has at most 50 image sets"),
        ("StudyInstanceUID=1,2", STUDIES, None, "1 call for each study, one more"),
        ("SeriesInstanceUID=1", ALL_SERIES, None, "where the series has at most 50"),
        ("SeriesInstanceUID=1", ALL_SERIES, None, "of each study that is found"),
        ("StudyDate=20200101-", STUDIES, None, "each 50 image sets of these dates, until 1,000"),
        ("PatientID=A", ALL_SERIES, DAY, "with this PatientID, until 1,000 series are found, and"),
        ("PatientID=A", ALL_SERIES, DAY, "a day of study time past"),
        ("PatientID=A", STUDIES, BOTH, "at least one for each spelling"),
        ("", STUDIES, FILL, "of each study that is shown"),
        ("updatedAt=20200101-", STUDIES, None, "that came in this range: all of them are read"),
        ("updatedAt=20200101-", STUDIES, None, "of each study that is found"),
        ("orderby=PatientID&StudyDate=20200101", STUDIES, None, "of these dates: all of them"),
        ("orderby=PatientID", STUDIES, None, "studies without a date first"),
        ("", STUDIES, None, "image sets are in doubt"),
        ("", STUDIES, None, "studies without a date first"),
        ("StudyDate=20200101-20201231", STUDIES, None, "in windows of days at once"),
        ("PatientName=A", STUDIES, None, "the more are read"),
        ("", STUDIES, None, "whose form the store calls invalid"),
        ("limit=10000&offset=10001", STUDIES, None, "more calls than a request may make"),
        (f"StudyInstanceUID={MANY}", STUDIES, None, "more walks than a request may make"),
    ],
)
def test_what_decides(
    text: str, resource: Resource, options: SearchOptions | None, words: str
) -> None:
    """What decides between the least and the most is said in sentences."""
    usual = " ".join(explained(text, resource, options).cost.usual)

    assert words in usual


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("StudyDate=20200101-", "without a date first"),
        ("StudyDate=20200101-", "windows of days"),
        ("StudyDate=20200101", "windows of days"),
        ("StudyInstanceUID=1.2&StudyDate=20200101-20201231", "windows of days"),
        ("PatientID=A&StudyDate=20200101", "the more are read"),
        ("PatientName=A&orderby=StudyDate", "the more are read"),
        ("StudyInstanceUID=1.2", "of each study"),
        ("", "more calls than"),
    ],
)
def test_what_does_not_decide(text: str, words: str) -> None:
    """Nothing is said of what can't happen."""
    assert words not in " ".join(explained(text).cost.usual)


def test_more_walks_than_calls() -> None:
    """The budget ends such a search: it costs all of it."""
    cost = explained(f"StudyInstanceUID={MANY}").cost
    assert (MAX_CALLS, MAX_CALLS) == (cost.least, cost.most)


# --- the tree -------------------------------------------------------------------------------------


def _shown(found: Explanation) -> str:
    out = io.StringIO()
    show(tree_of(found, "studies"), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("limit=0", "results none"),
        ("limit=10&offset=20", "results 21 to 30"),
        ("", "results 1 to 1,000, since no limit is asked for"),
        ("limit=99999", "results 1 to 10,000, which is the most that is given"),
        ("StudyInstanceUID=1,2,3,4,5", "and 2 more like these"),
        ("StudyInstanceUID=1,2", "2 walks, each read to its end"),
        ("", "no filter; sorted: by DICOMStudyDateAndTime, newest first"),
        ("", "no filter; sorted: the upstream's own"),
        ("PatientName=%1B%5B31m", "PatientName \\x1b[31m:"),
        ("PatientName=[bold]", "PatientName [bold]:"),
    ],
)
def test_tree(text: str, words: str) -> None:
    """The tree has the plan in words; what a terminal would obey is shown as it is."""
    assert words in _shown(explained(text))


def test_tree_is_not_cut() -> None:
    """A line is whole where there is no terminal."""
    assert "B" * 500 in _shown(explained(f"PatientName={'B' * 500}"))


def test_tree_without_walks() -> None:
    """A search that can't match has no walk to show."""
    shown = _shown(explained("StudyInstanceUID=1.4", STUDY_SERIES))
    assert "0 walks" not in shown
    assert "calls: at least 0, at most 0" in shown


def test_tree_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are as long as the terminal is wide."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    show(tree_of(explained(), "studies"), out)
    assert max(map(len, out.getvalue().splitlines())) <= 60


FACTS = {
    "calls": 3, "pages": 2, "image_sets": 70, "results": 60, "hidden": 4, "unusable": 5,
    "rungs": ["DEFAULT", "DEFAULT"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (Happened(FACTS, (), 0.5, ended=True, filled=False),
         "calls: 3, retries included, within the 1 to 400 that were said"),
        (Happened(FACTS, (), 0.5, ended=True, filled=True), "within the 2 to 400"),
        (Happened({**FACTS, "calls": 1}, (), 0.5, ended=True, filled=True),
         "NOT within the 2 to 400"),
        (Happened({**FACTS, "calls": 402}, (), 0.5, ended=True, filled=False), "NOT within"),
        (Happened(FACTS, (), 0.5, ended=False, filled=False), "what happened before it failed"),
        (Happened(FACTS, (), 0.5, ended=True, filled=False),
         "no filter; sorted: the upstream's own: 2 times"),
        (Happened({**FACTS, "rungs": []}, (), 0.5, ended=True, filled=False), "instead: none"),
        (Happened(FACTS, ("There are more.",), 0.5, ended=True, filled=False), "There are more."),
        (Happened(FACTS, (), 0.5, ended=True, filled=False), "seconds: 0.50"),
        (Happened(FACTS, (), 0.5, ended=True, filled=False), "left out as not primary: 4"),
    ],
)  # fmt: skip
def test_tree_of_a_run(happened: Happened, words: str) -> None:
    """What happened, and whether it is what was said."""
    out = io.StringIO()
    show(tree_of_run(happened, explained("limit=60").cost), out)
    assert words in out.getvalue()


def test_a_failure_is_not_judged() -> None:
    """The least is that of an answer, and there was none."""
    out = io.StringIO()
    happened = Happened({**FACTS, "calls": 0}, (), 0.5, ended=False, filled=False)
    show(tree_of_run(happened, explained().cost), out)
    assert "within" not in out.getvalue()


# --- its resource ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/dicom-web/studies", (STUDIES, {})),
        ("/dicom-web/series", (ALL_SERIES, {})),
        ("/dicom-web/studies/1.2/series", (STUDY_SERIES, {"study_uid": "1.2"})),
        ("/dicom-web/instances", (Resource.ALL_INSTANCES, {})),
        ("/dicom-web/studies/1.2/instances", (Resource.STUDY_INSTANCES, {"study_uid": "1.2"})),
        (
            "/dicom-web/studies/1.2/series/1.3/instances",
            (Resource.SERIES_INSTANCES, {"study_uid": "1.2", "series_uid": "1.3"}),
        ),
        ("/dicom-web/studies/1.2", None),
        ("/dicom-web/studies/1.2/series/1.3", None),
        ("/dicom-web//studies/", (STUDIES, {})),
        ("/studies", None),
        ("", None),
    ],
)
def test_resource_at(path: str, expected: object) -> None:
    """A path leads to the resource that the server has there."""
    assert expected == resource_at(path)
