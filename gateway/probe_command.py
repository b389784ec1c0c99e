"""`qido-gateway probe`: what a data store does where AWS's documents are silent."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.errors import UpstreamError
from gateway.probing.probe import MAX_CALLS, WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config import Settings
    from gateway.probing.probe import Report

FEWEST_CALLS = 20


def probe(
    *,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    datastore_id: Annotated[str | None, typer.Option(help="The data store to ask.")] = None,
    region: Annotated[str | None, typer.Option(help="Its AWS region.")] = None,
    calls: Annotated[
        int, typer.Option(min=FEWEST_CALLS, help="The most calls of SearchImageSets.")
    ] = MAX_CALLS,
    wait_s: Annotated[
        float, typer.Option(min=0, help="How long to wait for new image sets; 0 does not wait.")
    ] = WAIT_S,
) -> None:
    """Ask a data store how it searches, and print the settings for it. Nothing is changed.

    Findings are told with patterns and numbers, never with a value of a patient's.
    """
    from gateway.config_sources import load_settings
    from gateway.healthimaging.client import configured_region
    from gateway.server.telemetry import configure_logging

    given = {"datastore_id": datastore_id, "region": region}
    settings = load_settings(config, given, configured_region())
    configure_logging("error")
    try:
        report = asyncio.run(_ask(settings, calls, wait_s))
    except UpstreamError as exc:
        sys.stderr.write(f"qido-gateway: {exc}\n")
        raise typer.Exit(1) from None
    _print(report)


async def _ask(settings: Settings, calls: int, wait_s: float) -> Report:
    from gateway.app import client_of
    from gateway.probing import probe as probing

    client = client_of(settings)
    try:
        return await probing.probe(
            client, max_calls=calls, wait_s=wait_s, pause=asyncio.sleep, clock=time.monotonic
        )
    finally:
        await client.aclose()


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.probing.probe import settings

    table = Table("finding", "position", "evidence", box=None, pad_edge=False)
    for one in report.findings.values():
        table.add_row(one.name, Text(one.position), Text(one.evidence))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # a file has no edge
    console.print(table)
    lines = (
        f"\n{report.calls} calls, {report.image_sets} image sets looked at",
        "\nSettings for a data store like this:",
        *settings(report),
        "\nAn emulator like it:",
        " ".join(_emulator(report)),
    )
    console.print(*lines, sep="\n", markup=False, soft_wrap=True)


def _emulator(report: Report) -> Iterator[str]:
    from gateway.emulator.variants import CHOICES

    yield "qido-gateway emulator"
    for name, choices in CHOICES.items():
        position = report.position(name)
        if position in choices[1:]:
            yield f"--{name.replace('_', '-')} {position}"
