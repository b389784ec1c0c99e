"""Instances that are told to be sound at one look: never one that is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.wado.plain import plain_instance
from tests.unit.test_wado_metadata import SOUND, UNSOUND

UID = '"00080018":{"vr":"UI","Value":["1.2.3"]}'
NOT_PLAIN = {"an empty value among others", "an empty name", "a name as text", "text elsewhere"}
"""Sound, yet left to who looks longer."""


def compact(attribute: Any) -> str:
    """An attribute beside the UID, as most servers write it."""
    return json.dumps(attribute, separators=(",", ":"))


@pytest.mark.parametrize("what", SOUND)
def test_plain(what: str) -> None:
    """What is plain ends where it ends, and a neighbour is none of it."""
    text = f'{{{UID},"00081030":{compact(SOUND[what])}}}'
    expected = (0, "") if what in NOT_PLAIN else (len(text) + 1, "1.2.3")
    assert expected == plain_instance(f"[{text},{text}]", 1, 10_000)


@pytest.mark.parametrize("attribute", UNSOUND.values(), ids=UNSOUND)
def test_unsound(attribute: Any) -> None:
    """What is unsound is not plain."""
    assert (0, "") == plain_instance(f'{{{UID},"00081030":{compact(attribute)}}}', 0, 10_000)


def number(text: str) -> str:
    """An instance that holds this number."""
    return f'{{{UID},"00180050":{{"vr":"DS","Value":[{text}]}}}}'


@pytest.mark.parametrize("text", ["0", "-1", "1.25", "-0.5e+10", "1E3", '"1.5"'])
def test_numbers(text: str) -> None:
    """Numbers are JSON's."""
    assert (len(number(text)), "1.2.3") == plain_instance(number(text), 0, 10_000)


OTHERS = {
    "no UID": "{}",
    "an empty UID": '{"00080018":{"vr":"UI"}}',
    "a UID that is none": '{"00080018":{"vr":"UI","Value":["1..2"]}}',
    "a UID that is too long": f'{{"00080018":{{"vr":"UI","Value":["{"1" * 65}"]}}}}',
    "the UID of an item": f'{{"00081140":{{"vr":"SQ","Value":[{{{UID}}}]}}}}',
    "a comma too much": f"{{{UID},}}",
    "a comma too few": f"{{{UID}{UID}}}",
    "a value too few": f'{{{UID},"00081030":{{"vr":"LO","Value":["a",]}}}}',
    "no values": f'{{{UID},"00081030":{{"vr":"LO","Value":[]}}}}',
    "a tag that is none": f'{{{UID},"0008103":{{"vr":"LO"}}}}',
    "white space": f"{{{UID} }}",
    "an escape": f'{{{UID},"00081030":{{"vr":"LO","Value":["a\\nb"]}}}}',
    "a control character": f'{{{UID},"00081030":{{"vr":"LO","Value":["a\nb"]}}}}',
    "not whole": f"{{{UID}",
    **{f"the number {text}": number(text) for text in ("+1", "01", "1.", ".5", "1e", "NaN", "-")},
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_others(text: str) -> None:
    """What is no JSON, or unusual, is not plain."""
    assert (0, "") == plain_instance(text, 0, 10_000)


def test_depth() -> None:
    """Sequences are looked into as deep as they are usual."""
    found, item = [], "{}"
    for _ in range(5):
        item = f'{{"00081140":{{"vr":"SQ","Value":[{item},{item}]}}}}'
        found.append(plain_instance(f"{{{UID},{item[1:]}", 0, 10_000)[1])
    assert ["1.2.3"] * 3 + [""] * 2 == found


def test_window() -> None:
    """No further than a window is looked."""
    text = f"{{{UID}}}"
    assert (0, "") == plain_instance(text, 0, len(text) - 1)
    assert (len(text), "1.2.3") == plain_instance(text, 0, len(text))
