"""Next tokens: opaque, bound to the data store and the criteria, good for more than one use."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from gateway.emulator.criteria import Criteria
from gateway.emulator.errors import invalid


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins.

    After the row with sort key `after` and `tie`, among the rows up to number `newest`; or at
    `offset`. `page` counts the pages before it, so that no two tokens of a walk are the same.
    """

    after: str | float | None = None
    tie: str = ""
    newest: int = 0
    offset: int = 0
    page: int = 0


MARK = "+/="
"""How every token begins: with what a client must percent-encode, so that a careless one is seen"""


def encode(position: Position, datastore_id: str, criteria: Criteria) -> str:
    """The token of `position`."""
    fields = [_seal(position, datastore_id, criteria), *asdict(position).values()]
    return MARK + base64.b64encode(json.dumps(fields).encode()).decode()


def decode(token: str, datastore_id: str, criteria: Criteria) -> Position:
    """The position of `token`.

    Raises: WireError where it is not one of this data store and these criteria.
    """
    try:
        seal, *fields = json.loads(base64.b64decode(token.removeprefix(MARK), validate=True))
        position = Position(*fields)
        sealed = seal == _seal(position, datastore_id, criteria)
    except (binascii.Error, ValueError, TypeError):
        sealed = False
    if not sealed or not token.startswith(MARK):
        raise invalid("nextToken was not given here, or belongs to other search criteria")
    return position


def _seal(position: Position, datastore_id: str, criteria: Criteria) -> str:
    said: Any = [datastore_id, asdict(criteria), asdict(position)]
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=9).hexdigest()
