"""Import jobs: files below an S3 prefix, which is a folder here, and the results beside them.

Source: HealthImaging developer guide, "understanding import jobs" (documented: the states, the
folder of a job's results, job-output-manifest.json and the three NDJSON files).
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import orjson

from gateway.emulator.account import Account
from gateway.emulator.errors import invalid
from gateway.emulator.imagesets import ImageSets
from gateway.emulator.importer import ImportReport, import_files
from gateway.emulator.versions import not_found

SUBMITTED, IN_PROGRESS, COMPLETED, FAILED = "SUBMITTED", "IN_PROGRESS", "COMPLETED", "FAILED"
_SCHEME = "s3://"


class Roots:
    """Which folder stands for which bucket."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)

    def path(self, uri: str) -> Path:
        """The file or folder that an S3 URI stands for.

        Raises: WireError for a bucket that has no folder, or a key that leads out of it.
        """
        bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
        root = self._folders.get(bucket)
        if root is None:
            raise invalid("the bucket is not one that the emulator was given by --s3-root")
        path = (root / key).resolve()
        if ".." in key.split("/") or not path.is_relative_to(root.resolve()):
            raise invalid("the prefix must not lead out of its bucket")
        return path

    def below(self, uri: str) -> list[tuple[str, Path]]:
        """Key and file of all keys that begin with a prefix, in their order.

        Raises: WireError, as `path` does.
        """
        _, _, prefix = uri.removeprefix(_SCHEME).partition("/")
        self.path(uri)
        root = self.path(uri.removesuffix(prefix))
        folder, _, _ = prefix.rpartition("/")
        keyed = [
            (os.fsencode(path.relative_to(root)).decode(errors="replace"), path)
            for path in (root / folder).rglob("*")
            if path.is_file()
        ]
        return sorted(pair for pair in keyed if pair[0].startswith(prefix))


