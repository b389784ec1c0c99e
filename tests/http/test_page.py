"""The page of studies: what it shows, what it searches for, and that a study is only text on it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import structlog
from starlette.types import Receive, Scope, Send

from gateway.errors import UpstreamThrottledError, UpstreamUnavailableError
from gateway.search.imageset import ImageSet
from gateway.server.page import MAX_QUERY_BYTES, ROWS
from gateway.server.routes import ServerOptions
from gateway.server.searches import Limits
from tests.http.driver import Answer, ask
from tests.http.upstream import ListedCalls, app_over, image_set

JANE = image_set(
    1,
    date="20200102",
    DICOMPatientBirthDate="19570304",
    DICOMPatientSex="F",
    DICOMStudyDescription="CT Thorax",
    DICOMAccessionNumber="A1",
)
JOHN = image_set(2, DICOMPatientName="ROE^JOHN^^Dr.", DICOMSeriesModality="MR")
YAMADA = image_set(3, date="20190101", DICOMPatientName="Yamada^Tarou=山田^太郎=やまだ^たろう")
STUDIES = (JANE, JOHN, YAMADA)
MANY = [image_set(n, date=f"{2023 - n // 12}{12 - n % 12:02}01") for n in range(1, 2 * ROWS + 11)]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


async def page(
    target: str = "/",
    image_sets: tuple[ImageSet, ...] | list[ImageSet] = STUDIES,
    options: ServerOptions = ServerOptions(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Answer:
    """The page over these image sets."""
    return await ask(app_over(ListedCalls(image_sets), options, limits), target)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its texts."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(answer.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep it."""
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def rows(answer: Answer) -> list[str]:
    """The text of each row of the table's body."""
    _, _, body = answer.body.decode().partition("<tbody")
    return [unescape(re.sub("<[^>]*>", "|", row)) for row in body.split("<tr")[1:]]


def names(answer: Answer) -> list[str]:
    """The names that are links."""
    text = answer.body.decode()
    return [unescape(n) for n in re.findall(r'class="patient"><a [^>]*><bdi>(.*?)</bdi>', text)]


# --- what is shown --------------------------------------------------------------------------------


async def test_newest_first() -> None:
    """The newest study comes first, with a name as people read it."""
    assert ["DOE, JANE", "ROE, JOHN Dr.", "Yamada, Tarou"] == names(await page())


async def test_a_row() -> None:
    """A row has what tells a study from another."""
    row = rows(await page())[0]
    for text in ("PAT1", "born 1957-03-04", "F", "CT Thorax", "Accession A1", "2020-01-02",
                 "10:15", "CT", "1"):  # fmt: skip
        assert f"|{text}|" in row


async def test_other_groups_of_a_name() -> None:
    """A name is shown in all of its groups."""
    row = rows(await page())[2]
    assert "|山田 太郎|" in row
    assert "|やまだ たろう|" in row


async def test_nothing_known() -> None:
    """A study of which nothing is known has its row."""
    bare = ImageSet("0" * 32, {"DICOMStudyInstanceUID": "1.2"}, 1, 0.0, 0.0, True)
    answer = await page(image_sets=[bare])
    assert ["No name"] == names(answer)
    assert "Study" in [image["alt"] for image in Elements(answer).all("img")]


UID = "1.2.1"


@pytest.mark.parametrize("prefix", ["", "/pacs"])
async def test_links(tmp_path: Path, prefix: str) -> None:
    """A row leads to the viewer, with a thumbnail of the study; without a viewer, to its JSON."""
    (tmp_path / "index.html").touch()
    viewer = Elements(await behind(prefix, ServerOptions(ohif_dir=tmp_path)))
    assert f"{prefix}/ohif/viewer?StudyInstanceUIDs={UID}" in hrefs(viewer)
    assert f"{prefix}/ohif" in hrefs(viewer)
    picture = viewer.all("img")[0]
    assert f"{prefix}/dicom-web/studies/{UID}/thumbnail?viewport=96,96" == picture["src"]
    assert ("lazy", "CT") == (picture["loading"], picture["alt"])
    without = Elements(await behind(prefix, ServerOptions()))
    json = f"{prefix}/dicom-web/studies?StudyInstanceUID={UID}&accept=application/json"
    assert json in hrefs(without)
    assert not [href for href in hrefs(without) if "ohif" in href]
    assert [f"{prefix}/"] == [form["action"] for form in without.all("form")]


