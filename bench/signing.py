"""Requests as AWS wants them signed, for the sides that ask the upstream without the gateway."""

from __future__ import annotations

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SERVICE, REGION = "medical-imaging", "us-east-1"
CREDENTIALS = Credentials("AKIDEXAMPLE", "secret-sentinel")


def signed(url: str, accept: str) -> dict[str, str]:
    """The headers of a GET."""
    request = AWSRequest("GET", url, headers={"Accept": accept})
    SigV4Auth(CREDENTIALS, SERVICE, REGION).add_auth(request)
    return dict(request.headers.items())
