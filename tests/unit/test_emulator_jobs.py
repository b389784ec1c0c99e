"""Import jobs: which files a prefix stands for, how a job ends, and where its results are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pydicom
import pytest

from gateway.emulator.account import Account
from gateway.emulator.errors import WireError
from gateway.emulator.jobs import Jobs, Roots
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
STORE = "0123456789abcdef0123456789abcdef"
FILES = (
    "a.dcm",
    "in.dcm",
    "in/1.dcm",
    "in/deep/2.dcm",
    "in2/3.dcm",
    "inside.dcm",
    "other/in/4.dcm",
)


class AtOnce(Executor):
    """What is submitted runs at once; `held` is done later."""

    def __init__(self) -> None:
        self.holds = False
        self.held: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it, or hold it back."""
        if self.holds:
            self.held.append(lambda: fn(*args, **kwargs))
        else:
            fn(*args, **kwargs)
        return Future()


class Jobbing:
    """An account whose only bucket is a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, 1.7e9
        self.store = Store(None, Variants(), STORE, clock=lambda: self.now)
        self.account = Account(self.store, settle_s=10)
        self.executor = AtOnce()
        self.jobs = Jobs(self.account, Roots({"studies": folder}), self.executor)

    def start(self, **given: Any) -> dict[str, Any]:
        """The answer to a job's start."""
        own = {
            "datastoreId": STORE,
            "dataAccessRoleArn": "arn:aws:iam::123456789012:role/import",
            "inputS3Uri": "s3://studies/in/",
            "outputS3Uri": "s3://studies/out",
            "clientToken": "t",
        }
        return self.jobs.start({**own, **given})

    def ended(self, **given: Any) -> dict[str, Any]:
        """The properties of a job that has run."""
        datastore_id = given.get("datastoreId", STORE)
        return self.jobs.get(datastore_id, self.start(**given)["jobId"])

    def manifest(self, job: dict[str, Any]) -> dict[str, Any]:
        """The jobSummary in the folder that a job's properties name."""
        key = job["outputS3Uri"].removeprefix("s3://studies/")
        text = (self.folder / key / "job-output-manifest.json").read_bytes()
        found: dict[str, Any] = json.loads(text)["jobSummary"]
        return found


@pytest.fixture
def jobbing(tmp_path: Path) -> Iterator[Jobbing]:
    """An empty data store and an empty bucket."""
    one = Jobbing(tmp_path / "bucket")
    one.folder.mkdir()
    yield one
    one.account.close()
    one.store.close()


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """A folder with files, and a file beside it."""
    for name in (*(f"bucket/{one}" for one in FILES), "bucket2/secret", "secret"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return (tmp_path / "bucket").resolve()


# --- prefixes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("", FILES, id="no slash"),
        pytest.param("/", FILES, id="an empty prefix"),
        pytest.param("/in/", ["in/1.dcm", "in/deep/2.dcm"], id="a folder"),
        pytest.param("/in", [one for one in FILES if one.startswith("in")],
                     id="all keys that begin with it, whatever a folder is called"),
        pytest.param("/in/d", ["in/deep/2.dcm"], id="the beginning of a folder's name"),
        pytest.param("/in/1.dcm", ["in/1.dcm"], id="a file"),
        pytest.param("/in/1.dcm/", [], id="below a file"),
        pytest.param("/none/", [], id="a folder that is not there"),
        pytest.param("/none/x", [], id="below a folder that is not there"),
        pytest.param("/.", [], id="a dot is a character of a key"),
    ],
)  # fmt: skip
def test_what_is_below_a_prefix(bucket: Path, key: str, expected: list[str]) -> None:
    """Key and file of all keys that begin with the prefix, in their order."""
    found = Roots({"studies": bucket}).below(f"s3://studies{key}")
    assert [(one, bucket / one) for one in sorted(expected)] == found


def test_a_link_within_the_bucket(bucket: Path) -> None:
    """Its files have the keys that lead through it."""
    (bucket / "link").symlink_to(bucket / "in")
    assert [
        ("link/1.dcm", bucket / "link/1.dcm"),
        ("link/deep/2.dcm", bucket / "link/deep/2.dcm"),
    ] == (Roots({"studies": bucket}).below("s3://studies/link/"))


