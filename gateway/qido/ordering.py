"""Ordering: results sorted by what `orderby` names, the keyword of dcm4chee's search.

Source: none in the standard; a declared extension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.qido.attributes import Attribute
from gateway.qido.conditions import RANGE_VRS
from gateway.qido.matching import fold
from gateway.qido.moments import parse_moment
from gateway.qido.numbers import NUMBER_VRS, Number, number_of
from gateway.qido.result import Result, Value
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

    A value that is missing, or can't be read as its VR says, stands last in either direction; a
    moment that is cut short stands where it begins.
    """
    left = list(results)
    for key in reversed(keys):
        placed = [(_place(key.attribute, result), result) for result in left]
        known = [pair for pair in placed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0] or (), reverse=key.descending)
        left = [result for _, result in known]
        left += [result for place, result in placed if place is None]
    return left


def _place(attribute: Attribute, result: Result) -> tuple[Number, str] | None:
    """Where the first value of the attribute stands, None where it has none."""
    values = result.values.get(attribute.keyword)
    if not values:
        return None
    value, vr = values[0], attribute.vr
    if vr in NUMBER_VRS or vr in RANGE_VRS:
        number = _number(vr, value)
        return None if number is None else (number, "")
    text = str(value)
    if vr == "PN":
        text = fold(text.rstrip(" ^"))
    return (0, text) if text else None


def _number(vr: str, value: Value) -> Number | None:
    match vr:
        case "DA":
            return parse_date(str(value))
        case "TM":
            return parse_stored_time(str(value))
        case "DT" if isinstance(value, int):
            return value  # an arrival
        case "DT":
            moment = parse_moment(str(value))
            return None if moment is None else moment[0]
        case _:
            return number_of(vr, value)
