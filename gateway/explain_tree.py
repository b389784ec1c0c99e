"""The tree of an explanation, and of what happened, as a terminal shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from gateway.search.cost import RESULTS, Cost
from gateway.search.explain import Explanation, Lane, Matched, Pushed
from gateway.search.plan import Sort

_FILE_WIDTH = 100_000  # a file or a pipe has no edge at which a line could be cut
_LANES = 3  # walks that are shown; the others differ in their values only
_FACTS = {
    "pages": "pages",
    "image_sets": "image sets fetched",
    "results": "results",
    "hidden": "image sets left out as not primary",
    "unusable": "image sets left out as of no study",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """What a search has done: its facts as the log has them, its Warnings, and the time it took.

    `ended` says whether its answer was read to the end, `filled` whether as many results were
    found as offset and limit ask for.
    """

    facts: Mapping[str, object]
    warnings: tuple[str, ...]
    seconds: float
    ended: bool
    filled: bool


def tree_of(explained: Explanation, target: str) -> Tree:
    """The plan as a tree."""
    tree = _branch(target)
    tree.children += filter(  # an empty branch says nothing
        _has_children,
        (
            _branch("pushed down: it narrows what is fetched", map(_pushed, explained.pushed)),
            _branch("matched here only", map(_matched, explained.matched)),
            _branch("ignored", explained.ignored),
            _branch("returned as well", explained.returned),
            _walks(explained),
        ),
    )
    for line in (
        f"answered {_order(explained)}; a study waits {explained.waits.value}",
        f"results {_window(explained)}",
        "studies fetched whole by a search of their own: " + explained.completed.value,
    ):
        tree.add(_text(line))
    tree.children.append(_calls(explained))
    return tree


def tree_of_run(happened: Happened, cost: Cost) -> Tree:
    """What happened as a tree; `cost` is what was said before."""
    facts = happened.facts
    tree = _branch("what happened" if happened.ended else "what happened before it failed")
    tree.add(_text(f"calls: {facts['calls']}, retries included{_kept(happened, cost)}"))
    for name, label in _FACTS.items():
        tree.add(_text(f"{label}: {facts[name]}"))
    rungs = facts["rungs"]
    if isinstance(rungs, list) and rungs:
        taken = Counter(map(str, rungs))
        lines = (f"{_rung(rung)}: {number:,} times" for rung, number in taken.items())
        tree.children.append(_branch("rungs of the ladder taken instead", lines))
    else:
        tree.add(_text("rungs of the ladder taken instead: none"))
    tree.add(_text(f"seconds: {happened.seconds:.2f}"))
    for sentence in happened.warnings:
        tree.add(_text(sentence))
    return tree


def show(tree: Tree, file: IO[str]) -> None:
    """Write `tree`: as wide as the terminal, or with whole lines where it is none."""
    if isinstance(file, TextIOWrapper):
        file.reconfigure(errors="backslashreplace")  # not every terminal has every name's letters
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(tree)


def _branch(label: str, children: Iterable[str | Tree] = ()) -> Tree:
    tree = Tree(_text(label))
    for child in children:
        tree.children.append(child if isinstance(child, Tree) else Tree(_text(child)))
    return tree


def _order(explained: Explanation) -> str:
    return f"by {', '.join(explained.order)}" if explained.order else "newest first"


def _has_children(tree: Tree) -> bool:
    return bool(tree.children)


def _text(line: str) -> Text:
    # What was asked may hold what a terminal takes for an order
    return Text("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line))


def _pushed(one: Pushed) -> Tree:
    label = f"{one.keyword} {one.asked}, as {one.filter}: {one.why.value}"
    return _branch(label, (f"wider: {widened.value}" for widened in one.widened))


def _matched(one: Matched) -> str:
    return f"{one.keyword} {one.asked}: {one.why.value}"


def _walks(explained: Explanation) -> Tree:
    number = len(explained.lanes)
    label = "1 walk" if number == 1 else f"{number:,} walks, each read to its end"
    walks = _branch(label, map(_lane, explained.lanes[:_LANES]))
    if number > _LANES:
        walks.add(_text(f"and {number - _LANES:,} more like these"))
    if number:
        instead = "instead, in this order, where the store calls that invalid"
        walks.children.append(_branch(instead, map(_rung, explained.rungs)))
    return walks


def _lane(one: Lane) -> str:
    return f"{', '.join(one.filters) or 'no filter'}; sorted: {one.sort.value}"


def _rung(shape: str) -> str:
    """A rung's shape, as the log has it, in words."""
    filters, _, sort = shape.rpartition(" ")
    return f"{filters or 'no filter'}; sorted: {Sort[sort].value}"


def _window(explained: Explanation) -> str:
    limit, asked = explained.limit, explained.asked_limit
    first = explained.offset + 1
    window = f"{first:,} to {first + limit - 1:,}" if limit else "none"
    if asked is None:
        return f"{window}, since no limit is asked for"
    return window if asked == limit else f"{window}, which is the most that is given"


def _calls(explained: Explanation) -> Tree:
    cost = explained.cost
    tree = _branch(f"calls: at least {cost.least:,}, at most {cost.most:,}, retries aside")
    if cost.full is not None:
        results = f"{explained.offset + explained.limit:,} {RESULTS[explained.resource.level]}"
        tree.add(_text(f"at least {cost.full:,} if {results} are found"))
    tree.children += (Tree(_text(sentence)) for sentence in cost.usual)
    return tree


def _kept(happened: Happened, cost: Cost) -> str:
    """Whether the calls lie within what was said."""
    calls = happened.facts["calls"]
    if not isinstance(calls, int) or not happened.ended:
        return ""
    least = cost.full if happened.filled and cost.full is not None else cost.least
    within = "within" if least <= calls <= cost.most else "NOT within"
    return f", {within} the {least:,} to {cost.most:,} that were said"
