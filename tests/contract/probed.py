"""A made-up archive in which every switch of the emulator shows, and a probe of it over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from gateway.emulator.archive import summaries
from gateway.emulator.faults import Faults
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from gateway.healthimaging.client import HealthImagingClient
from gateway.probing.probe import Report, probe
from tests.contract.serving import running

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
STUDIES = 600
NEWEST = 1.9e9
"""When the telling image sets were all updated: seconds since 1970."""


def archive() -> Iterator[dict[str, Any]]:
    """All of it."""
    yield from summaries(STUDIES)
    yield from telling()


def telling() -> Iterator[dict[str, Any]]:
    """Studies of one day after all others: at one moment, without time, without date, old dates."""
    shapes: list[dict[str, str]] = []
    for _ in range(6):
        shapes.append({"DICOMStudyDate": "20260105", "DICOMStudyTime": "101530"})
    for minute in range(10, 16):
        shapes.append({"DICOMStudyDate": "20260105", "DICOMStudyTime": f"11{minute}00"})
    shapes += [{"DICOMStudyDate": "20260105"}] * 2
    shapes += [{"DICOMStudyDate": "2026.01.04", "DICOMStudyTime": "120000"}] * 2
    shapes += [{}] * 4
    for study, shape in enumerate(shapes):
        for series in range(3):
            tags = {
                "DICOMPatientId": f"Telling{study}",
                "DICOMPatientName": "DOE^JANE",
                "DICOMStudyInstanceUID": f"1.2.7.{study}",
                "DICOMSeriesInstanceUID": f"1.2.7.{study}.{series}",
                "DICOMNumberOfStudyRelatedSeries": 1,
                "DICOMNumberOfStudyRelatedInstances": 2,
                **shape,
            }
            yield {
                "imageSetId": f"{study:016x}{series:016x}",
                "isPrimary": True,
                "createdAt": 1.7e9 + study * 3 + series,
                "updatedAt": NEWEST,
                "DICOMTags": tags,
            }


class Probing:
    """A data store at a position of the switches, and the probe of it by the gateway's client."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.faults = Faults()
        self.waited = 0.0
        self._monkeypatch = monkeypatch

    async def report(
        self,
        position: Mapping[str, Any],
        image_sets: Iterable[Mapping[str, Any]],
        *,
        max_calls: int = 200,
        wait_s: float = 30.0,
    ) -> Report:
        """The report on a store of these image sets; whenever it waits, one more arrives."""
        store = Store(None, Variants(**position), DATASTORE_ID, clock=self.now)
        store.add_summaries(image_sets)

        async def pause(seconds: float) -> None:
            self.waited += seconds
            tags = {
                "DICOMStudyInstanceUID": f"1.2.8.{self.waited:.0f}",
                "DICOMStudyDate": "20260101",
            }
            store.add_summaries([{"isPrimary": True, "DICOMTags": tags}])

        async with running(create_app(store, faults=self.faults)) as url:
            self._monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", url)
            client = HealthImagingClient(DATASTORE_ID, "us-east-1", inject_host_prefix=False)
            try:
                return await probe(
                    client, max_calls=max_calls, wait_s=wait_s, pause=pause, clock=self.now
                )
            finally:
                await client.aclose()
                store.close()

    def now(self) -> float:
        """Seconds since 1970; only waiting takes time."""
        return 2e9 + self.waited