def test_a_bucket_that_is_a_link(bucket: Path) -> None:
    """The folder of a bucket may be a link to one."""
    (bucket.parent / "alias").symlink_to(bucket)
    roots = Roots({"studies": bucket.parent / "alias"})
    assert ["a.dcm"] == [key for key, _ in roots.below("s3://studies/a")]


def test_a_name_that_is_no_text(bucket: Path) -> None:
    """A file whose name is not UTF-8 has a key all the same."""
    try:
        Path(os.fsdecode(bytes(bucket) + b"/x\xff.dcm")).touch()
    except OSError:
        pytest.skip("the file system takes no such name")
    ((key, _),) = Roots({"studies": bucket}).below("s3://studies/x")
    assert "x\ufffd.dcm" == key


@pytest.mark.parametrize(
    ("uri", "rule"),
    [
        pytest.param("s3://unknown/in", "--s3-root", id="unknown bucket"),
        pytest.param("s3://studies/../secret", "lead out", id="beside the bucket"),
        pytest.param("s3://studies/..", "lead out", id="the folder above"),
        pytest.param("s3://studies/in/../a", "lead out", id="two dots, even within the bucket"),
        pytest.param("s3://studies/in/../../bucket2/", "lead out", id="down and up"),
        pytest.param("s3://studies/../bucket2", "lead out", id="a name that begins like it"),
        pytest.param("s3://studies/../bucket", "lead out", id="out and in again"),
        pytest.param("s3://studies/out/secret", "lead out", id="through a link"),
        pytest.param("s3://studies//etc/passwd", "lead out", id="from the root"),
    ],
)
def test_what_leads_out_of_the_bucket(bucket: Path, uri: str, rule: str) -> None:
    """Is refused, by whatever way it leads out."""
    (bucket / "out").symlink_to(bucket.parent)
    with pytest.raises(WireError, match=rule) as caught:
        Roots({"studies": bucket}).below(uri)
    assert "ValidationException" == caught.value.code


# --- jobs -----------------------------------------------------------------------------------------


def test_a_prefix_without_files(jobbing: Jobbing) -> None:
    """The job is COMPLETED, and has counted nothing."""
    job = jobbing.ended()
    assert ("COMPLETED", 1.7e9) == (job["jobStatus"], job["endedAt"])
    manifest = jobbing.manifest(job)
    assert {0} == {v for k, v in manifest.items() if k.startswith("numberOf")}
    assert [] == manifest["imageSetsSummary"]


@pytest.mark.parametrize("output", ["s3://studies", "s3://studies/", "s3://studies/a/b/"])
def test_where_the_results_are(jobbing: Jobbing, output: str) -> None:
    """Below outputS3Uri, in a folder of the job's own, one file for each outcome."""
    job = jobbing.ended(outputS3Uri=output, jobName="nightly")
    own = f"{STORE}-DicomImport-{job['jobId']}/"
    assert f"{output.rstrip('/')}/{own}" == job["outputS3Uri"]
    folder = jobbing.folder / job["outputS3Uri"].removeprefix("s3://studies/")
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    names = {f"{name.upper()}/{name}.ndjson" for name in ("success", "failure", "warning")}
    assert {"job-output-manifest.json", *names} == found


def test_what_was_imported_and_what_not(jobbing: Jobbing) -> None:
    """Files by their keys; one image set for two instances of a series."""
    folder = jobbing.folder / "in"
    folder.mkdir()
    given = pydicom.dcmread(BUNDLED / "CT_small.dcm")
    given.save_as(folder / "1.dcm")
    given.SOPInstanceUID = "1.2.3"
    given.save_as(folder / "2.dcm")
    (folder / "3.txt").write_text("hello")
    manifest = jobbing.manifest(jobbing.ended())
    (only,) = manifest["imageSetsSummary"]
    assert (3, 2, 1, 1, 2, 1, True) == (
        manifest["numberOfScannedFiles"],
        manifest["numberOfImportedFiles"],
        manifest["numberOfFilesWithCustomerError"],
        manifest["numberOfGeneratedImageSets"],
        only["numberOfMatchedSOPInstances"],
        only["imageSetVersion"],
        only["isPrimary"],
    )


