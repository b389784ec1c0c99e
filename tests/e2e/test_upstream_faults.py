"""A gateway whose upstream is down, refuses it, is slow, or is something else altogether."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.running import Answer, Running, ask, credentials, running

SENTINEL = "SENTINEL^JANE"
IMAGE_SET = {
    "imageSetId": "0" * 32,
    "version": 1,
    "createdAt": 1_700_000_000,
    "updatedAt": 1_700_000_000,
    "DICOMTags": {"DICOMStudyInstanceUID": "1.2.3", "DICOMPatientName": "DOE^JANE"},
}


@dataclass(frozen=True)
class Reply:
    """What a false upstream says to everything; `delay_s` passes before it does."""

    status: int
    body: str
    media_type: str = "application/json"
    error: str = ""
    delay_s: float = 0.0


class FalseUpstream(ThreadingHTTPServer):
    """A server that says `reply` to everything."""

    reply = Reply(200, "{}")
    over = threading.Event()
    url = ""


class Handler(BaseHTTPRequestHandler):
    """Says it."""

    server: FalseUpstream

    def do_POST(self) -> None:
        """Answer any call."""
        reply = self.server.reply
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.over.wait(reply.delay_s)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("x-amzn-RequestId", "0123-abcd")
        if reply.error:
            self.send_header("x-amzn-ErrorType", reply.error)
        self.send_header("Content-Length", str(len(reply.body.encode())))
        self.end_headers()
        with suppress(ConnectionError):  # the gateway does not wait for ever
            self.wfile.write(reply.body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[FalseUpstream]:
    """The false upstream."""
    server = FalseUpstream(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def misled(upstream: FalseUpstream, folder: Path) -> Iterator[Running]:
    """A gateway before it, with eight seconds for the calls of a request."""
    env = {**credentials(upstream.url), "QIDO_GATEWAY_SCAN_BUDGET_S": "8"}
    with running(folder, "serve", "--port", "0", env=env) as gateway:
        yield gateway


def aws_error(name: str, status: int) -> Reply:
    """An error as AWS words it, with text that must go nowhere."""
    return Reply(status, json.dumps({"message": f"{SENTINEL} {name}"}), error=name)


def page(*image_sets: object, **more: object) -> str:
    """A body of SearchImageSets."""
    return json.dumps({"imageSetsMetadataSummaries": image_sets, **more})


def assert_problem(answer: Answer, status: int) -> None:
    """A problem body with a sentence that holds nothing of what the upstream said."""
    assert status == answer.status
    assert "application/problem+json" == answer.one("content-type")
    problem = answer.json
    assert status == problem["status"]
    assert problem["detail"].count(" ") > 3
    assert "SENTINEL" not in answer.body.decode()
    assert (status == 503) == bool(answer.all("retry-after"))


TARGET = f"/studies?PatientName={SENTINEL.replace('^', '%5E')}*"


def assert_silent(gateway: Running) -> None:
    """Its log has neither patient data nor secrets, nor a traceback."""
    for word in ("SENTINEL", "JANE", "secret-sentinel", "Traceback"):
        assert word not in gateway.errors


def asked_once(folder: Path, endpoint: str, **env: str) -> Answer:
    """The answer to a search of a new gateway before `endpoint`."""
    with running(folder, "serve", "--port", "0", env={**credentials(endpoint), **env}) as gateway:
        answer = ask(gateway.url + TARGET, {"X-Request-ID": "fault"})
        gateway.request("fault")
        assert_silent(gateway)
    return answer


REPLIES = {
    "wrong credentials": (aws_error("UnrecognizedClientException", 403), 502),
    "expired token": (aws_error("ExpiredTokenException", 403), 502),
    "wrong signature": (aws_error("InvalidSignatureException", 403), 502),
    "no permission": (aws_error("AccessDeniedException", 403), 502),
    "no such data store": (aws_error("ResourceNotFoundException", 404), 502),
    "criteria refused": (aws_error("ValidationException", 400), 502),
    "throttled": (aws_error("ThrottlingException", 429), 503),
    "its own failure": (aws_error("InternalServerException", 500), 503),
    "a proxy's page": (Reply(404, f"<html>{SENTINEL}</html>", "text/html"), 502),
    "a proxy's failure": (Reply(503, f"<html>{SENTINEL}</html>", "text/html"), 503),
    "a web page": (Reply(200, f"<html>{SENTINEL}</html>", "text/html"), 502),
    "a text": (Reply(200, SENTINEL), 502),
    "nothing": (Reply(200, ""), 502),
    "a list": (Reply(200, json.dumps([SENTINEL])), 502),
    "another object": (Reply(200, json.dumps({"hits": [SENTINEL]})), 502),
    "summaries that are none": (Reply(200, page(SENTINEL)), 502),
    "summaries without an id": (Reply(200, page({"DICOMTags": {}})), 502),
    "a summary of other types": (Reply(200, page({**IMAGE_SET, "DICOMTags": [SENTINEL]})), 502),
    "the same token again": (Reply(200, page(IMAGE_SET, nextToken=SENTINEL)), 502),
}


@pytest.mark.parametrize(("reply", "status"), REPLIES.values(), ids=REPLIES)
def test_upstream_that_is_of_no_use(
    upstream: FalseUpstream, misled: Running, reply: Reply, status: int
) -> None:
    """It is a status and a sentence, never 500, never half an answer, never an empty one."""
    upstream.reply = reply
    name = f"fault-{list(REPLIES.values()).index((reply, status))}"
    answer = ask(misled.url + TARGET, {"X-Request-ID": name})
    assert status == misled.request(name)["status"]
    assert_problem(answer, status)
    assert_silent(misled)


def test_upstream_that_is_of_use(upstream: FalseUpstream, misled: Running) -> None:
    """The false upstream is no fault in itself: an answer of HealthImaging's form is taken."""
    upstream.reply = Reply(200, page(IMAGE_SET))
    assert 1 == len(ask(f"{misled.url}/studies").json)


def test_upstream_is_slow(upstream: FalseUpstream, folder: Path) -> None:
    """An upstream that has not answered when the request's time is over is 504."""
    upstream.reply = Reply(200, page(IMAGE_SET), delay_s=30)
    answer = asked_once(folder, upstream.url, QIDO_GATEWAY_SCAN_BUDGET_S="0.3")
    assert_problem(answer, 504)


def test_upstream_is_down(folder: Path) -> None:
    """An upstream that can't be reached is 503, soon."""
    began = time.monotonic()
    assert_problem(asked_once(folder, "http://127.0.0.1:9"), 503)
    assert time.monotonic() - began < 20


def test_no_credentials(folder: Path) -> None:
    """Without any credentials it is 502, and AWS is not asked."""
    empty = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    assert_problem(asked_once(folder, "http://127.0.0.1:9", **empty), 502)


def test_no_such_profile(folder: Path) -> None:
    """A profile that no file has is 502 at the first search."""
    assert_problem(asked_once(folder, "http://127.0.0.1:9", AWS_PROFILE="nobody"), 502)


def test_another_data_store(folder: Path, emulator: Running) -> None:
    """A data store that the upstream does not have is 502."""
    answer = asked_once(folder, emulator.url, QIDO_GATEWAY_DATASTORE_ID="f" * 32)
    assert_problem(answer, 502)
