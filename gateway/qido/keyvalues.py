"""What the text of a key asks, by the VR of its attribute.

Source: PS3.4 §C.2.2.2 (attribute matching), PS3.18 §8.3.4.1.
"""

from __future__ import annotations

import re

from gateway.errors import QueryError
from gateway.qido.attributes import Attribute
from gateway.qido.conditions import (
    LISTS,
    WILD_VRS,
    AllOf,
    Behaviours,
    Condition,
    Empty,
    Exact,
    Fuzzy,
    Range,
    Wildcard,
    has_several,
    is_creator,
)
from gateway.qido.moments import bounds_of, parse_moments
from gateway.qido.numbers import INTEGER_VRS, NUMBER_VRS, number_of
from gateway.qido.result import trim
from gateway.qido.times import parse_date, parse_time

MAX_VALUE_LENGTH = 1024
"""Characters that one value of a key may have; each UID of a list counts alone."""

_PLAIN = Behaviours()
_EMPTY_VALUE = '""'  # asks for an attribute without a value (PS3.4 §C.2.2.2.7)
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_MAX_UID_LENGTH = 512  # stores hold longer ones than DICOM's 64; a study must still open
_AGE = re.compile(r"[0-9]{3}[DWMY]")
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_DATE_RULE = "must be YYYYMMDD or a range of two, FROM-TO"
_TIME_RULE = "must be HH[MM[SS[.F]]] or a range of two"
_DT_RULE = "must be YYYY[MM[DD[HH[MM[SS[.F]]]]]][+HHMM or -HHMM] or a range of two"


def is_universal(vr: str, value: str) -> bool:
    """Whether a key of that VR matches all, those without a value too (PS3.4 §C.2.2.2.3)."""
    text = trim(vr, value)
    return not text or (vr in WILD_VRS and not text.strip("*"))


def condition_of(
    attribute: Attribute,
    value: str,
    name: str,
    behaviours: Behaviours = _PLAIN,
) -> Condition | None:
    """The condition of a key's text, None where it is universal matching.

    Raises: QueryError, with `name` as the parameter, where the text breaks the VR's rules.
    """
    if attribute.vr != "UI" and len(value) > MAX_VALUE_LENGTH:
        raise QueryError(name, f"a value may have {MAX_VALUE_LENGTH} characters at most")
    if is_universal(attribute.vr, value):
        return None
    if attribute.vr == "SQ":
        raise QueryError(name, "must be empty, or name an attribute of the items: NAME.NAME")
    text = trim(attribute.vr, value)
    if behaviours.empty and text == _EMPTY_VALUE:
        return Empty()
    return _valued(attribute, text, name, behaviours)


def _valued(attribute: Attribute, text: str, name: str, behaviours: Behaviours) -> Condition | None:
    match attribute.vr:
        case "UI":
            return _uids(text, name)
        case "DA" | "TM":
            return _range(attribute.vr, text, name)
        case "DT":
            return _moments(text, name)
        case vr if vr in NUMBER_VRS:
            if (number := number_of(vr, text)) is None:
                raise QueryError(
                    name, f"must be {'an integer' if vr in INTEGER_VRS else 'a number'}"
                )
            return Exact((number,))
        case _:
            if behaviours.multiple and has_several(attribute):
                return _all_of(attribute, text, name, behaviours)
            return _text(attribute, text, name, behaviours)


def _text(
    attribute: Attribute, text: str, name: str, behaviours: Behaviours
) -> Exact | Wildcard | Fuzzy | None:
    match attribute.vr:
        case "PN" if behaviours.fuzzy:
            return Fuzzy(text)
        case "AS" if not _AGE.fullmatch(text):
            raise QueryError(name, "must be three digits and D, W, M or Y")
        case "AT":
            if not _TAG.fullmatch(text):
                raise QueryError(name, "must be a tag: eight hexadecimal digits")
            return Exact((text.upper(),))
    parts: tuple[str, ...] = (text,)
    if attribute.keyword in LISTS:
        parts = tuple(p for p in (trim("CS", p) for p in re.split(r"[,\\]", text)) if p)
        if not parts or any(not part.strip("*") for part in parts):
            return None
    if any("*" in part or "?" in part for part in parts):
        if is_creator(attribute):
            raise QueryError(name, "a private creator has no wild cards")
        return Wildcard(parts)
    return Exact(parts)


def _all_of(attribute: Attribute, text: str, name: str, behaviours: Behaviours) -> Condition | None:
    """The condition of a key of several values, which a backslash parts; of one, its own.

    A value of zero length matches all and is left out: some clients send two backslashes.
    """
    values = [part for part in (trim(attribute.vr, p) for p in text.split("\\")) if part]
    if len(values) > 1 and any("*" in value or "?" in value for value in values):
        raise QueryError(name, "several values of one key must not hold wild cards")
    found = (_text(attribute, value, name, behaviours) for value in values)
    conditions = [condition for condition in found if condition is not None]
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return AllOf(tuple(conditions))


def _uids(text: str, name: str) -> Exact:
    # Commas are the standard's; OHIF parts them by two backslashes, older clients by one
    uids = tuple(filter(None, (part.strip(" \0") for part in re.split(r"[,\\]", text))))
    if not uids or not all(_UID.fullmatch(u) and len(u) <= _MAX_UID_LENGTH for u in uids):
        raise QueryError(name, "must be a UID or a list of UIDs: digits parted by dots")
    return Exact(tuple(dict.fromkeys(uids)))


def _day(text: str) -> tuple[int, int] | None:
    day = parse_date(text)
    return None if day is None else (day, day)


def _range(vr: str, text: str, name: str) -> Range:
    first, dash, last = (part.strip(" ") for part in text.partition("-"))
    bounds = bounds_of(first, last if dash else first, _day if vr == "DA" else parse_time)
    if bounds is None:
        raise QueryError(name, _DATE_RULE if vr == "DA" else _TIME_RULE)
    return Range(*bounds)


def _moments(text: str, name: str) -> Range:
    # An offset's + has been read as a space, which else stands around a dash alone
    bounds = parse_moments(re.sub(r" *- *", "-", text.strip(" ")).replace(" ", "+"))
    if bounds is None:
        raise QueryError(name, _DT_RULE)
    return Range(*bounds)
