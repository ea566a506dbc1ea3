"""docs/settings.md and settings.Settings say the same, and name who reads a setting truly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settings import ROOT, Settings

_ROW = re.compile(
    r"^\| `(?P<name>[A-Z_]+)` \| (?P<default>[^|]+) \| (?P<meaning>[^|]+) \| (?P<readers>[^|]+) \|$", re.M
)
SIDECARS = ROOT / "bridge" / "baileys" / "src" / "settings.js"
ROWS = [match.groupdict() for match in _ROW.finditer((ROOT / "docs" / "settings.md").read_text())]


def shown(default: object) -> str:
    """A default as a person would write it in .env."""
    if default is None:
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_setting_is_documented_once_and_nothing_else() -> None:
    assert sorted(row["name"].lower() for row in ROWS) == sorted(Settings.model_fields)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_row_says_what_the_code_says(row: dict[str, str]) -> None:
    field = Settings.model_fields[row["name"].lower()]
    assert row["default"] == shown(field.default)
    assert row["meaning"] == field.description


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_who_is_said_to_read_it_does(row: dict[str, str]) -> None:
    readers = re.findall(r"`([^`]+)`", row["readers"])
    assert readers
    for reader in readers:
        place = ROOT / reader
        files: list[Path] = [place] if place.is_file() else sorted(place.rglob("*.py"))
        name = (
            row["name"] if place.suffix == ".js" else row["name"].lower()
        )  # there it is the variable's, here the field's
        assert any(re.search(rf"\b{name}\b", file.read_text()) for file in files), f"{reader} does not read it"


def test_the_sidecar_reads_no_variable_that_is_not_a_setting() -> None:
    read = re.findall(r"\benv\.([A-Z_]+)|'([A-Z]+_[A-Z_]+)'", SIDECARS.read_text())
    tests_only = {"BAILEYS_TEST_MODE", "BAILEYS_TEST_URL", "BAILEYS_MEDIA_TEST_CA"}
    assert {"".join(names).lower() for names in read if "".join(names) not in tests_only} <= set(Settings.model_fields)


def test_the_example_file_has_every_setting_that_an_operator_sets_with_its_default() -> None:
    example = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M))
    by_platform = {"port", "dyno", "railway_environment"}
    fields = {name.upper(): field for name, field in Settings.model_fields.items() if name not in by_platform}
    assert set(example) == set(fields)
    defaults = {name: shown(field.default).strip("`") for name, field in fields.items() if field.default is not None}
    assert {name: example[name] for name in defaults} == defaults
