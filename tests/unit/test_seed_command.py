"""`qido-gateway seed`: the file, stdout, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner

from gateway.emulator import archive
from gateway.emulator.archive import summaries
from gateway.errors import ConfigError
from gateway.seed_command import seed

APP = typer.Typer()
APP.command()(seed)
EXPECTED = b"".join(orjson.dumps(one) + b"\n" for one in summaries(30, 5))


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(APP, arguments, prog_name="seed")


def test_writes_a_file_and_says_so(tmp_path: Path) -> None:
    """The whole archive, and nothing beside it."""
    out = tmp_path / "archive.ndjson"
    out.write_text("of before")
    result = _run("--studies", "30", "--seed", "5", "--out", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_bytes() == EXPECTED
    number = EXPECTED.count(b"\n")
    assert result.stderr.splitlines()[-1] == f"wrote 30 studies, {number} image sets to {out}"
    assert [out] == list(tmp_path.iterdir())


def test_seed_is_1_unless_told(tmp_path: Path) -> None:
    """And other seeds write other archives."""
    for number, options in enumerate([(), ("--seed", "1"), ("--seed", "2")]):
        assert _run("--studies", "5", "--out", str(tmp_path / str(number)), *options).exit_code == 0
    first, same, other = ((tmp_path / str(number)).read_bytes() for number in range(3))
    assert first == same != other


def test_writes_to_stdout() -> None:
    """Lines go to stdout, words to stderr."""
    result = _run("--studies", "30", "--seed", "5", "--out", "-")
    assert (result.exit_code, result.stdout_bytes) == (0, EXPECTED)
    assert result.stderr.splitlines()[-1].endswith(" image sets to -")


def test_keeps_a_link_and_a_device(tmp_path: Path) -> None:
    """What a link points to is written; a device is written to and not replaced."""
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    seed(studies=30, out=link, seed=5)
    assert link.is_symlink()
    assert target.read_bytes() == EXPECTED
    seed(studies=1, out=Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


def test_tells_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of more studies than a step has the same end."""
    monkeypatch.setattr("gateway.seed_command._STEP", 10)
    seed(studies=30, out=tmp_path / "a", seed=5)
    assert (tmp_path / "a").read_bytes() == EXPECTED


REFUSED = {
    "no such folder": ("missing/archive.ndjson", "no such file or directory"),
    "a folder": (".", "is a directory"),
    "a file as a folder": ("file/archive.ndjson", "not a directory"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(tmp_path: Path, case: str) -> None:
    """One sentence, which names the option, the path and the reason."""
    name, reason = REFUSED[case]
    (tmp_path / "file").touch()
    out = tmp_path / name
    with pytest.raises(ConfigError) as caught:
        seed(studies=1, out=out)
    assert caught.value.problems == (f"--out {out}: {reason}",)
    assert [tmp_path / "file"] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [
        ("--studies", "0", "--out", "-"),
        ("--studies", "1", "--seed", "-1", "--out", "-"),
        ("--studies", "1"),
        ("--out", "-"),
    ],
)
def test_refuses_options(options: tuple[str, ...]) -> None:
    """Exit status 2, and nothing is written."""
    result = _run(*options)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(28, "No space left on device"), ConfigError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_leaves_nothing_half_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    raised: type[BaseException],
) -> None:
    """However it ends early: the file of before stays, and no other."""

    def ending(*_: object) -> Iterator[dict[str, Any]]:
        yield from summaries(3)
        raise error

    monkeypatch.setattr(archive, "summaries", ending)
    out = tmp_path / "archive.ndjson"
    out.write_text("of before")
    with pytest.raises(raised):
        seed(studies=30, out=out)
    assert out.read_text() == "of before"
    assert [out] == list(tmp_path.iterdir())


def test_a_reader_that_has_enough_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """`… --out - | head` ends quietly."""

    def ending(*_: object) -> Iterator[dict[str, Any]]:
        yield from summaries(1)
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(archive, "summaries", ending)
    result = _run("--studies", "30", "--out", "-")
    assert result.exit_code == 1
    assert "roken" not in result.stderr
