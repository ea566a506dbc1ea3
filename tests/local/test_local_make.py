"""The Makefile's virtual environment: made once, from a Python that runs, and never counted as done when it is not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from settings import ROOT

TOOLS = ("sh", "dirname", "rm", "touch", "make", "awk")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone without requirements, so that nothing is fetched."""
    (tmp_path / "local").mkdir()
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "local" / "venv.sh", tmp_path / "local")
    (tmp_path / "requirements.txt").write_text("")
    return tmp_path


def programs(folder: Path, **scripts: str) -> str:
    """A PATH that holds a few tools and these scripts."""
    bin_ = folder / "bin"
    bin_.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (bin_ / tool).symlink_to(found)
    for name, script in scripts.items():
        (bin_ / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_ / name).chmod(0o755)
    return str(bin_)


def make(folder: Path, *words: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    # Without what a make that runs these tests would tell a make below it
    above = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
    env = {name: value for name, value in os.environ.items() if name not in above}
    env["PATH"] = path or os.environ["PATH"]
    return subprocess.run(["make", *words], cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_an_interrupted_installation_is_not_done_and_a_finished_one_is_kept(folder: Path) -> None:
    stamp = folder / ".venv" / "installed"
    (folder / "requirements.txt").write_text("./missing\n")
    assert make(folder, ".venv/installed").returncode != 0
    assert (folder / ".venv").exists()
    assert not stamp.exists()

    (folder / "requirements.txt").write_text("")
    assert make(folder, ".venv/installed").returncode == 0
    made = stamp.stat().st_mtime_ns
    assert make(folder, ".venv/installed").returncode == 0
    assert stamp.stat().st_mtime_ns == made

    (folder / "requirements.txt").write_text("./missing\n")
    assert make(folder, ".venv/installed").returncode != 0
    assert not stamp.exists()


def test_without_a_fitting_python_one_line_says_what_to_install(folder: Path) -> None:
    path = programs(folder, **{"python3.12": "exit 127", "python3": "exit 1"})
    answer = make(folder, ".venv/installed", path=path)
    assert answer.returncode != 0
    assert [line for line in answer.stderr.splitlines() if not line.startswith("make: ***")] == [
        "No Python 3.11 or 3.12 here: install one (Debian, Ubuntu: apt install python3 python3-venv)."
    ]


def test_without_the_venv_module_one_line_says_what_to_install(folder: Path) -> None:
    path = programs(folder, python3='case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')
    answer = make(folder, ".venv/installed", path=path)
    assert answer.returncode != 0
    assert "python3 lacks its venv module" in answer.stderr
    assert not (folder / ".venv").exists()


def test_the_first_python_that_truly_runs_is_used(folder: Path) -> None:
    makes_one = (
        'case "$*" in *venv\\ .venv*) mkdir -p .venv/bin; cp "$0" .venv/bin/python;; --version) echo Python 3.11;; esac'
    )
    path = programs(folder, **{"python3.12": "exit 127", "python3.11": makes_one, "python3": "exit 1"})
    answer = make(folder, ".venv/installed", path=f"{path}:/usr/bin:/bin")
    assert answer.returncode == 0, answer.stderr
    assert (folder / ".venv" / "bin" / "python").read_text() == (folder / "bin" / "python3.11").read_text()


def test_help_is_the_default_and_lists_every_target(folder: Path) -> None:
    targets = {"help", "up", "test", "lint", "demo", "bench", "chaos", "chaos-long", "audit", "migrate", "words"}
    targets |= {"screenshots"}
    answer = make(folder)
    assert {line.split()[1] for line in answer.stdout.splitlines()} == targets
