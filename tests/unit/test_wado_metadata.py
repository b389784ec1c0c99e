"""Instances read out of metadata: which are sound, and what is no array of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.errors import UpstreamUnavailableError
from gateway.wado.metadata import Instance, InstanceReader, with_own_uris
from gateway.wado.sound import is_sound_attribute, uid_in

UID = {"vr": "UI", "Value": ["1.2.3"]}


def read(body: bytes, size: int = 10**9, **bounds: int) -> list[tuple[str, str, bool]]:
    """The text, UID and soundness of each instance of an array that comes in such chunks."""
    reader = InstanceReader(**bounds)
    found: list[Instance] = []
    for start in range(0, len(body), size):
        found += reader.feed(body[start : start + size])
    found += reader.end()
    return [(one.text, one.sop_instance_uid, one.is_sound) for one in found]


SOUND: dict[str, Any] = {
    "text": {"vr": "LO", "Value": ["a", "b"]},
    "an empty value among others": {"vr": "LO", "Value": [None, "b"]},
    "no value": {"vr": "LO"},
    "a name": {"vr": "PN", "Value": [{"Alphabetic": "DOE^JANE", "Ideographic": "X"}]},
    "an empty name": {"vr": "PN", "Value": [{}]},
    "a name as text": {"vr": "PN", "Value": ["DOE^JANE"]},
    "numbers": {"vr": "DS", "Value": [1, 1.5, "2.5"]},
    "an item": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["T"]}}, {}]},
    "bytes": {"vr": "OB", "InlineBinary": "AAEC"},
    "bulk data": {"vr": "OW", "BulkDataURI": "x"},
    "text elsewhere": {"vr": "UT", "BulkDataURI": "x"},
    "an attribute tag": {"vr": "AT", "Value": ["00080018"]},
}
UNSOUND: dict[str, Any] = {
    "none": None,
    "a list": [],
    "text": "x",
    "no VR": {"Value": ["x"]},
    "a VR that is none": {"vr": "XX"},
    "a VR that is no text": {"vr": ["LO"]},
    "Value is none": {"vr": "LO", "Value": None},
    "Value is text": {"vr": "LO", "Value": "x"},
    "Value is an object": {"vr": "LO", "Value": {}},
    "a number for text": {"vr": "LO", "Value": [1]},
    "a list for text": {"vr": "LO", "Value": [["x"]]},
    "a truth for a number": {"vr": "US", "Value": [True]},
    "an object for a number": {"vr": "US", "Value": [{}]},
    "a name of numbers": {"vr": "PN", "Value": [{"Alphabetic": 1}]},
    "no item": {"vr": "SQ", "Value": [None]},
    "text for an item": {"vr": "SQ", "Value": ["x"]},
    "unsound within an item": {"vr": "SQ", "Value": [{"00080100": {"Value": ["T"]}}]},
    "values of bytes": {"vr": "OB", "Value": ["x"]},
    "bytes that are no text": {"vr": "OB", "InlineBinary": 1},
    "a URI that is no text": {"vr": "OB", "BulkDataURI": None},
}


@pytest.mark.parametrize("attribute", SOUND.values(), ids=SOUND)
def test_sound(attribute: Any) -> None:
    """These are attributes."""
    assert is_sound_attribute("00081030", attribute)
    text = json.dumps({"00080018": UID, "00081030": attribute})
    assert [(text, "1.2.3", True)] == read(f"[{text}]".encode())


@pytest.mark.parametrize("space", ["", " "], ids=["plain", "not plain"])
def test_a_long_number(space: str) -> None:
    """A number of more digits than Python makes an integer of is one, plain or not."""
    number = f'{{"vr":"UV","Value":[{space}{"1" * 5_000}]}}'
    text = f'{{"00080018":{json.dumps(UID)},"00081030":{number}}}'
    assert [(text, "1.2.3", True)] == read(f"[{text}]".encode())


@pytest.mark.parametrize("attribute", UNSOUND.values(), ids=UNSOUND)
def test_unsound(attribute: Any) -> None:
    """These are none, and the instance that has one is named, with its neighbours kept."""
    assert not is_sound_attribute("00081030", attribute)
    text = json.dumps({"00081030": attribute, "00080018": UID})
    sound = json.dumps({"00080018": UID})
    expected = [(sound, "1.2.3", True), (text, "1.2.3", False), (sound, "1.2.3", True)]
    assert expected == read(f"[{sound},{text},{sound}]".encode())


@pytest.mark.parametrize("tag", ["", "0008103", "0008103G", "StudyDescription", "000810300"])
def test_no_tag(tag: str) -> None:
    """A name that is no tag has no attribute."""
    assert not is_sound_attribute(tag, {"vr": "LO"})


@pytest.mark.parametrize(
    "attribute",
    [
        None,
        {},
        {"vr": "UI"},
        {"Value": []},
        {"Value": ["x"]},
        {"Value": [1]},
        {"Value": [None]},
        {"Value": ["1.2", "1.3"]},
        {"Value": ["1" * 513]},
        {"Value": "1.2"},
    ],
)
def test_no_uid(attribute: Any) -> None:
    """A SOPInstanceUID is one UID."""
    assert "" == uid_in(attribute)


STRANGE = {
    "null": "null",
    "a number": "12",
    "text": '"x"',
    "a list": "[[1,2],{}]",
    "an empty object": "{}",
    "NaN": '{"00080018":{"vr":"UI","Value":["1.2.3"]},"00180050":{"vr":"DS","Value":[NaN]}}',
    "a control character": '{"00080018":{"vr":"UI","Value":["1.2.3"]},"00081030":'
    '{"vr":"LO","Value":["a\nb"]}}',
    "nested too deep": '{"00080018":' + "[" * 5_000 + "]" * 5_000 + "}",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("size", [5, 10**9])
def test_no_instance(text: str, size: int) -> None:
    """What is no instance, or none that every client can read, is told by its place."""
    if "[[[" in text:
        with pytest.raises(UpstreamUnavailableError):
            read(f"[{text}]".encode(), size)
        return
    sound = json.dumps({"00080018": UID})
    found = read(f"[{sound}, {text}\n,{sound}]".encode(), size)
    assert [True, False, True] == [one[2] for one in found]
    assert text == found[1][0]


BROKEN = [
    "",
    "{",
    "[",
    "[{}",
    "[{},]",
    "[,]",
    "x",
    "[{}] x",
    "[{}}",
    '[{"a":}]',
    '[{"a"',
    '["',
    "[tru]",
]
BROKEN += ['[{"a":1 "b":2}' + " " * 64 + "]", "null", "12", "[1"]


@pytest.mark.parametrize("size", [1, 10**9])
@pytest.mark.parametrize("text", BROKEN)
def test_no_array(text: str, size: int) -> None:
    """What is no array is never taken for one."""
    with pytest.raises(UpstreamUnavailableError):
        read(text.encode(), size)


def test_empty_and_alone() -> None:
    """An array may be empty, and an instance may come without one."""
    assert [] == read(b" [ ] ")
    text = json.dumps({"00080018": UID})
    assert [(text, "1.2.3", True)] == read(b"\xef\xbb\xbf" + text.encode())


def test_broken_at_once() -> None:
    """What can't become JSON is refused before its end has come."""
    with pytest.raises(UpstreamUnavailableError):
        list(InstanceReader().feed(b'[{"00080018": oops' + b" " * 100))


