"""The store: image sets in SQLite, searched as SearchImageSets is documented to."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import orjson

from gateway.emulator.criteria import Criteria, read_criteria
from gateway.emulator.errors import WireError, invalid
from gateway.emulator.keys import columns, unpadded
from gateway.emulator.schema import INSERT, ONE, SERIES, STUDY, create
from gateway.emulator.selecting import page_query
from gateway.emulator.tokens import Position, decode, encode
from gateway.emulator.variants import Variants

__all__ = ["MAX_RESULTS", "Store", "WireError"]

MAX_RESULTS = 50
"""Image sets a page (documented)."""


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
        self.clock = clock
        self._lock = threading.Lock()
        name = ":memory:" if path is None else str(path)
        self._sql = sqlite3.connect(name, check_same_thread=False, isolation_level=None)
        try:
            create(self._sql)
            self._rederive()
            self.created_at = self._first_opened()
        except BaseException:
            self._sql.close()
            raise

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
            summary["DICOMTags"] = unpadded(summary["DICOMTags"])
        tags = summary.get("DICOMTags", {})
        if self.variants.counts == "study" and "DICOMStudyInstanceUID" in tags:
            series, instances = self._study_counts(tags["DICOMStudyInstanceUID"].strip(" "))
            tags["DICOMNumberOfStudyRelatedSeries"] = series
            tags["DICOMNumberOfStudyRelatedInstances"] = instances
        return summary

    def _study_counts(self, study_uid: str) -> tuple[int, int]:
        sql = (
            f"SELECT count(DISTINCT {SERIES}), coalesce(sum(instances), 0) "
            f"FROM image_sets WHERE {STUDY} = ? AND is_primary IS NOT 0"
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
            row = self._sql.execute(ONE, (image_set_id,)).fetchone()
            return None if row is None else self._summary(row[0])

    @property
    def changes(self) -> int:
        """A number that is another one after each change; it can be read at any time."""
        return self._sql.total_changes

    def count(self) -> int:
        """How many image sets there are."""
        with self._lock:
            return self._count("SELECT count(*) FROM image_sets", [])

    # --- storing ----------------------------------------------------------------------------------

    def add_summaries(self, summaries: Iterable[Mapping[str, Any]]) -> int:
        """Store summaries, all or none; identifiers, versions and times are made up where missing.

        The number of them. One with a known imageSetId takes the place of the old one.
        """
        with self.changing() as sql:
            return sql.executemany(INSERT, map(self._row, summaries)).rowcount

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The tables, as long as nobody changes them."""
        with self._lock:
            yield self._sql

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One change of the store, whole or not at all."""
        with self._lock:
            self._sql.execute("BEGIN")
            try:
                yield self._sql
            except BaseException:
                self._sql.execute("ROLLBACK")
                raise
            self._sql.execute("COMMIT")

    def primary_tags(self, study_uid: str) -> Mapping[str, Any] | None:
        """The tags of a primary image set of the study, as stored, None where it has none."""
        sql = f"SELECT body FROM image_sets WHERE {STUDY} = ? AND is_primary = 1 LIMIT 1"
        with self._lock:
            row = self._sql.execute(sql, (study_uid,)).fetchone()
        return None if row is None else unpadded(orjson.loads(row[0])["DICOMTags"])

    def put(self, sql: sqlite3.Connection, summary: Mapping[str, Any]) -> None:
        """Store one summary within a change."""
        sql.execute(INSERT, self._row(summary))

    def _row(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        now = self.clock()
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

    def _first_opened(self) -> float:
        """When the data store was made, in seconds since 1970."""
        self._sql.execute("INSERT OR IGNORE INTO facts VALUES ('created', ?)", (self.clock(),))
        known = self._sql.execute("SELECT value FROM facts WHERE name = 'created'").fetchone()
        return float(known[0])
