"""Content codings of what a search answers: zstd, br or gzip, as the client accepts them."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

from gateway.server.negotiation import OFFERED

VARY = "Accept, Accept-Encoding"
"""The Vary field of what a search answers, compressed or not."""

MIN_COMPRESSED_BYTES = 1_024
"""A shorter answer goes as it is: it fits one packet either way."""


def allow_compression() -> None:
    """Tell the library of our media types, once before the first answer.

    They count as streaming, so that it flushes after each part: the first results reach the client
    while the walk goes on. An answer that is cut stays without the coding's end, too.
    """
    for media_type in OFFERED:
        without_parameters, _, _ = media_type.partition(";")
        add_compress_type(without_parameters, streaming=True)


def compressed(answer: ASGIApp) -> ASGIApp:
    """`answer` in a coding that the request accepts, without Content-Length then; else as it is."""
    compressing = CompressMiddleware(answer, minimum_size=MIN_COMPRESSED_BYTES)

    async def compressed_answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The library adds its word to Vary again where it stands there
                MutableHeaders(raw=message["headers"])["vary"] = VARY
            await send(message)

        await compressing(scope, receive, send_with_vary)

    return compressed_answer
