"""A query: what a request asks, read from its URI. Any text gives a Query or a QueryError.

Source: PS3.18 §8.3.4 and §10.6.1.2; PS3.4 §C.2.2.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from gateway.errors import QueryError
from gateway.qido.arrival import ARRIVAL, arrival_criterion
from gateway.qido.asking import UNSUPPORTED, Asking
from gateway.qido.attributes import BY_KEYWORD, Attribute, Level, Resource
from gateway.qido.conditions import Behaviours, Criterion
from gateway.qido.keys import name_of, path_named
from gateway.qido.keyvalues import condition_of
from gateway.qido.ordering import OrderKey

_SAFE_NAME = re.compile(r"[A-Za-z0-9_.]{1,64}")
_STRANGE = "a parameter"  # one whose name is better not repeated
_DIGITS = re.compile(r"[0-9]+")
_MOST = 10**18  # stands for every number of more digits: no store has so many results
_BEHAVIOURS = ("fuzzymatching", "emptyvaluematching", "multiplevaluematching")
_GENERAL = frozenset(("accept", "charset"))  # read by the server (§8.3.3)
_INCLUDE = frozenset(("includefield", "includeField"))  # the second spelling is a client's habit
PARAMETERS = (
    *sorted(_GENERAL),
    *sorted(_BEHAVIOURS),
    *("includefield", "limit", "offset", "orderby"),
    *sorted(ARRIVAL),
)
"""The query parameters that are no attributes: the standard's, then the declared extensions."""
_NO_CREATORS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Query:
    """What one request asks. `limit` is None where the request names none.

    `also_return` holds the attributes that the request adds to the default ones, and `everything`
    says that it asks for all there are; `fetched` are the keywords of the study level that the
    operator has fetched from metadata; `order` what the results are sorted by before the order
    that every answer has; `warnings` what was asked and not done, as sentences that hold names of
    parameters and never a value. `creators` has the private creators that the request names, by
    the tags at which it has them: an instance may have them at others.
    """

    resource: Resource
    criteria: tuple[Criterion, ...] = ()
    also_return: tuple[Attribute, ...] = ()
    order: tuple[OrderKey, ...] = ()
    limit: int | None = None
    offset: int = 0
    warnings: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    everything: bool = False
    fetched: frozenset[str] = frozenset()
    creators: Mapping[str, str] = field(default_factory=lambda: _NO_CREATORS, repr=False)

    @property
    def level(self) -> Level:
        """The level of the results."""
        return self.resource.level


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an operator decides about queries.

    `study_attributes` are the keywords of the study level that are fetched from metadata.
    """

    strict: bool = False
    study_attributes: frozenset[str] = frozenset()


def parse_query(
    resource: Resource,
    query_string: bytes,
    *,
    study_uid: str | None = None,
    series_uid: str | None = None,
    dialect: Dialect = Dialect(),
) -> Query:
    """The query of `query_string` (as in the URI, percent-encoded) at `resource`.

    `study_uid` and `series_uid` are the UIDs of the path, where the resource has them.

    Raises: QueryError.
    """
    reader = _Reader(resource, dialect)
    for keyword, uid in (("StudyInstanceUID", study_uid), ("SeriesInstanceUID", series_uid)):
        if uid is not None:
            reader.criteria.append(_path_criterion(keyword, uid))
    # The behaviours decide how keys are read, wherever they stand
    for name, value in sorted(_pairs(query_string), key=lambda pair: pair[0] not in _BEHAVIOURS):
        reader.read(name, value)
    return reader.query()


def _path_criterion(keyword: str, uid: str) -> Criterion:
    condition = condition_of(BY_KEYWORD[keyword], uid, keyword)
    if condition is None or "," in uid or "\\" in uid:
        raise QueryError(keyword, "the path must hold one UID")
    return Criterion(BY_KEYWORD[keyword], condition)


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    pairs = []
    for segment in query_string.split(b"&"):
        raw_name, equals, raw_value = segment.partition(b"=")
        if not segment:
            continue  # Weasis sends "?&limit=", others a trailing "&"
        name = _decoded(raw_name, "a parameter's name")
        if not name:
            raise QueryError("query", "each parameter needs a name before its =")
        value = _decoded(raw_value, _shown(name)) if equals else ""
        pairs.append((name, value))
    return pairs


def _decoded(raw: bytes, name: str) -> str:
    # "+" is a space: clients encode forms; in accept it is repaired by the server
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise QueryError(name, "must be UTF-8, percent-encoded") from exc


def _shown(name: str) -> str:
    return name if _SAFE_NAME.fullmatch(name) else _STRANGE


class _Reader:
    """Gathers one query, a parameter at a time."""

    def __init__(self, resource: Resource, dialect: Dialect) -> None:
        self.criteria: list[Criterion] = []
        self._resource = resource
        self._dialect = dialect
        self._asking = Asking(resource, dialect.study_attributes, self._ignore)
        self._warnings: dict[str, None] = {}
        self._once: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._names: dict[str, None] = {}

    def read(self, name: str, value: str) -> None:
        """Take one parameter in."""
        if name in _INCLUDE:
            self._names["includefield"] = None
            self._asking.read_includefield(value)
        elif name in ("limit", "offset"):
            self._names[name] = None
            self._read_number(name, value)
        elif name in _BEHAVIOURS:
            self._names[name] = None
            self._read_behaviour(name, value)
        elif name == "orderby":
            self._names[name] = None
            self._asking.read_orderby(value)
        elif name in ARRIVAL:
            self._names[name] = None
            self._read_arrival(name, value)
        elif name in _GENERAL:
            self._names[name] = None
        else:
            self._read_key(name, value)

    def query(self) -> Query:
        """The query of all that was read."""
        self.criteria += self._asking.criteria(self._behaviours)
        return Query(
            resource=self._resource,
            criteria=tuple(self.criteria),
            also_return=tuple(self._asking.also_return.values()),
            order=tuple(self._asking.order.values()),
            limit=self._numbers.get("limit"),
            offset=self._numbers.get("offset", 0),
            warnings=tuple(self._warnings),
            parameters=tuple(self._names),
            everything=self._asking.everything,
            fetched=self._dialect.study_attributes,
            creators=self._asking.creators(),
        )

    def _read_number(self, name: str, value: str) -> None:
        if name in self._numbers:
            raise QueryError(name, "must not be repeated")
        if not _DIGITS.fullmatch(value):
            raise QueryError(name, "must be a whole number, 0 or more")
        digits = value.lstrip("0") or "0"
        self._numbers[name] = int(digits) if len(digits) < len(str(_MOST)) else _MOST

    def _read_behaviour(self, name: str, value: str) -> None:
        if self._once.setdefault(name, value.lower()) != value.lower():
            raise QueryError(name, "must not be repeated with another value")
        if value.lower() not in ("true", "false"):
            raise QueryError(name, "must be true or false")

    @property
    def _behaviours(self) -> Behaviours:
        return Behaviours(*(self._once.get(name) == "true" for name in _BEHAVIOURS))

    def _read_arrival(self, name: str, value: str) -> None:
        if self._once.setdefault(name, value) != value:
            raise QueryError(name, "must not be repeated with another value")
        criterion = arrival_criterion(name, value)
        if criterion is not None and criterion not in self.criteria:
            self.criteria.append(criterion)

    def _read_key(self, name: str, value: str) -> None:
        path = path_named(name)
        # Any other name could be anything, and the digits of a private tag a date
        told = path is not None and not any(attribute.is_private for attribute in path)
        self._names[name_of(path) if path is not None and told else "?"] = None
        if path is None:
            self._ignore(_shown(name), UNSUPPORTED)
        else:
            self._asking.read_key(path, value, self._behaviours)

    def _ignore(self, name: str, why: str) -> None:
        if self._dialect.strict:
            raise QueryError(name, why)
        subject = "A parameter" if name == _STRANGE else f"The {name} parameter"
        self._warnings[f"{subject} {why}. It has been ignored."] = None
