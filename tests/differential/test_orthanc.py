"""The gateway against Orthanc: the same files, the same queries, and every difference explained.

What the gateway answers is also compared with an oracle over the files. All queries are asked
together, so that few workers start the servers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.differential import records
from tests.differential.asking import (
    Answer,
    ask_gateway,
    ask_orthanc,
    metadata_of,
)
from tests.differential.comparing import Expected, expected_of, is_right, page_of, unequal
from tests.differential.departures import DEPARTURES
from tests.differential.detailed import DETAILED
from tests.differential.files import datasets, write
from tests.differential.queries import QUERIES
from tests.differential.servers import Server, gateway, missing, orthanc
from tests.unit.test_docs import table

COMPARED = {
    "studies": {"PatientName", "ReferringPhysicianName"},
    "series": {
        *("SeriesDescription", "SeriesDate", "SeriesTime", "StationName", "OperatorsName"),
        *("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
        "ReferringPhysicianName",
    },
    "instances": {
        *("SOPClassUID", "InstanceNumber", "Rows", "Columns", "NumberOfFrames", "ImageType"),
        *("SliceThickness", "ContentDate", "ReferringPhysicianName", "SeriesDescription"),
        *("PatientName", "StudyDate", "Modality"),
    },
}
"""Attributes whose values of that level both servers return, among others."""

NOT_STORED = {
    *("RetrieveURL", "ModalitiesInStudy", "AvailableTransferSyntaxUID"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    "NumberOfSeriesRelatedInstances",
}
"""Attributes of an instance's result that no data set has: made, or worked out."""


@pytest.fixture(scope="module")
def expected() -> dict[str, Expected]:
    """What each query should find, without regard to limit and offset."""
    files = datasets()
    of_level = {
        "studies": records.studies_of(files),
        "series": records.series_of(files),
        "instances": records.instances_of(files),
    }
    return {query.id: expected_of(query, of_level[query.level]) for query in QUERIES}


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
def answers(servers: tuple[Server, Server]) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """What the gateway and Orthanc answer to each query, both asked at once to save time."""
    with ThreadPoolExecutor(max_workers=2) as threads:
        asked = [
            threads.submit(lambda ask, server: {q.id: ask(server, q) for q in QUERIES}, ask, server)
            for ask, server in zip((ask_gateway, ask_orthanc), servers, strict=True)
        ]
        ours, theirs = (one.result() for one in asked)
    return ours, theirs


@pytest.fixture(scope="module")
def ours(answers: tuple[dict[str, Answer], dict[str, Answer]]) -> dict[str, Answer]:
    """What the gateway answers to each query."""
    return answers[0]


@pytest.fixture(scope="module")
def theirs(answers: tuple[dict[str, Answer], dict[str, Answer]]) -> dict[str, Answer]:
    """What Orthanc answers to each query."""
    return answers[1]


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
    """Of at least 300 queries, at least 240 have an answer that is neither empty nor everything.

    So have seven in ten of those that take metadata.
    """
    detailed = [id_ for _, table_ in DETAILED for id_ in table_]
    telling = {id_ for id_, one in expected.items() if 0 < len(one.answer) < one.of}
    assert len({query.id for query in QUERIES}) == len(QUERIES) >= 300
    assert len(telling) >= 240
    assert len(telling.intersection(detailed)) >= 0.7 * len(detailed) >= 0.7 * 120


# --- the answers ----------------------------------------------------------------------------------


def test_gateway_answers_what_the_files_say(
    ours: dict[str, Answer], expected: dict[str, Expected]
) -> None:
    """The gateway finds what the oracle finds, in its order, and the values agree.

    So it does where Orthanc departs.
    """
    pages = {q.id: page_of(q, expected[q.id].answer) for q in QUERIES}
    assert set() == {id_ for id_, page in pages.items() if page != list(ours[id_])}
    assert [] == [
        (query.id, keyword)
        for query in QUERIES
        for keyword in unequal(query, expected[query.id].answer, ours[query.id])
    ]


