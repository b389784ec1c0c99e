"""Parts read out of bodies, and bodies that are none."""

from __future__ import annotations

import pytest

from gateway.errors import UpstreamUnavailableError
from gateway.wado.multipart import (
    MAX_HEADER_BYTES,
    Part,
    PartEnd,
    Parts,
    beginning,
    ending,
)


def read(body: bytes, boundary: str = "b", size: int = 10**9) -> list[tuple[str, bytes]]:
    """The Content-Type and content of each part of a body that comes in chunks of that size."""
    parts, content = Parts(boundary), bytearray()
    kinds: list[str] = []
    contents: list[bytes] = []
    for start in range(0, len(body), size):
        for event in parts.feed(body[start : start + size]):
            match event:
                case Part():
                    kinds.append(event.content_type)
                    content.clear()
                case PartEnd():
                    contents.append(bytes(content))
                case _:
                    assert event  # no empty piece
                    content += event
    parts.end()
    return list(zip(kinds, contents, strict=True))


OCTETS = "application/octet-stream"
BODIES = {
    "written here": (
        beginning("b", "image/jp2; x=y", first=True)
        + b"one"
        + beginning("b", "image/jls", first=False)
        + b"two"
        + ending("b"),
        [("image/jp2; x=y", b"one"), ("image/jls", b"two")],
    ),
    "nothing at the end": (b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--", [("a/b", b"x")]),
    "a preamble and an epilogue": (
        b"preamble\r\n--b\r\n\r\nx\r\n--b--\r\nepilogue\r\n--b\r\n",
        [(OCTETS, b"x")],
    ),
    "a line break before the first": (b"\r\n--b\r\n\r\nx\r\n--b--", [(OCTETS, b"x")]),
    "an empty part": (b"--b\r\nA: b\r\n\r\n\r\n--b--", [(OCTETS, b"")]),
    "no header": (b"--b\r\n\r\nx\r\n--b--", [(OCTETS, b"x")]),
    "spaces behind a boundary": (b"--b \t\r\n\r\nx\r\n--b--", [(OCTETS, b"x")]),
    "half delimiters": (
        b"--b\r\n\r\n\r\n--c\r\r\n-\r\n--\r\n--b--",
        [(OCTETS, b"\r\n--c\r\r\n-\r\n--")],
    ),
    "names in any case": (b"--b\r\ncontent-TYPE:a/b\r\nX: y\r\n\r\nx\r\n--b--", [("a/b", b"x")]),
    "no part": (b"--b--", []),
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10**9])
@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
def test_parts(body: bytes, expected: list[tuple[str, bytes]], size: int) -> None:
    """The parts are the same however the body is cut."""
    assert expected == read(body, size=size)


BROKEN = {
    "empty": b"",
    "no delimiter": b"x" * (MAX_HEADER_BYTES + 1),
    "cut in a part": b"--b\r\n\r\nx",
    "cut in a header": b"--b\r\nContent-Ty",
    "cut behind a part": b"--b\r\n\r\nx\r\n--b",
    "a longer boundary": b"--bb\r\n\r\nx\r\n--bb--",
    "half an end": b"--b\r\n\r\nx\r\n--b-\r\n",
    "a header line without a colon": b"--b\r\nContent\r\n\r\nx\r\n--b--",
    "an endless header": b"--b\r\nA: " + b"x" * 2 * MAX_HEADER_BYTES + b"\r\n\r\nx\r\n--b--",
    "an endless line": b"--b" + b" " * 2 * MAX_HEADER_BYTES + b"\r\n\r\nx\r\n--b--",
}


@pytest.mark.parametrize("size", [1, 10**9])
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_no_parts(body: bytes, size: int) -> None:
    """What is not of parts, or not whole, is never taken for it."""
    with pytest.raises(UpstreamUnavailableError):
        read(body, size=size)


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a\r\nb", "ends in space ", "ä"])
def test_no_boundary(boundary: str) -> None:
    """A boundary that RFC 2046 does not allow is none."""
    with pytest.raises(UpstreamUnavailableError):
        Parts(boundary)


def test_little_is_held() -> None:
    """Of a large part no more is held than may be the beginning of a delimiter."""
    parts = Parts("b")
    list(parts.feed(b"--b\r\n\r\n"))
    for _ in range(100):
        assert 1_000 - 4 <= sum(len(e) for e in parts.feed(b"x" * 1_000) if isinstance(e, bytes))
