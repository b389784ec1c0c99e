"""The two bodies of the sample archive: a trunk and a head."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.sample.phantom import Ellipsoid, Point, Tissue

if TYPE_CHECKING:
    import numpy as np

_RIB_PARTS = 72
_VERTEBRA_MM = 24


def trunk(stream: np.random.RandomState, lesion_mm: float) -> tuple[Ellipsoid, ...]:
    """Chest and upper abdomen; liver right, heart and spleen left, a nodule in the right lung."""
    return (
        Ellipsoid((0, 138, 0), (190, 9, 900), Tissue.TABLE),
        Ellipsoid((0, 0, -20), (172, 118, 260), Tissue.FAT),
        Ellipsoid((0, 0, -20), (158, 106, 250), Tissue.MUSCLE),
        *_ribs(),
        Ellipsoid((-76, -4, 30), (60, 80, 100), Tissue.LUNG),
        Ellipsoid((76, -4, 30), (60, 80, 100), Tissue.LUNG),
        *_branches(stream, -76),
        *_branches(stream, 76),
        Ellipsoid((22, -28, 8), (52, 44, 52), Tissue.MUSCLE),
        Ellipsoid((30, -30, 4), (36, 30, 38), Tissue.HEART),
        Ellipsoid((-68, -8, -92), (82, 78, 62), Tissue.LIVER),
        Ellipsoid((-92, 10, -80), (14, 14, 12), Tissue.LESION),
        Ellipsoid((-40, -30, -88), (9, 9, 9), Tissue.FLUID),
        Ellipsoid((96, 38, -84), (30, 34, 36), Tissue.SPLEEN),
        Ellipsoid((0, -20, 90), (10, 10, 70), Tissue.AIR),
        Ellipsoid((14, 50, 0), (12, 12, 300), Tissue.VESSEL),
        *_spine(),
        Ellipsoid((-88, -30, 38), (lesion_mm, lesion_mm, lesion_mm * 1.2), Tissue.LESION),
    )


def _ribs() -> Iterator[Ellipsoid]:
    """Rings that fall to the front, like a helix: no two planes cut them alike."""
    for ring in range(11):
        for part in range(_RIB_PARTS):
            angle = 2 * math.pi * part / _RIB_PARTS
            x, y = 146 * math.cos(angle), 94 * math.sin(angle)
            z = -110 + 22 * ring + 18 * math.sin(angle)
            yield Ellipsoid((x, y, z), (7.5, 6.5, 5), Tissue.BONE)


def _branches(stream: np.random.RandomState, x: float) -> Iterator[Ellipsoid]:
    """Vessels of a lung, thinner to the outside."""
    for _ in range(90):
        off = tuple(stream.randint(-75, 76) / 100 for _ in range(3))
        if math.hypot(*off) > 0.85:
            continue
        centre: Point = (x + 60 * off[0], -4 + 80 * off[1], 30 + 100 * off[2])
        radius = 3.6 - 2.6 * math.hypot(*off)
        yield Ellipsoid(centre, (radius, radius * 1.5, radius * 2.5), Tissue.VESSEL)


def _spine() -> Iterator[Ellipsoid]:
    for number in range(-6, 7):
        z = float(number * _VERTEBRA_MM)
        yield Ellipsoid((0, 72, z + _VERTEBRA_MM / 2), (20, 16, 6), Tissue.DISC)
        yield Ellipsoid((0, 72, z), (21, 17, 10), Tissue.BONE)
        yield Ellipsoid((0, 104, z - 6), (5, 14, 9), Tissue.BONE)
        yield Ellipsoid((-22, 94, z), (14, 5, 6), Tissue.BONE)
        yield Ellipsoid((22, 94, z), (14, 5, 6), Tissue.BONE)
    yield Ellipsoid((0, 94, 0), (9, 7, 900), Tissue.FLUID)


def head(stream: np.random.RandomState, lesion_mm: float) -> tuple[Ellipsoid, ...]:
    """A head with eyes, ventricles, furrows and a lesion on the left."""
    return (
        Ellipsoid((0, -98, -18), (10, 14, 16), Tissue.FAT),
        Ellipsoid((0, 0, 0), (80, 98, 106), Tissue.FAT),
        Ellipsoid((0, 0, 0), (75, 93, 101), Tissue.BONE),
        Ellipsoid((0, 0, 0), (69, 87, 95), Tissue.FLUID),
        Ellipsoid((0, 0, 0), (66, 84, 92), Tissue.GREY),
        Ellipsoid((-30, 2, 14), (30, 66, 60), Tissue.WHITE),
        Ellipsoid((30, 2, 14), (30, 66, 60), Tissue.WHITE),
        Ellipsoid((-28, 48, -50), (24, 22, 18), Tissue.WHITE),
        Ellipsoid((28, 48, -50), (24, 22, 18), Tissue.WHITE),
        *_furrows(stream),
        Ellipsoid((0, 0, 40), (1.5, 86, 60), Tissue.FLUID),
        Ellipsoid((-12, -14, 16), (8, 30, 13), Tissue.FLUID),
        Ellipsoid((12, -14, 16), (8, 30, 13), Tissue.FLUID),
        Ellipsoid((-20, 30, 10), (7, 20, 10), Tissue.FLUID),
        Ellipsoid((20, 30, 10), (7, 20, 10), Tissue.FLUID),
        Ellipsoid((0, 18, -48), (12, 14, 40), Tissue.WHITE),
        Ellipsoid((-22, 8, 0), (9, 14, 10), Tissue.GREY),
        Ellipsoid((22, 8, 0), (9, 14, 10), Tissue.GREY),
        Ellipsoid((-32, -80, -24), (13, 13, 13), Tissue.FLUID),
        Ellipsoid((32, -80, -24), (13, 13, 13), Tissue.FLUID),
        Ellipsoid((0, -78, -40), (14, 12, 16), Tissue.AIR),
        Ellipsoid((38, 22, 34), (lesion_mm, lesion_mm * 1.3, lesion_mm), Tissue.LESION),
    )


def _furrows(stream: np.random.RandomState) -> Iterator[Ellipsoid]:
    """Folds of the surface: thin, each turned to one of two sides."""
    for _ in range(220):
        angle = stream.randint(0, 628) / 100
        height = stream.randint(-60, 95) / 100
        out = math.sqrt(max(0.0, 1 - height**2)) * 0.93
        centre: Point = (66 * out * math.cos(angle), 84 * out * math.sin(angle), 92 * height * 0.95)
        thin, long = 1.5 + stream.randint(0, 10) / 10, 8.0 + stream.randint(0, 6)
        radii: Point = (thin, long, 7.0) if stream.randint(0, 2) else (long, thin, 7.0)
        yield Ellipsoid(centre, radii, Tissue.FLUID)
