"""Settings: each accepted and refused, every fault at once, and no value in a fault."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from gateway.config_sources import load_settings
from gateway.errors import ConfigError
from gateway.healthimaging.metadata import MIB, MetadataLimits
from gateway.healthimaging.quota import QuotaLimits
from gateway.healthimaging.retrieving import RetrieveLimits

STORE = "0123456789abcdef0123456789abcdef"
PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1"))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("QIDO_GATEWAY_"):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Any:
    """The settings of environment variables, with what is required."""
    given = {"DATASTORE_ID": STORE, "REGION": "us-east-1", **variables}
    for name, value in given.items():
        monkeypatch.setenv(f"QIDO_GATEWAY_{name}", value)
    return load_settings(None, {}, None)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("DATASTORE_ID", "f" * 32, "f" * 32), ("REGION", "eu-west-1", "eu-west-1"),
        ("HOST", "::1", "::1"), ("HOST", "localhost", "localhost"), ("PORT", "0", 0),
        ("INSECURE", "true", True), ("DEFAULT_LIMIT", "10", 10), ("MAX_RESULTS", "20000", 20000),
        ("SCAN_BUDGET_CALLS", "1", 1), ("SCAN_BUDGET_S", "0.5", 0.5),
        ("QUOTA_CALLS_PER_S", "0.5", 0.5), ("QUOTA_BURST", "1", 1), ("QUOTA_WAITING", "1", 1),
        ("REPLICAS", "3", 3), ("IMAGE_SETS", "fill", "fill"),
        ("STUDY_WINDOW", "day", "day"), ("COUNTS", "image-set", "image-set"),
        ("EQUAL_PADDING", "both", "both"), ("TRUST_UNMARKED", "false", False),
        ("NO_MATCH_STATUS", "204", 204),
        ("CACHE_CONTROL", "no-store", "no-store"), ("STRICT_PARAMETERS", "1", True),
        ("PUBLIC_BASE_URL", "https://a.test/x/", "https://a.test/x"),
        ("PUBLIC_BASE_URL", "http://[::1]:80/a%20b", "http://[::1]:80/a%20b"),
        ("TRUSTED_PROXIES", "", ()), ("TRUSTED_PROXIES", "10.0.0.0/8, ::1", PROXIES),
        ("FORWARDED_HEADERS", "forwarded", "forwarded"), ("ROOT_PATH", "/pacs/", "/pacs"),
        ("ROOT_PATH", "/", ""), ("CORS_ORIGINS", "*", ("*",)), ("CORS_ORIGINS", "", ()),
        ("CORS_ORIGINS", "https://a.test, http://b:81", ("https://a.test", "http://b:81")),
        ("CORS_ORIGINS", "http://[::1]:81, https://a_b:80", ("http://[::1]:81", "https://a_b:80")),
        ("PAGE", "false", False), ("LOG_LEVEL", "debug", "debug"),
    ],
)  # fmt: skip
def test_accepts(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    """Each setting is read from its variable."""
    assert value == getattr(load(monkeypatch, **{name: text}), name.lower())


def test_accepts_a_viewer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder is one of OHIF's by its index."""
    (tmp_path / "index.html").touch()
    assert tmp_path == load(monkeypatch, OHIF_DIR=str(tmp_path)).ohif_dir


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("STUDY_ATTRIBUTES", "", ()),
        ("STUDY_ATTRIBUTES", "PatientAge, ReferringPhysicianName",
         ("PatientAge", "ReferringPhysicianName")),
        ("CACHE_MIB", "0", 0), ("MAX_MIB", "1", 1), ("CALLS_PER_S", "0.5", 0.5), ("BURST", "1", 1),
    ],
)  # fmt: skip
def test_accepts_metadata(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    """Each setting of the table of metadata is read from its variable."""
    settings = load(monkeypatch, **{f"METADATA_{name}": text})
    assert value == getattr(settings.metadata, name.lower())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("UPSTREAM", "image-sets", "image-sets"), ("UPSTREAM", "off", "off"),
        ("DICOMWEB_ENDPOINT", "https://a.test/", "https://a.test"), ("CALLS_PER_S", "0.5", 0.5),
        ("BURST", "1", 1), ("FRAMES_PER_S", "9", 9.0), ("FRAMES_BURST", "9", 9),
        ("KEEP_S", "0", 0.0),
    ],
)  # fmt: skip
def test_accepts_retrieve(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    """Each setting of the table of retrieving is read from its variable."""
    settings = load(monkeypatch, **{f"RETRIEVE_{name}": text})
    assert value == getattr(settings.retrieve, name.lower())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("UPSTREAM", "both"), ("DICOMWEB_ENDPOINT", "a.test"), ("DICOMWEB_ENDPOINT", "ftp://a"),
        ("DICOMWEB_ENDPOINT", "https://a/b#c"), ("DICOMWEB_ENDPOINT", "https://a:65536"),
        ("CALLS_PER_S", "0"), ("CALLS_PER_S", "inf"), ("BURST", "0"), ("FRAMES_PER_S", "0"),
        ("FRAMES_BURST", "0"), ("KEEP_S", "-1"), ("KEEP_S", "inf"), ("FOO", "1"),
    ],
)  # fmt: skip
def test_refuses_retrieve(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """A wrong setting of the table is one sentence that names it and not its value."""
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, **{f"RETRIEVE_{name}": text})
    (fault,) = caught.value.problems
    assert f"RETRIEVE_{name}" in fault.replace(".", "_")
    assert text not in fault or len(text) <= 2


