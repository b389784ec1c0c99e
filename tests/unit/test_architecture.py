"""The house and its rooms: imports point downwards only, and each room keeps to its own tools."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Room to floor. A room is the longest of these names that a module begins with; modules of one
# room may import each other, and anything on a lower floor.
FLOOR_OF = {
    "gateway.errors": 0,
    "gateway.qido": 1,
    "gateway.search": 2,
    "gateway.wado": 2,
    "gateway.imaging": 2,
    "gateway.healthimaging": 3,
    "gateway.emulator": 3,
    "gateway.sample": 3,
    "gateway.server": 4,
    "gateway.probing": 4,
    "gateway.config": 5,
    "gateway.serving": 5,
    "gateway.terminal": 5,
    "gateway.demo": 5,
    "gateway.ohif": 5,
    "gateway.explain_tree": 5,
    "gateway.app": 6,
    "gateway.config_sources": 6,
    "gateway.emulator_command": 6,
    "gateway.seed_command": 6,
    "gateway.demo_command": 6,
    "gateway.ohif_command": 6,
    "gateway.sample_command": 6,
    "gateway.probe_command": 7,
    "gateway.explain_command": 7,
    "gateway.cli": 8,
    "gateway.__main__": 9,
}
EMPTY_PACKAGE = "gateway"
PURE_FLOORS = 2
ASYNCHRONOUS = "gateway.search.pipeline"
IMPURE = {"asyncio", "logging", "os", "time", "random"}
# The third-party packages that a pure room may use; every other one is for the floors above
PURE_PACKAGES = {"orjson", "pydicom"}
PIXEL_PACKAGES = {"numpy", "PIL"}
AWS = {"aiobotocore", "botocore", "boto3"}
# The emulator reads AWS's own description of its operations, and nothing that calls them
MODEL = {
    ("gateway.emulator.model", "botocore.loaders"),
    ("gateway.emulator.model", "botocore.model"),
}
# What the independent witness may read of the gateway: no matching, grouping or planning
EMULATOR_MAY = ("gateway.errors", "gateway.emulator", "gateway.qido.attributes")


def room_of(module: str) -> str | None:
    """The room of a module of ours, None where the table has none."""
    rooms = (r for r in FLOOR_OF if module == r or module.startswith(r + "."))
    return max(rooms, key=len, default=None)


def faults(module: str, source: str) -> list[str]:
    """What `source`, as the module of that name, does against the rules of the house."""
    if module == EMPTY_PACKAGE:
        return ["the package itself imports nothing"] if list(imports(source)) else []
    room = room_of(module)
    if room is None:
        return [f"{module} is in no room of the table"]
    found = [fault for name in imports(source) for fault in _import_faults(module, room, name)]
    return [*found, *_other_faults(source)]


def imports(source: str) -> Iterator[str]:
    """The full name of every module that is imported anywhere, in functions too."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, _, level) if level or module is None:
                yield "." * level + (module or "")
            case ast.ImportFrom("gateway", names):
                yield from (f"gateway.{alias.name}" for alias in names)
            case ast.ImportFrom(str(module)):
                yield module


def _import_faults(module: str, room: str, name: str) -> Iterator[str]:
    floor, package = FLOOR_OF[room], name.partition(".")[0]
    if name.startswith("."):
        yield "imports are written in full"
    elif package == "gateway":
        yield from _own_import_faults(room, name)
    elif package in AWS and room != "gateway.healthimaging" and (module, name) not in MODEL:
        yield f"only gateway.healthimaging imports {package}"
    elif floor <= PURE_FLOORS and not _is_pure(module, room, package):
        yield f"a pure room imports no {package}"


def _is_pure(module: str, room: str, package: str) -> bool:
    if package in sys.stdlib_module_names:
        return package not in IMPURE or module == ASYNCHRONOUS
    return package in PURE_PACKAGES or (room == "gateway.imaging" and package in PIXEL_PACKAGES)


def _own_import_faults(room: str, name: str) -> Iterator[str]:
    target = room_of(name)
    if target is None:
        yield f"{name} is in no room of the table"
    elif room == "gateway.emulator":
        if not any(name == may or name.startswith(may + ".") for may in EMULATOR_MAY):
            yield f"the emulator shares no code with the gateway: {name}"
    elif target != room and FLOOR_OF[target] >= FLOOR_OF[room]:
        yield f"{room} does not import {target}: it stands no lower"


