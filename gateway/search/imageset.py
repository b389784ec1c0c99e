"""What SearchImageSets gives: image sets, a page at a time, as the gateway's own types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ImageSet:
    """The summary of one image set.

    `tags` holds DICOMTags by HealthImaging's names, as stored; an attribute without a value is
    not in it. Times are seconds since 1970, 0 where not given. `is_primary` is None where the
    upstream does not say.
    """

    image_set_id: str
    tags: Mapping[str, str | int] = field(repr=False)
    version: int = 0
    created_at: float = 0.0
    updated_at: float = 0.0
    is_primary: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its image sets, in the upstream's order, and the token of the next, "" at the end.

    `attempts` is how many calls it took, retries included; `size` the bytes of its body.
    """

    image_sets: tuple[ImageSet, ...]
    next_token: str = field(default="", repr=False)
    attempts: int = 1
    size: int = 0
