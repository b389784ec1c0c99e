"""The configuration examples load, and say what the defaults are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pydantic import BaseModel

from gateway.config import MetadataSettings, RetrieveSettings, Settings
from gateway.config_sources import load_settings
from gateway.server.appconfig import INDEX, app_config_js

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "gateway.toml"
OHIF_EXAMPLE = EXAMPLE.with_name("ohif-app-config.js")

TABLES: dict[str, type[BaseModel]] = {"metadata": MetadataSettings, "retrieve": RetrieveSettings}


def test_example_loads() -> None:
    """The example as it stands is a configuration."""
    settings = load_settings(EXAMPLE, {}, None)
    assert ("us-east-1", 8042) == (settings.region, settings.port)


def test_example_shows_the_defaults() -> None:
    """What the example sets has no other effect than to name the data store."""
    shown = tomllib.loads(EXAMPLE.read_text("utf-8"))
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    defaults |= {name: table().model_dump() for name, table in TABLES.items()}
    shown["metadata"]["study_attributes"] = tuple(shown["metadata"]["study_attributes"])
    del shown["datastore_id"], shown["region"]
    shown["retrieve"].setdefault("dicomweb_endpoint", None)
    assert {name: defaults[name] for name in shown} == shown


def test_example_has_every_setting() -> None:
    """Each setting has its line, set or commented out."""
    names = re.findall(r"^(?:# )?([a-z_]+) = ", EXAMPLE.read_text("utf-8"), re.MULTILINE)
    own = [name for name in Settings.model_fields if name not in TABLES]
    inner = [name for table in TABLES.values() for name in table.model_fields]
    assert sorted((*own, *inner)) == sorted(names)


def test_example_with_all_lines_loads(tmp_path: Path) -> None:
    """What is commented out is right too."""
    text = re.sub(r"^# ([a-z_]+ = )", r"\1", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    (tmp_path / INDEX).touch()  # a folder that is there, in place of the example's
    text = re.sub('^ohif_dir = ".*"', f'ohif_dir = "{tmp_path}"', text, flags=re.MULTILINE)
    whole = tmp_path / "gateway.toml"
    whole.write_text(text, "utf-8")
    settings = load_settings(whole, {}, None)
    expected = ("https://pacs.example.org/dicom-web", ("https://viewer.example.org",))
    assert expected == (settings.public_base_url, settings.cors_origins)


def test_viewers_example_is_the_generated_one() -> None:
    """OHIF's example says, between its comments, what the gateway writes of such a place."""
    lines = OHIF_EXAMPLE.read_text("utf-8").splitlines()
    shown = [line for line in lines if line.strip() and not line.lstrip().startswith("//")]
    assert app_config_js("https://pacs.example.org/dicom-web", "/").splitlines() == shown
