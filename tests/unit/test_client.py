"""The gateway's searches and HealthImaging's errors in each other's words; whose they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import exceptions

from gateway.errors import (
    StudyWindowError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamValidationError,
)
from gateway.healthimaging.client import HealthImagingClient, criteria_of
from gateway.healthimaging.errors import error_for, error_of
from gateway.healthimaging.metrics import outcome_of
from gateway.healthimaging.source import Source, configured_endpoint
from gateway.search.plan import CreatedBetween, Equal, Plan, Sort, StudyDateBetween


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 429, UpstreamThrottledError),
        ("429", 429, UpstreamThrottledError),
        ("ValidationException", 400, UpstreamValidationError),
        ("InternalServerException", 500, UpstreamUnavailableError),
        ("503", 503, UpstreamUnavailableError),
        ("AccessDeniedException", 403, UpstreamRejectedError),
        ("ResourceNotFoundException", 404, UpstreamRejectedError),
        ("ConflictException", 409, UpstreamRejectedError),
        ("ExpiredTokenException", 403, UpstreamRejectedError),
        ("UnrecognizedClientException", 403, UpstreamRejectedError),
        ("InvalidSignatureException", 403, UpstreamRejectedError),
        ("404", 404, UpstreamRejectedError),
    ],
)
def test_each_error_code_has_its_kind(code: str, status: int, kind: type[UpstreamError]) -> None:
    """An error answer becomes the error of its code, else of its status; its text stays out."""
    metadata = {"HTTPStatusCode": status, "RequestId": "a-1", "RetryAttempts": 2}
    error = error_of({"Error": {"Code": code, "Message": "DOE^JANE"}, "ResponseMetadata": metadata})
    assert (kind, "a-1", 3) == (type(error), error.request_id, error.attempts)
    assert "DOE" not in str(error)


@pytest.mark.parametrize(
    ("exc", "kind"),
    [
        (exceptions.ReadTimeoutError(endpoint_url="http://x"), UpstreamTimeoutError),
        (exceptions.ConnectTimeoutError(endpoint_url="http://x"), UpstreamUnavailableError),
        (
            exceptions.EndpointConnectionError(endpoint_url="http://x", error=OSError()),
            UpstreamUnavailableError,
        ),
        (exceptions.ConnectionClosedError(endpoint_url="http://x"), UpstreamUnavailableError),
        (exceptions.NoCredentialsError(), UpstreamRejectedError),
        (exceptions.NoRegionError(), UpstreamRejectedError),
        (exceptions.ProfileNotFound(profile="x"), UpstreamRejectedError),
    ],
)
def test_each_exception_of_botocore_has_its_kind(
    exc: exceptions.BotoCoreError, kind: type[UpstreamError]
) -> None:
    """A failure without an answer becomes ours; its text, which may hold a URL, stays out."""
    error = error_for(exc)
    assert kind is type(error)
    assert "http" not in str(error)


def test_no_exception_of_botocore_is_unmapped() -> None:
    """Every subclass of BotoCoreError has a kind."""

    def below(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(below(sub) for sub in kind.__subclasses__()))

    for kind in below(exceptions.BotoCoreError):
        exc = kind.__new__(kind)
        assert isinstance(exc, exceptions.BotoCoreError)
        assert issubclass(type(error_for(exc)), UpstreamError)


@pytest.mark.parametrize(
    ("plan", "criteria"),
    [
        (Plan((), Sort.DEFAULT), {}),
        (Plan(), {"sort": {"sortField": "DICOMStudyDateAndTime", "sortOrder": "DESC"}}),
        (
            Plan((Equal("DICOMPatientId", "PAT1"),), Sort.DEFAULT),
            {"filters": [{"operator": "EQUAL", "values": [{"DICOMPatientId": "PAT1"}]}]},
        ),
        (
            Plan((StudyDateBetween(("20200101", "0"), ("20200102", "1")),), Sort.DEFAULT),
            {
                "filters": [
                    {
                        "operator": "BETWEEN",
                        "values": [
                            {
                                "DICOMStudyDateAndTime": {
                                    "DICOMStudyDate": "20200101",
                                    "DICOMStudyTime": "0",
                                }
                            },
                            {
                                "DICOMStudyDateAndTime": {
                                    "DICOMStudyDate": "20200102",
                                    "DICOMStudyTime": "1",
                                }
                            },
                        ],
                    }
                ]
            },
        ),
        (
            Plan((CreatedBetween(0, 1),), Sort.DEFAULT),
            {
                "filters": [
                    {
                        "operator": "BETWEEN",
                        "values": [
                            {"createdAt": datetime(1970, 1, 1, tzinfo=UTC)},
                            {"createdAt": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)},
                        ],
                    }
                ]
            },
        ),
    ],
)
def test_a_plan_is_written_as_search_criteria(plan: Plan, criteria: dict[str, Any]) -> None:
    """Filters and sort take SearchCriteria's form; the default sort is not named."""
    assert criteria == criteria_of(plan)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (UpstreamThrottledError, "throttled"),
        (UpstreamValidationError, "invalid"),
        (UpstreamRejectedError, "rejected"),
        (UpstreamTimeoutError, "timeout"),
        (UpstreamUnavailableError, "unavailable"),
        (StudyWindowError, "unavailable"),
    ],
)
def test_each_error_has_its_outcome(kind: type[UpstreamError], outcome: str) -> None:
    """The outcome of a call is told by the kind of its error."""
    assert outcome == outcome_of(kind("x"))


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        pytest.param({}, "", id="AWS's own"),
        pytest.param({"AWS_ENDPOINT_URL": ""}, "", id="empty"),
        pytest.param({"AWS_ENDPOINT_URL": "http://any"}, "http://any", id="of any service"),
        pytest.param(
            {"AWS_ENDPOINT_URL": "http://any", "AWS_ENDPOINT_URL_MEDICAL_IMAGING": "http://own"},
            "http://own",
            id="the service's own goes first",
        ),
    ],
)
def test_the_configured_endpoint(environment: dict[str, str], endpoint: str) -> None:
    """The endpoint is what AWS's own variables name."""
    assert endpoint == configured_endpoint(environment)


@pytest.mark.parametrize("endpoint", ["nowhere", "http://[::1", "file:///a"])
async def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """AWS's own variable is the operator's fault where it is wrong, and no bug."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    client = HealthImagingClient("0" * 32, "us-east-1", inject_host_prefix=False)
    with pytest.raises(UpstreamRejectedError):
        await client.search_image_sets(Plan(), 50, "")
    await client.aclose()


def test_equal_sources_are_one_key() -> None:
    """A source is a value: what is kept under it is found by an equal one, and by no other."""
    kept = {Source("", "us-east-1", "", "a" * 32): "walk"}
    assert "walk" == kept[Source("", "us-east-1", "", "a" * 32)]
    for other in (
        Source("http://own", "us-east-1", "", "a" * 32),
        Source("", "eu-west-1", "", "a" * 32),
        Source("", "us-east-1", "reader", "a" * 32),
        Source("", "us-east-1", "", "b" * 32),
    ):
        assert other not in kept
