"""What the paths of retrieves name, row by row."""

from __future__ import annotations

import pytest

from gateway.errors import QueryError
from gateway.wado.requests import MAX_FRAMES, Target, bulk_path, frame_numbers, target_of


def test_target() -> None:
    """A target is what its path names, without what pads a UID."""
    params = {"study": "1.2", "series": "1.2.3 ", "instance": "1.2.3.4", "frames": "1"}
    assert Target("1.2", "1.2.3", "1.2.3.4") == target_of(params)
    assert Target("1.2") == target_of({"study": "1.2"})


@pytest.mark.parametrize(
    "uid", ["", " ", "x", "1.2,1.3", "1.2\\1.3", "*", "1..2", "1.2.", "9" * 513]
)
@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_no_uid(level: str, uid: str) -> None:
    """What is no UID is refused by the name of its attribute, never by its value."""
    with pytest.raises(QueryError) as told:
        target_of({"study": "1.2", "series": "1.2.3", level: uid})
    assert told.value.parameter.endswith("InstanceUID")
    assert "9" not in str(told.value)


def test_uids_are_not_shown() -> None:
    """A repr has no UID."""
    assert "1.2" not in repr(Target("1.2", "1.2.3"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", (1,)), ("3,1,2", (3, 1, 2)), ("007", (7,)), ("999999999", (999999999,))],
)
def test_frame_numbers(text: str, expected: tuple[int, ...]) -> None:
    """Frames are numbers from 1, in the order that is asked."""
    assert expected == frame_numbers(text)


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "1,", ",1", "1,,2", "1;2", "1-3", "a", "1.0", "1, 2", "1,1", "٣", "9" * 12],
)
def test_no_frame_numbers(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(QueryError):
        frame_numbers(text)


def test_frame_lists_are_bounded() -> None:
    """As many numbers as the document says, and no more."""
    listed = [str(n) for n in range(1, MAX_FRAMES + 2)]
    assert MAX_FRAMES == len(frame_numbers(",".join(listed[:-1])))
    with pytest.raises(QueryError):
        frame_numbers(",".join(listed))


@pytest.mark.parametrize("path", ["00420011", "7FE00010", "a/b/c", "a.b", "a..b/c", ".a"])
def test_bulk_path(path: str) -> None:
    """A path of plain segments is taken as it stands."""
    assert path == bulk_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "..",
        "../x",
        "a/../b",
        "a/..",
        ".",
        "a/./b",
        "a?b",
        "a#b",
        "a\\b",
        "%41",
        "a b",
        "a\nb",
        "ä",
        "a" * 1025,
        "a/b\n",
    ],
)
def test_no_bulk_path(path: str) -> None:
    """A path that could lead elsewhere is refused."""
    with pytest.raises(QueryError):
        bulk_path(path)
