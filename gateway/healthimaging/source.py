"""Where image sets come from: one data store, as one role sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_MEDICAL_IMAGING", "AWS_ENDPOINT_URL")


@dataclass(frozen=True, slots=True)
class Source:
    """What pages belong to: equal calls to equal sources may share an answer.

    `endpoint` is "" for AWS's own in `region`; `role` is "" for the process's own credentials.
    """

    endpoint: str
    region: str
    role: str
    datastore_id: str


def configured_endpoint(environment: Mapping[str, str] = os.environ) -> str:
    """The endpoint that AWS's own variables name, the service's own before any; "" without one."""
    named = (environment.get(name) for name in _ENDPOINT_VARIABLES)
    return next((endpoint for endpoint in named if endpoint), "")
