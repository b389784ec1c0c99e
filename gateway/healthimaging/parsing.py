"""SearchImageSets' answers from their bytes, past botocore's generic parser.

That one costs more than all else that is done for a page. It also reads any body that it doesn't
know as an empty page, which would be taken for an empty store: here it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson
from aiobotocore.parsers import AioResponseParserFactory, AioRestJSONParser
from botocore.utils import parse_timestamp

from gateway.errors import UpstreamRejectedError
from gateway.healthimaging.errors import error_as
from gateway.search.imageset import ImageSet, Page

_OPERATION = "SearchImageSets"
OK = 200
"""The only status of SearchImageSetsResponse."""
_LIST = "imageSetsMetadataSummaries"
_BESIDE_LIST = frozenset({"sort", "nextToken"})
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799  # the years 1 and 9999


class ParserFactory(AioResponseParserFactory):  # type: ignore[misc]  # it has no types
    """aiobotocore's parsers; the one of HealthImaging's protocol leaves SearchImageSets to us."""

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a protocol."""
        if protocol_name == "rest-json":
            return _Parser(**self._defaults)
        return super().create_parser(protocol_name)


class _Parser(AioRestJSONParser):  # type: ignore[misc]  # it has no types
    async def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        """What botocore takes for the parsed answer."""
        searched = response.get("context", {}).get("operation_name") == _OPERATION
        if not searched or response["status_code"] != OK:
            return await super().parse(response, shape)
        body = response["body"]
        metadata = {"HTTPStatusCode": OK, "HTTPHeaders": response["headers"]}
        return {"Document": document_of(body), "Size": len(body), "ResponseMetadata": metadata}


def searched(parsed: Mapping[str, Any]) -> tuple[Mapping[str, Any], Page]:
    """SearchImageSetsResponse as plain JSON and as a page, of what the parser has made.

    Raises: UpstreamRejectedError for any other answer.
    """
    attempts = 1 + parsed.get("ResponseMetadata", {}).get("RetryAttempts", 0)
    document = parsed.get("Document")  # None too where it was not 200
    try:
        return document or {}, page_of(document, attempts, parsed.get("Size", 0))
    except UpstreamRejectedError as exc:
        exc.attempts = attempts
        raise


def document_of(body: bytes) -> Any:
    """The JSON of a body, with "?" for each lone surrogate; None where it is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # It refuses lone surrogates, too: one odd character must not cost a page
    try:
        return _clean(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _clean(value: Any) -> Any:
    # A lone surrogate can stand in JSON but in no answer of ours
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case list():
            return [_clean(one) for one in value]
        case dict():
            return {_clean(name): _clean(one) for name, one in value.items()}
    return value


def page_of(document: Any, attempts: int = 1, size: int = 0) -> Page:
    """The page of a SearchImageSetsResponse as plain JSON.

    Raises: UpstreamRejectedError where it is none.
    """
    if not isinstance(document, dict):
        raise error_as(UpstreamRejectedError)
    if _LIST not in document and not document.keys() <= _BESIDE_LIST:
        raise error_as(UpstreamRejectedError)
    summaries = document.get(_LIST)
    next_token = document.get("nextToken")
    if not isinstance(summaries, list | None) or not isinstance(next_token, str | None):
        raise error_as(UpstreamRejectedError)
    return Page(_image_sets_of(summaries or ()), next_token or "", attempts, size)


def _image_sets_of(summaries: Sequence[Any]) -> tuple[ImageSet, ...]:
    # This is what a page costs: no call for a value that is as it should be
    found = []
    for summary in summaries:
        if not isinstance(summary, dict):
            raise error_as(UpstreamRejectedError)
        value_of = summary.get
        image_set_id, version = value_of("imageSetId"), value_of("version")
        is_primary, tags = value_of("isPrimary"), value_of("DICOMTags")
        if (
            type(image_set_id) is not str
            or (type(version) is not int and version is not None)
            or (is_primary is not True and is_primary is not False and is_primary is not None)
            or (type(tags) is not dict and tags is not None)
        ):
            raise error_as(UpstreamRejectedError)
        if tags:
            for value in tags.values():
                if (type(value) is not str and type(value) is not int) or not value:
                    tags = _tags_of(tags)
                    break
        created_at, updated_at = value_of("createdAt"), value_of("updatedAt")
        if type(created_at) is not float or not _FIRST_S <= created_at <= _LAST_S:
            created_at = _seconds(created_at)
        if type(updated_at) is not float or not _FIRST_S <= updated_at <= _LAST_S:
            updated_at = _seconds(updated_at)
        found.append(
            ImageSet(image_set_id, tags or {}, version or 0, created_at, updated_at, is_primary)
        )
    return tuple(found)


def _tags_of(tags: Mapping[str, Any]) -> dict[str, str | int]:
    """Those that have a value.

    Raises: UpstreamRejectedError for a value that is neither text nor integer.
    """
    if not all(isinstance(value, str | int | None) for value in tags.values()):
        raise error_as(UpstreamRejectedError)
    return {name: value for name, value in tags.items() if value is not None and value != ""}


def _seconds(value: Any) -> float:
    """Seconds since 1970 of a time that is no float; a text is read as botocore reads it.

    Raises: UpstreamRejectedError.
    """
    if value is None:
        return 0.0
    seconds: float = -1e99
    if isinstance(value, str):
        with suppress(ValueError, OverflowError, RuntimeError):
            seconds = parse_timestamp(value).timestamp()
    elif type(value) is int:
        seconds = value
    if not _FIRST_S <= seconds <= _LAST_S:
        raise error_as(UpstreamRejectedError)
    return float(seconds)
