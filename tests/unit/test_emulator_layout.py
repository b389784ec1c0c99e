"""Where frames stand in a file: each is read by itself, and is what pydicom finds there."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)

from gateway.emulator.frames import described_frames, read_frame
from gateway.emulator.layout import Layouts, read_layout, stored_frame

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"


def part10_files(folder: Path) -> list[Path]:
    """The files that begin as PS3.10 says."""
    files = sorted(folder.glob("*.dcm"))
    return [path for path in files if path.read_bytes()[128:132] == b"DICM"]


SIX, TWELVE = bytes(range(6)), bytes(range(12))
ITEM, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def image(path: Path, syntax: UID = ExplicitVRLittleEndian, **values: Any) -> Path:
    """A file of two rows and three columns of bytes."""
    given = FileDataset("x.dcm", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    given.file_meta.TransferSyntaxUID = syntax
    given.SOPClassUID, given.SOPInstanceUID = SecondaryCaptureImageStorage, UID("1.2.3")
    own = {"Rows": 2, "Columns": 3, "SamplesPerPixel": 1, "BitsAllocated": 8, **values}
    for keyword, value in own.items():
        setattr(given, keyword, value)
    if "PixelData" in given:
        given["PixelData"].VR = "OB"
    given.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    return path


def fragments(*parts: bytes, offsets: tuple[int, ...] = (), end: bytes = END) -> bytes:
    """Encapsulated pixels of these fragments."""
    table = struct.pack(f"<{len(offsets)}I", *offsets)
    return b"".join(ITEM + struct.pack("<I", len(one)) + one for one in (table, *parts)) + end


JPEG = {"syntax": JPEGBaseline8Bit}


@pytest.mark.parametrize(
    ("values", "frames"),
    [
        pytest.param({"PixelData": SIX}, [SIX], id="one frame"),
        pytest.param({"PixelData": TWELVE, "NumberOfFrames": 2}, [TWELVE[:6], TWELVE[6:]],
                     id="two frames"),
        pytest.param({"PixelData": TWELVE, "NumberOfFrames": 2, "syntax": ImplicitVRLittleEndian},
                     [TWELVE[:6], TWELVE[6:]], id="implicit VR"),
        pytest.param({"PixelData": TWELVE, "NumberOfFrames": 2,
                      "syntax": DeflatedExplicitVRLittleEndian},
                     [TWELVE[:6], TWELVE[6:]], id="deflated"),
        pytest.param({"PixelData": b"\x3f\0", "BitsAllocated": 1}, [b"\x3f"], id="one bit"),
        pytest.param({"PixelData": b"\xff\x0f", "BitsAllocated": 1, "NumberOfFrames": 2},
                     [b"\xff\x0f"], id="frames that share a byte are one"),
        pytest.param({"PixelData": TWELVE[:8], "Columns": 2, "SamplesPerPixel": 3,
                      "PhotometricInterpretation": "YBR_FULL_422"}, [TWELVE[:8]],
                     id="pixels that share their colour"),
        pytest.param({**JPEG, "PixelData": encapsulate([b"ab", b"cdef"]), "NumberOfFrames": 2},
                     [b"ab", b"cdef"], id="encapsulated"),
        pytest.param({**JPEG, "PixelData": fragments(b"ab", b"cd")}, [b"abcd"],
                     id="one frame of two fragments"),
        pytest.param({**JPEG, "NumberOfFrames": 2,
                      "PixelData": fragments(b"ab", b"cd", b"ef", offsets=(0, 20))},
                     [b"abcd", b"ef"], id="offsets tell the fragments"),
        pytest.param({**JPEG, "NumberOfFrames": 2,
                      "PixelData": fragments(b"ab", b"c\xff\xd9\0", b"ef\xff\xd9")},
                     [b"abc\xff\xd9\0", b"ef\xff\xd9"], id="ends of images tell them"),
        pytest.param({}, [], id="no pixels"),
        pytest.param({"PixelData": b""}, [], id="empty pixels"),
        pytest.param({"PixelData": SIX[:4]}, [], id="too short"),
        pytest.param({"PixelData": TWELVE, "NumberOfFrames": 3}, [], id="too short for three"),
        pytest.param({"PixelData": SIX, "Rows": 0}, [], id="no row"),
        pytest.param({"PixelData": SIX, "Rows": None}, [], id="no rows"),
        pytest.param({"PixelData": SIX[:4], "syntax": DeflatedExplicitVRLittleEndian}, [],
                     id="deflated and too short"),
        pytest.param({**JPEG, "PixelData": fragments(b"ab"), "NumberOfFrames": 2}, [],
                     id="fewer fragments than frames"),
    ],
)  # fmt: skip
def test_frames(tmp_path: Path, values: dict[str, Any], frames: list[bytes]) -> None:
    """Each frame by its number; as many as the import describes."""
    path = image(tmp_path / "x.dcm", **values)
    layout = read_layout(path)
    assert len(frames) == layout.number
    assert frames == [stored_frame(str(path), layout, n) for n in range(layout.number)]
    assert all(layout.size(n) == len(frames[n]) for n in range(layout.number) if layout.parts)


@pytest.mark.parametrize("name", [path.name for path in part10_files(BUNDLED)])
def test_files_of_pydicom(name: str) -> None:
    """As many frames as the import describes, with the bytes that pydicom finds."""
    path = BUNDLED / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            number = len(described_frames(pydicom.dcmread(path)))
        except Exception:
            number = 0
        layout = read_layout(path)
        assert number == layout.number
        for index in {0, number - 1} if number else ():
            assert read_frame(path, index) == stored_frame(str(path), layout, index)


def test_layouts_are_kept(tmp_path: Path) -> None:
    """Until the file changes."""
    path, layouts = str(image(tmp_path / "x.dcm", PixelData=SIX)), Layouts()
    assert layouts.known(path) is None
    first = layouts.of(path)
    assert first is layouts.known(path) is layouts.of(path)
    image(tmp_path / "x.dcm", PixelData=TWELVE, NumberOfFrames=2)
    assert (None, 2) == (layouts.known(path), layouts.of(path).number)
    Path(path).unlink()
    with pytest.raises(OSError, match="No such file"):
        layouts.of(path)


def test_a_file_that_became_shorter(tmp_path: Path) -> None:
    """Is an OSError, never a short frame."""
    path = image(tmp_path / "x.dcm", PixelData=SIX)
    layout = read_layout(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(OSError, match="shorter"):
        stored_frame(str(path), layout, 0)
