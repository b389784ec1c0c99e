"""What the gateway tells its operator: a structured line a request, and metrics.

Never a patient's data.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from prometheus_client.exposition import choose_encoder
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.healthimaging.metrics import Meters
from gateway.server.paths import own_path

OPEN_METRICS = "application/openmetrics-text"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def configure_logging(level: str) -> None:
    """One JSON object a line on stderr, from `level` up. Other libraries' lines: warnings only.

    uvicorn's access log stays off: it prints query strings, which hold patient data.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_LibraryHandler()], force=True)
    logging.captureWarnings(True)  # else Python prints them as they are: pydicom's quote values


class _LibraryHandler(logging.Handler):
    """Other libraries' lines: who spoke and how loud; their texts may hold patient data."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        # uvicorn's templates are fixed texts; what they are filled with may not be
        said = str(record.msg) if record.name.startswith("uvicorn") else "library"
        log = structlog.get_logger()
        log.warning(said, logger=record.name, severity=record.levelname.lower())


@dataclass(slots=True)
class RequestRecord:
    """What one request's line will say. `facts` are added by whoever serves it."""

    request_id: str
    started_at: float
    status: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


def record_of(scope: Scope) -> RequestRecord:
    """The record of the request that is being served."""
    record: RequestRecord = scope["state"]["record"]
    return record


def place_of(exc: BaseException) -> str:
    """Where an exception was raised, as `file:line`: its text may hold patient data."""
    frames = traceback.extract_tb(exc.__traceback__)
    if not frames:
        return "?"
    name = frames[-1].filename.replace("\\", "/").rpartition("/gateway/")
    return f"{name[2].rpartition('/')[2] if not name[1] else name[2]}:{frames[-1].lineno}"


class RequestLog:
    """Middleware: a request id in and out, and one line when the answer is over, and its count."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app, self._meters = app, meters
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, then log."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = RequestRecord(_request_id(scope), time.monotonic())
        scope.setdefault("state", {})["record"] = record

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"].append((b"x-request-id", record.request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            duration_s = time.monotonic() - record.started_at
            route = record.facts.pop("route", "?")
            self._meters.request(route, scope["method"], record.status, duration_s)
            self._log.info(
                "request",
                request_id=record.request_id,
                method=scope["method"] if scope["method"].isalpha() else "?",
                route=route,
                status=record.status,
                duration_ms=round(duration_s * 1000, 1),
                **record.facts,
            )


class Metrics:
    """The endpoint of the metrics: Prometheus's text, or OpenMetrics where that is accepted."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what stands now."""
        record_of(scope).facts["route"] = own_path(scope)
        accepted = ",".join(Headers(scope=scope).getlist("accept")).split(",")
        kinds = {one.partition(";")[0].strip().lower() for one in accepted}
        # Its name alone: the version that a client asks for is read without any check
        encode, media_type = choose_encoder(OPEN_METRICS if OPEN_METRICS in kinds else "")
        headers = {"content-type": media_type, "cache-control": "no-store", "vary": "Accept"}
        await Response(encode(self._meters.registry), 200, headers)(scope, receive, send)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(text):
                return str(text)
    return uuid.uuid4().hex
