"""Where a target lies, and what the first place that has it gives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from gateway.errors import NotFoundError, UpstreamUnavailableError
from gateway.wado.requests import Target
from gateway.wado.upstream import Place, Retrieval

NOT_GIVEN = "HealthImaging does not give what it lists."
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


async def of_each(
    retrieval: Retrieval, target: Target, ask: Callable[[Place], Awaitable[_T]]
) -> AsyncGenerator[tuple[Place, _T], None]:
    """What `ask` finds at each place of a study or series, without series that have gone.

    Raises: NotFoundError where there is no such study or series, UpstreamError, also where a series
    that is shown is not given; what `ask` raises.
    """
    for place in await _recent(retrieval, target):
        try:
            found = await ask(place)
        except NotFoundError:
            await _see_gone(retrieval, target, place)
        else:
            yield place, found


async def _recent(retrieval: Retrieval, target: Target) -> Sequence[Place]:
    """The places of a study or series that is listed: one that lacks the newest looks whole."""
    return await retrieval.places(target.study_uid, target.series_uid, recent=True)


async def all_instances(
    retrieval: Retrieval, target: Target
) -> AsyncGenerator[tuple[Place, str], None]:
    """The SOPInstanceUIDs of a study or series in order, each with the first place that has it.

    Raises: NotFoundError, UpstreamError.
    """
    given: set[str] = set()
    async with aclosing(of_each(retrieval, target, retrieval.instances)) as each:
        async for place, listed in each:
            for uid in listed:
                if uid not in given:
                    given.add(uid)
                    yield place, uid


async def _see_gone(retrieval: Retrieval, target: Target, place: Place) -> None:
    """See that the series of a place that has nothing is not shown any more.

    Raises: UpstreamUnavailableError, for without it the answer would only look whole.
    """
    try:
        shown = await _recent(retrieval, target)
    except NotFoundError:
        return
    if any(one.series_uid == place.series_uid for one in shown):
        raise UpstreamUnavailableError(NOT_GIVEN)
