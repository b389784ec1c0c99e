"""What a request asks of attributes: its matching keys, includefield and orderby.

Source: PS3.18 §8.3.4.1 and §8.3.4.3, §10.6.1.2; PS3.4 §C.2.2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from gateway.errors import QueryError
from gateway.qido.arrival import ARRIVAL
from gateway.qido.attributes import (
    Attribute,
    Level,
    Resource,
    answerable,
    attribute_named,
    creator_tag,
    is_answerable,
    is_known,
)
from gateway.qido.conditions import Behaviours, Criterion, Exact, is_creator, is_matchable
from gateway.qido.keys import (
    MAX_ITEM_KEYS,
    Key,
    Path,
    criteria_of,
    leads_through_sequences,
    name_of,
    path_named,
)
from gateway.qido.keyvalues import condition_of, is_universal
from gateway.qido.ordering import MAX_ORDER_KEYS, OrderKey

UNSUPPORTED = "is not supported for matching here"
_UNKNOWN = "names an attribute that is not known"
_NO_CREATOR = "needs a key on its private creator"
_NAMES_NO_CREATOR = "names a private attribute without a key on its private creator"

Ignore = Callable[[str, str], None]
"""Takes the name of a parameter that is ignored and the reason. Raises: QueryError when strict."""


class Asking:
    """Gathers what is asked of attributes, a parameter at a time.

    `also_return` has the attributes that are returned beside the default ones, `order` what is
    sorted by, both by keyword; `everything` says that all of them were asked for.
    """

    def __init__(self, resource: Resource, fetched: Collection[str], ignore: Ignore) -> None:
        self.also_return: dict[str, Attribute] = {}
        self.order: dict[str, OrderKey] = {}
        self.everything = False
        self._resource = resource
        self._fetched = fetched
        self._ignore = ignore
        self._once: dict[str, str] = {}
        self._keys: dict[str, Key] = {}
        self._private: list[tuple[Attribute, str | None]] = []  # the text of a key, None if none

    def read_includefield(self, value: str) -> None:
        """Take the names of one includefield in."""
        for name in filter(None, (part.strip() for part in value.split(","))):
            path = path_named(name)
            if name == "all":
                self.everything = True
                # Of an instance that is all that it has; of a study or series, all that is known
                if self._resource.level is not Level.INSTANCE:
                    found = answerable(self._resource, self._fetched)
                    self.also_return.update({a.keyword: a for a in found})
            elif path is None or not leads_through_sequences(path) or self._is_foreign(path):
                self._ignore("includefield", _UNKNOWN)
            elif _needs_creator(path[0]):
                self._private.append((path[0], None))
            else:
                # one that the resource does not have is left out without a word (§10.6.3.3)
                self._return(path[0])

    def read_orderby(self, value: str) -> None:
        """Take the names of one orderby in.

        Raises: QueryError.
        """
        for part in filter(None, (part.strip() for part in value.split(","))):
            name = part.removeprefix("-")
            attribute = ARRIVAL.get(name) or attribute_named(name)
            if attribute is None or not (name in ARRIVAL or self._sorts(attribute)):
                raise QueryError("orderby", "each name must be of an attribute that is known here")
            if attribute.keyword in self.order:
                raise QueryError("orderby", "must not name an attribute twice")
            if len(self.order) == MAX_ORDER_KEYS:
                raise QueryError("orderby", f"may name {MAX_ORDER_KEYS} attributes at most")
            self.order[attribute.keyword] = OrderKey(attribute, part.startswith("-"))

    def read_key(self, path: Path, value: str, behaviours: Behaviours) -> None:
        """Take one matching key in.

        Raises: QueryError.
        """
        if len(path) == 1 and _needs_creator(path[0]) and self._knows(path[0]):
            self._private.append((path[0], value))
        elif self._is_foreign(path):
            self._ignore(name_of(path), UNSUPPORTED)
        else:
            self._read_key(path, value, behaviours)

    def creators(self) -> Mapping[str, str]:
        """The text of each private creator that a key names, by its tag."""
        found = {}
        for keyword, key in self._keys.items():
            match key.condition:
                case Exact((str(text),)) if is_creator(key.path[0]):
                    found[keyword] = text
        return found

    def criteria(self, behaviours: Behaviours) -> tuple[Criterion, ...]:
        """The criteria of all that was read.

        Raises: QueryError.
        """
        # Only when all is read it is known which private attributes have their creator
        creators = self.creators()
        for attribute, value in self._private:
            reserved = creator_tag(attribute.tag) in creators
            if reserved and value is None:
                self._return(attribute)
            elif reserved and value is not None:
                self._read_key((attribute,), value, behaviours)
            elif value is None:
                self._ignore("includefield", _NAMES_NO_CREATOR)
            else:
                self._ignore(attribute.keyword, _NO_CREATOR)
        return criteria_of(self._keys.values())

    def _read_key(self, path: Path, value: str, behaviours: Behaviours) -> None:
        name, last = name_of(path), path[-1]
        if not leads_through_sequences(path):
            raise QueryError(name, "each name before the last must be of a sequence")
        self._return(path[0])
        if not self._knows(path[0]) or not all(map(is_matchable, path)):
            # One that any value matches asks for its attribute, as includefield does
            if not is_universal(last.vr, value):
                self._ignore(name, UNSUPPORTED)
            return
        # A repetition is refused unless it says the same again (§8.3.4.1)
        if self._once.setdefault(name, value) != value:
            raise QueryError(name, "must not be repeated with another value")
        condition = condition_of(last, value, name, behaviours)
        if condition is not None:
            self._keys[name] = Key(path, value, condition)
        if sum(len(key.path) > 1 for key in self._keys.values()) > MAX_ITEM_KEYS:
            raise QueryError(name, f"a request may have {MAX_ITEM_KEYS} keys on items at most")

    def _return(self, attribute: Attribute) -> None:
        if is_answerable(attribute, self._resource, self._fetched):
            self.also_return[attribute.keyword] = attribute

    def _knows(self, attribute: Attribute) -> bool:
        return is_known(attribute, self._resource, self._fetched)

    def _sorts(self, attribute: Attribute) -> bool:
        # Which block holds a private attribute is known for those alone that are returned
        sorts = attribute.vr != "SQ" and not attribute.is_private
        return sorts and self._knows(attribute) and is_matchable(attribute)

    def _is_foreign(self, path: Path) -> bool:
        """Whether a private attribute is where none can be asked for: in items, in summaries."""
        private = any(attribute.is_private for attribute in path)
        return private and (len(path) > 1 or not self._knows(path[0]))


def _needs_creator(attribute: Attribute) -> bool:
    return attribute.is_private and not is_creator(attribute)
