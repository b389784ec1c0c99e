"""The processes that the clients' tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from dicomtrolley.qido_rs import QidoRS
from dicomweb_client.api import DICOMwebClient

from tests.clients import viewed
from tests.clients.archive import DATASTORE_ID, SEEDS
from tests.clients.pictured import Pictured, write_pictures
from tests.clients.stored import write_files
from tests.e2e.running import Running, credentials, running


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes' stderr goes."""
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="session")
def emulator(folder: Path) -> Iterator[Running]:
    """An emulator that holds the examples' image sets."""
    seed = folder / "seed.ndjson"
    seed.write_text("".join(json.dumps(one) + "\n" for one in SEEDS), "utf-8")
    arguments = ("--port", "0", "--datastore-id", DATASTORE_ID, "--seed", str(seed))
    with running(folder, "emulator", *arguments) as process:
        yield process


@pytest.fixture(scope="session")
def gateway(folder: Path) -> Iterator[Running]:
    """A gateway before the archive of `viewed`."""
    write_files(folder / "viewed")
    arguments = ("--port", "0", "--import", str(folder / "viewed"))
    with running(folder, "emulator", *arguments) as upstream:
        env = {
            **credentials(upstream.url),
            "QIDO_GATEWAY_CORS_ORIGINS": viewed.ORIGIN,
            # An instance that is asked for by its own UID alone is looked for in every series
            "QIDO_GATEWAY_SCAN_BUDGET_CALLS": "1000",
            "QIDO_GATEWAY_METADATA_CALLS_PER_S": "1000",  # the emulator has no quota
        }
        with running(folder, "serve", "--port", "0", env=env) as process:
            yield process


@pytest.fixture(scope="session")
def pictures(folder: Path) -> Pictured:
    """The files of the study of `pictured`."""
    return write_pictures(folder / "pictured")


@pytest.fixture(scope="session")
def pictured_gateway(folder: Path, pictures: Pictured) -> Iterator[Running]:
    """A gateway before the study of `pictured`."""
    arguments = ("--port", "0", "--import", str(pictures.one("CT").path.parent))
    with running(folder, "emulator", *arguments) as upstream:
        env = {**credentials(upstream.url), "QIDO_GATEWAY_CORS_ORIGINS": viewed.ORIGIN}
        with running(folder, "serve", "--port", "0", env=env) as process:
            yield process


@pytest.fixture(scope="session")
def client(gateway: Running) -> DICOMwebClient:
    """dicomweb-client of PyPI as a program makes it."""
    return DICOMwebClient(url=gateway.url)


@pytest.fixture(scope="session")
def searcher(gateway: Running) -> Iterator[QidoRS]:
    """dicomtrolley's searcher as a program makes it; the URL's last slash is its own to drop."""
    with requests.Session() as session:
        yield QidoRS(session, f"{gateway.url}/")
