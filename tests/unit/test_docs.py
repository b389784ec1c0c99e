"""The documents say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel

from docs.generate import written
from gateway.config import ENV_PREFIX, Settings
from gateway.errors import NotAcceptableError, QueryError
from gateway.healthimaging.body import Body
from gateway.healthimaging.metrics import OUTCOMES
from gateway.imaging.description import MAX_SAMPLES
from gateway.qido.attributes import (
    ATTRIBUTES,
    Attribute,
    Level,
    Resource,
)
from gateway.qido.conditions import Matching, is_matchable, matching_of
from gateway.qido.keys import MAX_ITEM_KEYS, MAX_PATH_LENGTH
from gateway.qido.keyvalues import MAX_VALUE_LENGTH
from gateway.qido.query import Dialect, parse_query
from gateway.search.grouping import MAX_WINDOW
from gateway.search.imageset import Page
from gateway.search.metadata import Fault
from gateway.search.pipeline import MAX_SORTED
from gateway.search.plan import MAX_TEXT_LENGTH, Plan
from gateway.search.tally import Tally
from gateway.server.kept import KEPT_BYTES
from gateway.server.metadata import HELD_METADATA, MALFORMED, MAX_NAMED, MORE_MALFORMED
from gateway.server.paths import MAX_URI_LENGTH
from gateway.server.pixels import MAX_SERIES_TRIED
from gateway.server.rendering import QUALITY, THUMBNAIL_AGE_S, THUMBNAIL_SIDE, warnings_of
from gateway.server.responses import STATUS_OF
from gateway.server.wado_uri import AS_STORED
from gateway.serving import MAX_FIELDS_BYTES
from gateway.wado.media import EXPLICIT_LITTLE_ENDIAN, frame_forms, instance_forms, wanted
from gateway.wado.rendered import LOOK, MAX_SIDE, ONCE, Rendering
from gateway.wado.requests import MAX_FRAMES
from gateway.wado.upstream import STORED
from tests.building import service_over
from tests.unit.test_architecture import FLOOR_OF
from tests.unit.test_metrics import used

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
        f"`{name}`": (f"`{ENV_PREFIX}{name.replace('.', '_').upper()}`", _default_in_words(name))
        for name in _settings()
    }
    rows = table("docs/operations.md", "Setting")
    assert expected == {row["Setting"]: (row["Environment"], row["Default"]) for row in rows}


IN_WORDS = {
    "datastore_id": "required",
    "region": "that of AWS's own configuration",
    "public_base_url": "the request's own",
    "cors_origins": "none",
    "ohif_dir": "none",
    "trusted_proxies": "none",
    "root_path": "none",
    "metadata.study_attributes": "none",
    "retrieve.dicomweb_endpoint": "none",
}


def _default_in_words(name: str) -> str:
    return IN_WORDS.get(name) or f"`{str(_settings()[name]).lower()}`"


def _settings() -> dict[str, object]:
    """Each setting's name, those of a table with its name and a dot, and its default."""
    found: dict[str, object] = {}
    for name, one in Settings.model_fields.items():
        if isinstance(one.default, BaseModel):
            found |= {f"{name}.{inner}": value for inner, value in one.default}
        else:
            found[name] = one.default
    return found


# --- attributes -----------------------------------------------------------------------------------


def test_generated_parts_are_the_codes() -> None:
    """What the code writes of the conformance statement stands there as it writes it."""
    text = DOCUMENTS["docs/conformance.md"].read_text("utf-8")
    assert 3 == text.count("<!-- generated: ")
    assert written(text) == text


def test_generation_writes_what_differs() -> None:
    """A generated part that somebody changed is written anew, and nothing else is."""
    text = "a\n<!-- generated: attributes -->\n| old |\n<!-- end -->\nb\n"
    head, _, tail = written(text).partition("| StudyDate | 00080020 | DA | known | ")
    assert head.startswith("a\n<!-- generated: attributes -->\n| Attribute |")
    assert tail.endswith("\n<!-- end -->\nb\n")


