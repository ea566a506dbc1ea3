"""The Procfile: which processes there are, and running one of its commands to its end."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Mapping
from pathlib import Path

from local.child import spawn
from local.errors import LocalError
from local.processes import kill_group


def read_procfile(text: str) -> dict[str, list[str]]:
    """``name: command`` lines as names and split commands, in their order; empty lines and comments are left out."""
    commands = {}
    for line in text.splitlines():
        name, colon, command = line.partition(":")
        if line.strip() and not line.lstrip().startswith("#"):
            if not colon or not command.strip():
                raise LocalError(f"the Procfile has a line that is not 'name: command': {line.strip()}")
            commands[name.strip()] = shlex.split(command)
    return commands


def run_to_end(name: str, command: list[str], env: Mapping[str, str], cwd: Path, log: Path) -> None:
    """Run one command before the others start. Raises LocalError with its last line when it fails."""
    with log.open("wb") as out:
        process = spawn(command, death_signal=signal.SIGTERM, env=env, output=out, cwd=str(cwd))
        try:
            code = process.wait()
        finally:
            kill_group(process.pid, signal.SIGKILL)
            process.wait()
    if code != 0:
        words = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        raise LocalError(f"{name} ({shlex.join(command)}) failed with code {code}: {words[-1]} (all of it: {log})")
