"""Frames a second that pass through: the gateway, and a bare signing proxy.

The emulator is asked for each frame once; from then on nginx gives its answer again, so that the
upstream is never what both wait for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.asking import Client
from bench.fetching import answers_a_second
from bench.keeping import kept
from bench.picturing import Series, write_series
from bench.processes import Bench, Served, cpu_s
from bench.table import RETRIEVING, UNLIMITED, Line, Pair, Row, Run

CLIENTS = 16
INSTANCES = 64
SIZE = 512
WARM_S, SECONDS = 1.0, 5.0
ACCEPT = "multipart/related; type=application/octet-stream; transfer-syntax=*"
"""OHIF's."""
SETTINGS = {**UNLIMITED, **RETRIEVING}


def _check(server: Served, series: Series) -> None:
    """That the pixels come as they are in the file."""
    client = Client(server.url, ACCEPT)
    body = client.found(series.frames[0]).body
    client.close()
    if series.pixels(0) not in body:
        raise RuntimeError("not the pixels of the file")


def _rate(server: Served, series: Series) -> tuple[float, float]:
    """Frames a second, and the milliseconds of CPU that the server has used for one."""
    before = cpu_s(server.pid)
    found = answers_a_second(server.url, series.frames, ACCEPT, CLIENTS, WARM_S, SECONDS)
    return found, (cpu_s(server.pid) - before) * 1000 / (found * (WARM_S + SECONDS))


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    def run(_: int) -> tuple[Pair]:
        with bench.gateway(upstream, SETTINGS) as gateway:
            _check(gateway, series)
            ours, cost = _rate(gateway, series)
        with bench.proxy(upstream) as proxy:
            _check(proxy, series)
            other, others_cost = _rate(proxy, series)
        note = f"{cost:.2f} ms of CPU a frame, the proxy {others_cost:.2f}"
        return (Pair(ours, other, note),)

    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        series = write_series(Path(name) / "files", INSTANCES, SIZE)
        with (
            bench.imported(series.path) as emulator,
            kept(Path(name) / "nginx", emulator.url, "/frames/") as address,
        ):
            upstream = Served(address, emulator.pid)
            yield run


ROW = Row(
    "frames",
    (Line("frames of 512×512 16-bit a second, 16 at once", "bare signing proxy", "/s", 0.8, "≥"),),
    _open,
    settings=SETTINGS,
    load="the emulator's frames kept by nginx",
)
