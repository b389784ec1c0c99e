"""SearchImageSets' bodies: what is a page, and what is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest

from gateway.errors import UpstreamRejectedError
from gateway.healthimaging.parsing import ParserFactory, page_of, searched
from gateway.search.imageset import ImageSet, Page

MANY_TIMES_THE_REFERENCE = 4


async def parsed(body: bytes, status: int = 200, operation: str = "SearchImageSets") -> Any:
    """What the parser of HealthImaging's protocol makes of a response, without a shape."""
    response = {
        "status_code": status,
        "headers": {"x-amzn-requestid": "a-1"},
        "body": body,
        "context": {"operation_name": operation},
    }
    return await ParserFactory().create_parser("rest-json").parse(response, None)


def of_one(**members: Any) -> bytes:
    """The body of a page of one image set that has these members beside its id."""
    return json.dumps({"imageSetsMetadataSummaries": [{"imageSetId": "a", **members}]}).encode()


def one(tags: Mapping[str, str | int], *more: Any) -> tuple[ImageSet, ...]:
    """The image sets of such a page."""
    return (ImageSet("a", tags, *more),)


@pytest.mark.parametrize(
    ("body", "page"),
    [
        pytest.param(b"{}", Page(()), id="nothing"),
        pytest.param(b'{"sort": {}, "nextToken": null}', Page(()), id="no list, known members"),
        pytest.param(
            b'{"imageSetsMetadataSummaries": null, "nextToken": "t"}', Page((), "t"), id="null list"
        ),
        pytest.param(b'{"imageSetsMetadataSummaries": [], "new": 1}', Page(()), id="a new member"),
        pytest.param(b'\xef\xbb\xbf{"nextToken": "t"}', Page((), "t"), id="byte order mark"),
        pytest.param(of_one(), Page(one({})), id="an id alone"),
        pytest.param(
            of_one(DICOMTags=None, version=None, createdAt=None, updatedAt=None, isPrimary=None),
            Page(one({})),
            id="nulls",
        ),
        pytest.param(
            of_one(DICOMTags={}, version=2, createdAt=1, updatedAt=2.5, isPrimary=False),
            Page(one({}, 2, 1.0, 2.5, False)),
            id="all members",
        ),
        pytest.param(
            of_one(createdAt="1970-01-01T00:00:01Z", updatedAt="2.5"),
            Page(one({}, 0, 1.0, 2.5)),
            id="times as texts",
        ),
        pytest.param(
            of_one(DICOMTags={"a": "", "b": None, "c": 0, "d": 3, "e": "x "}),
            Page(one({"c": 0, "d": 3, "e": "x "})),
            id="tags without a value are left out",
        ),
        pytest.param(of_one(DICOMTags={"a": "山田"}), Page(one({"a": "山田"})), id="any script"),
        pytest.param(
            of_one(DICOMTags={"a": "D\ud800", "b": "é", "c": ""}),
            Page(one({"a": "D?", "b": "é"})),
            id="a lone surrogate",
        ),
        pytest.param(
            of_one(DICOMTags={"a": "_"}).replace(b"_", b"\xed\xa0\x80"),
            Page(one({"a": "?"})),
            id="a lone surrogate in bytes",
        ),
        pytest.param(
            b'{"imageSetsMetadataSummaries": [{"imageSetId": "a", "score": NaN}]}',
            Page(one({})),
            id="NaN where nobody reads",
        ),
    ],
)  # fmt: skip
async def test_a_page(body: bytes, page: Page) -> None:
    """A page holds what the body has; null, "" and missing are one. Its size is the body's."""
    _, found = searched(await parsed(body))
    assert Page(page.image_sets, page.next_token, 1, len(body)) == found


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="no JSON"),
        pytest.param(b"\xff\xfe\xfd", id="no text"),
        pytest.param(b"[" * 100_000, id="endless nesting"),
        pytest.param(b'{"sort": ' + b"[" * 900 + b'"\\ud800"' + b"]" * 900 + b"}", id="deep, odd"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"message": "sign in"}', id="an object of something else"),
        pytest.param(b'{"nextToken": 1}', id="token is a number"),
        pytest.param(b'{"nextToken": false}', id="token is false"),
        pytest.param(b'{"imageSetsMetadataSummaries": {}}', id="list is an object"),
        pytest.param(b'{"imageSetsMetadataSummaries": ""}', id="list is a text"),
        pytest.param(b'{"imageSetsMetadataSummaries": 0}', id="list is a number"),
        pytest.param(b'{"imageSetsMetadataSummaries": [1]}', id="summary is a number"),
        pytest.param(b'{"imageSetsMetadataSummaries": [null]}', id="summary is null"),
        pytest.param(b'{"imageSetsMetadataSummaries": [{}]}', id="no id"),
        pytest.param(of_one(imageSetId=None), id="id is null"),
        pytest.param(of_one(imageSetId=1), id="id is a number"),
        pytest.param(of_one(DICOMTags=[]), id="tags are a list"),
        pytest.param(of_one(DICOMTags=""), id="tags are a text"),
        pytest.param(of_one(DICOMTags={"a": []}), id="tag is a list"),
        pytest.param(of_one(DICOMTags={"a": "", "b": {}}), id="tag is an object"),
        pytest.param(of_one(DICOMTags={"a": 1.5}), id="tag is a fraction"),
        pytest.param(of_one(DICOMTags={"a": float("nan")}), id="tag is NaN"),
        pytest.param(of_one(version="1"), id="version is a text"),
        pytest.param(of_one(version=1.0), id="version is a fraction"),
        pytest.param(of_one(version=True), id="version is true"),
        pytest.param(of_one(isPrimary=1), id="isPrimary is a number"),
        pytest.param(of_one(isPrimary="true"), id="isPrimary is a text"),
        pytest.param(of_one(createdAt="noon"), id="createdAt is no time"),
        pytest.param(of_one(createdAt=""), id="createdAt is empty"),
        pytest.param(of_one(updatedAt=[]), id="updatedAt is a list"),
        pytest.param(of_one(updatedAt=True), id="updatedAt is true"),
        pytest.param(of_one(updatedAt=float("nan")), id="updatedAt is NaN"),
        pytest.param(of_one(updatedAt=float("inf")), id="updatedAt is infinite"),
        pytest.param(of_one(updatedAt=1e12), id="updatedAt is after the year 9999"),
        pytest.param(of_one(updatedAt=-(10**30)), id="updatedAt is before the year 1"),
        pytest.param(of_one(updatedAt="1e400"), id="updatedAt is a text of no time"),
    ],
)  # fmt: skip
async def test_an_answer_of_something_else_is_no_empty_page(body: bytes) -> None:
    """A 200 that SearchImageSets would not give is refused, not read as nothing found."""
    answer = await parsed(body)
    answer["ResponseMetadata"]["RetryAttempts"] = 2
    with pytest.raises(UpstreamRejectedError) as caught:
        searched(answer)
    assert 3 == caught.value.attempts


