"""Matching types by VR (PS3.4 §C.2.2.2): for each what matches, and beside it what nearly does."""

from __future__ import annotations

from itertools import chain
from urllib.parse import urlencode

import pytest

from gateway.errors import QueryError
from gateway.qido.attributes import BY_KEYWORD, Resource
from gateway.qido.matching import matcher
from gateway.qido.query import parse_query
from gateway.qido.result import stored_values
from tests.matching import behaviours, names, numbers, text
from tests.matching.rows import Row
from tests.unit.tables import named

TABLES = {**text.TABLES, **names.TABLES, **numbers.TABLES, **behaviours.TABLES}


def found(row: Row) -> bool:
    """Whether attributes, as stored, match keys as a client types them."""
    stored = ((BY_KEYWORD[keyword], raw) for keyword, raw in row.stored.items())
    values = {a.keyword: v for a, raw in stored if (v := stored_values(a, raw))}
    query = parse_query(Resource.ALL_SERIES, urlencode(row.asked).encode())
    return matcher(query.criteria)(values)


@pytest.mark.parametrize(
    "row",
    named({f"{clause}: {row.name}": (row,) for clause, table in TABLES.items() for row in table}),
)
def test_matching(row: Row) -> None:
    """A stored attribute matches a key as its VR and the kind of matching have it."""
    assert row.expected == found(row)


@pytest.mark.parametrize("clause", TABLES)
def test_tables_are_whole(clause: str) -> None:
    """Each kind of matching has at least 15 rows for a VR, hits and near misses, each once."""
    table = TABLES[clause]
    assert len(table) >= 15
    assert {True, False} == {row.expected for row in table}
    assert len(table) == len({(tuple(row.stored.items()), row.asked) for row in table})
    assert len(table) == len({row.name for row in table})


@pytest.mark.parametrize(
    "key",
    ["A*\\B", "A\\B?", "*\\B", "A\\?", "A\\**"],
)
@pytest.mark.parametrize(
    "keyword", ["StudyDescription", "PatientName", "Modality", "ModalitiesInStudy"]
)
@pytest.mark.parametrize("fuzzy", ["true", "false"])
def test_several_values_without_wild_cards(keyword: str, key: str, fuzzy: str) -> None:
    """Key values of Multiple Value Matching shall not include wild cards (C.2.2.2.8): 400."""
    asked = {keyword: key, "multiplevaluematching": "true", "fuzzymatching": fuzzy}
    with pytest.raises(QueryError) as caught:
        parse_query(Resource.ALL_SERIES, urlencode(asked).encode())
    assert keyword == caught.value.parameter


@pytest.mark.parametrize("keyword", ["StudyDate", "StudyTime", "SeriesNumber", "StudyInstanceUID"])
def test_quotation_marks_are_no_value_of_other_vrs(keyword: str) -> None:
    """Without Empty Value Matching two quotation marks are a text, so no date, number or UID."""
    with pytest.raises(QueryError):
        parse_query(Resource.ALL_SERIES, urlencode({keyword: '""'}).encode())


@pytest.mark.parametrize("order", [1, -1], ids=["before", "behind"])
def test_a_behaviour_holds_wherever_it_stands(order: int) -> None:
    """A behaviour decides how keys before and behind it are read."""
    asked = [("PatientName", "jane"), ("fuzzymatching", "true")][::order]
    query = parse_query(Resource.STUDIES, urlencode(asked).encode())
    assert matcher(query.criteria)({"PatientName": ("DOE^JANE",)})


def test_fuzzy_matching_loses_no_result() -> None:
    """What matches without fuzzymatching matches with it, in every row of names."""
    for row in chain(*names.TABLES.values()):
        if row.expected:
            asked = (*row.asked, ("fuzzymatching", "true"))
            assert found(Row(row.name, row.stored, asked, expected=True)), row.name
