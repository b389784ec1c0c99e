"""Drives an ASGI application as a server would, and sees what a client library would hide."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message


@dataclass
class Answer:
    """What the application sent."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    complete: bool = False

    @property
    def body(self) -> bytes:
        """All of the body that was sent."""
        return b"".join(self.parts)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def all(self, name: str) -> list[str]:
        """Every field of that name."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        """The only field of that name."""
        (value,) = self.all(name)
        return value


async def ask(
    app: ASGIApp,
    target: str | bytes,
    *,
    method: str = "GET",
    headers: Mapping[str, str | Sequence[str]] | None = None,
    leave_after_parts: int | None = None,
) -> Answer:
    """The answer to one request; the client leaves after so many body parts, where that is said.

    A header with several values is sent as several fields.
    """
    sent = target.encode() if isinstance(target, str) else target
    path, _, query = sent.partition(b"?")
    given = {"host": "gateway.test", **(headers or {})}
    fields = [(k, v) for k, vs in given.items() for v in ([vs] if isinstance(vs, str) else vs)]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path.decode()),
        "raw_path": path,
        "query_string": query,
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in fields],
        "server": ("127.0.0.1", 8042),
        "client": ("127.0.0.1", 50000),
        "state": {},
    }
    answer, over = Answer(), asyncio.Event()
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(k.decode(), v.decode("latin-1")) for k, v in message["headers"]]
            return
        if message.get("body"):
            answer.parts.append(message["body"])
        answer.complete = not message.get("more_body", False)
        if answer.complete or len(answer.parts) == leave_after_parts:
            over.set()
        await asyncio.sleep(0)  # as a server does: other tasks get their turn

    await app(scope, receive, send)
    return answer
