"""Rendered images and thumbnails: what stands for what, in which form, and what is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest
from PIL import Image

from gateway.errors import UpstreamTimeoutError, UpstreamUnavailableError
from gateway.server.routes import ServerOptions
from gateway.wado.upstream import Place
from tests.http.driver import Answer, ask
from tests.http.pictures import (
    COLOUR,
    CT,
    FRAMES,
    MIDDLE,
    REPORT,
    REPORTS,
    SLICES,
    TWELVE_BITS,
    WIDE,
    of_file,
    pictures,
)
from tests.http.retrieval import STUDY, ListedRetrieval, Stored, app_of_retrieval, place
from tests.unit.pixelfiles import decoded

BASE = f"/dicom-web/studies/{STUDY}"
SLICE = f"{BASE}/series/{CT}/instances/{SLICES[0]}"
FRAME = f"{BASE}/series/{COLOUR}/instances/{FRAMES}"
PARTS_OF_JPEG = {"accept": 'multipart/related; type="image/jpeg"'}


async def _get(target: str, headers: Mapping[str, str | Sequence[str]] | None = None) -> Answer:
    return await ask(app_of_retrieval(pictures()), target, headers=headers)


def _image(answer: Answer) -> Image.Image:
    assert 200 == answer.status, answer.body
    image = Image.open(io.BytesIO(answer.body))
    image.load()
    return image


def _parts(answer: Answer) -> list[tuple[str, bytes]]:
    """The Content-Type and body of each part, as Python's own e-mail parser reads them."""
    head = f"Content-Type: {answer.one('content-type')}\r\n\r\n".encode()
    message = message_from_bytes(head + answer.body)
    found = []
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            found.append((part.get_content_type(), content))
    return found


SINGLE = {
    "a study's thumbnail: its first series that has a picture": (f"{BASE}/thumbnail", 128, "white"),
    "a series' thumbnail: its middle slice": (f"{BASE}/series/{CT}/thumbnail", 128, "white"),
    "an instance's thumbnail": (f"{SLICE}/thumbnail", 128, "L"),
    "a frame's thumbnail": (f"{FRAME}/frames/2/thumbnail", 128, "RGB"),
    "OHIF's thumbnail": (f"{BASE}/series/{CT}/thumbnail?viewport=256%2C256", 256, "white"),
    "a study rendered": (f"{BASE}/rendered", 128, "white"),
    "a series rendered": (f"{BASE}/series/{COLOUR}/rendered", 100, "RGB"),
    "an instance rendered": (f"{SLICE}/rendered", 128, "L"),
    "a frame rendered": (f"{FRAME}/frames/2/rendered", 100, "RGB"),
    "of several frames the first": (f"{FRAME}/frames/2,1/rendered", 100, "RGB"),
    "a viewport": (f"{SLICE}/rendered?viewport=64,32", 32, "L"),
    "a region": (f"{SLICE}/rendered?viewport=50,50,10,20,30,30", 50, "L"),
    "a window": (f"{SLICE}/rendered?window=-9999,2,linear", 128, "white"),
}


@pytest.mark.parametrize(("target", "side", "expected"), SINGLE.values(), ids=SINGLE)
async def test_one_image(target: str, side: int, expected: str) -> None:
    """One JPEG of the right picture, size and colours."""
    answer = await _get(target, {"accept": "image/jpeg"})
    image = _image(answer)
    assert ("JPEG", "image/jpeg", side) == (
        image.format,
        answer.one("content-type"),
        max(image.size),
    )
    if expected == "white":
        assert 250 < min(image.convert("L").tobytes())
    else:
        assert expected == image.mode
        assert 20 < len(set(image.tobytes()))


ACCEPTED = {
    "anything": ("", "*/*", "image/jpeg"),
    "any image": ("", "image/*", "image/jpeg"),
    "PNG": ("", "image/png", "image/png"),
    "PNG before JPEG": ("", "image/jpeg;q=.5, image/png", "image/png"),
    "what a browser's image element sends": (
        "",
        "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
        "image/jpeg",
    ),
    "OHIF's rendered": (
        "accept=image%2Fjpeg",
        'multipart/related; type="application/octet-stream"',
        "image/jpeg",
    ),
    "the parameter before the header": ("accept=image/png", "image/jpeg", "image/png"),
}


