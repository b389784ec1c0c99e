"""How the oracle reads what is stored: one value at a time, by its VR.

A stored summary is a dict of `imageSetsMetadataSummaries`; under "metadata" it has beside it what
GetImageSetMetadata tells: {"patient": …, "study": …, "series": …, "instances": […]}, each value in
HealthImaging's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Summary = Mapping[str, Any]
Values = Mapping[str, list[Any]]

STUDY = {
    "StudyDate": ("00080020", "DA", "DICOMStudyDate"),
    "StudyTime": ("00080030", "TM", "DICOMStudyTime"),
    "AccessionNumber": ("00080050", "SH", "DICOMAccessionNumber"),
    "ModalitiesInStudy": ("00080061", "CS", ""),
    "ReferringPhysicianName": ("00080090", "PN", ""),
    "StudyDescription": ("00081030", "LO", "DICOMStudyDescription"),
    "PatientName": ("00100010", "PN", "DICOMPatientName"),
    "PatientID": ("00100020", "LO", "DICOMPatientId"),
    "PatientBirthDate": ("00100030", "DA", "DICOMPatientBirthDate"),
    "PatientSex": ("00100040", "CS", "DICOMPatientSex"),
    "StudyInstanceUID": ("0020000D", "UI", "DICOMStudyInstanceUID"),
    "StudyID": ("00200010", "SH", "DICOMStudyId"),
    "NumberOfStudyRelatedSeries": ("00201206", "IS", ""),
    "NumberOfStudyRelatedInstances": ("00201208", "IS", ""),
}
SERIES = {
    "Modality": ("00080060", "CS", "DICOMSeriesModality"),
    "SeriesInstanceUID": ("0020000E", "UI", "DICOMSeriesInstanceUID"),
    "SeriesNumber": ("00200011", "IS", "DICOMSeriesNumber"),
    "NumberOfSeriesRelatedInstances": ("00201209", "IS", ""),
}
INSTANCE = {
    "SOPClassUID": ("00080016", "UI", ""),
    "SOPInstanceUID": ("00080018", "UI", ""),
    "TimezoneOffsetFromUTC": ("00080201", "SH", ""),
    "AvailableTransferSyntaxUID": ("00083002", "UI", ""),
    "InstanceNumber": ("00200013", "IS", ""),
    "NumberOfFrames": ("00280008", "IS", ""),
    "Rows": ("00280010", "US", ""),
    "Columns": ("00280011", "US", ""),
    "BitsAllocated": ("00280100", "US", ""),
}
"""What an answer has without being asked, by level (PS3.18 Tables 10.6.3-3 to -5)."""

SERIES_DETAILS = {
    "SeriesDate": ("00080021", "DA", ""),
    "SeriesTime": ("00080031", "TM", ""),
    "Manufacturer": ("00080070", "LO", ""),
    "StationName": ("00081010", "SH", ""),
    "SeriesDescription": ("0008103E", "LO", ""),
    "PerformedProcedureStepStartDate": ("00400244", "DA", ""),
    "PerformedProcedureStepStartTime": ("00400245", "TM", ""),
    "RequestAttributesSequence": ("00400275", "SQ", ""),
}
OTHERS = {
    "ImageType": ("00080008", "CS", ""),
    "AcquisitionDate": ("00080022", "DA", ""),
    "AcquisitionDateTime": ("0008002A", "DT", ""),
    "AcquisitionTime": ("00080032", "TM", ""),
    "ReferencedImageSequence": ("00081140", "SQ", ""),
    "ReferencedSOPClassUID": ("00081150", "UI", ""),
    "ReferencedSOPInstanceUID": ("00081155", "UI", ""),
    "SliceThickness": ("00180050", "DS", ""),
    "ScheduledProcedureStepID": ("00400009", "SH", ""),
    "RequestedProcedureID": ("00401001", "SH", ""),
}
ALL = {**STUDY, **SERIES, **SERIES_DETAILS, **INSTANCE, **OTHERS}

NOT_WITHOUT_VALUE = (
    "ModalitiesInStudy",
    "TimezoneOffsetFromUTC",
    "AvailableTransferSyntaxUID",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
)
FILE_META = ("TransferSyntaxUID",)
"""What an instance has in metadata, and is no attribute of its data set."""

LOSSLESS = "1.2.840.10008.1.2.4.202"
"""The transfer syntax of what says none."""


def tag(summary: Summary, name: str) -> str:
    """A text of a summary."""
    return str(summary["DICOMTags"].get(name, "")).rstrip(" ")


def summary_values(summary: Summary, keyword: str) -> list[Any]:
    """What a summary has for an attribute."""
    _, vr, name = ALL[keyword]
    stored = summary["DICOMTags"].get(name)
    if isinstance(stored, int):
        return [stored]
    text = _read(vr, stored or "")
    parted = keyword not in ("PatientID", "AccessionNumber", "StudyID")
    return (text.split("\\") if parted else [text]) if text else []


def level_values(summary: Summary, level: str) -> dict[str, list[Any]]:
    """What metadata has for all attributes of its level."""
    return {k: metadata_values(k, v) for k, v in summary["metadata"][level].items()}


def instance_values(instance: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What metadata has for all attributes of one instance."""
    dicom = {k: v for k, v in instance["DICOM"].items() if k not in FILE_META}
    values = {k: metadata_values(k, v) for k, v in dicom.items()}
    values["AvailableTransferSyntaxUID"] = [instance.get("StoredTransferSyntaxUID") or LOSSLESS]
    return values


