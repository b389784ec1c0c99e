"""OHIF in Debian's Chromium, driven by `viewing.mjs`."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parents[1] / ".clients" / "browser"
"""Where `make clients` puts playwright-core."""

_ANSWER_S = 180.0


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that opens a study when it is told to."""

    process: subprocess.Popen[str]

    def open(self, address: str, study: str) -> float:
        """The milliseconds from the click until the first pixels.

        `address` is that of OHIF's list; `study` is a text that only this study's row has.

        Raises: RuntimeError where it can't be opened.
        """
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"list": address, "study": study}) + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        if "failed" in answer:
            raise RuntimeError(answer["failed"].partition("\n")[0])
        return float(answer["ms"])

    def _answer(self) -> dict[str, str]:
        assert self.process.stdout
        impatience = threading.Timer(_ANSWER_S, self.process.kill)
        impatience.start()
        try:
            line = self.process.stdout.readline()
        finally:
            impatience.cancel()
        if not line:
            raise RuntimeError("the browser's driver has ended")
        answer: dict[str, str] = json.loads(line)
        return answer


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser; what it writes to stderr goes to a file in `folder`.

    Raises: RuntimeError where what it needs is not installed.
    """
    node, chromium = shutil.which("node"), shutil.which("chromium")
    if not node or not (MODULES / "node_modules" / "playwright-core").exists():
        raise RuntimeError("no Node.js or no playwright-core: make clients")
    if not chromium:
        raise RuntimeError("Chromium is not installed (Debian package chromium)")
    script = Path(__file__).with_suffix(".mjs")
    with (folder / "browser.stderr").open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [node, str(script), chromium],
            cwd=MODULES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
        )
    with process:
        try:
            one = Browser(process)
            one._answer()
            yield one
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
