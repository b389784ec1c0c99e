"""dicomtrolley of PyPI: the queries of its QIDO-RS searcher, hierarchical and relational."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import pytest
import requests
from dicomtrolley.caching import CachedSearcher, DICOMObjectCache
from dicomtrolley.core import (
    DICOMObjectLevels,
    Downloader,
    Query,
    QueryLevels,
    StudyReference,
)
from dicomtrolley.core import Study as Found
from dicomtrolley.exceptions import DICOMTrolleyError
from dicomtrolley.qido_rs import HierarchicalQuery, QidoRS, RelationalQuery
from dicomtrolley.trolley import Trolley

from tests.clients.viewed import (
    JOSE,
    MARY,
    MICHAEL,
    ROUTINE,
    SMITH,
    STUDIES,
    TARO,
    Instance,
    Series,
    Study,
    instances_where,
)
from tests.e2e.running import Running

STUDY, SERIES, INSTANCE = QueryLevels.STUDY, QueryLevels.SERIES, QueryLevels.INSTANCE


@pytest.fixture(scope="module")
def searcher(gateway: Running) -> Iterator[QidoRS]:
    """The searcher as a program makes it; the URL's last slash is its own to drop."""
    with requests.Session() as session:
        yield QidoRS(session, f"{gateway.url}/")


def tree(found: Sequence[Found]) -> list[tuple[str, list[str]]]:
    """The UIDs of the studies that it has built, each with those of its series."""
    return [(study.uid, [series.uid for series in study.series]) for study in found]


def whole(studies: Sequence[Study]) -> list[tuple[str, list[str]]]:
    """What `tree` is where the series are asked for."""
    return [(study.uid, [series.uid for series in study.series]) for study in studies]


def bare(studies: Sequence[Study]) -> list[tuple[str, list[str]]]:
    """What `tree` is where only studies are asked for."""
    return [(study.uid, []) for study in studies]


# --- studies --------------------------------------------------------------------------------------

STUDY_QUERIES: dict[str, tuple[Query, Sequence[Study]]] = {
    "any": (Query(), STUDIES),
    "PatientName": (Query(PatientName="*jones*"), (MICHAEL, MARY)),
    "PatientID": (Query(PatientID="MRN 003"), (JOSE,)),
    "AccessionNumber": (Query(AccessionNumber="ACC+003"), (JOSE,)),
    "ModalitiesInStudy": (Query(ModalitiesInStudy="MR"), (MARY, TARO)),
    "StudyInstanceUID": (Query(StudyInstanceUID=TARO.uid), (TARO,)),
    "dates": (
        Query(min_study_date=datetime(2026, 11, 17), max_study_date=datetime(2026, 11, 18)),
        (MARY, JOSE),
    ),
    "one day": (
        Query(min_study_date=datetime(2026, 11, 18), max_study_date=datetime(2026, 11, 18)),
        (MARY,),
    ),
    "include_fields": (
        Query(PatientID="MRN002", include_fields=["StudyDescription", "SeriesDescription"]),
        (MARY,),
    ),
    "no match": (Query(AccessionNumber="NONE"), ()),
    "hierarchical": (HierarchicalQuery(PatientName="SMITH^*"), (SMITH,)),
    "hierarchical, limit": (HierarchicalQuery(limit=4), STUDIES[:4]),
    "hierarchical, limit and offset": (HierarchicalQuery(limit=4, offset=3), STUDIES[3:7]),
    "hierarchical, all keys": (
        HierarchicalQuery(
            StudyInstanceUID=MICHAEL.uid,
            AccessionNumber="ACC*",
            PatientName="JONES*",
            PatientID="MRN0021",
            ModalitiesInStudy="PT",
            min_study_date=datetime(2026, 1, 1),
            max_study_date=datetime(2026, 12, 31),
            include_fields=["NumberOfStudyRelatedInstances"],
        ),
        (MICHAEL,),
    ),
}


@pytest.mark.parametrize(("query", "found"), STUDY_QUERIES.values(), ids=STUDY_QUERIES)
def test_studies(searcher: QidoRS, query: Query, found: Sequence[Study]) -> None:
    """At the study level it builds these studies, in their order, without series."""
    assert bare(found) == tree(searcher.find_studies(query))


# --- series ---------------------------------------------------------------------------------------

