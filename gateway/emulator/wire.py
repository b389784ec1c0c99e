"""The wire: HealthImaging's rest-json operations over HTTP.

Source: botocore's service model of medical-imaging 2023-07-19 (documented).
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.emulator.account import Account
from gateway.emulator.errors import WireError, invalid
from gateway.emulator.faults import BrokenBody, Faults
from gateway.emulator.jobs import Jobs, Roots
from gateway.emulator.model import Operation, check, operations
from gateway.emulator.operations import Operations
from gateway.emulator.store import MAX_RESULTS, Store

SEARCH = "SearchImageSets"
METADATA = "GetImageSetMetadata"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


def create_app(
    store: Store,
    *,
    faults: Faults | None = None,
    account: Account | None = None,
    roots: Mapping[str, Path] | None = None,
    access_keys: Collection[str] = (),
) -> Starlette:
    """The application that serves `store` and what `account` has besides.

    `app.state.faults` holds its faults and counts. `roots` are the folders of buckets; with
    `access_keys` a request signed with another one is refused.
    """
    account = account or Account(store)
    executor = ThreadPoolExecutor(1, "import-job")
    wire = Wire(
        account,
        Operations(account, Jobs(account, Roots(roots or {}), executor)),
        faults or Faults(),
        access_keys,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        executor.shutdown(cancel_futures=True)
        account.close()

    app = Starlette(
        routes=[
            Route("/_emulator/calls", wire.calls, methods=["GET"]),
            Route("/{path:path}", wire.serve, methods=METHODS),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.faults = wire.faults
    return app


class Wire:
    """The operations by their routes."""

    def __init__(
        self,
        account: Account,
        answering: Operations,
        faults: Faults,
        access_keys: Collection[str],
    ) -> None:
        self._account = account
        self._answering = answering.table
        self.faults = faults
        self._access_keys = access_keys
        # The search first, since it is called the most
        self._operations = sorted(operations(), key=lambda one: one.name != SEARCH)

    async def serve(self, request: Request) -> Response:
        """Whichever operation a request is for."""
        for operation in self._operations:
            found = operation.path.fullmatch(request.scope["path"])
            if found and operation.method == request.method:
                self.faults.calls[operation.name] += 1
                return await self._answer(operation, request, found.groupdict())
        message = "there is no operation of HealthImaging with this method and path"
        return _error(WireError("UnknownOperationException", 404, message))

    async def calls(self, _: Request) -> Response:
        """How often each operation was called; not AWS's."""
        return _json(dict(self.faults.calls))

    async def _answer(
        self, operation: Operation, request: Request, path: Mapping[str, str]
    ) -> Response:
        try:
            self._check_access(request)
            if operation.name == SEARCH:
                members = operation.model.input_shape.members
                check(members["datastoreId"], path["datastoreId"], "datastoreId")
                return await self._search(request, path["datastoreId"])
            body = await request.body()
            given = operation.parameters(path, request.query_params, body)
            fault = await self._metadata_fault() if operation.name == METADATA else None
            answer = await run_in_threadpool(self._answering[operation.name], given)
            content, headers = operation.answer(answer)
            if fault in ("cut", "stalled"):
                return _Half(content, headers, ends=fault == "cut")
            content = fault if isinstance(fault, bytes) else content
        except WireError as exc:
            return _error(exc)
        except Exception:  # a bug's text may hold patient data
            return _error(WireError("InternalServerException", 500, "the emulator failed"))
        return Response(content, headers={**headers, **_request_id()})

    def _check_access(self, request: Request) -> None:
        if self._access_keys:
            signed = _CREDENTIAL.search(request.headers.get("authorization", ""))
            if signed is None or signed[1] not in self._access_keys:
                raise WireError("AccessDeniedException", 403, "this access key may not do that")

    async def _metadata_fault(self) -> BrokenBody | None:
        """What is wrong with the body of a call that has just come in."""
        faults = self.faults.metadata
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        fault = faults.next_fault(self.faults.clock())
        if isinstance(fault, WireError):
            raise fault
        return fault

    async def _search(self, request: Request, datastore_id: str) -> Response:
        if self.faults.latency_ms:
            await asyncio.sleep(self.faults.latency_ms / 1000)
        fault = self.faults.next_fault()
        if isinstance(fault, WireError):
            raise fault
        token = request.query_params.get("nextToken")
        if fault == "cut":
            return _Cut()
        if fault == "unavailable":
            return Response(b"Service Unavailable", 503, media_type="text/plain")
        if fault == "not-json":
            return Response(b"<html>", media_type="application/json", headers=_request_id())
        answer = await self._searched(request, datastore_id, token)
        if fault == "same-token":
            answer = {**answer, "nextToken": token or "again"}
        return _json(answer)

    async def _searched(
        self, request: Request, datastore_id: str, token: str | None
    ) -> dict[str, Any]:
        store = self._account.store(datastore_id)
        body = await request.body()
        try:
            criteria = orjson.loads(body) if body else {}
        except orjson.JSONDecodeError:
            raise WireError("SerializationException", 400, "the body must be JSON") from None
        return await run_in_threadpool(store.search, criteria, _max_results(request), token)


def _max_results(request: Request) -> int | None:
    given = request.query_params.get("maxResults")
    if given is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", given) or not 1 <= int(given) <= MAX_RESULTS:
        raise invalid(f"maxResults must be a number from 1 to {MAX_RESULTS}")
    return int(given)


class _Cut(Response):
    """No answer: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing but a beginning."""
        headers = [(b"content-length", b"9")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class _Half(Response):
    """The first half of a body; then the connection `ends`, or nothing comes any more."""

    def __init__(self, content: bytes, headers: Mapping[str, str], *, ends: bool) -> None:
        super().__init__(content, headers=dict(headers))
        self._ends = ends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the half, and wait until the client leaves where it does not end."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        while not self._ends and (await receive())["type"] != "http.disconnect":
            pass


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers=_request_id())


def _error(exc: WireError) -> Response:
    body = {"message": exc.message}
    headers = {"x-amzn-errortype": exc.code, **_request_id()}
    return Response(orjson.dumps(body), exc.status, headers, media_type="application/json")


def _request_id() -> dict[str, str]:
    return {"x-amzn-requestid": str(uuid.uuid4())}