async def test_no_other_status_is_an_empty_page() -> None:
    """Only 200 is SearchImageSets' success; what botocore reads of another one is refused."""
    with pytest.raises(UpstreamRejectedError):
        searched(await parsed(b"", 204))


async def test_all_else_is_read_by_botocore() -> None:
    """An error answer and other operations keep botocore's form."""
    throttled = await parsed(b'{"__type": "ThrottlingException", "message": "x"}', 429)
    assert "ThrottlingException" == throttled["Error"]["Code"]
    other = await parsed(b"{}", 200, "ListDatastores")
    assert {"ResponseMetadata"} == other.keys()
    assert "AioQueryParser" == type(ParserFactory().create_parser("query")).__name__


def test_a_page_costs_little_more_than_its_json() -> None:
    """A page is read within a few times what JSON and a look at each of its values cost."""
    tags = {f"DICOMTag{n}": f"1.2.826.0.1.{n}" for n in range(15)}
    row = {"version": 1, "createdAt": 1.5, "updatedAt": 2.5, "isPrimary": True, "DICOMTags": tags}
    rows = [{"imageSetId": f"{n:032x}", **row} for n in range(50)]
    body = orjson.dumps({"imageSetsMetadataSummaries": rows})

    def reference() -> None:
        for summary in orjson.loads(body)["imageSetsMetadataSummaries"]:
            assert {k: v for k, v in summary["DICOMTags"].items() if v != ""}

    def ours() -> None:
        assert 50 == len(page_of(orjson.loads(body)).image_sets)

    assert least_cpu(ours) < MANY_TIMES_THE_REFERENCE * least_cpu(reference)


def least_cpu(run: Callable[[], None]) -> float:
    """The least seconds of CPU that a run has taken."""

    def once() -> float:
        started = time.process_time()
        run()
        return time.process_time() - started

    return min(once() for _ in range(50))
