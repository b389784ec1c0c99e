"""What a client is told of metadata that is damaged, and what it is never given for whole."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.healthimaging.body import Body
from gateway.search.describing import AT_ONCE
from gateway.search.imageset import ImageSet
from gateway.search.metadata import Fault
from tests.http.driver import Answer, ask
from tests.http.upstream import ListedCalls, app_over, image_set
from tests.laws.harness import Stream
from tests.unit.tables import named

INSTANCES = "/dicom-web/instances"
NDJSON = {"accept": "application/x-ndjson"}
MISSING = "Instances of 1 image sets may be missing."


def blob_of(one: ImageSet, instances: int = 2, **of_first: Any) -> dict[str, Any]:
    """The metadata of an image set; `of_first` are attributes of its first instance alone."""
    uid = str(one.tags["DICOMSeriesInstanceUID"])
    dicom = [
        {"SOPInstanceUID": f"{uid}.{n}", "InstanceNumber": f"{n}", "PatientComments": "x" * 3000}
        for n in range(1, instances + 1)
    ]
    dicom[0] |= of_first
    return {
        "Patient": {"DICOM": {}},
        "Study": {
            "DICOM": {},
            "Series": {
                uid: {
                    "DICOM": {"SeriesInstanceUID": uid},
                    "Instances": {d["SOPInstanceUID"]: {"DICOM": d} for d in dicom},
                }
            },
        },
    }


@dataclass
class DescribedCalls(ListedCalls):
    """With metadata: that of `blobs`, else of two instances."""

    blobs: dict[str, bytes] = field(default_factory=dict)

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """The blob of the image set."""
        (one,) = (s for s in self.image_sets if s.image_set_id == image_set_id)
        whole = gzip.compress(json.dumps(blob_of(one)).encode())
        return Body(Stream(self.blobs.get(image_set_id, whole)))


SETS = [image_set(number, date=f"202001{30 - number}") for number in range(1, 4)]
DAMAGED = SETS[1]
WHOLE = json.dumps(blob_of(DAMAGED)).encode()


def packed(document: Any) -> bytes:
    """A document as HealthImaging sends it."""
    return gzip.compress(json.dumps(document).encode())


async def asked(blob: bytes, target: str = INSTANCES, **headers: str) -> Answer:
    """The answer where the second of three image sets has that blob."""
    app = app_over(DescribedCalls(SETS, blobs={DAMAGED.image_set_id: blob}))
    return await ask(app, target, headers=headers)


def warned(answer: Answer) -> list[str]:
    """The texts of an answer's Warnings."""
    return [text.partition("dicom-web: ")[2] for text in answer.all("warning")]


@pytest.mark.parametrize(
    ("blob", "fault", "served"),
    named({
        "bytes": (b"\x00\x01\x02", Fault.NOT_GZIP, 0),
        "nothing": (b"", Fault.NOT_GZIP, 0),
        "text": (gzip.compress(b"<html>"), Fault.NOT_JSON, 0),
        "a list": (packed([]), Fault.INCOMPLETE, 0),
        "nothing in it": (packed({}), Fault.INCOMPLETE, 0),
        "cut within the last instance": (gzip.compress(WHOLE[:-600]), Fault.NOT_JSON, 1),
        "no instances": (packed({"Study": {"Series": {"1.2.2.1": {}}}}), Fault.INCOMPLETE, 0),
    }),
)  # fmt: skip
async def test_instances_that_may_be_missing(blob: bytes, fault: Fault, served: int) -> None:
    """The neighbours are served, and the answer says what is wrong and that some may be missing."""
    answer = await asked(blob)
    assert (200, 4 + served) == (answer.status, len(answer.json))
    assert f"The metadata of 1 image sets {fault.value}." in warned(answer)
    assert MISSING in warned(answer)
    assert [] == answer.all("x-total-count")  # nobody knows it


@pytest.mark.parametrize(
    ("more", "fault"),
    named({
        "text where a number belongs": ({"Rows": "many"}, Fault.VALUE),
        "an object where text belongs": ({"SOPClassUID": {}}, Fault.VALUE),
        "a private one without VR": ({"00091001": "A"}, Fault.VR),
        "no keyword": ({"Nothing": "A"}, Fault.VR),
    }),
)  # fmt: skip
async def test_values_that_do_not_fit(more: dict[str, Any], fault: Fault) -> None:
    """The instance is served without them, and all instances are there."""
    answer = await asked(packed(blob_of(DAMAGED, **more)), f"{INSTANCES}?includefield=all")
    assert (200, 6) == (answer.status, len(answer.json))
    assert [f"The metadata of 1 image sets {fault.value}."] == warned(answer)