@pytest.mark.parametrize(("query", "accept", "expected"), ACCEPTED.values(), ids=ACCEPTED)
async def test_the_form_is_chosen(query: str, accept: str, expected: str) -> None:
    """By the accept parameter, else by the header."""
    answer = await _get(f"{SLICE}/rendered?{query}", {"accept": accept})
    assert (200, expected) == (answer.status, answer.one("content-type"))
    assert expected == f"image/{str(_image(answer).format).lower()}"


PARTS = {
    "a study: every instance with pixels": (f"{BASE}/series/{CT}/rendered", 3),
    "an instance: every frame": (f"{FRAME}/rendered", 2),
    "the frames that are named": (f"{FRAME}/frames/2,1/rendered", 2),
    "one frame": (f"{SLICE}/rendered", 1),
}


@pytest.mark.parametrize(("target", "number"), PARTS.values(), ids=PARTS)
async def test_all_images_as_parts(target: str, number: int) -> None:
    """A part for each frame of each instance that has pixels."""
    answer = await _get(target, PARTS_OF_JPEG)
    assert answer.complete
    parts = _parts(answer)
    assert ["image/jpeg"] * number == [kind for kind, _ in parts]
    for _, content in parts:
        with Image.open(io.BytesIO(content)) as image:
            assert "JPEG" == image.format


async def test_a_frame_that_is_not_there_is_no_cut() -> None:
    """It is known before the first part."""
    assert 404 == (await _get(f"{FRAME}/frames/1,3/rendered", PARTS_OF_JPEG)).status


async def test_a_part_that_cannot_be_rendered_cuts() -> None:
    """A study whose last image can't be decoded is not given as if it were whole."""
    answer = await _get(f"{BASE}/rendered", PARTS_OF_JPEG)
    assert (200, False) == (answer.status, answer.complete)


REFUSED = {
    "no UID": ("/dicom-web/studies/x/thumbnail", 400, "StudyInstanceUID"),
    "no frame number": (f"{FRAME}/frames/0/rendered", 400, "frames"),
    "a window of one number": (f"{SLICE}/rendered?window=1", 400, "window"),
    "a viewport of nothing": (f"{SLICE}/rendered?viewport=0,0", 400, "viewport"),
    "a region outside": (f"{SLICE}/rendered?viewport=9,9,120,0,9,9", 400, "viewport"),
    "a quality of 0": (f"{SLICE}/rendered?quality=0", 400, "quality"),
    "no such study": ("/dicom-web/studies/1.9/thumbnail", 404, ""),
    "no such series": (f"{BASE}/series/1.9/rendered", 404, ""),
    "no such instance": (f"{BASE}/series/{CT}/instances/1.9/rendered", 404, ""),
    "no such frame": (f"{FRAME}/frames/3/rendered", 404, ""),
    "no such frame among others": (f"{FRAME}/frames/1,3/rendered", 404, ""),
    "no such thumbnail's frame among others": (f"{FRAME}/frames/1,3/thumbnail", 404, ""),
    "no such thumbnail's frame": (f"{FRAME}/frames/3/thumbnail", 404, ""),
    "a report": (f"{BASE}/series/{REPORT}/instances/1.2.1.1.1/rendered", 406, "no pixels"),
    "a report's thumbnail": (f"{BASE}/series/{REPORT}/thumbnail", 406, "no pixels"),
    "a study of reports": (f"/dicom-web/studies/{REPORTS}/thumbnail", 406, "no pixels"),
    "a study of reports rendered": (f"/dicom-web/studies/{REPORTS}/rendered", 406, "no pixels"),
    "a JPEG of 12 bits": (
        f"{BASE}/series/{WIDE}/instances/{TWELVE_BITS}/rendered",
        406,
        "can't be decoded",
    ),
}


