"""Frames decoded, out of any transfer syntax: as an array, or as Explicit VR Little Endian.

The decoders are pydicom's with its plugins pylibjpeg-openjpeg, pyjpegls, GDCM and Pillow, which are
the extra `pixels`. A frame takes one processor for as long as it takes: callers use a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gateway.errors import NotAcceptableError
from gateway.imaging.attributes import fault
from gateway.imaging.codestream import read_codestream
from gateway.imaging.description import FrameDescription

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"
_LITTLE_ENDIAN = frozenset((IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN))
_DEFLATED = frozenset(("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.8.1"))
_NATIVE = frozenset((*_LITTLE_ENDIAN, BIG_ENDIAN))
_BASELINE = "1.2.840.10008.1.2.4.50"
# GDCM, which pydicom would try first, ends the whole process at one damaged byte
_PLUGINS: Mapping[str, str] = MappingProxyType(
    {
        _BASELINE: "pillow",
        "1.2.840.10008.1.2.4.51": "pillow",
        "1.2.840.10008.1.2.4.80": "pyjpegls",
        "1.2.840.10008.1.2.4.81": "pyjpegls",
        "1.2.840.10008.1.2.4.90": "pylibjpeg",
        "1.2.840.10008.1.2.4.91": "pylibjpeg",
    }
)
# Only the codestream has these; what is decoded of it is RGB
_CODED_RGB = frozenset(("YBR_RCT", "YBR_ICT"))
# What decodes these ends the process, or stops it for many seconds, where a frame breaks off
_WHOLE_ONLY = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (57, 70, 80, 81))
_JPEG_END = b"\xff\xd9"
_UNDECODABLE = "The instance's pixels can't be decoded."


def array_of(frame: bytes, syntax: str, description: FrameDescription) -> Array:
    """The samples of a frame: rows by columns of grey or palette values, or by three of RGB.

    Raises: NotAcceptableError where the frame is damaged, its transfer syntax is not known, or
    the extra `pixels` is not installed.
    """
    return _decoded(frame, syntax, description, as_rgb=True)


def explicit_little_endian(frame: bytes, syntax: str, description: FrameDescription) -> bytes:
    """A frame as Explicit VR Little Endian has it, in the layout that its metadata describes.

    So YBR_FULL stays YBR_FULL, YBR_FULL_422 has four octets for two pixels, and the planes are
    apart where PlanarConfiguration is 1. YBR_RCT and YBR_ICT, which only a codestream can have,
    become RGB.

    Source: PS3.18 §8.7.3.3, PS3.5 §8.1.1, PS3.3 §C.7.6.3.1.2.

    Raises: as `array_of`.
    """
    if syntax in _DEFLATED:  # its octets are those of Explicit VR Little Endian
        syntax = EXPLICIT_LITTLE_ENDIAN
    if syntax in _LITTLE_ENDIAN and len(frame) >= description.frame_bytes:
        return frame[: description.frame_bytes]
    import numpy as np

    array = _decoded(frame, syntax, description, as_rgb=False)
    if description.bits_allocated == 1:
        return np.packbits(array.astype(bool), bitorder="little").tobytes()
    if description.photometric == "YBR_FULL_422":
        return _subsampled(array).tobytes()
    if description.planar:
        array = array.transpose(2, 0, 1)
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def order_is_unknown(syntax: str, described: FrameDescription) -> bool:
    """Whether octets may stand swapped, as OW has them in big endian, or not, as OB has them."""
    return syntax == BIG_ENDIAN and described.bits_allocated == 8 and not described.pixel_vr


def _decoded(frame: bytes, syntax: str, described: FrameDescription, *, as_rgb: bool) -> Array:
    if syntax in _DEFLATED:
        syntax = EXPLICIT_LITTLE_ENDIAN
    try:
        import numpy  # noqa: F401 - pydicom's decoders need it, and say so only deep within
        from pydicom.encaps import encapsulate
        from pydicom.pixels.decoders.base import get_decoder
    except ImportError as exc:
        raise NotAcceptableError("Decoding needs the gateway's extra `pixels`.") from exc
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as exc:
        raise NotAcceptableError("The instance's transfer syntax can't be decoded.") from exc
    if order_is_unknown(syntax, described):
        raise NotAcceptableError(_UNDECODABLE)
    if syntax in _NATIVE:
        source = _exact(frame, described)
    else:
        described = _conformed(frame, syntax, described)
        source = encapsulate([frame], has_bot=False)
    try:
        array: Array
        plugin, options = _PLUGINS.get(syntax, ""), _options(described, as_rgb)
        array, _ = decoder.as_array(source, index=0, decoding_plugin=plugin, **options)
    except Exception as exc:  # whatever a damaged frame makes of five libraries
        raise NotAcceptableError(_UNDECODABLE) from exc
    return array


def _options(described: FrameDescription, as_rgb: bool) -> dict[str, Any]:
    keyword = "PixelData"
    if described.is_float:
        keyword = "DoubleFloatPixelData" if described.bits_allocated == 64 else "FloatPixelData"
    return {
        "as_rgb": as_rgb,
        "rows": described.rows,
        "columns": described.columns,
        "samples_per_pixel": described.samples,
        "bits_allocated": described.bits_allocated,
        "bits_stored": described.bits_stored,
        "number_of_frames": 1,
        "photometric_interpretation": described.photometric,
        "pixel_representation": int(described.is_signed),
        "planar_configuration": described.planar,
        "pixel_keyword": keyword,
        "pixel_vr": described.pixel_vr or "OW",
    }


def _exact(frame: bytes, described: FrameDescription) -> bytes:
    """A native frame without what pads it, but for one octet where it is odd: OW has that."""
    size = described.frame_bytes
    if len(frame) < size:
        raise NotAcceptableError(_UNDECODABLE)
    return frame[: size + size % 2]


def _conformed(frame: bytes, syntax: str, described: FrameDescription) -> FrameDescription:
    """The description with the colours that the codestream has, and no planes, as decoders give it.

    Raises: NotAcceptableError where it has another size.
    """
    if syntax == RLE:
        return described
    described = replace(described, planar=0)
    header = read_codestream(frame)
    breaks_off = syntax in _WHOLE_ONLY and not frame.rstrip(b"\0").endswith(_JPEG_END)
    if header is None or breaks_off:
        raise NotAcceptableError(_UNDECODABLE)
    if (header.rows, header.columns) != (described.rows, described.columns):
        raise fault("Rows and Columns")
    if header.components != described.samples:
        raise fault("SamplesPerPixel")
    if described.samples == 3 and header.is_rgb and described.photometric not in _CODED_RGB:
        return replace(described, photometric="RGB")
    if header.is_ybr and "YBR" not in described.photometric:
        ybr = "YBR_FULL_422" if syntax == _BASELINE else "YBR_FULL"
        return replace(described, photometric=ybr)
    return described


def _subsampled(array: Array) -> Array:
    """YBR_FULL as YBR_FULL_422: of each two pixels in a row both Y, and the mean of B and R."""
    import numpy as np

    if array.shape[1] % 2:  # not possible by the standard: the last pixel stands for two
        array = np.concatenate([array, array[:, -1:]], axis=1)
    wide = array.astype(np.uint16)
    pairs = np.empty((array.shape[0], array.shape[1] // 2, 4), np.uint8)
    pairs[..., 0], pairs[..., 1] = wide[:, ::2, 0], wide[:, 1::2, 0]
    pairs[..., 2:] = (wide[:, ::2, 1:] + wide[:, 1::2, 1:] + 1) // 2
    return pairs
