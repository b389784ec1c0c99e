"""Debian's Chromium, driven by playwright-core through `driver.mjs`."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ROOT / ".clients" / "browser"
DRIVER = Path(__file__).parent / "driver.mjs"
CALL_S = 120.0
"""Longer than any wait of the driver's own, which says what it waited for."""


@dataclass(frozen=True)
class Exchange:
    """A request of the page's scripts, with its answer."""

    method: str
    url: str
    sent: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: str | None
    failure: str | None

    @property
    def json(self) -> Any:
        """The body of an answer in JSON."""
        assert self.body is not None
        return json.loads(self.body)


class Chromium:
    """One browser with one page. Each method raises AssertionError where it can't be done."""

    def __init__(self, process: subprocess.Popen[str], errors_path: Path) -> None:
        self._process = process
        self._errors_path = errors_path
        self.version: str = self._answer()

    def call(self, do: str, /, **parameters: object) -> Any:
        """The result of one of the driver's commands."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **parameters}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def exchanges(self) -> list[Exchange]:
        """What the page's scripts have asked and got since it was opened, in order of its end."""
        return [Exchange(**one) for one in self.call("exchanges")]

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        impatience = threading.Timer(CALL_S, self._process.kill)
        impatience.start()
        try:
            line = self._process.stdout.readline()
        finally:
            impatience.cancel()
        assert line, f"the browser's driver has ended: {self._errors_path.read_text('utf-8')}"
        answer = json.loads(line)
        assert "failed" not in answer, answer["failed"]
        return answer["done"]


@contextmanager
def chromium(folder: Path) -> Iterator[Chromium]:
    """A browser; what it and its driver write to stderr goes to a file in `folder`."""
    errors_path = folder / "chromium.stderr"
    with errors_path.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [_node(), str(DRIVER), _browser()],
            cwd=MODULES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        )
    with process:
        try:
            yield Chromium(process, errors_path)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _node() -> str:
    node = shutil.which("node")
    if node is None or not (MODULES / "node_modules" / "playwright-core").exists():
        pytest.skip("Node.js or playwright-core is not installed: make clients")
    return node


def _browser() -> str:
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return found
