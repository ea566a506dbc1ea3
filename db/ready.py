"""Whether a database can be worked with: it answers, and its schema is made for this release."""

from __future__ import annotations

import time

from sqlalchemy import Connection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from db.engine import connect_once
from db.migrate import first_line, head, revision

PATIENCE_S = 10.0  # a Postgres that starts together with us is waited for this long
LOOK_EVERY_S = 0.5


class NotReadyError(Exception):
    """Why a process cannot start on this database, in one line."""


def check(url: str, *, name: str) -> None:
    """Raises NotReadyError when Postgres does not answer for a while, or has not the schema of this release."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with connect_once(url, name=name).connect() as db:
                fault = schema_fault(db)
            break
        except ArgumentError as error:
            raise NotReadyError(f"DATABASE_URL is not an address of Postgres: {first_line(error)}") from None
        except SQLAlchemyError as error:
            if time.monotonic() > deadline:
                raise NotReadyError(f"Postgres does not answer at DATABASE_URL: {first_line(error)}") from None
        time.sleep(LOOK_EVERY_S)
    if fault:
        raise NotReadyError(f"the database {fault}")


def schema_fault(db: Connection) -> str | None:
    """Why this release cannot work with the database's schema, or None. A newer schema is made to work with it (R49)."""
    found, needed = revision(db), head()
    if found is None or found < needed:
        return f"is at revision {found or 'none'} and this release needs {needed}: run `make migrate`"
    return None
