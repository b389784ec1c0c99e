"""The law of silence: no patient's data reaches a log, a metric, an error's text or a problem body.

Sentinels stand in queries, in the store, in tokens and in the upstream's own texts.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.emulator.errors import WireError
from gateway.errors import QueryError
from gateway.healthimaging.body import Body
from gateway.healthimaging.walks import WalkLimits
from gateway.qido.attributes import Level, Resource
from gateway.qido.query import Dialect, parse_query
from gateway.qido.result import Item, Result
from gateway.search.imageset import ImageSet, Page
from gateway.search.metadata import Metadata, PackedInstance
from gateway.search.plan import Plan, SearchOptions, completion, plan
from gateway.search.upstream import Resume
from gateway.server.telemetry import configure_logging
from tests.building import service_over
from tests.http.driver import Answer, ask
from tests.laws.blobs import packed
from tests.laws.harness import MANY_CALLS, StoreCalls, app_of, store_of
from tests.laws.test_laws import EXAMPLES

SENTINEL = "SENTINEL"
UID = "1.2.77777777"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.BytesIO]:
    """What the gateway logs, and what other libraries do."""
    written = io.BytesIO()
    handlers = logging.getLogger().handlers[:]
    configure_logging("debug")
    structlog.configure(logger_factory=structlog.BytesLoggerFactory(written))
    yield written
    structlog.reset_defaults()
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = handlers


class Failing(StoreCalls):
    """Fails at one call, with a text that holds what it was asked."""

    fails_at = 0
    failure: Exception = ValueError()

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """A page, or the failure."""
        if self.served + 1 == self.fails_at:
            raise self.failure
        return await super().search_image_sets(one, page_size, next_token)

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """A blob, or the failure."""
        if self.calls + 1 == self.fails_at:
            raise self.failure
        return await super().image_set_metadata(image_set_id, version)


def _summaries() -> list[dict[str, Any]]:
    return [
        {
            "imageSetId": f"{number:032x}",
            "updatedAt": float(number),
            "isPrimary": number % 7 > 0,
            "DICOMTags": {
                "DICOMStudyInstanceUID": f"{UID}.{number}",
                "DICOMSeriesInstanceUID": f"{UID}.{number}.1",
                "DICOMStudyDate": f"{2000 + number % 20}0101",
                "DICOMPatientName": f"{SENTINEL}^JANE",
                "DICOMPatientId": f"{SENTINEL}{number}",
                "DICOMAccessionNumber": SENTINEL,
            },
        }
        for number in range(120)
    ]


async def _ask(
    target: str,
    fails_at: int = 0,
    failure: Exception | None = None,
    *,
    blob: bytes = b"",
    accept: str = "*/*",
) -> Answer:
    summaries = _summaries()
    store = store_of(summaries)
    calls = Failing(store, 20, {one["imageSetId"]: blob for one in summaries})
    calls.fails_at, calls.failure = fails_at, failure or ValueError()
    app = app_of(service_over(calls, limits=MANY_CALLS))
    answer = await ask(app, target, headers={"x-request-id": f"{SENTINEL} ^", "accept": accept})
    metrics = await ask(app, "/metrics", headers={"accept": f"text/plain;version={SENTINEL}"})
    said = f"{metrics.headers}{metrics.body.decode()}"
    assert "qido_gateway_requests_total" in said
    assert not any(text in said for text in (SENTINEL, UID))
    store.close()
    return answer


TARGETS = [
    f"/dicom-web/studies?PatientName={SENTINEL}*",
    f"/dicom-web/studies?PatientID={SENTINEL}1&limit=1",
    f"/dicom-web/studies?StudyInstanceUID={UID}.1",
    f"/dicom-web/studies/{UID}.1/series?Modality={SENTINEL}",
    f"/dicom-web/studies/{SENTINEL}/series",
    f"/dicom-web/studies?StudyDate={SENTINEL}",
    f"/dicom-web/studies?limit={SENTINEL}",
    f"/dicom-web/studies?fuzzymatching={SENTINEL}",
    f"/dicom-web/studies?{SENTINEL}%5EJANE=1",
    f"/dicom-web/studies?includefield={SENTINEL}",
    f"/dicom-web/{SENTINEL}",
    f"/dicom-web/studies?PatientName=%FF{SENTINEL}",
]


@pytest.mark.parametrize("number", range(len(TARGETS)))
@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(None, id="none"),
        pytest.param(ValueError(f"{SENTINEL} {UID}"), id="a bug"),
        pytest.param(KeyError(f"{SENTINEL} {UID}"), id="a bug with a key"),
        pytest.param(WireError(SENTINEL, 400, f"{SENTINEL} {UID}"), id="an unknown error"),
    ],
)
async def test_logs_and_errors_are_silent(
    log: io.BytesIO, number: int, failure: Exception | None
) -> None:
    """Whatever a request holds and however it ends, log and problem body say nothing of it."""
    answer = await _ask(TARGETS[number], 1 if failure else 0, failure)
    lines = log.getvalue().decode()
    assert "request" in {json.loads(line)["event"] for line in lines.splitlines()}
    _assert_silent(answer, log)


def _document(
    dicom: object = SENTINEL, vrs: object = SENTINEL, series: object = SENTINEL
) -> dict[str, Any]:
    """Metadata of image set 119, which is the newest, with these in its series and instances."""
    series_uid = f"{UID}.119.1"
    instances = {f"{series_uid}.{n}": {"DICOM": dicom, "DICOMVRs": vrs} for n in (1, 2)}
    return {
        "Patient": {"DICOM": {"PatientName": SENTINEL, "PatientSex": [SENTINEL]}},
        "Study": {
            "DICOM": {"ReferringPhysicianName": f"{SENTINEL}^X"},
            "Series": {series_uid: {"DICOM": series, "Instances": instances}},
        },
    }


_SERIES = {
    "SeriesDescription": SENTINEL,
    "RequestAttributesSequence": [{"ScheduledProcedureStepID": SENTINEL}],
}
_DICOM = {"ImageType": [SENTINEL], "00090010": SENTINEL, "00091001": SENTINEL, "00091002": UID}
_UNFIT = {
    "Rows": SENTINEL,
    "InstanceNumber": SENTINEL,
    "SliceThickness": [SENTINEL, 1],
    "ReferencedImageSequence": SENTINEL,
    "AcquisitionDate": UID,
    "SOPClassUID": [[UID]],
    SENTINEL: UID,
    "00091001": {SENTINEL: UID},
}
BLOBS = [
    pytest.param(packed(_document(_DICOM, {"00091001": "LO"}, _SERIES)), id="sound"),
    pytest.param(packed(_document(_DICOM, {"00091001": SENTINEL}, _SERIES)), id="strange VRs"),
    pytest.param(packed(_document(_UNFIT, {SENTINEL: UID}, _UNFIT)), id="values that do not fit"),
    pytest.param(packed(_document()), id="levels that are texts"),
    pytest.param(packed({SENTINEL: UID}), id="keys"),
    pytest.param(packed(_document(_DICOM, {}, _SERIES))[:-30], id="cut"),
    pytest.param(gzip.compress(f'{{"{SENTINEL}": {UID} '.encode()), id="no JSON"),
    pytest.param(f"{SENTINEL} {UID}".encode(), id="no gzip"),
]
DETAILS = [
    "/dicom-web/instances?limit=3",
    f"/dicom-web/instances?includefield=all&StudyInstanceUID={UID}.119",
    f"/dicom-web/studies/{UID}.119/instances?SeriesDescription={SENTINEL}*&ImageType={SENTINEL}",
    f"/dicom-web/studies/{UID}.119/series/{UID}.119.1/instances?00090010={SENTINEL}"
    f"&00091001={SENTINEL}&AcquisitionDateTime={SENTINEL}",
    f"/dicom-web/studies/{UID}.119/instances?00090010={SENTINEL}&00091001={SENTINEL}",
    f"/dicom-web/studies/{UID}.119/series?includefield=RequestAttributesSequence.{SENTINEL}",
    f"/dicom-web/series?RequestAttributesSequence.ScheduledProcedureStepID={SENTINEL}"
    f"&StudyInstanceUID={UID}.119&includefield=SeriesDescription",
    f"/dicom-web/instances?SOPInstanceUID={UID}.119.1.1&StudyInstanceUID={UID}.119&Rows={SENTINEL}",
]
TYPES = (
    "application/dicom+json",
    'multipart/related; type="application/dicom+xml"',
    "application/x-ndjson",
    "text/csv",
)


@pytest.mark.parametrize("accept", TYPES)
@pytest.mark.parametrize("blob", BLOBS)
async def test_metadata_is_silent(log: io.BytesIO, blob: bytes, accept: str) -> None:
    """Whatever metadata holds, log, headers and problem bodies say nothing of it."""
    statuses = set()
    for target in DETAILS:
        answer = await _ask(target, blob=blob, accept=accept)
        statuses.add(answer.status)
        _assert_silent(answer, log)
    assert {200, 400} == statuses


@pytest.mark.parametrize("number", (2, 3))
@pytest.mark.parametrize("accept", TYPES)
async def test_failures_of_metadata_are_silent(log: io.BytesIO, accept: str, number: int) -> None:
    """Nor do they where a call for metadata fails, early or late."""
    blob = packed(_document(_DICOM, {}, _SERIES))
    for failure in (ValueError(f"{SENTINEL} {UID}"), WireError(SENTINEL, 400, f"{SENTINEL} {UID}")):
        answer = await _ask("/dicom-web/instances", number, failure, blob=blob, accept=accept)
        # what is sent line by line has begun already
        assert answer.status >= 500 or not answer.complete
        _assert_silent(answer, log)


def _assert_silent(answer: Answer, log: io.BytesIO) -> None:
    lines = log.getvalue().decode()
    assert SENTINEL not in lines
    assert UID not in lines
    if answer.status != 200:
        assert SENTINEL not in answer.body.decode()
        assert UID not in answer.body.decode()
    assert not any(SENTINEL in value or UID in value for _, value in answer.headers)


@pytest.mark.parametrize("path", [f"/{SENTINEL}", f"/dicom-web/studies/{UID}", "/healthz"])
async def test_a_method_is_silent(log: io.BytesIO, path: str) -> None:
    """A method of the client's own reaches no metric, whatever it is sent to."""
    store = store_of([])
    app = app_of(service_over(StoreCalls(store)))
    answer = await ask(app, path, method=SENTINEL)
    assert answer.status in (404, 405)
    metrics = (await ask(app, "/metrics")).body.decode()
    assert not any(text in metrics for text in (SENTINEL, UID))
    store.close()


