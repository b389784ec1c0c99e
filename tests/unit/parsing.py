"""Queries as the tables of rules read them: what is accepted, and what is refused."""

from __future__ import annotations

from typing import Any

from gateway.errors import QueryError
from gateway.qido.attributes import Resource
from gateway.qido.query import Query, parse_query

STUDIES, STUDY_SERIES, ALL_SERIES = Resource.STUDIES, Resource.STUDY_SERIES, Resource.ALL_SERIES
REFUSED = "refused"
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
FIRST = 737_425
"""The day number of 2020-01-01."""

# Tags of PS3.6; the levels of PS3.18 Tables 10.6.1-5; whether a summary knows the value
KEYS = {
    "StudyDate": ("00080020", "study", "20200101"),
    "StudyTime": ("00080030", "study", "1200"),
    "AccessionNumber": ("00080050", "study", "A1"),
    "ModalitiesInStudy": ("00080061", "study", "CT"),
    "StudyDescription": ("00081030", "study", "HEAD"),
    "PatientName": ("00100010", "study", "DOE*"),
    "PatientID": ("00100020", "study", "P1"),
    "PatientBirthDate": ("00100030", "study", "19700101"),
    "PatientSex": ("00100040", "study", "F"),
    "StudyInstanceUID": ("0020000D", "study", "1.2"),
    "StudyID": ("00200010", "study", "S1"),
    "NumberOfStudyRelatedSeries": ("00201206", "study", "2"),
    "NumberOfStudyRelatedInstances": ("00201208", "study", "9"),
    "Modality": ("00080060", "series", "CT"),
    "BodyPartExamined": ("00180015", "series", "HEAD"),
    "SeriesInstanceUID": ("0020000E", "series", "1.2"),
    "SeriesNumber": ("00200011", "series", "3"),
}


def parsed(text: str | bytes, resource: Resource = STUDIES, **more: Any) -> Query:
    """The query of a URI's query string."""
    raw = text.encode() if isinstance(text, str) else text
    return parse_query(resource, raw, **more)


def outcome(text: str | bytes, keyword: str, resource: Resource = ALL_SERIES) -> Any:
    """The condition on `keyword`, None where there is none, or the name that was refused."""
    try:
        query = parsed(text, resource)
    except QueryError as exc:
        return REFUSED, exc.parameter
    found = [c.condition for c in query.criteria if c.attribute.keyword == keyword]
    return found[0] if found else None


def no(parameter: str) -> tuple[str, str]:
    """The outcome of a refusal that names `parameter`."""
    return REFUSED, parameter
