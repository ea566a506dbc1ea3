"""Every dependency is pinned, is what is installed, and may be used commercially."""

from __future__ import annotations

import re
from importlib import metadata

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


@pytest.mark.parametrize("name", PINS)
def test_what_is_installed_is_what_is_pinned(name: str) -> None:
    assert metadata.version(name) == PINS[name]["version"]


@pytest.mark.parametrize("name", PINS)
def test_its_licence_allows_commercial_use(name: str) -> None:
    found = licence(name)
    assert any(re.search(rf"\b{re.escape(allowed)}", found, re.I) for allowed in ALLOWED), (
        f"{name}: {found or 'none given'}"
    )
