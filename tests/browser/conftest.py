"""One browser, one demo and one OHIF for all tests of a process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.demo import bundled_files
from gateway.ohif import cache_folder, cached
from tests.browser.chromium import ROOT, Chromium, chromium
from tests.browser.site import Site, site
from tests.e2e.bundled import Study, read_studies
from tests.e2e.running import Running, run, running

CACHE = {"XDG_CACHE_HOME": str(ROOT / ".clients" / "cache")}
"""Where `make clients` puts OHIF."""

SCREENSHOTS = Path(__file__).parent / "screenshots"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes' stderr goes."""
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="session")
def browser(folder: Path) -> Iterator[Chromium]:
    """The browser; skips where it can't be started."""
    with chromium(folder) as started:
        yield started


@pytest.fixture(scope="session")
def dist(browser: Chromium) -> Path:
    """OHIF's built files. It comes after the browser, without which nothing has to be started."""
    found = cached(cache_folder(CACHE))
    if found is None:
        pytest.skip("OHIF is not there: make clients")
    return found


@pytest.fixture(scope="session")
def files(folder: Path, dist: Path) -> tuple[Path, ...]:
    """The folders that are imported: made-up studies, and the files that come with pydicom."""
    sample = folder / "sample"
    assert 0 == run("sample", str(sample)).status
    return (sample, *bundled_files())


@pytest.fixture(scope="session")
def archive(files: tuple[Path, ...]) -> Mapping[str, Study]:
    """Their studies by StudyInstanceUID, as pydicom reads them."""
    return read_studies(files)


@pytest.fixture(scope="session")
def demo(folder: Path, files: tuple[Path, ...]) -> Iterator[Running]:
    """The demo over these files, with the viewer."""
    arguments = ("demo", "--ohif", "--port", "0", "--cors-origins", "*", *map(str, files))
    with running(folder, *arguments, env=CACHE) as process:
        yield process


@pytest.fixture(scope="session")
def ohif(dist: Path) -> Iterator[Site]:
    """OHIF on an origin of its own."""
    with site(dist) as served:
        yield served


@pytest.fixture(autouse=True)
def screenshot(request: pytest.FixtureRequest, browser: Chromium) -> Iterator[None]:
    """What is on the screen after each test, for people to look at."""
    yield
    SCREENSHOTS.mkdir(exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", request.node.name)
    browser.call("screenshot", path=str(SCREENSHOTS / f"{name}.png"))
