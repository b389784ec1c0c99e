"""The metrics as they are read: forms, routes, and what searches leave in them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text
from starlette.types import ASGIApp

from gateway.server.routes import ServerOptions
from tests.building import service_over
from tests.http.driver import ask
from tests.http.upstream import ListedCalls, app_over, image_set
from tests.laws.blobs import packed
from tests.laws.harness import StoreCalls, app_of, store_of

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
STUDIES = "/dicom-web/studies"
ONE = f"{1:032x}"
TAGS = {"DICOMStudyInstanceUID": "1.2", "DICOMSeriesInstanceUID": "1.2.1"}


async def samples(app: ASGIApp) -> dict[str, float]:
    """Each sample's value, by its name and labels."""
    answer = await ask(app, "/metrics")
    found = {}
    for family in plain_text(answer.body.decode()):
        for one in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
            found[f"{one.name.removeprefix('qido_gateway_')}{{{labels}}}"] = one.value
    return found


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        pytest.param(None, PLAIN, id="none"),
        pytest.param("*/*", PLAIN, id="any"),
        pytest.param("text/html", PLAIN, id="what is not offered"),
        pytest.param("application/openmetrics-text", OPEN, id="OpenMetrics"),
        pytest.param(
            "text/html, Application/OpenMetrics-Text;version=1.0.0;q=0.8,text/plain;q=0.5",
            OPEN,
            id="among others",
        ),
        pytest.param("application/openmetrics-text;version=x.y", OPEN, id="no version"),
        pytest.param("text/plain;version=x.y", PLAIN, id="no version of plain text"),
        pytest.param("application/openmetrics-text;version=9.9;escaping=x", OPEN, id="a later one"),
    ],
)
async def test_forms(accept: str | None, media_type: str) -> None:
    """Prometheus's text, or OpenMetrics for who asks; both are read by Prometheus's own parser."""
    headers = {"accept": accept} if accept else {}
    answer = await ask(app_over(ListedCalls([])), "/metrics", headers=headers)
    assert (200, "no-store", "Accept") == (
        answer.status, answer.one("cache-control"), answer.one("vary")
    )  # fmt: skip
    assert media_type == answer.one("content-type")
    read = open_metrics if media_type == OPEN else plain_text
    assert "qido_gateway_search_calls" in {one.name for one in read(answer.body.decode())}


@pytest.mark.parametrize(
    ("target", "method", "labels"),
    [
        (f"{STUDIES}?PatientID=X", "GET", f"method=GET,route={STUDIES},status=200"),
        (f"{STUDIES}/1.2/series", "GET", f"method=GET,route={STUDIES}/{{study}}/series,status=200"),
        (f"{STUDIES}/count", "GET", f"method=GET,route={STUDIES}/count,status=200"),
        (f"{STUDIES}?limit=x", "GET", f"method=GET,route={STUDIES},status=400"),
        ("/dicom-web/foo", "GET", "method=GET,route=?,status=404"),
        ("//healthz/", "HEAD", "method=HEAD,route=/healthz,status=200"),
        (STUDIES, "FOO", "method=?,route=?,status=405"),
    ],
)
async def test_requests_are_counted(target: str, method: str, labels: str) -> None:
    """By route template, method and status."""
    app = app_over(ListedCalls([]))
    await ask(app, target, method=method)
    found = await samples(app)
    assert 1 == found[f"requests_total{{{labels}}}"]
    route = re.findall(r"route=(.*),", labels)[0]
    assert 1 == found[f"request_duration_seconds_count{{route={route}}}"]
    again = await samples(app)
    assert 1 == again["requests_total{method=GET,route=/metrics,status=200}"]


async def test_searches_are_counted() -> None:
    """Each search and each count leaves the calls that it has cost, 0 too."""
    store = store_of([])
    app = app_of(service_over(StoreCalls(store)))
    for target in (STUDIES, f"{STUDIES}/count", f"{STUDIES}?limit=x"):
        await ask(app, target)
    found = await samples(app)
    assert (2, 2) == (found["search_calls_count{}"], found["search_calls_sum{}"])
    assert 2 == found["upstream_calls_total{operation=SearchImageSets,outcome=ok}"]
    store.close()


async def test_late_parts_are_counted() -> None:
    """A search that fails because a part of a study came too late is counted."""
    part = image_set(1, DICOMStudyTime="0800", DICOMSeriesInstanceUID="1.2.1.2")
    app = app_over(
        ListedCalls(
            [image_set(1), *(image_set(n, DICOMStudyTime="0900") for n in range(2, 60)), part]
        )
    )
    statuses = [(await ask(app, STUDIES)).status for _ in range(2)]
    assert ([503, 200], 1) == (statuses, (await samples(app))["late_parts_total{}"])


async def test_head() -> None:
    """HEAD has no body."""
    answer = await ask(app_over(ListedCalls([])), "/metrics", method="HEAD")
    assert (200, b"", PLAIN) == (answer.status, answer.body, answer.one("content-type"))


async def test_kept_metadata_is_told() -> None:
    """The memory of what is kept is asked for when the metrics are read."""
    store = store_of([{"imageSetId": ONE, "isPrimary": True, "DICOMTags": TAGS}])
    instances: dict[str, Any] = {"1.2.1.1": {"DICOM": {}}}
    blob = packed({"Study": {"Series": {"1.2.1": {"Instances": instances}}}})
    app = app_of(service_over(StoreCalls(store, 50, {ONE: blob})))
    before = await samples(app)
    await ask(app, "/dicom-web/instances")
    after = await samples(app)
    assert (0, True) == (before["metadata_bytes{}"], after["metadata_bytes{}"] > 100)
    assert 1 == after["upstream_calls_total{operation=GetImageSetMetadata,outcome=ok}"]
    store.close()


async def test_other_origins() -> None:
    """A page of another origin may read the metrics where it may read all else."""
    app = app_over(ListedCalls([]), ServerOptions(cors_origins=("https://viewer.test",)))
    for origin, allowed in (("https://viewer.test", True), ("https://other.test", False)):
        for target in ("/metrics", "/healthz"):
            answer = await ask(app, target, headers={"origin": origin})
            assert allowed == bool(answer.all("access-control-allow-origin"))
