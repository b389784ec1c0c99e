"""dicomtrolley of PyPI: the queries of its QIDO-RS searcher, hierarchical and relational."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
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
    Study,
)

STUDY, SERIES, INSTANCE = QueryLevels.STUDY, QueryLevels.SERIES, QueryLevels.INSTANCE


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
