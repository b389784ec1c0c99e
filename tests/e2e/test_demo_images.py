"""Every instance of the demo rendered: an image where its file has pixels, else a status."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.e2e.running import Running, ask
from tests.e2e.test_demo_instances import UIDs, dataset_at, held, last

REFUSED = {
    406: {
        "JPEG of 12 bits has no decoder here": ("JPEG-lossy.dcm", "JPGExtended.dcm"),
        "its only codestream is broken": ("JPEG2000-embedded-sequence-delimiter.dcm",),
        "the emulator cuts off the octet that pads it": ("SC_rgb_small_odd_big_endian.dcm",),
    },
    404: {
        "it has Rows and no pixels": ("chrKoreanMulti.dcm", "chrJapMultiExplicitIR6.dcm"),
        "its pixels break off": ("MR_truncated.dcm",),
    },
}
NAMED = {
    name: status for status, why in REFUSED.items() for names in why.values() for name in names
}


@pytest.mark.parametrize("uids", sorted(held()), ids=lambda uids: last(uids).name)
def test_an_instance_is_rendered(demo: Running, uids: UIDs) -> None:
    """An image of its size, and no status that is not expected."""
    dataset, name = dataset_at(last(uids)), last(uids).name
    answer = ask(
        f"{demo.url}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}/rendered",
        {"accept": "image/png"},
    )
    has_pixels = "Rows" in dataset and "BitsAllocated" in dataset
    assert NAMED.get(name, 200 if has_pixels else 406) == answer.status
    if answer.status == 200:
        with Image.open(io.BytesIO(answer.body)) as image:
            assert (dataset.Columns, dataset.Rows) == image.size
            assert np.asarray(image).size


@pytest.mark.parametrize("kind", ["thumbnail", "rendered"])
def test_every_series_and_study_answers(demo: Running, kind: str) -> None:
    """With a JPEG, or with what it lacks."""
    series = {uids[:2] for uids in held()}
    paths = {f"/studies/{study}/series/{one}" for study, one in series}
    paths |= {f"/studies/{study}" for study, _ in series}
    found = {path: ask(f"{demo.url}{path}/{kind}") for path in paths}
    assert {200, 404, 406} == {answer.status for answer in found.values()}
    shown = [answer for answer in found.values() if answer.status == 200]
    assert len(shown) > len(found) * 3 // 4
    assert all(answer.body.startswith(b"\xff\xd8") for answer in shown)
