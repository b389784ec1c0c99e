"""`qido-gateway explain`: the plan of a search, and what it costs, before it is made."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from gateway.errors import ConfigError, GatewayError, QueryError

if TYPE_CHECKING:
    from gateway.config import Settings
    from gateway.explain_tree import Happened
    from gateway.healthimaging.client import HealthImagingClient
    from gateway.qido.query import Dialect, Query
    from gateway.server.searches import RunningSearch

_NO_RESOURCE = (
    "TARGET: must be studies, series, instances, studies/STUDY_INSTANCE_UID/series, "
    "studies/STUDY_INSTANCE_UID/instances or "
    "studies/STUDY_INSTANCE_UID/series/SERIES_INSTANCE_UID/instances, "
    "and its parameters behind a question mark"
)
# What stands for the data store where none is called
_NO_DATASTORE_ID, _NO_REGION = "0" * 32, "none"


def explain(
    target: Annotated[
        str, typer.Argument(help="The search as in its URL, such as 'studies?PatientName=DOE*'.")
    ],
    *,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    datastore_id: Annotated[str | None, typer.Option(help="The data store to search.")] = None,
    region: Annotated[str | None, typer.Option(help="Its AWS region.")] = None,
    run: Annotated[
        bool, typer.Option("--run", help="Make the search too, and count its calls.")
    ] = False,
) -> None:
    """Show what a search pushes down, what it matches here, and how many calls it will cost.

    Without --run nothing is called, and neither data store nor credentials are needed.
    """
    from gateway.app import service_of
    from gateway.explain_tree import show, tree_of, tree_of_run
    from gateway.search.explain import explain as explanation_of

    settings = _settings(config, datastore_id, region, run=run)
    service, client = service_of(settings)
    search = service.start(_query(target, service.dialect))
    max_calls = search.upstream.budget.max_calls
    explained = explanation_of(search.query, search.options, search.limit, max_calls)
    show(tree_of(explained, target), sys.stdout)
    if run:
        happened, failure = asyncio.run(_run(search, client))
        show(tree_of_run(happened, explained.cost), sys.stdout)
        if failure is not None:
            sys.stdout.flush()
            sys.stderr.write(f"qido-gateway: {failure}\n")
            raise typer.Exit(1)


def _settings(
    config: Path | None, datastore_id: str | None, region: str | None, *, run: bool
) -> Settings:
    from gateway.config_sources import load_settings
    from gateway.healthimaging.client import configured_region
    from gateway.server.telemetry import configure_logging

    given = {"datastore_id": datastore_id, "region": region}
    if not run:
        given = {"datastore_id": datastore_id or _NO_DATASTORE_ID, "region": region or _NO_REGION}
    configure_logging("error")  # other libraries' lines may hold what is searched for
    # Nothing is served here, so that a host that serve would refuse is no fault
    return load_settings(config, {**given, "insecure": True}, configured_region() if run else None)


def _query(target: str, dialect: Dialect) -> Query:
    """The query of `target`, read as the server reads a URL.

    Raises: ConfigError.
    """
    from gateway.qido.query import parse_query
    from gateway.server.paths import MAX_URI_LENGTH, ROOT
    from gateway.server.routes import resource_at

    path, _, parameters = target.partition("?")
    path = "/" + unquote(path).lstrip("/")
    path = path if path.startswith(f"{ROOT}/") else ROOT + path
    query_string = parameters.encode("utf-8", "surrogateescape")
    found = resource_at(path)
    if found is None:
        raise ConfigError((_NO_RESOURCE,))
    if len(path) + len(query_string) > MAX_URI_LENGTH:
        raise ConfigError((f"TARGET: a URI may have {MAX_URI_LENGTH} bytes",))
    resource, uids = found
    try:
        return parse_query(resource, query_string, **uids, dialect=dialect)
    except QueryError as exc:
        raise ConfigError((str(exc),)) from None


async def _run(
    search: RunningSearch, client: HealthImagingClient
) -> tuple[Happened, GatewayError | None]:
    """What `search` did, and what ended it early, if anything."""
    from gateway.explain_tree import Happened

    failure: GatewayError | None = None
    began = time.monotonic()
    try:
        async with aclosing(search.results()) as results:
            async for _ in results:
                pass
    except GatewayError as exc:
        failure = exc
    finally:
        await client.aclose()
    more = (text for text in search.warnings() if text not in search.query.warnings)
    happened = Happened(
        facts=search.facts(),
        warnings=tuple(more) if failure is None else (),
        seconds=time.monotonic() - began,
        ended=failure is None,
        filled=search.tally.results == search.limit,
    )
    return happened, failure
