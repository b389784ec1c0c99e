"""How every endpoint that calls the upstream runs: it ends when the client leaves or it fails."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.server.responses import error_response, log_failure
from gateway.server.telemetry import record_of


async def run(answer: ASGIApp, route: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Give `answer`, and end it when the client leaves; `route` is what the log calls it.

    What it raises before its header has left is an error's answer.
    """
    record_of(scope).facts["route"] = route
    answering = asyncio.ensure_future(_answered(answer, scope, receive, send))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            record_of(scope).facts["client_left"] = True
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _answered(answer: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await answer(scope, receive, send)
    except Exception as exc:  # a bug must look like a bug, and say no more
        log_failure(scope, exc)
        if not record_of(scope).status:  # nothing was sent
            await error_response(exc)(scope, receive, send)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
