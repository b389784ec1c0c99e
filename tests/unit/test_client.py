"""HealthImaging's answers and errors as the gateway's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import exceptions

from gateway.errors import (
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    UpstreamValidationError,
)
from gateway.healthimaging.client import check_answer, criteria_of, page_of
from gateway.healthimaging.errors import error_for, error_of
from gateway.search.imageset import ImageSet, Page
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
    ("answer", "page"),
    [
        ({}, Page(())),
        ({"imageSetsMetadataSummaries": None, "nextToken": "t"}, Page((), "t")),
        ({"ResponseMetadata": {"RetryAttempts": 2}}, Page((), "", 3)),
        (
            {"imageSetsMetadataSummaries": [{"imageSetId": "a"}]},
            Page((ImageSet("a", {}),)),
        ),
        (
            {
                "imageSetsMetadataSummaries": [
                    {
                        "imageSetId": "a",
                        "version": 2,
                        "createdAt": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
                        "updatedAt": 2.5,
                        "isPrimary": False,
                        "DICOMTags": {
                            "DICOMPatientId": "",
                            "DICOMStudyId": None,
                            "DICOMPatientName": "D\ud800",
                            "DICOMSeriesNumber": 3,
                        },
                    }
                ]
            },
            Page(
                (
                    ImageSet(
                        "a",
                        {"DICOMPatientName": "D?", "DICOMSeriesNumber": 3},
                        2,
                        1.0,
                        2.5,
                        False,
                    ),
                )
            ),
        ),
    ],
)
def test_an_answer_is_a_page(answer: dict[str, Any], page: Page) -> None:
    """A page holds what the answer has; None, "" and missing are one."""
    assert page == page_of(answer)


@pytest.mark.parametrize(
    ("status", "body", "accepted"),
    [
        (200, b"{}", True),
        (200, b'{"imageSetsMetadataSummaries": null}', True),
        (200, b'{"imageSetsMetadataSummaries": [{"imageSetId": "a"}], "sort": {}}', True),
        (500, b"<html>", True),
        (200, b"<html>", False),
        (200, b"", False),
        (200, b"[]", False),
        (200, b'{"message": "sign in"}', False),
        (200, b'{"imageSetsMetadataSummaries": [1]}', False),
        (200, b'{"imageSetsMetadataSummaries": [{}]}', False),
        (200, b'{"imageSetsMetadataSummaries": {"a": 1}}', False),
        (200, b'{"imageSetsMetadataSummaries": [{"imageSetId": "a", "DICOMTags": []}]}', False),
        (
            200,
            b'{"imageSetsMetadataSummaries": [{"imageSetId": "a", "DICOMTags": {"x": []}}]}',
            False,
        ),
        (200, b'{"imageSetsMetadataSummaries": [], "newer": 1}', True),
    ],
)
def test_an_answer_of_something_else_is_no_empty_page(
    status: int, body: bytes, accepted: bool
) -> None:
    """A 200 that SearchImageSets would not give is refused, not read as nothing found."""
    answer = {"status_code": status, "body": body}
    if accepted:
        check_answer(answer)
    else:
        with pytest.raises(UpstreamRejectedError):
            check_answer(answer)
