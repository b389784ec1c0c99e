"""A hundred thousand image sets beside a million: calls, p50 and the gateway's peak memory.

`python bench/scale.py [SMALL LARGE]` starts an emulator and a gateway for each size, asks each the
same questions in turns, and prints one table.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from archive import summaries, write

RUNS = 21
QUESTIONS = (
    "studies?StudyInstanceUID=1.2.826.0.1.777",
    "studies?limit=100",
    "studies?AccessionNumber=ACC4242",
    "studies?StudyDate=20200101-20200103",
    "studies?limit=1000",
)


@dataclass
class Side:
    """One size under test."""

    size: int
    url: str
    upstream: str
    gateway_pid: int
    seeded_per_s: float
    times_ms: dict[str, list[float]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def ask(self, question: str) -> None:
        """Ask once, and note what it took."""
        before = self._served()
        started = time.perf_counter()
        with urllib.request.urlopen(f"{self.url}/{question}") as answer:
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


def needed(size: int, limit: int) -> int:
    """The calls that the study window of the last study of a worklist needs.

    A study is sure once the walk is an hour past it: every image set until then, and one more.
    """
    instants = {}
    sets: list[float] = []
    for summary in summaries(size):
        tags = summary["DICOMTags"]
        if "DICOMStudyDate" in tags:
            text = tags["DICOMStudyDate"] + tags["DICOMStudyTime"]
            instant = datetime.strptime(text, "%Y%m%d%H%M%S").timestamp()
            instants[tags["DICOMStudyInstanceUID"]] = instant
            sets.append(instant)
    edge = sorted(instants.values(), reverse=True)[limit - 1] - 3600
    return math.ceil((sum(instant > edge for instant in sets) + 1) / 50)


def start(stack: ExitStack, size: int, folder: Path) -> Side:
    """An emulator of `size` image sets, and a gateway on it."""
    seed = folder / f"{size}.ndjson"
    write(size, seed)
    started = time.perf_counter()
    _, emulator = _run(stack, {}, "emulator", "--port", "0", "--seed", str(seed))
    seeded_per_s = size / (time.perf_counter() - started)
    upstream, datastore_id = emulator[1], emulator[3]
    environment = {
        "QIDO_GATEWAY_DATASTORE_ID": datastore_id,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_MEDICAL_IMAGING": upstream,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
    }
    pid, gateway = _run(stack, environment, "serve", "--port", "0")
    return Side(size, gateway[1], upstream, pid, seeded_per_s)


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
            print(f"\n{side.size:,} image sets, seeded at {side.seeded_per_s:,.0f} a second")
            for question in QUESTIONS:
                p50 = statistics.median(side.times_ms[question])
                asked = question.rpartition("limit=")[2]
                bound = f" of {needed(side.size, int(asked))}" if asked.isdecimal() else ""
                calls = f"{side.calls[question]}{bound} calls"
                print(f"  {question:42} {calls:>14}  p50 {p50:8.1f} ms")
            print(f"  peak memory of the gateway {side.peak_mib():.1f} MiB")
        ratio = sides[-1].peak_mib() / sides[0].peak_mib()
        print(f"\npeak memory, {sizes[-1]:,} against {sizes[0]:,}: {ratio:.3f}")


if __name__ == "__main__":
    main()
