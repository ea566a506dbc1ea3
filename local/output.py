"""What the processes say: each line to the terminal under the process's name, and to the process's own log file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)
LONGEST_LINE = 65_536
NAME_WIDTH = 10


def say(text: str) -> None:
    """Print; a terminal that has gone away is no reason to fail, now or when the interpreter flushes at its end."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def rotated(logs: Path, name: str) -> Path:
    """The path of a new log; the one of the run before is kept beside it with ``.1`` added."""
    logs.mkdir(mode=0o700, exist_ok=True)
    log = logs / f"{name}.log"
    with suppress(FileNotFoundError):
        log.replace(logs / f"{name}.log.1")
    return log


class Relay:
    """Passes on what one process writes, line by line."""

    def __init__(self, name: str, log: Path, number: int) -> None:
        self._log = log.open("ab")
        prefix = f"{name:<{NAME_WIDTH}} | "
        if sys.stdout.isatty():
            prefix = f"\033[{COLOURS[number % len(COLOURS)]}m{prefix}\033[0m"
        self._prefix = prefix
        self._rest = b""

    def read(self, pipe: int) -> bool:
        """Pass on what ``pipe`` (not blocking) holds now; False at its end."""
        while True:
            try:
                data = os.read(pipe, LONGEST_LINE)
            except BlockingIOError:
                return True
            if not data:
                self.feed(b"\n" if self._rest else b"")
                return False
            self.feed(data)

    def feed(self, data: bytes) -> None:
        self._log.write(data)
        self._log.flush()
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            say(self._prefix + line.decode(errors="replace").rstrip("\r"))

    def close(self) -> None:
        self._log.close()
