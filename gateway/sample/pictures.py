"""Pictures that are no slices: projections, ultrasound, colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.sample.chance import dice
from gateway.sample.instance import Instance, Place, Values, moment
from gateway.sample.phantom import Stack, coronal, labels
from gateway.sample.volumes import HOUNSFIELD, Body, grey_values, lookup, prepared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

CR_STORAGE = "1.2.840.10008.5.1.4.1.1.1"
US_STORAGE = "1.2.840.10008.5.1.4.1.1.6.1"
US_MULTI_FRAME_STORAGE = "1.2.840.10008.5.1.4.1.1.3.1"
SC_STORAGE = "1.2.840.10008.5.1.4.1.1.7"

_FRAMES = 24
_FRAME_MS = 40
_US_SIZE = 192
_US_MM = 0.8


def cr(place: Place, body: Body) -> Iterator[Instance]:
    """A radiograph, MONOCHROME1: what is dense has small numbers and is shown bright."""
    import numpy as np

    size, spacing_mm = 384, 1.0
    parts, table = prepared(place, body), lookup(HOUNSFIELD)
    dense = np.zeros((size, size), np.int64)
    for plane in coronal(size, 60, spacing_mm, 4.0).planes():
        dense += np.maximum(table[labels(parts, plane)] + 1000, 0)
    # Rays are weakened, film darkens: a falling curve, in whole numbers
    light = 4095 * 12_000 // (12_000 + dense)
    light = np.clip(
        light + dice(place.seed, place.study.name).randint(-12, 13, light.shape), 0, 4095
    )
    values = {
        **_image_values(place),
        **grey_values(light.astype("<u2"), "MONOCHROME1", 12, signed=False),
        "SOPClassUID": CR_STORAGE,
        "ImageType": ("ORIGINAL", "PRIMARY"),
        "AcquisitionNumber": 1,
        "PatientOrientation": ("L", "F"),
        "ViewPosition": "PA",
        "KVP": 125,
        "PlateType": "",
        "ImagerPixelSpacing": (spacing_mm, spacing_mm),
        "WindowCenter": 1250,
        "WindowWidth": 1500,
    }
    yield Instance(values)


def us_cine(place: Place) -> Iterator[Instance]:
    """An ultrasound loop of a beating heart: many frames in one instance."""
    import numpy as np

    stream = dice(place.seed, place.study.name, place.number)
    speckle = stream.randint(0, 90, (_US_SIZE, _US_SIZE + 2 * _FRAMES))
    frames = np.stack([_echo(speckle, number) for number in range(_FRAMES)])
    values = {
        **_image_values(place),
        **_echo_values(),
        **grey_values(frames, "MONOCHROME2", 8, signed=False),
        "SOPClassUID": US_MULTI_FRAME_STORAGE,
        "NumberOfFrames": _FRAMES,
        "FrameIncrementPointer": 0x00181063,
        "FrameTime": _FRAME_MS,
        "RecommendedDisplayFrameRate": 1000 // _FRAME_MS,
        "CineRate": 1000 // _FRAME_MS,
        "UltrasoundColorDataPresent": 0,
        "HeartRate": 60_000 // (_FRAMES * _FRAME_MS),
    }
    yield Instance(values, compressed=True)


def us_doppler(place: Place) -> Iterator[Instance]:
    """Two ultrasound pictures in colour: what flows to the probe is red, what flows away blue."""
    import numpy as np

    stream = dice(place.seed, place.study.name, place.number)
    for number in (1, 2):
        speckle = stream.randint(0, 90, (_US_SIZE, _US_SIZE + 2 * _FRAMES))
        grey = _echo(speckle, 8 * number)
        picture = np.stack([grey] * 3, axis=-1)
        row, column = np.mgrid[:_US_SIZE, :_US_SIZE]
        flow = 120 - ((row - 100) ** 2 // 6 + (column - 96) ** 2 // 18 + speckle[:, :_US_SIZE] // 4)
        red, blue = (flow > 0) & (column < 100), (flow > 0) & (column >= 100)
        picture[red] = np.stack([135 + flow, flow, 0 * flow], axis=-1)[red]
        picture[blue] = np.stack([0 * flow, flow, 135 + flow], axis=-1)[blue]
        values = {
            **_image_values(place, number),
            **_echo_values(),
            **_colour_values(picture),
            "SOPClassUID": US_STORAGE,
            "UltrasoundColorDataPresent": 1,
        }
        yield Instance(values)


def sc_map(place: Place, body: Body, stack: Stack) -> Iterator[Instance]:
    """Colour maps of what flows through a head, captured from a workstation."""
    import numpy as np

    parts = prepared(place, body)
    spectrum = _spectrum()
    stream = dice(place.seed, place.study.name, place.number)
    for number, plane in enumerate(stack.planes(), 1):
        tissue = labels(parts, plane).astype(np.int32)
        level = np.where(tissue > 0, tissue * 17 + stream.randint(0, 40, tissue.shape), 0)
        level[:, -12:-4] = np.linspace(255, 1, stack.size).astype(np.int32)[:, None]
        values = {
            **_image_values(place, number),
            **_colour_values(spectrum[np.clip(level, 0, 255)]),
            "SOPClassUID": SC_STORAGE,
            "ConversionType": "WSD",
            "ImageType": ("DERIVED", "SECONDARY"),
            "DateOfSecondaryCapture": place.study.date,
            "SecondaryCaptureDeviceManufacturer": "qido-gateway",
        }
        yield Instance(values, compressed=True)


def _image_values(place: Place, number: int = 1) -> Values:
    return {
        **moment(place, number),
        "SOPInstanceUID": place.uid(number),
        "InstanceNumber": number,
        "PatientOrientation": "",
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
    }


def _echo_values() -> Values:
    """What both kinds of ultrasound have: one region, with its scale in centimetres."""
    region = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionFlags": 0,
        "RegionLocationMinX0": 0,
        "RegionLocationMinY0": 0,
        "RegionLocationMaxX1": _US_SIZE - 1,
        "RegionLocationMaxY1": _US_SIZE - 1,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": _US_MM / 10,
        "PhysicalDeltaY": _US_MM / 10,
    }
    return {"ImageType": ("ORIGINAL", "PRIMARY"), "SequenceOfUltrasoundRegions": (region,)}


def _colour_values(picture: Bytes) -> Values:
    grey = grey_values(picture[..., 0], "RGB", 8, signed=False)
    return {
        **grey,
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "PixelData": picture.tobytes(),
    }


def _echo(speckle: NDArray[np.int64], number: int) -> Bytes:
    """A fan of speckle with a chamber that is small in mid-loop."""
    import numpy as np

    row, column = np.mgrid[:_US_SIZE, :_US_SIZE]
    aside = column - _US_SIZE // 2
    far = row**2 + aside**2
    beat = abs(number - _FRAMES // 2)
    chamber = (row - 100) ** 2 * 100 // (38 + beat) ** 2 + aside**2 * 100 // (22 + beat) ** 2
    drift = speckle[:, number : number + _US_SIZE]
    echo = 70 + drift - row // 4
    echo = np.where(chamber < 118, 150 + drift, echo)
    echo = np.where(chamber < 100, drift // 5, echo)
    fan = (abs(aside) * 5 < row * 4) & (far < 180**2) & (far > 14**2)
    return np.where(fan, np.clip(echo, 0, 255), 0).astype(np.uint8)


def _spectrum() -> Bytes:
    """256 colours from black over blue, green and yellow to red."""
    import numpy as np

    stops = (0, 40, 110, 180, 255)
    channels = ((0, 0, 0, 255, 230), (0, 0, 190, 230, 0), (0, 190, 110, 0, 0))
    ramps = [np.interp(np.arange(256), stops, levels) for levels in channels]
    return np.stack(ramps, axis=-1).astype(np.uint8)
