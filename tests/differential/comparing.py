"""What a query should find, and whether an answer is that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.differential import oracle
from tests.differential.asking import Answer, uid_keyword
from tests.differential.queries import Query

NOT_COMPARED = frozenset(
    (
        "RetrieveURL",  # each server's own address
        "SpecificCharacterSet",  # of Orthanc's data sets; the gateway has no such attribute
    )
)
NOT_IN_SUMMARIES = "ReferringPhysicianName"
"""What studies and series have without a value where the request does not name it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a query should find in the files, in the gateway's order, and out of how many."""

    answer: Answer
    of: int


def expected_of(query: Query, of_level: Sequence[dict[str, tuple[Any, ...]]]) -> Expected:
    """What the query should find among the records of its level."""
    among = [
        one for one in of_level if all(one[name] == (uid,) for name, uid in query.path.items())
    ]
    found = sorted((o for o in among if oracle.matches(o, query.parameters)), key=oracle.place)
    return Expected({one[uid_keyword(query)][0]: one for one in found}, len(among))


def is_right(query: Query, answer: Answer, found: Answer) -> bool:
    """Whether the answer is the whole of what is to be found, or a page of it of the right size."""
    limit, offset = query.parameters.get("limit"), int(query.parameters.get("offset", "0"))
    if limit is None:
        return answer.keys() == found.keys()
    return answer.keys() <= found.keys() and len(answer) == min(
        int(limit), max(0, len(found) - offset)
    )


def page_of(query: Query, found: Answer) -> list[str]:
    """The UIDs of the page that the query asks for, in the gateway's order."""
    offset = int(query.parameters.get("offset", "0"))
    return list(found)[offset : offset + int(query.parameters.get("limit", len(found)))]


def unequal(query: Query, one: Answer, other: Answer) -> set[str]:
    """The attributes that both have of a result and that are not equal."""
    left_out = set(NOT_COMPARED)
    if query.level != "instances" and not _names(query, NOT_IN_SUMMARIES):
        left_out.add(NOT_IN_SUMMARIES)
    return {
        keyword
        for uid in one.keys() & other.keys()
        for keyword in (one[uid].keys() & other[uid].keys()) - left_out
        if one[uid][keyword] != other[uid][keyword]
    }


def _names(query: Query, keyword: str) -> bool:
    """Whether a key or includefield of the query is of the attribute."""
    return keyword in query.parameters or keyword in query.parameters.get("includefield", "")
