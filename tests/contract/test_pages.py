"""Pages as the gateway reads them, held against what botocore makes of the same bytes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import aiohttp
import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from gateway.emulator.store import Store
from gateway.emulator.variants import CHOICES, Variants
from gateway.emulator.wire import create_app
from gateway.healthimaging.parsing import ParserFactory, searched
from gateway.search.imageset import ImageSet, Page
from tests.contract.aws import DATASTORE_ID, MODEL
from tests.contract.serving import running
from tests.laws.covering import covering_array
from tests.laws.dataset import image_sets

SHAPE = MODEL.operation_model("SearchImageSets").output_shape
KNOWN_TAGS = SHAPE.members["imageSetsMetadataSummaries"].member.members["DICOMTags"].members
POSITIONS: list[Any] = [Variants(**row) for row in covering_array(CHOICES, 2)]


def response_of(body: bytes) -> dict[str, Any]:
    """A response as aiobotocore gives it to a parser."""
    context = {"operation_name": "SearchImageSets"}
    return {"status_code": 200, "headers": {}, "body": body, "context": context}


async def page_of(body: bytes) -> Page:
    """The page that the gateway reads."""
    parser = ParserFactory().create_parser("rest-json")
    return searched(await parser.parse(response_of(body), SHAPE))[1]


def botocores_page_of(body: bytes) -> Page:
    """The page that botocore's parser reads, in the gateway's types."""
    answer = create_parser("rest-json").parse(response_of(body), SHAPE)
    summaries = answer.get("imageSetsMetadataSummaries") or ()
    found = tuple(_image_set_of(summary) for summary in summaries)
    return Page(found, answer.get("nextToken", ""), 1, len(body))


def _image_set_of(summary: Mapping[str, Any]) -> ImageSet:
    tags = {k: _spoken(v) for k, v in summary.get("DICOMTags", {}).items() if v not in (None, "")}
    created, updated = (summary.get(name) for name in ("createdAt", "updatedAt"))
    return ImageSet(
        summary["imageSetId"],
        tags,
        summary.get("version", 0),
        created.timestamp() if isinstance(created, datetime) else 0.0,
        updated.timestamp() if isinstance(updated, datetime) else 0.0,
        summary.get("isPrimary"),
    )


def _spoken(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


async def bodies(url: str) -> AsyncIterator[bytes]:
    """Those of a whole walk, 20 image sets a page."""
    target, token = f"{url}/datastore/{DATASTORE_ID}/searchImageSets", ""
    async with aiohttp.ClientSession() as session:
        while True:
            asked = {"maxResults": "20", **({"nextToken": token} if token else {})}
            criteria = {"filters": [EVERY]}
            async with session.post(target, params=asked, json=criteria) as response:
                assert 200 == response.status
                body = await response.read()
            yield body
            token = json.loads(body).get("nextToken", "")
            if not token:
                return


EVERY = {"operator": "BETWEEN", "values": [{"createdAt": 0}, {"createdAt": 4e9}]}


@pytest.mark.parametrize("number", range(len(POSITIONS)))
async def test_the_emulators_pages(number: int) -> None:
    """At every position of a pairwise array each page is read as botocore would read it."""
    store = Store(None, POSITIONS[number], DATASTORE_ID)
    store.add_summaries(image_sets())
    read = 0
    async with running(create_app(store)) as url:
        async for body in bodies(url):
            page = await page_of(body)
            assert botocores_page_of(body) == page
            read += len(page.image_sets)
    store.close()
    assert len(image_sets()) == read


TEXTS = st.one_of(
    st.sampled_from(
        ["", "DOE^JANE", "Yamada^Tarou=山田^太郎=やまだ^たろう", "МИР", "e\u0301 ", "\ud800"]
    ),
    st.text(st.characters(exclude_categories=()), max_size=8),
)
TIMES = st.one_of(
    st.none(),
    st.integers(0, 4 * 10**9),
    st.integers(0, 4 * 10**12).map(lambda ms: ms / 1000),
    st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)).map(lambda t: f"{t.isoformat()}Z"),
)  # fmt: skip
INTEGERS = st.none() | st.integers(-(2**31), 2**31 - 1)
TAGS = st.fixed_dictionaries(
    {},
    optional={
        name: INTEGERS if shape.type_name == "integer" else INTEGERS | TEXTS
        for name, shape in KNOWN_TAGS.items()
    },
)
SUMMARIES = st.fixed_dictionaries(
    {"imageSetId": st.text("0123456789abcdef", min_size=1, max_size=32)},
    optional={
        "version": st.none() | st.integers(0, 10**6),
        "createdAt": TIMES,
        "updatedAt": TIMES,
        "isPrimary": st.none() | st.booleans(),
        "storageTier": TEXTS,
        "DICOMTags": st.none() | TAGS,
    },
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "imageSetsMetadataSummaries": st.none() | st.lists(SUMMARIES, max_size=4),
        "nextToken": st.text("abc=/+", min_size=1),
        "sort": st.none() | st.just({"sortField": "updatedAt", "sortOrder": "DESC"}),
    },
)


@given(answer=ANSWERS, escaped=st.booleans())
async def test_any_page(answer: dict[str, Any], escaped: bool) -> None:
    """Names in any script, odd characters, missing members: a page is as botocore would read it."""
    text = json.dumps(answer, ensure_ascii=escaped)
    if not escaped and text != text.encode("utf-8", "replace").decode():
        text = json.dumps(answer)  # botocore reads no body that is not UTF-8
    body = text.encode()
    assert botocores_page_of(body) == await page_of(body)