def _large() -> str:
    items = [{"00080100": {"vr": "SH", "Value": [f"code {n}"]}} for n in range(50)]
    return json.dumps(
        {
            "00081111": {"vr": "SQ", "Value": items},
            "00080018": UID,
            "00089215": {"vr": "SQ", "Value": []},
        }
    )


@pytest.mark.parametrize("size", [1, 50, 10**9])
def test_larger_than_the_window(size: int) -> None:
    """An instance that does not fit is read in parts, and is the same to the last character."""
    text = _large()
    assert [(text, "1.2.3", True), ("{}", "", False)] == read(
        f"[{text},{{}}]".encode(), size, window=200
    )
    unsound = json.dumps({"00081111": ["x" * 20] * 50, "00080018": UID})
    assert [(unsound, "1.2.3", False)] == read(f"[{unsound}]".encode(), size, window=200)
    listed = json.dumps([["x" * 20] * 50, [], {}])
    assert [(listed, "", False)] == read(f"[{listed}]".encode(), size, window=200)


@pytest.mark.parametrize("text", [_large(), f'"{"x" * 5_000}"', '{"a":"' + "x" * 5_000 + '"}'])
@pytest.mark.parametrize("size", [100, 10**9])
def test_instances_are_bounded(text: str, size: int) -> None:
    """An instance without an end is not held for ever."""
    with pytest.raises(UpstreamUnavailableError):
        read(f"[{text}]".encode(), size, window=200, most=1_000)


