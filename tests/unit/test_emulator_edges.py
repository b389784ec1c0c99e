"""The emulator at its edges: indexes, tokens, numbers, faults, files that were kept."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from typer.testing import CliRunner

from gateway.emulator.criteria import STUDY_DATE
from gateway.emulator.errors import WireError
from gateway.emulator.faults import Faults
from gateway.emulator.imagesets import ImageSets
from gateway.emulator.importer import import_paths
from gateway.emulator.store import Store
from gateway.emulator.variants import CHOICES, Variants
from gateway.emulator.versions import Instance
from gateway.emulator_command import emulator

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
CLOCK = partial(float, 1.7e9)


def equal(key: str, value: Any) -> dict[str, Any]:
    """An EQUAL filter."""
    return {"operator": "EQUAL", "values": [{key: value}]}


def between(key: str, lower: Any, upper: Any) -> dict[str, Any]:
    """A BETWEEN filter."""
    return {"operator": "BETWEEN", "values": [{key: lower}, {key: upper}]}


def moment(date: str, time: str) -> dict[str, str]:
    """A DICOMStudyDateAndTime."""
    return {"DICOMStudyDate": date, "DICOMStudyTime": time}


# --- the work of a page ---------------------------------------------------------------------------

SIZE = 20_000
FEW_UPDATED = between("updatedAt", 2e9, 2e9 + 99)
SORTS = [
    {"sortField": field, "sortOrder": order}
    for field in ("updatedAt", "createdAt", STUDY_DATE)
    for order in ("ASC", "DESC")
]


@pytest.fixture(scope="module")
def large() -> Iterator[Store]:
    """Many image sets of one patient; 40 are not primary, 100 were updated lately."""
    store = Store(None, Variants(), DATASTORE_ID, clock=CLOCK)
    store.add_summaries(
        {
            "imageSetId": f"{n:032x}",
            "createdAt": 1e9 + n,
            "updatedAt": (2e9 if n < 100 else 1e9) + n,
            "isPrimary": n % 500 != 0,
            "DICOMTags": {
                "DICOMPatientId": "SAME",
                "DICOMStudyInstanceUID": f"1.2.{n // 4}",
                "DICOMStudyDate": f"{1990 + n % 30}0101",
            },
        }
        for n in range(SIZE)
    )
    yield store
    store.close()


def steps(store: Store, criteria: dict[str, Any]) -> int:
    """The steps of SQLite's machine that the first page costs."""
    taken: list[None] = []
    store._sql.set_progress_handler(partial(taken.append, None), 1)
    try:
        assert store.search(criteria, 50, None)["imageSetsMetadataSummaries"]
    finally:
        store._sql.set_progress_handler(None, 1)
    return len(taken)


@pytest.mark.parametrize("sort", SORTS, ids=lambda sort: " ".join(sort.values()))
@pytest.mark.parametrize(
    "filters",
    [
        pytest.param([equal("DICOMPatientId", "SAME"), FEW_UPDATED], id="few second"),
        pytest.param([FEW_UPDATED, equal("DICOMPatientId", "SAME")], id="few first"),
        pytest.param([FEW_UPDATED, equal("isPrimary", True)], id="few and primary"),
        pytest.param([equal("isPrimary", False)], id="the few that are not primary"),
        pytest.param([equal("DICOMStudyInstanceUID", "1.2.7")], id="a study"),
        pytest.param([equal("DICOMPatientId", "SAME")], id="all by one value"),
    ],
)
def test_no_page_reads_the_whole_store(
    large: Store, filters: list[dict[str, Any]], sort: dict[str, str]
) -> None:
    """Where one filter finds few, the other one's many are not read and not sorted."""
    assert steps(large, {"filters": filters, "sort": sort}) < 3 * SIZE


# --- tokens ---------------------------------------------------------------------------------------


@pytest.fixture
def two() -> Iterator[Store]:
    """Two image sets."""
    store = Store(None, Variants(), DATASTORE_ID, clock=CLOCK)
    store.add_summaries({"imageSetId": f"{n:032x}"} for n in range(2))
    yield store
    store.close()


def test_a_token_needs_encoding(two: Store) -> None:
    """Every token has the characters that a careless client garbles in a URL."""
    token = two.search(None, 1, None)["nextToken"]
    assert set("+/=") <= set(token)
    with pytest.raises(WireError):
        two.search(None, 1, token.replace("+", " "))