# An example of each kind of matching, and the condition that it makes
EXAMPLES: dict[tuple[Matching, str], tuple[str, str]] = {
    (Matching.SINGLE, ""): ("A", "Exact"),
    (Matching.SINGLE, "DA"): ("20240101", "Range"),
    (Matching.SINGLE, "TM"): ("10", "Range"),
    (Matching.SINGLE, "UI"): ("1.2", "Exact"),
    (Matching.SINGLE, "IS"): ("07", "Exact"),
    (Matching.SINGLE, "US"): ("07", "Exact"),
    (Matching.SINGLE, "DS"): ("0.50", "Exact"),
    (Matching.SINGLE, "AS"): ("030Y", "Exact"),
    (Matching.UID_LIST, "UI"): ("1.2,1.3", "Exact"),
    (Matching.WILD_CARD, ""): ("A*", "Wildcard"),
    (Matching.RANGE, "DA"): ("20240101-20240131", "Range"),
    (Matching.RANGE, "TM"): ("10-11", "Range"),
    (Matching.LIST, ""): ("CT,MR", "Exact"),
    (Matching.FUZZY, ""): ("A&fuzzymatching=true", "Fuzzy"),
    (Matching.MULTIPLE, ""): ("A\\B&multiplevaluematching=true", "AllOf"),
    (Matching.MULTIPLE, "AS"): ("030Y\\031Y&multiplevaluematching=true", "AllOf"),
    (Matching.EMPTY, ""): ('""&emptyvaluematching=true', "Empty"),
}
MATCHED = [(one, kind) for one in ATTRIBUTES for kind in matching_of(one)]
NOT_MATCHED = [(one, None) for one in ATTRIBUTES if not is_matchable(one)]


RESOURCES = {
    Level.STUDY: Resource.STUDIES,
    Level.SERIES: Resource.ALL_SERIES,
    Level.INSTANCE: Resource.ALL_INSTANCES,
}
FETCHED = Dialect(
    study_attributes=frozenset(a.keyword for a in ATTRIBUTES if a.level is Level.STUDY)
)


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [*MATCHED, *NOT_MATCHED],
    ids=lambda value: getattr(value, "keyword", None) or getattr(value, "name", "ignored"),
)
def test_documented_matching_is_done(attribute: Attribute, kind: Matching | None) -> None:
    """A key makes the condition that the table names, or draws the Warning that it is ignored."""
    keys = f"{attribute.keyword}=A"
    expected = []
    if kind is Matching.COMBINED:
        date = attribute.keyword.removesuffix("Date").removesuffix("Time")
        keys, expected = f"{date}Date=20240101-20240102&{date}Time=10-11", ["Range"]
    elif kind is Matching.SEQUENCE:
        keys, expected = f"{attribute.keyword}.CodeValue=A", ["Sequence"]
    elif kind is not None:
        value, condition = EXAMPLES.get((kind, attribute.vr)) or EXAMPLES[kind, ""]
        keys, expected = f"{attribute.keyword}={value}", [condition]
    query = parse_query(RESOURCES[attribute.level], keys.encode(), dialect=FETCHED)
    assert expected == [type(criterion.condition).__name__ for criterion in query.criteria]
    assert (kind is None) == bool(query.warnings)


# The kinds whose condition tells them from any other
TELLING = (Matching.WILD_CARD, Matching.RANGE, Matching.FUZZY, Matching.MULTIPLE)
LISTS = (Matching.UID_LIST, Matching.LIST)


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.keyword)
def test_no_other_matching_is_done(attribute: Attribute) -> None:
    """A kind of matching that the table does not name is not done."""
    kinds = matching_of(attribute)
    for (kind, _), (value, condition) in EXAMPLES.items():
        if kinds and kind in TELLING and kind not in kinds:
            assert condition != type(_condition(attribute, value)).__name__
        if kinds and kind in LISTS and not set(LISTS) & set(kinds):
            assert len(getattr(_condition(attribute, value), "values", ())) <= 1


def _condition(attribute: Attribute, value: str) -> object:
    keys = f"{attribute.keyword}={value}".encode()
    try:
        query = parse_query(RESOURCES[attribute.level], keys, dialect=FETCHED)
    except QueryError:
        return None
    return query.criteria[0].condition if query.criteria else None


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

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """Is not called."""
        raise AssertionError("a Warning costs no call")


def _warnings(
    query_string: bytes, tally: Tally | None = None, resource: Resource = Resource.STUDIES
) -> list[str]:
    service = service_over(NoCalls())
    running = service.start(parse_query(resource, query_string))
    running.tally = tally or Tally(total=0)
    running._over = True
    return list(running.warnings())


def test_warnings_are_documented() -> None:
    """The texts of the document are those of the code, to the letter."""
    spoken = {
        *_warnings(b"SeriesDescription=LUNG&includefield=Nothing"),
        *_warnings(b"00091001=A&includefield=00091002", resource=Resource.ALL_INSTANCES),
        *_warnings(b"", Tally(total=0, faults={Fault.GONE: {"a", "b"}}, partial={"a", "b"})),
        *_warnings(b"limit=2", Tally(total=9)),
        *_warnings(b"", Tally()),
        *_warnings(b"", Tally(total=0, hidden=dict.fromkeys("ab"))),
    }
    plain = {
        text.replace("SeriesDescription", "NAME")
        .replace("00091001", "NAME")
        .replace(Fault.GONE.value, "WHAT")
        .replace("are 7 additional", "are NUMBER additional")
        .replace("2 image sets", "NUMBER image sets")
        for text in spoken
    }
    rows = {row["Text"]: row["When"] for row in table("docs/conformance.md", "Text")}
    assert set(rows) == plain
    assert all(fault.value in rows["The metadata of NUMBER image sets WHAT."] for fault in Fault)


