"""The wire: HealthImaging's rest-json operations over HTTP, and its DICOMweb at the same address.

Source: botocore's service model of medical-imaging 2023-07-19 (documented).
"""

from __future__ import annotations

import asyncio
import re
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

from gateway.emulator.account import Account
from gateway.emulator.answers import (
    Cut,
    broken,
    error_answer,
    json_answer,
    request_id,
    unavailable,
)
from gateway.emulator.dicomweb import DicomWeb
from gateway.emulator.errors import WireError, invalid
from gateway.emulator.faults import Faults
from gateway.emulator.htj2k import FramesAs
from gateway.emulator.jobs import Jobs, Roots
from gateway.emulator.model import Operation, check, operations
from gateway.emulator.operations import Operations
from gateway.emulator.signing import check_access_key
from gateway.emulator.store import MAX_RESULTS, Store

SEARCH = "SearchImageSets"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def create_app(
    store: Store,
    *,
    faults: Faults | None = None,
    account: Account | None = None,
    roots: Mapping[str, Path] | None = None,
    access_keys: Collection[str] = (),
    frames_as: FramesAs = "stored",
) -> Starlette:
    """The application that serves `store` and what `account` has besides.

    `app.state.faults` holds its faults and counts. `roots` are the folders of buckets; with
    `access_keys` a request signed with another one is refused. `frames_as` is how pixels
    are stored.
    """
    account = account or Account(store)
    executor = ThreadPoolExecutor(1, "import-job")
    faults = faults or Faults()
    jobs = Jobs(account, Roots(roots or {}), executor)
    wire = Wire(account, Operations(account, jobs, frames_as), faults, access_keys)
    dicomweb = DicomWeb(account, faults, access_keys, frames_as)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        executor.shutdown(cancel_futures=True)
        account.close()

    app = Starlette(
        routes=[
            Route("/_emulator/calls", wire.calls, methods=["GET"]),
            Route("/datastore/{id}/studies/{path:path}", dicomweb.serve, methods=METHODS),
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
        return error_answer(WireError("UnknownOperationException", 404, message))

    async def calls(self, _: Request) -> Response:
        """How often each operation was called; not AWS's."""
        return json_answer(dict(self.faults.calls))

    async def _answer(
        self, operation: Operation, request: Request, path: Mapping[str, str]
    ) -> Response:
        try:
            check_access_key(request.headers, self._access_keys)
            if operation.name == SEARCH:
                members = operation.model.input_shape.members
                check(members["datastoreId"], path["datastoreId"], "datastoreId")
                return await self._search(request, path["datastoreId"])
            body = await request.body()
            given = operation.parameters(path, request.query_params, body)
            fault = await self.faults.fault_of(operation.name)
            answer = await run_in_threadpool(self._answering[operation.name], given)
            content, headers = operation.answer(answer)
        except WireError as exc:
            return error_answer(exc)
        except Exception:  # a bug's text may hold patient data
            return error_answer(WireError("InternalServerException", 500, "the emulator failed"))
        return broken(Response(content, headers={**headers, **request_id()}), fault)

    async def _search(self, request: Request, datastore_id: str) -> Response:
        if self.faults.latency_ms:
            await asyncio.sleep(self.faults.latency_ms / 1000)
        fault = self.faults.next_fault()
        if isinstance(fault, WireError):
            raise fault
        token = request.query_params.get("nextToken")
        if fault == "cut":
            return Cut()
        if fault == "unavailable":
            return unavailable()
        if fault == "not-json":
            return Response(b"<html>", media_type="application/json", headers=request_id())
        answer = await self._searched(request, datastore_id, token)
        if fault == "same-token":
            answer = {**answer, "nextToken": token or "again"}
        return json_answer(answer)

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
