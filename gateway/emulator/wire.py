"""The wire: HealthImaging's rest-json operations over HTTP.

Source: botocore's service model of medical-imaging 2023-07-19 (documented).
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.emulator.errors import WireError, invalid
from gateway.emulator.faults import Faults
from gateway.emulator.store import MAX_RESULTS, Store

ACCOUNT, REGION = "123456789012", "us-east-1"
STATUSES = ("CREATING", "CREATE_FAILED", "ACTIVE", "DELETING", "DELETED")

Handler = Callable[[Request], Awaitable[dict[str, Any]]]


def create_app(store: Store, *, faults: Faults | None = None) -> Starlette:
    """The application that serves `store`; `app.state.faults` holds its faults and counts."""
    wire = Wire(store, faults or Faults())
    app = Starlette(
        routes=[
            Route("/datastore/{datastore}/searchImageSets", wire.search, methods=["POST"]),
            Route("/datastore/{datastore}", wire.get_datastore, methods=["GET"]),
            Route("/datastore", wire.list_datastores, methods=["GET"]),
            Route(
                "/datastore/{datastore}/imageSet/{image_set}/getImageSet",
                wire.get_image_set,
                methods=["POST"],
            ),
            Route("/_emulator/calls", wire.calls, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _unknown},
    )
    app.router.redirect_slashes = False
    app.state.faults = wire.faults
    return app


class Wire:
    """The operations."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.faults = faults

    async def search(self, request: Request) -> Response:
        """SearchImageSets."""
        self.faults.calls["SearchImageSets"] += 1
        if self.faults.latency_ms:
            await asyncio.sleep(self.faults.latency_ms / 1000)
        fault = self.faults.next_fault()
        if isinstance(fault, WireError):
            return _error(fault)
        token = request.query_params.get("nextToken")
        if fault == "cut":
            return _Cut()
        if fault == "unavailable":
            return Response(b"Service Unavailable", 503, media_type="text/plain")
        if fault == "not-json":
            return Response(b"<html>", media_type="application/json", headers=_request_id())
        answer = await _answered(self._searched(request, token))
        if fault == "same-token" and answer.status_code == 200:
            body = {**orjson.loads(answer.body), "nextToken": token or "again"}
            return _json(body)
        return answer

    async def _searched(self, request: Request, token: str | None) -> dict[str, Any]:
        self._check(request)
        body = await request.body()
        try:
            criteria = orjson.loads(body) if body else {}
        except orjson.JSONDecodeError:
            raise WireError("SerializationException", 400, "the body must be JSON") from None
        size = _max_results(request)
        return await run_in_threadpool(self.store.search, criteria, size, token)

    async def get_datastore(self, request: Request) -> Response:
        """GetDatastore."""
        self.faults.calls["GetDatastore"] += 1

        async def answer() -> dict[str, Any]:
            self._check(request)
            return {"datastoreProperties": self._datastore()}

        return await _answered(answer())

    async def list_datastores(self, request: Request) -> Response:
        """ListDatastores."""
        self.faults.calls["ListDatastores"] += 1

        async def answer() -> dict[str, Any]:
            status = request.query_params.get("datastoreStatus", "ACTIVE")
            if status not in STATUSES:
                raise invalid("datastoreStatus must be one of " + ", ".join(STATUSES))
            _max_results(request)
            if "nextToken" in request.query_params:
                raise invalid("nextToken is not one that was given")
            return {"datastoreSummaries": [self._datastore()] if status == "ACTIVE" else []}

        return await _answered(answer())

    async def get_image_set(self, request: Request) -> Response:
        """GetImageSet."""
        self.faults.calls["GetImageSet"] += 1
        return await _answered(self._image_set(request))

    async def _image_set(self, request: Request) -> dict[str, Any]:
        self._check(request)
        image_set_id = request.path_params["image_set"]
        summary = await run_in_threadpool(self.store.get_image_set, image_set_id)
        version = request.query_params.get("version")
        if summary is None or version not in (None, str(summary["version"])):
            raise WireError("ResourceNotFoundException", 404, "there is no such image set")
        arn = f"{self._arn()}/imageset/{image_set_id}"
        answer = {
            "datastoreId": self.store.datastore_id,
            "imageSetId": image_set_id,
            "versionId": str(summary["version"]),
            "imageSetState": "ACTIVE",
            "imageSetWorkflowStatus": "CREATED" if summary["version"] == 1 else "UPDATED",
            "createdAt": summary["createdAt"],
            "updatedAt": summary["updatedAt"],
            "imageSetArn": arn,
        }
        if "isPrimary" in summary:
            answer["isPrimary"] = summary["isPrimary"]
        return answer

    async def calls(self, _: Request) -> Response:
        """How often each operation was called; not AWS's."""
        return _json(dict(self.faults.calls))

    def _check(self, request: Request) -> None:
        if request.path_params["datastore"] != self.store.datastore_id:
            raise WireError("ResourceNotFoundException", 404, "there is no such data store")

    def _arn(self) -> str:
        return f"arn:aws:medical-imaging:{REGION}:{ACCOUNT}:datastore/{self.store.datastore_id}"

    def _datastore(self) -> dict[str, Any]:
        return {
            "datastoreId": self.store.datastore_id,
            "datastoreName": "emulator",
            "datastoreStatus": "ACTIVE",
            "datastoreArn": self._arn(),
            "createdAt": self.store.created_at,
            "updatedAt": self.store.created_at,
        }


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


async def _answered(answer: Awaitable[dict[str, Any]]) -> Response:
    try:
        return _json(await answer)
    except WireError as exc:
        return _error(exc)
    except Exception:  # a bug's text may hold patient data
        return _error(WireError("InternalServerException", 500, "the emulator failed"))


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers=_request_id())


def _error(exc: WireError) -> Response:
    body = {"message": exc.message}
    headers = {"x-amzn-errortype": exc.code, **_request_id()}
    return Response(orjson.dumps(body), exc.status, headers, media_type="application/json")


def _request_id() -> dict[str, str]:
    return {"x-amzn-requestid": str(uuid.uuid4())}


async def _unknown(_: Request, __: Exception) -> Response:
    message = "the emulator has SearchImageSets, GetDatastore, ListDatastores and GetImageSet only"
    return _error(WireError("UnknownOperationException", 404, message))
