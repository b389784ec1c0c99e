"""The time of 100 pages in a closed StudyDate range, without a quota and with HealthImaging's."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.archive import PAGE
from bench.asking import Client
from bench.processes import BY_DATE, Bench, Served, calls
from bench.table import UNLIMITED, Line, Pair, Row, Run

IMAGE_SETS = 5_000
LATENCY_MS = 80
RATE, BURST = 25, 50
REFILL_S = BURST / RATE + 0.5
QUOTA_SETTINGS = {"QUOTA_CALLS_PER_S": str(RATE), "QUOTA_BURST": str(BURST)}


def _range(bench: Bench) -> tuple[str, dict[str, Any], int]:
    """The search's target, the paginator's criteria, and the image sets that both find."""
    first, last, found = bench.archive.last_days(min(IMAGE_SETS, bench.archive.size // 2))
    bounds = ((f"{first:%Y%m%d}", "000000"), (f"{last:%Y%m%d}", "235959.999999"))
    values = [
        {"DICOMStudyDateAndTime": {"DICOMStudyDate": d, "DICOMStudyTime": t}} for d, t in bounds
    ]
    criteria = {**BY_DATE, "filters": [{"operator": "BETWEEN", "values": values}]}
    return f"/studies?StudyDate={first:%Y%m%d}-{last:%Y%m%d}&limit=10000", criteria, found


def _ours(gateway: Served, emulator: Served, target: str) -> tuple[float, int]:
    client = Client(gateway.url)
    called = calls(emulator)
    took_s = client.found(target).took_s
    client.close()
    return took_s, calls(emulator) - called


@contextmanager
def _open_wall(bench: Bench) -> Iterator[Run]:
    target, criteria, _ = _range(bench)

    def run(_: int) -> tuple[Pair]:
        with bench.gateway(emulator, UNLIMITED) as gateway:
            ours_s, called = _ours(gateway, emulator, target)
        with bench.paginator(emulator) as paginator:
            walked = paginator.walk(criteria)
        note = f"{called} calls, the paginator {walked['pages']:.0f}"
        return (Pair(ours_s, walked["wall_s"], note),)

    with bench.emulator("--latency-ms", str(LATENCY_MS)) as emulator:
        yield run


@contextmanager
def _open_quota(bench: Bench) -> Iterator[Run]:
    target, _, found = _range(bench)
    serial = math.ceil(found / PAGE)

    def run(_: int) -> tuple[Pair]:
        with bench.gateway(emulator, QUOTA_SETTINGS) as gateway:
            time.sleep(REFILL_S)  # until the account has all of its burst again
            ours_s, called = _ours(gateway, emulator, target)
        allowed_s = max(serial - BURST, 1) / RATE
        return (Pair(ours_s, allowed_s, f"{called} calls, a serial walk {serial}"),)

    options = ("--latency-ms", str(LATENCY_MS), "--rate", str(RATE), "--burst", str(BURST))
    with bench.emulator(*options) as emulator:
        yield run


WALL = Row(
    "wall",
    (Line("100 pages of a StudyDate range", "bare paginator", "s", 0.2),),
    _open_wall,
    settings=UNLIMITED,
    load=f"{LATENCY_MS} ms a call",
)
QUOTA = Row(
    "quota",
    (Line("the same, 25 calls a second", "what the quota allows", "s", 1.25),),
    _open_quota,
    settings=QUOTA_SETTINGS,
    load=f"{LATENCY_MS} ms a call, {RATE} calls a second, {BURST} at once",
)
