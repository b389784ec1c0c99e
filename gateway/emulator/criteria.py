"""SearchCriteria as they come over the wire: read, and checked as botocore's model says.

Source: botocore's service model of medical-imaging 2023-07-19, shapes SearchCriteria,
SearchFilter, SearchByAttributeValue, Sort (documented). botocore checks neither maxima nor
patterns on the client's side, so a server has to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.emulator.errors import invalid
from gateway.emulator.variants import Variants

TEXT_KEYS = (
    "DICOMPatientId",
    "DICOMAccessionNumber",
    "DICOMStudyId",
    "DICOMStudyInstanceUID",
    "DICOMSeriesInstanceUID",
)
UID_KEYS = ("DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")
TIME_KEYS = ("createdAt", "updatedAt")
STUDY_DATE = "DICOMStudyDateAndTime"
SORT_FIELDS = ("updatedAt", "createdAt", STUDY_DATE)
MAX_TEXT, MAX_DATE, MAX_TIME = 512, 36, 56
FIRST_S, LAST_S = -62_135_596_800, 253_402_300_800
"""Seconds since 1970 of the years 1 to 9999, which are the ones that clients can read."""
LONGEST: Mapping[str, int] = {
    "DICOMPatientId": 512,
    "DICOMPatientName": 512,
    "DICOMPatientBirthDate": 36,
    "DICOMPatientSex": 16,
    "DICOMStudyInstanceUID": 512,
    "DICOMStudyId": 512,
    "DICOMStudyDescription": 512,
    "DICOMAccessionNumber": 512,
    "DICOMSeriesInstanceUID": 512,
    "DICOMSeriesModality": 32,
    "DICOMSeriesBodyPart": 128,
    "DICOMStudyDate": 36,
    "DICOMStudyTime": 56,
}
"""The texts of a summary to the most characters that they may have."""
_UID = re.compile(r"[0-9.]+")
_DATE = re.compile(r"[0-9]{8}")
_TIME = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9](([0-5][0-9]|60)(\.[0-9]{1,6})?)?)?")


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: a key, EQUAL with one value or BETWEEN with two."""

    key: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """Filters and sort; `sort_given` tells whether the sort was asked for."""

    filters: tuple[Filter, ...]
    sort_field: str = "updatedAt"
    descending: bool = True
    sort_given: bool = False

    def sort(self) -> dict[str, str]:
        """The sort as it is echoed."""
        return {"sortOrder": "DESC" if self.descending else "ASC", "sortField": self.sort_field}


def read_criteria(body: Any, variants: Variants) -> Criteria:
    """The criteria of a body.

    Raises: WireError, a ValidationException.
    """
    given = _structure({} if body is None else body, ("filters", "sort"), "searchCriteria")
    filters = _list(given["filters"], 2, "filters") if given.get("filters") is not None else ()
    criteria = Criteria(tuple(_filter(one) for one in filters))
    if given.get("sort") is not None:
        sort = _structure(given["sort"], ("sortOrder", "sortField"), "sort")
        if sort.get("sortOrder") not in ("ASC", "DESC"):
            raise invalid("sortOrder must be ASC or DESC")
        if sort.get("sortField") not in SORT_FIELDS:
            raise invalid("sortField must be one of " + ", ".join(SORT_FIELDS))
        descending = sort["sortOrder"] == "DESC"
        criteria = Criteria(criteria.filters, sort["sortField"], descending, sort_given=True)
    _check_variants(criteria, variants)
    return criteria


def _check_variants(criteria: Criteria, variants: Variants) -> None:
    if not criteria.filters and variants.unfiltered == "rejected":
        raise invalid("at least one filter is required")
    by_date = criteria.sort_given and criteria.sort_field == STUDY_DATE
    if criteria.filters and by_date and variants.sort_with_filter == "rejected":
        raise invalid("this sort is not supported together with filters")
    if len(criteria.filters) == 2 and variants.pairs != "any":
        pair = {(f.key, f.operator) for f in criteria.filters}
        documented = {("DICOMSeriesInstanceUID", "EQUAL"), ("updatedAt", "BETWEEN")}
        if variants.pairs == "single" or pair != documented:
            raise invalid("this combination of filters is not supported")


