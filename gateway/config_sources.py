"""Settings read: of the command line, else the environment (`QIDO_GATEWAY_…`), else a TOML file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from gateway.config import ENV_PREFIX, MetadataSettings, RetrieveSettings, Settings
from gateway.errors import ConfigError


def load_settings(
    config: Path | None,
    options: Mapping[str, Any],
    aws_region: str | None,
) -> Settings:
    """The settings of `options` (from the command line), else the environment, else the file.

    `aws_region` is the one that AWS's own variables and files name, for where no setting does.

    Raises: ConfigError with every fault at once; no fault holds a value.
    """

    class Loaded(Settings):
        model_config = SettingsConfigDict(toml_file=config)

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            aws = {"region": aws_region} if aws_region else {}
            return (
                init_settings,
                env_settings,
                TomlConfigSettingsSource(settings_cls),
                InitSettingsSource(settings_cls, init_kwargs=aws),
            )

    problems = _unknown_variables(os.environ)
    if config is not None and not config.is_file():
        problems.append("--config: there is no such file")
    try:
        settings = Loaded(**{k: v for k, v in options.items() if v is not None})
    except ValidationError as exc:
        faults = [_sentence(dict(error)) for error in exc.errors(include_input=False)]
        # An unknown variable of a table is one that pydantic sees as well
        problems += [one for one in faults if ENV_PREFIX + one.replace(".", "_", 1) not in problems]
    except SettingsError:  # a variable that is called as a table: it was found unknown above
        pass
    except ValueError:  # tomllib's own, whose text may quote the file
        problems.append("--config: the file is not TOML")
    if problems:
        raise ConfigError(tuple(problems))
    return settings


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    tables: dict[str, type[BaseModel]] = {
        "metadata": MetadataSettings,
        "retrieve": RetrieveSettings,
    }
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields if name not in tables}
    for table, model in tables.items():
        known |= {f"{ENV_PREFIX}{table}_{name}".upper() for name in model.model_fields}
    return [
        f"{name}: there is no such setting"
        for name in sorted(environment)
        if name.upper().startswith(ENV_PREFIX) and name.upper() not in known
    ]


def _sentence(error: Mapping[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        message = "there is no such setting"
    elif error["type"] == "missing":
        message = f"is required; set {ENV_PREFIX}{name.upper()}"
        message += " or AWS_REGION" if name == "region" else ""
    return f"{name.upper()}: {message}" if name else message
