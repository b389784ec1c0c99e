"""The patients of the sample archive. None of them lives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patient:
    """One patient; `name` as DICOM writes it, with its component groups; `born` is `YYYYMMDD`."""

    id: str
    name: str
    sex: str
    born: str
    weight_kg: int


# What DICOM and each language use where English says John Doe. Japanese and Korean names have all
# three component groups, the Chinese one two; names in other alphabets are Alphabetic ones.
PATIENTS = (
    Patient("SAMPLE-01", "DOE^JANE", "F", "19570304", 68),
    Patient("SAMPLE-02", "MÜLLER^ANNA", "F", "19491120", 71),
    Patient("SAMPLE-03", "GARCÍA NÚÑEZ^JOSÉ", "M", "19630708", 84),
    Patient("SAMPLE-04", "Yamada^Tarou=山田^太郎=やまだ^たろう", "M", "19551223", 62),
    Patient("SAMPLE-05", "Satou^Hanako=佐藤^花子=さとう^はなこ", "F", "19780515", 54),
    Patient("SAMPLE-06", "Hong^Gildong=洪^吉洞=홍^길동", "M", "19690331", 73),
    Patient("SAMPLE-07", "Wang^XiaoDong=王^小東", "M", "19820902", 70),
    Patient("SAMPLE-08", "Иванова^Мария^Петровна", "F", "19740117", 66),
    Patient("SAMPLE-09", "Παπαδοπούλου^Ελένη", "F", "19600829", 64),
    Patient("SAMPLE-10", "الفلاني^فلان", "M", "19910610", 79),
    Patient("SAMPLE-11", "ROE^RICHARD", "M", "19440425", 90),
    Patient("SAMPLE-12", "DVOŘÁKOVÁ^ŽOFIE^^Dr.", "F", "19860213", 59),
)
