"""The probe names what it has not been told: an emulator's position, switch by switch."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gateway.config import Settings
from gateway.emulator.errors import WireError
from gateway.emulator.variants import CHOICES
from gateway.probing.lab import UNKNOWN
from gateway.probing.probe import SPENT, Report, settings
from tests.contract.probed import Probing, archive
from tests.laws.covering import covering_array

LEGAL = {"unfiltered", "sort_with_filter", "empty_list", "primary_filter"}
DEFAULT = {name: choices[0] for name, choices in CHOICES.items()}


@pytest.fixture
def probing(monkeypatch: pytest.MonkeyPatch) -> Probing:
    """A probe that waits for nothing but arrivals."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    return Probing(monkeypatch)


def positions() -> Iterator[Any]:
    """Every two switches in all their choices together; what hides others, also without that."""
    rows = covering_array(CHOICES, 2)
    hidden = [row for row in rows if _hides_sorts(row)]
    for row in (*rows, *({**row, "unfiltered": "allowed"} for row in hidden)):
        yield pytest.param(row, id="-".join(row[name] for name in CHOICES))


def _hides_sorts(position: Mapping[str, str]) -> bool:
    """Whether no search can be sorted by study date, so that nobody can see that order."""
    return (position["unfiltered"], position["sort_with_filter"]) == ("rejected", "rejected")


def named(position: Mapping[str, str]) -> dict[str, str]:
    """The position as far as any search can tell it."""
    hidden = {"undated"} if _hides_sorts(position) else set()
    if hidden and position["times"] != "text":
        hidden.add("times")  # a missing time stands elsewhere only in that order
    return {name: UNKNOWN if name in hidden else position[name] for name in position}


@pytest.mark.parametrize("position", list(positions()))
async def test_names_every_switch(probing: Probing, position: dict[str, str]) -> None:
    """It names the position of every switch that can be seen, in two hundred calls at most."""
    report = await probing.report(position, archive())
    assert named(position) == {name: report.position(name) for name in CHOICES}
    assert report.calls <= 200
    assert report.calls == probing.faults.calls["SearchImageSets"]


def test_the_positions_cover_every_pair() -> None:
    """Any two choices stand together in a position that shows both, but for the two that hide."""
    seen = {
        (one, value, other, row[other])
        for param in positions()
        for row in [named(param.values[0])]
        for one, value in row.items()
        for other in row
    }
    missing = [
        (one, value, other, with_value)
        for one in CHOICES
        for other in CHOICES
        if one != other
        for value in CHOICES[one]
        for with_value in CHOICES[other]
        if (one, value, other, with_value) not in seen
    ]
    hiding = {"unfiltered", "sort_with_filter", "undated", "times"}
    assert {name for one, _, other, _ in missing for name in (one, other)} <= hiding


@pytest.mark.parametrize("max_calls", [20, 45, 70, 95, 130])
async def test_keeps_its_budget(probing: Probing, max_calls: int) -> None:
    """It makes no call more than it may, and says of what it could not ask."""
    report = await probing.report(DEFAULT, archive(), max_calls=max_calls)
    assert report.calls <= max_calls
    assert report.calls == probing.faults.calls["SearchImageSets"]
    wrong = {
        n: report.position(n) for n in CHOICES if report.position(n) not in (UNKNOWN, DEFAULT[n])
    }
    assert {} == wrong
    spent = [one.name for one in report.findings.values() if one.evidence == SPENT]
    assert bool(spent) == (max_calls == 20)


@pytest.mark.parametrize(
    ("image_sets", "known"),
    [
        pytest.param([], LEGAL, id="none"),
        pytest.param(
            [{"DICOMTags": {"DICOMStudyInstanceUID": "1.2"}}],
            LEGAL | {"undated", "undated_between", "primary_marks"},
            id="one without a date",
        ),
    ],
)
async def test_says_what_the_data_cannot_tell(
    probing: Probing, image_sets: list[Mapping[str, Any]], known: set[str]
) -> None:
    """Of a store that holds next to nothing most is unknown, and nothing is wrong."""
    report = await probing.report(DEFAULT, image_sets, wait_s=0)
    found = {one.name for one in report.findings.values() if one.is_known}
    assert known == found - {"date_forms", "quota"}


