"""Made-up archives and questions about them, for hypothesis.

Two families. *Regular*: as DICOM requires it, one StudyDate and StudyTime a study, every image set
primary. *Arbitrary*: conflicts, split series, unmarked sets, padding, undated studies, odd times.
In both, the image sets of a study that are marked primary agree in what HealthImaging documents.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.laws.blobs import metadata_of
from tests.laws.described import detail, instance_order, series_order
from tests.laws.judging import TIME_OF
from tests.laws.oracle import Criterion, Question, Summary

DAYS = ("20191231", "20200101", "20200102", "20200228", "20200229", "20200301", "20210615")
TIMES = ("00", "0930", "093000", "101530.123", "1015", "140000", "235959")
ODD_TIMES = ("", "10:15:30", "25", "noon", "0", "235959.999999")
ODD_DAYS = ("", "2020.01.02", "20200230", "2020", "unknown")
NAMES = (
    "DOE^JANE",
    "DOE^JOHN^^DR",
    "MÜLLER^JÖRG",
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "Διονυσιος",
    "DE LA CRUZ^ANA MARIA",
)
PATIENTS = ("PAT1", "PAT2", "pat1", "P%_1", "A\\B")
ACCESSIONS = ("ACC1", "ACC12", "ACC?", "")
STUDY_IDS = ("1", "S2", "")
DESCRIPTIONS = ("CT CHEST", "ct chest", "MR BRAIN 100%", "KNEE\\LEFT", "")
MODALITIES = ("CT", "MR", "US", "")


def _text(draw: st.DrawFn, tags: dict[str, Any], name: str, values: tuple[str, ...]) -> None:
    value = draw(st.sampled_from(values))
    if value:
        tags[name] = value


@st.composite
def _study_tags(draw: st.DrawFn, number: int, days: tuple[str, ...], times: tuple[str, ...]) -> Any:
    tags: dict[str, Any] = {"DICOMStudyInstanceUID": f"1.2.{number}"}
    _text(draw, tags, "DICOMStudyDate", days)
    _text(draw, tags, "DICOMStudyTime", times)
    _text(draw, tags, "DICOMPatientName", (*NAMES, ""))
    _text(draw, tags, "DICOMPatientId", PATIENTS)
    _text(draw, tags, "DICOMAccessionNumber", ACCESSIONS)
    _text(draw, tags, "DICOMStudyId", STUDY_IDS)
    _text(draw, tags, "DICOMStudyDescription", DESCRIPTIONS)
    _text(draw, tags, "DICOMPatientBirthDate", ("19700102", "19991231", ""))
    _text(draw, tags, "DICOMPatientSex", ("F", "M", "O", ""))
    return tags


@st.composite
def _series_tags(draw: st.DrawFn, study: str, number: int) -> Any:
    tags: dict[str, Any] = {"DICOMSeriesInstanceUID": f"{study}.{number}"}
    _text(draw, tags, "DICOMSeriesModality", MODALITIES)
    if draw(st.booleans()):
        tags["DICOMSeriesNumber"] = draw(st.integers(1, 3))
    tags["DICOMNumberOfStudyRelatedSeries"] = 1
    return tags


def _summaries(draw: st.DrawFn, sets: list[dict[str, Any]]) -> list[Summary]:
    ranks = draw(st.permutations(range(len(sets))))
    # Metadata has too many values to draw each
    chance = Random(draw(st.integers(0, 2**20)))
    return [
        {
            "imageSetId": f"{number:032x}",
            "version": 1,
            "createdAt": 1.6e9 + number,
            "updatedAt": 1.7e9 + rank,
            **_described(chance, one),
        }
        for number, (one, rank) in enumerate(zip(sets, ranks, strict=True))
    ]


def _described(chance: Random, one: dict[str, Any]) -> dict[str, Any]:
    """An image set with its metadata, and the number of its instances in nearly every summary."""
    metadata = metadata_of(chance, one["DICOMTags"])
    counted = {"DICOMNumberOfStudyRelatedInstances": len(metadata["instances"])}
    tags = {**one["DICOMTags"], **(counted if chance.random() < 0.9 else {})}
    return {**one, "DICOMTags": tags, "metadata": metadata}


@st.composite
def regular(draw: st.DrawFn, studies: int = 8) -> list[Summary]:
    """A regular archive."""
    unmarked = draw(st.booleans())
    sets = []
    for number in range(draw(st.integers(1, studies))):
        study = draw(_study_tags(number, (*DAYS, *DAYS, ""), (*TIMES, "")))
        for series in range(draw(st.integers(1, 3))):
            tags = {**study, **draw(_series_tags(study["DICOMStudyInstanceUID"], series))}
            sets.append({"DICOMTags": tags, **({} if unmarked else {"isPrimary": True})})
    return _summaries(draw, sets)


@st.composite
def arbitrary(draw: st.DrawFn, studies: int = 6) -> list[Summary]:
    """An archive with everything that goes wrong in one."""
    days, times = (*DAYS, *ODD_DAYS), (*TIMES, *ODD_TIMES)
    sets = []
    for number in range(draw(st.integers(1, studies))):
        study = draw(_study_tags(number, days, times))
        uid = study["DICOMStudyInstanceUID"]
        for _ in range(draw(st.integers(1, 4))):
            # the same series now and then: it was split, or imported with a conflict
            tags = {**study, **draw(_series_tags(uid, draw(st.integers(0, 3))))}
            marked = draw(st.sampled_from((True, True, False, None)))
            other = draw(_study_tags(number, days, times))
            agreed = ("DICOMStudyDate", "DICOMPatientId", "DICOMAccessionNumber", "DICOMStudyId")
            if marked:  # the rest may still differ: only these are documented to agree
                other = {
                    **{k: v for k, v in other.items() if k not in agreed},
                    **{k: v for k, v in tags.items() if k in agreed},
                }
            if draw(st.booleans()):
                series = {k: v for k, v in tags.items() if k not in study}
                tags = {**other, **series}
            padded = {k: _padded(v) if draw(st.integers(0, 4)) == 0 else v for k, v in tags.items()}
            primary = {} if marked is None else {"isPrimary": marked}
            sets.append({"DICOMTags": padded, **primary})
    return _summaries(draw, sets)


def _padded(value: Any) -> Any:
    """Text as DICOM stores it: of even length; UIDs are padded otherwise."""
    if not isinstance(value, str) or value.startswith("1.2."):
        return value
    return value + " " * (len(value) % 2 or len(value.encode()) % 2)


def _bounds(values: tuple[str, ...]) -> Any:
    closed = st.tuples(st.sampled_from(values), st.sampled_from(values)).map(sorted).map(tuple)
    open_low = st.tuples(st.none(), st.sampled_from(values))
    open_high = st.tuples(st.sampled_from(values), st.none())
    return st.one_of(closed, open_low, open_high)


_TIME_BOUNDS = ("00", "09", "0930", "093000", "1015", "1400", "235959")


def _moments(second: int) -> Any:
    """Ranges of seconds near one, which is the same in all image sets but for a few seconds."""
    near = st.integers(second - 3, second + 3)
    closed = st.tuples(near, near).map(sorted).map(tuple)
    return st.one_of(closed, st.tuples(st.none(), near), st.tuples(near, st.none()))


def _criterion(summary: Summary) -> Any:
    """A criterion that is likely to match `summary`."""
    tags = summary["DICOMTags"]
    of = {k: str(tags[n]).strip() for k, n in _NAMES.items() if str(tags.get(n, "")).strip()}
    options = [
        st.tuples(st.just("StudyDate"), st.just("days"), _bounds(DAYS)).map(_flat),
        st.tuples(st.just("StudyTime"), st.just("times"), _bounds(_TIME_BOUNDS)).map(_flat),
        st.tuples(_bounds(DAYS), _bounds(_TIME_BOUNDS)).map(_both).filter(bool),
        st.sampled_from(
            (
                ("ModalitiesInStudy", "any-of", ("CT",)),
                ("ModalitiesInStudy", "any-of", ("MR", "US")),
                ("NumberOfStudyRelatedSeries", "is", 1),
                ("NumberOfStudyRelatedSeries", "is", 2),
                ("ModalitiesInStudy", "all-of", ("CT",), ("MR",)),
                ("ModalitiesInStudy", "all-of", ("CT", "MR"), ("US",)),
            )
        ),
        st.sampled_from(_MAY_BE_EMPTY).map(lambda keyword: (keyword, "empty")),
        st.sampled_from(
            (
                ("StudyInstanceUID", "uids", ("1.2.0",)),
                ("StudyInstanceUID", "uids", ("1.2.1", "1.2.3", "1.2.77")),
            )
        ),
    ]
    if "KNEE" in of.get("StudyDescription", ""):
        options.append(st.just(("StudyDescription", "all-of", ("LEFT",), ("KNEE",))))
    if "PatientName" in of:
        options.append(_fuzzy_key(of["PatientName"]).map(lambda key: ("PatientName", "fuzzy", key)))
    for keyword, stored in (
        ("updatedAt", summary["updatedAt"]),
        ("createdAt", summary["createdAt"]),
    ):
        arrived = st.tuples(st.just(keyword), st.just("arrived"), _moments(int(stored)))
        options.append(arrived.map(_flat))
    for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyID", "StudyDescription"):
        if value := of.get(keyword):
            options += [st.just((keyword, kind, text)) for kind, text in _texts(keyword, value)]
    return st.one_of(options)


_NAMES = {
    "PatientName": "DICOMPatientName",
    "PatientID": "DICOMPatientId",
    "AccessionNumber": "DICOMAccessionNumber",
    "StudyID": "DICOMStudyId",
    "StudyDescription": "DICOMStudyDescription",
}


_MAY_BE_EMPTY = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ModalitiesInStudy",
    "StudyDescription",
    "PatientName",
    "PatientSex",
    "StudyID",
    "NumberOfStudyRelatedInstances",
)


def _fuzzy_key(name: str) -> Any:
    """Beginnings of a name's words, in any order and case, now and then with a wild card."""
    words = [w for w in name.rsplit("=", maxsplit=1)[-1].replace("^", " ").split() if w]
    beginnings = st.lists(
        st.tuples(st.sampled_from(words), st.integers(1, 4)).map(lambda two: two[0][: two[1]]),
        min_size=1,
        max_size=3,
    )
    between = st.sampled_from((" ", "^", ", "))
    cased = st.sampled_from((str.lower, str.upper, str, lambda text: f"?{text[1:]}"))
    return st.tuples(between, beginnings, cased).map(
        lambda three: three[2](three[0].join(three[1]))
    )


