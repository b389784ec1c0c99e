"""Processes as a user starts them, and requests whose every byte is chosen by the test."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

START_S = 180.0
STOP_S = 60.0
DATASTORE_ID = "0123456789abcdef0123456789abcdef"


def environment(**more: str) -> dict[str, str]:
    """This process's environment without settings and AWS's, and with `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("QIDO_", "AWS_"))}
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }


def credentials(endpoint: str) -> dict[str, str]:
    """What a gateway needs to search the upstream at `endpoint`."""
    return {
        "AWS_ENDPOINT_URL_MEDICAL_IMAGING": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret-sentinel",
        "QIDO_GATEWAY_DATASTORE_ID": DATASTORE_ID,
        "QIDO_GATEWAY_REGION": "us-east-1",
    }


@dataclass
class Ended:
    """A command that has ended."""

    status: int
    out: str
    errors: str


@dataclass
class Running:
    """A command that says that it is ready; `ready` are the words after that."""

    process: subprocess.Popen[str]
    ready: list[str]
    errors_path: Path

    @property
    def url(self) -> str:
        """The address that it serves."""
        return self.ready[0]

    @property
    def children(self) -> list[int]:
        """The processes that it has started."""
        return children_of(self.process.pid)

    @property
    def errors(self) -> str:
        """What it has written to stderr so far."""
        return self.errors_path.read_text("utf-8")

    def requests(self) -> list[dict[str, Any]]:
        """The lines of its log that tell of requests."""
        lines = (json.loads(line) for line in self.errors.splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == "request"]

    def request(self, request_id: str) -> dict[str, Any]:
        """The line of one request, which is written when its answer is over."""
        until = time.monotonic() + STOP_S
        while time.monotonic() < until:
            for line in self.requests():
                if line["request_id"] == request_id:
                    return line
            time.sleep(0.02)
        raise AssertionError(f"no line of request {request_id} in {self.errors}")

    def stop(self, number: int = signal.SIGTERM) -> Ended:
        """Send the signal and wait."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=STOP_S)
        return Ended(self.process.returncode, out, self.errors)


@contextmanager
def running(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """`qido-gateway ARGUMENTS` from its ready line on; its stderr goes to a file in `folder`."""
    errors_path = folder / f"{'-'.join(arguments[:1])}-{time.monotonic_ns()}.stderr"
    with errors_path.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command(arguments),
            env=environment(**(env or {})),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    started: list[int] = []
    with process:
        try:
            ready = _ready(process, errors_path)
            started = children_of(process.pid)
            yield Running(process, ready, errors_path)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
            end(started)


def children_of(pid: int) -> list[int]:
    """The processes that `pid` has started, as far as they are still there."""
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def end(pids: Iterable[int]) -> list[int]:
    """End those of the processes that are still there; which they are."""
    left = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


def _ready(process: subprocess.Popen[str], errors_path: Path) -> list[str]:
    assert process.stdout is not None
    impatience = threading.Timer(START_S, process.kill)
    impatience.start()
    try:
        for line in process.stdout:
            if line.startswith("ready "):
                return line.split()[1:]
    finally:
        impatience.cancel()
    raise AssertionError(f"not ready: {errors_path.read_text('utf-8')}")


def run(*arguments: str, env: Mapping[str, str] | None = None) -> Ended:
    """`qido-gateway ARGUMENTS` to its end."""
    done = subprocess.run(
        command(arguments),
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def command(arguments: Sequence[str]) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "gateway", *arguments]


@dataclass
class Answer:
    """An answer over HTTP; header names are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def all(self, name: str) -> list[str]:
        """Every field of that name."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        """The only field of that name."""
        (value,) = self.all(name)
        return value


def ask(url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
    """The answer to one request, the target sent as it stands."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        target = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        connection.request(method, target, headers=dict(headers or {}))
        response = connection.getresponse()
        fields = [(name.lower(), value) for name, value in response.getheaders()]
        return Answer(response.status, fields, response.read())
    finally:
        connection.close()
