"""The tables of matching types end to end: stored as summaries, asked by URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from gateway.qido.attributes import BY_KEYWORD
from gateway.qido.query import Dialect
from tests.http.driver import ask
from tests.http.upstream import app_over
from tests.laws.harness import StoreCalls, store_of
from tests.matching import behaviours, names, numbers, text
from tests.matching.rows import Row

TABLES = {**text.TABLES, **names.TABLES, **numbers.TABLES, **behaviours.TABLES}


def _summaries(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """A study for each row, numbered as the row is, of an image set for each modality."""
    for number, row in enumerate(rows):
        tags = {
            "DICOMStudyInstanceUID": f"1.9.{number}",
            "DICOMSeriesInstanceUID": f"1.9.{number}.1",
            **_tags_of(row.stored),
        }
        modalities = row.stored.get("ModalitiesInStudy")
        for part, modality in enumerate((modalities or "").split("\\")):
            own = {} if modalities is None else {"DICOMSeriesModality": modality}
            yield {
                "imageSetId": f"{number:028x}{part:04x}",
                "updatedAt": 1.7e9 + number,
                "DICOMTags": {**tags, **own},
                "isPrimary": True,
            }


def _tags_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    named = {BY_KEYWORD[keyword].summary: value for keyword, value in stored.items()}
    # Summaries come of DICOM files that were read: the NULL that makes a UID even is no part of one
    read = {k: v.rstrip("\0") if isinstance(v, str) else v for k, v in named.items()}
    return {name: value for name, value in read.items() if name and value is not None}


def _url(asked: Sequence[tuple[str, str]]) -> str:
    return "/dicom-web/series?" + "&".join(f"{n}={quote(v, safe='')}" for n, v in asked)


@pytest.mark.parametrize("clause", TABLES)
async def test_matching_by_url(clause: str) -> None:
    """Of all that a table stores, a URL finds the rows that match it and no near miss of it."""
    rows = TABLES[clause]
    store = store_of(_summaries(rows))
    app = app_over(StoreCalls(store), dialect=Dialect(strict=True))
    wrong = []
    for asked in dict.fromkeys(row.asked for row in rows):
        answer = await ask(app, _url(asked))
        assert (200, []) == (answer.status, answer.all("warning"))
        numbered = {one["0020000D"]["Value"][0].rpartition(".")[2] for one in answer.json}
        for number, row in enumerate(rows):
            if row.asked == asked and row.expected != (str(number) in numbered):
                wrong.append(row.name)
    store.close()
    assert [] == wrong
