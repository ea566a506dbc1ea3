"""Databases for tests: made, asked, and dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Engine, text


class Rows:
    """What a test reads and writes besides what it tests."""

    engine: Engine

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """What a statement finds, now."""
        with self.engine.begin() as db:
            return list(db.execute(text(statement), values).all())

    def one(self, statement: str, **values: Any) -> Any:
        """The one value that a statement finds."""
        return self.rows(statement, **values)[0][0]

    def execute(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as db:
            db.execute(text(statement), values)


@contextmanager
def database(server_url: str, name: str, *, template: str = "template1") -> Iterator[str]:
    """A database of this name, a copy of ``template``, for as long as the block lasts; its URL."""
    admin(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield f"{server_url.rsplit('/', 1)[0]}/{name}"
    finally:
        admin(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def admin(server_url: str, *statements: str) -> None:
    """Statements that no transaction can hold."""
    connection = psycopg2.connect(server_url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()
