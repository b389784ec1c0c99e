"""Experiments on next tokens: what one stands for, what it may be used for, how long it lives.

What a token stands for shows only when image sets arrive while it is held. Nothing is written
here, so the probe waits for the store's own imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.probing.lab import UNKNOWN, Filter, Finding, ImageSet, Lab, Reply, between, equal

FEW = 5
"""Image sets a page here."""
POLLS = 6
_NEWEST, _OLDEST = ("createdAt", "DESC"), ("createdAt", "ASC")


@dataclass(slots=True)
class _Held:
    """Two walks by creation that stand after their first page, and when that was."""

    newest_first: Reply
    since: Filter
    to_newest: Reply
    at: float
    arrived: set[str] = field(default_factory=set)


async def tokens(lab: Lab, wait_s: float) -> list[Finding]:
    """What a token stands for, and what it may be used for, after waiting at most `wait_s`."""
    held = await _hold(lab)
    if held is None:
        why = "the store has too few image sets, or a search by creation is refused"
        return [Finding(n, UNKNOWN, why) for n in ("tokens", "token_reuse", "token_binding")]
    reuse, binding = await _reuse(lab, held), await _binding(lab, held)
    await _wait_for_arrivals(lab, held, wait_s)
    return [await _stands_for(lab, held), reuse, binding]


async def _hold(lab: Lab) -> _Held | None:
    newest_first = await lab.ask(*lab.base, sort=_NEWEST, size=FEW)
    walked = await lab.walk(*lab.base, sort=_NEWEST, size=FEW, pages=4)
    seen = walked[0] if walked else []
    if not newest_first.image_sets or not newest_first.next_token or len(seen) < 2:
        return None
    since = between("createdAt", seen[-1]["createdAt"], datetime(9999, 12, 31, tzinfo=UTC))
    to_newest = await lab.ask(since, sort=_OLDEST, size=1)
    if not to_newest.valid or not to_newest.next_token:
        return None
    return _Held(newest_first, since, to_newest, lab.clock())


async def _reuse(lab: Lab, held: _Held) -> Finding:
    """Whether a token gives its page a second time."""
    token = held.newest_first.next_token
    replies = [await lab.ask(*lab.base, sort=_NEWEST, size=FEW, token=token) for _ in range(2)]
    if not all(reply.valid for reply in replies):
        return Finding("token_reuse", "refused", "a token that is used again")
    same = _ids(replies[0].image_sets) == _ids(replies[1].image_sets)
    position = "same page" if same else "another page"
    return Finding("token_reuse", position, "a token used twice in a row")


async def _binding(lab: Lab, held: _Held) -> Finding:
    """Whether a token is refused with criteria that it was not given for."""
    token = held.newest_first.next_token
    other = await lab.ask(equal("DICOMPatientId", "-"), token=token)
    position = "any criteria" if other.valid else "its own criteria"
    return Finding("token_binding", position, "a token sent with another filter")


async def _wait_for_arrivals(lab: Lab, held: _Held, wait_s: float) -> None:
    newest_so_far = held.newest_first.image_sets[0]["createdAt"]
    for _ in range(POLLS if wait_s > 0 else 0):
        await lab.pause(wait_s / POLLS)
        newest = await lab.ask(*lab.base, sort=_NEWEST, size=FEW)
        held.arrived = {
            one["imageSetId"] for one in newest.image_sets if one["createdAt"] > newest_so_far
        }
        if held.arrived:
            return


async def _stands_for(lab: Lab, held: _Held) -> Finding:
    if not held.arrived:
        return Finding("tokens", UNKNOWN, "no image set arrived while tokens were held")
    token = held.newest_first.next_token
    older = await lab.walk(*lab.base, sort=_NEWEST, size=FEW, token=token, pages=4)
    later = await lab.walk(held.since, sort=_OLDEST, token=held.to_newest.next_token, pages=12)
    if older is None or later is None:
        return Finding("tokens", UNKNOWN, "a token is refused once image sets have arrived")
    told = f"{len(held.arrived)} arrived, {lab.clock() - held.at:.0f} s after the tokens were given"
    if set(_ids(older[0])) & set(_ids(held.newest_first.image_sets)):
        return Finding("tokens", "offset", f"{told}; the next page repeats image sets")
    if set(_ids(later[0])) & held.arrived:
        return Finding("tokens", "keyset", f"{told}; a walk towards them meets them")
    if not later[1]:
        return Finding("tokens", UNKNOWN, f"{told}; the walk towards them was too long")
    return Finding("tokens", "snapshot", f"{told}; a walk towards them ends before them")


def _ids(image_sets: Sequence[ImageSet]) -> list[str]:
    return [one["imageSetId"] for one in image_sets]
