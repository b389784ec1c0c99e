"""From a query to its results: walk, group, match, describe, window. One async generator."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from math import inf

from gateway.errors import GatewayError, ResultTooLargeError, WalkLostError
from gateway.qido.ordering import ordered
from gateway.qido.query import Query
from gateway.qido.result import Result
from gateway.search.describing import Describing, Fetched
from gateway.search.gathering import Gathering
from gateway.search.given import Given
from gateway.search.grouping import Group
from gateway.search.plan import SearchOptions
from gateway.search.study import Found
from gateway.search.tally import Tally
from gateway.search.upstream import Upstream
from gateway.search.window import ResultWindow

MAX_SORTED = 50_000
"""How many results `orderby` may have to sort: all are read, and those before the end held."""

_SPARE = 1_000
"""How many results more than can be answered are held before they are sorted out."""

_TURN = 50
"""How many results may be made one after the other before others have their turn.

Reading that many instances takes some 10 ms.
"""


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
    given = Given(query.level)
    while True:
        window = ResultWindow(query.offset, query.offset + limit)
        run = _Run(query, options, upstream, tally, ResultWindow(0, inf) if query.order else window)
        results = run.in_order(window, max_sorted) if query.order else run.results()
        try:
            async with aclosing(results):
                async for result in results:
                    if given.is_news(result):
                        tally.results += 1
                        yield result
            given.check()
            return
        except WalkLostError:
            if not given.begin_anew():
                raise
            tally.begin_anew()
            upstream.begin_anew()


async def count(query: Query, options: SearchOptions, upstream: Upstream, tally: Tally) -> int:
    """The number of all results; the walk is read to its end.

    Raises: ResultTooLargeError, UpstreamError.
    """
    try:
        return await _counted(query, options, upstream, tally)
    except WalkLostError:
        tally.begin_anew()
        upstream.begin_anew()
        return await _counted(query, options, upstream, tally)


async def _counted(query: Query, options: SearchOptions, upstream: Upstream, tally: Tally) -> int:
    run = _Run(query, options, upstream, tally, ResultWindow(inf, inf))
    async with aclosing(run.results()) as results:
        async for _ in results:
            raise AssertionError("nothing lies behind an infinite offset")
    return run.window.position


class _Run:
    """One search on its way through its window."""

    def __init__(
        self,
        query: Query,
        options: SearchOptions,
        upstream: Upstream,
        tally: Tally,
        window: ResultWindow,
    ) -> None:
        self.window = window
        self._query, self._tally = query, tally
        self._describing = Describing(query, options, upstream, tally)
        needs = self._describing.needs
        self._gathering = Gathering(query, options, upstream, tally, window, needs)

    async def results(self) -> AsyncGenerator[Result, None]:
        """Those within the window; the walk ends with the window."""
        window = self.window
        results_of = self._described if self._describing.needs.anything else self._as_found
        async with aclosing(self._gathering.batches()) as batches:
            async for groups, last in batches:
                if last and not self._describing.needs.decides:
                    self._tally.total = self._gathering.total(window.position, groups)
                self._gathering.expect(groups)
                async with aclosing(results_of(groups)) as results:
                    async for result in results:
                        yield result
                if window.position == window.end:
                    return
        self._tally.total = window.position

    async def in_order(self, window: ResultWindow, at_most: int) -> AsyncGenerator[Result, None]:
        """Those of `window`, of all results in the order of the query.

        Raises: ResultTooLargeError, where all results are more than `at_most`.
        """
        number = int(window.end)
        held: list[Result] = []
        async with aclosing(self.results()) as results:
            async for result in results:
                held.append(result)
                if self.window.position > at_most:
                    raise ResultTooLargeError(
                        f"More than {at_most:,} results would have to be sorted. Ask without "
                        "orderby, or add a StudyDate range or a key."
                    )
                # All that an instance has takes 20 KB: what is not answered is not held
                if len(held) > number + number // 4 + _SPARE:
                    held = (await self._ordered(held))[:number]
        for result in (await self._ordered(held))[int(window.offset) : number]:
            yield result

    async def _ordered(self, results: Sequence[Result]) -> list[Result]:
        """`results` in the query's order. Of many that takes a second, in a thread."""
        return await asyncio.to_thread(ordered, results, self._query.order)

    async def _as_found(self, groups: Sequence[Group]) -> AsyncGenerator[Result, None]:
        """The results of one batch that lie within the window, as they were found."""
        # The same as `_described` of `_found`, which takes more hops for each result
        window, made = self.window, 0
        for group in groups:
            shown = window.position >= window.offset
            for one in await self._gathering.found(group, shown=shown):
                window.position += 1
                if window.position > window.offset:
                    yield one.result
                    if window.position == window.end:
                        return
                made += 1
                if made % _TURN == 0:
                    await asyncio.sleep(0)

    async def _described(self, groups: Sequence[Group]) -> AsyncGenerator[Result, None]:
        """The results of one batch that lie within the window, with what metadata says of them."""
        window, made = self.window, 0
        async with aclosing(self._made(groups)) as results:
            async for result in results:
                window.position += result is not None
                if result is not None and window.position > window.offset:
                    yield result
                    if window.position == window.end:
                        return
                made += 1
                if made % _TURN == 0:
                    await asyncio.sleep(0)

    async def _made(self, groups: Sequence[Group]) -> AsyncGenerator[Result | None, None]:
        """The results of what was found in `groups`, None for each that does not match after all.

        Those before the window may be as they were found, for they are only counted.
        """
        async with aclosing(self._fetched(groups)) as fetched:
            async for one in fetched:
                unread = self.window.offset - self.window.position
                for result in self._describing.results(one, unread):
                    yield result

    async def _fetched(self, groups: Sequence[Group]) -> AsyncGenerator[Fetched, None]:
        """What was found in `groups`, in order, each with its metadata; the next ones under way.

        No further ahead than the window can need, and never into another batch: a page would be
        fetched for it.
        """
        ahead: deque[asyncio.Future[Fetched]] = deque()
        found = self._found(groups)
        try:
            while True:
                while len(ahead) < max(1, min(self._describing.at_once, self.window.wanted)):
                    try:
                        one = await anext(found, None)
                    except GatewayError as exc:  # in its place: those before it may be enough
                        ahead.append(_failed(exc))
                        break
                    if one is None:
                        break
                    ahead.append(asyncio.ensure_future(self._describing.fetch(one)))
                if not ahead:
                    return
                yield await ahead.popleft()
        finally:
            await found.aclose()
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _found(self, groups: Sequence[Group]) -> AsyncGenerator[Found, None]:
        """What was found in `groups`; before the window only counted, if that is all it takes."""
        window = self.window
        for group in groups:
            shown = window.position >= window.offset
            for one in await self._gathering.found(group, shown=shown):
                if window.position < window.offset and not self._describing.needs.decides:
                    window.position += 1
                else:
                    yield one


def _failed(exc: GatewayError) -> asyncio.Future[Fetched]:
    """What ends with `exc` as soon as it is asked."""
    future: asyncio.Future[Fetched] = asyncio.get_running_loop().create_future()
    future.set_exception(exc)
    return future
