"""What the names of series in the table of studies stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from gateway.sample import documents, pictures, volumes
from gateway.sample.bodies import head, trunk
from gateway.sample.instance import Instance, Place
from gateway.sample.phantom import axial, sagittal


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a series is called, and what makes its instances, in their order."""

    modality: str
    description: str
    body_part: str
    make: Callable[[Place], Iterator[Instance]]


# Size, slices, millimetres between pixels, millimetres between slices
VOLUME = axial(512, 64, 0.75, 3.0)
_THORAX = axial(192, 16, 2.0, 12.0)
_PET_CT = axial(192, 32, 2.0, 6.0)
_PET = axial(96, 32, 4.0, 6.0)
_HEAD = axial(160, 16, 1.5, 8.0)
_BRAIN = axial(144, 16, 1.6, 8.0)

_CHEST_WINDOWS = {"SOFT TISSUE": (50, 400), "LUNG": (-600, 1500)}
_HEAD_WINDOWS = {"BRAIN": (35, 90), "BONE": (500, 2000)}

RECIPES = {
    "ct-volume": Recipe(
        "CT",
        "Thorax 3 mm, contrast",
        "CHEST",
        partial(volumes.ct, body=trunk, stack=VOLUME, windows=_CHEST_WINDOWS),
    ),
    "ct-thorax": Recipe(
        "CT",
        "Thorax 12 mm",
        "CHEST",
        partial(volumes.ct, body=trunk, stack=_THORAX, windows=_CHEST_WINDOWS),
    ),
    "ct-pet": Recipe(
        "CT",
        "CT for attenuation",
        "CHEST",
        partial(volumes.ct, body=trunk, stack=_PET_CT, windows=_CHEST_WINDOWS),
    ),
    "ct-head": Recipe(
        "CT",
        "Head 8 mm",
        "HEAD",
        partial(volumes.ct, body=head, stack=_HEAD, windows=_HEAD_WINDOWS, noise_hu=5),
    ),
    "pt-fdg": Recipe(
        "PT", "FDG, attenuation corrected", "CHEST", partial(volumes.pt, body=trunk, stack=_PET)
    ),
    "mr-t1": Recipe(
        "MR", "T1 axial", "BRAIN", partial(volumes.mr, body=head, stack=_BRAIN, weighting="T1")
    ),
    "mr-t2": Recipe(
        "MR", "T2 axial", "BRAIN", partial(volumes.mr, body=head, stack=_BRAIN, weighting="T2")
    ),
    "mr-sagittal": Recipe(
        "MR",
        "T1 sagittal",
        "BRAIN",
        partial(
            volumes.mr,
            body=head,
            stack=sagittal(144, 12, 1.6, 8.0),
            weighting="T1",
            compressed=True,
        ),
    ),
    "cr-chest": Recipe("CR", "Chest PA", "CHEST", partial(pictures.cr, body=trunk)),
    "us-cine": Recipe("US", "Four chambers", "HEART", pictures.us_cine),
    "us-doppler": Recipe("US", "Colour Doppler", "NECK", pictures.us_doppler),
    "sc-map": Recipe(
        "OT",
        "Perfusion map",
        "BRAIN",
        partial(pictures.sc_map, body=head, stack=axial(192, 4, 1.3, 20.0)),
    ),
    "pdf-letter": Recipe("DOC", "Letter", "", documents.pdf_letter),
    "sr-report": Recipe("SR", "Report", "", documents.sr_report),
}
