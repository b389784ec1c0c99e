"""Updates of an image set's metadata: what is put in, what is taken out, what is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from gateway.emulator.errors import WireError
from gateway.emulator.updating import updated

SENTINEL = "DOE^SENTINEL"
SERIES, FIRST, SECOND = "1.2.3", "1.2.3.1", "1.2.3.2"
DOCUMENT: dict[str, Any] = {
    "SchemaVersion": "1.1",
    "DatastoreID": "0" * 32,
    "ImageSetID": "a" * 32,
    "Patient": {"DICOM": {"PatientName": "DOE^JANE", "PatientID": "P1"}},
    "Study": {
        "DICOM": {"StudyInstanceUID": "1.2", "StudyID": "S1", "StudyDate": "20200101"},
        "Series": {
            SERIES: {
                "DICOM": {
                    "SeriesInstanceUID": SERIES,
                    "Modality": "CT",
                    "BodyPartExamined": "HEAD",
                },
                "Instances": {
                    FIRST: {
                        "DICOM": {"SOPInstanceUID": FIRST, "InstanceNumber": "1", "00091001": "x"},
                        "DICOMVRs": {"00091001": "LO"},
                        "ImageFrames": [{"ID": "f" * 32}],
                    },
                    SECOND: {
                        "DICOM": {"SOPInstanceUID": SECOND, "ImageType": ["ORIGINAL", "PRIMARY"]},
                        "DICOMVRs": {},
                        "ImageFrames": [{"ID": "e" * 32}],
                    },
                },
            }
        },
    },
}

Change = dict[str, Any]


def patient(**values: Any) -> Change:
    """A change of the patient."""
    return {"Patient": {"DICOM": values}}


def study(**values: Any) -> Change:
    """A change of the study."""
    return {"Study": {"DICOM": values}}


def series(change: Any, uid: str = SERIES) -> Change:
    """A change of a series, whatever it is."""
    return {"Study": {"Series": {uid: change}}}


def of_series(**values: Any) -> Change:
    """A change of the series' own attributes."""
    return series({"DICOM": values})


def instance(change: Any, uid: str = FIRST) -> Change:
    """A change of an instance, whatever it is."""
    return series({"Instances": {uid: change}})


def of_first(*, vrs: Any = None, **values: Any) -> Change:
    """A change of the first instance's attributes."""
    return instance({"DICOM": values, **({} if vrs is None else {"DICOMVRs": vrs})})


def private(value: Any) -> Change:
    """A change of the first instance's private attribute."""
    return instance({"DICOM": {"00091001": value}})


def apply(change: Any, *, removes: bool, force: bool = False) -> dict[str, Any]:
    """The document after one change."""
    text = change if isinstance(change, bytes) else json.dumps(change).encode()
    return updated(DOCUMENT, text if removes else None, None if removes else text, force=force)


def at(document: Any, *path: str) -> Any:
    """What is there under these keys, one below the other, None where nothing is."""
    for key in path:
        document = document.get(key)
        if document is None:
            return None
    return document


IN_SERIES = ("Study", "Series", SERIES)
IN_FIRST = (*IN_SERIES, "Instances", FIRST)


# --- what is accepted -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        pytest.param(patient(PatientSex="F"), ("Patient", "DICOM", "PatientSex"), "F",
                     id="added to the patient"),
        pytest.param(patient(PatientName="ROE^MARY"), ("Patient", "DICOM", "PatientName"),
                     "ROE^MARY", id="replaced in the patient"),
        pytest.param(patient(PatientName=None), ("Patient", "DICOM", "PatientName"), None,
                     id="emptied"),
        pytest.param(study(AccessionNumber="A1"), ("Study", "DICOM", "AccessionNumber"), "A1",
                     id="added to the study"),
        pytest.param(study(StudyDate="20210101"), ("Study", "DICOM", "StudyDate"), "20210101",
                     id="replaced in the study"),
        pytest.param(of_series(SeriesNumber="7"), (*IN_SERIES, "DICOM", "SeriesNumber"), "7",
                     id="added to the series"),
        pytest.param(of_series(Modality="MR"), (*IN_SERIES, "DICOM", "Modality"), "MR",
                     id="replaced in the series"),
        pytest.param(of_first(ContentDate="20200101"), (*IN_FIRST, "DICOM", "ContentDate"),
                     "20200101", id="added to an instance"),
        pytest.param(of_first(InstanceNumber="9"), (*IN_FIRST, "DICOM", "InstanceNumber"), "9",
                     id="replaced in an instance"),
        pytest.param(of_first(ImageType=["DERIVED"]), (*IN_FIRST, "DICOM", "ImageType"),
                     ["DERIVED"], id="one value in a list"),
        pytest.param(of_first(vrs={"0009100A": "SH"}), (*IN_FIRST, "DICOMVRs"),
                     {"00091001": "LO", "0009100A": "SH"}, id="VRs are added to those there"),
        pytest.param({"SchemaVersion": 1.1, **patient(PatientSex="F")}, ("SchemaVersion",), "1.1",
                     id="the schema version is passed over"),
        pytest.param({"Patient": None, "Study": {"Series": None}}, ("SchemaVersion",), "1.1",
                     id="null is no change"),
    ],
)  # fmt: skip
def test_what_is_updated(change: Change, path: tuple[str, ...], value: Any) -> None:
    """An attribute that is given has that value, and there is nothing else to it."""
    after = apply(change, removes=False)
    assert value == at(after, *path)
    assert after == apply(change, removes=False, force=True)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param(patient(PatientName=None), ("Patient", "DICOM", "PatientName"), id="patient"),
        pytest.param(study(StudyDate=None), ("Study", "DICOM", "StudyDate"), id="study"),
        pytest.param(of_series(BodyPartExamined=None), (*IN_SERIES, "DICOM", "BodyPartExamined"),
                     id="series"),
        pytest.param(of_first(InstanceNumber=None), (*IN_FIRST, "DICOM", "InstanceNumber"),
                     id="instance"),
        pytest.param(patient(PatientName="whatever"), ("Patient", "DICOM", "PatientName"),
                     id="the value is of no meaning"),
        pytest.param(instance({}), IN_FIRST, id="a whole instance"),
        pytest.param(instance(None), IN_FIRST, id="a whole instance by null"),
    ],
)  # fmt: skip
def test_what_is_removed(change: Change, path: tuple[str, ...]) -> None:
    """What is named is gone, the rest is as it was."""
    after = apply(change, removes=True)
    expected = copy.deepcopy(DOCUMENT)
    del at(expected, *path[:-1])[path[-1]]
    assert expected == after


