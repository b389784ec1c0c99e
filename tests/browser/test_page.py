"""The gateway's own page of studies, and the way from it into the viewer."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.browser.chromium import Chromium
from tests.browser.viewer import Viewer
from tests.e2e.bundled import Study
from tests.e2e.running import Running

NEWEST = ["A250912-01", "A250707-01", "A250605-01", "A250311-01"]


@pytest.fixture
def page(browser: Chromium, demo: Running) -> Chromium:
    """A browser that has opened it."""
    browser.call("open")
    browser.call("goto", url=demo.url.removesuffix("dicom-web"))
    return browser


def test_newest_studies(page: Chromium, archive: Mapping[str, Study]) -> None:
    """The newest studies come first, each with what the files say, and with a picture."""
    page.call("wait", name="hasPictures", argument=len(NEWEST))
    by_accession = {"".join(one.texts["AccessionNumber"]): one for one in archive.values()}
    for accession, shown in zip(NEWEST, page.call("read", name="studies"), strict=False):
        study = by_accession[accession]
        family, given = study.name["Alphabetic"].split("^")[:2]
        words = [family, given, *study.texts["PatientID"], *study.texts["StudyDescription"]]
        words += [accession, *study.modalities, str(study.number_of_instances)]
        assert [] == [word for word in words if word not in " ".join(shown)]


def test_search(page: Chromium, archive: Mapping[str, Study]) -> None:
    """A part of a name finds its studies."""
    page.call("fill", selector="input[name=name]", text="roe")
    page.call("click", selector="form button")
    found = [one for one in archive.values() if "ROE" in one.name.get("Alphabetic", "").upper()]
    page.call("wait", name="hasStudies", argument=len(found))
    shown = page.call("read", name="studies")
    assert [] == [row for row in shown if "ROE, RICHARD" not in " ".join(row)]


def test_opens_the_viewer(page: Chromium) -> None:
    """The link of a study opens it in OHIF, with pixels."""
    page.call("click", selector="tbody a >> nth=0")
    Viewer(page, "").expect_picture(200)
