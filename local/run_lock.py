"""One run at a time on one DATA_DIR."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from local.errors import LocalError
from local.processes import POLL_S, alive

ENDING_DEADLINE_S = 40.0  # longer than the grace of a killed run's processes


@contextmanager
def only_run(data_dir: Path) -> Iterator[int]:
    """Hold the lock of ``data_dir``; its file descriptor, which the reaper keeps open too.

    A run that was killed may still be ending under its reaper: that is waited for. Raises LocalError, naming the
    process and its addresses, when another run is alive.
    """
    file = data_dir / "run.lock"
    lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + ENDING_DEADLINE_S
        while not _taken(lock):
            pid = file.read_text().strip()
            if pid and alive(int(pid)):
                raise LocalError(
                    f"already running here as process {pid}{_addresses(data_dir)}: stop it with Ctrl-C there"
                )
            if time.monotonic() > deadline:
                raise LocalError(f"an earlier run on {data_dir} does not end: see who holds {file}")
            time.sleep(POLL_S)
        os.truncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        yield lock
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _addresses(data_dir: Path) -> str:
    with suppress(OSError, ValueError, KeyError):
        ports = json.loads((data_dir / "ports.json").read_text())
        return f" (console http://127.0.0.1:{ports['console']}, API http://127.0.0.1:{ports['api']})"
    return ""
