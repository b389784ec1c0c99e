"""Answering until the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.types import Receive, Scope

from gateway.server.telemetry import record_of


async def until_left(answer: Awaitable[None], scope: Scope, receive: Receive) -> None:
    """Await `answer`; where the client leaves before its end, end it and say so in the log."""
    answering = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            record_of(scope).facts["client_left"] = True
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
