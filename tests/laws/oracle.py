"""The oracle: a direct loop over the stored summaries, written without the gateway's own matching,
grouping and order. What it says is the answer.

A stored summary is a dict of `imageSetsMetadataSummaries`; a criterion is a small tuple that says
by itself what matches, and `text_of` writes it down as the client would.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Summary = Mapping[str, Any]
Criterion = tuple[Any, ...]
"""(keyword, kind, operands…); kinds: is, wild, uids, any-of, days, times, both, arrived, and those
that ask for a behaviour: fuzzy, empty, all-of (each operand is a list of alternatives).
"""

MOMENTS = ("updatedAt", "createdAt")

STUDY = {
    "StudyDate": ("00080020", "DA", "DICOMStudyDate"),
    "StudyTime": ("00080030", "TM", "DICOMStudyTime"),
    "AccessionNumber": ("00080050", "SH", "DICOMAccessionNumber"),
    "ModalitiesInStudy": ("00080061", "CS", ""),
    "ReferringPhysicianName": ("00080090", "PN", ""),
    "StudyDescription": ("00081030", "LO", "DICOMStudyDescription"),
    "PatientName": ("00100010", "PN", "DICOMPatientName"),
    "PatientID": ("00100020", "LO", "DICOMPatientId"),
    "PatientBirthDate": ("00100030", "DA", "DICOMPatientBirthDate"),
    "PatientSex": ("00100040", "CS", "DICOMPatientSex"),
    "StudyInstanceUID": ("0020000D", "UI", "DICOMStudyInstanceUID"),
    "StudyID": ("00200010", "SH", "DICOMStudyId"),
    "NumberOfStudyRelatedSeries": ("00201206", "IS", ""),
    "NumberOfStudyRelatedInstances": ("00201208", "IS", ""),
}
SERIES = {
    "Modality": ("00080060", "CS", "DICOMSeriesModality"),
    "SeriesInstanceUID": ("0020000E", "UI", "DICOMSeriesInstanceUID"),
    "SeriesNumber": ("00200011", "IS", "DICOMSeriesNumber"),
    "NumberOfSeriesRelatedInstances": ("00201209", "IS", ""),
}
ALL = {**STUDY, **SERIES}


@dataclass(frozen=True)
class Question:
    """A request: the resource by name, its study where it has one, and its criteria."""

    resource: str = "studies"  # studies, series, study-series
    criteria: tuple[Criterion, ...] = ()
    study_uid: str = ""
    includefield: tuple[str, ...] = ()
    orderby: tuple[str, ...] = ()  # a descending one behind a hyphen


@dataclass(frozen=True)
class World:
    """What is stored and how it is to be shown."""

    summaries: Sequence[Summary] = ()
    image_sets: str = "primary"
    trust_unmarked: bool = True
    counts_are_the_studys: bool = False
    base_url: str = "http://gateway.test/dicom-web"
    hidden: set[str] = field(default_factory=set)


def answer(world: World, question: Question) -> list[dict[str, Any]]:
    """The whole answer, in order, as DICOM JSON objects."""
    studies = sorted(_studies(world), key=lambda sets: _place(sets[0]))
    answered: list[Mapping[str, list[Any]]] = []
    for sets in studies:
        for values in _results(world, question, sets):
            wanted = list(question.criteria)
            if question.study_uid:
                wanted.append(("StudyInstanceUID", "uids", (question.study_uid,)))
            if all(_matches(values, criterion) for criterion in wanted):
                answered.append(values)
    for named in reversed(question.orderby):
        keyword, descending = named.removeprefix("-"), named.startswith("-")
        known = [v for v in answered if _sorted_by(v, keyword) is not None]
        unknown = [v for v in answered if _sorted_by(v, keyword) is None]
        known.sort(key=lambda v: _sorted_by(v, keyword), reverse=descending)
        answered = known + unknown
    return [_encoded(world, question, values) for values in answered]


def _sorted_by(values: Mapping[str, list[Any]], keyword: str) -> Any:
    """What a result is sorted by, None where there is nothing."""
    first = (values[keyword] or [""])[0]
    if keyword in MOMENTS:
        return first or None
    vr = ALL[keyword][1]
    if vr in ("DA", "TM"):
        return {"DA": _date, "TM": _seconds}[vr](first)
    if vr == "IS":
        return first if isinstance(first, int) else None
    return (_plain(first).casefold() if vr == "PN" else first) or None


# --- studies --------------------------------------------------------------------------------------


def _studies(world: World) -> Iterable[list[Summary]]:
    """The image sets of each study that are shown, the winner first."""
    by_uid: dict[str, list[Summary]] = {}
    for summary in world.summaries:
        uid = summary["DICOMTags"].get("DICOMStudyInstanceUID", "").strip()
        if uid:
            by_uid.setdefault(uid, []).append(summary)
    for sets in by_uid.values():
        ordered = sorted(sets, key=lambda s: (_standing(world, s), -s["updatedAt"]))
        primary = [s for s in ordered if s.get("isPrimary", True)]
        shown = {"primary": primary, "all": ordered, "fill": primary + _fill(ordered, primary)}
        if shown[world.image_sets]:
            yield shown[world.image_sets]


def _fill(ordered: list[Summary], primary: list[Summary]) -> list[Summary]:
    taken = {_tag(s, "DICOMSeriesInstanceUID") for s in primary}
    filling = []
    for summary in ordered:
        uid = _tag(summary, "DICOMSeriesInstanceUID")
        if summary not in primary and uid not in taken:
            taken.add(uid)
            filling.append(summary)
    return filling


def _standing(world: World, summary: Summary) -> int:
    unmarked = 0 if world.trust_unmarked else 1
    return {True: 0, None: unmarked, False: 2}[summary.get("isPrimary")]


def _place(winner: Summary) -> tuple[Any, ...]:
    date, time = _date(_tag(winner, "DICOMStudyDate")), _seconds(_tag(winner, "DICOMStudyTime"))
    newest_first = (0, -date.toordinal()) if date else (1, 0)
    return (
        *newest_first,
        (1, 0) if time is None else (0, -time),
        _tag(winner, "DICOMStudyInstanceUID"),
    )


def _results(world: World, question: Question, sets: list[Summary]) -> list[dict[str, list[Any]]]:
    study = {k: _values(sets[0], k) for k, (_, _, name) in STUDY.items() if name}
    study["ModalitiesInStudy"] = sorted(
        {m for s in sets for m in _tag(s, "DICOMSeriesModality").split("\\") if m}
    )
    series: dict[str, list[Summary]] = {}
    for summary in sets:
        series.setdefault(_tag(summary, "DICOMSeriesInstanceUID"), []).append(summary)
    counted = [_own_count(of_series) for of_series in series.values()]
    study["NumberOfStudyRelatedSeries"] = [len([uid for uid in series if uid])]
    study["NumberOfStudyRelatedInstances"] = (
        [] if None in counted else [sum(c or 0 for c in counted)]
    )
    if question.resource == "studies":
        return [study | _arrived(sets)]
    results = []
    for uid, of_series in series.items():
        if uid:
            values = {
                **study,
                **{k: _values(of_series[0], k) for k, (_, _, n) in SERIES.items() if n},
            }
            count = _own_count(of_series)
            known = count is not None and not (world.counts_are_the_studys and len(series) > 1)
            values["NumberOfSeriesRelatedInstances"] = [count] if known else []
            values |= _arrived(of_series)
            results.append(values)
    return sorted(
        results, key=lambda v: (v["SeriesNumber"] or [float("inf")], v["SeriesInstanceUID"])
    )


def _arrived(sets: list[Summary]) -> dict[str, list[Any]]:
    updated = sorted((s["updatedAt"] for s in sets if s.get("updatedAt")), reverse=True)
    return {
        "updatedAt": updated[:1],
        "createdAt": sorted(s["createdAt"] for s in sets if s.get("createdAt"))[:1],
    }


def _own_count(sets: list[Summary]) -> int | None:
    numbers = {s["DICOMTags"].get("DICOMNumberOfStudyRelatedInstances") for s in sets}
    return None if None in numbers else sum(numbers)


# --- values ---------------------------------------------------------------------------------------


def _tag(summary: Summary, name: str) -> str:
    return str(summary["DICOMTags"].get(name, "")).rstrip(" ")


def _values(summary: Summary, keyword: str) -> list[Any]:
    _, vr, name = ALL[keyword]
    stored = summary["DICOMTags"].get(name)
    if isinstance(stored, int):
        return [stored]
    text = (stored or "").rstrip(" ")
    text = text.lstrip(" ") if vr in ("CS", "LO", "SH") else text
    text = "" if vr == "PN" and not text.strip("^=") else text
    if (vr == "DA" and not _date(text.replace(".", ""))) or (vr == "TM" and _seconds(text) is None):
        return []
    parted = keyword not in ("PatientID", "AccessionNumber", "StudyID")
    return (text.split("\\") if parted else [text]) if text else []


def _date(text: str) -> datetime | None:
    if len(text) == 8 and text.isdecimal():
        try:
            return datetime.strptime(text, "%Y%m%d")
        except ValueError:
            return None
    return None


def _seconds(text: str) -> float | None:
    """Seconds of the day that a stored time begins with."""
    digits, _, fraction = text.replace(":", "").partition(".")
    if (
        not digits.isdecimal()
        or len(digits) not in (2, 4, 6)
        or (text.count(":") == 1 and len(digits) == 2)
    ):
        return None
    if fraction and (len(digits) < 6 or not fraction.isdecimal() or len(fraction) > 6):
        return None
    hour, minute, second = int(digits[:2]), int(digits[2:4] or 0), int(digits[4:6] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600 + minute * 60 + second + int((fraction or "0").ljust(6, "0")) / 1e6


# --- matching -------------------------------------------------------------------------------------


def _matches(values: Mapping[str, list[Any]], criterion: Criterion) -> bool:
    keyword, kind, *operands = criterion
    stored = values[keyword]
    if kind == "arrived":
        first, last = operands[0] or 0, operands[1] or math.inf
        return any(first <= value < last + 1 for value in stored)
    if kind in ("is", "uids", "any-of"):
        wanted = [operands[0]] if kind == "is" else list(operands[0])
        if ALL[keyword][1] == "PN":
            return any(_plain(g) == _plain(wanted[0]) for v in stored for g in v.split("="))
        return any(value in wanted for value in stored)
    if kind == "wild" and not operands[0].strip("*"):
        return True  # universal matching, of a missing value too (PS3.4 §C.2.2.2.3)
    if kind == "wild":
        if ALL[keyword][1] == "PN":
            return any(wild(_plain(operands[0]), _plain(g)) for v in stored for g in v.split("="))
        return any(wild(operands[0], value) for value in stored)
    if kind == "days":
        return any((d := _date(v)) and _within(d.strftime("%Y%m%d"), *operands) for v in stored)
    if kind == "times":
        first, last = operands
        seconds = [s for v in stored if (s := _seconds(v)) is not None]
        return any(_time(first, 0) <= s <= _time(last, 86400) for s in seconds)
    if kind == "fuzzy":
        return any(_fuzzy(operands[0], group) for v in stored for group in v.split("="))
    if kind == "empty":
        return not stored
    if kind == "all-of":
        return all(any(one in stored for one in alternatives) for alternatives in operands)
    if kind == "both":
        return _within_both(values, *operands)
    raise AssertionError(kind)


def wild(pattern: str, text: str) -> bool:
    """Whether `text` is what `pattern` says, where * is anything and ? is one character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return wild(pattern[1:], text) or (bool(text) and wild(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and wild(pattern[1:], text[1:])


def _plain(name: str) -> str:
    """A name as people compare it: no case, no accents."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return bare.upper().strip(" ").rstrip("^")


def _fuzzy(key: str, group: str) -> bool:
    """Whether it is what the key says, or has for each word of the key one that begins with it."""
    if wild(_plain(key), _plain(group)):
        return True
    wanted, words = _words(key), _words(group)
    return bool(wanted) and all(any(wild(f"{w}*", word) for word in words) for w in wanted)


def _words(name: str) -> list[str]:
    return _plain(name).replace("^", " ").replace(",", " ").split()


def _within(day: str, first: str | None, last: str | None) -> bool:
    return (not first or first <= day) and (not last or day <= last)


def _time(text: str | None, otherwise: float) -> float:
    """Where the time of a key begins, or, for an upper bound, its last microsecond."""
    if text is None:
        return otherwise
    begins = _seconds(text)
    assert begins is not None
    if not otherwise:
        return begins
    return begins + {2: 3600, 4: 60, 6: 1}[len(text)] - 1e-6


def _within_both(
    values: Mapping[str, list[Any]], first: tuple[str, str] | None, last: tuple[str, str] | None
) -> bool:
    day = _date(values["StudyDate"][0]) if values["StudyDate"] else None
    if day is None:
        return False
    seconds = _seconds(values["StudyTime"][0]) if values["StudyTime"] else None
    begins = day + timedelta(seconds=seconds or 0)
    ends = begins if seconds is not None else day + timedelta(days=1) - timedelta(microseconds=1)
    after = first is None or ends >= _moment(first, 0)
    return after and (last is None or begins <= _moment(last, 86400))


def _moment(bound: tuple[str, str], otherwise: float) -> datetime:
    day = _date(bound[0])
    assert day is not None
    return day + timedelta(seconds=_time(bound[1], otherwise))


# --- encoding -------------------------------------------------------------------------------------


def _encoded(world: World, question: Question, values: Mapping[str, list[Any]]) -> dict[str, Any]:
    asked = {criterion[0] for criterion in question.criteria} | set(question.includefield)
    asked -= set(MOMENTS)
    asked |= {"StudyTime"} if any(c[1] == "both" for c in question.criteria) else set()
    default: dict[str, Any] = {
        "studies": STUDY,
        "series": ALL,
        "study-series": {**SERIES, "StudyInstanceUID": ()},
    }
    keywords = set(default[question.resource]) | asked
    encoded: dict[str, Any] = {}
    for keyword in keywords:
        tag, vr, _ = ALL[keyword]
        encoded[tag] = {"vr": vr}
        if values.get(keyword):
            encoded[tag]["Value"] = [_person(v) if vr == "PN" else v for v in values[keyword]]
        elif keyword == "ModalitiesInStudy":
            del encoded[tag]
    url = f"{world.base_url}/studies/{values['StudyInstanceUID'][0]}"
    if question.resource != "studies":
        url += f"/series/{values['SeriesInstanceUID'][0]}"
    encoded["00081190"] = {"vr": "UR", "Value": [url]}
    return dict(sorted(encoded.items()))


def _person(name: str) -> dict[str, str]:
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), name.split("="), strict=False)
    return {group: text for group, text in groups if text}


# --- as the client writes it ----------------------------------------------------------------------


def text_of(criterion: Criterion) -> list[tuple[str, str]]:
    """The parameters that ask for a criterion."""
    keyword, kind, *operands = criterion
    if kind in ("is", "wild"):
        return [(keyword, str(operands[0]))]
    if kind in ("uids", "any-of"):
        return [(keyword, ",".join(operands[0]))]
    if kind == "fuzzy":
        return [(keyword, operands[0]), ("fuzzymatching", "true")]
    if kind == "empty":
        return [("emptyvaluematching", "true"), (keyword, '""')]
    if kind == "all-of":
        return [(keyword, "\\".join(map(",".join, operands))), ("multiplevaluematching", "TRUE")]
    if kind == "arrived":
        bounds = (".." if s is None else _iso(s) for s in operands)
        return [(keyword, "/".join(bounds))]
    if kind == "both":
        first, last = operands
        return [
            ("StudyDate", f"{first[0] if first else ''}-{last[0] if last else ''}"),
            ("StudyTime", f"{first[1] if first else ''}-{last[1] if last else ''}"),
        ]
    first, last = operands
    return [(keyword, f"{first or ''}-{last or ''}")]


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
