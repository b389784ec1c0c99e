"""What of metadata a query needs, beside what summaries tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gateway.qido.attributes import Attribute, Level, Origin, is_known, returned_by_default
from gateway.qido.conditions import Criterion
from gateway.qido.query import Query
from gateway.search.plan import SearchOptions
from gateway.search.upstream import Names

COUNT = "NumberOfSeriesRelatedInstances"
"""Derived of summaries, where these are a series' own; for sure by counting in metadata."""

_NO_INSTANCE: Names = frozenset()


@dataclass(frozen=True, slots=True)
class Needs:
    """What of metadata a search needs.

    `study` and `series` are the attributes that a study or series takes from it; `count` says that
    the number of a series' instances is counted there, of each or only where the summaries leave
    it open; `waiting` holds the criteria that cannot be decided without it, `orders` says that the
    order can't; `names` is what is read of each instance.
    """

    instances: bool = False
    names: Names = _NO_INSTANCE
    study: tuple[Attribute, ...] = ()
    series: tuple[Attribute, ...] = ()
    count: Literal["never", "where open", "each"] = "never"
    waiting: tuple[Criterion, ...] = ()
    orders: bool = False

    @property
    def anything(self) -> bool:
        """Whether any metadata is fetched."""
        return self.decides or bool(self.study or self.series) or self.count != "never"

    @property
    def decides(self) -> bool:
        """Whether the number or the order of the results depends on it."""
        return self.instances or bool(self.waiting) or self.orders


def needs_of(query: Query, options: SearchOptions) -> Needs:
    """What `query` needs: at the levels of studies and series only what it names."""
    sure_count = options.counts == "image-set"

    def is_fetched(attribute: Attribute) -> bool:
        if attribute.keyword == COUNT:
            return not sure_count
        known = is_known(attribute, query.resource, query.fetched)
        return attribute.origin is Origin.METADATA and known

    waiting = tuple(c for c in query.criteria if is_fetched(c.attribute))
    order = tuple(o.attribute for o in query.order if is_fetched(o.attribute))
    asked = (*(c.attribute for c in query.criteria), *order, *query.also_return)
    if query.level is Level.INSTANCE:
        return Needs(True, _names(query, asked), waiting=waiting, orders=bool(order))
    deciding = (*(c.attribute for c in waiting), *order)
    counted = _counts(filter(is_fetched, asked))
    return Needs(
        study=_of_level(filter(is_fetched, asked), Level.STUDY),
        series=_of_level(filter(is_fetched, asked), Level.SERIES),
        count="each" if _counts(deciding) else "where open" if counted else "never",
        waiting=waiting,
        orders=bool(order),
    )


def _counts(attributes: Iterable[Attribute]) -> bool:
    return any(attribute.keyword == COUNT for attribute in attributes)


def _names(query: Query, asked: Iterable[Attribute]) -> Names:
    if query.everything:
        return None
    wanted = (*asked, *returned_by_default(query.resource))
    return frozenset(a.keyword for a in wanted if a.origin is Origin.METADATA)


def _of_level(asked: Iterable[Attribute], level: Level) -> tuple[Attribute, ...]:
    wanted = (a for a in asked if a.origin is Origin.METADATA and a.level is level)
    return tuple(dict.fromkeys(wanted))
