"""The page at `/`: the newest studies as a table, with a search; plain HTML, without a script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

import orjson
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import QueryError, UriTooLongError
from gateway.qido.attributes import Resource
from gateway.qido.query import parse_query
from gateway.server.compression import compressed
from gateway.server.endpoint import run
from gateway.server.page_html import FIELDS, Links, Shown, html
from gateway.server.page_style import POLICY
from gateway.server.paths import ROOT, prefix_of
from gateway.server.responses import error_response, log_failure, problem
from gateway.server.searches import RunningSearch, SearchService
from gateway.server.telemetry import record_of
from gateway.server.viewer import VIEWER

ROWS = 50
"""Studies on one page."""
MAX_QUERY_BYTES = 4_096

_PARTING = re.compile(r"[\s,\\]+")
_FIELD_OF = {
    "PatientName": "Patient name",
    "PatientID": "Patient ID",
    "ModalitiesInStudy": "Modality",
}
_HEADERS = {
    "cache-control": "private, no-store",
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",  # the address holds what was searched for
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the form asks for: by the name of each field that is filled in, what stands in it."""

    filled: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, query_string: bytes) -> Filters:
        """Those of a request's query; of a field that comes twice, the last."""
        given = QueryParams(query_string.decode("latin-1"))
        texts = {name: given.get(name, "").strip() for name in FIELDS}
        return cls({name: text for name, text in texts.items() if text})

    def query_string(self, offset: str) -> bytes:
        """The same as the query of a search for studies, one more than a page shows.

        Raises: QueryError, which names the field.
        """
        keys = {"limit": str(ROWS + 1), "offset": offset or "0"}
        if name := self.filled.get("name"):
            keys["PatientName"] = f"*{name}*"
        if patient_id := self.filled.get("id"):
            # As it is: whole, it is found by one call; HealthImaging can't search for a part
            keys["PatientID"] = patient_id
        if modality := self.filled.get("modality"):
            keys["ModalitiesInStudy"] = ",".join(filter(None, _PARTING.split(modality.upper())))
        if days := self._days():
            keys["StudyDate"] = days
        return urlencode(keys).encode()

    def _days(self) -> str:
        first, last = self._day("from"), self._day("to")
        if first and last and first > last:
            raise QueryError("To", "must not be before From")
        return first if first == last else f"{first}-{last}"

    def _day(self, name: str) -> str:
        text = self.filled.get(name, "")
        if not text:
            return ""
        try:
            return date.fromisoformat(text).isoformat().replace("-", "")
        except ValueError:
            raise QueryError(name.capitalize(), "must be a day, YYYY-MM-DD") from None


class Page:
    """The endpoint of the page."""

    def __init__(self, service: SearchService, *, is_on: bool, has_viewer: bool) -> None:
        self._service = service
        self._is_on, self._has_viewer = is_on, has_viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page, of which a failure is a sentence; its status tells of it too."""
        await run(self._answer if self._is_on else _nothing, "/", scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = prefix_of(scope)
        viewer = prefix + VIEWER if self._has_viewer else ""
        links = Links(f"{prefix}/", prefix + ROOT, viewer)
        query_string: bytes = scope["query_string"]
        filters, status, headers = Filters({}), 200, _HEADERS
        try:
            if len(query_string) > MAX_QUERY_BYTES:
                raise UriTooLongError("That is too long to search for.")
            filters = Filters.of(query_string)
            shown = await self._found(filters, query_string, scope)
        except Exception as exc:  # a bug must look like a bug, and say no more
            log_failure(scope, exc)
            failed = error_response(exc)
            status, shown = failed.status_code, Shown(problem=_sentence(exc, failed))
            again = {k: v for k, v in failed.headers.items() if k == "retry-after"}
            headers = {**_HEADERS, **again}
        text = html(filters.filled, shown, links)
        await compressed(Response(text, status, headers, "text/html"))(scope, receive, send)

    async def _found(self, filters: Filters, query_string: bytes, scope: Scope) -> Shown:
        offset = QueryParams(query_string.decode("latin-1")).get("offset", "")
        asked = filters.query_string(offset)
        query = parse_query(Resource.STUDIES, asked, dialect=self._service.dialect)
        running = self._service.start(query)
        results = await running.gathered(record_of(scope).facts.update)
        return Shown(
            results=results[: _page_size(running)],
            offset=query.offset,
            has_more=len(results) == running.limit,
            total=running.total(),
            page_size=_page_size(running),
            notes=tuple(running.count_warnings()),
        )


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await problem(404, "There is no such resource.")(scope, receive, send)


def _page_size(running: RunningSearch) -> int:
    return max(1, running.limit - 1)  # an operator may allow few results


def _sentence(exc: Exception, response: Response) -> str:
    if isinstance(exc, QueryError):  # by what the form calls it
        return f"{_FIELD_OF.get(exc.parameter, exc.parameter)}: {exc.problem}."
    return str(orjson.loads(response.body)["detail"])
