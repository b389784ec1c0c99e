"""The gateway against Orthanc: the same files, the same queries, and every difference explained.

What the gateway answers is also compared with an oracle over the files. All queries are asked
together, so that few workers start the servers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.differential import oracle
from tests.differential.asking import Answer, ask_gateway, ask_orthanc, uid_keyword
from tests.differential.departures import DEPARTURES
from tests.differential.files import datasets, write
from tests.differential.queries import QUERIES, Query
from tests.differential.servers import Server, gateway, missing, orthanc
from tests.unit.test_docs import table

NOT_COMPARED = frozenset(
    (
        "RetrieveURL",  # each server's own address
        "SpecificCharacterSet",  # of Orthanc's data sets; the gateway has no such attribute
        "ReferringPhysicianName",  # not in a summary: the gateway's is always without a value
    )
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a query should find in the files, and out of how many."""

    answer: Answer
    of: int


@pytest.fixture(scope="module")
def expected() -> dict[str, Expected]:
    """What each query should find, without regard to limit and offset."""
    files = datasets()
    records = {"/studies": oracle.studies_of(files), "/series": oracle.series_of(files)}
    return {query.id: _expected(query, records) for query in QUERIES}


def _expected(query: Query, records: dict[str, list[dict[str, tuple[Any, ...]]]]) -> Expected:
    _, _, of_study = query.resource.partition("/studies/")
    if of_study:
        uid = of_study.split("/")[0]
        among = [one for one in records["/series"] if one["StudyInstanceUID"] == (uid,)]
    else:
        among = records[query.resource]
    found = [one for one in among if oracle.matches(one, query.parameters)]
    return Expected({one[uid_keyword(query)][0]: one for one in found}, len(among))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """The gateway and Orthanc with the same files."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("differential")
    files = folder / "files"
    files.mkdir()
    paths = write(files)
    with gateway(folder, files) as ours, orthanc(folder, paths) as theirs:
        yield ours, theirs


@pytest.fixture(scope="module")
def ours(servers: tuple[Server, Server]) -> dict[str, Answer]:
    """What the gateway answers to each query."""
    return {query.id: ask_gateway(servers[0], query) for query in QUERIES}


@pytest.fixture(scope="module")
def theirs(servers: tuple[Server, Server]) -> dict[str, Answer]:
    """What Orthanc answers to each query."""
    return {query.id: ask_orthanc(servers[1], query) for query in QUERIES}


# --- the queries ----------------------------------------------------------------------------------


def test_files_are_the_same_each_time(tmp_path: Path) -> None:
    """There are 300 files, and a second writing gives the same bytes."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    contents = [[path.read_bytes() for path in write(folder)] for folder in (first, second)]
    assert contents[0] == contents[1]
    assert 300 == len(set(contents[0]))


def test_queries_tell_servers_apart(expected: dict[str, Expected]) -> None:
    """Of at least 150 queries, at least 100 have an answer that is neither empty nor everything."""
    assert len({query.id for query in QUERIES}) == len(QUERIES) >= 150
    assert 100 <= sum(0 < len(one.answer) < one.of for one in expected.values())


# --- the answers ----------------------------------------------------------------------------------


def test_gateway_answers_what_the_files_say(
    ours: dict[str, Answer], expected: dict[str, Expected]
) -> None:
    """The gateway finds what the oracle finds, departures included, and the values agree."""
    wrong = {q.id for q in QUERIES if not _is_right(q, ours[q.id], expected[q.id].answer)}
    assert set() == wrong
    assert [] == [
        (query.id, keyword)
        for query in QUERIES
        for keyword in _unequal(expected[query.id].answer, ours[query.id])
    ]


def test_orthanc_finds_the_same_but_for_departures(
    theirs: dict[str, Answer], expected: dict[str, Expected]
) -> None:
    """Orthanc finds the same, but for the queries of the departures, which all differ."""
    listed = {id_ for departure in DEPARTURES for id_ in departure.queries}
    differing = {q.id for q in QUERIES if not _is_right(q, theirs[q.id], expected[q.id].answer)}
    assert {"not listed": set(), "no longer needed": set()} == {
        "not listed": differing - listed,
        "no longer needed": listed - differing,
    }


def test_orthanc_returns_the_same_values(
    ours: dict[str, Answer], theirs: dict[str, Answer]
) -> None:
    """What both return of a study or series is the same, names in every script included."""
    unequal = {(q.id, keyword) for q in QUERIES for keyword in _unequal(theirs[q.id], ours[q.id])}
    assert set() == unequal
    names = {name for one in theirs["universal-none"].values() for name in one["PatientName"]}
    assert 30 < len(names)


def test_includefield_adds_what_it_names(
    ours: dict[str, Answer], theirs: dict[str, Answer]
) -> None:
    """Both servers return the attributes that includefield names."""
    asked = {
        "include-list": {"StudyDescription", "PatientBirthDate"},
        "include-tag": {"StudyDescription"},
        "series-include": {"StudyDescription", "BodyPartExamined", "PatientBirthDate"},
        "study-include": {"BodyPartExamined"},
    }
    for id_, keywords in asked.items():
        for answer in (ours[id_], theirs[id_]):
            assert keywords <= set.intersection(*(set(one) for one in answer.values()))


def test_orthanc_does_not_decode(servers: tuple[Server, Server]) -> None:
    """Why some queries go to /tools/find: a percent-encoded value finds nothing in Orthanc."""
    target = "/dicom-web/studies?PatientID=PAT%3001"
    assert [2, 0] == [len(server.get(target)) for server in servers]


def _is_right(query: Query, answer: Answer, found: Answer) -> bool:
    """Whether the answer is the whole of what is to be found, or a page of it of the right size."""
    limit, offset = query.parameters.get("limit"), int(query.parameters.get("offset", "0"))
    if limit is None:
        return answer.keys() == found.keys()
    return answer.keys() <= found.keys() and len(answer) == min(
        int(limit), max(0, len(found) - offset)
    )


def _unequal(one: Answer, other: Answer) -> set[str]:
    """The attributes that both have of a study or series and that are not equal."""
    return {
        keyword
        for uid in one.keys() & other.keys()
        for keyword in (one[uid].keys() & other[uid].keys()) - NOT_COMPARED
        if one[uid][keyword] != other[uid][keyword]
    }


# --- the departures -------------------------------------------------------------------------------


def test_each_query_departs_once() -> None:
    """No query is in two departures, so that none of them can hide behind another."""
    counted = Counter(id_ for departure in DEPARTURES for id_ in departure.queries)
    assert [] == [id_ for id_, times in counted.items() if times > 1]


def test_departures_are_documented() -> None:
    """The conformance statement has a row for each departure, and no other."""
    rows = table("docs/conformance.md", "Orthanc")
    assert [
        {"Orthanc": d.does, "The standard": "open" if d.choice else "departs", "Clause": d.clause}
        for d in DEPARTURES
    ] == rows
