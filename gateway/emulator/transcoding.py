"""Pixels in another transfer syntax: decoded by pydicom, encoded as HTJ2K by imagecodecs.

Source: HealthImaging developer guide, "supported transfer syntaxes" (documented: what is stored as
HTJ2K lossless with RPCL, what is kept; binary segmentations are kept). Lossy pixels that AWS stores
as HTJ2K are kept here. That decoded colour is RGB is assumed.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from gateway.emulator.layout import Layout, Pixels, stored_frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ELE, RPCL = str(ExplicitVRLittleEndian), str(HTJ2KLosslessRPCL)

_LITTLE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
_NATIVE = (*_LITTLE, ExplicitVRBigEndian)
_LOSSLESS = (
    JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless, RLELossless
)  # fmt: skip
_SAMPLES = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "YBR_FULL": 3, "YBR_RCT": 3
}  # fmt: skip


class NotTranscodableError(Exception):
    """The pixels cannot be had in the transfer syntax that was asked for."""


def can_encode() -> bool:
    """Whether what makes HTJ2K is installed, the extra `emulator`."""
    return find_spec("imagecodecs") is not None


def becomes_htj2k(
    syntax: str, bits_allocated: int, samples_per_pixel: int, photometric: str
) -> bool:
    """Whether pixels that came in a transfer syntax are stored as HTJ2K lossless."""
    if bits_allocated not in (8, 16) or _SAMPLES.get(photometric) != samples_per_pixel:
        return False
    return syntax in _NATIVE or (syntax in _LOSSLESS and _can_decode(syntax))


def is_htj2k(layout: Layout) -> bool:
    """Whether the frames of a file are stored as HTJ2K lossless, other than in the file."""
    pixels = layout.pixels
    return pixels is not None and becomes_htj2k(
        layout.syntax,
        pixels.bits_allocated,
        pixels.samples_per_pixel,
        pixels.photometric_interpretation,
    )


def frame_as(path: str, layout: Layout, index: int, syntax: str) -> bytes:
    """One frame in a transfer syntax: its own, Explicit VR Little Endian or HTJ2K lossless RPCL.

    Raises: NotTranscodableError; OSError, or what pydicom raises for a file that has changed.
    """
    stored = stored_frame(path, layout, index)
    if syntax == layout.syntax or (syntax == ELE and layout.syntax in _LITTLE):
        return stored
    if layout.pixels is None or syntax not in (ELE, RPCL):
        raise NotTranscodableError
    if syntax == RPCL and not (is_htj2k(layout) and can_encode()):
        raise NotTranscodableError
    try:
        if syntax == RPCL:
            return _encoded(_array(stored, layout, layout.pixels, raw=True))
        if layout.syntax == ExplicitVRBigEndian:
            return _swapped(stored, layout.vr, layout.pixels.bits_allocated)
        return _array(stored, layout, layout.pixels, raw=False).tobytes()
    except NotTranscodableError:
        raise
    except Exception:  # a decoder that is missing, or that cannot read the frame
        raise NotTranscodableError from None


def file_as(path: str, layout: Layout, syntax: str) -> bytes:
    """A whole file in a transfer syntax: Explicit VR Little Endian or HTJ2K lossless RPCL.

    Raises: NotTranscodableError; OSError.
    """
    if syntax not in (ELE, RPCL) or layout.syntax == ExplicitVRBigEndian:
        raise NotTranscodableError
    if syntax == RPCL and not layout.number:
        raise NotTranscodableError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are given as they are
        try:
            dataset = pydicom.dcmread(path)
            if syntax == RPCL:
                _encapsulate(dataset, path, layout)
            elif dataset.file_meta.TransferSyntaxUID.is_compressed and layout.syntax not in _LITTLE:
                dataset.decompress(as_rgb=True, generate_instance_uid=False)
            dataset.file_meta.TransferSyntaxUID = UID(syntax)
            written = io.BytesIO()
            dataset.save_as(written, implicit_vr=False, little_endian=True)
        except (OSError, NotTranscodableError):
            raise
        except Exception:  # as for a frame
            raise NotTranscodableError from None
    return written.getvalue()


def _encapsulate(dataset: pydicom.FileDataset, path: str, layout: Layout) -> None:
    frames = [frame_as(path, layout, index, RPCL) for index in range(layout.number)]
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    if int(dataset.SamplesPerPixel) > 1:
        dataset.PlanarConfiguration = 0


def _array(stored: bytes, layout: Layout, pixels: Pixels, *, raw: bool) -> NDArray[Any]:
    """Rows, columns and samples of a frame; as they were encoded where `raw`, else RGB."""
    if layout.syntax in _NATIVE:
        return _native(stored, layout, pixels)
    from pydicom.pixels.decoders.base import get_decoder

    options: Any = {
        **asdict(pixels),
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
        "pixel_vr": layout.vr,
    }
    decoder = get_decoder(layout.syntax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what contradicts the stream is told by its pixels
        array, _ = decoder.as_array(encapsulate([stored]), index=0, raw=raw, **options)
    return array


def _native(stored: bytes, layout: Layout, pixels: Pixels) -> NDArray[Any]:
    import numpy as np

    if layout.syntax == ExplicitVRBigEndian:
        stored = _swapped(stored, layout.vr, pixels.bits_allocated)
    kind = "i" if pixels.pixel_representation else "u"
    flat: np.ndarray[Any, Any] = np.frombuffer(stored, f"<{kind}{pixels.bits_allocated // 8}")
    if pixels.samples_per_pixel == 1:
        return flat.reshape(pixels.rows, pixels.columns)
    if pixels.planar_configuration:
        planes = flat.reshape(pixels.samples_per_pixel, pixels.rows, pixels.columns)
        return planes.transpose(1, 2, 0)
    return flat.reshape(pixels.rows, pixels.columns, pixels.samples_per_pixel)


def _swapped(stored: bytes, vr: str, bits_allocated: int) -> bytes:
    """The bytes of big endian words in the other order."""
    if bits_allocated == 8 and vr == "OB":
        return stored
    if bits_allocated not in (16, 32):  # bytes in words, which frames may share
        raise NotTranscodableError
    import numpy as np

    return np.frombuffer(stored, f">u{bits_allocated // 8}").byteswap().tobytes()


def _encoded(array: NDArray[Any]) -> bytes:
    import imagecodecs
    import numpy as np

    whole = np.ascontiguousarray(array)
    return bytes(imagecodecs.htj2k_encode(whole, reversible=True, tlm=True))


@cache
def _can_decode(syntax: str) -> bool:
    from pydicom.pixels.decoders.base import get_decoder

    return get_decoder(UID(syntax)).is_available
