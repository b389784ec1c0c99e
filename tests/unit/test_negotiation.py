"""Which media type and character set an answer has, and whether a path or an ETag is meant."""

from __future__ import annotations

import pytest

from gateway.errors import NotAcceptableError, QueryError
from gateway.server.caching import is_named, weak_etag
from gateway.server.negotiation import check_charset, choose_media_type, parameter_of
from gateway.server.paths import plain_path

DICOM, JSON = "application/dicom+json", "application/json"
XML, LINES, CSV = (
    'multipart/related; type="application/dicom+xml"', "application/x-ndjson", "text/csv",
)  # fmt: skip
FRAMES = 'multipart/related; type="application/octet-stream"'


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        pytest.param(None, DICOM, id="no header"),
        pytest.param("", DICOM, id="an empty one"),
        pytest.param("*/*", DICOM, id="anything"),
        pytest.param("application/*", DICOM, id="any application"),
        pytest.param("text/*", CSV, id="any text"),
        pytest.param("image/*", None, id="any image"),
        pytest.param("*", None, id="a star that is no media range"),
        pytest.param(DICOM, DICOM, id="OHIF"),
        pytest.param(f"{DICOM}, {JSON}", DICOM, id="dicomweb-client"),
        pytest.param(f"{JSON}, {DICOM}", DICOM, id="equals: the default"),
        pytest.param("text/html, image/gif, *; q=.2, */*; q=.2", DICOM, id="Java"),
        pytest.param("text/html,application/xml;q=0.9,*/*;q=0.8", DICOM, id="a browser"),
        pytest.param(JSON, JSON, id="the other"),
        pytest.param("APPLICATION/JSON", JSON, id="in capitals"),
        pytest.param(f"{DICOM};q=0.5, {JSON}", JSON, id="by q"),
        pytest.param(f"{DICOM};Q=0.5, {JSON}", JSON, id="q in capitals"),
        pytest.param(f"{DICOM}; q=0.5; x=1, {JSON};q=0.4", DICOM, id="q with spaces"),
        pytest.param(f"{DICOM};q=0, */*", JSON, id="q=0 excludes"),
        pytest.param("*/*, application/*;q=0", XML, id="q=0 of a range excludes"),
        pytest.param("application/*, application/*;q=0", DICOM, id="a range named twice"),
        pytest.param("*/*;q=0", None, id="q=0 of all excludes"),
        pytest.param(f"*/*;q=0, {JSON};q=0.1", JSON, id="all but one excluded"),
        pytest.param(f"*/*;q=0.1, {JSON};q=0.2", JSON, id="the most specific range counts"),
        pytest.param(f"application/*;q=0.9, {DICOM};q=0.1", JSON, id="specific, not highest"),
        pytest.param(f"{JSON};q=0.3, {JSON};q=0.8, {DICOM};q=0.5", JSON, id="named twice"),
        pytest.param(f"text/html, {DICOM};charset=utf-8", DICOM, id="with a parameter"),
        pytest.param(f"{DICOM}, {FRAMES}", DICOM, id="mixed, as OHIF has it"),
        pytest.param(f"{FRAMES}, {JSON}", JSON, id="mixed, the other way round"),
        pytest.param('text/x; y="a,application/json"', None, id="a comma within quotes"),
        pytest.param(f'{DICOM}; y="a;q=0"', DICOM, id="a semicolon within quotes"),
        pytest.param(f'{DICOM}; y="a', DICOM, id="quotes left open"),
        pytest.param(f"{DICOM}; y=\"a\\\", {JSON}\", text/x", DICOM, id="an escaped quote"),
        pytest.param(f",, ;q=1, {JSON}", JSON, id="empty elements"),
        pytest.param(";", None, id="a semicolon alone"),
        pytest.param("image/png", None, id="none of them"),
        pytest.param(f"{DICOM};q=0", None, id="excluded"),
        pytest.param(f"{DICOM};q=0.000", None, id="excluded to three digits"),
        pytest.param(f"{DICOM};q=x", None, id="a q that is none"),
        pytest.param(f"{DICOM};q=nan", None, id="a q that only Python reads"),
        pytest.param(f"{DICOM};q=7, {JSON};q=1", DICOM, id="a q past 1 is 1"),
    ],
)  # fmt: skip
def test_accept(accept: str | None, chosen: str | None) -> None:
    """The offered type that the header wants most, or none."""
    assert chosen == _chosen(accept, None)


