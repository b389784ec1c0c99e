"""The sample: the store's own first pages in each sort; experiments take their values from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.probing.lab import ALL_CREATED, DATE_KEY, UNKNOWN, Finding, ImageSet, Lab

SORTS: Mapping[tuple[str, str], float] = {
    (DATE_KEY, "DESC"): 0.35,
    (DATE_KEY, "ASC"): 0.25,
    ("updatedAt", "DESC"): 0.2,
    ("createdAt", "ASC"): 0.2,
}
"""Each sort that is looked at, and its share of the sample's calls."""

EXPERIMENTS_CALLS = 80
"""Calls that are left for the experiments themselves."""


@dataclass(slots=True)
class Sample:
    """Image sets by their identifiers, and the walks that met them, by field and order.

    `bounds` is what is known of BETWEEN's, which other experiments need.
    """

    image_sets: dict[str, ImageSet] = field(default_factory=dict, repr=False)
    walks: dict[tuple[str, str], Sequence[ImageSet]] = field(default_factory=dict, repr=False)
    bounds: str = UNKNOWN

    def add(self, image_sets: Sequence[ImageSet]) -> None:
        """Take in more."""
        self.image_sets |= {one["imageSetId"]: one for one in image_sets}

    @property
    def all(self) -> Sequence[ImageSet]:
        """Every image set that was met."""
        return tuple(self.image_sets.values())


async def find_base(lab: Lab) -> Finding:
    """Whether a search may do without a filter; if not, the lab's own one is set."""
    if (await lab.ask()).valid:
        return Finding("unfiltered", "allowed", "a search without a filter is answered")
    lab.base = (ALL_CREATED,)
    if (await lab.ask(*lab.base)).valid:
        evidence = "a search without a filter is refused, one by createdAt is answered"
        return Finding("unfiltered", "rejected", evidence)
    return Finding("unfiltered", UNKNOWN, "a search by createdAt alone is refused as well")


async def take_sample(lab: Lab, sample: Sample) -> None:
    """Walk the first pages of each sort that is answered."""
    pages = max(0, lab.max_calls - EXPERIMENTS_CALLS)
    for sort, share in SORTS.items():
        walked = await lab.walk(*lab.base, sort=sort, pages=max(2, int(pages * share)))
        if walked is not None:
            sample.walks[sort] = walked[0]
            sample.add(walked[0])
