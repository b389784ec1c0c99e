"""The header of a compressed frame is read, whatever stands before it, and damage is no bug."""

from __future__ import annotations

import random

import pytest

from gateway.imaging.codestream import Codestream, read_codestream
from tests.unit.pixelfiles import NAMES, dataset, stored_frames

SOF = b"\xff\xc0\x00\x11\x08\x00\x04\x00\x06\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00"
RGB = b"\xff\xc0\x00\x11\x08\x00\x04\x00\x06\x03R\x11\x00G\x11\x00B\x11\x00"
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
SIZ = b"\xff\x51\x00\x2f" + bytes(2) + b"".join(n.to_bytes(4, "big") for n in (16, 24, 10, 20))
J2K = b"\xff\x4f" + SIZ + bytes(16) + b"\x00\x03" + bytes(9)
SCAN = b"\xff\xda\x00\x08"
COD = b"\xff\x52\x00\x0c\x00\x00\x00\x01"

ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64" + bytes(4)
PLAIN, YBR = Codestream(4, 6, 3), Codestream(4, 6, 3, is_ybr=True)

READ = {
    "a JPEG": (b"\xff\xd8" + SOF + SCAN, PLAIN),
    "with fill bytes": (b"\xff\xd8\xff\xff" + SOF + SCAN, PLAIN),
    "with JFIF": (b"\xff\xd8" + JFIF + SOF + SCAN, YBR),
    "with Adobe's marker of YBR": (b"\xff\xd8" + ADOBE + b"\1" + SOF + SCAN, YBR),
    "with Adobe's marker of none": (b"\xff\xd8" + ADOBE + b"\0" + SOF + SCAN, PLAIN),
    "with Adobe's marker beside JFIF's": (b"\xff\xd8" + JFIF + ADOBE + b"\0" + SOF + SCAN, PLAIN),
    "with components R, G and B": (b"\xff\xd8" + RGB + SCAN, Codestream(4, 6, 3, is_rgb=True)),
    "with both": (b"\xff\xd8" + JFIF + RGB + SCAN, Codestream(4, 6, 3, is_rgb=True)),
    "a JPEG-LS": (b"\xff\xd8" + SOF.replace(b"\xc0", b"\xf7") + SCAN, Codestream(4, 6, 3)),
    "a JPEG 2000, by its reference grid": (J2K, Codestream(4, 6, 3)),
    "with a component transformation": (J2K + COD + b"\x01", Codestream(4, 6, 3, is_rgb=True)),
    "without one": (J2K + COD + b"\x00", Codestream(4, 6, 3)),
    "within a JP2 file": (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + J2K, Codestream(4, 6, 3)),
    "nothing": (b"", None),
    "no codestream": (b"\x00" * 99, None),
    "a JPEG without a frame": (b"\xff\xd8\xff\xda\x00\x08", None),
    "a JPEG that breaks off": (b"\xff\xd8" + SOF[:-1], None),
    "a JPEG without a scan": (b"\xff\xd8" + SOF, None),
    "a JPEG of two frames": (b"\xff\xd8" + SOF + SOF + SCAN, None),
    "a JPEG with samples of 197 bits": (b"\xff\xd8" + SOF.replace(b"\x08", b"\xc5") + SCAN, None),
    "a JPEG with an odd byte for a marker": (b"\xff\xd8" + SOF + b"\x9b\xc4\x00\x02" + SCAN, None),
    "a segment without a length": (b"\xff\xd8\xff\xe0\x00\x00" + SOF, None),
    "a JPEG 2000 that breaks off": (J2K[:20], None),
    "a JP2 file without a codestream": (b"\x00\x00\x00\x0cjP  ", None),
}


@pytest.mark.parametrize(("frame", "expected"), READ.values(), ids=READ)
def test_the_header(frame: bytes, expected: Codestream | None) -> None:
    """Size and colours, as the codestream has them."""
    assert expected == read_codestream(frame)


@pytest.mark.parametrize("name", NAMES)
def test_of_every_file(name: str) -> None:
    """The size and the samples of each frame that has a codestream are those of its file."""
    one = dataset(name)
    found = read_codestream(stored_frames(one)[0])
    is_codestream = one.file_meta.TransferSyntaxUID.startswith("1.2.840.10008.1.2.4")
    assert is_codestream == (found is not None)
    if found:
        assert (one.Rows, one.Columns) == (found.rows, found.columns)
        assert one.SamplesPerPixel == found.components


def test_damage_ends() -> None:
    """Any bytes are read to an end, and raise nothing."""
    rng = random.Random(5)
    for start in (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  \xff\x4f\xff\x51"):
        for _ in range(500):
            read_codestream(start + rng.randbytes(rng.randrange(80)))
        read_codestream(start + b"\xff" * 5000)
