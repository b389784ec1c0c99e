"""`qido-gateway emulator`: a local HealthImaging for clients that are pointed at it."""

from __future__ import annotations

import logging
import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.emulator.errors import ImportPathError, SeedError
from gateway.emulator.variants import CHOICES, Variants
from gateway.errors import ConfigError
from gateway.terminal import progress_bar, say

if TYPE_CHECKING:
    from gateway.emulator.htj2k import FramesAs
    from gateway.emulator.importer import ImportReport
    from gateway.emulator.store import Store

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
FILE_NAME = "emulator.sqlite"
_BUCKET = r"[a-z0-9][.a-z0-9-]{1,61}[a-z0-9]"


def _switch(name: str) -> typer.models.OptionInfo:
    choices = CHOICES[name]
    option: typer.models.OptionInfo = typer.Option(
        help=f"One of: {', '.join(choices)}.", show_default=True
    )
    return option


def emulator(
    *,
    host: Annotated[str, typer.Option(help="The address to bind.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to bind. 0 picks one.")
    ] = 8043,
    data_dir: Annotated[Path | None, typer.Option(help="Keep the data in this folder.")] = None,
    imports: Annotated[
        list[Path] | None, typer.Option("--import", help="DICOM files or folders. Repeatable.")
    ] = None,
    seeds: Annotated[
        list[Path] | None, typer.Option("--seed", help="NDJSON of summaries. Repeatable.")
    ] = None,
    skipped: Annotated[
        str, typer.Option(help="Files that are skipped: name each, or count them.")
    ] = "name",
    datastore_id: Annotated[str, typer.Option(help="The data store's identifier.")] = DATASTORE_ID,
    s3_roots: Annotated[
        list[str] | None,
        typer.Option("--s3-root", help="BUCKET=FOLDER, for import jobs. Repeatable."),
    ] = None,
    access_key_ids: Annotated[
        list[str] | None,
        typer.Option("--access-key-id", help="Refuse requests of other keys. Repeatable."),
    ] = None,
    frames: Annotated[
        str, typer.Option(help="How pixels are stored: as in their files (stored), or htj2k.")
    ] = "stored",
    settle_ms: Annotated[
        float, typer.Option(min=0, help="How long a change takes to be done.")
    ] = 0.0,
    latency_ms: Annotated[
        float, typer.Option(min=0, help="Added to searches and retrieves.")
    ] = 0.0,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Searches a second.")] = None,
    burst: Annotated[int, typer.Option(min=1, help="Searches at once, with --rate.")] = 50,
    retrieve_rate: Annotated[
        float | None, typer.Option(min=0.001, help="Calls a second of each retrieve of DICOMweb.")
    ] = None,
    retrieve_burst: Annotated[
        int, typer.Option(min=1, help="Retrieves at once, with --retrieve-rate.")
    ] = 100,
    bounds: Annotated[str, _switch("bounds")] = "inclusive",
    undated: Annotated[str, _switch("undated")] = "last",
    times: Annotated[str, _switch("times")] = "parsed",
    legacy_dates: Annotated[str, _switch("legacy_dates")] = "excluded",
    ties: Annotated[str, _switch("ties")] = "grouped",
    pairs: Annotated[str, _switch("pairs")] = "any",
    unfiltered: Annotated[str, _switch("unfiltered")] = "allowed",
    sort_with_filter: Annotated[str, _switch("sort_with_filter")] = "allowed",
    counts: Annotated[str, _switch("counts")] = "image-set",
    case: Annotated[str, _switch("case")] = "sensitive",
    padding: Annotated[str, _switch("padding")] = "trimmed",
    pages: Annotated[str, _switch("pages")] = "full",
    empty_list: Annotated[str, _switch("empty_list")] = "present",
    tokens: Annotated[str, _switch("tokens")] = "snapshot",
) -> None:
    """Serve a local HealthImaging over DICOM files or made-up image sets."""
    given = dict(locals())
    from gateway.emulator.account import Account
    from gateway.emulator.dicomweb import OPERATIONS
    from gateway.emulator.faults import Faults
    from gateway.emulator.wire import create_app
    from gateway.server.telemetry import configure_logging
    from gateway.serving import serve

    variants = _variants({name: given[name] for name in CHOICES})
    if skipped not in ("name", "count"):
        raise ConfigError(("--skipped must be name or count",))
    frames_as = _frames_as(frames)
    roots = _roots(s3_roots or ())
    faults = Faults(latency_ms, rate, burst)
    for name in OPERATIONS:
        faults.of(name).rate, faults.of(name).burst = retrieve_rate, retrieve_burst
    configure_logging("warning")
    with ExitStack() as closing:
        store = _open(data_dir, variants, datastore_id)
        closing.callback(store.close)
        with _storing(data_dir):
            account = Account(store, data_dir, settle_ms / 1000)
            closing.callback(account.close)
            for path in seeds or ():
                _seed(store, path)
            if imports:
                _import(store, imports, name_skipped=skipped == "name")
        app = create_app(
            store,
            faults=faults,
            account=account,
            roots=roots,
            access_keys=access_key_ids or (),
            frames_as=frames_as,
        )
        serve(app, host, port, lambda url: say(f"ready {url} datastore {datastore_id}"))


