"""What /proc knows about processes, for those that are not our children (any more)."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from local.errors import LocalError

POLL_S = 0.05


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended but was not collected by its parent does not."""
    stat = _stat(pid)
    return bool(stat) and stat[0] not in ("Z", "X")


def kill_group(leader: int, signal_: signal.Signals) -> None:
    """Send a signal to a whole process group; one that is gone is no error."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal_)


def running_in(folder: Path, program: str) -> list[int]:
    """Ids of the processes that run ``program`` with ``folder`` as their working directory, oldest first.

    Postgres and Redis both enter their data folder, so this tells with certainty whose data a server has open.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # it ended meanwhile, or it belongs to somebody else
            executable = os.readlink(entry / "exe").removesuffix(" (deleted)")
            if os.readlink(entry / "cwd") == str(folder) and Path(executable).name == program:
                found.append(int(entry.name))
    return sorted(found)


def stop_leftovers(folder: Path, program: str, gentle: signal.Signals, deadline_s: float = 10.0) -> None:
    """End every ``program`` that still has ``folder`` open: gently, and after half of ``deadline_s`` by SIGKILL.

    Gently only those at the top: to Postgres' children the same signal means something else, and they end with it.
    Raises LocalError when one is still there at the deadline.
    """
    started = time.monotonic()
    told: set[int] = set()
    while left := running_in(folder, program):
        waited = time.monotonic() - started
        if waited > deadline_s:
            raise LocalError(f"process {left[0]} ({program}) has {folder} open and does not end: stop it first")
        for pid in left:
            with suppress(ProcessLookupError):
                if waited > deadline_s / 2:
                    os.kill(pid, signal.SIGKILL)
                elif pid not in told and _parent(pid) not in left:
                    os.kill(pid, gentle)
                    told.add(pid)
        time.sleep(POLL_S)


def _parent(pid: int) -> int | None:
    stat = _stat(pid)
    return int(stat[1]) if stat else None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; none when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
