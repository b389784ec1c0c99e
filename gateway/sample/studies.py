"""The studies of the sample archive, and which series each of them has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Study:
    """One study: `date` is `YYYYMMDD`, `time` `HHMMSS`; `series` are names of recipes, in order.

    `lesion_mm` is the radius of what there is to find, so that priors show it smaller.
    """

    patient_id: str
    date: str
    time: str
    accession: str
    description: str
    referring: str
    series: tuple[str, ...]
    lesion_mm: float = 7.0

    @property
    def name(self) -> str:
        """What tells it from all others, in every archive."""
        return f"{self.patient_id}/{self.accession}"


_ROE, _POE = "ROE^RICHARD^^Dr.", "POE^PETRA^^Dr."
_SUZUKI, _KIM = "Suzuki^Ichirou=鈴木^一郎=すずき^いちろう", "Kim^Cheolsu=金^哲洙=김^철수"
_PETROV, _DIMOU, _SALIM = "Петров^Пётр", "Δήμου^Δήμος", "سالم^سليم"

STUDIES = (
    # Four priors, in which a nodule grows
    Study("SAMPLE-01", "20190516", "084512", "A190516-01", "Chest PA", _ROE, ("cr-chest",), 4.0),
    Study("SAMPLE-01", "20210322", "101733", "A210322-01", "CT Thorax", _ROE, ("ct-thorax",), 6.0),
    Study(
        "SAMPLE-01",
        "20230914",
        "093005",
        "A230914-01",
        "CT Thorax, follow-up",
        _ROE,
        ("ct-thorax", "sr-report"),
        8.0,
    ),
    Study(
        "SAMPLE-01",
        "20240620",
        "130240",
        "A240620-01",
        "PET/CT FDG, staging",
        _POE,
        ("ct-pet", "pt-fdg"),
        10.0,
    ),
    Study(
        "SAMPLE-01",
        "20250912",
        "111500",
        "A250912-01",
        "CT Thorax and Upper Abdomen",
        _ROE,
        ("ct-volume", "sr-report"),
        13.0,
    ),
    Study("SAMPLE-02", "20200211", "075530", "A200211-01", "MR Brain", _POE, ("mr-t1", "mr-t2")),
    Study(
        "SAMPLE-02",
        "20220804",
        "151015",
        "A220804-01",
        "MR Brain, follow-up",
        _POE,
        ("mr-t1", "mr-t2", "mr-sagittal"),
        10.0,
    ),
    Study("SAMPLE-02", "20250605", "222140", "A250605-01", "CT Head", _POE, ("ct-head",), 12.0),
    Study("SAMPLE-03", "20180925", "100000", "A180925-01", "US Heart", _ROE, ("us-cine",)),
    Study("SAMPLE-03", "20210706", "134455", "A210706-01", "CT Thorax", _ROE, ("ct-thorax",)),
    Study("SAMPLE-03", "20240118", "090817", "A240118-01", "Chest PA", _ROE, ("cr-chest",)),
    Study("SAMPLE-04", "20170703", "113000", "A170703-01", "胸部X線", _SUZUKI, ("cr-chest",)),
    Study(
        "SAMPLE-04",
        "20221130",
        "163018",
        "A221130-01",
        "MR Brain, perfusion",
        _SUZUKI,
        ("mr-t2", "sc-map"),
    ),
    Study(
        "SAMPLE-04",
        "20250219",
        "140507",
        "A250219-01",
        "Echocardiography",
        _SUZUKI,
        ("us-cine", "us-doppler"),
    ),
    # Two studies on one day
    Study("SAMPLE-05", "20231005", "091000", "A231005-01", "CT Head", _SUZUKI, ("ct-head",)),
    Study("SAMPLE-05", "20231005", "143520", "A231005-02", "MR Brain", _SUZUKI, ("mr-t1", "mr-t2")),
    Study("SAMPLE-06", "20191211", "082244", "A191211-01", "흉부 X선", _KIM, ("cr-chest",)),
    Study(
        "SAMPLE-06",
        "20230227",
        "121212",
        "A230227-01",
        "PET/CT FDG",
        _KIM,
        ("ct-pet", "pt-fdg"),
        9.0,
    ),
    Study("SAMPLE-07", "20200918", "154501", "A200918-01", "CT Thorax", _POE, ("ct-thorax",)),
    Study("SAMPLE-07", "20240812", "101010", "A240812-01", "US Carotid", _POE, ("us-doppler",)),
    Study(
        "SAMPLE-08",
        "20181102",
        "120000",
        "A181102-01",
        "МРТ головного мозга",
        _PETROV,
        ("mr-t1", "mr-sagittal"),
    ),
    Study(
        "SAMPLE-08",
        "20211215",
        "173300",
        "A211215-01",
        "CT Thorax",
        _PETROV,
        ("ct-thorax", "pdf-letter"),
    ),
    Study("SAMPLE-08", "20250311", "092525", "A250311-01", "US Heart", _PETROV, ("us-cine",)),
    Study(
        "SAMPLE-09",
        "20220125",
        "110045",
        "A220125-01",
        "Ακτινογραφία θώρακος",
        _DIMOU,
        ("cr-chest", "pdf-letter"),
    ),
    Study("SAMPLE-09", "20240930", "083911", "A240930-01", "MR Brain", _DIMOU, ("mr-t2",)),
    Study(
        "SAMPLE-10",
        "20210418",
        "200315",
        "A210418-01",
        "CT Head, trauma",
        _SALIM,
        ("ct-head", "sr-report"),
    ),
    Study("SAMPLE-10", "20250102", "071500", "A250102-01", "Chest PA", _SALIM, ("cr-chest",)),
    Study("SAMPLE-11", "20170214", "133700", "A170214-01", "CT Head", _POE, ("ct-head",)),
    Study(
        "SAMPLE-11", "20230621", "160000", "A230621-01", "Referral letter", _POE, ("pdf-letter",)
    ),
    Study(
        "SAMPLE-12",
        "20250707",
        "104040",
        "A250707-01",
        "MR Brain, perfusion",
        _ROE,
        ("mr-t1", "mr-sagittal", "sc-map"),
    ),
)
