"""The records of image sets: versions and instances, and their rows.

A version is never changed once it is there; its instances are the rows that began with it or
before and have not ended by then.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import orjson

from gateway.emulator.errors import WireError
from gateway.emulator.keys import unpadded
from gateway.emulator.summary import Levels, levels_of

COLUMNS = (
    "image_set_id, version, working, done, settles_at, created_at, updated_at, deleted_at, "
    "is_primary, forced, levels"
)
"""The columns of a version, in the order of its record."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of an image set: its metadata, packed, and the file of its pixels, "" if none.

    Packed, since an import holds all instances of an image set at once.
    """

    packed: bytes = field(repr=False)
    path: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any], path: str = "") -> Self:
        """The instance of what stands for it under Instances in the metadata."""
        return cls(zlib.compress(orjson.dumps(body), 1), path)

    @property
    def body(self) -> Any:
        """What stands for it under Instances in the metadata."""
        return orjson.loads(zlib.decompress(self.packed))


@dataclass(frozen=True, slots=True)
class Version:
    """One version. Its workflow status is `working` until `settles_at`, then `done`."""

    image_set_id: str
    number: int
    working: str
    done: str
    settles_at: float
    created_at: float
    updated_at: float
    deleted_at: float | None
    is_primary: bool | None
    forced: bool
    levels: Levels = field(repr=False)


_FIELDS = tuple(one.name for one in fields(Version))


def not_found(message: str) -> WireError:
    """A ResourceNotFoundException."""
    return WireError("ResourceNotFoundException", 404, message)


def split(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The levels and the instances' metadata of a document with one series."""
    ((_, series),) = document["Study"]["Series"].items()
    levels = {
        "Patient": document["Patient"]["DICOM"],
        "Study": document["Study"]["DICOM"],
        "Series": series["DICOM"],
    }
    return levels, series["Instances"]


def version_of(row: Sequence[Any]) -> Version:
    """The version of a row of COLUMNS."""
    given = dict(zip(_FIELDS, row, strict=True))
    marked = given.pop("is_primary")
    return Version(
        **{
            **given,
            "is_primary": None if marked is None else bool(marked),
            "forced": bool(given["forced"]),
            "levels": orjson.loads(given["levels"]),
        }
    )


def seeded_version(summary: Mapping[str, Any]) -> Version:
    """The only version that is known of an image set with this summary."""
    done = "CREATED" if summary["version"] == 1 else "UPDATED"
    return Version(
        image_set_id=summary["imageSetId"],
        number=summary["version"],
        working=done,
        done=done,
        settles_at=summary["createdAt"],
        created_at=summary["createdAt"],
        updated_at=summary["updatedAt"],
        deleted_at=None,
        is_primary=summary.get("isPrimary"),
        forced=False,
        levels=levels_of(unpadded(summary.get("DICOMTags") or {})),
    )


def made_up_instances(summary: Mapping[str, Any]) -> dict[str, Instance]:
    """As many instances as the summary counts, of a series of which no more is known."""
    tags = summary.get("DICOMTags") or {}
    series_uid = str(tags.get("DICOMSeriesInstanceUID", "2.25.0")).strip(" ")
    found = {}
    for number in range(1, tags.get("DICOMNumberOfStudyRelatedInstances", 1) + 1):
        uid = f"{series_uid}.{number}"
        values = {"SOPInstanceUID": uid, "InstanceNumber": str(number)}
        found[uid] = Instance.of({"DICOM": values, "DICOMVRs": {}, "ImageFrames": []})
    return found


def keep_instances(
    sql: sqlite3.Connection,
    version: Version,
    previous: Mapping[str, Instance],
    instances: Mapping[str, Instance],
) -> None:
    """Store what is new since the version before, and end what is gone."""
    image_set_id, number = version.image_set_id, version.number
    ended = [(number, image_set_id, u) for u, one in previous.items() if instances.get(u) != one]
    sql.executemany(
        "UPDATE instances SET until = ? "
        "WHERE image_set_id = ? AND sop_instance_uid = ? AND until IS NULL",
        ended,
    )
    begun = {uid: one for uid, one in instances.items() if previous.get(uid) != one}
    sql.executemany(
        "INSERT INTO instances VALUES (?, ?, ?, NULL, ?, ?)",
        [(image_set_id, u, number, os.fsencode(one.path), one.packed) for u, one in begun.items()],
    )
    sql.executemany(
        "INSERT OR REPLACE INTO frames VALUES (?, ?, ?, ?)",
        [
            (image_set_id, frame["ID"], os.fsencode(one.path), place)
            for one in begun.values()
            for place, frame in enumerate(one.body.get("ImageFrames", ()))
        ],
    )
