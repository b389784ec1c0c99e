"""Series of parallel slices: CT, MR and PT."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gateway.sample.chance import dice, noise
from gateway.sample.instance import Instance, Place, Values, code, moment
from gateway.sample.phantom import Ellipsoid, Plane, Stack, Tissue, labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Body = Callable[["np.random.RandomState", float], Sequence[Ellipsoid]]
Windows = Mapping[str, tuple[int, int]]

CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
PT_STORAGE = "1.2.840.10008.5.1.4.1.1.128"

HOUNSFIELD = {
    Tissue.AIR: -1000,
    Tissue.FAT: -95,
    Tissue.MUSCLE: 50,
    Tissue.LUNG: -830,
    Tissue.VESSEL: 190,
    Tissue.BONE: 620,
    Tissue.DISC: 95,
    Tissue.LIVER: 105,
    Tissue.SPLEEN: 125,
    Tissue.HEART: 165,
    Tissue.LESION: 20,
    Tissue.FLUID: 8,
    Tissue.GREY: 40,
    Tissue.WHITE: 28,
    Tissue.TABLE: -350,
}
T1 = {
    Tissue.FAT: 900,
    Tissue.MUSCLE: 420,
    Tissue.BONE: 90,
    Tissue.LESION: 300,
    Tissue.FLUID: 140,
    Tissue.GREY: 480,
    Tissue.WHITE: 660,
}
T2 = {
    Tissue.FAT: 520,
    Tissue.MUSCLE: 260,
    Tissue.BONE: 70,
    Tissue.LESION: 860,
    Tissue.FLUID: 1000,
    Tissue.GREY: 520,
    Tissue.WHITE: 380,
}
# Becquerel in a millilitre, an hour after FDG
UPTAKE = {
    Tissue.FAT: 900,
    Tissue.MUSCLE: 2_200,
    Tissue.LUNG: 1_300,
    Tissue.VESSEL: 5_200,
    Tissue.BONE: 3_400,
    Tissue.DISC: 2_500,
    Tissue.LIVER: 9_000,
    Tissue.SPLEEN: 7_600,
    Tissue.HEART: 14_000,
    Tissue.LESION: 38_000,
    Tissue.FLUID: 3_800,
}
_INTERCEPT = -1024
_OUTSIDE = -2000
"""What is stored outside of the circle that a CT scanner sees."""
_PT_SLOPE = 1.5


def ct(
    place: Place, body: Body, stack: Stack, *, windows: Windows, noise_hu: int = 14
) -> Iterator[Instance]:
    """A CT series: signed, with a rescale and a padding value; `windows` are centre and width."""
    import numpy as np

    parts, stream = _prepared(place, body)
    for number, plane in enumerate(stack.planes(), 1):
        hu = lookup(HOUNSFIELD)[labels(parts, plane)]
        hu = hu + _ripple(plane) + noise(stream, hu.shape, noise_hu)
        stored = np.clip(hu, -1024, 3071) - _INTERCEPT
        stored[_outside(stack.size)] = _OUTSIDE
        values = {
            **_slice_values(place, stack, plane, number),
            "SOPClassUID": CT_STORAGE,
            "PatientPosition": "HFS",
            "ImageType": ("ORIGINAL", "PRIMARY", "AXIAL"),
            "AcquisitionNumber": 1,
            "KVP": 120,
            "XRayTubeCurrent": 200,
            "ExposureTime": 500,
            "ConvolutionKernel": "STANDARD",
            "GantryDetectorTilt": 0,
            **grey_values(stored.astype("<i2"), "MONOCHROME2", 16, signed=True),
            "PixelPaddingValue": _OUTSIDE,
            "RescaleIntercept": _INTERCEPT,
            "RescaleSlope": 1,
            "RescaleType": "HU",
            "WindowCenter": tuple(centre for centre, _ in windows.values()),
            "WindowWidth": tuple(width for _, width in windows.values()),
            "WindowCenterWidthExplanation": tuple(windows),
        }
        yield Instance(values)


def mr(
    place: Place, body: Body, stack: Stack, *, weighting: str, compressed: bool = False
) -> Iterator[Instance]:
    """An MR series of one weighting, T1 or T2, brighter on one side as by its coil."""
    import numpy as np

    table, echo_ms, repetition_ms = (T1, 12, 550) if weighting == "T1" else (T2, 100, 4200)
    parts, stream = _prepared(place, body)
    ramp = np.arange(stack.size, dtype=np.int32)[None, :] * 60 // stack.size + 70
    for number, plane in enumerate(stack.planes(), 1):
        signal = lookup(table)[labels(parts, plane)] * ramp // 100
        stored = np.clip(signal + abs(noise(stream, signal.shape, 22)), 0, 4095)
        values = {
            **_slice_values(place, stack, plane, number),
            "SOPClassUID": MR_STORAGE,
            "PatientPosition": "HFS",
            "ImageType": ("ORIGINAL", "PRIMARY", "OTHER"),
            "ScanningSequence": "SE",
            "SequenceVariant": "NONE",
            "ScanOptions": "",
            "MRAcquisitionType": "2D",
            "SequenceName": f"sample_{weighting.lower()}",
            "RepetitionTime": repetition_ms,
            "EchoTime": echo_ms,
            "EchoTrainLength": 1,
            "MagneticFieldStrength": 1.5,
            "FlipAngle": 90,
            "SpacingBetweenSlices": stack.step_mm,
            **grey_values(stored.astype("<u2"), "MONOCHROME2", 12, signed=False),
            "WindowCenter": 500,
            "WindowWidth": 1000,
        }
        yield Instance(values, compressed)


def pt(place: Place, body: Body, stack: Stack) -> Iterator[Instance]:
    """A PT series with what a standard uptake value is worked out of, over the study's CT."""
    import numpy as np

    parts, stream = _prepared(place, body)
    for number, plane in enumerate(stack.planes(), 1):
        activity = _smooth(lookup(UPTAKE)[labels(parts, plane)])
        activity = activity + activity * noise(stream, activity.shape, 10) // 100
        stored = np.clip(activity / _PT_SLOPE, 0, 32767)
        values = {
            **_slice_values(place, stack, plane, number),
            **_tracer_values(place),
            "SOPClassUID": PT_STORAGE,
            "ImageType": ("ORIGINAL", "PRIMARY"),
            "ImageIndex": number,
            "NumberOfSlices": stack.slices,
            **grey_values(stored.astype("<i2"), "MONOCHROME2", 16, signed=True),
            "RescaleIntercept": 0,
            "RescaleSlope": _PT_SLOPE,
            "WindowCenter": 10_000,
            "WindowWidth": 20_000,
        }
        yield Instance(values)


