"""Locks that a test holds in the sidecar's database, to stop it at a statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2


class Held:
    """A lock that is held; those that wait for it, and what is behind it."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def ask(self, statement: str, *values: object) -> Any:
        """The first value of the first row."""
        self._cursor.execute(statement, values)
        return self._cursor.fetchone()[0]

    def waiting(self) -> list[int]:
        """The Postgres processes that wait for it."""
        self._cursor.execute(
            "SELECT DISTINCT pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.datname = current_database()"
        )
        return [pid for (pid,) in self._cursor.fetchall()]

    def refuse(self) -> None:
        """Those that wait give up, as if their statement had never come: it would outlive the process that sent it."""
        for pid in self.waiting():
            self.ask("SELECT pg_terminate_backend(%s, 5000)", pid)


@contextmanager
def held(database_url: str, statement: str, *values: object) -> Iterator[Held]:
    """The lock that a statement takes, until the block ends."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        yield Held(cursor)