def _other_faults(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Name("print")):
                yield "nothing is printed: stdout and the log each have one writer"
            case (
                ast.Name("BaseHTTPMiddleware")
                | ast.Attribute(attr="BaseHTTPMiddleware")
                | ast.alias("BaseHTTPMiddleware")
            ):
                yield "middleware is plain ASGI"


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "gateway").rglob("*.py"))
}


def test_there_are_modules_to_check() -> None:
    """The table and the tree have the same rooms."""
    assert set(FLOOR_OF) == {room_of(module) for module in MODULES if module != EMPTY_PACKAGE}


@pytest.mark.parametrize("module", MODULES)
def test_module_keeps_to_its_room(module: str) -> None:
    """Each module of the package obeys the rules of its room."""
    assert [] == faults(module, MODULES[module].read_text("utf-8"))


OFFENDING = {
    "upwards": ("gateway.qido.query", "from gateway.search.plan import Plan"),
    "upwards, by the package": ("gateway.search.plan", "from gateway import server"),
    "upwards, in a function": ("gateway.errors", "def f():\n    import gateway.qido.query"),
    "upwards, for types only": (
        "gateway.search.plan",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gateway.healthimaging",
    ),
    "sideways": ("gateway.healthimaging.walk", "import gateway.emulator.store"),
    "sideways, between single modules": ("gateway.config", "from gateway.demo import Demo"),
    "relative": ("gateway.search.plan", "from .imageset import ImageSet"),
    "relative to the package": ("gateway.search.plan", "from . import imageset"),
    "no room": ("gateway.helpers", ""),
    "import from no room": ("gateway.app", "import gateway.helpers"),
    "AWS above the client": ("gateway.server.routes", "import botocore.exceptions"),
    "AWS in the emulator": ("gateway.emulator.wire", "from botocore.session import get_session"),
    "the witness shares grouping": (
        "gateway.emulator.store",
        "from gateway.search.grouping import Group",
    ),
    "the witness shares matching": (
        "gateway.emulator.store",
        "from gateway.qido.matching import matcher",
    ),
    "the witness shares dates": ("gateway.emulator.store", "from gateway.qido.times import DAY_US"),
    "pure room with asyncio": ("gateway.search.plan", "import asyncio"),
    "pure room with logging": ("gateway.qido.query", "import logging.handlers"),
    "pure room with os": ("gateway.errors", "from os import environ"),
    "pure room with time": ("gateway.search.grouping", "import time as clock"),
    "pure room with random": ("gateway.search.study", "from random import random"),
    "pure room with a server": ("gateway.qido.query", "import starlette.requests"),
    "pipeline with a server": ("gateway.search.pipeline", "import starlette.requests"),
    "print": ("gateway.app", "print('ready')"),
    "buffering middleware": (
        "gateway.server.routes",
        "from starlette.middleware.base import BaseHTTPMiddleware",
    ),
    "buffering middleware, by attribute": (
        "gateway.server.routes",
        "import starlette.middleware.base as b\nclass M(b.BaseHTTPMiddleware): ...",
    ),
    "the package imports": ("gateway", "import gateway.cli"),
}


@pytest.mark.parametrize(("module", "source"), OFFENDING.values(), ids=OFFENDING)
def test_an_offence_is_found(module: str, source: str) -> None:
    """The checker bites: each of these sources breaks exactly one rule."""
    assert 1 == len(set(faults(module, source)))


ALLOWED = {
    "downwards": ("gateway.server.routes", "from gateway.qido.query import Query"),
    "in its own room": ("gateway.search.plan", "from gateway.search.imageset import ImageSet"),
    "AWS in the client": ("gateway.healthimaging.client", "import botocore.exceptions"),
    "the pipeline waits": ("gateway.search.pipeline", "import asyncio"),
    "names of attributes": ("gateway.emulator.store", "import gateway.qido.attributes"),
    "a method called print": ("gateway.cli", "console.print('ready')"),
    "a package": ("gateway", '"""Says what it is."""'),
}


@pytest.mark.parametrize(("module", "source"), ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    """The checker does not bite at what the rules allow."""
    assert [] == faults(module, source)
