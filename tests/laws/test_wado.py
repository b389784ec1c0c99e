"""The laws of what is read out of streams: however a body is cut in chunks, it says the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import UpstreamUnavailableError
from gateway.wado.metadata import Instance, InstanceReader, with_own_uris
from gateway.wado.multipart import Part, PartEnd, Parts, beginning, ending
from gateway.wado.plain import plain_instance
from gateway.wado.sound import is_sound_attribute, uid_in

EXAMPLES = 200

_content = st.lists(
    st.sampled_from([b"\r\n", b"--", b"b", b"-", b"\r", b"\n", b"\r\n--", b"x" * 50])
).map(b"".join)
_cuts = st.lists(st.integers(0, 2_000), max_size=30)


def cut(body: bytes, at: list[int]) -> Iterator[bytes]:
    """The body in chunks that end at these places."""
    ends = [0, *sorted(n % (len(body) + 1) for n in at), len(body)]
    yield from (body[a:b] for a, b in pairwise(ends))


@given(st.lists(_content.filter(lambda c: b"\r\n--bound" not in c), max_size=4), _cuts)
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_cut_gives_the_same_parts(contents: list[bytes], at: list[int]) -> None:
    """What is written in parts is read in parts, to the last byte."""
    body = b"".join(
        beginning("bound", f"a/{n}", first=n == 0) + content for n, content in enumerate(contents)
    )
    body += ending("bound") if contents else b"--bound--"
    parts, read = Parts("bound"), []
    for chunk in cut(body, at):
        for event in parts.feed(chunk):
            if isinstance(event, Part):
                read.append([event.content_type, b""])
            elif not isinstance(event, PartEnd):
                read[-1][1] += event  # type: ignore[operator]
    parts.end()
    assert [[f"a/{n}", content] for n, content in enumerate(contents)] == read


@given(st.binary(max_size=400) | _content, _cuts)
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_bytes_are_parts_or_refused(body: bytes, at: list[int]) -> None:
    """No body makes it fail in another way."""
    parts = Parts("b")
    try:
        for chunk in cut(body, at):
            list(parts.feed(chunk))
        parts.end()
    except UpstreamUnavailableError:
        pass


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=20) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_uid = st.from_regex(r"1\.[0-9]{1,5}", fullmatch=True)
_tags = st.from_regex(r"[0-9A-F]{8}", fullmatch=True)
_attributes = st.fixed_dictionaries(
    {"vr": st.sampled_from(["LO", "PN", "SQ", "DS", "OB"])},
    optional={"Value": _json, "BulkDataURI": _json},
)
_instances = st.builds(
    lambda uid, rest: {**rest, "00080018": {"vr": "UI", "Value": [uid]}},
    _uid,
    st.dictionaries(_tags, _attributes | _json, max_size=5),
)
_indents = st.sampled_from([None, 1])
# Of any, a UID fits into the least
_windows = st.sampled_from([100, 300, 10_000])


def read(chunks: Iterator[bytes], window: int) -> list[Instance]:
    """The instances of an array in such chunks."""
    reader = InstanceReader(window)
    found: list[Instance] = []
    for chunk in chunks:
        found += reader.feed(chunk)
    return found + list(reader.end())


@given(st.lists(_instances | _json, max_size=4), _cuts, _indents, _windows, st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_cut_gives_the_same_instances(
    values: list[Any], at: list[int], indent: int | None, window: int, is_ascii: bool
) -> None:
    """Each value of the array is told as it is written, with its UID, however it comes."""
    text = json.dumps(values, indent=indent, ensure_ascii=is_ascii)
    body = text.encode("utf-8", "surrogatepass")
    found = read(cut(body, at), window)
    assert len(values) == len(found)
    whole = read(iter([body]), 10**6)
    assert [one.text for one in whole] == [one.text for one in found]
    for one in found:
        assert one.text in body.decode("utf-8", "replace")
        assert one.sop_instance_uid or not one.is_sound
    # What is too large to be looked into is not judged: it may pass for sound, never the reverse
    assert all(one.is_sound or not alone.is_sound for one, alone in zip(found, whole, strict=True))


@given(st.lists(_instances, max_size=4), _cuts)
@settings(max_examples=EXAMPLES, deadline=None)
def test_sound_instances_are_json(values: list[Any], at: list[int]) -> None:
    """What is sound can be read by any client, and means what it meant, with URIs of ours."""
    for one in read(cut(json.dumps(values).encode(), at), 10_000):
        if one.is_sound:
            given_ = json.loads(
                with_own_uris(one.text, "http://gateway.test"), parse_constant=_refuse
            )
            assert given_.keys() == json.loads(one.text).keys()
            assert one.sop_instance_uid == given_["00080018"]["Value"][0]


def _refuse(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


@given(st.text(alphabet='[]{},:" 1a\\\nNtrue', max_size=60), _cuts)
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_text_is_an_array_or_refused(text: str, at: list[int]) -> None:
    """No text makes it fail in another way, and what Python reads as an array is read."""
    body = text.encode()
    try:
        found = read(cut(body, at), 20)
    except UpstreamUnavailableError:
        found = None
    try:
        expected = json.loads(text)
    except ValueError:
        return
    if isinstance(expected, list):
        assert found is not None and len(expected) == len(found)


@given(_instances, st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_plain_instances_are_sound(value: Any, is_ascii: bool) -> None:
    """What one look tells to be an instance is one to who reads it value by value."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=is_ascii)
    end, uid = plain_instance(text, 0, len(text))
    if end:
        assert len(text) == end
        assert uid_in(value["00080018"]) == uid
        assert all(is_sound_attribute(tag, one) for tag, one in value.items())
