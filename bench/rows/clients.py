"""50 viewers that refresh the same worklist every second while a study arrives."""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.asking import Client, together
from bench.importing import BUCKET, import_study
from bench.processes import Bench, Served, calls
from bench.table import Line, Pair, Row, Run

CLIENTS = 50
SECONDS = 30
ARRIVAL_S = 10
TTL_S = 5
LATENCY_MS = 80
RATE, BURST = 25, 50
TARGET = "/studies?limit=100"
SETTINGS = {
    "QUOTA_CALLS_PER_S": str(RATE),
    "QUOTA_BURST": str(BURST),
    "WALK_TTL_S": str(TTL_S),
}


@dataclass
class Seen:
    """What the clients of a run were answered; times of the same clock as `arrived_s`."""

    answers: int = 0
    refused: int = 0
    asked_s: list[tuple[float, bool]] = field(default_factory=list)
    """When each answer was asked for, and whether the new study is in it."""
    arrived_s: float = math.inf
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stale(self) -> int:
        """Answers that were begun once the study had to be known, and lack it."""
        due = self.arrived_s + TTL_S
        return sum(asked > due and not known for asked, known in self.asked_s)

    def due(self) -> int:
        """Answers that were begun once the study had to be known."""
        return sum(asked > self.arrived_s + TTL_S for asked, _ in self.asked_s)


def _viewer(gateway: Served, number: int, uid: str, started: float, seen: Seen) -> None:
    """Ask once a second; who waits longer for an answer asks the next at once."""
    client = Client(gateway.url)
    begin = started + number / CLIENTS
    for second in range(SECONDS):
        time.sleep(max(0.0, begin + second - time.perf_counter()))
        asked = time.perf_counter()
        if asked >= begin + SECONDS:
            break
        answer = client.ask(TARGET)
        found = answer.status == 200 and b'"0020000D"' in answer.body
        with seen.lock:
            seen.answers += found
            seen.refused += not found
            if found:
                seen.asked_s.append((asked, uid.encode() in answer.body))
    client.close()


def _watched(gateway: Served, emulator: Served, clients: int, bucket: Path, day: int) -> Seen:
    seen = Seen()
    uid = f"1.2.826.0.1.3680043.8.498.99.{day}"
    started = time.perf_counter()

    def arrive() -> None:
        time.sleep(ARRIVAL_S)
        import_study(emulator, bucket, uid, day)
        seen.arrived_s = time.perf_counter()

    viewers = [partial(_viewer, gateway, n, uid, started, seen) for n in range(clients)]
    together([arrive, *viewers])
    return seen


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    pages = bench.archive.calls_for(100)
    allowed = pages * math.ceil(SECONDS / TTL_S)

    def run(number: int) -> tuple[Pair, ...]:
        sides = []
        for clients, day in ((CLIENTS, 2 * number), (1, 2 * number + 1)):
            with bench.gateway(emulator, SETTINGS) as gateway:
                time.sleep(BURST / RATE)
                called = calls(emulator)
                seen = _watched(gateway, emulator, clients, bucket, day)
                sides.append((seen, calls(emulator) - called))
        (many, called), (one, called_alone) = sides
        note = f"alone {called_alone} calls"
        refused = f"{many.refused} refused, alone {one.refused}"
        fresh = bool(many.due()) and not many.stale()
        told = f"in each of {many.due()} answers: {'yes' if fresh else 'no'}"
        return (
            Pair(called, allowed, note),
            Pair(many.answers, one.answers, refused),
            Pair(many.stale(), 0, told, valid=fresh),
        )

    options = ("--latency-ms", str(LATENCY_MS), "--rate", str(RATE), "--burst", str(BURST))
    with bench.copied() as data, tempfile.TemporaryDirectory(dir=bench.folder) as name:
        bucket = Path(name)
        roots = ("--s3-root", f"{BUCKET}={bucket}")
        with bench.emulator(*options, *roots, data=data) as emulator:
            yield run


ROW = Row(
    "clients",
    (
        Line("calls for 50 clients with one worklist, 30 s", "a walk each 5 s", "calls", 1.2),
        Line("their answers", "one client's alone", "answers", 50, "≥"),
        Line(
            "their answers without a study that came 5 s before",
            "none",
            "answers",
            0,
            by="difference",
        ),
    ),
    _open,
    runs=3,
    settings=SETTINGS,
    load=f"{LATENCY_MS} ms a call, {RATE} calls a second, {BURST} at once",
)
