"""Matching types of the VRs that only instances have (PS3.4 §C.2.2.2), near misses beside hits."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.qido.matching import matcher
from gateway.qido.result import Item
from tests.unit.instance_rows import TABLES, Row, criteria, values_of
from tests.unit.tables import named


@pytest.mark.parametrize(
    ("keyword", "row"),
    named({
        f"{clause}, {name}": (clause.partition(":")[0], row)
        for clause, table in TABLES.items() for name, row in table.items()
    }),
)  # fmt: skip
def test_matching(keyword: str, row: Row) -> None:
    """A stored value matches a key as its VR has it."""
    stored, key, expected = row
    own = (keyword,) if keyword == "00091001" else ()
    asked = {keyword: key, **dict.fromkeys((f"{k[:4]}0010" for k in own), "ACME")}
    found = matcher(criteria(asked))(values_of({keyword: stored, "00090010": "ACME"}))
    assert expected == found


@pytest.mark.parametrize("clause", TABLES)
def test_tables_are_whole(clause: str) -> None:
    """Each table has at least 15 rows, hits and near misses, each once."""
    table = TABLES[clause].values()
    assert len(table) >= 15
    assert {True, False} == {expected for _, _, expected in table}
    assert len(table) == len({(shown(stored), key) for stored, key, _ in table})


def shown(stored: Any) -> str:
    """A stored value with what its items hold."""
    values = stored if isinstance(stored, tuple) else (stored,)
    return str([value.values if isinstance(value, Item) else value for value in values])


@pytest.mark.parametrize("keyword", sorted({clause.partition(":")[0] for clause in TABLES}))
@pytest.mark.parametrize("stored", [None, (), "", "x", 7, (1.5, ""), Item({})], ids=repr)
def test_universal(keyword: str, stored: Any) -> None:
    """A key of zero length matches whatever is stored, and nothing stored too (§C.2.2.2.3)."""
    assert () == criteria({keyword: ""})
    assert matcher(criteria({keyword: " "}))(values_of({keyword: stored}))


@pytest.mark.parametrize("keyword", sorted({clause.partition(":")[0] for clause in TABLES}))
@pytest.mark.parametrize(
    ("stored", "expected"), [(None, True), ((), True), ("x", False), (7, False), (0, False)]
)
def test_empty_values(keyword: str, stored: Any, expected: bool) -> None:
    """Two quotation marks match what is missing or has no value (§C.2.2.2.7)."""
    asked = {keyword: '""', "00090010": "ACME", "emptyvaluematching": "true"}
    values = values_of({keyword: stored, "00090010": "ACME"})
    assert expected == matcher(criteria(asked))(values)


# --- several values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "stored", "key", "expected"),
    named({
        "ages": ("PatientAge", ("050Y", "051Y"), "050Y\\051Y", True),
        "ages, one missing": ("PatientAge", ("050Y",), "050Y\\051Y", False),
        "tags": ("FrameIncrementPointer", ("00181063", "0018106A"), "0018106a\\00181063", True),
        "tags, one missing": ("FrameIncrementPointer", ("00181063",), "0018106a\\00181063", False),
        "types": ("ImageType", ("DERIVED", "PRIMARY", "AXIAL"), "AXIAL\\DERIVED", True),
        "types, one missing": ("ImageType", ("DERIVED", "PRIMARY"), "AXIAL\\DERIVED", False),
    }),
)  # fmt: skip
def test_several_values(keyword: str, stored: Any, key: str, expected: bool) -> None:
    """Multiple Value Matching: each value of the key is there (§C.2.2.2.8)."""
    asked = {keyword: key, "multiplevaluematching": "true"}
    assert expected == matcher(criteria(asked))(values_of({keyword: stored}))
