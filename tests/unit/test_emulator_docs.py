"""The emulator's document says what the code does."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from gateway.emulator.selecting import FEW
from gateway.emulator.variants import CHOICES
from gateway.emulator_command import DATASTORE_ID, emulator

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "emulator.md").read_text("utf-8")


def test_switches_are_documented() -> None:
    """Every switch has a row with its choices in their order, the default first, and no other."""
    rows = re.findall(r"^\| `--([a-z-]+)` \| (`[^|]+`) \|", TEXT, re.MULTILINE)
    found = {name.replace("-", "_"): tuple(re.findall(r"`([^`]+)`", row)) for name, row in rows}
    assert dict(CHOICES) == found


def test_the_first_choice_is_the_default() -> None:
    """The command takes the first choice of a switch where none is given."""
    parameters = inspect.signature(emulator).parameters
    assert {name: choices[0] for name, choices in CHOICES.items()} == {
        name: parameters[name].default for name in CHOICES
    }


def test_options_are_documented() -> None:
    """Every option of the command is named."""
    renamed = {
        "imports": "import",
        "seeds": "seed",
        "s3_roots": "s3_root",
        "access_key_ids": "access_key_id",
    }
    options = {renamed.get(name, name) for name in inspect.signature(emulator).parameters}
    assert options <= {name.replace("-", "_") for name in re.findall(r"--([a-z0-9-]+)", TEXT)}


def test_numbers_are_documented() -> None:
    """The data store and the number of image sets that may be sorted are the code's."""
    assert DATASTORE_ID in TEXT
    assert f"more than {FEW:,} image sets" in TEXT