def test_a_garbled_token_is_refused(two: Store) -> None:
    """A token of which any one character was changed, or that was cut, is refused."""
    token = two.search(None, 1, None)["nextToken"]
    changed = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(60)]
    for wrong in (*changed, token[:-4], token[3:], "", "=", "é", "x" * 9000):
        with pytest.raises(WireError) as caught:
            two.search(None, 1, wrong)
        assert "ValidationException" == caught.value.code


@pytest.mark.parametrize("tokens", CHOICES["tokens"])
def test_a_token_serves_twice(tokens: Any) -> None:
    """The same token gives the same page again."""
    store = Store(None, Variants(tokens=tokens), DATASTORE_ID, clock=CLOCK)
    store.add_summaries({"imageSetId": f"{n:032x}"} for n in range(5))
    token = store.search(None, 2, None)["nextToken"]
    assert store.search(None, 2, token) == store.search(None, 2, token)
    store.close()


@pytest.mark.parametrize(
    ("tokens", "numbers"),
    [("snapshot", [3, 2, 1, 0]), ("keyset", [3, 2, 1, 0]), ("offset", [3, 2, 2, 1, 0])],
)
def test_what_arrives_during_a_walk(tokens: Any, numbers: list[int]) -> None:
    """A newer image set is not in a walk that has begun; by offset the last row comes again."""
    store = Store(None, Variants(tokens=tokens), DATASTORE_ID, clock=CLOCK)
    store.add_summaries({"imageSetId": f"{n:032x}", "updatedAt": 1.0 + n} for n in range(4))
    body = store.search(None, 2, None)
    store.add_summaries([{"imageSetId": f"{9:032x}", "updatedAt": 9.0}])
    found = body["imageSetsMetadataSummaries"]
    while "nextToken" in body:
        body = store.search(None, 2, body["nextToken"])
        found += body["imageSetsMetadataSummaries"]
    store.close()
    assert numbers == [int(one["imageSetId"], 16) for one in found]


# --- criteria -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "valid"),
    [
        pytest.param(between(STUDY_DATE, moment("20200101", "100000"), moment("20200101", "10")),
                     True, id="bounds that are the same time"),
        pytest.param(between(STUDY_DATE, moment("20200101", "1001"), moment("20200101", "10")),
                     False, id="times in the wrong order"),
        pytest.param(equal(STUDY_DATE, moment("20200230", "10")), False, id="no such day"),
        pytest.param(equal(STUDY_DATE, moment("20200228", "2410")), False, id="no such hour"),
        pytest.param(equal(STUDY_DATE, moment("20200228", "10.5")), False, id="half an hour"),
        pytest.param(equal(STUDY_DATE, moment("20200228", "235960")), True, id="a leap second"),
        pytest.param(equal("createdAt", 253_402_300_799), True, id="the last second of 9999"),
        pytest.param(equal("createdAt", 253_402_300_800), False, id="the year 10000"),
        pytest.param(equal("createdAt", 10**400), False, id="more than a float holds"),
        pytest.param(equal("createdAt", True), False, id="a truth as time"),
    ],
)  # fmt: skip
def test_times_of_criteria(two: Store, one: dict[str, Any], valid: bool) -> None:
    """A time in a filter is one that exists, and bounds are compared by what they mean."""
    try:
        two.search({"filters": [one]}, None, None)
    except WireError as exc:
        assert (False, "ValidationException") == (valid, exc.code)
    else:
        assert valid


# --- importing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"StudyInstanceUID": "1.2.a"}, "has a StudyInstanceUID that is no UID"),
        ({"SOPInstanceUID": "one"}, "has a SOPInstanceUID that is no UID"),
        ({"StudyDescription": "X" * 513}, "has a StudyDescription of more than 512 characters"),
        ({"PatientName": "X" * 513}, "has a PatientName of more than 512 characters"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # pydicom's own, while the wrong file is written
def test_what_the_service_could_not_tell_is_skipped(
    tmp_path: Path, attributes: dict[str, str], reason: str
) -> None:
    """A file with a value beyond the service's limits is skipped: no answer could hold it."""
    dataset = Dataset()
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, attributes.get(keyword, "1.2"))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.preamble = b"\0" * 128
    path = tmp_path / "odd.dcm"
    dataset.save_as(path, enforce_file_format=False)
    store = Store(None, Variants(), DATASTORE_ID, clock=CLOCK)
    report = import_paths(store, [path])
    store.close()
    assert ((path, reason),) == report.skipped
    assert 0 == report.image_sets


