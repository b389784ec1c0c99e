"""Studies and series out of image sets: what is shown, who speaks for a study, what is counted."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.search.grouping import winner_first
from gateway.search.imageset import ImageSet
from gateway.search.plan import SearchOptions
from gateway.search.study import found_series, found_study, shown, summary_values
from tests.unit.tables import named

SERIES, MODALITY = "DICOMSeriesInstanceUID", "DICOMSeriesModality"
OF_SERIES, OF_INSTANCES = "DICOMNumberOfStudyRelatedSeries", "DICOMNumberOfStudyRelatedInstances"
OPTIONS = SearchOptions()


def one(name: str, **tags: Any) -> ImageSet:
    """An image set; its mark and the time of its update stand beside its tags."""
    primary, updated = tags.pop("primary", True), float(tags.pop("updated", 0))
    kept = {key: value for key, value in tags.items() if value is not None}
    return ImageSet(name, {"DICOMStudyInstanceUID": "1", **kept}, 0, 0.0, updated, primary)


# A primary series, a series of others only, one of each, one unmarked, and one without a UID
SETS = winner_first([
    one("a", **{SERIES: "1"}, updated=1), one("b", **{SERIES: "2"}, primary=False, updated=2),
    one("c", **{SERIES: "2"}, primary=False, updated=3), one("d", **{SERIES: "3"}, updated=4),
    one("e", **{SERIES: "3"}, primary=False, updated=5),
    one("f", **{SERIES: "4"}, primary=None, updated=6),
    one("g", **{SERIES: "4"}, primary=False, updated=7),
    one("h", **{SERIES: "1 "}, primary=False, updated=8),
])  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "names"),
    named({"primary": ("primary", "fda"), "fill": ("fill", "fdac"), "all": ("all", "fdahgecb")}),
)
def test_what_is_shown(mode: Any, names: str) -> None:
    """Primary and unmarked ones; with fill the newest of a series that has none; or all."""
    found = shown(SETS, SearchOptions(image_sets=mode))
    assert names == "".join(s.image_set_id for s in found)


@pytest.mark.parametrize(
    ("mode", "series", "modalities"),
    named({
        "primary": ("primary", None, None),
        "fill": ("fill", ["1"], ("CT",)),
        "all": ("all", ["1"], ("CT", "MR")),
    }),
)  # fmt: skip
def test_a_study_without_a_primary_image_set(mode: Any, series: Any, modalities: Any) -> None:
    """It is no result by default; else it is made of what is shown."""
    sets = winner_first([
        one("a", **{SERIES: "1", MODALITY: "MR"}, primary=False, updated=1),
        one("b", **{SERIES: "1", MODALITY: "CT"}, primary=False, updated=2),
    ])  # fmt: skip
    options = SearchOptions(image_sets=mode)
    study = found_study(sets, options)
    assert (series is None) == (study is None)
    assert (series or []) == [r.values["SeriesInstanceUID"][0] for r in found_series(sets, options)]
    assert study is None or modalities == study.values["ModalitiesInStudy"]


def test_a_study_speaks_through_one_image_set() -> None:
    """All attributes come from the winner; what it lacks is not taken from another."""
    sets = winner_first([
        one("a", DICOMPatientName="DOE^JANE", DICOMPatientId="P1", updated=2),
        one("b", DICOMPatientId="P2", DICOMStudyId="S2", updated=1),
        one("c", DICOMPatientId="P3", DICOMAccessionNumber="A3", primary=False, updated=3),
    ])  # fmt: skip
    for mode in ("primary", "fill", "all"):
        study = found_study(sets, SearchOptions(image_sets=mode))
        assert study is not None
        found = {key: study.values.get(key) for key in ("PatientName", "PatientID", "StudyID")}
        assert {"PatientName": ("DOE^JANE",), "PatientID": ("P1",), "StudyID": None} == found
        assert "AccessionNumber" not in study.values


@pytest.mark.parametrize(
    ("stored", "mode", "modalities"),
    named({
        "each once, sorted": (["MR", "CT", "MR"], "primary", ("CT", "MR")),
        "padded": (["CT ", "CT"], "primary", ("CT",)),
        "several in one": (["PT\\CT", "CT"], "primary", ("CT", "PT")),
        "an empty one": (["", "CT"], "primary", ("CT",)),
        "blank ones": ([" ", "\\"], "primary", None),
        "none": ([None], "primary", None),
        "a hidden one is not told": (["CT", "-OT"], "primary", ("CT",)),
        "one that fills": (["CT", "-OT"], "fill", ("CT", "OT")),
        "one that is shown": (["CT", "-OT"], "all", ("CT", "OT")),
    }),
)  # fmt: skip
def test_modalities_in_study(stored: list[str | None], mode: Any, modalities: Any) -> None:
    """Each modality of what is shown, once; no value where there is none."""
    sets = [
        one(
            str(n),
            **{SERIES: str(n), MODALITY: m and m.lstrip("-")},
            primary=m is None or m[:1] != "-",
        )
        for n, m in enumerate(stored)
    ]
    study = found_study(sets, SearchOptions(image_sets=mode))
    assert study is not None
    assert modalities == study.values.get("ModalitiesInStudy")


@pytest.mark.parametrize(
    ("counts", "rows", "series", "instances", "own"),
    named({
        # (series UID, number of series, number of instances) of each image set
        "auto, own: summed over series": ("auto", [("1", 1, 3), ("2", 1, 4)], 2, 7, [3, 4]),
        "auto, own: equal in two series": ("auto", [("1", 1, 3), ("2", 1, 3)], 2, 6, [3, 3]),
        "auto, a split: different are summed": ("auto", [("1", 1, 3), ("1", 1, 4)], 1, 7, [7]),
        "auto, a split: equal count once": ("auto", [("1", 1, 3), ("1", 1, 3)], 1, 3, [3]),
        "auto, a split in three": ("auto", [("1", 1, 3), ("1", 1, 4), ("1", 1, 3)], 1, 7, [7]),
        "auto, a split beside another": ("auto", [("1", 1, 3), ("1", 1, 4), ("2", 1, 5)], 2, 12,
            [7, 5]),
        "auto, the study's: the largest": ("auto", [("1", 2, 7), ("2", 2, 9)], 2, 9, [None, None]),
        "auto, the study's: not what is shown": ("auto", [("1", 5, 70)], 1, 70, [None]),
        "auto, the study's: one is missing": ("auto", [("1", 2, 7), ("2", 2, None)], 2, 7,
            [None, None]),
        "auto, the study's: all are missing": ("auto", [("1", 2, None), ("2", 2, None)], 2, None,
            [None, None]),
        "auto, own: one is missing": ("auto", [("1", 1, 3), ("2", 1, None)], 2, None, [3, None]),
        "auto, own: a part of a split is missing": ("auto", [("1", 1, 3), ("1", 1, None)], 1, None,
            [None]),
        "auto, no number of series": ("auto", [("1", None, 3), ("2", None, 4)], 2, 7, [3, 4]),
        "auto, zero instances": ("auto", [("1", 1, 0)], 1, 0, [0]),
        "image-set, whatever they say": ("image-set", [("1", 2, 3), ("2", 2, 4)], 2, 7, [3, 4]),
        "image-set, equal ones of a split": ("image-set", [("1", 2, 3), ("1", 2, 3)], 1, 3, [3]),
        "image-set, one is missing": ("image-set", [("1", 2, 3), ("2", 2, None)], 2, None,
            [3, None]),
        "study, whatever they say": ("study", [("1", 1, 3), ("2", 1, 9)], 2, 9, [None, None]),
        "study, one series": ("study", [("1", 1, 3)], 1, 3, [None]),
        "study, all are missing": ("study", [("1", 1, None)], 1, None, [None]),
    }),
)  # fmt: skip
def test_counts(counts: Any, rows: Any, series: int, instances: Any, own: list[Any]) -> None:
    """NumberOfStudyRelatedSeries is what the series search gives; instances as `counts` has it."""
    sets = [
        one(str(n), **{SERIES: uid, OF_SERIES: s, OF_INSTANCES: i})
        for n, (uid, s, i) in enumerate(rows)
    ]
    options = SearchOptions(counts=counts)
    study = found_study(sets, options)
    assert study is not None
    answered = found_series(sets, options)
    assert (series,) == study.values["NumberOfStudyRelatedSeries"] == (len(answered),)
    assert (instances,) == study.values.get("NumberOfStudyRelatedInstances", (None,))
    found = [r.values.get("NumberOfSeriesRelatedInstances", (None,))[0] for r in answered]
    assert own == found


@pytest.mark.parametrize(
    ("mode", "series", "instances"),
    named({"primary": ("primary", 1, 3), "fill": ("fill", 2, 7), "all": ("all", 2, 12)}),
)
def test_counts_of_what_is_shown(mode: Any, series: int, instances: int) -> None:
    """What is hidden is not counted."""
    sets = winner_first([
        one("a", **{SERIES: "1", OF_INSTANCES: 3}),
        one("b", **{SERIES: "2", OF_INSTANCES: 5}, primary=False, updated=1),
        one("c", **{SERIES: "2", OF_INSTANCES: 4}, primary=False, updated=2),
    ])  # fmt: skip
    study = found_study(sets, SearchOptions(image_sets=mode))
    assert study is not None
    names = ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
    assert [(series,), (instances,)] == [study.values[name] for name in names]


@pytest.mark.parametrize(
    ("rows", "order"),
    named(
        {
            "by number": ([("a", 2), ("b", 1), ("c", 10)], "bac"),
            "not as text": ([("a", 10), ("b", 9)], "ba"),
            "zero and below": ([("a", 0), ("b", -1)], "ba"),
            "by UID where equal": ([("b", 1), ("a", 1)], "ab"),
            "missing last": ([("a", None), ("b", 2147483647)], "ba"),
            "missing ones by UID": ([("b", None), ("a", None), ("c", 1)], "cab"),
            "a number as text": ([("a", " 3 "), ("b", 2)], "ba"),
            "no number as missing": ([("a", "x"), ("b", 2)], "ba"),
        }
    ),
)
def test_series_in_order(rows: list[tuple[str, Any]], order: str) -> None:
    """Series come by SeriesNumber, missing last, then by SeriesInstanceUID."""
    sets = [one(uid, **{SERIES: uid, "DICOMSeriesNumber": number}) for uid, number in rows]
    found = found_series(sets, OPTIONS)
    assert order == "".join(str(r.values["SeriesInstanceUID"][0]) for r in found)


def test_a_series_holds_its_study() -> None:
    """A series has its study's values, and its own from the first of its image sets."""
    sets = winner_first([
        one("a", **{SERIES: "1", MODALITY: "CT"}, DICOMPatientId="P1", updated=3),
        one("b", **{SERIES: "2", MODALITY: "MR"}, DICOMPatientId="P2", updated=2),
        one("c", **{SERIES: "2\0", MODALITY: "US"}, DICOMPatientId="P3", updated=1),
        one("d", **{MODALITY: "SR"}, updated=0),
    ])  # fmt: skip
    found = [
        tuple(r.values[k] for k in ("SeriesInstanceUID", "Modality", "PatientID"))
        for r in found_series(sets, OPTIONS)
    ]
    assert [(("1",), ("CT",), ("P1",)), (("2",), ("MR",), ("P1",))] == found
    assert ("CT", "MR", "SR", "US") == found_series(sets, OPTIONS)[0].values["ModalitiesInStudy"]


def test_what_an_image_set_says_by_itself() -> None:
    """Its summary's attributes, typed; nothing derived, and nothing without a value."""
    image_set = one("a", **{SERIES: "1.2 ", "DICOMSeriesNumber": 0}, DICOMPatientId=" ",
                    DICOMStudyDate="x", DICOMUnknown="x", **{OF_INSTANCES: 3})  # fmt: skip
    expected = {"StudyInstanceUID": ("1",), "SeriesInstanceUID": ("1.2",), "SeriesNumber": (0,)}
    assert expected == summary_values(image_set)
