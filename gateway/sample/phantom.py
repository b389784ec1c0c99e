"""Bodies made of ellipsoids, and what a plane through them shows.

Coordinates are DICOM's, in millimetres: x to the patient's left, y to the back, z to the head.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint8]

Point = tuple[float, float, float]


class Tissue(IntEnum):
    """What a point of a body is made of; what a modality shows of it stands in its own table."""

    AIR = 0
    FAT = 1
    MUSCLE = 2
    LUNG = 3
    VESSEL = 4
    BONE = 5
    DISC = 6
    LIVER = 7
    SPLEEN = 8
    HEART = 9
    LESION = 10
    FLUID = 11
    GREY = 12
    WHITE = 13
    TABLE = 14


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An ellipsoid along the axes; of those that hold a point, the last one counts."""

    centre: Point
    radii: Point
    tissue: Tissue


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane of pixels: the first one's centre, and the directions of its rows and columns.

    `across` is where a row goes, `down` where a column goes; both are along an axis.
    """

    origin: Point
    across: Point
    down: Point
    rows: int
    columns: int
    spacing_mm: float


@dataclass(frozen=True, slots=True)
class Stack:
    """Parallel planes about the origin, each `step_mm` behind the one before it."""

    across: Point
    down: Point
    size: int
    slices: int
    spacing_mm: float
    step_mm: float

    @property
    def normal(self) -> Point:
        """The direction in which the planes follow: the cross product of their two."""
        (a, b, c), (d, e, f) = self.across, self.down
        return (b * f - c * e, c * d - a * f, a * e - b * d)

    def planes(self) -> Iterator[Plane]:
        """The planes, in their order."""
        half = self.spacing_mm * (self.size - 1) / 2
        for number in range(self.slices):
            depth = self.step_mm * (number - (self.slices - 1) / 2)
            directions = zip(self.across, self.down, self.normal, strict=True)
            x, y, z = (depth * n - half * (a + d) for a, d, n in directions)
            yield Plane((x, y, z), self.across, self.down, self.size, self.size, self.spacing_mm)


LEFT, BACK, FEET = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)


def axial(size: int, slices: int, spacing_mm: float, step_mm: float) -> Stack:
    """Planes from the feet to the head, seen from the feet."""
    return Stack(LEFT, BACK, size, slices, spacing_mm, step_mm)


def sagittal(size: int, slices: int, spacing_mm: float, step_mm: float) -> Stack:
    """Planes from the left to the right, seen from the left."""
    return Stack(BACK, FEET, size, slices, spacing_mm, step_mm)


def coronal(size: int, slices: int, spacing_mm: float, step_mm: float) -> Stack:
    """Planes from the front to the back, seen from the front."""
    return Stack(LEFT, FEET, size, slices, spacing_mm, step_mm)


def labels(body: Sequence[Ellipsoid], plane: Plane) -> Labels:
    """The tissue at each pixel's centre, rows first."""
    import numpy as np

    image = np.zeros((plane.rows, plane.columns), np.uint8)
    across, down = _axis(plane.across), _axis(plane.down)
    through = 3 - across - down
    for one in body:
        rest = 1.0 - ((plane.origin[through] - one.centre[through]) / one.radii[through]) ** 2
        if rest <= 0:
            continue
        at_row, row_terms = _extent(one, plane, down, plane.down, plane.rows, rest)
        at_column, column_terms = _extent(one, plane, across, plane.across, plane.columns, rest)
        inside = row_terms[:, None] + column_terms[None, :] < rest
        image[at_row, at_column][inside] = one.tissue
    return image


def _axis(direction: Point) -> int:
    return next(axis for axis, part in enumerate(direction) if part)


def _extent(
    one: Ellipsoid, plane: Plane, axis: int, direction: Point, count: int, rest: float
) -> tuple[slice, NDArray[np.floating]]:
    """The pixels along one direction that the ellipsoid may touch, and their part of the sum."""
    import numpy as np

    start = (plane.origin[axis] - one.centre[axis]) * direction[axis]
    reach = one.radii[axis] * math.sqrt(rest)
    first = max(0, math.ceil((-reach - start) / plane.spacing_mm))
    end = min(count, math.floor((reach - start) / plane.spacing_mm) + 1)
    indices = np.arange(first, max(first, end))
    return (
        slice(first, max(first, end)),
        ((start + indices * plane.spacing_mm) / one.radii[axis]) ** 2,
    )
