"""botocore's exceptions and HealthImaging's error codes as the gateway's errors.

Their texts stay behind: they can hold the URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from aiohttp import ClientError as HttpError
from aiohttp import SocketTimeoutError
from botocore import exceptions as botocore

from gateway.errors import (
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamValidationError,
)

_Kind = TypeVar("_Kind", bound=UpstreamError)

BODY_ERRORS = (botocore.BotoCoreError, HttpError)
"""What reading a body can raise: aiobotocore makes botocore's own of most that aiohttp raises."""

_BY_CODE: Mapping[str, type[UpstreamError]] = {
    "ThrottlingException": UpstreamThrottledError,
    "TooManyRequestsException": UpstreamThrottledError,
    "ValidationException": UpstreamValidationError,
    "InternalServerException": UpstreamUnavailableError,
    "ServiceUnavailableException": UpstreamUnavailableError,
}
"""Error codes that are not plainly a refusal. Any other code goes by its status."""

_BY_EXCEPTION: tuple[tuple[type[Exception], type[UpstreamError]], ...] = (
    (botocore.ReadTimeoutError, UpstreamTimeoutError),
    (botocore.ConnectTimeoutError, UpstreamUnavailableError),
    (botocore.HTTPClientError, UpstreamUnavailableError),
    (botocore.ConnectionError, UpstreamUnavailableError),
    (botocore.IncompleteReadError, UpstreamUnavailableError),
    (SocketTimeoutError, UpstreamTimeoutError),
    (HttpError, UpstreamUnavailableError),
    (botocore.BotoCoreError, UpstreamRejectedError),  # credentials, region, an unreadable answer
)
_MESSAGES: Mapping[type[UpstreamError], str] = {
    UpstreamThrottledError: "HealthImaging's calls a second are used up.",
    UpstreamValidationError: "HealthImaging calls the search criteria invalid.",
    UpstreamRejectedError: "HealthImaging refused the gateway's call, or can't be understood: "
    "check the data store, the region, the endpoint, the credentials and their permissions.",
    UpstreamUnavailableError: "HealthImaging can't be reached, or has failed.",
    UpstreamTimeoutError: "HealthImaging did not answer in time.",
}


def is_missing(response: Mapping[str, Any]) -> bool:
    """Whether an error response says that what was asked for is not there."""
    code: str = response.get("Error", {}).get("Code", "")
    return code == "ResourceNotFoundException"


def error_of(response: Mapping[str, Any]) -> UpstreamError:
    """Our error for an error response as botocore has read it (its ClientError.response)."""
    metadata = response.get("ResponseMetadata", {})
    code = response.get("Error", {}).get("Code", "")
    status = metadata.get("HTTPStatusCode", 0)
    kind = _BY_CODE.get(code)
    if kind is None:
        kind = UpstreamRejectedError
        if status == 429:
            kind = UpstreamThrottledError
        elif status >= 500:
            kind = UpstreamUnavailableError
    error = error_as(kind)
    error.request_id = str(metadata.get("RequestId", ""))
    error.attempts = 1 + metadata.get("RetryAttempts", 0)
    return error


def error_for(exc: Exception) -> UpstreamError:
    """Our error for a call that got no answer, or not all of it."""
    return error_as(next(ours for theirs, ours in _BY_EXCEPTION if isinstance(exc, theirs)))


def error_as(kind: type[_Kind]) -> _Kind:
    """The error of this kind, with its words."""
    return kind(_MESSAGES[kind])