def metadata_values(keyword: str, stored: Any) -> list[Any]:
    """What one attribute of the metadata has: texts, numbers, items."""
    vr = ALL[keyword][1]
    parts = stored if isinstance(stored, list) else [stored]
    values: list[Any] = []
    for part in parts:
        if vr == "SQ":
            if part is not None or len(parts) > 1:
                values.append({k: metadata_values(k, v) for k, v in (part or {}).items()})
        elif vr in ("IS", "DS", "US") and part not in (None, ""):
            text = str(part).strip(" ")
            values.append(int(text) if vr != "DS" else float(text))
        else:
            values.append(_read(vr, part or ""))
    return [] if all(value == "" for value in values) else values


def _read(vr: str, text: str) -> str:
    """A text without its padding, "" where it can't be read."""
    text = text.rstrip(" ")
    text = text.lstrip(" ") if vr in ("CS", "LO", "SH") else text
    if vr == "PN" and not text.strip("^="):
        return ""
    if vr == "DA" and not date_of(text.replace(".", "")):
        return ""
    if vr == "TM" and seconds_of(text) is None:
        return ""
    if vr == "DT" and instant_of(text) is None:
        return ""
    return text


def date_of(text: str) -> datetime | None:
    """The day that eight digits are."""
    if len(text) == 8 and text.isdecimal():
        try:
            return datetime.strptime(text, "%Y%m%d")
        except ValueError:
            return None
    return None


def seconds_of(text: str) -> float | None:
    """Seconds of the day that a stored time begins with."""
    digits, _, fraction = text.replace(":", "").partition(".")
    if (
        not digits.isdecimal()
        or len(digits) not in (2, 4, 6)
        or (text.count(":") == 1 and len(digits) == 2)
    ):
        return None
    if fraction and (len(digits) < 6 or not fraction.isdecimal() or len(fraction) > 6):
        return None
    hour, minute, second = int(digits[:2]), int(digits[2:4] or 0), int(digits[4:6] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600 + minute * 60 + second + int((fraction or "0").ljust(6, "0")) / 1e6


def instant_of(text: str, *, last: bool = False) -> datetime | None:
    """Where the moment that a DT is begins, or the `last` microsecond that it leaves open; UTC."""
    whole, offset = text, timedelta(0)
    if len(text) > 5 and text[-5] in "+-":
        whole, hours, minutes = text[:-5], text[-4:-2], text[-2:]
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        offset = -offset if text[-5] == "-" else offset
    form = _FORMS.get(len(whole), "%Y%m%d%H%M%S.%f")
    try:
        begins = datetime.strptime(whole, form)
    except ValueError:
        return None
    ends = begins + timedelta(microseconds=1)
    if len(whole) in _FORMS:
        ends = begins + _SPANS.get(len(whole), timedelta(0))
    if len(whole) == 4:
        ends = begins.replace(year=begins.year + 1)
    if len(whole) == 6:
        ends = (begins + timedelta(days=31)).replace(day=1)
    chosen = ends - timedelta(microseconds=1) if last else begins
    return (chosen - offset).replace(tzinfo=UTC)


_FORMS = {
    4: "%Y",
    6: "%Y%m",
    8: "%Y%m%d",
    10: "%Y%m%d%H",
    12: "%Y%m%d%H%M",
    14: "%Y%m%d%H%M%S",
}
_SPANS = {
    8: timedelta(days=1),
    10: timedelta(hours=1),
    12: timedelta(minutes=1),
    14: timedelta(seconds=1),
}
