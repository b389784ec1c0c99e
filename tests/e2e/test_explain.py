"""The command that explains a search, before an emulator that counts the calls."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.running import Ended, Running, ask, command, credentials, run

NOWHERE = "http://127.0.0.1:9"
TARGET = "studies?PatientName=DOE*&StudyDate=20110101-"


METADATA_TARGETS = [
    pytest.param("studies/1.2.826.9/instances", 3, 1, id="instances of a study"),
    pytest.param("instances?StudyDate=20110115&PatientName=DOE*", 3 * 30, 30, id="of a day"),
    pytest.param("instances?PatientID=NONE", 0, 0, id="no instances"),
    pytest.param("studies/1.2.826.9/series?includefield=SeriesDescription", 1, 1, id="shown"),
    pytest.param("studies/1.2.826.9/series?SeriesDescription=T1*", 0, 1, id="by description"),
    pytest.param(
        "series?StudyDate=20110115&SeriesDescription=*&includefield=SeriesTime", 30, 30,
        id="details of a day",
    ),
    pytest.param("series?StudyDate=20110115&SeriesDescription=T1", 0, 30, id="decided by a detail"),
]  # fmt: skip


def calls_of(emulator: Running, operation: str = "SearchImageSets") -> int:
    """How many calls of an operation the emulator has served."""
    number: int = ask(f"{emulator.url}/_emulator/calls").json.get(operation, 0)
    return number


def number_of(ended: Ended, label: str) -> int:
    """The number behind `label` in a tree."""
    found = re.search(rf"─ {label}: (\d+)", ended.out)
    assert found, ended.out
    return int(found[1])


# --- without a call -------------------------------------------------------------------------------


def test_no_call_is_made(emulator: Running) -> None:
    """The plan is shown, with every setting there is, and the upstream hears nothing."""
    before = calls_of(emulator)
    ended = run("explain", TARGET, env=credentials(emulator.url))
    assert (0, "") == (ended.status, ended.errors)
    assert before == calls_of(emulator)
    assert "StudyDate from 20110101, as BETWEEN DICOMStudyDateAndTime" in ended.out
    assert "PatientName DOE*: SearchImageSets has no such filter" in ended.out
    assert "calls: at least 1, at most 400" in ended.out
    assert "at least 20 if 1,000 studies are found" in ended.out
    assert "what happened" not in ended.out


def test_no_environment_is_needed() -> None:
    """It works where there is not one variable, and says the same."""
    done = subprocess.run(
        command(("explain", TARGET)), env={}, capture_output=True, text=True, encoding="utf-8",
        timeout=60, check=True,
    )  # fmt: skip
    assert run("explain", TARGET).out == done.stdout


@pytest.mark.parametrize("target", [f"/{TARGET}", f"/dicom-web/{TARGET}", f"dicom-web/{TARGET}"])
def test_target_as_in_a_url(target: str) -> None:
    """The path may be the whole of it."""
    first, *rest = run("explain", target).out.splitlines()
    assert (target, run("explain", TARGET).out.splitlines()[1:]) == (first, rest)


def test_settings_are_heeded(tmp_path: Path) -> None:
    """Options and limits come from the file and the environment; a wrong address harms nothing."""
    path = tmp_path / "gateway.toml"
    path.write_text("default_limit = 70\nimage_sets = 'fill'\nhost = '0.0.0.0'\n", "utf-8")
    env = {"QIDO_GATEWAY_SCAN_BUDGET_CALLS": "33"}
    ended = run("explain", "series", "--config", str(path), env=env)
    assert (0, "") == (ended.status, ended.errors)
    for words in ("results 1 to 70", "each study that is shown", "at most 33", "at least 2 if 70"):
        assert words in ended.out


def test_ascii_terminal() -> None:
    """What the terminal's encoding lacks is shown by its number."""
    ended = run("explain", "studies?PatientName=M%C3%9CLLER", env={"PYTHONIOENCODING": "ascii"})
    assert (0, "") == (ended.status, ended.errors)
    assert "PatientName M\\xdcLLER" in ended.out


# --- with the search ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "results"),
    [
        pytest.param(f"{TARGET}&limit=60", 60, id="a scan"),
        pytest.param("studies?limit=0", 0, id="nothing"),
        pytest.param("studies?PatientID=PAT7", 1, id="a patient"),
        pytest.param("series?SeriesInstanceUID=1.2.826.7.1,1.2.826.8.1", 2, id="two series"),
        pytest.param("studies/1.2.826.9/series", 1, id="a study"),
        pytest.param("studies?PatientName=NOBODY", 0, id="the whole store"),
    ],
)
def test_run_tells_what_happened(emulator: Running, target: str, results: int) -> None:
    """With --run the numbers are those that the emulator has counted, within what was said."""
    before = calls_of(emulator)
    ended = run("explain", target, "--run", env=credentials(emulator.url))
    made = calls_of(emulator) - before
    assert (0, "") == (ended.status, ended.errors)
    assert (made, results) == (number_of(ended, "calls"), number_of(ended, "results"))
    assert made == number_of(ended, "pages")
    assert f"calls: {made}, retries included, within the " in ended.out
    assert "JANE" not in ended.out


