"""A study with pictures in memory: a report, a CT of three slices, a colour image of two frames."""

from __future__ import annotations

from typing import Any

from tests.http.retrieval import ListedRetrieval, Stored, place
from tests.unit.pixelfiles import dataset, metadata, stored_frames, syntax_of

REPORT, CT, COLOUR, WIDE = "1.2.1.1", "1.2.1.2", "1.2.1.3", "1.2.1.4"
REPORTS = "1.2.2"
"""A study without a picture."""
SLICES = ("1.2.1.2.1", "1.2.1.2.2", "1.2.1.2.3")
MIDDLE = SLICES[1]
FRAMES = "1.2.1.3.1"
TWELVE_BITS = "1.2.1.4.1"


def of_file(uid: str, name: str, **more: Any) -> Stored:
    """An instance with the pixels of a file of pydicom."""
    one = dataset(name)
    described = {**metadata(name), "00080018": {"vr": "UI", "Value": [uid]}, **more}
    return Stored(uid, syntax_of(one), stored_frames(one), described)


def report(uid: str) -> Stored:
    """An instance without pixels."""
    return Stored(uid, frames=(), metadata={"00080018": {"vr": "UI", "Value": [uid]}})


def pictures(**more: Any) -> ListedRetrieval:
    """The study, and one of nothing but a report."""
    bright = {"00281050": {"vr": "DS", "Value": [-9999]}, "00281051": {"vr": "DS", "Value": [2]}}
    stored = {
        place(REPORT, "a" * 32): [report("1.2.1.1.1")],
        # The middle one is all white, the others are as they are
        place(CT, "b" * 32): [
            of_file(uid, "CT_small.dcm", **(bright if uid == MIDDLE else {})) for uid in SLICES
        ],
        place(COLOUR, "c" * 32): [of_file(FRAMES, "SC_rgb_rle_2frame.dcm")],
        place(WIDE, "d" * 32): [of_file(TWELVE_BITS, "JPGExtended.dcm")],
        place("1.2.2.1", "e" * 32, study_uid=REPORTS): [report("1.2.2.1.1")],
    }
    return ListedRetrieval(stored, **{"chunk": 4096, **more})
