"""The developer guide's examples through boto3."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clients.archive import (
    DATASTORE_ID,
    PATIENT,
    SEEDS,
    SERIES,
    Criteria,
    assert_answer,
    assert_example,
    expected,
)
from tests.clients.calling import boto3_client
from tests.e2e.running import Running

logger = logging.getLogger(__name__)


class MedicalImagingWrapper:
    """The guide's wrapper."""

    def __init__(self, health_imaging_client: Any) -> None:
        self.health_imaging_client = health_imaging_client

    def search_image_sets(self, datastore_id: str, search_filter: Criteria) -> list[Any]:
        """Search for image sets, as the guide does."""
        try:
            paginator = self.health_imaging_client.get_paginator("search_image_sets")
            page_iterator = paginator.paginate(
                datastoreId=datastore_id, searchCriteria=search_filter
            )
            metadata_summaries = []
            for page in page_iterator:
                metadata_summaries.extend(page["imageSetsMetadataSummaries"])
        except ClientError as err:
            logger.error(
                "Couldn't search image sets. Here's why: %s: %s",
                err.response["Error"]["Code"],
                err.response["Error"]["Message"],
            )
            raise
        else:
            return metadata_summaries


# The guide's times have no zone
SINCE = datetime.datetime(2021, 8, 4, 14, 49, 54, 429000)
UNTIL = datetime.datetime.now() + datetime.timedelta(days=1)

USE_CASES: dict[str, Criteria] = {
    "Use case #1: EQUAL operator": {
        "filters": [{"operator": "EQUAL", "values": [{"DICOMPatientId": PATIENT}]}]
    },
    "Use case #2: BETWEEN operator using DICOMStudyDate and DICOMStudyTime": {
        "filters": [
            {
                "operator": "BETWEEN",
                "values": [
                    {
                        "DICOMStudyDateAndTime": {
                            "DICOMStudyDate": "19900101",
                            "DICOMStudyTime": "000000",
                        }
                    },
                    {
                        "DICOMStudyDateAndTime": {
                            "DICOMStudyDate": "20230101",
                            "DICOMStudyTime": "000000",
                        }
                    },
                ],
            }
        ]
    },
    "Use case #3: BETWEEN operator using createdAt": {
        "filters": [{"values": [{"createdAt": SINCE}, {"createdAt": UNTIL}], "operator": "BETWEEN"}]
    },
    "Use case #4: EQUAL on DICOMSeriesInstanceUID and BETWEEN on updatedAt, sorted ASC": {
        "filters": [
            {"values": [{"updatedAt": SINCE}, {"updatedAt": UNTIL}], "operator": "BETWEEN"},
            {"values": [{"DICOMSeriesInstanceUID": SERIES}], "operator": "EQUAL"},
        ],
        "sort": {"sortOrder": "ASC", "sortField": "updatedAt"},
    },
}
OF_PATIENT = next(iter(USE_CASES.values()))


@pytest.fixture(scope="module")
def client(emulator: Running) -> Any:
    """boto3's client of the emulator."""
    return boto3_client(emulator.url)


@pytest.mark.parametrize("criteria", USE_CASES.values(), ids=USE_CASES)
def test_use_case_through_the_wrapper(client: Any, criteria: Criteria) -> None:
    """Each use case finds what the guide promises, on however many pages that is."""
    answer = MedicalImagingWrapper(client).search_image_sets(DATASTORE_ID, criteria)
    assert_example(criteria, answer)


@pytest.mark.parametrize("criteria", USE_CASES.values(), ids=USE_CASES)
def test_use_case_page_by_page(client: Any, criteria: Criteria) -> None:
    """Called by hand, each page has fifty, and all but the last have a token of the next."""
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        page = client.search_image_sets(
            datastoreId=DATASTORE_ID, searchCriteria=criteria, maxResults=50, **token
        )
        found += page["imageSetsMetadataSummaries"]
        if "nextToken" not in page:
            break
        assert 50 == len(page["imageSetsMetadataSummaries"])
        token = {"nextToken": page["nextToken"]}
    assert_example(criteria, found)


def test_without_criteria(client: Any) -> None:
    """The criteria may be left out: all are found, newest first, and the sort is said."""
    pages = client.get_paginator("search_image_sets").paginate(datastoreId=DATASTORE_ID)
    answer = [one for page in pages for one in page["imageSetsMetadataSummaries"]]
    assert_answer({}, answer)
    assert len(SEEDS) == len(answer)
    sort = client.search_image_sets(datastoreId=DATASTORE_ID)["sort"]
    assert {"sortOrder": "DESC", "sortField": "updatedAt"} == sort


@pytest.mark.parametrize(
    ("config", "sizes"),
    [
        pytest.param({}, [50, 50, 30], id="pages are of fifty by default"),
        pytest.param({"PageSize": 40}, [40, 40, 40, 10], id="PageSize"),
        pytest.param({"PageSize": 50}, [50, 50, 30], id="PageSize of the most there may be"),
        pytest.param({"MaxItems": 60}, [50, 10], id="MaxItems within a page"),
        pytest.param({"PageSize": 1, "MaxItems": 3}, [1, 1, 1], id="PageSize of one"),
    ],
)
def test_pagination(client: Any, config: dict[str, int], sizes: list[int]) -> None:
    """The paginator's settings decide on the sizes, never on the order."""
    pages = paginated(client, config)
    assert sizes == [len(page["imageSetsMetadataSummaries"]) for page in pages]
    assert expected(OF_PATIENT)[: sum(sizes)] == ids(pages)


@pytest.mark.parametrize("number", [1, 50, 60, 129])
def test_starting_token(client: Any, number: int) -> None:
    """The rest after so many items begins right there, within a page too."""
    first = client.get_paginator("search_image_sets").paginate(
        datastoreId=DATASTORE_ID, searchCriteria=OF_PATIENT, PaginationConfig={"MaxItems": number}
    )
    found = [one["imageSetId"] for one in first.build_full_result()["imageSetsMetadataSummaries"]]
    rest = ids(paginated(client, {"StartingToken": first.resume_token}))
    assert number == len(found)
    assert expected(OF_PATIENT) == found + rest


def paginated(client: Any, config: dict[str, Any]) -> list[Any]:
    """The pages of the patient's image sets."""
    paginator = client.get_paginator("search_image_sets")
    return list(
        paginator.paginate(
            datastoreId=DATASTORE_ID, searchCriteria=OF_PATIENT, PaginationConfig=config
        )
    )


def ids(pages: list[Any]) -> list[str]:
    """The imageSetIds of the pages."""
    return [one["imageSetId"] for page in pages for one in page["imageSetsMetadataSummaries"]]
