"""What retrieving may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetrieveLimits:
    """What one process may have of the account's calls that retrieve, and how it finds places.

    `calls_per_s` and `burst` hold for each operation but GetImageFrame. A place is kept for
    `keep_s` seconds; to find one may cost `max_calls` calls and `max_s` seconds.
    """

    calls_per_s: float = 50.0
    burst: int = 100
    frames_per_s: float = 1_000.0
    frames_burst: int = 2_000
    keep_s: float = 60.0
    max_calls: int = 400
    max_s: float = 30.0
