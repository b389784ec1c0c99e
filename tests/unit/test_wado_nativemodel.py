"""Metadata as XML: the Native DICOM Model of what stands as DICOM JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from gateway.errors import UpstreamUnavailableError
from gateway.wado.nativemodel import MAX_DEPTH, native_model
from tests.unit import witness
from tests.unit.nativemodel import bulk_value, dataset_of, document, faults
from tests.unit.tables import named


def inside(instance: dict[str, Any] | str) -> str:
    """What the document of an instance holds; it keeps to the model."""
    text = native_model(instance if isinstance(instance, str) else json.dumps(instance))
    assert [] == faults(text)
    _, _, rest = text.decode().partition('xml:space="preserve">')
    return rest.removesuffix("</NativeDicomModel>")


def attribute(tag: str, vr: str, keyword: str, content: str) -> str:
    """An attribute as it has to stand there."""
    named_so = f' keyword="{keyword}"' if keyword else ""
    return f'<DicomAttribute tag="{tag}" vr="{vr}"{named_so}{content}'


END = "</DicomAttribute>"
CREATOR = {"00190010": {"vr": "LO", "Value": ["ACME"]}}
CREATOR_XML = (
    '<DicomAttribute tag="00190010" vr="LO"><Value number="1">ACME</Value></DicomAttribute>'
)


@pytest.mark.parametrize(
    ("instance", "xml"),
    named({
        "a value": ({"00100020": {"vr": "LO", "Value": ["A<&\"--"]}},
            attribute("00100020", "LO", "PatientID",
            f'><Value number="1">A&lt;&amp;&quot;-&#45;</Value>{END}')),
        "no value": ({"00100020": {"vr": "LO"}}, attribute("00100020", "LO", "PatientID", "/>")),
        "no value, as a list": ({"00100020": {"vr": "LO", "Value": []}},
            attribute("00100020", "LO", "PatientID", "/>")),
        "null among values": ({"00080061": {"vr": "CS", "Value": ["CT", None]}},
            attribute("00080061", "CS", "ModalitiesInStudy",
            f'><Value number="1">CT</Value><Value number="2"></Value>{END}')),
        "nothing but nulls": ({"00080061": {"vr": "CS", "Value": [None, None]}},
            attribute("00080061", "CS", "ModalitiesInStudy", "/>")),
        "numbers as they stand": ('{"00181041": {"vr": "DS", "Value": [1.50, 1e+2, -0, "7.0"]}}',
            attribute("00181041", "DS", "ContrastBolusVolume",
            '><Value number="1">1.50</Value><Value number="2">1e+2</Value>'
            f'<Value number="3">-0</Value><Value number="4">7.0</Value>{END}')),
        "more digits than a float has": (
            '{"00181041": {"vr": "DS", "Value": [0.12345678901234567]}}',
            attribute("00181041", "DS", "ContrastBolusVolume",
            f'><Value number="1">0.12345678901234567</Value>{END}')),
        "a name": ({"00100010": {"vr": "PN", "Value": [{"Ideographic": "I", "Alphabetic": "A^B"}]}},
            attribute("00100010", "PN", "PatientName",
            '><PersonName number="1"><Alphabetic><FamilyName>A</FamilyName><GivenName>B</GivenName>'
            f'</Alphabetic><Ideographic><FamilyName>I</FamilyName></Ideographic></PersonName>{END}')),
        "a name as text": ({"00100010": {"vr": "PN", "Value": ["A=I"]}},
            attribute("00100010", "PN", "PatientName",
            '><PersonName number="1"><Alphabetic><FamilyName>A</FamilyName></Alphabetic>'
            f'<Ideographic><FamilyName>I</FamilyName></Ideographic></PersonName>{END}')),
        "no name": ({"00100010": {"vr": "PN", "Value": [None]}},
            attribute("00100010", "PN", "PatientName", "/>")),
        "bytes": ({"00420011": {"vr": "OB", "InlineBinary": "AAE="}},
            attribute("00420011", "OB", "EncapsulatedDocument",
            f'><InlineBinary>AAE=</InlineBinary>{END}')),
        "bulk data": ({"00420011": {"vr": "OB", "BulkDataURI": "http://g/a?b&c"}},
            attribute("00420011", "OB", "EncapsulatedDocument",
            f'><BulkData uri="http://g/a?b&amp;c"/>{END}')),
        "text as bulk data": ({"0040A160": {"vr": "UT", "BulkDataURI": "u"}},
            attribute("0040A160", "UT", "TextValue", f'><BulkData uri="u"/>{END}')),
        "items": (
            {"00081110": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1"]}}, {}]}},
            attribute("00081110", "SQ", "ReferencedStudySequence", '><Item number="1">')
            + attribute("00081155", "UI", "ReferencedSOPInstanceUID", '><Value number="1">1')
            + f'</Value>{END}</Item><Item number="2"></Item>{END}'),
        "no items": ({"00081110": {"vr": "SQ", "Value": []}},
            attribute("00081110", "SQ", "ReferencedStudySequence", "/>")),
        "tags in order, in capitals": (
            {"0020000e": {"vr": "UI"}, "0020000D": {"vr": "UI"}},
            attribute("0020000D", "UI", "StudyInstanceUID", "/>")
            + attribute("0020000E", "UI", "SeriesInstanceUID", "/>")),
        "a tag that nobody knows": ({"00280FFF": {"vr": "US", "Value": [1]}},
            attribute("00280FFF", "US", "", f'><Value number="1">1</Value>{END}')),
        "a private one": ({"00191042": {"vr": "LO"}, **CREATOR},
            CREATOR_XML + attribute("00190042", "LO", "", ' privateCreator="ACME"/>')),
        "a private one of another item": (
            {**CREATOR, "00191043": {"vr": "SQ", "Value": [{"00191042": {"vr": "LO"}}]}},
            CREATOR_XML
            + attribute("00190043", "SQ", "", ' privateCreator="ACME"><Item number="1">')
            + attribute("00191042", "LO", "", f"/></Item>{END}")),
        "one whose creator is empty": (
            {"00190010": {"vr": "LO"}, "00191042": {"vr": "LO"}},
            attribute("00190010", "LO", "", "/>") + attribute("00191042", "LO", "", "/>")),
        "what XML cannot hold": ({"00100020": {"vr": "LO", "Value": ["A\x1b\ud800"]}},
            attribute("00100020", "LO", "PatientID",
            f'><Value number="1">A\ufffd\ufffd</Value>{END}')),
    }),
)  # fmt: skip
def test_native_model(instance: dict[str, Any] | str, xml: str) -> None:
    """Each attribute of DICOM JSON is one of the model."""
    assert xml == inside(instance)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # some are odd on purpose
@pytest.mark.parametrize("path", witness.paths(), ids=lambda path: path.name)
def test_files(path: Path) -> None:
    """What pydicom writes of a file as JSON is read back from the XML, element by element."""
    told = {tag: one for tag, one in witness.expected(path).items() if isinstance(one, dict)}
    text = native_model(json.dumps(told))
    assert [] == faults(text)
    assert len(told) == len(document(text))
    assert _read(told) == _canonical(dataset_of(text))


def _read(told: dict[str, Any]) -> dict[str, Any]:
    handed = Dataset.from_json(told, lambda _, vr, uri: bulk_value(vr, uri))
    return _canonical(handed)


def _canonical(dataset: Dataset) -> dict[str, Any]:
    """What it holds, without delimiters at the end of names, which XML has no place for."""
    found: dict[str, Any] = {}
    for one in dataset:
        if one.VR == "SQ":
            found[str(one.tag)] = [_canonical(item) for item in one.value]
        elif one.VR == "PN":
            names = one.value if one.VM > 1 else [one.value]
            found[str(one.tag)] = [
                "=".join(part.rstrip("^") for part in str(name or "").split("=")).rstrip("=")
                for name in names
            ]
        else:
            found[str(one.tag)] = (one.VR, one.value)
    return found


def nested(depth: int) -> str:
    """An instance with so many sequences within one another."""
    return '{"00081110":{"vr":"SQ","Value":[' * depth + "{}" + "]}}" * depth


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000])
def test_nested_too_deep(depth: int) -> None:
    """What can't be written is said to be so."""
    assert [] == faults(native_model(nested(MAX_DEPTH)))
    with pytest.raises(UpstreamUnavailableError):
        native_model(nested(depth))
