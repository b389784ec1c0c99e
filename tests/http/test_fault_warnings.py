"""What an answer says of metadata that is damaged or gone, and when it is cut instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from gateway.healthimaging.body import Body
from gateway.search.describing import AT_ONCE
from gateway.server.searches import Limits
from tests.http.driver import Answer, ask
from tests.http.upstream import ListedCalls, app_over, image_set

INSTANCES = "/dicom-web/instances"
JSON, LINES = "application/dicom+json", "application/x-ndjson"
PREFIX = "299 http://gateway.test/dicom-web: "
MAYBE = "There may be additional results that can be requested"
NO_JSON = b'{"Patient": '


class _Whole:
    """A body that comes in one piece."""

    def __init__(self, blob: bytes) -> None:
        self.raw_stream = SimpleNamespace(headers={})
        self._blob = blob

    async def read(self, _: int) -> bytes:
        """All of it, then nothing."""
        found, self._blob = self._blob, b""
        return found

    def close(self) -> None:
        """There is nothing to close."""


@dataclass
class Described(ListedCalls):
    """Gives the metadata of `blobs`, by the number of the study; that of the others is gone."""

    blobs: Mapping[int, bytes] = field(default_factory=dict)

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """The blob."""
        blob = self.blobs.get(int(image_set_id, 16))
        return Body(None if blob is None else _Whole(blob))


def blob(number: int, instances: int = 1, rows: object = 4) -> bytes:
    """The metadata of study `number`, whose instances have as many rows."""
    uid = f"1.2.{number}.1"
    found = {f"{uid}.{n}": {"DICOM": {"Rows": rows}} for n in range(instances)}
    series = {uid: {"DICOM": {}, "Instances": found}}
    study = {"Patient": {"DICOM": {}}, "Study": {"DICOM": {}, "Series": series}}
    return json.dumps(study).encode()


async def asked(blobs: Mapping[int, bytes], target: str, accept: str, studies: int = 0) -> Answer:
    """The answer to `target` of so many studies, the first one first."""
    days = [f"{2024 - number}0101" for number in range(studies or len(blobs))]
    sets = [image_set(number, date=day) for number, day in enumerate(days, 1)]
    calls = Described(sets, blobs=blobs)
    app = app_over(calls, limits=Limits(default_limit=5_000))
    return await ask(app, target, headers={"accept": accept})


WHOLE = {number: blob(number) for number in (1, 2, 3)}


@pytest.mark.parametrize(
    ("blobs", "texts"),
    [
        pytest.param(WHOLE, [], id="nothing"),
        pytest.param({**WHOLE, 2: NO_JSON, 3: NO_JSON},
            ["The metadata of 2 image sets is not JSON.",
             "Instances of 2 image sets may be missing."], id="two are broken"),
        pytest.param({**WHOLE, 1: blob(1, 5, rows="x"), 3: NO_JSON},
            ["The metadata of 1 image sets is not JSON.",
             "The metadata of 1 image sets has a value that does not fit its VR.",
             "Instances of 1 image sets may be missing."], id="of each fault the image sets"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("target", [INSTANCES, f"{INSTANCES}/count?Rows=4"])
async def test_faults_are_told(blobs: dict[int, bytes], texts: list[str], target: str) -> None:
    """An answer and a count say of how many image sets what is wrong, and that some may lack."""
    accept = "application/json" if "count" in target else JSON
    answer = await asked(blobs, target, accept)
    assert (200, True) == (answer.status, answer.complete)
    assert [PREFIX + text for text in texts] == answer.all("warning")


FIRST = {1: blob(1, 1_500)}  # more than is held


@pytest.mark.parametrize(
    ("accept", "gone", "complete", "told"),
    [
        pytest.param(JSON, AT_ONCE + 2, False, [MAYBE], id="JSON"),
        pytest.param(JSON, 2, True, ["The metadata of 1 image sets is gone.",
            "Instances of 1 image sets may be missing.", MAYBE], id="JSON, told in time"),
        pytest.param(JSON, 0, True, [MAYBE], id="JSON, none"),
        pytest.param(LINES, AT_ONCE + 2, True, [MAYBE], id="NDJSON tells it at its end"),
    ],
)  # fmt: skip
async def test_what_goes_missing_later(
    accept: str, gone: int, complete: bool, told: list[str]
) -> None:
    """Once the header has said that nothing lacks, an answer that lacks instances is cut."""
    blobs = FIRST | {number: blob(number) for number in range(2, AT_ONCE + 4) if number != gone}
    answer = await asked(blobs, INSTANCES, accept, studies=AT_ONCE + 3)
    assert (200, complete) == (answer.status, answer.complete)
    assert [PREFIX + text for text in told] == answer.all("warning")
    if accept == LINES:
        last = json.loads(answer.body.splitlines()[-1])
        assert "Instances of 1 image sets may be missing." in last["warnings"]
    elif complete:
        assert 1_500 + AT_ONCE + 2 - (gone > 0) == len(answer.json)
    else:
        assert not answer.body.endswith(b"]")
