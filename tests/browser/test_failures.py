"""Answers that end too early: OHIF has to say so, and not to show an empty archive."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.between import Between, between
from tests.browser.chromium import Chromium
from tests.browser.ohif import StudyList, config
from tests.browser.site import Site
from tests.e2e.running import Running, credentials, running


@pytest.fixture
def studies(browser: Chromium, ohif: Site) -> StudyList:
    """A study list in a browser without a past."""
    browser.call("open")
    return StudyList(browser, ohif.url)


@pytest.fixture
def breaking(demo: Running) -> Iterator[Between]:
    """A proxy before the demo."""
    with between(demo.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def slow(folder: Path) -> Iterator[Running]:
    """An emulator that takes its time."""
    with running(folder, "emulator", "--port", "0", "--latency-ms", "60000") as process:
        yield process


def test_cut_in_the_body(studies: StudyList, ohif: Site, breaking: Between) -> None:
    """A connection that breaks in the list is an error; when it holds again, so does the list."""
    ohif.config = config(breaking.url)
    breaking.cut_after = 1000
    studies.go()
    assert "request failed" in studies.expect_dialog()
    assert [] == studies.rows()
    breaking.cut_after = None
    studies.retry()
    studies.browser.call("wait", name="hasRows")


def test_gateway_dies(studies: StudyList, ohif: Site, slow: Running, folder: Path) -> None:
    """A gateway that ends while OHIF waits for the list is an error."""
    env = {**credentials(slow.url), "QIDO_GATEWAY_CORS_ORIGINS": ohif.url}
    with running(folder, "serve", "--port", "0", env=env) as gateway:
        ohif.config = config(gateway.url)
        studies.go()
        studies.browser.call("begun", part="/studies?")
        gateway.stop(signal.SIGKILL)
        assert "request failed" in studies.expect_dialog()
    assert [] == studies.rows()


def test_nothing_found(studies: StudyList, ohif: Site, demo: Running) -> None:
    """An answer without results is no error."""
    ohif.config = config(demo.url)
    studies.go("?patientName=nobody-has-this")
    studies.browser.call("wait", name="saysEmpty")
    assert [] == studies.browser.call("read", name="dialogs")