@pytest.mark.parametrize(
    "null", [{"ReferencedImageSequence": None}, {"Rows": None}, {"PatientName": None}]
)
async def test_null_is_no_fault(null: dict[str, Any]) -> None:
    """A null is an attribute without a value, a sequence too."""
    answer = await asked(packed(blob_of(DAMAGED, **null)), f"{INSTANCES}?includefield=all")
    assert (200, 6, []) == (answer.status, len(answer.json), warned(answer))


async def test_a_damaged_series_is_served_without_details() -> None:
    """A series is one by its summary, whatever its metadata is."""
    answer = await asked(b"\x00", "/dicom-web/series?includefield=SeriesDescription")
    assert (200, 3) == (answer.status, len(answer.json))
    assert "The metadata of 1 image sets is not gzip." in warned(answer)


async def test_of_how_many_image_sets() -> None:
    """Image sets are counted, however many of their instances a fault has."""
    damaged = json.dumps(blob_of(SETS[0], Rows="many", Columns="many")).encode()
    blobs = {SETS[0].image_set_id: damaged, **{s.image_set_id: b"\x00" for s in SETS[1:]}}
    answer = await ask(app_over(DescribedCalls(SETS, blobs=blobs)), INSTANCES)
    assert [
        "The metadata of 2 image sets is not gzip.",
        "The metadata of 1 image sets has a value that does not fit its VR.",
        "Instances of 2 image sets may be missing.",
    ] == warned(answer)


async def test_a_count_says_so_too() -> None:
    """A number that may be too small has the Warning as well."""
    answer = await asked(b"\x00", f"{INSTANCES}/count")
    assert (200, {"count": 4}) == (answer.status, answer.json)
    assert MISSING in warned(answer)


# --- behind the header ----------------------------------------------------------------------------

MANY = [image_set(number) for number in range(1, 60)]
LONG = f"{INSTANCES}?includefield=PatientComments"


@pytest.mark.parametrize(
    ("accept", "complete"),
    [("application/dicom+json", False), ("text/csv", False), ("application/x-ndjson", True)],
)
async def test_what_is_missing_behind_the_header(accept: str, complete: bool) -> None:
    """An answer whose header did not say so is cut; NDJSON says it in its last line."""
    app = app_over(DescribedCalls(MANY, blobs={MANY[-1].image_set_id: b"\x00"}))
    answer = await ask(app, LONG, headers={"accept": accept})
    assert (200, complete) == (answer.status, answer.complete)
    assert MISSING not in warned(answer)
    if complete:
        last = json.loads(answer.body.splitlines()[-1])
        assert (True, 116) == (last["complete"], last["count"])
        assert MISSING in last["warnings"]


async def test_what_is_missing_behind_the_last_chunk() -> None:
    """An answer is cut at its end as well."""
    sets = MANY[9 : 9 + AT_ONCE + 3]  # in the order of their UIDs
    large = json.dumps(blob_of(sets[0], instances=700)).encode()
    blobs = {sets[0].image_set_id: large, sets[-1].image_set_id: b"\x00"}
    answer = await ask(app_over(DescribedCalls(sets, blobs=blobs)), INSTANCES)
    assert (200, False) == (answer.status, answer.complete)
    assert MISSING not in warned(answer)
    assert not answer.body.endswith(b"]")


async def test_what_is_missing_before_the_header_is_said_once() -> None:
    """A long answer that has said so goes on to its end."""
    app = app_over(DescribedCalls(MANY, blobs={MANY[0].image_set_id: b"\x00"}))
    answer = await ask(app, LONG)
    assert (200, True, 116) == (answer.status, answer.complete, len(answer.json))
    assert MISSING in warned(answer)


async def test_a_value_that_does_not_fit_cuts_nothing() -> None:
    """All instances are there: the log has it."""
    blob = packed(blob_of(MANY[-1], Rows="many"))
    app = app_over(DescribedCalls(MANY, blobs={MANY[-1].image_set_id: blob}))
    answer = await ask(app, LONG)
    assert (True, 118) == (answer.complete, len(answer.json))


async def test_metadata_says_nothing_of_what_is_in_it() -> None:
    """A Warning names the fault, never a value."""
    answer = await asked(packed(blob_of(DAMAGED, Rows="DOE^JANE")), INSTANCES)
    assert ["The metadata of 1 image sets has a value that does not fit its VR."] == warned(answer)