def test_orthanc_finds_the_same_but_for_departures(
    theirs: dict[str, Answer], expected: dict[str, Expected]
) -> None:
    """Orthanc finds the same, but for the queries of the departures, which all differ."""
    listed = {id_ for departure in DEPARTURES for id_ in departure.queries}
    differing = {q.id for q in QUERIES if not is_right(q, theirs[q.id], expected[q.id].answer)}
    assert {"not listed": set(), "no longer needed": set()} == {
        "not listed": differing - listed,
        "no longer needed": listed - differing,
    }


def test_orthanc_returns_the_same_values(
    ours: dict[str, Answer], theirs: dict[str, Answer]
) -> None:
    """What both return of a result is the same, names in every script included."""
    assert set() == {
        (q.id, keyword) for q in QUERIES for keyword in unequal(q, theirs[q.id], ours[q.id])
    }
    names = {name for one in theirs["universal-none"].values() for name in one["PatientName"]}
    assert 30 < len(names)


@pytest.mark.parametrize("level", COMPARED)
def test_details_are_compared(
    level: str, ours: dict[str, Answer], theirs: dict[str, Answer]
) -> None:
    """Both return what only metadata has, with values, so that there is something to compare."""
    both = {
        keyword
        for query in QUERIES
        if query.level == level
        for uid in ours[query.id].keys() & theirs[query.id].keys()
        for keyword, texts in ours[query.id][uid].items()
        if texts and theirs[query.id][uid].get(keyword)
    }
    assert set() == COMPARED[level] - both


def test_orthanc_has_the_same_data_sets(
    servers: tuple[Server, Server], ours: dict[str, Answer]
) -> None:
    """With includefield=all an instance is all that Orthanc's WADO-RS metadata has of it.

    Orthanc's QIDO-RS returns no sequences: here they are compared.
    """
    instances = ours["instances-include-more"]
    studies = {uid for one in instances.values() for uid in one["StudyInstanceUID"]}
    stored = {uid: one for study in studies for uid, one in metadata_of(servers[1], study).items()}
    assert stored.keys() == instances.keys()
    assert set() == {
        keyword
        for uid, attributes in stored.items()
        for keyword, texts in attributes.items()
        if instances[uid].get(keyword) != texts
    }
    assert NOT_STORED == {
        keyword
        for uid, attributes in instances.items()
        for keyword, texts in attributes.items()
        if texts and keyword not in stored[uid]
    }
    assert any(one.get("RequestAttributesSequence") for one in stored.values())


def test_includefield_adds_what_it_names(
    ours: dict[str, Answer], theirs: dict[str, Answer], expected: dict[str, Expected]
) -> None:
    """Both servers return the attributes that includefield names; the gateway empty ones too."""
    asked = {
        "include-list": {"StudyDescription", "PatientBirthDate"},
        "include-tag": {"StudyDescription"},
        "series-include": {"StudyDescription", "BodyPartExamined", "PatientBirthDate"},
        "study-include": {"BodyPartExamined"},
        "detail-include": {"SeriesDescription", "SeriesDate", "SeriesTime", "OperatorsName"},
        "instances-include-tag": {"ProtocolName"},
    }
    for id_, keywords in asked.items():
        assert keywords <= set.intersection(*(set(one) for one in ours[id_].values()))
        for uid, one in expected[id_].answer.items():
            assert {keyword for keyword in keywords if one[keyword]} <= theirs[id_][uid].keys()


def test_orthanc_does_not_decode(servers: tuple[Server, Server]) -> None:
    """Why some queries go to /tools/find: a percent-encoded value finds nothing in Orthanc."""
    target = "/dicom-web/studies?PatientID=PAT%3001"
    assert [2, 0] == [len(server.get(target)) for server in servers]


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
