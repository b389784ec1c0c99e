"""Serving: addresses, and request lines as people type them."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import BinaryIO
from urllib.parse import urlsplit

import pytest

from gateway.errors import ConfigError
from gateway.serving import MAX_FIELDS_BYTES, ascii_target, bind


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


ECHO = """
from gateway.serving import serve

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    told = scope["raw_path"] + b" " + body
    length = [(b"content-length", b"%d" % len(told))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": told, "more_body": False})

serve(app, "127.0.0.1", 0, lambda url: print(url, flush=True))
"""
LINE = "GET /山 HTTP/1.1\r\n".encode()
POST = b"POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(LINE)


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[str, int]]:
    """The address of a server that answers each request with its path and body."""
    command = [sys.executable, "-c", ECHO]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        parts = urlsplit(process.stdout.readline().strip())
        yield parts.hostname or "", parts.port or 0
        process.terminate()


ENCODED = b"/%E5%B1%B1 "


@pytest.mark.parametrize(
    "exchange",
    [
        [(LINE + b"\r\n", ENCODED)],
        [(LINE + b"\r\n", ENCODED), (LINE + b"\r\n", ENCODED)],
        [(POST, None), (LINE, b"/a " + LINE)],
        [(POST, None), (LINE, b"/a " + LINE), (LINE + b"\r\n", ENCODED)],
    ],
    ids=[
        "a request line is encoded",
        "that of each request of a connection",
        "a body that reads like one stays as it is, or its end would be another request",
        "behind a body the next one is encoded",
    ],
)
def test_what_is_sent_in_any_letters(
    echo: tuple[str, int], exchange: Sequence[tuple[bytes, bytes | None]]
) -> None:
    """A request line is percent-encoded, wherever it stands, and nothing else is."""
    with socket.create_connection(echo, timeout=20) as client, client.makefile("rb") as told:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part, body in exchange:
            client.sendall(part)
            if body is None:
                time.sleep(0.2)  # it arrives by itself
            else:
                assert body == _answer(told)
        client.shutdown(socket.SHUT_WR)
        assert b"" == told.read()


def _answer(told: BinaryIO) -> bytes:
    """The body of the next answer, which is a good one."""
    assert b"HTTP/1.1 200 OK\r\n" == told.readline()
    fields = dict(line.split(b": ") for line in iter(told.readline, b"\r\n"))
    return told.read(int(fields[b"content-length"]))


CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
FIELD = b"X-Field: " + b"a" * 50 + b"\r\n"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nX: ", b"a" * 1_000, id="one field"),
        pytest.param(b"GET / HTTP/1.1\r\n", FIELD * 10, id="many fields"),
        pytest.param(CHUNKED + b"0\r\n", FIELD * 10, id="trailers"),
        pytest.param(b"", b"\r\n" * 500, id="empty lines"),
    ],
)
def test_fields_without_an_end(echo: tuple[str, int], start: bytes, more: bytes) -> None:
    """Whoever never ends a request's fields is not listened to, however long he goes on."""
    sent = 0
    with socket.create_connection(echo, timeout=20) as client:
        client.sendall(start)
        try:
            while sent < 100 * MAX_FIELDS_BYTES:
                client.sendall(more)
                sent += len(more)
        except OSError:
            pass  # the connection has been closed
    assert sent < 100 * MAX_FIELDS_BYTES


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GET /%s HTTP/1.1\r\n\r\n" % (b"a" * 400_000), id="a long target"),
        pytest.param(
            b"POST /a HTTP/1.1\r\nContent-Length: 400000\r\n\r\n" + b"a" * 400_000,
            id="a long body",
        ),
        pytest.param(b"GET /a HTTP/1.1\r\n" + FIELD * 500 + b"\r\n", id="many fields"),
    ],
)
def test_what_else_is_long(echo: tuple[str, int], request_bytes: bytes) -> None:
    """Targets and bodies count for nothing, and one request counts not for the next."""
    with socket.create_connection(echo, timeout=20) as client, client.makefile("rb") as told:
        for _ in range(4):
            client.sendall(request_bytes)
            _answer(told)
