"""npm's dicomweb-client, which is OHIF's transport: each retrieve, compared with the files.

All questions are asked in one process of Node.js, since its start takes the most of the time.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import pydicom
import pytest
from PIL import Image

from tests.clients.calling import dcmjs
from tests.clients.pictured import EXPLICIT, JPEG_2000, RLE, STUDY, File, Pictured
from tests.clients.wire import replay
from tests.e2e.running import Running

Options = dict[str, Any]
Answers = Mapping[str, Mapping[str, Any]]


def _series(file: File) -> Options:
    return {"studyInstanceUID": STUDY, "seriesInstanceUID": file.series}


def _instance(file: File) -> Options:
    return {**_series(file), "sopInstanceUID": file.uid}


def _frames(*numbers: int, syntaxes: Mapping[str, str] | None = None) -> Callable[[File], Options]:
    """The options for frames, with the media type of each transfer syntax."""
    types = [{"transferSyntaxUID": uid, "mediaType": one} for uid, one in (syntaxes or {}).items()]
    more = {"mediaTypes": types} if types else {}
    return lambda file: {**_instance(file), "frameNumbers": list(numbers), **more}


# It takes no media type for instances, so that what is compressed comes decoded
WHOLE: dict[str, tuple[str, str, Callable[[File], Options], Callable[[Pictured], Sequence[File]]]]
WHOLE = {
    "an instance": ("retrieveInstance", "CT", _instance, lambda p: p.files["CT"][:1]),
    "a compressed instance": ("retrieveInstance", "OT", _instance, lambda p: p.files["OT"]),
    "a document": ("retrieveInstance", "DOC", _instance, lambda p: p.files["DOC"]),
    "a series": ("retrieveSeries", "CT", _series, lambda p: p.files["CT"]),
    "a study": ("retrieveStudy", "CT", lambda _: {"studyInstanceUID": STUDY}, lambda p: p.all),
}
METADATA: dict[str, tuple[str, Callable[[File], Options], Callable[[Pictured], Sequence[File]]]]
METADATA = {
    "of an instance": ("retrieveInstanceMetadata", _instance, lambda p: p.files["CT"][:1]),
    "of a series": ("retrieveSeriesMetadata", _series, lambda p: p.files["CT"]),
    "of a study": (
        "retrieveStudyMetadata",
        lambda _: {"studyInstanceUID": STUDY},
        lambda p: p.all,
    ),
}
FRAMES: dict[str, tuple[str, Callable[[File], Options], Callable[[File], Sequence[bytes]]]] = {
    "one": ("CT", _frames(1), lambda f: f.frames),
    "one, stored compressed": ("MR", _frames(1), lambda f: f.decoded),
    "two, stored compressed": ("OT", _frames(1, 2), lambda f: f.decoded),
    "compressed or not": (
        "MR",
        _frames(1, syntaxes={JPEG_2000: "image/jp2", EXPLICIT: "application/octet-stream"}),
        lambda f: f.frames,
    ),
    "JPEG 2000": ("MR", _frames(1, syntaxes={JPEG_2000: "image/jp2"}), lambda f: f.frames),
    "RLE by its old name": (
        "OT",
        _frames(2, 1, syntaxes={RLE: "image/x-dicom-rle"}),
        lambda f: f.frames[::-1],
    ),
}
IMAGES: dict[str, tuple[str, Callable[[File], Options]]] = {
    "an instance": (
        "retrieveInstanceRendered",
        lambda f: {**_instance(f), "mediaTypes": [{"mediaType": "image/jpeg"}]},
    ),
    "a frame": (
        "retrieveInstanceFramesRendered",
        lambda f: {**_frames(1)(f), "mediaTypes": [{"mediaType": "image/png"}]},
    ),
    "an instance's thumbnail": (
        "retrieveInstanceThumbnail",
        lambda f: {**_instance(f), "mediaTypes": [{"mediaType": "image/jpeg"}]},
    ),
}
REFUSED: dict[str, tuple[str, Callable[[File], Options], int]] = {
    "an unknown study": (
        "retrieveStudyMetadata",
        lambda _: {"studyInstanceUID": "1.2.826.99"},
        404,
    ),
    "another's series": (
        "retrieveSeriesMetadata",
        lambda f: {**_series(f), "studyInstanceUID": "1.2.826.99"},
        404,
    ),
    "an unknown instance": (
        "retrieveInstance",
        lambda f: {**_instance(f), "sopInstanceUID": "1.2.826.99"},
        404,
    ),
    "a frame too far": ("retrieveInstanceFrames", _frames(2), 404),
    "no UID": ("retrieveStudyMetadata", lambda _: {"studyInstanceUID": "x"}, 400),
}


@pytest.fixture(scope="module")
def answers(pictured_gateway: Running, pictures: Pictured) -> Answers:
    """What the client got for each question, by `KIND: NAME`."""
    ct = pictures.one("CT")
    questions = {
        f"whole: {name}": {"method": method, "options": options(pictures.one(modality))}
        for name, (method, modality, options, _) in WHOLE.items()
    }
    for name, (method, options, _) in METADATA.items():
        questions[f"metadata: {name}"] = {"method": method, "options": options(ct)}
    for name, (modality, options, _) in FRAMES.items():
        of_file = options(pictures.one(modality))
        questions[f"frames: {name}"] = {"method": "retrieveInstanceFrames", "options": of_file}
    for name, (method, options) in IMAGES.items():
        questions[f"images: {name}"] = {"method": method, "options": options(ct)}
    for name, (method, options, _) in REFUSED.items():
        questions[f"refused: {name}"] = {"method": method, "options": options(ct)}
    document = pictures.one("DOC").address
    (told,) = replay(pictured_gateway.url, f"{document}/metadata").json
    questions["bulk data"] = {
        "method": "retrieveBulkData",
        "options": {"BulkDataURI": told["00420011"]["BulkDataURI"]},
    }
    got: Answers = dcmjs(pictured_gateway.url, questions)
    return got


def _bytes(answer: Mapping[str, Any]) -> list[bytes]:
    """The bytes of a promise's result: one buffer or several."""
    results = answer["results"]
    return [b64decode(one) for one in (results if isinstance(results, list) else [results])]


