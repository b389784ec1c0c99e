"""Studies opened in OHIF: what is asked for, and the pixels on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import Chromium, Exchange
from tests.browser.ohif import StudyList, keys, query, study_uids
from tests.browser.shown import row_of
from tests.browser.viewer import Stack, Viewer, assert_shows, settled, stack, stack_of
from tests.e2e.bundled import Study
from tests.e2e.running import Running

CT = ("SAMPLE-01", "A250912-01", "Thorax 3 mm, contrast")


@pytest.fixture(scope="module")
def volume(files: Sequence[Path]) -> Stack:
    """The images of the CT volume."""
    patient, accession, description = CT
    return stack(files[0] / patient, accession, description)


@pytest.fixture(scope="module")
def viewer(browser: Chromium, demo: Running, archive: Mapping[str, Study], volume: Stack) -> Viewer:
    """The CT volume, opened from the study list."""
    url = f"{demo.url.removesuffix('/dicom-web')}/ohif"
    studies = StudyList(browser, url)
    studies.open()
    studies.open_study(row_of(archive[volume.study_uid]))
    viewer = Viewer(browser, url)
    viewer.expect_picture(200)
    return viewer


def test_pixels(viewer: Viewer, volume: Stack) -> None:
    """The first slice is what pydicom decodes."""
    assert 64 == len(volume.files)
    viewer.expect_place("1/64")
    assert assert_shows(viewer, volume).greys >= 200


def test_scroll(viewer: Viewer, volume: Stack) -> None:
    """The wheel shows the next slice, which is another one, and what pydicom decodes of it."""
    for at in (2, 3):
        before = viewer.picture(*volume.size)
        viewer.scroll()
        viewer.expect_place(f"{at}/64")
        viewer.expect_picture(200, not_hash=before.hash)
        assert before.hash != assert_shows(viewer, volume).hash


def test_opening(viewer: Viewer, archive: Mapping[str, Study], volume: Stack) -> None:
    """OHIF asks twice for the study, then for its series, priors, metadata and frames."""
    settled(lambda: _assert_asked(viewer, archive, volume))
    assert [] == viewer.browser.call("problems")  # no script has failed


def _assert_asked(viewer: Viewer, archive: Mapping[str, Study], volume: Stack) -> None:
    exchanges = [one for one in viewer.browser.exchanges() if "/dicom-web" in one.url]
    assert {200} == {one.status for one in exchanges}
    opened = [keys(one) for one in _of(exchanges, "/studies")]
    study_asked = {"StudyInstanceUID": volume.study_uid}
    patient_asked = {"00100020": CT[0]}
    assert 2 == opened.count(study_asked)
    assert patient_asked in opened
    priors, *_ = [one for one in _of(exchanges, "/studies") if keys(one) == patient_asked]
    patients = {uid for uid, one in archive.items() if [CT[0]] == one.texts["PatientID"]}
    assert (5, patients) == (len(patients), study_uids(priors))
    series = [
        {each["0020000E"]["Value"][0] for each in one.json}
        for one in _of(exchanges, f"/studies/{volume.study_uid}/series")
        if query(one) == {"includefield": "00080021,00080031,0008103E,00200011"}
    ]
    assert [set(archive[volume.study_uid].series)] == series
    for uid, one in archive[volume.study_uid].series.items():
        metadata = [
            {each["00080018"]["Value"][0] for each in asked.json}
            for asked in _of(exchanges, f"/series/{uid}/metadata")
        ]
        assert [one.instances] == metadata[:1]
    assert len(_of(exchanges, "/frames/1")) >= 64


def _of(exchanges: Sequence[Exchange], path: str) -> list[Exchange]:
    return [one for one in exchanges if urlsplit(one.url).path.endswith(path)]


def test_three_planes(viewer: Viewer) -> None:
    """The volume is cut in three planes."""
    viewer.layout("MPR")
    for plane in range(3):
        viewer.expect_picture(100, viewport=plane)
    pictures = [viewer.picture(viewport=plane) for plane in range(3)]
    assert 3 == len({picture.hash for picture in pictures})


IMAGES = {
    "RLE": ("SAMPLE-02", "A220804-01", "T1 sagittal", 200),
    "MONOCHROME1": ("SAMPLE-03", "A240118-01", "Chest PA", 200),
    "colour": ("SAMPLE-04", "A250219-01", "Colour Doppler", 100),
    "colour, RLE": ("SAMPLE-12", "A250707-01", "Perfusion map", 100),
}


@pytest.mark.parametrize(
    ("patient", "accession", "description", "greys"), IMAGES.values(), ids=IMAGES
)
def test_image(
    viewer: Viewer,
    files: Sequence[Path],
    patient: str,
    accession: str,
    description: str,
    greys: int,
) -> None:
    """The image is what pydicom decodes, in colour where it is one."""
    images = stack(files[0] / patient, accession, description)
    viewer.go(images.study_uid, images.uid)
    viewer.expect_picture(greys)
    assert images.is_coloured == (assert_shows(viewer, images).colours > 0)


def test_jpeg_2000(viewer: Viewer, files: Sequence[Path]) -> None:
    """A CT slice in JPEG 2000, of pydicom's files."""
    images = stack_of([files[1] / "693_J2KI.dcm"])
    viewer.go(images.study_uid)
    viewer.expect_picture(100)
    assert_shows(viewer, images)


def test_frames(viewer: Viewer, files: Sequence[Path]) -> None:
    """The frames of one instance are scrolled as a stack is."""
    images = stack(files[0] / "SAMPLE-03", "A180925-01", "Four chambers")
    viewer.go(images.study_uid, images.uid)
    viewer.expect_picture(100)
    first = assert_shows(viewer, images)
    viewer.scroll()
    viewer.expect_place("2/24")
    viewer.expect_picture(100, not_hash=first.hash)
    assert first.hash != assert_shows(viewer, images).hash


@pytest.mark.usefixtures("viewer")
def test_log(demo: Running, archive: Mapping[str, Study]) -> None:
    """Nothing of a patient stands in what the demo's processes have logged."""
    assert any("/frames/" in line["route"] for line in demo.requests())
    secret = {uid for one in archive.values() for uid in (one.uid, *one.series)}
    for one in archive.values():
        secret |= {*one.texts["PatientID"], *one.texts["AccessionNumber"], *one.name.values()}
    secret = {text for text in secret if len(text) > 5}  # a short one is a part of other words
    assert set() == {text for text in secret if text in demo.errors}
