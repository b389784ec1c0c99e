"""What viewers read of an answer, dereferenced as they do it: what crashes them raises here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.clients.viewed import INSTANCE_UID, SERIES_UID, STUDY_UID, Instance, Series, Study

Result = Mapping[str, Mapping[str, Any]]


def _string(attribute: Mapping[str, Any] | None) -> str:
    """OHIF's getString: without Value it is empty; the values are joined by a backslash."""
    values = (attribute or {}).get("Value") or []
    return "\\".join(str(value) for value in values)


def _name(attribute: Mapping[str, Any] | None) -> str:
    """OHIF's getName and formatPN; a null among the values is its crash."""
    if not (values := (attribute or {}).get("Value")):
        return ""
    return str(values[0].get("Alphabetic", "")).replace("^", ", ", 1).replace("^", " ").strip()


def ohif_study(result: Result) -> dict[str, Any]:
    """A row of OHIF's study list."""
    if (modalities := result.get("00080061")) is not None:
        assert len(modalities["Value"]) >= 0  # OHIF's whole list dies without Value
    assert "00080060" not in result, "OHIF would merge it with the modalities"
    return {
        "uid": _string(result[STUDY_UID]),
        "name": _name(result.get("00100010")),
        "mrn": _string(result.get("00100020")),
        "date": _string(result.get("00080020")),
        "time": _string(result.get("00080030")),
        "accession": _string(result.get("00080050")),
        "description": _string(result.get("00081030")),
        "modalities": sorted(_string(modalities).split("\\")),
        "instances": int(_string(result.get("00201208")) or 0),
        "referrer": _name(result.get("00080090")),
        "birth date": _string(result.get("00100030")),
    }


def shown_study(study: Study) -> dict[str, Any]:
    """What `ohif_study` has to show of it."""
    return {
        "uid": study.uid,
        "name": study.name.partition("=")[0].replace("^", ", ", 1).replace("^", " "),
        "mrn": study.patient_id,
        "date": study.date,
        "time": study.time,
        "accession": study.accession,
        "description": study.description,
        "modalities": study.modalities or [""],
        "instances": study.instances,
        "referrer": "",
        "birth date": "",
    }


def ohif_series(result: Result) -> dict[str, Any]:
    """A series as OHIF reads it under an opened row, and when the study is opened."""
    number = _string(result.get("00200011"))
    return {
        "study": _string(result[STUDY_UID]),
        "uid": _string(result[SERIES_UID]),
        "modality": _string(result.get("00080060")),
        "number": int(number) if number else None,
        "instances": int(_string(result["00201209"])),
    }


def shown_series(study: Study, series: Series) -> dict[str, Any]:
    """What `ohif_series` has to show of it."""
    return {
        "study": study.uid,
        "uid": series.uid,
        "modality": series.modality,
        "number": series.number,
        "instances": series.instances,
    }


def described_series(result: Result) -> dict[str, Any]:
    """What OHIF, Weasis and Slicer read of a series beside `ohif_series`, where they ask for it."""
    return {
        "description": _string(result.get("0008103E")),
        "date": _string(result.get("00080021")),
    }


def shown_description(series: Series) -> dict[str, Any]:
    """What `described_series` has to show of it."""
    return {"description": series.description, "date": series.date}


def read_instance(result: Result) -> dict[str, Any]:
    """An instance as the tables of viewers and toolkits read it: a missing number is 0."""
    number = _string(result.get("00200013"))
    return {
        "study": _string(result[STUDY_UID]),
        "series": _string(result[SERIES_UID]),
        "uid": _string(result[INSTANCE_UID]),
        "class": _string(result["00080016"]),
        "number": int(number) if number else None,
        "frames": int(_string(result.get("00280008")) or 0),
        "rows": int(_string(result.get("00280010")) or 0),
        "columns": int(_string(result.get("00280011")) or 0),
        "bits": int(_string(result.get("00280100")) or 0),
    }


def shown_instance(study: Study, series: Series, instance: Instance) -> dict[str, Any]:
    """What `read_instance` has to show of it."""
    kind = instance.kind
    return {
        "study": study.uid,
        "series": series.uid,
        "uid": instance.uid,
        "class": kind.sop_class,
        "number": instance.number,
        "frames": kind.frames,
        "rows": kind.rows,
        "columns": kind.columns,
        "bits": kind.bits,
    }


def read_attributes(answer: Iterable[Mapping[str, Any]], tags: Iterable[str] = ()) -> None:
    """Read each attribute as parsers of DICOM JSON do, and those that the client looks for."""
    for one in answer:
        for attribute in one.values():
            assert attribute["vr"]
            assert attribute.get("Value", [0]) and None not in attribute.get("Value", [0])
        assert set(tags) <= one.keys()
