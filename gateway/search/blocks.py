"""Private blocks: the numbers that a request gives them, and those that an instance does.

Source: PS3.5 §7.8.1: a creator reserves a block of its group, and which one is the writer's choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

_FIRST, _LAST = 0x10, 0xFF

_Blocks = Mapping[str, str]


def renumbered(
    keys: Iterable[str], present: Mapping[str, str], wanted: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Each of `keys` as (what it is called under the `wanted` numbers, what it is stored as).

    `present` and `wanted` have the tag of a creator's element to its text. A wanted block is that
    of the same creator, or has nothing in it; a block that must make room for it has a free
    number. So the data set says the same as before, and a wanted tag is never another creator's.
    """
    stored = list(keys)
    groups = {tag[:4] for tag in wanted}
    moves = {group: _moves(group, stored, present, wanted) for group in groups}
    for key in stored:
        block = _block(key)
        if key[:4] not in groups or not block:
            yield key, key
            continue
        for number in moves[key[:4]].get(block, ()):
            creator = key[4:6] == "00"
            yield (f"{key[:6]}{number}" if creator else f"{key[:4]}{number}{key[6:]}"), key


def _moves(
    group: str, keys: list[str], present: Mapping[str, str], wanted: Mapping[str, str]
) -> dict[str, list[str]]:
    """Each number that is used in `group` to those that it has among the wanted ones."""
    creators, asked = _creators(group, present), _creators(group, wanted)
    used = sorted({block for key in keys if key[:4] == group and (block := _block(key))})
    moves: dict[str, list[str]] = {block: [] for block in used}
    for number, text in asked.items():
        if (source := _source(number, text, creators)) is not None:
            moves[source].append(number)
    taken = {*used, *asked}
    free = (n for i in range(_FIRST, _LAST + 1) if (n := f"{i:02X}") not in taken)
    for block, numbers in moves.items():
        if not numbers:
            numbers.extend([block] if block not in asked else [n for n in [next(free, "")] if n])
    return moves


def _creators(group: str, texts: Mapping[str, str]) -> _Blocks:
    """Of `texts` by tag those of the group's creators, by block."""
    return {tag[6:]: text for tag, text in texts.items() if tag[:6] == f"{group}00" and _block(tag)}


def _source(number: str, text: str, creators: _Blocks) -> str | None:
    if creators.get(number) == text:
        return number
    return next((block for block in sorted(creators) if creators[block] == text), None)


def _block(key: str) -> str:
    """The two digits of the block that a private tag is of, "" where it is of none."""
    if len(key) != len("ggggeeee") or key[3] not in "13579BDF":
        return ""
    digits = key[6:] if key[4:6] == "00" else key[4:6]
    return digits if digits >= "10" else ""
