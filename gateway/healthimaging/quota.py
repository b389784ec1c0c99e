"""Stand-in until the quota is merged."""

from __future__ import annotations


class Quota:
    """No limit."""

    def __init__(self, calls_per_s: float = 25.0, burst: int = 50, max_waiting: int = 1000) -> None:
        self.waiting = 0

    def check(self, asker: object, left_s: float) -> None:
        """Nothing."""

    async def turn(self, asker: object) -> None:
        """Nothing."""

    def charge(self, calls: int) -> None:
        """Nothing."""

    def is_busy(self, asker: object) -> bool:
        """Nobody."""
        return False
