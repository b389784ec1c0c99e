"""Negotiation, the table of statuses, places of bugs."""

from __future__ import annotations

import json

import pytest

from gateway import errors
from gateway.errors import ConfigError, GatewayError, NotAcceptableError, QueryError, UpstreamError
from gateway.server.negotiation import choose_media_type
from gateway.server.responses import STATUS_OF, error_response
from gateway.server.telemetry import place_of


def _below(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(_below(sub) for sub in kind.__subclasses__()))


def test_every_error_has_a_status() -> None:
    """Each error of the tree has a status, the bases and the one that is never an answer apart."""
    bases = {GatewayError, errors.RequestError, UpstreamError, ConfigError}
    assert _below(GatewayError) - bases == set(STATUS_OF)


def test_the_tree_is_drawn() -> None:
    """The module's docstring draws every error."""
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in _below(GatewayError))


@pytest.mark.parametrize(
    ("exc", "status", "detail"),
    [
        (QueryError("limit", "must be"), 400, "limit: must be"),
        (ValueError("DOE"), 500, None),
        (KeyError("DOE"), 500, None),
        (ConfigError(("DOE",)), 500, None),
        (UpstreamError("DOE"), 500, None),
    ],
)
def test_an_error_is_a_problem(exc: Exception, status: int, detail: str | None) -> None:
    """An error of the table is its sentence; any other is a bug, of which nothing is said."""
    response = error_response(exc)
    body = json.loads(bytes(response.body))
    assert (status, status) == (response.status_code, body["status"])
    assert "DOE" not in body["detail"]
    assert detail in (None, body["detail"])


@pytest.mark.parametrize(("request_id", "told"), [("ab-1", True), ("", False), ("<script>", False)])
def test_the_upstreams_request_id(request_id: str, told: bool) -> None:
    """A request id of the upstream's is told where it is one."""
    exc = errors.UpstreamRejectedError("no")
    exc.request_id = request_id
    assert told == (b"request id" in bytes(error_response(exc).body))


def test_config_errors_hold_every_fault() -> None:
    """A ConfigError keeps its faults apart."""
    assert ("a", "b") == ConfigError(("a", "b")).problems


def test_place_of() -> None:
    """A place is a file and a line; of a failure that was never raised there is none."""
    assert "?" == place_of(ValueError())
    try:
        choose_media_type("image/png")
    except NotAcceptableError as exc:
        assert place_of(exc).startswith("server/negotiation.py:")
    try:
        raise ValueError
    except ValueError as exc:
        assert place_of(exc).startswith("test_server.py:")
