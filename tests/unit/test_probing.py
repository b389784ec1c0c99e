"""What the probe makes of image sets, and of answers that say nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest

from gateway.errors import UpstreamThrottledError, UpstreamValidationError
from gateway.probing import answering, comparing, legality, ordering
from gateway.probing.lab import DATE_KEY, THROTTLED_TRIES, UNKNOWN, Finding, Lab, equal
from gateway.probing.sampling import Sample, find_base, take_sample
from gateway.probing.tokens import tokens
from gateway.probing.values import date_of, legacy_date_of, moment_of, pattern, patterns

FALLING, RISING = (DATE_KEY, "DESC"), (DATE_KEY, "ASC")


def image_set(number: int = 1, study: str = "1.2", **tags: str) -> dict[str, Any]:
    """A summary as it comes."""
    return {
        "imageSetId": f"{number:032x}",
        "createdAt": float(number),
        "updatedAt": float(number),
        "DICOMTags": {"DICOMStudyInstanceUID": study, **tags},
    }


def at(date: str | None, time: str | None = None, study: str = "1.2") -> dict[str, Any]:
    """A summary of that study date and time."""
    tags = {"DICOMStudyDate": date, "DICOMStudyTime": time}
    return image_set(1, study, **{k: v for k, v in tags.items() if v is not None})


class Upstream:
    """Answers each call with the next of its answers, the last one again and again."""

    def __init__(self, *answers: Mapping[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []

    async def search(self, criteria: Mapping[str, Any], _: int, __: str) -> Mapping[str, Any]:
        """SearchImageSets."""
        self.asked.append(criteria)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def _no_pause(_: float) -> None:
    return None


def lab(*answers: Mapping[str, Any] | Exception, max_calls: int = 200) -> Lab:
    """A lab before such an upstream."""
    return Lab(Upstream(*answers), max_calls, _no_pause, lambda: 0.0)


def page(*image_sets: Mapping[str, Any], token: str = "") -> dict[str, Any]:
    """An answer."""
    more = {"nextToken": token} if token else {}
    return {"imageSetsMetadataSummaries": list(image_sets), **more}


def sample(
    falling: Sequence[Mapping[str, Any]] = (), rising: Sequence[Mapping[str, Any]] = (), **more: Any
) -> Sample:
    """A sample of these walks by study date."""
    one = Sample(**more)
    for sort, walk in ((FALLING, falling), (RISING, rising)):
        one.walks[sort] = walk
        one.image_sets |= {f"{len(one.image_sets) + n}": x for n, x in enumerate(walk)}
    return one


REFUSED = UpstreamValidationError("refused")


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        pytest.param("PAT0012", "AAA9999", id="letters and digits"),
        pytest.param("doe^Jane", "aaa^Aaaa", id="both cases"),
        pytest.param("山田^é", "xx^x", id="other letters"),
        pytest.param("a b-c.d_e", "a a-a.a_a", id="signs stay"),
        pytest.param("٣²", "99", id="digits of other scripts"),
        pytest.param("\u200b☃", "xx", id="other signs"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_patterns_hold_no_value(value: str, shape: str) -> None:
    """A pattern keeps the kind of each character, and no letter or digit."""
    assert shape == pattern(value)


def test_the_most_frequent_patterns_are_told() -> None:
    """Shares are of all values; what is missing counts as none."""
    values = ["AB"] * 5 + ["1"] * 3 + [""] * 2
    assert "AA 50%, 9 30%, none 20%" == patterns(values)
    assert "" == patterns([])


@pytest.mark.parametrize(
    ("date", "time", "day", "moment"),
    [
        pytest.param("20200229", "101530", True, True, id="date and time"),
        pytest.param("20200229", "101530.25", True, True, id="a fraction"),
        pytest.param("20200229", "1015", True, False, id="no seconds"),
        pytest.param("20200229", "246060", True, False, id="no such time"),
        pytest.param("20200229", None, True, False, id="no time"),
        pytest.param("20210229", "101530", False, False, id="no such day"),
        pytest.param("2020.02.29", "101530", False, False, id="the old form"),
        pytest.param("00010101", "101530", False, False, id="too near to the calendar's end"),
        pytest.param(None, None, False, False, id="nothing"),
    ],
)
def test_moments(date: str | None, time: str | None, day: bool, moment: bool) -> None:
    """What is used for a bound is a real date, and a time to the second."""
    one = at(date, time)
    assert (day, moment) == (date_of(one) is not None, moment_of(one) is not None)


@pytest.mark.parametrize(
    ("date", "found"),
    [("2020.02.29", True), ("2021.02.29", False), ("20200229", False), (None, False)],
    ids=["the old form", "no such day", "the new form", "nothing"],
)
def test_legacy_dates(date: str | None, found: bool) -> None:
    """Only a real date in the old form is one."""
    assert found == (legacy_date_of(at(date)) is not None)


DAY = "20200105"


@pytest.mark.parametrize(
    ("walk", "position"),
    [
        pytest.param([at(DAY), at(DAY, "101010")], "missing-first", id="before"),
        pytest.param([at(DAY, "101010"), at(DAY)], "midnight", id="after"),
        pytest.param([at(DAY), at("20200104", "101010")], UNKNOWN, id="of another day"),
        pytest.param([at(DAY), at(DAY, "000000")], UNKNOWN, id="beside midnight"),
        pytest.param([at(DAY), at(DAY, "1010")], UNKNOWN, id="beside a time that is not plain"),
        pytest.param([at(DAY, "2"), at(DAY, "101010"), at(DAY)], "midnight", id="an odd time"),
        pytest.param(
            [at(DAY), at(DAY, "101010"), at("20200104", "101010"), at("20200104")],
            UNKNOWN,
            id="both",
        ),
        pytest.param([], UNKNOWN, id="nothing"),
    ],
)
async def test_missing_times(walk: list[Any], position: str) -> None:
    """Where a missing time stands is told by a day that has one with a time too."""
    found = await ordering.missing_times(lab(REFUSED), sample(walk))
    assert position == found.position


@pytest.mark.parametrize(
    ("falling", "rising", "position"),
    [
        pytest.param([at(None)], [at(None)], "first", id="first"),
        pytest.param([at(None)], [at(DAY)], "largest", id="largest"),
        pytest.param([at(DAY)], [at(None)], "smallest", id="smallest"),
        pytest.param([at(DAY), at(None)], [at(DAY)], "last", id="last"),
        pytest.param([at("2020.01.05"), at(None)], [at(DAY)], "largest", id="after odd dates"),
        pytest.param([at(DAY)], [at(DAY)], UNKNOWN, id="none without a date"),
        pytest.param([at("odd"), at(None)], [at("odd"), at(DAY)], "largest", id="odd ones first"),
        pytest.param([at("odd")], [at(None)], "smallest", id="odd ones only"),
        pytest.param([], [], UNKNOWN, id="no such sort"),
    ],
)
async def test_undated(falling: list[Any], rising: list[Any], position: str) -> None:
    """Both directions together tell where image sets without a date stand."""
    found = await ordering.undated(lab(REFUSED), sample(falling, rising))
    assert position == found.position


def same_moment(*studies: str) -> list[dict[str, Any]]:
    """Image sets of these studies, all of one moment."""
    return [at(DAY, "101010", study) for study in studies]


@pytest.mark.parametrize(
    ("walk", "position"),
    [
        pytest.param(same_moment("1", "2", "1"), "shuffled", id="a study in two parts"),
        pytest.param(same_moment(*"1111222233334444"), "grouped", id="studies, each together"),
        pytest.param(same_moment(*"1122"), UNKNOWN, id="too few to be no accident"),
        pytest.param(same_moment(*"123456789"), UNKNOWN, id="one image set each"),
        pytest.param(same_moment(*"111111111"), UNKNOWN, id="one study"),
    ],
)
async def test_ties(walk: list[Any], position: str) -> None:
    """Equals that mix their studies are shuffled; enough that don't are grouped."""
    found = await ordering.ties(lab(REFUSED), sample(walk))
    assert position == found.position


