"""`qido-gateway seed`: a made-up archive as a file, which the emulator can be filled with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EPIPE
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from gateway.errors import ConfigError
from gateway.terminal import progress_bar

STDOUT = Path("-")
_STEP = 1000


def seed(
    *,
    studies: Annotated[int, typer.Option(min=1, help="How many studies.")],
    out: Annotated[Path, typer.Option(help="The NDJSON file to write. - is stdout.")],
    seed: Annotated[int, typer.Option(min=0, help="Another number, another archive.")] = 1,
) -> None:
    """Write a made-up archive, one summary a line. The same options give the same bytes."""
    try:
        with progress_bar(f"writing {out.name}") as on_progress, _opened(out) as file:
            image_sets = _write(file, studies, seed, on_progress)
    except OSError as exc:
        if out == STDOUT and exc.errno == EPIPE:
            raise  # whoever read has enough: the command line ends quietly
        raise ConfigError(
            (f"--out {out}: {(exc.strerror or 'cannot be written').lower()}",)
        ) from None
    sys.stderr.write(f"wrote {studies} studies, {image_sets} image sets to {out}\n")


def _write(file: BinaryIO, studies: int, seed: int, on_progress: Callable[[int, int], None]) -> int:
    import orjson

    from gateway.emulator.archive import summaries

    image_sets = begun = 0
    study = None
    for summary in summaries(studies, seed):
        file.write(orjson.dumps(summary, option=orjson.OPT_APPEND_NEWLINE))
        image_sets += 1
        if (uid := summary["DICOMTags"]["DICOMStudyInstanceUID"]) != study:
            study = uid
            begun += 1
            if begun % _STEP == 0:
                on_progress(begun, studies)
    file.flush()
    return image_sets


@contextmanager
def _opened(out: Path) -> Iterator[BinaryIO]:
    """Stdout, a device, or a file that takes its name once it is whole."""
    if out == STDOUT:
        yield sys.stdout.buffer
        return
    if out.exists() and not out.is_file():
        with out.open("wb") as file:
            yield file
        return
    target = out.resolve()  # a link stays one
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
