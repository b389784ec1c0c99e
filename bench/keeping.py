"""nginx that gives again what it was once answered: files of those answers, and nothing asked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NGINX = "/usr/sbin/nginx"
_START_S = 10.0
_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
events {{ worker_connections 512; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 300;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/bodies;
  fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  proxy_temp_path {folder}/proxied;
  proxy_cache_path {folder}/kept keys_zone=kept:16m inactive=1d use_temp_path=off;
  open_file_cache max=10000 inactive=1d;
  server {{
    listen 127.0.0.1:{port};
    proxy_set_header Host $http_host;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location ~ {pattern} {{
      proxy_pass {upstream};
      proxy_cache kept;
      proxy_cache_key "$request_method $request_uri $http_accept";
      proxy_cache_valid 200 1d;
      proxy_ignore_headers Cache-Control Expires Vary X-Accel-Buffering X-Accel-Expires;
    }}
    location / {{ proxy_pass {upstream}; }}
  }}
}}
"""


@contextmanager
def kept(folder: Path, upstream: str, pattern: str) -> Iterator[str]:
    """An nginx before the server at `upstream`; its address.

    A path that matches the pattern is asked of the server once; all others each time.

    Raises: RuntimeError where there is no nginx.
    """
    if not Path(NGINX).exists():
        raise RuntimeError("nginx is not installed (Debian package nginx-light)")
    folder.mkdir()
    port = _free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # else its worker may not read the folder
    path = folder / "nginx.conf"
    path.write_text(
        _CONFIGURATION.format(
            folder=folder, port=port, upstream=upstream, pattern=pattern, user=user
        )
    )
    log = folder / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen([NGINX, "-e", str(log), "-c", str(path)], stderr=errors)
    with process:
        try:
            _wait(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
    shutil.rmtree(folder)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nginx does not start: {log.read_text('utf-8')[:300]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
