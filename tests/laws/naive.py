"""Deliberately naive planners: each takes one undocumented choice of the upstream for granted.

Each gives `(StudyInstanceUID, NumberOfStudyRelatedInstances)` of the studies that match, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from gateway.emulator.store import Store
from tests.laws.oracle import Summary

Study = tuple[str, int]
BY_DATE = {"sortField": "DICOMStudyDateAndTime", "sortOrder": "DESC"}


def pages(
    store: Store,
    criteria: dict[str, Any],
    size: int = 50,
    between_pages: Callable[[], None] = lambda: None,
) -> list[list[Summary]]:
    """Every page, read with care."""
    found, token = [], None
    while True:
        answer = store.search(criteria, size, token)
        found.append(answer.get("imageSetsMetadataSummaries", []))
        token = answer.get("nextToken")
        if not token:
            return found
        between_pages()


def image_sets(store: Store, criteria: dict[str, Any]) -> list[Summary]:
    """Every image set."""
    return [one for page in pages(store, criteria) for one in page]


def studies_of(sets: list[Summary]) -> list[Study]:
    """Studies in the order in which they are met, their instances summed."""
    counts: dict[str, int] = {}
    for one in sets:
        uid, count = _study(one)
        counts[uid] = counts.get(uid, 0) + count
    return list(counts.items())


def in_the_upstreams_order(store: Store) -> list[Study]:
    """Takes the upstream's order for the answer's."""
    return studies_of(image_sets(store, {"sort": BY_DATE}))


def neighbours_are_one_study(store: Store) -> list[Study]:
    """Takes it that the image sets of a study come one after another."""
    sets = image_sets(store, {"sort": BY_DATE})
    return [
        (uid, sum(_study(s)[1] for s in group))
        for uid, group in groupby(sets, key=lambda one: _study(one)[0])
    ]


def exact_bounds(store: Store) -> list[Study]:
    """Takes it that BETWEEN includes its bounds."""
    return studies_of(image_sets(store, {"filters": [_between("20200101", "20200102")]}))


def whatever_the_range_gives(store: Store) -> list[Study]:
    """Takes it that only real dates lie between two dates."""
    return studies_of(image_sets(store, {"filters": [_between("20191231", "20200103")]}))


def whatever_equal_gives(store: Store) -> list[Study]:
    """Takes it that EQUAL compares as DICOM does: by case, and without padding."""
    return studies_of(image_sets(store, {"filters": [_equal("PAT1")]}))


def whatever_changed(store: Store, first: float, last: float) -> list[Study]:
    """Takes it that a study of which an image set changed in a range has changed last in it."""
    values = [{"updatedAt": first}, {"updatedAt": last}]
    return studies_of(image_sets(store, {"filters": [{"operator": "BETWEEN", "values": values}]}))


def any_pair(store: Store) -> list[Study]:
    """Takes it that any two filters may stand together."""
    filters = [_equal("PAT1"), _between("20191231", "20200103")]
    return studies_of(image_sets(store, {"filters": filters}))


def a_sort_with_a_filter(store: Store) -> list[Study]:
    """Takes it that what is filtered may be sorted."""
    return studies_of(image_sets(store, {"filters": [_equal("PAT1")], "sort": BY_DATE}))


def no_filter(store: Store) -> list[Study]:
    """Takes it that a search needs no filter."""
    return studies_of(image_sets(store, {}))


def until_a_page_is_short(store: Store) -> list[Study]:
    """Takes it that a page that is not full is the last."""
    sets: list[Summary] = []
    token = None
    while True:
        answer = store.search({"sort": BY_DATE}, 2, token)
        page = answer.get("imageSetsMetadataSummaries", [])
        sets += page
        token = answer.get("nextToken")
        if len(page) < 2 or not token:
            return studies_of(sets)


def a_list_is_always_there(store: Store) -> list[Study]:
    """Takes it that a page has a list."""
    answer = store.search({"filters": [_equal("NOBODY")]}, 50, None)
    return studies_of(answer["imageSetsMetadataSummaries"])


def each_row_is_new(store: Store) -> list[Study]:
    """Takes it that no image set comes twice, also when one is imported between two pages."""
    newer = {"imageSetId": "f" * 32, "updatedAt": 3e9, "createdAt": 3e9}
    tags = {"DICOMStudyInstanceUID": "1.2.9999", "DICOMStudyDate": "20300101"}
    arrived: list[None] = []

    def import_one() -> None:
        if not arrived:
            arrived.append(None)
            store.add_summaries([{**newer, "DICOMTags": tags}])

    found = pages(store, {"sort": BY_DATE}, 2, import_one)
    return [
        study for study in studies_of([s for page in found for s in page]) if study[0] != "1.2.9999"
    ]


def _study(one: Summary) -> Study:
    tags = one["DICOMTags"]
    return tags["DICOMStudyInstanceUID"], tags["DICOMNumberOfStudyRelatedInstances"]


def _equal(patient_id: str) -> dict[str, Any]:
    return {"operator": "EQUAL", "values": [{"DICOMPatientId": patient_id}]}


def _between(first: str, last: str) -> dict[str, Any]:
    bounds = ((first, "000000"), (last, "235959.999999"))
    values = [
        {"DICOMStudyDateAndTime": {"DICOMStudyDate": d, "DICOMStudyTime": t}} for d, t in bounds
    ]
    return {"operator": "BETWEEN", "values": values}
