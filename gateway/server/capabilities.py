"""What the service can do, as JSON: PS3.18 §8.9, Retrieve Capabilities."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import NotAcceptableError
from gateway.qido.attributes import (
    Attribute,
    Level,
    Resource,
    answerable,
    is_known,
    returned_by_default,
)
from gateway.qido.conditions import is_matchable
from gateway.qido.query import PARAMETERS, Dialect
from gateway.server.negotiation import JSON, OFFERED, choose_media_type
from gateway.server.paths import own_path
from gateway.server.rendering import KINDS, TARGETS
from gateway.server.responses import error_response
from gateway.server.retrieving import MEDIA_TYPES
from gateway.server.telemetry import record_of

METHODS = ("GET", "HEAD", "OPTIONS")
"""What each resource allows."""


def capabilities(dialect: Dialect, *, retrieves: bool = False) -> dict[str, Any]:
    """The resources, each with its methods and media types; searches with what can be asked.

    `matched` says that a key on the attribute is a criterion, `returned` whether an answer has the
    attribute always or where the request names it, `otherAttributes` that all others are matched
    and returned too where the request names them.
    """
    searches = [_resource(resource, dialect) for resource in Resource]
    retrieved = [
        {"path": one.value, "methods": METHODS, "mediaTypes": offered}
        for one, offered in MEDIA_TYPES.items()
    ]
    retrieved += [
        {"path": f"{path}/{kind}", "methods": METHODS, "mediaTypes": offered}
        for kind, offered in KINDS.items()
        for path in TARGETS
    ]
    return {"resources": [*searches, *(retrieved if retrieves else [])]}


def is_matched(attribute: Attribute, resource: Resource, dialect: Dialect) -> bool:
    """Whether a key on `attribute` is a criterion there; of a sequence, a key on its items."""
    return is_matchable(attribute) and is_known(attribute, resource, dialect.study_attributes)


def _resource(resource: Resource, dialect: Dialect) -> dict[str, Any]:
    default = returned_by_default(resource)
    return {
        "path": resource.value,
        "methods": METHODS,
        "mediaTypes": OFFERED,
        "parameters": PARAMETERS,
        "attributes": [
            {
                "keyword": attribute.keyword,
                "tag": attribute.tag,
                "vr": attribute.vr,
                "matched": is_matched(attribute, resource, dialect),
                "returned": "always" if attribute in default else "asked",
            }
            for attribute in answerable(resource, dialect.study_attributes)
        ],
        # An instance's metadata has whatever the instance has, private attributes too
        "otherAttributes": resource.level is Level.INSTANCE,
    }


class Capabilities:
    """The endpoint of the base URL."""

    def __init__(self, dialect: Dialect, *, retrieves: bool = False) -> None:
        self._body = orjson.dumps(capabilities(dialect, retrieves=retrieves))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET, HEAD and OPTIONS alike; the standard asks by OPTIONS."""
        record_of(scope).facts["route"] = own_path(scope)
        accept = ", ".join(Headers(scope=scope).getlist("accept")) or None
        try:
            media_type = choose_media_type(accept, offered=(JSON,))
        except NotAcceptableError as exc:
            await error_response(exc)(scope, receive, send)
            return
        headers = {"allow": ", ".join(METHODS), "cache-control": "no-cache", "vary": "Accept"}
        await Response(self._body, 200, headers, media_type)(scope, receive, send)
