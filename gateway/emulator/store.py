"""The store: image sets in SQLite, searched as SearchImageSets is documented to."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import orjson

from gateway.emulator.criteria import TEXT_KEYS, Criteria, read_criteria
from gateway.emulator.errors import WireError, invalid
from gateway.emulator.keys import columns
from gateway.emulator.selecting import page_query
from gateway.emulator.tokens import Position, decode, encode
from gateway.emulator.variants import Variants

__all__ = ["MAX_RESULTS", "Store", "WireError"]

MAX_RESULTS = 50
"""Image sets a page (documented)."""

_KEYS = tuple(f"key_{number}" for number in range(len(TEXT_KEYS)))
_DERIVED = (*_KEYS, "moment", "rising", "falling", "tie")
_STUDY, _SERIES = _KEYS[3], _KEYS[4]
_SORTS = ("created_at", "updated_at", "rising", "falling")
_TABLES = f"""
CREATE TABLE IF NOT EXISTS image_sets (
  rowid INTEGER PRIMARY KEY, image_set_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL,
  created_at REAL NOT NULL, updated_at REAL NOT NULL, is_primary INTEGER, instances INTEGER,
  {", ".join(f"{name} TEXT" for name in _DERIVED)});
CREATE TABLE IF NOT EXISTS instances (
  image_set_id TEXT NOT NULL, sop_instance_uid TEXT NOT NULL, path TEXT NOT NULL,
  PRIMARY KEY (image_set_id, sop_instance_uid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_INDEXES = [f"CREATE INDEX IF NOT EXISTS by_{name} ON image_sets ({name}, tie)" for name in _SORTS]
_INDEXES += [
    f"CREATE INDEX IF NOT EXISTS by_{name} ON image_sets ({name})" for name in (*_KEYS, "moment")
]
_PLACES = ", ".join("?" for _ in range(6 + len(_DERIVED)))
_INSERT = (
    "INSERT OR REPLACE INTO image_sets "  # noqa: S608 - our own names
    f"(rowid, image_set_id, body, created_at, updated_at, is_primary, instances, "
    f"{', '.join(_DERIVED)}) VALUES ((SELECT rowid FROM image_sets WHERE image_set_id = ?2), "
    f"?2, {', '.join(f'?{n}' for n in range(3, 8 + len(_DERIVED)))})"
)


class Store:
    """One data store; in a file, or in memory where `path` is None. Any thread may use it."""

    def __init__(
        self,
        path: Path | None,
        variants: Variants,
        datastore_id: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.datastore_id = datastore_id
        self.variants = variants
        self.created_at = clock()
        self._clock = clock
        self._lock = threading.Lock()
        name = ":memory:" if path is None else str(path)
        self._sql = sqlite3.connect(name, check_same_thread=False, isolation_level=None)
        if path is not None:
            self._sql.execute("PRAGMA journal_mode = WAL")
            self._sql.execute("PRAGMA synchronous = NORMAL")
        self._sql.executescript(_TABLES)
        for statement in _INDEXES:
            self._sql.execute(statement)
        self._rederive()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    # --- searching --------------------------------------------------------------------------------

    def search(
        self, criteria: Any, max_results: int | None, next_token: str | None
    ) -> dict[str, Any]:
        """The body of a SearchImageSetsResponse, times in seconds since 1970.

        Raises: WireError.
        """
        read = read_criteria(criteria, self.variants)
        size = MAX_RESULTS if max_results is None else max_results
        if not 1 <= size <= MAX_RESULTS:
            raise invalid(f"maxResults must be 1 to {MAX_RESULTS}")
        with self._lock:
            start = Position(newest=self._newest())
            if next_token is not None:
                start = decode(next_token, self.datastore_id, read)
            rows, following = self._page(read, start, size)
            summaries = [self._summary(body) for body, _, _ in rows]
        answer: dict[str, Any] = {"sort": read.sort()}
        if summaries or self.variants.empty_list == "present":
            answer["imageSetsMetadataSummaries"] = summaries
        if following is not None:
            answer["nextToken"] = encode(following, self.datastore_id, read)
        return answer

    def _page(
        self, criteria: Criteria, start: Position, size: int
    ) -> tuple[list[Any], Position | None]:
        wanted = self._wanted(start, size)
        sql, values = page_query(criteria, start, wanted + 1, self.variants, self._count)
        rows = self._sql.execute(sql, values).fetchall()
        if len(rows) <= wanted:
            return rows, None
        rows = rows[:wanted]
        after, tie = (rows[-1][1], rows[-1][2]) if rows else (start.after, start.tie)
        if self.variants.tokens == "offset":
            following = Position(offset=start.offset + len(rows), page=start.page + 1)
        else:
            following = Position(after, tie, start.newest, page=start.page + 1)
        return rows, following

    def _wanted(self, start: Position, size: int) -> int:
        """How many rows a page gives: with short pages any number, now and then none."""
        if self.variants.pages == "full":
            return size
        if start.page % 4 == 2:
            return 0
        seed = hashlib.blake2b(repr(astuple(start)).encode(), digest_size=2).digest()
        return 1 + int.from_bytes(seed) % size

    def _summary(self, body: bytes) -> dict[str, Any]:
        summary: dict[str, Any] = orjson.loads(body)
        if self.variants.padding == "trimmed" and "DICOMTags" in summary:
            summary["DICOMTags"] = _unpadded(summary["DICOMTags"])
        tags = summary.get("DICOMTags", {})
        if self.variants.counts == "study" and "DICOMStudyInstanceUID" in tags:
            series, instances = self._study_counts(tags["DICOMStudyInstanceUID"].strip(" "))
            tags["DICOMNumberOfStudyRelatedSeries"] = series
            tags["DICOMNumberOfStudyRelatedInstances"] = instances
        return summary

    def _study_counts(self, study_uid: str) -> tuple[int, int]:
        sql = (
            f"SELECT count(DISTINCT {_SERIES}), coalesce(sum(instances), 0) "  # noqa: S608
            f"FROM image_sets WHERE {_STUDY} = ? AND is_primary IS NOT 0"
        )
        series, instances = self._sql.execute(sql, (study_uid,)).fetchone()
        return series, instances

    def _count(self, sql: str, values: list[Any]) -> int:
        number: int = self._sql.execute(sql, values).fetchone()[0]
        return number

    def _newest(self) -> int:
        return int(
            self._sql.execute("SELECT coalesce(max(rowid), 0) FROM image_sets").fetchone()[0]
        )

    # --- one image set ----------------------------------------------------------------------------

    def get_image_set(self, image_set_id: str) -> dict[str, Any] | None:
        """The stored summary, None where there is none."""
        with self._lock:
            row = self._sql.execute(
                "SELECT body FROM image_sets WHERE image_set_id = ?", (image_set_id,)
            ).fetchone()
            return None if row is None else self._summary(row[0])

    def count(self) -> int:
        """How many image sets there are."""
        with self._lock:
            return self._count("SELECT count(*) FROM image_sets", [])

    # --- storing ----------------------------------------------------------------------------------

    def add_summaries(self, summaries: Iterable[Mapping[str, Any]]) -> int:
        """Store summaries, all or none; identifiers, versions and times are made up where missing.

        The number of them. One with a known imageSetId takes the place of the old one.
        """
        with self._lock:
            self._sql.execute("BEGIN")
            try:
                cursor = self._sql.executemany(_INSERT, map(self._row, summaries))
            except BaseException:
                self._sql.execute("ROLLBACK")
                raise
            self._sql.execute("COMMIT")
            return cursor.rowcount

    def primary_tags(self, study_uid: str) -> Mapping[str, Any] | None:
        """The tags of a primary image set of the study, as stored, None where it has none."""
        sql = f"SELECT body FROM image_sets WHERE {_STUDY} = ? AND is_primary = 1 LIMIT 1"  # noqa: S608
        with self._lock:
            row = self._sql.execute(sql, (study_uid,)).fetchone()
        return None if row is None else _unpadded(orjson.loads(row[0])["DICOMTags"])

    def add_instances(
        self,
        image_set_id: str,
        tags: Mapping[str, Any],
        files: Mapping[str, str],
        *,
        is_primary: bool,
    ) -> None:
        """Put instances (SOPInstanceUID to path) into an image set, which is made where missing.

        One that is there already is replaced. A later import raises the image set's version.
        """
        sql = "SELECT body FROM image_sets WHERE image_set_id = ?"
        with self._lock:
            row = self._sql.execute(sql, (image_set_id,)).fetchone()
            self._sql.executemany(
                "INSERT OR REPLACE INTO instances VALUES (?, ?, ?)",
                [(image_set_id, uid, path) for uid, path in files.items()],
            )
            of_set = "SELECT count(*) FROM instances WHERE image_set_id = ?"
            number = self._sql.execute(of_set, (image_set_id,)).fetchone()[0]
        now = self._clock()
        summary = {"version": 0, "createdAt": now} if row is None else orjson.loads(row[0])
        own = {"DICOMNumberOfStudyRelatedSeries": 1, "DICOMNumberOfStudyRelatedInstances": number}
        stored = _padded(tags) if self.variants.padding == "kept" else dict(tags)
        summary |= {
            "imageSetId": image_set_id,
            "version": summary["version"] + 1,
            "updatedAt": now,
            "isPrimary": is_primary,
            "DICOMTags": {**summary.get("DICOMTags", stored), **own},
        }
        self.add_summaries([summary])

    def _row(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        now = self._clock()
        summary = {"imageSetId": uuid.uuid4().hex, "version": 1, "createdAt": now, **given}
        summary.setdefault("updatedAt", summary["createdAt"])
        marked = summary.get("isPrimary")
        return (
            None,
            summary["imageSetId"],
            orjson.dumps(summary),
            summary["createdAt"],
            summary["updatedAt"],
            None if marked is None else int(marked),
            (summary.get("DICOMTags") or {}).get("DICOMNumberOfStudyRelatedInstances"),
            *columns(summary, self.variants),
        )

    def _rederive(self) -> None:
        """Derive the keys again where the file was written at other positions of the switches."""
        known = self._sql.execute("SELECT value FROM facts WHERE name = 'variants'").fetchone()
        said = repr(astuple(self.variants))
        if known is not None and known[0] != said:
            bodies = self._sql.execute("SELECT body FROM image_sets").fetchall()
            self.add_summaries(orjson.loads(body) for (body,) in bodies)
        self._sql.execute("INSERT OR REPLACE INTO facts VALUES ('variants', ?)", (said,))


def _padded(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Texts of even length, as DICOM stores them; UIDs are padded otherwise."""
    return {
        name: f"{value} "
        if isinstance(value, str) and len(value.encode()) % 2 and not name.endswith("UID")
        else value
        for name, value in tags.items()
    }


def _unpadded(tags: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.strip(" ") if isinstance(v, str) else v for k, v in tags.items()}
