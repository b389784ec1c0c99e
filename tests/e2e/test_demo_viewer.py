"""The demo with a viewer, and without one; the viewer's configuration as a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.demo import bundled_files
from gateway.ohif import VERSION, ohif_data_source
from tests.e2e.running import Running, ask, run, running

DEMO = ("demo", "--port", "0", str(bundled_files()[1]))  # a few small files


def cache_with_viewer(folder: Path) -> dict[str, str]:
    """The environment of a user who has fetched the viewer, or what looks like it."""
    dist = folder / "cache/qido-gateway" / f"ohif-{VERSION}"
    dist.mkdir(parents=True)
    (dist / "index.html").write_text('<script src="/app.js"></script>', "utf-8")
    return {"XDG_CACHE_HOME": str(folder / "cache"), "PATH": ""}


def lines_of(process: Running, number: int) -> list[str]:
    """What a demo says after its ready line."""
    assert process.process.stdout is not None
    return [process.process.stdout.readline().removesuffix("\n") for _ in range(number)]


@pytest.mark.parametrize("options", [(), ("--ohif",)], ids=["cached", "asked for"])
def test_with_viewer(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A viewer that is there is served on the same origin, and its address is told."""
    with running(tmp_path, *DEMO, *options, env=cache_with_viewer(tmp_path)) as process:
        base = process.url.removesuffix("/dicom-web")
        index = ask(f"{base}/ohif/viewer?StudyInstanceUIDs=1.2")
        config = ask(f"{base}/ohif/app-config.js")
        page = ask(f"{base}/")
        lines = lines_of(process, 3)
    assert b'<script src="/ohif/app.js"></script>' == index.body
    assert b'"qidoRoot": "/dicom-web"' in config.body
    assert b"/ohif/viewer?StudyInstanceUIDs=" in page.body
    asking = f"ask      curl '{base}/dicom-web/studies'"
    assert [f"studies  {base}/", f"viewer   {base}/ohif/", asking] == lines


@pytest.mark.parametrize(
    ("options", "word"),
    [(("--no-ohif",), ""), (("--ohif",), "goes on without OHIF"), ((), "")],
    ids=["not wanted", "no npm", "no npm, by default"],
)
def test_without_viewer(tmp_path: Path, options: tuple[str, ...], word: str) -> None:
    """Without a viewer the demo prints the data source; one that can't be fetched is a sentence."""
    env = {"XDG_CACHE_HOME": str(tmp_path), "PATH": ""}
    with running(tmp_path, *DEMO, *options, env=env) as process:
        base = process.url.removesuffix("/dicom-web")
        assert (200, 404) == (ask(f"{base}/").status, ask(f"{base}/ohif").status)
        block = ohif_data_source(process.url).splitlines()
        lines = lines_of(process, 3 + len(block))
    assert f"studies  {base}/" == lines[0]
    assert ["OHIF data source:", *block] == lines[2:]
    assert word in process.errors
    assert ("there is no npm here" in process.errors) == (options == ("--ohif",))


def test_data_source() -> None:
    """The data source is printed for the address that is given, or for the demo's."""
    given = run("ohif-config", "--url", "https://pacs.example.org/dicom-web/")
    assert (0, ohif_data_source("https://pacs.example.org/dicom-web") + "\n") == (
        given.status,
        given.out,
    )
    assert (
        "http://127.0.0.1:8042/dicom-web"
        in json.loads(run("ohif-config").out)["configuration"].values()
    )


def test_data_source_of_no_url() -> None:
    """An address that is none is a sentence and status 2."""
    ended = run("ohif-config", "--url", "sentinel")
    assert (2, "") == (ended.status, ended.out)
    assert "--url: must be" in ended.errors and "sentinel" not in ended.errors


def test_wrong_viewer(tmp_path: Path) -> None:
    """A folder that holds no viewer is told at the start."""
    env = {"QIDO_GATEWAY_OHIF_DIR": str(tmp_path), "QIDO_GATEWAY_DATASTORE_ID": "0" * 32}
    ended = run("serve", "--region", "us-east-1", "--port", "0", env=env)
    assert 2 == ended.status
    assert "OHIF_DIR: must be the folder of OHIF's built files" in ended.errors


def test_fetched_viewer_is_named(tmp_path: Path) -> None:
    """What has been fetched already is named, without npm."""
    env = cache_with_viewer(tmp_path)
    ended = run("ohif-fetch", env=env)
    expected = f"{env['XDG_CACHE_HOME']}/qido-gateway/ohif-{VERSION}\n"
    assert (0, expected) == (ended.status, ended.out)
