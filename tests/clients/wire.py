"""Requests whose every byte the test writes, as a viewer would, and their answers."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from importlib import import_module
from urllib.parse import urlsplit

from tests.e2e.running import Answer

TIMEOUT_S = 30.0


def replay(base_url: str, target: str, headers: str = "", method: str = "GET") -> Answer:
    """The answer to `target` below `base_url`, sent with these header lines, one field a line.

    Nothing is encoded, sorted or added, but Host where no line has it, since it differs from run
    to run. A body that is compressed is unpacked, as browsers do.
    """
    parts = urlsplit(base_url)
    assert parts.hostname and parts.port
    lines = [line for line in headers.splitlines() if line]
    if not any(line.startswith("Host: ") for line in lines):
        lines.insert(0, f"Host: {parts.netloc}")
    head = "\r\n".join([f"{method} {parts.path}{target} HTTP/1.1", *lines, "", ""])
    with socket.create_connection((parts.hostname, parts.port), TIMEOUT_S) as connection:
        connection.sendall(head.encode())
        response = HTTPResponse(connection, method=method)
        response.begin()
        body = response.read()
        response.close()
    fields = [(name.lower(), value) for name, value in response.getheaders()]
    coding = response.getheader("content-encoding", "identity")
    return Answer(response.status, fields, _unpacked(body, coding))


def _unpacked(body: bytes, coding: str) -> bytes:
    match coding:
        case "identity":
            return body
        case "gzip":
            return gzip.decompress(body)
        case "br":
            return bytes(import_module("brotli").decompress(body))
        case "zstd":
            decompressor = import_module("zstandard").ZstdDecompressor()
            return bytes(decompressor.decompressobj().decompress(body))
    raise AssertionError(f"{coding} was not asked for")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart body; header names are in lower case."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Its media type, without parameters."""
        return self.headers["content-type"].partition(";")[0]

    @property
    def syntax(self) -> str:
        """The transfer syntax that its Content-Type names; "" where it names none."""
        return _parameter(self.headers["content-type"], "transfer-syntax")


def parts_of(answer: Answer) -> list[Part]:
    """The parts of an answer that must have some and be whole: no byte may be left over."""
    content_type = answer.one("content-type")
    assert (200, "multipart/related") == (answer.status, content_type.partition(";")[0])
    delimiter = b"--" + _parameter(content_type, "boundary").encode()
    start, *parts, end = (b"\r\n" + answer.body).split(b"\r\n" + delimiter)
    assert (b"", b"--") == (start, end.rstrip(b"\r\n"))
    found = []
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = (line.split(": ", 1) for line in head.decode("ascii").split("\r\n"))
        found.append(Part({name.lower(): value for name, value in fields}, content))
    root = _parameter(content_type, "type")
    assert {root} >= {part.media_type for part in found}
    return found


def _parameter(content_type: str, name: str) -> str:
    """A parameter's value, with or without quotes."""
    _, *parameters = (one.strip() for one in content_type.split(";"))
    pairs = dict(one.split("=", 1) for one in parameters)
    return pairs.get(name, "").strip('"')
