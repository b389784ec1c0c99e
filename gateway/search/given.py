"""The results that a search has given, for one that has to begin anew."""

from __future__ import annotations

from hashlib import blake2b

from gateway.errors import WalkLostError
from gateway.qido.attributes import Level
from gateway.qido.result import Result

_UIDS = {
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.INSTANCE: "SOPInstanceUID",
}


class Given:
    """The results that were given, and whether a walk that begins anew comes to them again.

    A next token can expire. Then the search begins anew, once, and what was given has to come
    first again, or the rest would be of another window.
    """

    def __init__(self, level: Level) -> None:
        self._uid_keyword = _UIDS[level]
        self._digest = blake2b()
        self._number = 0
        self._before = b""
        self._again: blake2b | None = None
        self._behind = 0

    def is_news(self, result: Result) -> bool:
        """Whether `result` was not given before.

        Raises: WalkLostError where others were.
        """
        uid = str(result.values[self._uid_keyword][0]).encode() + b"\0"
        if self._again is None or not self._behind:
            self._digest.update(uid)
            self._number += 1
            return True
        self._again.update(uid)
        self._behind -= 1
        if not self._behind:
            self.check()
        return False

    def check(self) -> None:
        """See that all that was given has come again, if it had to.

        Raises: WalkLostError.
        """
        if self._again is not None and (self._behind or self._again.digest() != self._before):
            raise WalkLostError("The data store has changed since the first results were given.")

    def begin_anew(self) -> bool:
        """Expect those that were given once more; whether that is still worth a try."""
        if self._again is not None:
            return False
        self._again, self._behind = blake2b(), self._number
        self._before = self._digest.digest()
        return True
