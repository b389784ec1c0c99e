"""Every instance of the demo, with all of its attributes, as pydicom reads its file."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from gateway.demo import bundled_files
from tests.e2e.bundled import bundled_studies
from tests.e2e.running import Running, ask
from tests.unit.witness import DEPARTURES, differences, expected, read

STUDY_UID, SERIES_UID, INSTANCE_UID = "0020000D", "0020000E", "00080018"
UID_TAGS = (STUDY_UID, SERIES_UID, INSTANCE_UID)
UIDs = tuple[str, str, str]

# PS3.18 Tables 10.6.3-3 to -5 and what viewers read beside: without a value they are empty, not
# absent. Those that are absent then, such as Rows, are not here
REQUIRED = {
    "00080020": "DA",
    "00080030": "TM",
    "00080050": "SH",
    "00080060": "CS",
    "00080090": "PN",
    "00081030": "LO",
    "00100010": "PN",
    "00100020": "LO",
    "00100030": "DA",
    "00100040": "CS",
    "00200010": "SH",
    "00200011": "IS",
    "00200013": "IS",
}

# What the demo answers otherwise than the one file, beside the witness's departures. Where several
# files have the same instance, only what patient, study and series hold is that of another file
HELD: dict[str, dict[str, str]] = {
    "HealthImaging holds patient, study and series once: those of the series' first file": {
        "JPEG2000.dcm": "00080080/0",
        "chrFrenMulti.dcm": "00101000 00101001",
    },
}


@cache
def held() -> dict[UIDs, list[Path]]:
    """The UIDs of study, series and instance to the files that have them, in order of import."""
    found: dict[UIDs, list[Path]] = {}
    for folder in bundled_files():
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            try:
                dataset = dataset_at(path)
            except (InvalidDicomError, AttributeError, ValueError, KeyError, EOFError):
                continue
            study, series, instance = (
                str(dataset.get(keyword) or "")
                for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
            )
            if study and series and instance:
                found.setdefault((study, series, instance), []).append(path)
    return found


@cache
def dataset_at(path: Path) -> pydicom.FileDataset:
    """The data set of a file, which nobody changes."""
    return read(path)


def last(uids: UIDs) -> Path:
    """The file that the emulator holds: an instance that comes again replaces itself."""
    return held()[uids][-1]


def made(demo: Running, uids: UIDs, dataset: pydicom.FileDataset) -> dict[str, Any]:
    """What the gateway adds to an instance: addresses, syntax and what is counted, by tag."""
    study = bundled_studies()[uids[0]]
    modalities = {"00080061": {"vr": "CS", "Value": study.modalities}} if study.modalities else {}
    address = "{}/studies/{}/series/{}/instances/{}".format(demo.url, *uids)
    return {
        "00081190": {"vr": "UR", "Value": [address]},
        "00083002": {"vr": "UI", "Value": [str(dataset.file_meta.TransferSyntaxUID)]},
        "00201206": {"vr": "IS", "Value": [len(study.series)]},
        "00201208": {"vr": "IS", "Value": [study.number_of_instances]},
        "00201209": {"vr": "IS", "Value": [len(study.series[uids[1]].instances)]},
        **modalities,
    }


@pytest.mark.parametrize("uids", sorted(held()), ids=lambda uids: last(uids).name)
def test_instance_is_as_pydicom_writes_it(demo: Running, uids: UIDs) -> None:
    """Found by its UID alone, it has each attribute of its file, and only what is added to them.

    pydicom reads the answer. Every departure is listed with its reason, and needed.
    """
    path = last(uids)
    dataset = dataset_at(path)
    answer = ask(f"{demo.url}/instances?SOPInstanceUID={uids[2]}&includefield=all")
    (found,) = answer.json
    assert uids == tuple(found[tag]["Value"][0] for tag in UID_TAGS)
    empty = {tag: {"vr": vr} for tag, vr in REQUIRED.items()}
    whole = {**empty, **expected(path), **made(demo, uids, dataset)}
    places = (by.get(path.name, "") for table in (DEPARTURES, HELD) for by in table.values())
    assert sorted(" ".join(places).split()) == sorted(differences(whole, found))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are odd in the files too
        assert uids[2] == Dataset.from_json(found).SOPInstanceUID


def test_the_files() -> None:
    """There are many, some that share an instance, and each departure names one that is held."""
    names = [last(uids).name for uids in held()]
    assert 100 < len(names) == len(set(names))
    assert 10 < sum(len(paths) > 1 for paths in held().values())
    assert set() == {name for by in HELD.values() for name in by} - set(names)


# --- what OHIF reads ------------------------------------------------------------------------------

OHIF = {"Accept": "application/dicom+json"}
CLICKED = "0008103E%2C00080021"
OPENED = "00080021,00080031,0008103E,00200011"
# By its SeriesNumber OHIF sorts the series, under its modality, description and day it shows each
READ = {
    "00080021": "SeriesDate",
    "00080031": "SeriesTime",
    "00080060": "Modality",
    "0008103E": "SeriesDescription",
    "00200011": "SeriesNumber",
}


def first_files(study_uid: str) -> dict[str, Path]:
    """The series of a study to the first file of each, whose attributes the series has."""
    found: dict[str, Path] = {}
    for (study, series, _), paths in held().items():
        if study == study_uid:
            found[series] = min([*paths, *([found[series]] if series in found else [])])
    return found


@pytest.mark.parametrize("study_uid", sorted(bundled_studies()), ids=lambda uid: uid[-12:])
def test_series_are_as_ohif_reads_them(demo: Running, study_uid: str) -> None:
    """A row that is clicked, and a study that is opened, have the series of the files."""
    address = f"{demo.url}/studies/{study_uid}/series"
    clicked = ask(f"{address}?includefield={CLICKED}", OHIF).json
    opened = ask(f"{address}?includefield={OPENED}", OHIF).json
    assert [one[SERIES_UID] for one in clicked] == [one[SERIES_UID] for one in opened]
    files = first_files(study_uid)
    assert sorted(files) == sorted(one[SERIES_UID]["Value"][0] for one in opened)
    for row, one in zip(clicked, opened, strict=True):
        uid = one[SERIES_UID]["Value"][0]
        dataset = dataset_at(files[uid])
        told = {tag: one[tag].get("Value", [""])[0] for tag in READ}
        assert {tag: _plain(dataset, keyword) for tag, keyword in READ.items()} == told
        assert {tag: one[tag] for tag in row if tag in READ} == {
            tag: attribute for tag, attribute in row.items() if tag in READ
        }
        number = len(bundled_studies()[study_uid].series[uid].instances)
        assert [number] == one["00201209"]["Value"] == row["00201209"]["Value"]


def _plain(dataset: Dataset, keyword: str) -> str | int:
    value = dataset.get(keyword)
    if value in (None, ""):
        return ""
    return int(value) if keyword == "SeriesNumber" else str(value).strip()


def test_first_instances_are_as_ohif_asks_for_them(demo: Running) -> None:
    """Where a series has no thumbnail, the first instance is that of the least number."""
    by_series: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for uids in held():
        number = dataset_at(last(uids)).get("InstanceNumber")
        place = (number in (None, ""), int(number or 0), uids[2])
        by_series.setdefault(uids[:2], []).append(place)
    assert len(by_series) > len(bundled_studies())
    for (study, series), places in by_series.items():
        address = f"{demo.url}/studies/{study}/series/{series}/instances"
        (found,) = ask(f"{address}?limit=1&includefield=00080018", OHIF).json
        assert min(places)[2] == found[INSTANCE_UID]["Value"][0]


# --- which there are, in which order --------------------------------------------------------------


def test_no_other_instance_is_there(demo: Running) -> None:
    """The demo has each instance of the files once, and no other."""
    found = ask(f"{demo.url}/instances").json
    uids = [tuple(one[tag]["Value"][0] for tag in UID_TAGS) for one in found]
    assert sorted(held()) == sorted(uids)


def test_order(demo: Running) -> None:
    """Instances stand by the order of their studies and series, then by number and UID."""
    series = [
        (one[STUDY_UID]["Value"][0], one[SERIES_UID]["Value"][0])
        for one in ask(f"{demo.url}/series").json
    ]
    found = ask(f"{demo.url}/instances").json
    places = [
        (
            series.index((one[STUDY_UID]["Value"][0], one[SERIES_UID]["Value"][0])),
            *_number(one.get("00200013", {})),
            one[INSTANCE_UID]["Value"][0],
        )
        for one in found
    ]
    assert sorted(places) == places


def _number(attribute: dict[str, Any]) -> tuple[bool, int]:
    values = attribute.get("Value")
    return (values is None, int(values[0]) if values else 0)


# --- what they are found by -----------------------------------------------------------------------

FOUND_BY: dict[str, tuple[str, Callable[[Dataset], bool]]] = {
    "its class": (
        "SOPClassUID=1.2.840.10008.5.1.4.1.1.88.11",
        lambda d: d.SOPClassUID.endswith(".88.11"),
    ),
    "its size": ("Rows=64&Columns=64", lambda d: (d.get("Rows"), d.get("Columns")) == (64, 64)),
    "a decimal": ("SliceThickness=5", lambda d: d.get("SliceThickness") == 5),
    "a series' description": (
        "SeriesDescription=FAST*&Modality=MR",
        lambda d: str(d.get("SeriesDescription", "")).startswith("FAST"),
    ),
    "a day": (
        "SeriesDate=20030101-20031231",
        lambda d: str(d.get("SeriesDate", "")).startswith("2003"),
    ),
    "a code within a sequence": (
        "DerivationCodeSequence.CodeMeaning=Lossy*&DerivationCodeSequence.CodeValue=113040",
        lambda d: any(i.CodeValue == "113040" for i in d.get("DerivationCodeSequence", [])),
    ),
    "items within items": (
        "ContentSequence.ConceptNameCodeSequence.CodeMeaning=*Observer*",
        lambda d: any(
            "Observer" in name.CodeMeaning
            for item in d.get("ContentSequence", [])
            for name in item.get("ConceptNameCodeSequence", [])
        ),
    ),
    "a private attribute, in whatever block": (
        "00092004=LightSpeed*&00090020=GEMS_IDEN_01",
        lambda d: str(d.get((0x0009, 0x1004), DataElement(0x00091004, "SH", "")).value).startswith(
            "LightSpeed"
        ),
    ),
}


@pytest.mark.parametrize(("query", "has"), FOUND_BY.values(), ids=FOUND_BY)
def test_instances_are_found_by(demo: Running, query: str, has: Callable[[Dataset], bool]) -> None:
    """A key on what only metadata tells finds the instances whose files have it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected_uids = {uids[2] for uids in held() if has(dataset_at(last(uids)))}
    found = ask(f"{demo.url}/instances?{query}").json
    assert expected_uids == {one[INSTANCE_UID]["Value"][0] for one in found}
    assert found
