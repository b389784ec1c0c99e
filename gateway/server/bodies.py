"""What the body of an answer is made of, for each media type.

    application/dicom+json   [ result , result ]
    application/json         the same
    multipart/related        a part a result, and the closing delimiter
    application/x-ndjson     a line a result, and a last line that says that it is complete
    text/csv                 a row of names, and a row a result

Source: PS3.18 §8.6.1.2.1 and Annex F; RFC 2046 §5.1; RFC 4180; the last two are extensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType

import orjson

from gateway.qido import dicomjson, dicomxml, tabular
from gateway.qido.attributes import Attribute
from gateway.qido.elements import elements_of
from gateway.qido.result import Result
from gateway.server.negotiation import CSV, DICOM_JSON, DICOM_XML, JSON, NDJSON

CHUNK_BYTES = 16 * 1024
CHUNK_RESULTS = 32
"""A chunk is full at the first of both: to make one takes some milliseconds, in every form."""

# The same for every answer, so that the same answer has the same ETag. The two hyphens before it
# stand in no part: `dicomxml` writes none
_BOUNDARY = "result"
_PART = f"--{_BOUNDARY}\r\nContent-Type: application/dicom+xml\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of an answer when its last result is there.

    `count` is the number of its results, `remaining` of those behind them, None where that is not
    known; `warnings` are sentences.
    """

    count: int
    remaining: int | None
    warnings: tuple[str, ...]


Columns = Sequence[Attribute]
"""The attributes that were asked for, in the order of tags."""

Encoder = Callable[[Result, str], bytes]
"""The bytes of one result, whose absolute URL is given too ("" for none)."""


@dataclass(frozen=True, slots=True)
class Body:
    """One form of body: a beginning, the results with a separator between them, and an ending.

    It leaves in chunks of `chunk_results` at most. `held` says that its first bytes wait, so that a
    failure is still a status; `has_columns` that every result has the same attributes. `encoder`
    is told the columns, and whether all that a result holds is shown too.
    """

    content_type: str
    encoder: Callable[[Columns, bool], Encoder]
    beginning: Callable[[Columns], bytes] = lambda _: b""
    separator: bytes = b""
    ending: Callable[[Ending], bytes] = lambda _: b""
    held: bool = True
    chunk_results: int = CHUNK_RESULTS
    has_columns: bool = False


def _json(columns: Columns, everything: bool) -> Encoder:
    return dicomjson.encoder(columns, everything=everything)


def _parts(columns: Columns, everything: bool) -> Encoder:
    def encode(result: Result, url: str) -> bytes:
        elements = elements_of(result, columns, url, everything=everything)
        return part(dicomxml.encode(elements))

    return encode


def part(document: bytes) -> bytes:
    """The part that a document of XML is."""
    return _PART + document + b"\r\n"


def _lines(columns: Columns, everything: bool) -> Encoder:
    encode = _json(columns, everything)
    return lambda result, url: encode(result, url) + b"\n"


def _rows(columns: Columns, everything: bool) -> Encoder:
    def row(result: Result, url: str) -> bytes:
        elements = elements_of(result, columns, url, everything=everything)
        return tabular.row(elements, columns)

    return row


def _last_line(ending: Ending) -> bytes:
    # No tag is in lower case, so that no client takes it for a result
    return orjson.dumps({"complete": True, **asdict(ending)}) + b"\n"


def _array(content_type: str) -> Body:
    return Body(content_type, _json, lambda _: b"[", b",", lambda _: b"]")


BODIES: Mapping[str, Body] = MappingProxyType(
    {
        DICOM_JSON: _array(DICOM_JSON),
        JSON: _array(JSON),
        DICOM_XML: Body(
            f"{DICOM_XML}; boundary={_BOUNDARY}",
            _parts,
            ending=lambda _: f"--{_BOUNDARY}--\r\n".encode(),
        ),
        NDJSON: Body(NDJSON, _lines, ending=_last_line, held=False, chunk_results=1),
        CSV: Body(
            f"{CSV}; charset=utf-8; header=present",
            _rows,
            beginning=tabular.header,
            has_columns=True,
        ),
    }
)
"""The body of each offered media type."""
