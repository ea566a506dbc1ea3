"""The simulator's one SQLite file, written by the event loop only; the writes of concurrent requests share a commit.

In WAL mode with synchronous=NORMAL a commit is one write to the operating system: it survives SIGKILL of this process
at any moment, and needs no fsync.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS made (at REAL NOT NULL);

CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    person TEXT,            -- null where a key was closed before it was ever used
    fingerprint TEXT,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'dispatching', 'sent', 'failed', 'closed')),
    message_id TEXT,
    error TEXT,
    answer TEXT,            -- what the first POST was answered, for repeats
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
) WITHOUT ROWID;

-- Deliberately without any unique constraint: a person who gets a message twice must be seen here twice.
CREATE TABLE IF NOT EXISTS handovers (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    session TEXT NOT NULL,
    person TEXT NOT NULL,
    text TEXT NOT NULL,
    kind TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS tries (
    person TEXT PRIMARY KEY,
    times INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sessions (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    paired INTEGER NOT NULL,
    phone TEXT,
    last_error TEXT,
    restricted_until REAL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS behaviours (
    session TEXT NOT NULL,   -- '' is every session
    behaviour TEXT NOT NULL,
    share REAL NOT NULL,
    PRIMARY KEY (session, behaviour)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY,
    due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due_at);
"""


class Store:
    """One connection. Errors of SQLite come through as sqlite3.Error; OSError if the folder cannot be made."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._waiting: list[asyncio.Future[None]] = []
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA wal_autocheckpoint = 8000")  # pages; each checkpoint stops the loop for its fsync
        self._db.execute("PRAGMA cache_size = -65536")  # KiB
        self._db.executescript(SCHEMA)
        self._db.execute("INSERT INTO made SELECT ? WHERE NOT EXISTS (SELECT 1 FROM made)", (time.time(),))

    def read(self, sql: str, *values: object) -> list[Any]:
        """Rows, including those of writes that are not committed yet: await ``committed`` before telling anyone."""
        return self._db.execute(sql, values).fetchall()

    def write(self, sql: str, *values: object) -> sqlite3.Cursor:
        """Run one statement in the commit that ends this turn of the event loop."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_soon(self._commit)
        return self._db.execute(sql, values)

    async def committed(self) -> None:
        """Return when everything written so far is on disk. Raises sqlite3.Error if it could not be."""
        if self._db.in_transaction:
            # Each has a future of its own: a shared one would be cancelled for all with the first request that is.
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        failure: sqlite3.Error | None = None
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            failure = error
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        for waiter in waiting:
            if waiter.done():
                continue
            if failure is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(failure)

    async def report(self, sql: str, *values: object) -> list[Any]:
        """Rows of a long query, read beside the event loop so that sends go on meanwhile."""
        await self.committed()
        return await asyncio.to_thread(self._read_apart, sql, values)

    def _read_apart(self, sql: str, values: tuple[object, ...]) -> list[Any]:
        db = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def close(self) -> None:
        self._db.close()
