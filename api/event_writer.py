"""Group commit: one thread stores all events that wait, in one statement and one commit, and then answers them all."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, SQLAlchemyError

from db.engine import run
from services import receipts
from services.receipts import Incoming

log = logging.getLogger("fanfare.api")

BATCH = 500  # events; what was posted together is stored together, also when it is more
PATIENCE_S = 1.0  # the bridge does not wait much longer for an answer, and posts again

Waiting = tuple[Sequence[Incoming], asyncio.Future[None]]


class EventWriter:
    """Use it from one event loop, between ``start`` and ``close``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def store(self, *events: Incoming) -> None:
        """Returns when all of these events are committed, in one commit. Raises DataError, and stores none, when one of them
        cannot be stored."""
        waiting = (events, self._loop.create_future())
        with self._changed:
            self._waiting.append(waiting)
            self._changed.notify()
        try:
            await waiting[1]
        except (
            asyncio.CancelledError
        ):  # who posted it was told to come again, and a database that hangs gathers nothing here
            with self._changed:
                if waiting in self._waiting:
                    self._waiting.remove(waiting)
            raise

    def close(self) -> None:
        """Store what waits, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            self._store(batch)

    def _next(self) -> list[Waiting]:
        """All that wait, up to a batch; nothing when it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            batch: list[Waiting] = []
            count = 0
            while self._waiting and (not batch or count + len(self._waiting[0][0]) <= BATCH):
                batch.append(self._waiting.popleft())
                count += len(batch[-1][0])
            return batch

    def _store(self, batch: Sequence[Waiting]) -> None:
        error: Exception | None = None
        try:
            events = [event for together, _ in batch for event in together]
            stored = run(self._engine, lambda db: receipts.store(db, events), patience_s=PATIENCE_S)
            log.debug("[EVENTS] %d stored, %d of them new", len(events), stored)
        except DataError as fault:
            if len(batch) > 1:  # the others must not suffer from one
                for each in batch:
                    self._store([each])
                return
            error = fault
        except SQLAlchemyError as fault:
            error = fault
        except Exception as fault:  # an error of ours: without this thread no event would ever be answered again
            log.exception("[EVENTS] storing failed")
            error = fault
        self._loop.call_soon_threadsafe(_resolve, [future for _, future in batch], error)


def _resolve(futures: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():  # its client has gone
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
