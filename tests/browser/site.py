"""OHIF's files on an origin of their own, as a web server gives them."""

from __future__ import annotations

import json
import mimetypes
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

EMPTY = {"/init-service-worker.js", "/sw.js"}
"""Scripts that would keep files in the browser for later."""


class Site(ThreadingHTTPServer):
    """OHIF at the root. `config` is its app-config, which a test changes before it goes there.

    With `token` the app-config tells OHIF to send that bearer token.
    """

    daemon_threads = True

    def __init__(self, dist: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.dist = dist
        self.config: Mapping[str, object] = {}
        self.token = ""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.server_port}"

    def file(self, target: str) -> tuple[str, bytes]:
        """Media type and content of what stands at `target`; the page itself for its routes."""
        path = urlsplit(target).path
        if path == "/app-config.js":
            return "text/javascript", self._app_config().encode()
        if path in EMPTY:
            return "text/javascript", b""
        file = self.dist / path.lstrip("/")
        if not file.is_file():
            file = self.dist / "index.html"
        return mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()

    def _app_config(self) -> str:
        config = json.dumps(self.config)
        if not self.token:
            return f"window.config = {config};"
        header = json.dumps({"Authorization": f"Bearer {self.token}"})
        return f"""
            window.config = ({{ servicesManager }}) => {{
              const config = {config};
              config.dataSources[0].configuration.onConfiguration = (told) => {{
                servicesManager.services.userAuthenticationService.setServiceImplementation({{
                  getAuthorizationHeader: () => ({header}),
                }});
                return told;
              }};
              return config;
            }};
        """


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        media_type, content = self.server.file(self.path)
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def site(dist: Path) -> Iterator[Site]:
    """The site, while it is served."""
    server = Site(dist)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
