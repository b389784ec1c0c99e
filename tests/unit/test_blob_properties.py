"""Any document, cut anyhow and read in any windows, reads as json.loads would have it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.healthimaging.blob import ALWAYS, read_blob
from gateway.search.metadata import Metadata

LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
)
OPENED = b'{"Study": {"Series": {"5": {"Instances": {"1": '
VALUE = st.recursive(
    LEAF,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=5), below),
    max_leaves=8,
)
LEVEL = st.dictionaries(st.sampled_from(("A", "B", "Comments")), VALUE)
WANTED = frozenset({"Rows", "KVP"})
KEYWORD = st.sampled_from(("Rows", "KVP", "Columns", "ImageType"))
INSTANCES = st.dictionaries(
    st.from_regex(r"1\.[1-9]{1,4}", fullmatch=True),
    st.dictionaries(KEYWORD, VALUE),
    max_size=6,
)


def cut(body: bytes, sizes: list[int]) -> list[bytes]:
    """`body` in chunks of these sizes, and the rest."""
    chunks, at = [], 0
    for size in sizes:
        chunks.append(body[at : at + size])
        at += size
    return [*chunks, body[at:]]


@settings(max_examples=150, deadline=None)
@given(
    levels=st.lists(LEVEL, min_size=3, max_size=3),
    instances=INSTANCES,
    other=VALUE,
    sizes=st.lists(st.integers(1, 60), max_size=20),
    windows=st.tuples(st.integers(1, 100), st.integers(32, 2_000)),
    zipped=st.booleans(),
    ascii_only=st.booleans(),
)  # fmt: skip
def test_reads_as_json_loads_would(
    levels: list[dict[str, Any]],
    instances: dict[str, dict[str, Any]],
    other: Any,
    sizes: list[int],
    windows: tuple[int, int],
    zipped: bool,
    ascii_only: bool,
) -> None:
    """However it is cut, the same levels and the same instances are read."""
    patient, study, series = levels
    stored = {
        "Extra": other,
        "Patient": {"x": other, "DICOM": patient},
        "Study": {
            "DICOM": study,
            "Series": {
                "5": {
                    "Instances": {
                        uid: {"ImageFrames": other, "DICOM": dicom}
                        for uid, dicom in instances.items()
                    },
                    "DICOM": series,
                }
            },
        },
    }
    text = json.dumps(stored, ensure_ascii=ascii_only).encode()
    body = gzip.compress(text) if zipped else text
    first, most = windows
    found = read_blob(cut(body, sizes), WANTED, "5", 10**9, first_window=first, most_window=most)
    assert ({**patient, **study, **series}, True, ()) == (found.levels, found.whole, found.faults)
    expected = {
        uid: {k: v for k, v in {**dicom, "SOPInstanceUID": uid}.items() if k in WANTED | ALWAYS}
        for uid, dicom in instances.items()
    }
    bodies = {one.sop_instance_uid: orjson.loads(one.body) for one in found.instances}
    assert expected == {uid: one["DICOM"] for uid, one in bodies.items()}


@settings(max_examples=150, deadline=None)
@given(
    start=st.sampled_from((b"", OPENED, b"\x1f\x8b\x08")),
    body=st.binary(max_size=60) | st.text('{}[]":,\\u0d8e1-. ', max_size=60).map(str.encode),
    zipped=st.booleans(),
    window=st.integers(1, 60),
)  # fmt: skip
@example(start=b"", body=b"\x1f", zipped=False, window=1)
def test_any_bytes_are_read(start: bytes, body: bytes, zipped: bool, window: int) -> None:
    """Nothing raises; what is not whole says why."""
    stored = gzip.compress(start + body) if zipped else start + body
    found = read_blob([stored], None, "5", 10**6, first_window=window, most_window=window)
    assert isinstance(found, Metadata)
    assert found.whole or found.faults
