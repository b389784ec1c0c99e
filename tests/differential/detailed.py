"""The queries for what summaries do not hold: of instances, of series by their details.

Of studies it is the one attribute that the standard requires there.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.differential.files import LONG_SERIES, ROOT

UID = f"{ROOT}."
FEW = f"{UID}1,{UID}5,{UID}9"
CT, SECONDARY = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"
STEP = "RequestAttributesSequence.ScheduledProcedureStepID"
PROCEDURE = "RequestAttributesSequence.RequestedProcedureID"
DESCRIPTION = "RequestAttributesSequence.ScheduledProcedureStepDescription"

Table = Mapping[str, Mapping[str, str]]
"""Ids to the parameters of one query each."""

STUDIES: Table = {
    "referrer": {"ReferringPhysicianName": "POE^REX"},
    "referrer-case": {"ReferringPhysicianName": "DOE^Referrer"},
    "referrer-wild": {"ReferringPhysicianName": "?OE^REX*"},
    "referrer-suffix": {"ReferringPhysicianName": "*^DR"},
    "referrer-accents": {"ReferringPhysicianName": "muller*"},
    "referrer-script": {"ReferringPhysicianName": "*次郎"},
    "referrer-and-sex": {"ReferringPhysicianName": "*REFER*", "PatientSex": "F"},
    "referrer-universal": {"ReferringPhysicianName": "", "PatientSex": "M"},
    "referrer-include": {"StudyDate": "20240115", "includefield": "ReferringPhysicianName"},
}

INSTANCES: Table = {
    "instance-uid": {"SOPInstanceUID": f"{UID}7.1.1"},
    "instance-uid-list": {"SOPInstanceUID": f"{UID}1.1.1,{UID}5.1.1,{UID}28.1.7"},
    "instance-uid-unknown": {"SOPInstanceUID": f"{UID}2.1.1,{UID}999"},
    "instance-uid-prefix": {"SOPInstanceUID": UID.rstrip(".")},
    "instance-class": {"SOPClassUID": CT},
    "instance-class-tag": {"00080016": SECONDARY},
    "instance-class-list": {"SOPClassUID": f"{CT},1.2.3", "Rows": "512"},
    "instance-number": {"InstanceNumber": "1"},
    "instance-number-ten": {"InstanceNumber": "10"},
    "instance-number-zeros": {"InstanceNumber": "02"},
    "instance-number-none": {"InstanceNumber": "777"},
    "instance-rows": {"Rows": "512"},
    "instance-rows-zeros": {"Rows": "0512"},
    "instance-rows-columns": {"Rows": "256", "Columns": "256"},
    "instance-frames": {"NumberOfFrames": "10"},
    "instance-acquisition": {"AcquisitionNumber": "2"},
    "instance-thickness": {"SliceThickness": "0.625"},
    "instance-thickness-whole": {"SliceThickness": "5"},
    "instance-thickness-digits": {"SliceThickness": "2.50"},
    "instance-thickness-power": {"SliceThickness": "10"},
    "instance-type": {"ImageType": "LOCALIZER"},
    "instance-type-first": {"ImageType": "ORIGINAL"},
    "instance-type-second": {"ImageType": "PRIMARY"},
    "instance-type-start": {"ImageType": "DERIVED*"},
    "instance-type-end": {"ImageType": "*SECONDARY"},
    "instance-type-inside": {"ImageType": "PRIM*"},
    "instance-type-lower": {"ImageType": "localizer"},
    "instance-comments": {"ImageComments": "blurred"},
    "instance-comments-space": {"ImageComments": "second try"},
    "instance-comments-wild": {"ImageComments": "*lurred*"},
    "instance-date": {"AcquisitionDate": "20240115"},
    "instance-date-range": {"AcquisitionDate": "20240115-20240229"},
    "instance-date-from": {"ContentDate": "20240116-"},
    "instance-date-until": {"ContentDate": "-20240114"},
    "instance-time": {"AcquisitionTime": "120000"},
    "instance-time-midnight": {"ContentTime": "000000"},
    "instance-time-hour": {"ContentTime": "10"},
    "instance-time-fraction": {"ContentTime": "101500.5"},
    "instance-time-range": {"AcquisitionTime": "100000-110000"},
    "instance-time-from": {"AcquisitionTime": "120000-"},
    "instance-time-until": {"AcquisitionTime": "-101500.9"},
    "instance-time-short": {"AcquisitionTime": "100000-101500"},
    "instance-time-minutes": {"ContentTime": "1015-1200"},
    "instance-moment": {"AcquisitionDate": "20240114-20240116", "AcquisitionTime": "110000-110000"},
    "instance-moment-from": {"ContentDate": "20240115-", "ContentTime": "120000-"},
    "instance-moment-apart": {"ContentDate": "20240115", "ContentTime": "100000-130000"},
    "instance-moment-others": {"ContentDate": "20240115-", "AcquisitionTime": "120000-"},
}

INSTANCES_OF_SERIES: Table = {
    "instances-modality": {"Modality": "CT"},
    "instances-modality-list": {"Modality": "PT,SEG"},
    "instances-body-part": {"BodyPartExamined": "HEAD*"},
    "instances-series": {"SeriesInstanceUID": f"{LONG_SERIES},{UID}5.2"},
    "instances-description": {"SeriesDescription": "SCOUT"},
    "instances-description-wild": {"SeriesDescription": "AX*"},
    "instances-description-case": {"SeriesDescription": "ax t1"},
    "instances-description-percent": {"SeriesDescription": "100% DOSE"},
    "instances-description-padded": {"SeriesDescription": "PADDED"},
    "instances-station": {"StationName": "CT01"},
    "instances-station-wild": {"StationName": "?T01"},
    "instances-series-date": {"SeriesDate": "20240115-20240116"},
    "instances-step-date": {"PerformedProcedureStepStartDate": "20240229"},
    "instances-operator": {"OperatorsName": "DOE^OPAL", "Modality": "C*"},
    "instances-series-count": {"NumberOfSeriesRelatedInstances": "3"},
}

INSTANCES_OF_STUDIES: Table = {
    "instances-patient": {"PatientID": "PAT00*"},
    "instances-patient-case": {"PatientID": "pat003"},
    "instances-name": {"PatientName": "doe^*"},
    "instances-name-accent": {"PatientName": "MULLER*"},
    "instances-sex": {"PatientSex": "O", "Rows": "512"},
    "instances-referrer": {"ReferringPhysicianName": "POE^REX"},
    "instances-referrer-case": {"ReferringPhysicianName": "DOE^REFERRER"},
    "instances-referrer-wild": {"ReferringPhysicianName": "*RE*R*"},
    "instances-referrer-suffix": {"ReferringPhysicianName": "ROE^*^DR"},
    "instances-referrer-accents": {"ReferringPhysicianName": "MULLER^*"},
    "instances-referrer-script": {"ReferringPhysicianName": "山田*"},
    "instances-study-date": {"StudyDate": "20240115"},
    "instances-study-dates": {"StudyDate": "20240101-20240131", "Modality": "CT"},
    "instances-accession": {"AccessionNumber": "A_1"},
    "instances-study-description": {"StudyDescription": "PET/CT"},
    "instances-studies": {"StudyInstanceUID": FEW},
    "instances-studies-class": {"StudyInstanceUID": FEW, "SOPClassUID": CT},
    "instances-modalities": {"ModalitiesInStudy": "SR"},
    "instances-birth": {"PatientBirthDate": "19600101-19691231", "SOPClassUID": SECONDARY},
}

INSTANCES_OF_SEQUENCES: Table = {
    "sequence-step": {STEP: "S1"},
    "sequence-step-tags": {"00400275.00400009": "S2"},
    "sequence-step-mixed": {"RequestAttributesSequence.00400009": "s1"},
    "sequence-step-wild": {STEP: "S1*"},
    "sequence-one-item": {STEP: "S1", PROCEDURE: "P1"},
    "sequence-procedure": {PROCEDURE: "P-3"},
    "sequence-description": {DESCRIPTION: "CT^H*"},
    "sequence-and-key": {STEP: "S2", "SOPClassUID": CT},
    "sequence-universal": {STEP: ""},
}

INSTANCES_OTHERWISE: Table = {
    "instances-all": {},
    "instances-universal": {"InstanceNumber": "", "SliceThickness": "", "AcquisitionDate": ""},
    "instances-universal-star": {"ImageComments": "*", "ImageType": "*"},
    "instances-include": {
        "StudyInstanceUID": FEW,
        "includefield": "ImageType,SliceThickness,ContentDate,RequestAttributesSequence",
    },
    "instances-include-tag": {"StudyInstanceUID": f"{UID}28", "includefield": "00181030"},
    "instances-include-all": {"Modality": "CT", "includefield": "all"},
    "instances-include-more": {"StudyInstanceUID": f"{FEW},{UID}28", "includefield": "all"},
    "instances-page": {"limit": "20", "offset": "15"},
    "instances-page-last": {"limit": "20", "offset": "290"},
    "instances-page-of-key": {"SOPClassUID": CT, "limit": "7", "offset": "3"},
    "instances-three-keys": {"SOPClassUID": CT, "Modality": "CT", "ImageType": "DERIVED*"},
}

OF_A_STUDY: Table = {
    "study-instances": {},
    "study-instances-class": {"SOPClassUID": CT},
    "study-instances-number": {"InstanceNumber": "1"},
    "study-instances-rows": {"Rows": "512"},
    "study-instances-uids": {"SOPInstanceUID": f"{UID}28.1.2,{UID}28.2.1,{UID}7.1.1"},
    "study-instances-series": {"SeriesInstanceUID": f"{UID}28.2,{UID}28.3"},
    "study-instances-modality": {"Modality": "?R"},
    "study-instances-type": {"ImageType": "ORIGINAL*"},
    "study-instances-date": {"AcquisitionDate": "20240101-20240131"},
    "study-instances-thickness": {"SliceThickness": "2.5"},
    "study-instances-sequence": {STEP: "S*"},
    "study-instances-page": {"limit": "5", "offset": "12"},
}

OF_A_SERIES: Table = {
    "series-instances": {},
    "series-instances-class": {"SOPClassUID": SECONDARY},
    "series-instances-number": {"InstanceNumber": "2"},
    "series-instances-uids": {"SOPInstanceUID": f"{LONG_SERIES}.2,{LONG_SERIES}.5,{UID}28.2.1"},
    "series-instances-comments": {"ImageComments": "*urred"},
    "series-instances-time": {"ContentTime": "100000-120000"},
    "series-instances-type": {"ImageType": "DERIVED*"},
    "series-instances-page": {"limit": "4", "offset": "6"},
}

SERIES_DETAILS: Table = {
    "detail-description": {"SeriesDescription": "SCOUT"},
    "detail-description-case": {"SeriesDescription": "AX T1"},
    "detail-description-wild": {"SeriesDescription": "AX*"},
    "detail-description-underscore": {"SeriesDescription": "COR_*"},
    "detail-description-bracket": {"SeriesDescription": "SAG [C?]"},
    "detail-description-many": {"SeriesDescription": "THICK"},
    "detail-description-letter": {"SeriesDescription": "KN?E*"},
    "detail-description-script": {"SeriesDescription": "胸部*"},
    "detail-station": {"StationName": "MR01"},
    "detail-station-space": {"StationName": "ROOM 7"},
    "detail-station-wild": {"StationName": "CT0?"},
    "detail-protocol": {"ProtocolName": "Head routine"},
    "detail-protocol-wild": {"ProtocolName": "Chest^*"},
    "detail-operator": {"OperatorsName": "ROE^OTTO"},
    "detail-operator-wild": {"OperatorsName": "doe^op*"},
    "detail-date": {"SeriesDate": "20240115"},
    "detail-date-range": {"SeriesDate": "20240114-20240116"},
    "detail-date-from": {"SeriesDate": "20240116-"},
    "detail-time": {"SeriesTime": "120000"},
    "detail-time-range": {"SeriesTime": "095959-110000"},
    "detail-time-hour": {"SeriesTime": "10"},
    "detail-moment": {"SeriesDate": "20240114-20240115", "SeriesTime": "120000-130000"},
    "detail-step-date": {"PerformedProcedureStepStartDate": "20240116"},
    "detail-step-range": {"PerformedProcedureStepStartDate": "20240101-20240131"},
    "detail-step-time": {"PerformedProcedureStepStartTime": "1015"},
    "detail-step-moment": {
        "PerformedProcedureStepStartDate": "20240115-",
        "PerformedProcedureStepStartTime": "110000-",
    },
    "detail-sequence": {STEP: "S1"},
    "detail-sequence-item": {STEP: "S2", PROCEDURE: "P2"},
    "detail-sequence-wild": {PROCEDURE: "P?"},
    "detail-several": {"Modality": "CT", "StationName": "CT*", "SeriesDate": "20240101-"},
    "detail-of-patient": {"PatientSex": "F", "SeriesDescription": "AX*"},
    "detail-include": {
        "Modality": "MR",
        "includefield": "SeriesDescription,SeriesDate,SeriesTime,StationName,OperatorsName",
    },
    "detail-include-steps": {
        "SeriesNumber": "2",
        "includefield": "PerformedProcedureStepStartDate,00400245,RequestAttributesSequence",
    },
    "detail-referrer": {"ReferringPhysicianName": "ROE^*"},
    "detail-include-referrer": {"Modality": "US", "includefield": "ReferringPhysicianName"},
    "detail-universal": {"SeriesDescription": "", "Modality": "CT"},
    "detail-page": {"SeriesDescription": "AX*", "limit": "6", "offset": "4"},
}

DETAILED: tuple[tuple[str, Table], ...] = (
    ("/studies", STUDIES),
    *(
        ("/instances", table)
        for table in (
            *(INSTANCES, INSTANCES_OF_SERIES, INSTANCES_OF_STUDIES),
            *(INSTANCES_OF_SEQUENCES, INSTANCES_OTHERWISE),
        )
    ),
    (f"/studies/{UID}28/instances", OF_A_STUDY),
    (f"/studies/{UID}28/series/{LONG_SERIES}/instances", OF_A_SERIES),
    ("/series", SERIES_DETAILS),
)
"""Resources with their queries."""
