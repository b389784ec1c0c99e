"""What is kept of metadata that was found sound."""

from __future__ import annotations

import pytest

from gateway.server.verdicts import Verdict, Verdicts, new_digest
from gateway.wado.upstream import Place


def place(number: int) -> Place:
    """The only place of a series."""
    return Place("1.2", f"1.2.{number}", f"{number:032x}", 1, True)


def verdict(instances: int = 1) -> Verdict:
    """Of an array of so many instances."""
    return Verdict(new_digest(b"[]").digest(), tuple(f"1.{n}" for n in range(instances)))


@pytest.mark.parametrize(
    ("body", "expected"), [(b"[]", True), (b"[ ]", False), (b"[", False), (b" []", False)]
)
def test_of_a_body(body: bytes, expected: bool) -> None:
    """A verdict is of one body, byte for byte."""
    assert expected == verdict().is_of(body)


@pytest.mark.parametrize("body", [b"", b"{}", b"[\xff]", b"\xef\xbb\xbf[]"])
def test_of_no_plain_array(body: bytes) -> None:
    """What can't be passed on as it is has none, though it be the same."""
    assert not Verdict(new_digest(body).digest(), ()).is_of(body)


def test_room() -> None:
    """What was not asked for longest makes room; a verdict takes the place of the one before."""
    kept = Verdicts(most=10)
    for number in range(3):
        kept.put(place(number), verdict(3))
        kept.put(place(number), verdict(4 if number == 2 else 3))
    assert [True] * 3 == [kept.get(place(n)) is not None for n in (1, 2, 0)]
    kept.put(place(3), verdict(3))
    assert [False, True, True, True] == [kept.get(place(n)) is not None for n in (1, 2, 0, 3)]
    kept.put(place(4), verdict(11))
    assert not any(kept.get(place(n)) for n in range(5))


def test_uids_are_not_shown() -> None:
    """A repr has no UID."""
    assert "1.0" not in repr(verdict())
