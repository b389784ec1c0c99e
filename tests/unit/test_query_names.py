"""Names of parameters, the text of a URI, limit and offset: accepted, and beside it refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from gateway.errors import QueryError
from gateway.qido.attributes import Resource
from gateway.qido.conditions import Exact, Wildcard
from gateway.qido.query import Dialect
from tests.unit.parsing import KEYS, REFUSED, STUDIES, no, outcome, parsed
from tests.unit.tables import named

IGNORED = "is not supported for matching here. It has been ignored."


@pytest.mark.parametrize("keyword", KEYS)
@pytest.mark.parametrize("resource", Resource, ids=lambda resource: resource.value)
def test_every_key_by_keyword_and_tag(keyword: str, resource: Resource) -> None:
    """A key means the same by its keyword and by its tag in either case, at or above its level."""
    tag, level, value = KEYS[keyword]
    expected = level == "study" or resource is not STUDIES
    for name in (keyword, tag, tag.lower(), quote(keyword).replace("a", "%61")):
        query = parsed(f"{name}={value}", resource)
        assert [keyword] * expected == [c.attribute.keyword for c in query.criteria]
        assert [keyword] * expected == [a.keyword for a in query.also_return]
        assert expected == (query.warnings == ())


@pytest.mark.parametrize(
    ("name", "shown"),
    named({
        "a word that is no keyword": ("Foo", "Foo"),
        "a keyword in lower case": ("patientname", "patientname"),
        "limit in capitals": ("LIMIT", "LIMIT"),
        "a tag of seven digits": ("0010002", "0010002"),
        "a tag of nine digits": ("001000200", "001000200"),
        "a tag with a comma": ("0010,0020", None),
        "a tag with a letter past F": ("0010002G", "0010002G"),
        "a private tag": ("00231002", "00231002"),
        "a private creator": ("00230010", "00230010"),
        "a group length": ("00100000", "00100000"),
        "a sequence's item, by keywords": ("RequestAttributesSequence.ScheduledProcedureStepID",
            "RequestAttributesSequence.ScheduledProcedureStepID"),
        "a sequence's item, by tags": ("00400275.00400009",
            "RequestAttributesSequence.ScheduledProcedureStepID"),
        "a sequence's item, mixed": ("OtherPatientIDsSequence.00100020",
            "OtherPatientIDsSequence.PatientID"),
        "SpecificCharacterSet is never matched": ("SpecificCharacterSet", "SpecificCharacterSet"),
        "an attribute of the series": ("Modality", "Modality"),
        "the same by its tag": ("00080060", "Modality"),
        "an attribute of the instance": ("SOPInstanceUID", "SOPInstanceUID"),
        "an attribute that no summary holds": ("SeriesDescription", "SeriesDescription"),
        "IssuerOfPatientID as Weasis sends it": ("00100021", "IssuerOfPatientID"),
        "required and not in a summary": ("ReferringPhysicianName", "ReferringPhysicianName"),
        "made for the answer": ("RetrieveURL", "RetrieveURL"),
        "a name with a caret": ("DOE^JANE", None),
        "a name in other letters": ("山田", None),
        "a name with a space": ("DOE JANE", None),
        "a name of 65 letters": ("A" * 65, None),
        "a name with a line feed": ("A\nB", None),
    }),
)  # fmt: skip
def test_a_key_that_is_not_supported(name: str, shown: str | None) -> None:
    """It is ignored with a Warning that names it, if its name is one; with strict, refused."""
    text = f"{quote(name, safe=',')}=SENTINEL&PatientID=P1"
    query = parsed(text)
    subject = "A parameter" if shown is None else f"The {shown} parameter"
    assert (f"{subject} {IGNORED}",) == query.warnings
    assert [Exact(("P1",))] == [c.condition for c in query.criteria]
    with pytest.raises(QueryError) as caught:
        parsed(text, dialect=Dialect(strict=True))
    assert (shown or "a parameter") == caught.value.parameter
    assert "SENTINEL" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "also"),
    named({
        "zero length, below the level": ("Modality=", []),
        "zero length, not in a summary": ("SeriesDescription=", []),
        "zero length, required and not in a summary": ("ReferringPhysicianName=",
            ["ReferringPhysicianName"]),
        "a lone star on it": ("ReferringPhysicianName=*", ["ReferringPhysicianName"]),
        "a lone star, made for the answer": ("RetrieveURL=*", ["RetrieveURL"]),
        "a lone star, below the level": ("Modality=*", []),
        "zero length, a sequence": ("RequestAttributesSequence=", []),
        "blank, by its tag": ("0008103E=+", []),
        "zero length, known": ("PatientID=", ["PatientID"]),
        "a lone star, known": ("PatientID=*", ["PatientID"]),
    }),
)  # fmt: skip
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_universal_matching_ignores_nothing(text: str, also: list[str], strict: bool) -> None:
    """A key that any value matches asks for its attribute, as includefield does: no Warning."""
    query = parsed(text, dialect=Dialect(strict=strict))
    assert (also, (), ()) == (
        [a.keyword for a in query.also_return],
        query.criteria,
        query.warnings,
    )


@pytest.mark.parametrize(
    "text",
    ["Foo=", "Foo=*", "00231002=", "patientname=", "SeriesDescription=?", "SeriesDate=*",
     "RequestAttributesSequence=*", "ReferringPhysicianName=%22%22&emptyvaluematching=true"],
)  # fmt: skip
def test_what_is_not_universal_or_not_known_is_ignored(text: str) -> None:
    """A name that PS3.6 has not, or a key that some values do not match, has its Warning."""
    assert 1 == len(parsed(text).warnings)


# --- the text of a URI ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    named({
        "percent-encoding, upper case": (b"StudyID=%C3%9C", Exact(("Ü",))),
        "percent-encoding, lower case": (b"StudyID=%c3%9c", Exact(("Ü",))),
        "UTF-8 as typed": ("StudyID=Ü".encode(), Exact(("Ü",))),
        "four bytes": (b"StudyID=%F0%A0%AE%B7", Exact(("𠮷",))),
        "& encoded is text": (b"StudyID=A%26B", Exact(("A&B",))),
        "= encoded is text": (b"StudyID=A%3DB", Exact(("A=B",))),
        "# encoded is text": (b"StudyID=A%23B", Exact(("A#B",))),
        "% encoded is text": (b"StudyID=A%25B", Exact(("A%B",))),
        "it is decoded once": (b"StudyID=A%252B", Exact(("A%2B",))),
        "a second = is text": (b"StudyID=A=B", Exact(("A=B",))),
        "; parts nothing": (b"StudyID=A;B", Exact(("A;B",))),
        "? is wild": (b"StudyID=A?B", Wildcard(("A?B",))),
        "%3F is wild": (b"StudyID=A%3FB", Wildcard(("A?B",))),
        "%2A is wild": (b"StudyID=A%2A", Wildcard(("A*",))),
        "+ is a space": (b"StudyID=A+B", Exact(("A B",))),
        "%20 is a space": (b"StudyID=A%20B", Exact(("A B",))),
        "%2B is a plus": (b"StudyID=A%2BB", Exact(("A+B",))),
        "quotation marks are text": (b"StudyID=%22A%22", Exact(('"A"',))),
        "the name is decoded": (b"Study%49D=A", Exact(("A",))),
        "no value and no =": (b"StudyID", None),
        "a segment of nothing before it": (b"&StudyID=A", Exact(("A",))),
        "segments of nothing": (b"&&StudyID=A&&", Exact(("A",))),
        "a trailing &": (b"StudyID=A&", Exact(("A",))),
        "one byte of two": (b"StudyID=%C3", no("StudyID")),
        "Latin-1": (b"StudyID=%DC", no("StudyID")),
        "Latin-1 as typed": (b"StudyID=\xdc", no("StudyID")),
        "an overlong form": (b"StudyID=%C0%80", no("StudyID")),
        "a surrogate": (b"StudyID=%ED%A0%80", no("StudyID")),
        "past the last character": (b"StudyID=%F4%90%80%80", no("StudyID")),
        "UTF-16": (b"StudyID=%FF%FEA%00", no("StudyID")),
        "in a parameter that is not known": (b"Foo=%FF", no("Foo")),
        "in limit": (b"limit=%FF", no("limit")),
        "in includefield": (b"includefield=%FF", no("includefield")),
        "in accept": (b"accept=%FF", no("accept")),
        "in a name": (b"%FF=A", no("a parameter's name")),
        "no name at all": (b"=A", no("query")),
    }),
)  # fmt: skip
def test_the_text_of_a_query(text: bytes, expected: Any) -> None:
    """Names and values are percent-encoded UTF-8, a + is a space, empty segments are skipped."""
    assert expected == outcome(text, "StudyID")


@pytest.mark.parametrize(
    ("text", "expected"),
    named({
        "the same value twice": ("PatientID=A&PatientID=A", Exact(("A",))),
        "the same by keyword and tag": ("PatientID=A&00100020=A", Exact(("A",))),
        "the same by both cases of a tag": ("0020000D=1.2&0020000d=1.2", None),
        "the same by two encodings": ("PatientID=A&PatientID=%41", Exact(("A",))),
        "zero length twice": ("PatientID=&PatientID=", None),
        "another value": ("PatientID=A&PatientID=B", no("PatientID")),
        "another case": ("PatientID=A&PatientID=a", no("PatientID")),
        "another value by its tag": ("PatientID=A&00100020=B", no("PatientID")),
        "zero length and a value": ("PatientID=&PatientID=A", no("PatientID")),
        "a value and a star": ("PatientID=A&PatientID=*", no("PatientID")),
        "a third value": ("PatientID=A&PatientID=A&PatientID=B", no("PatientID")),
        "UIDs belong into one list": ("StudyInstanceUID=1.2&StudyInstanceUID=1.3",
            no("StudyInstanceUID")),
        "two dates": ("StudyDate=20200101&StudyDate=20200102", no("StudyDate")),
    }),
)  # fmt: skip
def test_an_attribute_is_asked_once(text: str, expected: Any) -> None:
    """A matching key shall not be repeated, under either of its names, with another value."""
    assert expected == outcome(text, "PatientID")


# --- limit, offset --------------------------------------------------------------------------------

WHOLE = {
    "one": ("1", 1),
    "zero": ("0", 0),
    "leading zeros": ("007", 7),
    "OHIF's": ("101", 101),
    "Google's adapter's": ("50000", 50_000),
    "far above every cap": ("9" * 18, 10**18 - 1),
    "of 19 digits": ("1" + "0" * 18, 10**18),
    "of more digits than there are results": ("9" * 21, 10**18),
    "of more digits than Python reads": ("9" * 5000, 10**18),
    "of as many zeros": ("0" * 5000 + "7", 7),
    "empty": ("", REFUSED),
    "negative": ("-1", REFUSED),
    "with a plus": ("%2B1", REFUSED),
    "with a space before": ("+1", REFUSED),
    "with a space behind": ("1+", REFUSED),
    "a fraction": ("1.0", REFUSED),
    "an exponent": ("1e3", REFUSED),
    "hexadecimal": ("0x1", REFUSED),
    "with an underscore": ("1_0", REFUSED),
    "with a comma": ("1,0", REFUSED),
    "a word": ("all", REFUSED),
    "a star": ("*", REFUSED),
    "fullwidth digits": ("%EF%BC%91", REFUSED),
    "a superscript": ("%C2%B2", REFUSED),
    "with a line feed": ("1%0A", REFUSED),
}


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize(("value", "expected"), named(WHOLE))
def test_whole_numbers(name: str, value: str, expected: Any) -> None:
    """limit and offset are unsigned integers; one above a cap is no error (§8.3.4.4)."""
    try:
        found: Any = getattr(parsed(f"{name}={value}"), name)
    except QueryError as exc:
        assert (name, REFUSED) == (exc.parameter, expected)
    else:
        assert expected == found


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize("again", ["1", "2", ""], ids=["the same", "another", "without a value"])
def test_a_number_is_given_once(name: str, again: str) -> None:
    """limit and offset shall not be repeated."""
    assert no(name) == outcome(f"{name}=1&{name}={again}", "PatientID")


def test_a_missing_window() -> None:
    """A missing offset is 0, a missing limit the server's choice."""
    query = parsed("PatientID=A")
    assert (None, 0) == (query.limit, query.offset)
