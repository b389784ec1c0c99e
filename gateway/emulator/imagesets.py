"""Image sets in all their versions: levels, instances, frames, and the states they go through.

A version is never changed once it is there. Of an image set that was seeded by its summary only
that version is known; its instances are made up from their number.
Source: HealthImaging developer guide, "image set versions" (documented); how long a state lasts is
the emulator's own (`settle_s`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from gateway.emulator.errors import WireError
from gateway.emulator.keys import padded
from gateway.emulator.schema import ONE, STUDY
from gateway.emulator.store import Store
from gateway.emulator.summary import Levels, tags_of, text_of
from gateway.emulator.versions import (
    COLUMNS,
    Instance,
    Version,
    keep_instances,
    made_up_instances,
    not_found,
    seeded_version,
    version_of,
)

SCHEMA_VERSION = "1.1"
ACTIVE, LOCKED, DELETED = "ACTIVE", "LOCKED", "DELETED"


class ImageSets:
    """The image sets of one store. `settle_s` is how long a change takes to be done."""

    def __init__(self, store: Store, settle_s: float = 0.0) -> None:
        self.store = store
        self.settle_s = settle_s

    # --- reading, within the store's lock ---------------------------------------------------------

    def versions(self, sql: sqlite3.Connection, image_set_id: str) -> list[Version]:
        """All known versions, the newest first.

        Raises: WireError, a ResourceNotFoundException.
        """
        rows = sql.execute(
            f"SELECT {COLUMNS} FROM versions WHERE image_set_id = ? ORDER BY version DESC",
            (image_set_id,),
        ).fetchall()
        if rows:
            return [version_of(row) for row in rows]
        row = sql.execute(ONE, (image_set_id,)).fetchone()
        if row is None:
            raise not_found("there is no such image set")
        return [seeded_version(orjson.loads(row[0]))]

    def version(
        self, sql: sqlite3.Connection, image_set_id: str, number: str | None = None
    ) -> Version:
        """The version of that number, the newest without one.

        Raises: WireError, a ResourceNotFoundException.
        """
        for version in self.versions(sql, image_set_id):
            if number is None or number == str(version.number):
                return version
        raise not_found("there is no such version of the image set")

    def instances(self, sql: sqlite3.Connection, version: Version) -> dict[str, Instance]:
        """SOPInstanceUID to instance."""
        rows = sql.execute(
            "SELECT sop_instance_uid, body, path FROM instances WHERE image_set_id = ? "
            "AND since <= ? AND (until IS NULL OR until > ?) ORDER BY sop_instance_uid",
            (version.image_set_id, version.number, version.number),
        ).fetchall()
        if rows:
            return {uid: Instance(packed, os.fsdecode(path)) for uid, packed, path in rows}
        row = sql.execute(ONE, (version.image_set_id,)).fetchone()
        return {} if row is None else made_up_instances(orjson.loads(row[0]))

    def document(self, version: Version, instances: Mapping[str, Instance]) -> dict[str, Any]:
        """The metadata as GetImageSetMetadata gives it."""
        levels = version.levels
        series = {
            "DICOM": dict(levels["Series"]),
            "Instances": {uid: one.body for uid, one in instances.items()},
        }
        return {
            "SchemaVersion": SCHEMA_VERSION,
            "DatastoreID": self.store.datastore_id,
            "ImageSetID": version.image_set_id,
            "Patient": {"DICOM": dict(levels["Patient"])},
            "Study": {
                "DICOM": dict(levels["Study"]),
                "Series": {text_of(levels, "SeriesInstanceUID"): series},
            },
        }

    def frame(self, image_set_id: str, frame_id: str) -> tuple[Path, int]:
        """The file of a frame, of whichever version, and its number there, from 0.

        Raises: WireError, a ResourceNotFoundException.
        """
        with self.store.reading() as sql:
            if self.state(self.version(sql, image_set_id))[0] == DELETED:
                raise not_found("the image set has been deleted")
            row = sql.execute(
                "SELECT path, number FROM frames WHERE image_set_id = ? AND frame_id = ?",
                (image_set_id, frame_id),
            ).fetchone()
        if row is None:
            raise not_found("there is no such image frame")
        return Path(os.fsdecode(row[0])), row[1]

    def of_study(self, sql: sqlite3.Connection, study_uid: str) -> list[str]:
        """The image sets of a study."""
        rows = sql.execute(f"SELECT image_set_id FROM image_sets WHERE {STUDY} = ?", (study_uid,))
        return [image_set_id for (image_set_id,) in rows.fetchall()]

    def takes(self, image_set_id: str, study_uid: str, series_uid: str) -> bool:
        """Whether instances of a series belong there: it is that series, or not there yet."""
        with self.store.reading() as sql:
            try:
                newest = self.version(sql, image_set_id)
            except WireError:
                return True
        found = [text_of(newest.levels, f"{level}InstanceUID") for level in ("Study", "Series")]
        return newest.done != DELETED and found == [study_uid, series_uid]

    def state(self, version: Version) -> tuple[str, str]:
        """The state and the workflow status of a version at this moment."""
        if self.store.clock() < version.settles_at:
            return LOCKED, version.working
        return (DELETED if version.done == DELETED else ACTIVE), version.done

    # --- writing, within a change of the store ----------------------------------------------------

    def keep(
        self, sql: sqlite3.Connection, version: Version, instances: Mapping[str, Instance]
    ) -> None:
        """Store a new version, and let searches find the image set by it.

        Raises: ValueError, which names an attribute that is too long for a search.
        """
        known = sql.execute(
            "SELECT 1 FROM versions WHERE image_set_id = ?", (version.image_set_id,)
        ).fetchone()
        before = sql.execute(ONE, (version.image_set_id,)).fetchone()
        if known is None and before is not None:  # seeded: its version so far is kept as well
            old = seeded_version(orjson.loads(before[0]))
            self.put(sql, old)
            keep_instances(sql, old, {}, self.instances(sql, old))
        previous = (
            {} if before is None else self.instances(sql, self.version(sql, version.image_set_id))
        )
        self.put(sql, version)
        keep_instances(sql, version, previous, instances)
        tags = tags_of(version.levels)
        if self.store.variants.padding == "kept":
            tags = padded(tags)
        own = {
            "DICOMNumberOfStudyRelatedSeries": 1,
            "DICOMNumberOfStudyRelatedInstances": len(instances),
        }
        summary = {} if before is None else orjson.loads(before[0])
        summary |= {
            "imageSetId": version.image_set_id,
            "version": version.number,
            "createdAt": version.created_at,
            "updatedAt": version.updated_at,
            "DICOMTags": {**tags, **own},
        }
        if version.is_primary is not None:
            summary["isPrimary"] = version.is_primary
        self.store.put(sql, summary)

    def put(self, sql: sqlite3.Connection, version: Version) -> None:
        """Store the properties of a version, in place of those that it had."""
        values = (
            version.image_set_id,
            version.number,
            version.working,
            version.done,
            version.settles_at,
            version.created_at,
            version.updated_at,
            version.deleted_at,
            None if version.is_primary is None else int(version.is_primary),
            int(version.forced),
            orjson.dumps(version.levels),
        )
        marks = ", ".join("?" * len(values))
        sql.execute(f"INSERT OR REPLACE INTO versions ({COLUMNS}) VALUES ({marks})", values)

    def remove(self, sql: sqlite3.Connection, image_set_id: str) -> None:
        """Let no search find the image set any more."""
        sql.execute("DELETE FROM image_sets WHERE image_set_id = ?", (image_set_id,))

    def join(
        self,
        image_set_id: str,
        levels: Levels,
        instances: Mapping[str, Instance],
        *,
        is_primary: bool,
    ) -> Version:
        """Put instances into an image set, which is made where missing; its new version.

        One that is there already is replaced.
        """
        now = self.store.clock()
        with self.store.changing() as sql:
            try:
                before = self.version(sql, image_set_id)
            except WireError:
                made = Version(
                    image_set_id, 1, "IMPORTING", "CREATED", now, now, now, None, is_primary,
                    forced=False, levels=levels,
                )  # fmt: skip
                self.keep(sql, made, instances)
                return made
            joined = Version(
                image_set_id, before.number + 1, "IMPORTING", "IMPORTED", now, before.created_at,
                now, None, is_primary, forced=False, levels=before.levels,
            )  # fmt: skip
            self.keep(sql, joined, {**self.instances(sql, before), **instances})
            return joined
