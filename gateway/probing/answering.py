"""Experiments on answers: pages, empty lists, counts, marks, and what the store's data is like."""

from __future__ import annotations

import uuid

from gateway.probing.lab import ALL_DATES, UNKNOWN, Finding, ImageSet, Lab, equal
from gateway.probing.sampling import Sample
from gateway.probing.values import is_undated, patterns, studies, text, trimmed

TRIES = 5
PAGES_AT_LEAST = 5
SERIES, STUDY = "DICOMSeriesInstanceUID", "DICOMStudyInstanceUID"
COUNT = "DICOMNumberOfStudyRelatedSeries"
_AGREED = ("DICOMStudyDate", "DICOMPatientId", "DICOMAccessionNumber", "DICOMStudyId")


async def pages(lab: Lab, _: Sample) -> Finding:
    """Whether a page that is not the last one can be shorter than asked for."""
    followed = [(asked, came) for asked, came, more in lab.pages if more]
    short = sum(came < asked for asked, came in followed)
    told = f"{short} of {len(followed)} pages that were not the last were short"
    if short:
        return Finding("pages", "short", told)
    return Finding("pages", "full" if len(followed) >= PAGES_AT_LEAST else UNKNOWN, told)


async def empty_list(lab: Lab, _: Sample) -> Finding:
    """Whether an answer without an image set has the list at all."""
    nobody = f"2.25.{uuid.uuid4().int}"
    reply = await lab.ask(equal(STUDY, nobody))
    if not reply.valid or reply.image_sets:
        return Finding("empty_list", UNKNOWN, "a StudyInstanceUID of nobody is refused")
    position = "present" if reply.has_list else "absent"
    return Finding("empty_list", position, "a search for a StudyInstanceUID of nobody")


async def counts(lab: Lab, sample: Sample) -> Finding:
    """Whether the counts of series and instances are the image set's own or the study's."""
    tried = 0
    for uid, met in studies(sample.all).items():
        if len({trimmed(one, SERIES) for one in met}) < 2 or tried == TRIES:
            continue
        tried += 1
        walked = await lab.walk(equal(STUDY, uid), pages=4)
        if walked is None or not walked[1]:
            continue
        primary = [one for one in walked[0] if one.get("isPrimary") is not False]
        told = {(one.get("DICOMTags") or {}).get(COUNT) for one in primary}
        series = len({trimmed(one, SERIES) for one in primary})
        if series < 2:
            continue
        evidence = f"a study of {series} series"
        if told == {1}:
            return Finding("counts", "image-set", f"{evidence}: each image set counts 1 series")
        if told == {series}:
            return Finding("counts", "study", f"{evidence}: each image set counts {series}")
    return Finding("counts", UNKNOWN, f"{tried} studies of several series say neither")


async def undated_between(lab: Lab, sample: Sample) -> Finding:
    """Whether BETWEEN on study date finds image sets without one."""
    name = "undated_between"
    undated = [one for one in sample.all if is_undated(one) and trimmed(one, STUDY)]
    for one in undated[:TRIES]:
        found = await lab.finds(one["imageSetId"], equal(STUDY, trimmed(one, STUDY)), ALL_DATES)
        if found is not None:
            position = "found" if found else "not found"
            return Finding(name, position, "a study without a date, with all dates asked for")
    walked = await lab.walk(ALL_DATES, pages=4)
    if walked is not None and any(map(is_undated, walked[0])):
        return Finding(name, "found", "all dates asked for")
    return Finding(name, UNKNOWN, f"{len(undated)} studies without a date could be asked for")


async def primary_marks(_: Lab, sample: Sample) -> Finding:
    """How many image sets say whether they are primary."""
    marks = [one.get("isPrimary") for one in sample.all]
    told = ", ".join(
        f"{word} {marks.count(mark)}"
        for mark, word in ((True, "primary"), (False, "not primary"), (None, "unmarked"))
    )
    if not marks:
        return Finding("primary_marks", UNKNOWN, "no image set was met")
    return Finding("primary_marks", "some missing" if None in marks else "present", told)


async def study_agreement(_: Lab, sample: Sample) -> Finding:
    """Whether image sets of a study that are not marked as contradictory agree."""
    several = _several(sample)
    apart = sum(
        len({tuple(text(s, n).strip() for n in _AGREED) for s in met}) > 1 for met in several
    )
    told = f"{apart} of {len(several)} studies with several image sets disagree"
    if not several:
        return Finding("study_agreement", UNKNOWN, "no study with several image sets was met")
    return Finding("study_agreement", "some differ" if apart else "holds", told)


async def study_times(_: Lab, sample: Sample) -> Finding:
    """Whether all image sets of a study have the same study time."""
    several = _several(sample)
    apart = sum(len({trimmed(one, "DICOMStudyTime") for one in met}) > 1 for met in several)
    told = f"{apart} of {len(several)} studies with several image sets have several times"
    if not several:
        return Finding("study_times", UNKNOWN, "no study with several image sets was met")
    return Finding("study_times", "some differ" if apart else "agree", told)


def _several(sample: Sample) -> list[list[ImageSet]]:
    """The image sets of each study that has more than one, without those marked as not primary."""
    trusted = (one for one in sample.all if one.get("isPrimary") is not False)
    return [met for met in studies(trusted).values() if len(met) > 1]


async def date_forms(_: Lab, sample: Sample) -> Finding:
    """The forms of dates and times."""
    dates = patterns(trimmed(one, "DICOMStudyDate") for one in sample.all)
    times = patterns(trimmed(one, "DICOMStudyTime") for one in sample.all)
    position = "seen" if sample.all else UNKNOWN
    return Finding("date_forms", position, f"dates {dates}; times {times}")
