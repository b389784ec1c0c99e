"""Where the instances of a series are: the image sets by UIDs, and the file of an instance.

Source: HealthImaging developer guide, "retrieving DICOM data" (documented: without imageSetId only
primary image sets are seen). An image set without a mark counts as primary (assumed).
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from gateway.emulator.errors import invalid
from gateway.emulator.imagesets import ImageSets
from gateway.emulator.keys import text_key
from gateway.emulator.schema import ONE, SERIES, STUDY
from gateway.emulator.store import Store
from gateway.emulator.versions import Instance, Version, made_up_instances, not_found

MOST_KEPT = 10_000
"""Instances whose files are kept in mind, until the store changes."""

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_IMAGE_SET_ID = re.compile(r"[0-9a-z]{32}")


@dataclass(frozen=True, slots=True)
class Target:
    """What a path and its imageSetId ask for."""

    study: str = field(repr=False)
    series: str = field(repr=False)
    instance: str = field(default="", repr=False)
    image_set_id: str | None = None

    def check(self) -> None:
        """Refuse what cannot be an identifier.

        Raises: WireError, a ValidationException.
        """
        given = {"study": self.study, "series": self.series, "instance": self.instance or "0"}
        for name, uid in given.items():
            if len(uid) > 64 or not _UID.fullmatch(uid):
                raise invalid(f"the {name} must be a UID")
        if self.image_set_id is not None and not _IMAGE_SET_ID.fullmatch(self.image_set_id):
            raise invalid("imageSetId must be 32 of 0-9a-z")


class Locating:
    """The instances of one store; any thread may use it."""

    def __init__(self, store: Store) -> None:
        self._sets = ImageSets(store)
        self._store = store
        self._files: dict[Target, str] = {}
        self._changes = -1

    def known_file(self, target: Target) -> str | None:
        """The file of an instance, where it was asked for since the store last changed."""
        return self._files.get(target) if self._store.changes == self._changes else None

    def file(self, target: Target) -> str:
        """The file of an instance, "" where the instance is made up.

        Raises: WireError, a ResourceNotFoundException.
        """
        changes = self._store.changes
        if changes != self._changes or len(self._files) >= MOST_KEPT:
            self._files, self._changes = {}, changes
        with self._store.reading() as sql:
            for image_set_id in self._image_sets(sql, target):
                row = self._row(sql, image_set_id, target.instance)
                if row is not None:
                    found = self._files[target] = os.fsdecode(row[0])
                    return found
                if target.instance in self._made_up(sql, image_set_id):
                    return ""
        raise not_found("there is no such instance in the series")

    def instances(self, target: Target) -> list[tuple[Version, str, Instance]]:
        """Version, SOPInstanceUID and instance of the target: an instance, or all of a series.

        Raises: WireError, a ResourceNotFoundException.
        """
        found: dict[str, tuple[Version, str, Instance]] = {}
        with self._store.reading() as sql:
            for image_set_id in self._image_sets(sql, target):
                version = self._sets.version(sql, image_set_id)
                for uid, one in self._of_version(sql, version, target.instance).items():
                    found.setdefault(uid, (version, uid, one))
        if not found:
            raise not_found("there is no such instance in the series")
        return list(found.values())

    def _of_version(
        self, sql: sqlite3.Connection, version: Version, wanted: str
    ) -> Mapping[str, Instance]:
        """All instances of an image set's newest version, or the one that is wanted."""
        if wanted and (row := self._row(sql, version.image_set_id, wanted)) is not None:
            path, packed = row
            return {wanted: Instance(packed, os.fsdecode(path))}
        every = self._sets.instances(sql, version)
        return {uid: one for uid, one in every.items() if wanted in ("", uid)}

    def _row(
        self, sql: sqlite3.Connection, image_set_id: str, uid: str
    ) -> tuple[bytes, bytes] | None:
        """Path and packed metadata of an instance, None where it is made up or not there."""
        found: tuple[bytes, bytes] | None = sql.execute(
            "SELECT path, body FROM instances WHERE image_set_id = ? AND sop_instance_uid = ? "
            "AND until IS NULL",
            (image_set_id, uid),
        ).fetchone()
        return found

    def _image_sets(self, sql: sqlite3.Connection, target: Target) -> list[str]:
        variants = self._store.variants
        values = [text_key(target.study, variants), text_key(target.series, variants)]
        where = f"{STUDY} = ? AND {SERIES} = ? AND "
        if target.image_set_id is None:
            where += "is_primary IS NOT 0"
        else:
            where += "image_set_id = ?"
            values.append(target.image_set_id)
        rows = sql.execute(
            f"SELECT image_set_id FROM image_sets WHERE {where} ORDER BY image_set_id", values
        ).fetchall()
        if not rows:
            raise not_found("there is no such series in the study")
        return [image_set_id for (image_set_id,) in rows]

    def _made_up(self, sql: sqlite3.Connection, image_set_id: str) -> Mapping[str, Instance]:
        known = sql.execute("SELECT 1 FROM instances WHERE image_set_id = ?", (image_set_id,))
        if known.fetchone() is not None:
            return {}
        (body,) = sql.execute(ONE, (image_set_id,)).fetchone()
        return made_up_instances(orjson.loads(body))
