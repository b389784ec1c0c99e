"""WADO-URI, at the service's root and at /wado."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from gateway.errors import NotAcceptableError, UpstreamUnavailableError
from gateway.wado.upstream import Incoming, Place
from tests.http.driver import Answer, ask
from tests.http.pictures import COLOUR, CT, FRAMES, REPORT, SLICES, pictures
from tests.http.retrieval import STUDY, ListedRetrieval, app_of_retrieval

CT_SLICE = f"studyUID={STUDY}&seriesUID={CT}&objectUID={SLICES[0]}"
TWO_FRAMES = f"studyUID={STUDY}&seriesUID={COLOUR}&objectUID={FRAMES}"
A_REPORT = f"studyUID={STUDY}&seriesUID={REPORT}&objectUID=1.2.1.1.1"
FILE = "contentType=application%2Fdicom"


async def _get(
    query: str, path: str = "/dicom-web", retrieval: ListedRetrieval | None = None, **headers: str
) -> Answer:
    app = app_of_retrieval(retrieval or pictures())
    return await ask(app, f"{path}?requestType=WADO&{query}", headers=headers)


@pytest.mark.parametrize("path", ["/dicom-web", "/dicom-web/", "/wado"])
async def test_a_file_is_passed_through(path: str) -> None:
    """Weasis' request: the Part 10 file, with its length."""
    answer = await _get(f"{CT_SLICE}&{FILE}", path)
    expected = b"DICM " + SLICES[0].encode() * 3
    assert (200, "application/dicom", expected) == (
        answer.status,
        answer.one("content-type"),
        answer.body,
    )
    assert str(len(expected)) == answer.one("content-length")


SYNTAXES = {
    "none: Explicit VR Little Endian": ("", True, ["1.2.840.10008.1.2.1"], False),
    "none, and it can't be had": ("", False, ["1.2.840.10008.1.2.1", "*"], True),
    "one that can be had": (
        "&transferSyntax=1.2.840.10008.1.2.4.70",
        True,
        ["1.2.840.10008.1.2.4.70"],
        False,
    ),
    "one that can't be had": (
        "&transferSyntax=1.2.840.10008.1.2.4.70",
        False,
        ["1.2.840.10008.1.2.4.70", "*"],
        True,
    ),
    "any": ("&transferSyntax=*", False, ["*"], False),
}


@pytest.mark.parametrize(("query", "decodes", "asked", "warned"), SYNTAXES.values(), ids=SYNTAXES)
async def test_the_transfer_syntax(
    query: str, decodes: bool, asked: list[str], warned: bool
) -> None:
    """As it is asked for, else as it is stored, which a Warning says."""
    retrieval = pictures(decodes=decodes)
    answer = await _get(f"{TWO_FRAMES}&{FILE}{query}", retrieval=retrieval)
    assert 200 == answer.status
    assert asked == [syntax for name, syntax in retrieval.asked if name == "instance"]
    assert warned == bool(answer.all("warning"))


RENDERED = {
    "JPEG": (f"{CT_SLICE}&contentType=image/jpeg", "JPEG", (128, 128)),
    "PNG": (f"{CT_SLICE}&contentType=image/png", "PNG", (128, 128)),
    "no wish": (CT_SLICE, "JPEG", (128, 128)),
    "rows and columns": (f"{CT_SLICE}&rows=64&columns=32", "JPEG", (32, 32)),
    "rows alone": (f"{CT_SLICE}&rows=64", "JPEG", (64, 64)),
    "a region": (f"{CT_SLICE}&region=0,0,0.5,0.25", "JPEG", (64, 32)),
    "a frame": (f"{TWO_FRAMES}&frameNumber=2", "JPEG", (100, 100)),
    "a window and a quality": (
        f"{CT_SLICE}&windowCenter=40&windowWidth=400&imageQuality=50",
        "JPEG",
        (128, 128),
    ),
}


@pytest.mark.parametrize(("query", "kind", "size"), RENDERED.values(), ids=RENDERED)
async def test_an_image(query: str, kind: str, size: tuple[int, int]) -> None:
    """One frame as a client of WADO-URI wants it."""
    answer = await _get(query)
    assert 200 == answer.status, answer.body
    with Image.open(io.BytesIO(answer.body)) as image:
        assert (kind, size) == (image.format, image.size)


CHOSEN = {
    "Accept, where contentType is missing": (CT_SLICE, "image/png", "image/png"),
    "Accept of a file": (CT_SLICE, "application/dicom", "application/dicom"),
    "contentType before Accept": (f"{CT_SLICE}&{FILE}", "image/png", "application/dicom"),
    "the first of a list that is offered": (
        f"{CT_SLICE}&contentType=image/gif,image/png",
        "*/*",
        "image/png",
    ),
    "a report has no image": (A_REPORT, "*/*", "application/dicom"),
}