def hrefs(elements: Elements) -> list[str]:
    """Where the page leads to."""
    return [str(link["href"]) for link in elements.all("a")]


async def behind(prefix: str, options: ServerOptions) -> Answer:
    """The page behind a proxy that has cut the prefix off."""
    inner = app_over(ListedCalls([JANE]), options)

    async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "root_path": prefix}, receive, send)

    return await ask(proxied, "/")


async def test_the_json_link_is_answered() -> None:
    """The link to a study's JSON is a search that finds it."""
    app = app_over(ListedCalls([JANE]))
    target = next(h for h in hrefs(Elements(await ask(app, "/"))) if "studies?" in h)
    answer = await ask(app, target)
    assert "application/json" == answer.one("content-type")
    assert UID == answer.json[0]["0020000D"]["Value"][0]


# --- text, not HTML -------------------------------------------------------------------------------

HOSTILE = """<img src=x onerror=alert(1)>"'&</td><script>x</script>"""
ATTRIBUTES = (
    *("DICOMPatientName", "DICOMPatientId", "DICOMStudyDescription", "DICOMAccessionNumber"),
    *("DICOMSeriesModality", "DICOMPatientSex", "DICOMPatientBirthDate", "DICOMStudyTime"),
    *("DICOMStudyInstanceUID", "DICOMNumberOfStudyRelatedInstances"),
)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
async def test_a_study_is_text(attribute: str) -> None:
    """Whatever a study holds makes no element and no attribute."""
    marked = ImageSet("0" * 32, {**JANE.tags, attribute: HOSTILE}, 1, 0.0, 1.0, True)
    answer = await page(image_sets=[marked])
    assert 200 == answer.status
    assert kinds(answer) <= kinds(await page(image_sets=[JANE, YAMADA]))
    assert b"<script" not in answer.body


def kinds(answer: Answer) -> set[tuple[str, frozenset[str]]]:
    """The elements of a page, each by its name and the names of its attributes."""
    return {(tag, frozenset(attributes)) for tag, attributes in Elements(answer).elements}


async def test_control_characters() -> None:
    """A character that no HTML may hold is replaced."""
    marked = image_set(1, DICOMPatientName="A\0\x1bB")
    assert ["A\ufffd\ufffdB"] == names(await page(image_sets=[marked]))


@pytest.mark.parametrize("field", ["name", "id", "from", "to", "modality", "offset"])
async def test_a_filter_is_text(field: str) -> None:
    """What is asked for stands in the form again, as text."""
    answer = await page(f"/?{field}=%22%3E%3Cscript%3E%3Cimg%20onerror=x%3E%26amp;")
    assert b"<script" not in answer.body
    assert not [a for tag, a in Elements(answer).elements if "onerror" in a]
    values = {str(one["name"]): one["value"] for one in Elements(answer).all("input")}
    assert field == "offset" or '"><script><img onerror=x>&amp;' == values[field]


async def test_no_script() -> None:
    """The page runs no script, and nothing but its style and its pictures may be loaded."""
    answer = await page()
    policy = answer.one("content-security-policy")
    assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'sha256-")
    assert "unsafe" not in policy
    elements = Elements(answer)
    assert [] == elements.all("script")
    assert not [a for _, a in elements.elements if "style" in a or any(n[:2] == "on" for n in a)]


async def test_headers() -> None:
    """The page holds patient data: nobody keeps it, and its address goes nowhere."""
    answer = await page()
    assert "private, no-store" == answer.one("cache-control")
    assert "no-referrer" == answer.one("referrer-policy")
    assert "nosniff" == answer.one("x-content-type-options")
    assert "text/html; charset=utf-8" == answer.one("content-type")
    assert [] == answer.all("etag")


async def test_accessible() -> None:
    """Every input has a label, the table a caption and headings, every picture a text."""
    answer = await page()
    text = answer.body.decode()
    assert 5 == text.count("<input") == len(re.findall("<label [^>]*>[^<]+<input", text))
    assert "<caption>Studies 1 to 3 of 3, newest first</caption>" in text
    assert 6 == len(Elements(answer).all("th"))
    assert all(image["alt"] for image in Elements(answer).all("img"))
    assert 'lang="en"' in text


