"""The attributes of the invented files that no image-set summary has: of series and instances.

Absent, empty, padded and several values are all among them.
"""

from __future__ import annotations

import random

import pydicom
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage

SOP_CLASSES = (CTImageStorage, SecondaryCaptureImageStorage)
IMAGE_TYPES = (
    *("ORIGINAL\\PRIMARY\\AXIAL", "ORIGINAL\\PRIMARY", "DERIVED\\SECONDARY", "DERIVED\\PRIMARY"),
    *("LOCALIZER", "", None),
)
THICKNESSES = ("1.5", "2.5", "2.50", "5", "5.0", "0.625", "1E1", "", None)
SIZES = (64, 128, 256, 512, 1024, None)
FRAMES = (1, 1, 10, 30, None, None)
COMMENTS = ("blurred", "Blurred twice", "second try", "", None, None)
DATES = ("20240114", "20240115", "20240116", "20240229", "20231231", "", None)
TIMES = ("101500", "1015", "101500.5", "000000", "235959.999999", "120000", "", None)
DESCRIPTIONS = (
    *("AX T1", "ax t1", "AX T2 FLAIR", "SCOUT", "Localizer", "100% DOSE", "COR_T1", "SAG [CE]"),
    *("THIN\\THICK", "KNÉE SAG", "胸部 AX", "  PADDED", "", None),
)
STATIONS = ("CT01", "CT02", "MR01", "mr01", "ROOM 7", "", None)
PROTOCOLS = ("Head routine", "HEAD ROUTINE", "Chest^low dose", "Knee", None)
OPERATORS = ("DOE^OPAL", "ROE^OTTO", "DOE^OPAL\\ROE^OTTO", "", None)
REFERRERS = (
    *("DOE^REFERRER", "ROE^REFERRING^^DR", "", "MÜLLER^ÜBERWEISER", "doe^referrer"),
    *("Yamada^Jirou=山田^次郎", "POE^REX"),
)
STEPS = ("S1", "S2", "S10", "s1", "")
PROCEDURES = ("P1", "P2", "P-3")


def referrer(study: int, narrow: bool) -> str:
    """ReferringPhysicianName of a study, in letters of ASCII where `narrow`."""
    return _written(REFERRERS[study % len(REFERRERS)], narrow) or ""


def series_details(rng: random.Random, narrow: bool) -> dict[str, object]:
    """What a series has beside its UID, number, modality and body part."""
    return _there(
        {
            "SeriesDescription": _written(rng.choice(DESCRIPTIONS), narrow),
            "SeriesDate": rng.choice(DATES),
            "SeriesTime": rng.choice(TIMES),
            "StationName": rng.choice(STATIONS),
            "ProtocolName": rng.choice(PROTOCOLS),
            "OperatorsName": rng.choice(OPERATORS),
            "PerformedProcedureStepStartDate": rng.choice(DATES),
            "PerformedProcedureStepStartTime": rng.choice(TIMES),
            "RequestAttributesSequence": _requests(rng),
        }
    )


def instance_details(rng: random.Random, number: int) -> dict[str, object]:
    """What the instance has that stands `number`th in its series; some have no InstanceNumber."""
    return {
        "InstanceNumber": rng.choice((number, number, number, number * 10, None)),
        **_there(
            {
                "SOPClassUID": rng.choice(SOP_CLASSES),
                "ImageType": rng.choice(IMAGE_TYPES),
                "SliceThickness": rng.choice(THICKNESSES),
                "Rows": rng.choice(SIZES),
                "Columns": rng.choice(SIZES),
                "NumberOfFrames": rng.choice(FRAMES),
                "ImageComments": rng.choice(COMMENTS),
                "AcquisitionNumber": rng.choice((1, 2, 10, None)),
                "AcquisitionDate": rng.choice(DATES),
                "AcquisitionTime": rng.choice(TIMES),
                "ContentDate": rng.choice(DATES),
                "ContentTime": rng.choice(TIMES),
            }
        ),
    }


def _requests(rng: random.Random) -> list[pydicom.Dataset] | None:
    """No sequence, or one of none to two items."""
    number = rng.choice((None, 0, 1, 1, 2, 2))
    if number is None:
        return None
    items = [pydicom.Dataset() for _ in range(number)]
    for item in items:
        item.ScheduledProcedureStepID = rng.choice(STEPS)
        if procedure := rng.choice((*PROCEDURES, None)):
            item.RequestedProcedureID = procedure
        item.ScheduledProcedureStepDescription = rng.choice(("CT^Head", "MR Knee", ""))
    return items


def _there(values: dict[str, object]) -> dict[str, object]:
    """Without the attributes that are not there at all; an empty one is "" or no item."""
    return {keyword: value for keyword, value in values.items() if value is not None}


def _written(text: str | None, narrow: bool) -> str | None:
    return "PLAIN" if text and narrow and not text.isascii() else text