def _filter(body: Any) -> Filter:
    given = _structure(body, ("values", "operator"), "a filter")
    operator = given.get("operator")
    if operator not in ("EQUAL", "BETWEEN"):
        raise invalid("operator must be EQUAL or BETWEEN")
    values = _list(given.get("values"), 2, "values")
    read = [_value(value) for value in values]
    key = read[0][0]
    if any(other != key for other, _ in read):
        raise invalid("the values of a filter must have the same key")
    if operator == "EQUAL" and len(read) != 1:
        raise invalid("EQUAL takes one value")
    if operator == "BETWEEN":
        if len(read) != 2 or key not in (*TIME_KEYS, STUDY_DATE):
            raise invalid("BETWEEN takes two values of a time, (lowerBound, upperBound)")
        if _order(read[0][1]) > _order(read[1][1]):
            raise invalid("the lower bound must not be greater than the upper bound")
    return Filter(key, operator, tuple(value for _, value in read))


def _value(body: Any) -> tuple[str, Any]:
    given = _structure(body, (*TEXT_KEYS, *TIME_KEYS, STUDY_DATE, "isPrimary"), "a value")
    present = {key: value for key, value in given.items() if value is not None}
    if len(present) != 1:
        raise invalid("a value must have exactly one key")
    ((key, value),) = present.items()
    if key in TEXT_KEYS:
        text = _text(value, MAX_TEXT, key)
        if key in UID_KEYS and not _UID.fullmatch(text):
            raise invalid(f"{key} must match [0-9.]+")
        return key, text
    if key in TIME_KEYS:
        return key, read_time(value, key)
    if key == "isPrimary":
        if not isinstance(value, bool):
            raise invalid("isPrimary must be true or false")
        return key, value
    return key, _study_date(value)


def _study_date(body: Any) -> tuple[str, str]:
    given = _structure(body, ("DICOMStudyDate", "DICOMStudyTime"), STUDY_DATE)
    date = _text(given.get("DICOMStudyDate"), MAX_DATE, "DICOMStudyDate")
    time = given.get("DICOMStudyTime")
    text = "000000" if time is None else _text(time, MAX_TIME, "DICOMStudyTime")
    if not _DATE.fullmatch(date) or not _TIME.fullmatch(text) or not _is_real(date):
        raise invalid(f"{STUDY_DATE} must be YYYYMMDD and HHmmss.FFFFFF")
    return date, text


def _is_real(date: str) -> bool:
    try:
        datetime.strptime(date, "%Y%m%d")
    except ValueError:
        return False
    return True


def _order(value: Any) -> Any:
    """A bound so that bounds compare by meaning: 10 and 100000 are the same time."""
    if not isinstance(value, tuple):
        return value
    date, time = value
    whole, _, fraction = time.partition(".")
    return date, whole.ljust(6, "0"), fraction.ljust(6, "0")


def read_time(value: Any, name: str) -> float:
    """Seconds since 1970 of a timestamp, a number or ISO 8601.

    Raises: WireError.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = float(value)
        else:
            time = datetime.fromisoformat(value)
            seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise invalid(f"{name} must be a timestamp") from None
    if not FIRST_S <= seconds < LAST_S:
        raise invalid(f"{name} must be a timestamp of the years 1 to 9999")
    return seconds


def _text(value: Any, longest: int, name: str) -> str:
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string")
    if len(value) > longest:
        raise invalid(f"{name} may have {longest} characters")
    return value


def _structure(body: Any, names: Sequence[str], what: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise invalid(f"{what} must be a structure")
    if set(body) - set(names):
        raise invalid(f"{what} has a key that is not known")
    return body


def _list(body: Any, most: int, name: str) -> Sequence[Any]:
    if not isinstance(body, list) or not 1 <= len(body) <= most:
        raise invalid(f"{name} must be a list of 1 to {most}")
    return body