async def test_ties_are_asked_for() -> None:
    """Moments that studies share are searched on purpose."""
    apart = [at(DAY, "101010", "1"), at(DAY, "111111", "3"), at(DAY, "101010", "2")]
    found = await ordering.ties(lab(page(*same_moment(*"11222133"))), sample(apart))
    assert "shuffled" == found.position


Experiment = Callable[[Lab, Sample], Awaitable[Finding]]


@pytest.mark.parametrize(
    ("experiment", "answers", "position"),
    [
        pytest.param(legality.sort_with_filter, [REFUSED], UNKNOWN, id="dates are refused"),
        pytest.param(legality.sort_with_filter, [page(), REFUSED], "rejected", id="their sort"),
        pytest.param(legality.pairs, [page(), page()], "any", id="pairs"),
        pytest.param(legality.pairs, [REFUSED, page()], UNKNOWN, id="only the other pair"),
        pytest.param(legality.two_equals, [page()], "allowed", id="two EQUALs"),
        pytest.param(legality.primary_filter, [REFUSED], "rejected", id="no isPrimary"),
        pytest.param(answering.empty_list, [REFUSED], UNKNOWN, id="a UID is refused"),
        pytest.param(answering.empty_list, [{}], "absent", id="no list"),
        pytest.param(answering.counts, [REFUSED], UNKNOWN, id="counts: refused"),
        pytest.param(answering.counts, [page(token="t")], UNKNOWN, id="counts: too long"),
        pytest.param(answering.undated_between, [REFUSED], UNKNOWN, id="undated: refused"),
        pytest.param(
            answering.undated_between, [REFUSED, page(at(None))], "found", id="undated: all dates"
        ),
        pytest.param(comparing.bounds, [REFUSED], UNKNOWN, id="bounds: refused"),
        pytest.param(comparing.legacy_dates, [REFUSED], UNKNOWN, id="legacy: refused"),
        pytest.param(comparing.case, [REFUSED], UNKNOWN, id="case: refused"),
        pytest.param(comparing.padding, [REFUSED], UNKNOWN, id="padding: refused"),
    ],
)
async def test_answers_that_say_nothing(
    experiment: Experiment, answers: list[Any], position: str
) -> None:
    """What is refused or too long to read leaves an experiment without a finding."""
    met = [
        image_set(
            n,
            DICOMSeriesInstanceUID=f"1.2.{n}",
            DICOMPatientId="PAT",
            **({} if n == 3 else {"DICOMStudyDate": date, "DICOMStudyTime": "101010"}),
        )
        for n, date in ((1, DAY), (2, "2020.01.05"), (3, ""))
    ]
    one = Sample()
    one.add(met)
    found = await experiment(lab(*answers), one)
    assert position == found.position


