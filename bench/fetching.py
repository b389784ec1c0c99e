"""A client of many bytes: keep-alive connections of one thread, whose answers are counted only.

It costs about a tenth of what the servers under test do: a piece is received into the same buffer
as the last, and of it only the ends of chunks are looked at.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

BUFFER_BYTES = 1024 * 1024
HEADER_BYTES = 4096
"""Longer than any that comes here."""
TIMEOUT_S = 60.0
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r\n")


@dataclass(slots=True)
class Reader:
    """Reads one answer after the other, and keeps none."""

    _head: bytes = b""
    """What has come of the header that is due, the answer's or a chunk's."""
    _left: int = 0
    """Bytes that are passed over before the next header, or the end."""
    _due: Literal["answer", "chunk", "end"] = "answer"

    def feed(self, data: memoryview) -> bool:
        """Take in a piece; whether the answer is whole with it.

        Raises: RuntimeError where it is no 200.
        """
        while True:
            passed = min(self._left, len(data))
            self._left -= passed
            data = data[passed:]
            if self._due == "end" and not self._left:
                self._due = "answer"
                return True
            if not data:
                return False
            known = len(self._head)
            self._head += data[:HEADER_BYTES]
            read = self._answer() if self._due == "answer" else self._chunk()
            if not read:
                return False
            data = data[read - known :]
            self._head = b""

    def _answer(self) -> int:
        """The bytes of the answer's header, 0 where it isn't whole yet."""
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return 0
        if self._head.split(b" ", 2)[1] != b"200":
            raise RuntimeError(f"answered {self._head[:300]!r}")
        if _CHUNKED.search(self._head, 0, end):
            self._due = "chunk"
        elif length := _LENGTH.search(self._head, 0, end):
            self._due, self._left = "end", int(length[1])
        else:
            raise RuntimeError("an answer has neither a length nor chunks")
        return end + 4

    def _chunk(self) -> int:
        """The same of a chunk's header."""
        found = _CHUNK.match(self._head)
        if found is None:
            return 0
        size = int(found[1], 16)
        self._left = size + 2
        self._due = "chunk" if size else "end"
        return found.end()


@dataclass(slots=True)
class _Connection:
    link: socket.socket
    requests: Iterator[bytes]
    reader: Reader = field(default_factory=Reader)

    def send(self) -> None:
        self.link.sendall(next(self.requests))


def answers_a_second(
    url: str, targets: tuple[str, ...], accept: str, clients: int, warm_s: float, seconds: float
) -> float:
    """How many whole answers come to so many connections, after a time of warming up.

    Raises: RuntimeError for an answer that is no 200, or breaks off.
    """
    parts = urlsplit(url)
    requests = [
        f"GET {parts.path}{target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: {accept}\r\n\r\n"
        for target in targets
    ]

    def turns(first: int) -> Iterator[bytes]:
        for at in range(first, 10**9):
            yield requests[at % len(requests)].encode()

    buffer = memoryview(bytearray(BUFFER_BYTES))
    answered = 0
    with selectors.DefaultSelector() as selector:
        for number in range(clients):
            link = socket.create_connection((parts.hostname or "", parts.port or 80))
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(link, turns(number * len(targets) // clients))
            selector.register(link, selectors.EVENT_READ, connection)
            connection.send()
        begin = time.perf_counter() + warm_s
        end = begin + seconds
        while (now := time.perf_counter()) < end:
            ready = selector.select(TIMEOUT_S)
            if not ready:
                raise RuntimeError("no answer came any more")
            for key, _ in ready:
                connection = key.data
                got = connection.link.recv_into(buffer)
                if not got:
                    raise RuntimeError("an answer broke off")
                if connection.reader.feed(buffer[:got]):
                    answered += now >= begin
                    connection.send()
        took = now - begin
        for key in list(selector.get_map().values()):
            key.data.link.close()
    return answered / took
