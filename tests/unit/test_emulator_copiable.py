"""copiableAttributes: the instances of an image set that are copied."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.emulator.errors import WireError
from gateway.emulator.updating import chosen_instances

SENTINEL = "DOE^SENTINEL"


def of_series(**series: Any) -> dict[str, Any]:
    """A document that names these series; their UIDs are `s1`, `s2`."""
    return {"Study": {"Series": series}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(of_series(s1={"Instances": {"1.1": {}}}), {"1.1"}, id="one"),
        pytest.param(of_series(s1={"Instances": {"1.1": {}, "1.2": {}}}), {"1.1", "1.2"}, id="two"),
        pytest.param({"SchemaVersion": "1", **of_series(s1={"DICOM": 5, "Instances": {"1.1": 5}})},
                     {"1.1"}, id="whatever stands beside"),
        pytest.param(of_series(s1={"Instances": {"1.1": {}}}, s2={"Instances": {"2.1": None}}),
                     {"1.1", "2.1"}, id="of two series"),
    ],
)  # fmt: skip
def test_chosen_instances(document: Any, expected: set[str]) -> None:
    """The instances that are named below their series."""
    assert expected == chosen_instances(json.dumps(document))


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        pytest.param({}, "name instances", id="nothing"),
        pytest.param(of_series(s1={}), "name instances", id="no instance"),
        pytest.param(of_series(s1=None), "name instances", id="null"),
        pytest.param({"Study": SENTINEL}, "Study", id="a text for a structure"),
        pytest.param({"Study": {"Series": [SENTINEL]}}, "Series", id="a list of series"),
        pytest.param(of_series(s1=[SENTINEL]), "Series", id="a list for a series"),
        pytest.param(
            of_series(s1={"Instances": [SENTINEL]}), "Instances", id="a list of instances"
        ),
        pytest.param([SENTINEL], "structure", id="no structure"),
    ],
)
def test_what_names_no_instances(document: Any, rule: str) -> None:
    """A ValidationException that names the rule, never a value."""
    with pytest.raises(WireError, match=rule) as caught:
        chosen_instances(json.dumps(document))
    assert "ValidationException" == caught.value.code
    assert "SENTINEL" not in caught.value.message


def test_no_json() -> None:
    """What is no JSON is refused as such."""
    with pytest.raises(WireError, match="JSON") as caught:
        chosen_instances(SENTINEL)
    assert "SENTINEL" not in caught.value.message
