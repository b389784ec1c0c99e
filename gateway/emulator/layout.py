"""Where the frames of a file stand in it, so that one is read without the others.

What is known of a file is kept by its path, time and size.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from gateway.emulator.frames import read_frame

MOST_KEPT = 4096
"""Files whose layout is kept."""

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_UNDEFINED = 0xFFFFFFFF
_LONG = (b"OB", b"OW", b"UN")

Segments = tuple[tuple[int, int], ...]
"""Offset and length of each part of a frame."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """What says how the pixels of an image are to be read; the names are pydicom's options."""

    rows: int
    columns: int
    samples_per_pixel: int
    bits_allocated: int
    bits_stored: int
    pixel_representation: int
    photometric_interpretation: str
    planar_configuration: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The frames of a file, `number` of them; without `parts` they are only found by reading all.

    Native frames stand one after the other: `parts` has the first alone.
    """

    syntax: UID
    number: int
    pixels: Pixels | None
    vr: str = ""
    parts: tuple[Segments, ...] = ()

    def where(self, index: int) -> Segments:
        """The parts of a frame; `index` counts from 0."""
        if len(self.parts) == self.number:
            return self.parts[index]
        ((start, size),) = self.parts[0]
        return ((start + index * size, size),)

    def size(self, index: int) -> int:
        """The bytes of a frame, which has `parts`."""
        return sum(length for _, length in self.where(index))


class Layouts:
    """The layouts of the files that were asked for; any thread may use it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, int], Layout] = {}

    def known(self, path: str) -> Layout | None:
        """What is kept of a file that has not changed since.

        Raises: OSError.
        """
        return self._kept.get(_key(path))

    def of(self, path: str) -> Layout:
        """The layout of a file; without frames where its pixels contradict their description.

        Raises: OSError.
        """
        key = _key(path)
        if (found := self._kept.get(key)) is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[key] = read_layout(Path(path))
        return found


def _key(path: str) -> tuple[str, int, int]:
    told = os.stat(path)  # noqa: PTH116 - it is asked for each frame, and a Path costs as much
    return path, told.st_mtime_ns, told.st_size


def stored_frame(path: str, layout: Layout, index: int) -> bytes:
    """The bytes of one frame as they stand in the file.

    Raises: OSError, or what pydicom raises for a file that is no longer what it was.
    """
    if not layout.parts:
        return read_frame(Path(path), index)
    file = os.open(path, os.O_RDONLY)
    try:
        where = layout.where(index)
        found = [os.pread(file, length, start) for start, length in where]
    finally:
        os.close(file)
    if [len(part) for part in found] != [length for _, length in where]:
        raise OSError("the file has become shorter")
    return found[0] if len(found) == 1 else b"".join(found)


def read_layout(path: Path) -> Layout:
    """The layout of a file, read without its pixels.

    Raises: OSError.
    """
    with path.open("rb") as file:
        dataset = pydicom.dcmread(file, stop_before_pixels=True)
        syntax = UID(dataset.file_meta.get("TransferSyntaxUID", ""))
        try:
            if syntax == DeflatedExplicitVRLittleEndian:
                return _deflated(path)
            return _layout(file, dataset, syntax)
        except OSError:
            raise
        except Exception:  # as at the import: contradictory pixels are no frames
            return Layout(syntax, 0, None)


def _deflated(path: Path) -> Layout:
    dataset = pydicom.dcmread(path)
    number = _number(dataset) if dataset.get("PixelData") else 0
    pixels = pixels_of(dataset)
    if len(dataset.get("PixelData") or b"") < frame_bits(pixels) * number // 8:
        number = 0
    return Layout(dataset.file_meta.TransferSyntaxUID, number, pixels, dataset["PixelData"].VR)


