"""One browser, one demo and one OHIF for all tests of a process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import ROOT, Chromium, chromium
from tests.browser.site import Site, site
from tests.e2e.running import Running, running

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
def demo(folder: Path, browser: Chromium) -> Iterator[Running]:
    """The demo. It comes after the browser, without which nothing has to be started."""
    with running(folder, "demo", "--port", "0") as process:
        yield process


@pytest.fixture(scope="session")
def dist() -> Path:
    """OHIF's built files."""
    found = ROOT / ".clients" / "ohif" / "package" / "dist"
    if not found.exists():
        pytest.skip("OHIF is not installed: make clients")
    return found


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
