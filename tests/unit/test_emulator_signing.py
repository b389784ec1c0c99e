"""Signatures, in form: what passes, and which fault of it is told."""

from __future__ import annotations

import pytest

from gateway.emulator.errors import WireError
from gateway.emulator.signing import check_access_key, check_signature

SCOPE = "20260102/us-east-1/medical-imaging/aws4_request"
SIGNATURE = "0123456789abcdef" * 4
MOMENT = "20260102T030405Z"


def signed(
    scope: str = SCOPE,
    names: str = "host;x-amz-date",
    signature: str = SIGNATURE,
    algorithm: str = "AWS4-HMAC-SHA256",
    parts: str = ", ",
    **headers: str,
) -> dict[str, str]:
    """The headers of a request."""
    credential = f"Credential=AKIDEXAMPLE/{scope}"
    authorization = f"{algorithm} " + parts.join(
        (credential, f"SignedHeaders={names}", f"Signature={signature}")
    )
    return {"host": "x", "x-amz-date": MOMENT, "authorization": authorization, **headers}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(signed(), id="the least"),
        pytest.param(signed(parts=","), id="without spaces"),
        pytest.param(signed(scope=SCOPE.replace("us-east-1", "eu-west-2")), id="another region"),
        pytest.param(signed(names="accept;host;x-amz-date", accept="*/*"), id="more headers"),
        pytest.param(
            signed(names="host;x-amz-date;x-amz-security-token", **{"x-amz-security-token": "t"}),
            id="a session's token",
        ),
    ],
)
def test_accepted(headers: dict[str, str]) -> None:
    """A signature of the right form."""
    check_signature(headers)


def _without(name: str) -> dict[str, str]:
    return {k: v for k, v in signed().items() if k != name}


MISSING, INCOMPLETE, INVALID = (
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param(_without("authorization"), MISSING, id="none"),
        pytest.param({**signed(), "authorization": "Bearer x"}, INCOMPLETE, id="a bearer token"),
        pytest.param(signed(algorithm="AWS4-HMAC-SHA1"), INCOMPLETE, id="another algorithm"),
        pytest.param(signed(signature=SIGNATURE[1:]), INCOMPLETE, id="63 digits"),
        pytest.param(signed(signature=SIGNATURE.upper()), INCOMPLETE, id="upper case"),
        pytest.param(signed(scope="20260102/us-east-1/medical-imaging"), INCOMPLETE,
                     id="a scope without its end"),
        pytest.param(_without("x-amz-date"), INCOMPLETE, id="no moment"),
        pytest.param({**signed(), "x-amz-date": "2026-01-02"}, INCOMPLETE, id="another form"),
        pytest.param(signed(names="x-amz-date"), INCOMPLETE, id="host is not signed"),
        pytest.param(signed(names="host"), INCOMPLETE, id="the moment is not signed"),
        pytest.param(signed(names="x-amz-date;host"), INCOMPLETE, id="not in order"),
        pytest.param(signed(scope=SCOPE.replace("medical-imaging", "s3")), INVALID,
                     id="another service"),
        pytest.param(signed(scope=SCOPE.replace("20260102", "20260103")), INVALID,
                     id="another day"),
        pytest.param(signed(names="accept;host;x-amz-date"), INVALID,
                     id="a signed header is missing"),
    ],
)  # fmt: skip
def test_refused(headers: dict[str, str], code: str) -> None:
    """Each fault has its name, and the key is not told."""
    with pytest.raises(WireError) as refused:
        check_signature(headers)
    assert (code, 403) == (refused.value.code, refused.value.status)
    assert "AKIDEXAMPLE" not in refused.value.message


def test_access_keys() -> None:
    """Any key will do where none is given, else only those."""
    check_access_key({}, ())
    check_access_key(signed(), ["AKIDEXAMPLE"])
    for headers in (signed(), {}):
        with pytest.raises(WireError) as refused:
            check_access_key(headers, ["OTHER"])
        assert "AccessDeniedException" == refused.value.code
