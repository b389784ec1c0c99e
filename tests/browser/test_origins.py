"""OHIF on one origin and the gateway on another, with and without a token, and on two at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.between import Between, between
from tests.browser.chromium import Chromium, Exchange
from tests.browser.ohif import StudyList, config
from tests.browser.shown import row_of
from tests.browser.site import Site
from tests.browser.viewer import Stack, Viewer, assert_shows, stack
from tests.e2e.bundled import Study
from tests.e2e.running import DATASTORE_ID, Running, credentials, running

PATIENT = "SAMPLE-07"
TOKEN = "eyJ.token.of-a-test"
QUOTED = 'multipart/related; type="application/octet-stream"; transfer-syntax="*"'
UNQUOTED = "multipart/related; type=application/octet-stream; transfer-syntax=*"


@pytest.fixture(scope="module")
def upstream(folder: Path, files: Sequence[Path]) -> Iterator[Running]:
    """An emulator with two studies of a patient; the pixels are HTJ2K, as in HealthImaging."""
    arguments = ("--port", "0", "--datastore-id", DATASTORE_ID)
    kept = ("--frames", "htj2k", "--import", str(files[0] / PATIENT))
    with running(folder, "emulator", *arguments, *kept) as process:
        yield process


@pytest.fixture(scope="module")
def gateway(folder: Path, upstream: Running, ohif: Site) -> Iterator[Running]:
    """A gateway that OHIF's origin may ask, and no other."""
    env = {**credentials(upstream.url), "QIDO_GATEWAY_CORS_ORIGINS": ohif.url}
    with running(folder, "serve", "--port", "0", env=env) as process:
        yield process


@pytest.fixture(scope="module")
def other(folder: Path, upstream: Running, ohif: Site) -> Iterator[Running]:
    """Another before the same data store, which retrieves from image sets: frames as HTJ2K."""
    env = {
        **credentials(upstream.url),
        "QIDO_GATEWAY_CORS_ORIGINS": ohif.url,
        "QIDO_GATEWAY_RETRIEVE_UPSTREAM": "image-sets",
    }
    with running(folder, "serve", "--port", "0", env=env) as process:
        yield process


@pytest.fixture
def guarded(gateway: Running) -> Iterator[Between]:
    """A proxy before the gateway that asks for a token."""
    with between(gateway.url) as proxy:
        proxy.token = TOKEN
        yield proxy


@pytest.fixture(scope="module")
def images(files: Sequence[Path]) -> Stack:
    """A series in colour."""
    return stack(files[0] / PATIENT, "A240812-01", "Colour Doppler")


@pytest.fixture
def viewer(browser: Chromium, ohif: Site) -> Viewer:
    """The viewer of OHIF on its own origin, in a browser without a past."""
    browser.call("open")
    return Viewer(browser, ohif.url)


@pytest.fixture(scope="module")
def rows(archive: Mapping[str, Study]) -> list[list[str]]:
    """The rows of the patient's studies."""
    return [row_of(one) for one in archive.values() if [PATIENT] == one.texts["PatientID"]]


def _frames(viewer: Viewer) -> list[Exchange]:
    frames = [one for one in viewer.browser.exchanges() if "/frames/" in one.url]
    assert {200} == {one.status for one in frames}
    return frames


@pytest.mark.parametrize("is_quoted", [False, True], ids=["without quotes", "with quotes"])
def test_another_origin(
    viewer: Viewer, ohif: Site, gateway: Running, images: Stack, is_quoted: bool
) -> None:
    """OHIF is let in. Quotes in Accept cost a question before each frame, nothing else does."""
    ohif.config = config(gateway.url, omitQuotationForMultipartRequest=not is_quoted)
    before = len(gateway.requests())
    viewer.go(images.study_uid, images.uid)
    viewer.expect_picture(100)
    assert_shows(viewer, images)
    assert {QUOTED if is_quoted else UNQUOTED} == {one.sent["accept"] for one in _frames(viewer)}
    asked = [one for one in gateway.requests()[before:] if one["method"] == "OPTIONS"]
    assert is_quoted == bool(asked)
    assert {200} >= {one["status"] for one in asked}


def test_an_origin_that_is_not_named(
    browser: Chromium, ohif: Site, gateway: Running, rows: list[list[str]]
) -> None:
    """A page of another origin gets nothing, and says so."""
    ohif.config = config(gateway.url)
    browser.call("open")
    studies = StudyList(browser, ohif.url.replace("127.0.0.1", "localhost"))
    studies.go()
    studies.expect_dialog()
    assert [] == studies.rows()
    StudyList(browser, ohif.url).open()
    StudyList(browser, ohif.url).expect(rows)


@pytest.mark.parametrize(
    ("accession", "description"),
    [("A240812-01", "Colour Doppler"), ("A200918-01", "Thorax 12 mm")],
    ids=["colour", "CT"],
)
def test_two_roots(
    viewer: Viewer,
    ohif: Site,
    gateway: Running,
    other: Running,
    files: Sequence[Path],
    accession: str,
    description: str,
) -> None:
    """Studies are asked of one root, the series of an opened study and its images of the other."""
    images = stack(files[0] / PATIENT, accession, description)
    ohif.config = config(gateway.url, other.url)
    viewer.go(images.study_uid, images.uid)
    viewer.expect_picture(100)
    asked: dict[str, set[str]] = {gateway.url: set(), other.url: set()}
    for one in viewer.browser.exchanges():
        root = next((root for root in asked if one.url.startswith(root)), None)
        if root is not None:
            assert 200 == one.status
            asked[root].add(urlsplit(one.url).path.removesuffix("/1").rsplit("/", 1)[1])
    assert {"studies"} == asked[gateway.url]
    assert {"series", "metadata", "frames"} == asked[other.url]
    for one in _frames(viewer):
        assert one.headers["content-type"].startswith('multipart/related; type="image/jphc"')
    assert images.is_coloured == (assert_shows(viewer, images).colours > 0)


@pytest.mark.parametrize("is_quoted", [False, True], ids=["without quotes", "with quotes"])
def test_token_in_the_address(
    viewer: Viewer, ohif: Site, guarded: Between, images: Stack, is_quoted: bool
) -> None:
    """Every request has the token; the questions before them have none, and are answered."""
    ohif.config = config(guarded.url, omitQuotationForMultipartRequest=not is_quoted)
    viewer.go(images.study_uid, images.uid, token=TOKEN)
    viewer.expect_picture(100)
    assert _frames(viewer)
    assert {("GET", f"Bearer {TOKEN}"), ("OPTIONS", None)} == set(guarded.authorized)


def test_token_of_the_app_config(
    browser: Chromium, ohif: Site, guarded: Between, rows: list[list[str]]
) -> None:
    """With a token of the app-config the study list works too."""
    ohif.config = config(guarded.url)
    ohif.token = TOKEN
    studies = StudyList(browser, ohif.url)
    try:
        studies.open()
        studies.expect(rows)
    finally:
        ohif.token = ""
    assert {("GET", f"Bearer {TOKEN}"), ("OPTIONS", None)} == set(guarded.authorized)


def test_no_token(browser: Chromium, ohif: Site, guarded: Between) -> None:
    """Without a token the list says that it got nothing."""
    ohif.config = config(guarded.url)
    browser.call("open")
    studies = StudyList(browser, ohif.url)
    studies.go()
    studies.expect_dialog()
    assert [] == studies.rows()
    assert {("GET", None)} == set(guarded.authorized)
