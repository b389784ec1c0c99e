"""What clients accept of a retrieve, row by row, and what is tried for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from gateway.errors import NotAcceptableError
from gateway.wado.media import (
    EXPLICIT_LITTLE_ENDIAN,
    MEDIA_TYPE_OF,
    SYNTAXES_OF,
    Form,
    bulk_forms,
    frame_forms,
    instance_forms,
    media_type_of,
    parameter_of,
    wanted,
)
from gateway.wado.upstream import STORED

ELE = EXPLICIT_LITTLE_ENDIAN
JPEG, JLS, JP2, HTJ2K = (f"1.2.840.10008.1.2.4.{n}" for n in (50, 80, 90, 201))

# What is accepted, and what is tried: a syntax, "single" where it comes by itself, and the type
# that it must then have
INSTANCE = [
    pytest.param(None, [(STORED, "*/*")], id="no header"),
    pytest.param("", [(STORED, "*/*")], id="empty header"),
    pytest.param("*/*", [(STORED, "*/*")], id="anything: Weasis, curl"),
    pytest.param("text/html,*/*;q=0.8", [(STORED, "*/*")], id="a browser"),
    pytest.param(
        'multipart/related; type="application/dicom"', [(ELE, "*/*")], id="dicomweb-client"
    ),
    pytest.param("multipart/related; type=application/dicom", [(ELE, "*/*")], id="unquoted"),
    pytest.param(
        'multipart/related; type="application/dicom"; transfer-syntax=*',
        [(STORED, "*/*")],
        id="dicomweb-client, any transfer syntax",
    ),
    pytest.param(
        'multipart/related;type="application/dicom";transfer-syntax="*"',
        [(STORED, "*/*")],
        id="quoted star",
    ),
    pytest.param(
        f'multipart/related; type="application/dicom; transfer-syntax={JP2}"',
        [(JP2, "*/*")],
        id="transfer syntax within the quotes",
    ),
    pytest.param(
        f'multipart/related; type="application/dicom"; transfer-syntax={JPEG};q=0.1, '
        f'MULTIPART/RELATED; TYPE="application/dicom"; Transfer-Syntax="{JP2}"',
        [(JP2, "*/*"), (JPEG, "*/*")],
        id="q decides",
    ),
    pytest.param("multipart/related", [(STORED, "*/*")], id="any parts"),
    pytest.param("multipart/*", [(STORED, "*/*")], id="any multipart"),
    pytest.param('multipart/related; type="*/*"', [(STORED, "*/*")], id="parts of any type"),
    pytest.param("application/dicom", [(ELE, "single")], id="by itself"),
    pytest.param("application/*", [(STORED, "single")], id="any application"),
    pytest.param(
        f"application/dicom; transfer-syntax={HTJ2K}", [(HTJ2K, "single")], id="by itself, in one"
    ),
]
NOT_INSTANCE = [
    "text/html",
    "application/dicom+json",
    'multipart/related; type="application/octet-stream"',
    'multipart/related; type="application/dicom"; q=0',
    "application/dicom; transfer-syntax=none",
    "application/dicom; transfer-syntax=" + "1" * 65,
    "application/dicom; q=high",
    "multipart/mixed; type=application/dicom",
    '///,;;;="',
]


def _tried(forms: Iterable[Form]) -> list[tuple[str, str]]:
    return [(one.syntax, one.media_range if one.is_multipart else "single") for one in forms]


@pytest.mark.parametrize(("accept", "expected"), INSTANCE)
def test_instance(accept: str | None, expected: list[tuple[str, str]]) -> None:
    """An instance is tried in these transfer syntaxes."""
    assert expected == _tried(instance_forms(wanted(accept), single=True))


@pytest.mark.parametrize("accept", NOT_INSTANCE)
def test_no_instance(accept: str) -> None:
    """These accept no Part 10 file."""
    with pytest.raises(NotAcceptableError):
        instance_forms(wanted(accept), single=True)


def test_several_instances() -> None:
    """Several come in parts only; by default those that can't be had so as they are stored."""
    parts = wanted('multipart/related; type="application/dicom"')
    assert [(ELE, "*/*"), (STORED, "*/*")] == _tried(instance_forms(parts, single=False))
    named = wanted(f'multipart/related; type="application/dicom"; transfer-syntax={JP2}')
    assert [(JP2, "*/*")] == _tried(instance_forms(named, single=False))
    with pytest.raises(NotAcceptableError):
        instance_forms(wanted("application/dicom"), single=False)