@pytest.mark.parametrize(
    ("accept", "query", "chosen"),
    [
        pytest.param("*/*", f"accept={JSON}", JSON, id="the parameter outranks the header"),
        pytest.param("*/*", f"accept={DICOM}", DICOM, id="an unencoded +"),
        pytest.param(JSON, "accept=application%2Fdicom%2Bjson", DICOM, id="encoded"),
        pytest.param(JSON, "accept=application%2Fdicom%2Bjson%2C+text%2Fx", DICOM, id="a form's"),
        pytest.param("*/*", f"accept={DICOM};q=0.1,{JSON}", JSON, id="its q counts"),
        pytest.param("*/*", f"accept=text/x&accept={JSON}", JSON, id="repeated"),
        pytest.param(JSON, "accept=image/png", JSON, id="nothing offered: the header"),
        pytest.param(JSON, f"accept={DICOM};q=0", JSON, id="it excludes: the header"),
        pytest.param(JSON, "accept=*/*", JSON, id="it has no wild cards: the header"),
        pytest.param("image/png", "accept=*/*", None, id="no wild cards, and no header"),
        pytest.param(JSON, "accept=", JSON, id="empty: the header"),
        pytest.param(JSON, f"Accept={DICOM}", JSON, id="another name: the header"),
        pytest.param(JSON, f"a=1&%61ccept={DICOM}", DICOM, id="an encoded name"),
        pytest.param("image/png", f"accept={JSON}", JSON, id="the parameter alone"),
        pytest.param("image/png", "accept=%ff", None, id="no text"),
    ],
)
def test_accept_parameter(accept: str, query: str, chosen: str | None) -> None:
    """The query parameter outranks the header where it names what is offered."""
    assert chosen == _chosen(accept, parameter_of(query.encode(), "accept"))


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        pytest.param(XML, XML, id="as the standard has it"),
        pytest.param("multipart/related;type=application/dicom+xml", XML, id="no quotes"),
        pytest.param(XML.upper(), XML, id="in capitals"),
        pytest.param(f"{XML}; transfer-syntax=*", XML, id="a transfer syntax behind"),
        pytest.param('multipart/related; transfer-syntax=1.2; type="application/dicom+xml"', XML,
                     id="another order"),
        pytest.param('multipart/related ; TYPE = "application/dicom+xml" ; q=0.5', XML,
                     id="spaces, the name in capitals"),
        pytest.param(r'multipart/related; type="application/dicom\+xml"', XML, id="an escape"),
        pytest.param('multipart/related; type="application/dicom+xml', XML, id="open quotes"),
        pytest.param("application/dicom+xml", XML, id="the part alone"),
        pytest.param("application/dicom+xml; charset=utf-8", XML, id="the part, a parameter"),
        pytest.param("multipart/related", XML, id="no type"),
        pytest.param("multipart/*", XML, id="any multipart"),
        pytest.param('multipart/related; type="application/dicom"', None, id="instances"),
        pytest.param('multipart/related; type="application/dicom+json"', None, id="JSON parts"),
        pytest.param('multipart/related; type="image/jpeg"', None, id="rendered"),
        pytest.param('multipart/related; type=""', None, id="an empty type"),
        pytest.param("multipart/related; type", None, id="a type without a value"),
        pytest.param('multipart/related; x="type=application/dicom+xml"', XML,
                     id="the type of another parameter is none"),
        pytest.param("multipart/mixed", None, id="another multipart"),
        pytest.param("application/xml", None, id="XML that is not DICOM's"),
        pytest.param("text/xml", None, id="XML that is text"),
        pytest.param(f"{FRAMES}, {XML}", XML, id="mixed with another type"),
        pytest.param(f"{XML}, {DICOM}", DICOM, id="equals: the default"),
        pytest.param(f"{XML}, {DICOM};q=0.9", XML, id="by q"),
        pytest.param(f"{XML};q=0.8, {DICOM};q=0.9", DICOM, id="by q, its own"),
        pytest.param(f"{XML};q=0, multipart/*, {JSON};q=0.1", JSON, id="excluded by its type"),
        pytest.param(f"multipart/related;q=0, */*;q=0.1, {CSV}", CSV, id="excluded without one"),
        pytest.param(f"multipart/related;q=0.1, {XML};q=0.9, {JSON};q=0.5", XML,
                     id="the type is more specific"),
        pytest.param(f"multipart/*;q=0.9, multipart/related;q=0.1, {JSON};q=0.5", JSON,
                     id="multipart/related is more specific than multipart/*"),
        pytest.param("application/*;q=0.9, multipart/*", XML, id="the higher range"),
        pytest.param("*/*, multipart/related; q=0.5", DICOM, id="anything"),
        pytest.param(LINES, LINES, id="NDJSON"),
        pytest.param("application/X-NDJSON", LINES, id="NDJSON in capitals"),
        pytest.param("application/ndjson", None, id="NDJSON by a name that it has not"),
        pytest.param(f"{LINES}, {DICOM};q=0.1", LINES, id="NDJSON by q"),
        pytest.param(CSV, CSV, id="CSV"),
        pytest.param(f"{CSV}; charset=utf-8; header=present", CSV, id="CSV with its parameters"),
        pytest.param("text/html, text/*;q=0.1", CSV, id="any text but pages"),
        pytest.param("text/html,application/xml;q=0.9,*/*;q=0.8", DICOM, id="a browser"),
        pytest.param(f"{JSON};q=0, {DICOM};q=0, application/*", LINES, id="all but JSON"),
    ],
)  # fmt: skip
def test_other_types(accept: str, chosen: str | None) -> None:
    """XML comes in a multipart/related, however that is asked for; the others have one name."""
    assert chosen == _chosen(accept, None)


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        pytest.param("accept=multipart/related;type=application/dicom+xml", XML, id="raw"),
        pytest.param('accept=multipart/related;type="application/dicom+xml"', XML, id="quoted"),
        pytest.param("accept=multipart/related;%20type=%22application/dicom%2Bxml%22", XML,
                     id="partly encoded"),
        pytest.param("accept=multipart%2Frelated%3B+type%3D%22application%2Fdicom%2Bxml%22", XML,
                     id="a form's"),
        pytest.param("accept=multipart%2Frelated%3B%20type%3Dapplication%2Fdicom%2Bxml", XML,
                     id="encoded, no quotes"),
        pytest.param("accept=application/dicom+xml", XML, id="the part alone"),
        pytest.param("accept=multipart/related", XML, id="no type"),
        pytest.param("accept=multipart/*", JSON, id="it has no wild cards: the header"),
        pytest.param("accept=multipart/related;type=application/dicom", JSON,
                     id="nothing offered: the header"),
        pytest.param("accept=application/x-ndjson", LINES, id="NDJSON"),
        pytest.param("accept=text/csv", CSV, id="CSV"),
        pytest.param("accept=text/csv;q=0.5,application/x-ndjson;q=0.4", CSV, id="by q"),
        pytest.param("accept=text/*", JSON, id="any text: the header"),
    ],
)  # fmt: skip
def test_other_types_by_parameter(query: str, chosen: str) -> None:
    """The query parameter names them raw or percent-encoded; the header stands behind it."""
    assert chosen == _chosen(JSON, parameter_of(query.encode(), "accept"))


