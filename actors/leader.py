"""One dispatcher leads, the others stand by: a session advisory lock in Postgres, held as long as its connection lives."""

from __future__ import annotations

import select
import time
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from services.wake import CHANNEL

LOCK = 727_002  # any number of our own
IDLE_S = 5  # a leader that has not asked for the time for so long is frozen or gone, and Postgres ends its session


class Leader:
    """Leadership with what comes with its connection: the database's clock, and the word that there is work.

    Every method raises the driver's errors when the connection is gone: then leadership is gone too.
    """

    def __init__(self, connection: DBAPIConnection) -> None:
        self._connection: Any = connection
        self._clock_offset_s = 0.0
        self.look_at_clock()

    @classmethod
    def take(cls, engine: Engine) -> Leader | None:
        """Become the leader, or None when another is."""
        connection = engine.raw_connection()
        raw: Any = connection.driver_connection
        connection.detach()  # ours until it breaks or we close it
        raw.autocommit = True
        with raw.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
            if not cursor.fetchone()[0]:
                raw.close()
                return None
            cursor.execute(f"LISTEN {CHANNEL}")
            cursor.execute(f"SET idle_session_timeout = '{IDLE_S}s'")
        return cls(raw)

    def look_at_clock(self) -> None:
        """Set our clock by the database's, and notice when the connection is gone."""
        before = time.monotonic()
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            database_s = cursor.fetchone()[0]
        self._clock_offset_s = database_s - (before + time.monotonic()) / 2

    def now_ms(self) -> int:
        """The database's time, in milliseconds since 1970; between two looks it is carried on by our monotonic clock."""
        return int((time.monotonic() + self._clock_offset_s) * 1000)

    def wait(self, seconds: float) -> bool:
        """Wait for that long, or until there is word of work; returns whether there was."""
        select.select([self._connection], [], [], max(0.0, seconds))
        self._connection.poll()
        told = bool(self._connection.notifies)
        self._connection.notifies.clear()
        return told

    def close(self) -> None:
        self._connection.close()
