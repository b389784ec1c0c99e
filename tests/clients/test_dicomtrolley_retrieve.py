"""dicomtrolley of PyPI: its downloaders by WADO-RS and WADO-URI, compared with the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pydicom
import pytest
import requests
from dicomtrolley.core import (
    DICOMObjectReference,
    Downloader,
    InstanceReference,
    SeriesReference,
    StudyReference,
)
from dicomtrolley.exceptions import DICOMTrolleyError
from dicomtrolley.qido_rs import QidoRS, RelationalQuery
from dicomtrolley.trolley import Trolley
from dicomtrolley.wado_rs import WadoRS, WadoRSMetaData
from dicomtrolley.wado_uri import WadoURI

from tests.clients.pictured import STUDY, File, Pictured
from tests.e2e.running import Running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session as a program makes it."""
    with requests.Session() as one:
        yield one


def series(file: File) -> SeriesReference:
    """Its series as dicomtrolley names it."""
    return SeriesReference(STUDY, file.series)


def instance(file: File) -> InstanceReference:
    """The file's instance as dicomtrolley names it."""
    return InstanceReference(STUDY, file.series, file.uid)


# By WADO-RS it accepts anything (Accept: */*), so that what is compressed comes decoded
REFERENCES: dict[
    str, tuple[Callable[[Pictured], DICOMObjectReference], Callable[[Pictured], Sequence[File]]]
] = {
    "a study": (lambda _: StudyReference(STUDY), lambda p: p.all),
    "a series": (lambda p: series(p.one("CT")), lambda p: p.files["CT"]),
    "an instance": (lambda p: instance(p.one("OT")), lambda p: p.files["OT"]),
    "a document": (lambda p: instance(p.one("DOC")), lambda p: p.files["DOC"]),
}


@pytest.mark.parametrize(("reference", "files"), REFERENCES.values(), ids=REFERENCES)
def test_wado_rs(
    pictured_gateway: Running,
    pictures: Pictured,
    session: requests.Session,
    reference: Callable[[Pictured], DICOMObjectReference],
    files: Callable[[Pictured], Sequence[File]],
) -> None:
    """It downloads each instance once, and pydicom sees the same in it as in its file."""
    downloader = WadoRS(session, pictured_gateway.url, request_per_series=False)
    found = {one.SOPInstanceUID: one for one in downloader.datasets([reference(pictures)])}
    expected = {file.uid: file.dataset for file in files(pictures)}
    assert sorted(expected) == sorted(found)
    for uid, one in expected.items():
        assert_same(one, found[uid])


@pytest.mark.parametrize(("reference", "files"), REFERENCES.values(), ids=REFERENCES)
def test_metadata(
    pictured_gateway: Running,
    pictures: Pictured,
    session: requests.Session,
    reference: Callable[[Pictured], DICOMObjectReference],
    files: Callable[[Pictured], Sequence[File]],
) -> None:
    """It reads the metadata of each instance."""
    downloader = WadoRSMetaData(session, f"{pictured_gateway.url}/")
    found = {one.SOPInstanceUID: one for one in downloader.datasets([reference(pictures)])}
    expected = {file.uid: file.dataset for file in files(pictures)}
    assert sorted(expected) == sorted(found)
    for uid, one in expected.items():
        assert one.get("PixelSpacing") == found[uid].get("PixelSpacing")
        assert one.PatientName == found[uid].PatientName


@pytest.mark.parametrize("path", ["", "/wado"], ids=["root", "wado"])
@pytest.mark.parametrize("use_async", [False, True], ids=["one by one", "together"])
def test_wado_uri(
    pictured_gateway: Running,
    pictures: Pictured,
    session: requests.Session,
    path: str,
    use_async: bool,
) -> None:
    """It downloads each instance, at the service's root and where others look for WADO-URI."""
    base_url = pictured_gateway.url if not path else pictured_gateway.url.rsplit("/", 1)[0] + path
    files = [*pictures.files["CT"], *pictures.files["MR"]]
    downloader = WadoURI(session, base_url, use_async=use_async, max_workers=2)
    found = {one.SOPInstanceUID: one for one in downloader.datasets([instance(f) for f in files])}
    assert sorted(file.uid for file in files) == sorted(found)
    for file in files:
        assert_same(file.dataset, found[file.uid])


def test_trolley(pictured_gateway: Running, pictures: Pictured, session: requests.Session) -> None:
    """What its searcher finds, series by series, its downloader gets."""
    searcher = QidoRS(session, pictured_gateway.url)
    trolley = Trolley(searcher=searcher, downloader=WadoRS(session, pictured_gateway.url))
    (study,) = trolley.find_studies(RelationalQuery(PatientID="PIC001", query_level="SERIES"))
    found = sorted(str(one.SOPInstanceUID) for one in trolley.fetch_all_datasets([study]))
    assert sorted(file.uid for file in pictures.all) == found


DOWNLOADERS: dict[str, Callable[[requests.Session, str], Downloader]] = {
    "WADO-RS": WadoRS,
    "WADO-URI": WadoURI,
}


@pytest.mark.parametrize("downloader", DOWNLOADERS.values(), ids=DOWNLOADERS)
def test_unknown(
    pictured_gateway: Running,
    session: requests.Session,
    downloader: Callable[[requests.Session, str], Downloader],
) -> None:
    """An instance that is not there is its error, with the status."""
    unknown = InstanceReference(STUDY, f"{STUDY}.1", "1.2.826.99")
    with pytest.raises(DICOMTrolleyError, match="404"):
        list(downloader(session, pictured_gateway.url).datasets([unknown]))


def assert_same(expected: pydicom.Dataset, given: pydicom.Dataset) -> None:
    """They hold the same but for how pixels are compressed, and these decode to the same."""
    pixels = {"PixelData", "PhotometricInterpretation", "PlanarConfiguration"}
    for element in expected:
        if element.keyword not in pixels:
            assert element == given[element.tag]
    if "PixelData" in expected:
        assert (expected.pixel_array == given.pixel_array).all()
