"""Signed GETs of bodies that are passed on as they arrive: never gathered, parsed or copied."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiobotocore.session import get_session
from aiohttp import ClientError as HttpError
from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)
from yarl import URL  # what aiohttp takes as an URL that is encoded already

from gateway.errors import (
    GatewayError,
    NotAcceptableError,
    NotFoundError,
    RequestError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamValidationError,
)
from gateway.healthimaging.client import (
    CONNECT_TIMEOUT_S,
    MAX_ATTEMPTS,
    READ_TIMEOUT_S,
    USER_AGENT,
)
from gateway.healthimaging.errors import error_as, error_for, error_of
from gateway.healthimaging.gunzipping import Gunzip
from gateway.healthimaging.metrics import Meters, Operation, Outcome, outcome_of
from gateway.healthimaging.pacing import MOST_WAIT_S, Pace
from gateway.healthimaging.signing import Signer
from gateway.wado.upstream import Incoming

NOT_THERE = "HealthImaging has nothing of that name."
NOT_GIVEN = "HealthImaging can't give it in that transfer syntax."

_BUFFER_BYTES = 64 * 1024  # at twice as much aiohttp lets the upstream wait
_ERROR_BYTES = 16 * 1024
_OK = 200
_PASSING = (UpstreamThrottledError, UpstreamUnavailableError, UpstreamTimeoutError)
_PAUSES = wait_random_exponential(multiplier=0.5, max=5)
_GZIP = "gzip"
_CODINGS = ("", "identity", _GZIP)  # the last is never asked for
_ABSENT = ("", "ValidationException", "BadRequestException")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A GET of one operation; `url` is encoded.

    What comes must be of `media_type`, or of one that begins so. `refusal_is_absence` says that a
    400 means that there is nothing of that name.
    """

    operation: Operation
    url: str = field(repr=False)
    accept: str
    media_type: str = ""
    refusal_is_absence: bool = False


@dataclass(slots=True)
class _Call:
    wanted: Wanted
    attempts: int = 0


