"""The first byte of a stream, and the calls that the first study window needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.asking import NDJSON, Client
from bench.processes import BY_DATE, Bench
from bench.table import UNLIMITED, Line, Pair, Row, Run

LATENCY_MS = 80
PAGES = 10
"""Of the other side, whose mean call is what counts."""


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    needed = bench.archive.calls_for(1)

    def run(_: int) -> tuple[Pair]:
        with bench.gateway(emulator, UNLIMITED) as gateway:
            client = Client(gateway.url, NDJSON)
            first_s = client.found("/studies?limit=1000").first_s
            client.close()
        with bench.paginator(emulator) as paginator:
            walked = paginator.walk(BY_DATE, PAGES)
        call_s = walked["wall_s"] / walked["pages"]
        note = f"the first study window needs {needed} calls"
        return (Pair(first_s * 1000, needed * call_s * 1000, note),)

    with bench.emulator("--latency-ms", str(LATENCY_MS)) as emulator:
        yield run


ROW = Row(
    "first",
    (Line("first byte of an NDJSON stream", "calls of the first study window", "ms", 1.2),),
    _open,
    settings=UNLIMITED,
    load=f"{LATENCY_MS} ms a call",
)
