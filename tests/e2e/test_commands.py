"""Commands as a user starts and stops them, with the mistakes that users make."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.demo import bundled_files
from tests.e2e.running import (
    STOP_S,
    Ended,
    children_of,
    command,
    credentials,
    end,
    environment,
    run,
    running,
)

NOWHERE = "http://127.0.0.1:9"


def assert_sentence(ended: Ended, *words: str) -> None:
    """It ended with status 2 and sentences that hold the words, without a traceback."""
    assert 2 == ended.status
    assert "Traceback" not in ended.errors
    for word in words:
        assert word in ended.errors


# --- stopping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--port", "0", "--no-ohif"),
        ("serve", "--port", "0"),
        ("emulator", "--port", "0"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_stops_cleanly(tmp_path: Path, arguments: tuple[str, ...], number: int) -> None:
    """SIGINT and SIGTERM end a command and all that it has started, with status 0."""
    env = credentials(NOWHERE) if arguments[0] == "serve" else {}
    with running(tmp_path, *arguments, env=env) as process:
        started = process.children
        ended = process.stop(number)
        assert [] == end(started)
    assert 0 == ended.status
    assert "Traceback" not in ended.errors
    assert "Error" not in ended.errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("paths", [(), ("bundled",)], ids=["made up first", "files"])
def test_demo_stops_while_it_starts(tmp_path: Path, number: int, paths: tuple[str, ...]) -> None:
    """A signal before the ready line ends the demo too, and all that it has started.

    Of what it was about to keep for the next time nothing stays.
    """
    files = [str(path) for path in bundled_files() for _ in paths]
    with subprocess.Popen(
        command(("demo", "--port", "0", "--no-ohif", *files)),
        env=environment(XDG_CACHE_HOME=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not (started := children_of(process.pid)):
            assert process.poll() is None
        process.send_signal(number)
        process.wait(STOP_S)
        left = end(started)
        _, errors = process.communicate()
    assert (0, []) == (process.returncode, left)
    assert "Traceback" not in errors
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


# --- mistakes -------------------------------------------------------------------------------------


@pytest.fixture
def used_port() -> Iterator[str]:
    """A port that someone listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


@pytest.mark.parametrize("name", ["demo", "serve", "emulator"])
def test_port_in_use(name: str, used_port: str) -> None:
    """A port that is in use is named."""
    env = credentials(NOWHERE) if name == "serve" else {}
    files = ("--no-ohif", *map(str, bundled_files())) if name == "demo" else ()
    ended = run(name, "--port", used_port, *files, env=env)
    assert_sentence(ended, f"port {used_port}", "in use")


@pytest.mark.parametrize("name", ["demo", "emulator"])
def test_nothing_to_import(name: str, tmp_path: Path) -> None:
    """An empty folder, a path that is not there and one that can't be read are named."""
    missing, empty = tmp_path / "missing", tmp_path / "empty"
    empty.mkdir()
    for path, word in ((missing, "no such file"), (empty, "empty")):
        given = ("--import", str(path)) if name == "emulator" else ("--no-ohif", str(path))
        assert_sentence(run(name, *given, "--port", "0"), str(path), word)


def test_folder_without_dicom(tmp_path: Path) -> None:
    """A folder in which nothing is DICOM is served as empty, and each file is named."""
    (tmp_path / "notes.txt").write_text("no DICOM", "utf-8")
    arguments = ("emulator", "--port", "0", "--import", str(tmp_path))
    with running(tmp_path, *arguments) as process:
        assert "notes.txt" in process.errors
        assert "not a DICOM Part 10 file" in process.errors


def test_every_fault_at_once() -> None:
    """All wrong settings are told in one run, none of them with its value."""
    env = {
        "QIDO_GATEWAY_DATASTORE_ID": "secret-sentinel",
        "QIDO_GATEWAY_MAX_RESULTS": "many-sentinel",
        "QIDO_GATEWAY_COUNTS": "sentinel",
        "QIDO_GATEWAY_NO_SUCH": "sentinel",
        "QIDO_GATEWAY_HOST": "0.0.0.0",
    }
    ended = run("serve", env=env)
    names = ("DATASTORE_ID", "MAX_RESULTS", "COUNTS", "NO_SUCH", "HOST", "REGION")
    assert_sentence(ended, *names, "--insecure")
    assert "sentinel" not in ended.errors


@pytest.mark.parametrize(
    ("text", "word"),
    [("port = 'x'\nhots = 'a'", "HOTS"), ("port = ", "not TOML"), (None, "no such file")],
    ids=["wrong settings", "no TOML", "missing"],
)
def test_wrong_file(tmp_path: Path, text: str | None, word: str) -> None:
    """A configuration file that is wrong or missing is told of."""
    path = tmp_path / "gateway.toml"
    if text is not None:
        path.write_text(text, "utf-8")
    assert_sentence(run("serve", "--config", str(path)), word)


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_region_of_aws(tmp_path: Path, name: str) -> None:
    """The region may come from AWS's own variables."""
    env = {name: "eu-west-1", "QIDO_GATEWAY_DATASTORE_ID": "0" * 32}
    with running(tmp_path, "serve", "--port", "0", env=env) as process:
        assert process.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('{"DICOMTags": {"DICOMStudyInstanceUID": "DOE^JANE"}}', "line 2"),
        ("DOE^JANE", "line 2"),
    ],
    ids=["a value", "no JSON"],
)
def test_wrong_seed(tmp_path: Path, line: str, word: str) -> None:
    """A bad line of a seed is named by its number, not by what it holds."""
    seed = tmp_path / "seed.ndjson"
    seed.write_text(f'{{"DICOMTags": {{}}}}\n{line}\n', "utf-8")
    ended = run("emulator", "--port", "0", "--seed", str(seed))
    assert_sentence(ended, word)
    assert "JANE" not in ended.errors


def test_version_and_help() -> None:
    """The command tells its version, and in its help every command."""
    assert (0, "0.1.0\n") == (run("version").status, run("version").out)
    told = run("--help")
    assert 0 == told.status
    for name in ("serve", "emulator", "demo", "ohif-config", "ohif-fetch", "version"):
        assert name in told.out