class Fetching:
    """Makes the calls, each in its turn of `paces`; at most `pool_size` are under way at once."""

    def __init__(
        self,
        endpoint: str,
        signer: Signer,
        meters: Meters,
        paces: Mapping[Operation, Pace],
        pool_size: int = 100,
    ) -> None:
        self._endpoint, self._signer, self._meters = endpoint, signer, meters
        self._paces, self._pool_size = paces, pool_size
        self._session: ClientSession | None = None
        self._retrying = AsyncRetrying(
            stop=stop_after_attempt(MAX_ATTEMPTS),
            wait=_PAUSES,
            retry=retry_if_exception_type(_PASSING),
            reraise=True,
        )

    async def get(self, wanted: Wanted) -> Incoming:
        """What the upstream gives, as soon as its header is there.

        What may pass is tried again until then, MAX_ATTEMPTS times in all.

        Raises: UpstreamError, NotFoundError, NotAcceptableError.
        """
        call = _Call(wanted)
        await self._paces[wanted.operation].turn()  # refused here, it is no call
        try:
            response = await self._answered(call)
            chunks = self._chunks(call, response)
        except BaseException as exc:
            self._meters.call(wanted.operation, _outcome_of(exc), max(1, call.attempts))
            if isinstance(exc, UpstreamError):
                exc.attempts = max(1, call.attempts)
            raise
        await anext(chunks)  # begun, it lets the connection go also where nobody reads it
        headers = response.headers
        length = headers.get("Content-Length", "") if "Content-Encoding" not in headers else ""
        return Incoming(
            headers.get("Content-Type", ""), chunks, int(length) if length.isdecimal() else None
        )

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _answered(self, call: _Call) -> ClientResponse:
        try:
            return await self._asked(call)  # past what costs as much as a frame's other work
        except _PASSING as exc:
            failed: list[UpstreamError] = [exc]

        async def again() -> ClientResponse:
            if failed:
                raise failed.pop()
            return await self._asked(call)

        response: ClientResponse = await self._retrying(again)
        return response

    async def _asked(self, call: _Call) -> ClientResponse:
        wanted = call.wanted
        if call.attempts:
            await self._paces[wanted.operation].turn()
        signature = await self._signer.signed(wanted.url)
        call.attempts += 1
        try:
            response = await self._opened().get(
                URL(wanted.url, encoded=True),
                headers={"Accept": wanted.accept, **signature},
                allow_redirects=False,
            )
        except (HttpError, OSError) as exc:
            raise _failed(exc) from None
        # Not aiohttp's content_type: it reads the whole field, anew for each boundary
        media_type = response.headers.get("Content-Type", "").strip().lower()
        is_of_type = media_type.startswith(wanted.media_type)
        if response.status == _OK and is_of_type and _coding_of(response) in _CODINGS:
            return response
        error = _refusal_of(wanted, response)
        with suppress(HttpError, OSError):  # a short body that is read leaves the connection of use
            await response.content.read(_ERROR_BYTES)
        response.release()
        raise error

    async def _chunks(self, call: _Call, response: ClientResponse) -> AsyncGenerator[bytes, None]:
        outcome: Outcome = "abandoned"
        gunzip = Gunzip() if _coding_of(response) == _GZIP else None
        try:
            yield b""
            while chunk := await response.content.readany():
                for piece in (chunk,) if gunzip is None else gunzip.feed(chunk):
                    yield piece
            for piece in () if gunzip is None else gunzip.end():
                yield piece
            outcome = "ok"
        except (HttpError, OSError, zlib.error, EOFError) as exc:
            error = _failed(exc)
            outcome = outcome_of(error)
            raise error from None
        finally:
            response.close()  # nothing where it has ended: then its connection is of use again
            self._meters.call(call.wanted.operation, outcome, call.attempts)

    def _opened(self) -> ClientSession:
        if self._session is None:
            scheme = URL(self._endpoint).scheme
            self._session = ClientSession(
                connector=TCPConnector(limit=self._pool_size, ssl=_trusted(scheme)),
                cookie_jar=DummyCookieJar(),
                # botocore minds these variables as well
                proxy=get_environ_proxies(self._endpoint).get(scheme),
                # Without a bound for the whole: a client may read a large body slowly
                timeout=ClientTimeout(
                    total=None,
                    connect=MOST_WAIT_S,  # with the wait for a place in the pool
                    sock_connect=CONNECT_TIMEOUT_S,
                    sock_read=READ_TIMEOUT_S,
                ),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                read_bufsize=_BUFFER_BYTES,
                auto_decompress=False,
            )
        return self._session


def _trusted(scheme: str) -> ssl.SSLContext | bool:
    """What a certificate is checked against: what botocore checks against."""
    if scheme != "https":
        return True
    bundle = get_session().get_config_variable("ca_bundle")
    return ssl.create_default_context(cafile=bundle or get_cert_path(True))


def _failed(exc: Exception) -> UpstreamError:
    if isinstance(exc, HttpError):
        return error_for(exc)
    return error_as(UpstreamUnavailableError)


def _coding_of(response: ClientResponse) -> str:
    return response.headers.get("Content-Encoding", "").strip().lower()


def _refusal_of(wanted: Wanted, response: ClientResponse) -> GatewayError:
    """Our error for an answer that is none, or that is not what was asked for."""
    code = response.headers.get("x-amzn-errortype", "").partition(":")[0].rpartition("#")[2]
    status = response.status
    if status == 404 or (wanted.refusal_is_absence and status == 400 and code in _ABSENT):
        return NotFoundError(NOT_THERE)
    if status == 406:
        return NotAcceptableError(NOT_GIVEN)
    request_id = response.headers.get("x-amzn-requestid", "")
    metadata = {"HTTPStatusCode": status, "RequestId": request_id}
    error = error_of({"Error": {"Code": code}, "ResponseMetadata": metadata})
    if isinstance(error, UpstreamValidationError):  # that one is of a search's criteria
        error = error_as(UpstreamRejectedError)
        error.request_id = request_id
    return error


def _outcome_of(exc: BaseException) -> Outcome:
    # That there is nothing of that name is an answer
    return "ok" if isinstance(exc, RequestError) else outcome_of(exc)
