"""Serving: addresses, and request lines as people type them."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from gateway.errors import ConfigError
from gateway.serving import ascii_target, bind


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"GET /a?b=c HTTP/1.1\r\n\r\n", b"GET /a?b=c HTTP/1.1\r\n\r\n"),
        ("GET /a?b=山* HTTP/1.1\r\n\r\n".encode(), b"GET /a?b=%E5%B1%B1* HTTP/1.1\r\n\r\n"),
        ("GET / HTTP/1.1\r\nX: 山\r\n\r\n".encode(), "GET / HTTP/1.1\r\nX: 山\r\n\r\n".encode()),
        ("GET /山".encode(), "GET /山".encode()),
        (b"\xff\x00", b"\xff\x00"),
        (b"", b""),
    ],
)
def test_a_request_line_in_any_letters(sent: bytes, read: bytes) -> None:
    """Letters outside ASCII are percent-encoded in a request line, and nowhere else."""
    assert read == ascii_target(sent)


def test_a_listening_socket_sends_at_once() -> None:
    """It is named as TCP: else asyncio leaves Nagle's algorithm on, which costs 40 ms a page."""
    with bind("127.0.0.1", 0) as listening:
        assert socket.IPPROTO_TCP == listening.proto


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", None), ("no.such.host.invalid", 0), ("192.0.2.1", 0)]
)
def test_an_address_that_cannot_be_had(host: str, port: int | None) -> None:
    """A port in use or an address of another machine is a sentence."""
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        wanted = taken.getsockname()[1] if port is None else port
        with pytest.raises(ConfigError, match="can't listen on"):
            bind(host, wanted)


ASKED_AGAIN = """
import atexit, signal
from gateway.serving import serve

async def app(scope, receive, send):
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})

atexit.register(signal.raise_signal, signal.SIGTERM)
serve(app, "127.0.0.1", 0, lambda url: signal.raise_signal(signal.SIGTERM))
"""


def test_a_second_signal_does_not_break_into_the_end() -> None:
    """Who is told to stop while it stops does that, with status 0 and without a word."""
    command = [sys.executable, "-c", ASKED_AGAIN]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (0, "", "") == (ended.returncode, ended.stdout, ended.stderr)
