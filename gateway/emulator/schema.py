"""The tables of the store, and an index for each filter and each sort."""

from __future__ import annotations

import sqlite3

from gateway.emulator.criteria import TEXT_KEYS

_KEYS = tuple(f"key_{number}" for number in range(len(TEXT_KEYS)))
_DERIVED = (*_KEYS, "moment", "rising", "falling", "tie")
_SORTS = ("created_at", "updated_at", "rising", "falling")
STUDY, SERIES = _KEYS[3], _KEYS[4]
"""The columns of StudyInstanceUID and SeriesInstanceUID."""

_TABLES = f"""
CREATE TABLE IF NOT EXISTS image_sets (
  rowid INTEGER PRIMARY KEY, image_set_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL,
  created_at REAL NOT NULL, updated_at REAL NOT NULL, is_primary INTEGER, instances INTEGER,
  {", ".join(f"{name} TEXT" for name in _DERIVED)});
CREATE TABLE IF NOT EXISTS versions (
  image_set_id TEXT NOT NULL, version INTEGER NOT NULL, working TEXT NOT NULL, done TEXT NOT NULL,
  settles_at REAL NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL, deleted_at REAL,
  is_primary INTEGER, forced INTEGER NOT NULL, levels BLOB NOT NULL,
  PRIMARY KEY (image_set_id, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instances (
  image_set_id TEXT NOT NULL, sop_instance_uid TEXT NOT NULL, since INTEGER NOT NULL,
  until INTEGER, path TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (image_set_id, sop_instance_uid, since)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frames (
  image_set_id TEXT NOT NULL, frame_id TEXT NOT NULL, path TEXT NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (image_set_id, frame_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_INDEXES = [f"CREATE INDEX IF NOT EXISTS by_{name} ON image_sets ({name}, tie)" for name in _SORTS]
_INDEXES += [
    f"CREATE INDEX IF NOT EXISTS by_{name} ON image_sets ({name})"
    for name in (*_KEYS, "moment", "is_primary")
]
LAYOUT = 2
"""The number of this layout of tables, kept in the file."""
ONE = "SELECT body FROM image_sets WHERE image_set_id = ?"
"""The image set of an identifier."""
INSERT = (
    "INSERT OR REPLACE INTO image_sets "
    f"(rowid, image_set_id, body, created_at, updated_at, is_primary, instances, "
    f"{', '.join(_DERIVED)}) VALUES ((SELECT rowid FROM image_sets WHERE image_set_id = ?2), "
    f"?2, {', '.join(f'?{n}' for n in range(3, 8 + len(_DERIVED)))})"
)
"""An image set, new or in place of the one with its identifier; the first parameter is unused."""


def create(sql: sqlite3.Connection) -> None:
    """Make the tables and indexes where they are missing.

    Raises: sqlite3.DatabaseError where a file has the tables of another version of the emulator.
    """
    (layout,) = sql.execute("PRAGMA user_version").fetchone()
    (tables,) = sql.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and layout != LAYOUT:
        raise sqlite3.DatabaseError("the data was written by another version; remove it")
    sql.execute(f"PRAGMA user_version = {LAYOUT}")
    sql.execute("PRAGMA journal_mode = WAL")  # of no effect in memory
    sql.execute("PRAGMA synchronous = NORMAL")
    sql.executescript(_TABLES)
    for statement in _INDEXES:
        sql.execute(statement)
