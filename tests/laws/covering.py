"""Covering arrays: few rows in which any `strength` factors take all their values together."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

TRIES = 12
"""Candidate rows of which the one that covers most is taken."""

Choice = tuple[tuple[str, str], ...]


def covering_array(factors: Mapping[str, Sequence[str]], strength: int) -> list[dict[str, Any]]:
    """The rows, factor to value, always the same for the same factors."""
    chance = random.Random(strength)
    missing = all_choices(factors, strength)
    rows: list[dict[str, Any]] = []
    while missing:
        candidates = [_candidate(factors, missing, strength, chance) for _ in range(TRIES)]
        best = max(candidates, key=lambda row: len(_choices_of(row, strength) & missing))
        rows.append(best)
        missing -= _choices_of(best, strength)
    return rows


def all_choices(factors: Mapping[str, Sequence[str]], strength: int) -> set[Choice]:
    """Every combination of values of every `strength` factors."""
    return {
        tuple(zip(names, values, strict=True))
        for names in combinations(sorted(factors), strength)
        for values in product(*(factors[name] for name in names))
    }


def _choices_of(row: Mapping[str, str], strength: int) -> set[Choice]:
    return set(combinations(sorted(row.items()), strength))


def _candidate(
    factors: Mapping[str, Sequence[str]], missing: set[Choice], strength: int, chance: random.Random
) -> dict[str, str]:
    """A row around one missing choice, each further factor taking what covers most."""
    row = dict(chance.choice(sorted(missing)))
    names = [name for name in factors if name not in row]
    chance.shuffle(names)
    for name in names:
        scores = {}
        for value in factors[name]:
            others = combinations(sorted(row.items()), strength - 1)
            scores[value] = sum(tuple(sorted((*o, (name, value)))) in missing for o in others)
        best = max(scores.values())
        row[name] = chance.choice([value for value in factors[name] if scores[value] == best])
    return row
