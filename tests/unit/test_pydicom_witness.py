"""All DICOM files of pydicom: metadata and back again is what pydicom itself writes as JSON."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.emulator.normalising import normalise
from gateway.qido.attributes import Level
from gateway.qido.dicomjson import encode
from gateway.qido.elements import elements_of
from gateway.qido.result import Result
from gateway.search.instance import instance_values
from gateway.search.metadata import Metadata, PackedInstance
from tests.unit.witness import DEPARTURES, NOT_READ, differences, expected, paths, read

AVAILABLE = "00083002"


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
