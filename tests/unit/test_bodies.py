"""What bodies are made of: the parts of each media type, from its first byte to its last."""

from __future__ import annotations

import email
import email.policy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.qido.attributes import BY_KEYWORD, Level
from gateway.qido.result import Result, Value
from gateway.server.bodies import BODIES, Body, Ending
from gateway.server.negotiation import CSV, DICOM_JSON, DICOM_XML, JSON, NDJSON, OFFERED
from tests.unit.nativemodel import dataset_of, faults
from tests.unit.tables import named

COLUMNS = (BY_KEYWORD["PatientName"], BY_KEYWORD["PatientID"])
WHOLE = Ending(2, 0, ())
LEFT = Ending(2, None, ("There may be more.",))


def result(name: str, patient_id: str = "") -> Result:
    """One result."""
    values: dict[str, tuple[Value, ...]] = {"PatientName": (name,), "PatientID": (patient_id,)}
    return Result(Level.STUDY, {keyword: one for keyword, one in values.items() if one != ("",)})


def body(media_type: str, *results: Result, ending: Ending = WHOLE) -> bytes:
    """The body of an answer of `results`."""
    form: Body = BODIES[media_type]
    encode = form.encoder(COLUMNS, False)
    encoded = [encode(one, "") for one in results]
    return form.beginning(COLUMNS) + form.separator.join(encoded) + form.ending(ending)


A, B = result("DOE^JANE", "A"), result("", "B")
A_JSON = (
    '{"00100010":{"vr":"PN","Value":[{"Alphabetic":"DOE^JANE"}]},'
    '"00100020":{"vr":"LO","Value":["A"]}}'
)
B_JSON = '{"00100010":{"vr":"PN"},"00100020":{"vr":"LO","Value":["B"]}}'
LAST = '{"complete":true,"count":2,"remaining":0,"warnings":[]}\n'


@pytest.mark.parametrize(
    ("media_type", "results", "expected"),
    named({
        "JSON, none": (JSON, [], "[]"),
        "JSON, one": (JSON, [A], f"[{A_JSON}]"),
        "JSON, two": (DICOM_JSON, [A, B], f"[{A_JSON},{B_JSON}]"),
        "NDJSON, none": (NDJSON, [], LAST),
        "NDJSON, two": (NDJSON, [A, B], f"{A_JSON}\n{B_JSON}\n{LAST}"),
        "CSV, none": (CSV, [], "PatientName,PatientID\r\n"),
        "CSV, two": (CSV, [A, B], "PatientName,PatientID\r\nDOE^JANE,A\r\n,B\r\n"),
        "XML, none": (DICOM_XML, [], "--result--\r\n"),
    }),
)  # fmt: skip
def test_bodies(media_type: str, results: list[Result], expected: str) -> None:
    """A body is a beginning, its results with what stands between them, and an ending."""
    assert expected == body(media_type, *results).decode()


def test_every_offered_type_has_a_body() -> None:
    """What is offered can be made, and its header names it."""
    assert set(OFFERED) == set(BODIES)
    for media_type, form in BODIES.items():
        assert form.content_type.split("; boundary")[0].startswith(media_type)


def test_what_waits() -> None:
    """Only NDJSON does not wait, and has a chunk a result; only CSV has columns."""
    assert [NDJSON] == [name for name, form in BODIES.items() if not form.held]
    assert [NDJSON] == [name for name, form in BODIES.items() if form.chunk_results == 1]
    assert [CSV] == [name for name, form in BODIES.items() if form.has_columns]


def test_the_last_line() -> None:
    """It says how many results there are and are left, and what has to be said of them."""
    last = json.loads(body(NDJSON, A, ending=LEFT).splitlines()[-1])
    assert {
        "complete": True, "count": 2, "remaining": None, "warnings": ["There may be more."],
    } == last  # fmt: skip


# --- multipart ------------------------------------------------------------------------------------


def parts(media_type: str, sent: bytes) -> list[Any]:
    """The parts of a multipart body, by Python's own reader."""
    head = f"Content-Type: {BODIES[media_type].content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + sent, policy=email.policy.HTTP)
    assert message.is_multipart()
    assert ("application/dicom+xml", []) == (message.get_param("type"), message.defects)
    return list(message.iter_parts())


def test_parts() -> None:
    """Each result is a part of its own, with its media type; the delimiter closes the last."""
    sent = body(DICOM_XML, A, B)
    first, second = parts(DICOM_XML, sent)
    assert ["application/dicom+xml"] * 2 == [p.get_content_type() for p in (first, second)]
    assert ["A", "B"] == [dataset_of(p.get_payload(decode=True)).PatientID for p in (first, second)]
    assert sent.startswith(b"--result\r\nContent-Type: application/dicom+xml\r\n\r\n<?xml ")
    assert sent.endswith(b"</NativeDicomModel>\r\n--result--\r\n")


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.sampled_from(["--result", "\r\n--result\r\n", "\n--result--", "--result--"]),
        ),
        max_size=3,
    )
)
def test_no_value_is_a_boundary(texts: list[str]) -> None:
    """Whatever a value holds, the delimiters are those of the body: one a part, and the last."""
    sent = body(DICOM_XML, *(result("DOE", text) for text in texts))
    assert len(texts) + 1 == sent.count(b"--") - 1 == sent.count(b"--result")
    cut = sent.split(b"--result")
    documents = [one.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for one in cut[1:-1]]
    assert [[]] * len(texts) == [faults(one) for one in documents]
