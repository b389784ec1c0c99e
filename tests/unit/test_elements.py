"""The elements of a result: which, in which order, with which VR and private creator."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.qido.attributes import BY_KEYWORD, Attribute, Level, attribute_named
from gateway.qido.elements import LEFT_OUT_WHEN_EMPTY, Element, elements_of, item_elements
from gateway.qido.result import Item, Result
from tests.unit.tables import named


def attribute(name: str) -> Attribute:
    """The attribute of a name that there is."""
    found = attribute_named(name)
    assert found is not None
    return found


def shown(values: dict[str, Any], *asked: str, **vrs: str) -> list[Element]:
    """The elements of an instance with everything that it holds."""
    result = Result(
        Level.INSTANCE, values, {name.removeprefix("x"): vr for name, vr in vrs.items()}
    )
    return elements_of(result, [attribute(name) for name in asked], everything=True)


def test_everything() -> None:
    """All that a result holds is there beside what was asked for, each once, in order."""
    values = {"Rows": (1,), "00190010": ("ACME",), "PatientID": ("A",), "nothing": ("x",)}
    elements = shown(values, "PatientID", "StudyDate")
    assert ["00080020", "00100020", "00190010", "00280010"] == [one.tag for one in elements]
    assert [(), ("A",), ("ACME",), (1,)] == [one.values for one in elements]


def test_not_everything() -> None:
    """Else only what was asked for is there."""
    result = Result(Level.INSTANCE, {"Rows": (1,), "PatientID": ("A",)})
    elements = elements_of(result, [BY_KEYWORD["StudyDate"], BY_KEYWORD["Rows"]])
    assert [("StudyDate", ()), ("Rows", (1,))] == [(e.keyword, e.values) for e in elements]


@pytest.mark.parametrize("keyword", sorted(LEFT_OUT_WHEN_EMPTY))
def test_left_out(keyword: str) -> None:
    """Some attributes are there with a value only."""
    result = Result(Level.INSTANCE, {keyword: (1,)})
    assert [] == elements_of(Result(Level.INSTANCE, {}), [BY_KEYWORD[keyword]])
    assert 1 == len(elements_of(result, [BY_KEYWORD[keyword]]))


@pytest.mark.parametrize(
    ("values", "creator"),
    named({
        "its block's": ({"00191001": ("x",), "00190010": ("ACME",)}, "ACME"),
        "another block's": ({"00191001": ("x",), "00190011": ("ACME",)}, ""),
        "not stored": ({"00191001": ("x",)}, ""),
        "the creator itself has none": ({"00190010": ("ACME",)}, ""),
        "an attribute of the standard": ({"PatientID": ("x",), "00190010": ("ACME",)}, ""),
    }),
)  # fmt: skip
def test_creator(values: dict[str, Any], creator: str) -> None:
    """A private element has the creator that reserves its block in the same data set."""
    (element,) = shown({next(iter(values)): ("x",)} | values, next(iter(values)))[-1:]
    (inner,) = [e for e in item_elements(Item(values)) if e.tag == element.tag]
    assert (creator, element) == (element.creator, inner)


@pytest.mark.parametrize(
    ("name", "vrs", "values", "vr"),
    named({
        "the dictionary's": ("PatientID", {}, ("A",), "LO"),
        "the result's, of a choice": ("PixelPaddingValue", {"PixelPaddingValue": "SS"}, (-1,),
            "SS"),
        "the result's, of a private one": ("00191001", {"x00191001": "FD"}, (0.5,), "FD"),
        "of a choice without a value: the first": ("PixelPaddingValue", {}, (), "US"),
        "OB or OW": ("PixelData", {}, (), "OB"),
        "private, no value": ("00191001", {}, (), "UN"),
        "private, bytes": ("00191001", {}, ("AAE=",), "UN"),
        "private, no bytes": ("00191001", {}, ("A-1",), "UC"),
        "private, bytes and something else": ("00191001", {}, ("AA-E=",), "UC"),
        "private, half of bytes": ("00191001", {}, ("AAE",), "UC"),
        "private, beyond ASCII": ("00191001", {}, ("山",), "UC"),
        "private, texts": ("00191001", {}, ("AAE=", "AAE="), "UC"),
        "private, numbers": ("00191001", {}, (1, 0.5), "DS"),
        "private, items": ("00191001", {}, (Item({}),), "SQ"),
    }),
)  # fmt: skip
def test_vr(name: str, vrs: dict[str, str], values: tuple[Any, ...], vr: str) -> None:
    """Each element has one VR of the standard, and no value is lost where it is not known."""
    (element,) = shown({name: values}, name, **vrs)
    assert (vr, values) == (element.vr, element.values)


def test_patient_data_is_not_in_a_repr() -> None:
    """What an element holds is not shown by accident."""
    (element,) = shown({"PatientName": ("DOE^JANE",)})
    assert "DOE" not in repr(element)
