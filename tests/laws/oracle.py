"""The oracle: a direct loop over what is stored, written without the gateway's own matching,
grouping and order. What it says is the answer.

How stored values are read stands in `stored`, what a criterion matches in `judging`; `text_of`
writes a criterion down as the client would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.laws.judging import TIME_OF, Criterion, matches, plain, wild
from tests.laws.stored import (
    ALL,
    INSTANCE,
    NOT_WITHOUT_VALUE,
    SERIES,
    SERIES_DETAILS,
    STUDY,
    Summary,
    Values,
    date_of,
    instance_values,
    instant_of,
    level_values,
    seconds_of,
    summary_values,
    tag,
)

__all__ = ["Criterion", "Question", "Summary", "World", "answer", "matches", "text_of", "wild"]

LEVELS = ("patient", "study", "series")
MOMENTS = ("updatedAt", "createdAt")
COUNT = "NumberOfSeriesRelatedInstances"
STUDY_UID, SERIES_UID = {"StudyInstanceUID": ()}, {"SeriesInstanceUID": ()}
DEFAULT: Mapping[str, Mapping[str, Any]] = {
    "studies": STUDY,
    "series": {**STUDY, **SERIES},
    "study-series": {**SERIES, **STUDY_UID},
    "instances": {**STUDY, **SERIES, **INSTANCE},
    "study-instances": {**SERIES, **INSTANCE, **STUDY_UID},
    "series-instances": {**INSTANCE, **STUDY_UID, **SERIES_UID},
}
"""What each resource returns without being asked."""


@dataclass(frozen=True)
class Question:
    """A request: the resource by name, its study and series where it has them, its criteria."""

    resource: str = "studies"  # one of DEFAULT
    criteria: tuple[Criterion, ...] = ()
    study_uid: str = ""
    includefield: tuple[str, ...] = ()
    orderby: tuple[str, ...] = ()  # a descending one behind a hyphen
    series_uid: str = ""

    @property
    def of_instances(self) -> bool:
        """Whether its results are instances."""
        return self.resource.endswith("instances")

    def names(self, keywords: Iterable[str]) -> bool:
        """Whether a key, includefield or orderby names one of `keywords`."""
        return not self._named.isdisjoint(keywords)

    @property
    def decided_by(self) -> set[str]:
        """What decides which results there are, and in which order."""
        ordered = {name.removeprefix("-") for name in self.orderby}
        return {criterion[0] for criterion in self.criteria} | ordered

    @property
    def _named(self) -> set[str]:
        return self.decided_by | self.asked

    @property
    def asked(self) -> set[str]:
        """What is returned beside the default."""
        asked = {criterion[0] for criterion in self.criteria}
        asked |= {name.partition(".")[0] for name in self.includefield}
        asked |= {TIME_OF[c[0]] for c in self.criteria if c[1] == "both"}
        return asked - set(MOMENTS)


@dataclass(frozen=True)
class World:
    """What is stored and how it is to be shown."""

    summaries: Sequence[Summary] = ()
    image_sets: str = "primary"
    trust_unmarked: bool = True
    counts_are_the_studys: bool = False
    counts_are_sure: bool = False
    study_attributes: tuple[str, ...] = ()
    base_url: str = "http://gateway.test/dicom-web"
    hidden: set[str] = field(default_factory=set)


def answer(world: World, question: Question) -> list[dict[str, Any]]:
    """The whole answer, in order, as DICOM JSON objects."""
    wanted = list(question.criteria)
    if question.study_uid:
        wanted.append(("StudyInstanceUID", "uids", (question.study_uid,)))
    if question.series_uid:
        wanted.append(("SeriesInstanceUID", "uids", (question.series_uid,)))
    answered: list[Values] = []
    for sets in sorted(_studies(world), key=lambda sets: _place(sets[0])):
        for values in _results(world, question, sets):
            if all(matches(values, criterion) for criterion in wanted):
                answered.append(values)
    for named in reversed(question.orderby):
        keyword, descending = named.removeprefix("-"), named.startswith("-")
        known = [v for v in answered if _sorted_by(v, keyword) is not None]
        unknown = [v for v in answered if _sorted_by(v, keyword) is None]
        known.sort(key=lambda v: _sorted_by(v, keyword), reverse=descending)
        answered = known + unknown
    return [_encoded(world, question, values) for values in answered]


def _sorted_by(values: Values, keyword: str) -> Any:
    """What a result is sorted by, None where there is nothing."""
    first = (values.get(keyword) or [""])[0]
    if keyword in MOMENTS:
        return first or None
    vr = ALL[keyword][1]
    if vr in ("DA", "TM", "DT"):
        return {"DA": date_of, "TM": seconds_of, "DT": instant_of}[vr](first)
    if vr in ("IS", "DS", "US"):
        return first if isinstance(first, int | float) else None
    return (plain(first).casefold() if vr == "PN" else first) or None


# --- studies, series, instances -------------------------------------------------------------------


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
    taken = {tag(s, "DICOMSeriesInstanceUID") for s in primary}
    filling = []
    for summary in ordered:
        uid = tag(summary, "DICOMSeriesInstanceUID")
        if summary not in primary and uid not in taken:
            taken.add(uid)
            filling.append(summary)
    return filling


def _standing(world: World, summary: Summary) -> int:
    unmarked = 0 if world.trust_unmarked else 1
    return {True: 0, None: unmarked, False: 2}[summary.get("isPrimary")]


def _place(winner: Summary) -> tuple[Any, ...]:
    date, time = date_of(tag(winner, "DICOMStudyDate")), seconds_of(tag(winner, "DICOMStudyTime"))
    newest_first = (0, -date.toordinal()) if date else (1, 0)
    return (
        *newest_first,
        (1, 0) if time is None else (0, -time),
        tag(winner, "DICOMStudyInstanceUID"),
    )


def _results(world: World, question: Question, sets: list[Summary]) -> list[Values]:
    """What a study has to answer, in order, without regard to the criteria."""
    study = {k: summary_values(sets[0], k) for k, (_, _, name) in STUDY.items() if name}
    study["ModalitiesInStudy"] = sorted(
        {m for s in sets for m in tag(s, "DICOMSeriesModality").split("\\") if m}
    )
    series: dict[str, list[Summary]] = {}
    for summary in sets:
        series.setdefault(tag(summary, "DICOMSeriesInstanceUID"), []).append(summary)
    counted = [_own_count(of_series) for of_series in series.values()]
    study["NumberOfStudyRelatedSeries"] = [len([uid for uid in series if uid])]
    study["NumberOfStudyRelatedInstances"] = (
        [] if None in counted else [sum(c or 0 for c in counted)]
    )
    described = study | _details(question, sets[0], "study", world.study_attributes)
    if question.resource == "studies":
        return [described | _arrived(sets)]
    known = not (world.counts_are_the_studys and len(series) > 1)
    found = [
        (described | _series_values(world, question, of_series, known=known), of_series)
        for uid, of_series in series.items()
        if uid
    ]
    found.sort(key=lambda two: (two[0]["SeriesNumber"] or [1e99], two[0]["SeriesInstanceUID"]))
    if not question.of_instances:
        return [values for values, _ in found]
    return [one for values, of_series in found for one in _instances(values, of_series)]


def _details(
    question: Question, winner: Summary, level: str, known: Iterable[str]
) -> dict[str, list[Any]]:
    """What the winner's metadata says, of what the question names."""
    if question.of_instances:
        return {}
    wanted = [keyword for keyword in known if question.names((keyword,))]
    read = level_values(winner, level) if wanted else {}
    return {keyword: read.get(keyword, []) for keyword in wanted}


