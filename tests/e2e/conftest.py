"""The processes that end-to-end tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.demo import bundled_files
from tests.e2e.running import Running, credentials, running

SEEDED_STUDIES = 1_500


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes' stderr goes."""
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="session")
def demo(folder: Path) -> Iterator[Running]:
    """The demo over the files that come with pydicom."""
    files = map(str, bundled_files())
    with running(folder, "demo", "--port", "0", "--no-ohif", *files) as process:
        yield process


@pytest.fixture(scope="session")
def whole_demo(folder: Path) -> Iterator[Running]:
    """The demo as it is without arguments, but for the viewer."""
    with running(folder, "demo", "--port", "0", "--no-ohif") as process:
        yield process


@pytest.fixture(scope="session")
def seed(folder: Path) -> Path:
    """Summaries of many studies of one series each."""
    path = folder / "seed.ndjson"
    path.write_text("".join(json.dumps(summary(n)) + "\n" for n in range(SEEDED_STUDIES)), "utf-8")
    return path


def summary(number: int) -> dict[str, Any]:
    """The only image set of study `number`; ten studies a day, one a minute."""
    return {
        "isPrimary": True,
        "DICOMTags": {
            "DICOMStudyInstanceUID": f"1.2.826.{number}",
            "DICOMSeriesInstanceUID": f"1.2.826.{number}.1",
            "DICOMSeriesModality": "MR",
            "DICOMSeriesNumber": 1,
            "DICOMPatientId": f"PAT{number}",
            "DICOMPatientName": "DOE^JANE",
            "DICOMStudyDate": f"20{10 + number // 360:02}{1 + number // 30 % 12:02}15",
            "DICOMStudyTime": f"{number % 24:02}1500",
            "DICOMNumberOfStudyRelatedSeries": 1,
            "DICOMNumberOfStudyRelatedInstances": 3,
        },
    }


@pytest.fixture(scope="session")
def emulator(folder: Path, seed: Path) -> Iterator[Running]:
    """An emulator that holds the seeded studies; each search takes a moment."""
    arguments = ("--port", "0", "--seed", str(seed), "--latency-ms", "20")
    with running(folder, "emulator", *arguments) as process:
        yield process


@pytest.fixture(scope="session")
def gateway(folder: Path, emulator: Running) -> Iterator[Running]:
    """A gateway before the seeded studies."""
    with running(folder, "serve", "--port", "0", env=credentials(emulator.url)) as process:
        yield process
