"""Sequence matching (PS3.4 §C.2.2.2.6): all keys on the items of a sequence, within one item."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.qido.matching import matcher
from gateway.qido.result import Item, Value
from tests.unit.instance_rows import criteria, item, values_of
from tests.unit.tables import named

BOTH = {"00400275.00400009": "A", "00400275.00401001": "B"}
ONE = {"00400275.00400009": "A"}
CODE = {"00400275.00400260.CodeValue": "C", "00400275.00400260.CodingSchemeDesignator": "D"}
DATED = {"00081110.StudyDate": "20200101-20200103", "00081110.StudyTime": "22-06"}


def step(identifier: str, procedure: str = "", *codes: Item) -> Item:
    """An item of RequestAttributesSequence."""
    return item(
        ScheduledProcedureStepID=identifier,
        RequestedProcedureID=procedure or None,
        PerformedProtocolCodeSequence=codes or None,
    )


def code(value: str, scheme: str) -> Item:
    """An item of a code sequence."""
    return item(CodeValue=value, CodingSchemeDesignator=scheme)


@pytest.mark.parametrize(
    ("stored", "asked", "expected"),
    named({
        "one item has both": ((step("A", "B"),), BOTH, True),
        "the second item has both": ((step("X", "B"), step("A", "B")), BOTH, True),
        "one key of the first": ((step("A"), step("X")), ONE, True),
        "one key of the last": ((step("X"), step("A")), ONE, True),
        "an inner item has both": ((step("A", "B", code("C", "D")),), CODE, True),
        "an inner item of the second": ((step("A"), step("X", "", code("C", "D"))), CODE, True),
        "an inner and its own": ((step("A", "", code("C", "D")),), {**CODE, **ONE}, True),
        "a wild card": ((step("ABC"),), {"00400275.00400009": "A*"}, True),
        "no value": ((step("A"),), {"00400275.00401001": '""', "emptyvaluematching": "true"}, True),
        "no value in one of them": ((step("A", "B"), step("A")),
            {**ONE, "00400275.00401001": '""', "emptyvaluematching": "true"}, True),
        "each in another item": ((step("A", "X"), step("X", "B")), BOTH, False),
        "one item has one": ((step("A"),), BOTH, False),
        "another value": ((step("X"),), ONE, False),
        "another case": ((step("a"),), ONE, False),
        "inner ones in two items": ((step("A", "", code("C", "X"), code("X", "D")),), CODE, False),
        "inner ones in items of two": ((step("A", "", code("C", "X")),
            step("A", "", code("X", "D"))), CODE, False),
        "an inner one and its neighbour's own": ((step("X", "", code("C", "D")), step("A")),
            {**CODE, **ONE}, False),
        "an item without the inner sequence": ((step("A", "B"),), CODE, False),
        "an empty item": ((Item({}),), ONE, False),
        "no value: an item has one": ((step("A", "B"),),
            {"00400275.00401001": '""', "emptyvaluematching": "true"}, False),
        "no value: there is no item": ((),
            {"00400275.00401001": '""', "emptyvaluematching": "true"}, False),
        "no items": ((), ONE, False),
        "not stored": (None, ONE, False),
        "text for a sequence": (("A",), ONE, False),
        "numbers for a sequence": ((7, 0.5), ONE, False),
        "one at the top alone": (None, ONE, False),
    }),
)  # fmt: skip
def test_sequences(stored: Any, asked: dict[str, str], expected: bool) -> None:
    """All keys on items of one sequence hold within one item (§C.2.2.2.6)."""
    values = values_of({"RequestAttributesSequence": stored, "ScheduledProcedureStepID": "A"})
    assert expected == matcher(criteria(asked))(values)


@pytest.mark.parametrize(
    ("items", "expected"),
    named({
        "in the night": ([("20200101", "2300")], True),
        "a day within, at noon": ([("20200102", "1200")], True),
        "no time": ([("20200103", None)], True),
        "the second of two": ([("20200104", "0100"), ("20200102", "0100")], True),
        "before": ([("20200101", "2100")], False),
        "after": ([("20200103", "0700")], False),
        "a date of one, a time of the other": ([("20200101", "2100"), ("20200105", "2300")], False),
        "no date": ([(None, "2300")], False),
        "no values": ([((), ())], False),
    }),
)  # fmt: skip
def test_dates_with_times_in_items(items: list[tuple[Any, Any]], expected: bool) -> None:
    """A date and its time are one within an item too."""
    stored = tuple(item(StudyDate=day, StudyTime=time) for day, time in items)
    found = matcher(criteria(DATED))(values_of({"ReferencedStudySequence": stored}))
    assert expected == found


@pytest.mark.parametrize(
    "values",
    [{"StudyDate": (), "StudyTime": ()}, {"StudyDate": (), "StudyTime": ("1000",)}, {},
     {"StudyDate": (Item({}),), "StudyTime": (Item({}),)}, {"StudyDate": (7,)}],
)  # fmt: skip
def test_dates_with_times_and_odd_values(values: dict[str, tuple[Value, ...]]) -> None:
    """What is no date matches no range of dates and times."""
    asked = {"StudyDate": "20200101-20200103", "StudyTime": "22-06"}
    assert not matcher(criteria(asked))(values)
