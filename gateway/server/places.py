"""Where a target lies, and what the first place that has it gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.errors import NotFoundError
from gateway.wado.requests import Target
from gateway.wado.upstream import Place, Retrieval

_T = TypeVar("_T")


async def at_first(
    retrieval: Retrieval, target: Target, call: Callable[[Place], Awaitable[_T]]
) -> _T:
    """What `call` gives for the first place of a target that has it.

    Where none has, what is kept of its places may be out of date: then they are looked for anew.

    Raises: NotFoundError where none has.
    """
    tried: Sequence[Place] = ()
    for recent in (False, True):
        places = list(await retrieval.places(target.study_uid, target.series_uid, recent=recent))
        for place in places if places != tried else ():
            try:
                return await call(place)
            except NotFoundError:  # a series may lie at several places
                continue
        tried = places
    raise NotFoundError("There is no such instance, or it has nothing of that name.")
