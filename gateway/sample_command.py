"""`qido-gateway sample`: a small made-up archive of DICOM files."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import ConfigError
from gateway.terminal import progress_bar

_MIB = 1 << 20


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="Another number, other UIDs and noise.")] = 1,
) -> None:
    """Write 30 made-up studies of 12 patients as DICOM files. The same seed, the same bytes."""
    if find_spec("numpy") is None:
        raise ConfigError(("sample needs NumPy: install qido-gateway[emulator]",))
    from gateway.sample.writing import write_archive

    try:
        _check_empty(folder)
        with progress_bar(f"writing {folder.name}") as on_progress:
            written = write_archive(folder, seed, on_progress)
    except OSError as exc:
        reason = (exc.strerror or "cannot be written").lower()
        raise ConfigError((f"{folder}: {reason}",)) from None
    sys.stderr.write(
        f"wrote {written.studies} studies of {written.patients} patients to {folder}: "
        f"{written.files} files, {written.size / _MIB:.0f} MiB\n"
    )


def _check_empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.iterdir(), None) is not None:
        raise ConfigError((f"{folder}: the folder is not empty; nothing was written",))
