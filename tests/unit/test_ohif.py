"""OHIF's data source, where OHIF is kept, and how its package is checked and unpacked."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway import ohif
from gateway.errors import ConfigError
from gateway.ohif import cache_folder, cached, check, fetch, ohif_data_source, unpack
from gateway.server.appconfig import app_config, app_config_js

# --- the data source ------------------------------------------------------------------------------

URL = "https://pacs.example.org/dicom-web"


@pytest.mark.parametrize("given", [URL, URL + "/"])
def test_data_source(given: str) -> None:
    """All three roots are the gateway, and every spelling that OHIF's transport needs is there."""
    block = json.loads(ohif_data_source(given))
    configuration = block["configuration"]
    assert "@ohif/extension-default.dataSourcesModule.dicomweb" == block["namespace"]
    assert [URL] * 3 == [configuration[f"{n}Root"] for n in ("qido", "wado", "wadoUri")]
    expected = {
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "supportsWildcard": True,
        "supportsFuzzyMatching": False,
        "omitQuotationForMultipartRequest": True,
        "bulkDataURI": {"enabled": True},
    }
    assert expected == {name: configuration[name] for name in expected}


@pytest.mark.parametrize(
    "url",
    ["", "/dicom-web", "ftp://a/b", "http://", "http://a/?b=c", "http://a/#b", "http://a:x/",
     "http://a:0/", "http://a:99999/", "http://[::1/", "http://a/'b", 'http://a/"', "http://a/ b",
     "http://a/<b>", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_base_url(url: str) -> None:
    """It is refused by a sentence that does not repeat it."""
    with pytest.raises(ConfigError) as caught:
        ohif_data_source(url)
    expected = ("--url: must be an absolute http or https URL without a query",)
    assert expected == caught.value.problems


def test_app_config() -> None:
    """The script holds the configuration, whose default source is the one that it has."""
    text = app_config_js("/pacs/dicom-web", "/pacs/ohif")
    config = json.loads(text.removeprefix("window.config = ").removesuffix(";\n"))
    assert app_config("/pacs/dicom-web", "/pacs/ohif") == config
    assert "/pacs/ohif" == config["routerBasename"]
    assert [config["defaultDataSourceName"]] == [s["sourceName"] for s in config["dataSources"]]
    assert "/pacs/dicom-web" == config["dataSources"][0]["configuration"]["wadoRoot"]


# --- where it is kept -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_CACHE_HOME": "/var/cache/x"}, Path("/var/cache/x/qido-gateway")),
        ({"XDG_CACHE_HOME": ""}, Path.home() / ".cache/qido-gateway"),
        ({"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache/qido-gateway"),
        ({}, Path.home() / ".cache/qido-gateway"),
    ],
    ids=["named", "empty", "relative is ignored", "default"],
)
def test_cache_folder(environment: Mapping[str, str], expected: Path) -> None:
    """The cache is where the XDG base directory specification puts it."""
    assert expected == cache_folder(environment)


def test_what_is_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with an index is OHIF, and asks for no npm; one without is not."""
    folder = tmp_path / f"ohif-{ohif.VERSION}"
    assert cached(tmp_path) is None
    folder.mkdir()
    assert cached(tmp_path) is None
    (folder / "index.html").touch()
    monkeypatch.setenv("PATH", "")
    assert folder == cached(tmp_path) == fetch(tmp_path, ignored)


def ignored(done: int, total: int) -> None:
    """Progress that nobody looks at."""


# --- fetching -------------------------------------------------------------------------------------


def npm(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program called npm that does what the script says, alone on the path."""
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


OFFLINE = "echo 'npm error code ENOTFOUND' >&2; echo 'npm error secret-sentinel' >&2; exit 1"
NPMS = {
    "offline": (OFFLINE, "npm could not fetch @ohif/app@3.13.2 (ENOTFOUND)"),
    "an older npm's words": ("echo 'npm ERR! code E404' >&2; exit 1", "(E404)"),
    "no word": ("exit 1", "npm could not fetch @ohif/app@3.13.2; is this machine offline?"),
    "nothing fetched": ("exit 0", "npm could not fetch"),
    "another package": ("echo x > a.tgz", "not what was published"),
}


@pytest.mark.parametrize(("script", "sentence"), NPMS.values(), ids=NPMS)
def test_npm_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    """Whatever goes wrong is one sentence, and nothing of it stays."""
    npm(tmp_path / "bin", script, monkeypatch)
    with pytest.raises(ConfigError) as caught:
        fetch(tmp_path / "cache", ignored)
    (told,) = caught.value.problems
    assert sentence in told
    assert "sentinel" not in told
    assert [] == list((tmp_path / "cache").iterdir())


def test_no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without npm it says so, and makes no folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no npm here"):
        fetch(tmp_path / "cache", ignored)
    assert [] == list(tmp_path.iterdir())


def test_cache_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is a file is named."""
    npm(tmp_path / "bin", "exit 0", monkeypatch)
    (tmp_path / "cache").touch()
    with pytest.raises(ConfigError, match="exists"):
        fetch(tmp_path / "cache", ignored)


def test_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What npm gives is unpacked under its version, once, and nothing else stays."""
    tarball = tmp_path / "a.tgz"
    write(tarball, {"package/dist/index.html": b"<html>"})
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    monkeypatch.setattr(ohif, "INTEGRITY", digest)
    copy = f"/bin/cp {tarball} ./a.tgz"
    npm(tmp_path / "bin", copy, monkeypatch)
    folder = fetch(tmp_path / "cache", ignored)
    assert b"<html>" == (folder / "index.html").read_bytes()
    assert [folder] == list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("is_whole", [True, False])
def test_another_process_was_faster(tmp_path: Path, is_whole: bool) -> None:
    """Its folder is taken if it is whole; what is in the way else is told, and stays."""
    whole, theirs = tmp_path / "whole", tmp_path / f"ohif-{ohif.VERSION}"
    for folder in (whole, theirs):
        folder.mkdir()
        (folder / "index.html").touch()
    if not is_whole:
        (theirs / "index.html").rename(theirs / "other")
        with pytest.raises(OSError, match="not empty"):
            ohif._named(whole, tmp_path)
    else:
        assert theirs == ohif._named(whole, tmp_path)


def test_digest(tmp_path: Path) -> None:
    """A file is what its SHA-512 says."""
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    check(file, base64.b64encode(hashlib.sha512(b"abc").digest()).decode())
    with pytest.raises(ConfigError):
        check(file, ohif.INTEGRITY)


# --- unpacking ------------------------------------------------------------------------------------


def write(tarball: Path, files: Mapping[str, bytes], *special: tarfile.TarInfo) -> None:
    """A package of these files, and of members that are none."""
    with tarfile.open(tarball, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o4777
            archive.addfile(member, io.BytesIO(content))
        for member in special:
            archive.addfile(member)


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member that is no file."""
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


def test_unpacked(tmp_path: Path) -> None:
    """Only the built files are unpacked, without the runtimes, and every member is counted."""
    files = {
        "package/package.json": b"{}",
        "package/dist/index.html": b"<html>",
        "package/dist/assets/a.png": b"png",
        "package/dist/ort/large.wasm": b"left out",
        "package/dist/assets/ort/kept": b"kept",
        "package/distant/x": b"no",
    }
    write(tmp_path / "a.tgz", files)
    told: list[tuple[int, int]] = []
    unpack(tmp_path / "a.tgz", tmp_path / "dist", lambda *one: told.append(one))
    found = {
        str(path.relative_to(tmp_path / "dist")): path.read_bytes()
        for path in (tmp_path / "dist").rglob("*")
        if path.is_file()
    }
    assert {"index.html": b"<html>", "assets/a.png": b"png", "assets/ort/kept": b"kept"} == found
    assert [(n, 6) for n in range(1, 7)] == told
    assert not (tmp_path / "dist/index.html").stat().st_mode & 0o4111  # the archive's mode


HOSTILE = {
    "a name that leads out": "package/dist/../../../out",
    "a name that leads out of dist": "package/dist/a/../../../out",
    "an absolute name": "/tmp/out-of-the-package",
    "a name beside it": "package/out",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    """No member is written outside of the folder."""
    (tmp_path / "deep/er").mkdir(parents=True)
    write(tmp_path / "a.tgz", {"package/dist/index.html": b"", name: b"out"})
    unpack(tmp_path / "a.tgz", tmp_path / "deep/er/dist", ignored)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {tmp_path / "a.tgz", tmp_path / "deep/er/dist/index.html"} == set(written)
    assert not Path("/tmp/out-of-the-package").exists()


def test_links_and_devices(tmp_path: Path) -> None:
    """What is no regular file is not made, and nothing is written through it."""
    write(
        tmp_path / "a.tgz",
        {"package/dist/index.html": b"x"},
        member("package/dist/link", tarfile.SYMTYPE, str(tmp_path)),
        member("package/dist/hard", tarfile.LNKTYPE, "package/dist/index.html"),
        member("package/dist/fifo", tarfile.FIFOTYPE),
    )
    unpack(tmp_path / "a.tgz", tmp_path / "dist", ignored)
    assert ["index.html"] == [path.name for path in (tmp_path / "dist").iterdir()]


def cut(tarball: Path) -> None:
    """Leave half of it."""
    tarball.write_bytes(tarball.read_bytes()[: tarball.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("package/dist/other.html", lambda path: None, "holds no built viewer"),
        ("package/dist/index.html", cut, "cannot be read"),
        ("package/dist/index.html", lambda path: path.write_bytes(b"x"), "cannot be read"),
    ],
    ids=["no viewer", "cut", "no archive"],
)
def test_broken_package(
    tmp_path: Path, name: str, change: Callable[[Path], None], sentence: str
) -> None:
    """A package that is none of OHIF's is told of."""
    write(tmp_path / "a.tgz", {name: bytes(range(256)) * 100})
    change(tmp_path / "a.tgz")
    with pytest.raises(ConfigError, match=sentence):
        unpack(tmp_path / "a.tgz", tmp_path / "dist", ignored)
