"""The demo's wait for a signal, which may come at any moment of it."""

from __future__ import annotations

import subprocess
import sys

_LINES = 12  # of Python, which is more than two rounds of the wait

# It ends with status 0 once a signal at each of the lines has ended a wait. What hangs is ended
# after a minute, with a traceback that says where
_AT_EACH_LINE = f"""
import faulthandler, signal, sys
from gateway.demo import Demo

def wait_with_signal_at(line):
    left = line
    def trace(frame, event, argument):
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                signal.raise_signal(signal.SIGTERM)
        return trace
    with Demo() as demo:
        sys.settrace(trace)
        demo.wait()
        sys.settrace(None)
    assert left <= 0, "the wait was over before"

faulthandler.dump_traceback_later(60, exit=True)
for line in range(1, {_LINES} + 1):
    wait_with_signal_at(line)
"""


def test_signal_at_each_line_ends_the_wait() -> None:
    """Also one that comes while the wait holds what the signal's handler would want."""
    # In a process of its own, which may hang, and whose trace is not coverage's
    ended = subprocess.run(
        [sys.executable, "-c", _AT_EACH_LINE],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (0, "") == (ended.returncode, ended.stderr)
