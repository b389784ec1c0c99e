"""Ordering: results sorted by what `orderby` names, the keyword of dcm4chee's search.

Source: none in the standard; a declared extension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.qido.attributes import Attribute
from gateway.qido.matching import fold
from gateway.qido.result import Result
from gateway.qido.times import parse_date, parse_stored_time

MAX_ORDER_KEYS = 8
"""How many attributes one `orderby` may name."""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """An attribute that results are sorted by, and its direction."""

    attribute: Attribute
    descending: bool = False


def ordered(results: Sequence[Result], keys: Sequence[OrderKey]) -> list[Result]:
    """`results` by the first of `keys`, then the next; those that are equal stay as they stand.

    A value that is missing, or can't be read as its VR says, stands last in either direction.
    """
    left = list(results)
    for key in reversed(keys):
        placed = [(_place(key.attribute, result), result) for result in left]
        known = [pair for pair in placed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0] or (), reverse=key.descending)
        left = [result for _, result in known]
        left += [result for place, result in placed if place is None]
    return left


def _place(attribute: Attribute, result: Result) -> tuple[int, str] | None:
    """Where the first value of the attribute stands, None where it has none."""
    value = result.values.get(attribute.keyword, ("",))[0]
    if isinstance(value, int):
        return value, ""
    match attribute.vr:
        case "DA" | "TM" | "IS":
            parse = {"DA": parse_date, "TM": parse_stored_time}.get(attribute.vr)
            number = None if parse is None else parse(value)
            return None if number is None else (number, "")
        case "PN":
            text = fold(value.rstrip(" ^"))
        case _:
            text = value
    return (0, text) if text else None
