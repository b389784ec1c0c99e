"""What a row is, and its figures as a table on the terminal, as JSON and as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from bench.processes import Bench, lacking

UNLIMITED = {"QUOTA_CALLS_PER_S": "1000000", "QUOTA_BURST": "1000000"}
"""The gateway's own quota, switched off."""
RETRIEVING = {
    f"RETRIEVE_{name}": "1000000"
    for name in ("CALLS_PER_S", "BURST", "FRAMES_PER_S", "FRAMES_BURST")
}
"""The same of what is retrieved."""
NO_BUDGET = {"SCAN_BUDGET_CALLS": "1000000", "SCAN_BUDGET_S": "3600", "MAX_RESULTS": "1000000"}
"""A search may cost what it does."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One run's figures; `note` says what else was seen.

    `valid` is false where something else went wrong, so that the figures alone would deceive.
    """

    ours: float
    other: float
    note: str = ""
    valid: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: what is compared, by which unit, and what is to be reached.

    `by` is the ratio of ours to the other, or ours less the other.
    """

    what: str
    other: str
    unit: str
    limit: float
    sign: Literal["≤", "≥"] = "≤"
    by: Literal["ratio", "difference"] = "ratio"

    def compared(self, ours: float, other: float) -> float:
        """The ratio or the difference."""
        if self.by == "difference":
            return ours - other
        return ours / other if other else float("inf")

    def reached(self, compared: float) -> bool:
        """Whether it is as it is to be."""
        return compared <= self.limit if self.sign == "≤" else compared >= self.limit


Run = Callable[[int], Sequence[Pair]]
"""One run of both sides, told its number: a pair for each line."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured together; `open` starts what its runs share."""

    key: str
    lines: tuple[Line, ...]
    open: Callable[[Bench], AbstractContextManager[Run]]
    runs: int = 5
    settings: Mapping[str, str] = field(default_factory=dict)
    load: str = ""
    """The emulator's latency and limits."""


def measured(
    row: Row, bench: Bench, runs: int, told: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The figures of a row's lines, medians of so many runs; `error` where it could not be run."""
    found: list[Sequence[Pair]] = []
    error = ""
    try:
        with row.open(bench) as run:
            for number in range(runs):
                told(f"{row.key}: run {number + 1} of {runs}")
                found.append(run(number))
    except Exception as exc:  # one row's fault must not cost the others' figures
        error = f"{type(exc).__name__}: {exc}"
    return [_figures(row, at, found, error) for at in range(len(row.lines))]


def _figures(row: Row, at: int, found: Sequence[Sequence[Pair]], error: str) -> dict[str, Any]:
    line = row.lines[at]
    figures: dict[str, Any] = {
        "row": row.key,
        "what": line.what,
        "other_is": line.other,
        "unit": line.unit,
        "to_reach": f"{line.by} {line.sign} {line.limit:g}",
        "settings": dict(row.settings),
        "lacking": lacking(row.settings),
        "load": row.load,
        "runs": len(found),
    }
    if error:
        return {**figures, "error": error}
    pairs = [pairs[at] for pairs in found]
    ours = statistics.median(pair.ours for pair in pairs)
    other = statistics.median(pair.other for pair in pairs)
    compared = line.compared(ours, other)
    return {
        **figures,
        "ours": ours,
        "other": other,
        line.by: compared,
        "reached": line.reached(compared) and all(pair.valid for pair in pairs),
        "all_ours": [pair.ours for pair in pairs],
        "all_other": [pair.other for pair in pairs],
        "note": pairs[-1].note,
    }


def number(value: float) -> str:
    """A figure with three digits or more."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def cells(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """What, ours, the other, ratio or difference, to reach, reached, runs."""
    what, other, unit = figures["what"], figures["other_is"], figures["unit"]
    reach = figures["to_reach"].partition(" ")[2]
    if "error" in figures:
        return (what, "—", other, "—", reach, "not measured", str(figures["runs"]))
    is_ratio = "ratio" in figures
    compared = number(figures["ratio"]) if is_ratio else f"{figures['difference']:+.3g}"
    return (
        what,
        f"{number(figures['ours'])} {unit}".strip(),
        f"{number(figures['other'])} {unit}".strip() + f" ({other})",
        compared if is_ratio else f"{compared} {unit}".strip(),
        reach if is_ratio else f"{reach} {unit}".strip(),
        "yes" if figures["reached"] else "no",
        str(figures["runs"]),
    )


HEAD = ("What", "Gateway", "Other", "Ratio", "To reach", "Reached", "Runs")


def settings_of(figures: Mapping[str, Any]) -> str:
    """Load and settings of a row, as the reader would give them; "" for the defaults."""
    told = [figures["load"]] if figures["load"] else []
    told += [f"{name}={value}" for name, value in figures["settings"].items()]
    if figures["lacking"]:
        told.append(f"without {', '.join(figures['lacking'])}: no such setting")
    return ", ".join(told)


def show(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the table, and below it the rows' settings and notes."""
    table = Table(*HEAD, show_lines=True)
    for figures in rows:
        style = "red" if not figures.get("reached") else None
        table.add_row(*cells(figures), style=style)
    console.print(table)
    shown = ""
    for figures in rows:
        settings = settings_of(figures) if figures["row"] != shown else ""
        shown = figures["row"]
        notes = (figures.get("note", ""), figures.get("error", ""), settings)
        told = "; ".join(note for note in notes if note)
        if told:
            console.print(f"{figures['what']}: {told}", markup=False, highlight=False)


def markdown(found: Mapping[str, Any]) -> str:
    """The README's table, and the line above it that says when, where and of what."""
    lines = [
        f"{found['date']}, {found['machine']}; {found['image_sets']:,} image sets of "
        f"{found['studies']:,} studies. Medians of alternating runs.",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + "---|" * len(HEAD),
    ]
    lines += ["| " + " | ".join(cells(figures)) + " |" for figures in found["rows"]]
    lines += ["", "| Row | Load and settings |", "|---|---|"]
    shown = ""
    for figures in found["rows"]:
        if figures["row"] != shown and (told := settings_of(figures)):
            lines.append(f"| {figures['what']} | {told} |")
        shown = figures["row"]
    return "\n".join(lines) + "\n"
