"""The made-up archive: the same each time, readable by the emulator, and in the promised shares."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import groupby
from typing import Any

import orjson
import pytest

from gateway.emulator.archive import summaries
from gateway.emulator.seeding import read_summary

STUDIES = 20_000
DIGEST = "57f16ccbabef9f6986ae66804de04b7e"
AGREED = (
    "DICOMStudyDate",
    "DICOMStudyTime",
    "DICOMPatientId",
    "DICOMAccessionNumber",
    "DICOMStudyId",
    "DICOMPatientName",
    "DICOMStudyDescription",
)
MODALITIES = [{"CR"}, {"DX"}, {"US"}, {"CT"}, {"MR"}, {"MG"}, {"XA"}, {"NM"}, {"CT", "PT"}]
INSTANCES = {"CR": (1, 2), "DX": (1, 2), "CT": (20, 600), "MR": (10, 200), "US": (3, 60)}
SERIES = {"CR": (1, 1), "DX": (1, 1), "CT": (2, 6), "MR": (4, 12), "US": (1, 3), "MG": (1, 4)}
TIME = re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d(\.\d{6})?)?")
UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")

Study = list[dict[str, Any]]


def _bytes(studies: int, seed: int = 1) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in summaries(studies, seed))


def _uid(summary: Mapping[str, Any]) -> str:
    return str(summary["DICOMTags"]["DICOMStudyInstanceUID"])


@pytest.fixture(scope="module")
def archive() -> list[Study]:
    """The image sets of each study."""
    return [list(sets) for _, sets in groupby(summaries(STUDIES), key=_uid)]


def test_is_the_same_bytes_everywhere() -> None:
    """A change of the archive is a change of every measure that was taken with it."""
    assert hashlib.blake2b(_bytes(1000), digest_size=16).hexdigest() == DIGEST


def test_another_seed_is_another_archive() -> None:
    """No identifier is in both."""
    first, second = (
        {text for one in summaries(200, seed) for text in (one["imageSetId"], _uid(one))}
        for seed in (1, 2)
    )
    assert not first & second


@pytest.mark.parametrize("studies", [1, 2, 7])
def test_small_archives_are_whole(studies: int) -> None:
    """As many studies as were asked for."""
    assert len({_uid(one) for one in summaries(studies)}) == studies


def test_every_line_can_be_seeded() -> None:
    """The emulator reads each line, and reads it as it was written."""
    for summary in summaries(2000, 3):
        assert read_summary(orjson.dumps(summary)) == summary


def _tags(study: Study) -> dict[str, Any]:
    tags: dict[str, Any] = study[0]["DICOMTags"]
    return tags


def _is_split(study: Study) -> bool:
    primary = [s["DICOMTags"]["DICOMSeriesInstanceUID"] for s in study if s.get("isPrimary", True)]
    return len(primary) > len(set(primary))


def _weekday(study: Study) -> int:
    text = _tags(study).get("DICOMStudyDate", "").replace(".", "")
    return date(int(text[:4]), int(text[4:6]), int(text[6:])).weekday() if text else 0


SHARES: Mapping[str, tuple[float, float, Callable[[Study], bool]]] = {
    "undated": (0.01, 0.03, lambda s: "DICOMStudyDate" not in _tags(s)),
    "legacy date": (0.001, 0.004, lambda s: "." in _tags(s).get("DICOMStudyDate", "")),
    "no time": (0.02, 0.04, lambda s: "DICOMStudyTime" not in _tags(s)),
    "minutes only": (0.05, 0.15, lambda s: len(_tags(s).get("DICOMStudyTime", "")) == 4),
    "fraction": (0.1, 0.3, lambda s: "." in _tags(s).get("DICOMStudyTime", "")),
    "no accession number": (0.02, 0.04, lambda s: "DICOMAccessionNumber" not in _tags(s)),
    "conflict": (0.005, 0.015, lambda s: any(one.get("isPrimary") is False for one in s)),
    "split": (0.002, 0.008, _is_split),
    "not told": (0.005, 0.015, lambda s: not any("isPrimary" in one for one in s)),
    "weekend": (0.05, 0.15, lambda s: _weekday(s) > 4),
    "night": (0.02, 0.1, lambda s: not "06" <= _tags(s).get("DICOMStudyTime", "1")[:2] < "21"),
    "Latin name": (0.75, 0.85, lambda s: _scripts(s) == {"LATIN"}),
    "three groups": (0.05, 0.09, lambda s: _tags(s)["DICOMPatientName"].count("=") == 2),
}


@pytest.mark.parametrize("share", SHARES)
def test_share(archive: list[Study], share: str) -> None:
    """What an archive has a little of is there, and there is only a little."""
    least, most, holds = SHARES[share]
    assert least <= sum(holds(study) for study in archive) / STUDIES <= most


def _scripts(study: Study) -> set[str]:
    """The scripts of a name, by its groups' first letters."""
    groups = _tags(study)["DICOMPatientName"].split("=")
    return {unicodedata.name(group[0]).split()[0] for group in groups}


