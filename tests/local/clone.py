"""A small clone of Fanfare in a temporary folder: our ``local/`` and settings, stand-ins for all other processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from waiting import until

from local.processes import alive
from settings import ROOT

DEADLINE_S = 30.0  # for a run to end

PROCFILE = """
release: python -c "print('migrated')"
web: python standin.py console
api: python standin.py api
worker: python standin.py wait_with_child
bridge: python standin.py wait
"""


NODE = """
def installed():
    return False

if __name__ == "__main__":
    print("installed")
"""


def processes_of(folder: Path) -> list[int]:
    """Every living process of the clone, known by its environment, its command or its working directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                cwd = os.readlink(entry / "cwd")
            except OSError:
                continue
            if (os.fsencode(folder) in words or cwd.startswith((str(folder), _home(folder)))) and alive(
                int(entry.name)
            ):
                found.append(int(entry.name))
    return found


def _home(folder: Path) -> str:
    """Where root's Postgres of the clone lives."""
    note = folder / ".local" / "postgres" / "place"
    return note.read_text() if note.exists() else str(folder)


def _hears_the_hang_up() -> None:
    """Also when the tests themselves run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Clone:
    """The clone in ``folder`` (0700), with methods that run it as a person would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700)
        shutil.copytree(ROOT / "local", folder / "local", ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("settings.py", "failpoints.py"):
            shutil.copy(ROOT / file, folder)
        shutil.copy(Path(__file__).with_name("standin.py"), folder)
        (folder / "local" / "seed.py").write_text("print('seeded')\n")
        (folder / "bridge").mkdir()
        (folder / "bridge" / "node.py").write_text(NODE)
        self.procfile(PROCFILE)
        self.runs: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def end_runs(self) -> None:
        for run in self.runs:
            if run.poll() is None:
                run.send_signal(signal.SIGINT)
        for run in self.runs:
            run.wait(DEADLINE_S)

    def __exit__(self, *_: object) -> None:
        self.end_runs()
        if os.geteuid() == 0 and _home(self.folder) != str(self.folder):
            shutil.rmtree(Path(_home(self.folder)).parent)

    def procfile(self, text: str) -> None:
        (self.folder / "Procfile").write_text(text)

    def up(self, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start ``python -m local.up``; what it says goes to the file ``said``."""
        clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        with (self.folder / "said").open("w") as said:
            run = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "local.up"],
                cwd=self.folder,
                env={**clean, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                preexec_fn=_hears_the_hang_up,  # noqa: PLW1509 - no other thread runs here
            )
        self.runs.append(run)
        return run

    def up_and_ready(self, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        run = self.up(env)
        until(lambda: "Ctrl-C stops everything" in self.said() or run.poll() is not None, "it is ready")
        assert run.poll() is None, self.said()
        return run

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def kept(self, name: str) -> dict[str, str]:
        kept: dict[str, str] = json.loads((self.folder / ".local" / f"{name}.json").read_text())
        return kept

    def database_url(self) -> str:
        password = self.kept("secrets")["postgres_password"]
        return f"postgresql://fanfare:{password}@127.0.0.1:{self.kept('ports')['postgres']}/fanfare"

    def redis_url(self) -> str:
        return f"redis://:{self.kept('secrets')['redis_password']}@127.0.0.1:{self.kept('ports')['redis']}/0"
