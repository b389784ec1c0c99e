"""Updates of metadata: a document of what changes, and one of what is removed, put into it.

Source: HealthImaging developer guide, "DICOM metadata constraints" and "updating image set
metadata" (documented: what may be updated, what only by force, removal of series and instances);
that removing what is not there is an error is assumed.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

import orjson
from pydicom.datadict import dictionary_VR, tag_for_keyword

from gateway.emulator.errors import invalid
from gateway.emulator.normalising import LEVEL_KEYWORDS, is_private

Document = dict[str, Any]

_BY_FORCE = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyID", "PixelData")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_UID = re.compile(r"[0-9.]{1,64}")
_MEMBERS = {
    "the metadata": {"SchemaVersion", "Patient", "Study"},
    "Patient": {"DICOM"},
    "Study": {"DICOM", "Series"},
    "Series": {"DICOM", "Instances"},
    "Instance": {"DICOM", "DICOMVRs"},
}


def updated(
    document: Mapping[str, Any], removable: bytes | None, updatable: bytes | None, *, force: bool
) -> Document:
    """The metadata `document` after an update; the one that is given stays as it is.

    Raises: WireError, a ValidationException.
    """
    if removable is None and updatable is None:
        raise invalid("DICOMUpdates must have removableAttributes or updatableAttributes")
    after = copy.deepcopy(dict(document))
    if removable is not None:
        _Change(_read(removable), removes=True, force=force).apply(after)
    if updatable is not None:
        _Change(_read(updatable), removes=False, force=force).apply(after)
    return _named_anew(after)


def chosen_instances(text: str) -> set[str]:
    """The SOPInstanceUIDs that copiableAttributes names.

    Raises: WireError, a ValidationException.
    """
    change = _read(text.encode())
    series = _part(change.get("Study"), "Study").get("Series")
    found = set()
    for one in _part(series, "Series").values():
        found |= set(_part(_part(one, "Series").get("Instances"), "Instances"))
    if not found:
        raise invalid("copiableAttributes must name instances")
    return found


class _Change:
    """One document put into the metadata, level by level."""

    def __init__(self, change: Mapping[str, Any], *, removes: bool, force: bool) -> None:
        self._change, self._removes, self._force = change, removes, force

    def apply(self, document: Document) -> None:
        change = self._members(self._change, "the metadata")
        if "Patient" in change:
            patient = self._members(change["Patient"], "Patient")
            self._values(patient, document["Patient"], "Patient")
        if "Study" in change:
            study = self._members(change["Study"], "Study")
            self._values(study, document["Study"], "Study")
            for uid, one in self._each(study, document["Study"], "Series"):
                series = self._members(one, "Series")
                held = document["Study"]["Series"][uid]
                if self._removes and not series:
                    raise invalid("the only series of an image set cannot be removed")
                self._values(series, held, "Series")
                self._instances(series, held)

    def _instances(self, series: Mapping[str, Any], held: Document) -> None:
        for uid, one in self._each(series, held, "Instances"):
            instance = self._members(one, "Instance")
            if self._removes and not instance:
                del held["Instances"][uid]
            else:
                self._values(instance, held["Instances"][uid], "Instance")
        if not held["Instances"]:
            raise invalid("an image set cannot be left without an instance")

    def _members(self, given: Any, name: str) -> Mapping[str, Any]:
        part = _part(given, name)
        unknown = set(part) - _MEMBERS[name]
        if unknown:
            raise invalid(f"{name} has a member that cannot be updated")
        return part

    def _each(
        self, given: Mapping[str, Any], held: Document, name: str
    ) -> list[tuple[str, Mapping[str, Any]]]:
        parts = _part(given.get(name), name)
        if set(parts) - set(held[name]):
            raise invalid(f"{name} has a UID that is not in the image set")
        return list(parts.items())

    def _values(self, given: Mapping[str, Any], held: Document, level: str) -> None:
        values = _part(given.get("DICOM"), "DICOM")
        for key, value in values.items():
            self._check(key, value, level)
            if not self._removes:
                held["DICOM"][key] = value
            elif key in _UIDS:
                raise invalid("a UID cannot be removed")
            elif key not in held["DICOM"]:
                raise invalid("an attribute that is not there cannot be removed")
            else:
                del held["DICOM"][key]
                held.get("DICOMVRs", {}).pop(key, None)
        if level == "Instance" and "DICOMVRs" in given:
            held["DICOMVRs"] = {**held.get("DICOMVRs", {}), **_part(given["DICOMVRs"], "DICOMVRs")}

    def _check(self, key: str, value: Any, level: str) -> None:
        if is_private(key):
            if level != "Instance" or not self._force:
                raise invalid("private attributes can be changed in instances only, and by force")
            return
        tag = tag_for_keyword(key)
        others = [name for name, known in LEVEL_KEYWORDS.items() if key in known]
        if tag is not None and (others or ["Instance"]) != [level]:
            raise invalid(f"{key} does not belong to this level")
        if key in _UIDS and not self._removes and not _is_uid(value):
            raise invalid(f"{key} must be a UID")
        if self._force:
            return
        if tag is None:
            raise invalid("a key that is no keyword of DICOM can be changed by force only")
        several = isinstance(value, list) and len(value) > 1
        if key in _BY_FORCE or dictionary_VR(tag) == "SQ" or several:
            raise invalid(f"{key} can be changed by force only")


def _is_uid(value: Any) -> bool:
    return isinstance(value, str) and _UID.fullmatch(value) is not None


def _named_anew(document: Document) -> Document:
    """With the series and the instances under the UIDs that they have now."""
    ((uid, series),) = document["Study"]["Series"].items()
    instances = {
        one["DICOM"].get("SOPInstanceUID", old): one for old, one in series["Instances"].items()
    }
    if len(instances) != len(series["Instances"]):
        raise invalid("the instances of an image set must have SOPInstanceUIDs of their own")
    series = {**series, "Instances": instances}
    study = {
        **document["Study"],
        "Series": {series["DICOM"].get("SeriesInstanceUID", uid): series},
    }
    return {**document, "Study": study}


def _read(text: bytes) -> Mapping[str, Any]:
    try:
        return _part(orjson.loads(text), "the metadata")
    except orjson.JSONDecodeError:
        raise invalid("the attributes must be JSON") from None


def _part(given: Any, name: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise invalid(f"{name} must be a structure")
    return given