def _texts(keyword: str, value: str) -> list[tuple[str, str]]:
    if "\\" in value and keyword == "StudyDescription":
        value = value.split("\\", maxsplit=1)[0]
    if keyword == "PatientName":
        value = value.split("=")[-1]
    kinds = [("wild", f"{value[:3]}*"), ("wild", f"*{value[1:]}"), ("wild", f"{value[:-1]}?")]
    return [*kinds, ("wild" if "?" in value else "is", value), ("wild", f"*{value.lower()[1:2]}*")]


def _flat(three: Any) -> Any:
    keyword, kind, bounds = three
    return (keyword, kind, *bounds)


def _both(pair: Any) -> Any:
    days, times = pair
    first = (days[0], times[0]) if days[0] and times[0] else None
    last = (days[1], times[1]) if days[1] and times[1] else None
    same_form = bool(first) == bool(days[0] or times[0]) and bool(last) == bool(days[1] or times[1])
    if not same_form or not (first or last):
        return None
    # On one day the times themselves must be in order; "10" reaches to its end
    if first and last and days[0] == days[1] and first[1].ljust(6, "0") > last[1].ljust(6, "9"):
        return None
    return ("StudyDate", "both", first, last)


@st.composite
def questions(
    draw: st.DrawFn,
    summaries: list[Summary],
    at_most: int = 3,
    study_attributes: tuple[str, ...] = (),
    *,
    detailed: bool = False,
) -> Question:
    """A question about an archive, each attribute asked once; `detailed` takes metadata surely."""
    resource = draw(st.sampled_from(_RESOURCES[-6:] if detailed else _RESOURCES))
    subject = draw(st.sampled_from(summaries))
    of_instances = resource.endswith("instances")
    criteria: dict[str, Criterion] = {}
    asked_of_metadata = draw(st.sampled_from((1, 1, 2) if detailed else (0, 0, 1, 1, 2)))
    for _ in range(draw(st.integers(0, 1 if asked_of_metadata else at_most))):
        criterion = draw(_criterion(draw(_mostly(subject, summaries))))
        criteria.setdefault(criterion[0], criterion)
    if criteria.get("StudyDate", ("", ""))[1] == "both":
        criteria.pop("StudyTime", None)
    elif all(criteria.get(k, ("", "empty"))[1] != "empty" for k in ("StudyDate", "StudyTime")):
        # two ranges of one form would be read as one range over both
        forms = [tuple(map(bool, criteria[k][2:])) for k in ("StudyDate", "StudyTime")]
        if forms[0] == forms[1]:
            criteria.pop("StudyTime")
    if resource != "studies" and not asked_of_metadata and draw(st.booleans()):
        more = draw(_of_series(subject))
        criteria[more[0]] = more
    depth = 0 if resource == "studies" else 2 if of_instances else 1
    details = {
        asked[0]: asked
        for _ in range(asked_of_metadata)
        if (asked := draw(detail(subject["metadata"], depth, study_attributes))) is not None
    }
    for date, time in TIME_OF.items():
        if date in details:  # two ranges of one form would be read as one
            details.pop(time, None)
    if any(c[1] == "fuzzy" for c in criteria.values()):
        details.pop("ReferringPhysicianName", None)  # it would be matched so as well
    criteria |= details
    return Question(
        resource,
        tuple(criteria.values()),
        draw(_path_uid(resource, subject, summaries)),
        includefield=draw(_included(depth)),
        orderby=draw(_orderby(depth, study_attributes)),
        series_uid=subject["DICOMTags"]["DICOMSeriesInstanceUID"]
        if resource == "series-instances"
        else "",
    )