def test_a_failing_import_leaves_no_instance(two: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instances and the summary that counts them are stored together or not at all."""
    monkeypatch.setattr("gateway.emulator.store.INSERT", "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(sqlite3.Error):
        levels: dict[str, Any] = {"Patient": {}, "Study": {}, "Series": {}}
        ImageSets(two).join("a" * 32, levels, {"1.2": Instance.of({})}, is_primary=True)
    assert 0 == two._count("SELECT count(*) FROM instances", [])


# --- what is kept ---------------------------------------------------------------------------------


def test_a_data_store_keeps_its_age(tmp_path: Path) -> None:
    """A store that is opened again was made when it was made, and finds by the new switches."""
    path = tmp_path / "store.sqlite"
    first = Store(path, Variants(), DATASTORE_ID, clock=lambda: 1.0)
    first.add_summaries([{"imageSetId": "a" * 32, "DICOMTags": {"DICOMPatientId": "PAT"}}])
    first.close()
    again = Store(path, Variants(case="insensitive"), DATASTORE_ID, clock=lambda: 2.0)
    body = again.search({"filters": [equal("DICOMPatientId", "pat")]}, None, None)
    again.close()
    assert (1.0, 1.0) == (first.created_at, again.created_at)
    assert 1 == len(body["imageSetsMetadataSummaries"])


def test_a_file_of_another_version(tmp_path: Path) -> None:
    """A file with other tables is refused, not half understood."""
    path = tmp_path / "store.sqlite"
    Store(path, Variants(), DATASTORE_ID).close()
    sql = sqlite3.connect(path)
    sql.execute("PRAGMA user_version = 1")
    sql.close()
    with pytest.raises(sqlite3.DatabaseError, match="another version"):
        Store(path, Variants(), DATASTORE_ID)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data-dir", "{broken}"], "not a database"),
        (["--data-dir", "{file}"], "--data-dir"),
        (["--datastore-id", "é" * 32], "--datastore-id must be 32 of 0-9a-z"),
        (["--datastore-id", "0" * 31], "--datastore-id must be 32 of 0-9a-z"),
        (["--ties", "loose"], "--ties must be one of: grouped, shuffled"),
        (["--skipped", "loudly"], "--skipped must be name or count"),
        (["--frames", "jpeg"], "--frames must be stored or htj2k"),
        (["--s3-root", "studies"], "--s3-root must be BUCKET=FOLDER"),
        (["--s3-root", "studies="], "--s3-root must be BUCKET=FOLDER"),
        (["--s3-root", "Studies=/"], "--s3-root must be BUCKET=FOLDER"),
        (["--s3-root", "studies={missing}"], "there is no such folder"),
        (["--s3-root", "studies={file}"], "there is no such folder"),
        (["--seed", "{bad}"], "line 2: DICOMPatientSex must be a text of 16 characters at most"),
        (["--seed", "{missing}"], "no such file"),
        (["--import", "{missing}"], "no such file"),
    ],
)
def test_a_wrong_start_is_a_sentence(
    tmp_path: Path, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the command cannot start with is one ConfigError, whose text names it."""
    monkeypatch.setattr("gateway.server.telemetry.configure_logging", lambda level: None)
    monkeypatch.setattr(logging.getLogger("pydicom"), "setLevel", lambda level: None)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "emulator.sqlite").write_bytes(b"not a database at all" * 100)
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "bad").write_text('{}\n{"DICOMTags": {"DICOMPatientSex": "%s"}}\n' % ("X" * 17))
    names = {name: str(tmp_path / name) for name in ("broken", "file", "bad", "missing")}
    app = typer.Typer()
    app.command()(emulator)
    given = ["--port", "0", *(argument.format(**names) for argument in arguments)]
    result = CliRunner().invoke(app, given)
    assert words in str(result.exception)
    assert type(result.exception).__name__ == "ConfigError"


# --- faults ---------------------------------------------------------------------------------------


def test_a_bucket_fills_up_to_its_burst() -> None:
    """So many at once as the burst, then the rate; time that passes unused adds no more."""
    now = [100.0]
    faults = Faults(rate=2.0, burst=3, clock=lambda: now[0])

    def served(times: int) -> int:
        return sum(faults.next_fault() is None for _ in range(times))

    found = [served(5)]
    for passed in (0.5, 1.0, 60.0):
        now[0] += passed
        found.append(served(5))
    assert [3, 1, 2, 3] == found


def test_scheduled_faults_come_first_and_end() -> None:
    """Each scheduled fault meets so many calls, in order, and then no more."""
    faults = Faults()
    denied = WireError("AccessDeniedException", 403, "x")
    faults.schedule(denied, 2)
    faults.schedule("unavailable")
    assert [denied, denied, "unavailable", None] == [faults.next_fault() for _ in range(4)]
