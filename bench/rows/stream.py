"""Resident memory while a study of 2 GiB streams to a client that discards it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.asking import Client
from bench.picturing import write_large
from bench.processes import Bench, Peak, Served, resident_mib
from bench.table import RETRIEVING, UNLIMITED, Line, Pair, Row, Run

INSTANCES = 64
SIZE = 4096
"""32 MiB each."""
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
SETTINGS = {**UNLIMITED, **RETRIEVING}


def _read(gateway: Served, target: str) -> tuple[int, float]:
    """The bytes of the study, and the seconds that they took."""
    client = Client(gateway.url, ACCEPT)
    started = time.perf_counter()
    read = sum(map(len, client.streamed(target)))
    client.close()
    return read, time.perf_counter() - started


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    number = min(INSTANCES, bench.archive.studies // 40)
    pixels = number * SIZE * SIZE * 2

    def run(_: int) -> tuple[Pair]:
        with bench.gateway(emulator, SETTINGS) as gateway:
            idle = resident_mib(gateway.pid)
            with Peak(gateway.pid) as peak:
                read, took_s = _read(gateway, f"/studies/{series.study_uid}")
        if read < pixels:
            raise RuntimeError(f"{read:,} bytes of {pixels:,}")
        return (
            Pair(
                peak.mib,
                idle,
                f"{read / took_s / 1024**2:,.0f} of {read / 1024**2:,.0f} MiB a second",
            ),
        )

    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        series = write_large(Path(name), number, SIZE)
        with bench.imported(series.path) as emulator:
            yield run


ROW = Row(
    "stream",
    (
        Line(
            "peak memory, a study of 2 GiB streamed",
            "idle after a search",
            "MiB",
            64,
            by="difference",
        ),
    ),
    _open,
    settings=SETTINGS,
)