def test_an_import_that_fails(jobbing: Jobbing, caplog: pytest.LogCaptureFixture) -> None:
    """The job is FAILED with its end and a message; the log holds no value."""
    (jobbing.folder / "in").mkdir()
    shutil.copy(BUNDLED / "CT_small.dcm", jobbing.folder / "in")
    (jobbing.folder / "out").write_text("a file where the folder of the results should be")
    job = jobbing.ended()
    assert ("FAILED", 1.7e9) == (job["jobStatus"], job["endedAt"])
    assert "The job failed" == job["message"]
    assert ["an import job failed: NotADirectoryError"] == caplog.messages


def test_a_data_store_deleted_meanwhile(jobbing: Jobbing) -> None:
    """A job that comes to run when its data store is no more is FAILED."""
    jobbing.executor.holds = True
    job_id = jobbing.start()["jobId"]
    assert "SUBMITTED" == jobbing.jobs.get(STORE, job_id)["jobStatus"]
    jobbing.account.delete(STORE)
    for run in jobbing.executor.held:
        run()
    assert "FAILED" == jobbing.jobs.get(STORE, job_id)["jobStatus"]


def test_a_job_that_was_broken_off(jobbing: Jobbing) -> None:
    """A job that was under way when the emulator ended is FAILED when it begins again."""
    done = jobbing.start()["jobId"]
    jobbing.executor.holds = True
    job_id = jobbing.start()["jobId"]
    jobbing.now += 5
    again = Jobs(jobbing.account, Roots({}), AtOnce())
    assert "COMPLETED" == again.get(STORE, done)["jobStatus"]
    job = again.get(STORE, job_id)
    assert ("FAILED", "The job failed", 1.7e9 + 5) == (
        job["jobStatus"],
        job["message"],
        job["endedAt"],
    )


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param({"datastoreId": "f" * 32}, "ResourceNotFoundException", id="no data store"),
        pytest.param({"inputS3Uri": "s3://unknown/in/"}, "ValidationException", id="input bucket"),
        pytest.param({"outputS3Uri": "s3://unknown/"}, "ValidationException", id="output bucket"),
        pytest.param({"inputS3Uri": "s3://studies/.."}, "ValidationException", id="input outside"),
        pytest.param({"outputS3Uri": "s3://studies/.."}, "ValidationException",
                     id="output outside"),
        pytest.param({"importConfiguration": {}}, "ValidationException", id="importConfiguration"),
    ],
)  # fmt: skip
def test_what_is_no_job(jobbing: Jobbing, given: dict[str, Any], code: str) -> None:
    """Is refused at once, and is in no list of jobs."""
    with pytest.raises(WireError) as caught:
        jobbing.start(**given)
    assert code == caught.value.code
    assert [] == jobbing.jobs.all(STORE)


@pytest.mark.parametrize(("after_s", "accepted"), [(9.9, False), (10, True)])
def test_a_data_store_that_is_being_made(jobbing: Jobbing, after_s: float, accepted: bool) -> None:
    """Takes jobs once it is ACTIVE."""
    made = jobbing.account.create({})["datastoreId"]
    jobbing.now += after_s
    try:
        assert "COMPLETED" == jobbing.ended(datastoreId=made)["jobStatus"]
    except WireError as exc:
        assert (False, "ConflictException") == (accepted, exc.code)
    else:
        assert accepted


def test_jobs_of_another_data_store(jobbing: Jobbing) -> None:
    """A job is found in its own data store only, the newest first in the list."""
    jobs = [jobbing.start()["jobId"] for _ in range(3)]
    assert jobs[::-1] == [one["jobId"] for one in jobbing.jobs.all(STORE)]
    other = jobbing.account.create({})["datastoreId"]
    assert [] == jobbing.jobs.all(other)
    for datastore_id, job_id in ((other, jobs[0]), (STORE, "f" * 32), ("f" * 32, jobs[0])):
        with pytest.raises(WireError) as caught:
            jobbing.jobs.get(datastore_id, job_id)
        assert "ResourceNotFoundException" == caught.value.code
