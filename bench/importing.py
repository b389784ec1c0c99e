"""Small DICOM files, and how a study of one comes into a running emulator."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from bench.archive import made
from bench.processes import Served
from tests.e2e.running import DATASTORE_ID

BUCKET = "bench-import"
_KEYWORDS = {
    "DICOMStudyInstanceUID": "StudyInstanceUID",
    "DICOMStudyId": "StudyID",
    "DICOMStudyDate": "StudyDate",
    "DICOMStudyTime": "StudyTime",
    "DICOMStudyDescription": "StudyDescription",
    "DICOMAccessionNumber": "AccessionNumber",
    "DICOMPatientId": "PatientID",
    "DICOMPatientName": "PatientName",
    "DICOMPatientBirthDate": "PatientBirthDate",
    "DICOMPatientSex": "PatientSex",
    "DICOMSeriesInstanceUID": "SeriesInstanceUID",
    "DICOMSeriesModality": "Modality",
    "DICOMSeriesBodyPart": "BodyPartExamined",
    "DICOMSeriesNumber": "SeriesNumber",
}


def write_file(path: Path, tags: dict[str, Any]) -> None:
    """An instance without pixels, of the series that a summary's tags tell of."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = f"{tags['DICOMSeriesInstanceUID']}.1"
    dataset.InstanceNumber = 1
    for name, keyword in _KEYWORDS.items():
        if name in tags:
            setattr(dataset, keyword, tags[name])
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)


def write_files(studies: int, folder: Path) -> Iterator[Path]:
    """A file for each image set of the archive of so many studies."""
    number = 0
    for study in made(studies):
        for summary in study.summaries:
            path = folder / f"{number:06}.dcm"
            write_file(path, summary["DICOMTags"])
            number += 1
            yield path


def import_study(emulator: Served, bucket: Path, uid: str, day: int) -> None:
    """Import a study, so many days newer than the archive, and wait until it is there.

    `bucket` is the folder that the emulator has as BUCKET.
    """
    when = date(2026, 1, 2) + timedelta(days=day)
    folder = bucket / f"in{day}"
    folder.mkdir()
    write_file(
        folder / "1.dcm",
        {
            "DICOMStudyInstanceUID": uid,
            "DICOMSeriesInstanceUID": f"{uid}.1",
            "DICOMStudyDate": f"{when:%Y%m%d}",
            "DICOMStudyTime": "101500",
            "DICOMPatientName": "DOE^JANE",
            "DICOMPatientId": "PAT9999999",
            "DICOMSeriesModality": "CT",
        },
    )
    job = _post(
        f"{emulator.url}/startDICOMImportJob/datastore/{DATASTORE_ID}",
        {
            "clientToken": f"bench-{day}",
            "dataAccessRoleArn": "arn:aws:iam::123456789012:role/bench",
            "inputS3Uri": f"s3://{BUCKET}/in{day}/",
            "outputS3Uri": f"s3://{BUCKET}/out{day}/",
        },
    )
    status = ""
    while status != "COMPLETED":
        time.sleep(0.02)
        target = f"{emulator.url}/getDICOMImportJob/datastore/{DATASTORE_ID}/job/{job['jobId']}"
        with urllib.request.urlopen(target) as answer:
            status = json.load(answer)["jobProperties"]["jobStatus"]
        if status == "FAILED":
            raise RuntimeError("the emulator did not import the study")


def _post(url: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
