"""AWS's clients: where they are, and how they are called so that an emulator answers them."""

from __future__ import annotations

import json
import shutil
import subprocess
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
_EXAMPLES = Path(__file__).parent / "js" / "examples.mjs"


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
    """What `js/examples.mjs ARGUMENTS` prints."""
    node = shutil.which("node")
    if node is None or not (_MODULES / "node_modules").exists():
        pytest.skip("Node.js or AWS's SDK for it is not installed: make clients")
    ended = _run([node, str(_EXAMPLES), url, *arguments], _MODULES, url)
    assert (0, "") == (ended.status, ended.errors)
    return json.loads(ended.out)


def _run(command: list[str], folder: Path, url: str) -> Ended:
    env = environment(
        AWS_ENDPOINT_URL_MEDICAL_IMAGING=url,
        AWS_DISABLE_HOST_PREFIX_INJECTION="true",
        AWS_DEFAULT_REGION=REGION,
        AWS_ACCESS_KEY_ID=KEY_ID,
        AWS_SECRET_ACCESS_KEY=SECRET,
        AWS_MAX_ATTEMPTS="1",
    )
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=CALL_S, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)
