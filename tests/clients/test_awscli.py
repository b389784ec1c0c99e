"""The examples of `aws medical-imaging search-image-sets`, run by AWS's command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.clients.archive import DATASTORE_ID, PATIENT, SEEDS, Criteria, assert_example, expected
from tests.clients.calling import aws
from tests.e2e.running import Running, ask

# The documents' search-criteria.json, letter for letter
EXAMPLES = {
    "Example 1: EQUAL": """{
    "filters": [{
        "values": [{"DICOMPatientId" : "SUBJECT08701"}],
        "operator": "EQUAL"
    }]
}
""",
    "Example 2: BETWEEN using DICOMStudyDate and DICOMStudyTime": """{
    "filters": [{
        "values": [{
            "DICOMStudyDateAndTime": {
                "DICOMStudyDate": "19900101",
                "DICOMStudyTime": "000000"
            }
        },
        {
            "DICOMStudyDateAndTime": {
                "DICOMStudyDate": "20230101",
                "DICOMStudyTime": "000000"
            }
        }],
        "operator": "BETWEEN"
    }]
}
""",
    "Example 3: BETWEEN using createdAt": """{
    "filters": [{
        "values": [{
            "createdAt": "1985-04-12T23:20:50.52Z"
        },
        {
            "createdAt": "2022-04-12T23:20:50.52Z"
        }],
        "operator": "BETWEEN"
    }]
}
""",
    "Example 4: EQUAL on DICOMSeriesInstanceUID, BETWEEN on updatedAt, sorted ASC": """{
    "filters": [{
        "values": [{
            "updatedAt": "2024-03-11T15:00:05.074000-07:00"
        }, {
            "updatedAt": "2024-03-11T16:00:05.074000-07:00"
        }],
        "operator": "BETWEEN"
    }, {
        "values": [{
            "DICOMSeriesInstanceUID": "1.2.840.99999999.84710745.943275268089"
        }],
        "operator": "EQUAL"
    }],
    "sort": {
        "sortField": "updatedAt",
        "sortOrder": "ASC"
    }
}
""",
}
CRITERIA = next(iter(EXAMPLES.values()))
OF_PATIENT = expected({"filters": [{"values": [{"DICOMPatientId": PATIENT}], "operator": "EQUAL"}]})


def search(emulator: Running, folder: Path, criteria: str, *options: str) -> str:
    """What the documents' command prints with these contents of search-criteria.json."""
    (folder / "search-criteria.json").write_text(criteria, "utf-8")
    arguments = ("--datastore-id", DATASTORE_ID, "--search-criteria", "file://search-criteria.json")
    ended = aws(emulator.url, folder, *arguments, *options)
    assert (0, "") == (ended.status, ended.errors)
    return ended.out


def sent(criteria: str) -> Criteria:
    """The criteria as they leave the command line, which drops fractions of seconds."""
    whole: Criteria = json.loads(re.sub(r"(:[0-9]{2})\.[0-9]+", r"\1", criteria))
    return whole


def ids(out: str) -> list[str]:
    """The imageSetIds of the JSON."""
    return [one["imageSetId"] for one in json.loads(out)["imageSetsMetadataSummaries"]]


def calls(emulator: Running) -> int:
    """How many searches the emulator has answered."""
    number: int = ask(f"{emulator.url}/_emulator/calls").json.get("SearchImageSets", 0)
    return number


@pytest.mark.parametrize("criteria", EXAMPLES.values(), ids=EXAMPLES)
def test_example(emulator: Running, tmp_path: Path, criteria: str) -> None:
    """Each example finds what the document promises, on however many pages that is."""
    found: dict[str, Any] = json.loads(search(emulator, tmp_path, criteria))
    assert_example(sent(criteria), found["imageSetsMetadataSummaries"])
    assert "nextToken" not in found


def test_without_criteria(emulator: Running, tmp_path: Path) -> None:
    """Without criteria all are found, newest first."""
    ended = aws(emulator.url, tmp_path, "--datastore-id", DATASTORE_ID)
    assert (0, "") == (ended.status, ended.errors)
    assert expected({}) == ids(ended.out)
    assert len(SEEDS) == len(ids(ended.out))


def test_no_paginate(emulator: Running, tmp_path: Path) -> None:
    """It is one call: the first page, and the service's token."""
    before = calls(emulator)
    found = search(emulator, tmp_path, CRITERIA, "--no-paginate")
    assert OF_PATIENT[:50] == ids(found)
    assert json.loads(found)["nextToken"]
    assert {"sortOrder": "DESC", "sortField": "updatedAt"} == json.loads(found)["sort"]
    assert 1 == calls(emulator) - before


def test_page_size(emulator: Running, tmp_path: Path) -> None:
    """It changes how many calls are made, not what is found."""
    before = calls(emulator)
    assert OF_PATIENT == ids(search(emulator, tmp_path, CRITERIA, "--page-size", "30"))
    assert 5 == calls(emulator) - before


def test_max_items_and_starting_token(emulator: Running, tmp_path: Path) -> None:
    """The rest begins where the first part ended, in the middle of a page."""
    first = search(emulator, tmp_path, CRITERIA, "--max-items", "60")
    token = json.loads(first)["NextToken"]
    rest = search(emulator, tmp_path, CRITERIA, "--starting-token", token)
    assert (OF_PATIENT[:60], OF_PATIENT[60:]) == (ids(first), ids(rest))
    assert "NextToken" not in json.loads(rest)


def test_query_as_text(emulator: Running, tmp_path: Path) -> None:
    """A query of what the document allows is answered as text, page by page."""
    query = ("--query", "imageSetsMetadataSummaries[].imageSetId", "--output", "text")
    lines = search(emulator, tmp_path, CRITERIA, *query).splitlines()
    assert [50, 50, 30] == [len(line.split()) for line in lines]
    assert OF_PATIENT == " ".join(lines).split()


def test_query_of_nothing_found(emulator: Running, tmp_path: Path) -> None:
    """A patient that is not there is an empty list, not an error."""
    query = ("--query", "length(imageSetsMetadataSummaries)")
    assert "0" == search(emulator, tmp_path, CRITERIA.replace("8701", "8702"), *query).strip()
