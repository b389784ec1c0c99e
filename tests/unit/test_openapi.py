"""The OpenAPI document is one, and says what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate
from starlette.routing import Route

from gateway.errors import NotFoundError, QueryError
from gateway.qido.attributes import (
    ATTRIBUTES,
    BY_KEYWORD,
    Resource,
    answerable,
    returned_by_default,
)
from gateway.qido.conditions import is_matchable
from gateway.qido.query import PARAMETERS, Dialect, parse_query
from gateway.server.capabilities import METHODS, capabilities, is_matched
from gateway.server.documents import document, page
from gateway.server.negotiation import OFFERED
from gateway.server.paths import MAX_URI_LENGTH, ROOT
from gateway.server.rendering import KINDS, TARGETS
from gateway.server.responses import STATUS_OF
from gateway.server.retrieving import MEDIA_TYPES, Retrieve
from gateway.server.wado_uri import OTHER_PATH
from gateway.wado.rendered import LOOK, ONCE
from tests.http.retrieval import listed
from tests.http.upstream import ListedCalls, app_over

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    """The document."""
    found: dict[str, Any] = yaml.safe_load(document())
    return found


def _names(openapi: dict[str, Any], path: str, where: str) -> list[str]:
    references = (one["$ref"].rpartition("/")[2] for one in openapi["paths"][path]["parameters"])
    parameters = (openapi["components"]["parameters"][name] for name in references)
    return [one["name"] for one in parameters if one["in"] == where]


def test_it_is_valid(openapi: dict[str, Any]) -> None:
    """It obeys the specification that it names."""
    validate(openapi)


def test_it_has_every_route(openapi: dict[str, Any]) -> None:
    """Each route stands there with its methods, and no other."""
    app = app_over(ListedCalls([]), retrieval=listed())
    routes = [route for route in app.routes if isinstance(route, Route)]
    expected = {r.path.replace(":path", ""): {*(r.methods or ()), "OPTIONS"} for r in routes}
    described = {
        path: {name.upper() for name in item if name != "parameters"}
        for path, item in openapi["paths"].items()
    }
    assert expected == described
    assert all(set(METHODS) == methods for methods in expected.values())


@pytest.mark.parametrize("resource", Resource, ids=lambda resource: resource.value)
def test_it_has_every_parameter(openapi: dict[str, Any], resource: Resource) -> None:
    """A search has the parameters and the matching keys that the parser knows there."""
    keys = {a.keyword for a in answerable(resource) if is_matched(a, resource, Dialect())}
    names = _names(openapi, ROOT + resource.value, "query")
    assert sorted({*PARAMETERS, *keys}) == sorted(names)
    in_path = [name for name in ("study", "series") if f"{{{name}}}" in resource.value]
    assert in_path == _names(openapi, ROOT + resource.value, "path")


def test_it_describes_each_key(openapi: dict[str, Any]) -> None:
    """Each key is described by its tag and VR, and its example is a value that it may have."""
    for name, parameter in openapi["components"]["parameters"].items():
        if attribute := BY_KEYWORD.get(name):
            assert parameter["description"].startswith(f"{attribute.tag}, {attribute.vr}: ")


@pytest.mark.parametrize("resource", Resource, ids=lambda resource: resource.value)
@pytest.mark.parametrize("method", ["get", "head"])
def test_it_has_every_status(openapi: dict[str, Any], resource: Resource, method: str) -> None:
    """A search has each status that an answer or an error can have."""
    answers = openapi["paths"][ROOT + resource.value][method]["responses"]
    errors = {status for error, status in STATUS_OF.items() if error is not NotFoundError}
    expected = {200, 204, 304, 500, *errors}  # a search that finds nothing has an empty answer
    assert sorted(map(str, expected)) == sorted(answers)


def test_it_has_the_media_types_and_limits(openapi: dict[str, Any]) -> None:
    """Media types, the longest URI and the version are those of the code."""
    responses = openapi["components"]["responses"]
    assert list(OFFERED) == list(responses["Results"]["content"])
    assert f"{MAX_URI_LENGTH:,}" in responses["UriTooLong"]["description"]
    project = tomllib.loads(PROJECT.read_text("utf-8"))
    assert project["project"]["version"] == openapi["info"]["version"]
    assert ["openapi.yaml"] == project["tool"]["setuptools"]["package-data"]["gateway.server"]


def test_the_page_has_all_of_it(openapi: dict[str, Any]) -> None:
    """The page names each path, parameter and status."""
    text = page(openapi)
    for name in (
        *openapi["paths"],
        *PARAMETERS,
        *(a.keyword for a in ATTRIBUTES if is_matchable(a)),
    ):
        assert name in text


@pytest.mark.parametrize("place", ["info", "paths", "components"])
def test_the_page_is_text(openapi: dict[str, Any], place: str) -> None:
    """Whatever the document says is text on the page, never HTML."""
    marked = {**openapi, place: _marked(openapi[place])}
    text = page(marked)
    assert "&lt;b&gt;" in text and "<b>" not in text


def _marked(part: Any) -> Any:
    """`part` with a tag in every text but references."""
    if isinstance(part, dict):
        return {key: v if key == "$ref" else _marked(v) for key, v in part.items()}
    if isinstance(part, list):
        return [_marked(one) for one in part]
    return f"<b>{part}" if isinstance(part, str) else part


@pytest.mark.parametrize("resource", Retrieve, ids=lambda resource: resource.value)
def test_it_has_every_retrieve(openapi: dict[str, Any], resource: Retrieve) -> None:
    """A retrieve has the parameters of its path, and each status that it can have."""
    path = ROOT + resource.value
    assert re.findall(r"{(\w+)}", path) == _names(openapi, path, "path")
    kept = {304} if "metadata" in path else set()
    expected = {200, 500, *kept, *STATUS_OF.values()}
    assert sorted(map(str, expected)) == sorted(openapi["paths"][path]["get"]["responses"])


@pytest.mark.parametrize("path", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_it_has_every_rendered_image(openapi: dict[str, Any], kind: str, path: str) -> None:
    """A rendered image has the parameters of its path, of its look, and its statuses."""
    full = f"{ROOT}{path}/{kind}"
    assert re.findall(r"{(\w+)}", full) == _names(openapi, full, "path")
    assert {*LOOK, "accept", "charset"} == set(_names(openapi, full, "query"))
    expected = {200, 304, 500, *STATUS_OF.values()}
    assert sorted(map(str, expected)) == sorted(openapi["paths"][full]["get"]["responses"])


def test_it_has_wado_uri(openapi: dict[str, Any]) -> None:
    """WADO-URI has each parameter that is read of it."""
    found = set(_names(openapi, OTHER_PATH, "query"))
    assert ONCE - {*LOOK} | {"annotation"} == found


def test_capabilities_of_retrieves() -> None:
    """Each retrieve has its media types there, where there is something to retrieve."""
    found = capabilities(Dialect(), retrieves=True)["resources"][len(Resource) :]
    expected = [(one.value, METHODS, MEDIA_TYPES[one]) for one in Retrieve]
    expected += [(f"{one}/{kind}", METHODS, KINDS[kind]) for kind in KINDS for one in TARGETS]
    assert expected == [(one["path"], one["methods"], one["mediaTypes"]) for one in found]


FETCHED = Dialect(study_attributes=frozenset(("PatientAge", "ReferringPhysicianName")))
SAMPLES = {"DA": "20200101", "TM": "10", "AS": "030Y"}


@pytest.mark.parametrize("dialect", [Dialect(), Dialect(strict=True), FETCHED])
def test_capabilities(dialect: Dialect) -> None:
    """Of each attribute: whether a key on it is a criterion with these settings, and its return."""
    for one, resource in zip(capabilities(dialect)["resources"], Resource, strict=True):
        assert [a.keyword for a in answerable(resource, dialect.study_attributes)] == [
            a["keyword"] for a in one["attributes"]
        ]
        assert ("instances" in resource.value) == one["otherAttributes"]
        for attribute in one["attributes"]:
            assert _is_criterion(attribute, resource, dialect) == attribute["matched"]
        default = [a["keyword"] for a in one["attributes"] if a["returned"] == "always"]
        assert [a.keyword for a in returned_by_default(resource)] == default


def _is_criterion(attribute: dict[str, Any], resource: Resource, dialect: Dialect) -> bool:
    """Whether the parser takes a key on it, or on its items, for a criterion."""
    item = ".CodeValue" if attribute["vr"] == "SQ" else ""
    key = f"{attribute['keyword']}{item}={SAMPLES.get(attribute['vr'], '1')}"
    uids = {f"{n}_uid": "1" for n in ("study", "series") if f"{{{n}}}" in resource.value}
    try:
        query = parse_query(resource, key.encode(), **uids, dialect=dialect)
    except QueryError:  # strict
        return False
    return len(query.criteria) > len(uids)
