"""The errors of the emulator: AWS's on the wire, and a sentence for whoever starts it."""

from __future__ import annotations


class WireError(Exception):
    """An error answer as AWS shapes it. `message` names the rule, never a value."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message


class SeedError(Exception):
    """A line of a seed file breaks a rule; nothing of the file was kept."""


class ImportPathError(Exception):
    """A path to import cannot be read, or holds nothing that can be imported."""


def invalid(message: str) -> WireError:
    """A ValidationException."""
    return WireError("ValidationException", 400, message)