def test_what_is_supported_is_said() -> None:
    """A refusal names every media type that is offered."""
    with pytest.raises(NotAcceptableError) as refused:
        choose_media_type("image/png")
    assert f"Supported media types: {', '.join((DICOM, JSON, XML, LINES, CSV))}." == str(
        refused.value
    )


def _chosen(accept: str | None, parameter: str | None) -> str | None:
    try:
        return choose_media_type(accept, parameter)
    except NotAcceptableError:
        return None


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        pytest.param("", True, id="missing"),
        pytest.param("charset=", True, id="empty"),
        pytest.param("charset=utf-8", True, id="UTF-8"),
        pytest.param("charset=UTF8", True, id="UTF-8, spelt otherwise"),
        pytest.param("charset=ISO_IR+192", True, id="UTF-8 in DICOM's words"),
        pytest.param("charset=*", True, id="any"),
        pytest.param("charset=iso-8859-1,utf-8;q=0.1", True, id="in a list"),
        pytest.param("charset=iso-8859-1", False, id="another"),
        pytest.param("charset=iso-8859-1,utf-8;q=0", False, id="excluded"),
    ],
)
def test_charset(query: str, allowed: bool) -> None:
    """A charset parameter that does not allow UTF-8 breaks a rule: there is no other."""
    try:
        check_charset(parameter_of(query.encode(), "charset"))
    except QueryError as exc:
        assert (False, "charset") == (allowed, exc.parameter)
    else:
        assert allowed


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/a/b", "/a/b"), ("/a/b/", "/a/b"), ("/a//b", "/a/b"), ("//a///b//", "/a/b"),
        ("/", "/"), ("//", "/"), ("", "/"), ("/a/./b", "/a/./b"), ("/a /b", "/a /b"),
    ],
)  # fmt: skip
def test_plain_path(path: str, plain: str) -> None:
    """Doubled and trailing slashes mean nothing."""
    assert plain == plain_path(path)


ETAG = weak_etag(b"[]", DICOM)
STRONG = ETAG.removeprefix("W/")


@pytest.mark.parametrize(
    ("field", "named"),
    [
        pytest.param(ETAG, True, id="the weak one"),
        pytest.param(STRONG, True, id="as a strong one"),
        pytest.param(f'"x", {ETAG}', True, id="in a list"),
        pytest.param(f'W/"x",{STRONG},"y"', True, id="in a list without spaces"),
        pytest.param("*", True, id="any"),
        pytest.param(" * ", True, id="any, in spaces"),
        pytest.param('"*"', False, id="a tag that is a star"),
        pytest.param(f'"x", *, {STRONG[:-2]}"', False, id="a star in a list"),
        pytest.param('W/"x"', False, id="another"),
        pytest.param(STRONG.strip('"'), False, id="without quotes"),
        pytest.param(f'"a, {STRONG.strip(chr(34))}, b"', False, id="within another tag"),
        pytest.param(weak_etag(b"[]", JSON), False, id="of the other media type"),
        pytest.param("", False, id="empty"),
    ],
)
def test_if_none_match(field: str, named: bool) -> None:
    """An If-None-Match field names an ETag by weak comparison."""
    assert named == is_named(field, ETAG)
