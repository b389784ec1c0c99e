"""config/nginx.conf as it stands, in a real nginx before a real gateway.

What only fits one machine is put in its place: addresses, certificates, where logs go. nginx
listens on a socket in a folder, so that no port has to be free.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import summary
from tests.e2e.running import START_S, STOP_S, credentials, running

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "nginx.conf"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
NAME = "pacs.example.org"
STUDIES = "/dicom-web/studies"
SPOOFED = {
    "X-Forwarded-Proto": "ftp",
    "X-Forwarded-Host": "evil.example.org",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "127.0.0.1",
    "Forwarded": "host=evil.example.org;proto=http;for=127.0.0.1",
}


def _missing() -> str:
    if NGINX is None:
        return "nginx is not installed (Debian package nginx-light)"
    return "" if shutil.which("openssl") else "openssl is not installed"


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing() or "all is there")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running nginx: its folder, with its socket and its logs, and what clients trust."""

    folder: Path
    tls: ssl.SSLContext

    @contextmanager
    def connection(self, name: str = NAME) -> Iterator[HTTPConnection]:
        """A connection over TLS to the host `name`."""
        connection = HTTPConnection(name, timeout=30)
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(30)
        plain.connect(str(self.folder / "s"))
        try:
            connection.sock = self.tls.wrap_socket(plain, server_hostname=name)
            yield connection
        finally:
            plain.close()
            connection.close()

    def ask(
        self, target: str, headers: Mapping[str, str] | None = None, name: str = NAME
    ) -> tuple[HTTPResponse, bytes]:
        """The answer to a GET."""
        with self.connection(name) as connection:
            connection.request("GET", target, headers=dict(headers or {}))
            response = connection.getresponse()
            return response, response.read()

    def retrieve_url(self, target: str, headers: Mapping[str, str] | None = None) -> str:
        """RetrieveURL of the only study, without what every one has at its end."""
        response, body = self.ask(target, headers)
        assert 200 == response.status
        (study,) = json.loads(body)
        (url,) = study["00081190"]["Value"]
        assert url.endswith("/studies/1.2.826.0")
        return str(url.removesuffix("/studies/1.2.826.0"))

    def log(self) -> str:
        """What nginx has written, which is all there once it has stopped."""
        names = ("qido.log", "qido-error.log", "main.log")
        return "".join((self.folder / name).read_text("utf-8") for name in names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a certificate for the example's host."""
    folder = tmp_path_factory.mktemp("ngx")
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "pem")]
    command = ["openssl", "req", "-x509", "-days", "2", *key, *subject, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=START_S)
    return folder


@pytest.fixture(scope="module")
def gateway(folder: Path) -> Iterator[str]:
    """The address of a gateway over one study, with the settings that the example names."""
    seed = folder / "seed.ndjson"
    seed.write_text(json.dumps(summary(0)) + "\n", "utf-8")
    wanted = {
        "QIDO_GATEWAY_TRUSTED_PROXIES": "127.0.0.1",
        "QIDO_GATEWAY_FORWARDED_HEADERS": "x-forwarded",
    }
    with running(folder, "emulator", "--port", "0", "--seed", str(seed)) as emulator:
        env = {**credentials(emulator.url), **wanted}
        with running(folder, "serve", "--port", "0", env=env) as process:
            yield urlsplit(process.url).netloc