# --- filters --------------------------------------------------------------------------------------

FILTERS: Mapping[str, tuple[str, list[str]]] = {
    "no filter": ("", ["DOE, JANE", "ROE, JOHN Dr.", "Yamada, Tarou"]),
    "a part of a name": ("name=oh", ["ROE, JOHN Dr."]),
    "case": ("name=jane", ["DOE, JANE"]),
    "as it is shown": ("name=DOE, J".replace(" ", "%20"), ["DOE, JANE"]),
    "another script": ("name=%E5%B1%B1", ["Yamada, Tarou"]),
    "blanks around": ("name=+jane+", ["DOE, JANE"]),
    "blank": ("name=+&id=", ["DOE, JANE", "ROE, JOHN Dr.", "Yamada, Tarou"]),
    "the last of two": ("name=x&name=jane", ["DOE, JANE"]),
    "a whole ID": ("id=PAT2", ["ROE, JOHN Dr."]),
    "a part of an ID": ("id=PAT", []),
    "an ID with a wild card": ("id=*2", ["ROE, JOHN Dr."]),
    "one day": ("from=2020-01-02&to=2020-01-02", ["DOE, JANE"]),
    "from a day on": ("from=2020-01-01", ["DOE, JANE", "ROE, JOHN Dr."]),
    "until a day": ("to=2020-01-01", ["ROE, JOHN Dr.", "Yamada, Tarou"]),
    "between two": ("from=2019-06-01&to=2020-01-01", ["ROE, JOHN Dr."]),
    "a modality": ("modality=mr", ["ROE, JOHN Dr."]),
    "modalities": ("modality=MR,+ct", ["DOE, JANE", "ROE, JOHN Dr.", "Yamada, Tarou"]),
    "only a comma": ("modality=,", ["DOE, JANE", "ROE, JOHN Dr.", "Yamada, Tarou"]),
    "several filters": ("name=e&modality=CT&from=2020-01-01", ["DOE, JANE"]),
    "what is no field": ("PatientName=x&limit=1", ["DOE, JANE", "ROE, JOHN Dr.", "Yamada, Tarou"]),
    "nobody": ("name=nobody", []),
    "a part that hides as a parameter": ("name=jane%26limit%3D0", []),
}


@pytest.mark.parametrize(("query", "expected"), FILTERS.values(), ids=FILTERS)
async def test_filters(query: str, expected: list[str]) -> None:
    """The page shows the studies that its form asks for."""
    answer = await page(f"/?{query}")
    assert (200, expected) == (answer.status, names(answer))
    assert bool(expected) == ("<table" in answer.body.decode())
    assert bool(expected) != ("No study is like that." in answer.body.decode())


async def test_no_studies() -> None:
    """A store without studies says so."""
    assert "There are no studies yet." in (await page(image_sets=[])).body.decode()


# --- pages ----------------------------------------------------------------------------------------


def turn(answer: Answer, rel: str) -> str | None:
    """Where the link to the next or the previous page leads to."""
    links = (link for link in Elements(answer).all("a") if link.get("rel") == rel)
    return next((link["href"] for link in links), None)


async def test_pages() -> None:
    """The links lead through all studies and back, each study once."""
    seen: list[str | None] = []
    target: str | None = "/?name=doe"
    captions, before = [], []
    while target:
        answer = await page(target, MANY)
        captions.append(re.findall("<caption>(.*?)</caption>", answer.body.decode())[0])
        seen += [image["src"] for image in Elements(answer).all("img")]
        before.append(turn(answer, "prev"))
        target = turn(answer, "next")
    assert len(MANY) == len(set(seen)) == len(seen)
    assert [None, "/?name=doe", f"/?name=doe&offset={ROWS}"] == before
    assert f"Studies {2 * ROWS + 1} to {len(MANY)} of {len(MANY)}, newest first" == captions[-1]


async def test_pages_of_few_results() -> None:
    """Where an operator allows few results, pages are shorter, and none is left out."""
    seen: list[str] = []
    target: str | None = "/"
    while target:
        answer = await page(target, MANY[:7], limits=Limits(default_limit=2, max_results=3))
        seen += [str(image["src"]) for image in Elements(answer).all("img")]
        target = turn(answer, "next")
    assert 7 == len(set(seen)) == len(seen)