@pytest.mark.parametrize("inner", ["{%s}", "[%s]", '{"00081111":{%s},"00080018":{"vr":"LO"}}'])
@pytest.mark.parametrize("size", [1, 10**9])
def test_wide_spaces(inner: str, size: int) -> None:
    """Spaces may be wider than the window."""
    text = inner % (" " * 500)
    assert [(text, "", False)] == read(f"[{text}]".encode(), size, window=200)


@pytest.mark.parametrize(
    "text",
    [
        '{1:"x"%s}',
        '{"00081111":{1:2%s}}',
        '{"00081111":{"a":1%s',
        '{"00081111":{"vr":"SQ"},%s1:{"vr":"SQ"}}',
    ],
)
@pytest.mark.parametrize("size", [100, 10**9])
def test_no_object(text: str, size: int) -> None:
    """A large object is one of names and values, or the array is none."""
    with pytest.raises(UpstreamUnavailableError):
        read(f"[{text % (' ' * 500)}]".encode(), size, window=200)


@pytest.mark.parametrize("size", [1, 100, 10**9])
def test_as_servers_write_it(size: int) -> None:
    """Without a space between them instances are told just so."""
    values = [{"00080018": UID, "00081030": one} for one in SOUND.values()]
    texts = [json.dumps(one, separators=(",", ":")) for one in values]
    expected = [(text, "1.2.3", True) for text in texts]
    assert expected == read(f"[{','.join(texts)}]".encode(), size)


URL = "http://gateway.test/dicom-web/studies/1/series/2/instances/3"
URIS = {
    "absolute": (
        "https://up/datastore/x/studies/1/series/2/instances/3/bulkdata/42/11",
        "bulkdata/42/11",
    ),
    "with a query": ("https://up/instances/3/bulkdata/4?imageSetId=a", "bulkdata/4"),
    "relative": ("bulkdata/7FE00010", "bulkdata/7FE00010"),
    "frames": ("https://up/instances/3/frames/1", "frames/1"),
    "all frames": ("../3/frames", "frames"),
}


@pytest.mark.parametrize(("uri", "path"), URIS.values(), ids=URIS)
@pytest.mark.parametrize("space", ["", " "])
def test_own_uris(uri: str, path: str, space: str) -> None:
    """A BulkDataURI leads to the gateway, and nothing else is changed."""
    before = '{"7FE00010":{ "vr":"OW","BulkDataURI"' + space + ":" + space
    assert f'{before}"{URL}/{path}"}}}}' == with_own_uris(f'{before}"{uri}"}}}}', URL)


@pytest.mark.parametrize(
    "text",
    [
        '{"BulkDataURI":"https://elsewhere/x"}',
        '{"00081030":{"Value":["\\"BulkDataURI\\":\\"bulkdata/1\\""]}}',
        "{}",
    ],
)
def test_other_texts_stay(text: str) -> None:
    """What is no place that the gateway knows stays as it is."""
    assert text == with_own_uris(text, URL)


def test_escaped_uris() -> None:
    """A URI is read as JSON, and written so."""
    text = '{"BulkDataURI":"https:\\/\\/up\\/bulkdata\\/a\\u0022b"}'
    assert {"BulkDataURI": f'{URL}/bulkdata/a"b'} == json.loads(with_own_uris(text, URL))
