"""A real server on loopback, for the time of a test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from gateway.serving import bind


@asynccontextmanager
async def running(app: ASGIApp, send_buffer_bytes: int = 0) -> AsyncIterator[str]:
    """Serve `app` on a free port; its base URL.

    `send_buffer_bytes` is what the system takes of an answer that nobody reads; 0 leaves it.
    """
    listening = bind("127.0.0.1", 0)
    if send_buffer_bytes:  # those that are accepted have it as well
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=10,  # a test that fails leaves connections
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not task.done():  # noqa: ASYNC110 - it has no event for that
        await asyncio.sleep(0)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listening.close()
