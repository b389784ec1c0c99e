"""The demo: an emulator with DICOM files and a gateway in front of it, each a process of its own.

The gateway reaches the emulator as it would reach AWS: through aiobotocore over HTTP.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from gateway.errors import ConfigError

POLL_S = 0.2
STOP_S = 10.0
"""How long a process may take to stop by itself."""


def bundled_files() -> tuple[Path, ...]:
    """The folders of real DICOM files that come with pydicom, names in many scripts among them."""
    import pydicom

    data = Path(pydicom.__file__).parent / "data"
    return (data / "test_files", data / "charset_files")


class Demo:
    """The two processes; a signal stops both, whenever it comes."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []
        self.is_asked = False
        """Whether a signal has come. No threading.Event: its set(), called by a signal's handler,
        waits for ever for the wait() that the signal came in."""

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):  # the gateway first
            _terminate(process)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def call(self, *arguments: str) -> str | None:
        """Run a command of ours to its end: the last line that it prints, None where it fails.

        It says itself why, on stderr. A signal ends it, and all that it has started.
        """
        process = self._popen(arguments, {})
        out, _ = process.communicate()
        self._running.remove(process)
        return (out.splitlines() or [""])[-1] if process.returncode == 0 else None

    def start(self, paths: Sequence[Path], port: int, cors_origins: str, ohif_dir: str = "") -> str:
        """Start both; the gateway's base URL once it serves, "" where a signal came before.

        `cors_origins` are those whose pages may read answers, parted by commas; `ohif_dir` is the
        folder of the viewer's files, "" for no viewer.

        Raises: ConfigError where one of them stops instead.
        """
        imports = [part for path in paths for part in ("--import", str(path))]
        line = self._start("emulator", "--port", "0", *imports, *_quiet(paths), extra={})
        if not line:
            return ""
        _, endpoint, _, datastore_id = line.split()
        extra = {
            "QIDO_GATEWAY_DATASTORE_ID": datastore_id,
            "QIDO_GATEWAY_CORS_ORIGINS": cors_origins,
            "AWS_ENDPOINT_URL_MEDICAL_IMAGING": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "demo",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        if ohif_dir:
            extra["QIDO_GATEWAY_OHIF_DIR"] = ohif_dir
        return self._start("serve", "--port", str(port), extra=extra).partition(" ")[2]

    def wait(self) -> None:
        """Wait until a signal comes.

        Raises: ConfigError where one of the processes stops by itself.
        """
        while not self.is_asked:
            time.sleep(POLL_S)
            has_stopped = any(process.poll() is not None for process in self._running)
            if has_stopped and not self.is_asked:  # in this order: a signal stops them too
                raise ConfigError(("a part of the demo has stopped by itself",))

    def _start(self, *arguments: str, extra: Mapping[str, str]) -> str:
        """The line with which a process says that it serves, "" where a signal came before."""
        process = self._popen(arguments, extra)
        assert process.stdout is not None  # noqa: S101 - it was asked for
        for line in process.stdout:
            if line.startswith("ready "):
                return line.strip()
        if self.is_asked:
            return ""
        raise ConfigError((f"the demo's {arguments[0]} did not start",))

    def _popen(self, arguments: Sequence[str], extra: Mapping[str, str]) -> subprocess.Popen[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("QIDO_", "AWS_"))}
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "gateway", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**inherited, **extra},
            start_new_session=True,  # Ctrl-C is for the demo; it stops its processes in order
        )
        self._running.append(process)
        if self.is_asked:
            _terminate(process)
        return process

    def _on_signal(self, *_: object) -> None:
        self.is_asked = True
        for process in self._running:
            _terminate(process)


def _terminate(process: subprocess.Popen[str]) -> None:
    """Ask a process, and all that it has started, to end."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # it has a session of its own


def _quiet(paths: Sequence[Path]) -> Sequence[str]:
    # pydicom's files are test cases, broken ones among them: one line for all that are skipped
    return ("--skipped", "count") if set(bundled_files()) <= set(paths) else ()