SERIES_QUERIES: dict[str, tuple[Query, Sequence[Study]]] = {
    "of a study": (Query(StudyInstanceUID=MARY.uid, query_level=SERIES), (MARY,)),
    "hierarchical": (HierarchicalQuery(StudyInstanceUID=TARO.uid, query_level=SERIES), (TARO,)),
    "hierarchical, with the study's keys": (
        HierarchicalQuery(
            StudyInstanceUID=MARY.uid,
            PatientName="jones*",
            AccessionNumber="ACC002",
            query_level=SERIES,
        ),
        (MARY,),
    ),
    "hierarchical, another's key": (
        HierarchicalQuery(StudyInstanceUID=MARY.uid, PatientID="MRN004", query_level=SERIES),
        (),
    ),
    "of any study": (Query(query_level=SERIES), STUDIES),
    "relational": (RelationalQuery(query_level=SERIES), STUDIES),
    "relational, StudyInstanceUID": (
        RelationalQuery(StudyInstanceUID=MARY.uid, query_level=SERIES),
        (MARY,),
    ),
    "relational, PatientName": (
        RelationalQuery(PatientName="jones*", query_level=SERIES),
        (MICHAEL, MARY),
    ),
    "relational, ModalitiesInStudy": (
        RelationalQuery(ModalitiesInStudy="PT", query_level=SERIES),
        (MICHAEL,),
    ),
    "relational, dates": (
        RelationalQuery(
            min_study_date=datetime(2026, 11, 16),
            max_study_date=datetime(2026, 11, 17),
            query_level=SERIES,
        ),
        (JOSE, TARO),
    ),
    "relational, include_fields": (
        RelationalQuery(
            PatientID="MRN004", include_fields=["BodyPartExamined"], query_level=SERIES
        ),
        (TARO,),
    ),
    "relational, limit at a study's end": (
        RelationalQuery(limit=5, query_level=SERIES),
        (MICHAEL, MARY),
    ),
    "relational, limit and offset": (
        RelationalQuery(limit=2, offset=5, query_level=SERIES),
        (JOSE, TARO),
    ),
    "no match": (RelationalQuery(PatientID="NONE", query_level=SERIES), ()),
}


@pytest.mark.parametrize(("query", "found"), SERIES_QUERIES.values(), ids=SERIES_QUERIES)
def test_series(searcher: QidoRS, query: Query, found: Sequence[Study]) -> None:
    """At the series level it builds the tree of these studies and all their series."""
    assert whole(found) == tree(searcher.find_studies(query))


def test_one_series(searcher: QidoRS) -> None:
    """A SeriesInstanceUID alone is a relational search, which finds its study."""
    uid = MARY.series[1].uid
    query = Query(SeriesInstanceUID=uid, query_level=SERIES)
    assert [(MARY.uid, [uid])] == tree(searcher.find_studies(query))


def test_include_fields_are_returned(searcher: QidoRS) -> None:
    """What a query includes is in the datasets, of which the first is the study's."""
    query = Query(PatientID="MRN002", include_fields=["NumberOfStudyRelatedInstances"])
    (study,) = searcher.find_studies(query)
    assert (MARY.name, MARY.instances) == (
        str(study.data.PatientName),
        study.data.NumberOfStudyRelatedInstances,
    )


# --- instances ------------------------------------------------------------------------------------


def branches(found: Sequence[Found]) -> list[tuple[str, str, list[str]]]:
    """The UIDs of each study and series that it has built, with those of the instances."""
    return [
        (study.uid, series.uid, [instance.uid for instance in series.instances])
        for study in found
        for series in study.series
    ]


def stored(
    condition: Callable[[Study, Series, Instance], bool],
) -> list[tuple[str, str, list[str]]]:
    """What `branches` is of the instances that are meant."""
    uids: dict[tuple[str, str], list[str]] = {}
    for study, series, instance in instances_where(condition):
        uids.setdefault((study.uid, series.uid), []).append(instance.uid)
    return [(*both, instances) for both, instances in uids.items()]


INSTANCE_QUERIES: dict[str, tuple[Query, list[tuple[str, str, list[str]]]]] = {
    "of a series": (
        HierarchicalQuery(
            StudyInstanceUID=MARY.uid, SeriesInstanceUID=MARY.series[0].uid, query_level=INSTANCE
        ),
        stored(lambda _, series, __: series is MARY.series[0]),
    ),
    "of a series, limit and offset": (
        HierarchicalQuery(
            StudyInstanceUID=JOSE.uid,
            SeriesInstanceUID=JOSE.series[0].uid,
            query_level=INSTANCE,
            limit=10,
            offset=95,
        ),
        stored(lambda study, _, one: study is JOSE and 96 <= (one.number or 0) <= 105),
    ),
    "of a series that is another study's": (
        HierarchicalQuery(
            StudyInstanceUID=JOSE.uid, SeriesInstanceUID=MARY.series[0].uid, query_level=INSTANCE
        ),
        [],
    ),
    "of a study": (
        RelationalQuery(StudyInstanceUID=MARY.uid, query_level=INSTANCE),
        stored(lambda study, _, __: study is MARY),
    ),
    "of a study, as it chooses itself": (
        Query(StudyInstanceUID=TARO.uid, query_level=INSTANCE),
        stored(lambda study, _, __: study is TARO),
    ),
    "of a study, with its patient": (
        RelationalQuery(StudyInstanceUID=MARY.uid, PatientID="MRN004", query_level=INSTANCE),
        [],
    ),
    "of a patient": (
        RelationalQuery(PatientName="jones*", query_level=INSTANCE),
        stored(lambda study, _, __: study in (MICHAEL, MARY)),
    ),
    "of a modality's studies": (
        RelationalQuery(ModalitiesInStudy="PT", query_level=INSTANCE),
        stored(lambda study, _, __: "PT" in study.modalities),
    ),
    "of days": (
        RelationalQuery(
            min_study_date=datetime(2026, 1, 1),
            max_study_date=datetime(2026, 11, 16),
            query_level=INSTANCE,
        ),
        stored(lambda study, _, __: study in (TARO, SMITH)),
    ),
    "of all, one page": (
        RelationalQuery(limit=180, query_level=INSTANCE),
        stored(lambda study, _, __: study is MICHAEL),
    ),
    "no match": (RelationalQuery(PatientID="NONE", query_level=INSTANCE), []),
}