def test_names_are_in_many_scripts(archive: list[Study]) -> None:
    """Every group of every name is composed, and the best known ones are among them."""
    found = set[str]().union(*map(_scripts, archive))
    many = {"LATIN", "CYRILLIC", "GREEK", "CJK", "HIRAGANA", "HANGUL", "ARABIC", "HEBREW"}
    assert found == many
    names = [_tags(study)["DICOMPatientName"] for study in archive]
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    assert {"DOE^JANE", "Yamada^Tarou=山田^太郎=やまだ^たろう"} <= set(names)


def test_later_years_are_denser(archive: list[Study]) -> None:
    """Every year from 2006 has studies, each five years more than the five before."""
    dates = (_tags(study).get("DICOMStudyDate") for study in archive)
    years = Counter(int(text[:4]) for text in dates if text)
    assert sorted(years) == list(range(2006, 2026))
    fives = [sum(years[year + i] for i in range(5)) for year in (2006, 2011, 2016, 2021)]
    assert fives[3] > 1.4 * fives[2] > 1.4**2 * fives[1] > 1.4**3 * fives[0]


def test_primary_image_sets_of_a_study_agree(archive: list[Study]) -> None:
    """The others differ in the patient or the accession number, and in nothing else."""
    for study in archive:
        first, *others = ({k: s["DICOMTags"].get(k) for k in AGREED} for s in study)
        for summary, other in zip(study[1:], others, strict=True):
            differing = {key for key in AGREED if other[key] != first[key]}
            if summary.get("isPrimary", True):
                assert not differing
            else:
                assert differing in ({"DICOMPatientId"}, {"DICOMAccessionNumber"})


def test_identifiers_are_unique_and_well_formed(archive: list[Study]) -> None:
    """A study's image sets stand together, and nobody else has their numbers."""
    everything = [one for study in archive for one in study]
    assert len(archive) == len({_uid(study[0]) for study in archive}) == STUDIES
    ids = {one["imageSetId"] for one in everything}
    assert len(ids) == len(everything)
    assert all(re.fullmatch("[0-9a-f]{32}", text) for text in ids)
    series = [{s["DICOMTags"]["DICOMSeriesInstanceUID"] for s in study} for study in archive]
    assert sum(map(len, series)) == len(set[str]().union(*series))
    uids = {_uid(study[0]) for study in archive}.union(*series)
    assert all(UID.fullmatch(uid) and len(uid) <= 64 for uid in uids)
    assert {"2.25.", "1.2.8"} == {uid[:5] for uid in uids}


def test_studies_hold_together(archive: list[Study]) -> None:
    """Modalities of a study belong together, and have their numbers of series and instances."""
    seen = set()
    for study in archive:
        tags = [one["DICOMTags"] for one in study]
        modalities = {one["DICOMSeriesModality"] for one in tags} - {"SR"}
        assert modalities in MODALITIES
        assert len({one["DICOMSeriesBodyPart"] for one in tags}) == 1
        number = len({one["DICOMSeriesInstanceUID"] for one in tags})
        seen.add(number)
        least, most = SERIES.get("".join(modalities), (1, 12))
        assert least <= number <= most
        for one in tags:
            assert one["DICOMNumberOfStudyRelatedSeries"] == 1
            least, most = INSTANCES.get(one["DICOMSeriesModality"], (1, 600))
            assert least <= one["DICOMNumberOfStudyRelatedInstances"] <= most
            assert TIME.fullmatch(one.get("DICOMStudyTime", "0000"))
    assert seen == set(range(1, 13))


def test_patients_come_back(archive: list[Study]) -> None:
    """About 2.2 times, as the same person, and not before they are born."""
    people: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for study in archive:
        people[_tags(study)["DICOMPatientId"]].append(_tags(study))
    assert 2.0 < STUDIES / len(people) < 2.4
    for visits in people.values():
        for key in ("DICOMPatientName", "DICOMPatientBirthDate", "DICOMPatientSex"):
            assert len({visit[key] for visit in visits}) == 1
        days = [visit.get("DICOMStudyDate", "9").replace(".", "") for visit in visits]
        assert visits[0]["DICOMPatientBirthDate"] <= min(days)


def _rises(times: Iterable[float], slack_s: float) -> bool:
    newest = 0.0
    for time in times:
        if time < newest - slack_s:
            return False
        newest = max(newest, time)
    return True


def test_times_follow_the_studies(archive: list[Study]) -> None:
    """Image sets are made soon after the study, roughly in order, and changed only later."""
    everything = [one for study in archive for one in study]
    for one in everything:
        assert one["createdAt"] <= one["updatedAt"]
        assert all(one[key] == int(one[key]) for key in ("createdAt", "updatedAt"))
        if text := one["DICOMTags"].get("DICOMStudyDate", "").replace(".", ""):
            day = date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal() - 719_163
            assert 0 <= one["createdAt"] - day * 86_400 < 1.5 * 86_400
    assert _rises((one["createdAt"] for one in everything), 1.5 * 86_400)
