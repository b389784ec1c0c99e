"""Which way of retrieving a gateway takes, and where it asks."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.app import parts_of, retrieval_of
from gateway.config import RetrieveSettings, Settings
from gateway.healthimaging.dicomweb import DicomWeb, endpoint_in
from gateway.healthimaging.imagesets import ImageSets

STORE = "0123456789abcdef0123456789abcdef"
OWN = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("region", "table", "variable", "expected"),
    [
        pytest.param("eu-west-1", {}, "", (DicomWeb, endpoint_in("eu-west-1")), id="offered"),
        pytest.param("eu-north-1", {}, "", (ImageSets, None), id="not offered"),
        pytest.param("eu-north-1", {}, OWN, (DicomWeb, OWN), id="an endpoint of AWS's variables"),
        pytest.param("eu-north-1", {"dicomweb_endpoint": "https://a.test"}, OWN,
                     (DicomWeb, "https://a.test"), id="an endpoint of its own"),
        pytest.param("eu-west-1", {"upstream": "image-sets"}, OWN, (ImageSets, None),
                     id="image sets are wanted"),
        pytest.param("eu-north-1", {"upstream": "dicomweb"}, "",
                     (DicomWeb, endpoint_in("eu-north-1")), id="DICOMweb is wanted"),
        pytest.param("eu-west-1", {"upstream": "off"}, OWN, None, id="off"),
    ],
)  # fmt: skip
def test_the_way(
    monkeypatch: pytest.MonkeyPatch,
    region: str,
    table: dict[str, Any],
    variable: str,
    expected: tuple[type, str | None] | None,
) -> None:
    """By setting, else by what the region and the environment offer. Nothing is called."""
    for name in ("AWS_ENDPOINT_URL_MEDICAL_IMAGING", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    environment = {"AWS_ENDPOINT_URL": variable} if variable else {}
    settings = Settings(datastore_id=STORE, region=region, retrieve=RetrieveSettings(**table))
    found = retrieval_of(settings, parts_of(settings, environment), environment)
    if expected is None:
        assert found is None
    else:
        kind, endpoint = expected
        assert kind is type(found)
        if isinstance(found, DicomWeb):
            assert f"{endpoint}/datastore/{STORE}" == found.base
