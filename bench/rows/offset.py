"""The calls of a client that pages by offset, and those of one serial walk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from bench.asking import Client
from bench.processes import Bench, calls
from bench.table import UNLIMITED, Line, Pair, Row, Run

RESULTS = 10_000
LIMIT = 100


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    results = min(RESULTS, len(bench.archive.dated) // LIMIT * LIMIT)
    serial = bench.archive.calls_for(results)

    def run(_: int) -> tuple[Pair]:
        with bench.gateway(emulator, UNLIMITED) as gateway:
            client = Client(gateway.url)
            called = calls(emulator)
            found = 0
            for offset in range(0, results, LIMIT):
                answer = client.found(f"/studies?limit={LIMIT}&offset={offset}")
                found += len(json.loads(answer.body))
            client.close()
            called = calls(emulator) - called
        return (Pair(called, serial, f"{found:,} studies"),)

    with bench.emulator() as emulator:
        yield run


ROW = Row(
    "offset",
    (Line("calls for 10,000 studies, 100 at a time", "pages of one serial walk", "calls", 1.05),),
    _open,
    settings=UNLIMITED,
)
