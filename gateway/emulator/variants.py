"""What AWS leaves undocumented, a switch each. The first choice of a switch is its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal, get_args, get_type_hints


@dataclass(frozen=True, slots=True)
class Variants:
    """One position of every switch; `docs/emulator.md` says what each means."""

    bounds: Literal["inclusive", "exclusive"] = "inclusive"
    undated: Literal["last", "first", "smallest", "largest"] = "last"
    times: Literal["parsed", "text", "missing-first"] = "parsed"
    legacy_dates: Literal["excluded", "included"] = "excluded"
    ties: Literal["grouped", "shuffled"] = "grouped"
    pairs: Literal["any", "documented", "single"] = "any"
    unfiltered: Literal["allowed", "rejected"] = "allowed"
    sort_with_filter: Literal["allowed", "rejected"] = "allowed"
    counts: Literal["image-set", "study"] = "image-set"
    case: Literal["sensitive", "insensitive"] = "sensitive"
    padding: Literal["trimmed", "kept"] = "trimmed"
    pages: Literal["full", "short"] = "full"
    empty_list: Literal["present", "absent"] = "present"
    tokens: Literal["snapshot", "keyset", "offset"] = "snapshot"


CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {field.name: get_args(get_type_hints(Variants)[field.name]) for field in fields(Variants)}
)
"""Switch to its choices, the default first."""
