"""The processes under test: the emulator, the gateway and the bare paginator; what each costs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bench import archive
from bench.archive import Archive
from gateway.config import ENV_PREFIX, Settings
from gateway.emulator.seeding import seed_file
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator_command import FILE_NAME
from tests.e2e.running import DATASTORE_ID, credentials, environment, running

DATA = Path(__file__).parent / ".data"
"""Where a seeded archive is kept for the next run."""

BY_DATE = {"sort": {"sortField": "DICOMStudyDateAndTime", "sortOrder": "DESC"}}
"""The criteria of a walk over everything, in the gateway's own order."""

_EVERY_S = 0.05
_TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A server: its address and its process."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Paginator:
    """The other side: a process that walks when it is told to."""

    process: subprocess.Popen[str]

    def walk(self, criteria: Mapping[str, Any], pages: int = 0) -> dict[str, float]:
        """Walk so many pages, or all; pages, image sets and `wall_s`."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"criteria": criteria, "pages": pages}) + "\n")
        self.process.stdin.flush()
        found: dict[str, float] = json.loads(self.process.stdout.readline())
        return found


@dataclass(frozen=True, slots=True)
class Bench:
    """What all rows share: the archive, the folder of its seeded store, one for logs and files."""

    archive: Archive
    data: Path
    folder: Path

    @contextmanager
    def emulator(self, *options: str, data: Path | None = None) -> Iterator[Served]:
        """An emulator of the archive, or of another folder of data."""
        arguments = ("emulator", "--port", "0", "--data-dir", str(data or self.data), *options)
        with running(self.folder, *arguments) as process:
            yield Served(process.url, process.process.pid)

    @contextmanager
    def gateway(self, emulator: Served, settings: Mapping[str, str]) -> Iterator[Served]:
        """A gateway before it, which has opened its client: one point lookup was answered."""
        env = {**credentials(emulator.url), **variables(settings)}
        with running(self.folder, "serve", "--port", "0", env=env) as process:
            url = process.url
            with urllib.request.urlopen(f"{url}/studies?StudyInstanceUID=1.2.3") as answer:
                answer.read()
            yield Served(url, process.process.pid)

    @contextmanager
    def paginator(self, emulator: Served) -> Iterator[Paginator]:
        """A bare paginator that has made one call."""
        with subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("paginating.py")), DATASTORE_ID],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(**_aws(emulator.url)),
        ) as process:
            try:
                assert process.stdout
                process.stdout.readline()
                one = Paginator(process)
                one.walk({}, 1)
                yield one
            finally:
                process.terminate()

    @contextmanager
    def imported(self, files: Path, *options: str) -> Iterator[Served]:
        """An emulator of DICOM files instead of the archive."""
        with tempfile.TemporaryDirectory(dir=self.folder) as data:
            arguments = ("--import", str(files), *options)
            with self.emulator(*arguments, data=Path(data)) as emulator:
                yield emulator

    @contextmanager
    def proxy(self, upstream: Served) -> Iterator[Served]:
        """A bare signing proxy before it; its address takes the place of the service's root."""
        script = Path(__file__).with_name("proxying.py")
        with (self.folder / "proxy.stderr").open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [sys.executable, str(script), upstream.url, DATASTORE_ID],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(),
            )
        with process:
            try:
                assert process.stdout
                yield Served(process.stdout.readline().split()[1], process.pid)
            finally:
                process.terminate()

    @contextmanager
    def copied(self) -> Iterator[Path]:
        """A copy of the data, for a row that changes it."""
        folder = self.folder / "copied"
        shutil.copytree(self.data, folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _aws(endpoint: str) -> dict[str, str]:
    return {k: v for k, v in credentials(endpoint).items() if k.startswith("AWS_")}


def variables(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of `settings`, without those that this gateway does not have."""
    missing = lacking(settings)
    return {f"{ENV_PREFIX}{name}": v for name, v in settings.items() if name not in missing}


def lacking(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Which settings this gateway does not have, so that an older one can be measured too."""
    known = set(Settings.model_fields)
    for table, one in Settings.model_fields.items():
        if isinstance(one.annotation, type) and issubclass(one.annotation, BaseModel):
            known |= {f"{table}_{name}" for name in one.annotation.model_fields}
    return tuple(name for name in settings if name.lower() not in known)


def calls(emulator: Served) -> int:
    """How many searches the emulator was asked for so far."""
    with urllib.request.urlopen(f"{emulator.url}/_emulator/calls") as answer:
        return int(json.load(answer).get("SearchImageSets", 0))


def cpu_s(pid: int) -> float:
    """The seconds of CPU that a process has used, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


def resident_mib(pid: int) -> float:
    """The resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


class Peak:
    """The most resident memory that a process was seen to have."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.mib = 0.0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.mib = max(self.mib, resident_mib(self._pid))


def seeded(studies: int, kept: Path, folder: Path) -> Path:
    """The folder below `kept` with the archive in an emulator's store; made where there is none."""
    source = hashlib.sha256(Path(archive.__file__).read_bytes()).hexdigest()[:12]
    target = kept / f"{source}-{studies}"
    if not target.exists():
        for old in (one for one in kept.glob("*-*") if not one.name.startswith(source)):
            shutil.rmtree(old)
        part = kept / f".{target.name}.{os.getpid()}"
        part.mkdir(parents=True)
        path = folder / "archive.ndjson"
        archive.write(studies, path)
        store = Store(part / FILE_NAME, Variants(), DATASTORE_ID)
        try:
            seed_file(store, path)
        finally:
            store.close()
            path.unlink()
        part.rename(target)
    return target