FRAME = [
    pytest.param(None, [(STORED, "*/*")], id="no header"),
    pytest.param(
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
        [(STORED, "*/*")],
        id="OHIF",
    ),
    pytest.param(
        'multipart/related; type="application/octet-stream"; transfer-syntax=*',
        [(STORED, "*/*")],
        id="OHIF, quoted",
    ),
    pytest.param(
        f"multipart/related; type=image/jls; transfer-syntax={JLS}", [(JLS, "*/*")], id="OHIF, JLS"
    ),
    pytest.param('multipart/related; type="*/*"', [(STORED, "*/*")], id="dicomweb-client"),
    pytest.param(
        'multipart/related; type="application/octet-stream"', [(ELE, "*/*")], id="uncompressed"
    ),
    pytest.param(
        'multipart/related; type="image/jpeg", multipart/related; type="application/octet-stream"',
        [(STORED, "image/jpeg"), ("1.2.840.10008.1.2.4.70", "*/*"), (ELE, "*/*")],
        id="dcmjs, compressed or not",
    ),
    pytest.param(
        'multipart/related; type="image/x-jls"; transfer-syntax=1.2.840.10008.1.2.4.80',
        [(JLS, "*/*")],
        id="dcmjs' name of JLS",
    ),
    pytest.param(
        'multipart/related; type="image/jhc"; transfer-syntax=1.2.840.10008.1.2.4.201',
        [(HTJ2K, "*/*")],
        id="dcmjs' name of HTJ2K",
    ),
    pytest.param('multipart/related; type="image/"', [(STORED, "image/*")], id="half a type"),
    pytest.param('multipart/related; type="image/*"', [(STORED, "image/*")], id="any image"),
    pytest.param(
        'multipart/related; type="image/jp2"; transfer-syntax=*',
        [(STORED, "image/jp2")],
        id="any of a type",
    ),
    pytest.param("image/jphc", [(STORED, "single"), (HTJ2K, "single")], id="by itself, of a type"),
    pytest.param(
        f"application/octet-stream; transfer-syntax={HTJ2K}",
        [(HTJ2K, "single")],
        id="HealthImaging",
    ),
    pytest.param("application/octet-stream", [(ELE, "single")], id="octets by themselves"),
]
NOT_FRAME = [
    "application/dicom",
    "image/gif",
    'multipart/related; type="image/png"',
    f'multipart/related; type="image/jls"; transfer-syntax={JP2}',
    'multipart/related; type="application/dicom"',
]


@pytest.mark.parametrize(("accept", "expected"), FRAME)
def test_frame(accept: str | None, expected: list[tuple[str, str]]) -> None:
    """A frame is tried in these transfer syntaxes, and has to be of these types."""
    assert expected == _tried(frame_forms(wanted(accept), single=True))


@pytest.mark.parametrize("accept", NOT_FRAME)
def test_no_frame(accept: str) -> None:
    """These accept no frame."""
    with pytest.raises(NotAcceptableError):
        frame_forms(wanted(accept), single=True)


def test_several_frames() -> None:
    """Several come in parts only."""
    with pytest.raises(NotAcceptableError):
        frame_forms(wanted("application/octet-stream"), single=False)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ('multipart/related; type="*/*"', [("*/*", True)]),
        ("application/octet-stream", [("application/octet-stream", False)]),
        ("application/pdf", [("application/pdf", False)]),
        ('multipart/related; type="image/jpeg"', [("image/jpeg", True)]),
    ],
)
def test_bulk_data(accept: str, expected: list[tuple[str, bool]]) -> None:
    """Bulk data is what it is: the type is only compared."""
    found = bulk_forms(wanted(accept))
    assert expected == [(one.media_range, one.is_multipart) for one in found]


@pytest.mark.parametrize("forms", [instance_forms, frame_forms])
def test_what_is_offered_is_said(forms: Callable[..., tuple[Form, ...]]) -> None:
    """The refusal names what there is, and not what was asked for."""
    with pytest.raises(NotAcceptableError, match='multipart/related; type="application/') as told:
        forms(wanted("text/strange"), single=True)
    assert "strange" not in str(told.value)


def test_alternatives_are_bounded() -> None:
    """However long a list is, not every element of it may cost a call."""
    many = ", ".join(f"application/dicom; transfer-syntax=1.2.{n}" for n in range(1_000))
    assert 32 == len(wanted(many))


def test_syntaxes_have_one_type() -> None:
    """Each transfer syntax has one media type, and the first of each type is its default."""
    all_of = [syntax for syntaxes in SYNTAXES_OF.values() for syntax in syntaxes]
    assert len(all_of) == len(set(all_of)) == len(MEDIA_TYPE_OF)
    assert ELE == SYNTAXES_OF["application/octet-stream"][0]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("image/jp2", ("image/jp2", "")),
        (f"application/octet-stream; transfer-syntax={JP2}", ("image/jp2", JP2)),
        (f'application/octet-stream;transfer-syntax="{ELE}"', ("application/octet-stream", ELE)),
        ("image/x-jls", ("image/jls", "")),
        ("", ("", "")),
    ],
)
def test_type_of_a_part(content_type: str, expected: tuple[str, str]) -> None:
    """The transfer syntax tells the type, where it is named."""
    assert expected == media_type_of(content_type)


def test_parameter_of() -> None:
    """Parameters are read in either case, quoted or not."""
    assert "a b;c" == parameter_of('multipart/related; Boundary="a b;c"', "boundary")
    assert "" == parameter_of("multipart/related", "boundary")
