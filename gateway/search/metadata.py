"""What GetImageSetMetadata gives: the attributes of an image set's levels and of its instances.

Source: HealthImaging developer guide, "metadata normalization" (documented).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Fault(Enum):
    """What can be wrong with an image set's metadata; its value says it of that metadata."""

    GONE = "is gone"
    NOT_GZIP = "is not gzip"
    NOT_JSON = "is not JSON"
    TOO_LARGE = "is larger than the gateway reads"
    INCOMPLETE = "lacks a part that every image set has"
    VALUE = "has a value that does not fit its VR"
    VR = "has a VR that DICOM does not know"


@dataclass(frozen=True, slots=True)
class PackedInstance:
    """One instance as stored, as JSON: {"DICOM": …, "DICOMVRs": …, "StoredTransferSyntaxUID": …}.

    Under DICOM only what was asked for. "ImageFrames", a list of the frames' IDs, is there where it
    has frames and they were asked for. `number` is its InstanceNumber, None where it has none.
    """

    number: int | None
    sop_instance_uid: str = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def place(self) -> tuple[bool, int, str]:
        """Where it stands in its series, smallest first: by number, missing last, then by UID."""
        return (self.number is None, self.number or 0, self.sop_instance_uid)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of one version of an image set, as far as it could be read.

    `levels` holds the attributes of patient, study and series together, as stored: by keyword, or
    by tag and then with its VR in `vrs`. `instances` stand by their places, each once.
    `whole` is False where instances may be missing.
    """

    levels: Mapping[str, Any] = field(default_factory=dict, repr=False)
    vrs: Mapping[str, str] = field(default_factory=dict)
    instances: tuple[PackedInstance, ...] = ()
    whole: bool = True
    faults: tuple[Fault, ...] = ()