def test_removal_comes_first() -> None:
    """An attribute that is removed and given has the value that is given."""
    one, other = (json.dumps(patient(PatientID=x)).encode() for x in (None, "P2"))
    assert "P2" == updated(DOCUMENT, one, other, force=False)["Patient"]["DICOM"]["PatientID"]


@pytest.mark.parametrize("text", [b"{}", b'{"Study": {"Series": {"1.2.3": {"Instances": {}}}}}'])
def test_an_empty_update(text: bytes) -> None:
    """A document that names nothing changes nothing."""
    assert DOCUMENT == apply(text, removes=False)


# --- what needs force -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "removes"),
    [
        pytest.param(study(StudyInstanceUID="1.9"), False, id="StudyInstanceUID"),
        pytest.param(of_series(SeriesInstanceUID="1.9"), False, id="SeriesInstanceUID"),
        pytest.param(of_first(SOPInstanceUID="1.9"), False, id="SOPInstanceUID"),
        pytest.param(study(StudyID="S2"), False, id="StudyID"),
        pytest.param(study(StudyID=None), True, id="StudyID removed"),
        pytest.param(study(ProcedureCodeSequence=[{"CodeValue": "1"}]), False, id="a sequence"),
        pytest.param(of_first(ImageType=["DERIVED", "SECONDARY"]), False, id="several values"),
        pytest.param(of_first(NoKeyword="x"), False, id="an unknown keyword"),
        pytest.param(instance({"DICOM": {"60003000": "AA=="}}), False, id="a repeating group"),
        pytest.param(private("y"), False, id="a private attribute"),
        pytest.param(instance({"DICOM": {"0009100A": "y"}}), False, id="a new private attribute"),
        pytest.param(private(None), True, id="a private attribute removed"),
    ],
)  # fmt: skip
def test_what_only_force_changes(change: Change, removes: bool) -> None:
    """Refused; by force it is done."""
    with pytest.raises(WireError) as caught:
        apply(change, removes=removes)
    assert "ValidationException" == caught.value.code
    assert "force" in caught.value.message
    assert DOCUMENT != apply(change, removes=removes, force=True)


def test_a_removed_private_attribute_has_no_vr() -> None:
    """DICOMVRs tells of attributes that are there."""
    first = at(apply(private(None), removes=True, force=True), *IN_FIRST)
    assert {} == first["DICOMVRs"]
    assert "00091001" not in first["DICOM"]


def test_uids_changed_by_force() -> None:
    """Series and instances stand under their new UIDs, with their frames; UIDs may be swapped."""
    change = {
        "Study": {
            "DICOM": {"StudyInstanceUID": "2.1"},
            "Series": {
                SERIES: {
                    "DICOM": {"SeriesInstanceUID": "2.2"},
                    "Instances": {
                        FIRST: {"DICOM": {"SOPInstanceUID": SECOND}},
                        SECOND: {"DICOM": {"SOPInstanceUID": FIRST}},
                    },
                }
            },
        }
    }
    study_after = apply(change, removes=False, force=True)["Study"]
    assert "2.1" == study_after["DICOM"]["StudyInstanceUID"]
    assert ["2.2"] == list(study_after["Series"])
    frames = {
        k: x["ImageFrames"][0]["ID"] for k, x in study_after["Series"]["2.2"]["Instances"].items()
    }
    assert {SECOND: "f" * 32, FIRST: "e" * 32} == frames


# --- what is refused ------------------------------------------------------------------------------

