"""All DICOM files of pydicom: metadata and back again is what pydicom itself writes as JSON."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filewriter import correct_ambiguous_vr

from gateway.emulator.normalising import MOST_BINARY, normalise
from gateway.qido.attributes import Level
from gateway.qido.dicomjson import encode
from gateway.qido.elements import elements_of
from gateway.qido.result import Result
from gateway.search.instance import instance_values
from gateway.search.metadata import Metadata, PackedInstance

DATA = Path(pydicom.__file__).parent / "data"
NOT_READ = "pydicom does not read it as JSON"
PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
BINARY = ("OB", "OW", "OF", "OD", "OL", "OV", "UN")
AVAILABLE = "00083002"

# What pydicom writes otherwise, by reason: file to places, items and values by their index
DEPARTURES: dict[str, dict[str, str]] = {
    "PS3.18 F.2.2: a name has only the groups that hold anything; delimiters are no name": {
        "chrArab.dcm": "00080090",
        "chrFren.dcm": "00080090",
        "chrFrenMulti.dcm": "00080090",
        "chrGerm.dcm": "00080090",
        "chrGreek.dcm": "00080090",
        "chrH31.dcm": "00080090",
        "chrH32.dcm": "00080090",
        "chrHbrw.dcm": "00080090",
        "chrI2.dcm": "00080090",
        "chrRuss.dcm": "00080090",
        "chrX1.dcm": "00080090",
        "chrX2.dcm": "00080090",
        "image_dfl.dcm": "00080090 00100010",
    },
    "PS3.18 F.2.5: an empty value among several is null": {
        "chrH31.dcm": "00080005/0",
        "chrI2.dcm": "00080005/0",
        "chrJapMulti.dcm": "00080005/0",
        "chrKoreanMulti.dcm": "00080005/0",
        "examples_overlay.dcm": "00080008/4",
        "examples_ybr_color.dcm": "00185010/1 00185010/2",
    },
    "PS3.18 F.2.5: a sequence without items has no Value": {
        "reportsi.dcm": "00081111 0040A372",
        "reportsi_with_empty_number_tags.dcm": "00081111 0040A372",
        "test-SR.dcm": "00081111 0040A073/1/0040A088 0040A372",
    },
    "PS3.5 §6.2: a space at the end of a CS has no meaning": {
        "693_J2KI.dcm": "00080008/0",
        "SC_rgb_gdcm_KY.dcm": "00080008/0",
        "SC_rgb_jpeg_lossy_gdcm.dcm": "00080008/0",
    },
    "PS3.10 §7.2: padding behind a data set has no meaning": {
        "CT_small.dcm": "FFFCFFFC",
        "MR_small.dcm": "FFFCFFFC",
        "MR_small_RLE.dcm": "FFFCFFFC",
        "MR_small_expb.dcm": "FFFCFFFC",
        "MR_small_jp2klossless.dcm": "FFFCFFFC",
        "MR_small_jpeg_ls_lossless.dcm": "FFFCFFFC",
        "MR_small_padded.dcm": "FFFCFFFC",
        "examples_rgb_color.dcm": "FFFCFFFC",
    },
    "PS3.5 §7.8: a data set has no elements of group 0001": {
        "meta_missing_tsyntax.dcm": "00010001",
        "nested_priv_SQ.dcm": "00010001",
    },
    "PS3.18 Table F.2.3-1: IS may be a string; pydicom writes none where it is no integer": {
        "badVR.dcm": "00280008",
    },
}


def files() -> Iterator[Path]:
    """The files that pydicom reads and a data store could hold: a DICOMDIR is no instance."""
    for path in sorted(path for path in DATA.rglob("*") if path.is_file()):
        try:
            dataset = read(path)
        except (InvalidDicomError, AttributeError, ValueError, KeyError, EOFError):
            continue
        if "FileSetID" not in dataset:
            yield path


def read(path: Path) -> pydicom.FileDataset:
    """The data set of a file; some are odd on purpose, and pydicom says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path)


@cache
def paths() -> list[Path]:
    """Those files, found once."""
    return list(files())


def expected(path: Path) -> dict[str, Any]:
    """What pydicom writes of what metadata can hold, by tag."""
    dataset = read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drop_what_metadata_lacks(dataset)
        correct_ambiguous_vr(dataset, dataset.original_encoding[1] is not False)
        return {f"{element.tag:08X}": as_json(element) for element in dataset}


