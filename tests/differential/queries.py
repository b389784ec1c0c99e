"""The queries that both servers are asked, each named by its rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.differential.detailed import DETAILED, FEW, UID

ALL_FIELDS = "StudyDescription,BodyPartExamined,PatientBirthDate"


@dataclass(frozen=True, slots=True)
class Query:
    """One request; `parameters` are the query's, not percent-encoded."""

    id: str
    resource: str
    parameters: Mapping[str, str]

    @property
    def level(self) -> str:
        """What its results are: "studies", "series" or "instances"."""
        return self.resource.rpartition("/")[2]

    @property
    def path(self) -> Mapping[str, str]:
        """The UIDs in its path by keyword."""
        names = {"studies": "StudyInstanceUID", "series": "SeriesInstanceUID"}
        parts = self.resource.strip("/").split("/")
        return {names[k]: uid for k, uid in zip(parts[::2], parts[1::2], strict=False)}


SINGLE = {
    "single-id": {"PatientID": "PAT001"},
    "single-id-lower": {"PatientID": "pat003"},
    "single-id-other-case": {"PatientID": "PAT003"},
    "single-id-space": {"PatientID": "PAT 009"},
    "single-id-percent": {"PatientID": "PAT%10"},
    "single-id-underscore": {"PatientID": "PAT_11"},
    "single-id-brackets": {"PatientID": "PAT[12]"},
    "single-id-hyphen": {"PatientID": "PAT-13"},
    "single-id-dot": {"PatientID": "PAT.14"},
    "single-id-apostrophe": {"PatientID": "PAT'15"},
    "single-id-quote": {"PatientID": 'PAT"16'},
    "single-id-parentheses": {"PatientID": "PAT(17)"},
    "single-id-plus": {"PatientID": "PAT+18"},
    "single-id-ampersand": {"PatientID": "PAT&19"},
    "single-id-equals": {"PatientID": "PAT=20"},
    "single-id-hash": {"PatientID": "PAT#21"},
    "single-id-slash": {"PatientID": "PAT/22"},
    "single-id-comma": {"PatientID": "PAT,25"},
    "single-id-zeros": {"PatientID": "0012345"},
    "single-id-prefix": {"PatientID": "1234"},
    "single-id-none": {"PatientID": "NOBODY"},
    "single-id-tag": {"00100020": "PAT002"},
    "single-accession": {"AccessionNumber": "A10"},
    "single-accession-lower": {"AccessionNumber": "a1"},
    "single-accession-bracket": {"AccessionNumber": "A[1]"},
    "single-accession-percent": {"AccessionNumber": "A%1"},
    "single-accession-space": {"AccessionNumber": "A 1"},
    "single-accession-letters": {"AccessionNumber": "ÄÖ1"},
    "single-accession-zeros": {"AccessionNumber": "0001"},
    "single-accession-semicolon": {"AccessionNumber": "A;1"},
    "single-description": {"StudyDescription": "MR KNEE"},
    "single-description-case": {"StudyDescription": "ct head"},
    "single-description-percent": {"StudyDescription": "100%"},
    "single-description-of-many": {"StudyDescription": "ABDOMEN"},
    "single-description-script": {"StudyDescription": "胸部"},
    "single-description-accent": {"StudyDescription": "MR KNÉE"},
    "single-study-id": {"StudyID": "1"},
    "single-study-id-zero": {"StudyID": "01"},
    "single-study-id-case": {"StudyID": "s1"},
    "single-sex": {"PatientSex": "F"},
    "single-sex-other": {"PatientSex": "O"},
    "single-two-keys": {"PatientSex": "F", "StudyID": "1"},
    "single-date": {"StudyDate": "20240115"},
    "single-date-leap": {"StudyDate": "20240229"},
    "single-birth-date": {"PatientBirthDate": "19810203"},
    "single-time": {"StudyTime": "120000"},
    "single-time-midnight": {"StudyTime": "000000"},
    "single-time-hour": {"StudyTime": "10"},
    "single-time-fraction": {"StudyTime": "101500.5"},
    "single-modalities": {"ModalitiesInStudy": "CT"},
    "single-modalities-rare": {"ModalitiesInStudy": "SEG"},
    "single-modalities-two": {"ModalitiesInStudy": "US,SR"},
    "single-modalities-none": {"ModalitiesInStudy": "XA"},
    "single-count-series": {"NumberOfStudyRelatedSeries": "2"},
    "single-count-instances": {"NumberOfStudyRelatedInstances": "5"},
}

UIDS = {
    "uid-one": {"StudyInstanceUID": f"{UID}7"},
    "uid-list": {"StudyInstanceUID": FEW},
    "uid-list-with-unknown": {"StudyInstanceUID": f"{UID}2,{UID}999"},
    "uid-list-tag": {"0020000D": FEW},
    "uid-prefix": {"StudyInstanceUID": UID.rstrip(".")},
    "uid-list-and-key": {"StudyInstanceUID": FEW, "PatientSex": "F"},
}

