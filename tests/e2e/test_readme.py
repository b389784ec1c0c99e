"""The README's commands do what it says that they do."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from urllib.parse import quote

import pytest

from gateway.ohif import ohif_data_source
from tests.e2e.bundled import bundled_studies
from tests.e2e.running import Running, ask

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
BASE = "http://127.0.0.1:8042/dicom-web"
EXAMPLES = re.findall(r"```\n(curl .+)\n```(?:\n\n```json\n((?:.*\n)+?)```)?", README)


def request_of(command: str) -> tuple[str, str]:
    """The URL that a curl command asks for, and the media type that it accepts."""
    match shlex.split(command):
        case ["curl", url]:
            return url, "*/*"
        case ["curl", "-H", field, url]:
            name, _, accept = field.partition(": ")
            assert "Accept" == name
            return url, accept
        case ["curl", "-G", url, "--data-urlencode", pair]:
            name, _, value = pair.partition("=")
            return f"{url}?{name}={quote(value)}", "*/*"
    raise AssertionError(command)


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_example(whole_demo: Running, command: str, shown: str) -> None:
    """Each curl command has results, or just the answer that is shown."""
    url, accept = request_of(command)
    answer = ask(url.replace(BASE, whole_demo.url), {"Accept": accept})
    if shown:
        assert json.loads(shown.replace(BASE, whole_demo.url)) == answer.json
        return
    assert 200 == answer.status
    if accept == "*/*":
        assert answer.json
    else:
        assert accept.partition(";")[0] == answer.one("content-type").partition(";")[0]
        studies = [
            one["0020000D"]["Value"][0] for one in ask(url.replace(BASE, whole_demo.url)).json
        ]
        assert studies
        assert [] == [uid for uid in studies if uid.encode() not in answer.body]


def test_there_are_examples() -> None:
    """The examples were found, some of them with their answers."""
    assert (12, 4) == (len(EXAMPLES), sum(bool(shown) for _, shown in EXAMPLES))


def test_number_of_studies(whole_demo: Running) -> None:
    """The README says how many studies the demo has, among them all of pydicom's files."""
    found = {study["0020000D"]["Value"][0] for study in ask(f"{whole_demo.url}/studies").json}
    assert set(bundled_studies()) < found
    assert f"The demo has {len(found)} studies" in README


def test_ohif_block() -> None:
    """The block for OHIF is the one that the demo prints."""
    assert f"```json\n{ohif_data_source(BASE)}\n```" in README