@pytest.mark.parametrize(
    ("replicas", "limits"),
    [
        pytest.param(1, (50.0, 100, 1000.0, 2000), id="all of it"),
        pytest.param(4, (12.5, 25, 250.0, 500), id="a fourth, whole calls at once"),
        pytest.param(4000, (0.0125, 1, 0.25, 1), id="one call at once at least"),
    ],
)
def test_replicas_share_what_retrieves(
    monkeypatch: pytest.MonkeyPatch, replicas: int, limits: tuple[float, int, float, int]
) -> None:
    """Each gateway takes its part; what finding a place may cost is that of a search."""
    settings = load(monkeypatch, REPLICAS=str(replicas), SCAN_BUDGET_CALLS="7", SCAN_BUDGET_S="8")
    assert RetrieveLimits(*limits, max_calls=7, max_s=8.0) == settings.retrieve_limits


def test_a_table_in_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment and the file give one table together; an array is a list of keywords."""
    file = tmp_path / "g.toml"
    table = '[metadata]\nstudy_attributes = ["PatientAge"]\ncache_mib = 2\nburst = 3\n'
    file.write_text(f'datastore_id = "{STORE}"\nregion = "x"\n{table}')
    monkeypatch.setenv("QIDO_GATEWAY_METADATA_BURST", "4")
    found = load_settings(file, {}, None)
    assert (("PatientAge",), 4) == (found.metadata.study_attributes, found.metadata.burst)
    expected = MetadataLimits(cache_bytes=2 * MIB, max_bytes=256 * MIB, calls_per_s=50, burst=4)
    assert expected == found.metadata_limits


@pytest.mark.parametrize(
    ("replicas", "searches", "metadata"),
    [
        pytest.param(1, QuotaLimits(25, 48, 9), (50.0, 100), id="all of it"),
        pytest.param(4, QuotaLimits(6.25, 12, 9), (12.5, 25), id="a fourth, whole calls at once"),
        pytest.param(1000, QuotaLimits(0.025, 1, 9), (0.05, 1), id="one call at once at least"),
    ],
)
def test_replicas_share_the_quotas(
    monkeypatch: pytest.MonkeyPatch,
    replicas: int,
    searches: QuotaLimits,
    metadata: tuple[float, int],
) -> None:
    """Each gateway takes its part of what the account may call; what waits is each one's own."""
    settings = load(monkeypatch, REPLICAS=str(replicas), QUOTA_WAITING="9")
    limits = settings.metadata_limits
    assert searches == settings.quota_limits
    assert metadata == (limits.calls_per_s, limits.burst)


