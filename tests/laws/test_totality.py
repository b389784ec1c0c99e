"""Any query string is a query or a QueryError, and any request an answer of 200 or 4xx.

The strings are made by a seeded generator, so that each run has the same: of names, values and
signs that clients send, put together without sense and then damaged byte by byte.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
import structlog

from gateway.emulator.archive import summaries
from gateway.errors import QueryError
from gateway.qido.attributes import ATTRIBUTES, Resource
from gateway.qido.query import PARAMETERS, Dialect, Query, parse_query
from gateway.server.paths import ROOT
from gateway.server.searches import Limits
from tests.building import service_over
from tests.http.driver import ask
from tests.laws.blobs import Blobs, described
from tests.laws.harness import StoreCalls, app_of, store_of

STRINGS, REQUESTS = 100_000, 3_000
NAMES = (
    *(a.keyword for a in ATTRIBUTES),
    *(a.tag for a in ATTRIBUTES),
    *(a.tag.lower() for a in ATTRIBUTES),
    *PARAMETERS * 4,
    *("includeField", "SeriesDescription", "00400275.00080050", "RequestAttributesSequence.0"),
    *("RequestAttributesSequence.ScheduledProcedureStepID", "00400275.00400260.CodeValue"),
    *("ReferencedImageSequence.ReferencedSOPInstanceUID", "PatientID.StudyID", "00090010"),
    *("ImageType", "SliceThickness", "PatientWeight", "AcquisitionDateTime", "PixelData"),
    *("FrameIncrementPointer", "RealWorldValueSlope", "60000010", "ImageComments"),
    *("00091001", "FFFFFFFF", "zzzzzzzz", "Foo", "", " ", "limit ", "LIMIT", "%4cimit", "*", "~"),
)
VALUES = (
    *("", "*", "?", "**", "1", "-1", "0", "101", "9" * 30, "1.5", "true", "TRUE", "false", "all"),
    *("20200101", "2020", "20200101-", "-20200101", "20200101-20191231", "20200230", "-", "--"),
    *(
        "10",
        "1015-",
        "-235959.999999",
        "24",
        "1.2.3",
        "1.2.3,1.2.4",
        "1.2\\\\1.3",
        "1..2",
        ".",
        ",",
    ),
    *("0.50", "1e39", "inf", "2020-2021", "20200131101530-0500", "050Y", "0018106a", "1\\2"),
    *(
        "DOE^JANE",
        "doe*",
        "%E5%B1%B1*",
        "山田",
        "^",
        "=",
        "==",
        "a=b=c=d",
        "%00",
        "%FF",
        "%",
        "%zz",
    ),
    *("%26", "%3D", "+", "%2B", "%20", "\\", '""', "CT,MR", "CT%5CMR", "StudyDate", "00080020,all"),
    *(
        "application/json",
        "application/dicom+json;q=0",
        "*/*",
        ";",
        '"',
        "utf-8",
        "latin1",
        "x" * 2000,
    ),
)
JOINTS = ("&", "&", "&", "&", "&&", ";", "", "&=", "?", "#")
EQUALS = ("=", "=", "=", "=", "=", "", "==", "%3D")


def query_strings(number: int, seed: int) -> Iterator[bytes]:
    """So many query strings, the same for the same seed."""
    random = Random(seed)

    def one_of(things: tuple[str, ...]) -> str:
        return things[int(random.random() * len(things))]

    for _ in range(number):
        parts = []
        for _ in range(int(random.random() * 5)):
            parts += [one_of(NAMES), one_of(EQUALS), one_of(VALUES), one_of(JOINTS)]
        text = bytearray("".join(parts).encode())
        for _ in range(int(random.random() ** 4 * 6)):  # mostly none
            text.insert(int(random.random() * (len(text) + 1)), int(random.random() * 256))
        yield bytes(text)


def test_any_query_string_is_a_query_or_a_query_error() -> None:
    """Nothing else is raised, whatever the resource and the dialect."""
    resources, dialects = list(Resource), (Dialect(), Dialect(strict=True))
    kinds: Counter[str] = Counter()
    for number, text in enumerate(query_strings(STRINGS, seed=1)):
        resource, dialect = resources[number % len(resources)], dialects[number % 5 == 0]
        study_uid = "1.2.3" if "{study}" in resource.value else None
        series_uid = "1.2.3.4" if "{series}" in resource.value else None
        try:
            found = parse_query(
                resource, text, study_uid=study_uid, series_uid=series_uid, dialect=dialect
            )
        except QueryError as exc:
            kinds["refused"] += 1
            assert exc.parameter and exc.problem
        else:
            kinds["read"] += 1
            assert isinstance(found, Query)
    assert all(kinds[kind] > STRINGS / 5 for kind in ("read", "refused"))


@pytest.fixture
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("_quiet")
async def test_any_request_is_answered() -> None:
    """The status is 200 or 4xx, and the body is JSON."""
    sets = [described(one, number) for number, one in enumerate(summaries(60))]
    store = store_of(sets)
    limits = Limits(default_limit=4, max_results=8)
    app = app_of(service_over(StoreCalls(store, metadata=Blobs(sets)), limits=limits))
    paths: tuple[str, ...] = (
        "/studies",
        "/series",
        "/studies/1.2.3/series",
        "//studies/",
        "",
        "/studies/x/series",
    )
    paths += ("/instances", "/studies/1.2.3/instances", "/studies/1.2/series/1.2.3/instances")
    statuses: Counter[int] = Counter()
    for number, text in enumerate(query_strings(REQUESTS, seed=2)):
        path = ROOT + paths[number % len(paths)]
        answer = await ask(app, f"{path}?".encode() + text)
        statuses[answer.status] += 1
        assert answer.complete
        assert isinstance(answer.json, list if answer.status == 200 and path != ROOT else dict)
    store.close()
    assert set(statuses) <= {200, 400, 406, 413, 414}
    assert all(statuses[status] > REQUESTS / 5 for status in (200, 400))