@contextmanager
def nginx(folder: Path, gateway: str, *, changes: Mapping[str, str]) -> Iterator[Proxy]:
    """nginx with the example, of which `changes` are made."""
    own = folder / f"nginx-{time.monotonic_ns()}"
    own.mkdir()
    text = EXAMPLE.read_text("utf-8")
    places = {
        "127.0.0.1:8042": gateway,
        "listen 443 ssl": f"listen unix:{own}/s ssl",
        f"/etc/nginx/tls/{NAME}.pem": str(folder / "pem"),
        f"/etc/nginx/tls/{NAME}.key": str(folder / "key"),
        "/var/log/nginx/": f"{own}/",
    }
    for before, after in {**places, **changes}.items():
        assert before in text
        text = text.replace(before, after)
    (own / "qido.conf").write_text(text, "utf-8")
    temporary = "".join(
        f"{kind}_temp_path {own}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = (
        f"daemon off; master_process off; pid {own}/pid; error_log {own}/main.log;\n"
        f"events {{ }}\nhttp {{ {temporary} include {own}/qido.conf; }}\n"
    )
    (own / "nginx.conf").write_text(main, "utf-8")
    command = [str(NGINX), "-p", str(own), "-c", "nginx.conf", "-e", str(own / "main.log")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            until = time.monotonic() + START_S
            while not (own / "s").exists():
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < until
                time.sleep(0.02)
            yield Proxy(own, ssl.create_default_context(cafile=str(folder / "pem")))
        finally:
            process.terminate()
            process.wait(STOP_S)


FORMS: dict[str, dict[str, str]] = {
    "prefix cut off": {},
    "prefix kept": {"proxy_pass http://qido_gateway/;": "proxy_pass http://qido_gateway;"},
}


@pytest.fixture(scope="module", params=list(FORMS))
def proxy(folder: Path, gateway: str, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    """nginx before the gateway, in both forms of its location."""
    with nginx(folder, gateway, changes=FORMS[request.param]) as running_proxy:
        yield running_proxy


@pytest.mark.parametrize("prefix", ["", "/pacs"], ids=["no prefix", "prefix"])
@pytest.mark.parametrize("headers", [{}, SPOOFED], ids=["honest", "spoofed"])
def test_retrieve_url(proxy: Proxy, prefix: str, headers: dict[str, str]) -> None:
    """RetrieveURL is what the client has used, whatever it says of itself in headers."""
    base = f"https://{NAME}{prefix}/dicom-web"
    assert base == proxy.retrieve_url(f"{prefix}{STUDIES}", headers)


def test_port_of_the_proxy(proxy: Proxy) -> None:
    """A port in the client's Host is one in the URL."""
    url = proxy.retrieve_url(f"/pacs{STUDIES}", {"Host": f"{NAME}:8443"})
    assert f"https://{NAME}:8443/pacs/dicom-web" == url


def test_other_hosts_get_no_answer(proxy: Proxy) -> None:
    """Nobody puts another name into URLs: a handshake for one fails, and a Host does."""
    proxy.tls.check_hostname = False
    try:
        with pytest.raises(ssl.SSLError):
            proxy.ask(STUDIES, name="evil.example.org")
    finally:
        proxy.tls.check_hostname = True
    with pytest.raises(RemoteDisconnected):
        proxy.ask(STUDIES, {"Host": "evil.example.org"})


def test_a_peer_that_is_not_trusted(folder: Path, gateway: str) -> None:
    """A client that comes straight to the gateway is not believed where only others are."""
    env = {**credentials("http://127.0.0.1:9"), "QIDO_GATEWAY_TRUSTED_PROXIES": "10.0.0.0/8"}
    with running(folder, "serve", "--port", "0", env=env) as process:
        connection = HTTPConnection(urlsplit(process.url).netloc, timeout=30)
        connection.request("GET", "/evil/dicom-web", headers=SPOOFED)
        assert 404 == connection.getresponse().status
        connection.close()


def test_what_comes_through(proxy: Proxy) -> None:
    """Errors and long lists of UIDs are the gateway's own."""
    response, body = proxy.ask(f"/pacs{STUDIES}?limit=x")
    assert (400, True) == (response.status, "limit" in json.loads(body)["detail"])
    response, _ = proxy.ask(f"{STUDIES}?StudyInstanceUID=" + "1.2.3," * 1_300)
    assert 200 == response.status


@pytest.mark.parametrize(
    "target",
    ["/metrics", "/pacs/metrics", "/pacs/metrics/", "/pacs//metrics", "/pacs/pacs/metrics",
     "/pacs/%6Detrics", "/pacs/%2Fmetrics%2F", "/pacs/metrics%0A/", "/pacs/dicom-web/../metrics"],
)  # fmt: skip
def test_metrics_stay_inside(proxy: Proxy, target: str) -> None:
    """However it is spelled, clients don't learn how much the gateway is used."""
    response, body = proxy.ask(target)
    assert (404, False) == (response.status, b"qido_gateway" in body)


def test_logs_hold_no_patient_data(folder: Path, gateway: str) -> None:
    """No log has a path, a query or a UID, also where the gateway can't be reached."""
    targets = (f"/pacs{STUDIES}?PatientName=SENTINEL*", f"{STUDIES}/1.2.826.99/series")
    for address, status in ((gateway, 200), ("127.0.0.1:9", 502)):
        with nginx(folder, address, changes={}) as one:
            answers = [one.ask(target, {"X-Request-ID": "mine"})[0] for target in targets]
        written = one.log()
        assert ([status] * 2, 2) == ([a.status for a in answers], written.count(f" GET {status} "))
        for word in ("SENTINEL", "1.2.826", "dicom-web", "/pacs", "mine"):
            assert word not in written
        # The same request has the same id in both logs
        told = [answer.headers["X-Request-ID"] for answer in answers]
        assert all(one_id in written for one_id in told if one_id)
        assert all(told) == (status == 200)


BUFFERED = {"proxy_buffering off;": "", "proxy_max_temp_file_size 0;": ""}
LONG = 32 << 20


@pytest.mark.parametrize(
    ("changes", "is_written"), [({}, False), (BUFFERED, True)], ids=["example", "without its lines"]
)
def test_answers_are_not_written_to_disk(
    folder: Path, changes: dict[str, str], is_written: bool
) -> None:
    """What a slow client has not read waits in the gateway, not in nginx's files."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(_send_all_that_is_taken, listening)
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        with nginx(folder, address, changes=changes) as one, one.connection() as client:
            client.request("GET", STUDIES)
            assert (sending.result(START_S) == LONG) == is_written


def _send_all_that_is_taken(listening: socket.socket) -> int:
    """How many bytes of a long answer nginx takes while its client reads none."""
    listening.settimeout(START_S)
    connection, _ = listening.accept()
    with connection:
        connection.recv(65_536)
        connection.settimeout(1.0)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LONG)
        part, sent = bytes(65_536), 0
        while sent < LONG:
            try:
                sent += connection.send(part)
            except TimeoutError:
                break
        return sent
