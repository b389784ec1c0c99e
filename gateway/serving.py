"""Serving an ASGI application until a signal: bind, say that it is ready, stop cleanly."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.errors import ConfigError

KEEP_ALIVE_S = 75  # longer than a proxy's idle time, or the proxy meets a closed connection
MAX_TARGET_BYTES = 32_768
"""How much of a request's target is kept. The application refuses far less, and says so by 414;
httptools can't read more than 65,535, and uvicorn would say 400."""
MAX_FIELDS_BYTES = 65_536
"""How much of a request that is neither its target nor its body is read: its header, above all."""

_TOO_LONG = "The request's header is too long."
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_REQUEST_LINE = re.compile(rb"[A-Z]+ ([^ \r\n]*) HTTP/1\.[01]\r\n")


class _Protocol(HttpToolsProtocol):
    """Reads a request line that holds letters outside ASCII, as curl sends what was typed.

    It reads one of any length, too.
    """

    _is_within = False  # a request, of which the line has come
    _fields_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Take in what has come, such letters percent-encoded."""
        # A body that reads like a request line would get longer than it is said to be, and its end
        # be taken for a request: one that no proxy in front has seen
        data = data if self._is_within else ascii_target(data)
        self._fields_bytes += len(data)
        super().data_received(data)
        if self._fields_bytes > MAX_FIELDS_BYTES and not self.transport.is_closing():
            self._refuse()

    def _refuse(self) -> None:
        self.logger.warning(_TOO_LONG)
        if self.cycle is None or self.cycle.response_complete:
            self.send_400_response(_TOO_LONG)
        else:  # within another answer it would be a part of that
            self.transport.close()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._is_within, self._fields_bytes = True, 0
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note that it is over."""
        self._is_within, self._fields_bytes = False, 0
        super().on_message_complete()

    def on_url(self, url: bytes) -> None:
        """Take in a part of the target."""
        self._fields_bytes -= len(url)
        self.url = (self.url + url)[:MAX_TARGET_BYTES]

    def on_body(self, body: bytes) -> None:
        """Take in a part of the body."""
        self._fields_bytes -= len(body)
        super().on_body(body)


def ascii_target(data: bytes) -> bytes:
    """`data` with its request line's target in ASCII; anything else as it is."""
    line = _REQUEST_LINE.match(data)
    if line is None or line[1].isascii():
        return data
    target = b"".join(bytes([c]) if c < 128 else b"%%%02X" % c for c in line[1])
    return data[: line.start(1)] + target + data[line.end(1) :]


class _Server(uvicorn.Server):
    """Tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def serve(app: ASGIApp, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve `app` until SIGINT or SIGTERM. Port 0 picks one; `on_ready` is told the base URL.

    Raises: ConfigError where the address can't be had.
    """
    listening = bind(host, port)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{listening.getsockname()[1]}"
    config = uvicorn.Config(
        app,
        http=_Protocol,
        loop="auto",  # uvloop, which costs less for each page, where it can be had; else asyncio
        access_log=False,  # it prints query strings, which hold patient data
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
    )
    # uvicorn raises a signal again once it has stopped cleanly: then that is the end, and no fault
    for number in _SIGNALS:
        signal.signal(number, _end)
    try:
        _Server(config, lambda: on_ready(url)).run(sockets=[listening])
    finally:
        listening.close()


def _end(*_: object) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # a second one would break into the first one's end
    raise SystemExit(0)


def bind(host: str, port: int) -> socket.socket:
    """A socket that is bound to the address.

    Raises: ConfigError.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Named as TCP, or asyncio leaves Nagle's algorithm on and each page waits 40 ms
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
        except OSError:
            listening.close()
            raise
    except OSError as exc:
        reason = (exc.strerror or "not possible").lower()
        raise ConfigError((f"can't listen on {host} port {port}: {reason}",)) from None
    return listening