REFUSED = [
    pytest.param(patient(StudyDate=SENTINEL), False, "StudyDate", id="a study's in a patient"),
    pytest.param(study(PatientName=SENTINEL), False, "level", id="a patient's in a study"),
    pytest.param(of_series(StudyDate=SENTINEL), False, "level", id="a study's in a series"),
    pytest.param(of_first(Modality=SENTINEL), False, "level", id="a series' in an instance"),
    pytest.param(patient(InstanceNumber=SENTINEL), False, "level", id="an instance's in a patient"),
    pytest.param({"Patient": {"DICOM": {"00091001": SENTINEL}}}, False, "private",
                 id="private in a patient"),
    pytest.param(series({"DICOM": {"00091001": SENTINEL}}), False, "private",
                 id="private in a series"),
    pytest.param({SENTINEL: {}}, False, "member", id="an unknown member"),
    pytest.param({"DatastoreID": SENTINEL}, False, "member", id="the data store"),
    pytest.param({"Patient": {SENTINEL: {}}}, False, "Patient", id="an unknown member: patient"),
    pytest.param({"Study": {SENTINEL: {}}}, False, "Study", id="an unknown member: study"),
    pytest.param(series({SENTINEL: {}}), False, "Series", id="an unknown member: series"),
    pytest.param(instance({"ImageFrames": [SENTINEL]}), False, "Instance",
                 id="an unknown member: instance"),
    pytest.param(series({}, SENTINEL), False, "UID", id="an unknown series"),
    pytest.param(instance({}, SENTINEL), False, "UID", id="an unknown instance"),
    pytest.param(instance({}, SENTINEL), True, "UID", id="an unknown instance removed"),
    pytest.param(series({}), True, "series", id="the only series removed"),
    pytest.param(series(None), True, "series", id="the only series removed by null"),
    pytest.param(series({"Instances": {FIRST: {}, SECOND: {}}}), True, "instance",
                 id="the last instance removed"),
    pytest.param(patient(PatientSex=SENTINEL), True, "not there", id="an absent one removed"),
    pytest.param(study(StudyInstanceUID=SENTINEL), True, "UID", id="the study's UID removed"),
    pytest.param(of_series(SeriesInstanceUID=None), True, "UID", id="the series' UID removed"),
    pytest.param(of_first(SOPInstanceUID=None), True, "UID", id="an instance's UID removed"),
    pytest.param(of_first(SOPInstanceUID=SECOND), False, "SOPInstanceUID",
                 id="a UID that another instance has"),
    pytest.param(of_first(SOPInstanceUID=None), False, "UID", id="an empty SOPInstanceUID"),
    pytest.param(of_series(SeriesInstanceUID=None), False, "UID", id="an empty SeriesInstanceUID"),
    pytest.param(study(StudyInstanceUID=None), False, "UID", id="an empty StudyInstanceUID"),
    pytest.param(of_first(SOPInstanceUID=["1.9"]), False, "UID", id="a list for a UID"),
    pytest.param(of_first(SOPInstanceUID=SENTINEL), False, "UID", id="a UID that is none"),
    pytest.param(of_series(SeriesInstanceUID="1" * 65), False, "UID", id="a UID too long"),
    pytest.param({"Patient": SENTINEL}, False, "structure", id="a text for a structure"),
    pytest.param({"Patient": {"DICOM": [SENTINEL]}}, False, "structure", id="a list of them"),
    pytest.param({"Study": {"Series": [SENTINEL]}}, False, "structure", id="a list of series"),
    pytest.param(instance({"DICOMVRs": SENTINEL}), False, "structure", id="a text for VRs"),
    pytest.param([SENTINEL], False, "structure", id="no structure at all"),
    pytest.param(b'{"Patient": DOE^SENTINEL}', False, "JSON", id="broken JSON"),
    pytest.param(b'{"Patient": DOE^SENTINEL}', True, "JSON", id="broken JSON to remove"),
    pytest.param(b"\xff", False, "JSON", id="no UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "removes", "rule"), REFUSED)
def test_what_is_refused(change: Any, removes: bool, rule: str) -> None:
    """A ValidationException that names the rule, never a value; force does not help."""
    for force in (False, True):
        with pytest.raises(WireError) as caught:
            apply(change, removes=removes, force=force)
        assert ("ValidationException", 400) == (caught.value.code, caught.value.status)
        assert "SENTINEL" not in caught.value.message
    assert rule in caught.value.message


def test_neither_removable_nor_updatable() -> None:
    """An update has a document of one kind at least."""
    with pytest.raises(WireError, match="removableAttributes or updatableAttributes"):
        updated(DOCUMENT, None, None, force=True)


@pytest.mark.parametrize(
    ("change", "removes"),
    [
        pytest.param(of_first(SOPInstanceUID="1.9"), False, id="a UID"),
        pytest.param(of_first(vrs={"0009100A": "SH"}), False, id="VRs"),
        pytest.param(instance({}), True, id="an instance"),
        pytest.param(private(None), True, id="a private attribute"),
        pytest.param(patient(PatientName=None), True, id="a name"),
    ],
)
def test_the_document_passed_in_stays(change: Change, removes: bool) -> None:
    """An older version of an image set is what it was."""
    before = copy.deepcopy(DOCUMENT)
    apply(change, removes=removes, force=True)
    assert before == DOCUMENT
