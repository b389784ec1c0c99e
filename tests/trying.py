"""Tests of changed copies of the tree, each in a fork of a process that is warm.

What they import of other packages takes longer than most of them do, and is the same for all.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio.plugin
from hypothesis import Phase, settings

ROOT = Path(__file__).resolve().parent.parent
PASSED, FAILED = "alive", "killed"
_WARM = (
    "aiobotocore.session",
    "aiohttp",
    "prometheus_client",
    "pydantic_settings",
    "pydicom",
    "starlette.applications",
    "starlette.testclient",
    "structlog",
    "uvicorn",
    "yaml",
)
_OURS = ("gateway", "tests")


@dataclass(frozen=True, slots=True)
class Trial:
    """A text in a file and what is to stand there instead; no path for nothing.

    A stage holds what pytest is told to run. A later one is run where all before it have passed.
    """

    path: str
    old: str
    new: str
    stages: tuple[tuple[str, ...], ...]


def tried(trials: Sequence[Trial]) -> dict[Trial, str]:
    """How each trial has ended: PASSED, FAILED, or what kept it from an end."""
    _warm_up()
    with tempfile.TemporaryDirectory() as folder:
        trees = [Path(folder) / str(number) for number in range(os.cpu_count() or 1)]
        for tree in trees:
            _copy((*_OURS, "pyproject.toml"), tree)
        waiting, running, ends = list(reversed(trials)), dict[int, _Begun](), dict[Trial, str]()
        while waiting or running:
            while waiting and trees:
                begun = _Begun(waiting.pop(), trees.pop())
                running[_start(*begun)] = begun
            pid, status = os.wait()
            trial, tree = running.pop(pid)
            ends[trial] = _end_of(os.waitstatus_to_exitcode(status))
            if trial.path:
                _copy((trial.path,), tree)
            trees.append(tree)
    return ends


class _Begun(NamedTuple):
    trial: Trial
    tree: Path


def _warm_up() -> None:
    # Other plugins take seconds to import; and what is missing here may be skipped
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("CI", None)
    for name in _WARM:
        import_module(name)
    # Shrinking and explaining are for readers; here one failure is as good as another
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("trying", phases=phases, derandomize=True, database=None)
    settings.load_profile("trying")
    # Two changes of one second and one length are the same for a cache of bytecode
    sys.dont_write_bytecode = True
    gc.freeze()  # each fork would else look through all that is warm, and copy it


def _copy(names: Iterable[str], tree: Path) -> None:
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name)
        else:
            shutil.copy2(ROOT / name, tree / name)  # with its time, by which bytecode is known


def _start(trial: Trial, tree: Path) -> int:
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    status = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        status = _status_of(trial, tree)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _status_of(trial: Trial, tree: Path) -> int:
    if trial.path:
        text = (tree / trial.path).read_text()
        assert trial.old in text, f"no longer there: {trial.path}: {trial.old!r}"
        (tree / trial.path).write_text(text.replace(trial.old, trial.new))
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    if trial.path:
        import_module(trial.path.removesuffix(".py").replace("/", "."))
    for stage in trial.stages:
        for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
            del sys.modules[name]
        arguments = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", *stage]
        if status := pytest.main(arguments, plugins=[pytest_asyncio.plugin]):
            return int(status)
    return 0


def _end_of(status: int) -> str:
    match status:
        case pytest.ExitCode.OK:
            return PASSED
        case pytest.ExitCode.TESTS_FAILED:
            return FAILED
        case _:
            return f"ended with status {status}"