@pytest.mark.parametrize(
    ("bounds", "found", "position"),
    [
        (comparing.INCLUSIVE, True, "parsed"),
        (comparing.INCLUSIVE, False, "text"),
        (comparing.LOWER, True, "parsed"),
        (comparing.EXCLUSIVE, True, "text"),
        (comparing.EXCLUSIVE, False, "parsed"),
        (comparing.UPPER, True, UNKNOWN),
        (UNKNOWN, True, UNKNOWN),
    ],
)
async def test_the_spelling_of_a_time(bounds: str, found: bool, position: str) -> None:
    """What a respelled bound finds means something else with other bounds."""
    one = image_set(DICOMStudyDate=DAY, DICOMStudyTime="101010")
    met = Sample(bounds=bounds)
    met.add([one])
    answer = page(one) if found else page()
    assert position == (await comparing.time_spelling(lab(answer), met)).position


@pytest.mark.parametrize(
    ("answers", "position"),
    [
        pytest.param([True, True, True], "inclusive", id="both"),
        pytest.param([True, False, False], "exclusive", id="neither"),
        pytest.param([True, True, False], comparing.LOWER, id="the lower one"),
        pytest.param([True, False, True], comparing.UPPER, id="the upper one"),
        pytest.param([False], UNKNOWN, id="not found at all"),
    ],
)
async def test_bounds(answers: list[bool], position: str) -> None:
    """Each bound is asked for alone, and what is found is kept for other experiments."""
    one = image_set(DICOMStudyDate=DAY, DICOMStudyTime="101010")
    met = Sample()
    met.add([one])
    found = await comparing.bounds(lab(*(page(one) if a else page() for a in answers)), met)
    assert (position, position) == (found.position, met.bounds)


