"""The body of GetImageSetMetadata's answer, while it arrives."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from gateway.healthimaging.errors import BODY_ERRORS, error_for

CHUNK_BYTES = 64 * 1024


class Body:
    """What is read of `stream`, aiobotocore's StreamingBody; None where the image set is gone.

    `attempts` is how many calls it took to be answered; `size` the bytes that were announced, None
    where they were not.
    """

    def __init__(self, stream: Any, attempts: int = 1) -> None:
        self.attempts = attempts
        self.is_gone = stream is None
        self.size: int | None = None
        self._stream = stream
        if stream is not None:
            announced = stream.raw_stream.headers.get("Content-Length", "")
            self.size = int(announced) if announced.isdecimal() else None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """All of it, piece by piece, once.

        Raises: UpstreamUnavailableError, UpstreamTimeoutError.
        """
        if self._stream is None:
            return
        try:
            while chunk := await self._stream.read(CHUNK_BYTES):
                yield chunk
        except BODY_ERRORS as exc:
            raise error_for(exc) from None

    def close(self) -> None:
        """Let the connection go, however much was read."""
        if self._stream is not None:
            self._stream.close()
