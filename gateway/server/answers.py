"""Answers that are given again, for as long as another search could share their walks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from gateway.healthimaging.walk import Walk
from gateway.healthimaging.walks import WalkLimits
from gateway.search.tally import Tally

MAX_BYTES = 256 * 1024
"""The longest answer that is kept: what is longer is seldom asked for twice."""

_SHARE = 4  # of the memory for walks
_OVERHEAD_BYTES, _NAME_BYTES = 2_000, 200


class Whole:
    """The parts of a body put together, unless that gets too long to be kept."""

    def __init__(self) -> None:
        self._parts: list[bytes] | None = []
        self._size = 0

    def add(self, part: bytes) -> bytes:
        """Take in the next part, and give it back."""
        self._size += len(part)
        if self._size > MAX_BYTES:
            self._parts = None
        if self._parts is not None:
            self._parts.append(part)
        return part

    @property
    def body(self) -> bytes | None:
        """All of it, None where it is too long."""
        return None if self._parts is None else b"".join(self._parts)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole body, what its search has met, and the walks that it has read."""

    body: bytes = field(repr=False)
    tally: Tally = field(repr=False)
    walks: tuple[Walk, ...] = field(repr=False)

    @property
    def began(self) -> float:
        """When the oldest of its walks began."""
        return min(walk.started_at for walk in self.walks)

    @property
    def weight(self) -> int:
        """The bytes that it takes, about."""
        return _OVERHEAD_BYTES + len(self.body) + _NAME_BYTES * len(self.tally.hidden)


class Answers:
    """The latest answers, each under what decides it: the query, the options, the form.

    The same question, put to the same walks, has the same answer. It is given where all of these
    walks may be joined, so that no answer is older than it could be without, nor of another walk
    than its neighbours.
    """

    def __init__(self, limits: WalkLimits, clock: Callable[[], float]) -> None:
        self._limits, self._clock = limits, clock
        self._answers: dict[Hashable, Answer] = {}  # to look through one asks no key again
        self._timer: asyncio.TimerHandle | None = None
        self.weight = 0

    def get(self, key: Hashable, *, continues: bool) -> Answer | None:
        """The answer of `key`, None where none may be given again.

        `continues` says that its client has the results before it already.
        """
        answer = self._answers.get(key)
        if answer is None or any(walk.is_forgotten for walk in answer.walks):
            return None
        if self._clock() - answer.began >= self._limits.young_s(continues=continues):
            return None
        self._answers[key] = self._answers.pop(key)
        return answer

    def put(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer; where there is no room, the one that was not given for longest goes."""
        bound = self._limits.cache_bytes // _SHARE
        if answer.weight > bound or answer.tally.faults or not answer.walks:
            return  # too long, perhaps better the next time, or asked of nobody
        self._drop(key)
        self._answers[key] = answer
        self.weight += answer.weight
        while self.weight > bound:
            self._drop(next(iter(self._answers)))
        if self._timer is None:
            self._expire()

    def close(self) -> None:
        """Keep nothing."""
        for key in list(self._answers):
            self._drop(key)
        self._expire()

    def _drop(self, key: Hashable) -> None:
        if (before := self._answers.pop(key, None)) is not None:
            self.weight -= before.weight

    def _expire(self) -> None:
        """Drop what is too old for anybody, now and when the next one is."""
        keep_s = self._limits.young_s(continues=True)
        now = self._clock()
        for key in [k for k, one in self._answers.items() if now - one.began >= keep_s]:
            self._drop(key)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._answers:
            oldest = min(one.began for one in self._answers.values())
            after_s = max(oldest + keep_s - now, keep_s / 10)
            self._timer = asyncio.get_running_loop().call_later(after_s, self._expire)
