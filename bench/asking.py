"""The client that asks the servers under test: keep-alive connections, one a client."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_S = 300.0
CHUNK_BYTES = 16 * 1024
NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the body, the seconds until its first byte and until its last."""

    status: int
    body: bytes
    first_s: float
    took_s: float


class Client:
    """One connection to the server at `url`; it is opened anew where the server has closed it."""

    def __init__(
        self, url: str, accept: str = "application/dicom+json", receive_bytes: int = 0
    ) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._headers: Mapping[str, str] = {"Accept": accept}
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
        if receive_bytes:
            self._connection.sock = _narrow(parts.netloc, receive_bytes)

    def ask(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The whole answer; `headers` are sent instead of the client's own."""
        started = time.perf_counter()
        response = self._sent(target, headers or self._headers)
        first = response.read(1)
        first_s = time.perf_counter() - started
        body = first + response.read()
        return Answer(response.status, body, first_s, time.perf_counter() - started)

    def found(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The same, where it is a 200.

        Raises: RuntimeError with the status and the sentence that came instead.
        """
        answer = self.ask(target, headers)
        if answer.status != 200:
            raise RuntimeError(f"status {answer.status} {answer.body[:300].decode()}")
        return answer

    def streamed(self, target: str) -> Iterator[bytes]:
        """The body of a 200 as it comes, in pieces.

        Raises: RuntimeError with the status that came instead.
        """
        response = self._sent(target, self._headers)
        if response.status != 200:
            raise RuntimeError(f"status {response.status}")
        while piece := response.read1(CHUNK_BYTES):
            yield piece

    def _sent(self, target: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        with suppress(http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.request("GET", self._path + target, headers=headers)
            return self._connection.getresponse()
        self._connection.close()
        self._connection.request("GET", self._path + target, headers=headers)
        return self._connection.getresponse()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _narrow(netloc: str, receive_bytes: int) -> socket.socket:
    """A connection whose system keeps no more than that for a client that reads slowly."""
    host, _, port = netloc.partition(":")
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    one.settimeout(TIMEOUT_S)
    one.connect((host, int(port)))
    return one


def together(workers: Sequence[Callable[[], None]]) -> None:
    """Run all at the same time, each in its thread, to their ends.

    Raises: what the first of them raised.
    """
    faults: list[Exception] = []

    def guarded(worker: Callable[[], None]) -> None:
        try:
            worker()
        except Exception as exc:
            faults.append(exc)

    threads = [threading.Thread(target=guarded, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
