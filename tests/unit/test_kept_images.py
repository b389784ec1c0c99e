"""Images are kept by place, version and look, as many as there is memory for."""

from __future__ import annotations

from gateway.imaging.rendering import Look
from gateway.server.kept import KeptImages
from gateway.wado.upstream import Place

PLACES = [Place("1.2", "1.2.3", f"{number:032x}", 1, True) for number in range(4)]
LOOK = Look()


def test_what_was_put_is_there() -> None:
    """Under its own place and look alone; an empty one is known too."""
    kept = KeptImages()
    kept.put(PLACES[0], LOOK, b"image")
    kept.put(PLACES[1], LOOK, b"")
    assert (b"image", b"", None) == tuple(kept.get(place, LOOK) for place in PLACES[:3])
    assert kept.get(PLACES[0], Look("image/png")) is None
    kept.put(PLACES[0], LOOK, b"other")
    assert b"other" == kept.get(PLACES[0], LOOK)


def test_the_one_not_asked_for_goes_first() -> None:
    """Three fit, and the fourth takes the place of the one that was read longest ago."""
    kept = KeptImages(3 * 1600)
    for place in PLACES[:3]:
        kept.put(place, LOOK, bytes(1000))
        kept.put(place, LOOK, bytes(1000))  # counted once
    assert kept.get(PLACES[0], LOOK)
    kept.put(PLACES[3], LOOK, bytes(1000))
    found = [kept.get(place, LOOK) is not None for place in PLACES]
    assert [True, False, True, True] == found


def test_one_that_is_too_large_is_not_kept() -> None:
    """Nor is anything else lost for the count of bytes."""
    kept = KeptImages(2000)
    kept.put(PLACES[0], LOOK, bytes(5000))
    kept.put(PLACES[1], LOOK, bytes(100))
    assert (None, bytes(100)) == (kept.get(PLACES[0], LOOK), kept.get(PLACES[1], LOOK))
