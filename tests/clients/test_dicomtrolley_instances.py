"""dicomtrolley of PyPI: its queries for instances, hierarchical and relational."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from dicomtrolley.core import (
    Query,
    QueryLevels,
)
from dicomtrolley.core import Study as Found
from dicomtrolley.exceptions import DICOMTrolleyError
from dicomtrolley.qido_rs import HierarchicalQuery, QidoRS, RelationalQuery

from tests.clients.viewed import (
    JOSE,
    MARY,
    MICHAEL,
    SMITH,
    TARO,
    Instance,
    Series,
    Study,
    instances_where,
)

INSTANCE = QueryLevels.INSTANCE


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