def _layout(file: BinaryIO, dataset: pydicom.FileDataset, syntax: UID) -> Layout:
    is_implicit, is_little = dataset.original_encoding
    order = "<" if is_little else ">"
    header = file.read(12)
    group, element = struct.unpack_from(f"{order}HH", header) if len(header) == 12 else (0, 0)
    if (group, element) != (0x7FE0, 0x0010):
        return Layout(syntax, 0, None)
    vr, at = header[4:6], file.tell()
    if is_implicit := is_implicit or not vr.isalpha():  # some files say explicit and are not
        vr, at = b"OW", at - 4
    elif vr not in _LONG:
        raise ValueError("the pixels have another VR")
    (length,) = struct.unpack_from(f"{order}I", header, 4 if is_implicit else 8)
    if not length:
        return Layout(syntax, 0, None)
    pixels, number = pixels_of(dataset), _number(dataset)
    if syntax.is_encapsulated:
        file.seek(at)
        parts = _encapsulated(file, number)
    else:
        there = min(length, os.fstat(file.fileno()).st_size - at)
        number, size = _native(pixels, number, there)
        parts = (((at, size),),)
    return Layout(syntax, number, pixels, vr.decode(), parts)


def _native(pixels: Pixels, number: int, length: int) -> tuple[int, int]:
    """The number of frames, and the bytes of each."""
    bits = frame_bits(pixels)
    if bits == 0 or length * 8 < bits * number:
        raise ValueError("the pixels break off")
    if bits % 8 and number > 1:  # frames that share a byte are one
        return 1, length
    return number, -(-bits // 8)


def _encapsulated(file: BinaryIO, number: int) -> tuple[Segments, ...]:
    """The parts of each frame; none where only their contents tell which belong together."""
    (_, first), *fragments = _items(file)
    if number == 1 and fragments:
        return (tuple(fragments),)
    if len(fragments) < number:
        raise ValueError("there are fewer fragments than frames")
    if len(fragments) == number:
        return tuple((one,) for one in fragments)
    table_at = fragments[0][0] - 8 - first
    file.seek(table_at)
    offsets = struct.unpack(f"<{first // 4}I", file.read(first))
    if len(offsets) != number:
        return ()
    base = fragments[0][0] - 8
    ends = (*offsets[1:], _UNDEFINED)
    return tuple(
        tuple(one for one in fragments if start <= one[0] - 8 - base < end)
        for start, end in zip(offsets, ends, strict=True)
    )


def _items(file: BinaryIO) -> Iterable[tuple[int, int]]:
    """Offset and length of each item's value, the table of offsets first."""
    while (header := file.read(8))[:4] == _ITEM:
        (length,) = struct.unpack_from("<I", header, 4)
        yield file.tell(), length
        file.seek(length, os.SEEK_CUR)
    if header[:4] != _END:
        raise ValueError("the pixels break off")


def pixels_of(dataset: pydicom.Dataset) -> Pixels:
    """How the pixels of a data set are to be read.

    Raises: AttributeError, TypeError or ValueError where it does not say so.
    """
    given: Any = dataset
    bits = int(given.BitsAllocated)
    return Pixels(
        rows=int(given.Rows),
        columns=int(given.Columns),
        samples_per_pixel=int(given.get("SamplesPerPixel") or 1),
        bits_allocated=bits,
        bits_stored=int(given.get("BitsStored") or bits),
        pixel_representation=int(given.get("PixelRepresentation") or 0),
        photometric_interpretation=str(given.get("PhotometricInterpretation") or ""),
        planar_configuration=int(given.get("PlanarConfiguration") or 0),
    )


def frame_bits(pixels: Pixels) -> int:
    """The bits of a native frame."""
    bits = pixels.rows * pixels.columns * pixels.samples_per_pixel * pixels.bits_allocated
    # Two pixels share their colour
    return bits * 2 // 3 if pixels.photometric_interpretation == "YBR_FULL_422" else bits


def _number(dataset: pydicom.Dataset) -> int:
    return int(dataset.get("NumberOfFrames") or 1)
