"""The developer guide's examples through AWS's SDK for JavaScript.

All run in one process of Node.js, since its start takes the most of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.clients.archive import SEEDS, assert_answer, assert_example
from tests.clients.calling import javascript
from tests.e2e.running import Running

Answers = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def answers(emulator: Running) -> Answers:
    """What the SDK got for each of the examples."""
    got: Answers = javascript(emulator.url, "examples")
    return got


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("Use case #1: EQUAL operator", 3),
        ("Use case #2: BETWEEN operator using DICOMStudyDate and DICOMStudyTime", 4),
        ("Use case #3: BETWEEN operator using createdAt", 5),
        ("Use case #4: EQUAL on DICOMSeriesInstanceUID and BETWEEN on updatedAt, sorted ASC", 1),
    ],
)
def test_example(answers: Answers, name: str, pages: int) -> None:
    """Each example finds what the guide promises, by pages of fifty."""
    answer = answers[name]
    assert_example(answer["criteria"], answer["imageSetsMetadataSummaries"])
    assert pages == answer["pages"]


def test_no_criteria(answers: Answers) -> None:
    """The guide's function without criteria sends none, and finds all."""
    answer = answers["no criteria"]
    assert_answer({}, answer["imageSetsMetadataSummaries"])
    assert len(SEEDS) == len(answer["imageSetsMetadataSummaries"])
