"""The documents say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gateway.config import ENV_PREFIX, Settings
from gateway.qido.attributes import (
    ATTRIBUTES,
    Attribute,
    Level,
    Origin,
    Resource,
    answerable,
    returned_by_default,
)
from gateway.qido.conditions import MAX_VALUE_LENGTH
from gateway.qido.query import Dialect, parse_query
from gateway.search.grouping import MAX_WINDOW
from gateway.search.imageset import Page
from gateway.search.pipeline import MAX_SORTED, Tally
from gateway.search.plan import MAX_TEXT_LENGTH, Plan, SearchOptions
from gateway.server.responses import STATUS_OF
from gateway.server.routes import MAX_URI_LENGTH
from gateway.server.searches import Limits, SearchService
from tests.unit.test_architecture import FLOOR_OF

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {
    str(path.relative_to(ROOT)): path
    for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
}


def table(document: str, first_column: str) -> list[dict[str, str]]:
    """The rows of the document's table whose first column has that heading."""
    lines = iter(DOCUMENTS[document].read_text("utf-8").splitlines())
    for line in lines:
        heads = _cells(line)
        if heads and heads[0] == first_column:
            next(lines)
            return list(_rows(heads, lines))
    raise AssertionError(f"no table of {first_column} in {document}")


def _rows(heads: Sequence[str], lines: Iterator[str]) -> Iterator[dict[str, str]]:
    for line in lines:
        cells = _cells(line)
        if not cells:
            return
        yield dict(zip(heads, cells, strict=True))


def _cells(line: str) -> list[str]:
    if not line.startswith("|"):
        return []
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_there_are_documents() -> None:
    """The project has its documents."""
    expected = {
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/conformance.md",
        "docs/operations.md",
    }
    assert expected <= set(DOCUMENTS)


# --- links ----------------------------------------------------------------------------------------

LINKS = [
    (name, target)
    for name, path in DOCUMENTS.items()
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8"))
    if "://" not in target
]


@pytest.mark.parametrize(("document", "target"), LINKS)
def test_link_resolves(document: str, target: str) -> None:
    """Each link within the project leads to a file that is there and a heading that it has."""
    file, _, anchor = target.partition("#")
    path = (DOCUMENTS[document].parent / file).resolve() if file else DOCUMENTS[document]
    assert path.exists()
    if anchor:
        assert anchor in anchors(path.read_text("utf-8"))


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


# --- settings -------------------------------------------------------------------------------------


def test_settings_are_documented() -> None:
    """Every setting has a row with its name in the environment and its default, and no other."""
    expected = {
        f"`{name}`": (f"`{ENV_PREFIX}{name.upper()}`", _default_in_words(name))
        for name in Settings.model_fields
    }
    rows = table("docs/operations.md", "Setting")
    assert expected == {row["Setting"]: (row["Environment"], row["Default"]) for row in rows}


def _default_in_words(name: str) -> str:
    if name in ("datastore_id", "region", "public_base_url", "cors_origins"):
        return {
            "datastore_id": "required",
            "region": "that of AWS's own configuration",
            "public_base_url": "the request's own",
            "cors_origins": "none",
        }[name]
    default = Settings.model_fields[name].default
    return f"`{str(default).lower()}`"


# --- attributes -----------------------------------------------------------------------------------

SOURCES = {
    Origin.SUMMARY: "known",
    Origin.DERIVED: "derived",
    Origin.GATEWAY: "made",
    Origin.UNKNOWN: "unknown",
}


def test_attributes_are_documented() -> None:
    """The table of attributes is the code's: source, matching, where returned, in tag order."""
    assert [_attribute_in_words(attribute) for attribute in ATTRIBUTES] == table(
        "docs/conformance.md", "Attribute"
    )


def _attribute_in_words(attribute: Attribute) -> dict[str, str]:
    row = {
        "Attribute": attribute.keyword,
        "Tag": attribute.tag,
        "VR": attribute.vr,
        "Source": SOURCES[attribute.origin],
        "Matching": _matching_in_words(attribute),
    }
    for resource in Resource:
        row[f"`{resource.value}`"] = _returned_in_words(attribute, resource)
    return row


def _matching_in_words(attribute: Attribute) -> str:
    if not attribute.matchable:
        return "-"
    if attribute.keyword == "NumberOfSeriesRelatedInstances":
        return "single value *"
    kinds = {"UI": "UID list", "DA": "range", "TM": "range", "IS": "single value"}
    return kinds.get(attribute.vr, "wild card")


