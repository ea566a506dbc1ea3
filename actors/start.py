"""The checks before a process of the fleet starts: each fault is one line that says what to do."""

from __future__ import annotations

import sys

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

import settings as environment
from db import ready
from db.migrate import first_line
from settings import Settings

REDIS_TRIES = 20


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
    try:
        ready.check(environment.given(settings, "database_url"), name="start")
    except ready.NotReadyError as error:
        raise CannotStartError(str(error)) from None
    _check_redis(settings)
    return settings


def refuse(error: CannotStartError) -> int:
    """Say why, and the exit code to leave with."""
    print(f"fanfare: {error}", file=sys.stderr)
    return 2


def _check_redis(settings: Settings) -> None:
    """A Redis that starts together with us is waited for; it answers quickly."""
    try:
        client = redis.Redis.from_url(
            environment.given(settings, "redis_url"),
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(ConstantBackoff(0.5), REDIS_TRIES),
        )
        client.ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotStartError(f"Redis does not answer at REDIS_URL: {first_line(error)}") from None
