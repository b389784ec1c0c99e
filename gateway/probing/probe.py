"""The probe: every experiment in turn, within a budget of calls, and what follows from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from gateway.probing import answering, comparing, legality, ordering
from gateway.probing.lab import UNKNOWN, BudgetSpentError, Finding, Lab, Search
from gateway.probing.sampling import Sample, find_base, take_sample
from gateway.probing.tokens import tokens

MAX_CALLS = 200
WAIT_S = 30.0
SPENT = "the calls that the probe may make were used up"

Experiment = Callable[[Lab, Sample], Awaitable[Finding]]

_EXPERIMENTS: Mapping[str, Experiment] = {
    "sort_with_filter": legality.sort_with_filter,
    "pairs": legality.pairs,
    "bounds": comparing.bounds,
    "time_spelling": comparing.time_spelling,
    "legacy_dates": comparing.legacy_dates,
    "case": comparing.case,
    "padding": comparing.padding,
    "undated": ordering.undated,
    "undated_between": answering.undated_between,
    "missing_times": ordering.missing_times,
    "ties": ordering.ties,
    "counts": answering.counts,
    "empty_list": answering.empty_list,
    "two_equals": legality.two_equals,
    "primary_filter": legality.primary_filter,
    "primary_marks": answering.primary_marks,
    "study_agreement": answering.study_agreement,
    "study_times": answering.study_times,
    "date_forms": answering.date_forms,
}


@dataclass(slots=True)
class Report:
    """All findings, how many image sets they rest on, and the calls that were made."""

    findings: dict[str, Finding] = field(default_factory=dict)
    image_sets: int = 0
    calls: int = 0

    def add(self, finding: Finding) -> None:
        """One more finding."""
        self.findings[finding.name] = finding

    def position(self, name: str) -> str:
        """What was found, "unknown" where it was not asked."""
        found = self.findings.get(name)
        return UNKNOWN if found is None else found.position


async def probe(
    search: Search,
    *,
    max_calls: int,
    wait_s: float,
    pause: Callable[[float], Awaitable[None]],
    clock: Callable[[], float],
) -> Report:
    """Ask the data store behind `search`; it is never changed.

    Raises: UpstreamError.
    """
    lab, sample, report = Lab(search, max_calls, pause, clock), Sample(), Report()
    began = clock()
    await _try(report, "unfiltered", find_base(lab))
    with suppress(BudgetSpentError):
        await take_sample(lab, sample)
    for name, experiment in _EXPERIMENTS.items():
        await _try(report, name, experiment(lab, sample))
    try:
        for finding in await tokens(lab, wait_s):
            report.add(finding)
    except BudgetSpentError:
        report.add(Finding("tokens", UNKNOWN, SPENT))
    report.add(await answering.pages(lab, sample))
    report.add(_times(report))
    seconds = clock() - began
    quota = f"{lab.calls} calls in {seconds:.0f} s, {lab.throttled} of them throttled"
    report.add(Finding("quota", "throttled" if lab.throttled else "not reached", quota))
    report.calls, report.image_sets = lab.calls, len(sample.image_sets)
    return report


async def _try(report: Report, name: str, asked: Awaitable[Finding]) -> None:
    try:
        report.add(await asked)
    except BudgetSpentError:
        report.add(Finding(name, UNKNOWN, SPENT))


def _times(report: Report) -> Finding:
    """How times are compared, of how one is spelled and where missing ones stand."""
    spelling, missing = report.findings["time_spelling"], report.findings["missing_times"]
    told = f"{spelling.evidence}; {missing.evidence}"
    if spelling.position == "text":
        return Finding("times", "text", spelling.evidence)
    if spelling.position == "parsed" and missing.is_known:
        position = "missing-first" if missing.position == "missing-first" else "parsed"
        return Finding("times", position, told)
    return Finding("times", UNKNOWN, told)


def settings(report: Report) -> Iterator[str]:
    """Lines of a configuration file for a store like this, each with its reason."""
    chosen: Sequence[tuple[str, str, Mapping[str, Any]]] = (
        ("equal_padding", "padding", {"trimmed": "trimmed", "kept": "both"}),
        ("counts", "counts", {"image-set": "image-set", "study": "study"}),
        ("study_window", "study_times", {"agree": "hour", "some differ": "day"}),
    )
    for setting, name, values in chosen:
        position = report.position(name)
        if position in values:
            yield f'{setting} = "{values[position]}"  # {name}: {position}'
        else:
            yield f"# {setting}: {name} is unknown, so the default stays"
    unmarked = report.position("primary_marks") == "some missing"
    trusted = not (unmarked and report.position("study_agreement") == "some differ")
    reason = "study_agreement" if not trusted else "primary_marks"
    told = f"  # {reason}: {report.position(reason)}"
    yield f"trust_unmarked = {'true' if trusted else 'false'}{told}"