def _series_values(
    world: World, question: Question, sets: list[Summary], *, known: bool
) -> dict[str, list[Any]]:
    values = {k: summary_values(sets[0], k) for k, (_, _, name) in SERIES.items() if name}
    values |= _arrived(sets) | _details(question, sets[0], "series", SERIES_DETAILS)
    count = _own_count(sets)
    values[COUNT] = [count] if known and count is not None else []
    reads_each = question.of_instances or COUNT in question.decided_by
    reads_each = reads_each or (COUNT in question.asked and not values[COUNT])
    reads_one = question.names(SERIES_DETAILS) and len(sets) == 1
    if (reads_each or reads_one) and not world.counts_are_sure:
        values[COUNT] = [len({uid for s in sets for uid in _uids(s)})]
    return values


def _instances(series: Values, sets: list[Summary]) -> list[Values]:
    """The instances of one series, each once, from the first of its image sets that has it."""
    found: dict[str, Values] = {}
    for summary in sets:
        levels = {k: v for level in LEVELS for k, v in level_values(summary, level).items()}
        for uid, instance in zip(_uids(summary), summary["metadata"]["instances"], strict=True):
            if uid not in found:
                own = levels | instance_values(instance)
                # of what summaries tell, the winners' speaks, also where they say nothing
                found[uid] = own | {k: v for k, v in series.items() if v or k in own}
    return sorted(
        found.values(), key=lambda v: (v.get("InstanceNumber") or [1e99], v["SOPInstanceUID"])
    )


