"""Long answers, and clients that leave before their end."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import SEEDED_STUDIES
from tests.e2e.running import Running, ask


def test_no_limit(gateway: Running) -> None:
    """Without a limit there are 1,000 results, streamed, and the Warning that there may be more."""
    answer = ask(f"{gateway.url}/studies", {"X-Request-ID": "no-limit"})
    assert 1_000 == len(answer.json)
    text = "There may be additional results that can be requested"
    assert f"299 {gateway.url}: {text}" == answer.one("warning")
    assert [] == answer.all("content-length")
    line = gateway.request("no-limit")
    assert (1_000, []) == (line["results"], line["rungs"])
    assert line["calls"] < SEEDED_STUDIES / 50


def test_paging_reaches_every_study(gateway: Running) -> None:
    """Windows of limit and offset put together are every study, each once."""
    uids = [
        study["0020000D"]["Value"][0]
        for offset in (0, 1_000)
        for study in ask(f"{gateway.url}/studies?offset={offset}").json
    ]
    assert {f"1.2.826.{number}" for number in range(SEEDED_STUDIES)} == set(uids)
    assert SEEDED_STUDIES == len(uids)


def test_whole_answer_has_no_warning(gateway: Running) -> None:
    """An answer that is whole when its header leaves has a length and no Warning."""
    answer = ask(f"{gateway.url}/studies?StudyDate=20100115")
    assert (30, []) == (len(answer.json), answer.all("warning"))
    assert [str(len(answer.body))] == answer.all("content-length")


def test_what_is_left_is_counted_where_it_is_known(gateway: Running) -> None:
    """A page that ends the walk tells how many results lie behind the window."""
    answer = ask(f"{gateway.url}/studies?StudyDate=20100115&limit=10&offset=5")
    text = "There are 15 additional results that can be requested"
    assert (10, f"299 {gateway.url}: {text}") == (len(answer.json), answer.one("warning"))


@pytest.mark.parametrize(("limit", "calls"), [(1, 1), (100, 3)])
def test_costs_what_it_needs(gateway: Running, limit: int, calls: int) -> None:
    """A short list costs the pages of its studies and of the window behind the last."""
    name = f"costs-{limit}"
    answer = ask(f"{gateway.url}/studies?limit={limit}", {"X-Request-ID": name})
    assert limit == len(answer.json)
    assert calls >= gateway.request(name)["calls"]


def test_one_study_is_one_call(gateway: Running) -> None:
    """A study that is named costs one call."""
    target = f"{gateway.url}/studies?StudyInstanceUID=1.2.826.777"
    assert 1 == len(ask(target, {"X-Request-ID": "one-study"}).json)
    assert 1 == gateway.request("one-study")["calls"]


@pytest.mark.parametrize("bytes_read", [0, 100_000], ids=["before the answer", "in its middle"])
def test_client_that_leaves(gateway: Running, bytes_read: int) -> None:
    """When the client leaves, the walk ends: it costs no page more than the one under way."""
    name = f"leaves-{bytes_read}"
    parts = urlsplit(gateway.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as client:
        request = f"GET {parts.path}/studies?limit={SEEDED_STUDIES} HTTP/1.1\r\n"
        client.sendall(f"{request}Host: {parts.netloc}\r\nX-Request-ID: {name}\r\n\r\n".encode())
        left = bytes_read
        while left > 0:
            left -= len(client.recv(left))
    line = gateway.request(name)
    assert line["client_left"]
    assert line["calls"] < SEEDED_STUDIES / 50


def test_log_is_silent(gateway: Running) -> None:
    """The logs of gateway and emulator have no name, identifier or UID of the seeded studies."""
    ask(f"{gateway.url}/studies?PatientName=DOE%5EJANE&PatientID=PAT7", {"X-Request-ID": "silent"})
    assert ["PatientName", "PatientID"] == gateway.request("silent")["parameters"]
    for word in ("JANE", "PAT", "1.2.826", "secret-sentinel"):
        assert word not in gateway.errors


def test_emulators_log_is_silent(gateway: Running, emulator: Running) -> None:
    """Nor has the emulator's."""
    ask(f"{gateway.url}/studies?PatientID=PAT7")
    for word in ("JANE", "PAT7", "1.2.826"):
        assert word not in emulator.errors
