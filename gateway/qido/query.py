"""A query: what a request asks, read from its URI. Any text gives a Query or a QueryError.

Source: PS3.18 §8.3.4 and §10.6.1.2; PS3.4 §C.2.2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.errors import QueryError
from gateway.qido.arrival import ARRIVAL, arrival_criterion
from gateway.qido.attributes import (
    BY_KEYWORD,
    Attribute,
    Level,
    Resource,
    answerable,
    keyword_of,
    vr_of,
)
from gateway.qido.conditions import (
    Behaviours,
    Condition,
    Criterion,
    condition_of,
    is_universal,
    join_date_and_time,
)
from gateway.qido.ordering import MAX_ORDER_KEYS, OrderKey

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


@dataclass(frozen=True, slots=True)
class Query:
    """What one request asks. `limit` is None where the request names none.

    `also_return` holds the attributes that the request adds to the default ones; `order` what the
    results are sorted by before the order that every answer has; `warnings` what
    was asked and not done, as sentences that hold names of parameters and never a value;
    `everything` asks for all that a result holds.
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

    @property
    def level(self) -> Level:
        """The level of the results."""
        return self.resource.level


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an operator decides about queries."""

    strict: bool = False
    instances_matchable: bool = False
    """NumberOfSeriesRelatedInstances is known for sure: `counts = "image-set"`."""


def parse_query(
    resource: Resource,
    query_string: bytes,
    *,
    study_uid: str | None = None,
    dialect: Dialect = Dialect(),
) -> Query:
    """The query of `query_string` (as in the URI, percent-encoded) at `resource`.

    `study_uid` is the StudyInstanceUID of the path, where the resource has one.

    Raises: QueryError.
    """
    reader = _Reader(resource, dialect)
    if study_uid is not None:
        uid = BY_KEYWORD["StudyInstanceUID"]
        criterion = condition_of(uid, study_uid, "StudyInstanceUID")
        if criterion is None or "," in study_uid or "\\" in study_uid:
            raise QueryError("StudyInstanceUID", "the path must hold one UID")
        reader.criteria.append(Criterion(uid, criterion))
    # The behaviours decide how keys are read, wherever they stand
    for name, value in sorted(_pairs(query_string), key=lambda pair: pair[0] not in _BEHAVIOURS):
        reader.read(name, value)
    return reader.query()


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
        self._answerable = {a.keyword: a for a in answerable(resource)}
        self._also: dict[str, Attribute] = {}
        self._order: dict[str, OrderKey] = {}
        self._warnings: dict[str, None] = {}
        self._once: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._names: dict[str, None] = {}
        self._conditions: dict[str, tuple[str, Condition]] = {}

    def read(self, name: str, value: str) -> None:
        """Take one parameter in."""
        if name in _INCLUDE:
            self._names["includefield"] = None
            self._read_includefield(value)
        elif name in ("limit", "offset"):
            self._names[name] = None
            self._read_number(name, value)
        elif name in _BEHAVIOURS:
            self._names[name] = None
            self._read_behaviour(name, value)
        elif name == "orderby":
            self._names[name] = None
            self._read_orderby(value)
        elif name in ARRIVAL:
            self._names[name] = None
            self._read_arrival(name, value)
        elif name in _GENERAL:
            self._names[name] = None
        else:
            self._read_key(name, value)

    def query(self) -> Query:
        """The query of all that was read."""
        self.criteria += join_date_and_time(self._conditions)
        return Query(
            resource=self._resource,
            criteria=tuple(self.criteria),
            also_return=tuple(self._also.values()),
            order=tuple(self._order.values()),
            limit=self._numbers.get("limit"),
            offset=self._numbers.get("offset", 0),
            warnings=tuple(self._warnings),
            parameters=tuple(self._names),
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

    def _read_includefield(self, value: str) -> None:
        for name in filter(None, (part.strip() for part in value.split(","))):
            keyword = keyword_of(name.partition(".")[0])
            if name == "all":
                self._also.update(self._answerable)
            elif keyword is None:
                self._ignore("includefield", "names an attribute that is not known")
            elif attribute := self._answerable.get(keyword):
                self._also[keyword] = attribute
            # one that the resource does not have is left out without a word (§10.6.3.3)

    def _read_orderby(self, value: str) -> None:
        for part in filter(None, (part.strip() for part in value.split(","))):
            name = part.removeprefix("-")
            keyword = keyword_of(name) or name
            attribute = ARRIVAL.get(keyword) or self._answerable.get(keyword)
            if attribute is None or not self._matchable(attribute):
                raise QueryError("orderby", "each name must be of an attribute that is known here")
            if attribute.keyword in self._order:
                raise QueryError("orderby", "must not name an attribute twice")
            if len(self._order) == MAX_ORDER_KEYS:
                raise QueryError("orderby", f"may name {MAX_ORDER_KEYS} attributes at most")
            self._order[attribute.keyword] = OrderKey(attribute, part.startswith("-"))

    def _read_arrival(self, name: str, value: str) -> None:
        if self._once.setdefault(name, value) != value:
            raise QueryError(name, "must not be repeated with another value")
        criterion = arrival_criterion(name, value)
        if criterion is not None and criterion not in self.criteria:
            self.criteria.append(criterion)

    def _read_key(self, name: str, value: str) -> None:
        keyword = keyword_of(name)
        shown = keyword or _shown(name)
        self._names[keyword or "?"] = None  # any other name could be anything
        attribute = self._answerable.get(keyword or "")
        if attribute is None or not self._matchable(attribute):
            if attribute is not None:
                self._also[attribute.keyword] = attribute
            # One that any value matches asks for its attribute, as includefield does
            if keyword is None or not is_universal(vr_of(keyword), value):
                self._ignore(shown, "is not supported for matching here")
            return
        # A repetition is refused unless it says the same again (§8.3.4.1)
        if self._once.setdefault(attribute.keyword, value) != value:
            raise QueryError(attribute.keyword, "must not be repeated with another value")
        self._also[attribute.keyword] = attribute
        condition = condition_of(attribute, value, attribute.keyword, self._behaviours)
        if condition is not None:
            self._conditions[attribute.keyword] = (value, condition)

    def _matchable(self, attribute: Attribute) -> bool:
        if attribute.keyword == "NumberOfSeriesRelatedInstances":
            return self._dialect.instances_matchable
        return attribute.matchable

    def _ignore(self, name: str, why: str) -> None:
        if self._dialect.strict:
            raise QueryError(name, why)
        subject = "A parameter" if name == _STRANGE else f"The {name} parameter"
        self._warnings[f"{subject} {why}. It has been ignored."] = None
