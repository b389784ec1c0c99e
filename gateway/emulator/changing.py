"""Changes of image sets: update, copy, delete, each a new version or the end of one.

Source: HealthImaging developer guide, "updating image set metadata", "copying an image set",
"deleting an image set" (documented: states, versions, what must agree, what force allows). That
contradictory metadata is refused at once, not by COPY_FAILED, is assumed.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.emulator.errors import WireError, invalid
from gateway.emulator.imagesets import DELETED, LOCKED, ImageSets
from gateway.emulator.summary import AGREED, text_of
from gateway.emulator.updating import chosen_instances, updated
from gateway.emulator.versions import Instance, Version, not_found, split


class Changes:
    """What changes the image sets of one store."""

    def __init__(self, image_sets: ImageSets) -> None:
        self._sets = image_sets
        self._store = image_sets.store

    def update(
        self,
        image_set_id: str,
        latest: str,
        updates: Mapping[str, Any],
        *,
        force: bool = False,
        whole_study: bool = False,
    ) -> Version:
        """Update or revert the metadata; the new version.

        Raises: WireError.
        """
        with self._store.changing() as sql:
            version = self._latest(sql, image_set_id, latest)
            instances = self._sets.instances(sql, version)
            if "revertToVersionId" in updates:
                old = self._sets.version(sql, image_set_id, updates["revertToVersionId"])
                old_instances = self._sets.instances(sql, old)
                return self._next(sql, version, old.levels, old_instances, force=force)
            change = updates["DICOMUpdates"]
            parts = (change.get("removableAttributes"), change.get("updatableAttributes"))
            after = updated(self._sets.document(version, instances), *parts, force=force)
            done = self._apply(sql, version, instances, after, force=force)
            if whole_study:
                self._update_study(sql, version, after, force=force)
            return done

    def _apply(
        self,
        sql: sqlite3.Connection,
        version: Version,
        instances: Mapping[str, Instance],
        after: Mapping[str, Any],
        *,
        force: bool,
    ) -> Version:
        levels, bodies = split(after)
        # Its frames tell an instance, which may have another one's UID now
        files = {_frames(one.body): one.path for one in instances.values()}
        now = {uid: Instance.of(body, files[_frames(body)]) for uid, body in bodies.items()}
        return self._next(sql, version, levels, now, force=force)

    def _update_study(
        self, sql: sqlite3.Connection, version: Version, after: Mapping[str, Any], *, force: bool
    ) -> None:
        """Give patient and study of `after` to the study's other image sets."""
        for image_set_id in self._sets.of_study(sql, text_of(version.levels, "StudyInstanceUID")):
            if image_set_id != version.image_set_id:
                other = self._latest(sql, image_set_id, None)
                levels = {
                    **other.levels,
                    "Patient": after["Patient"]["DICOM"],
                    "Study": after["Study"]["DICOM"],
                }
                self._next(sql, other, levels, self._sets.instances(sql, other), force=force)

    def _next(
        self,
        sql: sqlite3.Connection,
        version: Version,
        levels: Mapping[str, Any],
        instances: Mapping[str, Instance],
        *,
        force: bool,
        working: str = "UPDATING",
        done: str = "UPDATED",
    ) -> Version:
        now = self._store.clock()
        following = replace(
            version,
            number=version.number + 1,
            working=working,
            done=done,
            settles_at=now + self._sets.settle_s,
            updated_at=now,
            forced=force,
            levels=levels,
        )
        self._keep(sql, following, instances)
        return following

    def copy(
        self,
        source_id: str,
        information: Mapping[str, Any],
        *,
        force: bool = False,
        promote: bool = False,
    ) -> tuple[Version, Version]:
        """Copy instances into a new image set or another one; the source and the destination.

        Raises: WireError.
        """
        given = information["sourceImageSet"]
        with self._store.changing() as sql:
            source = self._latest(sql, source_id, given["latestVersionId"])
            instances = self._sets.instances(sql, source)
            if "DICOMCopies" in given:
                chosen = chosen_instances(given["DICOMCopies"]["copiableAttributes"])
                if chosen - set(instances):
                    raise invalid("copiableAttributes names an instance that is not there")
                instances = {uid: one for uid, one in instances.items() if uid in chosen}
            if "destinationImageSet" in information:
                told = information["destinationImageSet"]
                into = self._latest(sql, told["imageSetId"], told["latestVersionId"])
                copied = self._merged(sql, source, into, instances, force=force)
            else:
                copied = self._copied(sql, source, instances, force=force, promote=promote)
            now = self._store.clock()
            busy = replace(
                source,
                working="COPYING_WITH_READ_ONLY_ACCESS",
                settles_at=now + self._sets.settle_s,
            )
            self._keep(sql, busy, self._sets.instances(sql, source))
            return busy, copied

    def _copied(
        self,
        sql: sqlite3.Connection,
        source: Version,
        instances: Mapping[str, Instance],
        *,
        force: bool,
        promote: bool,
    ) -> Version:
        if promote:
            self._check_promotion(sql, source)
        now = self._store.clock()
        made = replace(
            source,
            image_set_id=uuid.uuid4().hex,
            number=1,
            working="COPYING",
            done="COPIED",
            settles_at=now + self._sets.settle_s,
            created_at=now,
            updated_at=now,
            is_primary=promote,
            forced=force,
        )
        self._keep(sql, made, instances)
        return made

    def _merged(
        self,
        sql: sqlite3.Connection,
        source: Version,
        into: Version,
        instances: Mapping[str, Instance],
        *,
        force: bool,
    ) -> Version:
        if source.levels != into.levels and not force:
            raise invalid(
                "patient, study and series of both image sets must agree, or force be set"
            )
        held = self._sets.instances(sql, into)
        if held.keys() & instances.keys():
            raise invalid("an instance is in the destination already")
        together = {**held, **instances}
        return self._next(
            sql, into, into.levels, together, force=force, working="COPYING", done="COPIED"
        )

    def _check_promotion(self, sql: sqlite3.Connection, source: Version) -> None:
        study_uid = text_of(source.levels, "StudyInstanceUID")
        for image_set_id in self._sets.of_study(sql, study_uid):
            other = self._sets.version(sql, image_set_id)
            if other.is_primary and any(
                text_of(other.levels, keyword) != text_of(source.levels, keyword)
                for keyword in AGREED
            ):
                raise conflict("the study's primary image sets have other values")

    def delete(self, image_set_id: str) -> Version:
        """Delete an image set with all its versions; the last of them.

        Raises: WireError.
        """
        with self._store.changing() as sql:
            version = self._latest(sql, image_set_id, None)
            now = self._store.clock()
            gone = replace(
                version,
                working="DELETING",
                done=DELETED,
                settles_at=now + self._sets.settle_s,
                deleted_at=now,
            )
            self._keep(sql, gone, self._sets.instances(sql, version))
            self._sets.remove(sql, image_set_id)
            return gone

    def _latest(self, sql: sqlite3.Connection, image_set_id: str, latest: str | None) -> Version:
        """The newest version, if it is the one that the caller knows and may be changed."""
        version = self._sets.version(sql, image_set_id)
        state, _ = self._sets.state(version)
        if version.deleted_at is not None and state == DELETED:
            raise not_found("the image set has been deleted")
        if state == LOCKED:
            raise conflict("the image set is being changed")
        if latest not in (None, str(version.number)):
            raise conflict("the version that was given is not the latest one")
        return version

    def _keep(
        self, sql: sqlite3.Connection, version: Version, instances: Mapping[str, Instance]
    ) -> None:
        try:
            self._sets.keep(sql, version, instances)
        except ValueError as exc:
            raise invalid(f"the image set {exc}") from None


def conflict(message: str) -> WireError:
    """A ConflictException."""
    return WireError("ConflictException", 409, message)


def _frames(body: Mapping[str, Any]) -> str:
    return repr([frame["ID"] for frame in body.get("ImageFrames", ())])