def as_json(element: pydicom.DataElement) -> Any:
    """One element as pydicom writes it."""
    try:
        written = element.to_json_dict(None, 0)
    except ValueError:
        return NOT_READ
    return orjson.loads(orjson.dumps(written))


def drop_what_metadata_lacks(dataset: Dataset) -> None:
    """Drop group lengths, pixels, values over 1 MB, and those that cannot be read."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:
            del dataset[tag]
            continue
        large = element.VR in BINARY and len(element.value or b"") > MOST_BINARY
        if tag.element == 0 or tag in PIXELS or large:
            del dataset[tag]
        elif element.VR == "SQ":
            for item in element.value:
                drop_what_metadata_lacks(item)


def answered(path: Path) -> dict[str, Any]:
    """What the gateway answers of the file's metadata, and without a fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normalised = normalise(read(path))
    levels, body = orjson.loads(orjson.dumps([normalised.levels, normalised.instance]))
    merged = {keyword: value for level in levels.values() for keyword, value in level.items()}
    instance = PackedInstance(None, "", orjson.dumps(body))
    found = instance_values(Metadata(merged), instance, None)
    assert frozenset() == found.faults
    result = Result(Level.INSTANCE, found.values, found.vrs)
    decoded: dict[str, Any] = orjson.loads(encode(elements_of(result, (), everything=True)))
    return decoded


def differences(expected: Any, actual: Any, place: str = "") -> Iterator[str]:
    """The places where two JSON values differ, the innermost."""
    match expected, actual:
        case {"vr": one, "Value": list(values)}, {"vr": other, "Value": list(others)} if (
            one == other and len(values) == len(others)
        ):
            for index, pair in enumerate(zip(values, others, strict=True)):
                yield from differences(*pair, f"{place}/{index}")
        case {"Alphabetic": _}, _:
            if expected != actual:
                yield place
        case dict(), dict() if "vr" not in expected and "vr" not in actual:
            for tag in sorted({*expected, *actual}):
                inner = f"{place}/{tag}" if place else tag
                yield from differences(expected.get(tag), actual.get(tag), inner)
        case _ if expected != actual:
            yield place


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.name)
def test_equals_what_pydicom_writes(path: Path) -> None:
    """Every element, VR and value is pydicom's own but for the departures, and these are needed."""
    actual = answered(path)
    assert AVAILABLE in actual
    del actual[AVAILABLE]
    known = sorted(" ".join(by.get(path.name, "") for by in DEPARTURES.values()).split())
    assert known == sorted(differences(expected(path), actual))


def test_the_files() -> None:
    """There are files, and each departure names one."""
    names = [path.name for path in paths()]
    assert len(names) > 150
    assert set() == {name for by in DEPARTURES.values() for name in by} - set(names)


@pytest.mark.parametrize(
    ("one", "other", "places"),
    [
        pytest.param({"1": {"vr": "US", "Value": [1]}}, {"1": {"vr": "SS", "Value": [1]}}, ["1"],
                     id="a VR"),
        pytest.param({"1": {"vr": "US", "Value": [1]}}, {"1": {"vr": "US"}}, ["1"], id="none"),
        pytest.param({"1": {"vr": "US", "Value": [1]}}, {"1": {"vr": "US", "Value": [2]}}, ["1/0"],
                     id="a value"),
        pytest.param({"1": {"vr": "OB", "InlineBinary": "AAE="}}, {"1": {"vr": "OB"}}, ["1"],
                     id="bytes"),
        pytest.param({"1": {"vr": "PN", "Value": [{"Alphabetic": "A"}]}},
                     {"1": {"vr": "PN", "Value": [{"Alphabetic": "B"}]}}, ["1/0"], id="a name"),
        pytest.param({"1": {"vr": "SQ", "Value": [{"2": {"vr": "US", "Value": [1]}}]}},
                     {"1": {"vr": "SQ", "Value": [{}]}}, ["1/0/2"], id="in an item"),
        pytest.param({}, {"1": {"vr": "US"}}, ["1"], id="one more"),
        pytest.param({"1": NOT_READ}, {"1": {"vr": "IS", "Value": ["1A"]}}, ["1"], id="unread"),
        pytest.param({"1": {"vr": "US", "Value": [1]}}, {"1": {"vr": "US", "Value": [1]}}, [],
                     id="the same"),
    ],
)  # fmt: skip
def test_the_comparison(one: dict[str, Any], other: dict[str, Any], places: list[str]) -> None:
    """A difference anywhere is seen, and where."""
    assert places == list(differences(one, other))