@pytest.mark.parametrize(("query", "accept", "expected"), CHOSEN.values(), ids=CHOSEN)
async def test_the_media_type(query: str, accept: str, expected: str) -> None:
    """By contentType, else by Accept, else an image where there is one."""
    answer = await _get(query, accept=accept)
    assert (200, expected) == (answer.status, answer.one("content-type"))


REFUSED = {
    "no objectUID": (f"studyUID={STUDY}&seriesUID={CT}", 400, "objectUID"),
    "an empty studyUID": (f"studyUID=&seriesUID={CT}&objectUID=1.2", 400, "studyUID"),
    "a seriesUID that is none": (f"studyUID={STUDY}&seriesUID=x&objectUID=1.2", 400, "seriesUID"),
    "a list of UIDs": (f"studyUID=1.2,1.3&seriesUID={CT}&objectUID=1.2", 400, "studyUID"),
    "a frame that is not there": (f"{CT_SLICE}&frameNumber=2", 400, "frameNumber"),
    "anonymize": (f"{CT_SLICE}&{FILE}&anonymize=yes", 400, "anonymize"),
    "half a window": (f"{CT_SLICE}&windowCenter=40", 400, "windowCenter"),
    "no such study": (f"studyUID=1.9&seriesUID={CT}&objectUID={SLICES[0]}&{FILE}", 404, ""),
    "no such instance": (f"studyUID={STUDY}&seriesUID={CT}&objectUID=1.9&{FILE}", 404, ""),
    "GIF": (f"{CT_SLICE}&contentType=image/gif", 406, "image/jpeg"),
    "an image of a report": (f"{A_REPORT}&contentType=image/jpeg", 406, "no pixels"),
}


@pytest.mark.parametrize(("query", "status", "said"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused(query: str, status: int, said: str) -> None:
    """Each fault has its status and a sentence that names it."""
    answer = await _get(query)
    assert (status, "application/problem+json") == (answer.status, answer.one("content-type"))
    assert said in answer.json["detail"]


async def test_another_request_type_is_refused() -> None:
    """WADO is the only one."""
    answer = await ask(app_of_retrieval(pictures()), f"/dicom-web?requestType=QIDO&{CT_SLICE}")
    assert (400, True) == (answer.status, "requestType" in answer.json["detail"])


@pytest.mark.parametrize(
    ("target", "method"),
    [("/dicom-web", "GET"), ("/dicom-web?charset=utf-8", "GET"), ("/dicom-web", "OPTIONS")],
)
async def test_the_root_without_a_request_type_tells_the_capabilities(
    target: str, method: str
) -> None:
    """As it does without WADO-URI."""
    answer = await ask(app_of_retrieval(pictures()), target, method=method)
    assert (200, True) == (answer.status, "resources" in answer.json)


async def test_at_wado_a_request_type_must_be_given() -> None:
    """There is nothing else at /wado."""
    assert 400 == (await ask(app_of_retrieval(pictures()), "/wado")).status


async def test_a_file_that_breaks_off_is_cut() -> None:
    """Never a clean end."""

    def fault(number: int) -> None:
        if number == 2:
            raise UpstreamUnavailableError("It broke off.")

    retrieval = pictures(fault=fault, chunk=5)
    answer = await _get(f"{CT_SLICE}&{FILE}", retrieval=retrieval)
    assert (200, False) == (answer.status, answer.complete)
    assert retrieval.opened == retrieval.closed


async def test_a_file_that_can_be_had_in_no_way_is_not_acceptable() -> None:
    """As it is stored is the last resort."""

    class Refusing(ListedRetrieval):
        async def instance(self, place: Place, sop_instance_uid: str, syntax: str) -> Incoming:
            raise NotAcceptableError("It can't be had.")

    for syntax in ("*", "1.2.840.10008.1.2.1"):
        query = f"{CT_SLICE}&{FILE}&transferSyntax={syntax}"
        answer = await _get(query, retrieval=Refusing(pictures().stored))
        assert 406 == answer.status


async def test_parameters_without_effect_are_said() -> None:
    """A presentation state is not applied, and nothing is written into the image."""
    answer = await _get(f"{CT_SLICE}&annotation=patient&presentationUID=1.2&contentType=image/png")
    assert ["annotation", "presentationUID"] == [
        text.split("The parameter ")[1].split()[0] for text in answer.all("warning")
    ]
