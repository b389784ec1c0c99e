"""Measures the gateway against what it is held to; `make bench` runs it.

`python bench/run.py [ROW …]` seeds an emulator with 20 years of studies, measures the rows (all of
them, or those that are named), prints one table and writes `bench/results.json`. Both sides of a
row are asked by the same client's code against the same emulator, in turns, and each figure is a
median. Rows that were not asked for keep their figures in the file where it is of the same day.

`--list` tells the rows, `--markdown` prints the file as the README's table, `--readme` puts it
there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.archive import indexed
from bench.processes import DATA, Bench, seeded
from bench.rows import ROWS
from bench.table import Row, markdown, measured, show

RESULTS = Path(__file__).with_name("results.json")
STUDIES = 60_000
README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- bench -->", "<!-- end of bench -->"


def main() -> int:
    """Measure and print; 0 where every row that was asked for could be measured."""
    given = _arguments()
    if given.list:
        for row in ROWS:
            for line in row.lines:
                sys.stdout.write(f"{row.key}\t{line.what}\t{line.by} {line.sign} {line.limit:g}\n")
        return 0
    if given.markdown:
        sys.stdout.write(markdown(json.loads(given.out.read_text("utf-8"))))
        return 0
    if given.readme:
        text = README.read_text("utf-8")
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        told = markdown(json.loads(given.out.read_text("utf-8")))
        README.write_text(f"{before}{begin}\n{told}{end}{after}", "utf-8")
        return 0
    chosen = [row for row in ROWS if not given.rows or row.key in given.rows]
    found = _measure(chosen, given)
    given.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    keys = {row.key for row in chosen}
    asked = [figures for figures in found["rows"] if figures["row"] in keys]
    show(asked, Console(width=None if sys.stdout.isatty() else 160))
    sys.stdout.write(f"written: {given.out}\n")
    return int(any("error" in figures for figures in asked))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="some rows only")
    parser.add_argument("--studies", type=int, default=STUDIES, help="of the archive")
    parser.add_argument("--runs", type=int, default=0, help="of each row; 0: each row's own")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the JSON file")
    parser.add_argument("--data", type=Path, default=DATA, help="where seeded archives are kept")
    parser.add_argument("--list", action="store_true", help="tell the rows")
    parser.add_argument("--markdown", action="store_true", help="print the file as Markdown")
    parser.add_argument("--readme", action="store_true", help="put it into the README")
    given = parser.parse_args()
    if unknown := set(given.rows) - {row.key for row in ROWS}:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    return given


def _measure(rows: list[Row], given: argparse.Namespace) -> dict[str, Any]:
    archive = indexed(given.studies)
    results: dict[str, Any] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": _machine(),
        "studies": archive.studies,
        "image_sets": archive.size,
    }
    results["rows"] = _kept(given.out, results)
    with tempfile.TemporaryDirectory(prefix="qido-gateway-bench-") as name:
        folder = Path(name)
        _tell(f"{archive.size:,} image sets of {archive.studies:,} studies")
        bench = Bench(archive, seeded(given.studies, given.data, folder), folder)
        for row in rows:
            started = time.perf_counter()
            figures = measured(row, bench, given.runs or row.runs, _tell)
            took_s = round(time.perf_counter() - started, 1)
            _tell(f"{row.key}: {took_s} s")
            kept = [one for one in results["rows"] if one["row"] != row.key]
            results["rows"] = kept + [{**one, "took_s": took_s} for one in figures]
    order = [row.key for row in ROWS]
    results["rows"].sort(key=lambda one: order.index(one["row"]))
    return results


def _kept(path: Path, results: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures of an earlier run of the same day, machine and archive."""
    if not path.exists():
        return []
    found = json.loads(path.read_text("utf-8"))
    if any(found[name] != value for name, value in results.items()):
        return []
    known = {row.key for row in ROWS}
    return [figures for figures in found["rows"] if figures["row"] in known]


def _machine() -> str:
    """Processor, cores and Python."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
