"""The 300 DICOM files that both servers are given: invented patients in many scripts and forms.

The same seed gives the same bytes. All instances of a study agree in the study's attributes, and
all of a series in the series', as DICOM requires, so that neither server has to choose between
values.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.config import disable_value_validation
from pydicom.uid import UID, ExplicitVRLittleEndian

from tests.differential.details import instance_details, referrer, series_details

FILES = 300
SEED = 20_240_229
ROOT = "1.2.826.0.1.3680043.8.498"
LONG_SERIES = f"{ROOT}.28.1"
"""A series with enough instances to ask for some of them."""

LONG = 12


@dataclass(frozen=True, slots=True)
class Patient:
    """An invented patient; `charset` is the SpecificCharacterSet of the files."""

    name: str
    id: str
    birth_date: str = ""
    sex: str = ""
    charset: str = "ISO_IR 192"


PATIENTS = (
    Patient("DOE^JANE", "PAT001", "19700101", "F", ""),
    Patient("DOE^JOHN", "PAT002", "19700102", "M", ""),
    Patient("Doe^Jane", "pat003", "19810203", "F", ""),
    Patient("doe^jane^q", "PAT004", "19810203", "F", ""),
    Patient("DOE", "PAT005", "", "O", ""),
    Patient("DOE^JANE^^DR^III", "PAT006", "19991231", "F", ""),
    Patient("DOE^JANE^ANN MARY", "PAT007", "19991231", "F", ""),
    Patient("DOE JANE", "PAT008", "20000229", "", ""),
    Patient("ROE^RICHARD^", "PAT 009", "19550505", "M", ""),
    Patient("ROE^R", "PAT%10", "19550506", "M", ""),
    Patient("MÜLLER^ÄNNE", "PAT_11", "19600606", "F", "ISO_IR 100"),
    Patient("MUELLER^ANNE", "PATX11", "19600607", "F", ""),
    Patient("MULLER^ANNE", "PAT[12]", "19600608", "F", ""),
    Patient("müller^jörg", "PAT-13", "19610101", "M"),
    Patient("GARÇON^RENÉE", "PAT.14", "19620202", "F", "ISO_IR 100"),
    Patient("STRAUß^PROBE", "PAT'15", "19630303", "M"),
    Patient("STRAUSS^PROBE", 'PAT"16', "19630304", "M", ""),
    Patient("ØRSTED^PRØVE", "PAT(17)", "19640404", "M"),
    Patient("ИВАНОВ^ПРОБА", "PAT+18", "19650505", "M", "ISO_IR 144"),
    Patient("иванова^проба", "PAT&19", "19650506", "F"),
    Patient("ΔΟΚΙΜΗ^ΜΑΡΙΑ", "PAT=20", "19660606", "F", "ISO_IR 126"),
    Patient("Yamada^Tarou=山田^太郎=やまだ^たろう", "PAT#21", "19670707", "M"),
    Patient("YAMADA^HANAKO=山田^花子=やまだ^はなこ", "PAT/22", "19670708", "F"),
    Patient("Hong^Gildong=洪^吉洞=홍^길동", "PAT@23", "19680808", "M"),
    Patient("Wang^XiaoDong=王^小东", "PAT~24", "19690909", "M", "GB18030"),
    Patient("=試験^一", "PAT,25", "19690910", "", "ISO_IR 192"),
    Patient("O'DOE^JANE-ANNE", "12345", "19701010", "F", ""),
    Patient("DOE-ROE^JANE", "0012345", "19701011", "F", ""),
    Patient("VAN DER DOE^J.", "123456", "19701012", "F", ""),
    Patient("DOE^*", "1234", "19701013", "", ""),
    Patient("", "PAT031", "19701014", "M", ""),
    Patient("NOBODY^NOID", "", "19701015", "F", ""),
    Patient("דוגמה^בדיקה", "ID-HE-33", "19721212", "F"),
    Patient("مثال^اختبار", "ID-AR-34", "19721213", "M"),
    Patient("ทดสอบ^ตัวอย่าง", "ID-TH-35", "19721214", "F"),
    Patient("ŁUKASIŃSKA^ŻANETA", "ID-PL-36", "19721215", "F"),
    Patient("EXAMPLE^😀", "ID-EM-37", "19721216", "O"),
    Patient("ΆΛΦΑ^ΒΉΤΑ", "id-el-38", "19721217", "F"),
)

DATES = (
    *("20231231", "20240101", "20240101", "20240115", "20240131", "20240201", "20240228"),
    *("20240229", "20240301", "20240615", "20241231", "20250101", "20200229", "19991231"),
    *("20240115", "", "2024.01.15", "20240115"),
)
TIMES = (
    *("101500", "1015", "10", "101500.5", "101500.000001", "000000", "235959", "235959.999999"),
    *("", "120000", "093000", "10:15:00", "093000.250000", "2359", "180000"),
)
ACCESSIONS = (
    *("A1", "a1", "A10", "A%1", "A_1", "AX1", "A[1]", "A-1", "A 1", "ACC/2024/01", "", "A*1"),
    *("0001", "1", "01", "ÄÖ1", "A'1", "A.1", "A(1)", "A+1", "A,1", "A=1", "A#1", "A;1"),
)
DESCRIPTIONS = (
    *("CT HEAD", "ct head", "CT Head W/O contrast", "MR KNÉE", "MR KNEE", "", "PET/CT", "100%"),
    *("CHEST\\ABDOMEN", "Thorax_pa", "胸部", "CHEST", "ABDOMEN", "A [B] C", "HEAD  NECK"),
)
STUDY_IDS = ("1", "01", "S1", "s1", "S 1", "", "S_1", "S%1", "STUDY-7", "SX1")
MODALITIES = (*("CT", "MR", "PT", "US", "CR", "DX", "SR", "SEG"), *("CT", "MR"))
BODY_PARTS = ("HEAD", "CHEST", "KNEE", "", "ABDOMEN", "HEADNECK", "Head")
NUMBERS = (1, 2, 3, 10, 11, 100, None, 0)


def datasets() -> tuple[pydicom.Dataset, ...]:
    """The files' data sets, in the order of their numbers."""
    with disable_value_validation():
        return tuple(_datasets(random.Random(SEED)))


