"""A DICOMweb that answers as it is told, beside an emulator that searches, and what asks them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.app import Parts, parts_of, retrieval_of
from gateway.config import Settings
from gateway.emulator.faults import Faults
from gateway.emulator.wire import create_app
from gateway.healthimaging.dicomweb import DicomWeb
from tests.contract.serving import running
from tests.laws.harness import DATASTORE_ID, store_of

STUDY, SERIES, INSTANCE = "1.2.1", "1.2.1.1", "1.2.1.1.1"

Ending = Literal["well", "cut", "stalled", "endless"]


@dataclass(frozen=True)
class Answer:
    """What the DICOMweb says; "cut" and "stalled" come to the half of `body`."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/dicom"
    code: str = ""
    ending: Ending = "well"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Web:
    """The DICOMweb: answers in turn, the last one for ever; what it was asked; who has left."""

    answers: deque[Answer] = field(default_factory=lambda: deque([Answer()]))
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    clients: set[Any] = field(default_factory=set)
    sent: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def says(self, *answers: Answer) -> None:
        """Answer so from now on."""
        self.answers = deque(answers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        query = scope["query_string"].decode()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append((scope["raw_path"].decode() + (query and f"?{query}"), headers))
        self.clients.add(scope["client"])
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        told = {"content-type": answer.content_type, "x-amzn-requestid": "a-1", **answer.headers}
        if answer.code:
            told["x-amzn-errortype"] = answer.code
        if answer.ending != "endless":
            told.setdefault("content-length", str(len(answer.body)))
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(name.encode(), value.encode()) for name, value in told.items()],
            }
        )
        await self._send_body(answer, receive, send)

    async def _send_body(self, answer: Answer, receive: Receive, send: Send) -> None:
        if answer.ending == "well":
            await send({"type": "http.response.body", "body": answer.body})
            return
        await receive()  # the request's own body, which is empty
        gone: asyncio.Future[Any] = asyncio.ensure_future(receive())
        part = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        while answer.ending != "cut" and not gone.done():
            if answer.ending == "endless":
                await send({"type": "http.response.body", "body": part, "more_body": True})
                self.sent += len(part)
            await asyncio.wait([gone], timeout=0.001)
        if gone.done():
            self.left.set()
        gone.cancel()


@dataclass
class Site:
    """What retrieves, and what it asks."""

    retrieval: DicomWeb
    parts: Parts
    web: Web
    faults: Faults
    url: str

    def counted(self, operation: str) -> dict[str, int]:
        """How the calls of an operation have ended, by outcome."""
        (family,) = (
            one
            for one in self.parts.meters.registry.collect()
            if one.name == "qido_gateway_upstream_calls"
        )
        return {
            one.labels["outcome"]: int(one.value)
            for one in family.samples
            if one.labels["operation"] == operation and one.name.endswith("_total") and one.value
        }


def summary(
    number: int, study_uid: str = STUDY, series_uid: str = SERIES, **more: Any
) -> dict[str, Any]:
    """An image set; primary unless it is told otherwise."""
    tags = {"DICOMStudyInstanceUID": study_uid, "DICOMStudyDate": "20200101"}
    if series_uid:
        tags["DICOMSeriesInstanceUID"] = series_uid
    given = {"version": 1, "isPrimary": True, "createdAt": 1.7e9, "updatedAt": 1.7e9 + number}
    more_tags = more.pop("tags", {})
    return {"imageSetId": f"{number:032x}", "DICOMTags": {**tags, **more_tags}, **given, **more}


@asynccontextmanager
async def site(
    monkeypatch: pytest.MonkeyPatch,
    summaries: Sequence[Mapping[str, Any]] | None = None,
    *,
    retrieve: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Site]:
    """Both upstreams on one address; what is given besides are settings."""
    store, faults, web = store_of([summary(1)] if summaries is None else summaries), Faults(), Web()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "AKIDEXAMPLE")
    async with running(_both(create_app(store, faults=faults), web)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", url)
        given: dict[str, Any] = {"retrieve": retrieve or {}, "walk_ttl_s": 0.0, **settings}
        chosen = Settings(datastore_id=DATASTORE_ID, region="us-east-1", **given)
        parts = parts_of(chosen)
        retrieval = retrieval_of(chosen, parts)
        assert isinstance(retrieval, DicomWeb)
        try:
            yield Site(retrieval, parts, web, faults, url)
        finally:
            parts.walks.close()
            await retrieval.aclose()
            await parts.client.aclose()
    store.close()


def _both(emulator: ASGIApp, web: ASGIApp) -> ASGIApp:
    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        is_web = scope["type"] == "http" and "/studies/" in scope["path"]
        await (web if is_web else emulator)(scope, receive, send)

    return either
