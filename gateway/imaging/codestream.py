"""What a compressed frame says of itself, which outranks the metadata: its size and its colours.

It is looked at before a decoder is: that would reserve the memory for whatever a damaged or a
hostile frame names as its size.
"""

from __future__ import annotations

from dataclasses import dataclass

_JPEG_START, _J2K_START = b"\xff\xd8", b"\xff\x4f\xff\x51"
_JP2_BOX = b"\x00\x00\x00\x0cjP  "
# Start of frame: baseline to lossless without DHT, JPG and DAC, and that of JPEG-LS
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_SCAN, _APP0, _APP14 = 0xDA, 0xE0, 0xEE
_ADOBE_LENGTH = 12
_RGB_IDS = (b"RGB", b"rgb")


@dataclass(frozen=True, slots=True)
class Codestream:
    """The header of a JPEG, JPEG-LS, JPEG 2000 or HTJ2K codestream.

    A component is what DICOM calls a sample.
    `is_rgb` says that decoding gives red, green and blue whatever the metadata says, `is_ybr` the
    same of YBR.
    """

    rows: int
    columns: int
    components: int
    is_rgb: bool = False
    is_ybr: bool = False


def read_codestream(frame: bytes) -> Codestream | None:
    """The header of a frame's codestream; None where it has none, or it breaks off.

    Source: ISO 10918-1 annex B, ISO 14495-1 annex C, ISO 15444-1 annex A.
    """
    if frame.startswith(_JPEG_START):
        return _jpeg(frame)
    if frame.startswith(_JP2_BOX):  # within a JP2 file, which the standard forbids and some write
        start = frame.find(_J2K_START)
        return _jpeg_2000(frame[start:]) if start > 0 else None
    return _jpeg_2000(frame) if frame.startswith(_J2K_START) else None


def _jpeg(frame: bytes) -> Codestream | None:
    """The header, which ends where the first scan begins: decoders do not survive another one."""
    transform: int | None = None  # 1 for YBR, as the markers of JFIF and Adobe tell
    found: Codestream | None = None
    at = 2
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        segment = frame[at + 4 : at + 2 + length]
        if marker == _SCAN:
            return found
        if length < 2 or (marker in _FRAMES and found is not None):
            return None
        if marker in _FRAMES:
            found = _jpeg_frame(segment, transform)
        elif marker == _APP0 and segment.startswith(b"JFIF") and transform is None:
            transform = 1
        elif marker == _APP14 and segment.startswith(b"Adobe") and len(segment) >= _ADOBE_LENGTH:
            transform = segment[_ADOBE_LENGTH - 1]
        at += 2 + length
    return None


def _jpeg_frame(segment: bytes, transform: int | None) -> Codestream | None:
    if len(segment) < 6 or len(segment) < 6 + 3 * segment[5] or not 2 <= segment[0] <= 16:
        return None
    rows, columns = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    is_colour = segment[5] == 3
    is_rgb = is_colour and segment[6:15:3] in _RGB_IDS
    is_ybr = is_colour and transform == 1 and not is_rgb
    return Codestream(rows, columns, segment[5], is_rgb, is_ybr)


def _jpeg_2000(frame: bytes) -> Codestream | None:
    if len(frame) < 42:
        return None
    width, height, left, top = (int.from_bytes(frame[n : n + 4], "big") for n in (8, 12, 16, 20))
    size = height - top, width - left, int.from_bytes(frame[40:42], "big")
    at = 4 + int.from_bytes(frame[4:6], "big")
    while at + 4 <= len(frame) and frame[at] == 0xFF and frame[at + 1] not in (0x90, 0x93):
        if frame[at + 1] == 0x52:  # COD: its multiple component transformation
            is_rgb = frame[at + 8 : at + 9] == b"\x01"
            return Codestream(*size, is_rgb)
        at += 2 + max(int.from_bytes(frame[at + 2 : at + 4], "big"), 2)
    return Codestream(*size)