async def test_a_bug_is_silent(log: io.BytesIO) -> None:
    """A bug is logged by its type and place only."""
    await _ask("/dicom-web/studies?limit=1", 1, RuntimeError(SENTINEL))
    bug = next(
        line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == "bug"
    )
    assert "RuntimeError" == bug["type"]
    assert "test_silence.py:" in bug["place"]


def test_other_libraries_are_silent(log: io.BytesIO) -> None:
    """Of another library's line only its logger and level are kept."""
    logging.getLogger("botocore.endpoint").warning("%s", SENTINEL, exc_info=ValueError(SENTINEL))
    logging.getLogger("uvicorn.error").error("Something %s", SENTINEL)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert ["library", "Something %s"] == [line["event"] for line in lines]
    assert SENTINEL not in log.getvalue().decode()


def test_pythons_warnings_are_not_quoted(
    log: io.BytesIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """What pydicom warns of may be a value: the log says that there was a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"The value {SENTINEL} is no UID", UserWarning, stacklevel=1)
    assert ["library"] == [json.loads(line)["event"] for line in log.getvalue().splitlines()]
    assert SENTINEL not in "".join(capfd.readouterr())


_NAMES = st.sampled_from(
    ("SliceThickness", "AcquisitionDateTime", "RequestAttributesSequence.RequestedProcedureID",
     "RequestAttributesSequence", "Rows", "PatientAge", "00091001", "00090010",
     "PatientName", "StudyDate", "StudyTime", "StudyInstanceUID", "NumberOfStudyRelatedSeries",
     "limit", "offset", "fuzzymatching", "PatientBirthDate", "00100020"))  # fmt: skip


@EXAMPLES
@given(st.sampled_from(Resource), _NAMES, st.text(max_size=5), st.text(max_size=5), st.booleans())
def test_query_errors_are_silent(
    resource: Resource, name: str, before: str, after: str, strict: bool
) -> None:
    """No value stands in a QueryError or in a query's warnings."""
    target = f"{name}={quote(f'{before}{SENTINEL}{after}')}"
    try:
        query = parse_query(resource, target.encode(), dialect=Dialect(strict=strict))
    except QueryError as exc:
        said = [str(exc), repr(exc)]
    else:
        said = [*query.warnings, *query.parameters]
    assert not any(SENTINEL in text for text in said)


@pytest.mark.parametrize(
    "value",
    [
        parse_query(
            Resource.STUDIES,
            f"PatientID={SENTINEL}&PatientName={SENTINEL}*&StudyDate=20200101-20200102"
            f"&StudyInstanceUID={UID}".encode(),
        ),
        plan(parse_query(Resource.STUDIES, f"PatientID={SENTINEL}&StudyDate=20200101".encode()),
             SearchOptions()),
        completion(UID),
        Page((ImageSet("a", {"DICOMPatientName": SENTINEL}),), SENTINEL),
        Result(Level.STUDY, {"PatientName": (SENTINEL,)}),
        parse_query(
            Resource.ALL_INSTANCES,
            f"RequestAttributesSequence.ScheduledProcedureStepID={SENTINEL}&SliceThickness=2020"
            f"&AcquisitionDateTime=20200101-&00090010={SENTINEL}&00091001={SENTINEL}".encode(),
        ),
        Metadata({"SeriesDescription": SENTINEL}, {}, (PackedInstance(1, UID, b"2020"),)),
        Result(Level.INSTANCE, {"RequestAttributesSequence": (Item({"X": (SENTINEL,)}),)}),
    ],
    ids=["query", "plan", "completion", "page", "result", "of items", "metadata", "item"],
)  # fmt: skip
def test_no_repr_shows_a_value(value: object) -> None:
    """What is asked for and what is found stand in no repr, so in no debugger's log either."""
    assert not any(text in repr(value) for text in (SENTINEL, UID, "2020"))


async def test_what_is_shared_is_silent(log: io.BytesIO) -> None:
    """Walks, what leads on in them, and the tasks that read ahead show nothing of a search."""
    store = store_of(_summaries())
    limits = WalkLimits(scan_concurrency=8)
    service = service_over(StoreCalls(store, 3), walk_limits=limits, page_size=3)
    asked = f"StudyDate=20000101-20200101&PatientName={SENTINEL}*&limit=60".encode()
    running = service.start(parse_query(Resource.STUDIES, asked))
    shown: list[object] = []
    async for _ in running.results():
        tasks = asyncio.all_tasks()
        shown += [running, running.upstream, *tasks, *(task.get_name() for task in tasks)]
    walks = list(service._walks._walks.values())
    trails = [trail for walk in walks for trail in walk.trails.values()]
    assert any(one.checkpoints for one in trails)
    shown += [service._walks._walks, *trails, *(walk.trails for walk in walks)]
    shown += [*walks, *(window for walk in walks for window in walk.windows)]
    shown += [Resume((running.query.criteria,), 0, continues=True)]
    service.close()
    store.close()
    assert not any(text in repr(one) for one in shown for text in (SENTINEL, UID, "2020010"))
    assert SENTINEL.encode() not in log.getvalue()
