"""Which metadata was found sound: the same bytes are not looked into again.

To look into the metadata of a long series takes longer than to pass it on. Only its digest and its
UIDs are kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from gateway.wado.upstream import Place

MAX_UIDS = 100_000
"""Instances that are kept in mind: some ten megabytes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """That a body of this digest is an array of these instances, which can be given as it is."""

    digest: bytes
    uids: tuple[str, ...] = field(repr=False)

    def is_of(self, body: bytes) -> bool:
        """Whether it was said of this very body."""
        if not (body.startswith(b"[") and body.endswith(b"]")):
            return False  # its instances can't be told from what is around them without a look
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return new_digest(body).digest() == self.digest


class Verdicts:
    """The latest verdicts, by the place whose series they are of."""

    def __init__(self, most: int = MAX_UIDS) -> None:
        self._most, self._held = most, 0
        self._by_place: dict[Place, Verdict] = {}

    def get(self, place: Place) -> Verdict | None:
        """What was said of the metadata at a place, None where nothing is known."""
        found = self._by_place.pop(place, None)
        if found is not None:
            self._by_place[place] = found
        return found

    def put(self, place: Place, verdict: Verdict) -> None:
        """Keep a verdict; what was not asked for longest makes room."""
        before = self._by_place.pop(place, None)
        self._held += len(verdict.uids) - (len(before.uids) if before else 0)
        self._by_place[place] = verdict
        while self._held > self._most:
            oldest = next(iter(self._by_place))
            self._held -= len(self._by_place.pop(oldest).uids)


def new_digest(beginning: bytes = b"") -> hashlib.blake2b:
    """A digest to go on with."""
    return hashlib.blake2b(beginning, digest_size=32)