WILD = {
    "wild-id-start": {"PatientID": "PAT*"},
    "wild-id-end": {"PatientID": "*345"},
    "wild-id-inside": {"PatientID": "P*T*1"},
    "wild-id-one": {"PatientID": "PAT?11"},
    "wild-id-ones": {"PatientID": "PAT00?"},
    "wild-id-underscore": {"PatientID": "PAT_*"},
    "wild-id-percent": {"PatientID": "PAT%*"},
    "wild-id-bracket": {"PatientID": "PAT[1?]"},
    "wild-id-dot": {"PatientID": "PAT.1?"},
    "wild-id-question": {"PatientID": "????"},
    "wild-id-lower": {"PatientID": "pat*"},
    "wild-id-mixed": {"PatientID": "ID-?L-*"},
    "wild-accession": {"AccessionNumber": "A?1"},
    "wild-accession-any": {"AccessionNumber": "A*1"},
    "wild-accession-not-empty": {"AccessionNumber": "?*"},
    "wild-accession-slash": {"AccessionNumber": "ACC/*"},
    "wild-description": {"StudyDescription": "CT*"},
    "wild-description-inside": {"StudyDescription": "*HEAD*"},
    "wild-description-of-many": {"StudyDescription": "AB*"},
    "wild-description-of-two": {"StudyDescription": "CHEST*"},
    "wild-description-letter": {"StudyDescription": "MR KN?E"},
    "wild-description-script": {"StudyDescription": "胸?"},
    "wild-study-id": {"StudyID": "S?1"},
    "wild-study-id-one": {"StudyID": "?"},
    "wild-modalities": {"ModalitiesInStudy": "S*"},
    "wild-and-date": {"PatientID": "PAT*", "StudyDate": "20240101-20240229"},
}

RANGES = {
    "range-date": {"StudyDate": "20240101-20240131"},
    "range-date-leap": {"StudyDate": "20240228-20240301"},
    "range-date-one-day": {"StudyDate": "20240201-20240201"},
    "range-date-from": {"StudyDate": "20240615-"},
    "range-date-until": {"StudyDate": "-20231231"},
    "range-date-none": {"StudyDate": "20100101-20101231"},
    "range-birth": {"PatientBirthDate": "19600101-19691231"},
    "range-birth-from": {"PatientBirthDate": "19800101-"},
    "range-birth-until": {"PatientBirthDate": "-19600101"},
    "range-time": {"StudyTime": "090000-113000"},
    "range-time-short": {"StudyTime": "09-10"},
    "range-time-minutes": {"StudyTime": "1015-1200"},
    "range-time-from": {"StudyTime": "120000-"},
    "range-time-until": {"StudyTime": "-093000.5"},
    "range-time-until-second": {"StudyTime": "080000-093000"},
    "range-time-fraction": {"StudyTime": "101500.000001-101500.6"},
    "range-date-and-sex": {"StudyDate": "20240101-20241231", "PatientSex": "F"},
    "combined-closed": {"StudyDate": "20240101-20240131", "StudyTime": "120000-130000"},
    "combined-one-day": {"StudyDate": "20240115-20240115", "StudyTime": "090000-110000"},
    "combined-from": {"StudyDate": "20240115-", "StudyTime": "100000-"},
    "combined-until": {"StudyDate": "-20240115", "StudyTime": "-100000"},
    "combined-night": {"StudyDate": "20240131-20240301", "StudyTime": "180000-060000"},
    "apart-single-date": {"StudyDate": "20240115", "StudyTime": "090000-110000"},
    "apart-other-forms": {"StudyDate": "20240101-20240131", "StudyTime": "100000-"},
}

NAMES = {
    "name-whole": {"PatientName": "DOE^JANE"},
    "name-lower": {"PatientName": "doe^jane"},
    "name-start": {"PatientName": "DOE*"},
    "name-family": {"PatientName": "DOE^*"},
    "name-inside": {"PatientName": "*JANE*"},
    "name-middle": {"PatientName": "DOE^JANE^ANN MARY"},
    "name-suffix": {"PatientName": "*^III"},
    "name-empty-components": {"PatientName": "ROE^RICHARD"},
    "name-one-letter": {"PatientName": "?OE^R*"},
    "name-apostrophe": {"PatientName": "O'DOE*"},
    "name-hyphen": {"PatientName": "DOE-ROE^JANE"},
    "name-space": {"PatientName": "VAN DER DOE^J."},
    "name-accents": {"PatientName": "MÜLLER*"},
    "name-accents-lower": {"PatientName": "müller^*"},
    "name-without-accents": {"PatientName": "MULLER*"},
    "name-cedilla": {"PatientName": "GARÇON*"},
    "name-sharp-s": {"PatientName": "STRAUß*"},
    "name-sharp-s-one": {"PatientName": "STRAU?^PROBE"},
    "name-stroke": {"PatientName": "ØRSTED*"},
    "name-cyrillic": {"PatientName": "ИВАНОВ*"},
    "name-cyrillic-lower": {"PatientName": "иванов^*"},
    "name-greek": {"PatientName": "ΔΟΚΙΜΗ^*"},
    "name-ideographic": {"PatientName": "山田*"},
    "name-ideographic-one": {"PatientName": "山田^??"},
    "name-phonetic": {"PatientName": "やまだ*"},
    "name-alphabetic-of-many": {"PatientName": "Yamada*"},
    "name-whole-groups": {"PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう"},
    "name-second-group": {"PatientName": "=山田*"},
    "name-hangul": {"PatientName": "*길동"},
    "name-gb18030": {"PatientName": "王*"},
    "name-hebrew": {"PatientName": "דוגמה*"},
    "name-arabic": {"PatientName": "مثال*"},
    "name-thai": {"PatientName": "ทดสอบ*"},
    "name-emoji": {"PatientName": "EXAMPLE^?"},
    "name-none": {"PatientName": "NOSUCH*"},
    "name-and-sex": {"PatientName": "DOE*", "PatientSex": "F"},
    "name-and-range": {"PatientName": "*O*", "StudyDate": "20240101-20240229"},
}

