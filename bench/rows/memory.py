"""Resident memory while the whole store is streamed to a client that reads slowly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.asking import NDJSON, Client
from bench.processes import Bench, Peak, Served, resident_mib
from bench.table import NO_BUDGET, UNLIMITED, Line, Pair, Row, Run

SECONDS = 60
WARM_UP = 100
RECEIVE_BYTES = 128 * 1024
"""Small beside what is read, yet more than a packet of the loopback, or the two wait for timers."""
SETTINGS = {**UNLIMITED, **NO_BUDGET, "MAX_RESULTS": "100000"}


def _read_slowly(gateway: Served, bytes_a_second: float) -> tuple[int, float]:
    """Read all studies at that pace; how many, and the seconds that it took."""
    client = Client(gateway.url, NDJSON, receive_bytes=RECEIVE_BYTES)
    started = time.perf_counter()
    read = lines = 0
    last = b""
    for chunk in client.streamed("/studies?limit=100000"):
        read += len(chunk)
        lines += chunk.count(b"\n")
        last = (last + chunk)[-200:]
        time.sleep(max(0.0, started + read / bytes_a_second - time.perf_counter()))
    client.close()
    if b'"complete":true' not in last:
        raise RuntimeError("the stream was cut")
    return lines - 1, time.perf_counter() - started


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    def run(_: int) -> tuple[Pair]:
        with bench.gateway(emulator, SETTINGS) as gateway:
            client = Client(gateway.url, NDJSON)
            warm_up = client.found(f"/studies?limit={WARM_UP}")
            client.close()
            idle = resident_mib(gateway.pid)
            total = len(warm_up.body) / WARM_UP * bench.archive.studies
            with Peak(gateway.pid) as peak:
                studies, took_s = _read_slowly(gateway, total / SECONDS)
        return (Pair(peak.mib, idle, f"{studies:,} studies in {took_s:.0f} s"),)

    with bench.emulator() as emulator:
        yield run


ROW = Row(
    "memory",
    (
        Line(
            "peak memory, all image sets streamed to a slow client",
            "idle after a search",
            "MiB",
            40,
            by="difference",
        ),
    ),
    _open,
    settings=SETTINGS,
)