class Jobs:
    """The import jobs of an account. `executor` runs them; those broken off earlier have failed."""

    def __init__(self, account: Account, roots: Roots, executor: Executor) -> None:
        self._account, self._roots, self._executor = account, roots, executor
        for one in account.all_properties():
            for properties in self.all(one["datastoreId"]):
                if properties.pop("jobStatus") in (SUBMITTED, IN_PROGRESS):
                    self._end(properties, FAILED)

    def start(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a job; StartDICOMImportJob's answer.

        Raises: WireError.
        """
        if "importConfiguration" in given:
            raise invalid("importConfiguration is not known to the emulator")
        datastore_id = given["datastoreId"]
        self._account.store(datastore_id)
        self._roots.path(given["inputS3Uri"])
        self._roots.path(given["outputS3Uri"])
        job_id = uuid.uuid4().hex
        output = given["outputS3Uri"].rstrip("/")
        properties = {
            "jobId": job_id,
            "jobName": given.get("jobName", job_id),
            "datastoreId": datastore_id,
            "dataAccessRoleArn": given["dataAccessRoleArn"],
            "inputS3Uri": given["inputS3Uri"],
            "outputS3Uri": f"{output}/{datastore_id}-DicomImport-{job_id}/",
            "submittedAt": self._account.now(),
        }
        with self._account.using() as sql:
            sql.execute(
                "INSERT INTO jobs (job_id, datastore_id, status, properties) VALUES (?, ?, ?, ?)",
                (job_id, datastore_id, SUBMITTED, orjson.dumps(properties)),
            )
        self._executor.submit(self._run, properties)
        return {
            "datastoreId": datastore_id,
            "jobId": job_id,
            "jobStatus": SUBMITTED,
            "submittedAt": properties["submittedAt"],
        }

    def get(self, datastore_id: str, job_id: str) -> dict[str, Any]:
        """The properties of a job.

        Raises: WireError.
        """
        self._account.properties(datastore_id)
        for properties in self._rows("AND job_id = ?", datastore_id, job_id):
            return properties
        raise not_found("there is no such import job")

    def all(self, datastore_id: str) -> list[dict[str, Any]]:
        """The properties of a data store's jobs, the newest first.

        Raises: WireError.
        """
        self._account.properties(datastore_id)
        return self._rows("ORDER BY number DESC", datastore_id)

    def _rows(self, clause: str, *values: str) -> list[dict[str, Any]]:
        sql = f"SELECT status, properties FROM jobs WHERE datastore_id = ? {clause}"
        with self._account.using() as connection:
            rows = connection.execute(sql, values).fetchall()
        return [{**orjson.loads(properties), "jobStatus": status} for status, properties in rows]

    def _run(self, properties: dict[str, Any]) -> None:
        self._save(properties, IN_PROGRESS)
        try:
            store = self._account.store(properties["datastoreId"])
            found = self._roots.below(properties["inputS3Uri"])
            keys = {path: key for key, path in found}
            report = import_files(ImageSets(store), list(keys))
            self._write(properties, report, keys)
            status = COMPLETED
        except Exception as exc:  # a job has no caller that could be told otherwise
            logging.getLogger(__name__).warning("an import job failed: %s", type(exc).__name__)
            status = FAILED
        self._end(properties, status)

    def _end(self, properties: Mapping[str, Any], status: str) -> None:
        failed = {"message": "The job failed"} if status == FAILED else {}
        self._save({**properties, **failed, "endedAt": self._account.now()}, status)

    def _save(self, properties: Mapping[str, Any], status: str) -> None:
        with self._account.using() as sql:
            sql.execute(
                "UPDATE jobs SET status = ?, properties = ? WHERE job_id = ?",
                (status, orjson.dumps(properties), properties["jobId"]),
            )

    def _write(
        self, properties: Mapping[str, Any], report: ImportReport, keys: Mapping[Path, str]
    ) -> None:
        """Write a job's results as HealthImaging does."""
        output = properties["outputS3Uri"]
        folder = self._roots.path(output)
        success = (
            {
                "inputFile": keys[one.path],
                "importResponse": {"imageSetId": one.image_set_id, "isPrimary": one.is_primary},
            }
            for one in report.stored
        )
        failure = (
            {
                "inputFile": keys[path],
                "exception": {"exceptionType": "ValidationException", "message": f"File {reason}"},
            }
            for path, reason in report.skipped
        )
        for name, lines in (("success", success), ("failure", failure), ("warning", ())):
            file = folder / name.upper() / f"{name}.ndjson"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        manifest = {"jobSummary": _summary(properties, report)}
        (folder / "job-output-manifest.json").write_bytes(
            orjson.dumps(manifest, option=orjson.OPT_INDENT_2)
        )


def _summary(properties: Mapping[str, Any], report: ImportReport) -> dict[str, Any]:
    output = properties["outputS3Uri"]
    return {
        "jobId": properties["jobId"],
        "datastoreId": properties["datastoreId"],
        "inputS3Uri": properties["inputS3Uri"],
        "outputS3Uri": output,
        "successOutputS3Uri": f"{output}SUCCESS/",
        "failureOutputS3Uri": f"{output}FAILURE/",
        "warningsOutputS3Uri": f"{output}WARNING/",
        "numberOfScannedFiles": len(report.stored) + len(report.skipped),
        "numberOfImportedFiles": len(report.stored),
        "numberOfFilesWithCustomerError": len(report.skipped),
        "numberOfFilesWithServerError": 0,
        "numberOfGeneratedImageSets": report.image_sets,
        "imageSetsSummary": list(_image_sets(report)),
    }


def _image_sets(report: ImportReport) -> Iterable[dict[str, Any]]:
    by_id = {one.image_set_id: one for one in report.stored}
    for image_set_id, one in by_id.items():
        matched = sum(other.image_set_id == image_set_id for other in report.stored)
        yield {
            "imageSetId": image_set_id,
            "imageSetVersion": one.version,
            "isPrimary": one.is_primary,
            "numberOfMatchedSOPInstances": matched,
        }
