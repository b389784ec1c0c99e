"""A study opened in OHIF, click to first pixels: by the gateway, and from files by nginx.

nginx keeps what a gateway has answered, OHIF's own files as well, and is alone when it is measured.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.keeping import kept
from bench.picturing import write_series
from bench.processes import Bench
from bench.table import UNLIMITED, Line, Pair, Row, Run
from bench.viewing import browser
from gateway.ohif import cache_folder, fetch
from gateway.server.paths import ROOT

RUNS = 15
"""A browser that draws without a graphics card takes 1.2 to 3 s for the same."""
STUDIES = RUNS + 1
"""One to warm up, and another one a run: neither side has been asked for it by then."""
INSTANCES = 32
SIZE = 512
LATENCY_MS = 20


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    settings = {**UNLIMITED, "OHIF_DIR": str(fetch(cache_folder(os.environ), lambda *_: None))}

    def run(number: int) -> tuple[Pair]:
        patient = series[1 + number % RUNS].patient_id
        took = {}
        for side in (ours, other) if number % 2 else (other, ours):
            took[side] = viewer.open(side, patient)
        return (Pair(took[ours], took[other]),)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=bench.folder)))
        files = folder / "files"
        series = [write_series(files / str(n), INSTANCES, SIZE, n) for n in range(STUDIES)]
        emulator = stack.enter_context(bench.imported(files, "--latency-ms", str(LATENCY_MS)))
        viewer = stack.enter_context(browser(bench.folder))
        with bench.gateway(emulator, settings) as gateway:
            address = gateway.url.removesuffix(ROOT)
            other = f"{stack.enter_context(kept(folder / 'nginx', address, '/'))}/ohif/"
            for one in series:
                viewer.open(other, one.patient_id)
        gateway = stack.enter_context(bench.gateway(emulator, settings))
        ours = f"{gateway.url.removesuffix(ROOT)}/ohif/"
        for side in (ours, other):
            viewer.open(side, series[0].patient_id)
        yield run


ROW = Row(
    "viewer",
    (Line("a study opened in OHIF, click to first pixels", "files, by nginx", "ms", 1.5),),
    _open,
    runs=RUNS,
    settings=UNLIMITED,
    load=f"{LATENCY_MS} ms a call",
)