def test_retrieves_are_documented() -> None:
    """The texts and numbers of retrieves are those of the code."""
    number, rows = 7, {row["Warning"] for row in table("docs/conformance.md", "Warning")}
    assert {
        MALFORMED.format(name="NAME"),
        MORE_MALFORMED.format(number=number).replace("7", "NUMBER"),
    } == rows
    text = DOCUMENTS["docs/conformance.md"].read_text("utf-8")
    assert f"{MAX_FRAMES:,} different numbers at most" in text
    assert f"Up to {HELD_METADATA // 2**20} MiB wait" in text
    assert f"; {MAX_NAMED} are named at most" in text


ACCEPTED = {
    "*/*": (STORED, STORED),
    "multipart/related": (STORED, STORED),
    'multipart/related; type="*/*"': (STORED, STORED),
    'multipart/related; type="application/dicom"': (EXPLICIT_LITTLE_ENDIAN, None),
    'multipart/related; type="application/octet-stream"': (None, EXPLICIT_LITTLE_ENDIAN),
    'multipart/related; type="application/dicom"; transfer-syntax=*': (STORED, None),
    'multipart/related; type="application/octet-stream"; transfer-syntax=*': (None, STORED),
    'multipart/related; type="image/jls"': (None, STORED),
}


@pytest.mark.parametrize("accept", ACCEPTED)
def test_documented_forms_are_tried(accept: str) -> None:
    """What is first tried for an Accept header, of an instance and of a frame."""
    found: list[str | None] = []
    for forms in (instance_forms, frame_forms):
        try:
            found.append(forms(wanted(accept), single=True)[0].syntax)
        except NotAcceptableError:
            found.append(None)
    assert list(ACCEPTED[accept]) == found


# --- metrics --------------------------------------------------------------------------------------


def test_rendered_images_are_as_stated() -> None:
    """The texts and numbers of rendered images are those of the code."""
    rows = table("docs/conformance.md", "Warning of an image")
    said = warnings_of("BASE-URL", Rendering(ignored=("NAME",)), AS_STORED)
    expected = [one.decode().removeprefix("299 BASE-URL: ") for one in said]
    assert expected == [row["Warning of an image"] for row in rows]
    named = {"requestType", "studyUID", "seriesUID", "objectUID"}
    for column in ("Rendering parameter", "WADO-URI parameter"):
        for row in table("docs/conformance.md", column):
            named |= set(re.findall(r"`(\w+)`", row[column]))
    assert {*LOOK, *ONCE} <= named
    text = DOCUMENTS["docs/conformance.md"].read_text("utf-8")
    for stated in (
        f"fits into {THUMBNAIL_SIDE} by {THUMBNAIL_SIDE} pixels",
        f"{MAX_SERIES_TRIED} series are tried",
        f"whole numbers of 1 to {MAX_SIDE:,}",
        f"{MAX_SAMPLES:,} samples at most",
        f"shown for {THUMBNAIL_AGE_S} seconds",
        f"{KEPT_BYTES // 1024**2} MiB at most",
        f"{QUALITY['rendered']} for a rendered image and {QUALITY['thumbnail']} for a thumbnail",
    ):
        assert stated in text


def test_metrics_are_documented() -> None:
    """Every metric has a row with its type and labels, and no other; so has every outcome."""
    rows = table("docs/operations.md", "Metric")
    expected = {}
    for family in used().registry.collect():
        total = "_total" if family.type == "counter" else ""
        samples = (one for one in family.samples if not one.name.endswith("_created"))
        labels = [f"`{name}`" for name in next(samples).labels if name != "le"]
        expected[f"`{family.name}{total}`"] = (family.type, ", ".join(labels) or "none")
    assert expected == {row["Metric"]: (row["Type"], row["Labels"]) for row in rows}
    told = next(row["Meaning"] for row in rows if "outcome" in row["Labels"])
    assert all(f"`{outcome}`" in told for outcome in OUTCOMES)


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
    searches = [MAX_WINDOW, MAX_SORTED, fields["metadata"].default.max_mib]
    texts = [MAX_URI_LENGTH, MAX_FIELDS_BYTES, MAX_VALUE_LENGTH, MAX_TEXT_LENGTH]
    keys = [MAX_ITEM_KEYS, MAX_PATH_LENGTH]
    assert [*defaults, *searches, *texts, *keys] == numbers
