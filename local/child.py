"""Start a process that does not outlive us.

The kernel sends the child its death signal when the thread that started it ends, however it ended: so start children
from a thread that lives as long as they should. The signal is asked for by this file, run as a small program that turns
into the command: a ``preexec_fn`` is not safe beside threads, and changing the user clears the signal, so both happen
here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class Owner:
    """A user of this machine, as numbers."""

    uid: int
    gid: int


def spawn(
    command: Sequence[str],
    *,
    death_signal: signal.Signals,
    env: Mapping[str, str],
    output: int | IO[bytes],
    cwd: str = "/",
    owner: Owner | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, stdout and stderr going to ``output``.

    ``owner`` is whom it runs as (only root may say so); ``death_signal`` is what it gets when we die. A command that
    does not exist says so in ``output`` and ends with code 127.
    """
    user = f"{owner.uid}:{owner.gid}" if owner else "-"
    launcher = [sys.executable, "-I", "-S", __file__, str(int(death_signal)), str(os.getpid()), user]
    return subprocess.Popen(
        [*launcher, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(env),
        cwd=cwd,
        start_new_session=True,
    )


def _become(death_signal: int, parent: int, user: str, command: list[str]) -> None:
    if user != "-":
        uid, gid = map(int, user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it died before the signal was set
        sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 (no shell is what we want)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
