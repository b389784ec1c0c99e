"""The commands of `qido-gateway`."""

from __future__ import annotations

import gc
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from gateway.demo_command import demo
from gateway.emulator_command import emulator
from gateway.errors import ConfigError
from gateway.explain_command import explain
from gateway.ohif_command import ohif_config, ohif_fetch
from gateway.probe_command import probe
from gateway.sample_command import sample
from gateway.seed_command import seed
from gateway.terminal import say

EXIT_CONFIG = 2

cli = typer.Typer(
    name="qido-gateway",
    help="A DICOMweb QIDO-RS gateway for AWS HealthImaging.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run a command; a wrong setting is a sentence a fault and exit status 2."""
    try:
        cli()
    except ConfigError as exc:
        for fault in exc.problems:
            sys.stderr.write(f"qido-gateway: {fault}\n")
        raise SystemExit(EXIT_CONFIG) from None


@cli.command("serve")
def serve_command(
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    datastore_id: Annotated[str | None, typer.Option(help="The data store to search.")] = None,
    region: Annotated[str | None, typer.Option(help="Its AWS region.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to bind; 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to bind; 8042. 0 picks one.")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow an address that is not loopback.")
    ] = False,
) -> None:
    """Serve QIDO-RS over a HealthImaging data store."""
    gc.disable()  # what is imported stays, and to look for cycles in it is a tenth of the start
    from gateway.app import build
    from gateway.config_sources import load_settings
    from gateway.healthimaging.client import configured_region
    from gateway.server.paths import ROOT
    from gateway.server.telemetry import configure_logging
    from gateway.serving import serve

    given = {"datastore_id": datastore_id, "region": region, "host": host, "port": port}
    settings = load_settings(config, {**given, "insecure": insecure or None}, configured_region())
    configure_logging(settings.log_level)
    app = build(settings)
    gc.enable()
    serve(app, settings.host, settings.port, lambda url: say(f"ready {url}{ROOT}"))


cli.command("demo")(demo)
cli.command("emulator")(emulator)
cli.command("seed")(seed)
cli.command("sample")(sample)
cli.command("explain")(explain)
cli.command("probe")(probe)
cli.command("ohif-config")(ohif_config)
cli.command("ohif-fetch")(ohif_fetch)


@cli.command("version")
def version_command() -> None:
    """Print the version."""
    say(version("qido-gateway"))