OTHERS = {
    "universal-none": {},
    "universal-name": {"PatientName": ""},
    "universal-star": {"PatientID": "*", "AccessionNumber": "*"},
    "universal-date": {"StudyDate": ""},
    "universal-and-key": {"PatientName": "", "PatientSex": "M"},
    "include-all": {"PatientID": "PAT*", "includefield": "all"},
    "include-list": {"PatientSex": "F", "includefield": "StudyDescription,PatientBirthDate"},
    "include-tag": {"PatientSex": "M", "includefield": "00081030"},
    "page-first": {"limit": "10"},
    "page-second": {"limit": "10", "offset": "10"},
    "page-last": {"limit": "10", "offset": "60"},
    "page-behind": {"limit": "10", "offset": "100"},
    "page-of-key": {"PatientSex": "F", "limit": "5", "offset": "2"},
    "page-of-range": {"StudyDate": "20240101-20240131", "limit": "4"},
    "page-of-modality": {"ModalitiesInStudy": "MR", "limit": "7", "offset": "7"},
}

SERIES = {
    "series-modality": {"Modality": "CT"},
    "series-modality-list": {"Modality": "PT,SEG"},
    "series-modality-wild": {"Modality": "?R"},
    "series-number": {"SeriesNumber": "10"},
    "series-number-zero": {"SeriesNumber": "0"},
    "series-number-zeros": {"SeriesNumber": "02"},
    "series-uid": {"SeriesInstanceUID": f"{UID}3.1"},
    "series-uid-list": {"SeriesInstanceUID": f"{UID}3.1,{UID}4.1,{UID}5.2"},
    "series-body-part": {"BodyPartExamined": "HEAD"},
    "series-body-part-wild": {"BodyPartExamined": "HEAD*"},
    "series-body-part-case": {"BodyPartExamined": "Head"},
    "series-of-studies": {"StudyInstanceUID": FEW},
    "series-of-patient": {"PatientID": "PAT002"},
    "series-of-dates": {"StudyDate": "20240101-20240131", "Modality": "MR"},
    "series-of-sex": {"PatientSex": "O", "Modality": "CT"},
    "series-of-accession": {"AccessionNumber": "A_1"},
    "series-of-name": {"PatientName": "MÜLLER^*", "Modality": "C?"},
    "series-of-modalities": {"ModalitiesInStudy": "SR"},
    "series-include": {"Modality": "US", "includefield": ALL_FIELDS},
    "series-page": {"Modality": "MR", "limit": "10", "offset": "5"},
    "series-universal": {"Modality": ""},
}

OF_ONE_STUDY: dict[str, tuple[str, dict[str, str]]] = {
    "study-all": ("28", {}),
    "study-unknown": ("999", {}),
    "study-modality": ("28", {"Modality": "CT"}),
    "study-number": ("28", {"SeriesNumber": "1"}),
    "study-uid": ("28", {"SeriesInstanceUID": f"{UID}28.1"}),
    "study-body-part": ("28", {"BodyPartExamined": "HEAD*"}),
    "study-include": ("28", {"includefield": "BodyPartExamined"}),
    "study-page": ("28", {"limit": "1", "offset": "1"}),
}

QUERIES: tuple[Query, ...] = (
    *(
        Query(id_, "/studies", parameters)
        for table in (SINGLE, UIDS, WILD, RANGES, NAMES, OTHERS)
        for id_, parameters in table.items()
    ),
    *(Query(id_, "/series", parameters) for id_, parameters in SERIES.items()),
    *(
        Query(id_, f"/studies/{UID}{number}/series", parameters)
        for id_, (number, parameters) in OF_ONE_STUDY.items()
    ),
    *(
        Query(id_, resource, parameters)
        for resource, table in DETAILED
        for id_, parameters in table.items()
    ),
)
"""All queries; no id twice."""