@pytest.mark.parametrize(("query", "found"), INSTANCE_QUERIES.values(), ids=INSTANCE_QUERIES)
def test_instances(searcher: QidoRS, query: Query, found: list[tuple[str, str, list[str]]]) -> None:
    """At the instance level it builds the tree of these series with these instances."""
    assert found == branches(searcher.find_studies(query))


def test_include_fields_of_instances(searcher: QidoRS) -> None:
    """What a query includes of a series and an instance is in the datasets."""
    query = RelationalQuery(
        StudyInstanceUID=MARY.uid,
        include_fields=["SeriesDescription", "Rows"],
        query_level=INSTANCE,
    )
    (study,) = searcher.find_studies(query)
    for series, expected in zip(study.series, MARY.series, strict=True):
        rows = {instance.data.get("Rows", 0) for instance in series.instances}
        descriptions = {instance.data.SeriesDescription for instance in series.instances}
        assert ({expected.held[0].kind.rows}, {expected.description}) == (rows, descriptions)


def test_refused(searcher: QidoRS) -> None:
    """A wrong value raises its error, which tells the status."""
    query = RelationalQuery(StudyInstanceUID="x", query_level=INSTANCE)
    with pytest.raises(DICOMTrolleyError, match=r"\(400 - Bad Request\)"):
        searcher.find_studies(query)


# --- what is built on the searcher ----------------------------------------------------------------


def test_find_study(searcher: QidoRS) -> None:
    """Exactly one study is found by what is unique, and none or many are its own errors."""
    assert MARY.uid == searcher.find_study(Query(AccessionNumber="ACC002")).uid
    assert whole([MARY]) == tree([searcher.find_study_by_id(MARY.uid, SERIES)])
    for query, reason in ((Query(PatientID="NONE"), "none"), (Query(PatientName="jones*"), "2")):
        with pytest.raises(DICOMTrolleyError, match=f"but found {reason}"):
            searcher.find_study(query)


def test_cached_searcher(searcher: QidoRS) -> None:
    """Its cache builds the same trees the second time."""
    cached = CachedSearcher(searcher, DICOMObjectCache())
    query = Query(StudyInstanceUID=MARY.uid, query_level=SERIES)
    assert whole([MARY]) == tree(cached.find_studies(query)) == tree(cached.find_studies(query))


def test_trolley_finds_what_to_download(searcher: QidoRS) -> None:
    """Before a download it asks for the series, or the instances, of a study."""
    trolley = Trolley(downloader=Downloader(), searcher=searcher)
    references = trolley.obtain_references([StudyReference(MARY.uid)], DICOMObjectLevels.SERIES)
    assert [series.uid for series in MARY.series] == [one.series_uid for one in references]
    references = trolley.obtain_references([StudyReference(MARY.uid)], DICOMObjectLevels.INSTANCE)
    expected = [instance.uid for series in MARY.series for instance in series.held]
    assert expected == [one.instance_uid for one in references]


@pytest.mark.parametrize("size", [40, len(STUDIES)])
def test_pages(searcher: QidoRS, size: int) -> None:
    """The pages of studies put together are every study once."""
    found: list[Found] = []
    while page := searcher.find_studies(HierarchicalQuery(limit=size, offset=len(found))):
        found += page
    assert bare(STUDIES) == tree(found)
    assert len(ROUTINE) < len(found)


def test_pages_of_series(searcher: QidoRS) -> None:
    """The pages of series put together are the tree of every study, also where one is cut."""
    found: dict[str, list[str]] = {}
    offset, size = 0, 31
    while True:
        query = RelationalQuery(limit=size, offset=offset, query_level=SERIES)
        page = tree(searcher.find_studies(query))
        if not page:
            break
        offset += sum(len(series) for _, series in page)
        for uid, series in page:
            found.setdefault(uid, []).extend(series)
    assert whole(STUDIES) == list(found.items())
