"""The emulator's command: how pixels are stored, and how many retrieves it lets through."""

from __future__ import annotations

import http.client
from pathlib import Path

import pydicom
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from openjpeg.utils import decode

from tests.contract.signed import path_of
from tests.e2e.running import DATASTORE_ID, running

CT = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"
STORED = "application/octet-stream; transfer-syntax=*"


def retrieve(url: str) -> tuple[int, str, bytes]:
    """Status, content type and body of the only frame, as it is stored."""
    file = pydicom.dcmread(CT, stop_before_pixels=True)
    path = f"/datastore/{DATASTORE_ID}/{path_of(file)}/frames/1"
    request = AWSRequest("GET", url + path, headers={"Accept": STORED})
    SigV4Auth(Credentials("any", "any"), "medical-imaging", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", path, headers=dict(request.headers))
    answer = connection.getresponse()
    found = answer.status, answer.headers["content-type"], answer.read()
    connection.close()
    return found


@pytest.mark.parametrize("frames", ["stored", "htj2k"])
def test_frames(tmp_path: Path, frames: str) -> None:
    """As in the file, or as HealthImaging stores them."""
    arguments = ("emulator", "--port", "0", "--import", str(CT), "--frames", frames)
    with running(tmp_path, *arguments) as emulator:
        status, kind, body = retrieve(emulator.url)
    syntax = {"stored": "1.2.840.10008.1.2.1", "htj2k": "1.2.840.10008.1.2.4.202"}[frames]
    assert (200, f"application/octet-stream; transfer-syntax={syntax}") == (status, kind)
    expected = pydicom.dcmread(CT).PixelData
    assert expected == (body if frames == "stored" else decode(body).tobytes())


def test_limits(tmp_path: Path) -> None:
    """Retrieves past the burst are throttled."""
    limits = ("--retrieve-rate", "0.001", "--retrieve-burst", "2")
    with running(tmp_path, "emulator", "--port", "0", "--import", str(CT), *limits) as emulator:
        assert [200, 200, 429] == [retrieve(emulator.url)[0] for _ in range(3)]
