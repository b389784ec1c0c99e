"""The endpoints of WADO-RS: instances, metadata, frames and bulk data.

Source: PS3.18 §10.4.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import MappingProxyType

from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import NotAcceptableError
from gateway.healthimaging.metrics import Meters
from gateway.server.caching import CacheControl
from gateway.server.endpoint import run
from gateway.server.metadata import HELD_METADATA, METADATA_OFFERED, MetadataBody
from gateway.server.negotiation import check_charset, choose_media_type, parameter_of
from gateway.server.opening import Opening
from gateway.server.paths import ROOT, check_uri_length, service_url
from gateway.server.pixels import Pixels
from gateway.server.responses import SearchAnswer
from gateway.server.streams import (
    Opened,
    StreamedAnswer,
    as_parts,
    is_multipart,
    multipart_type,
    new_boundary,
    only_part,
    wrapped,
)
from gateway.server.telemetry import record_of
from gateway.wado.media import (
    DICOM,
    MULTIPART,
    OCTETS,
    SYNTAXES_OF,
    Form,
    Wanted,
    bulk_forms,
    frame_forms,
    instance_forms,
    wanted,
)
from gateway.wado.requests import Target, bulk_path, frame_numbers, target_of
from gateway.wado.upstream import Incoming, Retrieval


class Retrieve(Enum):
    """The resources that are retrieved; the value is the path under the base URL."""

    STUDY = "/studies/{study}"
    STUDY_METADATA = "/studies/{study}/metadata"
    SERIES = "/studies/{study}/series/{series}"
    SERIES_METADATA = "/studies/{study}/series/{series}/metadata"
    INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"
    INSTANCE_METADATA = "/studies/{study}/series/{series}/instances/{instance}/metadata"
    FRAMES = "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}"
    BULK_DATA = "/studies/{study}/series/{series}/instances/{instance}/bulkdata/{path}"


_INSTANCES = (f'{MULTIPART}; type="{DICOM}"',)
_FRAMES = tuple(
    one for media_type in SYNTAXES_OF for one in (f'{MULTIPART}; type="{media_type}"', media_type)
)
MEDIA_TYPES: Mapping[Retrieve, Sequence[str]] = MappingProxyType(
    {
        Retrieve.STUDY: _INSTANCES,
        Retrieve.STUDY_METADATA: METADATA_OFFERED,
        Retrieve.SERIES: _INSTANCES,
        Retrieve.SERIES_METADATA: METADATA_OFFERED,
        Retrieve.INSTANCE: (*_INSTANCES, DICOM),
        Retrieve.INSTANCE_METADATA: METADATA_OFFERED,
        Retrieve.FRAMES: _FRAMES,
        Retrieve.BULK_DATA: (f'{MULTIPART}; type="{OCTETS}"', OCTETS),
    }
)
"""The media types of each resource, the default first."""


@dataclass(frozen=True, slots=True)
class RetrieveOptions:
    """What an operator decides about retrieves."""

    public_base_url: str | None = None
    cache_control: CacheControl = "no-cache"


def retrieve_routes(
    retrieval: Retrieval, meters: Meters, options: RetrieveOptions, pixels: Pixels | None = None
) -> list[Route]:
    """The routes of all that is retrieved. Those of searches go before them.

    `pixels` decodes frames that the upstream does not decode.
    """
    opening = Opening(retrieval, pixels or Pixels(retrieval))
    return [
        Route(
            # What is behind a BulkDataURI may have slashes
            ROOT + resource.value.replace("{path}", "{path:path}"),
            RetrieveEndpoint(resource, opening, meters, options),
            methods=["GET"],
        )
        for resource in Retrieve
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: what its path names, what it accepts, and where its facts are noted."""

    target: Target
    params: Mapping[str, str]
    accept: str | None
    accept_parameter: str | None
    service: str
    facts: dict[str, object]

    def forms(self, of: Callable[[Sequence[Wanted]], Sequence[Form]]) -> Sequence[Form]:
        """The forms that the client accepts, of a resource that `of` tells those of.

        Raises: NotAcceptableError.
        """
        if self.accept_parameter and self.accept_parameter.strip():
            with suppress(NotAcceptableError):  # then the header counts, as in a search
                return of(wanted(self.accept_parameter))
        return of(wanted(self.accept))


