"""What the embedded Postgres and Redis have in common: one child of ours on 127.0.0.1, alone on its data folder."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

from local.child import Owner, spawn
from local.errors import LocalError
from local.ports import any_free_port
from local.processes import POLL_S, kill_group, stop_leftovers

READY_DEADLINE_S = 60.0  # after a crash the data are recovered first
STOP_DEADLINE_S = 30.0
TRIES_FOR_A_PORT = 5


class EmbeddedServer(ABC):
    """A server with its data below ``folder``, running from ``start`` to ``stop`` or as a context manager.

    ``port``: None chooses a free one at the first start and keeps it. ``fsync=False`` is for tests: fast, and a crash
    of the machine (not of the server) loses data. Start it from a thread that lives as long as the server should.
    After ``kill`` it can be started again: same port, same data.
    """

    title: ClassVar[str]
    program: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, folder: Path, *, password: str, port: int | None = None, fsync: bool = True) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "log"
        self._password = password
        self._port = port
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        if self._port is None:
            raise RuntimeError(f"{self.title} has no port before its first start")
        return self._port

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.title} is not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for clients, with the password."""

    @property
    @abstractmethod
    def data(self) -> Path:
        """The data folder, which is also the server's working directory."""

    def start(self) -> None:
        """Start it and return when it answers.

        A server that an earlier owner left behind on this folder is stopped first. Raises LocalError when the folder is
        in use by a living owner, or when the server ends or does not answer in time.
        """
        if self.running:
            raise RuntimeError(f"{self.title} runs already")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_folder()
        try:
            self._prepare()
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it in good order, without waiting for its clients."""
        if self._process is not None:
            for chosen, wait_s in ((self.stop_signal, STOP_DEADLINE_S), (signal.SIGKILL, None)):
                with suppress(ProcessLookupError):
                    self._process.send_signal(chosen)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(wait_s)
                    break
            self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def kill(self) -> None:
        """Stop it as a power cut would (for chaos tests)."""
        if self._process is not None:
            kill_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    @abstractmethod
    def remove(self) -> None:
        """Stop it and remove its data."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data folder fit to start on; nothing runs on it afterwards."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str]: ...

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it answers a query now; raises LocalError when it never will."""

    def _owner(self) -> Owner | None:
        """Whom it runs as; None: as us."""
        return None

    def _stop_leftovers(self) -> None:
        stop_leftovers(self.data, self.program, self.stop_signal)

    def _take_folder(self) -> None:
        if self._lock is not None:
            return
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            raise LocalError(f"another process already runs {self.title} on {self.folder}") from None

    def _launch(self) -> None:
        chosen_by_us = self._port is None
        for _ in range(TRIES_FOR_A_PORT):
            self._port = self._port or any_free_port()
            with self.log.open("ab") as log:
                log_start = log.tell()
                self._process = spawn(
                    self._command(self._port),
                    death_signal=self.stop_signal,
                    env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
                    output=log,
                    owner=self._owner(),
                )
            if self._became_ready(self._process):
                return
            said = self.log.read_bytes()[log_start:].decode(errors="replace").strip()
            if not (chosen_by_us and "Address already in use" in said):
                break
            self._port = None
        last_words = (said.splitlines() or ["no word"])[-1]
        raise LocalError(f"{self.title} does not start: {last_words} (all of it: {self.log})")

    def _became_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it answers (True) or has ended (False)."""
        deadline = time.monotonic() + READY_DEADLINE_S
        while process.poll() is None:
            if self._answers():
                return True
            if time.monotonic() > deadline:
                raise LocalError(f"{self.title} does not answer after {READY_DEADLINE_S:.0f} s: see {self.log}")
            time.sleep(POLL_S)
        return False