def _returned_in_words(attribute: Attribute, resource: Resource) -> str:
    if attribute in returned_by_default(resource):
        return "default"
    return "asked" if attribute in answerable(resource) else "-"


# Two spellings of each condition tell which kind of matching a key has
@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.keyword)
def test_documented_matching_is_done(attribute: Attribute) -> None:
    """A key makes a condition where the table says so, else the Warning that it is ignored."""
    examples = {
        "UID list": (b"1.2,1.3", "Exact"),
        "range": (b"", "NoneType"),
        "single value": (b"07", "Exact"),
        "single value *": (b"07", "Exact"),
        "wild card": (b"A*", "Wildcard"),
        "-": (b"A*", "NoneType"),
    }
    kind = _matching_in_words(attribute)
    value, expected = examples[kind]
    if kind == "range":
        value, expected = (b"10-11" if attribute.vr == "TM" else b"20240101-20240131"), "Range"
    resource = Resource.ALL_SERIES if attribute.level is Level.SERIES else Resource.STUDIES
    query = parse_query(
        resource,
        attribute.keyword.encode() + b"=" + value,
        dialect=Dialect(instances_matchable=True),
    )
    found = [type(criterion.condition).__name__ for criterion in query.criteria] or ["NoneType"]
    assert [expected] == found
    assert (kind == "-") == bool(query.warnings)


def test_resources_are_documented() -> None:
    """The resources that the document calls supported are those that there are."""
    rows = table("docs/conformance.md", "Resource")
    supported = {row["Path"].strip("`") for row in rows if row["Supported"] == "yes"}
    assert {resource.value for resource in Resource} == supported


# --- Warnings -------------------------------------------------------------------------------------


class NoCalls:
    """An upstream that nobody asks."""

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """Is not called."""
        raise AssertionError("a Warning costs no call")


def _warnings(query_string: bytes, tally: Tally | None = None) -> list[str]:
    service = SearchService(NoCalls(), SearchOptions(), Limits(), Dialect(), clock=lambda: 0.0)
    running = service.start(parse_query(Resource.STUDIES, query_string))
    running.tally = tally or Tally(total=0)
    running._over = True
    return list(running.warnings())


def test_warnings_are_documented() -> None:
    """The texts of the document are those of the code, to the letter."""
    spoken = {
        *_warnings(b"SeriesDescription=LUNG&includefield=00091001"),
        *_warnings(b"limit=2", Tally(total=9)),
        *_warnings(b"", Tally()),
        *_warnings(b"", Tally(total=0, hidden={"a", "b"})),
    }
    plain = {
        text.replace("SeriesDescription", "NAME")
        .replace("are 7 additional", "are NUMBER additional")
        .replace("2 image sets", "NUMBER image sets")
        for text in spoken
    }
    assert {row["Text"] for row in table("docs/conformance.md", "Text")} == plain


# --- statuses, floors -----------------------------------------------------------------------------


def test_statuses_are_documented() -> None:
    """Every status of an error is explained to clients and to operators."""
    for document in ("docs/conformance.md", "docs/operations.md"):
        explained = " ".join(row["Status"] for row in table(document, "Status"))
        assert {str(s) for s in (*STATUS_OF.values(), 500)} <= set(re.findall(r"\d+", explained))


def test_floors_are_documented() -> None:
    """The rooms of the document are those that the imports are checked against."""
    rows = table("docs/architecture.md", "Floor")
    assert {row["Room"].strip("`"): int(row["Floor"]) for row in rows} == FLOOR_OF


def test_limits_are_documented() -> None:
    """The numbers of the document are the code's."""
    rows = {row["What"]: row["Limit"] for row in table("docs/conformance.md", "What")}
    numbers = [int(re.sub(r"\D", "", limit.split("(")[0])) for limit in rows.values()]
    fields = Settings.model_fields
    settings = ("default_limit", "max_results", "scan_budget_calls", "scan_budget_s")
    defaults = [fields[name].default for name in settings]
    searches = [MAX_WINDOW, MAX_SORTED]
    texts = [MAX_URI_LENGTH, MAX_VALUE_LENGTH, MAX_TEXT_LENGTH]
    assert [*defaults, *searches, *texts] == numbers
