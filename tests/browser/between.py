"""What stands between a browser and the gateway: a proxy that guards it, or that breaks."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

GONE = {"connection", "keep-alive", "transfer-encoding", "content-length"}
"""Header fields of one connection, which no proxy passes on."""


class Between(ThreadingHTTPServer):
    """A proxy before the gateway at `root`, its base URL.

    With `token` it asks for that bearer token, but not on OPTIONS, which a browser sends without
    one. With `cut_after` it breaks off each answer's body behind so many bytes.
    """

    daemon_threads = True

    def __init__(self, root: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(root)
        self.upstream = parts.netloc
        self.url = f"http://127.0.0.1:{self.server_port}{parts.path}"
        self.token = ""
        self.cut_after: int | None = None
        self.authorized: list[tuple[str, str | None]] = []
        """Method and Authorization of each request so far."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Between

    def do_GET(self) -> None:
        given = self.headers["Authorization"]
        self.server.authorized.append((self.command, given))
        if self.server.token and given != f"Bearer {self.server.token}":
            self._say(401, [("WWW-Authenticate", "Bearer"), ("Access-Control-Allow-Origin", "*")])
            return
        self._pass()

    def do_OPTIONS(self) -> None:
        self.server.authorized.append((self.command, self.headers["Authorization"]))
        self._pass()

    def _pass(self) -> None:
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            # With the Host that the browser has sent: addresses in answers are made of it
            upstream.request(self.command, self.path, headers=dict(self.headers.items()))
            answer = upstream.getresponse()
            fields = [one for one in answer.getheaders() if one[0].lower() not in GONE]
            self._say(answer.status, fields, answer.read())
        finally:
            upstream.close()

    def _say(self, status: int, fields: list[tuple[str, str]], body: bytes = b"") -> None:
        self.send_response_only(status)
        for name, value in fields:
            self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = self.server.cut_after
        self.wfile.write(body if cut is None else body[:cut])
        self.close_connection = cut is not None

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def between(root: str) -> Iterator[Between]:
    """The proxy, while it serves."""
    server = Between(root)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
