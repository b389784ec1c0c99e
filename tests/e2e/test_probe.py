"""The probe as a user runs it, against an emulator at positions that it is not told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.e2e.running import DATASTORE_ID, Running, ask, credentials, run, running

SEED = "archive.ndjson"
POSITIONS = {
    "bounds": "exclusive",
    "undated": "smallest",
    "times": "missing-first",
    "legacy_dates": "included",
    "pairs": "documented",
    "counts": "study",
    "case": "insensitive",
    "padding": "kept",
    "pages": "short",
    "empty_list": "absent",
    "tokens": "offset",
}


@pytest.fixture(scope="module")
def told(folder: Path) -> Iterator[Running]:
    """An emulator of a made-up archive at these positions."""
    seed = folder / SEED
    assert 0 == run("seed", "--studies", "8000", "--out", str(seed)).status
    switches = [part for n, p in POSITIONS.items() for part in (f"--{n.replace('_', '-')}", p)]
    arguments = ("--port", "0", "--seed", str(seed), *switches)
    with running(folder, "emulator", *arguments) as emulator:
        yield emulator


def copying(url: str, source: dict[str, Any], stop: threading.Event) -> None:
    """Copy an image set again and again; each copy is one that arrives."""
    client = boto3.client(
        "medical-imaging",
        "us-east-1",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False),
    )
    information = {"sourceImageSet": {"latestVersionId": str(source["version"])}}
    while not stop.wait(0.5):
        client.copy_image_set(
            datastoreId=DATASTORE_ID,
            sourceImageSetId=source["imageSetId"],
            copyImageSetInformation=information,
        )
    client.close()


def first_of(folder: Path) -> dict[str, Any]:
    """The first image set of the archive."""
    with (folder / SEED).open("rb") as lines:
        found: dict[str, Any] = json.loads(lines.readline())
    return found


def positions(out: str) -> dict[str, str]:
    """The findings' positions by their names."""
    lines = out.partition("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line.split()[1] for line in lines}


def test_names_the_positions(told: Running, folder: Path) -> None:
    """It names what it has not been told, within its calls, while image sets arrive."""
    stop = threading.Event()
    thread = threading.Thread(target=copying, args=(told.url, first_of(folder), stop))
    thread.start()
    try:
        ended = run("probe", "--wait-s", "12", env=credentials(told.url))
    finally:
        stop.set()
        thread.join()
    assert (0, "") == (ended.status, ended.errors)
    found = positions(ended.out)
    assert POSITIONS == {name: found[name] for name in POSITIONS}
    made = ask(f"{told.url}/_emulator/calls").json["SearchImageSets"]
    assert f"\n{made} calls, " in ended.out
    assert made <= 200
    assert 'equal_padding = "both"' in ended.out
    (command,) = (x for x in ended.out.splitlines() if x.startswith("qido-gateway emulator"))
    for name, position in POSITIONS.items():
        assert f"--{name.replace('_', '-')} {position}" in command


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        pytest.param(("--calls", "19"), 2, "--calls", id="too few calls"),
        pytest.param(("--wait-s", "-1"), 2, "--wait-s", id="a wait below zero"),
        pytest.param(("--datastore-id", "x"), 2, "DATASTORE_ID", id="no data store"),
        pytest.param(("--datastore-id", "f" * 32), 1, "refused the gateway's call", id="another"),
    ],
)
def test_refuses(told: Running, arguments: tuple[str, ...], status: int, words: str) -> None:
    """A wrong option is exit status 2, an upstream that refuses is 1; each is a sentence."""
    ended = run("probe", *arguments, env=credentials(told.url))
    assert (status, "") == (ended.status, ended.out)
    assert words in ended.errors
    assert "Traceback" not in ended.errors
