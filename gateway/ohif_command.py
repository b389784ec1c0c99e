"""`qido-gateway ohif-config` and `ohif-fetch`: OHIF's configuration, and OHIF itself."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from gateway.terminal import progress_bar, say

DEFAULT_URL = "http://127.0.0.1:8042/dicom-web"


def ohif_config(
    url: Annotated[str, typer.Option(help="The gateway's base URL.")] = DEFAULT_URL,
) -> None:
    """Print the block for OHIF's `dataSources` that makes it read from the gateway."""
    from gateway.ohif import ohif_data_source

    say(ohif_data_source(url))


def ohif_fetch() -> None:
    """Fetch OHIF from npm once, and print the folder for the setting `ohif_dir`."""
    from gateway.ohif import PACKAGE, cache_folder, cached, fetch

    cache = cache_folder(os.environ)
    if cached(cache) is None:
        signal.signal(signal.SIGTERM, _stop)  # so that a half of it does not stay
        sys.stderr.write(f"fetching {PACKAGE} from npm into {cache}, 50 MB, once\n")
    with progress_bar(PACKAGE) as on_progress:
        folder = fetch(cache, on_progress)
    say(str(folder))


def _stop(*_: object) -> None:
    raise SystemExit(1)
