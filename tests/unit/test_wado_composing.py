"""Files composed of DICOM JSON: what pydicom reads of them, and what can't be written."""

from __future__ import annotations

import io
import json
from typing import Any

import pydicom
import pytest
from pydicom.encaps import generate_frames

from gateway.wado.composing import (
    EXPLICIT_LITTLE_ENDIAN,
    FRAGMENTS_BEGIN,
    FRAGMENTS_END,
    IMPLICIT_LITTLE_ENDIAN,
    NotComposableError,
    composed,
    fragment_head,
    pixels_head,
)

RPCL = "1.2.840.10008.1.2.4.202"
LEAST: dict[str, Any] = {
    "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]},
    "00080018": {"vr": "UI", "Value": ["1.2.3"]},
}


def file_of(syntax: str, pixels: bytes | None = None, **elements: Any) -> pydicom.FileDataset:
    """What pydicom reads of a file with these elements, named `t00100010` for their tags."""
    stored = json.dumps({**LEAST, **{k[1:]: v for k, v in elements.items()}}).encode()
    made = composed(stored, syntax)
    if pixels is None:
        body = b""
    elif syntax in (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN):
        body = pixels_head(stored, syntax, len(pixels)) + pixels
    else:
        head = pixels_head(stored, syntax, None) + FRAGMENTS_BEGIN
        body = head + fragment_head(len(pixels)) + pixels + FRAGMENTS_END
    return pydicom.dcmread(io.BytesIO(made.head + body + made.tail))


@pytest.mark.parametrize("syntax", [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, RPCL])
@pytest.mark.parametrize("bits", [8, 16])
def test_around_the_pixels(syntax: str, bits: int) -> None:
    """Head, pixels and tail are one file, texts UTF-8, also behind the pixels."""
    name = {"vr": "PN", "Value": [{"Alphabetic": "DOE^ZOË", "Ideographic": "山田"}]}
    found = file_of(
        syntax,
        b"0123456789",
        t00100010=name,
        t00280100={"vr": "US", "Value": [bits]},
        t7FE10010={"vr": "LO", "Value": ["OWN"]},
        t7FE11001={"vr": "LO", "Value": ["é"]},
    )
    pixels = found.PixelData
    if syntax == RPCL:
        (pixels,) = generate_frames(pixels, number_of_frames=1)
    assert (syntax, b"0123456789") == (str(found.file_meta.TransferSyntaxUID), pixels)
    assert ("DOE^ZOË=山田", "ISO_IR 192") == (str(found.PatientName), found.SpecificCharacterSet)
    if syntax != IMPLICIT_LITTLE_ENDIAN:  # which has no VR of a private attribute
        assert "é" == found[0x7FE11001].value
        assert ("OB" if bits == 8 or syntax == RPCL else "OW") == found["PixelData"].VR


def test_without_pixels() -> None:
    """What is of the pixels' place, or of what is stored, is left out."""
    left_out = ("00083002", "7FE00001", "7FE00002", "7FE00003", "7FE00010")
    elements: dict[str, Any] = {f"t{tag}": {"vr": "OB", "InlineBinary": "AAE="} for tag in left_out}
    found = file_of(EXPLICIT_LITTLE_ENDIAN, **elements)
    assert {"SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID"} == {e.keyword for e in found}
    assert "1.2.3" == found.file_meta.MediaStorageSOPInstanceUID


@pytest.mark.parametrize(
    ("vr", "values", "expected"),
    [
        pytest.param("IS", ["about 3", None], b"about 3\\", id="a number that is none"),
        pytest.param("IS", ["x"], b"x ", id="odd length"),
        pytest.param("IS", [1, None, 3], b"1\\\\3", id="an empty one among integers"),
        pytest.param("DS", [None, 2.5], b"\\2.5", id="an empty one among decimals"),
        pytest.param("DS", [-1.2345678901e-9], b"-1.2345678901e-9", id="a decimal of 16 bytes"),
        pytest.param("DS", [1e22], b"1e22", id="a positive exponent"),
        pytest.param("CS", ["头部", "A"], "头部\\A".encode(), id="letters that CS does not have"),
        pytest.param("AE", ["Schädel"], "Schädel".encode(), id="letters of Latin-1"),
    ],
)
@pytest.mark.parametrize("is_nested", [False, True], ids=["", "in an item"])
def test_a_value_that_does_not_fit(
    vr: str, values: list[Any], expected: bytes, is_nested: bool
) -> None:
    """It is written as it is, text as UTF-8."""
    element = {"vr": vr, "Value": values}
    if is_nested:
        items = {"vr": "SQ", "Value": [{}, {"00200013": element}]}
        found = file_of(EXPLICIT_LITTLE_ENDIAN, t00081140=items).ReferencedImageSequence[1]
    else:
        found = file_of(EXPLICIT_LITTLE_ENDIAN, t00200013=element)
    raw = found.get_item(0x00200013)
    assert raw is not None
    assert (vr, expected) == (raw.VR, raw.value)


@pytest.mark.parametrize(
    ("syntax", "planes"), [(RPCL, 0), (EXPLICIT_LITTLE_ENDIAN, 1)], ids=["HTJ2K", "native"]
)
def test_planes(syntax: str, planes: int) -> None:
    """JPEG 2000 has no colour by plane, whatever the file had that was stored."""
    found = file_of(syntax, b"00", t00280006={"vr": "US", "Value": [1]})
    assert planes == found.PlanarConfiguration


@pytest.mark.parametrize(
    "elements",
    [
        pytest.param({"00080018": {"vr": "UI"}}, id="without a UID"),
        pytest.param({"00091001": {"vr": "OB", "InlineBinary": 1}}, id="binary that is none"),
        pytest.param({"00081140": {"vr": "SQ", "Value": ["DOE"]}}, id="a sequence of texts"),
        pytest.param({"0008": {"vr": "LO"}, "x": {"vr": "LO"}}, id="a tag that is none"),
    ],
)
def test_what_is_not_composed(elements: dict[str, Any]) -> None:
    """It is one error, which tells nothing of what was stored."""
    with pytest.raises(NotComposableError) as caught:
        composed(json.dumps({**LEAST, **elements}).encode(), EXPLICIT_LITTLE_ENDIAN)
    assert ("", None) == (str(caught.value), caught.value.__cause__)
