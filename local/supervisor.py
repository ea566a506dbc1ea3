"""Runs the processes of a Procfile: starts them, passes on what they say, restarts the dead, ends all in good order.

One thread does everything, woken by output, by signals and by the clock: the death signal of a child is tied to the
thread that started it.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from local.child import spawn
from local.errors import LocalError
from local.output import Relay, rotated, say
from local.processes import kill_group
from local.reaper import Reaper
from local.server import EmbeddedServer

GRACE_S = 25.0  # workers finish or let go within this (Heroku kills at 30)
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 30.0
STEADY_S = 60.0
READY_POLL_S = 0.25

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def next_delay(last_delay_s: float, uptime_s: float) -> float:
    """Seconds to wait before a process that died after ``uptime_s`` is started again; 0 as last: it never died."""
    if last_delay_s == 0 or uptime_s >= STEADY_S:
        return FIRST_DELAY_S
    return min(last_delay_s * 2, LONGEST_DELAY_S)


@dataclass
class Child:
    """One process of the Procfile over all its lives."""

    name: str
    command: list[str]
    env: Mapping[str, str]
    cwd: Path
    relay: Relay
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    delay_s: float = 0.0

    def start(self) -> tuple[int, int]:
        """Start it; its process id, and the pipe (not blocking) that holds what it says."""
        pipe, its_end = os.pipe()
        os.set_blocking(pipe, False)
        try:
            with os.fdopen(its_end, "wb") as output:
                self.process = spawn(
                    self.command, death_signal=signal.SIGTERM, env=self.env, output=output, cwd=str(self.cwd)
                )
        except BaseException:
            os.close(pipe)
            raise
        self.started = time.monotonic()
        return self.process.pid, pipe


class Supervisor:
    """Processes by name, each with its command and environment, run in ``cwd``, logging below ``logs``.

    ``servers`` run already, and are stopped by their owner after us; while we run, one that dies is started again.
    """

    def __init__(
        self,
        commands: Mapping[str, list[str]],
        environments: Mapping[str, Mapping[str, str]],
        *,
        cwd: Path,
        logs: Path,
        servers: Sequence[EmbeddedServer],
        reaper: Reaper,
        grace_s: float = GRACE_S,
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._servers = servers
        self._reaper = reaper
        self._grace_s = grace_s
        self._stopping = False
        self._in_haste = False
        self._children = [
            Child(name, command, environments[name], cwd, Relay(name, rotated(logs, name), number))
            for number, (name, command) in enumerate(commands.items())
        ]

    def run(self, ready: Callable[[], str | None], announce: Callable[[], None], ready_deadline_s: float) -> None:
        """Run until a signal says stop; return when all processes have ended.

        ``ready`` answers what is not ready yet, or None when all is; then ``announce`` is called once. Raises
        LocalError, everything stopped, when that takes longer than ``ready_deadline_s``, or when a server that died
        cannot be started again.
        """
        deadline = time.monotonic() + ready_deadline_s
        announced, next_look = False, 0.0
        with self._woken_by_signals():
            try:
                while not self._stopping:
                    for server in self._servers:
                        if not server.running:
                            say(f"{server.title} has ended; it starts again")
                            server.start()
                    for child in self._children:
                        self._tend(child)
                    if not announced and time.monotonic() >= next_look:
                        missing = ready()
                        next_look = time.monotonic() + READY_POLL_S
                        if missing is None:
                            announced = True
                            announce()
                        elif time.monotonic() > deadline:
                            raise LocalError(f"not ready after {ready_deadline_s:.0f} s: {missing}")
                    self._wait(self._until_next_restart() if announced else READY_POLL_S)
            finally:
                self._stop()

    def _tend(self, child: Child) -> None:
        """Start the child when it is due; notice that it died."""
        if child.process is None:
            if time.monotonic() >= child.due:
                pid, pipe = child.start()
                self._reaper.watch(pid)
                self._selector.register(pipe, selectors.EVENT_READ, child.relay)
        elif (code := child.process.poll()) is not None:
            self._bury(child, child.process)
            child.delay_s = next_delay(child.delay_s, time.monotonic() - child.started)
            child.due = time.monotonic() + child.delay_s
            say(f"{child.name} ended with code {code}; it starts again in {child.delay_s:.0f} s")

    def _bury(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        """End what a dead child left of its group: a successor must not meet it."""
        kill_group(process.pid, signal.SIGKILL)
        process.wait()
        self._reaper.forget(process.pid)
        child.process = None

    def _stop(self) -> None:
        """End all: SIGTERM to each leader (which tells its own children), and after the grace SIGKILL to each group."""
        self._stopping = True
        say("Stopping …")
        running = [(child, child.process) for child in self._children if child.process is not None]
        for _, process in running:
            process.terminate()
        deadline = time.monotonic() + self._grace_s
        while running:
            too_long = self._in_haste or time.monotonic() > deadline
            for child, process in running:
                if too_long or process.poll() is not None:
                    self._bury(child, process)
            running = [(child, process) for child, process in running if child.process is not None]
            if running:
                self._wait(deadline - time.monotonic())
        self._wait(0)
        for child in self._children:
            child.relay.close()
        self._selector.close()

    def _until_next_restart(self) -> float | None:
        due = [child.due for child in self._children if child.process is None]
        return max(min(due) - time.monotonic(), 0) if due else None

    def _wait(self, timeout_s: float | None) -> None:
        """Wait for output, a signal or the time-out, and pass on the output."""
        for key, _ in self._selector.select(None if timeout_s is None else max(timeout_s, 0)):
            if isinstance(key.data, Relay):
                if not key.data.read(key.fd):
                    self._selector.unregister(key.fileobj)
                    os.close(key.fd)
            else:
                os.read(key.fd, 4096)

    @contextmanager
    def _woken_by_signals(self) -> Iterator[None]:
        """Note stop signals, and let every signal (a child's end too) end a wait."""

        def note(number: int, frame: FrameType | None) -> None:
            self._in_haste |= self._stopping and number == signal.SIGINT
            self._stopping = True

        def notice(number: int, frame: FrameType | None) -> None:
            pass

        ours, woken = socket.socketpair()
        with ours, woken:
            ours.setblocking(False)
            woken.setblocking(False)
            self._selector.register(woken, selectors.EVENT_READ)
            before = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGCHLD)}
            wakeup_before = signal.set_wakeup_fd(ours.fileno(), warn_on_full_buffer=False)
            for number in STOP_SIGNALS:
                if before[number] != signal.SIG_IGN:  # a run under nohup keeps ignoring the hang-up
                    signal.signal(number, note)
            signal.signal(signal.SIGCHLD, notice)
            try:
                yield
            finally:
                signal.set_wakeup_fd(wakeup_before)
                for number, handler in before.items():
                    signal.signal(number, handler)
