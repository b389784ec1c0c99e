"""Answers a second to 16 clients that ask the same worklist: the gateway, warm, and Orthanc."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.asking import Client, together
from bench.importing import write_files
from bench.processes import Bench, seeded
from bench.table import Line, Pair, Row, Run
from tests.differential.servers import missing, orthanc

STUDIES = 2_000
"""Of both sides: to load all into Orthanc would take an hour."""
CLIENTS = 16
WARM_S = 1.0
SECONDS = 5.0
LIMIT = 101


def _answers_a_second(url: str) -> float:
    """How many whole answers of so many studies come, after a second of warming up."""
    answered = 0
    lock = threading.Lock()
    started = time.perf_counter()

    def ask() -> None:
        nonlocal answered
        client = Client(url)
        while (now := time.perf_counter() - started) < WARM_S + SECONDS:
            answer = client.found(f"/studies?limit={LIMIT}")
            if answer.body.count(b'"0020000D"') != LIMIT:
                raise RuntimeError("not as many studies as were asked for")
            if now >= WARM_S:
                with lock:
                    answered += 1
        client.close()

    together([ask] * CLIENTS)
    return answered / (time.perf_counter() - started - WARM_S)


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    if why := missing():
        raise RuntimeError(why)
    studies = min(STUDIES, bench.archive.studies)

    def run(_: int) -> tuple[Pair]:
        ours = _answers_a_second(gateway.url)
        other = _answers_a_second(f"{server.url}/dicom-web")
        return (Pair(ours, other, f"{studies:,} studies on both sides"),)

    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        folder, files = Path(name), Path(name) / "files"
        files.mkdir()
        data = seeded(studies, bench.data.parent, bench.folder)
        with (
            orthanc(folder, list(write_files(studies, files))) as server,
            bench.emulator(data=data) as emulator,
            bench.gateway(emulator, {}) as gateway,
        ):
            yield run


ROW = Row(
    "orthanc",
    (Line("worklists of 101 studies a second, 16 clients", "Orthanc", "/s", 25, "≥"),),
    _open,
)
