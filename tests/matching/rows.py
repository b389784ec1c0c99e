"""Rows of the tables of matching: what is stored, what is asked, and whether it is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Key = tuple[Any, str, bool]
"""What is stored (None for nothing), the key of the same attribute, and whether they match."""


@dataclass(frozen=True)
class Row:
    """One row. `stored` maps keywords to what a store holds, `asked` names to their values."""

    name: str
    stored: Mapping[str, Any]
    asked: tuple[tuple[str, str], ...]
    expected: bool


def rows(
    keywords: Iterable[str], table: Mapping[str, Sequence[Any]], *behaviours: str
) -> tuple[Row, ...]:
    """A row for each keyword and each `Key` of `table`, asked with `behaviours` true."""
    switched = tuple((name, "true") for name in behaviours)
    return tuple(
        Row(f"{keyword}: {name}", {keyword: stored}, ((keyword, key), *switched), expected)
        for keyword in keywords
        for name, (stored, key, expected) in table.items()
    )


def on_each(
    stored: Iterable[Any], keys: Iterable[str], *, expected: bool
) -> Iterator[tuple[str, Key]]:
    """Each key on each stored value, all with the same end, by a name."""
    asked = list(keys)
    for value in stored:
        for key in asked:
            yield f"{key!r} on {value!r}", (value, key, expected)


def joined(table: Mapping[str, tuple[Any, Any, str, str, bool]]) -> tuple[Row, ...]:
    """Rows of StudyDate and StudyTime: both stored, both asked."""
    return tuple(
        Row(
            name,
            {"StudyDate": day, "StudyTime": time},
            (("StudyDate", days), ("StudyTime", times)),
            expected,
        )
        for name, (day, time, days, times, expected) in table.items()
    )
