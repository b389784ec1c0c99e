"""From a query to its results: walk, group, match, window. One async generator over any walk."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.errors import ResultTooLargeError
from gateway.qido.ordering import ordered
from gateway.qido.query import Query
from gateway.qido.result import Result
from gateway.search.gathering import Gathering, Tally
from gateway.search.plan import SearchOptions
from gateway.search.upstream import Upstream

__all__ = ["MAX_SORTED", "Tally", "count", "search"]

MAX_SORTED = 50_000
"""How many results `orderby` may have to sort: they are all held until the last is known."""


async def search(
    query: Query,
    options: SearchOptions,
    upstream: Upstream,
    limit: int,
    tally: Tally,
    max_sorted: int = MAX_SORTED,
) -> AsyncGenerator[Result, None]:
    """The results `query.offset` to `query.offset + limit`, in the order of the answer.

    Where the query has an order of its own, all are read first; `max_sorted` is how many.

    Raises: ResultTooLargeError, UpstreamError.
    """
    if limit == 0:
        return
    run = Gathering(query, options, upstream, tally)
    if query.order:
        held = ordered(await _everything(run, max_sorted), query.order)
        tally.total = len(held)
        for result in held[query.offset : query.offset + limit]:
            tally.results += 1
            yield result
        return
    position = 0
    async with aclosing(run.batches()) as batches:
        async for groups, last in batches:
            if last:
                tally.total = run.total(position, groups)
            for group in groups:
                for result in await run.results(group, shown=position >= query.offset):
                    if position >= query.offset:
                        tally.results += 1
                        yield result
                    position += 1
                    if position == query.offset + limit:
                        return
    tally.total = position


async def count(query: Query, options: SearchOptions, upstream: Upstream, tally: Tally) -> int:
    """The number of all results; the walk is read to its end.

    Raises: ResultTooLargeError, UpstreamError.
    """
    run = Gathering(query, options, upstream, tally)
    tally.total = 0
    async with aclosing(run.batches()) as batches:
        async for groups, _ in batches:
            for group in groups:
                tally.total += len(await run.results(group, shown=False))
    return tally.total


async def _everything(run: Gathering, at_most: int) -> list[Result]:
    held: list[Result] = []
    async with aclosing(run.batches()) as batches:
        async for groups, _ in batches:
            for group in groups:
                held += await run.results(group, shown=True)
                if len(held) > at_most:
                    raise ResultTooLargeError(
                        f"More than {at_most:,} results would have to be sorted. Ask without "
                        "orderby, or add a StudyDate range or a key."
                    )
    return held
