"""Damage to one image set's blob: whatever can come instead of what HealthImaging documents."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.laws.blobs import document_of, packed
from tests.laws.oracle import Summary

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, "", " ", "x", "\ud800", "\0", "2020", "-"),
    *([], {}, [None], [[[]]], [{}], {"a": 1}, {"DICOM": None}, {"DICOM": {"Rows": "x"}}),
    *([1, "x", None, {}], float("nan"), "AAE=", ["1.2", 3]),
)
LEVELS = ("Patient", "Study", "Series", "Instances", "DICOM")
Path = tuple[Any, ...]


@st.composite
def damaged(draw: st.DrawFn, summary: Summary) -> tuple[bytes, bool]:
    """A blob of `summary` with one thing wrong, and whether that can be seen.

    Another text where a UID was is a UID like any other.
    """
    document = document_of(summary)
    blob, text = packed(document), json.dumps(document).encode()
    kind = draw(st.sampled_from(("cut", "flip", "cut text", "flip text", "replace", "drop")))
    if kind == "cut":
        return blob[: draw(st.integers(0, len(blob) - 1))], True
    if kind == "flip":
        return draw(_flipped(blob)), True
    if kind == "cut text":
        return gzip.compress(text[: draw(st.integers(0, len(text) - 1))], 1), True
    if kind == "flip text":
        return gzip.compress(draw(_flipped(text)), 1), False
    paths = list(_paths(document))
    if kind == "drop":
        of_levels = [path for path in paths if path[-1] in LEVELS]
        return _packed(_without(document, draw(st.sampled_from(of_levels)))), True
    path, value = draw(st.sampled_from(paths)), draw(st.sampled_from(VALUES))
    is_uid = path[-1] == "SOPInstanceUID" and isinstance(value, str)
    return _packed(_with(document, path, value)), not is_uid


def _packed(document: object) -> bytes:
    # escapes stand for what UTF-8 has no bytes for
    return gzip.compress(json.dumps(document).encode(), 1)


@st.composite
def _flipped(draw: st.DrawFn, whole: bytes) -> bytes:
    changed = bytearray(whole)
    for place in draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=3)):
        changed[place] ^= draw(st.integers(1, 255))
    return bytes(changed)


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    inner: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, one in inner:
        yield from _paths(one, (*path, key))


def _with(document: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(document)
    _at(changed, path[:-1])[path[-1]] = value
    return changed


def _without(document: Any, path: Path) -> Any:
    changed = copy.deepcopy(document)
    del _at(changed, path[:-1])[path[-1]]
    return changed


def _at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document
