"""Ends what a killed supervisor leaves behind.

The death signal reaches only a supervisor's own children. Their children, and those that ignore the signal, are left
to this small process of its own: it learns the process groups through a pipe, and when the pipe's other end is gone it
gives their leaders the grace the supervisor would have given and kills what is left.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from local.processes import POLL_S, alive, kill_group


class Reaper:
    """The supervisor's end of the pipe; ``keep_open`` are file descriptors that the reaper keeps open as well."""

    def __init__(self, grace_s: float, keep_open: Sequence[int] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.reaper", str(grace_s)],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=keep_open,
            start_new_session=True,
        )

    def watch(self, leader: int) -> None:
        self._tell(f"+{leader}")

    def forget(self, leader: int) -> None:
        self._tell(f"-{leader}")

    def close(self) -> None:
        """Let it end; it kills what is still watched."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):  # somebody killed it; the supervisor itself still cleans up
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()


def reap(lines: Iterable[str], grace_s: float) -> None:
    """Follow ``lines`` ("+id", "-id" of group leaders) to their end, then end the groups that remain."""
    leaders: set[int] = set()
    for line in lines:
        (leaders.add if line[0] == "+" else leaders.discard)(int(line[1:]))
    deadline = time.monotonic() + grace_s
    while leaders:
        for leader in list(leaders):
            if not alive(leader) or time.monotonic() > deadline:
                kill_group(leader, signal.SIGKILL)
                leaders.discard(leader)
        time.sleep(POLL_S)


if __name__ == "__main__":
    reap(sys.stdin, float(sys.argv[1]))
