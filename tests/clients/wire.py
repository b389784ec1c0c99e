"""Requests whose every byte the test writes, as a viewer would, and their answers."""

from __future__ import annotations

import gzip
import socket
from http.client import HTTPResponse
from urllib.parse import urlsplit

from tests.e2e.running import Answer

TIMEOUT_S = 30.0


def replay(base_url: str, target: str, headers: str = "", method: str = "GET") -> Answer:
    """The answer to `target` below `base_url`, sent with these header lines and no others.

    Nothing is encoded, sorted or added but Host, which differs from run to run. `headers` has one
    field a line. A body that is compressed is unpacked, as browsers do.
    """
    parts = urlsplit(base_url)
    assert parts.hostname and parts.port
    lines = [f"{method} {parts.path}{target} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [line for line in headers.splitlines() if line]
    with socket.create_connection((parts.hostname, parts.port), TIMEOUT_S) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        response = HTTPResponse(connection, method=method)
        response.begin()
        body = response.read()
        response.close()
    fields = [(name.lower(), value) for name, value in response.getheaders()]
    coding = response.getheader("content-encoding", "identity")
    assert coding in ("identity", "gzip"), "the tests cannot unpack this"
    return Answer(response.status, fields, gzip.decompress(body) if coding == "gzip" else body)
