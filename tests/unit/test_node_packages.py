"""The sidecar's packages: pinned exactly, and from wherever a machine's npm is told to look."""

from __future__ import annotations

import json
import re
from typing import Any

from settings import ROOT

SIDECAR = ROOT / "bridge" / "baileys"
PACKAGE: dict[str, Any] = json.loads((SIDECAR / "package.json").read_text())
LOCKED: dict[str, Any] = json.loads((SIDECAR / "package-lock.json").read_text())["packages"]
EXACT = re.compile(r"^\d+\.\d+\.\d+(-[a-z0-9.]+)?$")


def test_what_we_ask_for_is_pinned_exactly() -> None:
    asked = PACKAGE["dependencies"] | PACKAGE["devDependencies"]
    assert {name: version for name, version in asked.items() if not EXACT.match(version)} == {}


def test_what_we_ask_for_is_what_is_locked() -> None:
    asked = PACKAGE["dependencies"] | PACKAGE["devDependencies"]
    assert {name: LOCKED[f"node_modules/{name}"]["version"] for name in asked} == asked


def test_the_sidecar_itself_needs_only_three_packages() -> None:
    """The third is Baileys' own, which is to be the same one: ``failed_tries.js`` would change another in vain."""
    assert set(PACKAGE["dependencies"]) == {"baileys", "libsignal", "pg"}
    assert [path for path in LOCKED if path.endswith("node_modules/libsignal")] == ["node_modules/libsignal"]


def test_each_package_is_locked_by_its_content() -> None:
    packages = {path: package for path, package in LOCKED.items() if path}
    assert packages
    assert [path for path, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [path for path, package in packages.items() if not EXACT.match(package["version"])] == []


def test_no_package_comes_from_an_address() -> None:
    """Neither git, which needs a compiler and a network of its own, nor the registry of whoever wrote the lockfile."""
    assert [path for path, package in LOCKED.items() if "resolved" in package] == []
    wanted = [
        version
        for package in LOCKED.values()
        for kind in ("dependencies", "devDependencies", "optionalDependencies")
        for version in package.get(kind, {}).values()
    ]
    assert [version for version in wanted if "/" in version or version.startswith(("git", "http", "file:"))] == []


def test_no_package_runs_a_script_when_it_is_installed() -> None:
    assert "ignore-scripts=true" in (SIDECAR / ".npmrc").read_text().splitlines()
