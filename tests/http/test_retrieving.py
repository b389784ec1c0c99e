"""Retrieves over a data store in memory: statuses, forms, cuts, leaving, what is malformed."""

from __future__ import annotations

import asyncio
import email.parser
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from pydicom import Dataset

from gateway.errors import (
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.server.metadata import HELD_METADATA, MAX_NAMED
from gateway.server.routes import ServerOptions
from gateway.wado.media import EXPLICIT_LITTLE_ENDIAN
from gateway.wado.nativemodel import MAX_DEPTH
from gateway.wado.upstream import Place
from tests.http.driver import Answer, ask
from tests.http.retrieval import (
    BULK,
    CT,
    JPEG2000,
    RLE,
    SC,
    STUDY,
    ListedRetrieval,
    Stored,
    app_of_retrieval,
    instance,
    listed,
    place,
)
from tests.http.upstream import ListedCalls, app_over
from tests.unit.nativemodel import bulk_value, dataset_of, faults

STUDY_PATH = f"/dicom-web/studies/{STUDY}"
CT_PATH, SC_PATH = f"{STUDY_PATH}/series/{CT}", f"{STUDY_PATH}/series/{SC}"
FIRST, SECOND = f"{CT_PATH}/instances/1.2.1.1.1", f"{CT_PATH}/instances/1.2.1.1.2"
PACKED = f"{SC_PATH}/instances/1.2.1.2.1"
STORED_FORM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
ALL_PATHS = [
    *(f"{path}{end}" for path in (STUDY_PATH, CT_PATH, FIRST) for end in ("", "/metadata")),
    f"{FIRST}/frames/1",
    f"{FIRST}/bulkdata/42/11",
]


def parts_of(answer: Answer) -> list[tuple[str, bytes]]:
    """The Content-Type and content of each part, by Python's own reader of e-mail."""
    head = f"Content-Type: {answer.one('content-type')}\r\n\r\n".encode()
    message: Any = email.parser.BytesParser().parsebytes(head + answer.body)
    assert message.is_multipart() and not message.defects
    return [(one["content-type"], one.get_payload(decode=True)) for one in message.get_payload()]


async def answered(
    retrieval: ListedRetrieval, target: str, status: int = 200, *, accept: str | None = None
) -> Answer:
    """The whole answer to GET; nothing is left open."""
    headers = {} if accept is None else {"accept": accept}
    answer = await ask(app_of_retrieval(retrieval), target, headers=headers)
    assert (status, True) == (answer.status, answer.complete)
    assert retrieval.opened == retrieval.closed
    return answer


# --- what is given --------------------------------------------------------------------------------


async def test_study() -> None:
    """All instances of a study, series by series, each a part as it is stored."""
    answer = await answered(listed(), STUDY_PATH, accept=STORED_FORM)
    uids = ["1.2.1.1.1", "1.2.1.1.2", "1.2.1.2.1"]
    assert [("application/dicom", Stored(uid).file) for uid in uids] == parts_of(answer)


async def test_default_transfer_syntax() -> None:
    """Of several instances the one that can't be had in the default comes as it is stored."""
    retrieval = listed()
    answer = await answered(
        retrieval, STUDY_PATH, accept='multipart/related; type="application/dicom"'
    )
    named = f"application/dicom; transfer-syntax={EXPLICIT_LITTLE_ENDIAN}"
    assert [named, named, "application/dicom"] == [kind for kind, _ in parts_of(answer)]
    await answered(retrieval, PACKED, 406, accept="application/dicom")


async def test_series_at_several_places() -> None:
    """What several image sets hold of a series is given, each instance once."""
    stored = {
        place(CT, "a" * 32): [Stored("1.1", metadata=instance("1.1"))],
        place(CT, "b" * 32): [
            Stored("1.1", metadata=instance("1.1", 9)),
            Stored("1.2", metadata=instance("1.2")),
        ],
    }
    answer = await answered(ListedRetrieval(stored), CT_PATH)
    assert [Stored("1.1").file, Stored("1.2").file] == [data for _, data in parts_of(answer)]
    answer = await answered(ListedRetrieval(stored), f"{CT_PATH}/metadata")
    numbers = [one["00200013"]["Value"] for one in answer.json]
    assert [[1], [1]] == numbers
    answer = await answered(ListedRetrieval(stored), f"{CT_PATH}/instances/1.2/metadata")
    assert [["1.2"]] == [one["00080018"]["Value"] for one in answer.json]
    answer = await answered(ListedRetrieval(stored), f"{CT_PATH}/instances/1.2/frames/2")
    assert [b"frame 2"] == [data for _, data in parts_of(answer)]


@pytest.mark.parametrize("tells_length", [True, False])
async def test_instance(tells_length: bool) -> None:
    """One instance, as a part or by itself, with its length where that is known."""
    retrieval = listed(tells_length=tells_length)
    answer = await answered(retrieval, SECOND, accept=STORED_FORM)
    assert [("application/dicom", Stored("1.2.1.1.2").file)] == parts_of(answer)
    assert ([str(len(answer.body))] if tells_length else []) == answer.all("content-length")
    answer = await answered(retrieval, SECOND, accept="application/dicom")
    assert Stored("1.2.1.1.2").file == answer.body
    expected = f"application/dicom; transfer-syntax={EXPLICIT_LITTLE_ENDIAN}"
    assert expected == answer.one("content-type")


@pytest.mark.parametrize("path", [STUDY_PATH, CT_PATH, FIRST])
@pytest.mark.parametrize("accept", ["application/dicom+json", "application/json", "*/*"])
async def test_metadata(path: str, accept: str) -> None:
    """Metadata is given as it is written, but that its bulk data leads here."""
    answer = await answered(listed(), f"{path}/metadata", accept=accept)
    uids = {STUDY_PATH: 3, CT_PATH: 2, FIRST: 1}[path]
    all_of = [instance("1.2.1.1.1", 1), instance("1.2.1.1.2", 2), instance("1.2.1.2.1")][:uids]
    for one in all_of:
        uid = one["00080018"]["Value"][0]
        series = SC if uid == "1.2.1.2.1" else CT
        url = f"http://gateway.test{STUDY_PATH}/series/{series}/instances/{uid}/bulkdata/42/11"
        one["00420011"]["BulkDataURI"] = url
    assert f"[{','.join(map(json.dumps, all_of))}]".encode() == answer.body
    assert [] == answer.all("warning")
    kind = "application/json" if accept == "application/json" else "application/dicom+json"
    assert (kind, str(len(answer.body))) == tuple(
        answer.one(n) for n in ("content-type", "content-length")
    )


XML = 'multipart/related; type="application/dicom+xml"'


@pytest.mark.parametrize("path", [STUDY_PATH, CT_PATH, FIRST])
@pytest.mark.parametrize("accept", [XML, "application/dicom+xml", "multipart/related"])
async def test_metadata_as_xml(path: str, accept: str) -> None:
    """Each instance is a part, and the data set of the JSON object in its place."""
    as_json = await answered(listed(), f"{path}/metadata")
    answer = await answered(listed(), f"{path}/metadata", accept=accept)
    assert f"{XML}; boundary=result" == answer.one("content-type")
    assert str(len(answer.body)) == answer.one("content-length")
    assert as_json.one("etag") != answer.one("etag")
    parts = parts_of(answer)
    assert ["application/dicom+xml"] * len(as_json.json) == [kind for kind, _ in parts]
    assert [[]] * len(parts) == [faults(part) for _, part in parts]
    expected = [Dataset.from_json(one, lambda _, vr, uri: bulk_value(vr, uri))
                for one in as_json.json]  # fmt: skip
    assert expected == [dataset_of(part) for _, part in parts]


async def test_malformed_metadata_as_xml() -> None:
    """An instance that is malformed is left out there too, and named."""
    bad = Stored("1.2.1.1.8", metadata={"00080018": {"vr": "XX"}})
    good = Stored("1.2.1.1.9", metadata=instance("1.2.1.1.9"))
    answer = await answered(
        ListedRetrieval({place(CT, "a" * 32): [bad, good]}), f"{CT_PATH}/metadata", accept=XML
    )
    assert ["1.2.1.1.9"] == [dataset_of(part).SOPInstanceUID for _, part in parts_of(answer)]
    (warning,) = answer.all("warning")
    assert "The metadata of instance number 1 is malformed." in warning


async def test_deep_metadata_as_xml() -> None:
    """What XML can't be made of is no short answer."""
    depth = MAX_DEPTH + 1
    deep = '{"00081110":{"vr":"SQ","Value":[' * depth + "{}" + "]}}" * depth
    told = f"{json.dumps(instance('1.1'))[:-1]}, {deep[1:]}"
    retrieval = ListedRetrieval({place(CT, "a" * 32): [Stored("1.1", metadata=told)]})
    assert 1 == len((await answered(retrieval, f"{CT_PATH}/metadata")).json)
    await answered(retrieval, f"{CT_PATH}/metadata", 503, accept=XML)


async def test_bulk_data_is_where_metadata_say() -> None:
    """A BulkDataURI of the answer leads to its octets."""
    retrieval = listed()
    answer = await answered(retrieval, f"{FIRST}/metadata")
    uri = answer.json[0]["00420011"]["BulkDataURI"]
    path = uri.removeprefix("http://gateway.test")
    answer = await answered(retrieval, path, accept="application/octet-stream")
    assert (BULK, "4") == (answer.body, answer.one("content-length"))
    answer = await answered(retrieval, path, accept='multipart/related; type="*/*"')
    assert [("application/octet-stream", BULK)] == parts_of(answer)
    await answered(retrieval, path, 406, accept="image/jpeg")
    await answered(retrieval, f"{FIRST}/bulkdata/42/12", 404)
    await answered(retrieval, f"{FIRST}/bulkdata/a/../../b", 400)
    await answered(retrieval, f"{FIRST}/bulkdata/%2e%2e/frames", 400)


async def test_bulk_data_that_is_a_page() -> None:
    """What a file holds runs no script in the gateway's origin, whatever it is called."""
    retrieval = listed(bulk_type="text/html")
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    answer = await answered(retrieval, f"{FIRST}/bulkdata/42/11", accept=browser)
    assert ("text/html", BULK) == (answer.one("content-type"), answer.body)
    assert "script-src 'none'" == answer.one("content-security-policy")
    assert "nosniff" == answer.one("x-content-type-options")


FRAMES = [
    pytest.param("*/*", PACKED, f"image/jp2; transfer-syntax={JPEG2000}", id="as it is stored"),
    pytest.param(
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
        PACKED,
        f"image/jp2; transfer-syntax={JPEG2000}",
        id="OHIF",
    ),
    pytest.param(
        'multipart/related; type="application/octet-stream"',
        FIRST,
        f"application/octet-stream; transfer-syntax={EXPLICIT_LITTLE_ENDIAN}",
        id="uncompressed",
    ),
    pytest.param(
        'multipart/related; type="image/jls", multipart/related; type="image/jp2"; q=0.5',
        PACKED,
        f"image/jp2; transfer-syntax={JPEG2000}",
        id="the second alternative",
    ),
]


@pytest.mark.parametrize(("accept", "path", "expected"), FRAMES)
async def test_frames(accept: str, path: str, expected: str) -> None:
    """Frames come in the first form in which they can be had, in the order that is asked."""
    answer = await answered(listed(), f"{path}/frames/3,1", accept=accept)
    assert [(expected, b"frame 3"), (expected, b"frame 1")] == parts_of(answer)


BY_PARAMETER = [
    pytest.param("image/jp2", "application/dicom", "image/jp2", id="it outranks the header"),
    pytest.param("text/html", "image/jp2", "image/jp2", id="it names nothing that is offered"),
    pytest.param("x", "image/jp2", "image/jp2", id="it is no media type"),
    pytest.param("", "image/jp2", "image/jp2", id="it is empty"),
    pytest.param("image/jls", "image/jp2", "", id="what it names can't be had"),
    pytest.param("text/html", "text/html", "", id="nothing is offered"),
]


@pytest.mark.parametrize(("parameter", "accept", "expected"), BY_PARAMETER)
async def test_accept_as_a_parameter(parameter: str, accept: str, expected: str) -> None:
    """The query parameter counts where it names what is offered, else the header does."""
    target, status = f"{PACKED}/frames/2?accept={parameter}", 200 if expected else 406
    answer = await answered(listed(), target, status, accept=accept)
    if expected:
        assert f"{expected}; transfer-syntax={JPEG2000}" == answer.one("content-type")


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
async def test_frame_by_itself(chunk: int) -> None:
    """One frame comes without a part around it, with its own type."""
    answer = await answered(listed(chunk=chunk), f"{PACKED}/frames/2", accept="image/jp2")
    assert b"frame 2" == answer.body
    assert f"image/jp2; transfer-syntax={JPEG2000}" == answer.one("content-type")
    await answered(listed(), f"{PACKED}/frames/1,2", 406, accept="image/jp2")


async def test_forms_cost_no_second_call() -> None:
    """What is stored is asked for once, however many types are accepted."""
    retrieval = listed()
    accept = "image/jpeg, image/jls, image/jp2"
    await answered(retrieval, f"{PACKED}/frames/1", accept=accept)
    syntaxes = [f"1.2.840.10008.1.2.4.{n}" for n in (70, 80)]
    assert ["*", *syntaxes, "*"] == [syntax for _, syntax in retrieval.asked]


async def test_type_that_is_not_told() -> None:
    """A part that names no transfer syntax is of the type that it says."""
    retrieval = listed(part_type=lambda syntax: "image/jphc")
    answer = await answered(retrieval, f"{PACKED}/frames/1", accept="image/jphc")
    assert "image/jphc" == answer.one("content-type")
    await answered(retrieval, f"{PACKED}/frames/1", 406, accept="image/jls")


ROWS, COLUMNS = 4, 3
LAYOUT: dict[str, Any] = {
    tag: {"vr": vr, "Value": [value]}
    for tag, vr, value in (
        ("00280002", "US", 1),
        ("00280004", "CS", "MONOCHROME2"),
        ("00280008", "IS", 2),
        ("00280010", "US", ROWS),
        ("00280011", "US", COLUMNS),
        ("00280100", "US", 8),
        ("00280101", "US", 8),
        ("00280102", "US", 7),
        ("00280103", "US", 0),
    )
}
GREYS = [bytes(range(n, n + ROWS * COLUMNS)) for n in (0, 100)]


def packed_bits(frame: bytes) -> bytes:
    """A frame as RLE has it, of one segment that says each byte itself. Source: PS3.5 §G."""
    header = (1).to_bytes(4, "little") + (64).to_bytes(4, "little")
    segment = bytes([len(frame) - 1]) + frame
    return header.ljust(64, b"\0") + segment + b"\0" * (len(segment) % 2)


def of_rle(*frames: bytes) -> ListedRetrieval:
    """One instance of these frames in RLE."""
    metadata = instance("1.1", **LAYOUT)
    one = Stored("1.1", RLE, frames, metadata)
    return ListedRetrieval({place(CT, "a" * 32): [one]})


async def test_frames_are_decoded() -> None:
    """Frames that the upstream does not decode are decoded here, in the order that is asked."""
    path = f"{CT_PATH}/instances/1.1/frames"
    retrieval = of_rle(*map(packed_bits, GREYS))
    answer = await answered(
        retrieval, f"{path}/2,1", accept='multipart/related; type="application/octet-stream"'
    )
    named = f"application/octet-stream; transfer-syntax={EXPLICIT_LITTLE_ENDIAN}"
    assert [(named, GREYS[1]), (named, GREYS[0])] == parts_of(answer)
    answer = await answered(retrieval, f"{path}/1", accept="application/octet-stream")
    assert (GREYS[0], str(ROWS * COLUMNS)) == (answer.body, answer.one("content-length"))
    await answered(retrieval, f"{path}/3", 404, accept="application/octet-stream")
    await answered(
        retrieval, f"{path}/1,3", 404, accept='multipart/related; type="application/octet-stream"'
    )


async def test_frames_that_nobody_decodes() -> None:
    """A frame that can't be decoded is 406, and behind the first byte a cut."""
    path = f"{CT_PATH}/instances/1.1/frames"
    await answered(of_rle(b"no", b"no"), f"{path}/1", 406, accept="application/octet-stream")
    accept = 'multipart/related; type="application/octet-stream"'
    retrieval = of_rle(packed_bits(GREYS[0]), b"no")
    answer = await ask(app_of_retrieval(retrieval), f"{path}/1,2", headers={"accept": accept})
    assert (200, False) == (answer.status, answer.complete)
    assert retrieval.opened == retrieval.closed


# --- headers and methods --------------------------------------------------------------------------


@pytest.mark.parametrize("target", ALL_PATHS)
async def test_headers(target: str) -> None:
    """Nothing that a patient has stands in a shared cache, or on a proxy's disk."""
    answer = await answered(listed(), target)
    assert "private, no-cache" == answer.one("cache-control")
    assert "no" == answer.one("x-accel-buffering")
    vary = "Accept, Accept-Encoding" if "metadata" in target else "Accept"
    assert vary == answer.one("vary")
    options = ServerOptions(cache_control="no-store")
    stored = await ask(app_of_retrieval(listed(), options), target)
    assert ("no-store", []) == (stored.one("cache-control"), stored.all("etag"))


@pytest.mark.parametrize("target", ALL_PATHS)
async def test_head_and_options(target: str) -> None:
    """HEAD has the headers of GET and ends what was opened; OPTIONS names the methods."""
    retrieval = listed(chunk=3)
    got = await answered(retrieval, target)
    head = await ask(app_of_retrieval(retrieval), target, method="HEAD")
    assert (200, True, b"") == (head.status, head.complete, head.body)
    assert retrieval.opened == retrieval.closed
    for name in ("content-length", "vary", "etag"):
        assert got.all(name) == head.all(name)
    options = await ask(app_of_retrieval(retrieval), target, method="OPTIONS")
    assert (204, "GET, HEAD, OPTIONS") == (options.status, options.one("allow"))
    posted = await ask(app_of_retrieval(retrieval), target, method="POST")
    assert 405 == posted.status


async def test_other_origins() -> None:
    """A page of an origin that is named may read answers and refusals."""
    app = app_of_retrieval(listed(), ServerOptions(cors_origins=("https://viewer.test",)))
    for target in (f"{FIRST}/frames/1", f"{FIRST}/frames/99"):
        answer = await ask(app, target, headers={"origin": "https://viewer.test"})
        assert "https://viewer.test" == answer.one("access-control-allow-origin")


async def test_metadata_is_kept_and_compressed() -> None:
    """Metadata has an ETag, and is compressed where it is long enough; pixels never are."""
    app = app_of_retrieval(listed())
    first = await ask(app, f"{CT_PATH}/metadata")
    headers = {"if-none-match": first.one("etag")}
    again = await ask(app, f"{CT_PATH}/metadata", headers=headers)
    assert (304, b"") == (again.status, again.body)
    many = {place(CT, "a" * 32): [Stored("1.1", metadata=instance("1.1", **_long()))]}
    packed = await ask(
        app_of_retrieval(ListedRetrieval(many)),
        f"{CT_PATH}/metadata",
        headers={"accept-encoding": "gzip"},
    )
    assert "gzip" == packed.one("content-encoding")
    pixels = await ask(app, f"{FIRST}/frames/1", headers={"accept-encoding": "gzip"})
    assert [] == pixels.all("content-encoding")


def _long() -> dict[str, Any]:
    return {"00081030": {"vr": "LO", "Value": ["long " * 1_000]}}


async def test_public_base_url() -> None:
    """BulkDataURIs have the operator's base URL."""
    options = ServerOptions(public_base_url="https://pacs.test/dicom-web")
    answer = await ask(app_of_retrieval(listed(), options), f"{FIRST}/metadata")
    assert answer.json[0]["00420011"]["BulkDataURI"].startswith("https://pacs.test/dicom-web/stud")


# --- refusals -------------------------------------------------------------------------------------

REFUSED = [
    pytest.param("/dicom-web/studies/9.9", 404, id="unknown study"),
    pytest.param("/dicom-web/studies/9.9/metadata", 404, id="its metadata"),
    pytest.param(f"{STUDY_PATH}/series/9.9", 404, id="unknown series"),
    pytest.param(f"/dicom-web/studies/9.9/series/{CT}", 404, id="series of another study"),
    pytest.param(f"{CT_PATH}/instances/9.9", 404, id="unknown instance"),
    pytest.param(f"{CT_PATH}/instances/9.9/metadata", 404, id="its metadata, too"),
    pytest.param(f"{SC_PATH}/instances/1.2.1.1.1/frames/1", 404, id="instance of another series"),
    pytest.param(f"{FIRST}/frames/4", 404, id="frame out of range"),
    pytest.param(f"{FIRST}/frames/1,4", 404, id="one frame out of range"),
    pytest.param(f"{FIRST}/frames/0", 400, id="frame 0"),
    pytest.param(f"{FIRST}/frames/a", 400, id="no frame list"),
    pytest.param(f"{FIRST}/frames/1,1", 400, id="a frame twice"),
    pytest.param("/dicom-web/studies/x/metadata", 400, id="no study UID"),
    pytest.param(f"{STUDY_PATH}/series/1..2", 400, id="no series UID"),
    pytest.param(f"{CT_PATH}/instances/1,2", 400, id="two instance UIDs"),
    pytest.param(f"{FIRST}?charset=latin1", 400, id="charset"),
    pytest.param(f"{FIRST}?" + "a" * 8_192, 414, id="too long"),
    pytest.param(f"{FIRST}/pixels", 404, id="no such resource"),
]


@pytest.mark.parametrize(("target", "status"), REFUSED)
async def test_refused(target: str, status: int) -> None:
    """A refusal is a problem of fixed text that nobody keeps."""
    answer = await answered(listed(), target, status)
    assert "application/problem+json" == answer.one("content-type")
    assert "no-store" == answer.one("cache-control")
    assert status == answer.json["status"]
    assert "9.9" not in answer.body.decode()


@pytest.mark.parametrize("target", ALL_PATHS)
async def test_not_acceptable(target: str) -> None:
    """What can't be given is 406, and says what can."""
    answer = await answered(listed(), target, 406, accept="text/html")
    assert "application/" in answer.json["detail"]
    answer = await answered(listed(), target, accept="text/html, */*;q=0.1")


async def test_a_list_parted_by_escapes() -> None:
    """A comma may be percent-encoded."""
    answer = await answered(listed(), f"{FIRST}/frames/1%2C2")
    assert 2 == len(parts_of(answer))


@pytest.mark.parametrize("target", ALL_PATHS)
async def test_off(target: str) -> None:
    """Without anything to retrieve from there is no such resource."""
    answer = await ask(app_over(ListedCalls([])), target)
    assert 404 == answer.status


async def test_searches_stay() -> None:
    """The searches beside the retrieves are searches."""
    for target in (f"{STUDY_PATH}/series", f"{CT_PATH}/instances", "/dicom-web/studies/count"):
        answer = await ask(app_of_retrieval(listed()), target)
        assert (200, "[]" if "count" not in target else '{"count":0}') == (
            answer.status,
            answer.body.decode(),
        )


# --- faults ---------------------------------------------------------------------------------------


def failing(error: Callable[[], Exception], at: int) -> Callable[[int], None]:
    """A fault that is raised at the chunk of that number."""

    def fault(number: int) -> None:
        if number == at:
            raise error()

    return fault


STATUS = {
    UpstreamUnavailableError: 503,
    UpstreamThrottledError: 503,
    UpstreamRejectedError: 502,
    UpstreamTimeoutError: 504,
    ZeroDivisionError: 500,
}


@pytest.mark.parametrize("target", ALL_PATHS)
@pytest.mark.parametrize("error", STATUS, ids=lambda error: error.__name__)
async def test_failure_at_first(target: str, error: type[Exception]) -> None:
    """A failure before the first byte is a status."""
    fault = failing(lambda: error("no"), 1)
    await answered(listed(fault=fault), target, STATUS[error])


@pytest.mark.parametrize("target", [path for path in ALL_PATHS if "metadata" not in path])
async def test_failure_in_the_middle(target: str) -> None:
    """A failure after the first byte cuts the answer, and all that was opened is closed."""
    retrieval = listed(fault=failing(lambda: UpstreamUnavailableError("no"), 2), chunk=2)
    answer = await ask(app_of_retrieval(retrieval), target)
    assert (200, False) == (answer.status, answer.complete)
    assert retrieval.opened == retrieval.closed


async def test_failure_in_the_last_of_several() -> None:
    """A study that breaks off in its last instance is never whole."""
    retrieval = listed(fault=failing(lambda: UpstreamUnavailableError("no"), 12))
    answer = await ask(app_of_retrieval(retrieval), STUDY_PATH)
    assert (200, False) == (answer.status, answer.complete)
    assert Stored("1.2.1.1.1").file in answer.body
    assert retrieval.opened == retrieval.closed


@pytest.mark.parametrize("end", ["", "/metadata"], ids=["instances", "metadata"])
@pytest.mark.parametrize("path", [STUDY_PATH, CT_PATH], ids=["study", "series"])
async def test_a_series_that_is_listed_and_not_there(path: str, end: str) -> None:
    """What lacks a series that a search shows is no answer, and not absent either."""
    retrieval = listed()
    retrieval.stored[place(CT, "a" * 32)] = []
    await answered(retrieval, path + end, 503)


async def test_an_instance_that_is_listed_and_not_there() -> None:
    """A series without an instance that is listed is no answer."""
    retrieval = listed()

    async def instances(_: Place) -> list[str]:
        return ["9.9"]

    retrieval.instances = instances  # type: ignore[method-assign,assignment]
    await answered(retrieval, CT_PATH, 503)


@dataclass
class Grown(ListedRetrieval):
    """An import has added to it since its places were found: only recent ones are all of them."""

    kept: int = 1

    async def places(
        self, study_uid: str, series_uid: str = "", *, recent: bool = False
    ) -> Sequence[Place]:
        """Those that were there at first, or all."""
        found = await super().places(study_uid, series_uid)
        return found if recent else found[: self.kept]


@pytest.mark.parametrize(
    "path",
    ["/metadata", "", f"/series/{CT}/metadata", f"/series/{CT}"]
    + [f"/series/{CT}/instances/1.2{end}" for end in ("", "/metadata", "/frames/1")]
    + [f"/series/{CT}/instances/1.2/bulkdata/42/11"],
    ids=lambda path: path or "/",
)
async def test_what_an_import_has_added(path: str) -> None:
    """It is given, however long places are kept: no answer is short, and nothing is 404."""
    old, new = (Stored(uid, metadata=instance(uid)) for uid in ("1.1", "1.2"))
    kept = Grown({place(CT, "a" * 32): [old], place(CT, "b" * 32): [old, new]})
    known = ListedRetrieval({place(CT, "b" * 32): [old, new]})
    answers = [await answered(one, STUDY_PATH + path) for one in (kept, known)]
    if path.endswith("/metadata"):
        assert answers[0].json == answers[1].json
    else:
        assert parts_of(answers[0]) == parts_of(answers[1])


@pytest.mark.parametrize("end", ["", "/metadata"], ids=["instances", "metadata"])
async def test_a_series_that_goes_meanwhile(end: str) -> None:
    """What is deleted since it was found is missed by nobody."""
    retrieval = listed()
    lost = place(CT, "a" * 32)
    found = list(retrieval.stored)

    async def places(*_: str, recent: bool = False) -> list[Place]:
        given, found[:] = list(found), [one for one in found if one != lost]
        return given

    retrieval.stored[lost] = []
    retrieval.places = places  # type: ignore[method-assign,assignment] # a list that shrinks
    answer = await answered(retrieval, STUDY_PATH + end)
    if end:
        assert [["1.2.1.2.1"]] == [one["00080018"]["Value"] for one in answer.json]
    else:
        assert [Stored("1.2.1.2.1").file] == [data for _, data in parts_of(answer)]


async def test_another_length() -> None:
    """A body of another length than was said is cut."""
    retrieval = listed()
    stored = next(iter(retrieval.stored.values()))[0]
    incoming = retrieval._incoming

    def shorter(content_type: str, body: bytes):  # type: ignore[no-untyped-def]
        found = incoming(content_type, body)
        found.length = len(body) + 1
        return found

    retrieval._incoming = shorter  # type: ignore[method-assign]
    answer = await ask(app_of_retrieval(retrieval), FIRST, headers={"accept": "application/dicom"})
    assert (stored.file, False) == (answer.body, answer.complete)


@pytest.mark.parametrize("target", [path for path in ALL_PATHS if "metadata" not in path])
async def test_leaving(target: str) -> None:
    """A client that leaves ends what the upstream sends."""
    retrieval = listed(chunk=2)
    answer = await ask(app_of_retrieval(retrieval), target, leave_after_parts=1)
    assert not answer.complete
    assert retrieval.opened == retrieval.closed
    assert retrieval.served < 20


async def test_leaving_while_it_waits() -> None:
    """A client that leaves before the upstream has said anything ends the call."""
    retrieval, begun, cancelled = listed(), asyncio.Event(), asyncio.Event()

    async def never(*_: object) -> list[str]:
        begun.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return []

    retrieval.instances = never  # type: ignore[method-assign, assignment]
    asking = asyncio.ensure_future(ask(app_of_retrieval(retrieval), CT_PATH))
    await begun.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert cancelled.is_set()


async def test_one_body_at_a_time() -> None:
    """Of a series no more is open than the instance that is read and the next one."""
    uids = [f"1.1.{n}" for n in range(20)]
    retrieval = ListedRetrieval({place(CT, "a" * 32): [Stored(uid) for uid in uids]})
    most = 0

    def look(_: int) -> None:
        nonlocal most
        most = max(most, retrieval.opened - retrieval.closed)

    retrieval.fault = look
    answer = await answered(retrieval, CT_PATH)
    assert [Stored(uid).file for uid in uids] == [data for _, data in parts_of(answer)]
    assert most == 2


@pytest.mark.parametrize("accept", ["image/jp2", 'multipart/related; type="image/*"'])
@pytest.mark.parametrize(
    "body", [b"", b"no parts", b"--b--", b"--b\r\nContent-Type: image/jp2\r\n\r\nhalf"]
)
async def test_frames_that_are_no_parts(body: bytes, accept: str) -> None:
    """What is not of parts is never given as one, nor half a part as a whole one."""
    retrieval = listed(tells_length=False)
    incoming = retrieval._incoming
    retrieval._incoming = lambda *_: incoming(  # type: ignore[method-assign]
        'multipart/related; boundary="b"', body
    )
    answer = await ask(
        app_of_retrieval(retrieval), f"{PACKED}/frames/1", headers={"accept": accept}
    )
    if b"half" not in body:
        assert 503 == answer.status
    elif "multipart" not in accept:
        assert (200, False) == (answer.status, answer.complete)
    assert retrieval.opened == retrieval.closed


async def test_a_body_of_no_bytes() -> None:
    """An empty one is an empty part, or nothing by itself."""
    retrieval = listed()
    incoming = retrieval._incoming
    retrieval._incoming = lambda kind, _: incoming(kind, b"")  # type: ignore[method-assign,assignment]
    answer = await answered(retrieval, SECOND, accept=STORED_FORM)
    assert [("application/dicom", b"")] == parts_of(answer)
    answer = await answered(retrieval, f"{FIRST}/bulkdata/42/11", accept="application/*")
    assert (b"", "0") == (answer.body, answer.one("content-length"))


# --- malformed metadata ---------------------------------------------------------------------------


def damaged(*metadata: object) -> ListedRetrieval:
    """A series whose instances have this metadata."""
    stored = [Stored(f"1.1.{n}", metadata=one) for n, one in enumerate(metadata)]
    return ListedRetrieval({place(CT, "a" * 32): stored}, chunk=4_096)


BAD = {**instance("1.1.1"), "00081030": {"vr": "LO", "Value": "text"}}


@pytest.mark.parametrize("path", [STUDY_PATH, CT_PATH])
async def test_malformed_instances(path: str) -> None:
    """They are left out, named in Warnings and counted; the rest is served."""
    app = app_of_retrieval(damaged(instance("1.1.0"), BAD, None, [1], instance("1.1.4")))
    answer = await ask(app, f"{path}/metadata")
    assert (200, True) == (answer.status, answer.complete)
    assert [["1.1.0"], ["1.1.4"]] == [one["00080018"]["Value"] for one in answer.json]
    names = ["1.1.1", "number 3", "number 4"]
    assert [
        f"299 http://gateway.test/dicom-web: The metadata of instance {name} is malformed. "
        "It has been left out."
        for name in names
    ] == answer.all("warning")
    metrics = await ask(app, "/metrics")
    assert b"qido_gateway_malformed_instances_total 3.0" in metrics.body


async def test_many_malformed_instances() -> None:
    """No header grows without a bound."""
    answer = await answered(damaged(*[BAD] * (MAX_NAMED + 5)), f"{CT_PATH}/metadata")
    assert [] == answer.json
    told = answer.all("warning")
    assert MAX_NAMED + 1 == len(told)
    expected = "The metadata of 5 more instances is malformed. They have been left out."
    assert told[-1].endswith(expected)


async def test_malformed_too_late() -> None:
    """Where the header has said that nothing is left out, something that is cuts the answer."""
    filling: dict[str, Any] = {"00081030": {"vr": "LO", "Value": ["x" * 100_000]}}
    many = [instance(f"1.1.{n}", **filling) for n in range(HELD_METADATA // 100_000 + 2)]
    bad = {**BAD, "00080018": {"vr": "UI", "Value": ["1.2"]}}
    answer = await ask(app_of_retrieval(damaged(*many, bad)), f"{CT_PATH}/metadata")
    assert (200, False, []) == (answer.status, answer.complete, answer.all("warning"))
    whole = await ask(app_of_retrieval(damaged(*many)), f"{CT_PATH}/metadata")
    assert whole.complete and len(many) == len(whole.json)
    early = await ask(app_of_retrieval(damaged(bad, *many)), f"{CT_PATH}/metadata")
    assert early.complete and 1 == len(early.all("warning"))


async def test_malformed_where_it_lies_again() -> None:
    """An instance that was given is not left out, however another image set has it."""
    filling: dict[str, Any] = {"00081030": {"vr": "LO", "Value": ["x" * 100_000]}}
    many = [instance(f"1.1.{n}", **filling) for n in range(HELD_METADATA // 100_000 + 2)]
    for first in ([instance("1.1.1")], many):
        retrieval = damaged(*first)
        retrieval.stored[place(CT, "b" * 32)] = [Stored("1.1.1", metadata=BAD)]
        answer = await ask(app_of_retrieval(retrieval), f"{CT_PATH}/metadata")
        assert (True, []) == (answer.complete, answer.all("warning"))
        assert len(first) == len(answer.json)


@pytest.mark.parametrize("text", ["{", '{"a":}', "oops", ""])
async def test_no_metadata(text: str) -> None:
    """What is no array of metadata is the upstream's failure."""
    await answered(damaged(instance("1.1.0"), text), f"{CT_PATH}/metadata", 503)


# --- the log --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ALL_PATHS)
async def test_log(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The log has the route and what was sent, and no UID."""
    await answered(listed(), target)
    line = capsys.readouterr().out
    assert "route=/dicom-web/studies/{study}" in line
    assert "parts=" in line or "bytes=" in line
    assert STUDY not in line
