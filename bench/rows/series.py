"""The metadata of a series of 500 instances: by the gateway, and from the upstream itself."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.asking import Answer, Client
from bench.picturing import write_series
from bench.processes import Bench
from bench.signing import signed
from bench.table import RETRIEVING, UNLIMITED, Line, Pair, Row, Run
from tests.e2e.running import DATASTORE_ID

INSTANCES = 500
SIZE = 16
"""Metadata holds no pixels."""
TURNS = 5
"""Answers a run; the quickest counts, since only the first has to find the series."""
LATENCY_MS = 80
ACCEPT = "application/dicom+json"
SETTINGS = {**UNLIMITED, **RETRIEVING}


def _took_s(answer: Answer, number: int) -> float:
    found = len(json.loads(answer.body))
    if found != number:
        raise RuntimeError(f"{found} instances")
    return answer.took_s


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    number = min(INSTANCES, bench.archive.studies)

    def run(_: int) -> tuple[Pair]:
        ours, other = [], []
        with bench.gateway(emulator, SETTINGS) as gateway:
            through = Client(gateway.url, ACCEPT)
            upstream = Client(root)
            target = f"{series.target}/metadata"
            for _ in range(TURNS):
                headers = signed(root + target, ACCEPT)
                ours.append(_took_s(through.found(target), number))
                other.append(_took_s(upstream.found(target, headers), number))
            through.close()
            upstream.close()
        note = f"the first {ours[0] * 1000:.0f} ms, with a search for the series"
        return (Pair(min(ours) * 1000, min(other) * 1000, note),)

    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        series = write_series(Path(name), number, SIZE)
        with bench.imported(series.path, "--latency-ms", str(LATENCY_MS)) as emulator:
            root = f"{emulator.url}/datastore/{DATASTORE_ID}"
            yield run


ROW = Row(
    "series",
    (Line("metadata of a series of 500 instances", "from the upstream itself", "ms", 1.3),),
    _open,
    settings=SETTINGS,
    load=f"{LATENCY_MS} ms a call",
)
