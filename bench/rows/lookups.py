"""Point lookups beside a scan of the whole store, and the same lookups alone."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from bench.asking import NDJSON, Client, together
from bench.processes import Bench, Served
from bench.table import NO_BUDGET, Line, Pair, Row, Run

CLIENTS = 50
SECONDS = 12
DRAIN_S = 4
"""The 50 clients use up the burst at once; what is measured begins after this."""
REFUSED_S = 30.0
"""What a refused lookup counts: as long as a request may take."""
RATE, BURST = 25, 50
LATENCY_MS = 80
SETTINGS = {"QUOTA_CALLS_PER_S": str(RATE), "QUOTA_BURST": str(BURST), **NO_BUDGET}


class _Lookups:
    """Clients that look up one study after the other, each another one, until the time is over."""

    def __init__(self, gateway: Served, uids: Iterator[str]) -> None:
        self._gateway = gateway
        self._uids = uids
        self._lock = threading.Lock()
        self.took_s: list[float] = []
        self.refused = 0

    def run(self) -> float:
        """The 99th percentile of the answers' times."""
        self._started = time.perf_counter()
        together([self._client] * CLIENTS)
        return sorted(self.took_s)[math.ceil(len(self.took_s) * 0.99) - 1]

    def _client(self) -> None:
        client = Client(self._gateway.url)
        while time.perf_counter() - self._started < DRAIN_S + SECONDS:
            with self._lock:
                uid = next(self._uids)
            answer = client.ask(f"/studies?StudyInstanceUID={uid}")
            if time.perf_counter() - self._started > DRAIN_S:
                refused = answer.status != 200
                with self._lock:
                    self.took_s.append(REFUSED_S if refused else answer.took_s)
                    self.refused += refused
            if answer.status == 503:
                time.sleep(1)  # as Retry-After says, or refusals would be all that there is
        client.close()


class _Scan:
    """A client that reads the whole store, by lines, until it is told to stop."""

    def __init__(self, gateway: Served) -> None:
        self._gateway = gateway
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.studies = 0
        self.ended = ""
        """Why it ended by itself."""

    def __enter__(self) -> _Scan:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        client = Client(self._gateway.url, NDJSON)
        try:
            for chunk in client.streamed("/studies?limit=1000000"):
                self.studies += chunk.count(b"\n")
                if self._stop.is_set():
                    break
            else:
                self.ended = " and came to its end"
        except (HTTPException, OSError, RuntimeError) as exc:
            self.ended = f" and failed: {type(exc).__name__}"
        client.close()


@contextmanager
def _open(bench: Bench) -> Iterator[Run]:
    def uids(number: int) -> Iterator[str]:
        """No two runs share any, so that nothing that is kept can answer."""
        every = bench.archive.uids
        return (every[(i * 7919 + number * 3001) % len(every)] for i in range(len(every)))

    def run(number: int) -> tuple[Pair]:
        with bench.gateway(emulator, SETTINGS) as gateway:
            time.sleep(BURST / RATE)
            beside = _Lookups(gateway, uids(2 * number))
            with _Scan(gateway) as scan:
                beside_s = beside.run()
        with bench.gateway(emulator, SETTINGS) as gateway:
            time.sleep(BURST / RATE)
            alone = _Lookups(gateway, uids(2 * number + 1))
            alone_s = alone.run()
        note = (
            f"{len(beside.took_s)} lookups, {beside.refused} refused; the scan read "
            f"{scan.studies:,} studies{scan.ended}; alone {len(alone.took_s)} lookups, "
            f"{alone.refused} refused"
        )
        valid = not (beside.refused or alone.refused or scan.ended)
        return (Pair(beside_s, alone_s, note, valid=valid),)

    options = ("--latency-ms", str(LATENCY_MS), "--rate", str(RATE), "--burst", str(BURST))
    with bench.emulator(*options) as emulator:
        yield run


ROW = Row(
    "lookups",
    (Line("p99 of 50 clients' lookups beside a full scan", "without the scan", "s", 2),),
    _open,
    settings=SETTINGS,
    load=f"{LATENCY_MS} ms a call, {RATE} calls a second, {BURST} at once",
)
