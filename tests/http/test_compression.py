"""Content codings: chosen as the client accepts them, streamed, and cut when a search fails."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from gateway.errors import UpstreamUnavailableError
from tests.http.driver import ask
from tests.http.upstream import ListedCalls, app_over, image_set

STUDIES = "/dicom-web/studies"
MANY = [image_set(n, date=f"2020{12 - n // 200:02}01") for n in range(1, 2001)]


def _un_zstd(body: bytes) -> bytes:
    return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(body))


WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": _un_zstd,
}


def _part_of_gzip(body: bytes) -> bytes:
    reader = zlib.decompressobj(31)
    return reader.decompress(body) + (b"" if not reader.eof else b"ENDED")


def _part_of_br(body: bytes) -> bytes:
    reader = brotli.Decompressor()
    read = part = reader.process(body)
    while part:  # it gives what it has by pieces
        part = reader.process(b"")
        read += part
    return bytes(read) + (b"" if not reader.is_finished() else b"ENDED")


def _part_of_zstd(body: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor().decompressobj()
    return bytes(reader.decompress(body)) + (b"" if not reader.eof else b"ENDED")


PART: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _part_of_gzip,
    "br": _part_of_br,
    "zstd": _part_of_zstd,
}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        pytest.param(None, None, id="no header"),
        pytest.param("", None, id="an empty one"),
        pytest.param("identity", None, id="identity"),
        pytest.param("gzip", "gzip", id="gzip"),
        pytest.param("GZIP", "gzip", id="in capitals"),
        pytest.param("br", "br", id="br"),
        pytest.param("zstd", "zstd", id="zstd"),
        pytest.param("gzip, deflate, br, zstd", "zstd", id="OHIF's browser"),
        pytest.param("gzip, deflate", "gzip", id="python requests"),
        pytest.param("deflate", None, id="one that is not offered"),
        pytest.param("*", "zstd", id="any"),
        pytest.param("zstd;q=0, *", "br", id="any but one"),
        pytest.param("gzip;q=0", None, id="excluded"),
        pytest.param("gzip;q=0.5, br;q=0", "gzip", id="by q"),
    ],
)
@pytest.mark.parametrize("query", ["?limit=20", "?limit=5000"], ids=["whole", "stream"])
async def test_coding(accepted: str | None, coding: str | None, query: str) -> None:
    """An answer has a coding that the request accepts, and is the same within it."""
    target = STUDIES + query
    headers = {} if accepted is None else {"accept-encoding": accepted}
    plain = await ask(app_over(ListedCalls(MANY)), target)
    answer = await ask(app_over(ListedCalls(MANY)), target, headers=headers)
    assert [coding] * (coding is not None) == answer.all("content-encoding")
    assert "Accept, Accept-Encoding" == answer.one("vary")
    assert plain.all("etag") == answer.all("etag")
    assert plain.one("content-type") == answer.one("content-type")
    assert plain.body == (WHOLE[coding](answer.body) if coding else answer.body)
    if coding:
        assert [] == answer.all("content-length")
        assert len(answer.body) < len(plain.body) / 4


@pytest.mark.parametrize(
    "target",
    [f"{STUDIES}?limit=1", f"{STUDIES}?limit=x", "/dicom-web", "/openapi.yaml", "/docs"],
)
async def test_what_is_not_compressed(target: str) -> None:
    """Short answers, errors and documents have no coding, and their length."""
    headers = {"accept-encoding": "gzip"}
    answer = await ask(app_over(ListedCalls(MANY)), target, headers=headers)
    assert ([], str(len(answer.body))) == (
        answer.all("content-encoding"),
        answer.one("content-length"),
    )


@pytest.mark.parametrize("coding", WHOLE)
async def test_a_stream_stays_a_stream(coding: str) -> None:
    """Each part can be read when it comes: what has been found is with the client at once."""
    headers = {"accept-encoding": coding}
    answer = await ask(
        app_over(ListedCalls(MANY)), f"{STUDIES}?limit=5000", headers=headers, leave_after_parts=2
    )
    assert (200, False) == (answer.status, answer.complete)
    read = PART[coding](answer.body)
    assert read.startswith(b"[{")
    assert len(read) > 256 * 1024


@pytest.mark.parametrize("coding", WHOLE)
async def test_a_cut_stream_is_seen_to_be_cut(coding: str) -> None:
    """A failure after the first byte ends neither the coding nor the JSON nor the message."""

    def fault(number: int) -> None:
        if number == 35:
            raise UpstreamUnavailableError("x")

    headers = {"accept-encoding": coding}
    app = app_over(ListedCalls(MANY, fault))
    answer = await ask(app, f"{STUDIES}?limit=5000", headers=headers)
    assert (200, False) == (answer.status, answer.complete)
    read = PART[coding](answer.body)
    assert read.startswith(b"[{") and not read.endswith((b"]", b"ENDED"))


async def test_a_failure_before_the_first_byte_has_no_coding() -> None:
    """A status instead of an answer is plain."""

    def fault(_: int) -> None:
        raise UpstreamUnavailableError("x")

    headers = {"accept-encoding": "gzip"}
    answer = await ask(app_over(ListedCalls(MANY, fault)), STUDIES, headers=headers)
    assert (503, []) == (answer.status, answer.all("content-encoding"))
    assert 503 == answer.json["status"]
