"""The sample archive, written by its command and searched through the gateway."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pydicom

from tests.e2e.running import ask, run, running


def test_sample_is_served(tmp_path: Path) -> None:
    """Every file is imported; 30 studies are listed, each with the modalities of its files."""
    folder = tmp_path / "archive"
    written = run("sample", str(folder))
    assert (0, "") == (written.status, written.out)
    expected = defaultdict(set)
    for file in folder.rglob("*.dcm"):
        one = pydicom.dcmread(file, specific_tags=["StudyInstanceUID", "Modality"])
        expected[one.StudyInstanceUID].add(one.Modality)
    with running(tmp_path, "demo", str(folder), "--port", "0") as demo:
        assert "; skipped 0 files" in demo.errors
        studies = ask(f"{demo.url}/studies").json
        found = {one["0020000D"]["Value"][0]: set(one["00080061"]["Value"]) for one in studies}
        assert (30, expected) == (len(studies), found)
        headers = {"Origin": "https://viewer.example.org"}
        assert [] == ask(f"{demo.url}/studies", headers).all("access-control-allow-origin")
        named = ask(f"{demo.url}/studies?PatientName=%E5%B1%B1%E7%94%B0*").json
        assert 3 == len(named)


def test_sample_again(tmp_path: Path) -> None:
    """A folder that holds something is left as it is: one sentence, exit status 2."""
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    ended = run("sample", str(tmp_path))
    expected = f"qido-gateway: {tmp_path}: the folder is not empty; nothing was written\n"
    assert (2, "", expected) == (ended.status, ended.out, ended.errors)
    assert [tmp_path / "notes.txt"] == list(tmp_path.iterdir())
