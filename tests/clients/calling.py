"""Clients that are programs of their own: where they are and how they are called."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.e2e.running import Ended, environment

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
KEY_ID, SECRET = "AKIDEXAMPLE", "secret"
CALL_S = 60.0

_AWS = ROOT / ".clients" / "aws" / "bin" / "aws"
_MODULES = ROOT / ".clients" / "js"
_SCRIPTS = Path(__file__).parent / "js"


def boto3_client(url: str) -> Any:
    """boto3's client of the service at `url`; it tries nothing again."""
    return boto3.client(
        "medical-imaging",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        # The service's host name is runtime-…, which 127.0.0.1 cannot have in front
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
    )


def aws(url: str, folder: Path, *arguments: str) -> Ended:
    """`aws medical-imaging search-image-sets ARGUMENTS` in `folder`, to its end."""
    if not _AWS.exists():
        pytest.skip("AWS's command line is not installed: make clients")
    return _run([str(_AWS), "medical-imaging", "search-image-sets", *arguments], folder, url)


def javascript(url: str, *arguments: str) -> Any:
    """What `js/examples.mjs ARGUMENTS` prints: AWS's SDK asks the emulator at `url`."""
    return _node("@aws-sdk/client-medical-imaging", "examples.mjs", url, *arguments)


def dcmjs(url: str, questions: Mapping[str, Mapping[str, Any]]) -> Any:
    """What npm's dicomweb-client gets for each of the questions that `js/dicomweb.mjs` reads."""
    return _node("dicomweb-client", "dicomweb.mjs", url, asked=json.dumps(questions))


def _node(package: str, script: str, url: str, *arguments: str, asked: str = "") -> Any:
    node = shutil.which("node")
    if node is None or not (_MODULES / "node_modules" / package).exists():
        pytest.skip(f"Node.js or {package} is not installed: make clients")
    ended = _run([node, str(_SCRIPTS / script), url, *arguments], _MODULES, url, asked)
    assert (0, "") == (ended.status, ended.errors)
    return json.loads(ended.out)


def _run(command: list[str], folder: Path, url: str, asked: str = "") -> Ended:
    env = environment(
        AWS_ENDPOINT_URL_MEDICAL_IMAGING=url,
        AWS_DISABLE_HOST_PREFIX_INJECTION="true",
        AWS_DEFAULT_REGION=REGION,
        AWS_ACCESS_KEY_ID=KEY_ID,
        AWS_SECRET_ACCESS_KEY=SECRET,
        AWS_MAX_ATTEMPTS="1",
    )
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        input=asked,
        capture_output=True,
        text=True,
        timeout=CALL_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
