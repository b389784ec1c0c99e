"""Signature Version 4 for the operations that are in no service model.

Source: HealthImaging developer guide, "Retrieving DICOM data" (documented).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiobotocore.session import get_session
from botocore import exceptions as botocore
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from gateway.healthimaging.errors import error_for

SERVICE = "medical-imaging"


class Signer:
    """Signs with the process's own credentials, which are looked for at the first call."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._credentials: Any = None

    async def signed(self, url: str) -> Mapping[str, str]:
        """The headers that sign a GET of `url`, which is encoded as it will be sent.

        Nothing else of the request is signed, so that a proxy may change what is between the two.

        Raises: UpstreamRejectedError where there are no credentials.
        """
        try:
            if self._credentials is None:
                self._credentials = await get_session().get_credentials()
            if self._credentials is None:
                raise botocore.NoCredentialsError
            # They refresh themselves where they end
            frozen = await self._credentials.get_frozen_credentials()
        except botocore.BotoCoreError as exc:
            self._credentials = None  # the next request looks for them again
            raise error_for(exc) from None
        request = AWSRequest("GET", url)
        SigV4Auth(frozen, SERVICE, self._region).add_auth(request)
        return dict(request.headers.items())
