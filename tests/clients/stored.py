"""The archive of `viewed` as DICOM files, which the emulator imports."""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.clients.viewed import INSTANCES, Instance, Series, Study


def write_files(folder: Path) -> None:
    """Write each instance to a file, named so that they are imported out of order."""
    folder.mkdir()
    for number, (study, series, instance) in enumerate(INSTANCES):
        dataset = _dataset(study, series, instance)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(folder / f"{number:04}"[::-1], enforce_file_format=True)


def _dataset(study: Study, series: Series, instance: Instance) -> Dataset:
    dataset, kind = Dataset(), instance.kind
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = kind.sop_class, instance.uid
    dataset.PatientName, dataset.PatientID = study.name, study.patient_id
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study.uid, series.uid
    dataset.StudyDate, dataset.StudyTime = study.date, study.time
    dataset.AccessionNumber, dataset.StudyDescription = study.accession, study.description
    dataset.Modality, dataset.SeriesNumber = series.modality, series.number
    dataset.InstanceNumber = instance.number
    # What only the metadata holds is absent where there is none of it
    texts = {"SeriesDescription": series.description, "SeriesDate": series.date}
    for keyword, text in (*texts.items(), ("SeriesTime", series.time if series.date else "")):
        if text:
            setattr(dataset, keyword, text)
    if series.step:
        step = Dataset()
        step.ScheduledProcedureStepID = series.step
        dataset.RequestAttributesSequence = [step]
    numbers = {
        "NumberOfFrames": kind.frames,
        "Rows": kind.rows,
        "Columns": kind.columns,
        "BitsAllocated": kind.bits,
    }
    for keyword, value in numbers.items():
        if value:
            setattr(dataset, keyword, value)
    return dataset
