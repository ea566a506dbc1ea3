"""The checks before a process of the fleet starts: each fault is one line that says what to do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import settings as environment
from db.engine import connect_once
from db.migrate import first_line, head, revision
from settings import Settings

PATIENCE_S = 20.0  # servers that start together with us are waited for this long


class CannotStartError(Exception):
    """Why a process cannot start, in one line."""


def checked(*needed: str) -> Settings:
    """Settings with which this process can run: servers answer, the schema is this release's.

    Raises CannotStartError.
    """
    try:
        settings = environment.load(*needed)
    except environment.SettingsError as error:
        raise CannotStartError(str(error)) from None
    _patiently(lambda: _check_postgres(settings))
    _patiently(lambda: _check_redis(settings))
    return settings


def refuse(error: CannotStartError) -> int:
    """Say why, and the exit code to leave with."""
    print(f"fanfare: {error}", file=sys.stderr)
    return 2


def _patiently(check: Callable[[], None]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return check()
        except CannotStartError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _check_postgres(settings: Settings) -> None:
    try:
        with connect_once(settings.database_url or "", name="start").connect() as connection:
            connection.execute(text("SELECT 1"))
            found = revision(connection)
    except SQLAlchemyError as error:
        raise CannotStartError(f"Postgres does not answer at DATABASE_URL: {first_line(error)}") from None
    if found is None or found < head():
        raise CannotStartError(
            f"the database is at revision {found or 'none'} and this release needs {head()}: run `make migrate`"
        )


def _check_redis(settings: Settings) -> None:
    try:
        redis.Redis.from_url(settings.redis_url or "", socket_timeout=5, socket_connect_timeout=5).ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotStartError(f"Redis does not answer at REDIS_URL: {first_line(error)}") from None
