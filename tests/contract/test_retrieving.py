"""Retrieving by the DICOMweb: what is asked and signed, what comes through, and what fails."""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from collections.abc import Awaitable, Callable

import pytest
from tenacity import wait_none

from gateway.errors import (
    GatewayError,
    NotAcceptableError,
    NotFoundError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.healthimaging import fetching, locating, pacing
from gateway.healthimaging.dicomweb import DicomWeb
from gateway.healthimaging.pacing import Pace
from gateway.wado.upstream import STORED, Incoming, Place
from tests.contract.retrieving import (
    INSTANCE,
    SERIES,
    STUDY,
    Answer,
    site,
    summary,
)
from tests.contract.visiting import until
from tests.laws.harness import DATASTORE_ID

PLACE = Place(STUDY, SERIES, "a" * 32, 1, True)
OTHER = Place(STUDY, SERIES, "b" * 32, 1, False)
BASE = f"/datastore/{DATASTORE_ID}/studies/{STUDY}/series/{SERIES}"
ONE = f"{BASE}/instances/{INSTANCE}"
MULTIPART = 'multipart/related; type="application/octet-stream"'
FRAMES = f"{MULTIPART}; boundary=x"

Asked = Callable[[DicomWeb, Place], Awaitable[Incoming]]
ASKED: dict[str, Asked] = {
    "series metadata": lambda r, p: r.metadata(p),
    "instance metadata": lambda r, p: r.metadata(p, INSTANCE),
    "instance": lambda r, p: r.instance(p, INSTANCE, STORED),
    "frames": lambda r, p: r.frames(p, INSTANCE, (1, 3), "1.2.840.10008.1.2.1"),
    "bulk data": lambda r, p: r.bulk_data(p, INSTANCE, "a/b c"),
}
ASKED_FOR = {
    "series metadata": (f"{BASE}/metadata", "application/dicom+json"),
    "instance metadata": (f"{ONE}/metadata", "application/dicom+json"),
    "instance": (ONE, "application/dicom; transfer-syntax=*"),
    "frames": (f"{ONE}/frames/1,3", f"{MULTIPART}; transfer-syntax=1.2.840.10008.1.2.1"),
    "bulk data": (f"{ONE}/bulkdata/a/b%20c", "application/octet-stream"),
}
OPERATIONS = {
    "series metadata": "GetDICOMSeriesMetadata",
    "instance metadata": "GetDICOMInstanceMetadata",
    "instance": "GetDICOMInstance",
    "frames": "GetDICOMInstanceFrames",
    "bulk data": "GetDICOMBulkdata",
}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    # No test waits: what is tried again is tried at once
    monkeypatch.setattr(fetching, "_PAUSES", wait_none())


async def body_of(incoming: Incoming) -> bytes:
    """All of it."""
    try:
        return b"".join([chunk async for chunk in incoming.chunks])
    finally:
        await incoming.aclose()


# --- what is asked --------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("place", [PLACE, OTHER], ids=["primary", "not primary"])
async def test_what_is_asked(monkeypatch: pytest.MonkeyPatch, what: str, place: Place) -> None:
    """Each call has its path and Accept; the image set is named only where it is not primary."""
    async with site(monkeypatch) as here:
        content_type = FRAMES if what == "frames" else "application/dicom+json"
        here.web.says(Answer(body=b"[{}]", content_type=content_type))
        incoming = await ASKED[what](here.retrieval, place)
        assert (content_type, 4) == (incoming.content_type, incoming.length)
        assert b"[{}]" == await body_of(incoming)
        ((target, headers),) = here.web.requests
        assert {"ok": 1} == here.counted(OPERATIONS[what])
    path, accept = ASKED_FOR[what]
    query = "" if place.is_primary else f"?imageSetId={place.image_set_id}"
    assert (f"{path}{query}", accept) == (target, headers["accept"])
    assert "identity" == headers["accept-encoding"]


async def test_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host, date and a session's token are signed by the process's own credentials."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    async with site(monkeypatch) as here:
        await body_of(await here.retrieval.instance(OTHER, INSTANCE, STORED))
        ((_, headers),) = here.web.requests
    assert "session" == headers["x-amz-security-token"]
    day = headers["x-amz-date"][:8]
    assert re.fullmatch(
        rf"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{day}/us-east-1/medical-imaging/aws4_request, "
        r"SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}",
        headers["authorization"],
    )


async def test_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy that botocore would take is taken."""
    async with site(monkeypatch, retrieve={"dicomweb_endpoint": "http://far.test"}) as here:
        monkeypatch.setenv("HTTP_PROXY", here.url)
        monkeypatch.setenv("NO_PROXY", "")
        await body_of(await here.retrieval.instance(PLACE, INSTANCE, STORED))
        ((target, headers),) = here.web.requests
    assert ("far.test", True) == (headers["host"], target.endswith(ONE))


async def test_missing_credentials_are_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials a call is rejected; once there are some the next one works."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with site(monkeypatch) as here:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        with pytest.raises(UpstreamRejectedError, match="credentials"):
            await here.retrieval.instance(PLACE, INSTANCE, STORED)
        assert [] == here.web.requests
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        await body_of(await here.retrieval.instance(PLACE, INSTANCE, STORED))


@pytest.mark.parametrize("path", ["", "..", "a/../b", "a//b", "./a", "a/.."])
async def test_a_path_that_leads_elsewhere(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """A path of bulk data stays below its instance: else it is not asked for."""
    async with site(monkeypatch) as here:
        with pytest.raises(NotFoundError):
            await here.retrieval.bulk_data(PLACE, INSTANCE, path)
        assert [] == here.web.requests


# --- what comes -----------------------------------------------------------------------------------


async def test_a_body_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large body comes in parts, as it is, over a connection that is used again."""
    body = bytes(range(256)) * 40_000
    async with site(monkeypatch) as here:
        here.web.says(Answer(body=body))
        for _ in range(3):
            incoming = await here.retrieval.instance(PLACE, INSTANCE, STORED)
            sizes, got = [], b""
            async for chunk in incoming.chunks:
                sizes.append(len(chunk))
                got += chunk
            assert (len(body), True) == (incoming.length, body == got)
            assert 0 < min(sizes) and max(sizes) < 1_000_000
        assert 1 == len(here.web.clients)


async def test_a_coded_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes coded all the same is decoded, and its length is not known."""
    async with site(monkeypatch) as here:
        coding = {"content-encoding": "gzip"}
        whole, content_type = b"[{}]" + bytes(1_000_000), "application/dicom+json"
        for body in (gzip.compress(whole), gzip.compress(whole[:9]) + gzip.compress(whole[9:])):
            here.web.says(Answer(body=body, content_type=content_type, headers=coding))
            incoming = await here.retrieval.metadata(PLACE)
            assert (None, whole) == (incoming.length, await body_of(incoming))


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip", gzip.compress(bytes(1_000))[:-1], id="gzip that breaks off"),
        pytest.param("gzip", gzip.compress(b"x")[:3], id="gzip that has hardly begun"),
        pytest.param("GZIP", gzip.compress(b"x") + gzip.compress(b"x")[:-9], id="gzip, twice"),
        pytest.param("gzip", b"x", id="no gzip"),
    ],
)
async def test_a_body_whose_coding_is_broken(
    monkeypatch: pytest.MonkeyPatch, coding: str, body: bytes
) -> None:
    """What is not whole when it is decoded is never given as whole."""
    async with site(monkeypatch) as here:
        here.web.says(Answer(body=body, headers={"content-encoding": coding}))
        with pytest.raises(UpstreamUnavailableError):
            await body_of(await here.retrieval.instance(PLACE, INSTANCE, STORED))


@pytest.mark.parametrize("coding", ["deflate", "br", "compress", "gzip, gzip"])
async def test_another_coding(monkeypatch: pytest.MonkeyPatch, coding: str) -> None:
    """What nobody asked for and nobody reads is refused, not passed on as it is."""
    async with site(monkeypatch) as here:
        here.web.says(Answer(body=zlib.compress(b"x"), headers={"content-encoding": coding}))
        with pytest.raises(UpstreamRejectedError):
            await here.retrieval.instance(PLACE, INSTANCE, STORED)


@pytest.mark.parametrize(
    ("what", "content_type"),
    [
        pytest.param("series metadata", "text/html", id="metadata that is a page"),
        pytest.param("frames", "application/octet-stream", id="frames without parts"),
        pytest.param("instance", "text/html", id="an instance that is a page"),
        pytest.param("instance", MULTIPART, id="an instance in parts"),
    ],
)
async def test_an_answer_of_something_else(
    monkeypatch: pytest.MonkeyPatch, what: str, content_type: str
) -> None:
    """A 200 that can't be what was asked for is refused."""
    async with site(monkeypatch) as here:
        here.web.says(Answer(body=b"x", content_type=content_type))
        with pytest.raises(UpstreamRejectedError):
            await ASKED[what](here.retrieval, PLACE)
        assert 1 == len(here.web.requests)


# --- what fails -----------------------------------------------------------------------------------

REFUSED = {
    "not there": (Answer(404, code="ResourceNotFoundException"), NotFoundError, 1),
    "no such syntax": (Answer(406, code="NotAcceptableException"), NotAcceptableError, 1),
    "invalid": (Answer(400, code="ValidationException"), UpstreamRejectedError, 1),
    "denied": (Answer(403, code="AccessDeniedException"), UpstreamRejectedError, 1),
    "expired": (Answer(400, code="ExpiredTokenException:http://x/"), UpstreamRejectedError, 1),
    "elsewhere": (Answer(302, headers={"location": "/x"}), UpstreamRejectedError, 1),
    "another success": (Answer(202), UpstreamRejectedError, 1),
    "throttled": (Answer(429, code="ThrottlingException"), UpstreamThrottledError, 3),
    "throttled, without a name": (Answer(429), UpstreamThrottledError, 3),
    "failing": (Answer(500, code="InternalServerException"), UpstreamUnavailableError, 3),
    "failing in front of it": (Answer(503), UpstreamUnavailableError, 3),
}
OUTCOMES = {
    NotFoundError: "ok",
    NotAcceptableError: "ok",
    UpstreamRejectedError: "rejected",
    UpstreamThrottledError: "throttled",
    UpstreamUnavailableError: "unavailable",
}


@pytest.mark.parametrize(("answer", "kind", "calls"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_is_one_of_our_errors(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, kind: type[GatewayError], calls: int
) -> None:
    """What may pass is tried three times; the upstream's text stays behind, its id does not."""
    said = Answer(answer.status, b'{"message": "DOE^JANE"}', code=answer.code,
                  headers=answer.headers)  # fmt: skip
    async with site(monkeypatch) as here:
        here.web.says(said)
        with pytest.raises(GatewayError) as caught:
            await here.retrieval.instance(PLACE, INSTANCE, STORED)
        assert (kind, calls) == (type(caught.value), len(here.web.requests))
        assert {OUTCOMES[kind]: 1} == here.counted("GetDICOMInstance")
    assert not re.search(f"DOE|{STUDY}|http", str(caught.value))
    assert caught.value.__cause__ is None
    if outcome := getattr(caught.value, "attempts", None):
        assert (calls, "a-1") == (outcome, getattr(caught.value, "request_id", ""))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(Answer(400, code="ValidationException"), NotFoundError, id="no such frame"),
        pytest.param(Answer(400), NotFoundError, id="no such frame, unnamed"),
        pytest.param(Answer(400, code="ExpiredTokenException"), UpstreamRejectedError, id="token"),
    ],
)
async def test_a_frame_out_of_range(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, kind: type[GatewayError]
) -> None:
    """A list of frames that is called invalid has one that is not there."""
    async with site(monkeypatch) as here:
        here.web.says(answer)
        with pytest.raises(GatewayError) as caught:
            await here.retrieval.frames(PLACE, INSTANCE, (99,), STORED)
    assert kind is type(caught.value)


@pytest.mark.parametrize("answer", [Answer(429), Answer(503)], ids=["throttled", "failing"])
async def test_what_passes_is_tried_again(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """A passing fault does not reach the client, and its call counts as a retry."""
    async with site(monkeypatch) as here:
        here.web.says(answer, answer, Answer(body=b"well"))
        assert b"well" == await body_of(await here.retrieval.instance(PLACE, INSTANCE, STORED))
        labels = {"operation": "GetDICOMInstance"}
        name = "qido_gateway_upstream_retries_total"
        assert 2 == here.parts.meters.registry.get_sample_value(name, labels)
        assert {"ok": 1} == here.counted("GetDICOMInstance")


@pytest.mark.parametrize(
    ("ending", "kind", "outcome"),
    [
        pytest.param("cut", UpstreamUnavailableError, "unavailable", id="cut"),
        pytest.param("stalled", UpstreamTimeoutError, "timeout", id="stalled"),
    ],
)
async def test_a_broken_body(
    monkeypatch: pytest.MonkeyPatch, ending: str, kind: type[GatewayError], outcome: str
) -> None:
    """What came is given, then the error is raised; the next call is well."""
    monkeypatch.setattr(fetching, "READ_TIMEOUT_S", 0.2)
    async with site(monkeypatch) as here:
        here.web.says(Answer(body=b"0123456789", ending=ending))  # type: ignore[arg-type] # a text of the table
        incoming = await here.retrieval.instance(PLACE, INSTANCE, STORED)
        got = b""
        with pytest.raises(GatewayError) as caught:
            async for chunk in incoming.chunks:
                got += chunk
        assert (kind, b"01234", 10) == (type(caught.value), got, incoming.length)
        assert {outcome: 1} == here.counted("GetDICOMInstance")
        here.web.says(Answer(body=b"well"))
        assert b"well" == await body_of(await here.retrieval.instance(PLACE, INSTANCE, STORED))


async def test_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that can't be reached is unavailable, after three attempts."""
    endpoint = {"dicomweb_endpoint": "http://127.0.0.1:9"}
    async with site(monkeypatch, retrieve=endpoint) as here:
        with pytest.raises(UpstreamUnavailableError) as caught:
            await here.retrieval.instance(PLACE, INSTANCE, STORED)
        assert (3, {"unavailable": 1}) == (
            caught.value.attempts,
            here.counted("GetDICOMInstance"),
        )


@pytest.mark.parametrize("read", [0, 1, 50], ids=["unread", "one chunk", "in the middle"])
async def test_who_leaves_ends_the_call(monkeypatch: pytest.MonkeyPatch, read: int) -> None:
    """Closing what comes closes its connection at once, read or not."""
    async with site(monkeypatch) as here:
        here.web.says(Answer(body=bytes(100_000), ending="endless"))
        incoming = await here.retrieval.instance(PLACE, INSTANCE, STORED)
        for _ in range(read):
            await anext(incoming.chunks)
        await incoming.aclose()
        async with asyncio.timeout(30):
            await here.web.left.wait()
        assert {"abandoned": 1} == here.counted("GetDICOMInstance")


async def test_who_does_not_read_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is gathered for a reader that is slow: the upstream has to wait."""
    async with site(monkeypatch) as here:
        here.web.says(Answer(body=bytes(200_000), ending="endless"))
        incoming = await here.retrieval.instance(PLACE, INSTANCE, STORED)
        seen = -1
        while seen != here.web.sent:
            seen = here.web.sent
            await asyncio.sleep(0.2)
        assert seen < 16 * 2**20  # what the system's buffers take, and a little
        await incoming.aclose()


# --- turns ----------------------------------------------------------------------------------------


async def test_calls_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the burst calls wait, each operation for itself."""
    limits = {"calls_per_s": 20.0, "burst": 2}
    async with site(monkeypatch, retrieve=limits) as here:
        loop = asyncio.get_running_loop()
        since = loop.time()
        for _ in range(5):
            await body_of(await here.retrieval.instance(PLACE, INSTANCE, STORED))
        assert 0.1 < loop.time() - since < 2
        since = loop.time()
        here.web.says(Answer(body=b"[]", content_type="application/dicom+json"))
        await body_of(await here.retrieval.metadata(PLACE))
        assert loop.time() - since < 0.1


async def test_a_queue_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would wait too long is refused at once, with the time after which it may work."""
    monkeypatch.setattr(pacing, "MOST_WAIT_S", 2.5)
    pace = Pace(0.25, 1)
    await pace.turn()
    for _ in range(2):
        waiting = asyncio.create_task(pace.turn())
        await asyncio.sleep(0)
        with pytest.raises(UpstreamThrottledError) as caught:
            await pace.turn()
        assert 2 == caught.value.retry_after_s
        waiting.cancel()  # who leaves does not count any more
        await asyncio.gather(waiting, return_exceptions=True)


async def test_a_call_without_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused at once, and is no call."""
    monkeypatch.setattr(pacing, "MOST_WAIT_S", -1.0)
    async with site(monkeypatch) as here:
        with pytest.raises(UpstreamThrottledError):
            await here.retrieval.instance(PLACE, INSTANCE, STORED)
        assert ([], {}) == (here.web.requests, here.counted("GetDICOMInstance"))


# --- places ---------------------------------------------------------------------------------------

TWO = "1.2.1.2"
SETS = [
    summary(1, tags={"DICOMSeriesNumber": 2}),
    summary(2, tags={"DICOMSeriesNumber": 2}),
    summary(3, isPrimary=False),
    summary(4, series_uid=TWO, tags={"DICOMSeriesNumber": 1}, isPrimary=False),
    summary(5, series_uid=TWO, tags={"DICOMSeriesNumber": 1}, isPrimary=False, version=7),
    summary(6, study_uid="1.2.9"),
    summary(7, series_uid=""),
]
P = True
LOCATED = {
    "primary": ("primary", STUDY, "", [(SERIES, 2, P)]),
    "fill": ("fill", STUDY, "", [(TWO, 5, False), (SERIES, 2, P)]),
    "all": ("all", STUDY, "",
            [(TWO, 5, False), (TWO, 4, False), (SERIES, 2, P), (SERIES, 3, False)]),
    "one series": ("all", STUDY, SERIES, [(SERIES, 2, P), (SERIES, 3, False)]),
    "a series that has no primary one": ("fill", STUDY, TWO, [(TWO, 5, False)]),
    "a series that is not shown": ("primary", STUDY, TWO, []),
    "a series of two studies": ("all", "1.2.9", SERIES, [(SERIES, 6, P)]),
    "a series of another study": ("all", "1.2.9", TWO, []),
    "an unknown series": ("all", STUDY, "1.2.3.4", []),
    "an unknown study": ("all", "1.2.3.4", "", []),
}  # fmt: skip


@pytest.mark.parametrize(("shown", "study", "series", "found"), LOCATED.values(), ids=LOCATED)
async def test_places(
    monkeypatch: pytest.MonkeyPatch,
    shown: str,
    study: str,
    series: str,
    found: list[tuple[str, int, bool]],
) -> None:
    """What a search for series lists is what there is, primary image sets of a series together."""
    async with site(monkeypatch, SETS, image_sets=shown) as here:
        if not found:
            with pytest.raises(NotFoundError) as caught:
                await here.retrieval.places(study, series)
            assert study not in str(caught.value)
            return
        places = await here.retrieval.places(study, series)
    expected = [(uid, f"{number:032x}", primary) for uid, number, primary in found]
    assert expected == [(p.series_uid, p.image_set_id, p.is_primary) for p in places]
    assert {study} == {p.study_uid for p in places}
    assert all(7 == p.version for p in places if p.image_set_id.endswith("5"))
    assert study not in repr(places)


SEARCHES = "SearchImageSets"


async def test_places_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found costs no search for a while, nor does a series of a study that was found."""
    async with site(monkeypatch, SETS) as here:
        for _ in range(3):
            await here.retrieval.places(STUDY, SERIES)
        assert 1 == here.faults.calls[SEARCHES]
        await here.retrieval.places(STUDY)
        assert 2 == here.faults.calls[SEARCHES]
        await here.retrieval.places(STUDY, SERIES)
        await here.retrieval.places(STUDY)
        assert 2 == here.faults.calls[SEARCHES]


async def test_recent_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are searched for whatever is kept; then they are what is kept."""
    async with site(monkeypatch, SETS) as here:
        for calls in (1, 2):
            await here.retrieval.places(STUDY, SERIES, recent=True)
            assert calls == here.faults.calls[SEARCHES]
        await here.retrieval.places(STUDY, SERIES)
        assert 2 == here.faults.calls[SEARCHES]


async def test_a_study_that_is_being_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first series is looked for by itself, all others with the study, at once."""
    series = [f"1.2.1.{number}" for number in range(1, 21)]
    sets = [summary(number, series_uid=uid) for number, uid in enumerate(series)]
    async with site(monkeypatch, sets) as here:
        here.faults.latency_ms = 20
        found = await asyncio.gather(*(here.retrieval.places(STUDY, uid) for uid in series))
        assert [[uid] for uid in series] == [[one.series_uid for one in sets] for sets in found]
        assert 2 == here.faults.calls[SEARCHES]
        with pytest.raises(NotFoundError):
            await here.retrieval.places(STUDY, "1.2.3.4")


async def test_what_is_not_found_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is searched for each time."""
    async with site(monkeypatch, SETS) as here:
        for calls in (1, 2):
            with pytest.raises(NotFoundError):
                await here.retrieval.places("1.2.3.4")
            assert calls == here.faults.calls[SEARCHES]


async def test_keeping_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without keeping each question is a search."""
    async with site(monkeypatch, SETS, retrieve={"keep_s": 0}) as here:
        for calls in (1, 2):
            await here.retrieval.places(STUDY)
            assert calls == here.faults.calls[SEARCHES]


async def test_what_is_kept_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time a place is searched for again."""
    async with site(monkeypatch, SETS, retrieve={"keep_s": 0.05}) as here:
        await here.retrieval.places(STUDY)
        await asyncio.sleep(0.1)
        await here.retrieval.places(STUDY)
        assert 2 == here.faults.calls[SEARCHES]


async def test_no_more_is_kept_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound those go that were not asked for the longest time."""
    monkeypatch.setattr(locating, "MOST_KEPT", 2)
    sets = [summary(number, study_uid=f"1.2.{number}") for number in range(3)]
    async with site(monkeypatch, sets) as here:
        for number in (0, 1, 0, 2, 0):
            await here.retrieval.places(f"1.2.{number}")
        assert 3 == here.faults.calls[SEARCHES]
        await here.retrieval.places("1.2.1")
        assert 4 == here.faults.calls[SEARCHES]


async def test_a_study_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the whole study costs too much, each series is looked for by itself."""
    sets = [summary(number, series_uid=f"1.2.1.{number}") for number in range(120)]
    async with site(monkeypatch, sets, scan_budget_calls=2) as here:
        for number in range(3):
            (place,) = await here.retrieval.places(STUDY, f"1.2.1.{number}")
            assert f"1.2.1.{number}" == place.series_uid


async def test_equal_questions_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are one search, also where one who asked leaves."""
    async with site(monkeypatch, SETS) as here:
        here.faults.latency_ms = 50
        asking = [asyncio.create_task(here.retrieval.places(STUDY, SERIES)) for _ in range(5)]
        await until(lambda: here.faults.calls[SEARCHES] > 0)
        asking[0].cancel()
        found = await asyncio.gather(*asking[1:])
        assert (1, 1) == (here.faults.calls[SEARCHES], len({tuple(one) for one in found}))


@pytest.mark.parametrize(("sure_s", "calls"), [(0.0, 2), (5.0, 1)], ids=["doubted", "new"])
async def test_what_has_gone_is_looked_for_again(
    monkeypatch: pytest.MonkeyPatch, sure_s: float, calls: int
) -> None:
    """Where a place lacks something, the next question searches, unless the place is new."""
    monkeypatch.setattr(locating, "SURE_S", sure_s)
    async with site(monkeypatch, SETS) as here:
        (place,) = await here.retrieval.places(STUDY, SERIES)
        here.web.says(Answer(404, code="ResourceNotFoundException"))
        with pytest.raises(NotFoundError):
            await here.retrieval.metadata(place)
        await here.retrieval.places(STUDY, SERIES)
        assert calls == here.faults.calls[SEARCHES]


async def test_a_search_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its error is that of any search, and is not kept."""
    async with site(monkeypatch, SETS) as here:
        here.faults.schedule("not-json")
        with pytest.raises(UpstreamRejectedError):
            await here.retrieval.places(STUDY)
        assert 1 == len(await here.retrieval.places(STUDY))