def _variants(given: dict[str, Any]) -> Variants:
    wrong = tuple(
        f"--{name.replace('_', '-')} must be one of: {', '.join(CHOICES[name])}"
        for name, value in given.items()
        if value not in CHOICES[name]
    )
    if wrong:
        raise ConfigError(wrong)
    return Variants(**given)


def _frames_as(given: str) -> FramesAs:
    from gateway.emulator.transcoding import can_encode

    if given == "stored":
        return "stored"
    if given != "htj2k":
        raise ConfigError(("--frames must be stored or htj2k",))
    if not can_encode():
        raise ConfigError(("--frames htj2k needs the extra emulator",))
    return "htj2k"


def _roots(given: Sequence[str]) -> dict[str, Path]:
    roots = {}
    for one in given:
        bucket, _, folder = one.partition("=")
        if not re.fullmatch(_BUCKET, bucket) or not folder:
            raise ConfigError(("--s3-root must be BUCKET=FOLDER",))
        if not Path(folder).is_dir():
            raise ConfigError((f"--s3-root {folder}: there is no such folder",))
        roots[bucket] = Path(folder)
    return roots


def _open(data_dir: Path | None, variants: Variants, datastore_id: str) -> Store:
    from gateway.emulator.store import Store

    if not re.fullmatch(r"[0-9a-z]{32}", datastore_id):
        raise ConfigError(("--datastore-id must be 32 of 0-9a-z",))
    with _storing(data_dir):
        if data_dir is None:
            return Store(None, variants, datastore_id)
        data_dir.mkdir(parents=True, exist_ok=True)
        return Store(data_dir / FILE_NAME, variants, datastore_id)


@contextmanager
def _storing(data_dir: Path | None) -> Iterator[None]:
    """Tells in a sentence what is wrong with the folder: no right, no database, locked, full."""
    try:
        yield
    except OSError as exc:
        reason = (exc.strerror or "cannot be used").lower()
        raise ConfigError((f"--data-dir {data_dir}: {reason}",)) from None
    except sqlite3.Error as exc:
        raise ConfigError((f"--data-dir {data_dir}: {exc}",)) from None


def _seed(store: Store, path: Path) -> None:
    from gateway.emulator.seeding import seed_file

    try:
        with progress_bar(f"seeding {path.name}") as progress:
            number = seed_file(store, path, on_progress=progress)
    except SeedError as exc:
        raise ConfigError((f"--seed {exc}",)) from None
    sys.stderr.write(f"seeded {number} image sets\n")


def _import(store: Store, paths: Sequence[Path], *, name_skipped: bool) -> None:
    from gateway.emulator.importer import import_paths

    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # what is skipped is told below
    try:
        with progress_bar("importing") as progress:
            report = import_paths(store, paths, on_progress=progress)
    except ImportPathError as exc:
        raise ConfigError((f"--import {exc}",)) from None
    _tell(report, name_skipped=name_skipped)


def _tell(report: ImportReport, *, name_skipped: bool) -> None:
    if name_skipped:
        for path, reason in report.skipped:
            sys.stderr.write(f"skipped {path}: {reason}\n")
    sys.stderr.write(
        f"imported {report.instances} instances into {report.image_sets} image sets; "
        f"skipped {len(report.skipped)} files\n"
    )
