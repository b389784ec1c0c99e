"""The event loop that serves, and how it stops."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.e2e.running import START_S, environment

STOPS_WHEN_READY = """
import asyncio, os, sys
from gateway.serving import serve

async def app(scope, receive, send):
    raise NotImplementedError

def ready(url):
    print(type(asyncio.get_running_loop()).__module__, flush=True)
    os.kill(os.getpid(), int(sys.argv[1]))

serve(app, "127.0.0.1", 0, ready)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_uvloop_serves_and_stops(number: signal.Signals) -> None:
    """An application is served by uvloop, and a signal ends that without a fault."""
    done = subprocess.run(
        [sys.executable, "-c", STOPS_WHEN_READY, str(number.value)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert (0, "uvloop\n", "") == (done.returncode, done.stdout, done.stderr)
