"""Accept headers of the emulator's retrieves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.emulator.accepting import (
    MEDIA_TYPES,
    MULTIPART,
    OCTETS,
    Accepted,
    accepted,
    for_bulk_data,
    for_frames,
    for_instance,
    for_metadata,
    suits,
)
from gateway.emulator.errors import WireError
from gateway.emulator.transcoding import ELE

JPEG = "1.2.840.10008.1.2.4.50"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(None, [Accepted("*/*")], id="none"),
        pytest.param("", [Accepted("*/*")], id="empty"),
        pytest.param("application/dicom", [Accepted("application/dicom")], id="no syntax is ELE"),
        pytest.param("Application/DICOM; Transfer-Syntax=*",
                     [Accepted("application/dicom", syntax="*")], id="case does not count"),
        pytest.param('multipart/related; type="image/jls"; transfer-syntax="1.2"',
                     [Accepted(MULTIPART, "image/jls", "1.2")], id="quoted"),
        pytest.param("multipart/related;type=image/jls;transfer-syntax=1.2",
                     [Accepted(MULTIPART, "image/jls", "1.2")], id="not quoted"),
        pytest.param("a/b;q=0.5, c/d", [Accepted("c/d"), Accepted("a/b", quality=0.5)],
                     id="the preferred first"),
        pytest.param("a/b, c/d", [Accepted("a/b"), Accepted("c/d")], id="else in their order"),
        pytest.param("a/b;q=0, c/d;q=x", [], id="of no quality"),
        pytest.param('multipart/related; type="a,b;c", e/f',
                     [Accepted(MULTIPART, "a,b;c"), Accepted("e/f")], id="separators in quotes"),
    ],
)  # fmt: skip
def test_ranges(header: str | None, expected: list[Accepted]) -> None:
    """Each range with what it says of parts and transfer syntax."""
    assert expected == list(accepted(header))


def _frames(header: str | None) -> object:
    return for_frames(header, 1)


def _two_frames(header: str | None) -> object:
    return for_frames(header, 2)


@pytest.mark.parametrize(
    ("asked", "header"),
    [
        (for_metadata, None), (for_metadata, "application/dicom+json"),
        (for_metadata, "application/json"), (for_metadata, "application/*"),
        (for_metadata, "text/html, */*;q=0.1"),
        (for_instance, None), (for_instance, "application/dicom"), (for_instance, "*/*"),
        (_frames, None), (_frames, "multipart/related"), (_frames, "multipart/*"),
        (_frames, OCTETS), (_two_frames, "multipart/related"), (_two_frames, "*/*"),
        (for_bulk_data, None), (for_bulk_data, OCTETS), (for_bulk_data, "application/*"),
    ],
)  # fmt: skip
def test_acceptable(asked: Callable[[str | None], object], header: str | None) -> None:
    """What may be answered."""
    asked(header)


@pytest.mark.parametrize(
    ("asked", "header"),
    [
        (for_metadata, "application/dicom"), (for_metadata, "application/dicom+xml"),
        (for_metadata, "image/*"), (for_metadata, "*/*;q=0"),
        (for_instance, "application/dicom+json"), (for_instance, "multipart/related"),
        (_frames, "image/jpeg"), (_frames, "application/dicom"), (_two_frames, OCTETS),
        (for_bulk_data, "image/png"), (for_bulk_data, "multipart/related"),
    ],
)  # fmt: skip
def test_not_acceptable(asked: Callable[[str | None], object], header: str) -> None:
    """406, under AWS's name."""
    with pytest.raises(WireError) as refused:
        asked(header)
    assert ("NotAcceptableException", 406) == (refused.value.code, refused.value.status)


def test_transfer_syntaxes_of_an_instance() -> None:
    """In the order in which they are wanted."""
    header = f"application/dicom;q=0.5, application/dicom; transfer-syntax={JPEG}, text/html"
    assert [JPEG, ELE] == for_instance(header)


@pytest.mark.parametrize(
    ("inner", "media_type", "expected"),
    [("", "image/jls", True), (OCTETS, "image/jls", True), ("image/jls", "image/jls", True),
     ("image/*", "image/jls", True), ("*/*", "image/jls", True), ("image/jp2", "image/jls", False),
     ("image/jls", OCTETS, False)],
)  # fmt: skip
def test_types_of_parts(inner: str, media_type: str, expected: bool) -> None:
    """Bytes suit every frame; another type only its own."""
    assert expected is suits(Accepted(MULTIPART, inner), media_type)


def test_media_types() -> None:
    """By transfer syntax, none for those that are not compressed."""
    found = {name: MEDIA_TYPES.get(f"1.2.840.10008.1.2{name}") for name in (".4.50", ".5", ".1")}
    assert {".4.50": "image/jpeg", ".5": "image/dicom-rle", ".1": None} == found
    assert ["image/jphc"] * 3 == [MEDIA_TYPES[f"1.2.840.10008.1.2.4.{n}"] for n in (201, 202, 203)]
