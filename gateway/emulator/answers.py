"""Answers as AWS shapes them, and answers that break off on purpose."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.emulator.errors import WireError
from gateway.emulator.faults import BrokenBody


def json_answer(body: Mapping[str, Any]) -> Response:
    """An answer of rest-json."""
    return Response(orjson.dumps(body), media_type="application/json", headers=request_id())


def error_answer(exc: WireError) -> Response:
    """An error of rest-json."""
    body = {"message": exc.message}
    headers = {"x-amzn-errortype": exc.code, **request_id()}
    return Response(orjson.dumps(body), exc.status, headers, media_type="application/json")


def unavailable() -> Response:
    """A 503 that is not AWS's."""
    return Response(b"Service Unavailable", 503, media_type="text/plain")


def request_id() -> dict[str, str]:
    """The header by which AWS tells one request from another."""
    return {"x-amzn-requestid": str(uuid.uuid4())}


def broken(whole: Response, fault: BrokenBody | None) -> Response:
    """An answer with what is wrong with its body, if anything is."""
    match fault:
        case None:
            return whole
        case bytes():
            headers = {k: v for k, v in whole.headers.items() if k != "content-length"}
            return Response(fault, headers=headers)
        case "unavailable":
            return unavailable()
        case _:
            return Half(whole, ends=fault == "cut")


class Cut(Response):
    """No answer: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing but a beginning."""
        headers = [(b"content-length", b"9")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class Half(Response):
    """The first half of another answer; then the connection `ends`, or nothing comes any more.

    Of an answer without a length it is half of the first piece.
    """

    def __init__(self, whole: Response, *, ends: bool) -> None:
        super().__init__()
        self._whole, self._ends = whole, ends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the half, and wait until the client leaves where it does not end."""
        length = int(self._whole.headers.get("content-length", 0))
        left = length // 2

        async def send_half(message: Message) -> None:
            nonlocal left
            if message["type"] != "http.response.body":
                await send(message)
                return
            body = message.get("body", b"")
            left = left if length else len(body) // 2
            piece = body[:left]
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if not left:
                raise _HalfSentError

        try:
            await self._whole(scope, receive, send_half)
        except _HalfSentError:
            while not self._ends and (await receive())["type"] != "http.disconnect":
                pass


class _HalfSentError(Exception):
    """Half of an answer has gone out."""
