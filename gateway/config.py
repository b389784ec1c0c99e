"""Every setting: its name, type and default, what it may be, and who reads it."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.healthimaging.metadata import MIB, MetadataLimits
from gateway.healthimaging.quota import QuotaLimits
from gateway.healthimaging.retrieving import RetrieveLimits
from gateway.healthimaging.walks import WalkLimits
from gateway.qido.attributes import ATTRIBUTES, Level, Origin
from gateway.search.plan import SearchOptions
from gateway.server.appconfig import INDEX
from gateway.server.forwarded import Family, Forwarding, Network, valid_prefix

ENV_PREFIX = "QIDO_GATEWAY_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _by_comma(value: object) -> object:
    """The parts of a comma list, which the environment holds as one text."""
    if isinstance(value, str):
        return tuple(part for part in (p.strip() for p in value.split(",")) if part)
    return value


def _networks(value: object) -> object:
    """The addresses of a comma list or a list, each as a network."""
    parts = _by_comma(value)
    if not isinstance(parts, list | tuple):
        return value
    try:
        # A number would be taken for an address
        return tuple(ip_network(part if isinstance(part, str) else "") for part in parts)
    except ValueError:
        raise ValueError(
            "each must be an address or a network without host bits, such as 10.0.0.0/8"
        ) from None


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _checked_url(value: str) -> str:
    found = _URL.fullmatch(value)
    if found is None or int(found["port"] or 0) > _LAST_PORT:
        raise ValueError("must be an absolute http or https URL without a query")
    return value.rstrip("/")


def _is_origin(value: str) -> bool:
    """Whether a browser could send it: in lower case, and no port that its scheme has anyway."""
    found = _URL.fullmatch(value)
    if found is None or found["path"] or value != value.lower():
        return False
    port = found["port"]
    return port is None or (int(port) <= _LAST_PORT and port != _USUAL_PORTS[found["scheme"]])


_URL = re.compile(
    r"(?i:(?P<scheme>https?))://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)"
)
_LAST_PORT = 65_535
_USUAL_PORTS = {"http": "80", "https": "443"}
_SPARE_OF_BURST = 25

_FETCHABLE = tuple(
    a.keyword for a in ATTRIBUTES if a.level is Level.STUDY and a.origin is Origin.METADATA
)


class MetadataSettings(BaseModel):
    """The settings of the table `[metadata]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    study_attributes: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_comma)] = ()
    cache_mib: int = Field(default=64, ge=0)
    max_mib: int = Field(default=256, ge=1)
    calls_per_s: float = Field(default=50.0, gt=0, allow_inf_nan=False)
    burst: int = Field(default=100, ge=1)

    @field_validator("study_attributes")
    @classmethod
    def _check_study_attributes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= set(_FETCHABLE):
            raise ValueError(f"each must be one of {', '.join(_FETCHABLE)}")
        return value


class RetrieveSettings(BaseModel):
    """The settings of the table `[retrieve]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    upstream: Literal["auto", "dicomweb", "image-sets", "off"] = "auto"
    dicomweb_endpoint: str | None = None
    calls_per_s: float = Field(default=50.0, gt=0, allow_inf_nan=False)
    burst: int = Field(default=100, ge=1)
    frames_per_s: float = Field(default=1_000.0, gt=0, allow_inf_nan=False)
    frames_burst: int = Field(default=2_000, ge=1)
    keep_s: float = Field(default=60.0, ge=0, allow_inf_nan=False)

    @field_validator("dicomweb_endpoint")
    @classmethod
    def _check_endpoint(cls, value: str | None) -> str | None:
        return None if value is None else _checked_url(value)


