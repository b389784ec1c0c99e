"""Signature Version 4, in form only: the emulator has no secrets, so nothing is proven by it.

Source: AWS's general reference, "Signature Version 4 signing process" (documented: the header's
parts, the scope, that host is signed). The status of each fault is 403; a signature in the query is
none (both assumed).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from gateway.emulator.errors import WireError

SERVICE = "medical-imaging"

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/(?P<day>[0-9]{8})/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[a-z0-9-]+)/aws4_request, *SignedHeaders=(?P<headers>[a-z0-9;_.-]+), *"
    r"Signature=[0-9a-f]{64}"
)
_MOMENT = re.compile(r"([0-9]{8})T[0-9]{6}Z")


def check_access_key(headers: Mapping[str, str], access_keys: Collection[str]) -> None:
    """Refuse a request that is not signed with one of the keys, where there are any.

    Raises: WireError, an AccessDeniedException.
    """
    if access_keys:
        signed = _CREDENTIAL.search(headers.get("authorization", ""))
        if signed is None or signed[1] not in access_keys:
            raise WireError("AccessDeniedException", 403, "this access key may not do that")


def check_signature(headers: Mapping[str, str]) -> None:
    """Refuse a request without a signature of the right form.

    Raises: WireError, which names the part that is wrong.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        raise WireError("MissingAuthenticationTokenException", 403, "the request is not signed")
    signed = _AUTHORIZATION.fullmatch(authorization)
    if signed is None:
        raise _incomplete("Authorization must have Credential, SignedHeaders and Signature")
    moment = _MOMENT.fullmatch(headers.get("x-amz-date", ""))
    if moment is None:
        raise _incomplete("X-Amz-Date must be a moment of the form YYYYMMDDTHHMMSSZ")
    if signed["service"] != SERVICE:
        raise _mismatch(f"the credential must be scoped to {SERVICE}")
    if signed["day"] != moment[1]:
        raise _mismatch("the credential must be scoped to the day of X-Amz-Date")
    names = signed["headers"].split(";")
    if not {"host", "x-amz-date"} <= set(names) or names != sorted(set(names)):
        raise _incomplete("SignedHeaders must have host and x-amz-date, in order")
    if not all(name in headers for name in names):
        raise _mismatch("a header that is signed must be there")


def _incomplete(message: str) -> WireError:
    return WireError("IncompleteSignatureException", 403, message)


def _mismatch(message: str) -> WireError:
    return WireError("InvalidSignatureException", 403, message)
