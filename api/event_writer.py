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

BATCH = 500
PATIENCE_S = 1.0  # the bridge does not wait much longer for an answer, and posts again

Waiting = tuple[Incoming, asyncio.Future[None]]


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

    async def store(self, event: Incoming) -> None:
        """Returns when the event is committed. Raises DataError for one that cannot be stored."""
        stored = self._loop.create_future()
        with self._changed:
            self._waiting.append((event, stored))
            self._changed.notify()
        await stored

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
            return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _store(self, batch: Sequence[Waiting]) -> None:
        error: Exception | None = None
        try:
            stored = run(
                self._engine, lambda db: receipts.store(db, [event for event, _ in batch]), patience_s=PATIENCE_S
            )
            log.debug("[EVENTS] %d stored, %d of them new", len(batch), stored)
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
