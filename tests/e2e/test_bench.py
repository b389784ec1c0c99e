"""`make bench` measures what the gateway is held to; here a few rows of a tiny archive."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.archive import indexed
from bench.fetching import Reader
from bench.keeping import NGINX, kept
from bench.processes import Bench, Served
from tests.e2e.running import DATASTORE_ID, ask, environment

ROOT = Path(__file__).resolve().parents[2]
TO_REACH = [
    ("cpu", "ratio ≤ 0.5"),
    ("wall", "ratio ≤ 0.2"),
    ("quota", "ratio ≤ 1.25"),
    ("first", "ratio ≤ 1.2"),
    ("offset", "ratio ≤ 1.05"),
    ("clients", "ratio ≤ 1.2"),
    ("clients", "ratio ≥ 50"),
    ("clients", "difference ≤ 0"),
    ("lookups", "ratio ≤ 2"),
    ("memory", "difference ≤ 40"),
    ("orthanc", "ratio ≥ 25"),
    ("frames", "ratio ≥ 0.8"),
    ("series", "ratio ≤ 1.3"),
    ("stream", "difference ≤ 64"),
    ("viewer", "ratio ≤ 1.5"),
    ("ready", "ratio ≤ 3"),
]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "bench" / "run.py"), *arguments],
        env=environment(PYTHONUTF8="1"),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_rows() -> None:
    """Every row is there, with what it has to reach."""
    done = bench("--list")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert TO_REACH == [(key, reach) for key, _, reach in lines]


READER = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n01234",
    "no body": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"A\r\n0\r\n\r\n56789\r\n2;x\r\n01\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("answer", READER.values(), ids=READER)
def test_counts_answers(answer: bytes) -> None:
    """The client of many frames knows where each answer ends, however it comes."""
    for size in (1, 7, len(answer)):
        reader = Reader()
        for _ in range(2):
            pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
            ended = [reader.feed(memoryview(piece)) for piece in pieces]
            assert [False] * (len(pieces) - 1) + [True] == ended


def test_counts_no_errors() -> None:
    """An answer that is no 200 ends the measurement."""
    with pytest.raises(RuntimeError, match="503 Down"):
        Reader().feed(memoryview(b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n"))


@dataclass
class Upstream:
    """A server that answers everything with its path, and notes what it was asked."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Such a server."""
    one = Upstream()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            one.asked.append((self.path, self.headers.get("Authorization", "")))
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.path)))
            self.send_header("X-Accel-Buffering", "no")
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield one
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.skipif(not Path(NGINX).exists(), reason="nginx is not installed")
def test_keeps_answers(upstream: Upstream, tmp_path: Path) -> None:
    """What is kept is asked of the upstream once, all else each time."""
    with kept(tmp_path / "nginx", upstream.url, "/frames/") as url:
        found = [ask(url + path).body for path in ("/a/frames/1", "/b") * 2]
    assert [b"/a/frames/1", b"/b"] * 2 == found
    assert ["/a/frames/1", "/b", "/b"] == [path for path, _ in upstream.asked]


def test_signs(upstream: Upstream, tmp_path: Path) -> None:
    """The bare proxy asks the data store, signed, and gives its answer on."""
    served = Served(upstream.url, 0)
    with Bench(indexed(10), tmp_path, tmp_path).proxy(served) as proxy:
        answer = ask(f"{proxy.url}/studies/1.2", {"Accept": "a/b"})
    path = f"/datastore/{DATASTORE_ID}/studies/1.2"
    assert (200, path.encode()) == (answer.status, answer.body)
    ((asked, signature),) = upstream.asked
    assert path == asked
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that a few quick rows have written."""
    folder = tmp_path_factory.mktemp("bench")
    out = folder / "results.json"
    options = ("--studies", "120", "--runs", "1", "--out", str(out), "--data", str(folder / "data"))
    done = bench(*options, "offset", "series", "stream", "ready")
    assert done.returncode == 0, done.stderr
    assert "start until ready" in done.stdout
    return out


def test_measures(results: Path) -> None:
    """Rows are measured on both sides, and compared."""
    found = json.loads(results.read_text("utf-8"))
    assert ["offset", "series", "stream", "ready"] == [row["row"] for row in found["rows"]]
    for row in found["rows"]:
        assert row["ours"] > 0
        assert row["other"] > 0
        compared = row["ratio"] if "ratio" in row else row["difference"] / row["other"] + 1
        assert row["ours"] / row["other"] == pytest.approx(compared)


def test_tells_the_readmes_table(results: Path) -> None:
    """The README's table comes from the file: a line for each row, beside the machine's."""
    found = json.loads(results.read_text("utf-8"))
    done = bench("--markdown", "--out", str(results))
    assert found["machine"] in done.stdout.splitlines()[0]
    table = [line for line in done.stdout.splitlines() if line.startswith("| start until ready |")]
    assert 1 == len(table)


def test_refuses_a_row_that_is_none() -> None:
    """A wrong name is an error, not an empty table."""
    done = bench("cpus")
    assert 2 == done.returncode
    assert "no such row: cpus" in done.stderr
