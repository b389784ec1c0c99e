"""How long the event loop stands still while a blob of 50 MB is fetched and read.

`python bench/stall.py [RUNS]` serves two blobs from a process of its own, one of 10,000 instances
and one of a single instance of 40 MB, and fetches each through aiobotocore and the store of
metadata. Beside it a task that does nothing but tick measures the gaps between its ticks, and a
small HTTP server in the same loop is asked one cheap question after the other. Runs with a
fetch, with none, and with a thread that is merely busy alternate. It prints a table, then the
same as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import math
import os
import resource
import statistics
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from gateway.healthimaging.budget import Budget
from gateway.healthimaging.client import HealthImagingClient
from gateway.healthimaging.metadata import MetadataLimits, MetadataStore
from gateway.search.imageset import ImageSet
from gateway.search.upstream import Names

RUNS = 5
INSTANCES = 10_000
TICK_S = 0.001
IDLE_S = 1.0
ROWS = frozenset({"Rows"})


def blob_of_many() -> bytes:
    """50 MB of instances, about 5 KB each."""
    one = {f"Keyword{n:03}": f"{n * 0.123456:.6f} " for n in range(120)}
    frames = [{"ID": "0" * 32, "FrameSizeInBytes": 168_371, "MinPixelValue": 0}]
    found = {}
    for n in range(INSTANCES):
        dicom = {"SOPInstanceUID": f"1.2.840.{n}", "InstanceNumber": f"{n} ", "Rows": 512, **one}
        dicom["ReferencedImageSequence"] = [
            {"ReferencedSOPInstanceUID": f"1.2.{n}.{m}"} for m in range(30)
        ]
        found[f"1.2.840.{n}"] = {"DICOM": dicom, "DICOMVRs": {}, "ImageFrames": frames}
    return document(found)


def blob_of_one() -> bytes:
    """An enhanced multi-frame instance of 40 MB."""
    group = {"PlanePositionSequence": [{"ImagePositionPatient": ["0.000000", "1.5", "-2.625000 "]}]}
    groups = [{**group, "FrameContentSequence": [{"StackID": f"{n}"}]} for n in range(295_000)]
    dicom = {"SOPInstanceUID": "1.2", "Rows": 512, "PerFrameFunctionalGroupsSequence": groups}
    return document({"1.2": {"DICOM": dicom, "DICOMVRs": {}, "ImageFrames": []}})


def document(instances: dict[str, Any]) -> bytes:
    """The text of a blob."""
    series = {"1": {"DICOM": {"SeriesInstanceUID": "1"}, "Instances": instances}}
    study = {"DICOM": {"StudyDate": "20200101"}, "Series": series}
    return json.dumps({"Patient": {"DICOM": {}}, "Study": study}).encode()


BLOBS = {"10,000 instances": blob_of_many, "one of 40 MB": blob_of_one}


def serve(pipe: Connection) -> None:
    """Serve the blobs, gzipped, in the order of BLOBS; say the port and the sizes."""
    texts = [make() for make in BLOBS.values()]
    bodies = [gzip.compress(text, 5) for text in texts]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = bodies[int(self.path.split("/imageSet/")[1][:32])]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send((server.server_port, [len(t) for t in texts], [len(b) for b in bodies]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.recv()


@dataclass
class Measured:
    """One kind of run; times in milliseconds."""

    what: str
    asked: str
    runs: int
    text_mb: float = 0.0
    sent_mb: float = 0.0
    read_ms: float = 0.0
    longest_stall_ms: float = 0.0
    median_longest_stall_ms: float = 0.0
    computing_stall_ms: float = 0.0
    cheap_p50_ms: float = 0.0
    cheap_p99_ms: float = 0.0
    cheap_max_ms: float = 0.0


async def tick(gaps: list[tuple[float, float]]) -> None:
    """Note by how much each tick comes late, and how long the process computed meanwhile, in ms."""
    while True:
        started, worked = time.perf_counter(), time.process_time()
        await asyncio.sleep(TICK_S)
        late = time.perf_counter() - started - TICK_S
        gaps.append((late * 1_000, (time.process_time() - worked) * 1_000))


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server whose answers cost nothing."""
    with suppress(ConnectionResetError):
        while await reader.readline():
            writer.write(b"ok\n")


def be_busy() -> None:
    """What any thread of pure Python costs the event loop, with no long step in it."""
    until = time.perf_counter() + IDLE_S
    while time.perf_counter() < until:
        pass


