"""A table of a rule: its rows by their names, which become the tests' ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest


def named(rows: Mapping[str, tuple[Any, ...]]) -> list[Any]:
    """The rows as parameters, each with its name as the id."""
    return [pytest.param(*row, id=name) for name, row in rows.items()]
