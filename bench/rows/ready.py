"""The time until the gateway is ready, and that of importing aiobotocore."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.processes import Bench
from bench.table import Line, Pair, Row, Run
from tests.e2e.running import credentials, environment, running


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    env = credentials("http://127.0.0.1:1")  # nothing is called before the first search

    def run(_: int) -> tuple[Pair]:
        started = time.perf_counter()
        with running(bench.folder, "serve", "--port", "0", env=env):
            ours_s = time.perf_counter() - started
        started = time.perf_counter()
        command = [sys.executable, "-c", "import aiobotocore.session"]
        subprocess.run(command, env=environment(), check=True)
        return (Pair(ours_s, time.perf_counter() - started),)

    run(-1)  # the first start reads the files from the disk
    yield run


ROW = Row(
    "ready",
    (Line("start until ready", "`import aiobotocore.session`", "s", 3),),
    _open,
    runs=9,
)
