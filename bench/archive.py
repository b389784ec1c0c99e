"""A made-up archive as NDJSON, for benches: `python bench/archive.py NUMBER FILE`.

Uneven years (denser in later ones), 1 to 12 series a study, 2 % of the studies undated. The same
for the same number.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

FIRST_DAY = date(2006, 1, 1)
DAYS = 20 * 365


def summaries(number: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """So many summaries, study by study."""
    chance = random.Random(seed)
    made = study = 0
    while made < number:
        study += 1
        day = FIRST_DAY + timedelta(days=int(DAYS * chance.random() ** 0.5))
        seconds = chance.randrange(86400)
        tags = {
            "DICOMStudyInstanceUID": f"1.2.826.0.1.{study}",
            "DICOMPatientId": f"PAT{chance.randrange(number // 6 + 1)}",
            "DICOMPatientName": f"DOE{study % 997}^JANE",
            "DICOMAccessionNumber": f"ACC{study}",
            "DICOMStudyId": str(study % 1000),
            "DICOMStudyDescription": "CT CHEST",
        }
        if chance.random() > 0.02:
            tags["DICOMStudyDate"] = day.strftime("%Y%m%d")
            tags["DICOMStudyTime"] = f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"
        for series in range(min(chance.choice((1, 1, 2, 2, 3, 4, 6, 12)), number - made)):
            made += 1
            own = {
                "DICOMSeriesInstanceUID": f"1.2.826.0.1.{study}.{series}",
                "DICOMSeriesModality": chance.choice(("CT", "MR", "US", "CR", "PT")),
                "DICOMSeriesNumber": series + 1,
                "DICOMNumberOfStudyRelatedSeries": 1,
                "DICOMNumberOfStudyRelatedInstances": chance.randrange(1, 400),
            }
            yield {
                "imageSetId": f"{made:032x}",
                "version": 1,
                "createdAt": 1.6e9 + made,
                "updatedAt": 1.7e9 + made,
                "isPrimary": True,
                "DICOMTags": {**tags, **own},
            }


def write(number: int, path: Path) -> None:
    """So many summaries, a line each."""
    with path.open("wb") as file:
        for summary in summaries(number):
            file.write(orjson.dumps(summary) + b"\n")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
