"""The probe as a user runs it, against an emulator at positions that it is not told."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pydicom
import pytest
from botocore.config import Config

from tests.e2e.running import DATASTORE_ID, Running, ask, credentials, run, running

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
FILES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "rtdose.dcm", "SC_rgb.dcm")
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
    seed = folder / "archive.ndjson"
    assert 0 == run("seed", "--studies", "8000", "--out", str(seed)).status
    shutil.copytree(BUNDLED, folder / "bucket", ignore=lambda _, names: set(names) - set(FILES))
    switches = [part for n, p in POSITIONS.items() for part in (f"--{n.replace('_', '-')}", p)]
    arguments = (
        "--port",
        "0",
        "--seed",
        str(seed),
        "--s3-root",
        f"bucket={folder / 'bucket'}",
        *switches,
    )
    with running(folder, "emulator", *arguments) as emulator:
        yield emulator


def importing(url: str, stop: threading.Event) -> None:
    """Import a file every half second."""
    client = boto3.client(
        "medical-imaging",
        "us-east-1",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False),
    )
    for name in FILES * 20:
        if stop.wait(0.5):
            break
        client.start_dicom_import_job(
            datastoreId=DATASTORE_ID,
            dataAccessRoleArn="arn:aws:iam::123456789012:role/import",
            inputS3Uri=f"s3://bucket/{name}",
            outputS3Uri="s3://bucket/results",
        )
    client.close()


def positions(out: str) -> dict[str, str]:
    """The findings' positions by their names."""
    lines = out.partition("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line.split()[1] for line in lines}


def test_names_the_positions(told: Running) -> None:
    """It names what it has not been told, within its calls, while image sets arrive."""
    stop = threading.Event()
    thread = threading.Thread(target=importing, args=(told.url, stop))
    thread.start()
    ended = run("probe", "--wait-s", "12", env=credentials(told.url))
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
