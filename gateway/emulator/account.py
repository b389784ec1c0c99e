"""The account: its data stores, the tags of its resources, and answers that may be asked for again.

Source: HealthImaging API reference (documented: states, that a data store must be empty to be
deleted, clientToken). That a client token with other parameters is a conflict is assumed.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from gateway.emulator.changing import conflict
from gateway.emulator.errors import invalid
from gateway.emulator.store import Store
from gateway.emulator.versions import not_found

ACCOUNT, REGION = "123456789012", "us-east-1"
MOST_TAGS = 200
FILE_NAME = "account.sqlite"

_TABLES = """
CREATE TABLE IF NOT EXISTS datastores (
  datastore_id TEXT PRIMARY KEY, given BLOB NOT NULL, working TEXT NOT NULL, done TEXT NOT NULL,
  settles_at REAL NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
  operation TEXT NOT NULL, token TEXT NOT NULL, said TEXT NOT NULL, answer BLOB NOT NULL,
  PRIMARY KEY (operation, token)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tags (
  arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
  number INTEGER PRIMARY KEY, job_id TEXT NOT NULL UNIQUE, datastore_id TEXT NOT NULL,
  status TEXT NOT NULL, properties BLOB NOT NULL);
"""
_DATASTORE = re.compile(r".*:datastore/([0-9a-z]{32})(?:/imageset/([0-9a-z]{32}))?")


class Account:
    """The data stores, of which `first` is there from the beginning; any thread may use it.

    What it keeps lies in `folder`, in memory without one. `settle_s` is how long it takes to make
    or delete a data store.
    """

    def __init__(self, first: Store, folder: Path | None = None, settle_s: float = 0.0) -> None:
        self.settle_s = settle_s
        self._folder, self._variants, self._clock = folder, first.variants, first.clock
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()
        name = ":memory:" if folder is None else str(folder / FILE_NAME)
        self._sql = sqlite3.connect(name, check_same_thread=False, isolation_level=None)
        self._sql.executescript(_TABLES)
        self._sql.execute(
            "INSERT OR REPLACE INTO datastores VALUES (?, ?, 'ACTIVE', 'ACTIVE', 0, ?, ?)",
            (
                first.datastore_id,
                orjson.dumps({"datastoreName": "emulator"}),
                first.created_at,
                first.created_at,
            ),
        )
        self._stores = {first.datastore_id: first}

    def close(self) -> None:
        """Close the account's file and every data store but the first."""
        for store in list(self._stores.values())[1:]:
            store.close()
        self._sql.close()

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """The account's tables."""
        with self._lock:
            yield self._sql

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    # --- data stores ------------------------------------------------------------------------------

    def store(self, datastore_id: str) -> Store:
        """The active data store of an identifier.

        Raises: WireError; a ConflictException for one that is not active.
        """
        status = self.properties(datastore_id)["datastoreStatus"]
        if status != "ACTIVE":
            raise conflict("the data store is not ACTIVE")
        return self._opened(datastore_id)

    def _opened(self, datastore_id: str) -> Store:
        with self._lock:
            if datastore_id not in self._stores:
                path = None if self._folder is None else self._folder / f"{datastore_id}.sqlite"
                made = Store(path, self._variants, datastore_id, self._clock)
                self._stores[datastore_id] = made
            return self._stores[datastore_id]

    def properties(self, datastore_id: str) -> dict[str, Any]:
        """The properties of a data store, whatever its state.

        Raises: WireError.
        """
        with self._lock:
            row = self._sql.execute(
                "SELECT * FROM datastores WHERE datastore_id = ?", (datastore_id,)
            ).fetchone()
        if row is None:
            raise not_found("there is no such data store")
        return self._properties(row)

    def all_properties(self) -> list[dict[str, Any]]:
        """The properties of every data store, the oldest first."""
        with self._lock:
            rows = self._sql.execute("SELECT * FROM datastores ORDER BY created_at").fetchall()
        return [self._properties(row) for row in rows]

    def _properties(self, row: tuple[Any, ...]) -> dict[str, Any]:
        datastore_id, given, working, done, settles_at, created_at, updated_at = row
        return {
            **orjson.loads(given),
            "datastoreId": datastore_id,
            "datastoreStatus": working if self._clock() < settles_at else done,
            "datastoreArn": self.arn(datastore_id),
            "createdAt": created_at,
            "updatedAt": updated_at,
        }

    def create(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make a data store; CreateDatastore's answer."""
        datastore_id, now = uuid.uuid4().hex, self._clock()
        kept = {k: v for k, v in given.items() if k not in ("clientToken", "tags")}
        kept.setdefault("datastoreName", datastore_id)
        with self._lock:
            self._sql.execute(
                "INSERT INTO datastores VALUES (?, ?, 'CREATING', 'ACTIVE', ?, ?, ?)",
                (datastore_id, orjson.dumps(kept), now + self.settle_s, now, now),
            )
        if "tags" in given:
            self.tag(self.arn(datastore_id), given["tags"])
        return {"datastoreId": datastore_id, "datastoreStatus": "CREATING"}

    def delete(self, datastore_id: str) -> dict[str, Any]:
        """Delete an empty data store; DeleteDatastore's answer.

        Raises: WireError; a ConflictException where image sets are in it.
        """
        if self.store(datastore_id).count():
            raise conflict("the data store holds image sets, which must be deleted first")
        now = self._clock()
        with self._lock:
            self._sql.execute(
                "UPDATE datastores SET working = 'DELETING', done = 'DELETED', settles_at = ?, "
                "updated_at = ? WHERE datastore_id = ?",
                (now + self.settle_s, now, datastore_id),
            )
        return {"datastoreId": datastore_id, "datastoreStatus": "DELETING"}

    # --- idempotency ------------------------------------------------------------------------------

    def once(
        self, operation: str, given: Mapping[str, Any], act: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The answer of `act`, or the one that this client token was given before.

        Raises: WireError; a ConflictException for a token that came with other parameters.
        """
        with self._one_at_a_time:
            return self._once(operation, given, act)

    def _once(
        self, operation: str, given: Mapping[str, Any], act: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        token = given["clientToken"]
        said = hashlib.blake2b(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).hexdigest()
        with self._lock:
            known = self._sql.execute(
                "SELECT said, answer FROM requests WHERE operation = ? AND token = ?",
                (operation, token),
            ).fetchone()
        if known is not None:
            if known[0] != said:
                raise conflict("clientToken was used with other parameters")
            earlier: dict[str, Any] = orjson.loads(known[1])
            return earlier
        answer = act()
        with self._lock:
            self._sql.execute(
                "INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?)",
                (operation, token, said, orjson.dumps(answer)),
            )
        return answer

    # --- tags -------------------------------------------------------------------------------------

    def arn(self, datastore_id: str, image_set_id: str = "") -> str:
        """The ARN of a data store or of an image set in it."""
        arn = f"arn:aws:medical-imaging:{REGION}:{ACCOUNT}:datastore/{datastore_id}"
        return f"{arn}/imageset/{image_set_id}" if image_set_id else arn

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of a resource.

        Raises: WireError.
        """
        self._check_resource(arn)
        with self._lock:
            rows = self._sql.execute("SELECT key, value FROM tags WHERE arn = ?", (arn,)).fetchall()
        return dict(rows)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags, in place of those with the same keys.

        Raises: WireError.
        """
        if len({**self.tags(arn), **tags}) > MOST_TAGS:
            raise invalid(f"a resource can have {MOST_TAGS} tags")
        rows = [(arn, key, value) for key, value in tags.items()]
        with self._lock:
            self._sql.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", rows)

    def untag(self, arn: str, keys: list[str]) -> None:
        """Remove tags; one that is not there is no error.

        Raises: WireError.
        """
        self._check_resource(arn)
        with self._lock:
            self._sql.executemany(
                "DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys]
            )

    def _check_resource(self, arn: str) -> None:
        found = _DATASTORE.fullmatch(arn)
        datastore_id, image_set_id = found.groups() if found else ("", None)
        if arn != self.arn(datastore_id, image_set_id or ""):
            raise not_found("there is no such resource")
        self.properties(datastore_id)
        if image_set_id and self._opened(datastore_id).get_image_set(image_set_id) is None:
            raise not_found("there is no such image set")