def _uids(summary: Summary) -> list[str]:
    return [one["DICOM"]["SOPInstanceUID"] for one in summary["metadata"]["instances"]]


def _arrived(sets: list[Summary]) -> dict[str, list[Any]]:
    updated = sorted((s["updatedAt"] for s in sets if s.get("updatedAt")), reverse=True)
    return {
        "updatedAt": updated[:1],
        "createdAt": sorted(s["createdAt"] for s in sets if s.get("createdAt"))[:1],
    }


def _own_count(sets: list[Summary]) -> int | None:
    numbers = {s["DICOMTags"].get("DICOMNumberOfStudyRelatedInstances") for s in sets}
    return None if None in numbers else sum(numbers)


# --- encoding -------------------------------------------------------------------------------------


def _encoded(world: World, question: Question, values: Values) -> dict[str, Any]:
    keywords = {*DEFAULT[question.resource], *(question.asked - {"all"})}
    if "all" in question.includefield:
        keywords |= {*values} - {*MOMENTS}
    encoded: dict[str, Any] = {}
    for keyword in keywords:
        if values.get(keyword) or keyword not in NOT_WITHOUT_VALUE:
            encoded[ALL[keyword][0]] = _element(ALL[keyword][1], values.get(keyword, []))
    url = f"{world.base_url}/studies/{values['StudyInstanceUID'][0]}"
    if question.resource != "studies":
        url += f"/series/{values['SeriesInstanceUID'][0]}"
    if question.of_instances:
        url += f"/instances/{values['SOPInstanceUID'][0]}"
    encoded["00081190"] = {"vr": "UR", "Value": [url]}
    return dict(sorted(encoded.items()))


def _element(vr: str, values: list[Any]) -> dict[str, Any]:
    if not values:
        return {"vr": vr}
    return {"vr": vr, "Value": [_value(vr, value) for value in values]}


def _value(vr: str, value: Any) -> Any:
    if vr == "SQ":
        inner = {ALL[k][0]: _element(ALL[k][1], values) for k, values in value.items()}
        return dict(sorted(inner.items()))
    if vr == "PN":
        groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("="), strict=False)
        return {group: text for group, text in groups if text}
    return None if value == "" else value


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
    if kind == "items":
        inner = (pair for one in operands[0] for pair in text_of(one))
        return [(f"{keyword}.{name}" if name in ALL else name, text) for name, text in inner]
    if kind == "arrived":
        bounds = (".." if s is None else _iso(s) for s in operands)
        return [(keyword, "/".join(bounds))]
    if kind == "both":
        first, last = operands
        return [
            (keyword, f"{first[0] if first else ''}-{last[0] if last else ''}"),
            (TIME_OF[keyword], f"{first[1] if first else ''}-{last[1] if last else ''}"),
        ]
    first, last = operands
    return [(keyword, f"{first or ''}-{last or ''}")]


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
