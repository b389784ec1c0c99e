"""CPU of a page: the gateway that streams studies, and a bare paginator that only counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.archive import PAGE
from bench.asking import Client
from bench.processes import BY_DATE, Bench, Served, calls, cpu_s
from bench.table import NO_BUDGET, UNLIMITED, Line, Pair, Row, Run

PAGES = 400
RUNS = 25  # a machine that others use too has taken 1.9 to 4.1 ms for the same page
SETTINGS = {**UNLIMITED, **NO_BUDGET}


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    pages = min(PAGES, bench.archive.size // PAGE)
    results = round(pages * PAGE * bench.archive.studies / bench.archive.size)

    def run(_: int) -> tuple[Pair]:
        with bench.gateway(emulator, SETTINGS) as gateway:
            ours_s, fetched = _ours(gateway, emulator, results)
        with bench.paginator(emulator) as paginator:
            pid = paginator.process.pid
            before = cpu_s(pid)
            walked = paginator.walk(BY_DATE, pages)["pages"]
            other_s = cpu_s(pid) - before
        note = f"{fetched} pages, the paginator {walked}"
        return (Pair(ours_s / fetched * 1000, other_s / walked * 1000, note),)

    with bench.emulator() as emulator:
        yield run


def _ours(gateway: Served, emulator: Served, results: int) -> tuple[float, int]:
    client = Client(gateway.url)
    before, called = cpu_s(gateway.pid), calls(emulator)
    client.found(f"/studies?limit={results}")
    used_s, fetched = cpu_s(gateway.pid) - before, calls(emulator) - called
    client.close()
    return used_s, fetched


ROW = Row(
    "cpu",
    (Line("CPU of a page, `/studies` streamed", "bare paginator", "ms", 0.5),),
    _open,
    runs=RUNS,
    settings=SETTINGS,
)