@pytest.mark.parametrize(("target", "results", "fetched"), METADATA_TARGETS)
def test_run_with_metadata(emulator: Running, target: str, results: int, fetched: int) -> None:
    """Metadata is fetched once for each series that is left, and counted within what was said."""
    before = [calls_of(emulator), calls_of(emulator, "GetImageSetMetadata")]
    ended = run("explain", target, "--run", env=credentials(emulator.url))
    after = [calls_of(emulator), calls_of(emulator, "GetImageSetMetadata")]
    searches, metadata = (new - old for new, old in zip(after, before, strict=True))
    assert (0, "") == (ended.status, ended.errors)
    assert (results, fetched) == (number_of(ended, "results"), metadata)
    assert searches + metadata == number_of(ended, "calls")
    assert searches == number_of(ended, "pages")
    assert f"calls: {searches + metadata}, retries included, within the " in ended.out
    assert "1 call for the metadata of each image set of each series" in ended.out


def test_detail_is_matched_here() -> None:
    """A detail of a series is told apart from what summaries have."""
    out = run("explain", "series?SeriesDescription=T1*&Modality=MR").out
    assert "SeriesDescription T1*: only metadata tells it" in out
    assert "Modality MR: SearchImageSets has no such filter" in out


def test_run_past_the_budget(emulator: Running) -> None:
    """A search that is too broad is told of in a sentence, with what it has cost till then."""
    env = {**credentials(emulator.url), "QIDO_GATEWAY_SCAN_BUDGET_CALLS": "2"}
    ended = run("explain", "studies", "--run", env=env)
    assert 1 == ended.status
    assert 2 == number_of(ended, "calls")
    assert "what happened before it failed" in ended.out
    assert [f"qido-gateway: {TOO_BROAD}"] == ended.errors.splitlines()


TOO_BROAD = (
    "The search needs more calls or time than one request may cost. "
    "Add a StudyDate range, or a key such as PatientID or AccessionNumber, or a smaller limit."
)


def test_run_without_upstream() -> None:
    """An upstream that can't be reached is a sentence and exit status 1."""
    ended = run("explain", "studies", "--run", env=credentials(NOWHERE))
    assert 1 == ended.status
    assert "calls: at least 1" in ended.out
    (sentence,) = ended.errors.splitlines()
    assert sentence.startswith("qido-gateway: HealthImaging ")


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "env", "words"),
    [
        pytest.param(("studies?limit=DOE",), {}, "limit: must be a whole number", id="a limit"),
        pytest.param(("studies?StudyDate=DOE",), {}, "StudyDate: must be YYYYMMDD", id="a date"),
        pytest.param(("studies/DOE/series",), {}, "StudyInstanceUID: must be a UID", id="a UID"),
        pytest.param(("instances?Rows=DOE",), {}, "Rows: must be", id="an instance's number"),
        pytest.param(
            ("patients?PatientID=DOE",),
            {},
            "must be studies, series, instances, studies/",
            id="resource",
        ),
        pytest.param(("",), {}, "must be studies, series, instances, studies/", id="nothing"),
        pytest.param(("studies?x=" + "DOE" * 3000,), {}, "may have 8192 bytes", id="too long"),
        pytest.param(
            ("studies?Foo=DOE",), {"QIDO_GATEWAY_STRICT_PARAMETERS": "true"}, "Foo", id="strict"
        ),
        pytest.param(
            ("studies",), {"QIDO_GATEWAY_COUNTS": "DOE"}, "COUNTS: Input should be", id="a setting"
        ),
        pytest.param(("studies", "--config", "DOE.toml"), {}, "no such file", id="no file"),
    ],
)
def test_refused(arguments: tuple[str, ...], env: dict[str, str], words: str) -> None:
    """A wrong search or setting is one sentence, without its value, and exit status 2."""
    ended = run("explain", *arguments, env=env)
    assert (2, "") == (ended.status, ended.out)
    (sentence,) = ended.errors.splitlines()
    assert sentence.startswith("qido-gateway: ")
    assert words in sentence
    assert "DOE" not in sentence


def test_run_needs_a_data_store() -> None:
    """Only the search itself needs to know where to look."""
    ended = run("explain", "studies", "--run")
    assert (2, "") == (ended.status, ended.out)
    assert "DATASTORE_ID: is required" in ended.errors
    assert "REGION: is required" in ended.errors
