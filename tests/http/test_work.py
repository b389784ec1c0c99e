"""How much work an answer is, counted in calls of Python functions: no clock, the same each time.

A call is a function, or a step of a generator. Where more studies take more calls each than here,
the gateway has become slower by about as much.
"""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from gateway.qido.attributes import Resource
from gateway.qido.query import parse_query
from gateway.search.imageset import ImageSet
from gateway.server.negotiation import CSV, DICOM_JSON, DICOM_XML, NDJSON
from tests.building import service_over
from tests.http.upstream import ListedCalls, image_set
from tests.unit.tables import named

SERIES = 4
"""Image sets a study: a page of 50 holds about 12 studies."""


def archive(studies: int) -> list[ImageSet]:
    """So many studies, a minute apart, newest first; each series is an image set."""
    return [
        image_set(
            number * SERIES + series,
            DICOMStudyInstanceUID=f"1.2.{number}",
            DICOMSeriesInstanceUID=f"1.2.{number}.{series}",
            DICOMStudyTime=f"{23 - number // 60:02}{59 - number % 60:02}00.5",
            DICOMAccessionNumber=f"A{number}",
            DICOMStudyId=f"{number}",
            DICOMStudyDescription="CHEST",
            DICOMPatientId=f"PAT{number}",
            DICOMPatientBirthDate="19700101",
            DICOMPatientSex="O",
        )
        for number in range(studies)
        for series in range(SERIES)
    ]


async def calls_of(studies: int, query: bytes, media_type: str) -> int:
    """The calls that an answer of so many studies takes."""
    service = service_over(ListedCalls(archive(studies)))
    running = service.start(parse_query(Resource.STUDIES, query))
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    chunks = running.body(media_type, "http://a.test/dicom-web", lambda _: None)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        async for _ in chunks:
            pass
    finally:
        sys.setprofile(before)
    assert studies == running.tally.results
    return calls


@pytest.mark.parametrize(
    ("query", "media_type", "at_most"),
    named({
        "DICOM JSON": (b"", DICOM_JSON, 120),
        "NDJSON": (b"", NDJSON, 136),
        "XML": (b"", DICOM_XML, 316),
        "CSV": (b"", CSV, 240),
        "with a key": (b"PatientName=DOE*", DICOM_JSON, 142),
    }),
)  # fmt: skip
async def test_calls_a_study(query: bytes, media_type: str, at_most: int) -> None:
    """A study more, with its four image sets, takes no more calls than it does today."""
    few, many = 100, 300
    more = await calls_of(many, query, media_type) - await calls_of(few, query, media_type)
    assert more / (many - few) <= at_most


async def test_calls_an_answer() -> None:
    """What does not depend on the number of studies is little."""
    assert await calls_of(1, b"", DICOM_JSON) <= 680