def _read(answer: Mapping[str, Any]) -> list[tuple[bytes, pydicom.FileDataset]]:
    return [(body, pydicom.dcmread(BytesIO(body))) for body in _bytes(answer)]


@pytest.mark.parametrize("name", WHOLE)
def test_instances(answers: Answers, pictures: Pictured, name: str) -> None:
    """The promise holds the imported files, to the byte but for those that were compressed."""
    found = {read.SOPInstanceUID: (body, read) for body, read in _read(answers[f"whole: {name}"])}
    expected = {file.uid: file for file in WHOLE[name][3](pictures)}
    assert sorted(expected) == sorted(found)
    for uid, file in expected.items():
        body, read = found[uid]
        if file.syntax == EXPLICIT:
            assert file.body == body
        else:
            assert EXPLICIT == read.file_meta.TransferSyntaxUID
            assert (file.dataset.pixel_array == read.pixel_array).all()


@pytest.mark.parametrize("name", METADATA)
def test_metadata(answers: Answers, pictures: Pictured, name: str) -> None:
    """The promise holds an object an instance, which pydicom reads."""
    results = answers[f"metadata: {name}"]["results"]
    expected = {file.uid: file.dataset for file in METADATA[name][2](pictures)}
    found = [pydicom.Dataset.from_json(one, lambda *_: None) for one in results]
    assert sorted(expected) == sorted(one.SOPInstanceUID for one in found)
    for one in found:
        of_file = expected[one.SOPInstanceUID]
        assert of_file.get("ImagePositionPatient") == one.get("ImagePositionPatient")
        assert of_file.get("Rows") == one.get("Rows")
        assert of_file.PatientName == one.PatientName


@pytest.mark.parametrize("name", FRAMES)
def test_frames(answers: Answers, pictures: Pictured, name: str) -> None:
    """The promise holds the frames in the order that was asked."""
    modality, _, frames = FRAMES[name]
    assert list(frames(pictures.one(modality))) == _bytes(answers[f"frames: {name}"])


@pytest.mark.parametrize("name", IMAGES)
def test_images(answers: Answers, pictures: Pictured, name: str) -> None:
    """The promise holds an image of the type and, but for a thumbnail, of the file's size."""
    (body,) = _bytes(answers[f"images: {name}"])
    image = Image.open(BytesIO(body))
    assert ("PNG" if name == "a frame" else "JPEG") == image.format
    columns, rows = (pictures.one("CT").dataset[name].value for name in ("Columns", "Rows"))
    assert (columns, rows) == image.size


def test_bulk_data(answers: Answers, pictures: Pictured) -> None:
    """The promise holds what the metadata's BulkDataURI leads to."""
    assert [pictures.one("DOC").dataset.EncapsulatedDocument] == _bytes(answers["bulk data"])


@pytest.mark.parametrize("name", REFUSED)
def test_refused(answers: Answers, name: str) -> None:
    """The error holds the status, which OHIF's httpErrorHandler is told."""
    assert REFUSED[name][2] == answers[f"refused: {name}"]["error"]["status"]