async def test_without_waiting_tokens_stay_unknown(probing: Probing) -> None:
    """Where it may not wait for arrivals it does not, and says so."""
    report = await probing.report(DEFAULT, archive(), wait_s=0)
    assert (UNKNOWN, 0.0) == (report.position("tokens"), probing.waited)
    assert ("same page", "its own criteria") == (
        report.position("token_reuse"),
        report.position("token_binding"),
    )


async def test_tells_no_value(probing: Probing) -> None:
    """Nothing that is printed holds a value of the store."""
    image_sets = list(archive())
    report = await probing.report({**DEFAULT, "padding": "kept"}, image_sets)
    printed = "\n".join((repr(report), *settings(report)))
    values = {str(v).strip() for one in image_sets for v in one["DICOMTags"].values()}
    values |= {one["imageSetId"] for one in image_sets}
    assert [] == sorted(value for value in values if len(value) > 3 and value in printed)


async def test_waits_where_it_is_throttled(probing: Probing) -> None:
    """A quota that is used up is waited for, counted and told."""
    probing.faults.schedule(WireError("ThrottlingException", 429, "Rate exceeded"), times=7)
    report = await probing.report(DEFAULT, archive())
    assert "throttled" == report.position("quota")
    assert "allowed" == report.position("unfiltered")
    assert report.calls == probing.faults.calls["SearchImageSets"]


@pytest.mark.parametrize(
    ("position", "lines"),
    [
        pytest.param({}, {"equal_padding": "trimmed", "counts": "image-set"}, id="the defaults"),
        pytest.param({"padding": "kept"}, {"equal_padding": "both"}, id="padding that EQUAL sees"),
        pytest.param({"counts": "study"}, {"counts": "study"}, id="counts of the study"),
    ],
)
async def test_settings_follow(
    probing: Probing, position: dict[str, str], lines: dict[str, str]
) -> None:
    """The settings that are printed are TOML, are settings, and suit what was found."""
    report = await probing.report({**DEFAULT, **position}, archive(), wait_s=0)
    given = tomllib.loads("\n".join(settings(report)))
    assert lines == {name: given[name] for name in lines}
    loaded = Settings(datastore_id="0" * 32, region="us-east-1", **given)
    assert given == {name: getattr(loaded, name) for name in given}


def test_settings_of_nothing_are_the_defaults() -> None:
    """What is not known is left to the default, in a comment."""
    lines = list(settings(Report()))
    assert {"trust_unmarked": True} == tomllib.loads("\n".join(lines))
    assert 3 == sum(line.startswith("#") for line in lines)


@pytest.mark.parametrize(
    ("times", "unmarked_patient", "found"),
    [
        pytest.param(("101010", "101010"), "PAT", ("hour", True), id="agreeing"),
        pytest.param(("101010", "111111"), "PAT", ("day", True), id="two times in a study"),
        pytest.param(("101010", "101010"), "ANOTHER", ("hour", False), id="unmarked, two patients"),
    ],
)
async def test_settings_for_studies_at_odds(
    probing: Probing, times: tuple[str, str], unmarked_patient: str, found: tuple[str, bool]
) -> None:
    """Times that differ in a study ask for day windows, unmarked contradictions for no trust."""
    tags = {"DICOMStudyInstanceUID": "1.2", "DICOMStudyDate": "20200101"}
    image_sets = [
        {"DICOMTags": {**tags, "DICOMStudyTime": time, "DICOMPatientId": patient}}
        for time, patient in zip(times, ("PAT", unmarked_patient), strict=True)
    ]
    report = await probing.report(DEFAULT, image_sets, wait_s=0)
    given = tomllib.loads("\n".join(settings(report)))
    assert found == (given["study_window"], given["trust_unmarked"])