def test_what_study_attributes_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is possible is listed: of the study, and in metadata alone."""
    with pytest.raises(ConfigError, match="ReferringPhysicianName") as caught:
        load(monkeypatch, METADATA_STUDY_ATTRIBUTES="StudyDate")
    assert "PatientAge" in str(caught.value)
    assert "StudyDate" not in str(caught.value)
    assert "SeriesDescription" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("METADATA_STUDY_ATTRIBUTES", "Rows"), ("METADATA_STUDY_ATTRIBUTES", "StudyDate"),
        ("METADATA_STUDY_ATTRIBUTES", "NoSuch"), ("METADATA_STUDY_ATTRIBUTES", "PatientAge,X1"),
        ("METADATA_CACHE_MIB", "-1"), ("METADATA_MAX_MIB", "0"), ("METADATA_CALLS_PER_S", "0"),
        ("METADATA_CALLS_PER_S", "inf"), ("METADATA_BURST", "0"), ("METADATA_BURST", "x"),
        ("METADATA_FOO", "1"), ("METADATA", "{}"),
    ],
)  # fmt: skip
def test_refuses_metadata(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """A wrong setting of the table is one sentence that names it and not its value."""
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, **{name: text})
    (fault,) = caught.value.problems
    assert name in fault.replace(".", "_")
    assert text not in fault or len(text) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATASTORE_ID", "SECRET"), ("REGION", "US EAST"), ("HOST", "0.0.0.0"), ("PORT", "65536"),
        ("PORT", "x"), ("INSECURE", "perhaps"), ("DEFAULT_LIMIT", "0"), ("DEFAULT_LIMIT", "20000"),
        ("MAX_RESULTS", "0"), ("SCAN_BUDGET_CALLS", "0"), ("SCAN_BUDGET_S", "0"),
        ("QUOTA_CALLS_PER_S", "0"), ("QUOTA_CALLS_PER_S", "inf"), ("QUOTA_CALLS_PER_S", "nan"),
        ("QUOTA_BURST", "0"), ("QUOTA_WAITING", "0"), ("REPLICAS", "0"), ("REPLICAS", "x"),
        ("IMAGE_SETS", "some"), ("STUDY_WINDOW", "week"), ("COUNTS", "x"), ("EQUAL_PADDING", "x"),
        ("TRUST_UNMARKED", "x"), ("NO_MATCH_STATUS", "404"), ("NO_MATCH_STATUS", "x"),
        ("CACHE_CONTROL", "public"),
        ("STRICT_PARAMETERS", "x"), ("PUBLIC_BASE_URL", "a.test"), ("PUBLIC_BASE_URL", "ftp://a"),
        ("PUBLIC_BASE_URL", "http://a?b"), ("PUBLIC_BASE_URL", "http://a?"),
        ("PUBLIC_BASE_URL", "http://a/b#c"), ("PUBLIC_BASE_URL", "http://a/b\n"),
        ("PUBLIC_BASE_URL", " http://a"), ("PUBLIC_BASE_URL", "http://a/b c"),
        ("PUBLIC_BASE_URL", "http://a:x"), ("PUBLIC_BASE_URL", "http://a:65536"),
        ("PUBLIC_BASE_URL", "http://u:p@a"), ("PUBLIC_BASE_URL", "http://[::1"),
        ("CORS_ORIGINS", "a.test"), ("CORS_ORIGINS", "https://a.test/x"),
        ("CORS_ORIGINS", "http://"), ("CORS_ORIGINS", "https://A.test"),
        ("CORS_ORIGINS", "https://a.test:443"), ("CORS_ORIGINS", "http://a.test:80"),
        ("CORS_ORIGINS", "https://*.a.test"), ("CORS_ORIGINS", "https://u:p@a"),
        ("CORS_ORIGINS", "https://a:65536"), ("TRUSTED_PROXIES", "proxy.test"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"), ("FORWARDED_HEADERS", "both"), ("ROOT_PATH", "pacs"),
        ("ROOT_PATH", "/a/../b"), ("ROOT_PATH", "/a b"), ("LOG_LEVEL", "loud"), ("FOO", "1"),
        ("PAGE", "perhaps"), ("OHIF_DIR", "/nothing/here"), ("OHIF_DIR", "/"),
        ("RETRIEVE", "off"), ("METADATA", "x"),
    ],
)  # fmt: skip
def test_refuses(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """A wrong setting is one sentence that names it and not its value."""
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch, **{name: text})
    (fault,) = caught.value.problems
    assert name in fault or name == "DEFAULT_LIMIT"
    assert text not in fault or len(text) == 1


def test_refuses_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable is read in any case, and so is one that no setting has."""
    monkeypatch.setenv("qido_gateway_colour", "x")
    with pytest.raises(ConfigError) as caught:
        load(monkeypatch)
    assert ("qido_gateway_colour: there is no such setting",) == caught.value.problems


def test_every_fault_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All faults are told together."""
    monkeypatch.setenv("QIDO_GATEWAY_PORT", "x")
    monkeypatch.setenv("QIDO_GATEWAY_FOO", "x")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path / "none.toml", {"host": "0.0.0.0"}, None)
    said = " ".join(caught.value.problems)
    names = ("DATASTORE_ID", "REGION", "PORT", "FOO", "HOST", "--config", "AWS_REGION")
    assert all(name in said for name in names)


def test_the_command_line_outranks_the_environment_and_that_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Options first, then variables, then the file, then AWS's own region, then defaults."""
    file = tmp_path / "g.toml"
    file.write_text(f'datastore_id = "{STORE}"\nport = 1\ndefault_limit = 2\nmax_results = 3\n')
    monkeypatch.setenv("QIDO_GATEWAY_PORT", "4")
    monkeypatch.setenv("QIDO_GATEWAY_DEFAULT_LIMIT", "1")
    settings = load_settings(file, {"port": 5, "host": None}, "eu-west-1")
    found = (settings.port, settings.default_limit, settings.max_results, settings.region)
    assert (5, 1, 3, "eu-west-1") == found
    assert ("127.0.0.1", "hour") == (settings.host, settings.search_options.study_window)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("port = ", "not TOML"),
        ("[metadata]\ncolour = 1", "METADATA.COLOUR"),
        ("colour = 1", "COLOUR"),
        ('port = "x"', "PORT"),
        ("trusted_proxies = [10]", "TRUSTED_PROXIES"),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, named: str) -> None:
    """A file that is no TOML, or has an unknown or wrong setting, is a sentence."""
    file = tmp_path / "g.toml"
    file.write_text(f'datastore_id = "{STORE}"\n{text}\n')
    with pytest.raises(ConfigError, match=named):
        load_settings(file, {}, "eu-west-1")