_RESOURCES = (
    *("studies", "studies", "studies", "series", "study-series"),
    *("studies", "series", "study-series", "instances", "study-instances", "series-instances"),
)


def _mostly(subject: Summary, summaries: list[Summary]) -> Any:
    return st.one_of(st.just(subject), st.just(subject), st.sampled_from(summaries))


def _of_series(subject: Summary) -> Any:
    uid = subject["DICOMTags"]["DICOMSeriesInstanceUID"]
    return st.sampled_from(
        (
            ("SeriesInstanceUID", "uids", (uid,)),
            ("Modality", "any-of", ("CT", "MR")),
            ("SeriesNumber", "is", 1),
        )
    )


def _path_uid(resource: str, subject: Summary, summaries: list[Summary]) -> Any:
    if "-" not in resource:
        return st.just("")
    if resource == "series-instances":
        return st.just(subject["DICOMTags"]["DICOMStudyInstanceUID"])
    return _mostly(subject, summaries).map(lambda s: s["DICOMTags"]["DICOMStudyInstanceUID"])


def _included(depth: int) -> Any:
    """What is asked beside the default: nothing mostly; of studies only what metadata has not."""
    options: list[tuple[str, ...]] = [(), (), ("StudyDescription",)]
    if depth:
        options += [("SeriesDescription", "PatientID"), ("NumberOfSeriesRelatedInstances",)]
        options += [("RequestAttributesSequence.RequestedProcedureID",), ("StationName",)]
    if depth == 2:
        options += [("all",), ("ImageType", "SliceThickness"), ("AcquisitionDateTime",)]
    return st.sampled_from(options)


def _orderby(depth: int, study_attributes: tuple[str, ...]) -> Any:
    keywords: tuple[str, ...] = (*_NAMES, "StudyDate", "StudyTime", "ModalitiesInStudy")
    keywords += ("updatedAt", "createdAt", "PatientBirthDate")
    keywords += ("NumberOfStudyRelatedInstances", "NumberOfStudyRelatedSeries", *study_attributes)
    if depth:
        keywords += ("SeriesNumber", "Modality", "SeriesInstanceUID", *series_order())
    if depth == 2:
        keywords += instance_order()
    one = st.tuples(st.sampled_from(("", "-")), st.sampled_from(keywords)).map("".join)
    nothing: list[str] = []
    named = st.one_of(st.just(nothing), st.lists(one, max_size=3))
    return named.map(lambda names: tuple({name.removeprefix("-"): name for name in names}.values()))
