"""Every dependency is pinned, also one that comes with another, is what is installed, and may be used commercially."""

from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from settings import ROOT

_PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(\[[a-z0-9,]+\])?==(?P<version>[^\s;]+)(\s*;(?P<marker>[^#]+))?(\s+#.*)?$"
)
LINES = [
    line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.strip() and not line.startswith("#")
]
PINS = {match["name"]: match for match in map(_PIN.match, LINES) if match}

# MPL and LGPL (hypothesis, psycopg2) ask for changes to themselves to be published, and leave ours alone.
ALLOWED = (
    *("MIT", "BSD", "Apache", "ISC", "PSF", "Python Software Foundation", "PostgreSQL", "Unlicense", "Zlib", "0BSD"),
    *("MPL", "Mozilla", "LGPL", "Lesser General Public"),
)


def licence(name: str) -> str:
    """What an installed distribution says of its licence: the expression, the classifiers, or the old field's first line."""
    meta = metadata.metadata(name)
    classifiers = [c for c in meta.get_all("Classifier") or [] if c.startswith("License ::")]
    expressions = [meta[field] for field in ("License-Expression", "License") if field in meta]
    return " ; ".join([*classifiers, *(words.strip().splitlines()[0] for words in expressions if words.strip())])


def test_every_line_is_a_pin() -> None:
    assert [line for line in LINES if not _PIN.match(line)] == []


def imported(file: Path) -> set[str]:
    """The top names of what a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_what_we_import_is_pinned_by_us() -> None:
    """A package that is there only because another needs it goes when that one changes its mind."""
    files = [file for file in ROOT.rglob("*.py") if not file.relative_to(ROOT).parts[0].startswith(".")]
    providers = metadata.packages_distributions()
    pinned = {name.lower() for name in PINS}
    assert {"requests", "pytest"} <= pinned
    unpinned = {
        f"{name} ({file.relative_to(ROOT)})"
        for file in files
        for name in imported(file) - sys.stdlib_module_names
        if name in providers and not pinned & {provider.lower().replace("_", "-") for provider in providers[name]}
    }
    assert unpinned == set()


@pytest.mark.parametrize("name", PINS)
def test_what_is_installed_is_what_is_pinned(name: str) -> None:
    assert metadata.version(name) == PINS[name]["version"]


@pytest.mark.parametrize("name", PINS)
def test_its_licence_allows_commercial_use(name: str) -> None:
    found = licence(name)
    assert any(re.search(rf"\b{re.escape(allowed)}", found, re.I) for allowed in ALLOWED), (
        f"{name}: {found or 'none given'}"
    )
