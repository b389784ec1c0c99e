"""A hundred thousand image sets beside a million: calls, p50 and the gateway's peak memory.

`python bench/scale.py [SMALL LARGE]` starts an emulator and a gateway for each size, asks each the
same questions in turns, and prints one table. Sizes are in image sets, of which there will
be about that many: an archive has whole studies.
"""

from __future__ import annotations

import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from gateway.emulator.archive import summaries

IMAGE_SETS_A_STUDY = 2.36
PAGE = 50
RUNS = 21
QUESTIONS = (
    "studies?StudyInstanceUID={DICOMStudyInstanceUID}",
    "studies?limit=100",
    "studies?AccessionNumber={DICOMAccessionNumber}",
    "studies?StudyDate=20200101-20200103",
    "studies?limit=1000",
)


@dataclass
class Archive:
    """A seed file, what the questions name of it, and when its image sets are."""

    path: Path
    middle: dict[str, Any]
    size: int = 0
    dates: list[datetime] = field(default_factory=list)
    """Of each image set with a usable date."""
    studies: dict[str, datetime] = field(default_factory=dict)


@dataclass
class Side:
    """One size under test."""

    archive: Archive
    url: str
    upstream: str
    gateway_pid: int
    seeded_per_s: float
    times_ms: dict[str, list[float]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def ask(self, question: str) -> None:
        """Ask once, and note what it took."""
        path = question.format(**self.archive.middle)
        before = self._served()
        started = time.perf_counter()
        with urllib.request.urlopen(f"{self.url}/{path}") as answer:
            json.load(answer)
        self.times_ms.setdefault(question, []).append((time.perf_counter() - started) * 1000)
        self.calls[question] = self._served() - before

    def peak_mib(self) -> float:
        """The gateway's peak resident memory so far."""
        status = Path(f"/proc/{self.gateway_pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def _served(self) -> int:
        with urllib.request.urlopen(f"{self.upstream}/_emulator/calls") as answer:
            return int(json.load(answer).get("SearchImageSets", 0))


def write(size: int, path: Path) -> Archive:
    """An archive of about so many image sets in a file."""
    studies = max(1, round(size / IMAGE_SETS_A_STUDY))
    archive = Archive(path, {})
    seen = 0
    study = None
    with path.open("wb") as file:
        for summary in summaries(studies):
            file.write(orjson.dumps(summary, option=orjson.OPT_APPEND_NEWLINE))
            archive.size += 1
            tags = summary["DICOMTags"]
            seen += tags["DICOMStudyInstanceUID"] != study
            study = tags["DICOMStudyInstanceUID"]
            if not archive.middle and seen >= studies / 2 and "DICOMAccessionNumber" in tags:
                archive.middle = tags
            if when := moment(tags):
                archive.dates.append(when)
                archive.studies[study] = when
    return archive


def moment(tags: dict[str, Any]) -> datetime | None:
    """When a study was, as the upstream sorts it: of a legacy date nothing is known.

    A time that is missing is midnight, as are the seconds of one that has none.
    """
    text = tags.get("DICOMStudyDate", "")
    if not re.fullmatch("[0-9]{8}", text):
        return None
    whole, _, fraction = tags.get("DICOMStudyTime", "").partition(".")
    return datetime.strptime(text + whole.ljust(6, "0") + fraction.ljust(6, "0"), "%Y%m%d%H%M%S%f")


def needed(archive: Archive, limit: int) -> int:
    """The calls that the study window of the last study of a worklist needs.

    A study is sure once the walk is an hour past it: every image set until then, and one more.
    An archive with fewer dated studies has to be walked to its end.
    """
    newest = sorted(archive.studies.values(), reverse=True)
    if limit > len(newest):
        return math.ceil(archive.size / PAGE)
    edge = newest[limit - 1] - timedelta(hours=1)
    return math.ceil((sum(when > edge for when in archive.dates) + 1) / PAGE)


def start(stack: ExitStack, size: int, folder: Path) -> Side:
    """An emulator of about `size` image sets, and a gateway on it."""
    archive = write(size, folder / f"{size}.ndjson")
    started = time.perf_counter()
    _, emulator = _run(stack, {}, "emulator", "--port", "0", "--seed", str(archive.path))
    seeded_per_s = archive.size / (time.perf_counter() - started)
    upstream, datastore_id = emulator[1], emulator[3]
    environment = {
        "QIDO_GATEWAY_DATASTORE_ID": datastore_id,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_MEDICAL_IMAGING": upstream,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        # Each question for itself, and no waiting for turns
        "QIDO_GATEWAY_WALK_TTL_S": "0",
        "QIDO_GATEWAY_WALK_CONTINUE_S": "0",
        "QIDO_GATEWAY_QUOTA_CALLS_PER_S": "1000000",
        "QIDO_GATEWAY_QUOTA_BURST": "1000000",
    }
    pid, gateway = _run(stack, environment, "serve", "--port", "0")
    return Side(archive, gateway[1], upstream, pid, seeded_per_s)


def _run(stack: ExitStack, environment: dict[str, str], *command: str) -> tuple[int, list[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    assert process.stdout is not None
    return process.pid, process.stdout.readline().split()


def main() -> None:
    """Measure and print."""
    sizes = [int(text) for text in sys.argv[1:]] or [100_000, 1_000_000]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides = [start(stack, size, folder) for size in sizes]
        for _ in range(RUNS):
            for question in QUESTIONS:
                for side in sides:
                    side.ask(question)
        for side in sides:
            print(
                f"\n{side.archive.size:,} image sets, seeded at {side.seeded_per_s:,.0f} a second"
            )
            for question in QUESTIONS:
                p50 = statistics.median(side.times_ms[question])
                asked = question.rpartition("limit=")[2]
                bound = f" of {needed(side.archive, int(asked))}" if asked.isdecimal() else ""
                calls = f"{side.calls[question]}{bound} calls"
                print(f"  {question:54} {calls:>14}  p50 {p50:8.1f} ms")
            print(f"  peak memory of the gateway {side.peak_mib():.1f} MiB")
        small, large = sides[0], sides[-1]
        between = f"{large.archive.size:,} against {small.archive.size:,}"
        print(f"\npeak memory, {between}: {large.peak_mib() / small.peak_mib():.3f}")


if __name__ == "__main__":
    main()
