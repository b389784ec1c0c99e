"""Orthanc with its DICOMweb plugin, and the gateway before the emulator, with the same files."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.running import START_S, STOP_S, credentials, running

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
"""Where Debian's package orthanc-dicomweb puts the plugin."""

_ATTEMPTS = 5  # the free port may be taken before Orthanc binds it


def missing() -> str:
    """What of Orthanc is not installed, "" where all is."""
    if shutil.which("Orthanc") is None:
        return "Orthanc is not installed (Debian package orthanc)"
    return "" if PLUGIN.exists() else "its plugin is not installed (package orthanc-dicomweb)"


@dataclass(frozen=True, slots=True)
class Server:
    """A server at `url`. Each request has its own connection: Orthanc soon closes idle ones."""

    url: str

    def get(self, target: str) -> Any:
        """The JSON of the answer, the target sent as it stands."""
        return self._ask("GET", target, None)

    def post(self, target: str, body: bytes) -> Any:
        """The JSON of the answer."""
        return self._ask("POST", target, body)

    def _ask(self, method: str, target: str, body: bytes | None) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, target, body, {"Accept": "application/json"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        assert response.status == 200, (response.status, target, content[:300])
        return json.loads(content)


@contextmanager
def gateway(folder: Path, files: Path) -> Iterator[Server]:
    """The gateway before an emulator that holds the files."""
    arguments = ("emulator", "--port", "0", "--import", str(files))
    with (
        running(folder, *arguments) as emulator,
        running(folder, "serve", "--port", "0", env=_settings(emulator.url)) as process,
    ):
        yield Server(process.url)


def _settings(endpoint: str) -> dict[str, str]:
    """The gateway's, with what the standard requires of studies beside what summaries hold."""
    return {
        **credentials(endpoint),
        "QIDO_GATEWAY_METADATA_STUDY_ATTRIBUTES": "ReferringPhysicianName",
    }


@contextmanager
def orthanc(folder: Path, files: Sequence[Path]) -> Iterator[Server]:
    """An Orthanc that holds the files and answers this machine only."""
    for attempt in range(_ATTEMPTS):
        port = _free_port()
        path = folder / f"orthanc-{attempt}.json"
        path.write_text(json.dumps(configuration(folder / f"store-{attempt}", port)), "utf-8")
        server = Server(f"http://127.0.0.1:{port}")
        with _process(path) as process:
            if not _is_up(process, server):
                continue
            for file in files:
                server.post("/instances", file.read_bytes())
            yield server
            return
    raise AssertionError(f"Orthanc does not start: see the logs in {folder}")


def configuration(store: Path, port: int) -> dict[str, Any]:
    """Orthanc's settings: as the standard wants it, wherever there is a setting."""
    return {
        "StorageDirectory": str(store),
        "IndexDirectory": str(store),
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "SyncStorageArea": False,
        "Plugins": [str(PLUGIN)],
        "DefaultEncoding": "Utf8",  # of answers; with Latin1 most names are lost
        "CaseSensitivePN": False,  # as the gateway, which the standard allows
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "QidoCaseSensitive": True},
    }


@contextmanager
def _process(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with path.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(["Orthanc", str(path)], stdout=log, stderr=log)
    with process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _is_up(process: subprocess.Popen[bytes], server: Server) -> bool:
    """Wait for the first answer; whether there is one, and from this process."""
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        try:
            server.get("/system")
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return process.poll() is None
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
