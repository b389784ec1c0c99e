"""OHIF from npm: fetched once, checked, and only the part that is served kept.

The files go into a cache folder of the user's. A folder that is there is whole: it gets its name
when everything is in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from gateway.errors import ConfigError
from gateway.server.appconfig import INDEX, data_source

VERSION = "3.13.2"
PACKAGE = f"@ohif/app@{VERSION}"
"""With its version: without one, npm gives an older one to a Node.js that the newest rejects."""
INTEGRITY = (
    "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
)
"""The package's SHA-512, base64, as npm tells it."""

_DIST = PurePosixPath("package/dist")
_LEFT_OUT = "ort"  # 114 MB of runtimes for models, which nothing here asks for
_CODE = re.compile(r"npm (?:error|ERR!) code ([A-Z0-9_]{1,40})\b")
_OPTIONS = (
    *("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"),
    *("--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"),
)

Progress = Callable[[int, int], None]
"""Is told how much of how much is done."""


def ohif_data_source(url: str) -> str:
    """The block of an OHIF 3 app-config that makes it read from the gateway at `url`.

    Raises: ConfigError where `url` is no base URL.
    """
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_one = is_one and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:  # a port that is none, brackets that do not close
        is_one = False
    if not is_one or re.search(r"[\s\"'<>\\]", url):
        raise ConfigError(("--url: must be an absolute http or https URL without a query",))
    return json.dumps(data_source(url.rstrip("/")), indent=2)


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where this user's programs keep what they can fetch again: our part of it."""
    given = Path(environment.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "qido-gateway"


def cached(cache: Path) -> Path | None:
    """The folder of OHIF's files, None where they have not been fetched yet."""
    folder = _folder(cache)
    return folder if (folder / INDEX).is_file() else None


def fetch(cache: Path, on_progress: Progress) -> Path:
    """The folder of OHIF's files, fetched by npm where they are not there yet.

    Raises: ConfigError where there is no npm, it fails, or the folder can't be written.
    """
    if (known := cached(cache)) is not None:
        return known
    npm = shutil.which("npm")
    if npm is None:
        raise ConfigError((f"{PACKAGE} comes from npm, and there is no npm here",))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="ohif-", dir=cache) as work:
            tarball = _pack(npm, Path(work))
            check(tarball, INTEGRITY)
            unpack(tarball, Path(work) / "dist", on_progress)
            return _named(Path(work) / "dist", cache)
    except OSError as exc:
        reason = (exc.strerror or "cannot be written").lower()
        raise ConfigError((f"{cache}: {reason}",)) from None


def _folder(cache: Path) -> Path:
    return cache / f"ohif-{VERSION}"


def _named(whole: Path, cache: Path) -> Path:
    try:
        return whole.rename(_folder(cache))
    except OSError:
        if (known := cached(cache)) is not None:
            return known  # another process has been faster
        raise


def _pack(npm: str, folder: Path) -> Path:
    done = subprocess.run(  # noqa: S603 - npm, with arguments of our own
        [npm, "pack", PACKAGE, "--pack-destination", str(folder), *_OPTIONS],
        cwd=folder,  # no project's configuration of npm's counts here
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    packed = sorted(folder.glob("*.tgz"))
    if done.returncode or not packed:
        code = _CODE.search(done.stderr)
        told = f" ({code[1]})" if code else ""
        raise ConfigError((f"npm could not fetch {PACKAGE}{told}; is this machine offline?",))
    return packed[0]


def check(tarball: Path, integrity: str) -> None:
    """See that a file's SHA-512, base64, is `integrity`.

    Raises: ConfigError.
    """
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if base64.b64encode(digest).decode() != integrity:
        raise ConfigError((f"{PACKAGE}: what npm has fetched is not what was published",))


def unpack(tarball: Path, folder: Path, on_progress: Progress) -> None:
    """Write the regular files of the package's `dist` into `folder`, which is made.

    Links, devices, owners and modes of the archive count for nothing, and no name leads out.

    Raises: ConfigError where it is no such package; OSError.
    """
    folder.mkdir()
    try:
        with tarfile.open(tarball, "r:gz") as archive:
            members = [one for one in archive if one.isreg()]
            for number, member in enumerate(members, 1):
                name = PurePosixPath(member.name)
                source = archive.extractfile(member)
                if source is not None and _is_served(name):
                    target = folder.joinpath(*name.relative_to(_DIST).parts)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with source, target.open("wb") as file:
                        shutil.copyfileobj(source, file)
                on_progress(number, len(members))
    except (tarfile.TarError, EOFError, ValueError):
        raise ConfigError((f"{PACKAGE}: the package cannot be read",)) from None
    if not (folder / INDEX).is_file():
        raise ConfigError((f"{PACKAGE}: the package holds no built viewer",))


def _is_served(name: PurePosixPath) -> bool:
    if not name.is_relative_to(_DIST) or name == _DIST:
        return False
    parts = name.relative_to(_DIST).parts
    return parts[0] != _LEFT_OUT and ".." not in parts