@pytest.mark.parametrize(("target", "status", "said"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused(target: str, status: int, said: str) -> None:
    """Each fault has its status and a sentence that names it."""
    answer = await _get(target)
    assert (status, "application/problem+json") == (answer.status, answer.one("content-type"))
    assert said in answer.json["detail"]


@pytest.mark.parametrize(
    "accept", ["image/gif", "application/dicom", "video/mp4", "image/jpeg;q=0"]
)
@pytest.mark.parametrize("kind", ["rendered", "thumbnail"])
async def test_other_forms_are_not_acceptable(kind: str, accept: str) -> None:
    """What is offered is named."""
    answer = await _get(f"{SLICE}/{kind}", {"accept": accept})
    assert 406 == answer.status
    assert "image/jpeg, image/png" in answer.json["detail"]


async def test_parts_of_nothing_are_not_acceptable() -> None:
    """A study of reports has no rendered images."""
    answer = await _get(f"/dicom-web/studies/{REPORTS}/rendered", PARTS_OF_JPEG)
    assert 406 == answer.status


@pytest.mark.parametrize(
    ("error", "status"), [(UpstreamUnavailableError, 503), (UpstreamTimeoutError, 504)]
)
@pytest.mark.parametrize("chunk", [1, 2, 20])
async def test_a_failing_upstream_is_a_status(
    error: type[Exception], status: int, chunk: int
) -> None:
    """Wherever it fails, no image is given, and every body is closed."""

    def fault(number: int) -> None:
        if number == chunk:
            raise error("It failed.")

    retrieval = pictures(fault=fault, chunk=1024)
    answer = await ask(app_of_retrieval(retrieval), f"{SLICE}/rendered")
    assert status == answer.status
    assert retrieval.opened == retrieval.closed


CACHED = {
    "a rendered image is asked for again": ("rendered", "no-cache", "private, no-cache", True),
    "a thumbnail may be shown for ten minutes": (
        "thumbnail",
        "no-cache",
        "private, max-age=600",
        True,
    ),
    "nothing is kept where nothing may": ("thumbnail", "no-store", "no-store", False),
}


@pytest.mark.parametrize(("kind", "setting", "expected", "tagged"), CACHED.values(), ids=CACHED)
async def test_what_may_be_kept(kind: str, setting: str, expected: str, tagged: bool) -> None:
    """By the client alone; and who has it gets 304."""
    options = ServerOptions(cache_control="no-store" if setting == "no-store" else "no-cache")
    app = app_of_retrieval(pictures(), options)
    answer = await ask(app, f"{SLICE}/{kind}")
    assert expected == answer.one("cache-control")
    assert tagged == bool(answer.all("etag"))
    if tagged:
        headers = {"if-none-match": answer.one("etag")}
        again = await ask(app, f"{SLICE}/{kind}", headers=headers)
        assert (304, b"") == (again.status, again.body)


IGNORED = {
    "annotation": "annotation=patient,technique",
    "iccprofile": "iccprofile=srgb",
}


@pytest.mark.parametrize(("name", "query"), IGNORED.items(), ids=IGNORED)
async def test_what_has_no_effect_is_said(name: str, query: str) -> None:
    """An optional parameter that is not supported is ignored, and a Warning says so."""
    answer = await _get(f"{SLICE}/rendered?{query}")
    assert 200 == answer.status
    expected = f"299 http://gateway.test/dicom-web: The parameter {name} has no effect."
    assert expected == answer.one("warning")


ELSEWHERE = {
    "absolute": "https://up.test/x/instances/1.2/bulkdata/42/11",
    "of an image set": "https://up.test/x/instances/1.2/bulkdata/42/11?imageSetId=a",
    "relative": "bulkdata/42/11",
    "percent-encoded": "https://up.test/bulkdata/%34%32/11",
}


@pytest.mark.parametrize("uri", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_a_lookup_table_elsewhere_is_fetched(uri: str) -> None:
    """A VOI LUT of which the metadata name only a BulkDataURI."""
    lut = {
        "00283002": {"vr": "US", "Value": [4, 0, 8]},
        "00283006": {"vr": "OW", "BulkDataURI": uri},
    }
    described = {
        **{tag: {"vr": "US", "Value": [n]} for tag, n in _LAYOUT.items()},
        "00280004": {"vr": "CS", "Value": ["MONOCHROME2"]},
        "00283010": {"vr": "SQ", "Value": [lut]},
    }
    retrieval = pictures()
    one = Stored("1.3.1.1", frames=[bytes((3, 2, 1, 0))], metadata=described)
    retrieval.stored[place("1.3.1", "f" * 32, study_uid="1.3")] = [one]
    target = "/dicom-web/studies/1.3/series/1.3.1/instances/1.3.1.1/rendered"
    answer = await ask(app_of_retrieval(retrieval), target, headers={"accept": "image/png"})
    assert bytes((3, 2, 1, 0)) == _image(answer).tobytes()


_LAYOUT = {"00280002": 1, "00280010": 1, "00280011": 4, "00280100": 8, "00280101": 8}


async def test_head_has_the_header_alone() -> None:
    """As GET, without a body."""
    for headers in (None, PARTS_OF_JPEG):
        answer = await ask(
            app_of_retrieval(pictures()), f"{SLICE}/rendered", method="HEAD", headers=headers
        )
        assert (200, b"") == (answer.status, answer.body)


async def test_the_middle_slice_is_all_that_is_fetched() -> None:
    """A thumbnail costs one frame, as it is stored."""
    retrieval = pictures()
    answer = await ask(app_of_retrieval(retrieval), f"{BASE}/series/{CT}/thumbnail")
    assert 200 == answer.status
    assert [("frames", "*")] == retrieval.asked
    assert MIDDLE == SLICES[len(SLICES) // 2]


async def test_a_thumbnail_is_made_once() -> None:
    """For each size, and anew for a new version of its image set."""
    retrieval = pictures()
    app = app_of_retrieval(retrieval)
    target = f"{BASE}/series/{CT}/thumbnail"
    first = await ask(app, target)
    again = await ask(app, target)
    assert (200, first.body) == (again.status, again.body)
    assert 1 == len(retrieval.asked)
    await ask(app, f"{BASE}/thumbnail")  # its first picture is that series'
    assert 1 == len(retrieval.asked)
    await ask(app, f"{target}?viewport=64,64")
    assert 2 == len(retrieval.asked)
    (old,) = await retrieval.places(STUDY, CT)
    retrieval.stored[replace(old, version=2)] = retrieval.stored.pop(old)
    assert 200 == (await ask(app, target)).status
    assert 3 == len(retrieval.asked)


async def test_another_series_stands_for_a_picture_that_cannot_be_decoded() -> None:
    """A study's thumbnail is the next one's then, and a series' own fault is said."""
    wide, slices = (
        place("1.3.1", "a" * 32, study_uid="1.3"),
        place("1.3.2", "b" * 32, study_uid="1.3"),
    )
    retrieval = ListedRetrieval(
        {
            wide: [of_file("1.3.1.1", "JPGExtended.dcm")],
            slices: [of_file("1.3.2.1", "CT_small.dcm")],
        },
        chunk=4096,
    )
    app = app_of_retrieval(retrieval)
    assert 200 == (await ask(app, "/dicom-web/studies/1.3/thumbnail")).status
    answer = await ask(app, "/dicom-web/studies/1.3/series/1.3.1/thumbnail")
    assert (406, True) == (answer.status, "decoded" in answer.json["detail"])


@pytest.mark.parametrize(
    ("kind", "accept"),
    [
        pytest.param("thumbnail", "image/jpeg", id="a thumbnail"),
        pytest.param("rendered", "image/jpeg", id="one image"),
        pytest.param("rendered", PARTS_OF_JPEG["accept"], id="parts"),
    ],
)
async def test_a_series_that_has_gone(kind: str, accept: str) -> None:
    """Another one stands for its study, and what is left of that is rendered."""
    gone, left = (place(f"1.3.{n}", f"{n}" * 32, study_uid="1.3") for n in (1, 2))
    retrieval = ListedRetrieval({gone: [], left: [of_file("1.3.2.1", "CT_small.dcm")]}, chunk=4096)
    found = [gone, left]

    async def places(*_: str, recent: bool = False) -> list[Place]:
        given, found[:] = list(found), [left]
        return given

    retrieval.places = places  # type: ignore[method-assign,assignment] # a list that shrinks
    target = f"/dicom-web/studies/1.3/{kind}"
    answer = await ask(app_of_retrieval(retrieval), target, headers={"accept": accept})
    assert (200, True) == (answer.status, answer.complete)
    assert 1 == len(_parts(answer) if "multipart" in accept else [_image(answer)])


async def test_a_decoded_frame_is_rendered_alike() -> None:
    """What is given as Explicit VR Little Endian are the octets of the picture."""
    retrieval = pictures()
    octets = {"accept": "application/octet-stream"}
    answer = await ask(app_of_retrieval(retrieval), f"{FRAME}/frames/2", headers=octets)
    expected = decoded("SC_rgb_rle_2frame.dcm")[1].tobytes()
    assert (200, expected) == (answer.status, answer.body)


async def test_an_instance_of_several_image_sets_is_one_part() -> None:
    """It is rendered once."""
    one = of_file("1.3.1.1", "CT_small.dcm")
    sets = [place("1.3.1", letter * 32, study_uid="1.3") for letter in "ab"]
    retrieval = ListedRetrieval({found: [one] for found in sets}, chunk=4096)
    target = "/dicom-web/studies/1.3/series/1.3.1/rendered"
    answer = await ask(app_of_retrieval(retrieval), target, headers=PARTS_OF_JPEG)
    assert 1 == len(_parts(answer))


async def test_who_leaves_ends_it() -> None:
    """No more is fetched for a client that has left, and what was opened is closed."""
    retrieval = pictures()
    target = f"{BASE}/series/{CT}/rendered"
    answer = await ask(
        app_of_retrieval(retrieval), target, headers=PARTS_OF_JPEG, leave_after_parts=1
    )
    assert (200, False) == (answer.status, answer.complete)
    assert len(retrieval.asked) < len(SLICES)
    assert retrieval.opened == retrieval.closed


async def _one(one: Stored, **more: Any) -> tuple[Answer, ListedRetrieval]:
    """The answer to a rendered instance that is all there is."""
    retrieval = ListedRetrieval({place("1.3.1", "f" * 32, study_uid="1.3"): [one]}, **more)
    target = f"/dicom-web/studies/1.3/series/1.3.1/instances/{one.uid}/rendered"
    answer = await ask(app_of_retrieval(retrieval), target, headers={"accept": "image/png"})
    assert retrieval.opened == retrieval.closed
    return answer, retrieval


METADATA = {
    "with NaN in it": (lambda text: '{"00189087":{"vr":"FD","Value":[NaN]},' + text[1:], 200),
    "longer than what is read at once": (lambda text: "{" + " " * 300_000 + text[1:], 200),
    "no JSON": (lambda _: "{", 503),
    "a number": (lambda _: "7", 503),
    "too deep": (lambda _: "[" * 100_000, 503),
}


@pytest.mark.parametrize(("change", "status"), METADATA.values(), ids=METADATA)
async def test_metadata_that_is_odd(change: Callable[[str], str], status: int) -> None:
    """What can be read is rendered, else it is the upstream's failure."""
    one = of_file("1.3.1.1", "CT_small.dcm")
    one.metadata = change(json.dumps(one.metadata))
    answer, _ = await _one(one, chunk=65_536)
    assert status == answer.status


PART_TYPES = {
    "a transfer syntax": ("image/jls; transfer-syntax=1.2.840.10008.1.2.4.80", None),
    "a type alone, and metadata that tell": ("image/jls", "1.2.840.10008.1.2.4.80"),
    "a type alone": ("image/jls", None),
    "any, and metadata of another type": ("image/jls; transfer-syntax=*", "1.2.840.10008.1.2.1"),
}


@pytest.mark.parametrize(("kind", "told"), PART_TYPES.values(), ids=PART_TYPES)
async def test_the_transfer_syntax_of_a_part(kind: str, told: str | None) -> None:
    """As the part says, else the metadata, else by its type."""
    more = {} if told is None else {"00083002": {"vr": "UI", "Value": [told]}}
    one = of_file("1.3.1.1", "MR_small_jpeg_ls_lossless.dcm", **more)
    answer, _ = await _one(one, part_type=lambda _: kind, chunk=4096)
    assert (64, 64) == _image(answer).size


async def test_a_frame_without_end_is_refused() -> None:
    """More than twice what the frame has without compression is not read to its end."""
    one = of_file("1.3.1.1", "CT_small.dcm")
    one.frames = [bytes(10_000_000)]
    answer, retrieval = await _one(one, chunk=10_000)
    assert 413 == answer.status
    assert retrieval.served < 50


async def test_a_table_that_leads_nowhere_is_not_acceptable() -> None:
    """A BulkDataURI that is no path of bulk data is not asked for."""
    lut = {
        "00283002": {"vr": "US", "Value": [4, 0, 8]},
        "00283006": {"vr": "OW", "BulkDataURI": "https://up.test/bulkdata/../../secrets"},
    }
    one = of_file("1.3.1.1", "CT_small.dcm", **{"00283010": {"vr": "SQ", "Value": [lut]}})
    answer, retrieval = await _one(one, chunk=4096)
    assert (406, []) == (answer.status, retrieval.asked)