class RetrieveEndpoint:
    """One resource that is retrieved."""

    def __init__(
        self, resource: Retrieve, opening: Opening, meters: Meters, options: RetrieveOptions
    ) -> None:
        self._resource, self._opening = resource, opening
        self._meters, self._options = meters, options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and end what the upstream sends when the client leaves."""
        await run(self._answer, ROOT + self._resource.value, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_uri_length(scope)
        query_string: bytes = scope["query_string"]
        params: Mapping[str, str] = scope["path_params"]
        asked = _Asked(
            target=target_of(params),
            params=params,
            accept=", ".join(Headers(scope=scope).getlist("accept")) or None,
            accept_parameter=parameter_of(query_string, "accept"),
            service=service_url(scope, self._options.public_base_url),
            facts=record_of(scope).facts,
        )
        check_charset(parameter_of(query_string, "charset"))
        answer = await self._answer_to(asked)
        await answer(scope, receive, send)

    async def _answer_to(self, asked: _Asked) -> ASGIApp:
        match self._resource:
            case Retrieve.STUDY | Retrieve.SERIES:
                return self._instances(asked)
            case Retrieve.INSTANCE:
                forms = asked.forms(partial(instance_forms, single=True))
                return self._given(*await self._opening.instance(asked.target, forms))
            case Retrieve.FRAMES:
                numbers = frame_numbers(asked.params["frames"])
                frames = asked.forms(partial(frame_forms, single=len(numbers) == 1))
                found = await self._opening.frames(asked.target, numbers, frames)
                asked.facts["parts"] = len(numbers)
                return self._given(*found)
            case Retrieve.BULK_DATA:
                path, bulk = bulk_path(asked.params["path"]), asked.forms(bulk_forms)
                return self._given(*await self._opening.bulk_data(asked.target, path, bulk))
            case _:
                return self._metadata(asked)

    def _instances(self, asked: _Asked) -> StreamedAnswer:
        forms = asked.forms(partial(instance_forms, single=False))
        boundary = new_boundary()
        bodies = _counted(self._opening.instances(asked.target, forms), asked.facts)
        content_type = multipart_type(DICOM, boundary)
        chunks = as_parts(bodies, boundary)
        return StreamedAnswer(content_type, chunks, cache_control=self._options.cache_control)

    def _given(self, form: Form, incoming: Incoming) -> _Given:
        return _Given(form, incoming, self._options.cache_control)

    def _metadata(self, asked: _Asked) -> SearchAnswer:
        media_type = choose_media_type(asked.accept, asked.accept_parameter, METADATA_OFFERED)
        body = MetadataBody(
            self._opening.metadata(asked.target),
            media_type,
            asked.service,
            self._meters.malformed_instance,
            asked.facts.update,
        )
        return SearchAnswer(
            chunks=body.chunks(),
            media_type=media_type,
            service=asked.service,
            warnings=body.warnings,
            is_empty=body.is_empty,
            cache_control=self._options.cache_control,
            held_bytes=HELD_METADATA,
        )


@dataclass(frozen=True, slots=True)
class _Given:
    """One body in the form that was chosen for it."""

    form: Form
    incoming: Incoming
    cache_control: CacheControl

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; it is closed whatever happens."""
        async with aclosing(self.incoming):
            body = await self._formed()
            answer = StreamedAnswer(body.content_type, body.chunks, body.length, self.cache_control)
            async with aclosing(body):
                await answer(scope, receive, send)

    async def _formed(self) -> Incoming:
        """The same by itself or in parts. What comes as it has to go is passed on untouched."""
        if not self.form.is_multipart:
            return await only_part(self.incoming)
        return self.incoming if is_multipart(self.incoming) else wrapped(self.incoming)


async def _counted(
    opened: AsyncGenerator[Opened, None], facts: dict[str, object]
) -> AsyncGenerator[Incoming, None]:
    number = 0
    async with aclosing(opened):
        async for one in opened:
            number += 1
            facts["parts"] = number
            yield one.incoming
