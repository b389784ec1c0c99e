"""CSV: RFC 4180, what a cell holds, and that no cell is a formula."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.qido import tabular
from gateway.qido.attributes import Attribute, attribute_named
from gateway.qido.elements import Element
from gateway.qido.result import Item, Value
from tests.unit.tables import named


def attribute(name: str) -> Attribute:
    """The attribute of a name that there is."""
    found = attribute_named(name)
    assert found is not None
    return found


def cell(name: str, *values: Value, vr: str = "") -> str:
    """The only cell of a row, as it is written."""
    column = attribute(name)
    element = Element(column.tag, column.keyword, vr or column.vr, values)
    return tabular.row([element], [column]).decode().removesuffix("\r\n")


def read(line: bytes) -> list[str]:
    """The cells of the only row, each without its leading apostrophe."""
    (cells,) = csv.reader(io.StringIO(line.decode(), newline=""))
    return [one.removeprefix("'") for one in cells]


def test_header() -> None:
    """The first row has keywords, and tags where there is no keyword."""
    columns = [attribute(name) for name in ("PatientID", "00191001", "60020010")]
    assert b"PatientID,00191001,60020010\r\n" == tabular.header(columns)


def test_columns() -> None:
    """Each cell stands in its column; one that the result lacks is empty."""
    columns = [attribute(name) for name in ("StudyDate", "ModalitiesInStudy", "PatientID")]
    elements = [
        Element("00080020", "StudyDate", "DA", ("20200101",)),
        Element("00100020", "PatientID", "LO", ("A",)),
    ]
    assert (b"20200101,,A\r\n", b",,\r\n") == (
        tabular.row(elements, columns),
        tabular.row([], columns),
    )


def test_nothing_is_lost() -> None:
    """An element without a column is a bug that is seen."""
    one = Element("00100020", "PatientID", "LO", ("A",))
    with pytest.raises(ValueError, match="column"):
        tabular.row([one], [attribute("StudyDate")])


@pytest.mark.parametrize(
    ("written", "expected"),
    named({
        "text": (cell("PatientID", "A"), "A"),
        "no value": (cell("PatientID", vr="LO"), '""'),
        "empty values": (cell("StudyDescription", "", ""), '""'),
        "several": (cell("ModalitiesInStudy", "CT", "MR"), "CT\\MR"),
        "an empty one among several": (cell("StudyDescription", "A", "", "B"), "A\\\\B"),
        "a comma": (cell("PatientID", "A,B"), '"A,B"'),
        "quotation marks": (cell("PatientID", 'A"B'), '"A""B"'),
        "a line feed": (cell("PatientComments", "A\nB"), '"A\nB"'),
        "a carriage return": (cell("PatientComments", "A\rB"), '"A\rB"'),
        "spaces stay": (cell("PatientComments", " A "), " A "),
        "a name as it is stored": (cell("PatientName", "Y^T=山^太=や"), "Y^T=山^太=や"),
        "a number": (cell("SeriesNumber", 7), "7"),
        "zero": (cell("SeriesNumber", 0), "0"),
        "a fraction": (cell("RealWorldValueSlope", 0.5), "0.5"),
        "bytes": (cell("PixelData", "AAE=", vr="OB"), "AAE="),
        "no items": (cell("ReferencedStudySequence"), '""'),
        "items": (cell("ReferencedStudySequence", Item({"PatientID": ("A",)}), Item({})),
            '"[{""00100020"":{""vr"":""LO"",""Value"":[""A""]}},{}]"'),
    }),
)  # fmt: skip
def test_cells(written: str, expected: str) -> None:
    """A cell holds what is stored, quoted only where RFC 4180 needs it."""
    assert expected == written


@pytest.mark.parametrize("first", list("=+-@\t\r\n'＝＋－＠"))
@pytest.mark.parametrize("name", ["PatientID", "StudyDescription", "PatientName", "SeriesNumber"])
def test_no_formula(first: str, name: str) -> None:
    """A text that a spreadsheet could run, or that begins with an apostrophe, has one before it."""
    text = f"{first}cmd|x!A1"
    line = tabular.row([Element(attribute(name).tag, name, attribute(name).vr, (text,))],
                       [attribute(name)])  # fmt: skip
    assert line.lstrip(b'"').startswith(f"'{first}".encode())
    assert [text] == read(line)


@pytest.mark.parametrize(
    ("written", "expected"),
    named({
        "an integer": (cell("SeriesNumber", -5), "-5"),
        "an integer as text": (cell("SeriesNumber", "-5"), "-5"),
        "with its sign": (cell("SeriesNumber", "+5"), "+5"),
        "fractions": (cell("ImagePositionPatient", "-1.5", "-.5", "+2e-3"), "-1.5\\-.5\\+2e-3"),
        "an empty one within": (cell("ImagePositionPatient", "-1", "", "2"), "-1\\\\2"),
        "a float": (cell("RealWorldValueSlope", -1e-07), "-1e-07"),
        "no number": (cell("SeriesNumber", "-5+A1"), "'-5+A1"),
        "a sign alone": (cell("SeriesNumber", "-"), "'-"),
        "one that is none among them": (cell("ImagePositionPatient", "-1", "=A1"), "'-1\\=A1"),
        "other digits": (cell("SeriesNumber", "-٣"), "'-٣"),
        "a text that is a number": (cell("PatientID", "-5"), "'-5"),
        "a date": (cell("StudyDate", "-5"), "'-5"),
        "bytes": (cell("PixelData", "+/8=", vr="OB"), "'+/8="),
        "later it is no formula": (cell("PatientID", "A=1"), "A=1"),
        "a later value": (cell("StudyDescription", "A", "=1"), "A\\=1"),
    }),
)  # fmt: skip
def test_numbers_are_no_formulas(written: str, expected: str) -> None:
    """Numbers of numeric VRs stand as they are; everything else is guarded."""
    assert expected == written


ANY = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.lists(ANY, min_size=2, max_size=2), min_size=1, max_size=3))
def test_any_text(rows: list[list[str]]) -> None:
    """Whatever cells hold, a reader of RFC 4180 that drops one apostrophe reads it."""
    columns = [attribute("PatientID"), attribute("PatientComments")]
    body = b"".join(
        tabular.row([Element(c.tag, c.keyword, c.vr, (text,)) for c, text in zip(columns, one,
                    strict=True)], columns)
        for one in rows
    )  # fmt: skip
    cells = list(csv.reader(io.StringIO(body.decode(), newline="")))
    assert rows == [[one.removeprefix("'") for one in row] for row in cells]
    assert not any(one.startswith(tuple("=+-@\t\r")) for row in cells for one in row)


@given(ANY)
def test_any_item(text: str) -> None:
    """A sequence is read back as the JSON of its items."""
    column = attribute("ReferencedStudySequence")
    item = Item({"PatientComments": (text,)} if text else {})
    (written,) = read(tabular.row([Element(column.tag, "", "SQ", (item,))], [column]))
    value = {"00104000": {"vr": "LT", "Value": [text]}} if text else {}
    assert [value] == json.loads(written)