async def test_without_a_filter_or_by_creation() -> None:
    """Where neither is answered, nothing is known and the sample is empty."""
    asked, met = lab(REFUSED), Sample()
    assert UNKNOWN == (await find_base(asked)).position
    await take_sample(asked, met)
    assert () == met.all
    assert UNKNOWN == (await answering.primary_marks(asked, met)).position


async def test_a_throttled_store_is_asked_again_so_often() -> None:
    """A quota that stays used up ends the probe with its own error."""
    asked = lab(UpstreamThrottledError("throttled"))
    with pytest.raises(UpstreamThrottledError):
        await asked.ask(equal("DICOMPatientId", "PAT"))
    assert (THROTTLED_TRIES, THROTTLED_TRIES) == (asked.calls, asked.throttled)


NEWER = [image_set(n) for n in range(9, 0, -1)]


@pytest.mark.parametrize(
    ("answers", "positions"),
    [
        pytest.param([REFUSED], (UNKNOWN, UNKNOWN, UNKNOWN), id="creation is no sort"),
        pytest.param([page(*NEWER)], (UNKNOWN, UNKNOWN, UNKNOWN), id="one page"),
        pytest.param(
            [page(*NEWER[:5], token="t"), page(*NEWER), REFUSED],
            (UNKNOWN, UNKNOWN, UNKNOWN),
            id="no range of creation",
        ),
        pytest.param(
            [page(*NEWER[:5], token="t"), page(*NEWER), page(NEWER[0], token="u"),
             page(NEWER[6]), REFUSED, page(NEWER[7])],
            (UNKNOWN, "refused", "any criteria"),
            id="a token is good once, for anything",
        ),
        pytest.param(
            [page(*NEWER[:5], token="t"), page(*NEWER), page(NEWER[0], token="u"),
             page(NEWER[6]), page(NEWER[7]), REFUSED],
            (UNKNOWN, "another page", "its own criteria"),
            id="a token leads on",
        ),
        pytest.param(
            [page(*NEWER[:5], token="t"), page(*NEWER), page(NEWER[0], token="u"),
             page(NEWER[6]), page(NEWER[6]), REFUSED, page(image_set(99)), REFUSED],
            (UNKNOWN, "same page", "its own criteria"),
            id="a token dies of arrivals",
        ),
        pytest.param(
            [page(*NEWER[:5], token="t"), page(*NEWER), page(NEWER[0], token="u"),
             page(NEWER[6]), page(NEWER[6]), REFUSED, page(image_set(99)),
             page(NEWER[6]), page(NEWER[5], token="v")],
            (UNKNOWN, "same page", "its own criteria"),
            id="too many on the way",
        ),
    ],
)  # fmt: skip
async def test_tokens(answers: list[Any], positions: tuple[str, str, str]) -> None:
    """What a token is good for is told even where it is not known what it stands for."""
    found = await tokens(lab(*answers), 6.0)
    assert positions == tuple(one.position for one in found)
