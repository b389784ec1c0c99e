"""`qido-gateway demo`: what it serves, and what it says of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.terminal import say

if TYPE_CHECKING:
    from gateway.demo import Demo

_SAMPLE = "gateway.sample"


def demo(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="DICOM files or folders; made-up studies and pydicom's without any."),
    ] = None,
    port: Annotated[int, typer.Option(help="The gateway's port. 0 picks one.")] = 8042,
    ohif: Annotated[
        bool | None,
        typer.Option(
            "--ohif/--no-ohif",
            help="Serve the viewer OHIF too, fetched from npm once; where there is npm by default.",
        ),
    ] = None,
    cors_origins: Annotated[
        str | None,
        typer.Option(
            help="Origins whose pages may read answers, parted by commas. By default all (*), "
            "but none where the files are your own."
        ),
    ] = None,
) -> None:
    """Serve DICOM files on the embedded emulator. No AWS account is needed."""
    from gateway.demo import Demo, bundled_files
    from gateway.ohif import cache_folder

    cache = cache_folder(os.environ)
    with Demo() as running:
        ohif_dir = _ohif(running, cache, ohif)
        bundled = bundled_files()
        served = paths or [*_sample(running, cache), *bundled]
        if cors_origins is None:
            # Any page that its user opens could else read what may be of real patients
            cors_origins = "*" if not paths or set(paths) <= set(bundled) else ""
        started = not running.is_asked and running.start(served, port, cors_origins, ohif_dir)
        if started:
            _say_all(started, ohif_dir, cors_origins)
            running.wait()


def _say_all(url: str, ohif_dir: str, cors_origins: str) -> None:
    from gateway.ohif import ohif_data_source
    from gateway.server.paths import ROOT
    from gateway.server.viewer import VIEWER

    base = url.removesuffix(ROOT)
    say(f"ready {url}")
    say(f"studies  {base}/")
    if ohif_dir:
        say(f"viewer   {base}{VIEWER}/")
    say(f"ask      curl '{url}/studies'")
    if not ohif_dir:
        say(f"OHIF data source:\n{ohif_data_source(url)}")
        if not cors_origins:
            say("OHIF's origin has to be named: --cors-origins ORIGIN")


def _ohif(running: Demo, cache: Path, wanted: bool | None) -> str:
    """The folder of the viewer's files, "" where there is none to be had."""
    from gateway.ohif import cached

    if wanted is None:
        wanted = cached(cache) is not None or shutil.which("npm") is not None
    folder = running.call("ohif-fetch") if wanted else None
    if wanted and folder is None and not running.is_asked:
        sys.stderr.write("qido-gateway: the demo goes on without OHIF\n")
    return folder or ""


def _sample(running: Demo, cache: Path) -> list[Path]:
    """The folder of the made-up studies, written where it is not there yet; none if it fails.

    A folder that is there is whole: it gets its name at its end.
    """
    folder = cache / f"sample-{_sample_version()}"
    if not folder.is_dir() and not running.is_asked:
        sys.stderr.write(f"making up studies for {folder}, once\n")
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix="sample-", dir=cache) as work:
                files = Path(work) / "files"
                if running.call("sample", str(files)) is not None:
                    files.rename(folder)
        except OSError:
            pass  # it can't be written, or another process has been faster
    return [folder] if folder.is_dir() else []


def _sample_version() -> str:
    """What tells the files of one version of the code from those of another."""
    digest = hashlib.blake2b(digest_size=8)
    spec = find_spec(_SAMPLE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(place).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
