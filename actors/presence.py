"""A process says that it is there, from a thread of its own, so that nothing it does for its work holds this up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import dramatiq
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from actors.runtime import runtime
from services import processes
from services.processes import Process

LAST_WORD_S = 2.0  # a database that is away does not hold up the end of a process


class Presence:
    """Reports a process from ``start`` to ``stop``. A database that is away hears of it when it is back."""

    def __init__(self, engine: Engine, process: Process) -> None:
        self._engine = engine
        self._process = process
        self._leads = False
        self._stopping = False
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def leads(self, leads: bool) -> None:
        """It leads now, or no longer: said at once."""
        if leads != self._leads:
            self._leads = leads
            self._news.set()

    def stop(self) -> None:
        """The process ends properly, and its row goes."""
        self._stopping = True
        self._news.set()
        self._thread.join(LAST_WORD_S)

    def _run(self) -> None:
        first = True
        while not self._stopping:
            self._news.clear()
            report = partial(processes.report, process=self._process, leads=self._leads, first=first)
            first = not self._told(report) and first
            self._news.wait(processes.EVERY_S)
        self._told(partial(processes.leave, process_id=self._process.id))

    def _told(self, say: Callable[[Connection], None]) -> bool:
        try:
            with self._engine.begin() as db:
                say(db)
        except SQLAlchemyError:
            # Those who cannot work without the database say so in the log; this is said again soon.
            return False
        return True


class WorkerPresence(dramatiq.Middleware):
    """A worker process is there from its boot, after the fork, to its end."""

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        world = runtime()
        self._presence = Presence(world.engine, Process(world.worker_id, "worker", world.settings.worker_threads))
        self._presence.start()

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        self._presence.stop()