class Settings(BaseSettings):
    """Every setting, with its default; `docs/operations.md` gives unit, reason and example."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    datastore_id: str = Field(pattern=r"^[0-9a-z]{32}$")
    region: str = Field(pattern=r"^[a-z0-9-]+$")
    insecure: bool = False
    host: str = Field(default="127.0.0.1", validate_default=True)
    port: int = Field(default=8042, ge=0, le=65535)
    default_limit: int = Field(default=1_000, ge=1)
    max_results: int = Field(default=10_000, ge=1, validate_default=True)
    scan_budget_calls: int = Field(default=400, ge=1)
    scan_budget_s: float = Field(default=30.0, gt=0)
    scan_concurrency: int = Field(default=8, ge=1, le=50)
    walk_ttl_s: float = Field(default=5.0, ge=0, allow_inf_nan=False)
    walk_continue_s: float = Field(default=60.0, ge=0, allow_inf_nan=False)
    walk_cache_mib: int = Field(default=16, ge=0)
    quota_calls_per_s: float = Field(default=25.0, gt=0, allow_inf_nan=False)
    quota_burst: int = Field(default=50, ge=1)
    quota_waiting: int = Field(default=1_000, ge=1)
    replicas: int = Field(default=1, ge=1)
    image_sets: Literal["primary", "fill", "all"] = "primary"
    study_window: Literal["hour", "day"] = "hour"
    counts: Literal["auto", "image-set", "study"] = "auto"
    equal_padding: Literal["trimmed", "both"] = "trimmed"
    trust_unmarked: bool = True
    no_match_status: Annotated[Literal[200, 204], BeforeValidator(_number)] = 200
    cache_control: Literal["no-cache", "no-store"] = "no-cache"
    strict_parameters: bool = False
    public_base_url: str | None = None
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = ()
    forwarded_headers: Family = "x-forwarded"
    root_path: str = ""
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_comma)] = ()
    page: bool = True
    ohif_dir: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metadata: MetadataSettings = MetadataSettings()
    retrieve: RetrieveSettings = RetrieveSettings()

    @field_validator("public_base_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return None if value is None else _checked_url(value)

    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str) -> str:
        prefix = valid_prefix(value)
        if prefix is None:
            raise ValueError("must be a path such as /archive, of letters, digits and . _ ~ -")
        return prefix

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(origin == "*" or _is_origin(origin) for origin in value):
            raise ValueError(
                "each must be an origin as browsers send it, such as https://viewer.example.org, "
                "or *"
            )
        return value

    @field_validator("ohif_dir")
    @classmethod
    def _check_ohif_dir(cls, value: Path | None) -> Path | None:
        if value is not None and not (value / INDEX).is_file():
            raise ValueError(f"must be the folder of OHIF's built files, with {INDEX} in it")
        return value

    @field_validator("host")
    @classmethod
    def _check_host(cls, value: str, info: ValidationInfo) -> str:
        if value not in LOOPBACK and not info.data.get("insecure"):
            raise ValueError(
                "is not a loopback address, and there is no authentication: "
                "say --insecure (INSECURE=true) where another layer protects the gateway"
            )
        return value

    @field_validator("max_results")
    @classmethod
    def _check_limits(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("default_limit", 1):
            raise ValueError("must not be less than DEFAULT_LIMIT")
        return value

    @property
    def forwarding(self) -> Forwarding:
        """The part that is about proxies in front."""
        return Forwarding(self.trusted_proxies, self.forwarded_headers, self.root_path)

    @property
    def walk_limits(self) -> WalkLimits:
        """The part that walks read."""
        return WalkLimits(
            ttl_s=self.walk_ttl_s,
            continue_s=self.walk_continue_s,
            cache_bytes=self.walk_cache_mib * MIB,
            scan_concurrency=self.scan_concurrency,
        )

    @property
    def search_options(self) -> SearchOptions:
        """The part that searches read."""
        return SearchOptions(
            image_sets=self.image_sets,
            study_window=self.study_window,
            counts=self.counts,
            equal_padding=self.equal_padding,
            trust_unmarked=self.trust_unmarked,
        )

    @property
    def quota_limits(self) -> QuotaLimits:
        """This gateway's part of the account's calls of SearchImageSets.

        A little of the burst is left: calls arrive closer together than they were sent, and one
        that is throttled waits for longer.
        """
        burst = self.quota_burst // self.replicas
        return QuotaLimits(
            calls_per_s=self.quota_calls_per_s / self.replicas,
            burst=max(1, burst - burst // _SPARE_OF_BURST),
            max_waiting=self.quota_waiting,
        )

    @property
    def metadata_limits(self) -> MetadataLimits:
        """What is kept of metadata, and this gateway's part of the account's calls for it."""
        table = self.metadata
        return MetadataLimits(
            cache_bytes=table.cache_mib * MIB,
            max_bytes=table.max_mib * MIB,
            calls_per_s=table.calls_per_s / self.replicas,
            burst=max(1, table.burst // self.replicas),
        )

    @property
    def retrieve_limits(self) -> RetrieveLimits:
        """This gateway's part of the account's calls that retrieve, and how long places are kept.

        What it costs to find a place is bounded as what a search costs.
        """
        table = self.retrieve
        return RetrieveLimits(
            calls_per_s=table.calls_per_s / self.replicas,
            burst=max(1, table.burst // self.replicas),
            frames_per_s=table.frames_per_s / self.replicas,
            frames_burst=max(1, table.frames_burst // self.replicas),
            keep_s=table.keep_s,
            max_calls=self.scan_budget_calls,
            max_s=self.scan_budget_s,
        )