async def test_calls_of_a_page() -> None:
    """A page costs the calls of its own studies, not of the whole store."""
    calls = ListedCalls([image_set(n, date=f"20{99 - n // 300:02}0101") for n in range(1, 1201)])
    await ask(app_over(calls), "/")
    assert calls.served < 24


# --- errors ---------------------------------------------------------------------------------------

WRONG = {
    "no day": ("from=yesterday", 400, "From: must be a day, YYYY-MM-DD."),
    "no day that there is": ("to=2020-02-30", 400, "To: must be a day, YYYY-MM-DD."),
    "another form of a day": ("to=20200230", 400, "To: must be a day, YYYY-MM-DD."),
    "backwards": ("from=2020-01-02&to=2020-01-01", 400, "To: must not be before From."),
    "no number": ("offset=x", 400, "offset: must be a whole number, 0 or more."),
    "too long a name": ("name=" + "a" * 2000, 400, "Patient name: "),
    "too long": ("name=" + "a" * MAX_QUERY_BYTES, 414, "too long"),
}


@pytest.mark.parametrize(("query", "status", "sentence"), WRONG.values(), ids=WRONG)
async def test_wrong_filters(query: str, status: int, sentence: str) -> None:
    """A filter that breaks a rule is a sentence, by what the form calls it, and a status."""
    answer = await page(f"/?{query}")
    (told,) = re.findall('<p class="problem" role="alert">(.*?)</p>', answer.body.decode())
    assert status == answer.status
    assert sentence in unescape(told)
    assert "private, no-store" == answer.one("cache-control")
    assert "content-security-policy" in dict(answer.headers)


FAULTS: Mapping[str, tuple[Exception, int, str]] = {
    "unavailable": (UpstreamUnavailableError("HealthImaging has failed."), 503, "has failed"),
    "throttled": (UpstreamThrottledError("Too many calls."), 503, "Too many calls."),
    "a bug": (RuntimeError("DOE^JANE"), 500, "The gateway failed."),
}


@pytest.mark.parametrize(("exc", "status", "sentence"), FAULTS.values(), ids=FAULTS)
async def test_failures(exc: Exception, status: int, sentence: str) -> None:
    """A failure is a sentence, with the status and the fields of a search's; never a bug's text."""

    def fail(number: int) -> None:
        raise exc

    answer = await ask(app_over(ListedCalls(STUDIES, fail)), "/?name=doe")
    assert status == answer.status
    assert sentence in answer.body.decode()
    assert b"JANE" not in answer.body
    assert (["1"] if status == 503 else []) == answer.all("retry-after")
    assert "doe" in [field["value"] for field in Elements(answer).all("input")]


async def test_too_broad() -> None:
    """A search past its budget is 413, with the way to narrow it."""
    answer = await page("/?name=nobody", MANY, limits=Limits(max_calls=1))
    assert 413 == answer.status
    assert 'role="alert"' in answer.body.decode()


async def test_notes() -> None:
    """What has been left out is said."""
    hidden = ImageSet("f" * 32, {**JANE.tags}, 1, 0.0, 0.0, False)
    answer = await page(image_sets=[JANE, hidden])
    assert "1 image sets that are not primary have been left out." in answer.body.decode()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_turned_off(method: str) -> None:
    """Where an operator wants no page, there is none."""
    app = app_over(ListedCalls(STUDIES), ServerOptions(page=False))
    answer = await ask(app, "/", method=method)
    assert (404, "application/problem+json") == (answer.status, answer.one("content-type"))


@pytest.mark.parametrize("query", ["name=SENTINEL", "id=SENTINEL", "from=SENTINEL", "SENTINEL=1"])
async def test_log(query: str) -> None:
    """The log tells what the page cost, and nothing of what was asked or found."""
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as lines:
        await ask(app_over(ListedCalls(STUDIES)), f"/?{query}")
    (line,) = lines
    assert ("request", "/") == (line["event"], line["route"])
    assert ("calls" in line) == (line["status"] == 200)
    assert not [word for word in ("SENTINEL", "DOE", "PAT1", UID) if word in str(lines)]
