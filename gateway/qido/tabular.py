"""CSV: results as rows of a table, a column an attribute. An extension; RFC 4180.

A cell that a spreadsheet could take for a formula has an apostrophe before it, and so has one that
begins with an apostrophe: who drops one leading apostrophe of each cell reads what was written.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from gateway.qido.attributes import Attribute
from gateway.qido.dicomjson import encode_items
from gateway.qido.elements import Element
from gateway.qido.result import Item

_NUMERIC_VRS = frozenset(("DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"))
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([Ee][+-]?[0-9]+)?")
# The wide forms begin a formula where the input method is East Asian
_GUARDED = tuple("=+-@\t\r\n'＝＋－＠")


def header(columns: Sequence[Attribute]) -> bytes:
    """The first row: the keyword of each column, or its tag where it has none."""
    return _line([column.keyword for column in columns])


def row(elements: Iterable[Element], columns: Sequence[Attribute]) -> bytes:
    """The row of one result; a column that `elements` lacks is an empty cell.

    Several values are joined by a backslash, names stand as they are stored, bytes as base64, and
    a sequence as the DICOM JSON of its items.

    Raises: ValueError where an element has no column, for it would be lost without a word.
    """
    cells = {element.tag: _cell(element) for element in elements}
    line = _line([cells.pop(column.tag, "") for column in columns])
    if cells:
        raise ValueError("an element has no column")
    return line


def _cell(element: Element) -> str:
    values = element.values if any(value != "" for value in element.values) else ()
    items = [value for value in values if isinstance(value, Item)]
    text = encode_items(items).decode() if items else "\\".join(map(str, values))
    if text.startswith(_GUARDED) and not (element.vr in _NUMERIC_VRS and _is_numbers(text)):
        return f"'{text}"
    return text


def _is_numbers(text: str) -> bool:
    return all(_NUMBER.fullmatch(part) for part in text.split("\\") if part)


def _line(cells: list[str]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue().encode()
