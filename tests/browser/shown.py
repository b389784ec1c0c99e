"""What OHIF's study list has to show of the imported files, told without the gateway."""

from __future__ import annotations

import re
from datetime import datetime

from tests.e2e.bundled import Study

COLUMNS = (
    "Patient",
    "MRN",
    "Study Date",
    "Modalities",
    "Description",
    "Accession",
    "Instances",
)

Row = list[str]
"""The seven texts of a row."""


def row_of(study: Study) -> Row:
    """The row of a study."""
    return [
        patient(study),
        _text(study, "PatientID"),
        _moment(study),
        "\\".join(study.modalities),
        _text(study, "StudyDescription") or "No Description",
        _text(study, "AccessionNumber"),
        str(study.number_of_instances),
    ]


def patient(study: Study) -> str:
    """The name as OHIF shows it: a comma for the first caret, a space for the others."""
    family, caret, rest = study.name.get("Alphabetic", "").partition("^")
    return " ".join(f"{family}{', ' if caret else ''}{rest.replace('^', ' ')}".split())


def _text(study: Study, keyword: str) -> str:
    return " ".join("".join(study.texts[keyword]).split())


def _moment(study: Study) -> str:
    # OHIF shows a time that it can read: it knows fractions of three digits only
    day = _text(study, "StudyDate").replace(".", "")
    if not re.fullmatch(r"\d{8}", day):
        return ""
    shown = datetime.strptime(day, "%Y%m%d").strftime("%d-%b-%Y")
    time = _text(study, "StudyTime")
    if re.fullmatch(r"\d{6}(\.\d{3})?", time):
        shown += datetime.strptime(time[:6], "%H%M%S").strftime(" %I:%M %p")
    return shown