def write(folder: Path) -> tuple[Path, ...]:
    """Write the files; their paths, in the order of `datasets`."""
    paths = []
    with disable_value_validation():
        for number, dataset in enumerate(datasets()):
            path = folder / f"{number:03}.dcm"
            dataset.save_as(path, enforce_file_format=True)
            paths.append(path)
    return tuple(paths)


def _datasets(rng: random.Random) -> Iterator[pydicom.Dataset]:
    left, study = FILES, 0
    details = random.Random(SEED + 1)  # of their own, so that one can grow without the other
    while True:
        patient = PATIENTS[study % len(PATIENTS)]
        study_uid = f"{ROOT}.{study + 1}"
        common = _study(rng, patient, study)
        for series in range(1, rng.randint(1, 4) + 1):
            series_uid = f"{study_uid}.{series}"
            own = {
                **common,
                "Modality": rng.choice(MODALITIES),
                "SeriesNumber": rng.choice(NUMBERS),
                "BodyPartExamined": rng.choice(BODY_PARTS),
                **series_details(details, _is_narrow(patient)),
            }
            many = max(rng.randint(1, 3), LONG if series_uid == LONG_SERIES else 0)
            for instance in range(1, many + 1):
                uids = (study_uid, series_uid, f"{series_uid}.{instance}")
                yield _dataset(patient, {**own, **instance_details(details, instance)}, uids)
                left -= 1
                if not left:
                    return
        study += 1


def _study(rng: random.Random, patient: Patient, number: int) -> dict[str, object]:
    """The attributes of a study and its patient; a few are not there at all, a few padded."""
    narrow = _is_narrow(patient)
    values: dict[str, object] = {
        "PatientName": patient.name,
        "PatientID": patient.id,
        "PatientBirthDate": patient.birth_date,
        "PatientSex": patient.sex,
        "StudyDate": DATES[number % len(DATES)],
        "StudyTime": TIMES[number % len(TIMES)],
        "AccessionNumber": ACCESSIONS[number % len(ACCESSIONS)],
        "StudyDescription": DESCRIPTIONS[number % len(DESCRIPTIONS)],
        "StudyID": rng.choice(STUDY_IDS),
        "ReferringPhysicianName": referrer(number, narrow),
    }
    for keyword in ("AccessionNumber", "StudyDescription"):
        text = str(values[keyword])
        if narrow and not text.isascii():
            values[keyword] = "PLAIN"
        elif text and number % 7 == 3:
            values[keyword] = f" {text}" if number % 2 else f"{text}  "
    if number % 11 == 5:
        del values["StudyTime"]
    if number % 13 == 6:
        del values["AccessionNumber"]
    return values


def _is_narrow(patient: Patient) -> bool:
    """Whether the files' character set lacks letters of other scripts."""
    return patient.charset != "ISO_IR 192"


def _dataset(
    patient: Patient, values: dict[str, object], uids: tuple[str, str, str]
) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    if patient.charset:
        dataset.SpecificCharacterSet = patient.charset
    names = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    for keyword, value in (*zip(names, uids, strict=True), *values.items()):
        setattr(dataset, keyword, value)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(uids[2])
    return dataset