def _tracer_values(place: Place) -> Values:
    injected = f"{int(place.study.time[:2]) - 1:02}{place.study.time[2:]}"
    tracer = {
        "Radiopharmaceutical": "Fluorodeoxyglucose",
        "RadiopharmaceuticalStartTime": injected,
        "RadiopharmaceuticalStartDateTime": place.study.date + injected,
        "RadionuclideTotalDose": 350_000_000,
        "RadionuclideHalfLife": 6586.2,
        "RadionuclidePositronFraction": 0.97,
        "RadionuclideCodeSequence": code("77004003", "SCT", "^18^Fluorine"),
        "RadiopharmaceuticalCodeSequence": code("35321007", "SCT", "Fluorodeoxyglucose F^18^"),
    }
    return {
        "RadiopharmaceuticalInformationSequence": (tracer,),
        "PatientOrientationCodeSequence": (
            {
                **code("102538003", "SCT", "recumbent")[0],
                "PatientOrientationModifierCodeSequence": code("40199007", "SCT", "supine"),
            },
        ),
        "PatientGantryRelationshipCodeSequence": code("102540008", "SCT", "headfirst"),
        "SeriesType": ("WHOLE BODY", "IMAGE"),
        "Units": "BQML",
        "CountsSource": "EMISSION",
        "CorrectedImage": ("NORM", "DTIM", "ATTN", "SCAT", "DECY"),
        "DecayCorrection": "START",
        "DecayFactor": 1,
        "CollimatorType": "NONE",
        "AttenuationCorrectionMethod": "CT",
        "ReconstructionMethod": "OSEM",
        "FrameReferenceTime": 0,
        "ActualFrameDuration": 120_000,
    }


def grey_values(
    pixels: NDArray[Any], photometric: str, bits_stored: int, *, signed: bool
) -> Values:
    """The module Image Pixel of one channel, rows and columns last."""
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": photometric,
        "Rows": pixels.shape[-2],
        "Columns": pixels.shape[-1],
        "BitsAllocated": 8 * pixels.itemsize,
        "BitsStored": bits_stored,
        "HighBit": bits_stored - 1,
        "PixelRepresentation": int(signed),
        "PixelData": pixels.tobytes(),
    }


def _slice_values(place: Place, stack: Stack, plane: Plane, number: int) -> Values:
    depth = sum(a * b for a, b in zip(plane.origin, stack.normal, strict=True))
    # What is acquired together, as PT of one bed, begins at the same time
    at = 0 if place.recipe.startswith("pt") else number
    return {
        **moment(place, at),
        "SOPInstanceUID": place.uid(number),
        "InstanceNumber": number,
        "FrameOfReferenceUID": place.frame_of_reference_uid,
        "PositionReferenceIndicator": "",
        "ImagePositionPatient": tuple(round(part, 4) for part in plane.origin),
        "ImageOrientationPatient": (*plane.across, *plane.down),
        "PixelSpacing": (plane.spacing_mm, plane.spacing_mm),
        "SliceThickness": stack.step_mm,
        "SliceLocation": round(depth, 4),
    }


def prepared(place: Place, body: Body) -> Sequence[Ellipsoid]:
    """The patient's body: the same in each series, but for what grows from study to study."""
    return body(dice(place.seed, place.patient.id), place.study.lesion_mm)


def _prepared(place: Place, body: Body) -> tuple[Sequence[Ellipsoid], np.random.RandomState]:
    return prepared(place, body), dice(place.seed, place.study.name, place.number)


def lookup(table: Mapping[Tissue, int]) -> NDArray[np.int32]:
    """The table as an array that labels can be put into."""
    import numpy as np

    return np.array([table.get(tissue, 0) for tissue in Tissue], np.int32)


def _ripple(plane: Plane) -> NDArray[np.int32]:
    """A faint pattern of triangles, another one in each plane: no two are alike."""
    import numpy as np

    across, down = (np.arange(count) * plane.spacing_mm for count in (plane.columns, plane.rows))
    phase = sum(plane.origin)
    wave = abs((across[None, :] + phase) % 40 - 20) + abs((down[:, None] - phase) % 56 - 28)
    return (wave / 4).astype(np.int32) - 6


def _outside(size: int) -> NDArray[np.bool_]:
    import numpy as np

    from_centre = np.arange(size) - (size - 1) / 2
    outside: NDArray[np.bool_] = (
        from_centre[:, None] ** 2 + from_centre[None, :] ** 2 > (size / 2) ** 2
    )
    return outside


def _smooth(image: NDArray[np.int32]) -> NDArray[np.int32]:
    """As blurred as PT is: twice the mean of five. The edges are air, so they may wrap."""
    import numpy as np

    for _ in range(2):
        image = (image + sum(np.roll(image, by, axis) for by in (-1, 1) for axis in (0, 1))) // 5
    return image