async def ask(port: int, took: list[float]) -> None:
    """Cheap questions, one after the other, in milliseconds each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        started = time.perf_counter()
        writer.write(b"?\n")
        await reader.readline()
        took.append((time.perf_counter() - started) * 1_000)
        await asyncio.sleep(0.002)


async def run(number: int, names: Names, client: HealthImagingClient | None, port: int) -> Any:
    """One fetch, or a second of none: its time, the gaps, and the cheap answers' times."""
    gaps: list[tuple[float, float]] = []
    took: list[float] = []
    beside = [asyncio.create_task(tick(gaps)), asyncio.create_task(ask(port, took))]
    await asyncio.sleep(0.1)
    gaps.clear()
    took.clear()
    started = time.perf_counter()
    if client is None and names is None:
        await asyncio.to_thread(be_busy)
    elif client is None:
        await asyncio.sleep(IDLE_S)
    else:
        store = MetadataStore(client, MetadataLimits(cache_bytes=0))
        one = ImageSet(f"{number:032}", {"DICOMSeriesInstanceUID": "1"}, 1)
        found = await store.get(one, names, Budget(9, 60, time.monotonic))
        assert found.whole and not found.faults, found.faults
        assert len(found.instances) in (1, INSTANCES)
    read_ms = (time.perf_counter() - started) * 1_000
    await asyncio.sleep(0.05)
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    return read_ms, gaps, took


def quantile(values: list[float], share: float) -> float:
    """The value below which this share of them is."""
    return sorted(values)[min(len(values) - 1, math.ceil(len(values) * share) - 1)]


async def measure(runs: int, port: int, texts: list[int], sent: list[int]) -> list[Measured]:
    """Every kind of run, in turns."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_ENDPOINT_URL_MEDICAL_IMAGING": f"http://127.0.0.1:{port}",
    }
    client = HealthImagingClient("0" * 32, "us-east-1", inject_host_prefix=False)
    cheap = await asyncio.start_server(answer, "127.0.0.1", 0)
    cheap_port = cheap.sockets[0].getsockname()[1]
    kinds: list[tuple[Measured, int, Names, bool]] = [
        (Measured("nothing", "", runs), 0, ROWS, False),
        (Measured("a busy thread", "", runs), 0, None, False),
    ]
    for number, what in enumerate(BLOBS):
        size = (texts[number] / 1e6, sent[number] / 1e6)
        for asked, names in (("the default", ROWS), ("all", None)):
            kinds.append((Measured(what, asked, runs, *size), number, names, True))
    found: list[list[Any]] = [[] for _ in kinds]
    await run(0, ROWS, client, cheap_port)  # the first call opens the client
    for _ in range(runs):
        for (_, number, names, fetches), results in zip(kinds, found, strict=True):
            results.append(await run(number, names, client if fetches else None, cheap_port))
    await client.aclose()
    cheap.close()
    for (one, *_), results in zip(kinds, found, strict=True):
        longest = [max(gaps)[0] for _, gaps, _ in results]
        # A process that does not compute is not stalled by itself but by its neighbours
        one.computing_stall_ms = max(min(gap) for _, gaps, _ in results for gap in gaps)
        took = [t for _, _, all_took in results for t in all_took]
        one.read_ms = statistics.median(r[0] for r in results)
        one.longest_stall_ms = max(longest)
        one.median_longest_stall_ms = statistics.median(longest)
        one.cheap_p50_ms, one.cheap_p99_ms = quantile(took, 0.5), quantile(took, 0.99)
        one.cheap_max_ms = max(took)
    return [one for one, *_ in kinds]


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    port, texts, sent = ours.recv()
    gc.collect()
    gc.freeze()  # as gateway.app does
    measured = asyncio.run(measure(runs, port, texts, sent))
    ours.send("end")
    server.join()
    print("| Blob | Asked | Read | Stall (median; computing) | Cheap request p50 / p99 / longest |")
    print("|---|---|---|---|---|")
    for m in measured:
        stall = f"{m.longest_stall_ms:.1f} ms ({m.median_longest_stall_ms:.1f}; "
        stall += f"{m.computing_stall_ms:.1f})"
        cheap = f"{m.cheap_p50_ms:.1f} / {m.cheap_p99_ms:.1f} / {m.cheap_max_ms:.1f} ms"
        print(f"| {m.what} | {m.asked} | {m.read_ms:.0f} ms | {stall} | {cheap} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(json.dumps([asdict(m) for m in measured]))


if __name__ == "__main__":
    main()
