"""Connections to Postgres, and the one way to run a transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

log = logging.getLogger(__name__)
Result = TypeVar("Result")

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 2.0
# What passes by itself, by SQLSTATE or the beginning of one. Postgres has undone the transaction each time.
_TRY_AGAIN = (
    "40001",  # serialisation failure
    "40P01",  # deadlock
    "55P03",  # somebody held a lock for too long
    "08",  # the connection broke
    "53",  # no disk, no memory or no connection left
    "57P",  # the server is stopping or starting
    "58030",  # its disk refuses to read or write
)


def connect(url: str, *, threads: int, name: str) -> Engine:
    """An engine with a connection for each of ``threads``; ``name`` is what Postgres shows as application_name.

    Parameters are people's numbers and texts: they stay out of the errors, and so out of the logs.
    """
    return sqlalchemy.create_engine(
        _psycopg2(url),
        pool_size=threads,
        max_overflow=2,
        pool_timeout=30,
        connect_args=_arguments(name),
        hide_parameters=True,
    )


def connect_once(url: str, *, name: str) -> Engine:
    """An engine that keeps no connection: for a process that looks once, or must know when its session ends."""
    return sqlalchemy.create_engine(
        _psycopg2(url), poolclass=NullPool, connect_args=_arguments(name), hide_parameters=True
    )


def run(engine: Engine, work: Callable[[Connection], Result], *, patience_s: float = 30.0) -> Result:
    """Run ``work`` in one transaction; while Postgres is away or asks for it, run the whole of it again.

    ``work`` must be a service: guarded, so that running it again after a COMMIT whose answer was lost changes nothing
    more. Raises the last error when ``patience_s`` seconds were not enough.
    """
    deadline = time.monotonic() + patience_s
    wait_s = FIRST_WAIT_S
    while True:
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            if not _worth_another_try(error) or time.monotonic() + wait_s > deadline:
                raise
            log.warning("Postgres did not finish a transaction (%s); trying again", type(error.orig).__name__)
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)


def _worth_another_try(error: DBAPIError) -> bool:
    code: str | None = getattr(error.orig, "pgcode", None)
    if code is None:  # no word from the server: it could not be reached, or went away
        return error.connection_invalidated or isinstance(error, OperationalError)
    return error.connection_invalidated or code.startswith(_TRY_AGAIN)


def _psycopg2(url: str) -> sqlalchemy.URL:
    """Platforms hand out postgres://; SQLAlchemy wants the driver named."""
    parsed = sqlalchemy.make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg2")


def _arguments(name: str) -> dict[str, object]:
    return {
        "application_name": f"fanfare {name}",
        "connect_timeout": 5,
        # A peer that vanished is noticed within half a minute instead of two hours, also while it owes us an answer:
        # keepalives look at a connection that rests, and what was written and not received would be tried for 15 minutes.
        "tcp_user_timeout": 30_000,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        # No transaction of ours waits for anything but Postgres. One that idles belongs to a process that froze in it, and
        # what it has locked must be free before the lease of what it was sending is over.
        "options": "-c timezone=UTC -c jit=off -c lock_timeout=10s -c idle_in_transaction_session_timeout=5s"
        # The server lets go of a peer that vanished as soon as we do, and with it of its locks.
        " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4 -c tcp_user_timeout=30s",
    }
