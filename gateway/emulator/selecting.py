"""From criteria to SQL: a page by key, by the index of the sort or of the filter.

SQLite sorts everything when it filters by one column and sorts by another, so the filter's index
is used only where it finds few rows; else the sort's index is walked. And it ignores a row-value
bound beside a BETWEEN on the same column, so the token takes the place of that bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.emulator.criteria import STUDY_DATE, TEXT_KEYS, Criteria, Filter
from gateway.emulator.keys import DATED, moment_key, text_key
from gateway.emulator.tokens import Position
from gateway.emulator.variants import Variants

FEW = 2_000
"""Rows that may be sorted for a page."""

_TOP = "\U0010ffff"
_COLUMNS = {name: f"key_{number}" for number, name in enumerate(TEXT_KEYS)} | {
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "isPrimary": "is_primary",
    STUDY_DATE: "moment",
}


@dataclass(slots=True)
class Selection:
    """A SELECT's conditions and their values."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        """One more condition."""
        self.conditions.append(condition)
        self.values += values

    @property
    def where(self) -> str:
        """The WHERE clause, empty without a condition."""
        return f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


def sort_column(criteria: Criteria) -> str:
    """The column of the sort."""
    if criteria.sort_field == STUDY_DATE:
        return "falling" if criteria.descending else "rising"
    return _COLUMNS[criteria.sort_field]


def page_query(
    criteria: Criteria,
    position: Position,
    rows: int,
    variants: Variants,
    count: Callable[[str, list[Any]], int],
) -> tuple[str, list[Any]]:
    """The statement that selects `(body, sort key, tie)` of one page, and its values.

    `count` runs a counting statement.
    """
    few = _few(criteria, variants, count)
    column = sort_column(criteria)
    selection = Selection()
    for one in criteria.filters:
        # "+" keeps SQLite from taking another index: one that finds more, or makes it sort all
        _add_filter(selection, one, variants, "" if one is few else "+")
    sorted_by, tie = (column, "tie") if few is None else (f"+{column}", "+tie")
    if variants.tokens == "snapshot" and position.newest:
        selection.add("+rowid <= ?", position.newest)
    if few is None:
        _add_edges(selection, criteria, column, position)
    direction, before = ("DESC", "<") if criteria.descending else ("ASC", ">")
    if position.after is not None:
        selection.add(f"({sorted_by}, {tie}) {before} (?, ?)", position.after, position.tie)
    index = f"by_{column if few is None else _COLUMNS[few.key]}"
    sql = (
        f"SELECT body, {column}, tie "
        f"FROM image_sets INDEXED BY {index}{selection.where} "
        f"ORDER BY {sorted_by} {direction}, {tie} {direction} LIMIT ? OFFSET ?"
    )
    return sql, [*selection.values, rows, position.offset]


def _few(
    criteria: Criteria, variants: Variants, count: Callable[[str, list[Any]], int]
) -> Filter | None:
    """A filter that finds so few that they may be sorted, None where each finds more."""
    for one in criteria.filters:
        selection = Selection()
        _add_filter(selection, one, variants, "")
        sql = f"SELECT 1 FROM image_sets{selection.where} LIMIT {FEW + 1}"
        if count(f"SELECT count(*) FROM ({sql})", selection.values) <= FEW:
            return one
    return None


def _add_filter(selection: Selection, one: Filter, variants: Variants, plus: str) -> None:
    column = f"{plus}{_COLUMNS[one.key]}"
    values = [_compared(one.key, value, variants) for value in one.values]
    if one.operator == "EQUAL":
        selection.add(f"{column} = ?", *values)
    elif variants.bounds == "inclusive":
        selection.add(f"{column} >= ? AND {column} <= ?", *values)
    else:
        selection.add(f"{column} > ? AND {column} < ?", *values)


def _add_edges(selection: Selection, criteria: Criteria, column: str, position: Position) -> None:
    """Where a walk along the sort's index begins and ends, as wide as days, for a range of it."""
    for one in criteria.filters:
        if one.operator == "BETWEEN" and one.key == criteria.sort_field:
            low, high = one.values
            if one.key == STUDY_DATE:
                low, high = DATED + low[0], DATED + high[0] + _TOP
            started = position.after is not None
            if not (started and not criteria.descending):
                selection.add(f"{column} >= ?", low)
            if not (started and criteria.descending):
                selection.add(f"{column} <= ?", high)


def _compared(key: str, value: Any, variants: Variants) -> Any:
    if key in TEXT_KEYS:
        return text_key(value, variants)
    if key == STUDY_DATE:
        return moment_key(value[0], value[1], variants)
    return value
